"""Event callbacks of one socket: which are enabled, whose turn it is, and the indications that the driver may keep.

A socket says what there is to tell (`next_event`); here it is told, one callback after the other and never two at once, in an
arbitrary thread at the IRQL that the choice point picks. What a callback may return, and how it is switched on, stands in
``tables.toml``. Facts WSK-EV-01 to 13, WSK-AEV-04 to 08, WSK-IRQL-02 to 04, WSK-SOE, WSK-STE, WSK-RLS, WSK-STR-05, WSK-CAT-11,
WSK-GAP-07, WSK-GAP-08.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from wsklab.io import mdl
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, status
from wsklab.wsk.subsystem import declare, refuse, subsystem
from wsklab.wsk.tables import tables

if TYPE_CHECKING:
    from wsklab.wsk.sockets import Socket
    from wsklab.wsk.subsystem import Request

AT_DISPATCH = 8  # WSK_FLAG_AT_DISPATCH_LEVEL
DISABLE = 0x8000_0000  # WSK_EVENT_DISABLE
INTERFACE = bytes.fromhex("03e827228b8dd411abad009027719e09")  # NPI_WSK_INTERFACE_ID as it lies in memory

LEVELS = ("DISPATCH_LEVEL", "PASSIVE_LEVEL", "DISPATCH_LEVEL, and the flags do not say so")
"""At which IRQL a callback runs (WSK-IRQL-02)."""
FIRST = ("the request", "the callback")
"""Who gets what arrives while a request is queued and the callback is enabled (WSK-EV-10, MIS-39)."""

HANDED_ON = ("are handed on", "are refused")

HEADER = 20  # bytes in front of the data in the first MDL of an indication that is a list


class Events:
    """The callbacks of one socket."""

    def __init__(self, socket: Socket, static: int) -> None:
        self.socket, self.machine = socket, socket.machine
        self.static = static  # event flags that are on for ever, from the bind on (WSK-STE-04, MIS-62)
        self.mask = 0  # event flags that SO_WSK_EVENT_CALLBACK switched on; on a listener also those it hands on (WSK-SOE-07)
        self.context = self.table = 0  # SocketContext and the client's dispatch table
        self.outputs = 0  # where WskAcceptEvent stores both, while it runs for this socket
        self.running = ""  # the callback that runs now
        self.after: list[Callable[[], object]] = []  # what waits for it to return
        self.retained: dict[int, list[int]] = {}  # indications that the driver keeps: head → every block of the list
        self.overtaken = False  # whether the callback gets something although a request is queued
        self.turns = False  # whether a turn is scheduled
        self.lost = False  # whether the driver has been told that the socket is dead (WSK-EV-09)

    def code(self, name: str) -> int:
        """The address of a callback in the client's dispatch table, 0 when it has none (WSK-CAT-11, WSK-STR-09)."""
        m, table, record = self.machine, self.table, tables().events[name].table
        if table and self.socket.category == "stream":
            table = m.u64(table + (0 if "LISTEN" in record else 8))
        return m.u64(table + m.offset(record, name)) if table else 0

    def on(self, name: str) -> bool:
        """Whether a callback is enabled and there."""
        flag = tables().events[name].flag
        enabled = (self.static | self.mask) & self.machine.constant(flag) if flag else self.socket.option("SO_CONDITIONAL_ACCEPT")
        return bool(enabled and self.code(name))

    def arrived(self, name: str) -> bool:
        """Something arrived that a queued request or the callback `name` may get: whether the request gets it."""
        self.overtaken = bool(self.socket.waiting) and self.on(name) and self.machine.choose("callback race", FIRST) == FIRST[1]
        return not self.overtaken

    def due(self, name: str) -> bool:
        """Whether the callback `name` gets what is there, because no queued request does."""
        return (self.overtaken or not self.socket.waiting) and self.on(name)

    # Turns

    def wake(self) -> None:
        """Look whether there is something to tell."""
        if not (self.turns or self.running) and self.socket.is_open and self.socket.next_event():
            level = self.machine.choose("callback IRQL", LEVELS)
            irql = PASSIVE_LEVEL if level == LEVELS[1] else DISPATCH_LEVEL
            self.turns = True
            self.machine.after(0, partial(self._turn, AT_DISPATCH if level == LEVELS[0] else 0), irql=irql)

    def _turn(self, flags: int) -> None:
        self.turns, step = False, self.socket.next_event() if self.socket.is_open else None
        if step:
            step(flags)
        self.running, self.overtaken, after, self.after = "", False, self.after, []
        for each in after:
            each()
        self.socket.serve()
        self.wake()

    def call(self, name: str, *arguments: int) -> int:
        """Run a callback; what it returned, which is one of the values its page allows."""
        m, before = self.machine, self.machine.irql
        self.running = name
        returned: int = m.call(self.code(name), self.context, *arguments, actor="wsk") & 0xFFFF_FFFF
        if m.irql != before:
            after, m.irql = m.irql, before
            m.stop("routine-changed-irql", what=name, before=before, after=after)
        allowed = tables().events[name].returns
        if returned not in [m.constant(value) & 0xFFFF_FFFF for value in allowed]:
            shown = status.name_of(returned)
            m.stop("wsk-callback-status", objects=(self.socket.address,), function=name, status=shown, allowed=", ".join(allowed))
        return returned

    def told(self, name: str) -> Callable[[int], None] | None:
        """What tells the driver that the socket is dead: the main argument of the callback is NULL (WSK-EV-08)."""

        def tell(flags: int) -> None:
            self.lost = True
            place = self.machine.allocate(8, "native", label=name, zero=True)
            self.call(name, *({"flags": flags, "place": place}.get(each, 0) for each in tables().events[name].dead))

        return None if self.lost or not self.on(name) else tell

    # Switching

    def control(self, call: Request, place: int) -> None:
        """Enable several callbacks or disable one. Facts: WSK-SOE-01 to 10, WSK-EV-12, WSK-CTL-07, MIS-38."""
        constant, mask, events = self.machine.constant, event_mask(self.machine, place), tables().events
        names = {constant(row.flag): name for name, row in events.items() if row.flag and constant(row.flag) & mask}
        handed_on = self._handed_on()
        own = [flag for flag, name in names.items() if self.socket.category in events[name].categories]
        if not names or not names.keys() <= {*own, *handed_on} or mask & ~DISABLE & ~sum(names):
            raise refuse("bad argument")
        # The table of the page has WSK_EVENT_ACCEPT only, its text has these too (WSK-GAP-07).
        if names.keys() - own and self.machine.choose("connection flags on a listener", HANDED_ON) != HANDED_ON[0]:
            raise refuse("bad argument")
        if mask & self.static:
            raise refuse("static callback")
        if not mask & DISABLE:
            self.adopt()
            for flag in own:
                self.need(names[flag])
            self.mask |= mask
            call.complete(0)
            return self.wake()
        if len(names) > 1 or not own:  # WSK-SOE-01, WSK-SOE-08
            raise refuse("bad argument")
        self.mask &= ~own[0]
        if self.running != names[own[0]]:
            call.complete(0)
        elif call.irp:
            self.after.append(partial(call.complete, 0))
        else:
            call.complete(status.EVENT_PENDING)

    def _handed_on(self) -> list[int]:
        """The flags that a listener hands on to the sockets accepted through WskAcceptEvent (WSK-SOE-07)."""
        rows = tables().events.values() if self.socket.category == "listening" else ()
        return [self.machine.constant(row.flag) for row in rows if row.flag and "connection" in row.categories]

    def need(self, name: str) -> None:
        """Stop when the driver enables a callback that it does not have (WSK-CAT-11)."""
        if not self.code(name):
            self.machine.stop("wsk-callback-missing", objects=(self.socket.address,), function=name)

    def inherit(self, listener: Events) -> None:
        """Take over the callbacks that the listener hands on (WSK-AEV-06)."""
        self.mask |= listener.mask & sum(listener._handed_on())

    def adopt(self) -> None:
        """Read the outputs of WskAcceptEvent, which have to be set by now (WSK-AEV-04, WSK-AEV-05)."""
        m = self.machine
        if self.outputs:
            if b"\1" in m.memory.peek(self.outputs, 16)[1]:
                m.stop("wsk-accept-outputs-not-set", objects=(self.socket.address,))
            self.context, self.table = m.u64(self.outputs), m.u64(self.outputs + 8)

    # Indications

    def keep(self, blocks: list[int], returned: int) -> None:
        """After a data callback: the list stays with the driver when it returned STATUS_PENDING, else it is gone."""
        if returned == status.PENDING and self.socket.is_open:
            self.retained[blocks[0]] = blocks
        else:
            free(self.machine, blocks)

    def check_released(self) -> None:
        """Stop when a socket is closed while the driver keeps indications (WSK-RLS-04, WSK-CLOSE-12)."""
        if self.retained:
            objects = (next(iter(self.retained)), self.socket.address)
            self.machine.stop("wsk-indications-not-released", objects=objects, count=len(self.retained))


