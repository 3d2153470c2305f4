/* devioctl.h: what it declares for kernel code is in wdmirp.h. */
#include "wdmirp.h"
