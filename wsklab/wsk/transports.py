"""Connections and datagrams. Facts WSK-ACC, WSK-CONN, WSK-SEND, WSK-RECV, WSK-DISC, WSK-STO, WSK-RFR, WSK-SRA, WSK-SSA.

A bound listening socket takes every connection that comes; those that no queued accept is waiting for stay in line.
Nothing is buffered on the way out: the bytes are read from the MDLs when they go out, and the IRP of a send completes when the
peer has acknowledged all of them (WSK-SEND-07). On the way in the bytes are a stream without boundaries; queued receives are
filled in the order of the calls (WSK-RECV-11, WSK-RECV-14).

Two addresses can be fixed on a bound datagram socket. The fixed remote address is the default destination and a filter for what
is received; the fixed destination address is the default destination only. An explicit RemoteAddress wins over both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from wsklab.net import Address, End
from wsklab.net.network import CONNECTED, REFUSED, TIMED_OUT, UNREACHABLE
from wsklab.net.tcp import ABORTED, AF_INET, AF_INET6, RESET, SENT
from wsklab.wsk.sockets import Socket
from wsklab.wsk.subsystem import MOVING_DATA, SETTING_UP, Request, operation, refuse
from wsklab.wsk.tables import chosen

ABORTIVE, NODELAY, WAITALL, DRAIN = 1, 2, 2, 4
"""WSK_FLAG_… of WskDisconnect, WskSend and WskReceive; the values mean something per function only (WSK-NUM-01)."""

_FAILED = {REFUSED: "connect refused", TIMED_OUT: "connect timed out", UNREACHABLE: "connect unreachable"}
_BROKEN = {RESET: "reset", ABORTED: "aborted"}

LARGEST = {AF_INET: 65_507, AF_INET6: 65_527}  # the most bytes a datagram can carry over UDP, by family
MSG_TRUNC = 0x100


class Listening(Socket):
    """A listening socket: `arrived` is the line of connections that nobody has accepted yet."""

    category = "listening"
    reached_by = "listeners"  # binding starts listening (WSK-BIND-05)

    def answers(self) -> str:
        """Every connection request is taken; conditional accept is not modelled."""
        return CONNECTED

    def connection_arrived(self, end: End) -> None:
        """A connection stands: give it to the oldest queued accept, or keep it in line."""
        self.arrived.append((end,))
        self.serve()

    def serve(self) -> None:
        """Match connections in line with queued accepts; those that broke in line are forgotten."""
        self.arrived = deque(entry for entry in self.arrived if not entry[0].broken)
        super().serve()

    def break_off(self) -> None:
        """Reset what stands in line; connections already accepted live on (WSK-ACC-12)."""
        for (end,) in self.arrived:
            end.abort()
        super().break_off()


class Connection(Socket):
    """A connection-oriented socket and its end of the connection, from the connection request on."""

    category = "connection"
    reached_by = "callers"
    end: End | None = None

    @property
    def connected(self) -> End:
        """Its end, for what the state allows only when there is one."""
        assert self.end
        return self.end

    def attach(self, end: End) -> None:
        """The socket is connected from now on."""
        self.end, end.owner, self.local = end, self, end.local
        self.enter("connected")
        if end.peer_closed:
            self.peer_finished(end)

    def connect(self, remote: Address, at_once: bool, ended: Callable[[int], object]) -> None:
        """Ask for a connection; `ended` gets the status when it is decided."""
        self.enter("connecting")

        def answered(outcome: str, end: End | None) -> None:
            if end:
                self.attach(end)
            else:
                self.give_up()
            ended(0 if end else chosen(_FAILED[outcome]))

        with self.wsk.network.instant(at_once):
            asking = self.wsk.network.connect(self.source(remote), remote, self, answered)
        if asking.answer:
            self.end = asking

    def give_up(self) -> None:
        """Ask no longer for a connection."""
        if self.end:
            self.end.abandon()
        self.end = None
        if self.state == "connecting":
            self.enter("bound")

    def serve(self, end: End | None = None) -> None:
        """Fill queued receives from what has arrived."""
        end = self.connected
        while self.waiting and (end.received or end.peer_closed):
            if not self.waiting[0][1](end):
                return

    data_arrived = serve

    def sent(self, call: Request, information: int, outcome: str) -> None:
        """A transfer for `call` is over."""
        if outcome != SENT:
            return call.fail(self.why(_BROKEN[outcome]))
        if call.buffer and not call.over:
            call.buffer.check_unchanged()
        call.complete(0, information)

    def peer_finished(self, end: End) -> None:
        """No more data will come: queued receives complete with what they have (WSK-RECV-03, WSK-RECV-12)."""
        self.enter(self.require("peer finishes"))
        self.serve()

    def connection_broke(self, end: End) -> None:
        """The peer reset the connection."""
        self.enter("broken")
        self.fail_waiting("reset")

    def break_off(self) -> None:
        """Abort, unless both directions are already closed (WSK-CLOSE-11)."""
        if self.end and self.end.answer:
            self.end.abandon()
        elif self.end and not (self.end.closed and self.end.peer_closed and self.end.idle):
            self.end.abort()
        super().break_off()


@operation(SETTING_UP)
def WskAccept(
    call: Request, ListenSocket: Listening, Flags: int, AcceptSocketContext: int, AcceptSocketDispatch: int,
    LocalAddress: int, RemoteAddress: int, Irp: int,
) -> None:  # fmt: skip
    """Accept a connection: one that stands in line, or the next that comes. Facts: WSK-ACC-01 to 12, WSK-CAT-09."""
    listener = ListenSocket
    listener.require("WskAccept")

    def give(end: End) -> None:
        socket = Connection(listener.wsk, listener.client, listener.family, listener.kind, listener.protocol)
        socket.options = {name: listener.options[name] for name in ("SO_KEEPALIVE", "SO_RCVBUF") if name in listener.options}
        socket.attach(end)

        def store() -> None:
            listener.tell(LocalAddress, end.local)
            listener.tell(RemoteAddress, end.remote)

        call.last = store  # the buffers are written when the request completes, and must live until then (WSK-ACC-07)
        call.complete(0, socket.address)

    listener.queue(call, give)


@operation(SETTING_UP)
def WskConnect(call: Request, Socket: Connection, RemoteAddress: int, Flags: int, Irp: int) -> None:
    """Connect a bound socket. Facts: WSK-CONN-01 to 08."""
    Socket.require("WskConnect")
    remote = Socket.read_address(RemoteAddress)
    call.withdraw = Socket.give_up
    Socket.connect(remote, call.at_once, call.complete)


@operation(SETTING_UP)
def WskGetRemoteAddress(call: Request, Socket: Connection, RemoteAddress: int, Irp: int) -> None:
    """Tell the peer's address of a connected socket. Facts: WSK-GLA-01 to 07."""
    Socket.require("WskGetRemoteAddress")
    call.last = lambda: Socket.tell(RemoteAddress, Socket.connected.remote)
    call.complete(0)


