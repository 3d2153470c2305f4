"""Facts that need a few lines each, and the open points of section 2.11 that are a choice. Facts cited test by test."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from tests.wsk.test_control import asked, stored
from tests.wsk.test_events import PENDING, SUCCESS, Connected
from tests.wsk.test_listening import ACCEPT, OK, PEND, REJECT, Inspecting, stream
from tests.wsk.test_mistakes import PRELUDE
from wsklab import CompileError, Lab
from wsklab.io.completion import cancel
from wsklab.wsk import scene
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen


def test_a_client_is_opaque(driver: Any) -> None:
    """WSK-OBJ-02: C cannot look inside, and only the pointer that was given is a client."""
    with pytest.raises(CompileError):
        Lab().load("#include <wsk.h>\nint F(PWSK_CLIENT Client) { return *Client; }")
    address = driver.register()
    assert asked(driver, "WskControlClient", address, 8, 4, stored(driver, bytes(4)), 0, 0, 0) == "STATUS_SUCCESS"
    assert rule_of(lambda: asked(driver, "WskControlClient", address + 8, 8, 4, 0, 0, 0, 0)) == "wsk-not-a-client"


def test_callbacks_are_declared_with_their_calling_convention() -> None:
    """WSK-OBJ-17: WSKAPI stands where the types of the header have it, and the pointers fit."""
    text = """
    #include <wsk.h>
    static NTSTATUS WSKAPI Left(PVOID SocketContext, ULONG Flags) { return Flags + 1; }
    static const WSK_CLIENT_CONNECTION_DISPATCH Dispatch = { NULL, Left, NULL };
    NTSTATUS Run(void) { PFN_WSK_DISCONNECT_EVENT Event = Dispatch.WskDisconnectEvent; return Event(NULL, 1); }
    """
    assert Lab().load(text).Run() == 2


@pytest.mark.parametrize(("kind", "protocol", "fits"), [(1, 6, True), (2, 17, False), (3, 255, False)])
def test_what_a_stream_socket_is_made_of(driver: Any, kind: int, protocol: int, fits: bool) -> None:
    """WSK-AF-03: SOCK_STREAM and IPPROTO_TCP only."""
    made = driver.call("WskSocket", driver.register(), 2, kind, protocol, 8, 0, 0, 0, 0, 0)
    assert made.result[0] == ("STATUS_SUCCESS" if fits else CHOSEN["no such transport"].status)


def test_buffers_that_are_not_used(driver: Any) -> None:
    """WSK-CC-03, WSK-CC-04, WSK-CTL-04: NULL and 0; OutputSizeReturned may be NULL where the size is known."""
    m, address = driver.m, driver.register()
    assert driver.call("WskControlClient", address, 3, 0, 0, 0, 0, 0).returned == "STATUS_PENDING"
    descriptor, output = stored(driver, pack("<Q", stored(driver, b"\1" + bytes(39)))), m.allocate(8)
    assert asked(driver, "WskControlClient", address, 4, 8, descriptor, 8, output, 0) == "STATUS_SUCCESS"
    assert m.u64(output) in subsystem(m).descriptors
    socket, broadcast = scene.datagram(m), m.constant("SO_BROADCAST")
    assert driver.call("WskControlSocket", socket, 0, broadcast, 0xFFFF, 4, stored(driver, pack("<I", 1)), 0, 0, 0).result == OK
    value = m.allocate(4)
    got = driver.call("WskControlSocket", socket, 1, broadcast, 0xFFFF, 0, 0, 4, value, 0)
    driver.run()
    assert (got.result, m.u32(value)) == (("STATUS_SUCCESS", 4), 1)
    assert rule_of(lambda: asked(driver, "WskControlClient", address, 8, 4, 0, 0, 0, 0)) == "null-dereference"


def test_a_request_that_cannot_be_over_at_once_needs_an_irp(driver: Any) -> None:
    """WSK-CTL-14: the header's STATUS_REQUEST_NOT_ACCEPTED; here the mistake is named."""
    change = driver.m.constant("SIO_ADDRESS_LIST_CHANGE") & 0xFFFF_FFFF
    socket = scene.datagram(driver.m)
    assert rule_of(lambda: asked(driver, "WskControlSocket", socket, 2, change, 0, 0, 0, 0, 0, 0)) == "wsk-no-irp"


