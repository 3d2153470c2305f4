"""What SO_KEEPALIVE, TCP_NODELAY and TCP_FASTOPEN do to what crosses the network. Facts: WSK-SOO-03, WSK-SOO-05, WSK-SEND-03,
WSK-CONX-02, WSK-CONX-06, WSK-DEV-04."""

from __future__ import annotations

import socket as real
from pathlib import Path
from typing import Any

import pytest

from tests.net.test_capture import packets, told
from wsklab import Lab
from wsklab.io.completion import cancel
from wsklab.machine import Machine
from wsklab.net.capture import Capture
from wsklab.wsk import scene
from wsklab.wsk.control import WskControlSocket
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import tables

OK = ("STATUS_SUCCESS", 0)
SECOND = 10_000_000


def crossed(driver: Any, *names: str) -> list[tuple[str, bytes]]:
    """What has left the machine."""
    return [
        (event.name, event.data["bytes"]) for event in driver.m.trace.events
        if event.kind == "message" and event.name in names and event.actor == "transport" and "bytes" in event.data
    ]  # fmt: skip


def set_option(driver: Any, socket: int, name: str, value: int = 1) -> Any:
    place = driver.m.allocate(4)
    driver.m.set_u32(place, value)
    m = driver.m
    level = m.constant(tables().options[name].level)
    call = driver.call("WskControlSocket", socket, 0, m.constant(name), level, 4, place, 0, 0, 0)
    driver.m.run(driver.m.time + 1)
    assert call.result == OK
    return call


# Nagle's algorithm


def test_small_pieces_wait_for_the_acknowledgement_and_go_together(driver: Any, tmp_path: Path) -> None:
    """RFC 1122, 4.2.3.4: the first goes at once, what comes meanwhile waits; the peer gets every byte once and in order."""
    socket = scene.connected(driver.m)
    subsystem(driver.m).network.capture = Capture(tmp_path / "run.pcapng")
    calls = [driver.send(socket, text) for text in (b"a", b"bc", b"def", b"ghij")]
    driver.run()
    assert crossed(driver, "data") == [("data", b"a"), ("data", b"bcdefghij")]
    assert [call.result for call in calls] == [("STATUS_SUCCESS", size) for size in (1, 2, 3, 4)]
    assert scene.peer_of(driver.m, socket).received == b"abcdefghij"
    scene.network(driver.m).close()
    assert [told(packet) for packet in packets(tmp_path / "run.pcapng")] == [
        ("PA", 0, 0, 1), ("A", 0, 1, 0), ("PA", 1, 0, 9), ("A", 0, 10, 0),
    ]  # fmt: skip


def test_nothing_waits_with_the_option(driver: Any) -> None:
    driver.register()
    socket = scene.connected(driver.m)
    set_option(driver, socket, "TCP_NODELAY")
    for text in (b"a", b"bc", b"def"):
        driver.send(socket, text)
    driver.run()
    assert crossed(driver, "data") == [("data", b"a"), ("data", b"bc"), ("data", b"def")]


@pytest.mark.parametrize("later", [0, 1])
def test_the_flag_pushes_what_was_asked_for_before(driver: Any, later: int) -> None:
    """WSK-SEND-03: this and earlier queued data go without delay, also when those wait already."""
    socket = scene.connected(driver.m, "silent")
    driver.send(socket, b"a")
    driver.send(socket, b"bc")
    if later:
        driver.run(1)
        assert crossed(driver, "data") == [("data", b"a")]
    driver.send(socket, b"def", flags=2)
    driver.send(socket, b"g")
    driver.run(5)
    assert crossed(driver, "data")[:2] == [("data", b"a"), ("data", b"bcdefg")]


@pytest.mark.parametrize(("sizes", "pieces"), [([1, 700, 700], [1]), ([1, 700, 760], [1, 1460]), ([1, 2000], [1, 2000])])
def test_a_full_segment_does_not_wait(driver: Any, sizes: list[int], pieces: list[int]) -> None:
    socket = scene.connected(driver.m, "silent")
    for size in sizes:
        driver.send(socket, bytes(size))
    driver.run(5)
    assert [len(content) for _, content in crossed(driver, "data")] == pieces


