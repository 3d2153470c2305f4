/*
 * wdfdispatch.c: an IRP has come for a device: who sees it first, and which queue gets it.
 *
 * In this order: a callback that preprocesses IRPs of its major and minor function, then for reads, writes and controls a callback
 * that chooses a queue, then EvtIoInCallerContext, then the queue. While one of the driver's callbacks has the IRP itself it is the
 * driver's (wsklab_irp_lend), and three functions give it back. Facts: KMDF-QUE-05, 07, KMDF-BUF-13, KMDF-TGT-06, RULE-85.
 * Pages: preprocessing-and-postprocessing-irps.md, dispatching-irps-to-i-o-queues.md.
 */

static BOOLEAN FxIsTransfer(UCHAR MajorFunction)
{
    return MajorFunction == IRP_MJ_READ || MajorFunction == IRP_MJ_WRITE || MajorFunction == IRP_MJ_DEVICE_CONTROL ||
           MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
}

static PFX_DYNAMIC_DISPATCH FxDynamic(PFX_DEVICE Device, UCHAR MajorFunction)
{
    return &Device->Dispatch[MajorFunction < IRP_MJ_DEVICE_CONTROL ? MajorFunction - IRP_MJ_READ
                                                                    : MajorFunction - IRP_MJ_DEVICE_CONTROL + 2];
}

/* The queue for requests of a type, NULL when a filter's has nothing to do with them. Facts: KMDF-QUE-05. */
static WDFQUEUE FxQueueFor(PFX_DEVICE Device, UCHAR MajorFunction)
{
    WDFQUEUE queue = Device->Queues[MajorFunction];
    if (queue != NULL) return queue;
    queue = Device->DefaultQueue;
    return queue != NULL && Device->Init.Filter && !FxHandles(FxQueue(queue), MajorFunction) ? NULL : queue;
}

/* Put a request into its queue; one that no queue wants goes down (filters) or fails. Facts: KMDF-QUE-05, 07. */
static NTSTATUS FxEnqueue(PFX_DEVICE Device, WDFREQUEST Request, NTSTATUS Refused)
{
    PFX_REQUEST request = FxRequest(Request);
    WDFQUEUE queue = request->Chosen != NULL ? request->Chosen : FxQueueFor(Device, FxLocation(request)->MajorFunction);
    if (queue == NULL && Device->Init.Filter) {
        wsklab_request_down(Request);
        return STATUS_SUCCESS;
    }
    if (queue == NULL) return STATUS_INVALID_DEVICE_REQUEST;
    if (!(FxQueue(queue)->State & WdfIoQueueAcceptRequests)) {
        if (Refused != STATUS_WDF_BUSY) wsklab_request_finish(Request, Refused);
        return Refused;
    }
    FxInsert(FxQueue(queue), request, FALSE);
    wsklab_queue_dispatch(queue);
    return STATUS_SUCCESS;
}

/* Make a request for an IRP; the callback in its sender's context looks at it first, then its queue. Facts: KMDF-BUF-13. */
static NTSTATUS FxReceive(WDFDEVICE Device, PIRP Irp, WDFQUEUE Chosen, PFN_WDF_IO_IN_CALLER_CONTEXT InCallerContext)
{
    PFX_DEVICE device = FxDevice(Device);
    WDFQUEUE queue = Chosen != NULL ? Chosen : FxQueueFor(device, IoGetCurrentIrpStackLocation(Irp)->MajorFunction);
    PFX_REQUEST request = NULL;
    if (queue != NULL && FxQueue(queue)->Progress != NULL) {
        NTSTATUS status = FxProgress(FxQueue(queue), Irp, &request);
        if (!NT_SUCCESS(status)) wsklab_device_answer(Device, Irp, status);
        if (request == NULL) return STATUS_PENDING;
    } else {
        request = FxRequest(wsklab_request_new(Device, Irp));
    }
    request->Chosen = Chosen;
    if (InCallerContext == NULL || request->Reserved) {
        FxEnqueue(device, request->Handle, STATUS_INVALID_DEVICE_STATE);
        return STATUS_PENDING;
    }
    request->InCallerContext = request->DriverOwned = TRUE;
    wsklab_wdf_call(NULL, (PVOID)InCallerContext, Device, request->Handle);
    return STATUS_PENDING;
}

