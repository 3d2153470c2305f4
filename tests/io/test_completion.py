"""The way up, and cancellation. Facts: IRP-11, IRP-14 to IRP-23, IRP-28 to IRP-35, WSK-USE-13, WSK-USE-14."""

from __future__ import annotations

from typing import Any

import pytest

from tests.io.who import holder, is_free
from wsklab.io import completion, irp
from wsklab.machine import Machine

CANCELLED = irp.CANCELLED
FAILED = 0xC000_0001 - (1 << 32)


def send(m: Machine, own: Any) -> int:
    own.arm()
    irp.hand_over(m, own.irp, "wsk", function="WskSend")
    return int(own.irp)


@pytest.mark.parametrize(("status", "information"), [(0, 100), (FAILED, 0), (CANCELLED, 0)])
def test_the_routine_gets_null_the_irp_and_its_context(own: Any, m: Machine, status: int, information: int) -> None:
    """IRP-19: no device object for an own IRP with one location; IRP-11: called for every outcome."""
    send(m, own)
    completion.complete(m, own.irp, status, information, by="wsk")
    assert own.calls == [(0, own.irp, 0x77)]
    view = m.view(own.irp, "IRP")
    assert (m.i32(own.irp + irp.layout().status), view.IoStatus.Information) == (status, information)
    assert is_free(m, own.irp)
    assert holder(m, own.irp) == "driver"


def test_the_completing_location_is_cleared_before_the_routine_runs(own: Any, m: Machine) -> None:
    """IRP-20: only IoStatus carries information upwards."""
    seen: list[bytes] = []
    own.inside = lambda: seen.append(m.read(own.irp + 208, 72))
    send(m, own)
    completion.complete(m, own.irp, 0, 1, by="wsk")
    assert seen == [bytes(72)]
    assert m.u8(own.irp + irp.layout().index) == 2


def test_pending_returned_says_that_the_location_was_marked(own: Any, m: Machine) -> None:
    """IRP-22."""
    seen: list[int] = []
    own.inside = lambda: seen.append(m.u8(own.irp + irp.layout().pending))
    send(m, own)
    irp.mark_pending(m, own.irp, by="wsk")
    completion.complete(m, own.irp, 0, 1, by="wsk")
    m.api("IoReuseIrp")(own.irp, 0)
    send(m, own)
    completion.complete(m, own.irp, 0, 1, by="wsk")
    assert seen == [1, 0]


def test_the_routine_may_free_the_irp(own: Any, m: Machine, stops: Any) -> None:
    """WSK-USE-09, IRP-35: nothing touches the IRP after STATUS_MORE_PROCESSING_REQUIRED."""
    own.inside = lambda: m.api("IoFreeIrp")(own.irp)
    send(m, own)
    completion.complete(m, own.irp, 0, 1, by="wsk")
    assert holder(m, own.irp) is None
    with stops("irp-used-after-free"):
        completion.complete(m, own.irp, 0, 1, by="wsk")


def test_the_routine_may_send_the_irp_again(own: Any, m: Machine) -> None:
    """MIS-11: not advised, but what happens is defined: the inner send is completed by its own completion."""

    def again() -> None:
        own.inside = lambda: None
        m.api("IoReuseIrp")(own.irp, 0)
        send(m, own)

    own.inside = again
    send(m, own)
    completion.complete(m, own.irp, 0, 1, by="wsk")
    assert holder(m, own.irp) == "wsk"
    completion.complete(m, own.irp, 0, 2, by="wsk")
    assert len(own.calls) == 2


@pytest.mark.parametrize("returned", [0, irp.PENDING, FAILED])
def test_an_own_irp_must_be_stopped(own: Any, m: Machine, stops: Any, returned: int) -> None:
    """IRP-14, IRP-16, MIS-04: only STATUS_MORE_PROCESSING_REQUIRED stops completion."""
    own.returns = returned
    send(m, own)
    with stops("own-irp-not-stopped") as stop:
        completion.complete(m, own.irp, 0, 1, by="wsk")
    assert stop[0].values["routine"] == "Completed"


def test_an_own_irp_that_was_freed_and_not_stopped(own: Any, m: Machine, stops: Any) -> None:
    """MIS-04, with the IRP gone: the rule named is the one to follow."""
    own.returns, own.inside = 0, lambda: m.api("IoFreeIrp")(own.irp)
    send(m, own)
    with stops("own-irp-not-stopped"):
        completion.complete(m, own.irp, 0, 1, by="wsk")


def test_completed_twice(own: Any, m: Machine, stops: Any) -> None:
    """BUG-04."""
    send(m, own)
    completion.complete(m, own.irp, 0, 1, by="wsk")
    with stops("irp-completed-twice") as stop:
        m.api("IofCompleteRequest")(own.irp, 0)
    assert (stop[0].bugcheck, stop[0].parameters[0]) == (0x44, f"{own.irp:#018x}")


