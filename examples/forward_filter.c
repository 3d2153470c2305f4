/*
 * forward_filter.c: a filter that passes every read, write and control code down and looks at it on its way back.
 *
 *   application -> this filter -> the device below
 *
 * A received request is sent on in three steps: format it as it is, register a completion routine, send. When the send fails the
 * request is still ours, and nobody else will complete it. When it comes back, the completion routine completes it.
 */
#include <ntddk.h>
#include <wdf.h>

typedef struct _FILTER_CONTEXT {
    LONG Forwarded;
    LONG Failed;     /* completed by the lower driver with an error */
    LONG NotSent;    /* WdfRequestSend returned FALSE */
    LONG64 BytesRead;
} FILTER_CONTEXT, *PFILTER_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(FILTER_CONTEXT, GetFilterContext)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD EvtDeviceAdd;
EVT_WDF_IO_QUEUE_IO_DEFAULT EvtIoDefault;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtForwarded;

/*
 * The request is back from the device below. It may be DISPATCH_LEVEL, and it may even be the same call in which it was sent. What
 * is asked of a forwarded request after its format "as it is" is its status: the rest of Params is empty.
 */
VOID EvtForwarded(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PFILTER_CONTEXT filter = (PFILTER_CONTEXT)Context;
    NTSTATUS status = Params->IoStatus.Status;
    WDF_REQUEST_PARAMETERS parameters;

    UNREFERENCED_PARAMETER(Target);

    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(Request, &parameters);
    if (!NT_SUCCESS(status)) {
        InterlockedIncrement(&filter->Failed);
    } else if (parameters.Type == WdfRequestTypeRead) {
        InterlockedExchangeAdd64(&filter->BytesRead, (LONG64)Params->IoStatus.Information);
    }
    /* Status and byte count stand in the IRP as the lower driver left them. */
    WdfRequestComplete(Request, status);
}

VOID EvtIoDefault(WDFQUEUE Queue, WDFREQUEST Request)
{
    WDFDEVICE device = WdfIoQueueGetDevice(Queue);
    PFILTER_CONTEXT filter = GetFilterContext(device);
    NTSTATUS status;

    WdfRequestFormatRequestUsingCurrentType(Request);
    WdfRequestSetCompletionRoutine(Request, EvtForwarded, filter);
    InterlockedIncrement(&filter->Forwarded);

    if (WdfRequestSend(Request, WdfDeviceGetIoTarget(device), WDF_NO_SEND_OPTIONS) == FALSE) {
        status = WdfRequestGetStatus(Request);
        InterlockedDecrement(&filter->Forwarded);
        InterlockedIncrement(&filter->NotSent);
        WdfRequestComplete(Request, status);
    }
    /* After TRUE the request is not ours until EvtForwarded runs, and that may have been already. */
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WdfFdoInitSetFilter(DeviceInit);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, FILTER_CONTEXT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    /* Parallel: a filter must not hold back one request because another one is still below. */
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = EvtIoDefault;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
