"""Small facts that no scene of the other tests happens to touch: each looked at alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.queues import Queues
from tests.kmdf.test_received import Loaded
from wsklab.c.source import CompileError

FORGET = 8
CLOSED_FOR_QUERY_REMOVE = 3


def test_a_send_leaves_the_drivers_mark_and_sets_the_targets(kit: Any) -> None:
    """KMDF-WHO-05, 07, KMDF-SND-16: on the sent list, with the framework's routine for success, error and cancel."""
    seen: list[Any] = []

    def handler(request: int) -> None:
        kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
        kit.m.api("WdfRequestSetCompletionRoutine")(request, kit.routine().address, 0)
        kit.m.drive(kit.m.modelled("WdfRequestSend").function(kit.m, request, driver.target, 0), "WdfRequestSend")
        known = kit.fw.live[request]
        # The lower driver has the next location now: it is the IRP's current one.
        routine = int(known.location().CompletionRoutine)
        seen.append((known.driver_owned, known.pended, known.timed_out, request in kit.fw.live[driver.target].sent))
        seen.append((routine == kit.fw.completion_address, known.location().Control & 0xE0))

    driver = Loaded(kit, handler, answers="never")
    driver.scene.read(4)
    assert seen == [(True, False, False, True), (True, 0xE0)]


def test_a_request_to_a_target_closed_for_query_remove_fails(kit: Any) -> None:
    """KMDF-STA-11: a comment of the source says that it is pended."""
    target = kit.target()
    request, log = kit.ready(target)
    kit.fw.live[target].target_state = CLOSED_FOR_QUERY_REMOVE
    assert not kit.send(request, target)
    assert (kit.status(request), log, kit.fw.live[target].pended) == ("STATUS_INVALID_DEVICE_STATE", [], {})


def test_a_started_target_holds_no_queue(kit: Any) -> None:
    """KMDF-TSS-10: however many are out, none of them is pended."""
    target = kit.target(kit.device(answers="never"))
    for _ in range(3):
        request, _ = kit.ready(target)
        assert kit.send(request, target)
    assert (len(kit.fw.live[target].sent), kit.fw.live[target].pended) == (3, {})