def test_the_routine_must_come_back_at_the_same_irql(own: Any, m: Machine, stops: Any) -> None:
    """BUG-29."""

    def raise_irql() -> None:
        m.irql = 2

    own.inside = raise_irql
    send(m, own)
    with stops("irp-routine-changed-irql") as stop:
        completion.complete(m, own.irp, 0, 1, by="wsk")
    assert stop[0].parameters == ("0xFA", "Completed", "0", "2")


def test_the_events_of_a_completion(own: Any, m: Machine) -> None:
    send(m, own)
    completion.complete(m, own.irp, 0, 9, by="wsk")
    events = [(event.kind, event.actor, event.target) for event in m.trace.about(own.irp)]
    assert events[-3:] == [("hand-over", "driver", "wsk"), ("complete", "wsk", None), ("routine-returned", "driver", "wsk")]


# IRPs of others


class Given:
    """An IRP of an application with two locations, handed to the driver, which passes it to a device."""

    def __init__(self, m: Machine, returns: int = 0) -> None:
        self.m, self.returns, self.finished = m, returns, list[tuple[int, int, int]]()
        self.calls: list[tuple[int, int]] = []
        self.inside: Any = lambda: None
        self.irp = irp.build(m, 2, lambda *result: self.finished.append(result))
        irp.hand_over(m, self.irp, "driver", by="app", device=m.new("DEVICE_OBJECT"))

    def pass_on(self, *flags: int) -> Given:
        def routine(device: int, packet: int, context: int) -> int:
            self.calls.append((device, m.u8(packet + irp.layout().pending)))
            self.inside()
            return self.returns

        m = self.m
        if flags:
            m.api("IoSetCompletionRoutine")(self.irp, m.python_code(routine, "Passed"), 0, *flags)
        irp.hand_over(m, self.irp, "device")
        return self


def test_without_a_routine_completion_travels_up(m: Machine) -> None:
    """WSK-USE-13; the maker takes the IRP back at the end."""
    given = Given(m).pass_on()
    completion.complete(m, given.irp, 0, 12, by="device")
    assert given.finished == [(given.irp, 0, 12)]
    assert not m.block_at(given.irp).live  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("flags", "status", "called"),
    [((1, 0, 0), 0, 1), ((1, 0, 0), FAILED, 0), ((0, 1, 0), 0, 0), ((0, 1, 0), FAILED, 1), ((0, 0, 1), 0, 0)],
)
def test_any_flags_for_an_irp_of_others(m: Machine, flags: tuple[int, ...], status: int, called: int) -> None:
    """WSK-USE-15, IRP-11."""
    given = Given(m).pass_on(*flags)
    completion.complete(m, given.irp, status, 0, by="device")
    assert (len(given.calls), len(given.finished)) == (called, 1)


def test_the_routine_of_a_driver_with_a_location_gets_its_device(m: Machine) -> None:
    """IRP-19."""
    given = Given(m).pass_on(1, 1, 1)
    device = m.u64(given.irp + 208 + 72 + irp.layout().device)
    completion.complete(m, given.irp, 0, 0, by="device")
    assert given.calls == [(device, 0)]


def test_pending_has_to_be_carried_on(m: Machine, stops: Any) -> None:
    """IRP-22, WSK-USE-14: without a routine the I/O manager does it, in a routine the driver must."""
    given = Given(m).pass_on()
    irp.mark_pending(m, given.irp, by="device")
    completion.complete(m, given.irp, 0, 0, by="device")
    assert len(given.finished) == 1
    given = Given(m).pass_on(1, 1, 1)
    given.inside = lambda: m.api("IoMarkIrpPending")(given.irp)
    irp.mark_pending(m, given.irp, by="device")
    completion.complete(m, given.irp, 0, 0, by="device")
    assert len(given.finished) == 1
    careless = Given(m).pass_on(1, 1, 1)
    irp.mark_pending(m, careless.irp, by="device")
    with stops("irp-pending-not-propagated"):
        completion.complete(m, careless.irp, 0, 0, by="device")


def test_stopped_and_resumed(m: Machine) -> None:
    """IRP-15: a second IoCompleteRequest resumes with the routine above."""
    given = Given(m, irp.MORE_PROCESSING_REQUIRED).pass_on(1, 1, 1)
    completion.complete(m, given.irp, 0, 3, by="device")
    assert given.finished == []
    assert holder(m, given.irp) == "driver"
    m.api("IofCompleteRequest")(given.irp, 0)
    assert given.finished == [(given.irp, 0, 3)]