def test_what_waits_goes_before_the_end(driver: Any) -> None:
    """WSK-DISC-02: everything queued is sent before a graceful disconnect."""
    socket = scene.connected(driver.m, "silent")
    driver.send(socket, b"a")
    driver.send(socket, b"bc")
    driver.call("WskDisconnect", socket, 0, 0)
    driver.run(5)
    assert crossed(driver, "data", "FIN") == [("data", b"a"), ("data", b"bc"), ("FIN", b"")]


def test_what_waits_can_be_cancelled(driver: Any) -> None:
    socket = scene.connected(driver.m, "silent")
    first, second = driver.send(socket, b"a"), driver.send(socket, b"bc")
    driver.run(5)
    cancel(driver.m, second.irp)
    scene.peer_of(driver.m, socket).read()
    driver.run()
    assert (first.result, second.result) == (("STATUS_SUCCESS", 1), ("STATUS_CANCELLED", 0))
    assert scene.peer_of(driver.m, socket).received == b"a"


# Keep-alive


@pytest.fixture
def idle(driver: Any) -> Any:
    """A connection that is kept alive and idle, and its socket."""
    driver.register()
    socket = scene.connected(driver.m)
    set_option(driver, socket, "SO_KEEPALIVE")
    return driver, socket


def test_an_idle_connection_is_probed_every_two_hours(idle: Any, tmp_path: Path) -> None:
    driver, socket = idle
    subsystem(driver.m).network.capture = Capture(tmp_path / "run.pcapng")
    driver.run(7_199_000)
    assert crossed(driver, "keep-alive") == []
    driver.run(4 * 7_200_000 + 60_000)
    assert crossed(driver, "keep-alive") == [("keep-alive", b"")] * 4
    assert subsystem(driver.m).sockets[socket].state == "connected"
    scene.network(driver.m).close()
    sent = [told(packet) for packet in packets(tmp_path / "run.pcapng")][:2]
    assert sent == [("A", (1 << 32) - 1, 0, 0), ("A", 0, 0, 0)]  # the number before; its answer acknowledges what came


def test_no_run_goes_on_for_probes_alone(idle: Any) -> None:
    driver, _ = idle
    before = driver.m.time
    driver.run()
    assert (driver.m.time - before < SECOND, crossed(driver, "keep-alive")) == (True, [])


def test_data_starts_the_two_hours_anew(idle: Any) -> None:
    driver, socket = idle
    driver.run(7_000_000)
    driver.m.start_thread(driver.m.api("KeDelayExecutionThread")(0, 0, delay(driver.m, -7_000 * SECOND)), "sleeper")
    driver.run()
    scene.peer_of(driver.m, socket).send(b"hello")
    driver.run(2)
    assert crossed(driver, "keep-alive") == []
    driver.run(7_000_000)
    assert crossed(driver, "keep-alive") == []
    driver.run(7_300_000)
    assert len(crossed(driver, "keep-alive")) == 1


def delay(m: Machine, interval: int) -> int:
    place = m.allocate(8)
    m.set_i64(place, interval)
    return place


