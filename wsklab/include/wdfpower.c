/*
 * wdfpower.c: a device starts, leaves its working state, comes back and goes: the callbacks of the driver in their order, what
 * becomes of the queues in between, and two ways to bug check 0x10D. Facts: KMDF-MCA-11 to 13, KMDF-VER-04, RULE-76.
 * Pages: power-up-sequence-for-a-function-or-filter-driver.md, a-user-unplugs-a-device.md, using-self-managed-i-o.md, reporting-device-failures.md.
 */

/* Call a callback of WDF_PNPPOWER_EVENT_CALLBACKS if the driver gave it. */
#define FX_TELL(Given, Callback, ...) ((NTSTATUS)wsklab_wdf_status(#Callback, (PVOID)(Given)->Callback, __VA_ARGS__))

/*
 * The watchdog: in a state that touches no paged memory the driver's callbacks have ten minutes to return. Its DPC stops the
 * machine. The first start of a device and its removal go through other states, which nobody watches.
 */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_power_timed_out(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    PFX_DEVICE device = FxDevice((WDFDEVICE)Context);
    if (device->Watched.PowerState == WdfDevStatePowerInvalid) return; /* it was cancelled when its DPC was queued already */
    wsklab_wdf_stop("kmdf-power-timed-out", device->Handle, "data=0x%016I64x;state=0x%x;thread=0x%016I64x", &device->Watched,
                    device->Watched.PowerState, device->Watched.TimedOutThread);
}

static void FxUnwatch(PFX_DEVICE Device)
{
    if (Device->Watched.PowerState == WdfDevStatePowerInvalid) return;
    KeCancelTimer(&Device->Watchdog);
    Device->Watched.PowerState = WdfDevStatePowerInvalid;
}

/* The device is in another state of its way between the working state and sleep. */
static void FxWatch(PFX_DEVICE Device, WDF_DEVICE_POWER_STATE State)
{
    LARGE_INTEGER limit;
    FxUnwatch(Device);
    if (Device->Object->Flags & DO_POWER_PAGABLE) return;
    Device->Watched.PowerState = State;
    Device->Watched.DeviceObject = Device->Object;
    Device->Watched.Device = Device->Handle;
    Device->Watched.TimedOutThread = KeGetCurrentThread();
    limit.QuadPart = WDF_REL_TIMEOUT_IN_SEC(10 * 60);
    KeInitializeTimer(&Device->Watchdog);
    KeInitializeDpc(&Device->WatchdogDpc, wsklab_power_timed_out, Device->Handle);
    KeSetTimer(&Device->Watchdog, limit, &Device->WatchdogDpc);
}

/* The power flags of a new DEVICE_OBJECT: a filter has those of the device below. Page: do_power_pagable.md. */
static void FxPowerFlags(PFX_DEVICE Device)
{
    PFX_DEVICE_INIT init = &Device->Init;
    if (!Device->Pnp) return;
    if (init->Filter) Device->Object->Flags |= init->Lower->Flags & (DO_POWER_PAGABLE | DO_POWER_INRUSH);
    else if (!init->NotPageable) Device->Object->Flags |= DO_POWER_PAGABLE;
    else if (init->Inrush) Device->Object->Flags |= DO_POWER_INRUSH;
}

/* The queues of a device stop (if power-managed), are purged, or go on; until the driver has let go. Facts: KMDF-MCA-11 to 13. */
static void FxPowerQueues(PFX_DEVICE Device, ULONG Power)
{
    PLIST_ENTRY entry;
    for (entry = Device->AllQueues.Flink; entry != &Device->AllQueues; entry = entry->Flink)
        wsklab_queue_power(CONTAINING_RECORD(entry, FX_QUEUE, Sibling)->Handle, Power);
    if (Power == FX_POWER_RESUMING) return;
    for (entry = Device->AllQueues.Flink; entry != &Device->AllQueues; entry = entry->Flink) {
        PFX_QUEUE queue = CONTAINING_RECORD(entry, FX_QUEUE, Sibling);
        FxWaitForQueue(queue->Handle, &queue->AtRest, "EvtIoStop");
    }
}

