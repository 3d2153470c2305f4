/*
 * outstanding_reads.c: a driver that always has several reads under way at the device below, so that no byte finds nobody waiting.
 *
 * Everything is made once, when the device is added: the requests, each with its memory. A request that comes back is read, made
 * fit again with WdfRequestReuse, formatted and sent once more. When the device leaves its working state the target is stopped,
 * which cancels what is out and waits for it; when it comes back, all requests go out again.
 */
#include <ntddk.h>
#include <wdf.h>

#define READS 4
#define READ_LENGTH 16
#define POOL_TAG 'daeR'

typedef struct _READER_CONTEXT {
    WDFIOTARGET Target;
    WDFREQUEST Requests[READS];
    LONG Stopping;
    LONG Arrived;    /* reads that brought data */
    LONG64 Bytes;
    UCHAR LastByte;
} READER_CONTEXT, *PREADER_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(READER_CONTEXT, GetReaderContext)

/* What goes with one request. State keeps a device that answers at once from recursing ever deeper. */
typedef enum _READ_STATE { Idle, Sending, CameBack, Out } READ_STATE;
typedef struct _READ_CONTEXT {
    WDFMEMORY Memory;
    PUCHAR Buffer;
    LONG State;
} READ_CONTEXT, *PREAD_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(READ_CONTEXT, GetReadContext)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD EvtDeviceAdd;
EVT_WDF_DEVICE_D0_ENTRY EvtD0Entry;
EVT_WDF_DEVICE_D0_EXIT EvtD0Exit;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtReadCompleted;

/* Reuse comes first: it forgets an earlier cancellation, and it would take the completion routine away. */
static BOOLEAN SendOnce(PREADER_CONTEXT Reader, WDFREQUEST Request)
{
    PREAD_CONTEXT read = GetReadContext(Request);
    WDF_REQUEST_REUSE_PARAMS reuse;
    NTSTATUS status;

    WDF_REQUEST_REUSE_PARAMS_INIT(&reuse, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_SUCCESS);
    status = WdfRequestReuse(Request, &reuse);
    if (NT_SUCCESS(status)) {
        status = WdfIoTargetFormatRequestForRead(Reader->Target, Request, read->Memory, NULL, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return FALSE;
    }
    WdfRequestSetCompletionRoutine(Request, EvtReadCompleted, Reader);
    return WdfRequestSend(Request, Reader->Target, WDF_NO_SEND_OPTIONS);
}

/*
 * Keep one request under way. The completion routine may run inside WdfRequestSend; it then leaves a mark and the loop sends again.
 * Whoever exchanges State last knows what the other one did.
 */
static VOID KeepReading(PREADER_CONTEXT Reader, WDFREQUEST Request)
{
    PREAD_CONTEXT read = GetReadContext(Request);

    do {
        InterlockedExchange(&read->State, Sending);
        if (Reader->Stopping || !SendOnce(Reader, Request)) {
            InterlockedExchange(&read->State, Idle);
            return;
        }
    } while (InterlockedExchange(&read->State, Out) == CameBack);
}

VOID EvtReadCompleted(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PREADER_CONTEXT reader = (PREADER_CONTEXT)Context;
    PREAD_CONTEXT read = GetReadContext(Request);
    size_t length = Params->Parameters.Read.Length;

    UNREFERENCED_PARAMETER(Target);

    /* Everything is read from Params and from the buffer before the request is used again. */
    if (NT_SUCCESS(Params->IoStatus.Status) && length > 0) {
        InterlockedIncrement(&reader->Arrived);
        InterlockedExchangeAdd64(&reader->Bytes, (LONG64)length);
        reader->LastByte = read->Buffer[length - 1];
    } else if (!NT_SUCCESS(Params->IoStatus.Status)) {
        /* Cancelled, or the device is broken: this request rests until the next EvtD0Entry. */
        InterlockedExchange(&read->State, Idle);
        return;
    }
    if (InterlockedExchange(&read->State, CameBack) == Out) {
        KeepReading(reader, Request);
    }
}

NTSTATUS EvtD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    PREADER_CONTEXT reader = GetReaderContext(Device);
    NTSTATUS status;
    ULONG i;

    UNREFERENCED_PARAMETER(PreviousState);

    status = WdfIoTargetStart(reader->Target);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    InterlockedExchange(&reader->Stopping, FALSE);
    for (i = 0; i < READS; i++) {
        KeepReading(reader, reader->Requests[i]);
    }
    return STATUS_SUCCESS;
}

NTSTATUS EvtD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    PREADER_CONTEXT reader = GetReaderContext(Device);

    UNREFERENCED_PARAMETER(TargetState);

    /* The source of new requests is closed before the target is stopped: nothing is left pended in it. */
    InterlockedExchange(&reader->Stopping, TRUE);
    WdfIoTargetStop(reader->Target, WdfIoTargetCancelSentIo);
    return STATUS_SUCCESS;
}

/* One request with its memory; both go with the device, because the request is its child and the memory the request's. */
static NTSTATUS MakeRead(WDFDEVICE Device, PREADER_CONTEXT Reader, WDFREQUEST *Request)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    PREAD_CONTEXT read;
    NTSTATUS status;

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, READ_CONTEXT);
    attributes.ParentObject = Device;
    status = WdfRequestCreate(&attributes, Reader->Target, Request);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    read = GetReadContext(*Request);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = *Request;
    return WdfMemoryCreate(&attributes, NonPagedPoolNx, POOL_TAG, READ_LENGTH, &read->Memory, (PVOID *)&read->Buffer);
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    PREADER_CONTEXT reader;
    WDFDEVICE device;
    NTSTATUS status;
    ULONG i;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDeviceD0Entry = EvtD0Entry;
    callbacks.EvtDeviceD0Exit = EvtD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, READER_CONTEXT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    reader = GetReaderContext(device);
    reader->Target = WdfDeviceGetIoTarget(device);
    for (i = 0; i < READS && NT_SUCCESS(status); i++) {
        status = MakeRead(device, reader, &reader->Requests[i]);
    }
    return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
