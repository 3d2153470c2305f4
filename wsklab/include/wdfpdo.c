/*
 * wdfpdo.c: static children of a bus driver: each is a device at the bottom of a stack, over which another driver's device may be
 * started. Facts: KMDF-DEV-04, KMDF-TGT-04. Pages: static-enumeration.md, creating-device-objects-in-a-bus-driver.md.
 */

/* Whether a WDFDEVICE_INIT is for a child; a breakpoint when not. */
static BOOLEAN FxIsChild(PWDFDEVICE_INIT DeviceInit, PCSTR Function)
{
    if (FxInit(DeviceInit)->Parent != NULL) return TRUE;
    wsklab_wdf_break("kmdf-not-a-child", DeviceInit, "function=%s", Function);
    return FALSE;
}

/* Note what the bus says of a child, by the name of a device property. */
static NTSTATUS FxSay(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING Text, PCSTR Name, PCSTR Property, PCSTR Function)
{
    wsklab_given(Text, Name);
    if (!FxIsChild(DeviceInit, Function)) return STATUS_INVALID_DEVICE_REQUEST;
    if (Property != NULL) wsklab_ask(DeviceInit, "DeviceInit.says", Property, Text);
    return STATUS_SUCCESS;
}

/* A WDFDEVICE_INIT for a child of a bus device; NULL without memory. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PWDFDEVICE_INIT WdfPdoInitAllocate(WDFDEVICE ParentDevice)
{
    PFX_DEVICE parent = FxDevice(ParentDevice);
    PVOID memory = wsklab_allocate(1);
    PWDFDEVICE_INIT init;
    if (memory == NULL) return NULL;
    wsklab_free(memory);
    init = wsklab_device_init(parent->Driver);
    FxInit(init)->Parent = ParentDevice;
    FxInit(init)->NotPageable = parent->Init.NotPageable;
    return init;
}

/* What the child is called on its bus: "BUS\device". */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfPdoInitAssignDeviceID(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING DeviceID)
{
    return FxSay(DeviceInit, DeviceID, "DeviceID", NULL, "WdfPdoInitAssignDeviceID");
}

/* What tells it from others of the same device ID. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfPdoInitAssignInstanceID(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING InstanceID)
{
    return FxSay(DeviceInit, InstanceID, "InstanceID", NULL, "WdfPdoInitAssignInstanceID");
}

/* One more ID by which its driver is found. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfPdoInitAddHardwareID(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING HardwareID)
{
    return FxSay(DeviceInit, HardwareID, "HardwareID", "DevicePropertyHardwareID", "WdfPdoInitAddHardwareID");
}

/* One more ID by which a less fitting driver is found. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfPdoInitAddCompatibleID(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING CompatibleID)
{
    return FxSay(DeviceInit, CompatibleID, "CompatibleID", "DevicePropertyCompatibleIDs", "WdfPdoInitAddCompatibleID");
}

/* What people read about it; there is one language here. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfPdoInitAddDeviceText(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING DeviceDescription, PCUNICODE_STRING DeviceLocation,
                                 LCID LocaleId)
{
    NTSTATUS status = FxSay(DeviceInit, DeviceDescription, "DeviceDescription", "DevicePropertyDeviceDescription",
                            "WdfPdoInitAddDeviceText");
    if (!NT_SUCCESS(status)) return status;
    return FxSay(DeviceInit, DeviceLocation, "DeviceLocation", "DevicePropertyLocationInformation", "WdfPdoInitAddDeviceText");
}

/* The language of its texts when there is none in the wanted one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfPdoInitSetDefaultLocale(PWDFDEVICE_INIT DeviceInit, LCID LocaleId)
{
    FxIsChild(DeviceInit, "WdfPdoInitSetDefaultLocale");
}

/* The child works without a driver over it. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfPdoInitAssignRawDevice(PWDFDEVICE_INIT DeviceInit, const GUID *DeviceClassGuid)
{
    wsklab_given(DeviceClassGuid, "DeviceClassGuid");
    if (!FxIsChild(DeviceInit, "WdfPdoInitAssignRawDevice")) return STATUS_INVALID_DEVICE_REQUEST;
    FxInit(DeviceInit)->Raw = TRUE;
    return STATUS_SUCCESS;
}

/* Its requests may go to queues of the parent, which is why they need the parent's stack locations too. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfPdoInitAllowForwardingRequestToParent(PWDFDEVICE_INIT DeviceInit)
{
    if (FxIsChild(DeviceInit, "WdfPdoInitAllowForwardingRequestToParent")) FxInit(DeviceInit)->Forwards = TRUE;
}

/* The device that found a child. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFDEVICE WdfPdoGetParent(WDFDEVICE Device)
{
    PFX_DEVICE device = FxDevice(Device);
    if (device->Init.Parent == NULL) wsklab_wdf_break("kmdf-not-a-child", Device, "function=WdfPdoGetParent");
    return device->Init.Parent;
}

/* A child of a started bus needs no driver: it starts at once. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_child_arrives(WDFDEVICE Child)
{
    wsklab_device_up(Child, WdfPowerDeviceD3Final);
}

/* Tell the system of a child. It is started when the bus is and, unless it is raw, a driver for it is loaded. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfFdoAddStaticChild(WDFDEVICE Fdo, WDFDEVICE Child)
{
    PFX_DEVICE fdo = FxDevice(Fdo);
    PFX_DEVICE child = FxDevice(Child);
    if (child->Init.Parent != Fdo || child->Reported) return STATUS_INVALID_PARAMETER;
    child->Reported = TRUE;
    InsertTailList(&fdo->Children, &child->Sibling);
    if (fdo->InD0 && child->Init.Raw) wsklab_wdf_thread(wsklab_child_arrives, Child);
    return STATUS_SUCCESS;
}

/* The children of a bus device may be looked at, one after the other. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfFdoLockStaticChildListForIteration(WDFDEVICE Fdo)
{
    FxDevice(Fdo);
}

/* The first child, or the one behind another; NULL at the end. */
_IRQL_requires_max_(PASSIVE_LEVEL)
WDFDEVICE WdfFdoRetrieveNextStaticChild(WDFDEVICE Fdo, WDFDEVICE PreviousChild, ULONG Flags)
{
    PFX_DEVICE fdo = FxDevice(Fdo);
    PLIST_ENTRY next = PreviousChild != NULL ? FxDevice(PreviousChild)->Sibling.Flink : fdo->Children.Flink;
    return next != &fdo->Children ? CONTAINING_RECORD(next, FX_DEVICE, Sibling)->Handle : NULL;
}

