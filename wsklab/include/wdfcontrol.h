/*
 * wdfcontrol.h: control device objects: devices without Plug and Play.
 * Follows the wdfcontrol.h pages.
 */
#ifndef _WDFCONTROL_H_
#define _WDFCONTROL_H_

#include "wdfdevice.h"

/* Shutdown notification. */
typedef VOID EVT_WDF_DEVICE_SHUTDOWN_NOTIFICATION(WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SHUTDOWN_NOTIFICATION *PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION;
typedef enum _WDF_DEVICE_SHUTDOWN_FLAGS {
    WdfDeviceShutdown = 0x01,
    WdfDeviceLastChanceShutdown = 0x02
} WDF_DEVICE_SHUTDOWN_FLAGS;

/* Control devices. */
PWDFDEVICE_INIT WdfControlDeviceInitAllocate(WDFDRIVER Driver, const UNICODE_STRING *SDDLString);
VOID WdfControlDeviceInitSetShutdownNotification(PWDFDEVICE_INIT DeviceInit, PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION Notification,
                                                 UCHAR Flags);
VOID WdfControlFinishInitializing(WDFDEVICE Device);

#endif
