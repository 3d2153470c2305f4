/* initguid.h: with or without it, DEFINE_GUID defines: a GUID costs nothing here. */
#ifndef _WSKLAB_INITGUID_H_
#define _WSKLAB_INITGUID_H_

#include "ntdef.h"

#define INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    static const GUID name = { l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 } }
#define DEFINE_DEVPROPKEY(name, ...)

#endif
