/*
 * wdfiotarget.c: framework functions of I/O targets, written in C.
 *
 * Follows the wdfiotarget.h pages and fact sheet 2.26 to 2.28. The five functions that send and wait are made of what any driver
 * could call: a request, memory objects over the descriptors, a format, a synchronous send.
 */

/* A remote target, not yet open; its parent stands under the device. Facts: KMDF-IOT-01, KMDF-OBJ-05, KMDF-STA-02. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfIoTargetCreate(WDFDEVICE Device, PWDF_OBJECT_ATTRIBUTES IoTargetAttributes, WDFIOTARGET *IoTarget)
{
    WDFOBJECT above = NULL;
    NTSTATUS status;
    FxDevice(Device);
    wsklab_given(IoTarget, "IoTarget");
    *IoTarget = NULL;
    status = wsklab_wdf_check(IoTargetAttributes, FX_TAKES_PARENT);
    if (!NT_SUCCESS(status)) return status;
    if (IoTargetAttributes != NULL) above = IoTargetAttributes->ParentObject;
    while (above != NULL && above != Device) {
        above = (WDFOBJECT)wsklab_ask(above, "Object.parent");
        if (above == NULL) return STATUS_INVALID_DEVICE_REQUEST;
    }
    return wsklab_wdf_create(FX_TYPE_TARGET_REMOTE, FX_TAKES_PARENT, IoTargetAttributes, Device, IoTarget);
}

/* Put a device behind a remote target. Facts: KMDF-IOT-02 to 07, KMDF-STA-09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetOpen(WDFIOTARGET IoTarget, PWDF_IO_TARGET_OPEN_PARAMS OpenParams)
{
    BOOLEAN watches;
    wsklab_ask(IoTarget, "RemoteTarget.handle");
    wsklab_given(OpenParams, "OpenParams");
    if (FxTooHigh(IoTarget, "WdfIoTargetOpen")) return STATUS_INVALID_DEVICE_REQUEST;
    if (OpenParams->Size != sizeof(WDF_IO_TARGET_OPEN_PARAMS)) return STATUS_INFO_LENGTH_MISMATCH;
    watches = OpenParams->EvtIoTargetQueryRemove || OpenParams->EvtIoTargetRemoveCanceled ||
        OpenParams->EvtIoTargetRemoveComplete;
    switch (OpenParams->Type) {
    case WdfIoTargetOpenUseExistingDevice:
        if (!OpenParams->TargetDeviceObject || (watches && !OpenParams->TargetFileObject)) return STATUS_INVALID_PARAMETER;
        break;
    case WdfIoTargetOpenByName:
        if (!OpenParams->TargetDeviceName.Length || !OpenParams->TargetDeviceName.Buffer) return STATUS_INVALID_PARAMETER;
        break;
    case WdfIoTargetOpenReopen:
        if (!wsklab_ask(IoTarget, "RemoteTarget.name")) return STATUS_INVALID_DEVICE_REQUEST;
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    return (NTSTATUS)wsklab_ask_waits(IoTarget, "RemoteTarget.open", OpenParams);
}

/* Close a remote target: cancel what is out, wait for it, let the device go. Facts: KMDF-IOT-08 to 10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoTargetClose(WDFIOTARGET IoTarget)
{
    wsklab_ask(IoTarget, "RemoteTarget.handle");
    if (!FxTooHigh(IoTarget, "WdfIoTargetClose")) wsklab_ask_waits(IoTarget, "RemoteTarget.close", WdfIoTargetClosed);
}

/* Close a remote target because its device may go; what happens to the device is still told. Facts: KMDF-IOT-12, KMDF-STA-07. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoTargetCloseForQueryRemove(WDFIOTARGET IoTarget)
{
    wsklab_ask(IoTarget, "RemoteTarget.handle");
    if (!FxTooHigh(IoTarget, "WdfIoTargetCloseForQueryRemove"))
        wsklab_ask_waits(IoTarget, "RemoteTarget.close", WdfIoTargetClosedForQueryRemove);
}

/* Send again; what was pended goes down at once. Facts: KMDF-STA-05, 06, KMDF-TSS-01, KMDF-PND-04, 05. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetStart(WDFIOTARGET IoTarget)
{
    WDFUSBPIPE pipe;
    NTSTATUS status;
    ULONG i;
    if (wsklab_ask(IoTarget, "IoTarget.draining")) {
        if (KeGetCurrentIrql() > PASSIVE_LEVEL) wsklab_wdf_break("kmdf-start-while-stopping", IoTarget, "");
        wsklab_ask_waits(IoTarget, "IoTarget.settled");
    }
    status = (NTSTATUS)wsklab_ask(IoTarget, "IoTarget.start");
    if (NT_SUCCESS(status)) status = FxReadAgain(IoTarget);
    for (i = 0; NT_SUCCESS(status) && (pipe = FxPipeAt(IoTarget, i)) != NULL; i++) WdfIoTargetStart((WDFIOTARGET)pipe);
    return status;
}

/* Hold back further requests; the action says what becomes of those out. Facts: KMDF-STA-03, KMDF-TSS-02, 03, KMDF-PND-07. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoTargetStop(WDFIOTARGET IoTarget, WDF_IO_TARGET_SENT_IO_ACTION Action)
{
    ULONG pended = (ULONG)wsklab_ask(IoTarget, "IoTarget.pended");
    WDFUSBPIPE pipe;
    BOOLEAN waits;
    ULONG i;
    if (FxReaderOf(IoTarget) != NULL) Action = WdfIoTargetCancelSentIo; /* whatever is asked */
    waits = Action != WdfIoTargetLeaveSentIoPending;
    if (Action < WdfIoTargetCancelSentIo || Action > WdfIoTargetLeaveSentIoPending) return;
    if (waits && FxTooHigh(IoTarget, "WdfIoTargetStop")) return;
    if (waits && pended) wsklab_wdf_strict("kmdf-stop-leaves-pended", IoTarget, "count=%d", pended);
    FxReadNoMore(IoTarget);
    wsklab_ask(IoTarget, "IoTarget.become", WdfIoTargetStopped);
    if (Action == WdfIoTargetCancelSentIo) wsklab_ask(IoTarget, "IoTarget.cancel_all");
    if (waits) wsklab_ask_waits(IoTarget, "IoTarget.drained");
    for (i = 0; (pipe = FxPipeAt(IoTarget, i)) != NULL; i++) WdfIoTargetStop((WDFIOTARGET)pipe, Action);
}