/* A read, write or control for the device's own queues. */
static NTSTATUS FxDispatchTransfer(WDFDEVICE Device, PFX_DEVICE device, PIRP Irp, UCHAR MajorFunction)
{
    if (device->Init.EvtIoInCallerContext == NULL && FxQueueFor(device, MajorFunction) == NULL)
        return device->Init.Filter ? wsklab_device_down(Device, Irp)
                                   : wsklab_device_answer(Device, Irp, STATUS_INVALID_DEVICE_REQUEST);
    return FxReceive(Device, Irp, NULL, device->Init.EvtIoInCallerContext);
}

/* Create, cleanup and close go on down when the driver asked for it, by default from a filter. Page: framework-file-objects.md. */
static NTSTATUS FxDispatchFile(WDFDEVICE Device, PFX_DEVICE device, PIRP Irp, PIO_STACK_LOCATION Here)
{
    ULONG forwards = device->Init.Files.Size != 0 ? device->Init.Files.AutoForwardCleanupClose : WdfUseDefault;
    UCHAR major = Here->MajorFunction;
    PFILE_OBJECT file = Here->FileObject;
    PLIST_ENTRY entry;
    NTSTATUS status = wsklab_device_file(Device, Irp);
    for (entry = device->AllQueues.Flink; major == IRP_MJ_CLEANUP && file != NULL && entry != &device->AllQueues;
         entry = entry->Flink)
        wsklab_queue_flush(CONTAINING_RECORD(entry, FX_QUEUE, Sibling)->Handle, file);
    if (status == STATUS_PENDING) return status;
    if (status == STATUS_SUCCESS && (forwards == WdfTrue || (forwards == WdfUseDefault && device->Init.Filter)))
        return wsklab_device_down(Device, Irp);
    return wsklab_device_answer(Device, Irp, status);
}

/* Another driver asks for an interface: this device's own answers, and what is below may add to that or have it. */
static NTSTATUS FxDispatchQuery(WDFDEVICE Device, PFX_DEVICE device, PIRP Irp, PIO_STACK_LOCATION Here)
{
    NTSTATUS status = Irp->IoStatus.Status;
    PINTERFACE asked = Here->Parameters.QueryInterface.Interface;
    PLIST_ENTRY entry;
    for (entry = device->Interfaces.Flink; entry != &device->Interfaces; entry = entry->Flink) {
        PFX_QUERY_INTERFACE own = CONTAINING_RECORD(entry, FX_QUERY_INTERFACE, Entry);
        if (!IsEqualGUID(&own->Type, Here->Parameters.QueryInterface.InterfaceType)) continue;
        if (own->Config.Interface != NULL && (own->Interface.Size > Here->Parameters.QueryInterface.Size ||
                                              own->Interface.Version > Here->Parameters.QueryInterface.Version))
            return wsklab_device_answer(Device, Irp, STATUS_INVALID_BUFFER_SIZE);
        if (own->Config.Interface != NULL && !own->Config.ImportInterface)
            RtlCopyMemory(asked, &own->Interface, own->Interface.Size);
        status = STATUS_SUCCESS;
        if (own->Config.EvtDeviceProcessQueryInterfaceRequest != NULL)
            status = (NTSTATUS)wsklab_wdf_answer((PVOID)own->Config.EvtDeviceProcessQueryInterfaceRequest, Device, &own->Type, asked,
                                                 Here->Parameters.QueryInterface.InterfaceSpecificData);
        if (!NT_SUCCESS(status) && status != STATUS_NOT_SUPPORTED) return wsklab_device_answer(Device, Irp, status);
        if (asked->InterfaceReference != NULL) asked->InterfaceReference(asked->Context);
        break;
    }
    Irp->IoStatus.Status = status;
    return device->Init.Lower != NULL ? wsklab_device_down(Device, Irp) : wsklab_device_answer(Device, Irp, status);
}

/*
 * Whether the framework keeps an IRP until the device has changed its Plug and Play state. A function driver keeps a start only
 * after the device below has started: that one is not looked at.
 */
