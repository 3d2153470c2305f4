"""I/O request packets: who has one, its stack locations, completion and cancellation.

Everything that the documents show lies in real bytes (`IRP`, `IO_STACK_LOCATION`); what the I/O manager knows besides stands in
one :class:`Packet` per live IRP. Three rules hold here:

* an IRP that was handed over is completed once, whatever the call returned (WSK-USE-02);
* a call that breaks a rule leaves the IRP as it was;
* after a completion routine has returned STATUS_MORE_PROCESSING_REQUIRED nothing here touches the IRP any more (IRP-35).

`ACTIONS` is the table of what may be done to an IRP in which state. C and the providers (`wsk`, `kmdf`, scripted devices) use the
same functions; `by` says who. Facts: IRP-01 to IRP-35, WSK-USE-01 to WSK-USE-15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from struct import pack
from types import SimpleNamespace
from typing import Any, NoReturn

from wsklab.c.headers import headers
from wsklab.machine import Machine, status, wdk
from wsklab.machine.code import offset_of

MORE_PROCESSING_REQUIRED = 0xC000_0016 - (1 << 32)
PENDING = 0x103
CANCELLED = 0xC000_0120 - (1 << 32)
PENDING_RETURNED, ON_CANCEL, ON_SUCCESS, ON_ERROR = 0x01, 0x20, 0x40, 0x80
ALL_FLAGS = ON_CANCEL | ON_SUCCESS | ON_ERROR
IO_TYPE_IRP = 6
OUTCOMES = ("succeeds", "fails")
Finished = Callable[[int, int, int], None]

READY, SENT, BACK, DONE = "ready", "sent", "back", "done"
ACTIONS: dict[str, dict[str, str]] = {
    #            armed, its maker has it    somebody below has it             completed, its maker has it again
    "send": {READY: SENT, SENT: "irp-sent-while-in-use", BACK: "irp-sent-again"},
    "reuse": {READY: READY, SENT: "irp-reused-in-flight", BACK: READY},
    "free": {READY: DONE, SENT: "irp-freed-in-flight", BACK: DONE},
    "complete": {READY: "own-irp-completed", SENT: BACK, BACK: "irp-completed-twice"},
    "cancel": {READY: READY, SENT: SENT, BACK: "irp-cancelled-after-completion"},
    "set routine": {READY: READY, SENT: "irp-routine-set-in-flight", BACK: BACK},
    "mark pending": {READY: "mark-pending-own-irp", SENT: "irp-marked-too-late", BACK: "mark-pending-own-irp"},
}
"""What a maker does to an own IRP: the next state, or the rule it breaks. Whoever has a sent IRP may send and complete it."""


@dataclass(slots=True, eq=False)
class Visit:
    """One dispatch routine under way: what it has done with the IRP so far (IRP-25, IRP-26)."""

    marked: bool = False
    passed: bool = False
    completed: bool = False


@dataclass(slots=True, eq=False)
class Packet:
    """What the I/O manager knows about a live IRP beside its bytes."""

    address: int
    stack_count: int
    maker: str  # driver, framework, app, device, io
    own: bool  # made with IoAllocateIrp (or in raw memory): its maker gets it back and frees it (IRP-03)
    state: str = READY  # see ACTIONS
    holders: list[str] = field(default_factory=list)  # who has it, by depth: the maker first, whoever got it last at the end
    moves: int = 0  # counts every change of state, so that a completion in progress sees what its routine did
    raw: bool = False  # lives in memory of the driver's own (IoInitializeIrp)
    finished: Finished | None = None  # for IRPs of others, called as finished(irp, status, information) at the end
    visits: list[Visit] = field(default_factory=list)  # dispatch routines under way for it

    @property
    def returns(self) -> bool:
        """Whether a completion routine of its maker may keep it: an own IRP, or one that the driver associated with a master."""
        return self.own or self.maker == "driver"

    @property
    def holder(self) -> str:
        """Who has the IRP now."""
        return self.holders[-1]


@dataclass(slots=True)
class Irps:
    """The live IRPs of a machine; `gone` remembers who took back the IRPs that were completed to the end."""

    packets: dict[int, Packet] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)


_IRP = {
    "status": "IoStatus.Status", "information": "IoStatus.Information", "pending": "PendingReturned", "index": "CurrentLocation",
    "cancel": "Cancel", "cancel_irql": "CancelIrql", "cancel_routine": "CancelRoutine", "mdl": "MdlAddress",
    "current": "Tail.Overlay.CurrentStackLocation", "list_entry": "ThreadListEntry",
}  # fmt: skip
_LOCATION = {
    "major": "MajorFunction", "control": "Control", "device": "DeviceObject", "routine": "CompletionRoutine",
    "context": "Context",
}  # fmt: skip


@cache
def layout() -> SimpleNamespace:
    """Offsets in bytes of the members of IRP and IO_STACK_LOCATION named above; `irp` and `location` are the sizes."""
    sizes = {"irp": headers().record("IRP").size, "location": headers().record("IO_STACK_LOCATION").size}
    places = {name: offset_of("IRP", path) for name, path in _IRP.items()}
    return SimpleNamespace(**sizes, **places, **{name: offset_of("IO_STACK_LOCATION", path) for name, path in _LOCATION.items()})


@cache
def blank(stack_count: int) -> tuple[bytes, bytes]:
    """The bytes of a fresh IRP and of one cleared stack location."""
    o = layout()
    size = o.irp + stack_count * o.location
    content = bytearray(pack("<HH", IO_TYPE_IRP, size).ljust(size, b"\0"))
    content[o.index - 1], content[o.index] = stack_count, stack_count + 1
    return bytes(content), bytes(o.location)


# Making and unmaking


def allocate(m: Machine, stack_size: int, *, maker: str = "driver") -> int:
    """An IRP as IoAllocateIrp makes it: initialised, its stack locations zeroed, owned by `maker`. Facts: IRP-01, IRP-02."""
    return build(m, stack_size, maker=maker, own=True)


def build(m: Machine, stack_size: int, finished: Finished | None = None, *, maker: str = "app", own: bool = False) -> int:
    """An IRP that the I/O manager makes for a request of `maker`; it takes it back when completion is over.

    `stack_size` is the StackSize of the device it goes to; ``finished(irp, status, information)`` is called at the end of
    completion, and the IRP is gone afterwards.
    """
    address = m.allocate(layout().irp + max(stack_size, 0) * layout().location, "irp", label="IRP")
    initialize(m, address, stack_size)
    m.model(Irps).packets[address] = Packet(address, stack_size, maker, own, holders=[maker], finished=finished)
    return address


@wdk()
def IoAllocateIrp(m: Machine, StackSize: int, ChargeQuota: int) -> int:
    """Allocate an IRP with room for StackSize drivers; NULL when there is no memory. Facts: IRP-01, IRP-02, KRN-46."""
    return 0 if m.choose("IoAllocateIrp", OUTCOMES) == "fails" else allocate(m, StackSize)


@wdk()
def IoInitializeIrp(m: Machine, Irp: int, PacketSize: int, StackSize: int) -> None:
    """Make an IRP in memory of one's own; not for IRPs from IoAllocateIrp. Facts: IRP-04, IRP-05, BUG-33."""
    known = m.model(Irps).packets.get(Irp)
    if known is not None and not known.raw:
        refuse(m, "irp-initialized-again", known, "IoInitializeIrp")
    if known is not None and known.state == SENT:
        refuse(m, "irp-reused-in-flight", known, "IoInitializeIrp")
    initialize(m, Irp, StackSize)
    m.model(Irps).packets[Irp] = Packet(Irp, StackSize, "driver", True, holders=["driver"], raw=True)


