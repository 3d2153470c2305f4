"""IRQL and spin locks.

The machine has one processor, so a lock that is held when somebody wants it can never become free: acquiring it again is a
deadlock, not a wait. A lock word holds 0 when free and 1 when held. Facts: KRN-32 to KRN-38, BUG-21, BUG-27, BUG-31.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from wsklab.machine.api import DISPATCH_LEVEL, HIGH_LEVEL, IRQL_NAMES, wdk
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import Thread


@dataclass(frozen=True, slots=True)
class Held:
    """A spin lock that is held: how it was acquired, and the IRQL to go back to (None for the DpcLevel forms)."""

    lock: int
    function: str
    irql: int | None
    queued: bool


@dataclass(slots=True)
class Locks:
    """Locks held now, in order of acquisition, and for each thread the IRQLs that KeRaiseIrql saved."""

    held: dict[int, Held] = field(default_factory=dict)
    raised: dict[Thread, list[int]] = field(default_factory=dict)


def _locks(m: Machine) -> Locks:
    return m.model("kernel.locks", Locks)


def held_locks(m: Machine) -> list[int]:
    """Addresses of the spin locks held now, in order of acquisition."""
    return list(_locks(m).held)


# IRQL


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeGetCurrentIrql(m: Machine) -> int:
    """The current IRQL. Facts: KRN-32."""
    return m.irql


def _raise(m: Machine, new: int) -> int:
    if new < m.irql:
        m.stop("irql-raised-to-lower", new=IRQL_NAMES.get(new, str(new)))
    before = m.irql
    _locks(m).raised.setdefault(m.thread, []).append(before)
    m.irql = new
    return before


@wdk(irql=HIGH_LEVEL)
def KfRaiseIrql(m: Machine, NewIrql: int) -> int:
    """Raise the IRQL; returns the one before. Facts: KRN-35."""
    return _raise(m, NewIrql)


@wdk(irql=HIGH_LEVEL)
def KeRaiseIrql(m: Machine, NewIrql: int, OldIrql: int) -> None:
    """Raise the IRQL and store the one before. Facts: KRN-35."""
    m.set_u8(OldIrql, m.irql)
    _raise(m, NewIrql)


@wdk(irql=DISPATCH_LEVEL)
def KeRaiseIrqlToDpcLevel(m: Machine) -> int:
    """Raise the IRQL to DISPATCH_LEVEL; returns the one before."""
    return _raise(m, DISPATCH_LEVEL)


@wdk(irql=HIGH_LEVEL)
def KeLowerIrql(m: Machine, NewIrql: int) -> None:
    """Go back to the IRQL that KeRaiseIrql saved, and to no other. Facts: KRN-35."""
    saved = _locks(m).raised.get(m.thread)
    if not saved:
        _lowered_wrongly(m, NewIrql, "KeRaiseIrql has not been called before")
    if NewIrql != saved[-1]:
        _lowered_wrongly(m, NewIrql, "the saved IRQL is another one")
    m.irql = saved.pop()


def _lowered_wrongly(m: Machine, new: int, what: str) -> NoReturn:
    m.stop("irql-lowered-wrongly", new=IRQL_NAMES.get(new, str(new)), function="KeLowerIrql", what=what)


@wdk(irql=HIGH_LEVEL, quiet=True)
def wsklab_paged_code(m: Machine) -> None:
    """PAGED_CODE(): asserts that pageable code may run here. Facts: KRN-33, KRN-34."""
    if m.irql >= DISPATCH_LEVEL:
        m.stop("paged-code-at-dispatch")


# Spin locks


def _acquire(m: Machine, lock: int, function: str, *, raises: bool, queued: bool = False) -> int:
    held = _locks(m).held
    if b"\x01" in m.memory.peek(lock, 8)[1] or m.u64(lock) > 1:  # NULL, freed and foreign memory stop at the read
        m.stop("spinlock-not-initialized", objects=(lock,), object=f"{lock:#018x}", function=function)
    known = held.get(lock)
    if known is not None:
        m.stop("spinlock-recursive", objects=(lock,), object=f"{lock:#018x}", function=function, holder=known.function)
    if not raises and m.irql < DISPATCH_LEVEL:
        _wrong_irql(m, lock, function, "0x41", "it has to be DISPATCH_LEVEL")
    before = m.irql
    if raises:
        m.irql = DISPATCH_LEVEL
    m.set_u64(lock, 1)
    held[lock] = Held(lock, function, before if raises else None, queued)
    return before


def _release(m: Machine, lock: int, function: str, irql: int | None, *, queued: bool = False) -> None:
    known = _locks(m).held.get(lock)
    if known is None:
        m.stop("spinlock-not-held", objects=(lock,), object=f"{lock:#018x}", function=function)
    if known.queued != queued:
        m.stop("spinlock-mixed", objects=(lock,), object=f"{lock:#018x}", function=function)
    if m.irql != DISPATCH_LEVEL:
        _wrong_irql(m, lock, function, "0x32", "it has to be DISPATCH_LEVEL")
    if irql is None and known.irql is not None and known.irql < DISPATCH_LEVEL:
        _wrong_irql(m, lock, function, "0x42", "acquiring the lock raised the IRQL, and this call does not lower it")
    if irql is not None and known.irql is not None and irql != known.irql:
        _wrong_irql(m, lock, function, "0x32", "the saved IRQL is another one")
    del _locks(m).held[lock]
    m.set_u64(lock, 0)
    if irql is not None:
        m.irql = irql


def _wrong_irql(m: Machine, lock: int, function: str, code: str, what: str) -> NoReturn:
    m.stop("spinlock-wrong-irql", objects=(lock,), object=f"{lock:#018x}", function=function, code=code, what=what)


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeInitializeSpinLock(m: Machine, SpinLock: int) -> None:
    """Make a spin lock, free. Facts: KRN-36, BUG-31."""
    refuse_paged(m, SpinLock, "KeInitializeSpinLock")
    if SpinLock in _locks(m).held:
        known = _locks(m).held[SpinLock].function
        m.stop("spinlock-recursive", objects=(SpinLock,), function="KeInitializeSpinLock", holder=known)
    m.set_u64(SpinLock, 0)


@wdk()
def KeAcquireSpinLock(m: Machine, SpinLock: int, OldIrql: int) -> None:
    """Raise to DISPATCH_LEVEL and take the lock; stores the IRQL before. Facts: KRN-36."""
    before = _acquire(m, SpinLock, "KeAcquireSpinLock", raises=True)
    m.set_u8(OldIrql, before)


@wdk()
def KeAcquireSpinLockRaiseToDpc(m: Machine, SpinLock: int) -> int:
    """Raise to DISPATCH_LEVEL and take the lock; returns the IRQL before. Facts: KRN-36."""
    return _acquire(m, SpinLock, "KeAcquireSpinLock", raises=True)


@wdk()
def KeAcquireSpinLockAtDpcLevel(m: Machine, SpinLock: int) -> None:
    """Take the lock at DISPATCH_LEVEL."""
    _acquire(m, SpinLock, "KeAcquireSpinLockAtDpcLevel", raises=False)


@wdk()
def KeTryToAcquireSpinLockAtDpcLevel(m: Machine, SpinLock: int) -> int:
    """Take the lock at DISPATCH_LEVEL if it is free; TRUE when taken."""
    if SpinLock in _locks(m).held:
        return 0
    _acquire(m, SpinLock, "KeTryToAcquireSpinLockAtDpcLevel", raises=False)
    return 1


@wdk(irql=HIGH_LEVEL)
def KeReleaseSpinLock(m: Machine, SpinLock: int, NewIrql: int) -> None:
    """Release the lock and go back to the saved IRQL. Facts: KRN-36, BUG-31."""
    _release(m, SpinLock, "KeReleaseSpinLock", NewIrql)


@wdk(irql=HIGH_LEVEL)
def KeReleaseSpinLockFromDpcLevel(m: Machine, SpinLock: int) -> None:
    """Release a lock taken with KeAcquireSpinLockAtDpcLevel."""
    _release(m, SpinLock, "KeReleaseSpinLockFromDpcLevel", None)


# In-stack queued spin locks: the handle remembers the lock and the IRQL (KLOCK_QUEUE_HANDLE)


def _queue_handle(m: Machine) -> tuple[int, int]:
    return m.offset("KLOCK_QUEUE_HANDLE", "LockQueue.Lock"), m.offset("KLOCK_QUEUE_HANDLE", "OldIrql")


def _acquire_queued(m: Machine, lock: int, handle: int, function: str, *, raises: bool) -> None:
    before = _acquire(m, lock, function, raises=raises, queued=True)
    place, irql = _queue_handle(m)
    m.set_u64(handle + place, lock)
    m.set_u8(handle + irql, before)


@wdk()
def KeAcquireInStackQueuedSpinLock(m: Machine, SpinLock: int, LockHandle: int) -> None:
    """Raise to DISPATCH_LEVEL and take the lock through a handle on the stack. Facts: KRN-37."""
    _acquire_queued(m, SpinLock, LockHandle, "KeAcquireInStackQueuedSpinLock", raises=True)


@wdk()
def KeAcquireInStackQueuedSpinLockAtDpcLevel(m: Machine, SpinLock: int, LockHandle: int) -> None:
    """Take the lock through a handle on the stack, at DISPATCH_LEVEL."""
    _acquire_queued(m, SpinLock, LockHandle, "KeAcquireInStackQueuedSpinLockAtDpcLevel", raises=False)


@wdk(irql=HIGH_LEVEL)
def KeReleaseInStackQueuedSpinLock(m: Machine, LockHandle: int) -> None:
    """Release the lock of a handle and go back to the IRQL it saved."""
    place, irql = _queue_handle(m)
    _release(m, m.u64(LockHandle + place), "KeReleaseInStackQueuedSpinLock", m.u8(LockHandle + irql), queued=True)


@wdk(irql=HIGH_LEVEL)
def KeReleaseInStackQueuedSpinLockFromDpcLevel(m: Machine, LockHandle: int) -> None:
    """Release the lock of a handle taken at DISPATCH_LEVEL."""
    place, _ = _queue_handle(m)
    _release(m, m.u64(LockHandle + place), "KeReleaseInStackQueuedSpinLockFromDpcLevel", None, queued=True)
