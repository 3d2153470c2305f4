/*
 * wdfio.c: I/O queues: what waits in them, what the driver has of them, and the callbacks of both.
 *
 * One loop does everything that a queue has to do (wsklab_queue_dispatch): whatever changes a queue calls it, and a call from
 * inside a callback leaves the work to the loop that made the callback (KMDF-QUE-10). A cancel routine stands in the IRP while a
 * request waits or is marked cancelable, so cancelling and completing exclude each other.
 * Facts: KMDF-QUE, KMDF-MCA, KMDF-MIS-49. Pages: managing-i-o-queues.md, request-handlers.md.
 */

static PFX_QUEUE FxQueue(WDFQUEUE Queue)
{
    return (PFX_QUEUE)wsklab_wdf(Queue, FX_TYPE_QUEUE);
}

static PFX_REQUEST FxRequest(WDFREQUEST Request)
{
    return (PFX_REQUEST)wsklab_wdf(Request, FX_TYPE_REQUEST);
}

static PIO_STACK_LOCATION FxLocation(PFX_REQUEST Request)
{
    return Request->Irp->Tail.Overlay.CurrentStackLocation;
}

/* The handler for a request's major function, NULL for none. */
static PVOID FxHandler(PFX_QUEUE Queue, UCHAR MajorFunction)
{
    PWDF_IO_QUEUE_CONFIG config = &Queue->Config;
    PVOID handler = NULL;
    switch (MajorFunction) {
    case IRP_MJ_READ: handler = (PVOID)config->EvtIoRead; break;
    case IRP_MJ_WRITE: handler = (PVOID)config->EvtIoWrite; break;
    case IRP_MJ_DEVICE_CONTROL: handler = (PVOID)config->EvtIoDeviceControl; break;
    case IRP_MJ_INTERNAL_DEVICE_CONTROL: handler = (PVOID)config->EvtIoInternalDeviceControl; break;
    }
    return handler;
}

static BOOLEAN FxHandles(PFX_QUEUE Queue, UCHAR MajorFunction)
{
    return Queue->Config.DispatchType == WdfIoQueueDispatchManual || Queue->Config.EvtIoDefault != NULL ||
           FxHandler(Queue, MajorFunction) != NULL;
}

static void FxUnlist(PFX_QUEUE Queue, PFX_REQUEST Request)
{
    if (Request->List == FX_UNLISTED) return;
    RemoveEntryList(&Request->Entry);
    if (Request->List == FX_WAITING) Queue->WaitingCount--;
    else Queue->OwnedCount--;
    Request->List = FX_UNLISTED;
}

/* The driver has a request from now on. */
static void FxOwn(PFX_QUEUE Queue, PFX_REQUEST Request)
{
    InsertTailList(&Queue->Owned, &Request->Entry);
    Queue->OwnedCount++;
    Request->List = FX_OWNED;
    Request->DriverOwned = TRUE;
    Request->Found = FALSE;
}

/* A request in a queue was cancelled: back to a driver that has seen it and wants to know, else completed. Facts: KMDF-QUE-20. */
static void FxCancelWaiting(PFX_QUEUE Queue, PFX_REQUEST Request)
{
    Request->Cancelled = TRUE;
    if (Queue->Config.EvtIoCanceledOnQueue != NULL && Request->Presented) {
        FxOwn(Queue, Request);
        Request->CallbackDue = TRUE;
        InsertTailList(&Queue->CanceledOnQueueDue, &Request->Second);
    } else {
        wsklab_request_finish(Request->Handle, STATUS_CANCELLED);
    }
}

/* The cancel routine of a request that waits in a queue. Facts: KMDF-QUE-20. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_cancel_waiting(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    PFX_QUEUE queue = FxQueue(request->Queue);
    FxUnlist(queue, request);
    FxCancelWaiting(queue, request);
    wsklab_queue_dispatch(queue->Handle);
}

/* The cancel routine of a request that the driver has marked cancelable. Facts: KMDF-MCA-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_cancel_owned(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    PFX_QUEUE queue = FxQueue(request->Queue);
    request->Cancelable = FALSE;
    request->Cancelled = request->CallbackDue = TRUE;
    InsertTailList(&queue->CancelDue, &request->Second);
    wsklab_queue_dispatch(request->Queue);
}

/* Put a request into a queue; one whose IRP was cancelled meanwhile does not stay there. */
static NTSTATUS FxInsert(PFX_QUEUE Queue, PFX_REQUEST Request, BOOLEAN Head)
{
    Request->Queue = Queue->Handle;
    Request->DriverOwned = FALSE;
    if ((Head && Queue->CancelsDispatched) || !wsklab_request_arm(Request->Handle, wsklab_queue_cancel_waiting)) {
        FxCancelWaiting(Queue, Request);
        return STATUS_CANCELLED;
    }
    if (Head) InsertHeadList(&Queue->Waiting, &Request->Entry);
    else InsertTailList(&Queue->Waiting, &Request->Entry);
    Request->List = FX_WAITING;
    Queue->WaitingCount++;
    if (Queue->WaitingCount == 1 || Queue->NextMakesReady) {
        Queue->BecameReady = TRUE;
        Queue->NextMakesReady = FALSE;
    }
    return STATUS_SUCCESS;
}

