"""What no other test of sent requests looks at, by fact group: checks in order, what stays and what goes, races."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.test_received import Loaded
from wsklab.machine import NotModelled
from wsklab.machine.status import name_of

TIMEOUT, SYNCHRONOUS, IGNORE_STATE = 1, 2, 4
STARTED, STOPPED, CLOSED, PURGED = 1, 2, 4, 6
MS = 10_000


def state(kit: Any, target: int) -> int:
    return int(kit.wdk.WdfIoTargetGetState(target))


# Targets


def test_a_control_device_has_no_local_target(kit: Any) -> None:
    """KMDF-TGT-04, 05."""
    kit.target()
    assert int(kit.wdk.WdfDeviceGetIoTarget(kit.fw.scene.handle)) == 0


def test_states_of_a_closed_target(kit: Any) -> None:
    """KMDF-STA-03 to 05: stop and purge leave it closed; a start says Started although no device is behind it."""
    target = kit.target()
    kit.wdk.WdfIoTargetClose(target)
    kit.wdk.WdfIoTargetStop(target, 3)
    kit.wdk.WdfIoTargetPurge(target, 2)
    assert state(kit, target) == CLOSED
    assert (kit.wdk.WdfIoTargetStart(target), state(kit, target)) == (0, STARTED)
    assert kit.read(target, kit.request()) == "STATUS_INVALID_DEVICE_STATE"


def test_a_window_while_a_close_drains(kit: Any) -> None:
    """KMDF-STA-01, 08, KMDF-IOT-10: a send that ignores the state gets through until the last is back, then the device goes."""
    device = kit.device(answers="later", delay=5 * MS, cancelable=False)
    target = kit.target(device)
    first, log = kit.ready(target)
    late, late_log = kit.ready(target)
    assert kit.send(first, target)
    known = kit.fw.live[target]
    known.end(CLOSED)
    assert (state(kit, target), known.target_device) == (CLOSED, device.object)
    assert not kit.send(late, target) and kit.status(late) == "STATUS_INVALID_DEVICE_STATE"
    assert kit.send(late, target, IGNORE_STATE)
    kit.lab.run()
    assert (log, late_log, known.target_device) == ([("STATUS_SUCCESS", 8)], [("STATUS_SUCCESS", 8)], 0)


def test_disposal_finds_a_target_usable(kit: Any) -> None:
    """KMDF-TSS-11, 12, KMDF-STA-15: cleanup runs first, then what is out is cancelled and waited for."""
    target = kit.target(kit.device(answers="never"))
    seen: list[tuple[int, int]] = []

    def cleanup(handle: int) -> None:
        known = kit.fw.live[int(handle)]
        seen.append((known.target_state, len(known.sent)))

    kit.fw.live[target].callbacks.append((kit.lab.routine(cleanup, "EVT_WDF_OBJECT_CONTEXT_CLEANUP").address, 0))
    request, log = kit.ready(target)
    assert kit.send(request, target)
    kit.wdk.WdfObjectDelete(target)
    assert (seen, log) == ([(STARTED, 1)], [("STATUS_CANCELLED", 0)])


def test_create_refuses_a_foreign_parent(kit: Any) -> None:
    """KMDF-IOT-01: the parent has to lead to the same device."""
    device, out = kit.fw.live[kit.target()].device.handle, kit.out()
    other = kit.wdk.WdfIoTargetCreate(device, kit.attributes(ParentObject=kit.memory(1)), out)
    assert name_of(other) == "STATUS_INVALID_DEVICE_REQUEST"


# Creating and changing


def test_a_request_without_an_irp(kit: Any) -> None:
    """KMDF-CRE-05, 09, KMDF-WHO-04, KMDF-GET-03, KMDF-SND-26: its status is read through NULL; its parent is the driver."""
    request = kit.request()
    assert kit.fw.live[request].parent is kit.fw.default_parent()
    assert kit.fw.live[request].completed
    with kit.stops("null-dereference"):
        kit.status(request)
    kit.fw.verifier = "off"
    with kit.stops("null-dereference"):
        kit.send(request, kit.target())


def test_create_looks_at_the_target_first(kit: Any) -> None:
    """KMDF-CRE-01, 02: a bad target handle before a missing output pointer."""
    kit.target()
    with kit.stops("kmdf-not-a-handle"):
        kit.wdk.WdfRequestCreate(0, 0x1234, 0)


def test_what_a_change_of_target_leaves(kit: Any) -> None:
    """KMDF-CHG-01, 09, 10, 14, KMDF-FMT-17: routine and cancelled mark stay, the target is not recorded."""
    first, second = kit.target(), kit.target(kit.device("other"))
    request, _ = kit.ready(first)
    known = kit.fw.live[request]
    routine = known.routine
    kit.wdk.WdfRequestCancelSentRequest(request)
    assert kit.wdk.WdfRequestChangeTarget(request, second) == 0
    assert (known.routine, known.cancelled, known.target, known.formatted) == (routine, True, None, False)
    assert kit.read(second, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert known.routine == routine


# Formatting


@pytest.mark.parametrize("state_of", ["Stop", "Purge"])
def test_formatting_does_not_look_at_the_state(kit: Any, state_of: str) -> None:
    """KMDF-FMT-16, 21."""
    target = kit.target()
    getattr(kit.wdk, f"WdfIoTarget{state_of}")(target, 2)
    assert kit.read(target, kit.request(target), kit.memory(4)) == "STATUS_SUCCESS"


def test_the_order_of_a_formats_checks(kit: Any) -> None:
    """KMDF-FMT-01, 03, KMDF-FIO-01, 02: one parameter after the other, the state of the target last."""
    closed, memory = kit.target(opened=False), kit.memory(4)
    with kit.stops("kmdf-not-a-handle"):
        kit.ioctl(closed, kit.request(), 0x222000, memory, 0x4321)
    assert kit.ioctl(closed, kit.request(), 0x222000, memory, 0x4321, given_at=kit.offsets(3, 3)) == "STATUS_INTEGER_OVERFLOW"
    assert kit.ioctl(closed, kit.request(), 0x222000, memory, given_at=kit.offsets(3, 3)) == "STATUS_INTEGER_OVERFLOW"
    assert kit.ioctl(closed, kit.request(), 0x222000, memory, given_at=kit.offsets(1, 3)) == "STATUS_INVALID_DEVICE_STATE"


def test_the_next_location_is_cleared_and_the_irp_restored(kit: Any) -> None:
    """KMDF-FMT-09, 10, 14, 19, KMDF-FRW-01, 03, 07, KMDF-REU-06, 14: the context stays, what it changed is put back."""
    target = kit.target()
    request, memory, at = kit.request(target), kit.memory(b"abcdefgh"), kit.out()
    known, wanted = kit.fw.live[request], kit.memory(4)
    kit.m.set_u64(at, 0x1000)
    known.location(1).Parameters.Others.Argument4 = 0x77
    assert kit.wdk.WdfIoTargetFormatRequestForWrite(target, request, memory, 0, at) == 0
    below, packet, context = known.location(1), known.packet, known.context
    assert (below.Parameters.Write.ByteOffset.QuadPart, below.MinorFunction) == (0x1000, 0)
    assert int(below.Parameters.Others.Argument4) == 0
    assert kit.m.read(int(packet.AssociatedIrp.SystemBuffer), 8) == b"abcdefgh"
    assert (known.formatted, kit.fw.live[memory].references) == (True, 2)
    assert kit.read(target, request, wanted) == "STATUS_SUCCESS"
    assert kit.m.read(int(packet.AssociatedIrp.SystemBuffer), 4) == b"abcd"  # a cached one still holds the last transfer
    assert kit.fw.live[memory].references == 1
    assert kit.reuse(request) == "STATUS_SUCCESS"
    assert int(known.packet.AssociatedIrp.SystemBuffer) == int(known.packet.UserBuffer) == 0
    assert known.context is context and kit.fw.live[wanted].references == 1
    kit.wdk.WdfIoTargetFormatRequestForInternalIoctlOthers(target, request, 0x222003, 0, 0, 0, 0, 0, 0)
    assert known.context is not context


def test_a_received_request_hands_on_flags_and_file(kit: Any) -> None:
    """KMDF-FMT-11, KMDF-FCU-04 to 06: for one of the driver's own nothing is copied."""
    seen: list[Any] = []

    def handler(request: int) -> None:
        here = kit.fw.live[request].location()
        here.Flags, here.FileObject = 5, 0x1000
        format_read = kit.m.api("WdfIoTargetFormatRequestForRead")
        assert format_read(driver.target, request, driver.memory(request, "Output"), 0, 0) == 0
        below = kit.fw.live[request].location(1)
        seen.append((below.Flags, int(below.FileObject)))
        kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
        seen.append((kit.fw.live[request].context is not None, kit.fw.live[request].next_formatted))
        driver.complete(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done
    assert seen == [(5, 0x1000), (True, True)]


def test_output_comes_back_with_an_error_too(kit: Any) -> None:
    """KMDF-FIO-08, 11: whenever Information is not 0."""
    target = kit.target(kit.device(answers="error", information=2))
    request, memory = kit.request(target), kit.memory(b"....")
    assert kit.ioctl(target, request, 0x222000, 0, memory) == "STATUS_SUCCESS"
    assert kit.fw.live[request].packet.RequestorMode == 0
    kit.m.write(int(kit.fw.live[request].packet.AssociatedIrp.SystemBuffer), b"xyzw")
    assert kit.send(request, target)
    assert kit.content(memory) == b"xy.."


# Sending


@pytest.mark.parametrize("flags", [TIMEOUT | SYNCHRONOUS, TIMEOUT | IGNORE_STATE, TIMEOUT | SYNCHRONOUS | IGNORE_STATE])
def test_a_timeout_goes_with_the_other_options(kit: Any, flags: int) -> None:
    """KMDF-OPT-01, 07."""
    target = kit.target(kit.device(answers="never"))
    request, log = kit.ready(target)
    assert kit.send(request, target, flags, -MS)
    kit.lab.run()
    assert (log, kit.m.time) == ([("STATUS_IO_TIMEOUT", 0)], MS)


def test_a_synchronous_send_to_a_stopped_target_waits_for_the_start(kit: Any) -> None:
    """KMDF-SYN-05, 08."""
    target = kit.target()
    kit.wdk.WdfIoTargetStop(target, 3)
    request, log = kit.ready(target)
    kit.m.after(3 * MS, lambda: kit.fw.live[target].start(), irql=0)
    assert kit.send(request, target, SYNCHRONOUS)
    assert (log, kit.m.time) == ([("STATUS_SUCCESS", 8)], 3 * MS)


def test_a_refused_synchronous_send_keeps_the_routine(kit: Any) -> None:
    """KMDF-CRT-04, KMDF-SND-04, 08, 27: put back when not accepted, used up otherwise."""
    target = kit.target()
    request, log = kit.ready(target)
    routine = kit.fw.live[request].routine
    kit.wdk.WdfRequestCancelSentRequest(request)
    assert not kit.send(request, target, SYNCHRONOUS)
    assert (kit.status(request), kit.fw.live[request].routine, log) == ("STATUS_CANCELLED", routine, [])
    kit.fw.live[request].cancelled = False
    assert kit.send(request, target, SYNCHRONOUS)
    assert (kit.fw.live[request].routine, log) == ((0, 0), [("STATUS_SUCCESS", 8)])


def test_a_request_that_is_still_cancelable_cannot_be_sent(kit: Any) -> None:
    """KMDF-WHO-08, KMDF-SND-25, RULE-10, RULE-53, KMDF-MIS-23: the queue's link and the target's list are one memory."""
    cancel = kit.lab.routine(lambda request: None, "EVT_WDF_REQUEST_CANCEL").address

    def handler(request: int) -> None:
        kit.m.api("WdfRequestMarkCancelable")(request, cancel)
        kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
        kit.m.api("WdfRequestSetCompletionRoutine")(request, kit.routine().address, 0)
        with kit.stops("kmdf-still-cancelable"):
            kit.m.drive(kit.m.modelled("WdfRequestSend").function(kit.m, request, driver.target, 0), "WdfRequestSend")
        assert kit.m.api("WdfRequestUnmarkCancelable")(request) == 0
        driver.complete(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done


def test_above_the_limit(kit: Any) -> None:
    """KMDF-CRE-08, KMDF-FMT-20, KMDF-CRT-06, KMDF-CAN-16, KMDF-REU-20, KMDF-TMO-06: all of it at DISPATCH_LEVEL."""
    target, out, memory = kit.target(), kit.out(), kit.memory(4)
    with kit.m.at_irql(2):
        assert kit.wdk.WdfRequestCreate(0, target, out) == 0
        request = kit.m.u64(out)
        assert kit.read(target, request, memory) == "STATUS_SUCCESS"
        log = kit.set_routine(request)
        assert kit.wdk.WdfRequestAllocateTimer(request) == 0
        assert kit.send(request, target)
        assert not kit.wdk.WdfRequestCancelSentRequest(request)
        assert kit.reuse(request) == "STATUS_SUCCESS"
    assert (log, log.irql) == ([("STATUS_SUCCESS", 4)], 2)


# Coming back


def test_the_timer_stays_and_the_race_goes_to_the_timeout(kit: Any) -> None:
    """KMDF-TMO-03 to 05, 07: a driver's cancellation that meets the timeout reads as one."""
    target = kit.target(kit.device(answers="never", cancelable=False))
    request, log = kit.ready(target)
    assert kit.wdk.WdfRequestAllocateTimer(request) == 0
    kit.lab.choices["framework allocation"] = "fails"  # the send needs no memory any more
    assert kit.send(request, target, TIMEOUT, -MS)
    kit.lab.run()
    kit.wdk.WdfRequestCancelSentRequest(request)
    known = kit.fw.live[request]
    irp = known.irp
    from wsklab.kmdf import wdm

    wdm.complete(kit.m, irp, kit.lab.wdk.STATUS_CANCELLED, 0, by="device")
    assert (log, known.has_timer, known.cancelled) == ([("STATUS_IO_TIMEOUT", 0)], True, True)


def test_a_canceller_with_a_reference(kit: Any) -> None:
    """KMDF-CAN-07 to 10, KMDF-CRT-14: the routine, which deletes the request, runs before the canceller goes on."""
    target = kit.target(kit.device(answers="never"))
    request = kit.request(target)
    order: list[str] = []

    def done(handle: int, target: int, params: Any, context: int) -> None:
        order.append("routine")
        kit.m.api("WdfObjectDelete")(int(handle))

    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    kit.wdk.WdfRequestSetCompletionRoutine(request, kit.lab.routine(done, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address, 0)
    assert kit.send(request, target)
    kit.wdk.WdfObjectReferenceActual(request, 0, 0, 0)
    assert kit.wdk.WdfRequestCancelSentRequest(request)
    order.append("canceller")
    assert order == ["routine", "canceller"] and request in kit.fw.live
    kit.wdk.WdfObjectDereferenceActual(request, 0, 0, 0)
    assert request not in kit.fw.live


# Reuse and getters


def test_what_reuse_leaves(kit: Any) -> None:
    """KMDF-REU-09, 15, 16, 18, 20: children and context stay; a format before it passes the verifier, empty."""
    device = kit.device()
    target = kit.target(device)
    request, _ = kit.ready(target)
    child, out = kit.attributes(ParentObject=request), kit.out()
    assert kit.wdk.WdfMemoryCreate(child, 0x200, 0x31676154, 8, out, 0) == 0
    assert kit.reuse(request) == "STATUS_SUCCESS"
    assert kit.m.u64(out) in kit.fw.live[request].children
    assert kit.fw.live[request].formatted
    assert kit.reuse(kit.request()) == "STATUS_SUCCESS"
    with pytest.raises(NotModelled, match="must-complete"):  # KMDF-REU-17
        kit.reuse(request, flags=2)


def test_getters(kit: Any) -> None:
    """KMDF-GET-01, 04, 11, KMDF-SND-17, KMDF-MUL-05: the IRP's fields, and no queue for a driver's own request."""
    target = kit.target()
    request = kit.request(target)
    kit.wdk.WdfRequestSetInformation(request, 7)
    kit.fw.live[request].packet.IoStatus.Status = -5
    assert (kit.wdk.WdfRequestGetInformation(request), kit.wdk.WdfRequestGetStatus(request)) == (7, -5)
    assert int(kit.wdk.WdfRequestGetIoQueue(request)) == 0
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    kit.fw.live[request].cancelled = True
    assert not kit.send(request, target)
    assert (kit.status(request), kit.wdk.WdfRequestGetInformation(request)) == ("STATUS_CANCELLED", 7)


def test_after_a_cancellation_at_one_hop_the_next_is_refused(kit: Any) -> None:
    """KMDF-MUL-06, 11, KMDF-MIS-22: until the request is reused."""
    first, second = kit.target(kit.device(answers="never")), kit.target(kit.device("second"))
    request, _ = kit.ready(first)
    assert kit.send(request, first)
    assert kit.wdk.WdfRequestCancelSentRequest(request)
    assert kit.wdk.WdfRequestChangeTarget(request, second) == 0
    assert kit.read(second, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert not kit.send(request, second) and kit.status(request) == "STATUS_CANCELLED"
    assert kit.reuse(request) == "STATUS_SUCCESS"
    assert kit.read(second, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert kit.send(request, second)


def test_a_send_that_is_never_reached(kit: Any) -> None:
    """As on the page of WdfRequestAllocateTimer, whose send stands behind a return: the function runs all the same."""
    driver = kit.lab.load("""
#include <ntddk.h>
#include <wdf.h>
NTSTATUS Prepare(WDFREQUEST Request, WDFIOTARGET Target)
{
    NTSTATUS status = WdfRequestAllocateTimer(Request);
    return status;
    WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS);
}
NTSTATUS Twice(WDFREQUEST Request, WDFIOTARGET Target)
{
    NTSTATUS status = Prepare(Request, Target);
    return NT_SUCCESS(status) ? Prepare(Request, Target) : status;
}
""")
    target = kit.target()
    assert driver.Twice(kit.request(target), target) == 0


@pytest.mark.parametrize(("io_type", "own"), [("Buffered", 2), ("Direct", 3), ("Neither", 1)])
def test_the_effective_io_type(kit: Any, io_type: str, own: int) -> None:
    """KMDF-GET-12: the device's for reads and writes, the method's for control codes."""
    seen: list[int] = []

    def handler(request: int) -> None:
        seen.append(kit.m.api("WdfRequestGetEffectiveIoType")(request))
        driver.complete(request)

    driver = Loaded(kit, handler, io_type=io_type)
    driver.scene.read(4)
    for method in range(4):
        driver.scene.ioctl(0x222000 | method, b"in", 4)
    assert seen == [own, 2, 3, 3, 1]
