"""An echo server in C: one worker thread, a static accept callback, two receives under way per connection, both families.

It does what Microsoft's sample does, in our own words. Facts: WSK-OBJ-05, WSK-OBJ-06, WSK-OBJ-08, WSK-OBJ-15, WSK-OBJ-20,
WSK-OBJ-24, WSK-AF-06, WSK-USE-11, WSK-USE-12, WSK-USE-17 to 19, WSK-USE-21, WSK-USE-23 to 25, WSK-STE-06, WSK-STE-07,
WSK-AEV-08, WSK-AEV-09, WSK-RECV-11 to 13, WSK-DISC-12, WSK-CLOSE-03, WSK-CLOSE-15, WSK-CTL-13, WSK-DER-04, WSK-DER-07 to 09.
"""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import Lab
from wsklab.driverlife import start, unload
from wsklab.machine import Stop
from wsklab.net import Address, Peer
from wsklab.wsk import scene

SERVER = """
#include <ntddk.h>
#include <wsk.h>
#include "server.tmh"

#define TAG 'ohce'
#define SIZE 1000

typedef struct _CONNECTION CONNECTION;
typedef struct _STEP STEP;
typedef void DO(STEP *Step);
struct _STEP { LIST_ENTRY Entry; DO *Do; CONNECTION *Connection; PIRP Irp; PMDL Mdl; UCHAR Bytes[SIZE]; };
struct _CONNECTION { PWSK_SOCKET Socket; BOOLEAN Ending, Closing; STEP Steps[2]; };

static WSK_REGISTRATION Registration;
static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static CONNECTION *Listener;
static LIST_ENTRY Work;
static KSPIN_LOCK Lock;
static KSEMAPHORE Ready;
static PETHREAD Worker;
static BOOLEAN Stop;

static void Later(STEP *Step, DO *Do)
{
    Step->Do = Do;
    ExInterlockedInsertTailList(&Work, &Step->Entry, &Lock);
    KeReleaseSemaphore(&Ready, 0, 1, FALSE);
}

static void Free(CONNECTION *Connection)
{
    ULONG i;
    for (i = 0; i < 2; i++) {
        if (Connection->Steps[i].Irp) IoFreeIrp(Connection->Steps[i].Irp);
        if (Connection->Steps[i].Mdl) IoFreeMdl(Connection->Steps[i].Mdl);
    }
    ExFreePoolWithTag(Connection, TAG);
}

static CONNECTION *Make(void)
{
    CONNECTION *Connection = (CONNECTION *)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(CONNECTION), TAG);
    ULONG i;
    if (Connection == NULL) return NULL;
    for (i = 0; i < 2; i++) {
        STEP *Step = &Connection->Steps[i];
        Step->Connection = Connection;
        Step->Irp = IoAllocateIrp(1, FALSE);
        Step->Mdl = IoAllocateMdl(Step->Bytes, SIZE, FALSE, FALSE, NULL);
        if (Step->Irp == NULL || Step->Mdl == NULL) {
            Free(Connection);
            return NULL;
        }
        MmBuildMdlForNonPagedPool(Step->Mdl);
    }
    return Connection;
}

static PIRP Arm(PIRP Irp, PIO_COMPLETION_ROUTINE Routine, PVOID Context)
{
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Irp, Routine, Context, TRUE, TRUE, TRUE);
    return Irp;
}

static NTSTATUS Signal(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void Gone(STEP *Step)
{
    Free(Step->Connection);
}

static NTSTATUS Closed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    ASSERT(NT_SUCCESS(Irp->IoStatus.Status));
    Later((STEP *)Context, Gone);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void Close(STEP *Step)
{
    CONNECTION *Connection = Step->Connection;
    if (Connection->Closing) return;
    Connection->Closing = TRUE;
    ((PWSK_PROVIDER_BASIC_DISPATCH)Connection->Socket->Dispatch)->WskCloseSocket(Connection->Socket,
                                                                            Arm(Step->Irp, Closed, Step));
}

static NTSTATUS Ended(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    Later((STEP *)Context, Close);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void End(STEP *Step)
{
    CONNECTION *Connection = Step->Connection;
    if (Connection->Ending) return;
    Connection->Ending = TRUE;
    ((PWSK_PROVIDER_CONNECTION_DISPATCH)Connection->Socket->Dispatch)->WskDisconnect(Connection->Socket, NULL, 0,
                                                                                     Arm(Step->Irp, Ended, Step));
}

static void Receive(STEP *Step);

static NTSTATUS Sent(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    Later((STEP *)Context, NT_SUCCESS(Irp->IoStatus.Status) ? Receive : Close);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void Send(STEP *Step)
{
    CONNECTION *Connection = Step->Connection;
    WSK_BUF Buffer = { Step->Mdl, 0, Step->Irp->IoStatus.Information };
    if (Connection->Ending || Connection->Closing) return;
    ((PWSK_PROVIDER_CONNECTION_DISPATCH)Connection->Socket->Dispatch)->WskSend(Connection->Socket, &Buffer, 0,
                                                                               Arm(Step->Irp, Sent, Step));
}

static NTSTATUS Received(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    DO *Next = Irp->IoStatus.Information ? Send : End;
    UNREFERENCED_PARAMETER(Device);
    Later((STEP *)Context, NT_SUCCESS(Irp->IoStatus.Status) ? Next : Close);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void Receive(STEP *Step)
{
    CONNECTION *Connection = Step->Connection;
    WSK_BUF Buffer = { Step->Mdl, 0, SIZE };
    if (Connection->Ending || Connection->Closing) return;
    ((PWSK_PROVIDER_CONNECTION_DISPATCH)Connection->Socket->Dispatch)->WskReceive(Connection->Socket, &Buffer, 0,
                                                                                  Arm(Step->Irp, Received, Step));
}

static void Listen(STEP *Step);

static NTSTATUS WSKAPI Accept(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress,
                              PWSK_SOCKET AcceptSocket, PVOID *AcceptSocketContext,
                              const WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    CONNECTION *Connection;
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(LocalAddress);
    UNREFERENCED_PARAMETER(RemoteAddress);
    if (AcceptSocket == NULL) {
        Later(&((CONNECTION *)SocketContext)->Steps[0], Listen);
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    Connection = Make();
    if (Connection == NULL) return STATUS_REQUEST_NOT_ACCEPTED;
    Connection->Socket = AcceptSocket;
    *AcceptSocketContext = NULL;
    *AcceptSocketDispatch = NULL;
    Later(&Connection->Steps[0], Receive);
    Later(&Connection->Steps[1], Receive);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = { Accept, NULL, NULL };

static void Listen(STEP *Step)
{
    WSK_EVENT_CALLBACK_CONTROL Control = { &NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT };
    SOCKADDR_IN6 Address = { AF_INET6, RtlUshortByteSwap(7000) };
    WSK_PROVIDER_NPI Provider;
    KEVENT Done;
    ULONG Off = 0;
    NTSTATUS Status;
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch;
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    if (!NT_SUCCESS(WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider))) return;
    if (Listener->Socket) {
        PWSK_SOCKET Dead = Listener->Socket;
        Listener->Socket = NULL;
        ((PWSK_PROVIDER_BASIC_DISPATCH)Dead->Dispatch)->WskCloseSocket(Dead, Arm(Step->Irp, Signal, &Done));
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    } else {
        Status = Provider.Dispatch->WskControlClient(Provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, sizeof(Control), &Control,
                                                     0, NULL, NULL, NULL);
        ASSERT(NT_SUCCESS(Status));
    }
    Provider.Dispatch->WskSocket(Provider.Client, AF_INET6, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, Listener,
                                 &ListenDispatch, NULL, NULL, NULL, Arm(Step->Irp, Signal, &Done));
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    WskReleaseProviderNPI(&Registration);
    if (!NT_SUCCESS(Step->Irp->IoStatus.Status)) return;
    Listener->Socket = (PWSK_SOCKET)Step->Irp->IoStatus.Information;
    Dispatch = (const WSK_PROVIDER_LISTEN_DISPATCH *)Listener->Socket->Dispatch;
    Dispatch->WskControlSocket(Listener->Socket, WskSetOption, IPV6_V6ONLY, IPPROTO_IPV6, sizeof(Off), &Off, 0, NULL, NULL,
                               Arm(Step->Irp, Signal, &Done));
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    Dispatch->WskBind(Listener->Socket, (PSOCKADDR)&Address, 0, Arm(Step->Irp, Signal, &Done));
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    DbgPrint("listening: %x\\n", Step->Irp->IoStatus.Status);
}

static void Leave(STEP *Step)
{
    if (Listener->Socket) Close(Step);
    else Later(Step, Gone);
}

static void Run(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        PLIST_ENTRY Entry;
        KeWaitForSingleObject(&Ready, Executive, KernelMode, FALSE, NULL);
        Entry = ExInterlockedRemoveHeadList(&Work, &Lock);
        if (Entry == NULL && Stop) break;
        if (Entry) {
            STEP *Step = CONTAINING_RECORD(Entry, STEP, Entry);
            Step->Do(Step);
        }
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    Later(&Listener->Steps[1], Leave);
    WskDeregister(&Registration);
    Stop = TRUE;
    KeReleaseSemaphore(&Ready, 0, 1, FALSE);
    KeWaitForSingleObject(Worker, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Worker);
    WPP_CLEANUP(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI Npi = { NULL, &ClientDispatch };
    HANDLE Thread;
    NTSTATUS Status;
    WPP_INIT_TRACING(DriverObject, RegistryPath);
    InitializeListHead(&Work);
    KeInitializeSpinLock(&Lock);
    KeInitializeSemaphore(&Ready, 0, MAXLONG);
    Listener = Make();
    if (Listener == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    Status = WskRegister(&Npi, &Registration);
    if (!NT_SUCCESS(Status)) {
        Free(Listener);
        return Status;
    }
    Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Run, NULL);
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Registration);
        Free(Listener);
        return Status;
    }
    ObReferenceObjectByHandle(Thread, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, (PVOID *)&Worker, NULL);
    ZwClose(Thread);
    Later(&Listener->Steps[0], Listen);
    DriverObject->DriverUnload = Unload;
    DoTraceMessage(Started, "up");
    return STATUS_SUCCESS;
}
"""


