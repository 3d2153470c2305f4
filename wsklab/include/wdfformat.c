/*
 * wdfformat.c: the functions that format a request for an I/O target, down to the IRP.
 *
 * What a format leaves with its request (Request.context) stays until the next one, a reuse or the request's end (KMDF-FMT-14). A
 * failed format leaves the request unformatted (KMDF-FMT-13). The state of the target is not looked at, and the completion routine
 * stays as it is (KMDF-FMT-16, 17). All may be called up to DISPATCH_LEVEL (KMDF-FMT-20). Handles are looked at in the order of the
 * parameters, and the statuses are those of these functions (KMDF-FMT-01, 21). Follows fact sheet 2.5 to 2.8.
 */

/* The part of a memory object that one request transfers; all zero when none was given. Facts: KMDF-FMT-02. */
typedef struct _WSKLAB_PART {
    WDFMEMORY Memory;
    PUCHAR Address;
    size_t Offset;
    ULONG Length;
} WSKLAB_PART;

/* One format under way. */
typedef struct _WSKLAB_FORMAT {
    WDFIOTARGET Target;
    WDFREQUEST Request;
    PIRP Irp;
    PIO_STACK_LOCATION Next;
    PWDF_REQUEST_COMPLETION_PARAMS Params;
    WSKLAB_PART Parts[3];
} WSKLAB_FORMAT;

/* What the offsets select; they are read only now. A length of 0 is the rest. Facts: KMDF-FMT-03 to 06, KMDF-MIS-18. */
static NTSTATUS wsklab_format_select(WSKLAB_FORMAT *Format, int Index, WDFMEMORY Memory, PWDFMEMORY_OFFSET Offsets)
{
    WSKLAB_PART *part = &Format->Parts[Index];
    size_t size, offset = 0, length = 0;
    PUCHAR buffer;
    if (!Memory) return STATUS_SUCCESS;
    buffer = (PUCHAR)WdfMemoryGetBuffer(Memory, &size);
    if (Offsets) {
        offset = Offsets->BufferOffset;
        length = Offsets->BufferLength;
    }
    if (offset + length < length || offset + length > size) {
        wsklab_wdf_strict("kmdf-offset-too-large", Format->Request, "offset=%I64u;length=%I64u;size=%I64u", offset, length, size);
        return STATUS_INTEGER_OVERFLOW;
    }
    part->Memory = Memory;
    part->Address = buffer + offset;
    part->Offset = offset;
    part->Length = (ULONG)(length ? length : size - offset);
    return STATUS_SUCCESS;
}

/* The target check, a context of the family, and the next stack location cleared. Facts: KMDF-CHG-01, KMDF-FMT-10 to 12, 14. */
static NTSTATUS wsklab_format_begin(WSKLAB_FORMAT *Format, UCHAR Major, ULONG Family)
{
    NTSTATUS status = (NTSTATUS)wsklab_ask(Format->Request, "Request.begin_format", Format->Target, Family);
    if (!NT_SUCCESS(status)) return status;
    Format->Irp = (PIRP)wsklab_ask(Format->Request, "Request.irp");
    Format->Params = (PWDF_REQUEST_COMPLETION_PARAMS)wsklab_ask(Format->Request, "Request.context.params");
    Format->Next = IoGetNextIrpStackLocation(Format->Irp);
    RtlZeroMemory(Format->Next, FIELD_OFFSET(IO_STACK_LOCATION, CompletionRoutine));
    Format->Next->MajorFunction = Major;
    if (!wsklab_ask(Format->Request, "Request.ownership")) {
        Format->Next->Flags = IoGetCurrentIrpStackLocation(Format->Irp)->Flags;
        Format->Next->FileObject = IoGetCurrentIrpStackLocation(Format->Irp)->FileObject;
    }
    if (wsklab_ask(Format->Target, "IoTarget.remote"))
        Format->Next->FileObject = (PFILE_OBJECT)wsklab_ask(Format->Target, "IoTarget.file_object");
    return STATUS_SUCCESS;
}

/* References on the memories, the verifier's mark; Counted gets Information at completion. Facts: KMDF-FMT-07, 19,
   KMDF-CPP-04. Success says that the request is formatted, and no more (KMDF-MIS-05). */
static NTSTATUS wsklab_format_end(WSKLAB_FORMAT *Format, WDF_REQUEST_TYPE Type, size_t *Counted, BOOLEAN CopyBack)
{
    WSKLAB_PART *parts = Format->Parts;
    Format->Params->Type = Type;
    wsklab_ask(Format->Request, "Request.context.finish", Counted, CopyBack, parts[0].Memory, parts[1].Memory, parts[2].Memory);
    return STATUS_SUCCESS;
}

/* An MDL over a part: the memory's own, or one built for it. Facts: KMDF-FRW-08, KMDF-FIO-06. */
static PMDL wsklab_format_direct(WSKLAB_FORMAT *Format, WSKLAB_PART *Part, BOOLEAN Write)
{
    if (!Part->Length) return NULL;
    return (PMDL)wsklab_ask(Format->Request, "Request.context.direct", Part->Memory, Part->Address, Part->Length, Write);
}