def initialize(m: Machine, irp: int, stack_size: int, result: int = 0) -> None:
    """Write the bytes of a fresh IRP; `result` goes to IoStatus.Status (IRP-06)."""
    if stack_size < 0:
        m.not_modelled(f"an IRP with {stack_size} stack locations")
    o = layout()
    m.write(irp, blank(stack_size)[0])
    m.set_u64(irp + o.list_entry, irp + o.list_entry)
    m.set_u64(irp + o.list_entry + 8, irp + o.list_entry)
    m.set_u64(irp + o.current, irp + o.irp + stack_size * o.location)
    if result:
        m.set_i32(irp + o.status, result)


@wdk("IoReuseIrp")
def reuse(m: Machine, irp: int, result: int = 0, *, function: str = "IoReuseIrp") -> None:
    """Arm an own IRP again: as fresh, with `result` in IoStatus.Status. Facts: IRP-06, IRP-07, WSK-USE-10, WSK-USE-11."""
    packet = packet_of(m, irp, function)
    if not packet.own:
        refuse(m, "irp-foreign-reused", packet, function)
    packet.state = next_state(m, packet, "reuse", function)
    packet.moves += 1
    del packet.holders[1:]
    initialize(m, irp, packet.stack_count, result)
    m.trace.add("state", "IRP ready", actor="io", objects=(irp,), irp=irp)


