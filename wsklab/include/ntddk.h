/* ntddk.h: what a non-WDM kernel driver includes: wdm.h and the bug check codes. */
#ifndef _NTDDK_
#define _NTDDK_

#include "wdm.h"
#include "bugcodes.h"

#endif