class Served:
    """The server, loaded; clients come from both families."""

    def __init__(self, **options: Any) -> None:
        self.lab = Lab(**options)
        for kind in ("IoAllocateIrp", "IoAllocateMdl", "ExAllocatePool2", "PsCreateSystemThread"):  # memory is not the question
            self.lab.choices[kind] = "succeeds"
        self.lab.choices["WSK provider"] = "late"
        self.lab.choices["outcome of a close"] = "success"  # the server asserts it, as the sample does (WSK-CLOSE-03, WSK-GAP-04)
        self.started = start(self.lab, self.lab.load(SERVER, "server.c"), "server")
        self.network = scene.network(self.lab.machine)
        self.clients: list[Peer] = []

    def client(self, number: int) -> Peer:
        here, there = ("[fd00::2]", "[fd00::1]:7000") if number % 2 else ("10.0.0.2", "10.0.0.1:7000")
        self.network.host(f"{here}:0")
        self.clients.append(Peer(self.network, Address.parse(f"{here}:{20_000 + number}"), "reads"))
        self.clients[-1].connect(Address.parse(there))
        self.lab.run()
        return self.clients[-1]

    def end(self) -> bool:
        for client in self.clients:
            if client.ends and not client.broken:
                client.close()
        self.lab.run()
        return unload(self.lab, self.started)


