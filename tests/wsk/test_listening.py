"""Conditional accept, and stream sockets that listen. Facts WSK-INSC, WSK-IEV, WSK-ABEV, WSK-SQI, WSK-LSTN, WSK-CAT."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from wsklab.machine.status import name_of
from wsklab.wsk import scene
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
OK = ("STATUS_SUCCESS", 0)
REJECT, ACCEPT, PEND = 0, 1, 2
LISTEN = "WSK_CLIENT_LISTEN_DISPATCH"


class Inspecting:
    """A listener in conditional-accept mode; `answers` are what WskInspectEvent returns."""

    def __init__(self, driver: Any, *answers: Any) -> None:
        self.driver, self.m, self.answers = driver, driver.m, list(answers)
        self.asked: list[tuple[bytes, bytes]] = []
        self.ids: list[int] = []
        self.aborted: list[tuple[int, int]] = []
        driver.register()
        table = driver.callbacks(LISTEN, WskInspectEvent=self.inspect, WskAbortEvent=self.abort)
        self.listener = driver.socket("listening", 0x11, table)
        assert self.option(1) == OK
        driver.bind(self.listener, "10.0.0.1:80")

    def option(self, value: int) -> Any:
        place = self.m.allocate(4)
        self.m.set_u32(place, value)
        return self.driver.call("WskControlSocket", self.listener, 0, 0x3002, 0xFFFF, 4, place, 0, 0, 0).result

    def inspect(self, context: int, local: int, remote: int, inspect_id: int) -> int:
        assert context == 0x11
        if not inspect_id:
            self.asked.append((b"", b""))
            return REJECT
        self.asked.append((self.m.read(local, 16), self.m.read(remote, 16)))
        self.ids.append(copy := self.m.allocate(16))
        self.m.memory.copy(copy, inspect_id, 16)
        answer = self.answers.pop(0)
        return answer(copy) if callable(answer) else answer

    def abort(self, context: int, inspect_id: int) -> int:
        self.aborted.append((self.m.u64(inspect_id), self.m.u32(inspect_id + 8)))
        return 0

    def accept(self) -> Any:
        return self.driver.call("WskAccept", self.listener, 0, 0, 0, 0, 0)

    def complete(self, action: int, number: int = -1) -> Any:
        return self.driver.call("WskInspectComplete", self.listener, self.ids[number], action)

    def arrive(self, port: int = 5000) -> Any:
        peer = self.driver.peer("10.0.0.1:80", f"10.0.0.2:{port}")
        self.driver.run(100)
        return peer


def test_an_accepted_request_goes_on(driver: Any) -> None:
    """WSK-IEV-01 to 03, WSK-EV-03, WSK-SQI-01: the callback sees both addresses; the socket comes by the accept."""
    i = Inspecting(driver, ACCEPT)
    call, peer = i.accept(), i.arrive()
    assert i.asked == [tuple(driver.m.read(scene.sockaddr(driver.m, text), 16) for text in ("10.0.0.1:80", "10.0.0.2:5000"))]
    driver.send(call.result[1], b"hello")
    driver.run()
    assert peer.received == b"hello"
    place, size = driver.m.allocate(16), driver.m.allocate(8)
    asked = (call.result[1], 2, 0x4F000005, 0, 0, 0, 16, place, size, 0)
    assert name_of(driver.m.api("WskControlSocket")(*asked)) == "STATUS_SUCCESS"
    inspect_id = (driver.m.u64(i.ids[0]), driver.m.u32(i.ids[0] + 8))
    assert ((driver.m.u64(place), driver.m.u32(place + 8)), driver.m.u64(size)) == (inspect_id, 16)


def test_a_rejected_request_is_dropped(driver: Any) -> None:
    """WSK-IEV-04: neither accept nor abort follows."""
    i = Inspecting(driver, REJECT)
    call, peer = i.accept(), i.arrive()
    driver.run()
    assert (call.result, i.aborted, peer.ends) == (None, [], [])


@pytest.mark.parametrize(("action", "connected"), [(ACCEPT, True), (REJECT, False)])
def test_a_pended_request_is_decided_later(driver: Any, action: int, connected: bool) -> None:
    """WSK-IEV-05, WSK-IEV-06, WSK-INSC-01 to 05: named by a copy of the id."""
    i = Inspecting(driver, PEND)
    call, peer = i.accept(), i.arrive()
    assert (call.result, peer.ends) == (None, [])
    assert i.complete(action).result == OK
    driver.run()
    assert (bool(call.result), bool(peer.ends), i.aborted) == (connected, connected, [])
    assert i.complete(action).result == (CHOSEN["request is gone"].status, 0)


def test_a_pended_request_that_the_peer_takes_back(driver: Any) -> None:
    """WSK-ABEV-01 to 03, WSK-INSC-06, WSK-INSC-07: completing it establishes nothing."""
    i = Inspecting(driver, PEND)
    call, peer = i.accept(), i.arrive()
    peer.give_up()
    driver.run()
    assert i.aborted == [(driver.m.u64(i.ids[0]), driver.m.u32(i.ids[0] + 8))]
    assert i.complete(ACCEPT).result == (CHOSEN["request is gone"].status, 0)
    driver.run()
    assert call.result is None


def test_a_request_that_nobody_decides_times_out(driver: Any) -> None:
    """WSK-ABEV-02."""
    i = Inspecting(driver, PEND)
    peer = i.arrive()
    driver.run()
    assert (len(i.aborted), peer.ends) == (1, [])


def test_a_request_taken_back_before_the_question_is_never_asked(driver: Any) -> None:
    i = Inspecting(driver)
    peer = driver.peer("10.0.0.1:80")
    peer.give_up()
    driver.run()
    assert (i.asked, i.aborted) == ([], [])


def test_requests_are_told_apart_by_content(driver: Any) -> None:
    """WSK-STR-06, WSK-IEV-06: the padding is not written, so comparing all bytes is wrong."""
    i = Inspecting(driver, PEND, PEND)
    first, second = i.arrive(), i.arrive(5001)
    i.complete(ACCEPT, 0)
    driver.run(100)
    assert (len(first.ends), len(second.ends)) == (1, 0)
    assert rule_of(lambda: driver.m.read(i.ids[0], 16)) == "uninitialised-read"


def test_completing_what_cannot_be_completed(driver: Any) -> None:
    """WSK-INSC-01, WSK-INSC-02."""
    i = Inspecting(driver, PEND)
    i.arrive()
    assert i.complete(PEND).result == (CHOSEN["bad argument"].status, 0)
    other = scene.listener(driver.m, "10.0.0.1:81")
    call = driver.call("WskInspectComplete", other, i.ids[0], ACCEPT)
    assert call.result == (CHOSEN["wrong state"].status, 0)


def test_closing_the_listener_drops_what_is_pended(driver: Any) -> None:
    i = Inspecting(driver, PEND)
    peer = i.arrive()
    assert driver.close(i.listener).result == OK
    driver.run()
    assert (peer.ends, i.aborted) == ([], [])


def test_conditional_accept_needs_its_callbacks_and_an_unbound_listener(driver: Any) -> None:
    """WSK-SOO-02, WSK-BIND-09, WSK-CAT-11."""
    i = Inspecting(driver)
    assert i.option(0) == (CHOSEN["option after the bind"].status, 0)
    i.listener = driver.socket("listening")
    assert rule_of(lambda: i.option(1)) == "wsk-callback-missing"


def test_the_inspect_callback_of_a_dead_listener(driver: Any) -> None:
    """WSK-IEV-08."""
    i = Inspecting(driver)
    scene.kill(driver.m, i.listener)
    driver.run()
    assert i.asked == [(b"", b"")]


def test_an_inspect_callback_returns_an_action(driver: Any) -> None:
    """WSK-IEV-01."""
    i = Inspecting(driver, 3)
    assert rule_of(i.arrive) == "wsk-callback-status"


# Stream sockets


def stream(driver: Any, local: str = "10.0.0.1:80") -> int:
    driver.register()
    socket = driver.socket("stream")
    assert driver.bind(socket, local).result == OK
    return socket


def test_a_stream_socket_listens(driver: Any) -> None:
    """WSK-LSTN-01 to 04, WSK-GAP-06, WSK-CAT-07, WSK-CAT-09, WSK-BIND-08: not before WskListen."""
    socket = stream(driver)
    early = driver.peer("10.0.0.1:80")
    driver.run()
    assert early.ends == []
    assert driver.call("WskListen", socket).result == OK
    call = driver.call("WskAccept", socket, 0, 0, 0, 0, 0)
    peer = driver.peer("10.0.0.1:80", "10.0.0.2:5001")
    driver.run()
    accepted = subsystem(driver.m).sockets[call.result[1]]
    assert (accepted.category, len(peer.ends)) == ("connection", 1)
    connect = driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:7"), 0)
    assert connect.result == (CHOSEN["wrong state"].status, 0)
    for each in (call.result[1], socket):
        assert driver.close(each).result == OK


def test_a_stream_socket_connects(driver: Any) -> None:
    """WSK-CONN-04, WSK-CONX-07, WSK-CAT-07."""
    socket = stream(driver, "0.0.0.0:0")
    assert driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:7"), 0).result == OK
    pair = driver.receive(socket, 5)
    driver.send(socket, b"hello")
    driver.run()
    assert scene.content_of(driver.m, pair[1], pair[0].result[1]) == b"hello"
    assert driver.call("WskListen", socket).result == (CHOSEN["wrong state"].status, 0)


def test_a_stream_socket_is_bound_first(driver: Any) -> None:
    """WSK-BIND-08, WSK-LSTN-01."""
    driver.register()
    socket = driver.socket("stream")
    assert driver.call("WskListen", socket).result == (CHOSEN["wrong state"].status, 0)


def test_the_stream_table_has_two_client_tables(driver: Any) -> None:
    """WSK-STR-09, WSK-CAT-11."""
    m, sockets, received = driver.m, [], []
    driver.register()
    connection = driver.callbacks(
        "WSK_CLIENT_CONNECTION_DISPATCH", WskReceiveEvent=lambda *a: received.extend(driver.indicated(a[2])) or 0
    )

    def accept(*a: int) -> int:
        sockets.append(a[4])
        m.set_u64(a[5], 0)
        m.set_u64(a[6], connection)
        return 0

    both = m.new("WSK_CLIENT_STREAM_DISPATCH")
    m.set_u64(both, driver.callbacks(LISTEN, WskAcceptEvent=accept))
    m.set_u64(both + 8, connection)
    listening, connecting = (driver.socket("stream", 0, both) for _ in range(2))
    driver.bind(listening, "10.0.0.1:80")
    driver.bind(connecting, "0.0.0.0:0")
    driver.call("WskListen", listening)
    assert driver.switch(listening, 0x200) == "STATUS_SUCCESS"
    driver.call("WskConnect", connecting, scene.sockaddr(m, "10.0.0.1:80"), 0)
    driver.run()
    assert driver.switch(connecting, 0x40) == driver.switch(sockets[0], 0x40) == "STATUS_SUCCESS"
    driver.send(sockets[0], b"to the one")
    driver.send(connecting, b"to the other")
    driver.run()
    assert sorted(received) == [b"to the one", b"to the other"]


def test_conditional_accept_is_not_for_stream_sockets(driver: Any) -> None:
    """WSK-CAT-08."""
    driver.register()
    place = driver.m.allocate(4, zero=True)
    call = driver.call("WskControlSocket", driver.socket("stream"), 0, 0x3002, 0xFFFF, 4, place, 0, 0, 0)
    assert call.result == (CHOSEN["wrong category of option"].status, 0)


# Connecting and sending at once


def connect_ex(driver: Any, socket: int, content: bytes, flags: int = 0, to: str = "10.0.0.2:80") -> Any:
    m = driver.m
    buffer = scene.wsk_buf(m, content) if content else 0
    return driver.call("WskConnectEx", socket, scene.sockaddr(m, to), buffer, flags)


def test_connect_ex_sends_the_first_bytes(driver: Any) -> None:
    """WSK-CONX-01, WSK-CONX-02, WSK-CONX-05: the buffer may be changed when the request is over."""
    driver.register()
    peer = scene.network(driver.m).peer("10.0.0.2:80")
    socket = driver.socket("connection")
    driver.bind(socket, "0.0.0.0:0")
    assert connect_ex(driver, socket, b"first").result == OK
    driver.send(socket, b" second")
    driver.run()
    assert peer.received == b"first second"


@pytest.mark.parametrize(
    ("content", "flags", "status"),
    [(bytes(65_536), 0, "STATUS_BUFFER_OVERFLOW"), (b"", 1, "STATUS_INVALID_PARAMETER"), (bytes(65_535), 0, "STATUS_SUCCESS")],
)
def test_what_connect_ex_refuses(driver: Any, content: bytes, flags: int, status: str) -> None:
    """WSK-CONX-03, WSK-CONX-04."""
    driver.register()
    scene.network(driver.m).peer("10.0.0.2:80")
    socket = driver.socket("connection")
    driver.bind(socket, "0.0.0.0:0")
    assert connect_ex(driver, socket, content, flags).result == (status, 0)


def test_connect_ex_needs_a_bound_socket(driver: Any) -> None:
    """WSK-CONX-07."""
    driver.register()
    assert connect_ex(driver, driver.socket("connection"), b"x").result == (CHOSEN["wrong state"].status, 0)
