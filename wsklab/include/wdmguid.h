/* wdmguid.h: GUIDs of device interfaces and events; the lab's headers do not have them. */
#include "wdmirp.h"
