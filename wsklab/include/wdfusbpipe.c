/*
 * wdfusbpipe.c: USB transfers: formats down to the URB in the next stack location, and senders that wait.
 *
 * A format leaves completion params of type WdfRequestTypeUsb, whose own part lies with the URB (KMDF-CPP, table of 2.21). Unlike
 * other formats it takes nothing over from the current stack location. Follows fxusbpipe*.cpp, fxusbdevicekm.cpp, usbutil.cpp.
 */
enum { FX_FAMILY_USB_TRANSFER = 2, FX_FAMILY_USB_CONTROL, FX_FAMILY_USB_PIPE, FX_FAMILY_USB_URB };

/* The next stack location is empty; a URB of zeros and its completion params. */
static NTSTATUS FxUsbBegin(WSKLAB_FORMAT *Format, ULONG Family, WDF_USB_REQUEST_TYPE Type, PFX_USB_TRANSFER *Transfer)
{
    NTSTATUS status = wsklab_format_begin(Format, IRP_MJ_INTERNAL_DEVICE_CONTROL, Family);
    if (!NT_SUCCESS(status)) return status;
    Format->Next->Flags = 0;
    Format->Next->FileObject = NULL;
    *Transfer = (PFX_USB_TRANSFER)wsklab_ask(Format->Request, "Request.context.system_buffer", sizeof(FX_USB_TRANSFER));
    RtlZeroMemory(*Transfer, sizeof(FX_USB_TRANSFER));
    (*Transfer)->Params.Type = Type;
    (*Transfer)->Urb = &(*Transfer)->Own;
    return STATUS_SUCCESS;
}

static NTSTATUS FxUsbEnd(WSKLAB_FORMAT *Format, PFX_USB_TRANSFER Transfer)
{
    Format->Next->Parameters.DeviceIoControl.IoControlCode = IOCTL_INTERNAL_USB_SUBMIT_URB;
    Format->Next->Parameters.Others.Argument1 = Transfer->Urb;
    Format->Params->Parameters.Usb.Completion = &Transfer->Params;
    return wsklab_format_end(Format, WdfRequestTypeUsb, NULL, FALSE);
}

/* The IRP is back: what the URB says goes into the completion params. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_usb_completed(PWDF_REQUEST_COMPLETION_PARAMS Params, PFX_USB_TRANSFER Transfer)
{
    ULONG length = Transfer->Own.UrbControlTransfer.TransferBufferLength;
    Transfer->Params.UsbdStatus = URB_STATUS(Transfer->Urb);
    if (Transfer->Params.Type == WdfUsbRequestTypeDeviceControlTransfer) {
        Transfer->Params.Parameters.DeviceControlTransfer.Length = length;
        Params->IoStatus.Information = length;
    } else if (Transfer->Params.Type == WdfUsbRequestTypePipeRead || Transfer->Params.Type == WdfUsbRequestTypePipeWrite) {
        Transfer->Params.Parameters.PipeRead.Length = length;
        Params->IoStatus.Information = length;
    }
}

/* Where the data are: a memory that has an MDL gives that, or one of its part. */
static void FxUsbData(WSKLAB_FORMAT *Format, BOOLEAN Write, PVOID *Buffer, PMDL *Mdl, PULONG Length)
{
    WSKLAB_PART *part = &Format->Parts[0];
    *Length = part->Length;
    if (part->Memory != NULL && FxMemory(part->Memory)->Place.Mdl != NULL) *Mdl = wsklab_format_direct(Format, part, Write);
    else *Buffer = part->Address;
}

/* Whether a pipe can transfer so much in a direction: only whole packets come in. */
static NTSTATUS FxMayTransfer(PFX_USB_PIPE Pipe, size_t Length, BOOLEAN In)
{
    USBD_PIPE_TYPE type = Pipe->Information.PipeType;
    if (type != UsbdPipeTypeBulk && type != UsbdPipeTypeInterrupt) return STATUS_INVALID_DEVICE_REQUEST;
    if (In != (USB_ENDPOINT_DIRECTION_IN(Pipe->Information.EndpointAddress) != 0)) return STATUS_INVALID_DEVICE_REQUEST;
    if (In && !Pipe->AnyLength && Length % Pipe->Information.MaximumPacketSize != 0) return STATUS_INVALID_BUFFER_SIZE;
    return STATUS_SUCCESS;
}

