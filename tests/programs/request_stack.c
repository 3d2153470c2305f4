/*
 * request_stack.c: a framework driver whose own requests go round and round, over a lower driver that completes what it gets at
 * once, or keeps it until it is told. For the figures and the property tests.
 */
#include <ntddk.h>
#include <wdf.h>

typedef struct _SENT {
    WDFMEMORY Memory;
    PVOID Buffer;
} SENT, *PSENT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(SENT, GetSent)

ULONG Completed;
BOOLEAN Keep;
LIST_ENTRY Kept;

EVT_WDF_REQUEST_COMPLETION_ROUTINE Done;
DRIVER_DISPATCH LowerRead;

/* The upper driver. */

VOID Done(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    WDF_REQUEST_REUSE_PARAMS reuse;
    UNREFERENCED_PARAMETER(Target);
    UNREFERENCED_PARAMETER(Context);
    if (NT_SUCCESS(Params->IoStatus.Status)) Completed++;
    WDF_REQUEST_REUSE_PARAMS_INIT(&reuse, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_SUCCESS);
    WdfRequestReuse(Request, &reuse);
}

WDFREQUEST Make(WDFIOTARGET Target, size_t Size)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFREQUEST request;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, SENT);
    if (!NT_SUCCESS(WdfRequestCreate(&attributes, Target, &request))) return NULL;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = request;
    WdfMemoryCreate(&attributes, NonPagedPoolNx, 'tuO', Size, &GetSent(request)->Memory, &GetSent(request)->Buffer);
    return request;
}

BOOLEAN Send(WDFREQUEST Request, WDFIOTARGET Target)
{
    if (!NT_SUCCESS(WdfIoTargetFormatRequestForRead(Target, Request, GetSent(Request)->Memory, NULL, NULL))) return FALSE;
    WdfRequestSetCompletionRoutine(Request, Done, NULL);
    return WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS);
}

/* One request, again and again; how many came back with success. */
ULONG Run(WDFREQUEST Request, WDFIOTARGET Target, ULONG Count)
{
    ULONG before = Completed;
    while (Count-- > 0 && Send(Request, Target)) {
    }
    return Completed - before;
}

/* The lower driver. */

NTSTATUS LowerRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    if (Keep) {
        IoMarkIrpPending(Irp);
        InsertTailList(&Kept, &Irp->Tail.Overlay.ListEntry);
        return STATUS_PENDING;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

/* Complete everything that was kept. */
VOID Release(void)
{
    while (!IsListEmpty(&Kept)) {
        PIRP irp = CONTAINING_RECORD(RemoveHeadList(&Kept), IRP, Tail.Overlay.ListEntry);
        irp->IoStatus.Status = STATUS_SUCCESS;
        irp->IoStatus.Information = 0;
        IoCompleteRequest(irp, IO_NO_INCREMENT);
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(RegistryPath);
    InitializeListHead(&Kept);
    DriverObject->MajorFunction[IRP_MJ_READ] = LowerRead;
    return IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}
