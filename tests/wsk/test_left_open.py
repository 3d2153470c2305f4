"""What the pages leave open (marks U and I, section 2.11 of the facts): both come by choice, the usual one by default."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.test_control import client, ioctl, rule_of, stored
from tests.wsk.test_events import NOT_ACCEPTED, RECEIVE, RECEIVE_FROM, Bound
from tests.wsk.test_listening import ACCEPT, PEND, Inspecting
from wsklab import Lab
from wsklab.io import device
from wsklab.io.completion import cancel
from wsklab.wsk import scene
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
ANOTHER = "another one"


def by_choice(driver: Any, kind: str, answer: str | None) -> None:
    if answer:
        driver.m.choices[kind] = answer


STATUSES = {
    "second bind": lambda driver, socket: [driver.bind(socket, "10.0.0.1:0"), driver.bind(socket, "10.0.0.1:0")][1],
    "wrong family": lambda driver, socket: driver.bind(socket, "[fd00::1]:0"),
    "not a local address": lambda driver, socket: driver.bind(socket, "10.9.9.9:0"),
    "wrong state": lambda driver, socket: driver.send(socket, b"hello"),
    "wrong size of option buffer": lambda driver, socket: driver.call("WskControlSocket", socket, 0, 8, 0xFFFF, 1, 0, 0, 0, 0),
    "wrong category of option": lambda driver, socket: driver.call("WskControlSocket", socket, 0, 0x20, 0xFFFF, 4, 0, 0, 0, 0),
    "fixed address before the bind": lambda driver, _: ioctl(driver, driver.socket("datagram"), "SIO_WSK_SET_REMOTE_ADDRESS"),
}
"""What is done with a new connection-oriented socket. WSK-BIND-11, WSK-SEND-14, WSK-SOE-05, WSK-GAP-13, WSK-GAP-14."""


@pytest.mark.parametrize("answer", [None, ANOTHER])
@pytest.mark.parametrize("what", STATUSES)
def test_a_status_that_no_page_names(driver: Any, what: str, answer: str | None) -> None:
    driver.register()
    socket = driver.socket("connection")
    by_choice(driver, "status that no page names", answer)
    call = STATUSES[what](driver, socket)
    driver.run()
    assert call.result == ((CHOSEN[what].other if answer else CHOSEN[what].status), 0)


@pytest.mark.parametrize("answer", [None, ANOTHER])
@pytest.mark.parametrize(
    ("behaviour", "what"),
    [("refuses", "connect refused"), ("absent", "connect timed out"), ("unreachable", "connect unreachable")],
)
def test_how_a_failed_connect_ends(driver: Any, behaviour: str, what: str, answer: str | None) -> None:
    """WSK-CONN-06."""
    driver.register()
    scene.network(driver.m).peer("10.0.0.2:99", behaviour)
    socket = driver.socket("connection")
    driver.bind(socket, "0.0.0.0:0")
    by_choice(driver, "status that no page names", answer)
    call = driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:99"), 0)
    driver.run()
    assert call.result == ((CHOSEN[what].other if answer else CHOSEN[what].status), 0)


@pytest.mark.parametrize("answer", [None, ANOTHER])
@pytest.mark.parametrize(("to", "size", "what"), [("", 5, "no destination"), ("10.0.0.2:7", 65_508, "oversize datagram")])
def test_a_datagram_that_cannot_be_sent(driver: Any, to: str, size: int, what: str, answer: str | None) -> None:
    """WSK-STO-04, WSK-STO-10."""
    by_choice(driver, "status that no page names", answer)
    call = driver.send_to(scene.datagram(driver.m), bytes(size), to)
    driver.run()
    assert call.result == ((CHOSEN[what].other if answer else CHOSEN[what].status), 0)


@pytest.mark.parametrize(("answer", "status"), [(None, "STATUS_NOT_FOUND"), (ANOTHER, "STATUS_SUCCESS")])
def test_completing_a_request_that_is_gone(driver: Any, answer: str | None, status: str) -> None:
    """WSK-INSC-07: only that it establishes nothing is sure."""
    i = Inspecting(driver, PEND)
    call, peer = i.accept(), i.arrive()
    peer.give_up()
    driver.run()
    by_choice(driver, "status that no page names", answer)
    assert i.complete(ACCEPT).result == (status, 0)
    driver.run()
    assert (call.result, peer.ends) == (None, [])


def test_a_cancelled_receive_may_still_succeed(driver: Any) -> None:
    """WSK-USE-29, IRP-29: STATUS_CANCELLED, or success when the data was there first."""
    socket = scene.connected(driver.m)
    waiting, _ = driver.receive(socket, 4)
    cancel(driver.m, waiting.irp)
    scene.peer_of(driver.m, socket).send(b"data")
    driver.run()
    late, _ = driver.receive(socket, 4)  # the data is there: the IRP completes soon, and is cancelled before
    cancel(driver.m, late.irp)
    driver.run()
    assert (waiting.result, late.result) == (("STATUS_CANCELLED", 0), ("STATUS_SUCCESS", 4))


@pytest.mark.parametrize(("answer", "rule"), [(None, None), ("must live until the end", "use-after-free")])
@pytest.mark.parametrize("function", ["WskBind", "WskConnect"])
def test_an_address_argument_that_is_freed_after_the_call(
    driver: Any, function: str, answer: str | None, rule: str | None
) -> None:
    """WSK-BIND-11."""
    driver.register()
    socket = driver.socket("connection")
    if function == "WskConnect":
        driver.bind(socket, "0.0.0.0:0")
    driver.m.choices[function] = "pending"
    by_choice(driver, "address argument", answer)
    address = scene.sockaddr(driver.m, "10.0.0.2:7" if function == "WskConnect" else "0.0.0.0:0")
    call = driver.call(function, socket, address, 0)
    driver.m.free(address)
    if rule:
        assert rule_of(driver.run) == rule
    else:
        driver.run()
        assert call.result == ("STATUS_SUCCESS", 0)


@pytest.mark.parametrize(("answer", "status"), [(None, "STATUS_SUCCESS"), ("STATUS_BUFFER_OVERFLOW", "STATUS_BUFFER_OVERFLOW")])
def test_a_datagram_that_is_cut(driver: Any, answer: str | None, status: str) -> None:
    """WSK-RFR-06, WSK-RFR-07: MSG_TRUNC tells of it in both cases; one that fits is a success."""
    socket = scene.datagram(driver.m)
    by_choice(driver, "datagram that is cut", answer)
    length, flags = stored(driver, bytes(4)), stored(driver, bytes(4))
    call, buffer = driver.receive_from(socket, 3, length=length, flags=flags)
    whole, _ = driver.receive_from(socket, 5)
    for _ in range(2):
        scene.network(driver.m).host("10.0.0.2").send(b"hello", "10.0.0.1:5000")
    driver.run()
    assert (call.result, scene.content_of(driver.m, buffer), driver.m.u32(flags)) == ((status, 3), b"hel", 0x100)
    assert whole.result == ("STATUS_SUCCESS", 5)


@pytest.mark.parametrize(("answer", "told"), [(None, [[b"a"], [b"b"]]), ("comes again", [[b"a"], [b"a", b"b"]])])
def test_what_a_static_callback_refuses(driver: Any, answer: str | None, told: list[list[bytes]]) -> None:
    """WSK-RFEV-05."""
    by_choice(driver, "datagram that a static callback refuses", answer)
    b = Bound(driver, NOT_ACCEPTED, static=RECEIVE_FROM)
    b.send(b"a")
    assert b.send(b"b") == told


@pytest.mark.parametrize(("answer", "status"), [(None, "STATUS_SUCCESS"), ("are refused", CHOSEN["bad argument"].status)])
def test_connection_flags_on_a_listener(driver: Any, answer: str | None, status: str) -> None:
    """WSK-GAP-07, WSK-SOE-07; WSK_EVENT_ACCEPT alone is always possible."""
    driver.register()
    table = driver.callbacks("WSK_CLIENT_LISTEN_DISPATCH", WskAcceptEvent=lambda *_: 0xC00000D0)
    socket = driver.socket("listening", 1, table)
    driver.bind(socket, "10.0.0.1:80")
    by_choice(driver, "connection flags on a listener", answer)
    assert driver.switch(socket, 0x200 | RECEIVE) == status
    assert driver.switch(socket, 0x200) == "STATUS_SUCCESS"


@pytest.mark.parametrize(
    ("answer", "status"), [(None, CHOSEN["wrong category of option"].status), ("is possible", "STATUS_SUCCESS")]
)
def test_conditional_accept_of_a_stream_socket(driver: Any, answer: str | None, status: str) -> None:
    """WSK-CAT-08: its table has no WskInspectComplete; where it is possible, WskInspectEvent accepts or rejects."""
    driver.register()
    by_choice(driver, "conditional accept of a stream socket", answer)
    asked: list[int] = []
    listen = driver.callbacks(
        "WSK_CLIENT_LISTEN_DISPATCH", WskInspectEvent=lambda *_: asked.append(1) or len(asked) % 2, WskAbortEvent=lambda *_: 0
    )
    both = driver.m.new("WSK_CLIENT_STREAM_DISPATCH")
    driver.m.set_u64(both, listen)
    socket = driver.socket("stream", 1, both)
    call = driver.call("WskControlSocket", socket, 0, 0x3002, 0xFFFF, 4, stored(driver, b"\1\0\0\0"), 0, 0, 0)
    driver.run()
    assert call.result == (status, 0)
    if not answer:
        return
    driver.bind(socket, "10.0.0.1:80")
    driver.call("WskListen", socket)
    peers = [driver.peer("10.0.0.1:80", f"10.0.0.2:{port}") for port in (5000, 5001)]
    driver.run()
    assert (len(asked), [len(peer.ends) for peer in peers]) == (2, [1, 0])


@pytest.mark.parametrize(
    ("answer", "second"), [(None, "STATUS_SUCCESS"), ("grows after the first look", "STATUS_BUFFER_OVERFLOW")]
)
def test_the_transports_between_two_looks(driver: Any, answer: str | None, second: str) -> None:
    """WSK-TLQ-04, WSK-TLC-02: whoever sizes once may find the buffer too small; the third look is right in any case."""
    registered = driver.register()
    by_choice(driver, "transport list", answer)
    watcher = driver.call("WskControlClient", registered, 3, 0, 0, 0, 0, 0)
    _, _, size = client(driver, "WSK_TRANSPORT_LIST_QUERY")
    status, _, needed = client(driver, "WSK_TRANSPORT_LIST_QUERY", room=size)
    assert (status, needed) == (second, size + 28 * bool(answer))
    assert client(driver, "WSK_TRANSPORT_LIST_QUERY", room=needed)[0] == "STATUS_SUCCESS"
    driver.run()
    assert watcher.result == (("STATUS_SUCCESS", 0) if answer else None)


@pytest.mark.parametrize(
    ("answer", "flag"), [(None, 4), ("none", 0), ("WSK_FLAG_RELEASE_ASAP", 2)], ids=["usual", "none", "release asap"]
)
def test_what_the_flags_of_a_receive_event_say(driver: Any, answer: str | None, flag: int) -> None:
    """WSK-REV-02: a push bit was seen, nothing is said, or the buffers are wanted back soon."""
    seen: list[int] = []
    by_choice(driver, "data indication flags", answer)
    driver.register()
    told = {"WskReceiveEvent": lambda _context, flags, *_: seen.append(flags) or 0}
    socket = driver.socket("connection", 1, driver.callbacks("WSK_CLIENT_CONNECTION_DISPATCH", **told))
    driver.bind(socket, "0.0.0.0:0")
    peer = scene.network(driver.m).peer("10.0.0.2:99")
    driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:99"), 0)
    driver.run()
    assert driver.switch(socket, RECEIVE) == "STATUS_SUCCESS"
    peer.send(b"hello")
    driver.run()
    assert [flags & 6 for flags in seen] == [flag]


def test_the_status_of_a_property_that_no_bus_reported() -> None:
    """The table says what the C in wdmio.c returns."""
    lab = Lab()
    m = lab.machine
    place, size = m.allocate(64, zero=True), m.allocate(4, zero=True)
    made = device.make_device(m, device.make_driver(m, "bus"))
    assert str(lab.wdk.IoGetDeviceProperty(made, 0, 64, place, size)) == CHOSEN["property that no bus reported"].status
