// A UDP echo server by callbacks: every datagram goes back to where it came from. It serves IPv4 and IPv6 on port 40008.
//
// Run it with:  python -m wsklab run examples/udp_echo.c --network loopback     and talk to it with:  nc -u 127.0.0.1 40008
//
// The ideas to take away:
//   - WskReceiveFromEvent gets a list of datagrams, each with its own buffer and sender. Returning STATUS_PENDING keeps the
//     list; the driver gives it back with WskRelease when the last answer has gone out.
//   - A socket must not be closed while the driver keeps datagrams of it: Unload switches the callback off, waits until the
//     last answer has gone out, and only then closes.

#include <ntddk.h>
#include <wsk.h>

#define ECHO_TAG 'ohcE'
#define ECHO_PORT 40008

// The answers to one list of datagrams.
typedef struct _ANSWERS {
    PWSK_DATAGRAM_INDICATION List;
    LONG Sends;
} ANSWERS, *PANSWERS;

static WSK_REGISTRATION Registration;
static PWSK_SOCKET Socket;
static LONG Lists;              // lists that are kept, and one more while the driver is loaded
static KEVENT NothingKept;

static const WSK_PROVIDER_DATAGRAM_DISPATCH *
Functions(VOID)
{
    return (const WSK_PROVIDER_DATAGRAM_DISPATCH *)Socket->Dispatch;
}

static VOID
ListDone(VOID)
{
    if (InterlockedDecrement(&Lists) == 0) {
        KeSetEvent(&NothingKept, IO_NO_INCREMENT, FALSE);
    }
}

// One user of the answers is done; the last one gives the list back when `Kept` says that the driver has kept it.
static BOOLEAN
AnswerDone(PANSWERS Answers, BOOLEAN Kept)
{
    if (InterlockedDecrement(&Answers->Sends) != 0) {
        return FALSE;
    }
    if (Kept) {
        Functions()->WskRelease(Socket, Answers->List);
    }
    ExFreePoolWithTag(Answers, ECHO_TAG);
    ListDone();
    return TRUE;
}

static NTSTATUS
SendComplete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeIrp(Irp);
    AnswerDone((PANSWERS)Context, TRUE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS WSKAPI
ReceiveFromEvent(PVOID SocketContext, ULONG Flags, PWSK_DATAGRAM_INDICATION DataIndication)
{
    PWSK_DATAGRAM_INDICATION Next;
    PANSWERS Answers;
    PIRP Irp;

    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    if (DataIndication == NULL) {
        return STATUS_SUCCESS;          // the socket no longer works
    }
    Answers = (PANSWERS)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Answers), ECHO_TAG);
    if (Answers == NULL) {
        return STATUS_SUCCESS;          // without memory these datagrams are lost, as datagrams may be
    }
    Answers->List = DataIndication;
    Answers->Sends = 1;                 // this function's own, so that the list stays until all sends are asked for
    InterlockedIncrement(&Lists);
    for (; DataIndication != NULL; DataIndication = Next) {
        Next = DataIndication->Next;
        Irp = IoAllocateIrp(1, FALSE);
        if (Irp == NULL) {
            break;
        }
        InterlockedIncrement(&Answers->Sends);
        IoSetCompletionRoutine(Irp, SendComplete, Answers, TRUE, TRUE, TRUE);
        Functions()->WskSendTo(Socket, &DataIndication->Buffer, 0, DataIndication->RemoteAddress, 0, NULL, Irp);
    }
    // When every send has completed already, nobody needs the list any more: it counts as taken, not as kept.
    return AnswerDone(Answers, FALSE) ? STATUS_SUCCESS : STATUS_PENDING;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH DatagramDispatch = { ReceiveFromEvent };

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

static NTSTATUS
SetOption(PIRP Irp, ULONG Option, ULONG Level, PVOID Value, SIZE_T Size)
{
    KEVENT Done;

    Prepare(Irp, &Done);
    Functions()->WskControlSocket(Socket, WskSetOption, Option, Level, Size, Value, 0, NULL, NULL, Irp);
    return Finish(Irp, &Done);
}

static VOID
CloseSocket(PIRP Irp)
{
    KEVENT Done;

    Prepare(Irp, &Done);
    Functions()->WskCloseSocket(Socket, Irp);
    Finish(Irp, &Done);
    Socket = NULL;
}

// Make a socket that serves both families, bind it, and then let the datagrams come.
static NTSTATUS
Open(PWSK_PROVIDER_NPI Provider, PIRP Irp)
{
    WSK_EVENT_CALLBACK_CONTROL Callbacks = { &NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM };
    SOCKADDR_IN6 Local = { AF_INET6 };
    ULONG Off = 0;
    NTSTATUS Status;
    KEVENT Done;

    Prepare(Irp, &Done);
    Provider->Dispatch->WskSocket(Provider->Client, AF_INET6, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET, NULL,
                                  &DatagramDispatch, NULL, NULL, NULL, Irp);
    Status = Finish(Irp, &Done);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Socket = (PWSK_SOCKET)Irp->IoStatus.Information;
    Status = SetOption(Irp, IPV6_V6ONLY, IPPROTO_IPV6, &Off, sizeof(Off));
    if (NT_SUCCESS(Status)) {
        Local.sin6_port = RtlUshortByteSwap(ECHO_PORT);
        Prepare(Irp, &Done);
        Functions()->WskBind(Socket, (PSOCKADDR)&Local, 0, Irp);
        Status = Finish(Irp, &Done);
    }
    if (NT_SUCCESS(Status)) {
        // Switching a callback on takes no IRP: it is over when the call returns.
        Status = Functions()->WskControlSocket(Socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, sizeof(Callbacks),
                                               &Callbacks, 0, NULL, NULL, NULL);
    }
    if (!NT_SUCCESS(Status)) {
        CloseSocket(Irp);
    }
    return Status;
}

static VOID
Unload(PDRIVER_OBJECT DriverObject)
{
    WSK_EVENT_CALLBACK_CONTROL Callbacks = { &NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM | WSK_EVENT_DISABLE };
    PIRP Irp = IoAllocateIrp(1, FALSE);

    UNREFERENCED_PARAMETER(DriverObject);
    if (Irp != NULL) {
        // Switching it off takes one, and completes when a callback that runs has returned.
        SetOption(Irp, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, &Callbacks, sizeof(Callbacks));
        ListDone();
        KeWaitForSingleObject(&NothingKept, Executive, KernelMode, FALSE, NULL);
        CloseSocket(Irp);
        IoFreeIrp(Irp);
    }
    WskDeregister(&Registration);
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
    WSK_CLIENT_NPI Client = { NULL, &ClientDispatch };
    WSK_PROVIDER_NPI Provider;
    NTSTATUS Status;
    PIRP Irp;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    KeInitializeEvent(&NothingKept, NotificationEvent, FALSE);
    Lists = 1;
    Irp = IoAllocateIrp(1, FALSE);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = WskRegister(&Client, &Registration);
    if (NT_SUCCESS(Status)) {
        Status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
        if (NT_SUCCESS(Status)) {
            Status = Open(&Provider, Irp);
            WskReleaseProviderNPI(&Registration);
        }
        if (!NT_SUCCESS(Status)) {
            WskDeregister(&Registration);
        }
    }
    IoFreeIrp(Irp);
    return Status;
}