def test_resolving_as_the_page_does(driver: Any) -> None:
    """WSK-GAI-10: own IRP, event, wait, status, free the IRP, walk the list, free the list."""
    text = (
        PRELUDE
        + """
    static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
    static WSK_REGISTRATION Registration;
    NTSTATUS Run(void)
    {
        WSK_CLIENT_NPI Npi = { NULL, &ClientDispatch };
        WSK_PROVIDER_NPI Provider;
        UNICODE_STRING Name = RTL_CONSTANT_STRING(L"localhost");
        PADDRINFOEXW Result = NULL, Info;
        KEVENT Done;
        NTSTATUS Status;
        PIRP Irp;
        WskRegister(&Npi, &Registration);
        WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
        KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
        Irp = Make(Signal, &Done);
        Provider.Dispatch->WskGetAddressInfo(Provider.Client, &Name, NULL, 0, NULL, NULL, &Result, NULL, NULL, Irp);
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        Status = Irp->IoStatus.Status;
        IoFreeIrp(Irp);
        for (Info = Result; Info != NULL; Info = Info->ai_next) DbgPrint("%d ", Info->ai_family);
        Provider.Dispatch->WskFreeAddressInfo(Provider.Client, Result);
        WskReleaseProviderNPI(&Registration);
        WskDeregister(&Registration);
        return Status;
    }
    """
    )
    for way in ("pending", "inline"):
        lab = Lab(choices={"WskGetAddressInfo": way})
        assert (lab.load(text).Run(), lab.irps(), sorted(lab.console.split())) == (
            0,
            ["STATUS_SUCCESS, 0, IoFreeIrp"],
            ["2", "23"],
        )


@pytest.mark.parametrize("way", ["inline", "pending"])
def test_a_count_of_references_closes_a_socket_when_nobody_uses_it(way: str) -> None:
    """WSK-CLOSE-14: the completion routine gives up the last use but the call's own; then the call closes."""
    text = (
        PRELUDE
        + """
    typedef struct _SHARED { PWSK_SOCKET Socket; LONG Users; } SHARED;
    static void Leave(SHARED *Shared)
    {
        PWSK_SOCKET Socket = Shared->Socket;
        if (InterlockedDecrement(&Shared->Users) == 0) CONNECTION->WskCloseSocket(Socket, Make(Free, NULL));
    }
    static NTSTATUS Sent(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
    {
        IoFreeIrp(Irp);
        Leave((SHARED *)Context);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    static SHARED Shared;
    void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
    {
        Shared.Socket = Socket;
        Shared.Users = 1;
        InterlockedIncrement(&Shared.Users);
        CONNECTION->WskSend(Socket, Buffer, 0, Make(Sent, &Shared));
        Leave(&Shared);
    }
    """
    )
    lab = Lab(choices={"WskSend": way})
    socket = lab.connected_socket()
    lab.load(text).Run(socket, lab.buffer(b"bytes"))
    lab.run()
    assert (lab.irps(), subsystem(lab.machine).sockets) == ([f"STATUS_SUCCESS, {count}, IoFreeIrp" for count in (5, 0)], {})


def test_the_memory_of_indications_is_the_subsystems(driver: Any) -> None:
    """WSK-EV-11: what the driver takes is free at once; what it keeps stays until it gives it back."""
    c = Connected(driver, SUCCESS, PENDING, PENDING)
    c.send(b"a", b"b", b"c")
    live = [driver.m.block_at(head).live for head in c.heads]
    for head in c.heads[1:]:
        driver.m.api("WskReleaseDataIndicationList")(c.socket, head)
    assert (live, [driver.m.block_at(head).live for head in c.heads]) == ([False, True, True], [False] * 3)