static NTSTATUS FxFormatTransfer(WDFUSBPIPE Pipe, WDFREQUEST Request, WDFMEMORY Memory, PWDFMEMORY_OFFSET Offsets, ULONG Flags)
{
    PFX_USB_PIPE pipe = FxPipe(Pipe);
    WSKLAB_FORMAT format = {(WDFIOTARGET)Pipe, Request};
    BOOLEAN in = Flags & USBD_TRANSFER_DIRECTION_IN;
    struct _URB_BULK_OR_INTERRUPT_TRANSFER *urb;
    PFX_USB_TRANSFER transfer;
    NTSTATUS status;
    wsklab_ask(Request, "Request.handle");
    status = wsklab_format_select(&format, 0, Memory, Offsets);
    if (NT_SUCCESS(status)) status = FxMayTransfer(pipe, format.Parts[0].Length, in);
    if (NT_SUCCESS(status))
        status = FxUsbBegin(&format, FX_FAMILY_USB_TRANSFER, in ? WdfUsbRequestTypePipeRead : WdfUsbRequestTypePipeWrite,
                            &transfer);
    if (!NT_SUCCESS(status)) return status;
    urb = &transfer->Own.UrbBulkOrInterruptTransfer;
    urb->Hdr.Length = sizeof(*urb);
    urb->Hdr.Function = URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER;
    urb->PipeHandle = pipe->Information.PipeHandle;
    urb->TransferFlags = Flags;
    FxUsbData(&format, in, &urb->TransferBuffer, &urb->TransferBufferMDL, &urb->TransferBufferLength);
    transfer->Params.Parameters.PipeRead.Buffer = Memory;
    transfer->Params.Parameters.PipeRead.Length = format.Parts[0].Length;
    transfer->Params.Parameters.PipeRead.Offset = format.Parts[0].Offset;
    return FxUsbEnd(&format, transfer);
}

/* Format a read from a pipe. Page: WdfUsbTargetPipeFormatRequestForRead. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeFormatRequestForRead(WDFUSBPIPE Pipe, WDFREQUEST Request, WDFMEMORY ReadMemory,
                                              PWDFMEMORY_OFFSET ReadOffset)
{
    return FxFormatTransfer(Pipe, Request, ReadMemory, ReadOffset, USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK);
}

/* Format a write to a pipe. Page: WdfUsbTargetPipeFormatRequestForWrite. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeFormatRequestForWrite(WDFUSBPIPE Pipe, WDFREQUEST Request, WDFMEMORY WriteMemory,
                                               PWDFMEMORY_OFFSET WriteOffset)
{
    return FxFormatTransfer(Pipe, Request, WriteMemory, WriteOffset, USBD_TRANSFER_DIRECTION_OUT);
}

/* Format a transfer of the default pipe. Page: WdfUsbTargetDeviceFormatRequestForControlTransfer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceFormatRequestForControlTransfer(WDFUSBDEVICE UsbDevice, WDFREQUEST Request,
                                                           PWDF_USB_CONTROL_SETUP_PACKET SetupPacket, WDFMEMORY TransferMemory,
                                                           PWDFMEMORY_OFFSET TransferOffset)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    WSKLAB_FORMAT format = {(WDFIOTARGET)UsbDevice, Request};
    struct _URB_CONTROL_TRANSFER *urb;
    PFX_USB_TRANSFER transfer;
    NTSTATUS status;
    wsklab_given(SetupPacket, "SetupPacket");
    status = wsklab_format_select(&format, 0, TransferMemory, TransferOffset);
    wsklab_ask(Request, "Request.handle");
    if (NT_SUCCESS(status) && format.Parts[0].Length > MAXUSHORT) status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        status = FxUsbBegin(&format, FX_FAMILY_USB_CONTROL, WdfUsbRequestTypeDeviceControlTransfer, &transfer);
    if (!NT_SUCCESS(status)) return status;
    urb = &transfer->Own.UrbControlTransfer;
    urb->Hdr.Length = sizeof(*urb);
    urb->Hdr.Function = URB_FUNCTION_CONTROL_TRANSFER;
    FxUsbData(&format, TRUE, &urb->TransferBuffer, &urb->TransferBufferMDL, &urb->TransferBufferLength);
    RtlCopyMemory(urb->SetupPacket, SetupPacket, sizeof(urb->SetupPacket));
    ((PWDF_USB_CONTROL_SETUP_PACKET)urb->SetupPacket)->Packet.wLength = (USHORT)urb->TransferBufferLength;
    urb->TransferFlags = USBD_SHORT_TRANSFER_OK;
    if (SetupPacket->Packet.bm.Request.Dir == BMREQUEST_DEVICE_TO_HOST) urb->TransferFlags |= USBD_TRANSFER_DIRECTION_IN;
    if (device->OnUsbd) urb->PipeHandle = device->ControlPipe;
    else urb->TransferFlags |= USBD_DEFAULT_PIPE_TRANSFER;
    transfer->Params.Parameters.DeviceControlTransfer.SetupPacket = *SetupPacket;
    transfer->Params.Parameters.DeviceControlTransfer.Buffer = TransferMemory;
    return FxUsbEnd(&format, transfer);
}

/* A URB that is about a pipe and transfers nothing. */
static NTSTATUS FxFormatAboutPipe(WDFUSBPIPE Pipe, WDFREQUEST Request, USHORT Function)
{
    WSKLAB_FORMAT format = {(WDFIOTARGET)Pipe, Request};
    PFX_USB_PIPE pipe = FxPipe(Pipe);
    PFX_USB_TRANSFER transfer;
    NTSTATUS status;
    wsklab_ask(Request, "Request.handle");
    status = FxUsbBegin(&format, FX_FAMILY_USB_PIPE,
                        Function == URB_FUNCTION_ABORT_PIPE ? WdfUsbRequestTypePipeAbort : WdfUsbRequestTypePipeReset, &transfer);
    if (!NT_SUCCESS(status)) return status;
    transfer->Own.UrbPipeRequest.Hdr.Length = sizeof(transfer->Own.UrbPipeRequest);
    transfer->Own.UrbPipeRequest.Hdr.Function = Function;
    transfer->Own.UrbPipeRequest.PipeHandle = pipe->Information.PipeHandle;
    return FxUsbEnd(&format, transfer);
}

