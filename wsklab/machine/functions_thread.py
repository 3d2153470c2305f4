"""What runs beside a call: system threads, timers, deferred procedure calls (DPCs).

References and handles are C, in ``include/wdmob.c``. A DPC runs at DISPATCH_LEVEL in an arbitrary thread as soon as the machine
runs again; a timer that is due signals its object and queues its DPC.
Facts: KRN-26 to KRN-29, KRN-32, BUG-12, BUG-16, BUG-20, BUG-25.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, NoReturn

from wsklab.machine.api import DISPATCH_LEVEL, PASSIVE_LEVEL, quiet, wdk
from wsklab.machine.functions_memory import c_text, text_of
from wsklab.machine.functions_sync import STATE, deadline_of, kind_of, thread_object
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import Wait


class ThreadEnd(Exception):
    """PsTerminateSystemThread was called: unwinds the thread's C functions up to its start."""


class Entries(dict[tuple[str, str], int]):
    """What the system keeps under names, by kind and name: the address of its place."""


def _body(m: Machine, start: int, context: int) -> Generator[Wait, Any, None]:
    thread = m.thread
    with suppress(ThreadEnd):
        yield from m.call_waiting(start, context)
    if m.irql != PASSIVE_LEVEL:
        m.stop("thread-ended-at-raised-irql", objects=(thread.object,), thread=thread.name)
    regions = m.view(thread.object, "WSKLAB_THREAD")
    if regions.Critical or regions.Guarded:
        m.stop("thread-ended-in-region", objects=(thread.object,), thread=thread.name, count=regions.Critical + regions.Guarded)
    m.set_i32(thread.object + STATE, 1)
    m.api("wsklab_delete")(thread.object)


@quiet()
def wsklab_start_thread(m: Machine, Routine: int, Context: int) -> int:
    """Start a system thread; its object."""
    thread = m.start_thread(_body(m, Routine, Context), m.code_at(Routine).name)
    thread.start = Routine
    return thread_object(m, thread)


@wdk(irql=PASSIVE_LEVEL)
def PsTerminateSystemThread(m: Machine, ExitStatus: int) -> NoReturn:
    """End the current system thread; does not return. Facts: KRN-27."""
    if not m.thread.start:
        m.stop("not-a-system-thread", function="PsTerminateSystemThread", thread=m.thread.name)
    raise ThreadEnd


@quiet("KeGetCurrentThread", "PsGetCurrentThread")
def current(m: Machine) -> int:
    """The current thread's object."""
    return thread_object(m)


@quiet()
def wsklab_entry(m: Machine, Kind: int, Name: int) -> int:
    """Where the system keeps the object of a name, NULL at first; names are not case-sensitive."""
    key = c_text(m, Kind), text_of(m, Name).lower()
    entries = m.model(Entries)
    if key not in entries:
        entries[key] = m.allocate(8, "native", label=key[0], zero=True)
    return entries[key]


def check_threads(m: Machine) -> None:
    """At unload: stop when a thread of the driver still runs or a handle is open. Facts: KRN-27, BUG-16, MIS-54."""
    for thread in m.scheduler.threads:
        if thread.start and not thread.done:
            m.stop("thread-at-unload", objects=(thread.object,), thread=thread.name, start=f"{thread.start:#018x}")
    if m.model(Entries):
        m.api("wsklab_check_objects")()


# Timers and DPCs


_DPC_TYPE = 19
_MILLISECOND = 10_000


class Due(dict[int, Callable[[], None]]):
    """What is due: how to take back each queued DPC and each running timer, by address."""


@quiet("wsklab_take_back")
def _take_back(m: Machine, address: int) -> int:
    """Take a queued DPC or a running timer back; whether it was one."""
    cancel = m.model(Due).pop(address, None)
    if cancel is not None:
        cancel()
    return int(cancel is not None)


@quiet()
def wsklab_insert_dpc(m: Machine, Dpc: int, First: int, Second: int) -> int:
    """Let a DPC run soon with two arguments; FALSE when it is queued already."""
    queued, view = m.model(Due), m.view(Dpc, "KDPC")
    if Dpc in queued:
        return 0
    view.SystemArgument1, view.SystemArgument2 = First, Second

    def run() -> None:
        del queued[Dpc]
        routine = int(view.DeferredRoutine)
        m.call(routine, Dpc, int(view.DeferredContext), First, Second)
        if m.irql != DISPATCH_LEVEL:
            m.stop("routine-changed-irql", what=m.code_at(routine).name, before=DISPATCH_LEVEL, after=m.irql)

    queued[Dpc] = m.after(0, run)
    return 1


@wdk()
def KeSetTimerEx(m: Machine, Timer: int, DueTime: int, Period: int, Dpc: int) -> int:
    """Start a timer that repeats every Period milliseconds (0: once); TRUE when it was running before, and is set anew.

    Negative times are relative, in 100-ns units.
    """
    kind_of(m, Timer, "KeSetTimer", "timer")
    was_running = _take_back(m, Timer)
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
    running, view = m.model(Due), m.view(timer, "KTIMER")

    def expire() -> None:
        del running[timer]
        m.set_i32(timer + STATE, 1)
        m.trace.add("state", "timer expired", actor="io", objects=(timer,))
        if view.Period:
            _start(m, timer, view.Period * _MILLISECOND)
        if view.Dpc:
            m.modelled("KeInsertQueueDpc").function(m, int(view.Dpc), 0, 0)

    running[timer] = m.after(delay, expire)


def check_due(m: Machine) -> None:
    """At unload: stop when a timer runs or a DPC is queued. Facts: BUG-16."""
    for address in sorted(m.model(Due), key=lambda address: m.u8(address) != _DPC_TYPE):
        what, member = ("DPC", "DeferredRoutine") if m.u8(address) == _DPC_TYPE else ("timer", "Dpc")
        routine = m.u64(address + m.offset(f"K{what.upper()}", member))
        m.stop("timer-at-unload", objects=(address,), what=what, object=f"{address:#018x}", routine=f"{routine:#018x}")
