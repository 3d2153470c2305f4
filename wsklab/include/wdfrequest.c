/*
 * wdfrequest.c: what a driver does with a received request besides completing and sending it: cancelable or not, to another
 * queue, back to its own, an answer to EvtIoStop. Facts: KMDF-MCA, KMDF-QUE-16, 17. Page: canceling-i-o-requests.md.
 */

/* What most of these look at first: a request of a queue that the driver owns (the verifier sees the latter). */
static NTSTATUS FxCheckOwned(WDFREQUEST Request, PCSTR Function)
{
    PFX_REQUEST request = FxRequest(Request);
    if (request->Queue == NULL) {
        wsklab_wdf_break("kmdf-no-queue", Request, "function=%s", Function);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (!request->DriverOwned && wsklab_wdf_break("kmdf-not-driver-owned", Request, "function=%s", Function))
        return STATUS_INVALID_DEVICE_REQUEST;
    return STATUS_SUCCESS;
}

static NTSTATUS FxCheckNotCancelable(WDFREQUEST Request, PCSTR Function)
{
    NTSTATUS status = FxCheckOwned(Request, Function);
    if (NT_SUCCESS(status) && FxRequest(Request)->Cancelable &&
        wsklab_wdf_break("kmdf-still-cancelable", Request, "function=%s", Function))
        return STATUS_INVALID_DEVICE_REQUEST;
    return status;
}

static NTSTATUS FxMark(WDFREQUEST Request, PFN_WDF_REQUEST_CANCEL Cancel, BOOLEAN Tells, PCSTR Function)
{
    PFX_REQUEST request = FxRequest(Request);
    NTSTATUS status;
    wsklab_given(Cancel, "EvtRequestCancel");
    status = FxCheckNotCancelable(Request, Function);
    if (!NT_SUCCESS(status)) return status;
    request->Cancel = Cancel;
    if (!FxQueue(request->Queue)->CancelsDispatched && wsklab_request_arm(Request, wsklab_queue_cancel_owned)) {
        request->Cancelable = TRUE;
        return STATUS_SUCCESS;
    }
    if (Tells) return STATUS_CANCELLED;
    wsklab_queue_cancel_owned(Request);
    return STATUS_SUCCESS;
}

/* Let a request be cancelled; one that has been already gets its callback now. Facts: KMDF-MCA-01, 03, 04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestMarkCancelable(WDFREQUEST Request, PFN_WDF_REQUEST_CANCEL EvtRequestCancel)
{
    FxMark(Request, EvtRequestCancel, FALSE, "WdfRequestMarkCancelable");
}

/* Let a request be cancelled; STATUS_CANCELLED, and no callback, when it has been already. Facts: KMDF-MCA-02 to 04, 10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestMarkCancelableEx(WDFREQUEST Request, PFN_WDF_REQUEST_CANCEL EvtRequestCancel)
{
    return FxMark(Request, EvtRequestCancel, TRUE, "WdfRequestMarkCancelableEx");
}

/* No longer cancelable; STATUS_CANCELLED when the callback has run or will. Facts: KMDF-MCA-04 to 06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestUnmarkCancelable(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    NTSTATUS status = FxCheckOwned(Request, "WdfRequestUnmarkCancelable");
    if (!NT_SUCCESS(status)) return status;
    if (!request->Cancelable) {
        if (!request->Cancelled && wsklab_wdf_break("kmdf-not-cancelable", Request, "")) return STATUS_INVALID_DEVICE_REQUEST;
        return STATUS_CANCELLED;
    }
    wsklab_request_disarm(Request);
    request->Cancelable = FALSE;
    request->Cancel = NULL;
    return STATUS_SUCCESS;
}

/* Whether a request that is not marked cancelable has been cancelled. Facts: KMDF-MCA-08, RULE-52. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfRequestIsCanceled(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    if (!NT_SUCCESS(FxCheckNotCancelable(Request, "WdfRequestIsCanceled"))) return FALSE;
    return request->Irp->Cancel || request->Cancelled;
}

/* Put a request into another queue of the device. Facts: KMDF-QUE-08, 16, RULE-30. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestForwardToIoQueue(WDFREQUEST Request, WDFQUEUE DestinationQueue)
{
    PFX_REQUEST request = FxRequest(Request);
    PFX_QUEUE destination = FxQueue(DestinationQueue);
    NTSTATUS status = FxCheckNotCancelable(Request, "WdfRequestForwardToIoQueue");
    PFX_QUEUE before;
    if (!NT_SUCCESS(status)) return status;
    before = FxQueue(request->Queue);
    if ((before == destination || before->Device != destination->Device) &&
        wsklab_wdf_break("kmdf-wrong-queue", Request, "function=WdfRequestForwardToIoQueue"))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!(destination->State & WdfIoQueueAcceptRequests)) return STATUS_WDF_BUSY;
    FxUnlist(before, request);
    FxInsert(destination, request, FALSE);
    wsklab_queue_dispatch(DestinationQueue);
    wsklab_queue_dispatch(before->Handle);
    return STATUS_SUCCESS;
}

/* Put a request back at the head of its manual queue. Facts: KMDF-QUE-17, 22, RULE-30. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRequeue(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    NTSTATUS status = FxCheckNotCancelable(Request, "WdfRequestRequeue");
    PFX_QUEUE queue;
    if (!NT_SUCCESS(status)) return status;
    queue = FxQueue(request->Queue);
    if (queue->Config.DispatchType != WdfIoQueueDispatchManual) {
        wsklab_wdf_break("kmdf-wrong-queue", Request, "function=WdfRequestRequeue");
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    FxUnlist(queue, request);
    FxInsert(queue, request, TRUE);
    wsklab_queue_dispatch(queue->Handle);
    return STATUS_SUCCESS;
}

/* The answer to EvtIoStop: the driver stops working on a request, or gives it back. Facts: KMDF-MCA-12, 14, RULE-32, 72. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestStopAcknowledge(WDFREQUEST Request, BOOLEAN Requeue)
{
    PFX_REQUEST request = FxRequest(Request);
    if (!request->InIoStop && wsklab_wdf_break("kmdf-stop-acknowledged", Request, "")) return;
    if (Requeue && !NT_SUCCESS(FxCheckNotCancelable(Request, "WdfRequestStopAcknowledge"))) return;
    if (request->Queue == NULL) return;
    if (!Requeue && FxQueue(request->Queue)->Config.EvtIoResume == NULL) wsklab_wdf_strict("kmdf-stop-without-resume", Request, "");
    request->Acknowledged = TRUE;
    request->GoesBack = Requeue;
    wsklab_queue_dispatch(request->Queue);
}

/* Whether a request still has the IRP it came with; a breakpoint when not. Facts: RULE-27. */
static BOOLEAN FxHasIrp(WDFREQUEST Request, PCSTR Function)
{
    PFX_REQUEST request = FxRequest(Request);
    if (request->Irp != NULL) return TRUE;
    wsklab_wdf_break("kmdf-no-queue", Request, "function=%s", Function);
    return FALSE;
}

/* Whether an application or a driver sent a request. Facts: KMDF-GET-12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KPROCESSOR_MODE WdfRequestGetRequestorMode(WDFREQUEST Request)
{
    return FxHasIrp(Request, "WdfRequestGetRequestorMode") ? FxRequest(Request)->Irp->RequestorMode : KernelMode;
}

/* Whether a 32-bit application sent a request: applications have 64 bits here. Facts: KMDF-GET-12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfRequestIsFrom32BitProcess(WDFREQUEST Request)
{
    FxHasIrp(Request, "WdfRequestIsFrom32BitProcess");
    return FALSE;
}

/* The process that sent a request; 0 for a driver's. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG WdfRequestGetRequestorProcessId(WDFREQUEST Request)
{
    return WdfRequestGetRequestorMode(Request) == UserMode ? FX_APPLICATION_PROCESS : 0;
}
