/*
 * wdfpdo.h: devices of a bus driver's children, as far as the pages about requests name them. Not modelled.
 * Follows the wdfpdo.h pages.
 */
#ifndef _WDFPDO_H_
#define _WDFPDO_H_

#include "wdfdevice.h"

WDFDEVICE WdfPdoGetParent(WDFDEVICE Device);

#endif
