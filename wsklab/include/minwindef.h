/* minwindef.h: what it declares for kernel code is in windef.h. */
#include "windef.h"
