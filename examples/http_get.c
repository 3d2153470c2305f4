// An HTTP client: it finds the addresses of a host by name, connects to the first one that answers, asks for a page and prints
// it. Everything runs in one thread that waits for each call, which is the simplest way to use WSK.
//
// Run it with:  python -m wsklab run examples/http_get.c
//
// The ideas to take away:
//   - WskGetAddressInfo returns a list that belongs to the driver until WskFreeAddressInfo; nothing of it is used afterwards.
//   - A receive that succeeds with no bytes means that the server has finished.

#include <ntddk.h>
#include <wsk.h>

#define HTTP_TAG 'pttH'
#define PIECE 512

static WSK_REGISTRATION Registration;

static NTSTATUS
SignalDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID
Prepare(PIRP Irp, PKEVENT Done)
{
    KeInitializeEvent(Done, NotificationEvent, FALSE);
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Irp, SignalDone, Done, TRUE, TRUE, TRUE);
}

static NTSTATUS
Finish(PIRP Irp, PKEVENT Done)
{
    KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

static const WSK_PROVIDER_CONNECTION_DISPATCH *
Functions(PWSK_SOCKET Socket)
{
    return (const WSK_PROVIDER_CONNECTION_DISPATCH *)Socket->Dispatch;
}

static NTSTATUS
Connect(PWSK_PROVIDER_NPI Provider, PSOCKADDR Remote, PIRP Irp, PWSK_SOCKET *Socket)
{
    SOCKADDR_STORAGE Local = { 0 };     // any address of the family, any port
    NTSTATUS Status;
    KEVENT Done;

    Local.ss_family = Remote->sa_family;
    Prepare(Irp, &Done);
    Provider->Dispatch->WskSocketConnect(Provider->Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&Local, Remote, 0, NULL, NULL,
                                         NULL, NULL, NULL, Irp);
    Status = Finish(Irp, &Done);
    if (NT_SUCCESS(Status)) {
        *Socket = (PWSK_SOCKET)Irp->IoStatus.Information;
    }
    return Status;
}

// Send the request, then print what comes until the server has finished. `Data` is a buffer of PIECE bytes, `Mdl` describes it.
static NTSTATUS
Exchange(PWSK_SOCKET Socket, PIRP Irp, PCHAR Data, PMDL Mdl)
{
    static const CHAR Request[] = "GET / HTTP/1.0\r\n\r\n";
    WSK_BUF Buffer = { Mdl, 0, sizeof(Request) - 1 };
    NTSTATUS Status;
    KEVENT Done;

    RtlCopyMemory(Data, Request, sizeof(Request) - 1);
    Prepare(Irp, &Done);
    Functions(Socket)->WskSend(Socket, &Buffer, 0, Irp);
    Status = Finish(Irp, &Done);

    Buffer.Length = PIECE;
    while (NT_SUCCESS(Status)) {
        Prepare(Irp, &Done);
        Functions(Socket)->WskReceive(Socket, &Buffer, 0, Irp);
        Status = Finish(Irp, &Done);
        if (!NT_SUCCESS(Status) || Irp->IoStatus.Information == 0) {
            break;
        }
        DbgPrint("%.*s", (int)Irp->IoStatus.Information, Data);
    }
    return Status;
}

// Disconnect gracefully, then close.
static VOID
Close(PWSK_SOCKET Socket, PIRP Irp)
{
    KEVENT Done;

    Prepare(Irp, &Done);
    Functions(Socket)->WskDisconnect(Socket, NULL, 0, Irp);
    Finish(Irp, &Done);
    Prepare(Irp, &Done);
    Functions(Socket)->WskCloseSocket(Socket, Irp);
    Finish(Irp, &Done);
}

static NTSTATUS
GetFrom(PWSK_PROVIDER_NPI Provider, PCWSTR Host, PCWSTR Port, PIRP Irp, PCHAR Data, PMDL Mdl)
{
    UNICODE_STRING Node, Service;
    PADDRINFOEXW List = NULL, Found;
    ADDRINFOEXW Hints = { 0 };
    PWSK_SOCKET Socket = NULL;
    NTSTATUS Status;
    KEVENT Done;

    RtlInitUnicodeString(&Node, Host);
    RtlInitUnicodeString(&Service, Port);
    Hints.ai_socktype = SOCK_STREAM;
    Hints.ai_protocol = IPPROTO_TCP;
    Prepare(Irp, &Done);
    Provider->Dispatch->WskGetAddressInfo(Provider->Client, &Node, &Service, NS_ALL, NULL, &Hints, &List, NULL, NULL, Irp);
    Status = Finish(Irp, &Done);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = STATUS_HOST_UNREACHABLE;
    for (Found = List; Found != NULL && Socket == NULL; Found = Found->ai_next) {
        Status = Connect(Provider, Found->ai_addr, Irp, &Socket);
    }
    Provider->Dispatch->WskFreeAddressInfo(Provider->Client, List);
    if (Socket != NULL) {
        Status = Exchange(Socket, Irp, Data, Mdl);
        Close(Socket, Irp);
    }
    return Status;
}

// Print the page of a host.
NTSTATUS
Get(PCWSTR Host, PCWSTR Port)
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    WSK_PROVIDER_NPI Provider;
    PIRP Irp = IoAllocateIrp(1, FALSE);
    PCHAR Data = (PCHAR)ExAllocatePool2(POOL_FLAG_NON_PAGED, PIECE, HTTP_TAG);
    PMDL Mdl = Data != NULL ? IoAllocateMdl(Data, PIECE, FALSE, FALSE, NULL) : NULL;

    if (Irp != NULL && Mdl != NULL) {
        MmBuildMdlForNonPagedPool(Mdl);
        Status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
        if (NT_SUCCESS(Status)) {
            Status = GetFrom(&Provider, Host, Port, Irp, Data, Mdl);
            WskReleaseProviderNPI(&Registration);
        }
    }
    if (Mdl != NULL) {
        IoFreeMdl(Mdl);
    }
    if (Data != NULL) {
        ExFreePoolWithTag(Data, HTTP_TAG);
    }
    if (Irp != NULL) {
        IoFreeIrp(Irp);
    }
    return Status;
}

static VOID
Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    WskDeregister(&Registration);
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
    WSK_CLIENT_NPI Client = { NULL, &ClientDispatch };
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Status = WskRegister(&Client, &Registration);
    if (NT_SUCCESS(Status)) {
        Status = Get(L"peer.lab.example", L"80");
        if (!NT_SUCCESS(Status)) {
            WskDeregister(&Registration);
        }
    }
    return Status;
}
