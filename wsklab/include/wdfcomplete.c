/*
 * wdfcomplete.c: the end of a received request in the driver: completed, or passed down and forgotten.
 *
 * Only what a queue presented can be completed (KMDF-WHO-03). Facts: KMDF-CMP, KMDF-SAF, RULE-01 to RULE-07, RULE-19.
 */

/* The verifier's tests; a failed one is a breakpoint, and then the call is ignored. Facts: KMDF-CMP-03, 04, RULE-01, 02, 04, 05. */
static BOOLEAN FxMayComplete(WDFREQUEST Request, PFX_REQUEST Own, BOOLEAN Queued)
{
    PCSTR broken = NULL;
    if (!Queued) broken = "kmdf-completed-driver-created";
    else if (wsklab_ask(Request, "Request.completed")) broken = "kmdf-double-completion";
    else if (!Own->DriverOwned) broken = "kmdf-completed-not-owned";
    if (broken == NULL && Own->Cancelable) wsklab_wdf_break("kmdf-still-cancelable", Request, "function=WdfRequestComplete");
    if (broken == NULL && Own->CallbackDue) wsklab_wdf_stop("kmdf-completed-canceled", Request, "function=WdfRequestComplete");
    if (broken != NULL) wsklab_wdf_break(broken, Request, "");
    return broken == NULL;
}

/* More bytes than the caller has room for, or any without room. Facts: KMDF-CMP-05 to 07, RULE-07. */
static void FxCheckInformation(WDFREQUEST Request, PIRP Irp)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR information = Irp->IoStatus.Information;
    ULONG room = here->Parameters.Read.Length;
    BOOLEAN limited = here->MajorFunction == IRP_MJ_READ || here->MajorFunction == IRP_MJ_WRITE;
    if (here->MajorFunction == IRP_MJ_DEVICE_CONTROL && Irp->RequestorMode != KernelMode) {
        room = here->Parameters.DeviceIoControl.OutputBufferLength;
        limited = room != 0;
        if (information != 0 && room == 0 && (here->Parameters.DeviceIoControl.IoControlCode & 3) == METHOD_BUFFERED)
            wsklab_wdf_break("kmdf-information-without-output", Request, "information=%I64d", information);
    }
    if (limited && information > room) {
        WDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH_DATA data;
        data.Request = Request;
        data.Irp = Irp;
        data.OutputBufferLength = room;
        data.Information = information;
        data.MajorFunction = here->MajorFunction;
        wsklab_wdf_stop("kmdf-information-too-large", Request, "information=%I64d;allowed=%d;irp=0x%016I64x;data=0x%016I64x",
                        information, room, Irp, &data);
    }
}

/* The rest of the system does not know statuses of the framework. Facts: KMDF-CMP-08, 09, KMDF-MIS-35. */
static NTSTATUS FxTranslate(NTSTATUS Status)
{
    if (((ULONG)Status >> 16 & 0xFFF) != 0x20) return Status;
    switch (Status) {
    case STATUS_WDF_PAUSED:
    case STATUS_WDF_BUSY: return STATUS_DEVICE_BUSY;
    case STATUS_WDF_INTERNAL_ERROR: return STATUS_INTERNAL_ERROR;
    case STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS: return STATUS_INSUFFICIENT_RESOURCES;
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* Complete a received request, with an Information or with the one that stands in the IRP. Facts: KMDF-CMP-01 to 18. */
static void FxComplete(WDFREQUEST Request, NTSTATUS Status, BOOLEAN Tells, ULONG_PTR Information)
{
    PFX_REQUEST own;
    BOOLEAN queued;
    BOOLEAN verifies;
    PIRP irp;
    wsklab_request_not_over(Request);
    verifies = wsklab_wdf_verifies(Request);
    own = FxRequest(Request);
    queued = wsklab_ask(Request, "Request.ownership") == 0;
    if (verifies && !FxMayComplete(Request, own, queued)) return;
    if (!queued) {
        wsklab_wdf_release(Request); /* a reference that nobody took: KMDF-CMP-15 */
        return;
    }
    wsklab_ask(Request, "Request.not_in_surprise", "WdfRequestComplete");
    irp = wsklab_request_irp(Request);
    if (wsklab_ask(Request, "Request.outstanding")) wsklab_wdf_stop("kmdf-completed-while-sent", Request, "irp=0x%016I64x", irp);
    if (Tells) irp->IoStatus.Information = Information;
    Status = FxTranslate(Status);
    if (verifies && NT_SUCCESS(Status)) FxCheckInformation(Request, irp);
    wsklab_ask(Request, "Request.finish", Status);
}

/* Complete with the Information that is in the IRP. Facts: KMDF-CMP-01, 03, 12, 14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestComplete(WDFREQUEST Request, NTSTATUS Status)
{
    FxComplete(Request, Status, FALSE, 0);
}

/* Set Information and complete. Facts: KMDF-CMP-01. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestCompleteWithInformation(WDFREQUEST Request, NTSTATUS Status, ULONG_PTR Information)
{
    FxComplete(Request, Status, TRUE, Information);
}

/* Complete; nobody's priority changes here. Facts: KMDF-CMP-02. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestCompleteWithPriorityBoost(WDFREQUEST Request, NTSTATUS Status, CCHAR PriorityBoost)
{
    FxComplete(Request, Status, FALSE, 0);
}

/* Pass a received request down and let go of it. Facts: KMDF-SAF-01 to 16, KMDF-STA-13, RULE-19 to 21, KMDF-MIS-43. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN wsklab_request_forget(WDFREQUEST Request, WDFIOTARGET Target)
{
    PDEVICE_OBJECT device = (PDEVICE_OBJECT)wsklab_ask(Target, "IoTarget.target_device");
    PIRP irp = wsklab_request_irp(Request);
    if (wsklab_ask(Request, "Request.ownership") != 0) return wsklab_request_refused(Request, STATUS_INVALID_DEVICE_STATE);
    if (wsklab_ask(Request, "Request.params")) {
        wsklab_request_refused(Request, STATUS_INVALID_DEVICE_REQUEST);
        wsklab_wdf_break("kmdf-forget-formatted", Request, "");
        return FALSE;
    }
    if (wsklab_ask(Request, "Request.has_routine")) wsklab_wdf_break("kmdf-forget-with-routine", Request, "");
    if (wsklab_ask(Target, "IoTarget.file_object"))
        wsklab_wdf_strict("kmdf-forget-to-opened-target", Request, "target=0x%016I64x", Target);
    if (device == NULL) wsklab_wdf_stop("kmdf-irp-sent-to-nowhere", Request, "target=0x%016I64x", Target);
    if (wsklab_ask(Request, "Request.next_formatted")) {
        IoGetNextIrpStackLocation(irp)->CompletionRoutine = NULL;
        IoGetNextIrpStackLocation(irp)->Control = 0;
    } else {
        IoSkipCurrentIrpStackLocation(irp);
    }
    wsklab_ask(Request, "Request.forget", device);
    return TRUE;
}
