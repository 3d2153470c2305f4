"""A whole driver in C against the provider, waiting for every IRP. Facts WSK-OBJ-05, WSK-USE-21."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import Lab, Stop
from wsklab.driverlife import start, unload
from wsklab.machine.status import is_success, name_of

DRIVER = r"""
#include <ntddk.h>
#include <wsk.h>

static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static char Text[] = "hello";

static NTSTATUS Signal(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

typedef struct _WAITER { PIRP Irp; KEVENT Event; } WAITER;

static PIRP Prepare(WAITER *Waiter)
{
    KeInitializeEvent(&Waiter->Event, SynchronizationEvent, FALSE);
    Waiter->Irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(Waiter->Irp, Signal, &Waiter->Event, TRUE, TRUE, TRUE);
    return Waiter->Irp;
}

static NTSTATUS Finish(WAITER *Waiter, ULONG_PTR *Information)
{
    NTSTATUS Status;
    KeWaitForSingleObject(&Waiter->Event, Executive, KernelMode, FALSE, NULL);
    Status = Waiter->Irp->IoStatus.Status;
    *Information = Waiter->Irp->IoStatus.Information;
    IoFreeIrp(Waiter->Irp);
    return Status;
}

static PWSK_SOCKET Make(USHORT Type, ULONG Protocol, ULONG Flags)
{
    WAITER Waiter;
    ULONG_PTR Information;
    Provider.Dispatch->WskSocket(Provider.Client, AF_INET, Type, Protocol, Flags, NULL, NULL, NULL, NULL, NULL, Prepare(&Waiter));
    return NT_SUCCESS(Finish(&Waiter, &Information)) ? (PWSK_SOCKET)Information : NULL;
}

static NTSTATUS Close(PWSK_SOCKET Socket)
{
    WAITER Waiter;
    ULONG_PTR Information;
    ((PWSK_PROVIDER_BASIC_DISPATCH)Socket->Dispatch)->WskCloseSocket(Socket, Prepare(&Waiter));
    return Finish(&Waiter, &Information);
}

static NTSTATUS Talk(PWSK_SOCKET Socket, PSOCKADDR_IN Remote)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    SOCKADDR_IN Any = { AF_INET };
    WSK_BUF Buffer = { NULL, 0, 5 };
    WAITER Waiter;
    ULONG_PTR Information;
    NTSTATUS Status;

    Dispatch->WskBind(Socket, (PSOCKADDR)&Any, 0, Prepare(&Waiter));
    Status = Finish(&Waiter, &Information);
    if (!NT_SUCCESS(Status)) return Status;
    Dispatch->WskConnect(Socket, (PSOCKADDR)Remote, 0, Prepare(&Waiter));
    Status = Finish(&Waiter, &Information);
    if (!NT_SUCCESS(Status)) return Status;
    Buffer.Mdl = IoAllocateMdl(Text, 5, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Buffer.Mdl);
    Dispatch->WskSend(Socket, &Buffer, 0, Prepare(&Waiter));
    Status = Finish(&Waiter, &Information);
    DbgPrint("sent %Iu\n", Information);
    Text[0] = 'X';
    Dispatch->WskReceive(Socket, &Buffer, WSK_FLAG_WAITALL, Prepare(&Waiter));
    Status = Finish(&Waiter, &Information);
    DbgPrint("received %Iu: %s\n", Information, Text);
    Dispatch->WskDisconnect(Socket, NULL, 0, Prepare(&Waiter));
    Status = Finish(&Waiter, &Information);
    IoFreeMdl(Buffer.Mdl);
    return Status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    WskDeregister(&Registration);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI Npi = { NULL, &ClientDispatch };
    SOCKADDR_IN Remote = { AF_INET, 0x0700 };
    PWSK_SOCKET Socket;
    NTSTATUS Status = WskRegister(&Npi, &Registration);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status)) return Status;
    DriverObject->DriverUnload = Unload;
    Status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
    if (!NT_SUCCESS(Status)) { WskDeregister(&Registration); return Status; }
    Remote.sin_addr.S_un.S_addr = 0x0200000A;
    Socket = Make(SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET);
    WskReleaseProviderNPI(&Registration);
    Status = Talk(Socket, &Remote);
    CLOSE;
    return STATUS_SUCCESS;
}
"""


def run(lab: Lab, text: str) -> str:
    """Load, run and unload; what DriverEntry returned."""
    started = start(lab, lab.load(text, "driver.c"), "driver")
    if is_success(started.status):
        unload(lab, started)
    return name_of(started.status)


WAYS = {name: "pending" for name in ("WskSocket", "WskBind", "WskConnect", "WskCloseSocket")}


@pytest.mark.parametrize("choices", [{}, WAYS, {"WskSend": "inline", "WskReceive": "inline"}, "seed:1", "seed:2", "seed:3"])
def test_a_driver_that_waits_for_every_irp(choices: Any) -> None:
    """It is right in every order the documents leave open (WSK-USE-04)."""
    lab = Lab(choices=choices)
    if isinstance(choices, str):  # what a seed may not decide here: memory, and a provider that never comes
        lab.choices.update({"WSK provider": "late", "IoAllocateIrp": "succeeds", "ExAllocatePool2": "succeeds"})
        lab.choices.update({"IoAllocateMdl": "succeeds"})
    assert run(lab, DRIVER.replace("CLOSE", "Close(Socket)")) == "STATUS_SUCCESS"
    assert "".join(lab.machine.console) == "sent 5\nreceived 5: hello\n"


def test_a_provider_that_never_comes_is_a_hang_that_says_so() -> None:
    """WSK-CAP-10, WSK-CAP-11."""
    with pytest.raises(Stop) as stop:
        run(Lab(choices={"WSK provider": "never"}), DRIVER.replace("CLOSE", "Close(Socket)"))
    assert (stop.value.rule.id, "WskCaptureProviderNPI" in stop.value.values["threads"]) == ("hang", True)


def test_a_socket_left_open_hangs_the_unload_and_is_named() -> None:
    """WSK-DER-04, WSK-DER-08."""
    lab = Lab()
    with pytest.raises(Stop) as stop:
        run(lab, DRIVER.replace("CLOSE", "UNREFERENCED_PARAMETER(Socket)"))
    threads = stop.value.values["threads"]
    assert (stop.value.rule.id, "WskDeregister open sockets: 0xffff" in threads) == ("hang", True)
    assert [lab.machine.block_at(address).label for address in stop.value.objects] == ["WSK_SOCKET"]


def test_the_wrong_table_is_seen_at_the_call() -> None:
    """WSK-CAT-10, MIS-33: the datagram table has no WskConnect, its slot holds WskSendTo with other parameters."""
    text = DRIVER.replace("CLOSE", "").replace(
        "SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION", "SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM"
    )
    with pytest.raises(Stop) as stop:
        run(Lab(), text)
    assert (stop.value.rule.id, stop.value.values["function"]) == ("wrong-prototype", "WskSendTo")
