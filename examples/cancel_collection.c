/*
 * cancel_collection.c: requests that were sent on are found and cancelled without a race, with a collection and a spin lock.
 *
 *   application -> this driver -> the device below, with a request of the driver's own for each write
 *
 * A request may come back, and be deleted, at the very moment at which somebody wants to cancel it. So whoever cancels
 *   1. finds it in the collection under the lock: a request in the collection has not been deleted;
 *   2. takes a reference, still under the lock: now it cannot vanish;
 *   3. releases the lock before it cancels: the lower driver may complete the request inside the call, and the completion routine
 *      wants the same lock;
 *   4. gives the reference back.
 * The completion routine takes the request out of the collection under the lock before it deletes it.
 */
#include <ntddk.h>
#include <wdf.h>

#define IOCTL_CANCEL_ALL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _GUARD_CONTEXT {
    WDFSPINLOCK Lock;
    WDFCOLLECTION Sent; /* requests that are below, guarded by Lock */
} GUARD_CONTEXT, *PGUARD_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(GUARD_CONTEXT, GetGuardContext)

typedef struct _SENT_CONTEXT {
    WDFREQUEST Original; /* the application's request, which waits for this one */
    WDFDEVICE Device;
} SENT_CONTEXT, *PSENT_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(SENT_CONTEXT, GetSentContext)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD EvtDeviceAdd;
EVT_WDF_IO_QUEUE_IO_WRITE EvtIoWrite;
EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL EvtIoDeviceControl;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtSent;

/* A request of ours is back. Only now it leaves the collection; then nobody can find it any more, and it may be deleted. */
VOID EvtSent(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PSENT_CONTEXT sent = GetSentContext(Request);
    PGUARD_CONTEXT guard = GetGuardContext(sent->Device);
    WDFREQUEST original = sent->Original;
    NTSTATUS status = Params->IoStatus.Status;
    ULONG_PTR information = Params->IoStatus.Information;

    UNREFERENCED_PARAMETER(Target);
    UNREFERENCED_PARAMETER(Context);

    WdfSpinLockAcquire(guard->Lock);
    WdfCollectionRemove(guard->Sent, Request);
    WdfSpinLockRelease(guard->Lock);
    /* Deleting it gives the original's memory back, and that has to be before the original is completed. */
    WdfObjectDelete(Request);
    WdfRequestCompleteWithInformation(original, status, information);
}

/* Format and send a request of our own for a write. On failure the caller has both requests. */
static NTSTATUS SendOn(WDFDEVICE Device, WDFREQUEST Original, WDFREQUEST Request)
{
    WDFIOTARGET target = WdfDeviceGetIoTarget(Device);
    PGUARD_CONTEXT guard = GetGuardContext(Device);
    WDFMEMORY memory;
    NTSTATUS status = WdfRequestRetrieveInputMemory(Original, &memory);

    if (NT_SUCCESS(status)) {
        status = WdfIoTargetFormatRequestForWrite(target, Request, memory, NULL, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    GetSentContext(Request)->Original = Original;
    GetSentContext(Request)->Device = Device;
    WdfRequestSetCompletionRoutine(Request, EvtSent, WDF_NO_CONTEXT);

    /* Into the collection before it is sent: it may be back before WdfRequestSend returns. */
    WdfSpinLockAcquire(guard->Lock);
    status = WdfCollectionAdd(guard->Sent, Request);
    WdfSpinLockRelease(guard->Lock);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (WdfRequestSend(Request, target, WDF_NO_SEND_OPTIONS) == FALSE) {
        status = WdfRequestGetStatus(Request);
        WdfSpinLockAcquire(guard->Lock);
        WdfCollectionRemove(guard->Sent, Request);
        WdfSpinLockRelease(guard->Lock);
    }
    return status;
}

VOID EvtIoWrite(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WDFDEVICE device = WdfIoQueueGetDevice(Queue);
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFREQUEST own;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Length);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, SENT_CONTEXT);
    attributes.ParentObject = device;
    status = WdfRequestCreate(&attributes, WdfDeviceGetIoTarget(device), &own);
    if (NT_SUCCESS(status)) {
        status = SendOn(device, Request, own);
        if (!NT_SUCCESS(status)) {
            WdfObjectDelete(own);
        }
    }
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
    }
}

/* Cancel everything that is below; the answer is how many requests the device had made cancelable. */
VOID EvtIoDeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputBufferLength, size_t InputBufferLength, ULONG IoControlCode)
{
    PGUARD_CONTEXT guard = GetGuardContext(WdfIoQueueGetDevice(Queue));
    ULONG cancelled = 0, index;
    PULONG answer;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(OutputBufferLength);
    UNREFERENCED_PARAMETER(InputBufferLength);

    if (IoControlCode != IOCTL_CANCEL_ALL) {
        WdfRequestComplete(Request, STATUS_INVALID_DEVICE_REQUEST);
        return;
    }
    for (index = 0;;) {
        WDFREQUEST found;

        WdfSpinLockAcquire(guard->Lock);
        found = (WDFREQUEST)WdfCollectionGetItem(guard->Sent, index);
        if (found != NULL) {
            WdfObjectReference(found);
        }
        WdfSpinLockRelease(guard->Lock);
        if (found == NULL) {
            break;
        }
        if (WdfRequestCancelSentRequest(found)) {
            cancelled++; /* it is back by now, and out of the collection: the next one has moved up */
        } else {
            index++;     /* nobody listened yet; the device may see the mark later */
        }
        WdfObjectDereference(found);
    }
    status = WdfRequestRetrieveOutputBuffer(Request, sizeof(ULONG), (PVOID *)&answer, NULL);
    if (NT_SUCCESS(status)) {
        *answer = cancelled;
    }
    WdfRequestCompleteWithInformation(Request, status, NT_SUCCESS(status) ? sizeof(ULONG) : 0);
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG config;
    PGUARD_CONTEXT guard;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, GUARD_CONTEXT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    guard = GetGuardContext(device);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = device;
    status = WdfSpinLockCreate(&attributes, &guard->Lock);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = WdfCollectionCreate(&attributes, &guard->Sent);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoWrite = EvtIoWrite;
    config.EvtIoDeviceControl = EvtIoDeviceControl;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