/* Take a request out of a queue and give it to the driver, unless it asks for no bytes: that is done. Facts: KMDF-QUE-06. */
static BOOLEAN FxTake(PFX_QUEUE Queue, PFX_REQUEST Request)
{
    UCHAR major = FxLocation(Request)->MajorFunction;
    wsklab_request_disarm(Request->Handle);
    FxUnlist(Queue, Request);
    if (!Queue->Config.AllowZeroLengthRequests && (major == IRP_MJ_READ || major == IRP_MJ_WRITE) &&
        FxLocation(Request)->Parameters.Read.Length == 0) {
        wsklab_request_finish(Request->Handle, STATUS_SUCCESS);
        return FALSE;
    }
    FxOwn(Queue, Request);
    return TRUE;
}

/* Call the handler for a request. Facts: KMDF-QUE-05, 11. */
static void FxPresent(PFX_QUEUE Queue, PFX_REQUEST Request)
{
    PIO_STACK_LOCATION here = FxLocation(Request);
    PVOID handler = FxHandler(Queue, here->MajorFunction);
    Request->Presented = TRUE;
    if (handler == NULL && Queue->Config.EvtIoDefault != NULL)
        wsklab_wdf_call(Queue->Lock, (PVOID)Queue->Config.EvtIoDefault, Queue->Handle, Request->Handle);
    else if (handler == NULL)
        wsklab_request_finish(Request->Handle, STATUS_INVALID_DEVICE_REQUEST);
    else if (here->MajorFunction == IRP_MJ_READ || here->MajorFunction == IRP_MJ_WRITE)
        wsklab_wdf_call(Queue->Lock, handler, Queue->Handle, Request->Handle, (size_t)here->Parameters.Read.Length);
    else
        wsklab_wdf_call(Queue->Lock, handler, Queue->Handle, Request->Handle,
                        (size_t)here->Parameters.DeviceIoControl.OutputBufferLength,
                        (size_t)here->Parameters.DeviceIoControl.InputBufferLength,
                        here->Parameters.DeviceIoControl.IoControlCode);
}

/* Call a state callback once. */
static BOOLEAN FxStateReached(PFX_QUEUE Queue, PFX_STATE_CALLBACK Callback)
{
    FX_STATE_CALLBACK call = *Callback;
    RtlZeroMemory(Callback, sizeof(FX_STATE_CALLBACK));
    Queue->CancelsDispatched = FALSE;
    wsklab_wdf_call(Queue->Lock, (PVOID)call.Routine, Queue->Handle, call.Context);
    return TRUE;
}

/* The next request of a list that a power change has to tell the driver of. */
static PFX_REQUEST FxNextToNotify(PFX_QUEUE Queue, BOOLEAN Notified)
{
    PLIST_ENTRY entry;
    for (entry = Queue->Owned.Flink; entry != &Queue->Owned; entry = entry->Flink) {
        PFX_REQUEST request = CONTAINING_RECORD(entry, FX_REQUEST, Entry);
        if (request->Notified == Notified) return request;
    }
    return NULL;
}

/* One step of leaving or entering the working state. Facts: KMDF-MCA-11 to 13. */
static BOOLEAN FxPowerStep(PFX_QUEUE Queue)
{
    PFX_REQUEST request = FxNextToNotify(Queue, Queue->Power == FX_POWER_RESUMING);
    PLIST_ENTRY entry;
    if (Queue->Power == FX_POWER_RESUMING) {
        if (request == NULL) {
            Queue->Power = FX_POWER_ON;
            KeSetEvent(&Queue->AtRest, 0, FALSE);
            return TRUE;
        }
        request->Notified = request->Acknowledged = FALSE;
        Queue->InPowerCallback = TRUE;
        if (Queue->Config.EvtIoResume != NULL && !request->Cancelled)
            wsklab_wdf_call(Queue->Lock, (PVOID)Queue->Config.EvtIoResume, Queue->Handle, request->Handle);
        Queue->InPowerCallback = FALSE;
        return TRUE;
    }
    if (request != NULL) {
        ULONG action = Queue->Power == FX_POWER_STOPPING ? WdfRequestStopActionSuspend : WdfRequestStopActionPurge;
        if (request->Cancelable) action |= WdfRequestStopRequestCancelable;
        request->Notified = TRUE;
        request->Acknowledged = FALSE;
        request->InIoStop = TRUE;
        Queue->InPowerCallback = TRUE;
        if (Queue->Config.EvtIoStop != NULL && !request->Cancelled)
            wsklab_wdf_call(Queue->Lock, (PVOID)Queue->Config.EvtIoStop, Queue->Handle, request->Handle, action);
        Queue->InPowerCallback = FALSE;
        return TRUE;
    }
    for (entry = Queue->Owned.Flink; entry != &Queue->Owned; entry = entry->Flink) {
        request = CONTAINING_RECORD(entry, FX_REQUEST, Entry);
        if (!request->Acknowledged) return FALSE;
        request->InIoStop = FALSE;
        if (request->GoesBack) {
            FxUnlist(Queue, request);
            request->GoesBack = request->Notified = request->Acknowledged = FALSE;
            FxInsert(Queue, request, TRUE);
            return TRUE;
        }
    }
    Queue->Power = FX_POWER_OFF;
    KeSetEvent(&Queue->AtRest, 0, FALSE);
    return TRUE;
}

