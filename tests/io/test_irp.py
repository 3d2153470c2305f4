"""Own IRPs on the way down: making, arming, handing over, freeing. Facts: IRP-01 to IRP-13, WSK-USE-07 to WSK-USE-12."""

from __future__ import annotations

from typing import Any

import pytest

from tests.io.who import holder, is_free
from wsklab.io import completion, irp
from wsklab.machine import Machine


def test_a_fresh_irp_has_the_documented_bytes(m: Machine) -> None:
    """IRP-01: initialised, stack locations zeroed, the current location one above the first."""
    address = m.api("IoAllocateIrp")(2, 0)
    packet = m.view(address, "IRP")
    assert (packet.Type, packet.Size, packet.StackCount, packet.CurrentLocation) == (6, 208 + 2 * 72, 2, 3)
    assert m.u64(address + irp.layout().current) == address + 208 + 2 * 72
    assert m.read(address + 208, 2 * 72) == bytes(144)
    assert (packet.Cancel, packet.PendingReturned) == (0, 0)


def test_every_allocation_can_be_made_to_fail(m: Machine) -> None:
    """KRN-46."""
    m.choices["IoAllocateIrp"] = "fails"
    assert m.api("IoAllocateIrp")(1, 0) == 0


def test_the_routine_goes_to_the_next_lower_location(own: Any, m: Machine) -> None:
    """IRP-10: routine, context and the Invoke flags (IRP-11)."""
    own.arm(1, 0, 1)
    location = own.irp + 208
    assert m.u64(location + irp.layout().routine) == own.routine
    assert m.u64(location + irp.layout().context) == 0x77
    assert m.u8(location + irp.layout().control) == irp.ON_SUCCESS | irp.ON_CANCEL


def test_handing_over_moves_to_the_location_of_the_driver_below(own: Any, m: Machine) -> None:
    """WSK-USE-16: the location below is the one that the routine stands in."""
    own.arm()
    assert irp.hand_over(m, own.irp, "wsk", function="WskSend", major=0x0F) == own.irp + 208
    assert m.u8(own.irp + irp.layout().index) == 1
    assert m.u64(own.irp + irp.layout().current) == own.irp + 208
    assert m.u8(own.irp + 208) == 0x0F
    assert holder(m, own.irp) == "wsk"
    assert not is_free(m, own.irp)
    event = [event for event in m.trace if event.kind == "hand-over"][-1]
    assert (event.actor, event.target, event.objects, event.data) == (
        "driver", "wsk", (own.irp,),
        {"irp": own.irp, "function": "WskSend", "device": 0, "location": 1, "count": 1, "function_code": 0x0F},
    )  # fmt: skip


def test_an_own_irp_needs_a_routine(own: Any, m: Machine, stops: Any) -> None:
    """WSK-USE-08, IRP-34, MIS-05."""
    before = m.memory.peek(own.irp, 280)
    with stops("irp-without-routine"):
        irp.hand_over(m, own.irp, "wsk")
    assert m.memory.peek(own.irp, 280) == before


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ((0, 1, 1), "InvokeOnSuccess"),
        ((1, 0, 1), "InvokeOnError"),
        ((1, 1, 0), "InvokeOnCancel"),
        ((0, 1, 0), "InvokeOnSuccess, InvokeOnCancel"),
    ],
)
def test_an_own_irp_needs_all_three_flags(own: Any, m: Machine, stops: Any, flags: tuple[int, ...], missing: str) -> None:
    """IRP-12."""
    own.arm(*flags)
    with stops("irp-missing-invoke-flag") as stop:
        irp.hand_over(m, own.irp, "wsk")
    assert stop[0].values["flags"] == missing


def test_no_stack_location(m: Machine, stops: Any) -> None:
    """BUG-05, MIS-10: IoAllocateIrp(0, FALSE)."""
    address = m.api("IoAllocateIrp")(0, 0)
    with stops("irp-no-stack-location") as stop:
        m.api("IoSetCompletionRoutine")(address, 1, 0, 1, 1, 1)
    assert (stop[0].bugcheck, stop[0].parameters) == (0x35, (f"{address:#018x}", "0", "0", "0"))
    with stops("irp-no-stack-location"):
        irp.hand_over(m, address, "wsk")


def test_reuse_wipes_the_routine_and_stores_the_status(own: Any, m: Machine, stops: Any) -> None:
    """IRP-06, IRP-07, WSK-USE-12; harmless on a fresh IRP (WSK-USE-11)."""
    own.arm()
    unsuccessful = 0xC000_0001 - (1 << 32)
    m.api("IoReuseIrp")(own.irp, unsuccessful)
    assert m.i32(own.irp + irp.layout().status) == unsuccessful
    with stops("irp-without-routine"):
        irp.hand_over(m, own.irp, "wsk")


def test_sent_again_needs_reuse_first(own: Any, m: Machine, stops: Any) -> None:
    """WSK-USE-10, MIS-06."""
    own.arm()
    irp.hand_over(m, own.irp, "wsk")
    completion.complete(m, own.irp, 0, 5, by="wsk")
    own.arm()
    with stops("irp-sent-again"):
        irp.hand_over(m, own.irp, "wsk")
    m.api("IoReuseIrp")(own.irp, 0)
    own.arm()
    irp.hand_over(m, own.irp, "wsk")
    completion.complete(m, own.irp, 0, 6, by="wsk")
    assert len(own.calls) == 2


