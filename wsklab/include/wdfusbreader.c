/*
 * wdfusbreader.c: continuous readers: so many reads are always under way on a pipe, each with a memory of its own that the driver
 * gets when data have come. They begin with WdfIoTargetStart and end with WdfIoTargetStop or Purge, which then always cancel and
 * wait. Follows fxusbpipe.cpp. Page: reading-from-a-pipe.md.
 */
enum { FX_READS_USUAL = 2, FX_READS_MOST = 10 };

typedef struct _FX_USB_READ {
    struct _FX_USB_READER *Reader;
    WDFREQUEST Request;
    WDFMEMORY Memory;
    KDPC Dpc; /* sends it again: a read that is answered at once must not nest */
    BOOLEAN Out;
} FX_USB_READ, *PFX_USB_READ;

typedef struct _FX_USB_READER {
    WDFUSBPIPE Pipe;
    WDF_USB_CONTINUOUS_READER_CONFIG Config;
    WDF_OBJECT_ATTRIBUTES Attributes;
    WDFMEMORY_OFFSET Offsets;
    size_t Size;
    KEVENT Idle; /* none is out */
    UCHAR Count;
    UCHAR OutCount;
    UCHAR FailedCount;
    UCHAR Left; /* to be deleted, once the pipe is gone */
    BOOLEAN Submitted;
    BOOLEAN Recovering;
    BOOLEAN Gone;
    NTSTATUS Status; /* of the read that failed */
    USBD_STATUS UsbdStatus;
    FX_USB_READ Reads[1];
} FX_USB_READER, *PFX_USB_READER;

static struct _FX_USB_READER *FxReaderOf(WDFIOTARGET Target)
{
    if (wsklab_ask(Target, "IoTarget.TYPE") != FX_TYPE_TARGET_USB_PIPE) return NULL;
    return FxPipe((WDFUSBPIPE)Target)->Reader;
}

/* A read with a new memory, zeroed; the one before goes unless the driver holds it. */
static NTSTATUS FxFormatRead(PFX_USB_READ Read)
{
    PFX_USB_READER reader = Read->Reader;
    WDF_REQUEST_REUSE_PARAMS reuse;
    NTSTATUS status;
    PVOID buffer;
    if (Read->Memory != NULL) WdfObjectDelete(Read->Memory);
    Read->Memory = NULL;
    WDF_REQUEST_REUSE_PARAMS_INIT(&reuse, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_NOT_SUPPORTED);
    WdfRequestReuse(Read->Request, &reuse);
    status = WdfMemoryCreate(&reader->Attributes, NonPagedPoolNx, 0, reader->Size, &Read->Memory, &buffer);
    if (!NT_SUCCESS(status)) return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(buffer, reader->Size);
    WdfRequestSetCompletionRoutine(Read->Request, wsklab_usb_read_done, Read);
    return WdfUsbTargetPipeFormatRequestForRead(reader->Pipe, Read->Request, Read->Memory, &reader->Offsets);
}

static void FxReadBack(PFX_USB_READ Read)
{
    Read->Out = FALSE;
    if (--Read->Reader->OutCount == 0) KeSetEvent(&Read->Reader->Idle, IO_NO_INCREMENT, FALSE);
}

static void FxSendRead(PFX_USB_READ Read)
{
    PFX_USB_READER reader = Read->Reader;
    Read->Out = TRUE;
    reader->OutCount++;
    KeClearEvent(&reader->Idle);
    if (!WdfRequestSend(Read->Request, (WDFIOTARGET)reader->Pipe, WDF_NO_SEND_OPTIONS)) FxReadBack(Read);
}

/* All reads of a reader, formatted first. */
static NTSTATUS FxSendReads(PFX_USB_READER Reader)
{
    NTSTATUS status = STATUS_SUCCESS;
    UCHAR i;
    for (i = 0; NT_SUCCESS(status) && i < Reader->Count; i++) status = FxFormatRead(&Reader->Reads[i]);
    if (!NT_SUCCESS(status)) return status;
    Reader->FailedCount = 0;
    Reader->Submitted = TRUE;
    for (i = 0; i < Reader->Count; i++) FxSendRead(&Reader->Reads[i]);
    return status;
}

