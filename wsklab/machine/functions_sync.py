"""Dispatcher objects: events, semaphores, mutexes, and waiting for any of them (also for threads and timers).

An object's state stands in its DISPATCHER_HEADER: kind in Type, signalled when SignalState is above 0. A wait polls nothing: it
is a :class:`Wait` whose `ready` reads these bytes, so an object that is freed or goes out of scope while somebody waits for it is
seen there. Facts: KRN-18 to KRN-26, BUG-11, BUG-12, BUG-27.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from struct import pack
from typing import Any

from wsklab.machine.api import APC_LEVEL, DISPATCH_LEVEL, HIGH_LEVEL, quiet, wdk
from wsklab.machine.functions_memory import c_text
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import STATUS_TIMEOUT, Scheduler, Thread, Wait
from wsklab.machine.stops import frames

Waiting = Generator[Wait, Any, int]

KINDS = {0: "event", 1: "event", 2: "mutex", 5: "semaphore", 6: "thread", 8: "timer", 9: "timer"}
"""Kinds of dispatcher objects by DISPATCHER_HEADER.Type."""
SYNCHRONIZATION_EVENT, MUTANT, SEMAPHORE, THREAD, NOTIFICATION_TIMER, SYNCHRONIZATION_TIMER = 1, 2, 5, 6, 8, 9
STATE = 4


@quiet("wsklab_initialize")
def initialize(m: Machine, address: int, kind: int, size: int, state: int) -> None:
    """Write a dispatcher object of `size` bytes, zeros behind its header; `kind` as in `KINDS`, signalled when `state` > 0."""
    refuse_paged(m, address, f"KeInitialize{KINDS[kind].capitalize()}")
    m.write(address, pack("<BBBBiQQ", kind, 0, size // 4, 0, state, address + 8, address + 8).ljust(size, b"\0"))


def kind_of(m: Machine, address: int, function: str, expected: str = "dispatcher object") -> int:
    """The header's Type; a stop when no initialised object of the expected kind lies at `address`."""
    unwritten = b"\x01" in m.memory.peek(address, 24)[1]
    content = bytes(24) if unwritten else m.read(address, 24)
    name = KINDS.get(content[0]) if any(content[8:16]) else None
    if name is None or expected not in ("dispatcher object", name):
        m.refuse("not-a-dispatcher-object", address, function, expected=expected)
    return content[0]


def thread_object(m: Machine, thread: Thread | None = None) -> int:
    """The address of a thread's object (its dispatcher header), made when first asked for."""
    thread = thread or m.thread
    if not thread.object:
        thread.object = m.allocate(64, "object", label=f"thread {thread.name}")
        initialize(m, thread.object, THREAD, 64, int(thread.done))
    return thread.object


# Waiting


def _satisfying(m: Machine, address: int, kind: int) -> tuple[Callable[[], bool], Callable[[], None] | None]:
    """How a wait for an object is asked for, and what satisfying it does to the object (KRN-19)."""
    state = address + STATE
    if kind == MUTANT:
        me, owner = thread_object(m), address + m.offset("KMUTEX", "OwnerThread")

        def take_mutex() -> None:
            m.set_i32(state, m.i32(state) - 1)
            m.set_u64(owner, me)

        return lambda: m.i32(state) > 0 or m.u64(owner) == me, take_mutex
    take = {
        SEMAPHORE: lambda: m.set_i32(state, m.i32(state) - 1),
        SYNCHRONIZATION_EVENT: lambda: m.set_i32(state, 0),
        SYNCHRONIZATION_TIMER: lambda: m.set_i32(state, 0),
    }.get(kind)
    return lambda: m.i32(state) > 0, take


def deadline_of(m: Machine, timeout: int) -> int:
    """The virtual time at which a time-out ends: negative is relative, positive a system time (KRN-22)."""
    return m.time - timeout if timeout < 0 else max(timeout - m.constant("WSKLAB_TIME_AT_START"), m.time)


def _wait(m: Machine, function: str, kind: str, address: int, ready: Callable[[], bool], take: Callable[[], None] | None,
          place: int) -> Waiting:  # fmt: skip
    timeout = m.i64(place) if place else None
    if m.irql >= DISPATCH_LEVEL and timeout != 0:  # KRN-22, KRN-33
        code = "0x121" if timeout is None else "0x122"
        m.refuse("wait-at-dispatch", address, function, code=code, timeout="NULL" if timeout is None else timeout)
    if ready():
        if take:
            take()
        return 0
    if timeout == 0:
        return STATUS_TIMEOUT
    refuse_in_callback(m, function, kind, address)
    m.trace.add("wait", kind, actor="driver", objects=(address,), here=True, function=function, timeout=timeout)
    deadline = None if timeout is None else deadline_of(m, timeout)
    status: int = yield Wait(ready, deadline, (kind, address), take)
    m.trace.add("wake", kind, actor="driver", objects=(address,), status=status)
    return status


