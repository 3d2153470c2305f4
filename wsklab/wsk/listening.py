"""Listening sockets, also in conditional-accept mode, and stream sockets, which listen or connect.

A listening socket takes every connection that comes; those that no queued accept and no callback takes stay in line. In
conditional-accept mode the driver is asked before anything is answered. Facts WSK-ACC, WSK-AEV, WSK-IEV, WSK-ABEV, WSK-INSC,
WSK-LSTN, WSK-CAT-06 to 09.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from wsklab.net import Address, End
from wsklab.net.network import CONNECTED, REFUSED
from wsklab.wsk.connections import Connection
from wsklab.wsk.events import free, stored
from wsklab.wsk.sockets import Socket, encode
from wsklab.wsk.subsystem import SETTING_UP, Request, operation, refuse
from wsklab.wsk.tables import tables

REJECT, ACCEPT, PEND = 0, 1, 2  # WSK_INSPECT_ACTION


@dataclass(eq=False)
class Inspection:
    """A connection request that is inspected; a WSK_INSPECT_ID is the address of its listener and this number."""

    serial: int
    end: End  # the end that asks
    answer: Callable[[str], object]  # tells the network
    pended: bool = False


class Listening(Socket):
    """A listening socket: `arrived` is the line of connections that nobody has accepted yet."""

    category = "listening"
    reached_by = "listeners"  # binding starts listening (WSK-BIND-05)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.serials = count(1)
        self.started: list[Request] = []  # a WskListen that completes with the first connection (WSK-GAP-06)
        self.asking: deque[Inspection] = deque()  # those that WskInspectEvent has to be asked about
        self.inspected: dict[int, Inspection] = {}  # those it did not reject and that are not established, by number
        self.aborted: deque[Inspection] = deque()  # those that WskAbortEvent has to be told of

    @property
    def conditional(self) -> bool:
        """Whether the network calls `inspect` and waits, instead of asking for `answers` (SO_CONDITIONAL_ACCEPT)."""
        return bool(self.option("SO_CONDITIONAL_ACCEPT"))

    def answers(self) -> str:
        """Every connection request is taken."""
        return CONNECTED

    def inspect(self, end: End, answer: Callable[[str], object]) -> None:
        """The network asks about a connection request; `answer` gets CONNECTED or REFUSED. Facts: WSK-IEV-02."""
        inspection = Inspection(next(self.serials), end, answer)
        end.dropped = partial(self._dropped, inspection)
        self.asking.append(inspection)
        self.events.wake()

    def _dropped(self, inspection: Inspection) -> None:
        if inspection in self.asking:
            self.asking.remove(inspection)
        elif self.inspected.pop(inspection.serial, None):
            self.aborted.append(inspection)
            self.events.wake()

    def connection_arrived(self, end: End) -> None:
        """A connection stands: give it to the oldest queued accept or the callback, or keep it in line."""
        for call in self.started:
            call.complete(0)
        self.arrived.append((end,))
        if self.events.arrived("WskAcceptEvent"):
            self.serve()
        self.events.wake()

    def serve(self) -> None:
        """Match connections in line with queued accepts; those that broke in line are forgotten."""
        self.arrived = deque(entry for entry in self.arrived if not entry[0].broken)
        super().serve()

    def accept(self, end: End) -> Connection:
        """The socket of a connection that was in line (WSK-CAT-09)."""
        socket = Connection(self.wsk, self.client, self.family, self.kind, self.protocol)
        options = tables().options
        socket.options = {name: value for name, value in self.options.items() if options[name].inherited}
        known = [inspection for inspection in self.inspected.values() if inspection.end is end.other]
        for inspection in known:
            socket.inspect_id = self.address, inspection.serial
            del self.inspected[inspection.serial]
        socket.attach(end)
        return socket

    def next_event(self) -> Callable[[int], None] | None:
        """Requests, aborts, connections."""
        if self.asking and self.events.on("WskInspectEvent"):
            return self.ask
        if self.aborted and self.events.on("WskAbortEvent"):
            return self.tell_abort
        if any(not end.broken for (end,) in self.arrived) and self.events.due("WskAcceptEvent"):
            return self.offer
        return super().next_event()

    def _places(self, addresses: tuple[Address, Address], inspection: Inspection | None = None) -> list[int]:
        """The two SOCKADDRs, and the WSK_INSPECT_ID of a request, for one callback (WSK-EV-07, WSK-STR-06)."""
        shown = [address.mapped() if self.dual_mode else address for address in addresses]
        places = [stored(self.machine, encode(address), "SOCKADDR") for address in shown]
        if inspection:
            places.append(self.machine.allocate(16, "native", label="WSK_INSPECT_ID"))
            self.machine.set_u64(places[-1], self.address)
            self.machine.set_u32(places[-1] + 8, inspection.serial)
        return places

    def offer(self, flags: int) -> None:
        """Offer a connection to WskAcceptEvent. Facts: WSK-AEV-01 to 10."""
        while (end := self.arrived.popleft()[0]).broken:
            pass
        m, socket, places = self.machine, self.accept(end), self._places((end.local, end.remote))
        socket.events.outputs = out = m.allocate(16, "native", label="outputs of WskAcceptEvent")
        taken = not self.events.call("WskAcceptEvent", flags, *places, socket.address, out, out + 8)
        if taken and socket.is_open:
            socket.events.adopt()
            socket.events.inherit(self.events)
        elif not taken and socket.is_open:
            self.wsk.closed[socket.address] = "wsk-socket-refused"
            socket.discard()
        socket.events.outputs = 0
        free(m, [*places, out])
        if socket.is_open:
            socket.events.wake()

    def ask(self, _flags: int) -> None:
        """Ask WskInspectEvent about a request. Facts: WSK-IEV-01 to 08."""
        inspection = self.asking.popleft()
        self.inspected[inspection.serial] = inspection
        places = self._places((inspection.end.remote, inspection.end.local), inspection)
        action = self.events.call("WskInspectEvent", *places)
        free(self.machine, places)
        inspection.pended = action == PEND
        if not inspection.pended:
            self.decide(inspection, action)

    def decide(self, inspection: Inspection, action: int) -> None:
        """Let a request go on, or drop it."""
        inspection.pended = False
        if action != ACCEPT:
            self.inspected.pop(inspection.serial, None)
        inspection.answer(CONNECTED if action == ACCEPT else REFUSED)

    def tell_abort(self, _flags: int) -> None:
        """Tell that an inspected request was dropped. Facts: WSK-ABEV-01 to 04."""
        inspection = self.aborted.popleft()
        places = self._places((inspection.end.remote, inspection.end.local), inspection)
        self.events.call("WskAbortEvent", places[2])
        free(self.machine, places)

    def break_off(self) -> None:
        """Reset what stands in line; connections already accepted live on (WSK-ACC-12)."""
        for call in self.started:
            call.fail(self.why("after a break"))
        for (end,) in self.arrived:
            end.abort()
        for inspection in (*self.asking, *self.inspected.values()):
            inspection.answer(REFUSED)
        self.asking.clear()
        self.inspected.clear()
        super().break_off()


class Stream(Connection, Listening):
    """A stream socket: undecided until it listens or connects (WSK-CAT-07)."""

    category = "stream"
    reached_by = Connection.reached_by  # binding does not start listening yet


@operation(SETTING_UP)
def WskListen(call: Request, Socket: Stream) -> None:
    """Let a bound stream socket listen; complete when it does or, as the page can be read, when a peer arrives.

    Facts: WSK-LSTN-01 to 04, WSK-GAP-06.
    """
    after, network = Socket.require("WskListen"), Socket.wsk.network
    assert Socket.local
    if problem := network.move(Socket.reached_by, Listening.reached_by, Socket.local, Socket):
        raise refuse(problem)
    Socket.reached_by = Listening.reached_by
    Socket.enter(after)
    if Socket.machine.choose("WskListen completes", ("when it listens", "when a connection comes")) == "when it listens":
        call.complete(0)
    else:
        call.withdraw = bool  # a cancelled one is over, and completing it again changes nothing
        Socket.started.append(call)


@operation(SETTING_UP)
def WskAccept(
    call: Request, listener: Listening, AcceptSocketContext: int, AcceptSocketDispatch: int, LocalAddress: int, RemoteAddress: int
) -> None:
    """Accept a connection: one that stands in line, or the next that comes. Facts: WSK-ACC-01 to 12, WSK-CAT-09, MIS-35."""
    listener.require("WskAccept")

    def give(end: End) -> None:
        socket = listener.accept(end)
        socket.events.context, socket.events.table = AcceptSocketContext, AcceptSocketDispatch

        def store() -> None:
            listener.tell(LocalAddress, end.local)
            listener.tell(RemoteAddress, end.remote)
            socket.events.wake()

        call.last = store  # the buffers are written when the request completes, and must live until then (WSK-ACC-07)
        call.complete(0, socket.address)

    listener.queue(call, give)


@operation(SETTING_UP)
def WskInspectComplete(call: Request, listener: Listening, InspectID: int, Action: int) -> None:
    """Decide about a request that WskInspectEvent left pending. Facts: WSK-INSC-01 to 07, WSK-IEV-05, WSK-IEV-06, MIS-40."""
    key, serial = listener.machine.u64(InspectID), listener.machine.u32(InspectID + 8)
    if Action not in (REJECT, ACCEPT):
        raise refuse("bad argument")
    if not listener.conditional or listener.state != "listening":
        raise refuse("wrong state")
    inspection = listener.inspected.get(serial)
    if key != listener.address or inspection is None or not inspection.pended:
        raise refuse("request is gone")
    listener.decide(inspection, Action)
    call.complete(0)
