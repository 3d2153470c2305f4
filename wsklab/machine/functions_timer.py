"""Timers and deferred procedure calls (DPCs), on virtual time.

A DPC runs at DISPATCH_LEVEL in an arbitrary thread as soon as the machine runs again; a timer that is due signals its object and
queues its DPC. Facts: KRN-26, KRN-32, BUG-12, BUG-16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wsklab.machine.api import DISPATCH_LEVEL, HIGH_LEVEL, wdk
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.functions_sync import NOTIFICATION_TIMER, STATE, SYNCHRONIZATION_TIMER, deadline_of, initialize, kind_of
from wsklab.machine.machine import Machine

_DPC_TYPE = 19
_MILLISECOND = 10_000


@dataclass(slots=True)
class Due:
    """What is due: how to take back each queued DPC and each running timer, by address."""

    dpcs: dict[int, Callable[[], None]] = field(default_factory=dict)
    timers: dict[int, Callable[[], None]] = field(default_factory=dict)


def due(m: Machine) -> Due:
    """The queued DPCs and running timers of a machine."""
    return m.model("kernel.due", Due)


def run_at_dispatch(m: Machine, routine: int, *arguments: int) -> None:
    """Call a routine of the driver at DISPATCH_LEVEL; a stop when it comes back at another IRQL (BUG-21)."""
    with m.at_irql(DISPATCH_LEVEL):
        m.call(routine, *arguments)
        if m.irql != DISPATCH_LEVEL:
            m.stop("routine-changed-irql", what=m.code_at(routine).name, before=DISPATCH_LEVEL, after=m.irql)


# DPCs


def _dpc(m: Machine, dpc: int, function: str) -> None:
    content, states = m.memory.peek(dpc, 1)
    if states != b"\x01" and m.u8(dpc) == _DPC_TYPE:
        return
    m.stop("not-initialized", objects=(dpc,), object=f"{dpc:#018x}", function=function, expected="KDPC")


@wdk(irql=HIGH_LEVEL)
def KeInitializeDpc(m: Machine, Dpc: int, DeferredRoutine: int, DeferredContext: int) -> None:
    """Make a DPC object for a routine and its context, in nonpaged memory."""
    refuse_paged(m, Dpc, "KeInitializeDpc")
    m.write(Dpc, bytes(m.sizeof("KDPC")))
    m.set_u8(Dpc, _DPC_TYPE)
    m.set_u64(Dpc + m.offset("KDPC", "DeferredRoutine"), DeferredRoutine)
    m.set_u64(Dpc + m.offset("KDPC", "DeferredContext"), DeferredContext)


@wdk(irql=HIGH_LEVEL)
def KeInsertQueueDpc(m: Machine, Dpc: int, SystemArgument1: int, SystemArgument2: int) -> int:
    """Queue a DPC; FALSE when it is queued already."""
    _dpc(m, Dpc, "KeInsertQueueDpc")
    return int(_queue(m, Dpc, SystemArgument1, SystemArgument2))


def _queue(m: Machine, dpc: int, first: int, second: int) -> bool:
    queued = due(m).dpcs
    if dpc in queued:
        return False
    m.set_u64(dpc + m.offset("KDPC", "SystemArgument1"), first)
    m.set_u64(dpc + m.offset("KDPC", "SystemArgument2"), second)

    def run() -> None:
        del queued[dpc]
        routine, context = m.u64(dpc + m.offset("KDPC", "DeferredRoutine")), m.u64(dpc + m.offset("KDPC", "DeferredContext"))
        run_at_dispatch(m, routine, dpc, context, first, second)

    queued[dpc] = m.post(run, name="DPC")
    return True


@wdk(irql=HIGH_LEVEL)
def KeRemoveQueueDpc(m: Machine, Dpc: int) -> int:
    """Take a queued DPC back; FALSE when it is not queued."""
    _dpc(m, Dpc, "KeRemoveQueueDpc")
    cancel = due(m).dpcs.pop(Dpc, None)
    if cancel is None:
        return 0
    cancel()
    return 1


# Timers


@wdk()
def KeInitializeTimer(m: Machine, Timer: int) -> None:
    """Make a notification timer, in nonpaged memory."""
    KeInitializeTimerEx(m, Timer, 0)


@wdk()
def KeInitializeTimerEx(m: Machine, Timer: int, Type: int) -> None:
    """Make a notification (0) or synchronization (1) timer, in nonpaged memory."""
    refuse_paged(m, Timer, "KeInitializeTimer")
    m.write(Timer, bytes(m.sizeof("KTIMER")))
    initialize(m, Timer, SYNCHRONIZATION_TIMER if Type else NOTIFICATION_TIMER, m.sizeof("KTIMER"), 0)


@wdk()
def KeSetTimer(m: Machine, Timer: int, DueTime: int, Dpc: int) -> int:
    """Start a timer; TRUE when it was running before, and is set anew. Negative times are relative, in 100-ns units."""
    return _set(m, Timer, DueTime, 0, Dpc)


@wdk()
def KeSetTimerEx(m: Machine, Timer: int, DueTime: int, Period: int, Dpc: int) -> int:
    """Start a timer that repeats every Period milliseconds (0: once); TRUE when it was running before."""
    return _set(m, Timer, DueTime, Period, Dpc)


def large_integer(m: Machine, value: int) -> int:
    """A LARGE_INTEGER argument by value: compiled C passes the address of a copy, Python a number."""
    if m.block_at(value) is not None:
        return m.i64(value)
    return value - (1 << 64) if value >> 63 == 1 else value


def _set(m: Machine, timer: int, due_time: int, period: int, dpc: int) -> int:
    kind_of(m, timer, "KeSetTimer", "timer")
    was_running = _stop(m, timer)
    m.set_i32(timer + STATE, 0)
    m.set_u64(timer + m.offset("KTIMER", "Dpc"), dpc)
    m.set_u32(timer + m.offset("KTIMER", "Period"), period)
    deadline = deadline_of(m, large_integer(m, due_time)) if due_time else m.time
    m.set_u64(timer + m.offset("KTIMER", "DueTime"), deadline)
    _start(m, timer, deadline - m.time)
    return int(was_running)


def _start(m: Machine, timer: int, delay: int) -> None:
    running = due(m).timers

    def expire() -> None:
        del running[timer]
        m.set_i32(timer + STATE, 1)
        period, dpc = m.u32(timer + m.offset("KTIMER", "Period")), m.u64(timer + m.offset("KTIMER", "Dpc"))
        if m.trace.on:
            m.trace.add("state", "timer expired", actor="io", objects=(timer,))
        if period:
            _start(m, timer, period * _MILLISECOND)
        if dpc:
            _queue(m, dpc, 0, 0)

    running[timer] = m.after(delay, expire, name="timer")


def _stop(m: Machine, timer: int) -> bool:
    cancel = due(m).timers.pop(timer, None)
    if cancel is not None:
        cancel()
    return cancel is not None


@wdk()
def KeCancelTimer(m: Machine, Timer: int) -> int:
    """Stop a timer; TRUE when it was running. A DPC that it has queued already still runs."""
    kind_of(m, Timer, "KeCancelTimer", "timer")
    return int(_stop(m, Timer))


@wdk()
def KeReadStateTimer(m: Machine, Timer: int) -> int:
    """Whether the timer is signalled."""
    kind_of(m, Timer, "KeReadStateTimer", "timer")
    return int(m.i32(Timer + STATE) > 0)


def check_due(m: Machine) -> None:
    """At unload: stop when a timer runs or a DPC is queued. Facts: BUG-16."""
    model = due(m)
    for what, addresses, place in (
        ("DPC", model.dpcs, m.offset("KDPC", "DeferredRoutine")),
        ("timer", model.timers, m.offset("KTIMER", "Dpc")),
    ):
        for address in addresses:
            routine = m.u64(address + place)
            m.stop("timer-at-unload", objects=(address,), what=what, object=f"{address:#018x}", routine=f"{routine:#018x}")
