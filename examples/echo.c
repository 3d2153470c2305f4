/*
 * echo.c: what one application writes, another one reads. A read that comes before anything was written waits, and can be cancelled.
 *
 * The driver keeps at most one read itself; more of them wait in a manual queue, where the framework cancels them. The one it keeps
 * it has marked cancelable, so two callbacks can want it at the same moment: EvtIoWrite, which has bytes for it, and EvtRequestCancel.
 * WdfRequestUnmarkCancelable decides between them: after STATUS_SUCCESS the request is ours, after STATUS_CANCELLED the cancel
 * callback has it or will get it, and nobody else may touch it.
 *
 * A control device needs no hardware: DriverEntry makes it, and applications open it as \\.\Echo.
 */
#include <ntddk.h>
#include <wdf.h>

#define ECHO_SIZE 64

typedef struct _ECHO_CONTEXT {
    WDFQUEUE Waiting;       /* reads that came while another one was kept */
    WDFSPINLOCK Lock;       /* guards what follows */
    WDFREQUEST Kept;        /* the read that gets the next bytes, NULL for none */
    size_t Length;          /* bytes that nobody has read yet */
    UCHAR Bytes[ECHO_SIZE];
} ECHO_CONTEXT, *PECHO_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ECHO_CONTEXT, GetEchoContext)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_IO_QUEUE_IO_READ EvtIoRead;
EVT_WDF_IO_QUEUE_IO_WRITE EvtIoWrite;
EVT_WDF_REQUEST_CANCEL EvtReadCanceled;

/* Give a read the bytes there are. It is ours alone, so no lock is held while it is completed. */
static VOID CompleteRead(PECHO_CONTEXT Echo, WDFREQUEST Request)
{
    WDFMEMORY memory;
    size_t length = 0;
    NTSTATUS status = WdfRequestRetrieveOutputMemory(Request, &memory);

    if (NT_SUCCESS(status)) {
        WdfMemoryGetBuffer(memory, &length);
        WdfSpinLockAcquire(Echo->Lock);
        if (length > Echo->Length) {
            length = Echo->Length;
        }
        status = WdfMemoryCopyFromBuffer(memory, 0, Echo->Bytes, length);
        Echo->Length = 0;
        WdfSpinLockRelease(Echo->Lock);
    }
    WdfRequestCompleteWithInformation(Request, status, NT_SUCCESS(status) ? length : 0);
}

/* Take the read that is kept, unless its cancel callback was faster. The lock is held. */
static WDFREQUEST TakeKept(PECHO_CONTEXT Echo)
{
    WDFREQUEST request = Echo->Kept;

    if (request == NULL || WdfRequestUnmarkCancelable(request) == STATUS_CANCELLED) {
        return NULL;
    }
    Echo->Kept = NULL;
    return request;
}

/* Somebody has cancelled the read that is kept: from here on it is this callback's. */
VOID EvtReadCanceled(WDFREQUEST Request)
{
    PECHO_CONTEXT echo = GetEchoContext(WdfIoQueueGetDevice(WdfRequestGetIoQueue(Request)));

    WdfSpinLockAcquire(echo->Lock);
    if (echo->Kept == Request) {
        echo->Kept = NULL;
    }
    WdfSpinLockRelease(echo->Lock);
    WdfRequestComplete(Request, STATUS_CANCELLED);
}

VOID EvtIoRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PECHO_CONTEXT echo = GetEchoContext(WdfIoQueueGetDevice(Queue));
    BOOLEAN ready, busy;
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(Length);

    WdfSpinLockAcquire(echo->Lock);
    ready = echo->Length > 0;
    busy = echo->Kept != NULL;
    if (!ready && !busy) {
        /*
         * The form with a status: the plain one could call EvtReadCanceled inside the call, and that would want the lock that is
         * held here. When it fails, the request is still ours and no callback will come.
         */
        status = WdfRequestMarkCancelableEx(Request, EvtReadCanceled);
        if (NT_SUCCESS(status)) {
            echo->Kept = Request;
        }
    }
    WdfSpinLockRelease(echo->Lock);

    if (ready) {
        CompleteRead(echo, Request);
    } else if (busy) {
        status = WdfRequestForwardToIoQueue(Request, echo->Waiting);
    }
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
    }
}

VOID EvtIoWrite(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PECHO_CONTEXT echo = GetEchoContext(WdfIoQueueGetDevice(Queue));
    WDFREQUEST reader;
    WDFMEMORY memory;
    NTSTATUS status = Length > ECHO_SIZE ? STATUS_BUFFER_OVERFLOW : WdfRequestRetrieveInputMemory(Request, &memory);

    if (status != STATUS_SUCCESS) {
        WdfRequestComplete(Request, status);
        return;
    }
    WdfSpinLockAcquire(echo->Lock);
    status = WdfMemoryCopyToBuffer(memory, 0, echo->Bytes, Length);
    echo->Length = Length;
    reader = TakeKept(echo);
    WdfSpinLockRelease(echo->Lock);
    WdfRequestCompleteWithInformation(Request, status, Length);

    /* The next one of those that wait, if the one that was kept has been cancelled. */
    if (reader == NULL && !NT_SUCCESS(WdfIoQueueRetrieveNextRequest(echo->Waiting, &reader))) {
        return;
    }
    CompleteRead(echo, reader);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DECLARE_CONST_UNICODE_STRING(name, L"\\Device\\Echo");
    DECLARE_CONST_UNICODE_STRING(link, L"\\DosDevices\\Echo");
    WDF_DRIVER_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG queueConfig;
    PWDFDEVICE_INIT init;
    PECHO_CONTEXT echo;
    WDFDRIVER driver;
    WDFDEVICE device;
    NTSTATUS status;

    WDF_DRIVER_CONFIG_INIT(&config, WDF_NO_EVENT_CALLBACK);
    config.DriverInitFlags |= WdfDriverInitNonPnpDriver;
    status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, &driver);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    init = WdfControlDeviceInitAllocate(driver, &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R);
    if (init == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = WdfDeviceInitAssignName(init, &name);
    if (NT_SUCCESS(status)) {
        WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, ECHO_CONTEXT);
        status = WdfDeviceCreate(&init, &attributes, &device);
    }
    if (!NT_SUCCESS(status)) {
        WdfDeviceInitFree(init); /* WdfDeviceCreate takes it over only when it succeeds */
        return status;
    }
    status = WdfDeviceCreateSymbolicLink(device, &link);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    echo = GetEchoContext(device);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = device; /* else the lock would live as long as the driver */
    status = WdfSpinLockCreate(&attributes, &echo->Lock);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WDF_IO_QUEUE_CONFIG_INIT(&queueConfig, WdfIoQueueDispatchManual);
    status = WdfIoQueueCreate(device, &queueConfig, WDF_NO_OBJECT_ATTRIBUTES, &echo->Waiting);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queueConfig, WdfIoQueueDispatchParallel);
    queueConfig.EvtIoRead = EvtIoRead;
    queueConfig.EvtIoWrite = EvtIoWrite;
    status = WdfIoQueueCreate(device, &queueConfig, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WdfControlFinishInitializing(device); /* from here on applications can open it */
    return STATUS_SUCCESS;
}
