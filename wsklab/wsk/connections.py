"""Connections. Facts WSK-CONN, WSK-CONX, WSK-SEND, WSK-RECV, WSK-DISC, WSK-REV, WSK-DEV, WSK-SBEV, WSK-STSM.

Nothing is buffered on the way out: the bytes are read from the MDLs when they go out, and the IRP of a send completes when the
peer has acknowledged all of them (WSK-SEND-07). On the way in the bytes are a stream without boundaries; queued receives are
filled in the order of the calls (WSK-RECV-11, WSK-RECV-14), and WskReceiveEvent gets what they leave.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from wsklab.machine import status
from wsklab.net import Address, End
from wsklab.net.network import REFUSED, TIMED_OUT, UNREACHABLE
from wsklab.net.tcp import ABORTED, GONE, RESET, SENT
from wsklab.wsk.buffers import Buffer
from wsklab.wsk.events import free, indication, stored
from wsklab.wsk.sockets import Socket
from wsklab.wsk.subsystem import MOVING_DATA, SETTING_UP, Refused, Request, operation, refuse
from wsklab.wsk.tables import DEAD, chosen

ABORTIVE, NODELAY, WAITALL, DRAIN, RELEASE_ASAP, ENTIRE_MESSAGE = 1, 2, 2, 4, 2, 4
"""WSK_FLAG_… of WskDisconnect, WskSend, WskReceive and WskReceiveEvent; the values mean something per function (WSK-NUM-01)."""

_FAILED = {REFUSED: "connect refused", TIMED_OUT: "connect timed out", UNREACHABLE: "connect unreachable"}
_BROKEN = {RESET: "reset", ABORTED: "aborted", GONE: "peer is gone"}
_FLAGS = {"WSK_FLAG_ENTIRE_MESSAGE": ENTIRE_MESSAGE, "none": 0, "WSK_FLAG_RELEASE_ASAP": RELEASE_ASAP}

FAILED = ("the socket can connect again", "the socket is of no more use")
RESUMED = ("when WskReceive has completed", "when WskReceive is called")
BACKLOG, LARGEST_BACKLOG = 65_536, 1 << 20  # the ideal send backlog at first, and how far it grows, in bytes
WITH_CONNECT = 65_535  # the most bytes that WskConnectEx sends


class Connection(Socket):
    """A connection-oriented socket and its end of the connection, from the connection request on."""

    category = "connection"
    reached_by = "callers"
    end: End | None = None
    suspended = False  # WskReceiveEvent waits for WskReceive (WSK-REV-04, WSK-REV-05)
    left: int | None = None  # what WskDisconnectEvent has to be told: its flags
    backlog = told_backlog = BACKLOG  # the ideal send backlog, and what WskSendBacklogEvent was last told (WSK-SBEV-02)
    redirection: ClassVar[dict[str, bytes]] = {}  # what a filter has left with it, by I/O control; a scene sets it (WSK-SMISC-02)
    inspect_id: tuple[int, int] | None = None  # of its WSK_INSPECT_ID, when its listener inspected the request

    @property
    def connected(self) -> End:
        """Its end, for what the state allows only when there is one."""
        assert self.end
        return self.end

    def attach(self, end: End) -> None:
        """The socket is connected from now on."""
        self.end, end.owner, self.local = end, self, end.local
        self.enter("connected")
        end.options_changed()
        if end.peer_closed:
            self.peer_finished(end)

    def connect(self, remote: Address, at_once: bool, ended: Callable[[int], object], first: bytes = b"") -> None:
        """Ask for a connection; `ended` gets the status when it is decided. `first` may go out with the request."""
        self.enter("connecting")

        def answered(outcome: str, end: End | None) -> None:
            if end:
                self.attach(end)
            else:
                self.give_up()
                if self.machine.choose("failed connect", FAILED) != FAILED[0]:  # WSK-CONN-07
                    self.enter("broken")
            ended(0 if end else chosen(self.machine, _FAILED[outcome]))

        with self.wsk.network.instant(at_once):
            asking = self.wsk.network.connect(self.source(remote), remote, self, answered, first)
        if asking.answer:
            self.end = asking

    def give_up(self) -> None:
        """Ask no longer for a connection."""
        if self.end:
            self.end.abandon()
        self.end = None
        if self.state == "connecting":
            self.enter("bound")

    def serve(self) -> None:
        """Fill queued receives from what has arrived, unless that is being indicated now."""
        end = self.end
        if end is None or end.answer:
            return super().serve()
        while self.waiting and (end.received or end.peer_closed) and self.events.running != "WskReceiveEvent":
            if not self.waiting[0][1](end):
                return

    def data_arrived(self, end: End) -> None:
        """Bytes have arrived."""
        if self.suspended or self.events.arrived("WskReceiveEvent"):
            self.serve()
        self.events.wake()

    def next_event(self) -> Callable[[int], None] | None:
        """Data before the end of the stream; an abort at once."""
        end, events = self.end, self.events
        if end and not end.answer and self.state != DEAD:
            if end.received and not end.broken and not self.suspended and events.due("WskReceiveEvent"):
                return self.indicate
            if self.left is not None and (self.left or not end.received) and events.on("WskDisconnectEvent"):
                return self.tell_left
            if self.backlog != self.told_backlog and events.on("WskSendBacklogEvent"):
                return self.tell_backlog
        return super().next_event()

    def indicate(self, flags: int) -> None:
        """Indicate what has arrived. Facts: WSK-REV-01 to 15, MIS-43, MIS-46."""
        m, end = self.machine, self.connected
        content = end.take()
        flags |= _FLAGS[m.choose("data indication flags", ("WSK_FLAG_ENTIRE_MESSAGE", "none", "WSK_FLAG_RELEASE_ASAP"))]
        blocks = indication(m, "WSK_DATA_INDICATION", [(content, b"", b"")])
        accepted = stored(m, len(content).to_bytes(8, "little"), "BytesAccepted")
        returned = self.events.call("WskReceiveEvent", flags, blocks[0], len(content), accepted)
        taken = {0: m.u64(accepted), status.PENDING: len(content)}.get(returned, 0)
        if taken > len(content):
            m.stop("wsk-bytes-accepted", objects=(self.address,), accepted=taken, indicated=len(content))
        end.received[:0] = content[taken:]
        self.suspended = taken < len(content)
        self.events.keep(blocks, returned)
        free(m, [accepted])

    def tell_left(self, flags: int) -> None:
        """Tell that the peer has disconnected. Facts: WSK-DEV-01 to 05."""
        flags, self.left = flags | (self.left or 0), None
        self.events.call("WskDisconnectEvent", flags)

    def tell_backlog(self, _flags: int) -> None:
        """Tell the ideal send backlog. Facts: WSK-SBEV-01, WSK-SBEV-02."""
        self.told_backlog = self.backlog
        self.events.call("WskSendBacklogEvent", self.backlog)

    def resume(self, when: str) -> None:
        """WskReceive was called or has completed: indicate again (WSK-REV-07, WSK-REV-08, WSK-GAP-02)."""
        if self.suspended and (when == RESUMED[0] or self.machine.choose("WskReceiveEvent resumes", RESUMED) == when):
            self.suspended = False
            self.events.wake()

    def sent(self, call: Request, information: int, outcome: str) -> None:
        """A transfer for `call` is over."""
        if outcome != SENT:
            return call.fail(self.why(_BROKEN[outcome]))
        for buffer in () if call.over else call.buffers:
            buffer.check_unchanged()
        call.complete(0, information)

    def peer_finished(self, end: End) -> None:
        """No more data will come: queued receives complete with what they have (WSK-RECV-03, WSK-RECV-12)."""
        self.enter(self.require("peer finishes"))
        self.left = 0
        self.serve()
        self.events.wake()

    def connection_broke(self, end: End) -> None:
        """The peer reset the connection or is gone: what it sent and nobody took is lost."""
        self.enter("broken")
        end.take()
        self.left = ABORTIVE
        self.fail_waiting(_BROKEN[end.broken or RESET])
        self.events.wake()

    def break_off(self) -> None:
        """Abort, unless both directions are already closed (WSK-CLOSE-11, MIS-47)."""
        if self.end and self.end.answer:
            self.end.abandon()
        elif self.end and not (self.end.closed and self.end.peer_closed and self.end.idle):
            self.end.abort()
        super().break_off()


@operation(SETTING_UP)
def WskConnect(call: Request, Socket: Connection, RemoteAddress: int) -> None:
    """Connect a bound socket. Facts: WSK-CONN-01 to 08."""
    _connect(call, Socket, RemoteAddress, None)


@operation(SETTING_UP, flags=True)
def WskConnectEx(call: Request, Socket: Connection, RemoteAddress: int, Buffer: int, Flags: int) -> None:
    """Connect a bound socket and send the first bytes, which are copied when the connection stands; with TCP_FASTOPEN they go
    with the request as far as they fit. Facts: WSK-CONX-01 to 07, WSK-SOO-05."""
    buffer = call.take(Buffer) if Buffer else None
    if Flags:
        raise Refused(status.INVALID_PARAMETER)
    if buffer and buffer.length > WITH_CONNECT:
        raise Refused(status.BUFFER_OVERFLOW)
    _connect(call, Socket, RemoteAddress, buffer)


def _connect(call: Request, socket: Connection, remote: int, buffer: Buffer | None) -> None:
    socket.require("WskConnect")
    address = call.use_address(remote, socket.read_address(remote))
    call.withdraw = socket.give_up

    def ended(outcome: int) -> None:
        if buffer and not outcome and not call.over and (rest := buffer.read()[len(socket.connected.early) :]):
            socket.connected.send(lambda: rest, len(rest))
        call.complete(outcome)

    socket.connect(address, call.at_once, ended, buffer.read() if buffer and socket.option("TCP_FASTOPEN") else b"")


@operation(SETTING_UP)
def WskGetRemoteAddress(call: Request, Socket: Connection, RemoteAddress: int) -> None:
    """Tell the peer's address of a connected socket. Facts: WSK-GLA-01 to 07."""
    Socket.require("WskGetRemoteAddress")
    call.last = lambda: Socket.tell(RemoteAddress, Socket.connected.remote)
    call.complete(0)


