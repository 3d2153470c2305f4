"""Any sequence of calls on any number of sockets, under any choices: what must hold always.

Every IRP handed over completes exactly once; bytes arrive once and in order; a close waits for callbacks and nothing is called
after it; nothing leaks; no call changes another socket. Facts WSK-USE-02, WSK-SEND-10, WSK-RECV-11, WSK-CLOSE-05 to 07.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.wsk.conftest import Driver
from wsklab.io.completion import cancel
from wsklab.wsk import check_unload, scene
from wsklab.wsk.subsystem import subsystem

RECEIVE, DISCONNECT, BACKLOG, RECEIVE_FROM, ACCEPT = 0x40, 0x80, 0x10, 0x100, 0x200
SUCCESS, PENDING, NOT_ACCEPTED = 0, 0x103, 0xC000021B
CLOSES = -1  # what WskReceiveEvent does besides: it closes its socket
INSIDE = (
    "data",
    "SOCKADDR",
    "CMSGHDR",
    "WSK_DATA_INDICATION",
    "WSK_DATAGRAM_INDICATION",
    "BytesAccepted",
    "outputs of WskAcceptEvent",
)
picks = st.integers(0, 100)
contents = st.binary(min_size=1, max_size=9)


class Open:
    """A socket of the driver, and what the test knows about it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.socket = 0
        self.peer: Any = None
        self.by_events = False  # whether it receives through its callback, else through WskReceive
        self.answers: list[int] = []  # what the callback returns
        self.asked, self.cancelled = b"", False  # what it was asked to send
        self.sent = b""  # what the other side sent
        self.datagrams: list[bytes] = []  # the same of a datagram socket
        self.got: list[Any] = []  # contents, or receives whose content counts when they are over
        self.kept: list[int] = []  # retained indications
        self.closing: Any = None

    def received(self, driver: Any) -> bytes:
        parts = [part if isinstance(part, bytes) else content(driver, *part) for part in self.got]
        return b"".join(parts)


def content(driver: Any, call: Any, buffer: int) -> bytes:
    ended = call.result and call.result[0] == "STATUS_SUCCESS"
    return scene.content_of(driver.m, buffer, call.result[1]) if ended else b""