static BOOLEAN FxChangesPnpState(UCHAR MinorFunction)
{
    return MinorFunction == IRP_MN_QUERY_STOP_DEVICE || MinorFunction == IRP_MN_CANCEL_STOP_DEVICE ||
           MinorFunction == IRP_MN_STOP_DEVICE || MinorFunction == IRP_MN_QUERY_REMOVE_DEVICE ||
           MinorFunction == IRP_MN_CANCEL_REMOVE_DEVICE || MinorFunction == IRP_MN_SURPRISE_REMOVAL;
}

/* What the framework does with an IRP. */
static NTSTATUS FxProcess(WDFDEVICE Device, PFX_DEVICE device, PIRP Irp)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    UCHAR major = here->MajorFunction;
    if (FxIsTransfer(major)) {
        PFX_DYNAMIC_DISPATCH dynamic = FxDynamic(device, major);
        if (dynamic->Callback == NULL) return FxDispatchTransfer(Device, device, Irp, major);
        return wsklab_irp_lend(Device, Irp, dynamic->Callback, Device, major, here->MinorFunction,
                               here->Parameters.DeviceIoControl.IoControlCode, dynamic->Context, Irp, device);
    }
    if (major == IRP_MJ_CREATE || major == IRP_MJ_CLEANUP || major == IRP_MJ_CLOSE)
        return FxDispatchFile(Device, device, Irp, here);
    if (major == IRP_MJ_PNP && device->PnpPending && FxChangesPnpState(here->MinorFunction))
        wsklab_wdf_stop("kmdf-pnp-pending", Device, "irp=0x%016I64x;minor=0x%02x", Irp, here->MinorFunction);
    if (major == IRP_MJ_PNP && here->MinorFunction == IRP_MN_QUERY_INTERFACE) return FxDispatchQuery(Device, device, Irp, here);
    return device->Init.Filter ? wsklab_device_down(Device, Irp)
                               : wsklab_device_answer(Device, Irp, STATUS_INVALID_DEVICE_REQUEST);
}

/* What was sent to the device's self target: for its queues only. Facts: KMDF-TGT-06. */
static NTSTATUS FxDispatchToSelf(WDFDEVICE Device, PFX_DEVICE device, PIRP Irp, UCHAR MajorFunction)
{
    WDFQUEUE queue = device->SelfQueue != NULL ? device->SelfQueue : device->Queues[MajorFunction];
    if (queue == NULL) queue = device->DefaultQueue;
    if (queue == NULL) return wsklab_device_answer(Device, Irp, STATUS_INVALID_DEVICE_STATE);
    if (!FxIsTransfer(MajorFunction)) {
        wsklab_wdf_break("kmdf-self-target", device->SelfTarget, "major=%d", MajorFunction);
        return wsklab_device_answer(Device, Irp, STATUS_INVALID_PARAMETER);
    }
    return FxReceive(Device, Irp, queue, device->Init.EvtIoInCallerContext);
}