/* A non-paged buffer of Size bytes that begins with a part's bytes. Facts: KMDF-FRW-05 to 07, KMDF-MIS-17. */
static PVOID wsklab_format_system(WSKLAB_FORMAT *Format, ULONG Size, WSKLAB_PART *Part)
{
    PVOID system;
    if (!Size) return NULL;
    system = (PVOID)wsklab_ask(Format->Request, "Request.context.system_buffer", Size);
    if (Part && Part->Length) RtlCopyMemory(system, Part->Address, Part->Length);
    return system;
}

/* Read and write share everything but the direction. Facts: KMDF-FRW-01 to 11, KMDF-CPP-01 to 03, KMDF-MIS-16. */
static NTSTATUS wsklab_format_transfer(WSKLAB_FORMAT *Format, UCHAR Major, WDFMEMORY Memory, PWDFMEMORY_OFFSET Offsets,
                                PLONGLONG DeviceOffset)
{
    BOOLEAN reading = Major == IRP_MJ_READ;
    WSKLAB_PART *part = &Format->Parts[0];
    ULONG io_type;
    NTSTATUS status = wsklab_format_select(Format, 0, Memory, Offsets);
    if (NT_SUCCESS(status)) status = wsklab_format_begin(Format, Major, 0);
    if (!NT_SUCCESS(status)) return status;
    io_type = (ULONG)wsklab_ask(Format->Target, "IoTarget.io_type");
    if (!io_type) return STATUS_INVALID_DEVICE_STATE;
    Format->Next->Parameters.Read.Length = part->Length;
    if (DeviceOffset) Format->Next->Parameters.Read.ByteOffset.QuadPart = *DeviceOffset;
    wsklab_ask(Format->Request, "Request.context.save");
    if (io_type == WdfDeviceIoBuffered) {
        Format->Irp->AssociatedIrp.SystemBuffer = wsklab_format_system(Format, part->Length, reading ? NULL : part);
        Format->Irp->UserBuffer = reading ? part->Address : NULL;
    } else if (io_type == WdfDeviceIoDirect) {
        Format->Irp->MdlAddress = wsklab_format_direct(Format, part, reading);
    } else {
        Format->Irp->UserBuffer = part->Address;
    }
    Format->Params->Parameters.Read.Buffer = Memory;
    Format->Params->Parameters.Read.Offset = part->Offset;
    return wsklab_format_end(Format, (WDF_REQUEST_TYPE)Major, &Format->Params->Parameters.Read.Length,
                      reading && io_type == WdfDeviceIoBuffered && part->Length);
}

/* Format a read. Facts: KMDF-FRW-01, 05, 08, 09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetFormatRequestForRead(WDFIOTARGET IoTarget, WDFREQUEST Request, WDFMEMORY OutputBuffer,
                                         PWDFMEMORY_OFFSET OutputBufferOffset, PLONGLONG DeviceOffset)
{
    WSKLAB_FORMAT format = {IoTarget, Request};
    wsklab_ask(IoTarget, "IoTarget.handle");
    wsklab_ask(Request, "Request.handle");
    return wsklab_format_transfer(&format, IRP_MJ_READ, OutputBuffer, OutputBufferOffset, DeviceOffset);
}

/* Format a write; a buffered target's data is copied now; no memory is a write of nothing. Facts: KMDF-FRW-01 to 09, 14. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetFormatRequestForWrite(WDFIOTARGET IoTarget, WDFREQUEST Request, WDFMEMORY InputBuffer,
                                          PWDFMEMORY_OFFSET InputBufferOffset, PLONGLONG DeviceOffset)
{
    WSKLAB_FORMAT format = {IoTarget, Request};
    wsklab_ask(IoTarget, "IoTarget.handle");
    wsklab_ask(Request, "Request.handle");
    return wsklab_format_transfer(&format, IRP_MJ_WRITE, InputBuffer, InputBufferOffset, DeviceOffset);
}

/* Device control and internal device control, by transfer method. Facts: KMDF-FIO-01 to 09, KMDF-CON-18, KMDF-CPP-05. */
static NTSTATUS wsklab_format_control(WSKLAB_FORMAT *Format, UCHAR Major, ULONG Code, WDFMEMORY Input, PWDFMEMORY_OFFSET
    InputOffset,
                               WDFMEMORY Output, PWDFMEMORY_OFFSET OutputOffset)
{
    WSKLAB_PART *source = &Format->Parts[0], *room = &Format->Parts[1];
    ULONG method = Code & 3;
    NTSTATUS status;
    wsklab_ask(Format->Target, "IoTarget.handle");
    wsklab_ask(Format->Request, "Request.handle");
    status = wsklab_format_select(Format, 0, Input, InputOffset);
    if (NT_SUCCESS(status)) status = wsklab_format_select(Format, 1, Output, OutputOffset);
    if (NT_SUCCESS(status)) status = wsklab_format_begin(Format, Major, 0);
    if (!NT_SUCCESS(status)) return status;
    Format->Next->Parameters.DeviceIoControl.IoControlCode = Code;
    Format->Next->Parameters.DeviceIoControl.InputBufferLength = source->Length;
    Format->Next->Parameters.DeviceIoControl.OutputBufferLength = room->Length;
    wsklab_ask(Format->Request, "Request.context.save");
    if (method == METHOD_BUFFERED) {
        Format->Irp->AssociatedIrp.SystemBuffer =
            wsklab_format_system(Format, source->Length > room->Length ? source->Length : room->Length, source);
        Format->Irp->UserBuffer = room->Address;
    } else if (method == METHOD_NEITHER) {
        Format->Irp->UserBuffer = room->Address;
        Format->Next->Parameters.DeviceIoControl.Type3InputBuffer = source->Address;
    } else {
        Format->Irp->AssociatedIrp.SystemBuffer = source->Address;
        Format->Irp->MdlAddress = wsklab_format_direct(Format, room, method == METHOD_OUT_DIRECT);
    }
    Format->Params->Parameters.Ioctl.IoControlCode = Code;
    Format->Params->Parameters.Ioctl.Input.Buffer = Input;
    Format->Params->Parameters.Ioctl.Input.Offset = source->Offset;
    Format->Params->Parameters.Ioctl.Output.Buffer = Output;
    Format->Params->Parameters.Ioctl.Output.Offset = room->Offset;
    return wsklab_format_end(Format, (WDF_REQUEST_TYPE)Major, &Format->Params->Parameters.Ioctl.Output.Length,
                      method == METHOD_BUFFERED && room->Length);
}