class Sockets(RuleBasedStateMachine):
    """The machine that Hypothesis drives."""

    @initialize(seed=st.integers(0, 2**16), fixed=st.booleans(), path=st.sampled_from(["usual", "lossy"]))
    def begin(self, seed: int, fixed: bool, path: str) -> None:
        self.fixed = fixed  # nothing is lost, doubled or late then
        self.driver = driver = Driver(choices=None if fixed else f"seed:{seed}", trace=False)
        driver.m.choices["WSK provider"] = "ready"
        driver.m.choices["path"] = path  # a long or narrow one only takes longer
        driver.m.choices["status that no page names"] = "the usual one"
        driver.m.choices["connection flags on a listener"] = "are handed on"
        driver.m.choices["address argument"] = "is read in the call"
        self.m, self.calls, self.all = driver.m, [], []
        self.network = scene.network(self.m)
        driver.register()
        told = {"WskReceiveEvent": self.data, "WskDisconnectEvent": self.quiet, "WskSendBacklogEvent": self.quiet}
        self.tables = [
            driver.callbacks("WSK_CLIENT_CONNECTION_DISPATCH", **told),
            driver.callbacks("WSK_CLIENT_LISTEN_DISPATCH", WskAcceptEvent=self.offered),
            driver.callbacks("WSK_CLIENT_DATAGRAM_DISPATCH", WskReceiveFromEvent=self.datagrams),
        ]
        both = self.m.new("WSK_CLIENT_STREAM_DISPATCH")
        self.m.set_u64(both, self.tables[1])
        self.m.set_u64(both + 8, self.tables[0])
        self.tables.append(both)
        self.ports = 5000
        self.queue: list[Any] = []  # peers that connect, with whether their socket is to receive by events
        self.accepts: list[Any] = []  # calls of WskAccept
        self.listener, self.other_listener = self.open("listening", True), self.open("stream", True)
        for known, port in ((self.listener, 80), (self.other_listener, 81)):
            self.add(known, "WskBind", scene.sockaddr(self.m, f"0.0.0.0:{port}"), 0)
            driver.run()
        self.add(self.other_listener, "WskListen")
        driver.run()
        assert driver.switch(self.listener.socket, ACCEPT | RECEIVE | DISCONNECT) == "STATUS_SUCCESS"
        assert driver.switch(self.other_listener.socket, ACCEPT) == "STATUS_SUCCESS"
        for by_events in (True, False):
            self.connect("reads", by_events, "connection" if by_events else "stream")
            self.peer_connects(by_events, 80 if by_events else 81)
            self.bind(by_events)
        self.watch()

    # Callbacks

    def find(self, context: int) -> Open:
        found = self.all[context - 1]
        assert not (found.closing and found.closing.times), "a callback after the close"
        return found

    def quiet(self, context: int, *_: int) -> int:
        self.find(context)
        return SUCCESS

    def data(self, context: int, _flags: int, head: int, length: int, accepted: int) -> int:
        known = self.find(context)
        answer = known.answers.pop() if known.answers else SUCCESS
        whole = b"".join(self.driver.indicated(head))
        if answer == CLOSES and not known.closing:
            self.end(known, "connection")
            assert not known.closing.times, "the close did not wait for the callback"
        if answer == CLOSES:
            answer = SUCCESS
            self.m.set_u64(accepted, 0)  # nothing of it is looked at
            return answer
        taken = {SUCCESS: length, PENDING: length}.get(answer, 0)
        if answer == SUCCESS and length > 2:
            taken = length - 1
            self.m.set_u64(accepted, taken)
        known.got.append(whole[:taken])
        if answer == PENDING:
            known.kept.append(head)
        return answer

    def datagrams(self, context: int, _flags: int, head: int) -> int:
        known = self.find(context)
        answer = known.answers.pop() if known.answers else SUCCESS
        if answer != NOT_ACCEPTED:
            known.got += self.driver.indicated(head, "WSK_DATAGRAM_INDICATION")
        if answer == PENDING:
            known.kept.append(head)
        return answer

    def offered(self, context: int, _flags: int, _local: int, remote: int, socket: int, out: int, table: int) -> int:
        self.find(context)
        port = int.from_bytes(self.m.read(remote + 2, 2), "big")
        known = next(each for each in self.queue if each.peer.address.port == port)
        self.all.append(known)
        known.socket = socket
        self.m.set_u64(out, len(self.all))
        self.m.set_u64(table, self.tables[0] if known.by_events else 0)
        return SUCCESS

    # Making sockets

    def open(self, kind: str, by_events: bool) -> Open:
        known = Open(kind)
        self.all.append(known)
        known.by_events = by_events
        table = self.tables[{"connection": 0, "listening": 1, "datagram": 2, "stream": 3}[kind]] if by_events else 0
        known.socket = self.driver.socket(kind, len(self.all), table)
        return known

    def accepted(self) -> None:
        """Sockets that came out of WskAccept: they receive through WskReceive."""
        for call in [call for call in self.accepts if call.times]:
            self.accepts.remove(call)
            if call.result[0] == "STATUS_SUCCESS":
                connection: Any = subsystem(self.m).sockets[call.result[1]]
                known = next(each for each in self.queue if each.peer.address.port == connection.connected.remote.port)
                known.socket, known.by_events = call.result[1], False
                self.all.append(known)

    def add(self, known: Open, function: str, *arguments: int) -> Any:
        """Call a function of a socket; nothing of the other sockets changes inside the call."""
        before = self.others(known)
        call = self.driver.call(function, known.socket, *arguments)
        assert before == self.others(known), "a call changed another socket"
        self.calls.append(call)
        return call

    def others(self, known: Open) -> list[Any]:
        found = [each for each in subsystem(self.m).sockets.values() if each.address != known.socket]
        return [(each.state, each.local, dict(each.options), each.events.mask, len(each.waiting)) for each in found]

    def pick(self, kind: str, number: int) -> Open | None:
        found = [each for each in self.all if each.kind == kind and each.socket and not each.closing]
        return found[number % len(found)] if found else None

    @rule(
        behaviour=st.sampled_from(["reads", "silent", "slow", "resets"]), by_events=st.booleans(),
        category=st.sampled_from(["connection", "stream"]),
    )  # fmt: skip
    def connect(self, behaviour: str, by_events: bool, category: str) -> None:
        self.ports += 1
        known = self.open(category, by_events)
        known.kind = "connection"
        known.peer = self.network.peer(f"10.0.0.2:{self.ports}", behaviour)
        self.add(known, "WskBind", scene.sockaddr(self.m, "0.0.0.0:0"), 0)
        self.driver.run(10)
        self.add(known, "WskConnect", scene.sockaddr(self.m, f"10.0.0.2:{self.ports}"), 0)
        self.driver.run(10)
        if by_events:
            assert self.driver.switch(known.socket, RECEIVE | DISCONNECT | BACKLOG) == "STATUS_SUCCESS"

    @rule(by_events=st.booleans(), port=st.sampled_from([80, 81]))
    def peer_connects(self, by_events: bool, port: int) -> None:
        self.ports += 1
        known = Open("connection")
        known.by_events = by_events and port == 80  # the other listener hands no callbacks on
        self.queue.append(known)
        known.peer = self.driver.peer(f"10.0.0.1:{port}", f"10.0.0.2:{self.ports}")
        self.driver.run(10)

    @rule(by_events=st.booleans())
    def bind(self, by_events: bool) -> None:
        self.ports += 1
        known = self.open("datagram", by_events)
        self.add(known, "WskBind", scene.sockaddr(self.m, f"10.0.0.1:{self.ports}"), 0)
        self.driver.run(10)
        known.peer = self.ports
        if by_events:
            assert self.driver.switch(known.socket, RECEIVE_FROM) == "STATUS_SUCCESS"

    @rule(first=st.booleans())
    def accept(self, first: bool) -> None:
        known = self.listener if first else self.other_listener
        if len(self.accepts) < 3:
            self.accepts.append(self.add(known, "WskAccept", 0, 0, 0, 0, 0))

    @rule()
    def watch(self) -> None:
        """A basic socket with a request that only its close ends."""
        client = self.m.u64(self.driver.provider)
        made = self.driver.call("WskSocket", client, 2, 1, 6, 0, 0, 0, 0, 0, 0)
        self.driver.run(1)
        known = Open("basic")
        self.all.append(known)
        known.socket = made.result[1]
        self.add(known, "WskControlSocket", 2, 0x28000017, 0, 0, 0, 0, 0, 0)

    # Using them

    @rule(number=picks, text=contents)
    def send(self, number: int, text: bytes) -> None:
        if known := self.pick("connection", number):
            call = self.add(known, "WskSend", scene.wsk_buf(self.m, text), 0)
            ended = call.returned in ("STATUS_SUCCESS", "STATUS_PENDING", "STATUS_CONNECTION_RESET")
            known.asked += text if ended else b""

    @rule(number=picks, size=st.integers(1, 9), flags=st.sampled_from([0, 2]))
    def receive(self, number: int, size: int, flags: int) -> None:
        if (known := self.pick("connection", number)) and not known.by_events:
            buffer = scene.wsk_buf(self.m, bytes(size))
            known.got.append((self.add(known, "WskReceive", buffer, flags), buffer))
        elif known:  # resumes the callback
            self.add(known, "WskReceive", scene.wsk_buf(self.m, b""), 0)

    @rule(number=picks, answer=st.sampled_from([SUCCESS, PENDING, NOT_ACCEPTED]))
    def answer(self, number: int, answer: int) -> None:
        if (known := self.pick("datagram", number)) and known.by_events:
            known.answers.append(answer)

    @rule(number=picks)
    def release(self, number: int) -> None:
        for kind, form in (("connection", "Data"), ("datagram", "Datagram")):
            if (known := self.pick(kind, number)) and known.kept:
                assert self.m.api(f"WskRelease{form}IndicationList")(known.socket, known.kept.pop()) == 0

    @rule(number=picks, text=contents)
    def peer_sends(self, number: int, text: bytes) -> None:
        known = self.pick("connection", number)
        if known and known.peer.ends and not known.peer.end.closed:
            known.peer.send(text)
            known.sent += text

    @rule(number=picks, text=contents, answers=st.lists(st.sampled_from([SUCCESS, PENDING, NOT_ACCEPTED, CLOSES]), max_size=2))
    def indicated(self, number: int, text: bytes, answers: list[int]) -> None:
        """Data that arrives at once at a socket that receives through its callback."""
        able = [each for each in self.all if each.kind == "connection" and each.by_events and each.socket and not each.closing]
        able = [each for each in able if each.peer.ends and not each.peer.end.closed]
        if able:
            known = able[number % len(able)]
            known.answers += answers
            known.peer.send(text)
            known.sent += text
            self.driver.run(3)

    @rule(number=picks, how=st.sampled_from(["close", "reset", "read"]))
    def peer_does(self, number: int, how: str) -> None:
        known = self.pick("connection", number)
        if known and known.peer.ends and not (how == "close" and known.peer.end.closed):
            getattr(known.peer, how)()

    @rule(number=picks, flags=st.sampled_from([0, 1]))
    def disconnect(self, number: int, flags: int) -> None:
        if known := self.pick("connection", number):
            self.add(known, "WskDisconnect", 0, flags)

    @rule(number=picks, text=contents)
    def send_to(self, number: int, text: bytes) -> None:
        if known := self.pick("datagram", number):
            self.add(known, "WskSendTo", scene.wsk_buf(self.m, text), 0, scene.sockaddr(self.m, "10.0.0.2:7"), 0, 0)

    @rule(number=picks, text=contents)
    def host_sends(self, number: int, text: bytes) -> None:
        if known := self.pick("datagram", number):
            self.network.host("10.0.0.2").send(text, f"10.0.0.1:{known.peer}")
            known.datagrams.append(text)

    @rule(number=picks)
    def receive_from(self, number: int) -> None:
        if known := self.pick("datagram", number):
            buffer = scene.wsk_buf(self.m, bytes(9))
            known.got.append((self.add(known, "WskReceiveFrom", buffer, 0, 0, 0, 0, 0), buffer))

    @rule(number=picks)
    def cancel_one(self, number: int) -> None:
        pending = [call for call in self.calls if not call.times]
        if pending:
            cancel(self.m, pending[number % len(pending)].irp)
            for known in self.all:
                known.cancelled = True

    @rule(milliseconds=st.sampled_from([0, 1, 3, None]))
    def run(self, milliseconds: int | None) -> None:
        self.driver.run(milliseconds)
        self.accepted()

    @precondition(lambda self: len(self.all) > 1)
    @rule(number=picks, kind=st.sampled_from(["connection", "datagram", "basic"]))
    def close(self, number: int, kind: str) -> None:
        if known := self.pick(kind, number):
            self.end(known, kind)

    def end(self, known: Open, kind: str) -> None:
        for head in known.kept:
            form = "Data" if kind == "connection" else "Datagram"
            assert self.m.api(f"WskRelease{form}IndicationList")(known.socket, head) == 0
        known.kept.clear()
        known.closing = self.add(known, "WskCloseSocket")

    def teardown(self) -> None:
        if not hasattr(self, "driver"):
            return
        for known in [*self.all]:
            known.answers.clear()
        self.driver.run()
        self.accepted()
        for known in [*self.all]:
            if not known.closing:
                self.end(known, known.kind)
        self.driver.run()
        self.accepts.clear()
        assert [call.times for call in self.calls] == [1] * len(self.calls)
        for known in (each for each in self.all if each.kind == "connection"):
            assert known.sent.startswith(known.received(self.driver)), (known.sent, known.got)
            assert known.cancelled or known.asked.startswith(known.peer.received)
        for known in (each for each in self.all if each.kind == "datagram"):
            self.check_datagrams(known)
        self.m.api("WskReleaseProviderNPI")(self.driver.block)
        ending = self.m.start_thread(self.m.api("WskDeregister")(self.driver.block), "deregister")
        self.driver.run()
        assert ending.done
        check_unload(self.m)
        assert not {block.label for block in self.m.memory.blocks if block.live} & {*INSIDE, "WSK_SOCKET"}

    def check_datagrams(self, known: Open) -> None:
        """None is made up or mixed with another; without loss, doubling and delay each comes at most once and in order."""
        found = [part if isinstance(part, bytes) else content(self.driver, *part) for part in known.got]
        left = iter(known.datagrams)
        if self.fixed:
            assert all(part in left for part in found if part), (found, known.datagrams)
        for part in filter(None, found):
            assert found.count(part) <= 2 * known.datagrams.count(part), (found, known.datagrams)


TestSockets = Sockets.TestCase
TestSockets.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