def test_one_irp_serves_one_operation_at_a_time(own: Any, m: Machine, stops: Any) -> None:
    """BUG-04, MIS-07; and nothing else may be done to it meanwhile."""
    own.arm()
    irp.hand_over(m, own.irp, "wsk")
    before = m.memory.peek(own.irp, 280)
    with stops("irp-sent-while-in-use") as stop:
        irp.hand_over(m, own.irp, "wsk")
    assert stop[0].bugcheck == 0x44
    with stops("irp-routine-set-in-flight"):
        own.arm()
    with stops("irp-reused-in-flight") as stop:
        m.api("IoReuseIrp")(own.irp, 0)
    assert (stop[0].bugcheck, stop[0].parameters[0]) == (0xC9, "0x310")
    with stops("irp-freed-in-flight") as stop:
        m.api("IoFreeIrp")(own.irp)
    assert (stop[0].bugcheck, stop[0].parameters[0]) == (0xC9, "0x20B")
    with stops("irp-not-yours-to-complete"):
        m.api("IofCompleteRequest")(own.irp, 0)
    with stops("irp-pool-freed") as stop:
        m.api("ExFreePool")(own.irp)
    assert (stop[0].bugcheck, stop[0].parameters[0]) == (0xC4, "0x105")
    assert m.memory.peek(own.irp, 280) == before


def test_freed_twice(own: Any, m: Machine, stops: Any) -> None:
    """IRP-08, MIS-01: an error return does not mean that the IRP is still the caller's."""
    m.api("IoFreeIrp")(own.irp)
    with stops("irp-freed-twice") as stop:
        m.api("IoFreeIrp")(own.irp)
    assert stop[0].objects == (own.irp,)
    assert [event.kind for event in stop[0].lives[own.irp]][:2] == ["allocate", "return"]


@pytest.mark.parametrize(
    "call",
    [
        lambda m, address: m.api("IoReuseIrp")(address, 0),
        lambda m, address: m.api("IoSetCompletionRoutine")(address, 1, 0, 1, 1, 1),
        lambda m, address: m.api("IoCancelIrp")(address),
        lambda m, address: m.api("IoMarkIrpPending")(address),
        lambda m, address: m.api("IofCompleteRequest")(address, 0),
        lambda m, address: irp.hand_over(m, address, "wsk"),
    ],
)
def test_used_after_free(own: Any, m: Machine, stops: Any, call: Any) -> None:
    """BUG-10."""
    m.api("IoFreeIrp")(own.irp)
    with stops("irp-used-after-free"):
        call(m, own.irp)


def test_reading_a_freed_irp_is_seen_at_the_access(own: Any, m: Machine, stops: Any) -> None:
    """MIS-03."""
    m.api("IoFreeIrp")(own.irp)
    with stops("use-after-free"):
        _ = m.view(own.irp, "IRP").Cancel


def test_not_an_irp(m: Machine, stops: Any) -> None:
    """BUG-32: IoFreeIrp on something else; NULL stops as what it is."""
    with stops("irp-not-an-irp"):
        m.api("IoFreeIrp")(m.new("KEVENT"))
    with stops("null-dereference"):
        m.api("IoFreeIrp")(0)


def test_initialising_an_allocated_irp(own: Any, m: Machine, stops: Any) -> None:
    """IRP-04, IRP-05."""
    with stops("irp-initialized-again") as stop:
        m.api("IoInitializeIrp")(own.irp, 280, 1)
    assert stop[0].parameters[0] == "0x20D"


def test_an_irp_in_memory_of_ones_own(m: Machine) -> None:
    """IRP-06: IoInitializeIrp makes an IRP of raw memory, which IoReuseIrp may arm again."""
    memory = m.api("ExAllocatePool2")(0x40, 280, 0x74736574)
    m.api("IoInitializeIrp")(memory, 280, 1)
    routine = m.python_code(lambda device, packet, context: irp.MORE_PROCESSING_REQUIRED, "Done")
    m.api("IoSetCompletionRoutine")(memory, routine, 0, 1, 1, 1)
    irp.hand_over(m, memory, "wsk")
    completion.complete(m, memory, 0, 0, by="wsk")
    m.api("IoReuseIrp")(memory, 0)
    m.api("ExFreePool")(memory)


def test_marking_an_own_irp_pending(own: Any, m: Machine, stops: Any) -> None:
    """IRP-23, WSK-USE-30, MIS-08: there is no location to mark."""
    own.arm()
    with stops("mark-pending-own-irp"):
        m.api("IoMarkIrpPending")(own.irp)
    irp.hand_over(m, own.irp, "wsk")
    with stops("irp-marked-too-late"):
        m.api("IoMarkIrpPending")(own.irp)
    own.inside = lambda: m.api("IoMarkIrpPending")(own.irp)
    with stops("mark-pending-own-irp") as stop:
        completion.complete(m, own.irp, 0, 0, by="wsk")
    assert stop[0].bugcheck == 0x19


def test_completing_an_own_irp_that_was_never_sent(own: Any, m: Machine, stops: Any) -> None:
    """IRP-03, IRP-34, MIS-09."""
    with stops("own-irp-completed"):
        m.api("IofCompleteRequest")(own.irp, 0)