/* Refuse further requests, fail the pended ones, cancel those out. Facts: KMDF-STA-04, KMDF-TSS-04 to 06, 08, KMDF-PND-09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoTargetPurge(WDFIOTARGET IoTarget, WDF_IO_TARGET_PURGE_IO_ACTION Action)
{
    WDFUSBPIPE pipe;
    BOOLEAN waits;
    ULONG i;
    wsklab_ask(IoTarget, "IoTarget.handle");
    if (FxReaderOf(IoTarget) != NULL) Action = WdfIoTargetPurgeIoAndWait; /* whatever is asked */
    waits = Action == WdfIoTargetPurgeIoAndWait;
    if (!waits && Action != WdfIoTargetPurgeIo) return;
    if (waits && FxTooHigh(IoTarget, "WdfIoTargetPurge")) return;
    if (waits && wsklab_ask(IoTarget, "IoTarget.draining")) wsklab_wdf_break("kmdf-second-purge", IoTarget, "");
    FxReadNoMore(IoTarget);
    wsklab_ask(IoTarget, "IoTarget.become", WdfIoTargetPurged);
    wsklab_ask(IoTarget, "IoTarget.fail_pended");
    wsklab_ask(IoTarget, "IoTarget.cancel_all");
    if (waits) wsklab_ask_waits(IoTarget, "IoTarget.drained");
    for (i = 0; (pipe = FxPipeAt(IoTarget, i)) != NULL; i++) WdfIoTargetPurge((WDFIOTARGET)pipe, Action);
}

