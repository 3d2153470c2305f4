/* usbdi.h: the older name of usb.h. */
#include "usb.h"
#include "usbioctl.h"