def refuse_in_callback(m: Machine, function: str, kind: str, address: int = 0) -> None:
    """Stop when the wait that is about to begin would block a callback (KRN-26, MIS-12).

    `Machine.call` would stop it too, but only after the wait has left the C code; here the place in C is still known.
    """
    entries = (Scheduler._resume.__code__, Machine.drive.__code__)
    if next((frame.f_code for frame in frames(sys._getframe(1)) if frame.f_code in entries), None) is entries[1]:
        why = f"{kind} {address:#018x}" if address else kind
        m.stop("wait-in-callback", objects=(address,) if address else (), function=function, why=why)


@wdk(waits=True)
def KeWaitForSingleObject(m: Machine, Object: int, WaitReason: int, WaitMode: int, Alertable: int, Timeout: int) -> Waiting:
    """Wait until Object is signalled or the time-out is over. Facts: KRN-22 to KRN-26, BUG-27."""
    function = "KeWaitForSingleObject"
    if 0 < Object < 0x10000 or Object >> 16 == 0xFFFF_FFFF_8000:  # handles are small numbers with the kernel's top bits (KRN-28)
        m.stop("wait-on-handle", object=f"{Object:#x}", function=function)
    kind = kind_of(m, Object, function)
    return (yield from _wait(m, function, KINDS[kind], Object, *_satisfying(m, Object, kind), Timeout))


@wdk(waits=True)
def KeWaitForMultipleObjects(
    m: Machine, Count: int, Object: int, WaitType: int, WaitReason: int, WaitMode: int, Alertable: int, Timeout: int,
    WaitBlockArray: int,
) -> Waiting:  # fmt: skip
    """Wait for all (WaitType WaitAll) or any of several objects; for any, the index is in the status. Facts: KRN-22."""
    function, every = "KeWaitForMultipleObjects", WaitType == 0
    objects = [m.u64(Object + 8 * index) for index in range(Count)]
    asked = [_satisfying(m, address, kind_of(m, address, function)) for address in objects]
    satisfied: list[int] = []

    def ready() -> bool:
        able = [index for index, (is_ready, _) in enumerate(asked) if is_ready()]
        satisfied[:] = able if every else able[:1]
        return len(able) == Count if every else bool(able)

    def take() -> None:
        for index in satisfied:
            consume = asked[index][1]
            if consume:
                consume()

    status = yield from _wait(m, function, "objects", objects[0] if objects else 0, ready, take, Timeout)
    return status if every or status == STATUS_TIMEOUT else satisfied[0]


@wdk(irql=APC_LEVEL, waits=True)
def KeDelayExecutionThread(m: Machine, WaitMode: int, Alertable: int, Interval: int) -> Waiting:
    """Let the thread sleep: negative intervals are relative, in 100-ns units."""
    refuse_in_callback(m, "KeDelayExecutionThread", "delay")
    interval = m.i64(Interval)
    m.trace.add("wait", "delay", actor="driver", here=True, function="KeDelayExecutionThread", timeout=interval)
    yield Wait(lambda: False, deadline_of(m, interval), ("delay",))
    return 0


# Events


@wdk(irql=HIGH_LEVEL)
def KeInitializeEvent(m: Machine, Event: int, Type: int, State: int) -> None:
    """Make a notification or synchronization event, in nonpaged memory. Facts: KRN-18, KRN-19, BUG-11."""
    for thread in m.scheduler.blocked:
        if thread.waiting is not None and Event in thread.waiting.why:
            m.refuse("event-initialized-while-waited-on", Event, "KeInitializeEvent", thread=thread.name)
    initialize(m, Event, SYNCHRONIZATION_EVENT if Type else 0, 24, 1 if State else 0)


# What else events, semaphores, mutexes and timers do is C, in include/wdmke.c, over these two


@quiet()
def wsklab_object(m: Machine, Object: int, Function: int, Kind: int) -> None:
    """Stop when no initialised dispatcher object of a kind lies at Object."""
    kind_of(m, Object, c_text(m, Function), c_text(m, Kind))