/* One thing that the queue has to do now; FALSE when there is nothing. */
static BOOLEAN FxStep(PFX_QUEUE Queue)
{
    PFX_REQUEST request;
    if (!IsListEmpty(&Queue->CancelDue)) {
        request = CONTAINING_RECORD(RemoveHeadList(&Queue->CancelDue), FX_REQUEST, Second);
        request->CallbackDue = FALSE;
        wsklab_wdf_call(Queue->Lock, (PVOID)request->Cancel, request->Handle);
        return TRUE;
    }
    if (!IsListEmpty(&Queue->CanceledOnQueueDue)) {
        request = CONTAINING_RECORD(RemoveHeadList(&Queue->CanceledOnQueueDue), FX_REQUEST, Second);
        request->CallbackDue = FALSE;
        wsklab_wdf_call(Queue->Lock, (PVOID)Queue->Config.EvtIoCanceledOnQueue, Queue->Handle, request->Handle);
        return TRUE;
    }
    if (Queue->Idle.Routine != NULL && Queue->OwnedCount == 0) return FxStateReached(Queue, &Queue->Idle);
    if (Queue->Empty.Routine != NULL && Queue->OwnedCount + Queue->WaitingCount == 0) return FxStateReached(Queue, &Queue->Empty);
    if (Queue->Power == FX_POWER_OFF) return FALSE;
    if (Queue->Power != FX_POWER_ON) return FxPowerStep(Queue);
    if (!(Queue->State & WdfIoQueueDispatchRequests)) return FALSE;
    if (!FxDevice(Queue->Device)->Started) return FALSE;
    if (Queue->Config.DispatchType == WdfIoQueueDispatchManual) {
        if (Queue->Ready.Routine == NULL || !Queue->BecameReady) return FALSE;
        Queue->BecameReady = FALSE;
        wsklab_wdf_call(Queue->Lock, (PVOID)Queue->Ready.Routine, Queue->Handle, Queue->Ready.Context);
        return TRUE;
    }
    if (Queue->OwnedCount >= Queue->Limit || Queue->WaitingCount == 0) return FALSE;
    request = CONTAINING_RECORD(Queue->Waiting.Flink, FX_REQUEST, Entry);
    if (FxTake(Queue, request)) FxPresent(Queue, request);
    return TRUE;
}

/* Whether callbacks may be made here and now; else they will be made elsewhere. Facts: KMDF-QUE-13. */
static BOOLEAN FxMayDispatch(PFX_QUEUE Queue)
{
    BOOLEAN tooHigh = Queue->Passive && KeGetCurrentIrql() > PASSIVE_LEVEL;
    if (!tooHigh && (Queue->Lock == NULL || !wsklab_wdf_locked(Queue->Lock))) return TRUE;
    if (!Queue->Deferred) {
        Queue->Deferred = TRUE;
        wsklab_wdf_hold(Queue->Handle);
        if (Queue->Passive) wsklab_wdf_thread(wsklab_queue_deferred, Queue->Handle);
        else KeInsertQueueDpc(&Queue->Dpc, NULL, NULL);
    }
    return FALSE;
}

