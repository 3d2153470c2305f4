"""Connection-oriented sockets: connect, send, receive, disconnect. Facts WSK-CONN, WSK-SEND, WSK-RECV, WSK-DISC.

Nothing is buffered on the way out: the bytes are read from the MDLs when they go out, and the IRP of a send completes when the
peer has acknowledged all of them (WSK-SEND-07). On the way in the bytes are a stream without boundaries; queued receives are
filled in the order of the calls (WSK-RECV-11, WSK-RECV-14).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial

from wsklab.machine import Machine, wdk
from wsklab.net import Address, End
from wsklab.net.network import CONNECTED, REFUSED, TIMED_OUT, UNREACHABLE, Attempt
from wsklab.net.tcp import ABORTED, RESET, SENT
from wsklab.wsk.buffers import Buffer, take
from wsklab.wsk.request import MOVING_DATA, PENDING, SETTING_UP, Request, refuse
from wsklab.wsk.sockets import Socket, call
from wsklab.wsk.subsystem import subsystem

ABORTIVE, NODELAY, WAITALL, DRAIN = 1, 2, 2, 4
"""WSK_FLAG_… of WskDisconnect, WskSend and WskReceive; the values mean something per function only (WSK-NUM-01)."""

_FAILED = {REFUSED: "connect refused", TIMED_OUT: "connect timed out", UNREACHABLE: "connect unreachable"}
_BROKEN = {RESET: "reset", ABORTED: "aborted"}


@dataclass(slots=True, eq=False)
class Receiving:
    """A queued receive and how far it is."""

    request: Request
    buffer: Buffer
    flags: int
    filled: int = 0


class Connection(Socket):
    """A connection-oriented socket.

    Attributes:
        end: its end of the connection, None before.
        attempt: the connection request under way.
        receives: queued receives, oldest first.
    """

    category = "connection"
    end: End | None = None
    attempt: Attempt | None = None
    receives: deque[Receiving]

    @property
    def remote(self) -> Address | None:
        """The peer's address once connected."""
        return self.end.remote if self.end else None

    def attach(self, end: End) -> None:
        """The socket is connected from now on."""
        self.receives = deque()
        self.attempt = None
        self.end = end
        end.owner = self
        self.local = end.local
        self.enter("connected")
        if end.peer_closed:
            self.peer_finished(end)

    def data_arrived(self, end: End) -> None:
        """Fill queued receives from what has arrived."""
        receives = self.receives
        while receives and (end.received or end.peer_closed):
            first = receives[0]
            if first.flags & DRAIN:
                end.received.clear()
            part = bytes(end.received[: first.buffer.length - first.filled])
            if part:
                first.buffer.write(part, first.filled)
                first.filled += len(part)
                del end.received[: len(part)]
            full = first.filled == first.buffer.length and not first.flags & DRAIN
            if not (full or end.peer_closed or (first.filled and not first.flags & WAITALL)):
                return
            receives.popleft()
            first.request.complete(0, first.filled)

    def peer_finished(self, end: End) -> None:
        """No more data will come: queued receives complete with what they have (WSK-RECV-03, WSK-RECV-12)."""
        self.enter(self.require("peer finishes"))
        self.data_arrived(end)

    def connection_broke(self, end: End) -> None:
        """The peer reset the connection."""
        self.enter("broken")
        self.fail_receives("reset")

    def fail_receives(self, what: str) -> None:
        """Complete every queued receive with the chosen status for `what`."""
        while self.receives:
            self.receives.popleft().request.fail(what)

    def break_off(self) -> None:
        """Abort, unless both directions are already closed (WSK-CLOSE-11)."""
        if self.attempt:
            self.attempt.abandon()
        if self.end:
            if not (self.end.closed and self.end.peer_closed and self.end.idle):
                self.end.abort()
            self.fail_receives(self.why("after a break"))


# Connecting


@wdk(lane="wsk", prototype="PFN_WSK_CONNECT")
def WskConnect(m: Machine, Socket: int, RemoteAddress: int, Flags: int, Irp: int) -> int:
    """Connect a bound socket. Facts: WSK-CONN-01 to 08."""
    subsystem(m).check_flags("WskConnect", Flags)
    return call(m, "WskConnect", Socket, Irp, SETTING_UP, _connect, RemoteAddress)


def _connect(request: Request, socket: Connection, pointer: int) -> None:
    after = socket.require("WskConnect")
    remote = socket.read_address(pointer)
    socket.enter(after)
    connect(request, socket, remote)


