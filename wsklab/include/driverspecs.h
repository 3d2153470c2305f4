/* driverspecs.h: the annotations of drivers are in sal.h. */
#include "sal.h"