/* No more of that. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfFdoUnlockStaticChildListFromIteration(WDFDEVICE Fdo)
{
    FxDevice(Fdo);
}

/* Put a request into a queue of the parent device. Page: WdfRequestForwardToParentDeviceIoQueue. Facts: RULE-30, KMDF-CON-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestForwardToParentDeviceIoQueue(WDFREQUEST Request, WDFQUEUE ParentDeviceQueue,
                                                PWDF_REQUEST_FORWARD_OPTIONS ForwardOptions)
{
    PFX_QUEUE destination = FxQueue(ParentDeviceQueue);
    PFX_REQUEST request = FxRequest(Request);
    PFX_QUEUE before;
    NTSTATUS status;
    wsklab_given(ForwardOptions, "ForwardOptions");
    if (ForwardOptions->Size != sizeof(WDF_REQUEST_FORWARD_OPTIONS)) return STATUS_INFO_LENGTH_MISMATCH;
    if (ForwardOptions->Flags & ~WDF_REQUEST_FORWARD_OPTION_SEND_AND_FORGET) return STATUS_INVALID_PARAMETER;
    if (request->Queue != NULL &&
        (request->Reserved || !FxMayForward(FxDevice(FxQueue(request->Queue)->Device), destination))) {
        wsklab_wdf_break("kmdf-wrong-queue", Request, "function=WdfRequestForwardToParentDeviceIoQueue");
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    status = FxCheckNotCancelable(Request, "WdfRequestForwardToParentDeviceIoQueue");
    if (!NT_SUCCESS(status)) return status;
    before = FxQueue(request->Queue);
    if (!(destination->State & WdfIoQueueAcceptRequests)) return STATUS_WDF_BUSY;
    IoCopyCurrentIrpStackLocationToNext(request->Irp);
    wsklab_device_adopts(destination->Device, request->Irp, Request);
    request->Device = destination->Device;
    FxUnlist(before, request);
    FxInsert(destination, request, FALSE);
    wsklab_queue_dispatch(ParentDeviceQueue);
    wsklab_queue_dispatch(before->Handle);
    return STATUS_SUCCESS;
}