/* Format the cancelling of all transfers of a pipe. Page: WdfUsbTargetPipeFormatRequestForAbort. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeFormatRequestForAbort(WDFUSBPIPE Pipe, WDFREQUEST Request)
{
    return FxFormatAboutPipe(Pipe, Request, URB_FUNCTION_ABORT_PIPE);
}

/* Format the reset of a pipe, which clears a stall. Page: WdfUsbTargetPipeFormatRequestForReset. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeFormatRequestForReset(WDFUSBPIPE Pipe, WDFREQUEST Request)
{
    return FxFormatAboutPipe(Pipe, Request, URB_FUNCTION_RESET_PIPE);
}

/* A URB of the driver's, in a memory or where it lies. */
static NTSTATUS FxFormatUrb(WDFIOTARGET Target, WDFREQUEST Request, PURB Urb, WDFMEMORY Memory, WDF_USB_REQUEST_TYPE Type)
{
    WSKLAB_FORMAT format = {Target, Request};
    PFX_USB_TRANSFER transfer;
    NTSTATUS status = FxUsbBegin(&format, FX_FAMILY_USB_URB, Type, &transfer);
    if (!NT_SUCCESS(status)) return status;
    transfer->Urb = Urb;
    transfer->Params.Parameters.PipeUrb.Buffer = Memory;
    format.Parts[0].Memory = Memory;
    return FxUsbEnd(&format, transfer);
}

static NTSTATUS FxFormatUrbMemory(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Memory, PWDFMEMORY_OFFSET Offsets,
                                  WDF_USB_REQUEST_TYPE Type)
{
    WSKLAB_FORMAT format = {Target, Request};
    NTSTATUS status;
    wsklab_given(Memory, "UrbMemory");
    wsklab_ask(Request, "Request.handle");
    status = wsklab_format_select(&format, 0, Memory, Offsets);
    if (NT_SUCCESS(status) && format.Parts[0].Length < sizeof(struct _URB_HEADER)) status = STATUS_INVALID_PARAMETER;
    return NT_SUCCESS(status) ? FxFormatUrb(Target, Request, (PURB)format.Parts[0].Address, Memory, Type) : status;
}