@wdk("IoFreeIrp")
def free(m: Machine, irp: int, *, function: str = "IoFreeIrp") -> None:
    """End the life of an own IRP, or of an associated one that a completion routine kept. Facts: IRP-08."""
    packet = packet_of(m, irp, function)
    if not packet.returns:
        refuse(m, "irp-foreign-freed", packet, function)
    next_state(m, packet, "free", function)
    packet.state = DONE
    packet.moves += 1
    del m.model(Irps).packets[irp]
    if not packet.raw:
        m.free(irp)


# Who has it


def packet_of(m: Machine, irp: int, function: str) -> Packet:
    """The packet of a live IRP; a stop when `irp` is none (freed, completed and gone, or never one). Facts: BUG-10, BUG-32."""
    packet = m.model(Irps).packets.get(irp)
    if packet is None:
        _diagnose(m, irp, function)
    return packet


def _diagnose(m: Machine, irp: int, function: str) -> NoReturn:
    block = m.block_at(irp)
    if irp in m.model(Irps).gone:
        m.refuse("irp-touched-after-completion", irp, function, maker=m.model(Irps).gone[irp])
    if block is not None and block.kind == "irp" and not block.live and block.address == irp:
        m.refuse("irp-freed-twice" if function == "IoFreeIrp" else "irp-used-after-free", irp, function)
    m.u16(irp)  # NULL and wild pointers stop here
    m.refuse("irp-not-an-irp", irp, function, what=block.label if block else "?")


def next_state(m: Machine, packet: Packet, action: str, function: str, **values: Any) -> str:
    """The state after an action of the maker, or the stop of the rule it breaks."""
    outcome = ACTIONS[action][packet.state]
    if outcome in (READY, SENT, BACK, DONE):
        return outcome
    refuse(m, outcome, packet, function, **values)


def refuse(m: Machine, rule: str, packet: Packet, function: str, **values: Any) -> NoReturn:
    """Stop because something forbidden was done to a live IRP."""
    m.refuse(rule, packet.address, function, holder=packet.holder, maker=packet.maker, count=packet.stack_count, **values)


def code_name(m: Machine, address: int) -> str:
    """The name of the function at a code address, for messages."""
    code = m.code.get(address)
    return code.name if code else f"{address:#018x}"


# Going down


@wdk("IoSetCompletionRoutine")
def set_routine(
    m: Machine, irp: int, routine: int, context: int, on_success: bool = True, on_error: bool = True, on_cancel: bool = True,
    *, by: str = "driver", function: str = "IoSetCompletionRoutine",
) -> None:  # fmt: skip
    """Register the routine to be called when the next-lower driver has completed the IRP. Facts: IRP-10 to IRP-13."""
    packet = packet_of(m, irp, function)
    if packet.state == SENT and packet.holder != by:
        refuse(m, "irp-routine-set-in-flight", packet, function)
    o = layout()
    if m.u8(irp + o.index) <= 1:
        refuse(m, "irp-no-stack-location", packet, function)
    location = m.u64(irp + o.current) - o.location
    m.set_u64(location + o.routine, routine)
    m.set_u64(location + o.context, context)
    flags = (ON_SUCCESS if on_success else 0) | (ON_ERROR if on_error else 0) | (ON_CANCEL if on_cancel else 0)
    m.set_u8(location + o.control, flags)


