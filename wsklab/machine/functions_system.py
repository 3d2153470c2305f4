"""Fast mutexes, time, assertions and bug checks."""

from __future__ import annotations

from typing import NoReturn

from wsklab.machine.api import APC_LEVEL, DISPATCH_LEVEL, HIGH_LEVEL, wdk
from wsklab.machine.functions_memory import c_string
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.functions_sync import SYSTEM_TIME_AT_START, Waiting, initialize, refuse_in_callback, thread_object
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import Wait

# Fast mutexes: Count is 1 when free, Owner the thread object, OldIrql what to go back to


def _member(m: Machine, mutex: int, name: str) -> int:
    return mutex + m.offset("FAST_MUTEX", name)


@wdk()
def ExInitializeFastMutex(m: Machine, FastMutex: int) -> None:
    """Make a fast mutex that nobody owns, in nonpaged memory."""
    refuse_paged(m, FastMutex, "ExInitializeFastMutex")
    m.write(FastMutex, bytes(m.sizeof("FAST_MUTEX")))
    m.set_i32(_member(m, FastMutex, "Count"), 1)
    initialize(m, _member(m, FastMutex, "Event"), 1, 24, 0)


def _initialized(m: Machine, mutex: int, function: str) -> None:
    states = m.memory.peek(mutex, 4)[1]
    if b"\x01" in states or m.i32(_member(m, mutex, "Count")) not in (0, 1):
        m.stop("not-initialized", objects=(mutex,), object=f"{mutex:#018x}", function=function, expected="FAST_MUTEX")


@wdk(irql=APC_LEVEL, waits=True)
def ExAcquireFastMutex(m: Machine, FastMutex: int) -> Waiting:
    """Wait for a fast mutex and raise to APC_LEVEL; not recursive."""
    _initialized(m, FastMutex, "ExAcquireFastMutex")
    count, owner, me = _member(m, FastMutex, "Count"), _member(m, FastMutex, "Owner"), thread_object(m)
    if m.i32(count) == 0 and m.u64(owner) == me:
        m.stop("mutex-recursive", objects=(FastMutex,), object=f"{FastMutex:#018x}", function="ExAcquireFastMutex")

    def take() -> None:
        m.set_i32(count, 0)
        m.set_u64(owner, me)

    if m.i32(count) > 0:
        take()
    else:
        refuse_in_callback(m, "ExAcquireFastMutex", "fast mutex", FastMutex)
        yield Wait(lambda: m.i32(count) > 0, None, ("fast mutex", FastMutex), take)
    m.set_u32(_member(m, FastMutex, "OldIrql"), m.irql)
    m.irql = APC_LEVEL
    return 0


@wdk(irql=APC_LEVEL)
def ExTryToAcquireFastMutex(m: Machine, FastMutex: int) -> int:
    """Take a fast mutex if it is free; TRUE when taken."""
    _initialized(m, FastMutex, "ExTryToAcquireFastMutex")
    if m.i32(_member(m, FastMutex, "Count")) <= 0:
        return 0
    m.set_i32(_member(m, FastMutex, "Count"), 0)
    m.set_u64(_member(m, FastMutex, "Owner"), thread_object(m))
    m.set_u32(_member(m, FastMutex, "OldIrql"), m.irql)
    m.irql = APC_LEVEL
    return 1


@wdk(irql=APC_LEVEL)
def ExReleaseFastMutex(m: Machine, FastMutex: int) -> None:
    """Release a fast mutex of this thread and go back to the IRQL before."""
    _initialized(m, FastMutex, "ExReleaseFastMutex")
    if m.i32(_member(m, FastMutex, "Count")) > 0 or m.u64(_member(m, FastMutex, "Owner")) != thread_object(m):
        m.stop("mutex-not-owned", objects=(FastMutex,), object=f"{FastMutex:#018x}", function="ExReleaseFastMutex")
    m.set_u64(_member(m, FastMutex, "Owner"), 0)
    m.set_i32(_member(m, FastMutex, "Count"), 1)
    m.irql = m.u32(_member(m, FastMutex, "OldIrql"))


# Time, in 100-ns units


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeQuerySystemTime(m: Machine, CurrentTime: int) -> None:
    """Store the system time: 100-ns units since 1601. Every run starts on 2025-01-01."""
    m.set_i64(CurrentTime, SYSTEM_TIME_AT_START + m.time)


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeQuerySystemTimePrecise(m: Machine, CurrentTime: int) -> None:
    """Like KeQuerySystemTime."""
    KeQuerySystemTime(m, CurrentTime)


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeQueryInterruptTime(m: Machine) -> int:
    """100-ns units since the machine started."""
    return m.time


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeQueryUnbiasedInterruptTime(m: Machine) -> int:
    """100-ns units since the machine started."""
    return m.time


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeQueryTimeIncrement(m: Machine) -> int:
    """100-ns units in a tick: 15.625 ms."""
    return 156_250


@wdk(irql=HIGH_LEVEL, quiet=True)
def KeQueryTickCount(m: Machine, CurrentCount: int) -> None:
    """Store the number of ticks since the machine started."""
    m.set_i64(CurrentCount, m.time // 156_250)


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
def KeBugCheckEx(m: Machine, code: int, first: int, second: int, third: int, fourth: int) -> NoReturn:
    """Stop the system."""
    parameters = ", ".join(f"{value & (1 << 64) - 1:#x}" for value in (first, second, third, fourth))
    m.stop("bug-check", code=f"{code:#x}", values=parameters)


@wdk(irql=HIGH_LEVEL)
def KeBugCheck(m: Machine, BugCheckCode: int) -> NoReturn:
    """Stop the system."""
    KeBugCheckEx(m, BugCheckCode, 0, 0, 0, 0)


def _break(m: Machine) -> NoReturn:
    m.stop("assertion-failed", condition="DbgBreakPoint()")


wdk(irql=HIGH_LEVEL, name="DbgBreakPoint")(_break)
wdk(irql=HIGH_LEVEL, name="__debugbreak")(_break)


@wdk(irql=DISPATCH_LEVEL, quiet=True)
def ExGetPreviousMode(m: Machine) -> int:
    """KernelMode: the simulated callers are all in the kernel."""
    return 0
