/*
 * mirror.c: what is written to this device is written to three others, one after the other, with one request.
 *
 * The three are opened by name when the device starts. For each write one request of our own visits them in turn:
 *
 *   WdfRequestChangeTarget, format, completion routine, send;  in the completion routine: the next target, or the end
 *
 * It is formatted with the memory of the received request, so it has to be reused or deleted before that one is completed: a
 * format holds a reference on the memory, and completing a request whose memory is referenced is bug check 0x10D.
 */
#include <ntddk.h>
#include <wdf.h>

#define MIRRORS 3

typedef struct _MIRROR_CONTEXT {
    WDFIOTARGET Targets[MIRRORS];
    ULONG Opened;
} MIRROR_CONTEXT, *PMIRROR_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(MIRROR_CONTEXT, GetMirrorContext)

/* One write on its way round; it is the context of our own request. */
typedef struct _ROUND {
    PMIRROR_CONTEXT Mirror;
    WDFREQUEST Received;
    WDFMEMORY Data;
    LONGLONG Offset;
    size_t Length;
    ULONG Next;
    ULONG Written;
    NTSTATUS FirstError;
} ROUND, *PROUND;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ROUND, GetRound)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD EvtDeviceAdd;
EVT_WDF_DEVICE_PREPARE_HARDWARE EvtPrepareHardware;
EVT_WDF_DEVICE_RELEASE_HARDWARE EvtReleaseHardware;
EVT_WDF_IO_QUEUE_IO_WRITE EvtIoWrite;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtWritten;

/* All have been visited: our own request goes first, and with it its reference on the memory. */
static VOID Finish(WDFREQUEST Request)
{
    PROUND round = GetRound(Request);
    WDFREQUEST received = round->Received;
    NTSTATUS status = round->Written > 0 ? STATUS_SUCCESS : round->FirstError;
    size_t length = round->Written > 0 ? round->Length : 0;

    WdfObjectDelete(Request);
    WdfRequestCompleteWithInformation(received, status, length);
}

/* Send to the next target that takes it; FALSE when there is none left. A mirror that fails does not stop the others. */
static BOOLEAN Visit(WDFREQUEST Request)
{
    PROUND round = GetRound(Request);

    while (round->Next < MIRRORS) {
        WDFIOTARGET target = round->Mirror->Targets[round->Next++];
        /* The three may differ in stack size and in how they take buffers: an IRP that fits, then a format for this one. */
        NTSTATUS status = WdfRequestChangeTarget(Request, target);
        if (NT_SUCCESS(status)) {
            status = WdfIoTargetFormatRequestForWrite(target, Request, round->Data, NULL, &round->Offset);
        }
        if (NT_SUCCESS(status)) {
            WdfRequestSetCompletionRoutine(Request, EvtWritten, WDF_NO_CONTEXT); /* for each send anew */
            if (WdfRequestSend(Request, target, WDF_NO_SEND_OPTIONS)) {
                return TRUE;
            }
            status = WdfRequestGetStatus(Request);
        }
        if (NT_SUCCESS(round->FirstError)) {
            round->FirstError = status;
        }
    }
    return FALSE;
}

VOID EvtWritten(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PROUND round = GetRound(Request);

    UNREFERENCED_PARAMETER(Target);
    UNREFERENCED_PARAMETER(Context);

    /* Taken down now: the next ChangeTarget wipes Params. */
    if (NT_SUCCESS(Params->IoStatus.Status)) {
        round->Written++;
    } else if (NT_SUCCESS(round->FirstError)) {
        round->FirstError = Params->IoStatus.Status;
    }
    if (!Visit(Request)) {
        Finish(Request);
    }
}

VOID EvtIoWrite(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_REQUEST_PARAMETERS parameters;
    WDFREQUEST own = NULL;
    WDFMEMORY data;
    PROUND round;
    NTSTATUS status;

    status = WdfRequestRetrieveInputMemory(Request, &data);
    if (NT_SUCCESS(status)) {
        WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, ROUND);
        attributes.ParentObject = WdfIoQueueGetDevice(Queue);
        status = WdfRequestCreate(&attributes, NULL, &own); /* without a target: the first ChangeTarget makes the IRP */
    }
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
        return;
    }
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(Request, &parameters);
    round = GetRound(own);
    round->Mirror = GetMirrorContext(WdfIoQueueGetDevice(Queue));
    round->Received = Request;
    round->Data = data;
    round->Offset = parameters.Parameters.Write.DeviceOffset;
    round->Length = Length;
    if (!Visit(own)) {
        Finish(own);
    }
}

NTSTATUS EvtPrepareHardware(WDFDEVICE Device, WDFCMRESLIST Raw, WDFCMRESLIST Translated)
{
    static const PCWSTR names[MIRRORS] = {L"\\Device\\MirrorA", L"\\Device\\MirrorB", L"\\Device\\MirrorC"};
    PMIRROR_CONTEXT mirror = GetMirrorContext(Device);
    WDF_IO_TARGET_OPEN_PARAMS params;
    UNICODE_STRING name;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG i;

    UNREFERENCED_PARAMETER(Raw);
    UNREFERENCED_PARAMETER(Translated);

    for (i = 0; i < MIRRORS && NT_SUCCESS(status); i++) {
        status = WdfIoTargetCreate(Device, WDF_NO_OBJECT_ATTRIBUTES, &mirror->Targets[i]);
        if (!NT_SUCCESS(status)) {
            break;
        }
        RtlInitUnicodeString(&name, names[i]);
        WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &name, GENERIC_WRITE);
        status = WdfIoTargetOpen(mirror->Targets[i], &params);
        mirror->Opened += NT_SUCCESS(status) ? 1 : 0;
    }
    return status;
}

NTSTATUS EvtReleaseHardware(WDFDEVICE Device, WDFCMRESLIST Translated)
{
    PMIRROR_CONTEXT mirror = GetMirrorContext(Device);

    UNREFERENCED_PARAMETER(Translated);

    while (mirror->Opened > 0) {
        WdfIoTargetClose(mirror->Targets[--mirror->Opened]);
    }
    return STATUS_SUCCESS;
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = EvtPrepareHardware;
    callbacks.EvtDeviceReleaseHardware = EvtReleaseHardware;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, MIRROR_CONTEXT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoWrite = EvtIoWrite;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