/* Format a request with a URB of the driver's for the device. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceFormatRequestForUrb(WDFUSBDEVICE UsbDevice, WDFREQUEST Request, WDFMEMORY UrbMemory,
                                               PWDFMEMORY_OFFSET UrbMemoryOffset)
{
    FxUsbDevice(UsbDevice);
    return FxFormatUrbMemory((WDFIOTARGET)UsbDevice, Request, UrbMemory, UrbMemoryOffset, WdfUsbRequestTypeDeviceUrb);
}

/* Format a request with a URB of the driver's for a pipe. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeFormatRequestForUrb(WDFUSBPIPE PIPE, WDFREQUEST Request, WDFMEMORY UrbMemory,
                                             PWDFMEMORY_OFFSET UrbMemoryOffset)
{
    FxPipe(PIPE);
    return FxFormatUrbMemory((WDFIOTARGET)PIPE, Request, UrbMemory, UrbMemoryOffset, WdfUsbRequestTypePipeUrb);
}

/* The format that a synchronous sender asks for. */
static NTSTATUS FxUsbFormat(WSKLAB_SEND *Send, WDFREQUEST Request)
{
    WDFUSBPIPE pipe = (WDFUSBPIPE)Send->Target;
    if (Send->Usb.Urb != NULL) return FxFormatUrb(Send->Target, Request, Send->Usb.Urb, NULL, WdfUsbRequestTypeNoFormat);
    if (Send->Usb.Function != 0) return FxFormatAboutPipe(pipe, Request, Send->Usb.Function);
    if (Send->Usb.Setup == NULL) return FxFormatTransfer(pipe, Request, Send->Memories[0], Send->Offsets[0], Send->Usb.Flags);
    return WdfUsbTargetDeviceFormatRequestForControlTransfer((WDFUSBDEVICE)Send->Target, Request, Send->Usb.Setup,
                                                             Send->Memories[0], Send->Offsets[0]);
}

static ULONG FxUsbTransferred(WDFREQUEST Request)
{
    PFX_USB_TRANSFER transfer = (PFX_USB_TRANSFER)wsklab_ask(Request, "Request.context.system");
    return transfer->Own.UrbControlTransfer.TransferBufferLength;
}

static NTSTATUS FxSendTransfer(WDFUSBPIPE Pipe, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS Options,
                               PWDF_MEMORY_DESCRIPTOR Descriptor, PULONG Transferred, ULONG Flags, PCSTR Function)
{
    WSKLAB_SEND send = {(WDFIOTARGET)Pipe, WdfRequestTypeUsb, 0, NULL, {Descriptor}};
    NTSTATUS status;
    FxPipe(Pipe);
    send.Usb.Flags = Flags;
    status = wsklab_sync_send(&send, Request, Options, NULL, Function);
    if (Transferred != NULL) *Transferred = send.Usb.Transferred;
    return status;
}

