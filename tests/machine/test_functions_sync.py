"""Dispatcher objects, waits, locks, IRQL. Facts: KRN-18 to KRN-26, KRN-32 to KRN-37, BUG-11, BUG-12, BUG-21, BUG-27."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import wsklab.io  # noqa: F401
from wsklab.machine import Machine, Stop, Wait

SECOND = 10_000_000
TIMEOUT = 0x102


@contextmanager
def stops(rule: str, bugcheck: int | None = None, first: str | None = None) -> Iterator[None]:
    with pytest.raises(Stop) as caught:
        yield
    assert (caught.value.rule.id, caught.value.bugcheck) == (rule, bugcheck)
    assert "{" not in caught.value.report("en"), "a value of the rule's texts is missing"
    assert "?" not in caught.value.parameters, "a value of the bug check's parameters is missing"
    assert first is None or caught.value.parameters[0] == first


@pytest.fixture
def m() -> Machine:
    return Machine()


def event(m: Machine, kind: int = 0, state: int = 0) -> int:
    address = m.new("KEVENT")
    m.api("KeInitializeEvent")(address, kind, state)
    return address


def timeout(m: Machine, value: int | None) -> int:
    if value is None:
        return 0
    place = m.allocate(8, "stack")
    m.set_i64(place, value)
    return place


def wait(m: Machine, address: int, limit: int | None = None) -> Generator[Wait, Any, int]:
    status: int = yield from m.api("KeWaitForSingleObject")(address, 0, 0, 0, timeout(m, limit))
    return status


def run(m: Machine, *bodies: Generator[Wait, Any, Any]) -> list[Any]:
    threads = [m.start_thread(body, f"thread {number}") for number, body in enumerate(bodies)]
    m.run()
    return [thread.result for thread in threads]


# Events


def test_event_states(m: Machine, inline: Any) -> None:
    """KRN-18, KRN-21: KeSetEvent and KeResetEvent return the state before."""
    address = event(m)
    results = [
        inline(m, "KeReadStateEvent")(address), m.api("KeSetEvent")(address, 0, 0), m.api("KeSetEvent")(address, 0, 0),
        m.api("KeResetEvent")(address), inline(m, "KeReadStateEvent")(address), m.api("KeClearEvent")(address),
    ]  # fmt: skip
    assert results == [0, 0, 1, 1, 0, None]
    view = m.view(event(m, 1, 1), "KEVENT")
    assert (m.u8(int(view)), m.i32(int(view) + 4), m.u64(int(view) + 8)) == (1, 1, int(view) + 8)


@pytest.mark.parametrize(("kind", "woken", "left"), [(0, 2, 1), (1, 1, 0)])
def test_who_wakes(m: Machine, inline: Any, kind: int, woken: int, left: int) -> None:
    """KRN-19: a notification event releases all waiters and stays set; a synchronization event one, and resets itself."""
    address, done = event(m, kind), list[int]()

    def waiter() -> Generator[Wait, Any, None]:
        done.append((yield from wait(m, address)))

    threads = [m.start_thread(waiter(), "a"), m.start_thread(waiter(), "b")]
    m.run()
    assert done == []
    m.api("KeSetEvent")(address, 0, 0)
    m.run()
    assert (done, inline(m, "KeReadStateEvent")(address)) == ([0] * woken, left)
    assert len([thread for thread in threads if thread.done]) == woken


def test_a_signal_before_the_wait_is_kept_once(m: Machine) -> None:
    """KRN-20."""
    address = event(m, 1)
    for _ in range(2):
        m.api("KeSetEvent")(address, 0, 0)
    assert run(m, wait(m, address)) == [0]
    assert run(m, wait(m, address, -SECOND)) == [TIMEOUT]


@pytest.mark.parametrize(("limit", "passed"), [(0, 0), (-3 * SECOND, 3 * SECOND), (133_801_632_000_000_000 + SECOND, SECOND)])
def test_time_outs(m: Machine, limit: int, passed: int) -> None:
    """KRN-22: 0 polls, negative is relative, positive absolute; in units of 100 ns of virtual time."""
    assert run(m, wait(m, event(m), limit)) == [TIMEOUT]
    assert m.time == passed


def test_a_poll_is_allowed_at_dispatch_level_and_a_wait_is_not(m: Machine) -> None:
    """KRN-22, BUG-27."""
    address = event(m, 1, 1)

    def polls() -> Generator[Wait, Any, list[int]]:
        m.irql = 2
        found = [(yield from wait(m, address, 0)), (yield from wait(m, address, 0))]
        m.irql = 0
        return found

    assert run(m, polls()) == [[0, TIMEOUT]]
    m.irql = 2
    with stops("wait-at-dispatch", 0xC4, "0x121"):
        next(wait(m, address))
    with stops("wait-at-dispatch", 0xC4, "0x122"):
        next(wait(m, address, -1))
    with stops("irql-too-high", 0xC4):
        next(m.api("KeDelayExecutionThread")(0, 0, timeout(m, -1)))


def test_a_wait_in_a_callback(m: Machine) -> None:
    """KRN-26, BUG-12, MIS-12: it may not block, even at PASSIVE_LEVEL; a signal that is there already does no harm."""
    blocked, signalled = event(m), event(m, 1, 1)
    slot = m.slot("KeWaitForSingleObject")
    assert m.call(slot, signalled, 0, 0, 0, 0) == 0
    with stops("wait-in-callback", 0xB8):
        m.call(slot, blocked, 0, 0, 0, 0)


def test_a_delay(m: Machine) -> None:
    assert run(m, m.api("KeDelayExecutionThread")(0, 0, timeout(m, -5 * SECOND))) == [0]
    assert m.time == 5 * SECOND


def test_what_cannot_be_waited_for(m: Machine) -> None:
    """KRN-18, KRN-25, KRN-28: never initialised, zeroed, a handle, NULL, paged pool, out of scope."""
    for address in (m.allocate(24, "pool"), m.new("KEVENT")):
        with stops("not-a-dispatcher-object"):
            next(wait(m, address))
        with stops("not-a-dispatcher-object"):
            m.api("KeSetEvent")(address, 0, 0)
    with stops("wait-on-handle", 0x0A):
        next(wait(m, 0xFFFF_FFFF_8000_0100))
    with stops("null-dereference", 0x7E):
        next(wait(m, 0))
    with stops("object-in-paged-pool", 0xC4, "0xE1"):
        m.api("KeInitializeEvent")(m.api("ExAllocatePool2")(0x100, 24, 1), 0, 0)


def test_an_event_that_goes_away_while_somebody_waits(m: Machine) -> None:
    """BUG-01: seen when the waiter looks at it."""
    address = event(m)
    m.start_thread(wait(m, address), "waiter")
    m.run()
    m.free(address)
    with stops("use-after-free", 0xD5):
        m.run()


def test_an_event_initialised_while_somebody_waits(m: Machine) -> None:
    """BUG-11."""
    address = event(m)
    m.start_thread(wait(m, address), "waiter")
    m.run()
    with stops("event-initialized-while-waited-on", 0x139, "0x3"):
        m.api("KeInitializeEvent")(address, 0, 0)


def test_set_with_wait(m: Machine) -> None:
    """KRN-21."""
    address = event(m)
    m.irql = 2
    with stops("event-set-with-wait", 0xC4, "0x80"):
        m.api("KeSetEvent")(address, 0, 1)
    m.irql = 3
    with stops("irql-too-high", 0xC4):
        m.api("KeSetEvent")(address, 0, 0)


@pytest.mark.parametrize(
    ("all_of_them", "set_events", "expected"), [(0, (0, 1), 0), (0, (1,), TIMEOUT), (1, (1,), 1), (1, (), TIMEOUT)]
)
def test_several_objects(m: Machine, inline: Any, all_of_them: int, set_events: tuple[int, ...], expected: int) -> None:
    """WaitAll is 0, WaitAny 1; WaitAny says which."""
    events = [event(m, 1), event(m, 1)]
    array = m.allocate(16, "stack")
    for index, address in enumerate(events):
        m.set_u64(array + 8 * index, address)
    for index in set_events:
        m.api("KeSetEvent")(events[index], 0, 0)
    limit = timeout(m, -SECOND)
    assert run(m, m.api("KeWaitForMultipleObjects")(2, array, all_of_them, 0, 0, 0, limit, 0)) == [expected]
    taken = set(set_events) if expected != TIMEOUT else set()
    left = [int(i in set_events and i not in taken) for i in (0, 1)]
    assert [inline(m, "KeReadStateEvent")(address) for address in events] == left


# Semaphores, mutexes


def test_semaphores(m: Machine, inline: Any) -> None:
    address = m.new("KSEMAPHORE")
    inline(m, "KeInitializeSemaphore")(address, 1, 3)
    assert inline(m, "KeReleaseSemaphore")(address, 0, 2, 0) == 1
    assert run(m, wait(m, address), wait(m, address), wait(m, address), wait(m, address, 0)) == [0, 0, 0, TIMEOUT]
    assert inline(m, "KeReadStateSemaphore")(address) == 0
    with stops("semaphore-limit", 0x1E):
        inline(m, "KeReleaseSemaphore")(address, 0, 4, 0)


def test_mutexes(m: Machine, inline: Any) -> None:
    address, order = m.new("KMUTEX"), list[str]()
    inline(m, "KeInitializeMutex")(address, 0)

    def user(name: str) -> Generator[Wait, Any, None]:
        for _ in range(2):
            yield from wait(m, address)
        order.append(f"{name} has it")
        yield Wait(lambda: False, m.time + SECOND)
        order.append(f"{name} gives it back")
        for _ in range(2):
            inline(m, "KeReleaseMutex")(address, 0)

    run(m, user("a"), user("b"))
    assert order == ["a has it", "a gives it back", "b has it", "b gives it back"]
    with stops("mutex-not-owned"):
        inline(m, "KeReleaseMutex")(address, 0)


def test_fast_mutexes(m: Machine, inline: Any) -> None:
    address, irqls = m.new("FAST_MUTEX"), list[int]()
    with stops("not-initialized"):
        next(inline(m, "ExAcquireFastMutex")(m.allocate(56, "pool")))
    inline(m, "ExInitializeFastMutex")(address)

    def user() -> Generator[Wait, Any, None]:
        yield from inline(m, "ExAcquireFastMutex")(address)
        irqls.append(m.irql)
        yield Wait(lambda: False, m.time + SECOND)
        inline(m, "ExReleaseFastMutex")(address)
        irqls.append(m.irql)

    run(m, user(), user())
    assert irqls == [1, 0, 1, 0]
    assert inline(m, "ExTryToAcquireFastMutex")(address) == 1
    assert inline(m, "ExTryToAcquireFastMutex")(address) == 0
    with stops("mutex-recursive", 0xC4, "0x1000"):
        next(inline(m, "ExAcquireFastMutex")(address))


# IRQL and spin locks


def test_irql(m: Machine, inline: Any) -> None:
    """KRN-32, KRN-35."""
    old = m.allocate(1, "stack")
    inline(m, "KeRaiseIrql")(2, old)
    assert (m.api("KeGetCurrentIrql")(), m.u8(old)) == (2, 0)
    with stops("irql-raised-to-lower", 0xC4, "0x30"):
        inline(m, "KeRaiseIrql")(1, old)
    with stops("irql-lowered-wrongly", 0xC4, "0x31"):
        m.api("KeLowerIrql")(1)
    m.api("KeLowerIrql")(0)
    with stops("irql-lowered-wrongly", 0xC4, "0x31"):
        m.api("KeLowerIrql")(0)
    assert (m.api("KfRaiseIrql")(1), inline(m, "KeRaiseIrqlToDpcLevel")(), m.irql) == (0, 1, 2)


def test_paged_code(m: Machine, inline: Any) -> None:
    """KRN-33, KRN-34."""
    m.irql = 1
    inline(m, "wsklab_paged_code")()
    m.irql = 2
    with stops("paged-code-at-dispatch", 0x0A):
        inline(m, "wsklab_paged_code")()


def lock_of(m: Machine) -> int:
    address = m.allocate(8, "pool")
    m.api("KeInitializeSpinLock")(address)
    return address


def test_spin_locks(m: Machine) -> None:
    """KRN-36, BUG-21, BUG-31."""
    lock, old = lock_of(m), m.allocate(1, "stack")
    m.api("KeAcquireSpinLock")(lock, old)
    assert (m.irql, m.u8(old), m.u64(lock) & 1) == (2, 0, 1)
    with stops("spinlock-recursive", 0x0F):
        m.api("KeAcquireSpinLock")(lock, old)
    with stops("spinlock-recursive", 0x0F):
        m.api("KeInitializeSpinLock")(lock)
    with stops("spinlock-wrong-irql", 0xC4, "0x32"):
        m.api("KeReleaseSpinLock")(lock, 1)
    with stops("spinlock-wrong-irql", 0xC4, "0x42"):
        m.api("KeReleaseSpinLockFromDpcLevel")(lock)
    m.api("KeReleaseSpinLock")(lock, 0)
    assert (m.irql, m.u64(lock)) == (0, 0)
    with stops("spinlock-not-held", 0xC4, "0x1007"):
        m.api("KeReleaseSpinLock")(lock, 0)
    with stops("spinlock-wrong-irql", 0xC4, "0x41"):
        m.api("KeAcquireSpinLockAtDpcLevel")(lock)


def test_spin_locks_at_dispatch_level(m: Machine) -> None:
    lock = lock_of(m)
    m.irql = 2
    m.api("KeAcquireSpinLockAtDpcLevel")(lock)
    assert m.api("KeTryToAcquireSpinLockAtDpcLevel")(lock) == 0
    m.api("KeReleaseSpinLockFromDpcLevel")(lock)
    assert (m.api("KeTryToAcquireSpinLockAtDpcLevel")(lock), m.irql) == (1, 2)


def test_a_lock_must_be_initialised(m: Machine) -> None:
    """KRN-36, BUG-31; in nonpaged memory."""
    with stops("spinlock-not-initialized", 0xC4, "0x1002"):
        m.api("KeAcquireSpinLockRaiseToDpc")(m.allocate(8, "pool"))
    with stops("null-dereference", 0x7E):
        m.api("KeAcquireSpinLockRaiseToDpc")(0)
    with stops("object-in-paged-pool", 0xC4):
        m.api("KeInitializeSpinLock")(m.api("ExAllocatePool2")(0x100, 8, 1))


def test_queued_spin_locks(m: Machine) -> None:
    """KRN-37."""
    lock, handle = lock_of(m), m.allocate(24, "stack")
    m.api("KeAcquireInStackQueuedSpinLock")(lock, handle)
    with stops("spinlock-mixed", 0xC4, "0x1008"):
        m.api("KeReleaseSpinLock")(lock, 0)
    m.api("KeReleaseInStackQueuedSpinLock")(handle)
    assert (m.irql, m.u64(lock)) == (0, 0)