static NTSTATUS FxUp(WDFDEVICE Device, PFX_DEVICE device, WDF_POWER_DEVICE_STATE Previous)
{
    PWDF_PNPPOWER_EVENT_CALLBACKS given = &device->Init.Callbacks;
    BOOLEAN first = !device->Prepared;
    NTSTATUS status = STATUS_SUCCESS;
    if (first) {
        device->Prepared = TRUE;
        status = FX_TELL(given, EvtDevicePrepareHardware, Device, NULL, NULL);
    } else {
        FxWatch(device, WdfDevStatePowerWakingNP);
    }
    if (NT_SUCCESS(status)) status = FX_TELL(given, EvtDeviceD0Entry, Device, Previous);
    if (!NT_SUCCESS(status)) return status;
    device->InD0 = TRUE;
    if (!first) FxWatch(device, WdfDevStatePowerWakingConnectInterruptNP);
    status = FX_TELL(given, EvtDeviceD0EntryPostInterruptsEnabled, Device, Previous);
    if (!NT_SUCCESS(status)) return status;
    if (first) {
        WdfControlFinishInitializing(Device);
    } else {
        FxWatch(device, WdfDevStatePowerStartSelfManagedIoNP);
        FxPowerQueues(device, FX_POWER_RESUMING);
    }
    status = device->SelfManaged ? FX_TELL(given, EvtDeviceSelfManagedIoRestart, Device)
                                 : FX_TELL(given, EvtDeviceSelfManagedIoInit, Device);
    device->SelfManaged = TRUE;
    if (first && NT_SUCCESS(status)) FX_TELL(given, EvtDeviceRelationsQuery, Device, BusRelations);
    return status;
}

/* From now on a device gets requests: its names are found, and its queues begin to present what comes. Facts: KMDF-DEV-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfControlFinishInitializing(WDFDEVICE Device)
{
    PFX_DEVICE device = FxDevice(Device);
    PLIST_ENTRY entry;
    device->Started = TRUE;
    wsklab_ask(Device, "Device.open_interfaces");
    for (entry = device->AllQueues.Flink; entry != &device->AllQueues; entry = entry->Flink)
        wsklab_queue_dispatch(CONTAINING_RECORD(entry, FX_QUEUE, Sibling)->Handle);
}

/* Nothing will happen any more: stop if a request that the driver has holds up a device. Facts: RULE-42, RULE-75. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_device_blocked(WDFDEVICE Device)
{
    PFX_DEVICE device = FxDevice(Device);
    PLIST_ENTRY entry;
    for (entry = device->AllQueues.Flink; entry != &device->AllQueues; entry = entry->Flink)
        wsklab_queue_blocked(CONTAINING_RECORD(entry, FX_QUEUE, Sibling)->Handle);
}

/*
 * A device enters its working state: for the first time (from D3 final) or again. A failure leaves it stopped, and what was done
 * until then is undone when it is removed.
 */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS wsklab_device_up(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Previous)
{
    PFX_DEVICE device = FxDevice(Device);
    NTSTATUS status;
    device->PnpPending = !device->Prepared;
    status = FxUp(Device, device, Previous);
    FxUnwatch(device);
    device->PnpPending = FALSE;
    return status;
}

/*
 * Who decides when the device sleeps: a function driver or the raw child of a bus driver, unless the driver says otherwise.
 * Page: power-policy-ownership.md.
 */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetPowerPolicyOwnership(PWDFDEVICE_INIT DeviceInit, BOOLEAN IsPowerPolicyOwner)
{
    FxInit(DeviceInit)->Owner = IsPowerPolicyOwner ? 2 : 1;
}

static BOOLEAN FxOwnsPower(PFX_DEVICE Device)
{
    if (!Device->Pnp) return FALSE;
    if (Device->Init.Owner != 0) return Device->Init.Owner == 2;
    return Device->Init.Parent != NULL ? Device->Init.Raw : !Device->Init.Filter;
}

