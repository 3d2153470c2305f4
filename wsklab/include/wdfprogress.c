/*
 * wdfprogress.c: guaranteed forward progress: a queue keeps requests in reserve for IRPs that come while memory is low.
 *
 * A reserved request keeps its handle, its contexts and what the driver put under it from one IRP to the next. IRPs that find none
 * left wait here until one comes back. That memory is low is a choice, "request of a queue".
 * Page: guaranteeing-forward-progress-of-i-o-operations.md.
 */

/* Give a queue's reserve back. */
static void FxFreeReserve(PFX_QUEUE Queue)
{
    if (Queue->Progress == NULL) return;
    while (!IsListEmpty(&Queue->Progress->Reserved))
        wsklab_wdf_delete(CONTAINING_RECORD(RemoveHeadList(&Queue->Progress->Reserved), FX_REQUEST, Entry)->Handle);
    wsklab_free(Queue->Progress);
    Queue->Progress = NULL;
}

/* Keep requests in reserve for a queue; the driver may keep resources with each. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoQueueAssignForwardProgressPolicy(WDFQUEUE Queue, PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY ForwardProgressPolicy)
{
    PFX_QUEUE queue = FxQueue(Queue);
    PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY given = ForwardProgressPolicy;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG i;
    wsklab_given(given, "ForwardProgressPolicy");
    if (FxTooHigh(Queue, "WdfIoQueueAssignForwardProgressPolicy")) return STATUS_INVALID_DEVICE_REQUEST;
    if (queue->Progress != NULL) {
        wsklab_wdf_break("kmdf-forward-progress", Queue, "what=policy");
        return STATUS_INVALID_PARAMETER;
    }
    if (given->Size != sizeof(WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY)) return STATUS_INFO_LENGTH_MISMATCH;
    if (given->ForwardProgressReservedPolicy == WdfIoForwardProgressReservedPolicyUseExamine &&
        given->ForwardProgressReservePolicySettings.Policy.ExaminePolicy.EvtIoWdmIrpForForwardProgress == NULL)
        return STATUS_INVALID_PARAMETER;
    if (given->TotalForwardProgressRequests == 0) return STATUS_INVALID_PARAMETER;
    queue->Progress = (PFX_PROGRESS)wsklab_allocate(sizeof(FX_PROGRESS));
    if (queue->Progress == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    queue->Progress->Policy = *given;
    InitializeListHead(&queue->Progress->Reserved);
    InitializeListHead(&queue->Progress->Pended);
    for (i = 0; NT_SUCCESS(status) && i < given->TotalForwardProgressRequests; i++) {
        PFX_REQUEST request;
        if (wsklab_request_fails()) {
            status = STATUS_INSUFFICIENT_RESOURCES;
            break;
        }
        request = FxRequest(wsklab_request_new(queue->Device, NULL));
        request->Reserved = TRUE;
        request->Home = request->Queue = Queue;
        InsertTailList(&queue->Progress->Reserved, &request->Entry);
        if (given->EvtIoAllocateResourcesForReservedRequest != NULL)
            status = (NTSTATUS)wsklab_wdf_answer((PVOID)given->EvtIoAllocateResourcesForReservedRequest, Queue, request->Handle);
    }
    if (!NT_SUCCESS(status)) FxFreeReserve(queue);
    return status;
}

/* The cancel routine of an IRP that waits for a reserved request. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID wsklab_progress_canceled(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFX_QUEUE queue = FxQueue((WDFQUEUE)Irp->Tail.Overlay.DriverContext[0]);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    wsklab_device_answer(queue->Device, Irp, STATUS_CANCELLED);
}

/* The IRP that has waited longest, of a file or of any; NULL for none. */
static PIRP FxTakePended(PFX_QUEUE Queue, PFILE_OBJECT File)
{
    PLIST_ENTRY entry;
    if (Queue->Progress == NULL) return NULL;
    for (entry = Queue->Progress->Pended.Flink; entry != &Queue->Progress->Pended; entry = entry->Flink) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        if (File != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != File) continue;
        RemoveEntryList(entry);
        IoSetCancelRoutine(irp, NULL);
        return irp;
    }
    return NULL;
}

/* End the IRPs that wait for a reserved request: of a file that is closed, or all. */
static void FxCancelPended(PFX_QUEUE Queue, PFILE_OBJECT File)
{
    PIRP irp;
    while ((irp = FxTakePended(Queue, File)) != NULL) wsklab_device_answer(Queue->Device, irp, STATUS_CANCELLED);
}

