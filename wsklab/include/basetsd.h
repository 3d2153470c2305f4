/* basetsd.h: what it declares for kernel code is in ntdef.h. */
#include "ntdef.h"
