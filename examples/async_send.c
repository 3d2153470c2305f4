/*
 * async_send.c: a KMDF driver that sends I/O requests to the device below it, asynchronously.
 *
 * It follows "Sending I/O Requests Asynchronously" of the WDF guide, step by step:
 *
 *   1. format the request for an I/O target     WdfIoTargetFormatRequestForRead, …ForWrite, …ForIoctl, …ForInternalIoctl,
 *                                               …ForInternalIoctlOthers: one function each, below
 *   2. register a completion routine            WdfRequestSetCompletionRoutine, for every send anew
 *   3. send it                                  WdfRequestSend, and what to do when it returns FALSE
 *
 * and shows what the page leads on to: sending synchronously with a timeout, cancelling what was sent, sending one request to
 * two devices in turn, and passing a received request on.
 *
 * When the device starts, EvtSelfManagedIoInit sends one request of each kind. The functions that send take everything they need
 * as parameters, so that each can be tried on its own.
 */
#include <ntddk.h>
#include <wdf.h>

#define ASYNC_SEND_TAG 'dnsA'
#define BUFFER_LENGTH 64

/* Control codes that we made up for the device below. The transfer method says where its driver finds the buffers. */
#define IOCTL_ASYNC_SEND_QUERY CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_ASYNC_SEND_FETCH CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define IOCTL_ASYNC_SEND_POINTERS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_NEITHER, FILE_ANY_ACCESS)

/* What the last completion routine saw: the status, how many bytes, and for what kind of request. */
typedef struct _SEND_RESULT {
    ULONG Completions;
    WDF_REQUEST_TYPE Type;
    NTSTATUS Status;
    ULONG_PTR Information;
    size_t Length;
} SEND_RESULT;

SEND_RESULT LastResult;

typedef struct _DEVICE_CONTEXT {
    WDFIOTARGET Target;      /* the next-lower device: the local I/O target, always open */
    WDFIOTARGET OtherTarget; /* a target that the driver opened itself: a remote I/O target */
    WDFREQUEST Requests[5];
    WDFMEMORY Memories[5];
} DEVICE_CONTEXT, *PDEVICE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(DEVICE_CONTEXT, GetDeviceContext)

/* What a request that visits two devices has to remember on its way. */
typedef struct _ROUTE_CONTEXT {
    WDFIOTARGET Second; /* NULL once the request has been sent there */
    WDFMEMORY Buffer;
    ULONG Visited;
    NTSTATUS Statuses[2];
} ROUTE_CONTEXT, *PROUTE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ROUTE_CONTEXT, GetRouteContext)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD EvtDeviceAdd;
EVT_WDF_DEVICE_SELF_MANAGED_IO_INIT EvtSelfManagedIoInit;
EVT_WDF_IO_QUEUE_IO_DEFAULT EvtIoDefault;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtRequestCompleted;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtRouteCompleted;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtForwardedCompleted;

/*
 * Runs when the lower driver has completed a request, perhaps before WdfRequestSend has returned, perhaps at DISPATCH_LEVEL.
 * Params is good only here: reusing, formatting or deleting the request overwrites it, so everything is read first.
 */
VOID EvtRequestCompleted(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(Request);
    UNREFERENCED_PARAMETER(Target);
    UNREFERENCED_PARAMETER(Context);

    LastResult.Completions++;
    LastResult.Type = Params->Type;
    LastResult.Status = Params->IoStatus.Status;
    LastResult.Information = Params->IoStatus.Information;

    /* Parameters is a union: Type says which member was filled. */
    switch (Params->Type) {
    case WdfRequestTypeRead:
        LastResult.Length = Params->Parameters.Read.Length;
        break;
    case WdfRequestTypeWrite:
        LastResult.Length = Params->Parameters.Write.Length;
        break;
    case WdfRequestTypeDeviceControl:
    case WdfRequestTypeDeviceControlInternal:
        LastResult.Length = Params->Parameters.Ioctl.Output.Length;
        break;
    default:
        /* InternalIoctlOthers: the arguments are the memory handles again, and no length is reported. */
        LastResult.Length = 0;
        break;
    }
    DbgPrint("completed: type %u, status 0x%08X, %Iu bytes\n", Params->Type, LastResult.Status, LastResult.Length);
}

