"""IRQL and spin locks.

The machine has one processor, so a lock that is held when somebody wants it can never become free: acquiring it again is a
deadlock, not a wait. A lock word holds 0 when free and 1 when held. Facts: KRN-32 to KRN-38, BUG-21, BUG-27, BUG-31.
"""

from __future__ import annotations

from dataclasses import dataclass

from wsklab.machine.api import DISPATCH_LEVEL, HIGH_LEVEL, IRQL_NAMES, quiet, wdk
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.machine import Machine


@dataclass(frozen=True, slots=True)
class Held:
    """A spin lock that is held: how it was acquired, and the IRQL to go back to (None for the DpcLevel forms)."""

    function: str
    irql: int | None
    queued: bool


class Locks(dict[int, Held]):
    """The spin locks held now by address, in order of acquisition."""


# IRQL


@quiet()
def KeGetCurrentIrql(m: Machine) -> int:
    """The current IRQL. Facts: KRN-32."""
    return m.irql


@wdk(irql=HIGH_LEVEL)
def KfRaiseIrql(m: Machine, NewIrql: int) -> int:
    """Raise the IRQL; returns the one before. Facts: KRN-35."""
    before = m.irql
    if NewIrql < before:
        m.stop("irql-raised-to-lower", new=IRQL_NAMES.get(NewIrql, str(NewIrql)))
    m.thread.raised.append(before)
    m.irql = NewIrql
    return before


@wdk(irql=HIGH_LEVEL)
def KeLowerIrql(m: Machine, NewIrql: int) -> None:
    """Go back to the IRQL that KeRaiseIrql saved, and to no other. Facts: KRN-35."""
    saved = m.thread.raised
    if not saved or NewIrql != saved[-1]:
        what = "the saved IRQL is another one" if saved else "KeRaiseIrql has not been called before"
        m.stop("irql-lowered-wrongly", new=IRQL_NAMES.get(NewIrql, str(NewIrql)), function="KeLowerIrql", what=what)
    m.irql = saved.pop()


@quiet()
def wsklab_paged_code(m: Machine) -> None:
    """PAGED_CODE(): asserts that pageable code may run here. Facts: KRN-33, KRN-34."""
    if m.irql >= DISPATCH_LEVEL:
        m.stop("paged-code-at-dispatch")


# Spin locks


def _acquire(m: Machine, lock: int, function: str, *, raises: bool, queued: bool = False) -> int:
    held = m.model(Locks)
    if b"\x01" in m.memory.peek(lock, 8)[1] or m.u64(lock) > 1:  # NULL, freed and foreign memory stop at the read
        m.refuse("spinlock-not-initialized", lock, function)
    if lock in held:
        m.refuse("spinlock-recursive", lock, function, holder=held[lock].function)
    before = m.irql
    if not raises and before < DISPATCH_LEVEL:
        m.refuse("spinlock-wrong-irql", lock, function, code="0x41", what="it has to be DISPATCH_LEVEL")
    if raises:
        m.irql = DISPATCH_LEVEL
    m.set_u64(lock, 1)
    held[lock] = Held(function, before if raises else None, queued)
    return before


def _release(m: Machine, lock: int, function: str, irql: int | None, *, queued: bool = False) -> None:
    known = m.model(Locks).get(lock)
    if known is None:
        m.refuse("spinlock-not-held", lock, function)
    if known.queued != queued:
        m.refuse("spinlock-mixed", lock, function)
    code, what = "0x32", ""
    if m.irql != DISPATCH_LEVEL:
        what = "it has to be DISPATCH_LEVEL"
    elif irql is None and known.irql is not None and known.irql < DISPATCH_LEVEL:
        code, what = "0x42", "acquiring the lock raised the IRQL, and this call does not lower it"
    elif irql is not None and known.irql is not None and irql != known.irql:
        what = "the saved IRQL is another one"
    if what:
        m.refuse("spinlock-wrong-irql", lock, function, code=code, what=what)
    del m.model(Locks)[lock]
    m.set_u64(lock, 0)
    if irql is not None:
        m.irql = irql


@quiet()
def KeInitializeSpinLock(m: Machine, SpinLock: int) -> None:
    """Make a spin lock, free. Facts: KRN-36, BUG-31."""
    refuse_paged(m, SpinLock, "KeInitializeSpinLock")
    known = m.model(Locks).get(SpinLock)
    if known:
        m.stop("spinlock-recursive", objects=(SpinLock,), function="KeInitializeSpinLock", holder=known.function)
    m.set_u64(SpinLock, 0)


@wdk()
def KeAcquireSpinLock(m: Machine, SpinLock: int, OldIrql: int) -> None:
    """Raise to DISPATCH_LEVEL and take the lock; stores the IRQL before. Facts: KRN-36."""
    m.set_u8(OldIrql, _acquire(m, SpinLock, "KeAcquireSpinLock", raises=True))


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
    if SpinLock in m.model(Locks):
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


def _declare_queued(suffix: str, release_suffix: str, raises: bool) -> None:
    """In-stack queued spin locks: the handle (KLOCK_QUEUE_HANDLE) remembers the lock and the IRQL (KRN-37)."""

    def acquire(m: Machine, SpinLock: int, LockHandle: int) -> None:
        handle = m.view(LockHandle, "KLOCK_QUEUE_HANDLE")
        before = _acquire(m, SpinLock, f"KeAcquireInStackQueuedSpinLock{suffix}", raises=raises, queued=True)
        handle.LockQueue.Lock, handle.OldIrql = SpinLock, before

    def release(m: Machine, LockHandle: int) -> None:
        handle = m.view(LockHandle, "KLOCK_QUEUE_HANDLE")
        irql = handle.OldIrql if raises else None
        _release(m, int(handle.LockQueue.Lock), f"KeReleaseInStackQueuedSpinLock{release_suffix}", irql, queued=True)

    acquire.__doc__ = f"Take the lock through a handle on the stack{'' if raises else ', at DISPATCH_LEVEL'}. Facts: KRN-37."
    release.__doc__ = f"Release the lock of a handle{' and go back to the IRQL it saved' if raises else ''}. Facts: KRN-37."
    wdk(f"KeAcquireInStackQueuedSpinLock{suffix}")(acquire)
    wdk(f"KeReleaseInStackQueuedSpinLock{release_suffix}", irql=HIGH_LEVEL)(release)


_declare_queued("", "", True)
_declare_queued("AtDpcLevel", "FromDpcLevel", False)