@pytest.mark.parametrize(("answer", "aborts"), [(REJECT, 0), (ACCEPT, 0), (PEND, 1)])
def test_an_abort_follows_what_the_inspection_answered(driver: Any, answer: int, aborts: int) -> None:
    """WSK-ABEV-04: the answer is that of WskInspectEvent; what it rejected is not told again, nor what stands already."""
    i = Inspecting(driver, answer)
    peer = i.arrive()
    if answer == PEND:
        peer.give_up()
    driver.run()
    assert (len(i.asked), len(i.aborted)) == (1, aborts)


def test_datagrams_are_taken_whole() -> None:
    """WSK-RFEV-06: there is no place for a number of accepted bytes."""
    text = "#include <wsk.h>\nPFN_WSK_RECEIVE_FROM_EVENT Event; PFN_WSK_RECEIVE_EVENT Other;\n"
    Lab().load(text + "NTSTATUS F(void) { return Event(NULL, 0, NULL) + Other(NULL, 0, NULL, 0, NULL); }")
    with pytest.raises(CompileError):
        Lab().load(text + "NTSTATUS F(SIZE_T *Accepted) { return Event(NULL, 0, NULL, Accepted); }")


# Open points that are a choice


@pytest.mark.parametrize(("answer", "size"), [("a SIZE_T", 168), ("a ULONG", 0xAAAA_AAAA_0000_00A8)])
def test_the_width_of_the_size_returned(driver: Any, answer: str, size: int) -> None:
    """WSK-GAP-03: a driver that believes the header reads the other half of its variable too."""
    m, address = driver.m, driver.register()
    m.choices["OutputSizeReturned"] = answer
    place = stored(driver, b"\xaa" * 8)
    assert asked(driver, "WskControlClient", address, 2, 0, 0, 0, 0, place) == "STATUS_BUFFER_OVERFLOW"
    assert m.u64(place) == size


@pytest.mark.parametrize("way", ["inline", "pending"])
@pytest.mark.parametrize(("answer", "result"), [("success", "STATUS_SUCCESS"), ("failure", CHOSEN["failed close"].status)])
def test_whether_a_close_can_fail(driver: Any, way: str, answer: str, result: str) -> None:
    """WSK-GAP-04: the socket is gone all the same."""
    driver.m.choices["WskCloseSocket"] = way
    driver.m.choices["outcome of a close"] = answer
    socket = scene.connected(driver.m)
    call = driver.close(socket)
    driver.run()
    assert (call.result, rule_of(lambda: driver.m.u64(socket))) == ((result, 0), "use-after-free")


@pytest.mark.parametrize(("answer", "early"), [("when it listens", OK), ("when a connection comes", None)])
def test_when_listening_completes(driver: Any, answer: str, early: Any) -> None:
    """WSK-GAP-06: either way it listens from the call on."""
    driver.m.choices["WskListen completes"] = answer
    socket = stream(driver)
    call = driver.call("WskListen", socket)
    driver.run()
    assert call.result == early
    peers = [driver.peer("10.0.0.1:80", f"10.0.0.2:{port}") for port in (5000, 5001)]
    driver.run()
    assert (call.result, call.times, [len(peer.ends) for peer in peers]) == (OK, 1, [1, 1])


@pytest.mark.parametrize("end", ["cancel", "close", "loss"])
def test_a_listen_that_waits_for_a_connection_can_end(driver: Any, end: str) -> None:
    """WSK-GAP-06, WSK-USE-26, WSK-CLOSE-05."""
    driver.m.choices["WskListen completes"] = "when a connection comes"
    socket = stream(driver)
    call = driver.call("WskListen", socket)
    if end == "cancel":
        cancel(driver.m, call.irp)
    elif end == "close":
        driver.close(socket)
    else:
        scene.kill(driver.m, socket)
    driver.run()
    what = {"cancel": "cancelled", "close": "closed", "loss": "after a break"}[end]
    assert (call.result, call.times) == ((CHOSEN[what].status, 0), 1)
    if end == "cancel":
        peer = driver.peer("10.0.0.1:80")
        driver.run()
        assert (call.times, len(peer.ends)) == (1, 1)
