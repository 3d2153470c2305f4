// A chat server: what one client writes, all the others read. It serves IPv4 and IPv6 on port 40009.
//
// Run it with:  python -m wsklab run examples/chat.c --network loopback     and talk to it with several:  nc 127.0.0.1 40009
//
// The ideas to take away:
//   - One message goes to many sockets: it is copied once, its MDL serves every send, and the last completion frees it.
//   - The list of members is walked under a spin lock, and no WSK function is called while the lock is held: a completion
//     routine may run inside the call and would want the same lock.
//   - A member that leaves, or is thrown out because the driver is unloaded, is closed when its last send has completed.

#include <ntddk.h>
#include <wsk.h>

#define CHAT_TAG 'tahC'
#define CHAT_PORT 40009
#define MOST_MEMBERS 16

typedef struct _MEMBER {
    LIST_ENTRY Link;
    PWSK_SOCKET Socket;
    PIRP Irp;               // kept in reserve, so that the end never fails for want of memory
    LONG References;        // the client's side, and every send under way
    LONG Finished;          // whether the reference of the client's side is gone
    LONG Ending;            // at the end: how many have to be done before the socket may be closed
} MEMBER, *PMEMBER;

typedef struct _MESSAGE {
    LONG References;        // the sends under way, and whoever distributes it
    SIZE_T Length;
    PMDL Mdl;               // describes Text
    CHAR Text[1];
} MESSAGE, *PMESSAGE;

// What the completion of one send has to let go.
typedef struct _DELIVERY {
    PMESSAGE Message;
    PMEMBER Member;
} DELIVERY, *PDELIVERY;

static WSK_REGISTRATION Registration;
static PWSK_SOCKET Listener;
static LIST_ENTRY Members;
static ULONG MemberCount;
static KSPIN_LOCK Lock;

