"""Fast mutexes, time, assertions and bug checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from wsklab.machine.api import APC_LEVEL, HIGH_LEVEL, wdk
from wsklab.machine.functions_memory import c_string
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.functions_sync import SYSTEM_TIME_AT_START, Waiting, initialize, refuse_in_callback, thread_object
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import Wait
from wsklab.machine.views import View

_TICK = 156_250
"""Length of a clock tick, 15.625 ms, in 100-ns units."""

# Fast mutexes: Count is 1 when free, Owner the thread object, OldIrql what to go back to


@wdk()
def ExInitializeFastMutex(m: Machine, FastMutex: int) -> None:
    """Make a fast mutex that nobody owns, in nonpaged memory."""
    refuse_paged(m, FastMutex, "ExInitializeFastMutex")
    m.write(FastMutex, bytes(m.sizeof("FAST_MUTEX")))
    m.set_i32(FastMutex, 1)
    initialize(m, FastMutex + m.offset("FAST_MUTEX", "Event"), 1, 24, 0)


def _fast(m: Machine, mutex: int, function: str) -> View:
    if b"\x01" in m.memory.peek(mutex, 4)[1] or m.i32(mutex) not in (0, 1):
        m.stop("not-initialized", objects=(mutex,), object=f"{mutex:#018x}", function=function, expected="FAST_MUTEX")
    return m.view(mutex, "FAST_MUTEX")


@wdk(irql=APC_LEVEL, waits=True)
def ExAcquireFastMutex(m: Machine, FastMutex: int) -> Waiting:
    """Wait for a fast mutex and raise to APC_LEVEL; not recursive."""
    mutex, me = _fast(m, FastMutex, "ExAcquireFastMutex"), thread_object(m)
    if mutex.Count == 0:
        if mutex.Owner == me:
            m.stop("mutex-recursive", objects=(FastMutex,), object=f"{FastMutex:#018x}", function="ExAcquireFastMutex")
        refuse_in_callback(m, "ExAcquireFastMutex", "fast mutex", FastMutex)
        yield Wait(lambda: bool(mutex.Count > 0), None, ("fast mutex", FastMutex))
    mutex.Count, mutex.Owner, mutex.OldIrql, m.irql = 0, me, m.irql, APC_LEVEL
    return 0


@wdk(irql=APC_LEVEL)
def ExTryToAcquireFastMutex(m: Machine, FastMutex: int) -> int:
    """Take a fast mutex if it is free; TRUE when taken."""
    mutex = _fast(m, FastMutex, "ExTryToAcquireFastMutex")
    if mutex.Count == 0:
        return 0
    mutex.Count, mutex.Owner, mutex.OldIrql, m.irql = 0, thread_object(m), m.irql, APC_LEVEL
    return 1


@wdk(irql=APC_LEVEL)
def ExReleaseFastMutex(m: Machine, FastMutex: int) -> None:
    """Release a fast mutex of this thread and go back to the IRQL before."""
    mutex = _fast(m, FastMutex, "ExReleaseFastMutex")
    if mutex.Count > 0 or mutex.Owner != thread_object(m):
        m.stop("mutex-not-owned", objects=(FastMutex,), object=f"{FastMutex:#018x}", function="ExReleaseFastMutex")
    mutex.Owner, mutex.Count, m.irql = 0, 1, mutex.OldIrql


# Time, in 100-ns units; what is 64 bits wide is stored or returned


def _system_time(m: Machine, CurrentTime: int) -> None:
    """Store the system time: 100-ns units since 1601. Every run starts on 2025-01-01."""
    m.set_i64(CurrentTime, SYSTEM_TIME_AT_START + m.time)


def _ticks(m: Machine, CurrentCount: int) -> None:
    """Store the number of ticks since the machine started."""
    m.set_i64(CurrentCount, m.time // _TICK)


def _time(m: Machine) -> int:
    """100-ns units since the machine started."""
    return m.time


def _increment(m: Machine) -> int:
    """100-ns units in a tick: 15.625 ms."""
    return _TICK


def _kernel_mode(m: Machine) -> int:
    """KernelMode: the simulated callers are all in the kernel."""
    return 0


@wdk(irql=HIGH_LEVEL)
def KeStallExecutionProcessor(m: Machine, MicroSeconds: int) -> None:
    """Keep the processor busy; virtual time goes on."""
    m.time += 10 * MicroSeconds


# The end


@wdk(irql=HIGH_LEVEL, quiet=True)
def RtlAssert(m: Machine, VoidFailedAssertion: int, VoidFileName: int, LineNumber: int, MutableMessage: int) -> NoReturn:
    """An ASSERT that failed. Facts: BUG-15."""
    condition = c_string(m, VoidFailedAssertion).decode("utf-8", "replace")
    if MutableMessage:
        condition += f" ({c_string(m, MutableMessage).decode('utf-8', 'replace')})"
    m.stop("assertion-failed", condition=condition)


@wdk(irql=HIGH_LEVEL)
def KeBugCheckEx(m: Machine, code: int, *parameters: int) -> NoReturn:
    """Stop the system."""
    values = ", ".join(f"{value & (1 << 64) - 1:#x}" for value in parameters)
    m.stop("bug-check", code=f"{code:#x}", values=values)


@wdk(irql=HIGH_LEVEL)
def KeBugCheck(m: Machine, BugCheckCode: int) -> NoReturn:
    """Stop the system."""
    KeBugCheckEx(m, BugCheckCode, 0, 0, 0, 0)


def _break(m: Machine) -> NoReturn:
    """Stop: there is no debugger."""
    m.stop("assertion-failed", condition="DbgBreakPoint()")


_QUIET: dict[Callable[..., Any], tuple[str, ...]] = {
    _system_time: ("KeQuerySystemTime", "KeQuerySystemTimePrecise"),
    _time: ("KeQueryInterruptTime", "KeQueryUnbiasedInterruptTime"),
    _increment: ("KeQueryTimeIncrement",),
    _ticks: ("KeQueryTickCount",),
    _kernel_mode: ("ExGetPreviousMode",),
    _break: ("DbgBreakPoint", "__debugbreak"),
}
for _function, _names in _QUIET.items():
    for _name in _names:
        wdk(irql=HIGH_LEVEL, quiet=True, name=_name)(_function)
