/* intrin.h: what it declares for kernel code is in wdmrtl.h. */
#include "wdmrtl.h"
