"""Event callbacks: enabled statically, per socket or inherited, what each may return, and in which order they come.

Facts WSK-EV, WSK-AEV, WSK-REV, WSK-DEV, WSK-SBEV, WSK-RFEV, WSK-RLS, WSK-SOE, WSK-STE, WSK-CLOSE, WSK-IRQL.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from wsklab.machine.status import name_of
from wsklab.wsk import scene
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
SUCCESS, PENDING, NOT_ACCEPTED, NOT_TAKEN = 0, 0x103, 0xC000021B, 0xC00000D0
BACKLOG, RECEIVE, DISCONNECT, RECEIVE_FROM, ACCEPT, DISABLE = 0x10, 0x40, 0x80, 0x100, 0x200, 0x8000_0000
CONNECTION, LISTEN, DATAGRAM = "WSK_CLIENT_CONNECTION_DISPATCH", "WSK_CLIENT_LISTEN_DISPATCH", "WSK_CLIENT_DATAGRAM_DISPATCH"
AT_DISPATCH = 8


class Connected:
    """A connected socket with callbacks; `answers` are what WskReceiveEvent does, one after the other."""

    def __init__(self, driver: Any, *answers: Any, flags: int = RECEIVE | DISCONNECT | BACKLOG, static: int = 0) -> None:
        self.driver, self.m = driver, driver.m
        self.told: list[Any] = []
        self.heads: list[int] = []
        self.answers = list(answers)
        driver.register()
        if static:
            assert driver.for_all(static) == "STATUS_SUCCESS"
        table = driver.callbacks(
            CONNECTION, WskReceiveEvent=self.receive, WskDisconnectEvent=self.disconnect, WskSendBacklogEvent=self.grow
        )
        self.peer = scene.network(self.m).peer("10.0.0.2:80")
        self.socket = driver.socket("connection", 0x77, table)
        driver.bind(self.socket, "0.0.0.0:0")
        assert driver.call("WskConnect", self.socket, scene.sockaddr(self.m, "10.0.0.2:80"), 0).result == ("STATUS_SUCCESS", 0)
        if flags:
            assert driver.switch(self.socket, flags) == "STATUS_SUCCESS"
        driver.run()

    def receive(self, context: int, flags: int, head: int, length: int, accepted: int) -> int:
        self.heads.append(head)
        content = b"".join(self.driver.indicated(head)) if head else None
        self.told.append((content, flags & AT_DISPATCH, self.m.irql))
        assert (context, length, self.m.u64(accepted)) == (0x77, len(content or b""), len(content or b""))
        answer = self.answers.pop(0) if self.answers else SUCCESS
        if callable(answer):
            answer = answer(head)
        if isinstance(answer, tuple):
            answer, count = answer
            self.m.set_u64(accepted, count)
        return answer

    def disconnect(self, context: int, flags: int) -> int:
        self.told.append(("disconnect", flags))
        return SUCCESS

    def grow(self, context: int, size: int) -> int:
        self.told.append(("backlog", size))
        return SUCCESS

    def send(self, *pieces: bytes) -> list[Any]:
        """Let the peer send; what WskReceiveEvent was told."""
        for piece in pieces:
            self.peer.send(piece)
            self.driver.run()
        return [what[0] for what in self.told]


# Receiving


def test_a_receive_event_takes_everything(driver: Any) -> None:
    """WSK-REV-01 to 03, WSK-REV-11, WSK-REV-12, WSK-EV-05, WSK-EV-06, WSK-IRQL-02, WSK-STR-07."""
    c = Connected(driver)
    assert c.send(b"hello", b"again") == [b"hello", b"again"]
    assert c.told[0][1:] == (AT_DISPATCH, 2)


@pytest.mark.parametrize(
    ("level", "flag", "irql"), [("PASSIVE_LEVEL", 0, 0), ("DISPATCH_LEVEL, and the flags do not say so", 0, 2)]
)
def test_the_irql_of_callbacks_is_a_choice(driver: Any, level: str, flag: int, irql: int) -> None:
    """WSK-IRQL-02, WSK-IRQL-04."""
    driver.m.choices["callback IRQL"] = level
    c = Connected(driver)
    c.send(b"x")
    assert c.told == [(b"x", flag, irql)]


def test_data_can_come_as_a_list_of_chains(driver: Any) -> None:
    """WSK-REV-12, WSK-STR-05: several indications, an offset into the first MDL."""
    driver.m.choices["data indication"] = "a list of chains"
    seen = []
    c = Connected(
        driver, lambda head: seen.extend((driver.indicated(head), driver.m.view(head, "WSK_DATA_INDICATION").Buffer.Offset)) or 0
    )
    assert (c.send(b"abcdefg"), seen) == ([b"abcdefg"], [[b"abc", b"defg"], 20])


def test_the_list_is_gone_when_the_callback_has_returned(driver: Any) -> None:
    """WSK-REV-14."""
    for answer in (SUCCESS, NOT_ACCEPTED):
        c = Connected(driver.__class__(), answer)
        c.send(b"x")
        assert rule_of(lambda c=c: c.driver.indicated(c.heads[0])) == "use-after-free"


def test_what_is_not_accepted_waits_for_a_receive(driver: Any) -> None:
    """WSK-REV-05, WSK-REV-07, WSK-REV-09, WSK-REV-10: the callback is suspended, and comes again with old and new data."""
    c = Connected(driver, NOT_ACCEPTED)
    assert c.send(b"abc", b"def") == [b"abc"]
    pair = driver.receive(c.socket, 2)
    driver.run()
    assert scene.content_of(driver.m, pair[1], pair[0].result[1]) == b"ab"
    assert [what[0] for what in c.told] == [b"abc", b"cdef"]


def test_a_part_can_be_accepted(driver: Any) -> None:
    """WSK-REV-04; a receive of no bytes resumes without taking any (WSK-RECV-09)."""
    c = Connected(driver, (SUCCESS, 2))
    assert c.send(b"abcd", b"ef") == [b"abcd"]
    assert driver.call("WskReceive", c.socket, scene.wsk_buf(driver.m, b""), 0).returned == "STATUS_PENDING"
    driver.run()
    assert [what[0] for what in c.told] == [b"abcd", b"cdef"]


@pytest.mark.parametrize(("answer", "told"), [("when WskReceive has completed", 1), ("when WskReceive is called", 2)])
def test_when_the_callback_resumes_is_a_choice(driver: Any, answer: str, told: int) -> None:
    """WSK-GAP-02, WSK-REV-08: they differ for a large receive with WSK_FLAG_WAITALL."""
    driver.m.choices["WskReceiveEvent resumes"] = answer
    driver.m.choices["callback race"] = "the callback"
    c = Connected(driver, NOT_ACCEPTED)
    c.send(b"abc")
    driver.receive(c.socket, 100, 2)
    c.send(b"d")
    assert len(c.told) == told


def test_more_than_indicated_cannot_be_accepted(driver: Any) -> None:
    c = Connected(driver, (SUCCESS, 9))
    assert rule_of(lambda: c.send(b"abc")) == "wsk-bytes-accepted"


def test_a_retained_list_is_the_drivers_until_it_is_released(driver: Any) -> None:
    """WSK-REV-06, WSK-RLS-01 to 05, WSK-CLOSE-12."""
    c, release = Connected(driver, PENDING, PENDING), driver.m.api("WskReleaseDataIndicationList")
    assert c.send(b"abc", b"def") == [b"abc", b"def"]
    assert driver.indicated(c.heads[0]) == [b"abc"]
    assert release(c.socket, c.heads[0]) == 0
    assert rule_of(lambda: driver.indicated(c.heads[0])) == "use-after-free"
    assert rule_of(lambda: release(c.socket, c.heads[0])) == "wsk-indication-not-retained"
    assert name_of(release(c.socket, 0)) == "STATUS_INVALID_PARAMETER"
    assert rule_of(lambda: driver.close(c.socket)) == "wsk-indications-not-released"
    assert release(c.socket, c.heads[1]) == 0
    assert driver.close(c.socket).result == ("STATUS_SUCCESS", 0)


def test_a_middle_element_cannot_be_released(driver: Any) -> None:
    """WSK-RLS-05."""
    driver.m.choices["data indication"] = "a list of chains"
    c = Connected(driver, PENDING)
    c.send(b"abcd")
    middle = int(driver.m.view(c.heads[0], "WSK_DATA_INDICATION").Next)
    assert rule_of(lambda: driver.m.api("WskReleaseDataIndicationList")(c.socket, middle)) == "wsk-indication-not-retained"


@pytest.mark.parametrize("status", [0xC0000001, 1])
def test_a_callback_may_not_return_anything_else(driver: Any, status: int) -> None:
    c = Connected(driver, status)
    assert rule_of(lambda: c.send(b"x")) == "wsk-callback-status"


def test_a_queued_receive_comes_first_but_the_callback_may_win_the_race(driver: Any) -> None:
    """WSK-RECV-08, WSK-EV-10."""
    c = Connected(driver)
    call, buffer = driver.receive(c.socket, 3)
    assert c.send(b"abc") == []
    assert scene.content_of(driver.m, buffer, call.result[1]) == b"abc"
    driver.m.choices["callback race"] = "the callback"
    call, buffer = driver.receive(c.socket, 3)
    assert (c.send(b"def"), call.result) == ([b"def"], None)


def test_enabling_tells_what_came_before(driver: Any) -> None:
    """WSK-SOE-10."""
    c = Connected(driver, flags=0)
    assert c.send(b"early") == []
    driver.switch(c.socket, RECEIVE)
    driver.run()
    assert c.told[0][0] == b"early"


def test_a_receive_inside_the_callback_gets_what_it_leaves(driver: Any) -> None:
    """WSK-EV-04: a callback may start requests."""
    pairs: list[Any] = []
    c = Connected(driver, lambda head: pairs.append(driver.receive(c.socket, 9)) or (SUCCESS, 1))
    c.send(b"abc")
    assert scene.content_of(driver.m, pairs[0][1], pairs[0][0].result[1]) == b"bc"


# The end


@pytest.mark.parametrize(("how", "flags"), [("close", AT_DISPATCH), ("reset", AT_DISPATCH | 1)])
def test_the_peer_disconnects(driver: Any, how: str, flags: int) -> None:
    """WSK-DEV-01 to 05, WSK-REV-15: no empty indication; the socket stays open."""
    c = Connected(driver)
    c.send(b"last")
    getattr(c.peer, how)()
    driver.run()
    assert [what[:2] for what in c.told] == [(b"last", AT_DISPATCH), ("disconnect", flags)]
    assert driver.close(c.socket).result == ("STATUS_SUCCESS", 0)


def test_the_end_of_the_stream_comes_after_the_data(driver: Any) -> None:
    """WSK-DEV-03: while the data waits for a receive, so does the end."""
    c = Connected(driver, NOT_ACCEPTED)
    c.send(b"abc")
    c.peer.close()
    driver.run()
    assert len(c.told) == 1
    driver.receive(c.socket, 3)
    driver.run()
    assert c.told[1:] == [("disconnect", AT_DISPATCH)]


def test_a_local_disconnect_is_not_reported(driver: Any) -> None:
    """WSK-DEV-02."""
    c = Connected(driver)
    driver.call("WskDisconnect", c.socket, 0, 0)
    driver.run()
    assert c.told == []


def test_the_ideal_send_backlog_grows(driver: Any) -> None:
    """WSK-SBEV-01, WSK-SBEV-02, WSK-SEND-11, WSK-SQB-02."""
    c = Connected(driver)
    for _ in range(2):
        driver.send(c.socket, bytes(40_000))
    driver.run()
    assert c.told == [("backlog", 131_072)]


def test_a_dead_socket_is_told_once(driver: Any) -> None:
    """WSK-EV-08, WSK-EV-09, WSK-REV-13."""
    c = Connected(driver)
    scene.kill(driver.m, c.socket)
    driver.run()
    assert [what[0] for what in c.told] == [None]
    assert driver.close(c.socket).result == ("STATUS_SUCCESS", 0)


# Switching


def test_disabling_while_nothing_runs(driver: Any) -> None:
    """WSK-SOE-01, WSK-SOE-04."""
    c = Connected(driver)
    assert driver.switch(c.socket, RECEIVE | DISABLE) == "STATUS_SUCCESS"
    assert driver.switch(c.socket, DISCONNECT | DISABLE, irp=True).result == ("STATUS_SUCCESS", 0)
    c.peer.send(b"x")
    c.peer.close()
    driver.run()
    assert c.told == []


def test_disabling_while_the_callback_runs(driver: Any) -> None:
    """WSK-EV-12, WSK-SOE-04, WSK-CTL-07: without an IRP nobody tells when it has become effective."""
    seen: list[Any] = []

    def disable(_head: int) -> int:
        seen.append(driver.switch(c.socket, RECEIVE | DISABLE))
        return SUCCESS

    def disable_with_irp(_head: int) -> int:
        seen.append(driver.switch(c.socket, RECEIVE | DISABLE, irp=True))
        seen.append(seen[-1].result)
        return SUCCESS

    c = Connected(driver, disable, disable_with_irp)
    assert (c.send(b"a", b"b"), seen) == ([b"a"], ["STATUS_EVENT_PENDING"])
    driver.switch(c.socket, RECEIVE)
    driver.run()
    assert (seen[1].returned, seen[2], seen[1].result) == ("STATUS_PENDING", None, ("STATUS_SUCCESS", 0))


@pytest.mark.parametrize("mask", [0, RECEIVE | DISCONNECT | DISABLE, ACCEPT, RECEIVE_FROM, 1, DISABLE])
def test_masks_that_fit_no_connection(driver: Any, mask: int) -> None:
    """WSK-SOE-01, WSK-SOE-06."""
    assert driver.switch(Connected(driver).socket, mask) == CHOSEN["bad argument"].status


def test_callbacks_come_after_the_connect(driver: Any) -> None:
    """WSK-SOE-05, WSK-BIND-10."""
    driver.register()
    listener, datagram = driver.socket("listening"), driver.socket("datagram")
    for socket, flag in ((driver.socket("connection"), RECEIVE), (listener, ACCEPT), (datagram, RECEIVE_FROM)):
        assert driver.switch(socket, flag) == CHOSEN["wrong state"].status


def test_a_callback_that_is_enabled_must_be_there(driver: Any) -> None:
    """WSK-CAT-11, WSK-SOCK-05."""
    socket = scene.connected(driver.m)
    assert rule_of(lambda: driver.switch(socket, RECEIVE)) == "wsk-callback-missing"


def test_another_interface_is_not_supported(driver: Any) -> None:
    """WSK-SOE-02."""
    m, c = driver.m, Connected(driver)
    control = driver.event_control(RECEIVE, bytes(16))
    status = m.api("WskControlSocket")(c.socket, 0, 0x4002, 0xFFFF, 16, control, 0, 0, 0, 0)
    assert name_of(status) == CHOSEN["unknown interface"].status


def test_static_callbacks_cannot_be_switched(driver: Any) -> None:
    """WSK-STE-01 to 05, WSK-SOE-09, WSK-SOCK-12."""
    c = Connected(driver, static=RECEIVE, flags=0)
    assert c.send(b"x") == [b"x"]
    assert driver.switch(c.socket, RECEIVE | DISABLE) == CHOSEN["static callback"].status
    assert driver.for_all(RECEIVE) == CHOSEN["sockets exist already"].status


def test_a_static_callback_that_is_not_there_is_not_called(driver: Any) -> None:
    """WSK-STE-06."""
    driver.register()
    driver.for_all(RECEIVE | ACCEPT)
    socket = driver.socket("connection")
    driver.bind(socket, "0.0.0.0:0")
    peer = scene.network(driver.m).peer("10.0.0.2:80")
    driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:80"), 0)
    driver.run()
    peer.send(b"x")
    driver.run()
    pair = driver.receive(socket, 5)
    driver.run()
    assert pair[0].result == ("STATUS_SUCCESS", 1)


# Closing


def test_a_close_inside_a_callback_completes_after_it(driver: Any) -> None:
    """WSK-CLOSE-06 to 08, WSK-EV-13."""
    calls: list[Any] = []

    def close(_head: int) -> int:
        calls.append(driver.close(c.socket))
        calls.append(calls[0].result)
        return SUCCESS

    c = Connected(driver, close)
    c.send(b"x")
    assert (calls[0].returned, calls[1], calls[0].result) == ("STATUS_PENDING", None, ("STATUS_SUCCESS", 0))
    c.peer.send(b"late")
    driver.run()
    assert len(c.told) == 1


def test_what_was_about_to_be_told_at_the_close_is_not(driver: Any) -> None:
    """WSK-CLOSE-07: the end of the stream stood in line behind data, and the data has just been taken."""
    driver.m.choices["WskReceive"] = "inline"
    c = Connected(driver, NOT_ACCEPTED)
    c.send(b"x")
    c.peer.close()
    driver.run()
    assert driver.receive(c.socket, 1)[0].result == ("STATUS_SUCCESS", 1)
    driver.close(c.socket)
    driver.run()
    assert [what[0] for what in c.told] == [b"x"]


def test_what_was_about_to_be_indicated_at_an_abort_is_not(driver: Any) -> None:
    """WSK-DISC-03: neither sending nor receiving is possible afterwards."""
    c = Connected(driver, NOT_ACCEPTED)
    c.send(b"x")
    driver.call("WskReceive", c.socket, scene.wsk_buf(driver.m, b""), 0)
    driver.call("WskDisconnect", c.socket, 0, 1)
    driver.run()
    assert [what[0] for what in c.told] == [b"x"]


def test_waiting_in_a_callback_stops(driver: Any) -> None:
    """WSK-EV-04, WSK-USE-22."""
    m = driver.m

    def wait(_head: int) -> int:
        event = m.allocate(24)
        m.api("KeInitializeEvent")(event, 0, 0)
        m.drive(m.api("KeWaitForSingleObject")(event, 0, 0, 0, 0), "KeWaitForSingleObject")
        return SUCCESS

    m.choices["callback IRQL"] = "PASSIVE_LEVEL"
    c = Connected(driver, wait)
    assert rule_of(lambda: c.send(b"x")) == "wait-in-callback"


def test_a_callback_gives_the_irql_back(driver: Any) -> None:
    m = driver.m
    c = Connected(driver, lambda head: setattr(m, "irql", 0) or SUCCESS)
    assert rule_of(lambda: c.send(b"x")) == "routine-changed-irql"


# Accepting


class Server:
    """A listener with WskAcceptEvent; what it does with each offered socket is `take`."""

    def __init__(self, driver: Any, static: int = 0, flags: int = ACCEPT, take: Any = None) -> None:
        self.driver, self.m = driver, driver.m
        self.taken: list[tuple[int, bytes, bytes]] = []
        self.received: list[bytes] = []
        self.take = take or self.accept
        driver.register()
        if static:
            driver.for_all(static)
        self.table = driver.callbacks(CONNECTION, WskReceiveEvent=self.receive)
        self.listener = driver.socket("listening", 0x11, driver.callbacks(LISTEN, WskAcceptEvent=self.offered))
        driver.bind(self.listener, "10.0.0.1:80")
        if flags:
            assert driver.switch(self.listener, flags) == "STATUS_SUCCESS"

    def offered(self, context: int, flags: int, local: int, remote: int, socket: int, out: int, table: int) -> int:
        assert context == 0x11
        self.taken.append((socket, self.m.read(local, 16) if local else b"", self.m.read(remote, 16) if remote else b""))
        return self.take(socket, out, table)

    def accept(self, socket: int, out: int, table: int) -> int:
        self.m.set_u64(out, 0x22)
        self.m.set_u64(table, self.table)
        return SUCCESS

    def receive(self, context: int, flags: int, head: int, length: int, accepted: int) -> int:
        assert context == 0x22
        self.received += self.driver.indicated(head)
        return SUCCESS


@pytest.mark.parametrize("static", [0, ACCEPT])
def test_an_accept_event(driver: Any, static: int) -> None:
    """WSK-AEV-01 to 03, WSK-AEV-06, WSK-STE-07: callbacks of the new socket are off."""
    s = Server(driver, static, 0 if static else ACCEPT)
    peer = driver.peer("10.0.0.1:80")
    driver.run()
    addresses = [driver.m.read(scene.sockaddr(driver.m, text), 16) for text in ("10.0.0.1:80", "10.0.0.2:5000")]
    assert [list(found[1:]) for found in s.taken] == [addresses]
    peer.send(b"x")
    driver.run()
    assert s.received == []
    driver.send(s.taken[0][0], b"hello")
    driver.run()
    assert peer.received == b"hello"


@pytest.mark.parametrize(("static", "flags"), [(0, ACCEPT | RECEIVE), (ACCEPT | RECEIVE, 0)])
def test_inherited_and_static_callbacks_of_the_new_socket(driver: Any, static: int, flags: int) -> None:
    """WSK-SOE-07, WSK-AEV-06, WSK-AEV-07, WSK-GAP-07, WSK-GAP-08."""
    s = Server(driver, static, flags)
    peer = driver.peer("10.0.0.1:80")
    driver.run()
    peer.send(b"x")
    driver.run()
    assert s.received == [b"x"]
    if flags:
        assert driver.switch(s.listener, RECEIVE | DISABLE) == CHOSEN["bad argument"].status  # WSK-SOE-08


def test_a_queued_accept_comes_first_and_inherits_nothing(driver: Any) -> None:
    """WSK-ACC-06, WSK-ACC-10."""
    s = Server(driver, flags=ACCEPT | RECEIVE)
    call = driver.call("WskAccept", s.listener, 0, 0x22, s.table, 0, 0)
    peer = driver.peer("10.0.0.1:80")
    driver.run()
    peer.send(b"x")
    driver.run()
    assert (call.result[0], s.taken, s.received) == ("STATUS_SUCCESS", [], [])
    driver.m.choices["callback race"] = "the callback"
    call = driver.call("WskAccept", s.listener, 0, 0, 0, 0, 0)
    driver.peer("10.0.0.1:80", "10.0.0.2:5001")
    driver.run()
    assert (call.result, len(s.taken)) == (None, 1)


def test_a_refused_socket_is_closed_by_the_subsystem(driver: Any) -> None:
    """WSK-AEV-03, WSK-AEV-10."""
    s = Server(driver, take=lambda *_: NOT_TAKEN)
    peer = driver.peer("10.0.0.1:80")
    driver.run()
    assert peer.broken
    assert rule_of(lambda: driver.send(s.taken[0][0], b"x")) == "wsk-socket-refused"


def test_the_outputs_must_be_set(driver: Any) -> None:
    """WSK-AEV-04."""
    Server(driver, take=lambda *_: SUCCESS)
    driver.peer("10.0.0.1:80")
    assert rule_of(driver.run) == "wsk-accept-outputs-not-set"


def test_enabling_inside_the_accept_callback(driver: Any) -> None:
    """WSK-AEV-05, WSK-AEV-09."""

    def take(socket: int, out: int, table: int) -> int:
        s.accept(socket, out, table)
        return 0 if driver.switch(socket, RECEIVE) == "STATUS_SUCCESS" else NOT_TAKEN

    s = Server(driver, take=take)
    peer = driver.peer("10.0.0.1:80")
    driver.run()
    peer.send(b"x")
    driver.run()
    assert s.received == [b"x"]
    s.take = lambda socket, out, table: driver.switch(socket, RECEIVE)
    driver.peer("10.0.0.1:80", "10.0.0.2:5001")
    assert rule_of(driver.run) == "wsk-accept-outputs-not-set"


def test_addresses_are_valid_during_the_call_only(driver: Any) -> None:
    """WSK-EV-07."""
    places: list[int] = []
    s = Server(driver)
    offered = s.offered
    table = driver.callbacks(LISTEN, WskAcceptEvent=lambda *a: places.append(a[3]) or offered(*a))
    listener = driver.socket("listening", 0x11, table)
    driver.bind(listener, "10.0.0.1:81")
    driver.switch(listener, ACCEPT)
    driver.peer("10.0.0.1:81")
    driver.run()
    assert rule_of(lambda: driver.m.u16(places[0])) == "use-after-free"


def test_a_dead_listener_is_told_once(driver: Any) -> None:
    """WSK-AEV-08, WSK-EV-09."""
    s = Server(driver, take=lambda *_: NOT_TAKEN)
    scene.kill(driver.m, s.listener)
    driver.run()
    assert s.taken == [(0, b"", b"")]


def test_closing_the_accepted_socket_inside_the_callback(driver: Any) -> None:
    s = Server(driver)
    s.take = lambda *outputs: driver.close(outputs[0]) and s.accept(*outputs)
    driver.peer("10.0.0.1:80")
    driver.run()
    assert driver.completed[-1].result == ("STATUS_SUCCESS", 0)
    assert not driver.m.block_at(s.taken[0][0]).live


# Datagrams


class Bound:
    """A bound datagram socket with WskReceiveFromEvent."""

    def __init__(self, driver: Any, *answers: int, static: int = 0) -> None:
        self.driver, self.answers = driver, list(answers)
        self.told: list[list[bytes]] = []
        self.flags: list[int] = []
        self.heads: list[int] = []
        driver.register()
        if static:
            driver.for_all(static)
        self.socket = driver.socket("datagram", 0x33, driver.callbacks(DATAGRAM, WskReceiveFromEvent=self.receive))
        driver.bind(self.socket, "10.0.0.1:5000")
        if not static:
            assert driver.switch(self.socket, RECEIVE_FROM) == "STATUS_SUCCESS"
        self.host = scene.network(driver.m).host("10.0.0.2")

    def receive(self, context: int, flags: int, head: int) -> int:
        assert context == 0x33
        self.heads.append(head)
        self.flags.append(flags)
        self.told.append(self.driver.indicated(head, "WSK_DATAGRAM_INDICATION"))
        return self.answers.pop(0) if self.answers else SUCCESS

    def send(self, *contents: bytes) -> list[list[bytes]]:
        for content in contents:
            self.host.send(content, "10.0.0.1:5000")
        self.driver.run()
        return self.told


def test_a_receive_from_event(driver: Any) -> None:
    """WSK-RFEV-01 to 03: a list may hold several datagrams."""
    b = Bound(driver)
    assert b.send(b"a") == [[b"a"]]
    b.told.clear()
    assert sum(b.send(b"b", b"c"), []) == [b"b", b"c"]


def test_one_datagram_for_each_call_is_a_choice(driver: Any) -> None:
    driver.m.choices["datagram indication"] = "one datagram"
    assert Bound(driver).send(b"b", b"c") == [[b"b"], [b"c"]]


def test_a_broadcast_says_so(driver: Any) -> None:
    """WSK-RFEV-01."""
    b = Bound(driver)
    b.host.send(b"all", "255.255.255.255:5000")
    driver.run()
    assert (b.told, [flags & 0x400 for flags in b.flags]) == ([[b"all"]], [0x400])


def test_the_sender_stands_in_the_indication(driver: Any) -> None:
    """WSK-RFEV-02, WSK-RFEV-09, WSK-STR-05."""
    b = Bound(driver, PENDING)
    b.send(b"a")
    node = driver.m.view(b.heads[0], "WSK_DATAGRAM_INDICATION")
    assert driver.m.read(int(node.RemoteAddress), 16) == driver.m.read(scene.sockaddr(driver.m, "10.0.0.2:7"), 16)
    assert (int(node.ControlInfo), node.ControlInfoLength) == (0, 0)
    assert driver.m.api("WskReleaseDatagramIndicationList")(b.socket, b.heads[0]) == 0


def test_refused_datagrams_are_kept_and_the_callback_is_disabled(driver: Any) -> None:
    """WSK-RFEV-04."""
    b = Bound(driver, NOT_ACCEPTED)
    assert b.send(b"a") == [[b"a"]]
    assert b.send(b"b") == [[b"a"]]
    driver.switch(b.socket, RECEIVE_FROM)
    driver.run()
    assert b.told == [[b"a"], [b"a", b"b"]]


def test_refused_by_a_static_callback_is_lost(driver: Any) -> None:
    """WSK-RFEV-05."""
    b = Bound(driver, NOT_ACCEPTED, static=RECEIVE_FROM)
    b.send(b"a")
    assert b.send(b"b") == [[b"a"], [b"b"]]


def test_a_queued_receive_from_comes_first(driver: Any) -> None:
    """WSK-RFR-10, WSK-RFEV-07."""
    b = Bound(driver)
    call, _ = driver.receive_from(b.socket, 9)
    assert b.send(b"a", b"b") == [[b"b"]]
    assert call.result == ("STATUS_SUCCESS", 1)
    scene.control(driver.m, b.socket, "SIO_WSK_SET_REMOTE_ADDRESS", scene.sockaddr(driver.m, "10.0.0.3:7"))
    assert b.send(b"c") == [[b"b"]]


def test_a_dead_datagram_socket_is_told_once(driver: Any) -> None:
    """WSK-RFEV-08."""
    b = Bound(driver)
    scene.kill(driver.m, b.socket)
    driver.run()
    assert (b.heads, b.told) == ([0], [[]])