def connect(request: Request, socket: Connection, remote: Address) -> None:
    """Ask for the connection of a socket in the state connecting; completes `request` with the outcome."""
    network = socket.wsk.network
    assert socket.local
    local = network.route(remote).at(socket.local.port) if socket.local.is_wildcard else socket.local

    def answered(outcome: str, end: End | None) -> None:
        if outcome == CONNECTED and end:
            socket.attach(end)
            request.complete(0)
        else:
            abandoned()
            request.fail(_FAILED[outcome])

    def abandoned() -> None:
        if socket.attempt:
            socket.attempt.abandon()
        socket.attempt = None
        if socket.state == "connecting":
            socket.enter("bound")

    request.withdraw = abandoned
    if request.way == PENDING:
        socket.attempt = network.connect(local, remote, socket, answered)
        return
    with network.instant():
        attempt = network.connect(local, remote, socket, answered)
    if attempt.answer:
        socket.attempt = attempt


# Sending


@wdk(lane="wsk", prototype="PFN_WSK_SEND")
def WskSend(m: Machine, Socket: int, Buffer: int, Flags: int, Irp: int) -> int:
    """Send bytes over a connected socket. Facts: WSK-SEND-01 to 14."""
    return call(m, "WskSend", Socket, Irp, MOVING_DATA, send, take(m, "WskSend", Buffer), Flags)


def send(request: Request, socket: Connection, buffer: Buffer, flags: int) -> None:
    """Queue the bytes; the request completes when the peer has acknowledged all of them."""
    if flags & ~NODELAY:
        raise refuse("unknown flag")
    socket.require("WskSend")
    request.uses(buffer)
    _transmit(request, socket, buffer)


def _transmit(request: Request, socket: Connection, buffer: Buffer) -> None:
    trace = socket.wsk.machine.trace
    if trace.on:
        trace.add(
            "message", "send", actor="wsk", target="transport", objects=(socket.address, *buffer.objects()), length=buffer.length
        )
    content = b""

    def read() -> bytes:
        nonlocal content
        content = buffer.read()
        return content

    def done(outcome: str) -> None:
        if request.over:
            return
        if outcome == SENT:
            buffer.check_unchanged(content)
            request.complete(0, buffer.length)
        else:
            request.fail(socket.why(_BROKEN[outcome]))

    end = socket.end
    assert end
    transfer = end.send(read, buffer.length, done, at_once=request.way != PENDING)
    # What is on the wire cannot be called back: a cancelled send then ends without taking its bytes with it.
    request.withdraw = partial(end.withdraw, transfer)


# Receiving


@wdk(lane="wsk", prototype="PFN_WSK_RECEIVE")
def WskReceive(m: Machine, Socket: int, Buffer: int, Flags: int, Irp: int) -> int:
    """Receive bytes from a connected socket. Facts: WSK-RECV-01 to 14."""
    return call(m, "WskReceive", Socket, Irp, MOVING_DATA, receive, take(m, "WskReceive", Buffer), Flags)


def receive(request: Request, socket: Connection, buffer: Buffer, flags: int) -> None:
    """Queue a receive; it completes with what has arrived, or as its flags say."""
    if flags & ~(WAITALL | DRAIN):
        raise refuse("unknown flag")
    if flags == WAITALL | DRAIN or (flags & DRAIN and buffer.length):
        raise refuse("bad argument")
    socket.require("WskReceive")
    if not buffer.length and not flags & DRAIN:
        return request.complete(0)
    request.uses(buffer)
    receiving = Receiving(request, buffer, flags)
    socket.receives.append(receiving)
    request.withdraw = lambda: socket.receives.remove(receiving)
    assert socket.end
    socket.data_arrived(socket.end)


# Disconnecting


@wdk(lane="wsk", prototype="PFN_WSK_DISCONNECT")
def WskDisconnect(m: Machine, Socket: int, Buffer: int, Flags: int, Irp: int) -> int:
    """Disconnect gracefully, or abort with WSK_FLAG_ABORTIVE. Facts: WSK-DISC-01 to 12."""
    buffer = take(m, "WskDisconnect", Buffer) if Buffer else None
    return call(m, "WskDisconnect", Socket, Irp, MOVING_DATA, disconnect, buffer, Flags)


def disconnect(request: Request, socket: Connection, buffer: Buffer | None, flags: int) -> None:
    """Close the sending direction after everything queued, or break the connection at once."""
    if flags & ~ABORTIVE:
        raise refuse("unknown flag")
    if flags and buffer:
        raise refuse("bad argument")
    after = socket.require("WskDisconnect abortive" if flags else "WskDisconnect")
    end = socket.end
    assert end
    socket.enter(after)
    if flags:
        socket.fail_receives("aborted")
        end.abort()
        return request.complete(0)

    def done(outcome: str) -> None:
        if outcome == SENT:
            request.complete(0)
        else:
            request.fail(socket.why(_BROKEN[outcome]))

    if buffer:
        request.uses(buffer)
        end.send(buffer.read, buffer.length, lambda outcome: None, at_once=request.way != PENDING)
    end.finish(done, at_once=request.way != PENDING)
