"""Datagram sockets. Facts WSK-STO, WSK-SMSG, WSK-RFR, WSK-RFEV, WSK-SRA-01 to 05, WSK-SSA-01 to 04.

Two addresses can be fixed on a bound datagram socket. The fixed remote address is the default destination and a filter for what
is received; the fixed destination address is the default destination only. An explicit RemoteAddress wins over both.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from wsklab.machine import status
from wsklab.net import Address
from wsklab.net.tcp import AF_INET, AF_INET6
from wsklab.wsk.buffers import Buffer
from wsklab.wsk.events import indication
from wsklab.wsk.sockets import Socket, encode
from wsklab.wsk.subsystem import MOVING_DATA, Request, operation, refuse
from wsklab.wsk.tables import tables

LARGEST = {AF_INET: 65_507, AF_INET6: 65_527}  # the most bytes a datagram can carry over UDP, by family
MSG_TRUNC, MSG_CTRUNC, MSG_BCAST = 0x100, 0x200, 0x400

INTERFACE = 1  # the index of the one network interface
PACKET_INFO = {AF_INET: ("IP_PKTINFO", 0), AF_INET6: ("IPV6_PKTINFO", 41)}
"""The option that asks for the destination of each datagram as control information, and its level, by family."""
CUT = ("STATUS_SUCCESS", "STATUS_BUFFER_OVERFLOW")
"""What a receive gets whose buffer is too small for the datagram; MSG_TRUNC is there in both cases (WSK-RFR-07)."""
REFUSED = ("is lost", "comes again")
_HEADER = Struct("<QiI")  # CMSGHDR: cmsg_len, cmsg_level, cmsg_type


class Datagram(Socket):
    """A datagram socket: `arrived` holds content, source and destination, and its two fixed addresses may be set."""

    category = "datagram"
    reached_by = "receivers"
    fixed_remote: Address | None = None
    fixed_destination: Address | None = None
    refused: tuple[tuple[bytes, Address, Address], ...] = ()  # by a static callback, which gets them again with the next one

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        """Take a datagram, unless the fixed remote address forbids it or there is no room (WSK-RFR-11, WSK-RFR-12)."""
        network = self.wsk.network
        if self.fixed_remote and source != self.fixed_remote:  # MIS-50
            return network.drop(content, source, destination, "filtered")
        if not self.waiting and not self.events.on("WskReceiveFromEvent"):
            if network.choose("datagram without a receive", ("is kept", "is dropped")) == "is dropped":
                return network.drop(content, source, destination, "no receive")
            if sum(len(known[0]) for known in self.arrived) + len(content) > self.option("SO_RCVBUF"):
                return network.drop(content, source, destination, "full")
        self.arrived.extend((*self.refused, (content, source, destination)))
        self.refused = ()
        if self.events.arrived("WskReceiveFromEvent"):
            self.serve()
        self.events.wake()

    def next_event(self) -> Callable[[int], None] | None:
        """What nobody has received."""
        return self.indicate if self.arrived and self.events.due("WskReceiveFromEvent") else super().next_event()

    def indicate(self, flags: int) -> None:
        """Indicate what has arrived: as a list, or one by one. Facts: WSK-RFEV-01 to 08, MIS-44."""
        m, events, arrived = self.machine, self.events, self.arrived
        together = m.choose("datagram indication", ("all that is there", "one datagram")) == "all that is there"
        taken = [arrived.popleft()]
        while together and arrived and arrived[0][2].is_broadcast == taken[0][2].is_broadcast:
            taken.append(arrived.popleft())
        shown = ((content, self._shown(source), self._control(destination)) for content, source, destination in taken)
        parts = [(content, encode(source), control) for content, source, control in shown]
        blocks = indication(m, "WSK_DATAGRAM_INDICATION", parts)
        flags |= MSG_BCAST if taken[0][2].is_broadcast else 0
        returned = events.call("WskReceiveFromEvent", flags, blocks[0])
        events.keep(blocks, returned)
        flag = m.constant(tables().events["WskReceiveFromEvent"].flag)
        if returned != status.DATA_NOT_ACCEPTED & 0xFFFF_FFFF:
            return
        # One that is enabled for ever is called again only for what comes later (WSK-RFEV-05).
        if flag & events.static and m.choose("datagram that a static callback refuses", REFUSED) == REFUSED[0]:
            for content, source, destination in taken:
                self.wsk.network.drop(content, source, destination, "refused")
            return
        if flag & events.static:
            self.refused += tuple(taken)
        else:
            events.mask &= ~flag
            arrived.extendleft(reversed(taken))

    def _shown(self, address: Address) -> Address:
        return address.mapped() if self.family == AF_INET6 else address

    def _control(self, destination: Address) -> bytes:
        """The control information of a datagram: its destination, when the option asks for it."""
        option, level = PACKET_INFO[self.family]
        if not self.option(option):
            return b""
        content = self._shown(destination).ip + INTERFACE.to_bytes(4, "little")
        size = _HEADER.size + len(content)
        return (_HEADER.pack(size, level, self.machine.constant(option)) + content).ljust(-(-size // 8) * 8, b"\0")

    def chosen_source(self, place: int, size: int) -> Address | None:
        """The source address that control information asks for (WSK-STO-05)."""
        m, (option, level) = self.machine, PACKET_INFO[self.family]
        if not size:
            return None
        content = m.read(place, min(size, 1024))
        if size < _HEADER.size:
            raise refuse("bad argument")
        length, of, kind = _HEADER.unpack_from(content)
        if (of, kind) != (level, m.constant(option)):
            m.not_modelled(f"control information of type {kind} and level {of}")
        width = 4 if self.family == AF_INET else 16
        if length < _HEADER.size + width + 4 or length > size:
            raise refuse("bad argument")
        source = Address(content[_HEADER.size : _HEADER.size + width], 0)
        if not self.wsk.network.is_local(source):
            raise refuse("not a local address")
        return source

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
    call: Request, Socket: Datagram, Buffer: int, RemoteAddress: int, ControlInfoLength: int, ControlInfo: int
) -> None:  # fmt: skip
    """Send one datagram; completes when it is on its way. Facts: WSK-STO-01 to 10."""
    _send(call, Socket, [call.take(Buffer)], [], RemoteAddress, ControlInfoLength, ControlInfo)


@operation(MOVING_DATA)
def WskSendMessages(
    call: Request, Socket: Datagram, BufferList: int, RemoteAddress: int, ControlInfoLength: int, ControlInfo: int
) -> None:  # fmt: skip
    """Send one datagram for each node of a list, all to the same address. Facts: WSK-SMSG-01 to 05."""
    m, nodes = Socket.machine, [BufferList]
    while (following := m.u64(nodes[-1])) and following not in nodes:  # Next is the first member
        nodes.append(following)
    buffers = [call.take(node + m.offset("WSK_BUF_LIST", "Buffer")) for node in nodes]
    _send(call, Socket, buffers, nodes, RemoteAddress, ControlInfoLength, ControlInfo)


def _send(
    call: Request, socket: Datagram, buffers: list[Buffer], nodes: list[int], remote: int, control_length: int, control: int
) -> None:  # fmt: skip
    m = socket.machine
    socket.require("WskSendTo")
    destination = socket.destination(socket.read_address(remote) if remote else None)
    socket.chosen_source(control, control_length)
    if max(buffer.length for buffer in buffers) > LARGEST[socket.family]:
        raise refuse("oversize datagram")
    if destination.is_broadcast and not socket.option("SO_BROADCAST"):
        raise refuse("broadcast not allowed")
    for buffer in buffers:
        socket.tell_of_send(buffer)

    def transmit() -> None:
        if call.over:
            return
        for node in nodes:
            m.u64(node)  # the list must still be there (WSK-SMSG-05), and so must the control information (WSK-STO-08)
        wanted, own = socket.chosen_source(control, control_length), socket.source(destination)
        for buffer in buffers:
            socket.wsk.network.send_datagram(wanted.at(own.port) if wanted else own, destination, buffer.read())
        call.complete(0, sum(buffer.length for buffer in buffers))

    call.withdraw = lambda: None  # `transmit` sees that the call is over
    call.begin(transmit)


@operation(MOVING_DATA)
def WskReceiveFrom(
    call: Request, Socket: Datagram, Buffer: int, RemoteAddress: int, ControlLength: int, ControlInfo: int, ControlFlags: int
) -> None:
    """Receive one datagram, and what is known of it. Facts: WSK-RFR-01 to 13."""
    m, buffer = Socket.machine, call.take(Buffer)
    Socket.require("WskReceiveFrom")

    def give(content: bytes, source: Address, destination: Address) -> None:
        part, control = content[: buffer.length], Socket._control(destination)

        def store() -> None:
            buffer.write(part)
            Socket.tell(RemoteAddress, source)
            if not ControlLength:  # the rest is ignored then (WSK-RFR-04, WSK-RFR-05)
                return
            room = m.u32(ControlLength) if ControlInfo else 0
            if control and room:
                m.write(ControlInfo, control[:room])
            m.set_u32(ControlLength, min(len(control), room))
            if ControlFlags:
                flags = (MSG_TRUNC * (len(part) < len(content)), MSG_CTRUNC * (room < len(control)),
                         MSG_BCAST * destination.is_broadcast)  # fmt: skip
                m.set_u32(ControlFlags, sum(flags))

        call.last = store
        cut = len(part) < len(content) and m.choose("datagram that is cut", CUT) != CUT[0]
        call.complete(status.BUFFER_OVERFLOW if cut else 0, len(part))

    Socket.queue(call, give)