/* Do what a queue has to do. Facts: KMDF-QUE-08 to 10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_dispatch(WDFQUEUE Queue)
{
    PFX_QUEUE queue = FxQueue(Queue);
    if (queue->Dispatching || !FxMayDispatch(queue)) return;
    wsklab_wdf_hold(Queue);
    queue->Dispatching = TRUE;
    while (FxStep(queue)) { }
    queue->Dispatching = FALSE;
    wsklab_wdf_release(Queue);
}

/* The same in a system thread or DPC. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_deferred(WDFQUEUE Queue)
{
    FxQueue(Queue)->Deferred = FALSE;
    wsklab_queue_dispatch(Queue);
    wsklab_wdf_release(Queue);
}

/* The DPC of a queue. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_dpc(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    wsklab_queue_deferred((WDFQUEUE)Context);
}

/* A request is about to leave with its IRP. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_request_leaves(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    request->DriverOwned = FALSE;
    if (request->CallbackDue) RemoveEntryList(&request->Second);
    if (request->Cancelable || request->List == FX_WAITING) wsklab_request_disarm(Request);
    request->CallbackDue = request->Cancelable = FALSE;
}

/* Its cleanup callbacks have run; from now on it has no buffers. Facts: KMDF-CMP-13. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_request_detached(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    wsklab_mdl_free(request->Mdls[0]);
    wsklab_mdl_free(request->Mdls[1]);
    if (request->Reserved) {
        if (request->Memories[0] != NULL) wsklab_wdf_delete(request->Memories[0]);
        if (request->Memories[1] != NULL) wsklab_wdf_delete(request->Memories[1]);
        request->Memories[0] = request->Memories[1] = NULL;
        request->Mdls[0] = request->Mdls[1] = NULL;
    }
    request->Completed = TRUE;
}

/* A request has left: its queue may go on. Whether the request stays for another IRP. Facts: KMDF-QUE-08. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN wsklab_request_left(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    WDFQUEUE queue = request->Queue;
    BOOLEAN stays;
    if (queue == NULL) return FALSE;
    FxUnlist(FxQueue(queue), request);
    stays = FxReturnReserved(request);
    wsklab_queue_dispatch(queue);
    if (stays && queue != request->Home) wsklab_queue_dispatch(request->Home);
    return stays;
}

/* A queue with its configuration. */
static NTSTATUS FxMakeQueue(WDFDEVICE Device, PWDF_IO_QUEUE_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFQUEUE *Made)
{
    PFX_DEVICE device = FxDevice(Device);
    NTSTATUS status = wsklab_wdf_create(FX_TYPE_QUEUE, FX_TAKES_ALL, Attributes, Device, Made);
    PFX_QUEUE queue;
    if (!NT_SUCCESS(status)) return status;
    queue = FxQueue(*Made);
    queue->Handle = *Made;
    queue->Device = Device;
    queue->Config = *Config;
    queue->Lock = wsklab_wdf_lock(*Made);
    queue->Passive = wsklab_wdf_passive(*Made);
    queue->Limit = Config->DispatchType == WdfIoQueueDispatchParallel ? Config->Settings.Parallel.NumberOfPresentedRequests : 1;
    queue->State = WdfIoQueueAcceptRequests | WdfIoQueueDispatchRequests;
    queue->PowerManaged = device->Pnp && (Config->PowerManaged == WdfTrue || (Config->PowerManaged != 0 && !device->Init.Filter));
    InitializeListHead(&queue->Waiting);
    InitializeListHead(&queue->Owned);
    InitializeListHead(&queue->CancelDue);
    InitializeListHead(&queue->CanceledOnQueueDue);
    KeInitializeDpc(&queue->Dpc, wsklab_queue_dpc, *Made);
    KeInitializeEvent(&queue->AtRest, NotificationEvent, TRUE);
    wsklab_wdf_watch(*Made, &queue->Config.EvtIoDefault,
                     (ULONG)((PVOID *)&queue->Config.Settings - (PVOID *)&queue->Config.EvtIoDefault));
    InsertTailList(&device->AllQueues, &queue->Sibling);
    return STATUS_SUCCESS;
}

