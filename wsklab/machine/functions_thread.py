"""What runs beside a call: system threads with their handles and objects, timers, deferred procedure calls (DPCs).

A handle is a number with the kernel's top bits, an object an address; a thread object lives as long as the thread runs or
somebody holds a reference. A DPC runs at DISPATCH_LEVEL in an arbitrary thread as soon as the machine runs again; a timer that is
due signals its object and queues its DPC.
Facts: KRN-26 to KRN-29, KRN-32, BUG-12, BUG-16, BUG-20, BUG-25.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from wsklab.machine import status
from wsklab.machine.api import DISPATCH_LEVEL, PASSIVE_LEVEL, quiet, wdk
from wsklab.machine.functions_sync import STATE, deadline_of, kind_of, thread_object
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import Thread, Wait

_FIRST_HANDLE = 0xFFFF_FFFF_8000_0100


class ThreadEnd(Exception):
    """PsTerminateSystemThread was called: unwinds the thread's C functions up to its start."""


@dataclass(slots=True)
class Threads:
    """Threads of the driver by object, and open handles."""

    by_object: dict[int, Thread] = field(default_factory=dict)
    handles: dict[int, int] = field(default_factory=dict)
    opened: int = 0
    process: int = 0  # the object of the one process, when somebody has asked for it


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
    _release(m, m.model(Threads).by_object[thread.object])


def _release(m: Machine, started: Thread) -> None:
    started.references -= 1
    if started.references == 0:
        del m.model(Threads).by_object[started.object]
        m.free(started.object)


@wdk(irql=PASSIVE_LEVEL)
def PsCreateSystemThread(
    m: Machine, ThreadHandle: int, DesiredAccess: int, ObjectAttributes: int, ProcessHandle: int, ClientId: int,
    StartRoutine: int, StartContext: int,
) -> int:  # fmt: skip
    """Start a system thread; the handle has to be closed with ZwClose. Facts: KRN-27, KRN-28."""
    if m.choose("PsCreateSystemThread", ("succeeds", "fails")) == "fails":
        return status.INSUFFICIENT_RESOURCES
    model = m.model(Threads)
    thread = m.start_thread(_body(m, StartRoutine, StartContext), m.code_at(StartRoutine).name)
    address = thread_object(m, thread)
    handle = _FIRST_HANDLE + 4 * model.opened
    model.opened += 1
    model.handles[handle] = address
    thread.start, thread.references, model.by_object[address] = StartRoutine, 2, thread
    m.set_u64(ThreadHandle, handle)
    if ClientId:
        m.set_u64(ClientId, 4)
        m.set_u64(ClientId + 8, m.api("PsGetThreadId")(address))
    return status.SUCCESS


@wdk(irql=PASSIVE_LEVEL)
def PsTerminateSystemThread(m: Machine, ExitStatus: int) -> NoReturn:
    """End the current system thread; does not return. Facts: KRN-27."""
    if m.thread.object not in m.model(Threads).by_object:
        m.stop("not-a-system-thread", function="PsTerminateSystemThread", thread=m.thread.name)
    raise ThreadEnd


def _object_of(m: Machine, handle: int, function: str) -> int:
    model = m.model(Threads)
    if handle not in model.handles:
        opened = _FIRST_HANDLE <= handle < _FIRST_HANDLE + 4 * model.opened
        what = "has been closed" if opened else "was never opened"
        m.stop("handle-invalid", function=function, handle=f"{handle:#x}", what=what)
    return model.handles[handle]


@wdk(irql=PASSIVE_LEVEL)
def ZwClose(m: Machine, Handle: int) -> int:
    """Close a thread handle. Facts: KRN-27, BUG-20."""
    started = m.model(Threads).by_object.get(_object_of(m, Handle, "ZwClose"))
    del m.model(Threads).handles[Handle]
    if started is not None:
        _release(m, started)
    return status.SUCCESS


@wdk(irql=PASSIVE_LEVEL)
def ObReferenceObjectByHandle(
    m: Machine, Handle: int, DesiredAccess: int, ObjectType: int, AccessMode: int, Object: int, HandleInformation: int
) -> int:
    """Store the object of a thread handle, with one more reference. Facts: KRN-28."""
    address = _object_of(m, Handle, "ObReferenceObjectByHandle")
    m.model(Threads).by_object[address].references += 1
    m.set_u64(Object, address)
    return status.SUCCESS


@wdk("ObReferenceObject", "ObfReferenceObject")
def reference(m: Machine, Object: int) -> int:
    """One more reference to a thread object. Facts: KRN-28."""
    started = _started(m, Object, "ObReferenceObject")
    started.references += 1
    return started.references


@wdk("ObDereferenceObject", "ObfDereferenceObject")
def dereference(m: Machine, Object: int) -> int:
    """One reference less to a thread object. Facts: KRN-28, BUG-20."""
    started = _started(m, Object, "ObDereferenceObject")
    running = 0 if started.done or m.i32(Object + STATE) else 1
    handles = sum(address == Object for address in m.model(Threads).handles.values())
    if started.references <= running + handles:
        m.refuse("object-dereferenced-too-often", Object, "ObDereferenceObject")
    _release(m, started)
    return started.references


@quiet("KeGetCurrentThread", "PsGetCurrentThread")
def current(m: Machine) -> int:
    """The current thread's object."""
    return thread_object(m)


@quiet("PsGetCurrentProcess", "IoGetCurrentProcess")
def process(m: Machine) -> int:
    """The object of the one process."""
    threads = m.model(Threads)
    threads.process = threads.process or m.allocate(64, "object", label="process System", zero=True)
    return threads.process


def _started(m: Machine, address: int, function: str) -> Thread:
    started = m.model(Threads).by_object.get(address)
    if started is None:
        block = m.block_at(address)
        if block is not None and block.kind == "object" and not block.live:
            m.refuse("object-dereferenced-too-often", address, function)
        m.u64(address)
        m.not_modelled(f"{function} for {m.name_of(address)}")
    return started


def check_threads(m: Machine) -> None:
    """At unload: stop when a thread of the driver still runs or a handle is open. Facts: KRN-27, BUG-16, MIS-54."""
    model = m.model(Threads)
    for started in model.by_object.values():
        if not started.done and not m.i32(started.object + STATE):
            m.stop("thread-at-unload", objects=(started.object,), thread=started.name, start=f"{started.start:#018x}")
    if model.handles:
        handle, address = next(iter(model.handles.items()))
        m.stop("handle-leaked", objects=(address,), count=len(model.handles), handle=f"{handle:#x}")


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
