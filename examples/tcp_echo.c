// A TCP echo server by callbacks: whatever a client sends comes back to it. It serves IPv4 and IPv6 on port 40007.
//
// Run it with:  python -m wsklab run examples/tcp_echo.c --network loopback     and talk to it with:  nc 127.0.0.1 40007
//
// The ideas to take away:
//   - Nothing waits. WSK calls the driver when a connection stands (WskAcceptEvent), when bytes have arrived
//     (WskReceiveEvent) and when the client has finished (WskDisconnectEvent), at DISPATCH_LEVEL or below.
//   - The bytes are not copied. WskReceiveEvent returns STATUS_PENDING, which keeps the indicated buffers; they are sent
//     back as they are and released when the last send has completed.
//   - A connection is closed when nobody uses it any more. Every send holds a reference, the client's side holds one.

#include <ntddk.h>
#include <wsk.h>

#define ECHO_TAG 'ohcE'
#define ECHO_PORT 40007

// One accepted connection, in the list of all of them.
typedef struct _CONNECTION {
    LIST_ENTRY Link;
    PWSK_SOCKET Socket;
    PIRP Irp;               // kept in reserve, so that the end never fails for want of memory
    LONG References;        // the client's side, and every echo under way
    LONG Finished;          // whether the reference of the client's side is gone
    LONG Ending;            // at the end: how many have to be done before the socket may be closed
} CONNECTION, *PCONNECTION;

// The echo of one indication: as many sends as it has buffers.
typedef struct _ECHO {
    PCONNECTION Connection;
    PWSK_DATA_INDICATION List;
    LONG Sends;
} ECHO, *PECHO;

static WSK_REGISTRATION Registration;
static PWSK_SOCKET Listener;
static LIST_ENTRY Connections;
static KSPIN_LOCK Lock;

static const WSK_PROVIDER_CONNECTION_DISPATCH *
Functions(PCONNECTION Connection)
{
    return (const WSK_PROVIDER_CONNECTION_DISPATCH *)Connection->Socket->Dispatch;
}

// Calls that somebody waits for: at PASSIVE_LEVEL only.

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

// The end of a connection: disconnect behind everything that was sent, then close, then forget.

static NTSTATUS
Closed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeIrp(Irp);
    ExFreePoolWithTag(Context, ECHO_TAG);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// A socket must not be closed while a function of it is running, and WskDisconnect may complete before it returns. So two
// have to be done: the call and its completion. The later of them closes.
static VOID
CloseAfterBoth(PCONNECTION Connection)
{
    if (InterlockedDecrement(&Connection->Ending) == 0) {
        IoReuseIrp(Connection->Irp, STATUS_UNSUCCESSFUL);
        IoSetCompletionRoutine(Connection->Irp, Closed, Connection, TRUE, TRUE, TRUE);
        Functions(Connection)->WskCloseSocket(Connection->Socket, Connection->Irp);
    }
}

