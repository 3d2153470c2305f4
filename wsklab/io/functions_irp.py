"""The functions on IRPs that C calls. Each says which documented page it follows by its facts; the work is done in ``irp``."""

from __future__ import annotations

from wsklab.io import completion, irp
from wsklab.io.irp import PENDING, Packet, _refuse, layout, packet_of
from wsklab.machine import DISPATCH_LEVEL, HIGH_LEVEL, Machine, status, wdk
from wsklab.machine.functions_locks import held_locks

_OUTCOMES = ("succeeds", "fails")


@wdk()
def IoAllocateIrp(m: Machine, StackSize: int, ChargeQuota: int) -> int:
    """Allocate an IRP with room for StackSize drivers; NULL when there is no memory. Facts: IRP-01, IRP-02, KRN-46."""
    if m.choose("IoAllocateIrp", _OUTCOMES) == "fails":
        return 0
    return irp.allocate(m, StackSize)


@wdk()
def IoFreeIrp(m: Machine, Irp: int) -> None:
    """Free an IRP of one's own. Facts: IRP-08, IRP-09, BUG-32, BUG-33."""
    irp.free(m, Irp)


@wdk()
def IoReuseIrp(m: Machine, Irp: int, Iostatus: int) -> None:
    """Arm an IRP of one's own again; its completion routine has to be set anew. Facts: IRP-06, IRP-07, WSK-USE-10."""
    irp.reuse(m, Irp, Iostatus)


@wdk()
def IoInitializeIrp(m: Machine, Irp: int, PacketSize: int, StackSize: int) -> None:
    """Make an IRP in memory of one's own; not for IRPs from IoAllocateIrp. Facts: IRP-04, IRP-05, BUG-33."""
    known = irp.irps(m).packets.get(Irp)
    if known is not None and not known.raw:
        _refuse(m, "irp-initialized-again", known, "IoInitializeIrp")
    if known is not None and known.state == irp.SENT:
        _refuse(m, "irp-reused-in-flight", known, "IoInitializeIrp")
    irp.initialize(m, Irp, StackSize)
    irp.irps(m).packets[Irp] = Packet(Irp, StackSize, "driver", True, holders=["driver"], raw=True)


@wdk()
def IoSetCompletionRoutine(
    m: Machine, Irp: int, CompletionRoutine: int, Context: int, InvokeOnSuccess: int, InvokeOnError: int, InvokeOnCancel: int
) -> None:
    """Register the routine to be called when the next-lower driver has completed the IRP. Facts: IRP-10 to IRP-13."""
    irp.set_routine(m, Irp, CompletionRoutine, Context, bool(InvokeOnSuccess), bool(InvokeOnError), bool(InvokeOnCancel))


@wdk()
def IoSetCompletionRoutineEx(
    m: Machine,
    DeviceObject: int,
    Irp: int,
    CompletionRoutine: int,
    Context: int,
    InvokeOnSuccess: int,
    InvokeOnError: int,
    InvokeOnCancel: int,
) -> int:
    """Like IoSetCompletionRoutine, and keeps the driver loaded until the routine has run; can fail. Facts: IRP-13."""
    if m.choose("IoSetCompletionRoutineEx", _OUTCOMES) == "fails":
        return status.INSUFFICIENT_RESOURCES
    irp.set_routine(m, Irp, CompletionRoutine, Context, bool(InvokeOnSuccess), bool(InvokeOnError), bool(InvokeOnCancel))
    return 0


@wdk()
def IoMarkIrpPending(m: Machine, Irp: int) -> None:
    """Say that the IRP will be completed later. Facts: IRP-22 to IRP-25, WSK-USE-30."""
    irp.mark_pending(m, Irp)


@wdk(irql=HIGH_LEVEL)
def IofCompleteRequest(m: Machine, Irp: int, PriorityBoost: int) -> None:
    """Complete an IRP that the driver was given. Facts: IRP-14, IRP-15, IRP-21, IRP-34, BUG-32."""
    packet = packet_of(m, Irp, "IoCompleteRequest")
    if m.irql > DISPATCH_LEVEL:
        m.too_high("IoCompleteRequest", DISPATCH_LEVEL)
    result, routine = m.i32(Irp + layout().status), m.u64(Irp + layout().cancel_routine)
    if packet.holder == "driver" and packet.state == irp.SENT:
        if result in (PENDING, -1):
            _refuse(m, "irp-completed-pending", packet, "IoCompleteRequest", status=status.name_of(result))
        if routine:
            _refuse(m, "irp-completed-cancelable", packet, "IoCompleteRequest", routine=irp.code_name(m, routine))
        locks = held_locks(m)
        if locks:
            _refuse(m, "irp-completed-under-lock", packet, "IoCompleteRequest", lock=f"{locks[-1]:#018x}")
    completion.complete(m, Irp, by="driver")


@wdk(irql=HIGH_LEVEL)
def IoCompleteRequest(m: Machine, Irp: int, PriorityBoost: int) -> None:
    """Complete an IRP that the driver was given; the same as IofCompleteRequest."""
    IofCompleteRequest(m, Irp, PriorityBoost)


@wdk()
def IoCancelIrp(m: Machine, Irp: int) -> int:
    """Ask for an own IRP to be completed soon; TRUE when it has a cancel routine. Facts: IRP-28, IRP-29, IRP-31, BUG-06."""
    return int(completion.cancel(m, Irp))


@wdk()
def IoSetCancelRoutine(m: Machine, Irp: int, CancelRoutine: int) -> int:
    """Set or clear the routine that IoCancelIrp calls; returns the previous one. Facts: IRP-28, IRP-30."""
    return completion.set_cancel_routine(m, Irp, CancelRoutine)


@wdk()
def IoAcquireCancelSpinLock(m: Machine, Irql: int) -> None:
    """Take the system's cancel spin lock."""
    saved = completion.acquire_cancel_lock(m)
    m.set_u8(Irql, saved)


@wdk()
def IoReleaseCancelSpinLock(m: Machine, Irql: int) -> None:
    """Release the system's cancel spin lock; in a cancel routine with Irp->CancelIrql. Facts: IRP-30."""
    completion.release_cancel_lock(m, Irql)