/* The target of a reader is started. */
static NTSTATUS FxReadAgain(WDFIOTARGET Target)
{
    PFX_USB_READER reader = FxReaderOf(Target);
    return reader != NULL && !reader->Submitted ? FxSendReads(reader) : STATUS_SUCCESS;
}

/* It is about to be stopped or purged. */
static void FxReadNoMore(WDFIOTARGET Target)
{
    PFX_USB_READER reader = FxReaderOf(Target);
    if (reader != NULL) reader->Submitted = FALSE;
}

/* A reader must have been stopped before its pipe goes. */
static void FxCheckStopped(WDFIOTARGET Target)
{
    PFX_USB_READER reader = FxReaderOf(Target);
    if (reader != NULL && reader->Submitted && WdfIoTargetGetState(Target) == WdfIoTargetStarted)
        wsklab_wdf_break("kmdf-reader-not-stopped", Target, "count=%d", reader->Count);
}

/* A read is over for good; the last one takes the reader along. */
static void FxEndRead(PFX_USB_READ Read)
{
    PFX_USB_READER reader = Read->Reader;
    WdfObjectDelete(Read->Request);
    if (--reader->Left == 0) wsklab_free(reader);
}

/* The pipe goes: reads that are out follow when they are back. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfusbpipe_disposed(WDFUSBPIPE Pipe)
{
    PFX_USB_READER reader = FxPipe(Pipe)->Reader;
    UCHAR i;
    if (reader == NULL) return;
    FxCheckStopped((WDFIOTARGET)Pipe);
    reader->Submitted = FALSE;
    reader->Gone = TRUE;
    FxPipe(Pipe)->Reader = NULL;
    for (i = reader->Count; i > 0; i--) {
        PFX_USB_READ read = &reader->Reads[i - 1];
        KeRemoveQueueDpc(&read->Dpc);
        if (!read->Out) FxEndRead(read);
    }
}

/* A read that failed, or for which there is no memory: when it is the last one, or the bus failed it, all are begun anew. */
static void FxRecover(PFX_USB_READER Reader)
{
    if (Reader->Recovering || !Reader->Submitted) return;
    Reader->Recovering = TRUE;
    wsklab_wdf_hold(Reader->Pipe);
    wsklab_wdf_thread(wsklab_usb_reader_recovers, Reader->Pipe);
}

/* A read is back. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_usb_read_done(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PFX_USB_READ read = (PFX_USB_READ)Context;
    PFX_USB_READER reader = read->Reader;
    NTSTATUS status = Params->IoStatus.Status;
    FxReadBack(read);
    if (reader->Gone) {
        FxEndRead(read);
        return;
    }
    if (!NT_SUCCESS(status)) {
        if (status == STATUS_CANCELLED || reader->Recovering) return;
        reader->Status = status;
        reader->UsbdStatus = Params->Parameters.Usb.Completion->UsbdStatus;
        FxRecover(reader);
        return;
    }
    wsklab_wdf_answer(reader->Config.EvtUsbTargetPipeReadComplete, Target, read->Memory,
                      Params->Parameters.Usb.Completion->Parameters.PipeRead.Length,
                      reader->Config.EvtUsbTargetPipeReadCompleteContext);
    if (!reader->Submitted || reader->Recovering) return;
    status = FxFormatRead(read);
    if (NT_SUCCESS(status)) {
        KeInsertQueueDpc(&read->Dpc, NULL, NULL);
    } else if (++reader->FailedCount == reader->Count) {
        reader->Status = status;
        reader->UsbdStatus = USBD_STATUS_SUCCESS;
        FxRecover(reader);
    }
}

/* Send a read again. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_usb_read_again(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PFX_USB_READ read = (PFX_USB_READ)Context;
    if (read->Reader->Submitted && !read->Reader->Recovering && !read->Out) FxSendRead(read);
}

/* Cancel the reads, ask the driver whether to go on, reset the pipe and send them all again. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_usb_reader_recovers(WDFUSBPIPE Pipe)
{
    PFX_USB_READER reader = FxReaderOf((WDFIOTARGET)Pipe);
    WDF_REQUEST_SEND_OPTIONS options;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    BOOLEAN goes_on = TRUE;
    UCHAR i;
    for (i = 0; reader != NULL && i < reader->Count; i++)
        if (reader->Reads[i].Out) WdfRequestCancelSentRequest(reader->Reads[i].Request);
    if (reader != NULL) KeWaitForSingleObject(&reader->Idle, Executive, KernelMode, FALSE, NULL);
    reader = FxReaderOf((WDFIOTARGET)Pipe); /* it may have gone meanwhile */
    if (reader != NULL && reader->Config.EvtUsbTargetPipeReadersFailed != NULL)
        goes_on = (BOOLEAN)wsklab_wdf_status("EvtUsbTargetPipeReadersFailed", reader->Config.EvtUsbTargetPipeReadersFailed, Pipe,
                                             reader->Status, reader->UsbdStatus);
    reader = FxReaderOf((WDFIOTARGET)Pipe);
    if (reader != NULL && goes_on) status = WdfUsbTargetDeviceIsConnectedSynchronous(FxPipe(Pipe)->Device);
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, 0);
    WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, WDF_REL_TIMEOUT_IN_SEC(5));
    if (NT_SUCCESS(status)) WdfUsbTargetPipeResetSynchronously(Pipe, NULL, &options);
    reader = FxReaderOf((WDFIOTARGET)Pipe);
    if (reader != NULL) reader->Recovering = FALSE;
    if (reader != NULL && NT_SUCCESS(status) && reader->Submitted) FxSendReads(reader);
    wsklab_wdf_release(Pipe);
}

