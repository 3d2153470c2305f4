/*
 * wdfbuffers.c: what a received request asks for, and where its buffers are: by the device's I/O type or the transfer method.
 * Facts: KMDF-BUF, KMDF-GET. Page: accessing-data-buffers-in-wdf-drivers.md.
 */

/* The IRP of a request that the driver received and still has; a breakpoint when not. Facts: KMDF-CRE-04, RULE-27, 28. */
static NTSTATUS FxReceived(WDFREQUEST Request, PIRP *Irp)
{
    PFX_REQUEST request = FxRequest(Request);
    *Irp = wsklab_request_irp(Request);
    if (request->Completed) {
        wsklab_wdf_break("kmdf-request-touched-after-completion", Request, "");
        return STATUS_INTERNAL_ERROR;
    }
    if (*Irp != NULL && (*Irp)->CurrentLocation <= (*Irp)->StackCount) return STATUS_SUCCESS;
    wsklab_wdf_break("kmdf-request-parameters", Request, "");
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* Where an IRP has a buffer of a kind. */
static NTSTATUS FxPlace(PIRP Irp, WDF_DEVICE_IO_TYPE Type, size_t Length, PVOID Raw, PFX_PLACE Place)
{
    Place->Length = Length;
    Place->Address = Type == WdfDeviceIoBuffered ? Irp->AssociatedIrp.SystemBuffer : Raw;
    if (Type != WdfDeviceIoDirect) return STATUS_SUCCESS;
    Place->Mdl = Irp->MdlAddress;
    Place->Address = Place->Mdl != NULL ? MmGetSystemAddressForMdlSafe(Place->Mdl, NormalPagePriority) : NULL;
    return Place->Mdl != NULL && Place->Address == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static ULONG FxControlLength(PIO_STACK_LOCATION Location, BOOLEAN Output)
{
    return Output ? Location->Parameters.DeviceIoControl.OutputBufferLength
                  : Location->Parameters.DeviceIoControl.InputBufferLength;
}

/* Status and place of a request's input or output; with METHOD_BUFFERED both are one buffer. Facts: KMDF-BUF-01, 02, 04, 05, 07,
   RULE-67, KMDF-MIS-51. */
static NTSTATUS FxLocate(WDFREQUEST Request, BOOLEAN Output, size_t Minimum, PFX_PLACE Place)
{
    PFX_REQUEST request = FxRequest(Request);
    PIO_STACK_LOCATION here;
    WDF_DEVICE_IO_TYPE type;
    NTSTATUS status;
    ULONG length;
    PVOID raw;
    PIRP irp;
    RtlZeroMemory(Place, sizeof(FX_PLACE));
    status = FxReceived(Request, &irp);
    if (!NT_SUCCESS(status)) return status;
    here = irp->Tail.Overlay.CurrentStackLocation;
    if (here->MajorFunction == IRP_MJ_READ || here->MajorFunction == IRP_MJ_WRITE) {
        type = request->Device != NULL ? FxDevice(request->Device)->Init.IoType : WdfDeviceIoNeither;
        if (Output != (here->MajorFunction == IRP_MJ_READ) || type == WdfDeviceIoNeither) return STATUS_INVALID_DEVICE_REQUEST;
        length = here->Parameters.Read.Length;
        raw = irp->UserBuffer;
    } else if (here->MajorFunction == IRP_MJ_DEVICE_CONTROL || here->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL) {
        ULONG method = here->Parameters.DeviceIoControl.IoControlCode & 3;
        if (method == METHOD_NEITHER && here->MajorFunction == IRP_MJ_DEVICE_CONTROL && irp->RequestorMode != KernelMode)
            return STATUS_INVALID_DEVICE_REQUEST;
        type = method == METHOD_NEITHER ? WdfDeviceIoNeither : WdfDeviceIoBuffered;
        if (Output && type == WdfDeviceIoBuffered && method != METHOD_BUFFERED) type = WdfDeviceIoDirect;
        length = FxControlLength(here, Output);
        raw = Output ? irp->UserBuffer : here->Parameters.DeviceIoControl.Type3InputBuffer;
    } else {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    status = length != 0 && length >= Minimum ? FxPlace(irp, type, length, raw, Place) : STATUS_BUFFER_TOO_SMALL;
    if (!NT_SUCCESS(status)) RtlZeroMemory(Place, sizeof(FX_PLACE));
    return status;
}

/* The memory object that is part of a request. Facts: KMDF-BUF-08 to 10, KMDF-OBJ-26. */
static NTSTATUS FxRequestMemory(WDFREQUEST Request, BOOLEAN Output, WDFMEMORY *Memory)
{
    PFX_REQUEST request = FxRequest(Request);
    FX_PLACE place;
    NTSTATUS status;
    wsklab_given(Memory, "Memory");
    *Memory = NULL;
    status = FxLocate(Request, Output, 0, &place);
    if (!NT_SUCCESS(status)) return status;
    if (request->Memories[Output] == NULL) {
        PIO_STACK_LOCATION here = FxLocation(request);
        BOOLEAN transfer = here->MajorFunction == IRP_MJ_READ || here->MajorFunction == IRP_MJ_WRITE;
        ULONG method = transfer ? METHOD_BUFFERED : here->Parameters.DeviceIoControl.IoControlCode & 3;
        PFX_MEMORY memory;
        status = FxMakeMemory(FX_TYPE_REQUEST_MEMORY, WDF_NO_OBJECT_ATTRIBUTES, Request, NULL, 0, &request->Memories[Output]);
        if (!NT_SUCCESS(status)) return status;
        memory = (PFX_MEMORY)wsklab_wdf(request->Memories[Output], FX_TYPE_MEMORY);
        memory->Request = Request;
        memory->Output = Output;
        memory->ReadOnly = here->MajorFunction == IRP_MJ_WRITE || method == METHOD_IN_DIRECT ||
                           (method == METHOD_OUT_DIRECT && !Output);
        wsklab_wdf_keep(request->Memories[Output]);
    }
    *Memory = request->Memories[Output];
    return STATUS_SUCCESS;
}

/* Address and length of a buffer; the outputs are cleared first. Facts: KMDF-BUF-02, 03. */
static NTSTATUS FxRequestBuffer(WDFREQUEST Request, BOOLEAN Output, size_t Minimum, PVOID *Buffer, size_t *Length)
{
    FX_PLACE place;
    NTSTATUS status;
    wsklab_given(Buffer, "Buffer");
    status = FxLocate(Request, Output, Minimum, &place);
    *Buffer = place.Address;
    if (Length != NULL) *Length = place.Length;
    return status;
}

/* The MDL of a buffer: the one that came, or one built over it, which goes with the request. Facts: KMDF-BUF-01, 04, 05. */
static NTSTATUS FxRequestMdl(WDFREQUEST Request, BOOLEAN Output, PMDL *Mdl)
{
    PFX_REQUEST request = FxRequest(Request);
    FX_PLACE place;
    NTSTATUS status;
    wsklab_given(Mdl, "Mdl");
    *Mdl = NULL;
    status = FxLocate(Request, Output, 0, &place);
    if (!NT_SUCCESS(status)) return status;
    if (place.Mdl == NULL && request->Mdls[Output] == NULL)
        request->Mdls[Output] = wsklab_mdl_build(place.Address, place.Length, Output);
    *Mdl = place.Mdl != NULL ? place.Mdl : request->Mdls[Output];
    return STATUS_SUCCESS;
}

/* The request's input as a memory object. Facts: KMDF-BUF-01, 08. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRetrieveInputMemory(WDFREQUEST Request, WDFMEMORY *Memory)
{
    return FxRequestMemory(Request, FALSE, Memory);
}

/* The request's output as a memory object. Facts: KMDF-BUF-01, 08. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRetrieveOutputMemory(WDFREQUEST Request, WDFMEMORY *Memory)
{
    return FxRequestMemory(Request, TRUE, Memory);
}

/* Address and length of the request's input. Facts: KMDF-BUF-01 to 06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRetrieveInputBuffer(WDFREQUEST Request, size_t MinimumRequiredLength, PVOID *Buffer, size_t *Length)
{
    return FxRequestBuffer(Request, FALSE, MinimumRequiredLength, Buffer, Length);
}

/* Address and length of the room for the request's output. Facts: KMDF-BUF-01 to 06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRetrieveOutputBuffer(WDFREQUEST Request, size_t MinimumRequiredSize, PVOID *Buffer, size_t *Length)
{
    return FxRequestBuffer(Request, TRUE, MinimumRequiredSize, Buffer, Length);
}

/* The MDL of the request's input. Facts: KMDF-BUF-01, 04, 05. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRetrieveInputWdmMdl(WDFREQUEST Request, PMDL *Mdl)
{
    return FxRequestMdl(Request, FALSE, Mdl);
}

/* The MDL of the request's output. Facts: KMDF-BUF-01, 04, 05. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfRequestRetrieveOutputWdmMdl(WDFREQUEST Request, PMDL *Mdl)
{
    return FxRequestMdl(Request, TRUE, Mdl);
}

/* Whether a request may be asked for user buffers here. Facts: KMDF-BUF-11, RULE-29. */
static BOOLEAN FxInCallerContext(WDFREQUEST Request, PCSTR Function)
{
    return FxRequest(Request)->InCallerContext || !wsklab_wdf_break("kmdf-unsafe-buffer", Request, "function=%s", Function);
}

/* A user buffer, as its sender gave it: of Neither I/O and METHOD_NEITHER only. Facts: KMDF-BUF-11. */
static NTSTATUS FxUserBuffer(WDFREQUEST Request, BOOLEAN Output, size_t Minimum, PVOID *Buffer, size_t *Length, PCSTR Function)
{
    PFX_REQUEST request = FxRequest(Request);
    PIO_STACK_LOCATION here;
    NTSTATUS status;
    ULONG length;
    PIRP irp;
    wsklab_given(Buffer, "Buffer");
    *Buffer = NULL;
    if (Length != NULL) *Length = 0;
    status = FxReceived(Request, &irp);
    if (!NT_SUCCESS(status)) return status;
    if (!FxInCallerContext(Request, Function)) return STATUS_INVALID_DEVICE_REQUEST;
    here = irp->Tail.Overlay.CurrentStackLocation;
    if (here->MajorFunction == IRP_MJ_READ || here->MajorFunction == IRP_MJ_WRITE) {
        if (Output != (here->MajorFunction == IRP_MJ_READ) || FxDevice(request->Device)->Init.IoType != WdfDeviceIoNeither)
            return STATUS_INVALID_DEVICE_REQUEST;
        length = here->Parameters.Read.Length;
    } else {
        if ((here->Parameters.DeviceIoControl.IoControlCode & 3) != METHOD_NEITHER) return STATUS_INVALID_DEVICE_REQUEST;
        length = FxControlLength(here, Output);
    }
    if (length == 0 || length < Minimum) return STATUS_BUFFER_TOO_SMALL;
    *Buffer = Output || here->MajorFunction == IRP_MJ_WRITE ? irp->UserBuffer : here->Parameters.DeviceIoControl.Type3InputBuffer;
    if (Length != NULL) *Length = length;
    return STATUS_SUCCESS;
}

/* The request's input buffer in user space. Facts: KMDF-BUF-11. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS WdfRequestRetrieveUnsafeUserInputBuffer(WDFREQUEST Request, size_t MinimumRequiredLength, PVOID *InputBuffer,
                                                 size_t *Length)
{
    return FxUserBuffer(Request, FALSE, MinimumRequiredLength, InputBuffer, Length, "WdfRequestRetrieveUnsafeUserInputBuffer");
}

/* The request's output buffer in user space. Facts: KMDF-BUF-11. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS WdfRequestRetrieveUnsafeUserOutputBuffer(WDFREQUEST Request, size_t MinimumRequiredLength, PVOID *OutputBuffer,
                                                  size_t *Length)
{
    return FxUserBuffer(Request, TRUE, MinimumRequiredLength, OutputBuffer, Length, "WdfRequestRetrieveUnsafeUserOutputBuffer");
}

/* Probe and lock a user buffer; the memory is a child of the request. Facts: KMDF-BUF-12. */
static NTSTATUS FxLock(WDFREQUEST Request, PVOID Buffer, size_t Length, BOOLEAN Write, WDFMEMORY *Memory, PCSTR Function)
{
    NTSTATUS status;
    PIRP irp;
    FxRequest(Request);
    wsklab_given(Memory, "MemoryObject");
    *Memory = NULL;
    if (Length == 0) return STATUS_INVALID_USER_BUFFER;
    status = FxReceived(Request, &irp);
    if (!NT_SUCCESS(status)) return STATUS_INVALID_DEVICE_REQUEST;
    if (!FxInCallerContext(Request, Function)) return STATUS_INVALID_DEVICE_REQUEST;
    status = FxMakeMemory(FX_TYPE_REQUEST_MEMORY, WDF_NO_OBJECT_ATTRIBUTES, Request, Buffer, Length, Memory);
    if (NT_SUCCESS(status)) {
        PFX_MEMORY memory = (PFX_MEMORY)wsklab_wdf(*Memory, FX_TYPE_MEMORY);
        memory->Place.Mdl = wsklab_mdl_build(Buffer, Length, Write);
        memory->Locked = TRUE;
        memory->ReadOnly = !Write;
    }
    return status;
}

/* Lock a user buffer that will be read. Facts: KMDF-BUF-12. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS WdfRequestProbeAndLockUserBufferForRead(WDFREQUEST Request, PVOID Buffer, size_t Length, WDFMEMORY *MemoryObject)
{
    return FxLock(Request, Buffer, Length, FALSE, MemoryObject, "WdfRequestProbeAndLockUserBufferForRead");
}

/* Lock a user buffer that will be written. Facts: KMDF-BUF-12. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS WdfRequestProbeAndLockUserBufferForWrite(WDFREQUEST Request, PVOID Buffer, size_t Length, WDFMEMORY *MemoryObject)
{
    return FxLock(Request, Buffer, Length, TRUE, MemoryObject, "WdfRequestProbeAndLockUserBufferForWrite");
}

/* What a received request asks for. Facts: KMDF-GET-07 to 09, RULE-27, RULE-73, KMDF-CRE-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfRequestGetParameters(WDFREQUEST Request, PWDF_REQUEST_PARAMETERS Parameters)
{
    PIO_STACK_LOCATION here;
    PIRP irp;
    FxRequest(Request);
    wsklab_given(Parameters, "Parameters");
    if (Parameters->Size != sizeof(WDF_REQUEST_PARAMETERS)) {
        wsklab_wdf_break("kmdf-structure-size", Request, "structure=WDF_REQUEST_PARAMETERS;size=%d;expected=%d", Parameters->Size,
                         (int)sizeof(WDF_REQUEST_PARAMETERS));
        return;
    }
    if (!NT_SUCCESS(FxReceived(Request, &irp))) return;
    if (FxRequest(Request)->Queue != NULL && FxQueue(FxRequest(Request)->Queue)->InPowerCallback)
        wsklab_wdf_strict("kmdf-parameters-in-io-stop", Request, "");
    here = irp->Tail.Overlay.CurrentStackLocation;
    RtlMoveMemory(&Parameters->Parameters, &here->Parameters, sizeof(Parameters->Parameters));
    Parameters->Type = (WDF_REQUEST_TYPE)here->MajorFunction;
    Parameters->MinorFunction = here->MinorFunction;
    if (here->MajorFunction == IRP_MJ_DEVICE_CONTROL && (here->Parameters.DeviceIoControl.IoControlCode & 3) == METHOD_NEITHER &&
        wsklab_wdf_verifies(Request))
        Parameters->Parameters.DeviceIoControl.Type3InputBuffer = NULL;
}

/* The IRP; NULL once completed. Facts: KMDF-GET-10, KMDF-CHG-07. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PIRP WdfRequestWdmGetIrp(WDFREQUEST Request)
{
    if (FxRequest(Request)->Completed) {
        wsklab_wdf_break("kmdf-request-touched-after-completion", Request, "");
        return NULL;
    }
    return wsklab_request_irp(Request);
}

/* The queue a request is in or came from; NULL for none. Facts: KMDF-GET-11. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFQUEUE WdfRequestGetIoQueue(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    return request->Completed ? NULL : request->Queue;
}