/* The state; Started before the first open. Facts: KMDF-STA-02. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDF_IO_TARGET_STATE WdfIoTargetGetState(WDFIOTARGET IoTarget)
{
    return (WDF_IO_TARGET_STATE)wsklab_ask(IoTarget, "IoTarget.target_state");
}

/* The device that a target belongs to. Facts: KMDF-IOT-17. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFDEVICE WdfIoTargetGetDevice(WDFIOTARGET IoTarget)
{
    return (WDFDEVICE)wsklab_ask(IoTarget, "IoTarget.device");
}

/* The device object behind a target, NULL once closed. Facts: KMDF-IOT-17. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT WdfIoTargetWdmGetTargetDeviceObject(WDFIOTARGET IoTarget)
{
    return (PDEVICE_OBJECT)wsklab_ask(IoTarget, "IoTarget.target_device");
}

/* The device at the bottom of the target's stack, NULL once closed. Facts: KMDF-IOT-17. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT WdfIoTargetWdmGetTargetPhysicalDevice(WDFIOTARGET IoTarget)
{
    return (PDEVICE_OBJECT)wsklab_ask(IoTarget, "IoTarget.physical_device");
}

/* The file object that a remote target was opened with, NULL for none. Facts: KMDF-IOT-17. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PFILE_OBJECT WdfIoTargetWdmGetTargetFileObject(WDFIOTARGET IoTarget)
{
    return (PFILE_OBJECT)wsklab_ask(IoTarget, "IoTarget.file_object");
}

/* The handle of a target that was opened by name, NULL otherwise. Facts: KMDF-IOT-17. */
_IRQL_requires_max_(DISPATCH_LEVEL)
HANDLE WdfIoTargetWdmGetTargetFileHandle(WDFIOTARGET IoTarget)
{
    return (HANDLE)wsklab_ask(IoTarget, "IoTarget.file_handle");
}

/* What the bus says of the device at the bottom of the target's stack. Page: WdfIoTargetQueryTargetProperty. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetQueryTargetProperty(WDFIOTARGET IoTarget, DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                                        PVOID PropertyBuffer, PULONG ResultLength)
{
    PDEVICE_OBJECT physical = (PDEVICE_OBJECT)wsklab_ask(IoTarget, "IoTarget.physical_device");
    wsklab_given(ResultLength, "ResultLength");
    if (BufferLength > 0) wsklab_given(PropertyBuffer, "PropertyBuffer");
    if (FxTooHigh(IoTarget, "WdfIoTargetQueryTargetProperty")) return STATUS_INVALID_DEVICE_REQUEST;
    if (physical == NULL) return STATUS_INVALID_DEVICE_REQUEST;
    return IoGetDeviceProperty(physical, DeviceProperty, BufferLength, PropertyBuffer, ResultLength);
}

/* The same in a memory object of its size. Page: WdfIoTargetAllocAndQueryTargetProperty. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetAllocAndQueryTargetProperty(WDFIOTARGET IoTarget, DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                                POOL_TYPE PoolType, PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes,
                                                WDFMEMORY *PropertyMemory)
{
    PDEVICE_OBJECT physical = (PDEVICE_OBJECT)wsklab_ask(IoTarget, "IoTarget.physical_device");
    ULONG length;
    PVOID buffer;
    NTSTATUS status;
    wsklab_given(PropertyMemory, "PropertyMemory");
    *PropertyMemory = NULL;
    if (FxTooHigh(IoTarget, "WdfIoTargetAllocAndQueryTargetProperty")) return STATUS_INVALID_DEVICE_REQUEST;
    status = wsklab_wdf_check(PropertyMemoryAttributes, FX_TAKES_PARENT);
    if (!NT_SUCCESS(status)) return status;
    if (physical == NULL) return STATUS_INVALID_DEVICE_REQUEST;
    status = IoGetDeviceProperty(physical, DeviceProperty, 0, NULL, &length);
    if (status != STATUS_BUFFER_TOO_SMALL) return status;
    status = WdfMemoryCreate(PropertyMemoryAttributes, PoolType, 0, length, PropertyMemory, &buffer);
    return NT_SUCCESS(status) ? IoGetDeviceProperty(physical, DeviceProperty, length, buffer, &length) : status;
}

/*
 * Ask the drivers of the target's stack, from its top on, for an interface: IRP_MN_QUERY_INTERFACE, which comes back with
 * STATUS_NOT_SUPPORTED when nobody has it. Page: WdfIoTargetQueryForInterface. Facts: IRP-06.
 */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget, LPCGUID InterfaceType, PINTERFACE Interface, USHORT Size,
                                      USHORT Version, PVOID InterfaceSpecificData)
{
    PDEVICE_OBJECT device = (PDEVICE_OBJECT)wsklab_ask(IoTarget, "IoTarget.target_device");
    PIO_STACK_LOCATION next;
    IO_STATUS_BLOCK answer;
    KEVENT event;
    PIRP irp;
    wsklab_given(InterfaceType, "InterfaceType");
    wsklab_given(Interface, "Interface");
    if (FxTooHigh(IoTarget, "WdfIoTargetQueryForInterface")) return STATUS_INVALID_DEVICE_REQUEST;
    if (device == NULL) return STATUS_INVALID_DEVICE_REQUEST;
    device = IoGetAttachedDevice(device);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, device, NULL, 0, NULL, &event, &answer);
    if (irp == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    next = IoGetNextIrpStackLocation(irp);
    next->MinorFunction = IRP_MN_QUERY_INTERFACE;
    next->Parameters.QueryInterface.InterfaceType = InterfaceType;
    next->Parameters.QueryInterface.Size = Size;
    next->Parameters.QueryInterface.Version = Version;
    next->Parameters.QueryInterface.Interface = Interface;
    next->Parameters.QueryInterface.InterfaceSpecificData = InterfaceSpecificData;
    if (IoCallDriver(device, irp) == STATUS_PENDING) KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    return answer.Status;
}