/* A device begins: its list of files, and the queue in which creates are while EvtDeviceFileCreate has them. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS wsklab_device_begins(WDFDEVICE Device)
{
    PFX_DEVICE device = FxDevice(Device);
    WDF_IO_QUEUE_CONFIG config;
    NTSTATUS status;
    InitializeListHead(&device->OpenFiles);
    InitializeListHead(&device->Interfaces);
    InitializeListHead(&device->AllQueues);
    InitializeListHead(&device->Children);
    device->Handle = Device;
    device->Object->DeviceExtension = device;
    if (device->Init.Parent != NULL) device->Init.Physical = device->Object;
    if (device->Init.ShutdownFlags & WdfDeviceShutdown) IoRegisterShutdownNotification(device->Object);
    if (device->Init.ShutdownFlags & WdfDeviceLastChanceShutdown) IoRegisterLastChanceShutdownNotification(device->Object);
    FxPowerFlags(device);
    device->Object->StackSize += (device->Init.Preprocess != NULL) + (device->SelfTarget != NULL);
    if (device->Init.Forwards) device->Object->StackSize += FxDevice(device->Init.Parent)->Object->StackSize;
    if (device->Init.Files.EvtDeviceFileCreate == NULL) return STATUS_SUCCESS;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    config.PowerManaged = WdfFalse;
    status = FxMakeQueue(Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &device->Creates);
    if (NT_SUCCESS(status)) wsklab_wdf_keep(device->Creates);
    return status;
}

/* A queue of a device. Facts: KMDF-QUE-01 to 03, KMDF-OBJ-05. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueCreate(WDFDEVICE Device, PWDF_IO_QUEUE_CONFIG Config, PWDF_OBJECT_ATTRIBUTES QueueAttributes, WDFQUEUE *Queue)
{
    PFX_DEVICE device = FxDevice(Device);
    BOOLEAN handlers;
    NTSTATUS status;
    WDFQUEUE made;
    wsklab_given(Config, "Config");
    if (Queue != NULL) *Queue = NULL;
    status = wsklab_wdf_check(QueueAttributes, FX_TAKES_ALL);
    if (!NT_SUCCESS(status)) return status;
    if (Config->Size != sizeof(WDF_IO_QUEUE_CONFIG)) return STATUS_INFO_LENGTH_MISMATCH;
    if (!Config->DefaultQueue && Queue == NULL) return STATUS_INVALID_PARAMETER_4;
    if (Config->DefaultQueue && device->Started && device->Pnp) return STATUS_INVALID_DEVICE_STATE;
    if (Config->DispatchType < WdfIoQueueDispatchSequential || Config->DispatchType > WdfIoQueueDispatchManual)
        return STATUS_INVALID_PARAMETER;
    handlers = Config->EvtIoDefault != NULL || Config->EvtIoRead != NULL || Config->EvtIoWrite != NULL ||
               Config->EvtIoDeviceControl != NULL || Config->EvtIoInternalDeviceControl != NULL;
    if (Config->DispatchType == WdfIoQueueDispatchManual ? handlers : !handlers)
        return handlers ? STATUS_INVALID_PARAMETER : STATUS_WDF_NO_CALLBACK;
    if (Config->DispatchType != WdfIoQueueDispatchParallel && Config->Settings.Parallel.NumberOfPresentedRequests != 0)
        return STATUS_INVALID_PARAMETER;
    if (Config->DefaultQueue && device->DefaultQueue != NULL) return STATUS_UNSUCCESSFUL;
    status = FxMakeQueue(Device, Config, QueueAttributes, &made);
    if (!NT_SUCCESS(status)) return status;
    if (Config->DefaultQueue) {
        device->DefaultQueue = made;
        wsklab_wdf_keep(made);
    }
    if (Queue != NULL) *Queue = made;
    return STATUS_SUCCESS;
}

/* The device a queue belongs to. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFDEVICE WdfIoQueueGetDevice(WDFQUEUE Queue)
{
    return FxQueue(Queue)->Device;
}

/* What a queue does at present, and how many requests wait in it and are with the driver. Facts: KMDF-CON-12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDF_IO_QUEUE_STATE WdfIoQueueGetState(WDFQUEUE Queue, PULONG QueueRequests, PULONG DriverRequests)
{
    PFX_QUEUE queue = FxQueue(Queue);
    ULONG state = queue->State;
    if (QueueRequests != NULL) *QueueRequests = queue->WaitingCount;
    if (DriverRequests != NULL) *DriverRequests = queue->OwnedCount;
    if (queue->WaitingCount == 0) state |= WdfIoQueueNoRequests;
    if (queue->OwnedCount == 0) state |= WdfIoQueueDriverNoRequests;
    if (queue->PowerManaged && queue->Power != FX_POWER_ON) state |= WdfIoQueuePnpHeld;
    return (WDF_IO_QUEUE_STATE)state;
}

/* Send a queue's requests to the driver again, and accept new ones. Facts: KMDF-QUE-18, 24. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoQueueStart(WDFQUEUE Queue)
{
    PFX_QUEUE queue = FxQueue(Queue);
    queue->State |= WdfIoQueueDispatchRequests | (queue->ShuttingDown ? 0 : WdfIoQueueAcceptRequests);
    queue->CancelsDispatched = FALSE;
    if (queue->WaitingCount > 0) {
        queue->BecameReady = TRUE;
        queue->NextMakesReady = FALSE;
    }
    wsklab_queue_dispatch(Queue);
}

/* Cancel what waits, and what the driver has marked cancelable. Facts: KMDF-QUE-18, 19. */
static void FxCancelAll(PFX_QUEUE Queue)
{
    PLIST_ENTRY entry;
    while (Queue->WaitingCount > 0) {
        PFX_REQUEST request = CONTAINING_RECORD(Queue->Waiting.Flink, FX_REQUEST, Entry);
        wsklab_request_disarm(request->Handle);
        FxUnlist(Queue, request);
        FxCancelWaiting(Queue, request);
    }
    FxCancelPended(Queue, NULL);
    for (entry = Queue->Owned.Flink; entry != &Queue->Owned; entry = entry->Flink) {
        PFX_REQUEST request = CONTAINING_RECORD(entry, FX_REQUEST, Entry);
        if (!request->Cancelable) continue;
        wsklab_request_disarm(request->Handle);
        request->Cancelable = FALSE;
        request->Cancelled = request->CallbackDue = TRUE;
        InsertTailList(&Queue->CancelDue, &request->Second);
    }
}

