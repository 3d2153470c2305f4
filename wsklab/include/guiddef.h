/* guiddef.h: what it declares for kernel code is in initguid.h. */
#include "initguid.h"