/*
 * Make a request of our own fit for the next transfer: its IRP is initialised again, and a cancellation is forgotten.
 * It also drops the completion routine, so this comes before WdfRequestSetCompletionRoutine.
 */
static NTSTATUS Prepare(WDFREQUEST Request)
{
    WDF_REQUEST_REUSE_PARAMS reuse;

    WDF_REQUEST_REUSE_PARAMS_INIT(&reuse, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_SUCCESS);
    return WdfRequestReuse(Request, &reuse);
}

/* Steps 2 and 3, the same for each of the five ways to format. */
static NTSTATUS SendFormatted(WDFIOTARGET Target, WDFREQUEST Request)
{
    WdfRequestSetCompletionRoutine(Request, EvtRequestCompleted, WDF_NO_CONTEXT);

    if (WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS) == FALSE) {
        /* Nothing was sent and no completion routine will run: the request is ours again, and its status says why. */
        return WdfRequestGetStatus(Request);
    }
    /* Sent. From here to the completion routine the request is not ours, even if that routine has already run. */
    return STATUS_PENDING;
}

NTSTATUS SendRead(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Buffer)
{
    NTSTATUS status;
    LONGLONG deviceOffset = 0;

    status = Prepare(Request);
    if (NT_SUCCESS(status)) {
        /* No WDFMEMORY_OFFSET: the whole buffer is to be filled. */
        status = WdfIoTargetFormatRequestForRead(Target, Request, Buffer, NULL, &deviceOffset);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return SendFormatted(Target, Request);
}

NTSTATUS SendWrite(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Buffer, size_t Offset, size_t Length)
{
    NTSTATUS status;
    WDFMEMORY_OFFSET part;
    LONGLONG deviceOffset = 0;

    /* Only a part of the buffer. Length 0 would mean "from Offset to the end", not "nothing". */
    part.BufferOffset = Offset;
    part.BufferLength = Length;

    status = Prepare(Request);
    if (NT_SUCCESS(status)) {
        status = WdfIoTargetFormatRequestForWrite(Target, Request, Buffer, &part, &deviceOffset);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return SendFormatted(Target, Request);
}

NTSTATUS SendIoctl(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Input, WDFMEMORY Output)
{
    NTSTATUS status;

    status = Prepare(Request);
    if (NT_SUCCESS(status)) {
        status = WdfIoTargetFormatRequestForIoctl(Target, Request, IOCTL_ASYNC_SEND_QUERY, Input, NULL, Output, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return SendFormatted(Target, Request);
}

NTSTATUS SendInternalIoctl(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Input, WDFMEMORY Output)
{
    NTSTATUS status;

    status = Prepare(Request);
    if (NT_SUCCESS(status)) {
        status = WdfIoTargetFormatRequestForInternalIoctl(Target, Request, IOCTL_ASYNC_SEND_FETCH, Input, NULL, Output, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return SendFormatted(Target, Request);
}

NTSTATUS SendInternalIoctlOthers(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY First, WDFMEMORY Second, WDFMEMORY Fourth)
{
    NTSTATUS status;

    status = Prepare(Request);
    if (NT_SUCCESS(status)) {
        /* Three buffers travel as bare pointers; the control code takes the place of the third argument. */
        status = WdfIoTargetFormatRequestForInternalIoctlOthers(
            Target, Request, IOCTL_ASYNC_SEND_POINTERS, First, NULL, Second, NULL, Fourth, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return SendFormatted(Target, Request);
}

/*
 * The same WdfRequestSend, synchronously: it returns when the lower driver has completed the request. PASSIVE_LEVEL only, and
 * always with a timeout. When the time is over the request is cancelled, and the call still waits until the lower driver has let
 * go of it.
 */
NTSTATUS SendReadSynchronously(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Buffer, ULONG Milliseconds)
{
    NTSTATUS status;
    WDF_REQUEST_SEND_OPTIONS options;

    status = Prepare(Request);
    if (NT_SUCCESS(status)) {
        status = WdfIoTargetFormatRequestForRead(Target, Request, Buffer, NULL, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }

    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS);
    WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, WDF_REL_TIMEOUT_IN_MS(Milliseconds));

    if (WdfRequestSend(Request, Target, &options) == FALSE) {
        DbgPrint("not sent: 0x%08X\n", WdfRequestGetStatus(Request));
    }
    /* Sent or not, the request is ours again and its status is the answer. */
    return WdfRequestGetStatus(Request);
}

/*
 * Send, and change our mind. The request may be completed at any moment between the two calls, and a completion routine may delete
 * it: the reference keeps the handle good until WdfRequestCancelSentRequest has returned. Whatever that returns, the outcome comes
 * through the completion routine and nowhere else.
 */
NTSTATUS SendReadAndCancel(WDFIOTARGET Target, WDFREQUEST Request, WDFMEMORY Buffer)
{
    NTSTATUS status;
    BOOLEAN delivered;

    WdfObjectReference(Request);
    status = SendRead(Target, Request, Buffer);
    if (status == STATUS_PENDING) {
        delivered = WdfRequestCancelSentRequest(Request);
        DbgPrint("cancel %s\n", delivered ? "delivered" : "came too late, or the device does not listen");
    }
    WdfObjectDereference(Request);
    return status;
}

/* One stop on the way of a request that visits two devices: format for this target, register the routine, send. */
static BOOLEAN SendOnRoute(WDFIOTARGET Target, WDFREQUEST Request, PROUTE_CONTEXT Route)
{
    NTSTATUS status;

    status = WdfIoTargetFormatRequestForWrite(Target, Request, Route->Buffer, NULL, NULL);
    if (!NT_SUCCESS(status)) {
        Route->Statuses[Route->Visited] = status;
        return FALSE;
    }
    WdfRequestSetCompletionRoutine(Request, EvtRouteCompleted, Route);
    if (WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS) == FALSE) {
        Route->Statuses[Route->Visited] = WdfRequestGetStatus(Request);
        return FALSE;
    }
    return TRUE;
}

/* Back from one device. If there is another to visit, the request goes there; the routine has to be registered again. */
VOID EvtRouteCompleted(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PROUTE_CONTEXT route = (PROUTE_CONTEXT)Context;
    WDFIOTARGET next = route->Second;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Target);

    /* The result of this visit, before preparing the next one overwrites it. */
    route->Statuses[route->Visited] = Params->IoStatus.Status;
    route->Visited++;
    LastResult.Completions++;
    LastResult.Status = Params->IoStatus.Status;
    if (next == NULL) {
        DbgPrint("visited %u devices\n", route->Visited);
        return;
    }

    /* The next device may need more stack locations: WdfRequestChangeTarget comes before every send after the first. */
    route->Second = NULL;
    status = WdfRequestChangeTarget(Request, next);
    if (!NT_SUCCESS(status)) {
        route->Statuses[route->Visited] = status;
        return;
    }
    if (SendOnRoute(next, Request, route) == FALSE) {
        DbgPrint("the second device was not reached: 0x%08X\n", route->Statuses[route->Visited]);
    }
}

NTSTATUS SendToTwoDevices(WDFIOTARGET First, WDFIOTARGET Second, WDFREQUEST Request, WDFMEMORY Buffer)
{
    NTSTATUS status;
    WDF_OBJECT_ATTRIBUTES attributes;
    PROUTE_CONTEXT route;

    /* The request carries its route with it. STATUS_OBJECT_NAME_EXISTS, when it has one from last time, is a success too. */
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, ROUTE_CONTEXT);
    status = WdfObjectAllocateContext(Request, &attributes, (PVOID *)&route);
    if (NT_SUCCESS(status)) {
        status = Prepare(Request);
    }
    if (NT_SUCCESS(status)) {
        status = WdfRequestChangeTarget(Request, First);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    route->Second = Second;
    route->Buffer = Buffer;
    route->Visited = 0;
    if (SendOnRoute(First, Request, route) == FALSE) {
        return route->Statuses[0];
    }
    return STATUS_PENDING;
}

/* A request that we received and passed on comes back: it belongs to somebody above us and has to be completed. */
VOID EvtForwardedCompleted(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(Target);
    UNREFERENCED_PARAMETER(Context);

    WdfRequestCompleteWithInformation(Request, Params->IoStatus.Status, Params->IoStatus.Information);
}

/* Everything that applications ask of our device goes to the device below, as it is. */
VOID EvtIoDefault(WDFQUEUE Queue, WDFREQUEST Request)
{
    WDFIOTARGET target = WdfDeviceGetIoTarget(WdfIoQueueGetDevice(Queue));

    WdfRequestFormatRequestUsingCurrentType(Request);
    WdfRequestSetCompletionRoutine(Request, EvtForwardedCompleted, WDF_NO_CONTEXT);
    if (WdfRequestSend(Request, target, WDF_NO_SEND_OPTIONS) == FALSE) {
        /* Still ours: whoever waits for it must be told. */
        WdfRequestComplete(Request, WdfRequestGetStatus(Request));
    }
}

/* The device works: send one request of each kind. */
NTSTATUS EvtSelfManagedIoInit(WDFDEVICE Device)
{
    PDEVICE_CONTEXT context = GetDeviceContext(Device);
    NTSTATUS statuses[5];
    ULONG i;

    statuses[0] = SendRead(context->Target, context->Requests[0], context->Memories[0]);
    statuses[1] = SendWrite(context->Target, context->Requests[1], context->Memories[1], 0, 16);
    statuses[2] = SendIoctl(context->Target, context->Requests[2], context->Memories[1], context->Memories[2]);
    statuses[3] = SendInternalIoctl(context->Target, context->Requests[3], context->Memories[1], context->Memories[3]);
    statuses[4] = SendInternalIoctlOthers(
        context->Target, context->Requests[4], context->Memories[1], context->Memories[4], WDF_NO_HANDLE);

    for (i = 0; i < 5; i++) {
        if (!NT_SUCCESS(statuses[i])) {
            DbgPrint("request %u was not sent: 0x%08X\n", i, statuses[i]);
        }
    }
    return STATUS_SUCCESS;
}

/* A second target of our own making. Here it leads to the same device; any device object, or a name, would do. */
static NTSTATUS OpenOtherTarget(WDFDEVICE Device, PDEVICE_CONTEXT Context)
{
    NTSTATUS status;
    WDF_IO_TARGET_OPEN_PARAMS open;

    status = WdfIoTargetCreate(Device, WDF_NO_OBJECT_ATTRIBUTES, &Context->OtherTarget);
    if (NT_SUCCESS(status)) {
        WDF_IO_TARGET_OPEN_PARAMS_INIT_EXISTING_DEVICE(&open, WdfDeviceWdmGetAttachedDevice(Device));
        status = WdfIoTargetOpen(Context->OtherTarget, &open);
    }
    return status;
}

/*
 * Requests and buffers are made once and used again: later sends cannot fail for lack of memory. Their parent is the device, so
 * that they go with it; without a stated parent they would stay until the driver is unloaded.
 */
static NTSTATUS MakeRequests(WDFDEVICE Device, PDEVICE_CONTEXT Context)
{
    NTSTATUS status = STATUS_SUCCESS;
    WDF_OBJECT_ATTRIBUTES attributes;
    PVOID buffer;
    ULONG i;

    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = Device;
    for (i = 0; i < 5 && NT_SUCCESS(status); i++) {
        status = WdfRequestCreate(&attributes, Context->Target, &Context->Requests[i]);
        if (NT_SUCCESS(status)) {
            status = WdfMemoryCreate(
                &attributes, NonPagedPoolNx, ASYNC_SEND_TAG, BUFFER_LENGTH, &Context->Memories[i], &buffer);
        }
        if (NT_SUCCESS(status)) {
            RtlFillMemory(buffer, BUFFER_LENGTH, 'a' + i);
        }
    }
    return status;
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    NTSTATUS status;
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG queueConfig;
    WDFDEVICE device;
    PDEVICE_CONTEXT context;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDeviceSelfManagedIoInit = EvtSelfManagedIoInit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, DEVICE_CONTEXT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    context = GetDeviceContext(device);
    context->Target = WdfDeviceGetIoTarget(device);

    status = OpenOtherTarget(device, context);
    if (NT_SUCCESS(status)) {
        status = MakeRequests(device, context);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }

    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queueConfig, WdfIoQueueDispatchParallel);
    queueConfig.EvtIoDefault = EvtIoDefault;
    return WdfIoQueueCreate(device, &queueConfig, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