/* What stop, drain and purge share. Two callbacks at a time are a fatal error of the driver. Facts: KMDF-QUE-18, 21, RULE-77. */
static void FxChange(WDFQUEUE Queue, BOOLEAN Stops, BOOLEAN Cancels, PFN_WDF_IO_QUEUE_STATE Complete, WDFCONTEXT Context,
                     PCSTR Function)
{
    PFX_QUEUE queue = FxQueue(Queue);
    PFX_STATE_CALLBACK callback = Stops ? &queue->Idle : &queue->Empty;
    if (*Function != 0 && FxDevice(queue->Device)->Surprised)
        wsklab_wdf_strict("kmdf-in-surprise-removal", Queue, "function=%s", Function);
    if (Complete != NULL) {
        if (callback->Routine != NULL) {
            WDF_QUEUE_FATAL_ERROR_DATA data;
            data.Queue = Queue;
            data.Request = NULL;
            data.Status = STATUS_INVALID_DEVICE_REQUEST;
            wsklab_wdf_stop("kmdf-queue-state", Queue, "function=%s;data=0x%016I64x", Function, &data);
        }
        callback->Routine = Complete;
        callback->Context = Context;
    }
    if (!Stops) queue->State &= ~WdfIoQueueAcceptRequests;
    else queue->State = (queue->State & ~WdfIoQueueDispatchRequests) | (queue->ShuttingDown ? 0 : WdfIoQueueAcceptRequests);
    if (Cancels) {
        queue->CancelsDispatched = TRUE;
        FxCancelAll(queue);
    }
    wsklab_queue_dispatch(Queue);
}

/* The state callback of the synchronous forms. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_state_reached(WDFQUEUE Queue, WDFCONTEXT Context)
{
    KeSetEvent((PKEVENT)Context, 0, FALSE);
}

/*
 * Wait for a queue, with a breakpoint of the verifier now and then. When nothing else will ever happen the last word is a rule
 * about the request that holds it up, or a hang. Facts: KMDF-VER-08.
 */
static void FxWaitForQueue(WDFQUEUE Queue, PKEVENT Event, PCSTR What)
{
    PFX_QUEUE queue = FxQueue(Queue);
    ULONG seconds = wsklab_wdf_verifies(Queue) ? wsklab_wdf_parameter("DbgWaitForSignalTimeoutInSec") : 0;
    LARGE_INTEGER timeout;
    timeout.QuadPart = WDF_REL_TIMEOUT_IN_SEC((ULONGLONG)seconds);
    while (KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, seconds != 0 ? &timeout : NULL) == STATUS_TIMEOUT) {
        BOOLEAN idle = wsklab_idle(Queue);
        if (idle) wsklab_queue_blocked(Queue);
        wsklab_wdf_break("kmdf-wait-for-queue", Queue, "function=%s;seconds=%d;count=%d;waiting=%d", What, seconds,
                         queue->OwnedCount, queue->WaitingCount);
        if (idle) seconds = 0;
    }
}

static void FxChangeAndWait(WDFQUEUE Queue, BOOLEAN Stops, BOOLEAN Cancels, PCSTR Function)
{
    KEVENT reached;
    FxQueue(Queue);
    if (FxTooHigh(Queue, Function)) return;
    KeInitializeEvent(&reached, NotificationEvent, FALSE);
    FxChange(Queue, Stops, Cancels, wsklab_queue_state_reached, &reached, Function);
    FxWaitForQueue(Queue, &reached, Function);
}