/* What one call of the functions below is about. */
typedef struct _WSKLAB_SEND {
    WDFIOTARGET Target;
    WDF_REQUEST_TYPE Type;
    ULONG Code;
    PLONGLONG DeviceOffset;
    PWDF_MEMORY_DESCRIPTOR Descriptors[3];
    WDFMEMORY Memories[3];
    PWDFMEMORY_OFFSET Offsets[3];
    WDFMEMORY Made[3];
    struct { /* of a USB target */
        PWDF_USB_CONTROL_SETUP_PACKET Setup;
        USHORT Function; /* of a URB that is about a pipe and transfers nothing */
        ULONG Flags;
        PURB Urb;
        ULONG Transferred;
    } Usb;
} WSKLAB_SEND;

static NTSTATUS FxUsbFormat(WSKLAB_SEND *Send, WDFREQUEST Request);
static ULONG FxUsbTransferred(WDFREQUEST Request);

/* Send options as WdfRequestSend checks them, with the status that these functions return. Facts: KMDF-SSY-03, KMDF-OPT-03,
   04. */
static NTSTATUS wsklab_sync_options(PWDF_REQUEST_SEND_OPTIONS Options)
{
    const ULONG known = WDF_REQUEST_SEND_OPTION_TIMEOUT | WDF_REQUEST_SEND_OPTION_SYNCHRONOUS |
                        WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE | WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET;
    if (!Options) return STATUS_SUCCESS;
    if (Options->Size != sizeof(WDF_REQUEST_SEND_OPTIONS)) return STATUS_INFO_LENGTH_MISMATCH;
    if (Options->Flags & ~known) return STATUS_INVALID_PARAMETER;
    if ((Options->Flags & WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET) && Options->Flags != WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* How much a descriptor without a memory speaks of: a control transfer may have no data. */
static ULONG FxDescribed(PWDF_MEMORY_DESCRIPTOR Descriptor)
{
    switch (Descriptor->Type) {
    case WdfMemoryDescriptorTypeHandle: return 0;
    case WdfMemoryDescriptorTypeBuffer: return Descriptor->u.BufferType.Length;
    case WdfMemoryDescriptorTypeMdl: return Descriptor->u.MdlType.BufferLength;
    default: return 1;
    }
}

/* Memory objects for what the descriptors name. Facts: KMDF-SSY-04, 14, KMDF-MEM-11. */
static NTSTATUS wsklab_sync_describe(WSKLAB_SEND *Send)
{
    int i;
    for (i = 0; i < 3; i++) {
        PWDF_MEMORY_DESCRIPTOR given = Send->Descriptors[i];
        if (!given) continue;
        switch (given->Type) {
        case WdfMemoryDescriptorTypeHandle:
            Send->Memories[i] = given->u.HandleType.Memory;
            Send->Offsets[i] = given->u.HandleType.Offsets;
            break;
        case WdfMemoryDescriptorTypeBuffer:
            if (given->u.BufferType.Buffer)
                Send->Made[i] = (WDFMEMORY)wsklab_ask(Send->Target, "IoTarget.memory_over", given->u.BufferType.Buffer,
                                                      given->u.BufferType.Length, NULL);
            break;
        case WdfMemoryDescriptorTypeMdl:
            if (given->u.MdlType.Mdl)
                Send->Made[i] = (WDFMEMORY)wsklab_ask(Send->Target, "IoTarget.memory_over",
                                                      MmGetSystemAddressForMdlSafe(given->u.MdlType.Mdl, NormalPagePriority),
                                                      given->u.MdlType.BufferLength, given->u.MdlType.Mdl);
            break;
        default:
            break;
        }
        if (Send->Made[i]) Send->Memories[i] = Send->Made[i];
        if (!Send->Memories[i] && (!Send->Usb.Setup || FxDescribed(given))) return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS wsklab_sync_format(WSKLAB_SEND *Send, WDFREQUEST Request)
{
    WDFMEMORY *memories = Send->Memories;
    PWDFMEMORY_OFFSET *offsets = Send->Offsets;
    switch (Send->Type) {
    case WdfRequestTypeRead:
        return WdfIoTargetFormatRequestForRead(Send->Target, Request, memories[0], offsets[0], Send->DeviceOffset);
    case WdfRequestTypeWrite:
        return WdfIoTargetFormatRequestForWrite(Send->Target, Request, memories[0], offsets[0], Send->DeviceOffset);
    case WdfRequestTypeDeviceControl:
        return WdfIoTargetFormatRequestForIoctl(Send->Target, Request, Send->Code, memories[0], offsets[0], memories[1],
            offsets[1]);
    case WdfRequestTypeUsb:
        return FxUsbFormat(Send, Request);
    case WdfRequestTypeDeviceControlInternal:
        return WdfIoTargetFormatRequestForInternalIoctl(Send->Target, Request, Send->Code, memories[0], offsets[0], memories[1],
                                                        offsets[1]);
    default:
        return WdfIoTargetFormatRequestForInternalIoctlOthers(Send->Target, Request, Send->Code, memories[0], offsets[0],
                                                              memories[1], offsets[1], memories[2], offsets[2]);
    }
}

/* Whether a send of a kind may take a request: a received one stays what it is. Facts: RULE-66. */
static BOOLEAN FxIsOfKind(WDFREQUEST Request, WDF_REQUEST_TYPE Type)
{
    PIRP irp = wsklab_request_irp(Request);
    UCHAR major = Type == WdfRequestTypeOther ? IRP_MJ_INTERNAL_DEVICE_CONTROL : (UCHAR)Type;
    if (irp == NULL || Type == WdfRequestTypeUsb || wsklab_ask(Request, "Request.ownership") != 0) return TRUE;
    return IoGetCurrentIrpStackLocation(irp)->MajorFunction == major;
}

/* Send and wait: the order of the checks, and what is left afterwards. Facts: KMDF-SSY-01 to 12, KMDF-CRT-05. */
static NTSTATUS wsklab_sync_send(WSKLAB_SEND *Send, WDFREQUEST Given, PWDF_REQUEST_SEND_OPTIONS Options, PULONG_PTR Bytes,
                                     PCSTR Function)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDFREQUEST request = Given;
    NTSTATUS status;
    int i;

    wsklab_ask(Send->Target, "IoTarget.handle");
    if (Given) wsklab_ask(Given, "Request.unformat");
    if (FxTooHigh(Send->Target, Function)) return STATUS_INVALID_DEVICE_REQUEST;
    if (Given && !FxIsOfKind(Given, Send->Type))
        wsklab_wdf_strict("kmdf-wrong-kind-sent", Given, "function=%s", Function);
    status = wsklab_sync_options(Options);
    if (NT_SUCCESS(status)) status = wsklab_sync_describe(Send);
    if (NT_SUCCESS(status)) {
        if (!request) request = (WDFREQUEST)wsklab_ask(Send->Target, "IoTarget.own_request");
        status = wsklab_sync_format(Send, request);
        if (NT_SUCCESS(status)) {
            WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS);
            if (Options && Options->Flags != WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET) {
                options.Flags |= Options->Flags;
                options.Timeout = Options->Timeout;
            }
            if (Send->Usb.Function == URB_FUNCTION_RESET_PIPE) {
                wsklab_ask(Send->Target, "IoTarget.cancel_all");
                options.Flags |= WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE;
            }
            wsklab_ask(request, "Request.take_over");
            WdfRequestSend(request, Send->Target, &options);
            status = WdfRequestGetStatus(request);
            if (Bytes) *Bytes = WdfRequestGetInformation(request);
            if (Send->Type == WdfRequestTypeUsb) Send->Usb.Transferred = FxUsbTransferred(request);
        }
        wsklab_ask(request, "Request.unformat");
        if (!Given) WdfObjectDelete(request);
    }
    for (i = 0; i < 3; i++)
        if (Send->Made[i]) WdfObjectDelete(Send->Made[i]);
    return status;
}

/* Read from a target and wait. Facts: KMDF-SSY-01 to 14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetSendReadSynchronously(WDFIOTARGET IoTarget, WDFREQUEST Request, PWDF_MEMORY_DESCRIPTOR OutputBuffer,
                                          PLONGLONG DeviceOffset, PWDF_REQUEST_SEND_OPTIONS RequestOptions, PULONG_PTR BytesRead)
{
    WSKLAB_SEND send = {IoTarget, WdfRequestTypeRead, 0, DeviceOffset, {OutputBuffer}};
    return wsklab_sync_send(&send, Request, RequestOptions, BytesRead, "WdfIoTargetSendReadSynchronously");
}

/* Write to a target and wait. Facts: KMDF-SSY-01 to 14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetSendWriteSynchronously(WDFIOTARGET IoTarget, WDFREQUEST Request, PWDF_MEMORY_DESCRIPTOR InputBuffer,
                                           PLONGLONG DeviceOffset, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                           PULONG_PTR BytesWritten)
{
    WSKLAB_SEND send = {IoTarget, WdfRequestTypeWrite, 0, DeviceOffset, {InputBuffer}};
    return wsklab_sync_send(&send, Request, RequestOptions, BytesWritten, "WdfIoTargetSendWriteSynchronously");
}

/* Send a device control code and wait. Facts: KMDF-SSY-01 to 14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetSendIoctlSynchronously(WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode,
                                           PWDF_MEMORY_DESCRIPTOR InputBuffer, PWDF_MEMORY_DESCRIPTOR OutputBuffer,
                                           PWDF_REQUEST_SEND_OPTIONS RequestOptions, PULONG_PTR BytesReturned)
{
    WSKLAB_SEND send = {IoTarget, WdfRequestTypeDeviceControl, IoctlCode, NULL, {InputBuffer, OutputBuffer}};
    return wsklab_sync_send(&send, Request, RequestOptions, BytesReturned, "WdfIoTargetSendIoctlSynchronously");
}

/* Send an internal device control code and wait. Facts: KMDF-SSY-01 to 14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetSendInternalIoctlSynchronously(WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode,
                                                   PWDF_MEMORY_DESCRIPTOR InputBuffer, PWDF_MEMORY_DESCRIPTOR OutputBuffer,
                                                   PWDF_REQUEST_SEND_OPTIONS RequestOptions, PULONG_PTR BytesReturned)
{
    WSKLAB_SEND send = {IoTarget, WdfRequestTypeDeviceControlInternal, IoctlCode, NULL, {InputBuffer, OutputBuffer}};
    return wsklab_sync_send(&send, Request, RequestOptions, BytesReturned, "WdfIoTargetSendInternalIoctlSynchronously");
}

/* Send an internal device control code with three pointers and wait. Facts: KMDF-SSY-01 to 14, KMDF-FOT-01, 02. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetSendInternalIoctlOthersSynchronously(WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode,
                                                         PWDF_MEMORY_DESCRIPTOR OtherArg1, PWDF_MEMORY_DESCRIPTOR OtherArg2,
                                                         PWDF_MEMORY_DESCRIPTOR OtherArg4,
                                                         PWDF_REQUEST_SEND_OPTIONS RequestOptions, PULONG_PTR BytesReturned)
{
    WSKLAB_SEND send = {IoTarget, WdfRequestTypeOther, IoctlCode, NULL, {OtherArg1, OtherArg2, OtherArg4}};
    return wsklab_sync_send(&send, Request, RequestOptions, BytesReturned,
                                "WdfIoTargetSendInternalIoctlOthersSynchronously");
}