@operation(MOVING_DATA, flags=True)
def WskSend(call: Request, Socket: Connection, Buffer: int, Flags: int, Irp: int) -> None:
    """Send bytes; completes when the peer has acknowledged all of them. Facts: WSK-SEND-01 to 14."""
    buffer = call.take(Buffer)
    if Flags & ~NODELAY:
        raise refuse("unknown flag")
    Socket.require("WskSend")
    Socket.tell_of_send(buffer)
    end = Socket.connected
    transfer = end.send(buffer.read, buffer.length, partial(Socket.sent, call, buffer.length), call.at_once)
    # What is on the wire cannot be called back: a cancelled send then ends without taking its bytes with it.
    call.withdraw = partial(end.withdraw, transfer)


@operation(MOVING_DATA, flags=True)
def WskReceive(call: Request, Socket: Connection, Buffer: int, Flags: int, Irp: int) -> None:
    """Receive bytes: what has arrived, or as the flags say. Facts: WSK-RECV-01 to 14."""
    buffer = call.take(Buffer)
    if Flags & ~(WAITALL | DRAIN):
        raise refuse("unknown flag")
    if Flags == WAITALL | DRAIN or (Flags & DRAIN and buffer.length):
        raise refuse("bad argument")
    Socket.require("WskReceive")
    if not (buffer.length or Flags & DRAIN):
        return call.complete(0)

    def fill(end: End) -> bool:
        if Flags & DRAIN:
            end.take()
        # Nothing is taken before the request can be completed: a cancelled one must not swallow bytes of the stream.
        part = bytes(end.received[: buffer.length])
        if not end.peer_closed and len(part) < (buffer.length if Flags & WAITALL else 1):
            return False
        if part:
            buffer.write(part)
            end.take(len(part))
        Socket.waiting.popleft()
        call.complete(0, len(part))
        return True

    Socket.queue(call, fill)


