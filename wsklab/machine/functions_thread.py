"""System threads, their handles and objects, and what of them is left at unload.

A handle is a number with the kernel's top bits, an object an address; a thread object lives as long as the thread runs or
somebody holds a reference. Facts: KRN-26 to KRN-29, BUG-16, BUG-20, BUG-25.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from wsklab.machine import status
from wsklab.machine.api import PASSIVE_LEVEL, quiet, wdk
from wsklab.machine.functions_sync import STATE, thread_object
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


def _body(m: Machine, start: int, context: int) -> Generator[Wait, Any, None]:
    thread = m.thread
    with suppress(ThreadEnd):
        yield from m.call_waiting(start, context)
    if m.irql != PASSIVE_LEVEL:
        m.stop("thread-ended-at-raised-irql", objects=(thread.object,), thread=thread.name)
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
        m.set_u64(ClientId + 8, 0x1000 + 4 * model.opened)
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
