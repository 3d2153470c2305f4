/* dontuse.h: names that drivers should not use; the lab's headers do not have them. */
#include "wdmirp.h"
