/*
 * wdfsent.c: framework functions of sent requests, written in C.
 *
 * What the framework knows of a request beside its IRP is asked with wsklab_ask (wdfprivate.h). Follows the wdfrequest.h pages and
 * fact sheet 2.9, 2.10, 2.21.
 */

/* Fill the next stack location from another one: all but the completion routine. Facts: KMDF-FCU-01, 02, RULE-15. */
static void wsklab_fill_next(WDFREQUEST Request, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(Irp);
    RtlCopyMemory(next, Stack, FIELD_OFFSET(IO_STACK_LOCATION, CompletionRoutine));
    next->Control = 0;
    wsklab_ask(Request, "Request.mark_formatted");
}

/* Pass a received request on as it is. Facts: KMDF-FCU-01 to 07, RULE-15. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestFormatRequestUsingCurrentType(WDFREQUEST Request)
{
    PIRP irp = (PIRP)wsklab_ask(Request, "Request.irp");
    if (!irp) wsklab_wdf_stop("kmdf-no-irp", Request, "");
    if (irp->CurrentLocation < 2 || irp->CurrentLocation > irp->StackCount)
        wsklab_wdf_stop("kmdf-no-stack-location", Request, "irp=0x%016I64x", irp);
    wsklab_fill_next(Request, irp, IoGetCurrentIrpStackLocation(irp));
}

/* Format with a stack location of the driver's making. Facts: KMDF-FWD-01, 02, RULE-15. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestWdmFormatUsingStackLocation(WDFREQUEST Request, PIO_STACK_LOCATION Stack)
{
    PIRP irp = (PIRP)wsklab_ask(Request, "Request.irp");
    wsklab_given(Stack, "Stack");
    if (!irp) wsklab_wdf_stop("kmdf-no-irp", Request, "");
    if (irp->CurrentLocation < 2) wsklab_wdf_stop("kmdf-no-stack-location", Request, "irp=0x%016I64x", irp);
    wsklab_fill_next(Request, irp, Stack);
}

/* The IRP's status as it stands. Facts: KMDF-GET-01 to 03. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestGetStatus(WDFREQUEST Request)
{
    PIRP irp = (PIRP)wsklab_ask(Request, "Request.irp");
    if (wsklab_ask(Request, "Request.outstanding")) wsklab_wdf_strict("kmdf-status-too-early", Request, "");
    return irp->IoStatus.Status;
}

/* The IRP's Information. Facts: KMDF-GET-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG_PTR WdfRequestGetInformation(WDFREQUEST Request)
{
    PIRP irp = (PIRP)wsklab_ask(Request, "Request.irp");
    if (!irp && wsklab_wdf_verifies(Request)) return 0;
    return irp->IoStatus.Information;
}

/* Set the IRP's Information. Facts: KMDF-GET-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestSetInformation(WDFREQUEST Request, ULONG_PTR Information)
{
    ((PIRP)wsklab_ask(Request, "Request.irp"))->IoStatus.Information = Information;
}

/* A copy of the completion params of a formatted request. Facts: KMDF-GET-05, 06, RULE-26. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestGetCompletionParams(WDFREQUEST Request, PWDF_REQUEST_COMPLETION_PARAMS Params)
{
    PWDF_REQUEST_COMPLETION_PARAMS known = (PWDF_REQUEST_COMPLETION_PARAMS)wsklab_ask(Request, "Request.params");
    wsklab_given(Params, "Params");
    if (Params->Size != sizeof(WDF_REQUEST_COMPLETION_PARAMS)) {
        wsklab_wdf_break("kmdf-structure-size", Request, "structure=WDF_REQUEST_COMPLETION_PARAMS;size=%d;expected=%d",
                              Params->Size, (int)sizeof(WDF_REQUEST_COMPLETION_PARAMS));
        return;
    }
    if (known) {
        *Params = *known;
        return;
    }
    WDF_REQUEST_COMPLETION_PARAMS_INIT(Params);
    wsklab_wdf_break("kmdf-completion-params", Request, "");
}

/* How the buffers of a received request arrive: by the device's I/O type, or by the transfer method. Facts: KMDF-GET-12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDF_DEVICE_IO_TYPE WdfRequestGetEffectiveIoType(WDFREQUEST Request)
{
    const WDF_DEVICE_IO_TYPE types[] = {WdfDeviceIoBuffered, WdfDeviceIoDirect, WdfDeviceIoDirect, WdfDeviceIoNeither};
    PIO_STACK_LOCATION here;
    PIRP irp;
    if (!NT_SUCCESS(FxReceived(Request, &irp))) return WdfDeviceIoUndefined;
    here = IoGetCurrentIrpStackLocation(irp);
    if (here->MajorFunction == IRP_MJ_DEVICE_CONTROL || here->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL)
        return types[here->Parameters.DeviceIoControl.IoControlCode & 3];
    return (WDF_DEVICE_IO_TYPE)wsklab_ask(Request, "Request.device.io_type");
}

/* Register the routine for the next send only; NULL removes it. Facts: KMDF-CRT-01 to 06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestSetCompletionRoutine(WDFREQUEST Request, PFN_WDF_REQUEST_COMPLETION_ROUTINE CompletionRoutine,
                                    WDFCONTEXT CompletionContext)
{
    wsklab_ask(Request, "Request.call_back", CompletionRoutine, CompletionContext);
}