def event_mask(m: Machine, place: int) -> int:
    """The EventMask of a WSK_EVENT_CALLBACK_CONTROL (WSK-STR-07). Raises Refused when it is for another interface."""
    control = m.view(place, "WSK_EVENT_CALLBACK_CONTROL")
    if m.read(int(control.NpiId), len(INTERFACE)) != INTERFACE:
        raise refuse("unknown interface")
    return int(control.EventMask)


def free(m: Machine, blocks: list[int]) -> None:
    """Free what an indication is made of."""
    for block in blocks:
        m.free(block)


def indication(m: Machine, record: str, parts: list[tuple[bytes, bytes, bytes]]) -> list[int]:
    """A list of indications in memory, each with data, SOCKADDR and control information; all its blocks, the head first."""
    cut = record == "WSK_DATA_INDICATION" and len(parts[0][0]) > 1
    if cut := cut and m.choose("data indication", ("one buffer", "a list of chains")) != "one buffer":
        content, half = parts[0][0], len(parts[0][0]) // 2
        parts = [(content[:half], b"", b""), (content[half:], b"", b"")]
    blocks: list[int] = []
    following = 0
    for content, address, control in reversed(parts):
        half, chain, own = len(content) // 2 if cut else 0, 0, []
        for piece, header in ((content[half:], 0), (content[:half], HEADER))[: 2 if half else 1]:
            memory = m.allocate(header + len(piece) or 1, "native", label="data")
            m.write(memory + header, piece)
            own += [memory, mdl.build(m, memory, header + len(piece))]
            m.set_u64(own[-1], chain)  # Next is the first member
            chain = own[-1]
        head = m.new(record)
        node = m.view(head, record)
        node.Next, node.Buffer.Mdl, node.Buffer.Length, node.Buffer.Offset = following, chain, len(content), HEADER * bool(half)
        if address:
            node.RemoteAddress = own_address = stored(m, address, "SOCKADDR")
            own.append(own_address)
        if control:
            node.ControlInfoLength, node.ControlInfo = len(control), (own_control := stored(m, control, "CMSGHDR"))
            own.append(own_control)
        blocks, following = [head, *own, *blocks], head
    return blocks


def stored(m: Machine, content: bytes, label: str) -> int:
    """Bytes in memory that the subsystem owns."""
    place = m.allocate(len(content), "native", label=label)
    m.write(place, content)
    return place


def release(m: Machine, socket: int, head: int) -> int:
    """Give a retained list of indications back. Facts: WSK-RLS-01 to 06, WSK-RFEV-09."""
    retained = subsystem(m).socket("WskRelease", socket).events.retained
    if head in retained:
        free(m, retained.pop(head))
        return 0
    block = m.block_at(head)
    if block and block.label in ("WSK_DATA_INDICATION", "WSK_DATAGRAM_INDICATION"):
        m.stop("wsk-indication-not-retained", objects=(block.address,), function="WskRelease")
    return int(status.INVALID_PARAMETER)


for _name in ("WskReleaseDataIndicationList", "WskReleaseDatagramIndicationList"):
    declare(_name, release)
