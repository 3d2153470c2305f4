"""System threads, timers, DPCs. Facts: KRN-26 to KRN-29, BUG-16, BUG-20, BUG-21, BUG-25."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import wsklab.io  # noqa: F401
from wsklab.machine import Machine, Stop, Wait
from wsklab.machine.code import Code
from wsklab.machine.functions_thread import check_due, check_threads

SECOND = 10_000_000


@contextmanager
def stops(rule: str, bugcheck: int | None = None) -> Iterator[None]:
    with pytest.raises(Stop) as caught:
        yield
    assert (caught.value.rule.id, caught.value.bugcheck) == (rule, bugcheck)
    assert "{" not in caught.value.report("en"), "a value of the rule's texts is missing"
    assert "?" not in caught.value.parameters, "a value of the bug check's parameters is missing"


@pytest.fixture
def m() -> Machine:
    return Machine()


def routine(m: Machine, body: Callable[..., Any], waits: bool = False) -> int:
    return m.define_code(Code(body.__name__, body, waits, is_driver=True))


def create(m: Machine, start: int, context: int = 0) -> int:
    place = m.allocate(8, "stack")
    assert m.api("PsCreateSystemThread")(place, 0x1FFFFF, 0, 0, 0, start, context) == 0
    return m.u64(place)


def referenced(m: Machine, handle: int) -> int:
    place = m.allocate(8, "stack")
    assert m.api("ObReferenceObjectByHandle")(handle, 0, 0, 0, place, 0) == 0
    return m.u64(place)


def test_a_thread_from_start_to_end(m: Machine) -> None:
    """KRN-27, KRN-28: handle → object, close, wait, dereference."""
    seen: list[tuple[int, int, str]] = []

    def Worker(context: int) -> Generator[Wait, Any, None]:
        seen.append((context, m.irql, m.thread.name))
        yield Wait(lambda: False, m.time + SECOND)
        m.api("PsTerminateSystemThread")(0)
        seen.append((0, 0, "never reached"))

    handle = create(m, routine(m, Worker, waits=True), 9)
    thread = referenced(m, handle)
    assert m.api("ZwClose")(handle) == 0

    def unload() -> Generator[Wait, Any, int]:
        status: int = yield from m.api("KeWaitForSingleObject")(thread, 0, 0, 0, 0)
        return status

    waiting = m.start_thread(unload(), "unload")
    m.run()
    assert (seen, waiting.result, m.time) == ([(9, 0, "Worker")], 0, SECOND)
    check_threads(m)
    m.api("ObfDereferenceObject")(thread)
    with stops("object-dereferenced-too-often", 0x18):
        m.api("ObfDereferenceObject")(thread)


def test_starting_a_thread_can_fail(m: Machine) -> None:
    m.choices["PsCreateSystemThread"] = "fails"
    place = m.allocate(8, "stack")
    assert m.api("PsCreateSystemThread")(place, 0, 0, 0, 0, 0, 0) == 0xC000_009A - (1 << 32)
    m.choices["PsCreateSystemThread"] = "succeeds"
    with stops("bad-call", 0xFC):
        m.api("PsCreateSystemThread")(place, 0, 0, 0, 0, 5, 0)


def test_handles(m: Machine) -> None:
    """BUG-20."""
    handle = create(m, routine(m, lambda context: None))
    m.api("ZwClose")(handle)
    with stops("handle-invalid", 0x93):
        m.api("ZwClose")(handle)
    with stops("handle-invalid", 0x93):
        m.api("ZwClose")(0x1234)
    m.irql = 2
    with stops("irql-too-high", 0xC4):
        m.api("ZwClose")(handle)


def test_a_running_thread_keeps_its_own_reference(m: Machine) -> None:
    def Sleeper(context: int) -> Generator[Wait, Any, None]:
        yield Wait(lambda: False, m.time + SECOND)

    handle = create(m, routine(m, Sleeper, waits=True))
    thread = referenced(m, handle)
    m.api("ObfDereferenceObject")(thread)
    with stops("object-dereferenced-too-often", 0x18):
        m.api("ObfDereferenceObject")(thread)


def test_ending_at_a_raised_irql(m: Machine) -> None:
    """BUG-25."""

    def Careless(context: int) -> None:
        m.irql = 2

    create(m, routine(m, Careless))
    with stops("thread-ended-at-raised-irql", 0x20):
        m.run()


def test_only_a_system_thread_can_end_itself(m: Machine) -> None:
    with stops("not-a-system-thread"):
        m.api("PsTerminateSystemThread")(0)


def test_unload_while_a_thread_runs(m: Machine) -> None:
    """BUG-16, MIS-54; and a handle that was not closed."""

    def Sleeper(context: int) -> Generator[Wait, Any, None]:
        yield Wait(lambda: False, m.time + SECOND)

    handle = create(m, routine(m, Sleeper, waits=True))
    with stops("thread-at-unload", 0xCE):
        check_threads(m)
    m.run()
    with stops("handle-leaked"):
        check_threads(m)
    m.api("ZwClose")(handle)
    check_threads(m)


# DPCs and timers


def dpc(m: Machine, inline: Any, calls: list[tuple[int, ...]]) -> int:
    def Deferred(address: int, context: int, first: int, second: int) -> None:
        calls.append((m.time, m.irql, context, first, second))

    address = m.allocate(64, "pool")
    inline(m, "KeInitializeDpc")(address, routine(m, Deferred), 7)
    return address


def test_a_dpc_runs_once_at_dispatch_level(m: Machine, inline: Any) -> None:
    calls: list[tuple[int, ...]] = []
    address = dpc(m, inline, calls)
    assert [m.api("KeInsertQueueDpc")(address, 1, 2) for _ in range(2)] == [1, 0]
    m.run()
    assert (calls, m.irql) == ([(0, 2, 7, 1, 2)], 0)
    m.api("KeInsertQueueDpc")(address, 1, 2)
    assert [m.api("KeRemoveQueueDpc")(address) for _ in range(2)] == [1, 0]
    m.run()
    assert len(calls) == 1
    with stops("not-initialized"):
        m.api("KeInsertQueueDpc")(m.allocate(64, "pool"), 0, 0)


def test_a_dpc_must_come_back_at_dispatch_level(m: Machine, inline: Any) -> None:
    """BUG-21."""

    def Careless(address: int, context: int, first: int, second: int) -> None:
        m.irql = 0

    address = m.allocate(64, "pool")
    inline(m, "KeInitializeDpc")(address, routine(m, Careless), 0)
    m.api("KeInsertQueueDpc")(address, 0, 0)
    with stops("routine-changed-irql", 0xC8):
        m.run()


def test_a_timer_signals_and_queues_its_dpc(m: Machine, inline: Any) -> None:
    calls: list[tuple[int, ...]] = []
    timer = m.allocate(64, "pool")
    inline(m, "KeInitializeTimer")(timer)
    assert m.api("KeSetTimerEx")(timer, -SECOND, 0, dpc(m, inline, calls)) == 0
    assert m.api("KeSetTimerEx")(timer, -2 * SECOND, 0, m.u64(timer + m.offset("KTIMER", "Dpc"))) == 1
    assert inline(m, "KeReadStateTimer")(timer) == 0

    def waiter() -> Generator[Wait, Any, int]:
        yield from m.api("KeWaitForSingleObject")(timer, 0, 0, 0, 0)
        return m.time

    thread = m.start_thread(waiter(), "waiter")
    m.run()
    assert (calls, thread.result, inline(m, "KeReadStateTimer")(timer)) == ([(2 * SECOND, 2, 7, 0, 0)], 2 * SECOND, 1)
    assert m.api("KeCancelTimer")(timer) == 0


def test_a_periodic_timer(m: Machine, inline: Any) -> None:
    calls: list[tuple[int, ...]] = []
    timer = m.allocate(64, "pool")
    inline(m, "KeInitializeTimerEx")(timer, 1)
    m.api("KeSetTimerEx")(timer, -SECOND, 500, dpc(m, inline, calls))
    m.run(deadline=SECOND * 5 // 2)
    assert [call[0] for call in calls] == [SECOND, SECOND * 3 // 2, SECOND * 2, SECOND * 5 // 2]
    with stops("timer-at-unload", 0xCE):
        check_due(m)
    assert m.api("KeCancelTimer")(timer) == 1
    check_due(m)