/* Format a device control request. Facts: KMDF-FIO-01 to 09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetFormatRequestForIoctl(WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode, WDFMEMORY InputBuffer,
                                          PWDFMEMORY_OFFSET InputBufferOffset, WDFMEMORY OutputBuffer,
                                          PWDFMEMORY_OFFSET OutputBufferOffset)
{
    WSKLAB_FORMAT format = {IoTarget, Request};
    return wsklab_format_control(&format, IRP_MJ_DEVICE_CONTROL, IoctlCode, InputBuffer, InputBufferOffset, OutputBuffer,
                          OutputBufferOffset);
}

/* Format an internal device control request. Facts: KMDF-FIO-01 to 09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetFormatRequestForInternalIoctl(WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode,
                                                  WDFMEMORY InputBuffer, PWDFMEMORY_OFFSET InputBufferOffset,
                                                  WDFMEMORY OutputBuffer, PWDFMEMORY_OFFSET OutputBufferOffset)
{
    WSKLAB_FORMAT format = {IoTarget, Request};
    return wsklab_format_control(&format, IRP_MJ_INTERNAL_DEVICE_CONTROL, IoctlCode, InputBuffer, InputBufferOffset, OutputBuffer,
                          OutputBufferOffset);
}

/* Format an internal request with three pointers; the code takes the place of the third. Facts: KMDF-FOT-01 to 04,
   KMDF-MIS-39. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfIoTargetFormatRequestForInternalIoctlOthers(WDFIOTARGET IoTarget, WDFREQUEST Request, ULONG IoctlCode,
                                                        WDFMEMORY OtherArg1, PWDFMEMORY_OFFSET OtherArg1Offset,
                                                        WDFMEMORY OtherArg2, PWDFMEMORY_OFFSET OtherArg2Offset,
                                                        WDFMEMORY OtherArg4, PWDFMEMORY_OFFSET OtherArg4Offset)
{
    WSKLAB_FORMAT format = {IoTarget, Request};
    NTSTATUS status;
    wsklab_ask(IoTarget, "IoTarget.handle");
    wsklab_ask(Request, "Request.handle");
    status = wsklab_format_select(&format, 0, OtherArg1, OtherArg1Offset);
    if (NT_SUCCESS(status)) status = wsklab_format_select(&format, 1, OtherArg2, OtherArg2Offset);
    if (NT_SUCCESS(status)) status = wsklab_format_select(&format, 2, OtherArg4, OtherArg4Offset);
    if (NT_SUCCESS(status)) status = wsklab_format_begin(&format, IRP_MJ_INTERNAL_DEVICE_CONTROL, 1);
    if (!NT_SUCCESS(status)) return status;
    format.Next->Parameters.Others.Argument1 = format.Parts[0].Address;
    format.Next->Parameters.Others.Argument2 = format.Parts[1].Address;
    format.Next->Parameters.Others.Argument4 = format.Parts[2].Address;
    format.Next->Parameters.DeviceIoControl.IoControlCode = IoctlCode;
    format.Params->Parameters.Others.Argument1.Ptr = OtherArg1;
    format.Params->Parameters.Others.Argument2.Ptr = OtherArg2;
    format.Params->Parameters.Others.Argument4.Ptr = OtherArg4;
    return wsklab_format_end(&format, WdfRequestTypeOther, NULL, FALSE);
}