@pytest.mark.parametrize(
    "choices", [None, {"callback IRQL": "PASSIVE_LEVEL", "TCP segments": "many"}, *(f"seed:{n}" for n in range(8))]
)
def test_the_server_echoes_and_unloads(choices: Any) -> None:
    served = Served(choices=choices)
    contents = [b"x", bytes(range(256)) * 20, b"y" * 3000]
    clients = [served.client(number) for number in range(4)]
    for number, client in enumerate(clients):
        client.send(contents[number % 3])
    served.lab.run()
    assert [client.received for client in clients] == [contents[number % 3] for number in range(4)]
    assert served.end()
    assert all(client.finished and not client.broken for client in clients)


def test_a_dead_listener_is_made_anew() -> None:
    """WSK-AEV-08, WSK-EV-08: the callback is told once, and the worker makes another one."""
    served = Served()
    network = served.network
    first = network.listeners[Address.parse("[::]:7000")]
    scene.kill(served.lab.machine, first.address)
    served.lab.run()
    assert network.listeners[Address.parse("[::]:7000")] is not first
    client = served.client(0)
    client.send(b"again")
    served.lab.run()
    assert client.received == b"again"
    assert served.end()


def test_a_reset_leads_to_the_close() -> None:
    """WSK-RECV-13."""
    served = Served()
    served.client(0).reset()
    served.lab.run()
    assert served.end()


def test_no_memory_means_no_connection() -> None:
    """WSK-AEV-10."""
    served = Served()
    del served.lab.choices["ExAllocatePool2"]
    served.lab.choices.once("ExAllocatePool2", "fails")
    assert served.client(0).broken
    assert served.client(1).end.broken is None
    assert served.end()


def test_a_connection_that_nobody_ends_keeps_the_unload_waiting() -> None:
    """WSK-DER-08."""
    served = Served()
    served.client(0)
    with pytest.raises(Stop) as stop:
        unload(served.lab, served.started)
    assert (stop.value.rule.id, "WskDeregister open sockets" in stop.value.values["threads"]) == ("hang", True)