/*
 * The owner of the power policy asks for another power state: an IRP goes through the whole stack from the top. Another owner gets
 * an IRP that it has not asked for, and the framework stops there; at a child of a bus driver only while the verifier is on.
 */
static void FxRequestPower(PFX_DEVICE Device, DEVICE_POWER_STATE State)
{
    PFX_DEVICE highest = NULL, second = NULL, other;
    PDEVICE_OBJECT at, top = NULL;
    PIO_STACK_LOCATION next;
    PIRP irp;
    for (at = Device->Init.Physical; at != NULL; at = at->AttachedDevice) {
        PFX_DEVICE here = wsklab_wdf_of(at->DriverObject) != NULL ? (PFX_DEVICE)at->DeviceExtension : NULL;
        top = at;
        if (here == NULL || !FxOwnsPower(here)) continue;
        second = highest;
        highest = here;
    }
    other = FxOwnsPower(Device) && highest != Device ? highest : second;
    if (other == NULL || (other->Init.Parent != NULL && !wsklab_wdf_verifies(other->Handle))) return;
    irp = IoAllocateIrp(top->StackSize, FALSE);
    if (irp == NULL) return;
    next = IoGetNextIrpStackLocation(irp);
    next->MajorFunction = IRP_MJ_POWER;
    next->MinorFunction = IRP_MN_SET_POWER;
    next->Parameters.Power.Type = DevicePowerState;
    next->Parameters.Power.State.DeviceState = State;
    wsklab_wdf_stop("kmdf-two-power-owners", other->Handle, "object=0x%016I64x;irp=0x%016I64x", other->Object, irp);
}

/* A device leaves its working state (FX_POWER_STOPPING), or is removed from whatever state it is in (FX_POWER_PURGING). */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_device_leaves(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Target, ULONG Power)
{
    PFX_DEVICE device = FxDevice(Device);
    PWDF_PNPPOWER_EVENT_CALLBACKS given = &device->Init.Callbacks;
    BOOLEAN sleeps = Power == FX_POWER_STOPPING && device->InD0;
    if (sleeps) {
        FxRequestPower(device, (DEVICE_POWER_STATE)Target);
        FxWatch(device, WdfDevStatePowerGotoDxNP);
    }
    if (device->InD0 && device->SelfManaged) FX_TELL(given, EvtDeviceSelfManagedIoSuspend, Device);
    if (device->InD0 || Power == FX_POWER_PURGING) FxPowerQueues(device, Power);
    if (sleeps) FxWatch(device, WdfDevStatePowerGotoDxIoStoppedNP);
    if (device->InD0) {
        FX_TELL(given, EvtDeviceD0ExitPreInterruptsDisabled, Device, Target);
        FX_TELL(given, EvtDeviceD0Exit, Device, Target);
    }
    FxUnwatch(device);
    device->InD0 = FALSE;
    if (Power != FX_POWER_PURGING) return;
    if (device->Prepared) FX_TELL(given, EvtDeviceReleaseHardware, Device, NULL);
    if (device->SelfManaged) {
        FX_TELL(given, EvtDeviceSelfManagedIoFlush, Device);
        FX_TELL(given, EvtDeviceSelfManagedIoCleanup, Device);
    }
    device->Prepared = device->SelfManaged = FALSE;
}

