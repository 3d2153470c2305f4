/*
 * wdm.h: what a WDM driver includes. The contents are in parts, by the subsystem that owns them:
 *
 *   wdmke.h   kernel: IRQL, locks, events, timers, DPCs, waits     wdmex.h   executive: pool, lists, interlocked, resources
 *   wdmmm.h   memory manager: MDLs                                 wdmirp.h  IRP, stack location, device and driver objects
 *   wdmrtl.h  run-time library, strings, DbgPrint                  wdmio.h   I/O manager: Io*, Po*
 *   wdmzw.h   processes, objects, files, registry
 */
#ifndef _WDMDDK_
#define _WDMDDK_

#include "ntdef.h"
#include "ntstatus.h"
#include "wdmke.h"
#include "wdmex.h"
#include "wdmmm.h"
#include "wdmirp.h"
#include "wdmrtl.h"
#include "wdmio.h"
#include "wdmzw.h"

#endif
