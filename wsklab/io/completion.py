"""The way up: completion of IRPs, and their cancellation.

Completion walks the stack locations from whoever completes towards the maker. It clears each location it leaves, and calls the
routine stored there when the Invoke flags ask for it; a routine that returns STATUS_MORE_PROCESSING_REQUIRED ends the walk, and
from then on nothing here touches the IRP. An own IRP whose walk reaches the end has broken the rule ``own-irp-not-stopped``.

Facts: IRP-11, IRP-14 to IRP-23, IRP-28 to IRP-31, IRP-35.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from wsklab.io.irp import (
    BACK,
    DONE,
    MORE_PROCESSING_REQUIRED,
    ON_CANCEL,
    ON_ERROR,
    ON_SUCCESS,
    PENDING,
    PENDING_RETURNED,
    SENT,
    Irps,
    Packet,
    blank,
    code_name,
    layout,
    next_state,
    packet_of,
    refuse,
)  # fmt: skip  # isort: skip
from wsklab.machine import DISPATCH_LEVEL, HIGH_LEVEL, Machine, wdk
from wsklab.machine.functions_locks import Locks
from wsklab.machine.status import name_of


def complete(
    m: Machine, irp: int, status: int | None = None, information: int | None = None, *, by: str,
    function: str = "IoCompleteRequest",
) -> None:  # fmt: skip
    """Complete an IRP, as IoCompleteRequest does.

    `status` and `information` go to IoStatus, None leaves what stands there; `by` is who completes it, in the call `function`,
    and must be the one who has it (BUG-04).
    """
    packet = packet_of(m, irp, function)
    if packet.state != SENT:
        if packet.own:
            next_state(m, packet, "complete", function)
        refuse(m, "irp-completed-twice", packet, function)
    if packet.holder != by:
        refuse(m, "irp-not-yours-to-complete", packet, function)
    o = layout()
    if status is not None:
        m.set_i32(irp + o.status, status)
    if information is not None:
        m.set_u64(irp + o.information, information)
    if by != "driver":
        m.set_u64(irp + o.cancel_routine, 0)
    if packet.visits:
        packet.visits[-1].completed = True
    m.trace.add(
        "complete", "IRP", actor=by, objects=(irp,), here=True, irp=irp, function=function, status=m.i32(irp + o.status),
        information=m.u64(irp + o.information),
    )  # fmt: skip
    _walk(m, packet, o, by)


@wdk("IofCompleteRequest", "IoCompleteRequest", irql=HIGH_LEVEL)
def IofCompleteRequest(m: Machine, Irp: int, PriorityBoost: int) -> None:
    """Complete an IRP that the driver was given. Facts: IRP-14, IRP-15, IRP-21, IRP-34, BUG-32."""
    packet = packet_of(m, Irp, "IoCompleteRequest")
    if m.irql > DISPATCH_LEVEL:
        refuse(m, "irp-completed-at-high-irql", packet, "IoCompleteRequest")
    result, routine = m.i32(Irp + layout().status), m.u64(Irp + layout().cancel_routine)
    if packet.holder == "driver" and packet.state == SENT:
        if result in (PENDING, -1):
            refuse(m, "irp-completed-pending", packet, "IoCompleteRequest", status=name_of(result))
        if routine:
            refuse(m, "irp-completed-cancelable", packet, "IoCompleteRequest", routine=code_name(m, routine))
        locks = list(m.model(Locks))
        if locks:
            refuse(m, "irp-completed-under-lock", packet, "IoCompleteRequest", lock=f"{locks[-1]:#018x}")
    complete(m, Irp, by="driver")


def _walk(m: Machine, packet: Packet, o: SimpleNamespace, by: str) -> None:
    irp = packet.address
    cleared = blank(packet.stack_count)[1]
    name, returned = "(none)", 0
    index = m.u8(irp + o.index)
    while index <= packet.stack_count:
        location = m.u64(irp + o.current)
        control, routine, context = m.u8(location + o.control), m.u64(location + o.routine), m.u64(location + o.context)
        index += 1
        m.write(location, cleared)
        m.set_u8(irp + o.index, index)
        m.set_u64(irp + o.current, location + o.location)
        m.set_u8(irp + o.pending, control & PENDING_RETURNED)
        top = index > packet.stack_count
        del packet.holders[packet.stack_count + 2 - index :]
        packet.moves += 1
        if packet.returns and packet.holder == packet.maker:
            packet.state = BACK
        if not routine or not control & _asked(m, irp, o):
            if control & PENDING_RETURNED and not top:
                own = location + o.location + o.control
                m.set_u8(own, m.u8(own) | PENDING_RETURNED)
            continue
        device = 0 if top else m.u64(location + o.location + o.device)
        name, moves = code_name(m, routine), packet.moves
        returned = _call(m, packet, routine, (device, irp, context), by)
        if returned == MORE_PROCESSING_REQUIRED:
            return
        if packet.moves != moves:
            rule = "own-irp-not-stopped" if packet.own else "irp-completed-twice"
            refuse(m, rule, packet, "IoCompleteRequest", routine=name, status=name_of(returned))
        if control & PENDING_RETURNED and not top and not m.u8(location + o.location + o.control) & PENDING_RETURNED:
            refuse(m, "irp-pending-not-propagated", packet, "", routine=name, status=name_of(returned))
    if packet.own:
        refuse(m, "own-irp-not-stopped", packet, "IoCompleteRequest", routine=name, status=name_of(returned))
    _give_back(m, packet, o)


def _asked(m: Machine, irp: int, o: SimpleNamespace) -> int:
    """The Invoke flags that the outcome of an IRP satisfies (IRP-11)."""
    return (ON_SUCCESS if m.i32(irp + o.status) >= 0 else ON_ERROR) | (ON_CANCEL if m.u8(irp + o.cancel) else 0)


def _call(m: Machine, packet: Packet, routine: int, arguments: tuple[int, int, int], by: str) -> int:
    """Run a completion routine; its return value as NTSTATUS."""
    before = m.irql
    returned: int = m.call(routine, *arguments, actor=by)
    if m.irql != before:
        after, m.irql = m.irql, before
        refuse(m, "irp-routine-changed-irql", packet, "", routine=code_name(m, routine), before=before, after=after)
    m.trace.add(
        "routine-returned", code_name(m, routine), actor="driver", target=by, objects=(packet.address,), irp=packet.address,
        status=returned, stopped=returned == MORE_PROCESSING_REQUIRED,
    )  # fmt: skip
    return returned


def _give_back(m: Machine, packet: Packet, o: SimpleNamespace) -> None:
    """The end of completion of an IRP of somebody else: its maker takes it back."""
    irp = packet.address
    packet.state = DONE
    if packet.finished is not None:
        packet.finished(irp, m.i32(irp + o.status), m.u64(irp + o.information))
    model = m.model(Irps)
    del model.packets[irp]
    model.gone[irp] = packet.maker
    m.free(irp)


# Cancellation


class CancelLock(list[int]):
    """The system's cancel spin lock: while it is held, the IRQL to go back to."""


