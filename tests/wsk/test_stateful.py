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

    @initialize(seed=st.integers(0, 2**16), fixed=st.booleans())
    def begin(self, seed: int, fixed: bool) -> None:
        self.driver = driver = Driver(choices=None if fixed else f"seed:{seed}", trace=False)
        driver.m.choices["WSK provider"] = "ready"
        driver.m.choices["path"] = "usual"
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
        self.ports = 5000
        self.queue: list[Any] = []  # peers that connect, with whether their socket is to receive by events
        self.listener = self.open("listening", True)
        self.add(self.listener, "WskBind", scene.sockaddr(self.m, "0.0.0.0:80"), 0)
        driver.run()
        assert driver.switch(self.listener.socket, ACCEPT | RECEIVE | DISCONNECT) == "STATUS_SUCCESS"
        for by_events in (True, False):
            self.connect("reads", by_events)
            self.peer_connects(by_events)
            self.bind(by_events)

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
        table = self.tables[{"connection": 0, "listening": 1, "datagram": 2}[kind]] if by_events else 0
        known.socket = self.driver.socket(kind, len(self.all), table)
        return known

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

    @rule(behaviour=st.sampled_from(["reads", "silent", "slow", "resets"]), by_events=st.booleans())
    def connect(self, behaviour: str, by_events: bool) -> None:
        self.ports += 1
        known = self.open("connection", by_events)
        known.peer = self.network.peer(f"10.0.0.2:{self.ports}", behaviour)
        self.add(known, "WskBind", scene.sockaddr(self.m, "0.0.0.0:0"), 0)
        self.driver.run(10)
        self.add(known, "WskConnect", scene.sockaddr(self.m, f"10.0.0.2:{self.ports}"), 0)
        self.driver.run(10)
        if by_events:
            assert self.driver.switch(known.socket, RECEIVE | DISCONNECT | BACKLOG) == "STATUS_SUCCESS"

    @rule(by_events=st.booleans())
    def peer_connects(self, by_events: bool) -> None:
        self.ports += 1
        known = Open("connection")
        known.by_events = by_events
        self.queue.append(known)
        known.peer = self.driver.peer("10.0.0.1:80", f"10.0.0.2:{self.ports}")
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
        for kind in ("connection", "datagram"):
            if (known := self.pick(kind, number)) and known.by_events:
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
            known.sent += text

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

    @precondition(lambda self: len(self.all) > 1)
    @rule(number=picks, kind=st.sampled_from(["connection", "datagram"]))
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
        for known in [*self.all]:
            if not known.closing:
                self.end(known, known.kind)
        self.driver.run()
        assert [call.times for call in self.calls] == [1] * len(self.calls)
        for known in (each for each in self.all if each.kind == "connection"):
            assert known.sent.startswith(known.received(self.driver)), (known.sent, known.got)
            assert known.cancelled or known.asked.startswith(known.peer.received)
        self.m.api("WskReleaseProviderNPI")(self.driver.block)
        ending = self.m.start_thread(self.m.api("WskDeregister")(self.driver.block), "deregister")
        self.driver.run()
        assert ending.done
        check_unload(self.m)
        assert not {block.label for block in self.m.memory.blocks if block.live} & {*INSIDE, "WSK_SOCKET"}


TestSockets = Sockets.TestCase
TestSockets.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