static NTSTATUS
Disconnected(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    CloseAfterBoth((PCONNECTION)Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID
Release(PCONNECTION Connection)
{
    KIRQL OldIrql;

    if (InterlockedDecrement(&Connection->References) != 0) {
        return;
    }
    KeAcquireSpinLock(&Lock, &OldIrql);
    RemoveEntryList(&Connection->Link);
    KeReleaseSpinLock(&Lock, OldIrql);
    Connection->Ending = 2;
    IoSetCompletionRoutine(Connection->Irp, Disconnected, Connection, TRUE, TRUE, TRUE);
    Functions(Connection)->WskDisconnect(Connection->Socket, NULL, 0, Connection->Irp);
    CloseAfterBoth(Connection);
}

// The client's side is over: its reference goes, once.
static VOID
ClientFinished(PCONNECTION Connection)
{
    if (InterlockedExchange(&Connection->Finished, TRUE) == FALSE) {
        Release(Connection);
    }
}

// Echoes

static NTSTATUS
SendComplete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PECHO Echo = (PECHO)Context;
    PCONNECTION Connection = Echo->Connection;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeIrp(Irp);
    if (InterlockedDecrement(&Echo->Sends) == 0) {
        Functions(Connection)->WskRelease(Connection->Socket, Echo->List);
        ExFreePoolWithTag(Echo, ECHO_TAG);
        Release(Connection);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS WSKAPI
ReceiveEvent(PVOID SocketContext, ULONG Flags, PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
             SIZE_T *BytesAccepted)
{
    PCONNECTION Connection = (PCONNECTION)SocketContext;
    PWSK_DATA_INDICATION Next;
    PECHO Echo;
    PIRP Irp;

    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(BytesIndicated);
    UNREFERENCED_PARAMETER(BytesAccepted);
    if (DataIndication == NULL) {
        ClientFinished(Connection);     // the socket no longer works
        return STATUS_SUCCESS;
    }
    Echo = (PECHO)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Echo), ECHO_TAG);
    if (Echo == NULL) {
        return STATUS_SUCCESS;          // without memory these bytes are not echoed
    }
    Echo->Connection = Connection;
    Echo->List = DataIndication;
    Echo->Sends = 1;                    // this function's own, so that the list stays until all sends are asked for
    InterlockedIncrement(&Connection->References);
    for (; DataIndication != NULL; DataIndication = Next) {
        Next = DataIndication->Next;
        Irp = IoAllocateIrp(1, FALSE);
        if (Irp == NULL) {
            break;
        }
        InterlockedIncrement(&Echo->Sends);
        IoSetCompletionRoutine(Irp, SendComplete, Echo, TRUE, TRUE, TRUE);
        Functions(Connection)->WskSend(Connection->Socket, &DataIndication->Buffer, 0, Irp);
    }
    if (InterlockedDecrement(&Echo->Sends) == 0) {
        // Every send has completed already (or none was possible), so nobody needs the list any more: take it as read.
        ExFreePoolWithTag(Echo, ECHO_TAG);
        Release(Connection);
        return STATUS_SUCCESS;
    }
    return STATUS_PENDING;
}

static NTSTATUS WSKAPI
DisconnectEvent(PVOID SocketContext, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ClientFinished((PCONNECTION)SocketContext);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH ConnectionDispatch = { ReceiveEvent, DisconnectEvent, NULL };

// Listening

static NTSTATUS WSKAPI
AcceptEvent(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
            PVOID *AcceptSocketContext, const WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    PCONNECTION Connection;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(LocalAddress);
    UNREFERENCED_PARAMETER(RemoteAddress);
    if (AcceptSocket == NULL) {
        return STATUS_REQUEST_NOT_ACCEPTED;     // the listening socket no longer works
    }
    Connection = (PCONNECTION)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), ECHO_TAG);
    if (Connection == NULL) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    Connection->Irp = IoAllocateIrp(1, FALSE);
    if (Connection->Irp == NULL) {
        ExFreePoolWithTag(Connection, ECHO_TAG);
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    Connection->Socket = AcceptSocket;
    Connection->References = 1;
    KeAcquireSpinLock(&Lock, &OldIrql);
    InsertTailList(&Connections, &Connection->Link);
    KeReleaseSpinLock(&Lock, OldIrql);
    *AcceptSocketContext = Connection;
    *AcceptSocketDispatch = &ConnectionDispatch;
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = { AcceptEvent, NULL, NULL };

static VOID
CloseListener(PIRP Irp)
{
    KEVENT Done;

    Prepare(Irp, &Done);
    ((const WSK_PROVIDER_BASIC_DISPATCH *)Listener->Dispatch)->WskCloseSocket(Listener, Irp);
    Finish(Irp, &Done);
    Listener = NULL;
}

// Make a socket that serves both families, and bind it: from then on connections are accepted.
static NTSTATUS
Listen(PWSK_PROVIDER_NPI Provider, PIRP Irp)
{
    SOCKADDR_IN6 Local = { AF_INET6 };
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch;
    ULONG Off = 0;
    NTSTATUS Status;
    KEVENT Done;

    Prepare(Irp, &Done);
    Provider->Dispatch->WskSocket(Provider->Client, AF_INET6, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, NULL,
                                  &ListenDispatch, NULL, NULL, NULL, Irp);
    Status = Finish(Irp, &Done);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Listener = (PWSK_SOCKET)Irp->IoStatus.Information;
    Dispatch = (const WSK_PROVIDER_LISTEN_DISPATCH *)Listener->Dispatch;

    Prepare(Irp, &Done);
    Dispatch->WskControlSocket(Listener, WskSetOption, IPV6_V6ONLY, IPPROTO_IPV6, sizeof(Off), &Off, 0, NULL, NULL, Irp);
    Status = Finish(Irp, &Done);
    if (NT_SUCCESS(Status)) {
        Local.sin6_port = RtlUshortByteSwap(ECHO_PORT);
        Prepare(Irp, &Done);
        Dispatch->WskBind(Listener, (PSOCKADDR)&Local, 0, Irp);
        Status = Finish(Irp, &Done);
    }
    if (!NT_SUCCESS(Status)) {
        CloseListener(Irp);
    }
    return Status;
}

// Break every connection that is left. What is under way fails, and lets its references go.
static VOID
BreakConnections(PIRP Irp)
{
    PCONNECTION Connection;
    KIRQL OldIrql;
    KEVENT Done;

    for (;;) {
        Connection = NULL;
        KeAcquireSpinLock(&Lock, &OldIrql);
        if (!IsListEmpty(&Connections)) {
            Connection = CONTAINING_RECORD(RemoveHeadList(&Connections), CONNECTION, Link);
            InitializeListHead(&Connection->Link);      // Release takes it out of whatever list it is in
            InterlockedIncrement(&Connection->References);
        }
        KeReleaseSpinLock(&Lock, OldIrql);
        if (Connection == NULL) {
            return;
        }
        Prepare(Irp, &Done);
        Functions(Connection)->WskDisconnect(Connection->Socket, NULL, WSK_FLAG_ABORTIVE, Irp);
        Finish(Irp, &Done);
        ClientFinished(Connection);
        Release(Connection);
    }
}

static VOID
Unload(PDRIVER_OBJECT DriverObject)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    UNREFERENCED_PARAMETER(DriverObject);
    if (Irp != NULL) {
        CloseListener(Irp);
        BreakConnections(Irp);
        IoFreeIrp(Irp);
    }
    WskDeregister(&Registration);       // waits until the last socket is closed
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
    WSK_EVENT_CALLBACK_CONTROL Callbacks = { &NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT };
    WSK_CLIENT_NPI Client = { NULL, &ClientDispatch };
    WSK_PROVIDER_NPI Provider;
    NTSTATUS Status;
    PIRP Irp;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    InitializeListHead(&Connections);
    KeInitializeSpinLock(&Lock);
    Irp = IoAllocateIrp(1, FALSE);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = WskRegister(&Client, &Registration);
    if (NT_SUCCESS(Status)) {
        Status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
        if (NT_SUCCESS(Status)) {
            // Every socket of this driver gets these callbacks, from its birth on.
            Status = Provider.Dispatch->WskControlClient(Provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, sizeof(Callbacks),
                                                         &Callbacks, 0, NULL, NULL, NULL);
            if (NT_SUCCESS(Status)) {
                Status = Listen(&Provider, Irp);
            }
            WskReleaseProviderNPI(&Registration);
        }
        if (!NT_SUCCESS(Status)) {
            WskDeregister(&Registration);
        }
    }
    IoFreeIrp(Irp);
    return Status;
}
