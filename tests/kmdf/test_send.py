"""WdfRequestSend: the order of its checks, its three forms, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest

TIMEOUT, SYNCHRONOUS, IGNORE_STATE, FORGET = 1, 2, 4, 8
MS = 10_000


def test_at_once(kit: Any) -> None:
    """KMDF-SND-18, KMDF-CRT-09: the routine has run before WdfRequestSend returns TRUE."""
    device = kit.device()
    target = kit.target(device)
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert (log, kit.status(request), log.irql) == ([("STATUS_SUCCESS", 8)], "STATUS_SUCCESS", 0)


def test_later(kit: Any) -> None:
    """KMDF-CPL-01, 04, KMDF-CRT-08: the routine runs at DISPATCH_LEVEL, once."""
    target = kit.target(kit.device(answers="later"))
    request, log = kit.ready(target)
    assert kit.send(request, target) and log == []
    kit.lab.run()
    assert (log, log.irql) == ([("STATUS_SUCCESS", 8)], 2)


def test_an_error_of_the_device_is_not_an_error_of_the_send(kit: Any) -> None:
    """KMDF-SND-18, KMDF-MIS-02, KMDF-CPP-04."""
    target = kit.target(kit.device(answers="error", information=3))
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert (log, log.length) == ([("STATUS_IO_DEVICE_ERROR", 3)], 3)


def test_a_driver_created_request_needs_no_routine(kit: Any) -> None:
    """KMDF-SND-07, KMDF-CRT-13: the results stay readable."""
    target = kit.target(kit.device(data=b"abc"))
    request, memory = kit.request(target), kit.memory(4)
    assert kit.read(target, request, memory) == "STATUS_SUCCESS"
    assert kit.send(request, target)
    params = kit.m.new("WDF_REQUEST_COMPLETION_PARAMS", kind="native")
    kit.m.set_u32(params, 72)
    kit.wdk.WdfRequestGetCompletionParams(request, params)
    view = kit.m.view(params, "WDF_REQUEST_COMPLETION_PARAMS")
    assert (view.Type, view.IoStatus.Information, view.Parameters.Read.Length) == (3, 3, 3)
    assert (kit.status(request), int(kit.wdk.WdfRequestGetInformation(request))) == ("STATUS_SUCCESS", 3)


@pytest.mark.parametrize(
    ("flags", "size"), [(0x10, 16), (0x10000, 16), (FORGET | TIMEOUT, 16), (FORGET | SYNCHRONOUS, 16), (0, 15)]
)
def test_options_are_checked_before_the_target(make_kit: Any, flags: int, size: int) -> None:
    """KMDF-OPT-02 to 04, KMDF-SND-02, 03, RULE-17: even with a bad target handle."""
    kit = make_kit()
    request, _ = kit.ready(kit.target())
    with kit.stops("kmdf-send-options"):
        kit.wdk.WdfRequestSend(request, 0x1234, kit.options(flags, size=size))
    kit.fw.verifier = "continue"
    assert not kit.wdk.WdfRequestSend(request, 0x1234, kit.options(flags, size=size))
    assert kit.status(request) == "STATUS_INVALID_PARAMETER"
    with kit.stops("kmdf-not-a-handle", "0x5", "0x0000000000001234", "0x1200"):
        kit.wdk.WdfRequestSend(request, 0x1234, kit.options(0))


def test_unformatted(make_kit: Any) -> None:
    """KMDF-SND-10, RULE-08: refused by the verifier; without it what is there goes down (KMDF-SND-11)."""
    kit = make_kit()
    device = kit.device()
    target = kit.target(device)
    request = kit.request(target)
    with kit.stops("kmdf-request-unformatted"):
        kit.send(request, target)
    kit.fw.verifier = "continue"
    assert not kit.send(request, target)
    assert kit.status(request) == "STATUS_REQUEST_NOT_ACCEPTED"
    kit.fw.verifier = "off"
    assert kit.send(request, target)
    assert device.received[0].name == "IRP_MJ_CREATE"


def test_formatting_lasts_for_one_send(kit: Any) -> None:
    """KMDF-CPL-08, 09, KMDF-CHG-08, KMDF-MIS-14."""
    target = kit.target()
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    with kit.stops("kmdf-request-unformatted"):
        kit.send(request, target)
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert kit.wdk.WdfRequestChangeTarget(request, target) == 0
    with kit.stops("kmdf-request-unformatted"):
        kit.send(request, target)


def test_the_routine_lasts_for_one_send(kit: Any) -> None:
    """KMDF-CRT-02, 03."""
    target = kit.target()
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert kit.send(request, target)
    assert log == [("STATUS_SUCCESS", 8)]


@pytest.mark.parametrize("verifier", ["stop", "off"])
def test_sent_twice(kit: Any, verifier: str) -> None:
    """KMDF-SND-09, RULE-09: with or without verifier."""
    kit.fw.verifier = verifier
    target = kit.target(kit.device(answers="never"))
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    with kit.stops("kmdf-request-already-sent", "0x6", "0x3", f"{request:#018x}", "0"):
        kit.send(request, target)


def test_too_few_stack_locations(make_kit: Any) -> None:
    """KMDF-SND-10, RULE-14, KMDF-MIS-15: another target than the one it was formatted for."""
    kit = make_kit()
    first, deep = kit.target(), kit.target(kit.device("deep", stack_size=3))
    request, log = kit.ready(first)
    with kit.stops("kmdf-too-few-stack-locations"):
        kit.send(request, deep)
    kit.fw.verifier = "continue"
    assert not kit.send(request, deep)
    assert (kit.status(request), log) == ("STATUS_REQUEST_NOT_ACCEPTED", [])


def test_no_memory_for_a_timer(make_kit: Any) -> None:
    """KMDF-SND-12, KMDF-TMO-06."""
    kit = make_kit()
    target = kit.target()
    request, _ = kit.ready(target)
    kit.lab.choices["framework allocation"] = "fails"
    assert not kit.send(request, target, TIMEOUT, -MS)
    assert kit.status(request) == "STATUS_INSUFFICIENT_RESOURCES"
    del kit.lab.choices["framework allocation"]
    assert kit.wdk.WdfRequestAllocateTimer(request) == 0
    kit.lab.choices["framework allocation"] = "fails"
    assert kit.send(request, target, TIMEOUT, -MS)


def test_timeout(kit: Any) -> None:
    """KMDF-TMO-01, 03, KMDF-CPL-05: cancelled after the time; the mark stays until reuse."""
    target = kit.target(kit.device(answers="never"))
    request, log = kit.ready(target)
    assert kit.send(request, target, TIMEOUT, -5 * MS)
    kit.lab.run()
    assert (log, log.irql, kit.m.time) == ([("STATUS_IO_TIMEOUT", 0)], 2, 5 * MS)
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert not kit.send(request, target)
    assert kit.status(request) == "STATUS_CANCELLED"


def test_a_timeout_that_is_not_needed(kit: Any) -> None:
    """KMDF-CPL-03, KMDF-OPT-06: the timer is stopped; a time without the flag, or 0 with it, is none."""
    target = kit.target(kit.device(answers="later", delay=MS))
    for flags, timeout in ((TIMEOUT, -5 * MS), (0, -1), (TIMEOUT, 0)):
        request, log = kit.ready(target)
        before = kit.m.time
        assert kit.send(request, target, flags, timeout)
        kit.lab.run()
        assert (log, kit.m.time - before) == ([("STATUS_SUCCESS", 8)], MS)


def test_a_timeout_that_the_device_ignores(kit: Any) -> None:
    """KMDF-TMO-02, KMDF-MIS-25: it is a request to cancel; the device's own status is kept."""
    device = kit.device(answers="never", cancelable=False)
    target = kit.target(device)
    request, log = kit.ready(target)
    assert kit.send(request, target, TIMEOUT, -MS)
    kit.lab.run()
    assert log == []
    device.complete_all()
    assert log == [("STATUS_SUCCESS", 8)]