/* Hold requests back; the callback comes when the driver has none left. Facts: KMDF-QUE-18, 21. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoQueueStop(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE StopComplete, WDFCONTEXT Context)
{
    FxChange(Queue, TRUE, FALSE, StopComplete, Context, "WdfIoQueueStop");
}

/* Hold requests back, and wait until the driver has none left. Facts: KMDF-QUE-21, 23. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfIoQueueStopSynchronously(WDFQUEUE Queue)
{
    FxChangeAndWait(Queue, TRUE, FALSE, "WdfIoQueueStopSynchronously");
}

/* Accept no more; the callback comes when the rest is done. Facts: KMDF-QUE-18. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoQueueDrain(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE DrainComplete, WDFCONTEXT Context)
{
    FxChange(Queue, FALSE, FALSE, DrainComplete, Context, "WdfIoQueueDrain");
}

/* Accept no more, and wait until the rest is done. Facts: KMDF-QUE-18, 23. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfIoQueueDrainSynchronously(WDFQUEUE Queue)
{
    FxChangeAndWait(Queue, FALSE, FALSE, "WdfIoQueueDrainSynchronously");
}

/* Accept no more and cancel what waits or is cancelable. Facts: KMDF-QUE-18, 19, 22. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoQueuePurge(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE PurgeComplete, WDFCONTEXT Context)
{
    FxChange(Queue, FALSE, TRUE, PurgeComplete, Context, "WdfIoQueuePurge");
}

/* Accept no more, cancel, and wait until the driver has none left. Facts: KMDF-QUE-18, 23, RULE-78. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfIoQueuePurgeSynchronously(WDFQUEUE Queue)
{
    FxChangeAndWait(Queue, FALSE, TRUE, "WdfIoQueuePurgeSynchronously");
}

/* Hold new requests back and cancel what is there. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfIoQueueStopAndPurge(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE StopAndPurgeComplete, WDFCONTEXT Context)
{
    FxChange(Queue, TRUE, TRUE, StopAndPurgeComplete, Context, "WdfIoQueueStopAndPurge");
}

/* Hold new requests back, cancel what is there, and wait until the driver has none left. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfIoQueueStopAndPurgeSynchronously(WDFQUEUE Queue)
{
    FxChangeAndWait(Queue, TRUE, TRUE, "WdfIoQueueStopAndPurgeSynchronously");
}

/* Tell the driver when a manual queue stops being empty; NULL ends that, for a queue that was stopped before. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueReadyNotify(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE QueueReady, WDFCONTEXT Context)
{
    PFX_QUEUE queue = FxQueue(Queue);
    BOOLEAN manual = queue->Config.DispatchType == WdfIoQueueDispatchManual;
    if (!manual || (QueueReady != NULL) != (queue->Ready.Routine == NULL) ||
        (QueueReady == NULL && (queue->State & WdfIoQueueDispatchRequests))) {
        wsklab_wdf_break("kmdf-ready-notify", Queue, "");
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    queue->Ready.Routine = QueueReady;
    queue->Ready.Context = Context;
    wsklab_queue_dispatch(Queue);
    return STATUS_SUCCESS;
}

/* The first request that waits behind another one (NULL: at all) and belongs to a file (NULL: to any). */
static PFX_REQUEST FxFind(PFX_QUEUE Queue, PFX_REQUEST Behind, PFILE_OBJECT File)
{
    PLIST_ENTRY entry = Behind != NULL ? Behind->Entry.Flink : Queue->Waiting.Flink;
    for (; entry != &Queue->Waiting; entry = entry->Flink) {
        PFX_REQUEST request = CONTAINING_RECORD(entry, FX_REQUEST, Entry);
        if (File == NULL || FxLocation(request)->FileObject == File) return request;
    }
    return NULL;
}

/* The next request of a file, or of all, for the driver. Facts: KMDF-QUE-14. */
static NTSTATUS FxRetrieve(WDFQUEUE Queue, PFILE_OBJECT File, PFX_REQUEST Found, WDFREQUEST *OutRequest)
{
    PFX_QUEUE queue = FxQueue(Queue);
    PFX_REQUEST request;
    wsklab_given(OutRequest, "OutRequest");
    *OutRequest = NULL;
    if (queue->Config.DispatchType == WdfIoQueueDispatchParallel) return STATUS_INVALID_DEVICE_STATE;
    if (queue->Power == FX_POWER_OFF || !(queue->State & WdfIoQueueDispatchRequests)) return STATUS_WDF_PAUSED;
    do {
        request = Found != NULL ? Found : FxFind(queue, NULL, File);
        if (request == NULL || request->List != FX_WAITING || request->Queue != Queue) {
            if (Found == NULL && File == NULL) queue->NextMakesReady = TRUE;
            return Found != NULL ? STATUS_NOT_FOUND : STATUS_NO_MORE_ENTRIES;
        }
    } while (!FxTake(queue, request));
    request->Presented = TRUE;
    *OutRequest = request->Handle;
    return STATUS_SUCCESS;
}