def test_what_cannot_go_down_at_a_start_fails(kit: Any) -> None:
    """KMDF-PND-05: the first one's routine stops the target again; the second one comes back with Information 0."""
    target = kit.target()
    kit.wdk.WdfIoTargetStop(target, 3)
    first, second = kit.request(target), kit.request(target)
    for request in (first, second):
        assert kit.read(target, request, kit.memory(8)) == "STATUS_SUCCESS"

    def stop(request: int, target: int, params: Any, context: int) -> None:
        kit.fw.live[int(target)].become(2)

    routine = kit.lab.routine(stop, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address
    kit.wdk.WdfRequestSetCompletionRoutine(first, routine, 0)
    log = kit.set_routine(second)
    assert kit.send(first, target) and kit.send(second, target)
    kit.wdk.WdfIoTargetStart(target)
    assert (kit.status(first), log) == ("STATUS_SUCCESS", [("STATUS_INVALID_DEVICE_STATE", 0)])


def test_formatting_for_a_target_without_an_io_type(kit: Any) -> None:
    """KMDF-FRW-10: it passed the check of the stack."""
    target = kit.target()
    request = kit.request(target)
    kit.fw.live[target].io_type = 0
    assert kit.read(target, request, kit.memory(4)) == "STATUS_INVALID_DEVICE_STATE"


def test_the_same_format_again_needs_no_memory(kit: Any) -> None:
    """KMDF-FMT-15."""
    target = kit.target()
    request, memory = kit.request(target), kit.memory(4)
    assert kit.read(target, request, memory) == "STATUS_SUCCESS"
    kit.lab.choices["framework allocation"] = "fails"
    assert kit.read(target, request, memory) == "STATUS_SUCCESS"


def test_another_target_of_the_same_depth_is_not_noticed(kit: Any) -> None:
    """KMDF-FMT-22: formatted with a system buffer, sent to a device that wants an MDL."""
    buffered, direct = kit.target(), kit.target(kit.device("direct", io_type="direct", answers="never"))
    request, _ = kit.ready(buffered)
    assert kit.send(request, direct)
    packet = kit.fw.live[request].packet
    assert (int(packet.AssociatedIrp.SystemBuffer) != 0, int(packet.MdlAddress)) == (True, 0)


def test_the_request_is_looked_at_first(kit: Any) -> None:
    """KMDF-SND-01: before options and target, which are wrong too."""
    with kit.stops("kmdf-wrong-handle", "0x5", f"{0:#018x}", "0x1008"):
        kit.wdk.WdfRequestSend(0, 0x1234, kit.options(0x10000))


def test_after_reuse_the_contents_are_gone(kit: Any) -> None:
    """KMDF-REU-19: what was formatted before is not sent again; a read of length 0 with nothing in it would go down."""
    device = kit.device()
    target = kit.target(device)
    request, _ = kit.ready(target)
    assert kit.reuse(request) == "STATUS_SUCCESS"
    known = kit.fw.live[request]
    assert (known.routine, int(known.packet.AssociatedIrp.SystemBuffer), known.location(1).Parameters.Read.Length) == (
        (0, 0),
        0,
        0,
    )


def test_a_reference_keeps_the_context_and_not_the_irp(kit: Any) -> None:
    """KMDF-CMP-14."""
    queues, info = Queues(kit), kit.context_type(16)
    queues.queue(default=True, EvtIoRead=None)
    queues.read()
    (request,), out = queues.owned, kit.out()
    assert kit.wdk.WdfObjectAllocateContext(request, kit.attributes(ContextTypeInfo=info), out) == 0
    context = kit.m.u64(out)
    kit.wdk.WdfObjectReferenceActual(request, 0, 0, 0)
    queues.complete(request)
    assert (kit.m.read(context, 16), kit.fw.live[request].irp) == (bytes(16), 0)
    kit.wdk.WdfObjectDereferenceActual(request, 0, 0, 0)
    with kit.stops("use-after-free"):
        kit.m.read(context, 1)


def test_a_sequential_queue_goes_on_after_send_and_forget(kit: Any) -> None:
    """KMDF-SAF-15: the next request comes although the first is out."""

    def handler(request: int) -> None:
        kit.m.drive(
            kit.m.modelled("WdfRequestSend").function(kit.m, request, driver.target, kit.options(FORGET)), "WdfRequestSend"
        )

    driver = Loaded(kit, handler, dispatch="Sequential", answers="never")
    answers = [driver.scene.read(4), driver.scene.read(4)]
    assert (len(driver.handled), [answer.done for answer in answers]) == (2, [False, False])


def test_the_mark_of_a_format_by_hand_outlives_the_send(kit: Any) -> None:
    """KMDF-SAF-05: neither completion nor reuse of a received request clears it."""
    seen: list[bool] = []

    def handler(request: int) -> None:
        kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
        kit.m.api("WdfRequestSetCompletionRoutine")(request, kit.routine().address, 0)
        kit.m.drive(kit.m.modelled("WdfRequestSend").function(kit.m, request, driver.target, 0), "WdfRequestSend")
        seen.append(kit.fw.live[request].next_formatted)
        kit.reuse(request)
        seen.append(kit.fw.live[request].next_formatted)
        driver.complete(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done
    assert seen == [True, True]


@pytest.mark.parametrize(("level", "seen"), [(3, [2]), (2, [0])])
def test_the_irql_of_a_handler(kit: Any, level: int, seen: list[int]) -> None:
    """KMDF-QUE-12: that of whoever brings the request, unless the queue's level is passive."""
    queues, levels = Queues(kit), list[int]()
    attributes = kit.attributes(ExecutionLevel=level)
    queues.queue(default=True, attributes=attributes, EvtIoRead=lambda request: levels.append(kit.m.irql))
    with kit.m.at_irql(2):
        queues.read()
    kit.lab.run()
    assert levels == seen


def test_completion_parameters_of_a_control_code_have_no_input_length(kit: Any) -> None:
    """KMDF-CPP-05."""
    text = """#include <ntddk.h>
    #include <wdf.h>
    size_t F(PWDF_REQUEST_COMPLETION_PARAMS P) { return P->Parameters.Ioctl.%s.Length; }"""
    with pytest.raises(CompileError):
        kit.lab.load(text % "Input")
    assert kit.lab.load(text % "Output").F is not None


@pytest.mark.parametrize(("flags", "pending"), [(0, 1), (2, 0)])
def test_the_pending_bit_comes_up_with_the_request(kit: Any, flags: int, pending: int) -> None:
    """KMDF-CPL-02: into the driver's own stack location, unless the send was synchronous."""
    seen: list[int] = []

    def done(request: int, target: int, params: Any, context: int) -> None:
        seen.append(kit.fw.live[int(request)].location().Control & 1)

    def handler(request: int) -> None:
        kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
        routine = kit.lab.routine(done, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address
        kit.m.api("WdfRequestSetCompletionRoutine")(request, routine, 0)
        kit.fw.live[request].location().Control = 0
        kit.m.drive(kit.m.modelled("WdfRequestSend").function(kit.m, request, driver.target, 0), "WdfRequestSend")
        kit.fw.live[request].waiting = [] if flags else None  # as a synchronous sender waits

    driver = Loaded(kit, handler, answers="later")
    driver.scene.read(4)
    kit.lab.run()
    assert seen == [pending]