/* It works again, if it has been started. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_device_wakes(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Previous)
{
    PFX_DEVICE device = FxDevice(Device);
    if (!device->Started) return;
    FxRequestPower(device, PowerDeviceD0);
    wsklab_device_up(Device, Previous);
}

/* Whether a device may be removed, or (Surprise) the news that it is gone already. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS wsklab_device_asks(WDFDEVICE Device, BOOLEAN Surprise)
{
    PFX_DEVICE device = FxDevice(Device);
    PWDF_PNPPOWER_EVENT_CALLBACKS given = &device->Init.Callbacks;
    NTSTATUS status;
    device->PnpPending = TRUE;
    device->Surprised = Surprise;
    status = Surprise ? FX_TELL(given, EvtDeviceSurpriseRemoval, Device) : FX_TELL(given, EvtDeviceQueryRemove, Device);
    device->Surprised = device->PnpPending = FALSE;
    return status;
}

/* When the device may sleep while the system works; no device sleeps by itself here, the lab does that. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceAssignS0IdleSettings(WDFDEVICE Device, PWDF_DEVICE_POWER_POLICY_IDLE_SETTINGS Settings)
{
    PFX_DEVICE device = FxDevice(Device);
    wsklab_given(Settings, "Settings");
    if (!FxOwnsPower(device)) return STATUS_INVALID_DEVICE_REQUEST;
    if (Settings->Size != sizeof(WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS)) return STATUS_INFO_LENGTH_MISMATCH;
    if (Settings->DxState < PowerDeviceD1 || Settings->DxState > PowerDeviceMaximum || Settings->IdleCaps < IdleCannotWakeFromS0 ||
        Settings->IdleCaps > IdleUsbSelectiveSuspend || Settings->UserControlOfIdleSettings < IdleDoNotAllowUserControl ||
        Settings->UserControlOfIdleSettings > IdleAllowUserControl || Settings->Enabled > WdfUseDefault ||
        Settings->PowerUpIdleDeviceOnSystemWake > WdfUseDefault || Settings->IdleTimeoutType > SystemManagedIdleTimeoutWithHint)
        return STATUS_INVALID_PARAMETER;
    if (Settings->IdleCaps != IdleCannotWakeFromS0 && Settings->PowerUpIdleDeviceOnSystemWake != WdfUseDefault)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* Whether the device can wake a sleeping system; nothing wakes it here. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceAssignSxWakeSettings(WDFDEVICE Device, PWDF_DEVICE_POWER_POLICY_WAKE_SETTINGS Settings)
{
    PFX_DEVICE device = FxDevice(Device);
    wsklab_given(Settings, "Settings");
    if (!FxOwnsPower(device)) return STATUS_INVALID_DEVICE_REQUEST;
    if (Settings->Size != sizeof(WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS)) return STATUS_INFO_LENGTH_MISMATCH;
    if (Settings->DxState < PowerDeviceD1 || Settings->DxState > PowerDeviceMaximum ||
        Settings->UserControlOfWakeSettings < WakeDoNotAllowUserControl ||
        Settings->UserControlOfWakeSettings > WakeAllowUserControl || Settings->Enabled > WdfUseDefault)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* Keep the device in its working state; STATUS_POWER_STATE_INVALID when it is not started or sleeps with the system. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceStopIdleNoTrack(WDFDEVICE Device, BOOLEAN WaitForD0)
{
    PFX_DEVICE device = FxDevice(Device);
    if (WaitForD0 && FxTooHigh(Device, "WdfDeviceStopIdle")) return STATUS_INVALID_DEVICE_REQUEST;
    if (!FxOwnsPower(device)) return STATUS_INVALID_DEVICE_REQUEST;
    if (!device->InD0) return STATUS_POWER_STATE_INVALID;
    device->IdleStops++;
    return STATUS_SUCCESS;
}

/* It may sleep again. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfDeviceResumeIdleNoTrack(WDFDEVICE Device)
{
    PFX_DEVICE device = FxDevice(Device);
    if (device->IdleStops == 0) wsklab_wdf_break("kmdf-idle-unbalanced", Device, "");
    else device->IdleStops--;
}

/* The same with a tag for the debugger. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceStopIdleActual(WDFDEVICE Device, BOOLEAN WaitForD0, PVOID Tag, LONG Line, PCCH File)
{
    return WdfDeviceStopIdleNoTrack(Device, WaitForD0);
}

/* The same with a tag for the debugger. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfDeviceResumeIdleActual(WDFDEVICE Device, PVOID Tag, LONG Line, PCCH File)
{
    WdfDeviceResumeIdleNoTrack(Device);
}