def test_an_absolute_timeout_in_the_past(kit: Any) -> None:
    """KMDF-OPT-05, KMDF-TMO-09, KMDF-MIS-26."""
    target = kit.target(kit.device(answers="later"))
    request, log = kit.ready(target)
    assert kit.send(request, target, TIMEOUT, 10 * MS)
    kit.lab.run()
    assert (log, kit.m.time) == ([("STATUS_IO_TIMEOUT", 0)], 0)


# Synchronously


@pytest.mark.parametrize(("answers", "status"), [("at once", "SUCCESS"), ("later", "SUCCESS"), ("error", "IO_DEVICE_ERROR")])
def test_synchronous(kit: Any, answers: str, status: str) -> None:
    """KMDF-SYN-01, 02, 09: TRUE, the registered routine is called too, the params stay."""
    target = kit.target(kit.device(answers=answers))
    request, log = kit.ready(target)
    assert kit.send(request, target, SYNCHRONOUS | TIMEOUT, -100 * MS)
    assert kit.status(request) == f"STATUS_{status}"
    assert [entry[0] for entry in log] == [f"STATUS_{status}"]


def test_synchronous_timeout(kit: Any) -> None:
    """KMDF-SYN-03, 04, 10."""
    target = kit.target(kit.device(answers="never"))
    request, _ = kit.ready(target)
    kit.lab.choices["framework allocation"] = "fails"
    assert kit.send(request, target, SYNCHRONOUS | TIMEOUT, -5 * MS)
    assert (kit.status(request), kit.m.time) == ("STATUS_IO_TIMEOUT", 5 * MS)