def acquire_cancel_lock(m: Machine) -> int:
    """Take the cancel spin lock and raise to DISPATCH_LEVEL; returns the IRQL before (IRP-30)."""
    lock = m.model(CancelLock)
    if lock:
        m.stop("spinlock-recursive", object="the cancel spin lock", function="IoAcquireCancelSpinLock", holder="IoCancelIrp")
    lock.append(m.irql)
    m.irql = max(m.irql, DISPATCH_LEVEL)
    return lock[0]


@wdk("IoReleaseCancelSpinLock")
def release_cancel_lock(m: Machine, irql: int) -> None:
    """Release the cancel spin lock and go back to `irql`; in a cancel routine that is Irp->CancelIrql. Facts: IRP-30."""
    if not m.model(CancelLock):
        m.stop("spinlock-not-held", object="the cancel spin lock", function="IoReleaseCancelSpinLock")
    m.model(CancelLock).clear()
    m.irql = irql


@wdk("IoSetCancelRoutine")
def set_cancel_routine(m: Machine, irp: int, routine: int) -> int:
    """Set or clear the routine that IoCancelIrp calls; returns the previous one. Facts: IRP-28, IRP-30."""
    packet_of(m, irp, "IoSetCancelRoutine")
    place = irp + layout().cancel_routine
    before = m.u64(place)
    m.set_u64(place, routine)
    return before


def cancel_code(m: Machine, cancelled: Callable[[int], None], name: str) -> int:
    """A cancel routine in Python: releases the cancel spin lock, then calls ``cancelled(irp)``."""

    def routine(device: int, irp: int) -> None:
        release_cancel_lock(m, m.u8(irp + layout().cancel_irql))
        cancelled(irp)

    return m.python_code(routine, name)


@wdk("IoCancelIrp")
def cancel(m: Machine, irp: int, *, by: str = "driver") -> int:
    """Ask whoever has an IRP to end it soon; TRUE when there was a cancel routine to call. Facts: IRP-28 to IRP-31, BUG-06."""
    if by == "driver" and m.model(Irps).gone.get(irp):
        m.stop("irp-cancelled-after-completion", objects=(irp,), irp=f"{irp:#018x}", function="IoCancelIrp")
    packet = packet_of(m, irp, "IoCancelIrp")
    if packet.maker != by:
        refuse(m, "irp-cancelled-not-owner", packet, "IoCancelIrp")
    if packet.own:
        next_state(m, packet, "cancel", "IoCancelIrp")
    o = layout()
    before = m.irql
    saved = acquire_cancel_lock(m)
    m.set_u8(irp + o.cancel, 1)
    routine = set_cancel_routine(m, irp, 0)
    m.trace.add("state", "IRP cancelled", actor=by, objects=(irp,), here=True, irp=irp)
    if not routine:
        release_cancel_lock(m, saved)
        return 0
    m.set_u8(irp + o.cancel_irql, saved)
    index = m.u8(irp + o.index)
    device = m.u64(m.u64(irp + o.current) + o.device) if index <= packet.stack_count else 0
    m.call(routine, device, irp, actor="io")
    if m.model(CancelLock) or m.irql != before:
        after, m.irql = m.irql, before
        m.stop("routine-changed-irql", objects=(routine,), what=code_name(m, routine), before=before, after=after)
    return 1


@wdk()
def IoAcquireCancelSpinLock(m: Machine, Irql: int) -> None:
    """Take the system's cancel spin lock."""
    m.set_u8(Irql, acquire_cancel_lock(m))
