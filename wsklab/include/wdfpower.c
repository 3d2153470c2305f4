/*
 * wdfpower.c: a device starts, leaves its working state, comes back and goes: the callbacks of the driver in their order, and what
 * becomes of the queues in between. Facts: KMDF-MCA-11 to 13, RULE-76. Pages: power-up-sequence-for-a-function-or-filter-driver.md,
 * a-user-unplugs-a-device.md, using-self-managed-i-o.md, reporting-device-failures.md.
 */

/* Call a callback of WDF_PNPPOWER_EVENT_CALLBACKS if the driver gave it. */
#define FX_TELL(Given, Callback, ...) ((NTSTATUS)wsklab_wdf_status(#Callback, (PVOID)(Given)->Callback, __VA_ARGS__))

/*
 * A device enters its working state: for the first time (from D3 final) or again. A failure leaves it stopped, and what was done
 * until then is undone when it is removed.
 */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS wsklab_device_up(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Previous)
{
    PFX_DEVICE device = FxDevice(Device);
    PWDF_PNPPOWER_EVENT_CALLBACKS given = &device->Init.Callbacks;
    BOOLEAN first = !device->Prepared;
    NTSTATUS status = STATUS_SUCCESS;
    if (first) {
        device->Prepared = TRUE;
        status = FX_TELL(given, EvtDevicePrepareHardware, Device, NULL, NULL);
    }
    if (NT_SUCCESS(status)) status = FX_TELL(given, EvtDeviceD0Entry, Device, Previous);
    if (!NT_SUCCESS(status)) return status;
    device->InD0 = TRUE;
    status = FX_TELL(given, EvtDeviceD0EntryPostInterruptsEnabled, Device, Previous);
    if (!NT_SUCCESS(status)) return status;
    if (first) WdfControlFinishInitializing(Device);
    else wsklab_ask_waits(Device, "Device.power", FX_POWER_RESUMING);
    status = device->SelfManaged ? FX_TELL(given, EvtDeviceSelfManagedIoRestart, Device)
                                 : FX_TELL(given, EvtDeviceSelfManagedIoInit, Device);
    device->SelfManaged = TRUE;
    if (first && NT_SUCCESS(status)) FX_TELL(given, EvtDeviceRelationsQuery, Device, BusRelations);
    return status;
}

/* A device leaves its working state (FX_POWER_STOPPING), or is removed from whatever state it is in (FX_POWER_PURGING). */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_device_leaves(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Target, ULONG Power)
{
    PFX_DEVICE device = FxDevice(Device);
    PWDF_PNPPOWER_EVENT_CALLBACKS given = &device->Init.Callbacks;
    if (device->InD0 && device->SelfManaged) FX_TELL(given, EvtDeviceSelfManagedIoSuspend, Device);
    if (device->InD0 || Power == FX_POWER_PURGING) wsklab_ask_waits(Device, "Device.power", Power);
    if (device->InD0) {
        FX_TELL(given, EvtDeviceD0ExitPreInterruptsDisabled, Device, Target);
        FX_TELL(given, EvtDeviceD0Exit, Device, Target);
    }
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
    if (FxDevice(Device)->Started) wsklab_device_up(Device, Previous);
}

/* Whether a device may be removed, or (Surprise) the news that it is gone already. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS wsklab_device_asks(WDFDEVICE Device, BOOLEAN Surprise)
{
    PWDF_PNPPOWER_EVENT_CALLBACKS given = &FxDevice(Device)->Init.Callbacks;
    NTSTATUS status;
    if (!Surprise) return FX_TELL(given, EvtDeviceQueryRemove, Device);
    FxDevice(Device)->Surprised = TRUE;
    status = FX_TELL(given, EvtDeviceSurpriseRemoval, Device);
    FxDevice(Device)->Surprised = FALSE;
    return status;
}

/* Who decides when the device sleeps: a function driver, unless it says otherwise. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetPowerPolicyOwnership(PWDFDEVICE_INIT DeviceInit, BOOLEAN IsPowerPolicyOwner)
{
    FxInit(DeviceInit)->Owner = IsPowerPolicyOwner ? 2 : 1;
}

static BOOLEAN FxOwnsPower(PFX_DEVICE Device)
{
    if (!Device->Pnp) return FALSE;
    return Device->Init.Owner == 0 ? Device->Init.Lower != NULL && !Device->Init.Filter : Device->Init.Owner == 2;
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
