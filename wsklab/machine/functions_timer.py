"""Timers and deferred procedure calls (DPCs), on virtual time.

A DPC runs at DISPATCH_LEVEL in an arbitrary thread as soon as the machine runs again; a timer that is due signals its object and
queues its DPC. Facts: KRN-26, KRN-32, BUG-12, BUG-16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wsklab.machine.api import DISPATCH_LEVEL, HIGH_LEVEL, wdk
from wsklab.machine.functions_sync import STATE, deadline_of, kind_of
from wsklab.machine.machine import Machine

_DPC_TYPE = 19
_MILLISECOND = 10_000


@dataclass(slots=True)
class Due:
    """What is due: how to take back each queued DPC and each running timer, by address."""

    dpcs: dict[int, Callable[[], None]] = field(default_factory=dict)
    timers: dict[int, Callable[[], None]] = field(default_factory=dict)


def _take_back(waiting: dict[int, Callable[[], None]], address: int) -> int:
    cancel = waiting.pop(address, None)
    if cancel is not None:
        cancel()
    return int(cancel is not None)


# DPCs


def _dpc(m: Machine, dpc: int, function: str) -> None:
    if m.memory.peek(dpc, 1)[1] == b"\x01" or m.u8(dpc) != _DPC_TYPE:
        m.refuse("not-initialized", dpc, function, expected="KDPC")


@wdk(irql=HIGH_LEVEL)
def KeInsertQueueDpc(m: Machine, Dpc: int, SystemArgument1: int, SystemArgument2: int) -> int:
    """Queue a DPC; FALSE when it is queued already. Facts: BUG-21."""
    _dpc(m, Dpc, "KeInsertQueueDpc")
    queued, view = m.model(Due).dpcs, m.view(Dpc, "KDPC")
    if Dpc in queued:
        return 0
    view.SystemArgument1, view.SystemArgument2 = SystemArgument1, SystemArgument2

    def run() -> None:
        del queued[Dpc]
        routine = int(view.DeferredRoutine)
        m.call(routine, Dpc, int(view.DeferredContext), SystemArgument1, SystemArgument2)
        if m.irql != DISPATCH_LEVEL:
            m.stop("routine-changed-irql", what=m.code_at(routine).name, before=DISPATCH_LEVEL, after=m.irql)

    queued[Dpc] = m.after(0, run)
    return 1


@wdk(irql=HIGH_LEVEL)
def KeRemoveQueueDpc(m: Machine, Dpc: int) -> int:
    """Take a queued DPC back; FALSE when it is not queued."""
    _dpc(m, Dpc, "KeRemoveQueueDpc")
    return _take_back(m.model(Due).dpcs, Dpc)


# Timers


@wdk()
def KeSetTimerEx(m: Machine, Timer: int, DueTime: int, Period: int, Dpc: int) -> int:
    """Start a timer that repeats every Period milliseconds (0: once); TRUE when it was running before, and is set anew.

    Negative times are relative, in 100-ns units.
    """
    kind_of(m, Timer, "KeSetTimer", "timer")
    was_running = _take_back(m.model(Due).timers, Timer)
    m.set_i32(Timer + STATE, 0)
    view, deadline = m.view(Timer, "KTIMER"), deadline_of(m, large_integer(m, DueTime)) if DueTime else m.time
    view.Dpc, view.Period, view.DueTime.QuadPart = Dpc, Period, deadline
    _start(m, Timer, deadline - m.time)
    return was_running


def large_integer(m: Machine, value: int) -> int:
    """A LARGE_INTEGER argument by value: compiled C passes the address of a copy, Python a number."""
    if m.block_at(value) is not None:
        return m.i64(value)
    return value - (1 << 64) if value >> 63 == 1 else value


def _start(m: Machine, timer: int, delay: int) -> None:
    running, view = m.model(Due).timers, m.view(timer, "KTIMER")

    def expire() -> None:
        del running[timer]
        m.set_i32(timer + STATE, 1)
        m.trace.add("state", "timer expired", actor="io", objects=(timer,))
        if view.Period:
            _start(m, timer, view.Period * _MILLISECOND)
        if view.Dpc:
            KeInsertQueueDpc(m, int(view.Dpc), 0, 0)

    running[timer] = m.after(delay, expire)


@wdk()
def KeCancelTimer(m: Machine, Timer: int) -> int:
    """Stop a timer; TRUE when it was running. A DPC that it has queued already still runs."""
    kind_of(m, Timer, "KeCancelTimer", "timer")
    return _take_back(m.model(Due).timers, Timer)


def check_due(m: Machine) -> None:
    """At unload: stop when a timer runs or a DPC is queued. Facts: BUG-16."""
    for what, addresses, member in (("DPC", m.model(Due).dpcs, "DeferredRoutine"), ("timer", m.model(Due).timers, "Dpc")):
        for address in addresses:
            routine = m.u64(address + m.offset(f"K{what.upper()}", member))
            m.stop("timer-at-unload", objects=(address,), what=what, object=f"{address:#018x}", routine=f"{routine:#018x}")