static PFX_USB_READER FxMakeReader(WDFUSBPIPE Pipe, PWDF_USB_CONTINUOUS_READER_CONFIG Config)
{
    UCHAR count = Config->NumPendingReads == 0 ? FX_READS_USUAL : Config->NumPendingReads;
    PFX_USB_READER reader;
    UCHAR i;
    if (count > FX_READS_MOST) count = FX_READS_MOST;
    reader = (PFX_USB_READER)wsklab_allocate(sizeof(FX_USB_READER) + (count - 1) * sizeof(FX_USB_READ));
    if (reader == NULL) return NULL;
    reader->Pipe = Pipe;
    reader->Config = *Config;
    reader->Count = reader->Left = count;
    reader->Size = Config->HeaderLength + Config->TransferLength + Config->TrailerLength;
    reader->Offsets.BufferOffset = Config->HeaderLength;
    reader->Offsets.BufferLength = Config->TransferLength;
    WDF_OBJECT_ATTRIBUTES_INIT(&reader->Attributes);
    if (Config->BufferAttributes != NULL) reader->Attributes = *Config->BufferAttributes;
    reader->Attributes.ParentObject = Pipe;
    KeInitializeEvent(&reader->Idle, NotificationEvent, TRUE);
    for (i = 0; i < count; i++) {
        PFX_USB_READ read = &reader->Reads[i];
        read->Reader = reader;
        read->Request = (WDFREQUEST)wsklab_ask(Pipe, "IoTarget.own_request");
        KeInitializeDpc(&read->Dpc, wsklab_usb_read_again, read);
    }
    return reader;
}

/* Keep reads under way on a pipe from the next start of it on. Page: WdfUsbTargetPipeConfigContinuousReader. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetPipeConfigContinuousReader(WDFUSBPIPE Pipe, PWDF_USB_CONTINUOUS_READER_CONFIG Config)
{
    PFX_USB_PIPE pipe = FxPipe(Pipe);
    size_t size;
    NTSTATUS status;
    wsklab_given(Config, "Config");
    if (Config->Size != sizeof(WDF_USB_CONTINUOUS_READER_CONFIG)) return STATUS_INFO_LENGTH_MISMATCH;
    if (Config->EvtUsbTargetPipeReadComplete == NULL || Config->TransferLength == 0) return STATUS_INVALID_PARAMETER;
    size = Config->HeaderLength + Config->TransferLength;
    if (size < Config->TransferLength || size + Config->TrailerLength < size) return STATUS_INTEGER_OVERFLOW;
    status = wsklab_wdf_check(Config->BufferAttributes, 0);
    if (NT_SUCCESS(status)) status = FxMayTransfer(pipe, Config->TransferLength, TRUE);
    if (!NT_SUCCESS(status)) return status;
    if (pipe->Reader != NULL) return STATUS_INVALID_DEVICE_STATE;
    pipe->Reader = FxMakeReader(Pipe, Config);
    return pipe->Reader != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
