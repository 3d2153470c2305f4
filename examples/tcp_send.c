// A WSK driver, whole: it registers, connects to 10.0.0.2:9, sends one buffer and unloads cleanly.
//
// Run it with:  python -m wsklab run examples/tcp_send.c
//
// The one idea to take away: the IRP of every call belongs to this driver. Its completion routine says so by returning
// STATUS_MORE_PROCESSING_REQUIRED, and whoever waits for the call frees the IRP afterwards.

#include <ntddk.h>
#include <wsk.h>

#define SEND_TAG 'dneS'

static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static WSK_REGISTRATION Registration;
static PWSK_SOCKET Socket;

// Signal whoever waits; the IRP stays ours.
static NTSTATUS
OperationComplete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// An IRP for one WSK call, and the event that its completion sets.
static PIRP
PrepareOperation(PKEVENT Done)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    KeInitializeEvent(Done, NotificationEvent, FALSE);
    if (Irp != NULL) {
        IoSetCompletionRoutine(Irp, OperationComplete, Done, TRUE, TRUE, TRUE);
    }
    return Irp;
}

// Wait until the call is over, whatever it returned, and take the result out of the IRP.
static NTSTATUS
FinishOperation(PIRP Irp, PKEVENT Done, PULONG_PTR Information)
{
    NTSTATUS Status;

    KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL);
    Status = Irp->IoStatus.Status;
    if (Information != NULL) {
        *Information = Irp->IoStatus.Information;
    }
    IoFreeIrp(Irp);
    return Status;
}

static NTSTATUS
Connect(PWSK_PROVIDER_NPI Provider)
{
    SOCKADDR_IN Local = { AF_INET };
    SOCKADDR_IN Remote = { AF_INET };
    ULONG_PTR Information = 0;
    NTSTATUS Status;
    KEVENT Done;
    PIRP Irp = PrepareOperation(&Done);

    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Remote.sin_port = RtlUshortByteSwap(9);
    Remote.sin_addr.S_un.S_addr = RtlUlongByteSwap(0x0A000002);
    Provider->Dispatch->WskSocketConnect(Provider->Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&Local, (PSOCKADDR)&Remote,
                                         0, NULL, NULL, NULL, NULL, NULL, Irp);
    Status = FinishOperation(Irp, &Done, &Information);
    if (NT_SUCCESS(Status)) {
        Socket = (PWSK_SOCKET)Information;
    }
    return Status;
}

static NTSTATUS
Send(PVOID Data, SIZE_T Length)
{
    PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    ULONG_PTR Sent = 0;
    NTSTATUS Status;
    WSK_BUF Buffer;
    KEVENT Done;
    PIRP Irp;
    PMDL Mdl = IoAllocateMdl(Data, (ULONG)Length, FALSE, FALSE, NULL);

    if (Mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(Mdl);
    Irp = PrepareOperation(&Done);
    if (Irp == NULL) {
        IoFreeMdl(Mdl);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Buffer.Mdl = Mdl;
    Buffer.Offset = 0;
    Buffer.Length = Length;
    Dispatch->WskSend(Socket, &Buffer, 0, Irp);
    Status = FinishOperation(Irp, &Done, &Sent);
    DbgPrint("sent %Iu bytes, status %08x\n", Sent, Status);
    IoFreeMdl(Mdl);
    return Status;
}

static VOID
Close(VOID)
{
    PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    KEVENT Done;
    PIRP Irp = PrepareOperation(&Done);

    // Without memory for an IRP the socket cannot be closed; a real driver keeps one in reserve.
    if (Irp != NULL) {
        Dispatch->WskCloseSocket(Socket, Irp);
        FinishOperation(Irp, &Done, NULL);
        Socket = NULL;
    }
}

static VOID
Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (Socket != NULL) {
        Close();
    }
    WskDeregister(&Registration);
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI Client = { NULL, &ClientDispatch };
    WSK_PROVIDER_NPI Provider;
    NTSTATUS Status;
    PCHAR Data;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Status = WskRegister(&Client, &Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Registration, WSK_NO_WAIT, &Provider);
    if (NT_SUCCESS(Status)) {
        Status = Connect(&Provider);
        WskReleaseProviderNPI(&Registration);
    }
    if (!NT_SUCCESS(Status)) {
        // Unload is not called when DriverEntry fails, so the registration ends here.
        WskDeregister(&Registration);
        return Status;
    }
    Data = (PCHAR)ExAllocatePool2(POOL_FLAG_NON_PAGED, 32, SEND_TAG);
    if (Data != NULL) {
        RtlCopyMemory(Data, "Hello from the kernel", 21);
        Send(Data, 21);
        ExFreePoolWithTag(Data, SEND_TAG);
    }
    return STATUS_SUCCESS;
}