static const WSK_PROVIDER_CONNECTION_DISPATCH *
Functions(PMEMBER Member)
{
    return (const WSK_PROVIDER_CONNECTION_DISPATCH *)Member->Socket->Dispatch;
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

// The end of a member: disconnect behind everything that was sent, then close, then forget.

static NTSTATUS
Closed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeIrp(Irp);
    ExFreePoolWithTag(Context, CHAT_TAG);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// A socket must not be closed while a function of it is running, and WskDisconnect may complete before it returns. So two
// have to be done: the call and its completion. The later of them closes.
static VOID
CloseAfterBoth(PMEMBER Member)
{
    if (InterlockedDecrement(&Member->Ending) == 0) {
        IoReuseIrp(Member->Irp, STATUS_UNSUCCESSFUL);
        IoSetCompletionRoutine(Member->Irp, Closed, Member, TRUE, TRUE, TRUE);
        Functions(Member)->WskCloseSocket(Member->Socket, Member->Irp);
    }
}

static NTSTATUS
Disconnected(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    CloseAfterBoth((PMEMBER)Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID
Release(PMEMBER Member)
{
    KIRQL OldIrql;

    if (InterlockedDecrement(&Member->References) != 0) {
        return;
    }
    KeAcquireSpinLock(&Lock, &OldIrql);
    RemoveEntryList(&Member->Link);
    MemberCount--;
    KeReleaseSpinLock(&Lock, OldIrql);
    Member->Ending = 2;
    IoSetCompletionRoutine(Member->Irp, Disconnected, Member, TRUE, TRUE, TRUE);
    Functions(Member)->WskDisconnect(Member->Socket, NULL, 0, Member->Irp);
    CloseAfterBoth(Member);
}

// The client's side is over: its reference goes, once.
static VOID
ClientFinished(PMEMBER Member)
{
    if (InterlockedExchange(&Member->Finished, TRUE) == FALSE) {
        Release(Member);
    }
}

// Messages

static VOID
ReleaseMessage(PMESSAGE Message)
{
    if (InterlockedDecrement(&Message->References) == 0) {
        IoFreeMdl(Message->Mdl);
        ExFreePoolWithTag(Message, CHAT_TAG);
    }
}

static PMESSAGE
CopyMessage(PWSK_DATA_INDICATION Indication, SIZE_T Length)
{
    PMESSAGE Message = (PMESSAGE)ExAllocatePool2(POOL_FLAG_NON_PAGED, FIELD_OFFSET(MESSAGE, Text) + Length, CHAT_TAG);
    SIZE_T Copied = 0;

    if (Message == NULL) {
        return NULL;
    }
    Message->References = 1;
    Message->Length = Length;
    Message->Mdl = IoAllocateMdl(Message->Text, (ULONG)Length, FALSE, FALSE, NULL);
    if (Message->Mdl == NULL) {
        ExFreePoolWithTag(Message, CHAT_TAG);
        return NULL;
    }
    MmBuildMdlForNonPagedPool(Message->Mdl);
    // A list of buffers, each a chain of MDLs; only the first MDL of a chain has an offset.
    for (; Indication != NULL; Indication = Indication->Next) {
        ULONG Offset = Indication->Buffer.Offset;
        SIZE_T Left = Indication->Buffer.Length;
        PMDL Mdl;

        for (Mdl = Indication->Buffer.Mdl; Mdl != NULL && Left > 0; Mdl = Mdl->Next) {
            PCHAR Data = (PCHAR)MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
            SIZE_T Part = min(MmGetMdlByteCount(Mdl) - Offset, Left);

            if (Data == NULL) {
                ReleaseMessage(Message);
                return NULL;
            }
            RtlCopyMemory(Message->Text + Copied, Data + Offset, Part);
            Copied += Part;
            Left -= Part;
            Offset = 0;
        }
    }
    return Message;
}

static NTSTATUS
Delivered(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PDELIVERY Delivery = (PDELIVERY)Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeIrp(Irp);
    ReleaseMessage(Delivery->Message);
    Release(Delivery->Member);
    ExFreePoolWithTag(Delivery, CHAT_TAG);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// Send a message to a member, to which the caller holds a reference; the send holds another one.
static VOID
Deliver(PMESSAGE Message, PMEMBER Member)
{
    PDELIVERY Delivery = (PDELIVERY)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Delivery), CHAT_TAG);
    PIRP Irp = Delivery != NULL ? IoAllocateIrp(1, FALSE) : NULL;
    WSK_BUF Buffer = { Message->Mdl, 0, Message->Length };

    if (Irp == NULL) {
        if (Delivery != NULL) {
            ExFreePoolWithTag(Delivery, CHAT_TAG);
        }
        return;                         // without memory this member misses the message
    }
    Delivery->Message = Message;
    Delivery->Member = Member;
    InterlockedIncrement(&Message->References);
    InterlockedIncrement(&Member->References);
    IoSetCompletionRoutine(Irp, Delivered, Delivery, TRUE, TRUE, TRUE);
    Functions(Member)->WskSend(Member->Socket, &Buffer, 0, Irp);
}

static NTSTATUS WSKAPI
ReceiveEvent(PVOID SocketContext, ULONG Flags, PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
             SIZE_T *BytesAccepted)
{
    PMEMBER Others[MOST_MEMBERS];
    ULONG Count = 0, i;
    PMESSAGE Message;
    PLIST_ENTRY Entry;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(BytesAccepted);
    if (DataIndication == NULL) {
        ClientFinished((PMEMBER)SocketContext);     // the socket no longer works
        return STATUS_SUCCESS;
    }
    Message = CopyMessage(DataIndication, BytesIndicated);
    if (Message == NULL) {
        return STATUS_SUCCESS;
    }
    KeAcquireSpinLock(&Lock, &OldIrql);
    for (Entry = Members.Flink; Entry != &Members; Entry = Entry->Flink) {
        PMEMBER Member = CONTAINING_RECORD(Entry, MEMBER, Link);

        if (Member != SocketContext && !Member->Finished) {
            InterlockedIncrement(&Member->References);
            Others[Count++] = Member;
        }
    }
    KeReleaseSpinLock(&Lock, OldIrql);
    for (i = 0; i < Count; i++) {
        Deliver(Message, Others[i]);
        Release(Others[i]);
    }
    ReleaseMessage(Message);
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI
DisconnectEvent(PVOID SocketContext, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ClientFinished((PMEMBER)SocketContext);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH MemberDispatch = { ReceiveEvent, DisconnectEvent, NULL };

// Listening

static NTSTATUS WSKAPI
AcceptEvent(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
            PVOID *AcceptSocketContext, const WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    PMEMBER Member;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(LocalAddress);
    UNREFERENCED_PARAMETER(RemoteAddress);
    if (AcceptSocket == NULL) {
        return STATUS_REQUEST_NOT_ACCEPTED;     // the listening socket no longer works
    }
    if (MemberCount == MOST_MEMBERS) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    Member = (PMEMBER)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Member), CHAT_TAG);
    if (Member == NULL) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    Member->Irp = IoAllocateIrp(1, FALSE);
    if (Member->Irp == NULL) {
        ExFreePoolWithTag(Member, CHAT_TAG);
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    Member->Socket = AcceptSocket;
    Member->References = 1;
    KeAcquireSpinLock(&Lock, &OldIrql);
    InsertTailList(&Members, &Member->Link);
    MemberCount++;
    KeReleaseSpinLock(&Lock, OldIrql);
    *AcceptSocketContext = Member;
    *AcceptSocketDispatch = &MemberDispatch;
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
        Local.sin6_port = RtlUshortByteSwap(CHAT_PORT);
        Prepare(Irp, &Done);
        Dispatch->WskBind(Listener, (PSOCKADDR)&Local, 0, Irp);
        Status = Finish(Irp, &Done);
    }
    if (!NT_SUCCESS(Status)) {
        CloseListener(Irp);
    }
    return Status;
}

// Throw out every member that is left. What is under way fails, and lets its references go.
static VOID
ThrowOut(PIRP Irp)
{
    PMEMBER Member;
    KIRQL OldIrql;
    KEVENT Done;

    for (;;) {
        Member = NULL;
        KeAcquireSpinLock(&Lock, &OldIrql);
        if (!IsListEmpty(&Members)) {
            Member = CONTAINING_RECORD(RemoveHeadList(&Members), MEMBER, Link);
            InitializeListHead(&Member->Link);      // Release takes it out of whatever list it is in
            InterlockedIncrement(&Member->References);
        }
        KeReleaseSpinLock(&Lock, OldIrql);
        if (Member == NULL) {
            return;
        }
        Prepare(Irp, &Done);
        Functions(Member)->WskDisconnect(Member->Socket, NULL, WSK_FLAG_ABORTIVE, Irp);
        Finish(Irp, &Done);
        ClientFinished(Member);
        Release(Member);
    }
}

static VOID
Unload(PDRIVER_OBJECT DriverObject)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    UNREFERENCED_PARAMETER(DriverObject);
    if (Irp != NULL) {
        CloseListener(Irp);
        ThrowOut(Irp);
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
    InitializeListHead(&Members);
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
