/* ntifs.h: what a file system driver includes; here the same as ntddk.h. */
#ifndef _NTIFS_
#define _NTIFS_

#include "ntddk.h"

#endif