def test_a_dead_peer_ends_the_connection(idle: Any) -> None:
    """After 2 hours, 10 probes and 10 seconds; also in a run without an end. WSK-DEV-04, WSK-GAP-13."""
    driver, socket = idle
    call, _ = driver.receive(socket, 4)
    began = driver.m.time
    scene.peer_of(driver.m, socket).vanish()
    driver.run()
    assert call.result == (tables().chosen["peer is gone"].status, 0)
    assert (len(crossed(driver, "keep-alive")), (driver.m.time - began) // SECOND) == (10, 7210)
    assert subsystem(driver.m).sockets[socket].state == "broken"
    assert driver.close(socket).returned == "STATUS_SUCCESS"


def test_the_driver_is_told_of_it(driver: Any) -> None:
    """WSK-DEV-04: WskDisconnectEvent says that neither direction works any more."""
    told_flags: list[int] = []
    driver.register()
    table = driver.callbacks("WSK_CLIENT_CONNECTION_DISPATCH", WskDisconnectEvent=lambda _c, flags: told_flags.append(flags) or 0)
    socket = driver.socket("connection", 1, table)
    driver.bind(socket, "0.0.0.0:0")
    peer = scene.network(driver.m).peer("10.0.0.2:99")
    driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:99"), 0)
    driver.run()
    assert driver.switch(socket, 0x80) == "STATUS_SUCCESS"
    set_option(driver, socket, "SO_KEEPALIVE")
    peer.vanish()
    driver.run()
    assert [flags & 1 for flags in told_flags] == [1]


@pytest.mark.parametrize("kept", [True, False])
def test_without_the_option_nobody_looks(driver: Any, kept: bool) -> None:
    """WSK-SOO-03: off by default, and again after it is switched off."""
    driver.register()
    socket = scene.connected(driver.m)
    if kept:
        set_option(driver, socket, "SO_KEEPALIVE")
        set_option(driver, socket, "SO_KEEPALIVE", 0)
    call, _ = driver.receive(socket, 4)
    scene.peer_of(driver.m, socket).vanish()
    driver.run(3 * 7_200_000)
    assert (call.result, crossed(driver, "keep-alive")) == (None, [])


def test_a_listener_hands_it_on(driver: Any) -> None:
    driver.register()
    waiting = scene.listener(driver.m, "10.0.0.1:80")
    set_option(driver, waiting, "SO_KEEPALIVE")
    socket = scene.accepted(driver.m, local="10.0.0.1:80")
    scene.peer_of(driver.m, socket).vanish()
    driver.run()
    assert subsystem(driver.m).sockets[socket].state == "broken"


def test_data_for_a_dead_peer_is_given_up(driver: Any) -> None:
    socket = scene.connected(driver.m)
    scene.peer_of(driver.m, socket).vanish()
    call = driver.send(socket, b"hello")
    driver.run()
    assert call.result == (tables().chosen["peer is gone"].status, 0)


# Fast Open


@pytest.mark.parametrize(("size", "with_it"), [(5, 5), (1460, 1460), (2000, 1460)])
def test_the_first_bytes_ride_with_the_request(driver: Any, size: int, with_it: int) -> None:
    """WSK-CONX-02, WSK-CONX-06: as much as fits into a segment; the rest follows."""
    driver.register()
    content = bytes(number % 251 for number in range(size))
    peer = scene.network(driver.m).peer("10.0.0.2:99")
    socket = driver.socket("connection")
    set_option(driver, socket, "TCP_FASTOPEN")
    driver.bind(socket, "0.0.0.0:0")
    buffer = scene.wsk_buf(driver.m, content)
    call = driver.call("WskConnectEx", socket, scene.sockaddr(driver.m, "10.0.0.2:99"), buffer, 0)
    driver.run()
    rest = [("data", content[with_it:])] if size > with_it else []
    assert (call.result, peer.received) == (OK, content)
    assert crossed(driver, "SYN", "data") == [("SYN", content[:with_it]), *rest]


def test_a_refused_request_loses_them(driver: Any) -> None:
    driver.register()
    peer = scene.network(driver.m).peer("10.0.0.2:99", "refuses")
    socket = driver.socket("connection")
    set_option(driver, socket, "TCP_FASTOPEN")
    driver.bind(socket, "0.0.0.0:0")
    buffer = scene.wsk_buf(driver.m, b"hello")
    call = driver.call("WskConnectEx", socket, scene.sockaddr(driver.m, "10.0.0.2:99"), buffer, 0)
    driver.run()
    assert (call.result, peer.received) == ((tables().chosen["connect refused"].status, 0), b"")


# Real sockets


@pytest.mark.parametrize("value", [1, 0])
@pytest.mark.parametrize(
    ("name", "level", "option"),
    [("SO_KEEPALIVE", real.SOL_SOCKET, real.SO_KEEPALIVE), ("TCP_NODELAY", real.IPPROTO_TCP, real.TCP_NODELAY)],
)
def test_they_are_set_on_the_real_socket(name: str, level: int, option: int, value: int) -> None:
    with Lab(network="loopback") as lab:
        socket = lab.connected_socket("reads")
        place = lab.machine.allocate(4)
        lab.machine.set_u32(place, value)
        m = lab.machine
        answers: list[int] = []
        arguments = (socket.address, 0, m.constant(name), m.constant(tables().options[name].level), 4, place, 0, 0, 0, 0)
        WskControlSocket(m, *arguments, done=lambda status, _: answers.append(status))
        end: Any = subsystem(m).sockets[socket.address]
        assert (answers, end.end.socket.getsockopt(level, option) != 0) == ([0], bool(value))