@operation(MOVING_DATA, flags=True)
def WskSend(call: Request, Socket: Connection, Buffer: int, Flags: int) -> None:
    """Send bytes; completes when the peer has acknowledged all of them. Facts: WSK-SEND-01 to 14."""
    buffer = call.take(Buffer)
    if Flags & ~NODELAY:
        raise refuse("unknown flag")
    Socket.require("WskSend")
    Socket.tell_of_send(buffer)
    end = Socket.connected
    if sum(each.length for request in Socket.group if request.name == call.name for each in request.buffers) > Socket.backlog:
        Socket.backlog = min(2 * Socket.backlog, LARGEST_BACKLOG)
        Socket.events.wake()
    done = partial(Socket.sent, call, buffer.length)
    transfer = end.send(buffer.read, buffer.length, done, call.at_once, push=bool(Flags & NODELAY))  # WSK-SEND-03
    # What is on the wire cannot be called back: a cancelled send then ends without taking its bytes with it.
    call.withdraw = partial(end.withdraw, transfer)


@operation(MOVING_DATA, flags=True)
def WskReceive(call: Request, Socket: Connection, Buffer: int, Flags: int) -> None:
    """Receive bytes: what has arrived, or as the flags say. Facts: WSK-RECV-01 to 14, MIS-41, MIS-42."""
    buffer = call.take(Buffer)
    if Flags & ~(WAITALL | DRAIN):
        raise refuse("unknown flag")
    if Flags == WAITALL | DRAIN or (Flags & DRAIN and buffer.length):
        raise refuse("bad argument")
    Socket.require("WskReceive")
    if not (buffer.length or Flags & DRAIN):
        Socket.resume(RESUMED[0])
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
        Socket.resume(RESUMED[0])
        return True

    Socket.resume(RESUMED[1])
    Socket.queue(call, fill)


@operation(MOVING_DATA, flags=True)
def WskDisconnect(call: Request, Socket: Connection, Buffer: int, Flags: int) -> None:
    """Disconnect after everything queued, or break the connection with WSK_FLAG_ABORTIVE. Facts: WSK-DISC-01 to 12."""
    buffer = call.take(Buffer) if Buffer else None
    if Flags & ~ABORTIVE:
        raise refuse("unknown flag")
    if Flags and buffer:  # MIS-49
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