/* Take the next request out of a sequential or manual queue. Facts: KMDF-QUE-14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueRetrieveNextRequest(WDFQUEUE Queue, WDFREQUEST *OutRequest)
{
    return FxRetrieve(Queue, NULL, NULL, OutRequest);
}

/* Take the next request of a file out of a queue. Facts: KMDF-QUE-14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueRetrieveRequestByFileObject(WDFQUEUE Queue, WDFFILEOBJECT FileObject, WDFREQUEST *OutRequest)
{
    return FxRetrieve(Queue, WdfFileObjectWdmGetFileObject(FileObject), NULL, OutRequest);
}

/* Take a request that WdfIoQueueFindRequest found out of a manual queue. Facts: KMDF-QUE-15. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueRetrieveFoundRequest(WDFQUEUE Queue, WDFREQUEST FoundRequest, WDFREQUEST *OutRequest)
{
    PFX_QUEUE queue = FxQueue(Queue);
    PFX_REQUEST found = FxRequest(FoundRequest);
    if (queue->Config.DispatchType != WdfIoQueueDispatchManual &&
        wsklab_wdf_break("kmdf-wrong-queue", FoundRequest, "function=WdfIoQueueRetrieveFoundRequest"))
        return STATUS_INVALID_DEVICE_REQUEST;
    return FxRetrieve(Queue, NULL, found, OutRequest);
}

/* Look for a request in a manual queue without taking it: it gets a reference only. Facts: KMDF-QUE-15. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueFindRequest(WDFQUEUE Queue, WDFREQUEST FoundRequest, WDFFILEOBJECT FileObject,
                               PWDF_REQUEST_PARAMETERS Parameters, WDFREQUEST *OutRequest)
{
    PFX_QUEUE queue = FxQueue(Queue);
    PFX_REQUEST behind = FoundRequest != NULL ? FxRequest(FoundRequest) : NULL;
    PFX_REQUEST request;
    wsklab_given(OutRequest, "OutRequest");
    *OutRequest = NULL;
    if (queue->Config.DispatchType != WdfIoQueueDispatchManual) {
        wsklab_wdf_break("kmdf-not-manual", Queue, "function=WdfIoQueueFindRequest");
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (behind != NULL && (behind->List != FX_WAITING || behind->Queue != Queue)) return STATUS_NOT_FOUND;
    request = FxFind(queue, behind, FileObject != NULL ? WdfFileObjectWdmGetFileObject(FileObject) : NULL);
    if (request == NULL) {
        if (behind == NULL && FileObject == NULL) queue->NextMakesReady = TRUE;
        return STATUS_NO_MORE_ENTRIES;
    }
    request->Found = TRUE;
    wsklab_wdf_hold(request->Handle);
    if (Parameters != NULL) WdfRequestGetParameters(request->Handle, Parameters);
    *OutRequest = request->Handle;
    return STATUS_SUCCESS;
}

/* The device leaves its working state, is removed, or works again: how the queue takes part. Facts: KMDF-MCA-11 to 13. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_queue_power(WDFQUEUE Queue, ULONG Power)
{
    PFX_QUEUE queue = FxQueue(Queue);
    if (Power == FX_POWER_PURGING) {
        queue->ShuttingDown = TRUE;
        FxChange(Queue, FALSE, TRUE, NULL, NULL, "");
    } else if (!queue->PowerManaged) {
        return;
    }
    if (Power == FX_POWER_RESUMING && queue->WaitingCount > 0) queue->BecameReady = TRUE;
    queue->Power = Power;
    KeClearEvent(&queue->AtRest);
    wsklab_queue_dispatch(Queue);
}

/* Stop when a request that the driver has holds up the device. Facts: RULE-42, RULE-75. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_queue_blocked(WDFQUEUE Queue)
{
    PFX_QUEUE queue = FxQueue(Queue);
    WDFREQUEST first;
    PCSTR rule = "kmdf-request-never-completed";
    if (queue->OwnedCount == 0 || queue->Power == FX_POWER_ON || queue->Power == FX_POWER_OFF) return;
    first = CONTAINING_RECORD(queue->Owned.Flink, FX_REQUEST, Entry)->Handle;
    if (wsklab_ask(first, "Request.refused")) rule = "kmdf-send-failed-never-completed";
    if (queue->Power == FX_POWER_STOPPING) rule = "kmdf-power-blocked";
    wsklab_wdf_stop(rule, first, "count=%d", queue->OwnedCount);
}

/* The files of an application are being closed: its requests in the queue are cancelled. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_queue_flush(WDFQUEUE Queue, PFILE_OBJECT File)
{
    PFX_QUEUE queue = FxQueue(Queue);
    PFX_REQUEST request;
    FxCancelPended(queue, File);
    while ((request = FxFind(queue, NULL, File)) != NULL) {
        wsklab_request_disarm(request->Handle);
        FxUnlist(queue, request);
        FxCancelWaiting(queue, request);
    }
    wsklab_queue_dispatch(Queue);
}

/* A queue is deleted: what waits is cancelled; a request that the driver still has would hang this. Facts: RULE-42. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_wdfqueue_disposed(WDFQUEUE Queue)
{
    PFX_QUEUE queue = FxQueue(Queue);
    FxChange(Queue, FALSE, TRUE, NULL, NULL, "");
    if (queue->OwnedCount > 0) {
        PFX_REQUEST request = CONTAINING_RECORD(queue->Owned.Flink, FX_REQUEST, Entry);
        wsklab_wdf_stop("kmdf-request-never-completed", request->Handle, "count=%d", queue->OwnedCount);
    }
    FxFreeReserve(queue);
    RemoveEntryList(&queue->Sibling);
}