/* An IRP has come for a device. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS wsklab_device_dispatch(WDFDEVICE Device, PIRP Irp)
{
    PFX_DEVICE device = FxDevice(Device);
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    PFX_PREPROCESS first;
    if (device->FromSelf) {
        device->FromSelf = FALSE;
        return FxDispatchToSelf(Device, device, Irp, here->MajorFunction);
    }
    if (device->Init.Preprocess == NULL) return FxProcess(Device, device, Irp);
    first = &device->Init.Preprocess[here->MajorFunction];
    if (first->Callback != NULL &&
        (first->Count == 0 || first->Minors[here->MinorFunction / 8] & (1 << here->MinorFunction % 8)))
        return wsklab_irp_lend(Device, Irp, first->Callback, Device, Irp);
    return FxProcess(Device, device, Irp);
}

/* Let the driver see IRPs of a kind before the framework does. One more stack location is for its completion routine. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceInitAssignWdmIrpPreprocessCallback(PWDFDEVICE_INIT DeviceInit,
                                                     PFN_WDFDEVICE_WDM_IRP_PREPROCESS EvtDeviceWdmIrpPreprocess,
                                                     UCHAR MajorFunction, PUCHAR MinorFunctions, ULONG NumMinorFunctions)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    PFX_PREPROCESS entry;
    ULONG i;
    wsklab_given((PVOID)EvtDeviceWdmIrpPreprocess, "EvtDeviceWdmIrpPreprocess");
    if (NumMinorFunctions > 0) wsklab_given(MinorFunctions, "MinorFunctions");
    if (MajorFunction > IRP_MJ_MAXIMUM_FUNCTION) return STATUS_INVALID_PARAMETER;
    if (init->Preprocess == NULL)
        init->Preprocess = (PFX_PREPROCESS)wsklab_allocate((IRP_MJ_MAXIMUM_FUNCTION + 1) * sizeof(FX_PREPROCESS));
    if (init->Preprocess == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    entry = &init->Preprocess[MajorFunction];
    if (NumMinorFunctions > 0 && entry->Count > 0) return STATUS_INVALID_DEVICE_REQUEST;
    for (i = 0; i < NumMinorFunctions; i++) entry->Minors[MinorFunctions[i] / 8] |= 1 << MinorFunctions[i] % 8;
    entry->Count += NumMinorFunctions;
    entry->Callback = EvtDeviceWdmIrpPreprocess;
    return STATUS_SUCCESS;
}

/* What the three functions that give an IRP back begin with: the driver has the IRP, and set no completion routine in EvtDeviceWdmIrpDispatch. */
static void FxTakeBack(WDFDEVICE Device, PIRP Irp, BOOLEAN Preprocessed, PCSTR Function)
{
    wsklab_given(Irp, "Irp");
    if (!wsklab_irp_back(Device, Irp, Preprocessed))
        wsklab_wdf_stop("kmdf-irp-not-lent", Device, "function=%s;irp=0x%016I64x", Function, Irp);
    if (!Preprocessed && Irp->CurrentLocation > 1 && IoGetNextIrpStackLocation(Irp)->CompletionRoutine != NULL)
        wsklab_wdf_strict("kmdf-routine-from-dispatch", Device, "function=%s;irp=0x%016I64x", Function, Irp);
}

/* Give an IRP back that the driver has preprocessed; it set up the next stack location, or skipped its own. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceWdmDispatchPreprocessedIrp(WDFDEVICE Device, PIRP Irp)
{
    PFX_DEVICE device = FxDevice(Device);
    FxTakeBack(Device, Irp, TRUE, "WdfDeviceWdmDispatchPreprocessedIrp");
    return FxProcess(Device, device, Irp);
}

/* A callback that chooses the queue for each IRP of a kind. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceConfigureWdmIrpDispatchCallback(WDFDEVICE Device, WDFDRIVER Driver, UCHAR MajorFunction,
                                                  PFN_WDFDEVICE_WDM_IRP_DISPATCH EvtDeviceWdmIrpDispatch,
                                                  WDFCONTEXT DriverContext)
{
    PFX_DEVICE device = FxDevice(Device);
    PFX_DYNAMIC_DISPATCH dynamic;
    if (!FxIsTransfer(MajorFunction)) return STATUS_INVALID_PARAMETER;
    if (Driver != NULL) wsklab_wdf(Driver, FX_TYPE_DRIVER);
    wsklab_given((PVOID)EvtDeviceWdmIrpDispatch, "EvtDeviceWdmIrpDispatch");
    if (device->Started) return STATUS_INVALID_DEVICE_STATE;
    dynamic = FxDynamic(device, MajorFunction);
    if (dynamic->Callback != NULL) return STATUS_INVALID_PARAMETER;
    dynamic->Callback = EvtDeviceWdmIrpDispatch;
    dynamic->Context = DriverContext;
    return STATUS_SUCCESS;
}

/* Give an IRP back from EvtDeviceWdmIrpDispatch: the framework chooses the queue after all. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceWdmDispatchIrp(WDFDEVICE Device, PIRP Irp, WDFCONTEXT DispatchContext)
{
    PFX_DEVICE device = FxDevice(Device);
    wsklab_given(DispatchContext, "DispatchContext");
    FxTakeBack(Device, Irp, FALSE, "WdfDeviceWdmDispatchIrp");
    return FxDispatchTransfer(Device, device, Irp, IoGetCurrentIrpStackLocation(Irp)->MajorFunction);
}

/* Whether an IRP or request of a device may go to a queue of its parent. */
static BOOLEAN FxMayForward(PFX_DEVICE Device, PFX_QUEUE Queue)
{
    return Device->Init.Parent != NULL && Queue->Device == Device->Init.Parent && Device->Init.Forwards;
}