/* Read from a pipe and wait. Page: WdfUsbTargetPipeReadSynchronously. Facts: KMDF-SSY-01 to 12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeReadSynchronously(WDFUSBPIPE Pipe, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                           PWDF_MEMORY_DESCRIPTOR MemoryDescriptor, PULONG BytesRead)
{
    return FxSendTransfer(Pipe, Request, RequestOptions, MemoryDescriptor, BytesRead,
                          USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK, "WdfUsbTargetPipeReadSynchronously");
}

/* Write to a pipe and wait. Page: WdfUsbTargetPipeWriteSynchronously. Facts: KMDF-SSY-01 to 12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeWriteSynchronously(WDFUSBPIPE Pipe, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                            PWDF_MEMORY_DESCRIPTOR MemoryDescriptor, PULONG BytesWritten)
{
    return FxSendTransfer(Pipe, Request, RequestOptions, MemoryDescriptor, BytesWritten, USBD_TRANSFER_DIRECTION_OUT,
                          "WdfUsbTargetPipeWriteSynchronously");
}

/* A transfer of the default pipe, and wait. Facts: KMDF-SSY-01 to 12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceSendControlTransferSynchronously(WDFUSBDEVICE UsbDevice, WDFREQUEST Request,
                                                            PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                                            PWDF_USB_CONTROL_SETUP_PACKET SetupPacket,
                                                            PWDF_MEMORY_DESCRIPTOR MemoryDescriptor, PULONG BytesTransferred)
{
    WSKLAB_SEND send = {(WDFIOTARGET)UsbDevice, WdfRequestTypeUsb, 0, NULL, {MemoryDescriptor}};
    NTSTATUS status;
    FxUsbDevice(UsbDevice);
    wsklab_given(SetupPacket, "SetupPacket");
    send.Usb.Setup = SetupPacket;
    status = wsklab_sync_send(&send, Request, RequestOptions, NULL, "WdfUsbTargetDeviceSendControlTransferSynchronously");
    if (BytesTransferred != NULL) *BytesTransferred = NT_SUCCESS(status) ? send.Usb.Transferred : 0;
    return status;
}

static NTSTATUS FxSendOther(WDFIOTARGET Target, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS Options, USHORT UrbFunction,
                            PURB Urb, PCSTR Function)
{
    WSKLAB_SEND send = {Target, WdfRequestTypeUsb};
    send.Usb.Function = UrbFunction;
    send.Usb.Urb = Urb;
    return wsklab_sync_send(&send, Request, Options, NULL, Function);
}

/* Cancel all transfers of a pipe and wait. Page: WdfUsbTargetPipeAbortSynchronously. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeAbortSynchronously(WDFUSBPIPE Pipe, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS RequestOptions)
{
    FxPipe(Pipe);
    return FxSendOther((WDFIOTARGET)Pipe, Request, RequestOptions, URB_FUNCTION_ABORT_PIPE, NULL,
                       "WdfUsbTargetPipeAbortSynchronously");
}

/* Cancel what a pipe was sent, and reset it. Page: WdfUsbTargetPipeResetSynchronously. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeResetSynchronously(WDFUSBPIPE Pipe, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS RequestOptions)
{
    FxPipe(Pipe);
    return FxSendOther((WDFIOTARGET)Pipe, Request, RequestOptions, URB_FUNCTION_RESET_PIPE, NULL,
                       "WdfUsbTargetPipeResetSynchronously");
}

/* Send a URB of the driver's to the device and wait. Page: WdfUsbTargetDeviceSendUrbSynchronously. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceSendUrbSynchronously(WDFUSBDEVICE UsbDevice, WDFREQUEST Request,
                                                PWDF_REQUEST_SEND_OPTIONS RequestOptions, PURB Urb)
{
    FxUsbDevice(UsbDevice);
    wsklab_given(Urb, "Urb");
    return FxSendOther((WDFIOTARGET)UsbDevice, Request, RequestOptions, 0, Urb, "WdfUsbTargetDeviceSendUrbSynchronously");
}

/* Send a URB of the driver's to a pipe and wait. Page: WdfUsbTargetPipeSendUrbSynchronously. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeSendUrbSynchronously(WDFUSBPIPE Pipe, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                              PURB Urb)
{
    FxPipe(Pipe);
    wsklab_given(Urb, "Urb");
    return FxSendOther((WDFIOTARGET)Pipe, Request, RequestOptions, 0, Urb, "WdfUsbTargetPipeSendUrbSynchronously");
}

/* What is known of a pipe. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfUsbTargetPipeGetInformation(WDFUSBPIPE Pipe, PWDF_USB_PIPE_INFORMATION PipeInformation)
{
    PFX_USB_PIPE pipe = FxPipe(Pipe);
    wsklab_given(PipeInformation, "PipeInformation");
    PipeInformation->MaximumPacketSize = pipe->Information.MaximumPacketSize;
    PipeInformation->EndpointAddress = pipe->Information.EndpointAddress;
    PipeInformation->Interval = pipe->Information.Interval;
    PipeInformation->PipeType = WdfUsbTargetPipeGetType(Pipe);
    PipeInformation->MaximumTransferSize = pipe->Information.MaximumTransferSize;
    PipeInformation->SettingIndex = FxUsbInterface(pipe->Interface)->Setting;
}

/* Control, isochronous, bulk or interrupt. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDF_USB_PIPE_TYPE WdfUsbTargetPipeGetType(WDFUSBPIPE Pipe)
{
    return (WDF_USB_PIPE_TYPE)(FxPipe(Pipe)->Information.PipeType + WdfUsbPipeTypeControl);
}

/* Whether the device sends on a pipe. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfUsbTargetPipeIsInEndpoint(WDFUSBPIPE Pipe)
{
    return WDF_USB_PIPE_DIRECTION_IN(FxPipe(Pipe)->Information.EndpointAddress);
}

/* Whether the device gets on a pipe. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfUsbTargetPipeIsOutEndpoint(WDFUSBPIPE Pipe)
{
    return WDF_USB_PIPE_DIRECTION_OUT(FxPipe(Pipe)->Information.EndpointAddress);
}

/* Reads need not be of whole packets. Page: WdfUsbTargetPipeSetNoMaximumPacketSizeCheck. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfUsbTargetPipeSetNoMaximumPacketSizeCheck(WDFUSBPIPE Pipe)
{
    FxPipe(Pipe)->AnyLength = TRUE;
}

/* The bus's handle of a pipe. */
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_PIPE_HANDLE WdfUsbTargetPipeWdmGetPipeHandle(WDFUSBPIPE UsbPipe)
{
    return FxPipe(UsbPipe)->Information.PipeHandle;
}