def test_synchronous_without_end(kit: Any) -> None:
    """KMDF-SYN-06, KMDF-MIS-24: nothing can ever go on, and the machine says who waits."""
    target = kit.target(kit.device(answers="never", cancelable=False))
    request, _ = kit.ready(target)
    with kit.stops("hang"):
        kit.send(request, target, SYNCHRONOUS | TIMEOUT, -5 * MS)


def test_synchronous_above_passive_level(kit: Any) -> None:
    """KMDF-SND-22, 23, RULE-64."""
    target = kit.target()
    request, _ = kit.ready(target)
    with kit.m.at_irql(2), kit.stops("kmdf-sync-send-irql"):
        kit.send(request, target, SYNCHRONOUS)


# Refused by the target


@pytest.mark.parametrize(
    ("state", "plain", "ignoring"),
    [
        ("started", (True, "STATUS_SUCCESS"), (True, "STATUS_SUCCESS")),
        ("stopped", (True, None), (True, "STATUS_SUCCESS")),
        ("purged", (False, "STATUS_INVALID_DEVICE_STATE"), (True, "STATUS_SUCCESS")),
        ("closed", (False, "STATUS_INVALID_DEVICE_STATE"), (False, "STATUS_INVALID_DEVICE_STATE")),
    ],
)
def test_states(kit: Any, state: str, plain: tuple[bool, str | None], ignoring: tuple[bool, str]) -> None:
    """KMDF-STA-01, KMDF-SND-13, 17, 19."""
    kit.fw.verifier = "off"  # a closed target has no stack size, which the verifier does not mind and formatting does
    for flags, (sent, status) in ((0, plain), (IGNORE_STATE, ignoring)):
        target = kit.target(kit.device(f"for {flags}"))
        request, log = kit.ready(target)
        if state == "stopped":
            kit.wdk.WdfIoTargetStop(target, 3)
        elif state == "purged":
            kit.wdk.WdfIoTargetPurge(target, 2)
        elif state == "closed":
            kit.wdk.WdfIoTargetClose(target)
        assert kit.send(request, target, flags) == sent
        assert status is None or kit.status(request) == status
        assert log == ([("STATUS_SUCCESS", 8)] if sent and status else [])


def test_cancelled_before_it_was_sent(kit: Any) -> None:
    """KMDF-CAN-03, 04, KMDF-SND-15, KMDF-MIS-22: FALSE, and the next send fails until reuse."""
    device = kit.device()
    target = kit.target(device)
    request, log = kit.ready(target)
    assert not kit.wdk.WdfRequestCancelSentRequest(request)
    assert not kit.send(request, target)
    assert (kit.status(request), log, device.received) == ("STATUS_CANCELLED", [], [])
    assert kit.reuse(request) == "STATUS_SUCCESS"
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert kit.send(request, target)


# Cancelling what was sent


def test_cancel(kit: Any) -> None:
    """KMDF-CAN-01, 02, 06, 07: TRUE, and the routine has run when the call returns."""
    target = kit.target(kit.device(answers="never"))
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert kit.wdk.WdfRequestCancelSentRequest(request)
    assert log == [("STATUS_CANCELLED", 0)]
    assert kit.fw.live[request].references == 1


