"""Datagram sockets. Facts WSK-STO, WSK-RFR, WSK-SRA, WSK-SSA.

Two addresses can be fixed on a bound socket. The fixed remote address is the default destination and a filter for what is
received; the fixed destination address is the default destination only. An explicit RemoteAddress wins over both.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from wsklab.machine import Machine, wdk
from wsklab.net import Address
from wsklab.net.address import AF_INET, AF_INET6
from wsklab.wsk import sockaddr
from wsklab.wsk.buffers import Buffer, take
from wsklab.wsk.request import MOVING_DATA, PENDING, Request, refuse
from wsklab.wsk.sockets import Socket, call
from wsklab.wsk.subsystem import subsystem

LARGEST = {AF_INET: 65_507, AF_INET6: 65_527}
"""The most bytes a datagram can carry over UDP, by family."""

RECEIVE_BUFFER = 65_536
"""Bytes of datagrams that wait for a receive unless SO_RCVBUF says otherwise."""

MSG_TRUNC = 0x100


@dataclass(slots=True, eq=False)
class Receiving:
    """A queued receive and where it wants things stored; 0 where it wants none."""

    request: Request
    buffer: Buffer
    remote: int
    control_length: int
    control_flags: int


class Datagram(Socket):
    """A datagram socket.

    Attributes:
        fixed_remote, fixed_destination: the two fixed addresses, None while not set.
        waiting: datagrams that nobody has received yet, oldest first, with their sources.
        receives: queued receives, oldest first.
    """

    category = "datagram"
    fixed_remote: Address | None = None
    fixed_destination: Address | None = None

    def bound(self) -> None:
        """From now on datagrams arrive."""
        self.waiting: deque[tuple[bytes, Address]] = deque()
        self.receives: deque[Receiving] = deque()
        assert self.local
        self.wsk.network.receivers.setdefault(self.local, self)

    def unbound(self, heir: Socket | None) -> None:
        """No more datagrams arrive."""
        receivers = self.wsk.network.receivers
        if self.local and receivers.get(self.local) is self:
            del receivers[self.local]
            if isinstance(heir, Datagram):
                receivers[self.local] = heir

    def break_off(self) -> None:
        """Forget what waits and end queued receives."""
        if self.local:
            self.waiting.clear()
            while self.receives:
                self.receives.popleft().request.fail(self.why("after a break"))

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        """Take a datagram, unless the fixed remote address forbids it or there is no room (WSK-RFR-11, WSK-RFR-12)."""
        network, local = self.wsk.network, self.local
        assert local
        if self.fixed_remote and source != self.fixed_remote:
            return network.drop(content, source, local, "filtered")
        if not self.receives:
            if network.choose("datagram without a receive", ("is kept", "is dropped")) == "is dropped":
                return network.drop(content, source, local, "no receive")
            m = self.wsk.machine
            room = self.options.get((m.constant("SOL_SOCKET"), m.constant("SO_RCVBUF")), RECEIVE_BUFFER)
            if sum(len(known) for known, _ in self.waiting) + len(content) > room:
                return network.drop(content, source, local, "full")
        self.waiting.append((content, source))
        self.serve()

    def serve(self) -> None:
        """Match datagrams with queued receives."""
        while self.waiting and self.receives:
            content, source = self.waiting.popleft()
            _received(self.receives.popleft(), self, content, source)

    def destination(self, given: Address | None) -> Address:
        """Where a datagram goes. Raises Refused when nothing says so (WSK-STO-02 to 04, WSK-SSA-04)."""
        if given:
            return given
        remote, destination = self.fixed_remote, self.fixed_destination
        if remote and destination:
            winner = self.wsk.machine.choose("both fixed addresses", ("destination address", "remote address"))
            return destination if winner == "destination address" else remote
        found = destination or remote
        if not found:
            raise refuse("no destination")
        return found


# Sending


@wdk(lane="wsk", prototype="PFN_WSK_SEND_TO")
def WskSendTo(
    m: Machine, Socket: int, Buffer: int, Flags: int, RemoteAddress: int, ControlInfoLength: int, ControlInfo: int, Irp: int
) -> int:
    """Send one datagram. Facts: WSK-STO-01 to 10."""
    subsystem(m).check_flags("WskSendTo", Flags)
    if ControlInfoLength:
        m.not_modelled("WskSendTo with ControlInfo")
    return call(m, "WskSendTo", Socket, Irp, MOVING_DATA, send_to, take(m, "WskSendTo", Buffer), RemoteAddress)


def send_to(request: Request, socket: Datagram, buffer: Buffer, pointer: int) -> None:
    """Check the datagram and let it go; the request completes when it is on its way."""
    socket.require("WskSendTo")
    destination = socket.destination(socket.read_address(pointer) if pointer else None)
    if buffer.length > LARGEST[socket.family]:
        raise refuse("oversize datagram")
    m = socket.wsk.machine
    if destination.is_broadcast and not socket.options.get((m.constant("SOL_SOCKET"), m.constant("SO_BROADCAST"))):
        raise refuse("broadcast not allowed")
    if m.trace.on:
        m.trace.add(
            "message", "send", actor="wsk", target="transport", objects=(socket.address, *buffer.objects()), length=buffer.length
        )

    request.uses(buffer)

    def transmit() -> None:
        if not request.over:
            _transmit(socket, buffer.read(), destination)
            request.complete(0, buffer.length)

    if request.way == PENDING:
        request.withdraw = _nothing
        m.after(0, transmit, name="transmit")
    else:
        transmit()


def _transmit(socket: Datagram, content: bytes, destination: Address) -> None:
    network, local = socket.wsk.network, socket.local
    assert local
    source = network.route(destination).at(local.port) if local.is_wildcard else local
    network.send_datagram(source, destination, content)


def _nothing() -> None:
    pass


# Receiving


@wdk(lane="wsk", prototype="PFN_WSK_RECEIVE_FROM")
def WskReceiveFrom(
    m: Machine, Socket: int, Buffer: int, Flags: int, RemoteAddress: int, ControlLength: int, ControlInfo: int,
    ControlFlags: int, Irp: int,
) -> int:  # fmt: skip
    """Receive one datagram. Facts: WSK-RFR-01 to 13."""
    subsystem(m).check_flags("WskReceiveFrom", Flags)
    places = (RemoteAddress, ControlLength, ControlFlags if ControlLength else 0)
    return call(m, "WskReceiveFrom", Socket, Irp, MOVING_DATA, receive_from, take(m, "WskReceiveFrom", Buffer), *places)


def receive_from(
    request: Request, socket: Datagram, buffer: Buffer, remote: int, control_length: int = 0, control_flags: int = 0
) -> None:
    """Queue a receive for one datagram."""
    socket.require("WskReceiveFrom")
    request.uses(buffer)
    receiving = Receiving(request, buffer, remote, control_length, control_flags)
    socket.receives.append(receiving)
    request.withdraw = lambda: socket.receives.remove(receiving)
    socket.serve()


def _received(receiving: Receiving, socket: Datagram, content: bytes, source: Address) -> None:
    m = socket.wsk.machine
    part = content[: receiving.buffer.length]

    def store() -> None:
        receiving.buffer.write(part)
        sockaddr.write(m, receiving.remote, source, socket.family)
        if receiving.control_length:
            m.set_u32(receiving.control_length, 0)
        if receiving.control_flags:
            m.set_u32(receiving.control_flags, MSG_TRUNC if len(part) < len(content) else 0)

    receiving.request.last = store
    receiving.request.complete(0, len(part))