def test_resumed_and_not_stopped(m: Machine, stops: Any) -> None:
    """BUG-04: completing in the routine and then letting completion go on."""
    given = Given(m).pass_on(1, 1, 1)
    given.inside = lambda: m.api("IofCompleteRequest")(given.irp, 0)
    with stops("irp-completed-twice"):
        completion.complete(m, given.irp, 0, 3, by="device")


def test_an_irp_of_others_is_not_freed_or_armed_again(m: Machine, stops: Any) -> None:
    """WSK-USE-14, IRP-06, IRP-08."""
    given = Given(m)
    with stops("irp-foreign-freed") as stop:
        m.api("IoFreeIrp")(given.irp)
    assert (stop[0].parameters[0], stop[0].values["maker"]) == ("0x2", "app")
    with stops("irp-foreign-reused"):
        m.api("IoReuseIrp")(given.irp, 0)
    with stops("irp-cancelled-not-owner"):
        m.api("IoCancelIrp")(given.irp)


def test_touched_after_completion(m: Machine, stops: Any) -> None:
    """IRP-21."""
    given = Given(m)
    m.set_i32(given.irp + irp.layout().status, 0)
    m.api("IofCompleteRequest")(given.irp, 0)
    with stops("irp-touched-after-completion"):
        m.api("IoMarkIrpPending")(given.irp)
    with stops("use-after-free"):
        m.u8(given.irp + irp.layout().cancel)


def test_what_may_not_be_completed(m: Machine, stops: Any) -> None:
    """IRP-21, IRP-34, BUG-32."""
    given, o = Given(m), irp.layout()
    m.set_i32(given.irp + o.status, irp.PENDING)
    with stops("irp-completed-pending"):
        m.api("IofCompleteRequest")(given.irp, 0)
    m.set_i32(given.irp + o.status, 0)
    m.api("IoSetCancelRoutine")(given.irp, m.python_code(lambda device, packet: None, "Cancel"))
    with stops("irp-completed-cancelable"):
        m.api("IofCompleteRequest")(given.irp, 0)
    m.api("IoSetCancelRoutine")(given.irp, 0)
    lock = m.allocate(8, "pool", zero=True)
    m.api("KeAcquireSpinLockRaiseToDpc")(lock)
    with stops("irp-completed-under-lock"):
        m.api("IofCompleteRequest")(given.irp, 0)
    m.api("KeReleaseSpinLock")(lock, 0)
    m.irql = 5
    with stops("irp-completed-at-high-irql") as caught:
        m.api("IofCompleteRequest")(given.irp, 0)
    assert (caught[0].rule.bugcheck, caught[0].parameters[:2]) == (0xC9, ("0xE", "5"))
    m.irql = 0
    m.api("IofCompleteRequest")(given.irp, 0)
    assert len(given.finished) == 1


# Cancellation


def test_cancelling_without_a_cancel_routine(own: Any, m: Machine) -> None:
    """IRP-28: Cancel is set, the answer is FALSE, and the outcome is open (IRP-29)."""
    send(m, own)
    assert m.api("IoCancelIrp")(own.irp) == 0
    assert m.u8(own.irp + irp.layout().cancel) == 1
    completion.complete(m, own.irp, 0, 4, by="wsk")
    assert len(own.calls) == 1


def test_cancelling_with_a_cancel_routine(own: Any, m: Machine) -> None:
    """IRP-30: the holder completes with STATUS_CANCELLED and 0; the routine runs at DISPATCH_LEVEL with the lock held."""
    seen: list[int] = []

    def cancelled(packet: int) -> None:
        seen.append(m.irql)
        completion.complete(m, packet, CANCELLED, 0, by="wsk")

    send(m, own)
    completion.set_cancel_routine(m, own.irp, completion.cancel_code(m, cancelled, "WSK cancel"))
    assert m.api("IoCancelIrp")(own.irp) == 1
    assert (len(own.calls), seen, m.irql) == (1, [0], 0)
    assert m.i32(own.irp + irp.layout().status) == CANCELLED


def test_a_cancel_routine_must_release_the_lock(own: Any, m: Machine, stops: Any) -> None:
    """IRP-30."""
    send(m, own)
    completion.set_cancel_routine(m, own.irp, m.python_code(lambda device, packet: None, "Forgetful"))
    with stops("routine-changed-irql"):
        m.api("IoCancelIrp")(own.irp)


def test_cancelling_after_completion(own: Any, m: Machine, stops: Any) -> None:
    """BUG-06, WSK-USE-28, MIS-13."""
    send(m, own)
    completion.complete(m, own.irp, 0, 4, by="wsk")
    with stops("irp-cancelled-after-completion") as stop:
        m.api("IoCancelIrp")(own.irp)
    assert stop[0].bugcheck == 0x48
