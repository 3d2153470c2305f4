"""I/O targets: create, open, close, start, stop, purge."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine.status import name_of

MS = 10_000
STARTED, STOPPED, CLOSED, PURGED = 1, 2, 4, 6


def open_params(kit: Any, kind: int, *, size: int = 136, device: int = 0, file: int = 0) -> int:
    address = kit.m.new("WDF_IO_TARGET_OPEN_PARAMS", kind="native")
    view = kit.m.view(address, "WDF_IO_TARGET_OPEN_PARAMS")
    view.Size, view.Type, view.TargetDeviceObject, view.TargetFileObject = size, kind, device, file
    return address


def opened(kit: Any, target: int, *arguments: Any, **options: Any) -> str:
    return name_of(kit.wdk.WdfIoTargetOpen(target, open_params(kit, *arguments, **options)))


def state(kit: Any, target: int) -> int:
    return int(kit.wdk.WdfIoTargetGetState(target))


def test_open(kit: Any) -> None:
    """KMDF-IOT-02 to 07, KMDF-STA-02, 09."""
    device, target = kit.device("disk", stack_size=2, io_type="direct"), kit.target(opened=False)
    assert state(kit, target) == STARTED
    assert opened(kit, target, 1, size=8) == "STATUS_INFO_LENGTH_MISMATCH"
    assert opened(kit, target, 1) == "STATUS_INVALID_PARAMETER"
    assert [opened(kit, target, kind) for kind in (2, 3, 4, 0)] == [
        "STATUS_INVALID_PARAMETER", "STATUS_INVALID_DEVICE_REQUEST", "STATUS_INVALID_PARAMETER", "STATUS_INVALID_PARAMETER"
    ]  # fmt: skip
    assert opened(kit, target, 1, device=device.object) == "STATUS_SUCCESS"
    assert opened(kit, target, 1, device=device.object) == "STATUS_INVALID_DEVICE_STATE"
    assert int(kit.wdk.WdfIoTargetWdmGetTargetDeviceObject(target)) == device.object
    known = kit.fw.live[target]
    assert (known.stack_size, known.io_type) == (2, 3)
    kit.wdk.WdfIoTargetClose(target)
    assert (state(kit, target), known.stack_size) == (CLOSED, 0)
    assert int(kit.wdk.WdfIoTargetWdmGetTargetDeviceObject(target)) == 0
    assert opened(kit, target, 1, device=device.object) == "STATUS_SUCCESS"
    assert state(kit, target) == STARTED


def test_the_file_object_of_a_target_goes_down(kit: Any) -> None:
    """KMDF-FMT-12."""
    device = kit.device("disk")
    for file in (0, kit.m.new("FILE_OBJECT")):
        target = kit.target(opened=False)
        assert opened(kit, target, 1, device=device.object, file=file) == "STATUS_SUCCESS"
        request, _ = kit.ready(target)
        assert kit.send(request, target)
        assert device.received[-1].file_object == file == int(kit.wdk.WdfIoTargetWdmGetTargetFileObject(target))


def test_closed_and_local_targets(kit: Any) -> None:
    """KMDF-CRE-06, KMDF-TGT-08, KMDF-IOT-08."""
    target = kit.target(opened=False)
    out = kit.out()
    assert name_of(kit.wdk.WdfRequestCreate(0, target, out)) == "STATUS_INVALID_DEVICE_STATE"
    kit.wdk.WdfIoTargetClose(target)
    assert state(kit, target) == CLOSED


def test_stop_holds_back_and_start_sends_in_order(kit: Any) -> None:
    """KMDF-TSS-01, KMDF-STA-14, KMDF-PND-04."""
    device = kit.device()
    target = kit.target(device)
    kit.wdk.WdfIoTargetStop(target, 3)
    ready = [kit.ready(target, size) for size in (1, 2, 3)]
    assert all(kit.send(request, target) for request, _ in ready)
    assert (state(kit, target), device.received) == (STOPPED, [])
    assert kit.wdk.WdfIoTargetStart(target) == 0
    assert [seen.length for seen in device.received] == [1, 2, 3]
    assert [log for _, log in ready] == [[("STATUS_SUCCESS", size)] for size in (1, 2, 3)]


def test_the_timeout_of_a_pended_request(kit: Any) -> None:
    """KMDF-PND-04, 06, KMDF-MIS-27: it runs while pended, and is lost at the start."""
    target = kit.target(kit.device(answers="never"))
    kit.wdk.WdfIoTargetStop(target, 3)
    first, log = kit.ready(target)
    assert kit.send(first, target, 1, -MS)
    kit.lab.run()
    assert log == [("STATUS_IO_TIMEOUT", 0)]
    second, log = kit.ready(target)
    assert kit.send(second, target, 1, -MS)
    kit.wdk.WdfIoTargetStart(target)
    kit.lab.run()
    assert log == []


@pytest.mark.parametrize(("action", "outcome"), [(1, [("STATUS_CANCELLED", 0)]), (2, [("STATUS_SUCCESS", 8)]), (3, [])])
def test_stop_and_what_was_sent(kit: Any, action: int, outcome: list[tuple[str, int]]) -> None:
    """KMDF-TSS-03, KMDF-PND-07: what is pended stays."""
    target = kit.target(kit.device(answers="later", delay=MS))
    request, log = kit.ready(target)
    assert kit.send(request, target)
    kit.wdk.WdfIoTargetStop(target, action)
    assert log == outcome
    kit.lab.run()
    assert len(log) == 1


def test_purge(kit: Any) -> None:
    """KMDF-TSS-04, KMDF-PND-09, 10, KMDF-STA-04: pended ones fail, sent ones are cancelled."""
    device = kit.device(answers="never")
    target = kit.target(device)
    sent, sent_log = kit.ready(target)
    assert kit.send(sent, target)
    kit.wdk.WdfIoTargetStop(target, 3)
    pended, pended_log = kit.ready(target)
    assert kit.send(pended, target)
    kit.wdk.WdfIoTargetPurge(target, 1)
    assert (sent_log, pended_log) == ([("STATUS_CANCELLED", 0)], [("STATUS_WDF_DEVICE_REMOVED_NOT_SENT", 0)])
    assert state(kit, target) == PURGED
    kit.wdk.WdfIoTargetStart(target)
    assert kit.read(target, pended, kit.memory(1)) == "STATUS_SUCCESS"
    assert kit.send(pended, target)


def test_requests_that_ignore_the_state_are_left_alone(kit: Any) -> None:
    """KMDF-TSS-05, KMDF-STA-12: a purge does not see them, a close does."""
    target = kit.target(kit.device(answers="never"))
    request, log = kit.ready(target)
    assert kit.send(request, target, 4)
    kit.wdk.WdfIoTargetPurge(target, 1)
    assert log == []
    kit.wdk.WdfIoTargetClose(target)
    assert log == [("STATUS_CANCELLED", 0)]


def test_waiting_forms_above_passive_level(kit: Any) -> None:
    """KMDF-TSS-02, 04, RULE-34."""
    target = kit.target()
    with kit.m.at_irql(2):
        with kit.stops("kmdf-passive-only"):
            kit.wdk.WdfIoTargetStop(target, 2)
        kit.wdk.WdfIoTargetStop(target, 3)
    assert state(kit, target) == STOPPED


def test_deleting_a_target_drains_it(kit: Any) -> None:
    """KMDF-STA-07, 15, KMDF-IOT-15."""
    target = kit.target(kit.device(answers="never"))
    request, log = kit.ready(target)
    assert kit.send(request, target)
    kit.wdk.WdfObjectDelete(target)
    assert (log, target in kit.fw.live) == ([("STATUS_CANCELLED", 0)], False)


SOURCE = """
#include <ntddk.h>
#include <wdf.h>
LONG Order;
LONG Stopped, Started;
VOID Stop(PVOID Target)
{
    WdfIoTargetStop((WDFIOTARGET)Target, WdfIoTargetWaitForSentIoToComplete);
    Stopped = ++Order;
}
VOID StopBeside(WDFIOTARGET Target)
{
    HANDLE thread;
    PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Stop, Target);
    ZwClose(thread);
}
NTSTATUS Start(WDFIOTARGET Target)
{
    NTSTATUS status = WdfIoTargetStart(Target);
    Started = ++Order;
    return status;
}
"""


def test_a_start_waits_for_a_stop_that_waits(make_kit: Any) -> None:
    """KMDF-STA-06, RULE-35, KMDF-TSS-06, RULE-36."""
    kit = make_kit()
    driver = kit.lab.load(SOURCE)
    target = kit.target(kit.device(answers="later", delay=10 * MS))
    request, log = kit.ready(target)
    assert kit.send(request, target)
    driver.StopBeside(target)
    kit.m.run(deadline=MS)
    assert (state(kit, target), kit.fw.live[target].draining) == (STOPPED, 1)
    with kit.m.at_irql(2), kit.stops("kmdf-start-while-stopping"):
        kit.wdk.WdfIoTargetStart(target)
    with kit.stops("kmdf-second-purge"):
        kit.wdk.WdfIoTargetPurge(target, 1)
    assert (driver.Start(target), log) == (0, [("STATUS_SUCCESS", 8)])
    kit.lab.run()
    assert (driver.variables["Stopped"], driver.variables["Started"], state(kit, target)) == (1, 2, STARTED)