/* Whether an IRP of a device may go to a queue: of this device, or of its parent that it may forward to. */
static BOOLEAN FxMayChoose(WDFDEVICE Device, UCHAR MajorFunction, PFX_QUEUE Queue, ULONG Flags)
{
    const ULONG known =
        WDF_DISPATCH_IRP_TO_IO_QUEUE_INVOKE_INCALLERCTX_CALLBACK | WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP;
    if (!(Flags & ~known) && FxIsTransfer(MajorFunction) && FxHandles(Queue, MajorFunction) &&
        (Queue->Device == Device || FxMayForward(FxDevice(Device), Queue)))
        return TRUE;
    wsklab_wdf_break("kmdf-irp-to-wrong-queue", Queue->Handle, "major=%d;flags=%d", MajorFunction, Flags);
    return FALSE;
}

/* Give an IRP back to one queue, from EvtDeviceWdmIrpDispatch or EvtDeviceWdmIrpPreprocess. Facts: RULE-85. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceWdmDispatchIrpToIoQueue(WDFDEVICE Device, PIRP Irp, WDFQUEUE Queue, ULONG Flags)
{
    PFX_DEVICE device = FxDevice(Device);
    PFX_QUEUE queue = FxQueue(Queue);
    FxTakeBack(Device, Irp, (Flags & WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP) != 0, "WdfDeviceWdmDispatchIrpToIoQueue");
    if (!FxMayChoose(Device, IoGetCurrentIrpStackLocation(Irp)->MajorFunction, queue, Flags))
        return wsklab_device_answer(Device, Irp, STATUS_INVALID_PARAMETER);
    if (queue->Device != Device) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        wsklab_device_adopts(queue->Device, Irp, NULL);
    }
    return FxReceive(queue->Device, Irp, Queue,
                     Flags & WDF_DISPATCH_IRP_TO_IO_QUEUE_INVOKE_INCALLERCTX_CALLBACK ? device->Init.EvtIoInCallerContext : NULL);
}

/* Put a request that EvtIoInCallerContext has prepared into its queue. Facts: KMDF-BUF-13. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceEnqueueRequest(WDFDEVICE Device, WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    PFX_DEVICE device = FxDevice(Device);
    NTSTATUS status;
    if (!request->InCallerContext && wsklab_wdf_break("kmdf-not-in-caller-context", Request, ""))
        return STATUS_INVALID_DEVICE_REQUEST;
    request->InCallerContext = request->DriverOwned = FALSE;
    status = FxEnqueue(device, Request, STATUS_WDF_BUSY);
    if (!NT_SUCCESS(status)) request->InCallerContext = request->DriverOwned = TRUE;
    return status;
}

/* A queue of its own for one type of request. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceConfigureRequestDispatching(WDFDEVICE Device, WDFQUEUE Queue, WDF_REQUEST_TYPE RequestType)
{
    PFX_DEVICE device = FxDevice(Device);
    PFX_QUEUE queue;
    if (RequestType != WdfRequestTypeCreate && !FxIsTransfer((UCHAR)RequestType)) return STATUS_INVALID_PARAMETER;
    queue = FxQueue(Queue);
    if (queue->Device != Device) return STATUS_INVALID_DEVICE_REQUEST;
    if (device->Started) return STATUS_INVALID_DEVICE_STATE;
    if (!FxHandles(queue, (UCHAR)RequestType) || (Queue == device->DefaultQueue && RequestType != WdfRequestTypeCreate)) {
        wsklab_wdf_break("kmdf-dispatching", Queue, "type=%d", RequestType);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (device->Queues[RequestType] != NULL) {
        wsklab_wdf_break("kmdf-dispatching", Queue, "type=%d", RequestType);
        return STATUS_WDF_BUSY;
    }
    device->Queues[RequestType] = Queue;
    wsklab_wdf_keep(Queue);
    return STATUS_SUCCESS;
}

/* The device wants to be a target of its own requests. Facts: KMDF-TGT-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfDeviceInitAllowSelfIoTarget(PWDFDEVICE_INIT DeviceInit)
{
    FxInit(DeviceInit)->AllowSelf = TRUE;
}

/* The target that leads to the device's own queues; NULL when it did not ask for one. Facts: KMDF-TGT-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFIOTARGET WdfDeviceGetSelfIoTarget(WDFDEVICE Device)
{
    return FxDevice(Device)->SelfTarget;
}

/* The queue for everything that the self target gets. Facts: KMDF-TGT-06. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfIoTargetSelfAssignDefaultIoQueue(WDFIOTARGET IoTarget, WDFQUEUE Queue)
{
    PFX_QUEUE queue;
    PFX_DEVICE device;
    wsklab_wdf(IoTarget, FX_TYPE_TARGET_SELF);
    queue = FxQueue(Queue);
    if (queue->Device != WdfIoTargetGetDevice(IoTarget)) return STATUS_INVALID_DEVICE_REQUEST;
    device = FxDevice(queue->Device);
    if (device->Started) return STATUS_INVALID_DEVICE_STATE;
    device->SelfQueue = Queue;
    return STATUS_SUCCESS;
}

/* What InterfaceReference and InterfaceDereference are when a driver gives none: they do nothing. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_interface_no_op(PVOID Context)
{
}

/* Offer an interface to the drivers above. Page: using-driver-defined-interfaces.md. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDeviceAddQueryInterface(WDFDEVICE Device, PWDF_QUERY_INTERFACE_CONFIG InterfaceConfig)
{
    PFX_DEVICE device = FxDevice(Device);
    PINTERFACE given;
    PFX_QUERY_INTERFACE own;
    wsklab_given(InterfaceConfig, "InterfaceConfig");
    wsklab_given(InterfaceConfig->InterfaceType, "InterfaceConfig->InterfaceType");
    if (FxTooHigh(Device, "WdfDeviceAddQueryInterface")) return STATUS_INVALID_DEVICE_REQUEST;
    if (!device->Pnp) return STATUS_INVALID_DEVICE_REQUEST;
    given = InterfaceConfig->Interface;
    if (InterfaceConfig->Size != sizeof(WDF_QUERY_INTERFACE_CONFIG)) return STATUS_INFO_LENGTH_MISMATCH;
    if (InterfaceConfig->SendQueryToParentStack) return STATUS_INVALID_PARAMETER;
    if (given == NULL && !InterfaceConfig->ImportInterface) return STATUS_INVALID_PARAMETER;
    if (InterfaceConfig->ImportInterface && InterfaceConfig->EvtDeviceProcessQueryInterfaceRequest == NULL)
        return STATUS_INVALID_PARAMETER;
    if (given != NULL && given->Size < sizeof(INTERFACE)) return STATUS_INVALID_PARAMETER;
    own = (PFX_QUERY_INTERFACE)wsklab_allocate(sizeof(FX_QUERY_INTERFACE) + (given != NULL ? given->Size : 0));
    if (own == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    own->Type = *InterfaceConfig->InterfaceType;
    own->Config = *InterfaceConfig;
    if (given != NULL) {
        RtlCopyMemory(&own->Interface, given, given->Size);
        if (own->Interface.InterfaceReference == NULL) own->Interface.InterfaceReference = wsklab_interface_no_op;
        if (own->Interface.InterfaceDereference == NULL) own->Interface.InterfaceDereference = wsklab_interface_no_op;
    }
    InsertTailList(&device->Interfaces, &own->Entry);
    return STATUS_SUCCESS;
}

/* Ask the stack below a function device for an interface. Page: WdfFdoQueryForInterface. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo, LPCGUID InterfaceType, PINTERFACE Interface, USHORT Size, USHORT Version,
                                 PVOID InterfaceSpecificData)
{
    WDFIOTARGET below = FxDevice(Fdo)->Target;
    if (below == NULL) return STATUS_INVALID_DEVICE_REQUEST;
    return WdfIoTargetQueryForInterface(below, InterfaceType, Interface, Size, Version, InterfaceSpecificData);
}

/* What a device holds besides its queues goes with it. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfdevice_destroyed(PFX_DEVICE Device)
{
    if (Device->Init.Name.Buffer != NULL) wsklab_free(Device->Init.Name.Buffer);
    if (Device->Init.Preprocess != NULL) wsklab_free(Device->Init.Preprocess);
    while (!IsListEmpty(&Device->Interfaces))
        wsklab_free(CONTAINING_RECORD(RemoveHeadList(&Device->Interfaces), FX_QUERY_INTERFACE, Entry));
}