/* A reserved request for an IRP. STATUS_PENDING: there is none, the IRP waits. Else the policy, or the driver, fails the IRP. */
static NTSTATUS FxReserve(PFX_QUEUE Queue, PIRP Irp, PFX_REQUEST *Reserved)
{
    PFX_PROGRESS progress = Queue->Progress;
    PWDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy = &progress->Policy;
    ULONG action = WdfIoForwardProgressActionUseReservedRequest;
    if (policy->ForwardProgressReservedPolicy == WdfIoForwardProgressReservedPolicyPagingIO && !(Irp->Flags & IRP_PAGING_IO))
        action = WdfIoForwardProgressActionFailRequest;
    if (policy->ForwardProgressReservedPolicy == WdfIoForwardProgressReservedPolicyUseExamine)
        action = (ULONG)wsklab_wdf_answer(
            (PVOID)policy->ForwardProgressReservePolicySettings.Policy.ExaminePolicy.EvtIoWdmIrpForForwardProgress,
            Queue->Handle, Irp);
    if (action != WdfIoForwardProgressActionUseReservedRequest && action != WdfIoForwardProgressActionFailRequest)
        wsklab_wdf_break("kmdf-forward-progress", Queue->Handle, "what=action %d", action);
    if (action != WdfIoForwardProgressActionUseReservedRequest) return STATUS_UNSUCCESSFUL;
    if (!IsListEmpty(&progress->Reserved)) {
        *Reserved = CONTAINING_RECORD(RemoveHeadList(&progress->Reserved), FX_REQUEST, Entry);
        wsklab_request_attach((*Reserved)->Handle, Irp);
        return STATUS_SUCCESS;
    }
    if (Irp->Cancel) return STATUS_CANCELLED;
    InsertTailList(&progress->Pended, &Irp->Tail.Overlay.ListEntry);
    Irp->Tail.Overlay.DriverContext[0] = Queue->Handle;
    IoSetCancelRoutine(Irp, wsklab_progress_canceled);
    IoGetCurrentIrpStackLocation(Irp)->Control |= SL_PENDING_RETURNED;
    return STATUS_PENDING;
}

/* A request for an IRP that a queue with such a policy gets: a new one if there is memory for it and for what the driver needs. */
static NTSTATUS FxProgress(PFX_QUEUE Queue, PIRP Irp, PFX_REQUEST *Request)
{
    PVOID resources = (PVOID)Queue->Progress->Policy.EvtIoAllocateRequestResources;
    NTSTATUS status = STATUS_SUCCESS;
    if (wsklab_wdf_parameter("EnhancedVerifierOptions") & FX_LOW_ON_MEMORY) return FxReserve(Queue, Irp, Request);
    if (wsklab_request_fails()) return FxReserve(Queue, Irp, Request);
    *Request = FxRequest(wsklab_request_new(Queue->Device, Irp));
    if (resources != NULL) status = (NTSTATUS)wsklab_wdf_answer(resources, Queue->Handle, (*Request)->Handle);
    if (NT_SUCCESS(status)) return STATUS_SUCCESS;
    wsklab_request_drop((*Request)->Handle);
    *Request = NULL;
    return FxReserve(Queue, Irp, Request);
}

/* A reserved request has left with its IRP: it gets one that waits, or goes back. FALSE: it is none. */
static BOOLEAN FxReturnReserved(PFX_REQUEST Request)
{
    PFX_QUEUE home;
    PIRP irp;
    if (!Request->Reserved) return FALSE;
    home = FxQueue(Request->Home);
    Request->Presented = Request->Cancelled = Request->Found = Request->Notified = Request->InIoStop = FALSE;
    Request->Acknowledged = Request->GoesBack = FALSE;
    Request->Queue = Request->Home;
    irp = FxTakePended(home, NULL);
    if (irp == NULL) {
        InsertTailList(&home->Progress->Reserved, &Request->Entry);
        return TRUE;
    }
    wsklab_request_attach(Request->Handle, irp);
    FxInsert(home, Request, FALSE);
    return TRUE;
}

/* Whether a request was kept for low memory. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfRequestIsReserved(WDFREQUEST Request)
{
    return FxRequest(Request)->Reserved;
}
