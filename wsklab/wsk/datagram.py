"""Datagram sockets. Facts WSK-STO, WSK-RFR, WSK-SRA, WSK-SSA.

Two addresses can be fixed on a bound socket. The fixed remote address is the default destination and a filter for what is
received; the fixed destination address is the default destination only. An explicit RemoteAddress wins over both.
"""

from __future__ import annotations

from typing import Any

from wsklab.net import Address
from wsklab.net.tcp import AF_INET, AF_INET6
from wsklab.wsk.sockets import Socket
from wsklab.wsk.subsystem import MOVING_DATA, Request, operation, refuse

LARGEST = {AF_INET: 65_507, AF_INET6: 65_527}  # the most bytes a datagram can carry over UDP, by family

MSG_TRUNC = 0x100


class Datagram(Socket):
    """A datagram socket: `arrived` holds content and source of each datagram, and its two fixed addresses may be set."""

    category = "datagram"
    fixed_remote: Address | None = None
    fixed_destination: Address | None = None

    def reached_by(self) -> dict[Address, Any]:
        """From the bind on datagrams arrive."""
        return self.wsk.network.receivers

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        """Take a datagram, unless the fixed remote address forbids it or there is no room (WSK-RFR-11, WSK-RFR-12)."""
        network = self.wsk.network
        why = ""
        if self.fixed_remote and source != self.fixed_remote:
            why = "filtered"
        elif not self.waiting:
            room = self.option("SO_RCVBUF") - sum(len(known) for known, _ in self.arrived)
            if network.choose("datagram without a receive", ("is kept", "is dropped")) == "is dropped":
                why = "no receive"
            elif len(content) > room:
                why = "full"
        if why:
            return network.drop(content, source, destination, why)
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
        m.after(0, transmit, name="transmit")


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
