/*
 * wdf.h: what a KMDF driver includes. One header per kind of object:
 *
 *   wdftypes.h wdfcore.h wdfstatus.h wdfobject.h   handles, times, statuses, attributes and contexts
 *   wdfdriver.h wdfdevice.h wdffdo.h wdfcontrol.h  driver and devices        wdfio.h        queues
 *   wdfrequest.h wdfmemory.h wdffileobject.h       requests                  wdfiotarget.h  I/O targets
 *   wdfsync.h wdftimer.h wdfworkitem.h wdfdpc.h    locks, timers, callbacks  wdfcollection.h wdfstring.h wdfregistry.h
 *   wdfpdo.h wdfqueryinterface.h                   children of a bus driver, interfaces between drivers
 *   wdfverifier.h wdfbugcodes.h                    breakpoints and bug checks
 *   wdfusb.h                                       USB devices and pipes as I/O targets
 *   wdfdmaenabler.h                                what the pages name of DMA: it compiles and is not modelled
 *   wdfprivate.h                                   what the functions written in C share
 */
#ifndef _WDF_H_
#define _WDF_H_

#include "wdfstatus.h"
#include "wdfbugcodes.h"
#include "wdftypes.h"
#include "wdfcore.h"
#include "wdfobject.h"
#include "wdfsync.h"
#include "wdfdriver.h"
#include "wdfmemory.h"
#include "wdffileobject.h"
#include "wdfrequest.h"
#include "wdfiotarget.h"
#include "wdfio.h"
#include "wdfdevice.h"
#include "wdfcontrol.h"
#include "wdffdo.h"
#include "wdftimer.h"
#include "wdfworkitem.h"
#include "wdfdpc.h"
#include "wdfcollection.h"
#include "wdfstring.h"
#include "wdfregistry.h"
#include "wdfpdo.h"
#include "wdfqueryinterface.h"
#include "wdfdmaenabler.h"
#include "wdfusb.h"
#include "wdfverifier.h"
#include "wdfprivate.h"

#endif