@operation(MOVING_DATA, flags=True)
def WskDisconnect(call: Request, Socket: Connection, Buffer: int, Flags: int, Irp: int) -> None:
    """Disconnect after everything queued, or break the connection with WSK_FLAG_ABORTIVE. Facts: WSK-DISC-01 to 12."""
    buffer = call.take(Buffer) if Buffer else None
    if Flags & ~ABORTIVE:
        raise refuse("unknown flag")
    if Flags and buffer:
        raise refuse("bad argument")
    Socket.enter(Socket.require("WskDisconnect abortive" if Flags else "WskDisconnect"))
    end = Socket.connected
    if Flags:
        Socket.fail_waiting("aborted")
        end.abort()
        return call.complete(0)
    if buffer:
        end.send(buffer.read, buffer.length, at_once=call.at_once)
    end.finish(partial(Socket.sent, call, 0), call.at_once)


class Datagram(Socket):
    """A datagram socket: `arrived` holds content and source of each datagram, and its two fixed addresses may be set."""

    category = "datagram"
    reached_by = "receivers"
    fixed_remote: Address | None = None
    fixed_destination: Address | None = None

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        """Take a datagram, unless the fixed remote address forbids it or there is no room (WSK-RFR-11, WSK-RFR-12)."""
        network = self.wsk.network
        if self.fixed_remote and source != self.fixed_remote:
            return network.drop(content, source, destination, "filtered")
        if not self.waiting:
            if network.choose("datagram without a receive", ("is kept", "is dropped")) == "is dropped":
                return network.drop(content, source, destination, "no receive")
            if sum(len(known) for known, _ in self.arrived) + len(content) > self.option("SO_RCVBUF"):
                return network.drop(content, source, destination, "full")
        self.arrived.append((content, source))
        self.serve()

    def destination(self, given: Address | None) -> Address:
        """Where a datagram goes. Raises Refused when nothing says so (WSK-STO-02 to 04, WSK-SSA-04)."""
        remote, destination = self.fixed_remote, self.fixed_destination
        if not given and remote and destination:
            winner = self.machine.choose("both fixed addresses", ("destination address", "remote address"))
            return destination if winner == "destination address" else remote
        found = given or destination or remote
        if not found:
            raise refuse("no destination")
        return found


@operation(MOVING_DATA)
def WskSendTo(
    call: Request, Socket: Datagram, Buffer: int, Flags: int, RemoteAddress: int, ControlInfoLength: int, ControlInfo: int,
    Irp: int,
) -> None:  # fmt: skip
    """Send one datagram; completes when it is on its way. Facts: WSK-STO-01 to 10."""
    m, buffer = Socket.machine, call.take(Buffer)
    if ControlInfoLength:
        m.not_modelled("WskSendTo with ControlInfo")
    Socket.require("WskSendTo")
    destination = Socket.destination(Socket.read_address(RemoteAddress) if RemoteAddress else None)
    if buffer.length > LARGEST[Socket.family]:
        raise refuse("oversize datagram")
    if destination.is_broadcast and not Socket.option("SO_BROADCAST"):
        raise refuse("broadcast not allowed")
    Socket.tell_of_send(buffer)

    def transmit() -> None:
        if not call.over:
            Socket.wsk.network.send_datagram(Socket.source(destination), destination, buffer.read())
            call.complete(0, buffer.length)

    call.withdraw = lambda: None  # `transmit` sees that the call is over
    if call.at_once:
        transmit()
    else:
        m.after(0, transmit)


@operation(MOVING_DATA)
def WskReceiveFrom(
    call: Request, Socket: Datagram, Buffer: int, Flags: int, RemoteAddress: int, ControlLength: int, ControlInfo: int,
    ControlFlags: int, Irp: int,
) -> None:  # fmt: skip
    """Receive one datagram. Facts: WSK-RFR-01 to 13."""
    m, buffer = Socket.machine, call.take(Buffer)
    Socket.require("WskReceiveFrom")

    def give(content: bytes, source: Address) -> None:
        part = content[: buffer.length]

        def store() -> None:
            buffer.write(part)
            Socket.tell(RemoteAddress, source)
            if ControlLength:
                m.set_u32(ControlLength, 0)
                if ControlFlags:
                    m.set_u32(ControlFlags, MSG_TRUNC if len(part) < len(content) else 0)

        call.last = store
        call.complete(0, len(part))

    Socket.queue(call, give)
