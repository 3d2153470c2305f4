"""IRQL, and which spin locks are held; the locks themselves are C, in ``include/wdmke.c``. Facts: KRN-32 to KRN-35."""

from __future__ import annotations

from wsklab.machine.api import HIGH_LEVEL, IRQL_NAMES, quiet, wdk
from wsklab.machine.machine import Machine


class Locks(list[int]):
    """The spin locks held now, in order of acquisition."""


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
def wsklab_locked(m: Machine, SpinLock: int, Held: int, NewIrql: int) -> None:
    """Note that a spin lock is held from now on, or no more, and go to an IRQL."""
    locks = m.model(Locks)
    if not Held and SpinLock not in locks:  # bytes of something else that look like a lock
        m.refuse("spinlock-not-held", SpinLock, "KeReleaseSpinLock")
    locks.append(SpinLock) if Held else locks.remove(SpinLock)
    m.irql = NewIrql


@quiet()
def wsklab_is_locked(m: Machine, SpinLock: int) -> int:
    """Whether a spin lock is held."""
    return int(SpinLock in m.model(Locks))