@wdk()
def IoSetCompletionRoutineEx(m: Machine, DeviceObject: int, Irp: int, CompletionRoutine: int, Context: int, *flags: int) -> int:
    """Like IoSetCompletionRoutine, and keeps the driver loaded until the routine has run; can fail. Facts: IRP-13."""
    if m.choose("IoSetCompletionRoutineEx", OUTCOMES) == "fails":
        return status.INSUFFICIENT_RESOURCES
    set_routine(m, Irp, CompletionRoutine, Context, *map(bool, flags))
    return 0


def hand_over(
    m: Machine, irp: int, to: str, *, by: str = "driver", function: str = "", device: int = 0, major: int | None = None
) -> int:
    """Give an IRP to whoever is below and move to the next stack location.

    Checks what the documents ask of an own IRP: armed, not in use, a stack location left, a completion routine with all three
    Invoke flags (WSK-USE-07, WSK-USE-08, IRP-12, IRP-34). Nothing is changed when a check fails. `by` gives it `to` (wsk,
    framework, device, driver) in the call `function`; `device` and `major` go into the new location unless 0 and None.
    Returns the address of the stack location that belongs to `to`.
    """
    packet = packet_of(m, irp, function or to)
    passing = packet.state == SENT and packet.holder == by
    if not passing and packet.own:
        next_state(m, packet, "send", function, to=to)
    elif not passing and packet.state == SENT:
        refuse(m, "irp-sent-while-in-use", packet, function, to=to)
    o = layout()
    index = m.u8(irp + o.index) - 1
    if index <= 0:
        refuse(m, "irp-no-stack-location", packet, function or to)
    location: int = m.u64(irp + o.current) - o.location
    if packet.own and by == packet.maker and not passing:
        _check_routine(m, packet, location, to, function)
    m.set_u8(irp + o.index, index)
    m.set_u64(irp + o.current, location)
    if device:
        m.set_u64(location + o.device, device)
    if major is not None:
        m.set_u8(location + o.major, major)
    depth = packet.stack_count + 1 - index
    holders = packet.holders
    del holders[depth:]
    holders.extend([by] * (depth - len(holders)))
    holders.append(to)
    packet.state = SENT
    packet.moves += 1
    if packet.visits:
        packet.visits[-1].passed = True
    m.trace.add(
        "hand-over", "IRP", actor=by, target=to, objects=(irp,), here=True, irp=irp, function=function, device=device,
        location=index, count=packet.stack_count, function_code=m.u8(location + o.major),
    )  # fmt: skip
    return location


def _check_routine(m: Machine, packet: Packet, location: int, to: str, function: str) -> None:
    o = layout()
    control = m.u8(location + o.control)
    if not m.u64(location + o.routine) or not control & ALL_FLAGS:
        refuse(m, "irp-without-routine", packet, function, to=to)
    if control & ALL_FLAGS != ALL_FLAGS:
        names = ((ON_SUCCESS, "InvokeOnSuccess"), (ON_ERROR, "InvokeOnError"), (ON_CANCEL, "InvokeOnCancel"))
        flags = ", ".join(name for flag, name in names if not control & flag)
        refuse(m, "irp-missing-invoke-flag", packet, function, to=to, flags=flags)


@wdk("IoMarkIrpPending")
def mark_pending(m: Machine, irp: int, *, by: str = "driver") -> None:
    """Say that the IRP will be completed later: marks the current stack location. Facts: IRP-22 to IRP-25, WSK-USE-30."""
    packet = packet_of(m, irp, "IoMarkIrpPending")
    o = layout()
    if m.u8(irp + o.index) > packet.stack_count:
        refuse(m, "mark-pending-own-irp", packet, "IoMarkIrpPending")
    if packet.state == SENT and packet.holder != by:
        refuse(m, "irp-marked-too-late", packet, "IoMarkIrpPending")
    control = m.u64(irp + o.current) + o.control
    m.set_u8(control, m.u8(control) | PENDING_RETURNED)
    if packet.visits:
        packet.visits[-1].marked = True