def test_cancel_that_nobody_hears(kit: Any) -> None:
    """KMDF-CAN-05, KMDF-MIS-19: FALSE says nothing about the outcome."""
    device = kit.device(answers="never", cancelable=False)
    target = kit.target(device)
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert not kit.wdk.WdfRequestCancelSentRequest(request)
    assert kit.fw.live[request].packet.Cancel
    device.complete_all()
    assert log == [("STATUS_SUCCESS", 8)]


def test_cancel_while_pended_in_a_stopped_target(kit: Any) -> None:
    """KMDF-CAN-11, 12, KMDF-PND-02: the IRP's Cancel stays set until reuse."""
    device = kit.device()
    target = kit.target(device)
    request, log = kit.ready(target)
    kit.wdk.WdfIoTargetStop(target, 3)
    assert kit.send(request, target)
    assert kit.wdk.WdfRequestCancelSentRequest(request)
    assert (log, device.received) == ([("STATUS_CANCELLED", 0)], [])
    irp = kit.wdk.WdfRequestWdmGetIrp(request)
    assert irp.Cancel
    assert kit.reuse(request) == "STATUS_SUCCESS"
    assert not irp.Cancel


def test_the_routine_may_delete_the_request(kit: Any) -> None:
    """KMDF-CRT-14, KMDF-MIS-01, 20: afterwards the handle is gone."""
    target = kit.target(kit.device(answers="later"))
    request = kit.request(target)
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    delete = kit.lab.routine(
        lambda request, target, params, context: kit.m.api("WdfObjectDelete")(request) or 0,
        "EVT_WDF_REQUEST_COMPLETION_ROUTINE",
    )
    kit.wdk.WdfRequestSetCompletionRoutine(request, delete.address, 0)
    assert kit.send(request, target)
    kit.lab.run()
    with kit.stops("kmdf-stale-handle"):
        kit.wdk.WdfRequestCancelSentRequest(request)


# Reuse


def test_reuse(kit: Any) -> None:
    """KMDF-REU-02, 03, 05, 10, KMDF-MIS-08."""
    target = kit.target()
    request, log = kit.ready(target)
    assert kit.reuse(request, size=16) == "STATUS_INVALID_PARAMETER"
    assert kit.reuse(request, flags=8) == "STATUS_INVALID_PARAMETER"
    assert kit.reuse(request, status=-1) == "STATUS_SUCCESS"
    assert kit.fw.live[request].packet.IoStatus.Status == -1
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert kit.send(request, target)
    assert log == []


def test_reuse_while_sent(kit: Any) -> None:
    """KMDF-REU-04, RULE-22."""
    target = kit.target(kit.device(answers="never"))
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    with kit.stops("kmdf-reused-while-sent"):
        kit.reuse(request)


def test_delete_while_sent(kit: Any) -> None:
    """RULE-23, RULE-24, KMDF-IOT-15."""
    target = kit.target(kit.device(answers="never"))
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    with kit.stops("kmdf-deleted-while-sent"):
        kit.wdk.WdfObjectDelete(request)


def test_one_request_to_two_devices(kit: Any) -> None:
    """KMDF-MUL-01 to 05: ChangeTarget, format, routine, send for each."""
    first, second = kit.device("first", data=b"1"), kit.device("second", data=b"2", stack_size=2, io_type="direct")
    targets = [kit.target(first), kit.target(second)]
    request, memories = kit.request(targets[0]), [kit.memory(1), kit.memory(1)]
    for target, memory in zip(targets, memories, strict=True):
        assert kit.wdk.WdfRequestChangeTarget(request, target) == 0
        assert kit.read(target, request, memory) == "STATUS_SUCCESS"
        log = kit.set_routine(request)
        assert kit.send(request, target)
        assert log == [("STATUS_SUCCESS", 1)]
    assert [kit.content(memory) for memory in memories] == [b"1", b"2"]


def test_a_request_that_was_only_deleted_gives_everything_back(kit: Any) -> None:
    """KMDF-WHO-02, KMDF-FMT-08: IRP, system buffer, params and object."""
    device = kit.device()
    target, memory = kit.target(device), kit.memory(8)

    def live() -> int:
        return sum(block.live for block in kit.m.memory.blocks if block.kind not in ("code", "global", "stack"))

    before = live()
    request = kit.request(target)
    assert kit.read(target, request, memory) == "STATUS_SUCCESS"
    assert kit.send(request, target)
    kit.wdk.WdfObjectDelete(request)
    assert live() == before
