"""Requests around an IRP of the driver's own, and formats by hand."""

from __future__ import annotations

from typing import Any

from wsklab.machine.status import name_of


def made(kit: Any, frees: bool, stack: int = 1) -> tuple[int, int]:
    irp, out = int(kit.wdk.IoAllocateIrp(stack, False)), kit.out()
    assert kit.wdk.WdfRequestCreateFromIrp(0, irp, frees, out) == 0
    return irp, kit.m.u64(out)


def test_the_irp_stays_the_drivers(kit: Any) -> None:
    """KMDF-CFI-01, 02, 04, KMDF-CHG-06, KMDF-REU-11, 12."""
    device = kit.device()
    target, deep = kit.target(device), kit.target(kit.device("deep", stack_size=3))
    irp, request = made(kit, False)
    assert name_of(kit.wdk.WdfRequestChangeTarget(request, deep)) == "STATUS_REQUEST_NOT_ACCEPTED"
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    log = kit.set_routine(request)
    assert kit.send(request, target)
    assert (log, device.received[0].irp) == ([("STATUS_SUCCESS", 4)], irp)
    assert kit.reuse(request, flags=1) == "STATUS_SUCCESS"
    kit.wdk.IoFreeIrp(irp)
    kit.wdk.WdfObjectDelete(request)


def test_the_irp_goes_with_the_request(kit: Any) -> None:
    """KMDF-CFI-02: and a deeper target gets a new one (KMDF-CHG-05, 07)."""
    deep = kit.target(kit.device(stack_size=3))
    irp, request = made(kit, True)
    assert kit.wdk.WdfRequestChangeTarget(request, deep) == 0
    assert not kit.m.block_at(irp).live
    assert int(kit.wdk.WdfRequestWdmGetIrp(request)) != irp


def test_a_null_irp(kit: Any) -> None:
    """KMDF-CFI-01."""
    with kit.stops("kmdf-null-parameter", "0x4"):
        kit.wdk.WdfRequestCreateFromIrp(0, 0, False, kit.out())


def test_formats_with_a_stack_location(kit: Any) -> None:
    """KMDF-FWD-01, 02, KMDF-CPP-01, KMDF-CRT-12, 18: all but the completion routine goes down, and only IoStatus comes back."""
    device = kit.device()
    target = kit.target(device)
    request, stack = kit.request(target), kit.m.new("IO_STACK_LOCATION", kind="native")
    view = kit.m.view(stack, "IO_STACK_LOCATION")
    view.MajorFunction, view.Control, view.CompletionRoutine = 0xF, 0xE0, 0x1234
    view.Parameters.DeviceIoControl.IoControlCode = 0x222003
    log = kit.set_routine(request)
    kit.wdk.WdfRequestWdmFormatUsingStackLocation(request, stack)
    below = kit.fw.live[request].location(1)
    assert (below.Control, int(below.CompletionRoutine)) == (0, 0)
    assert kit.send(request, target)
    assert (device.received[0].name, device.received[0].code) == ("IRP_MJ_INTERNAL_DEVICE_CONTROL", 0x222003)
    assert (log, log.type, log.length) == ([("STATUS_SUCCESS", 0)], 0xFF, 0)


def test_what_a_stack_location_cannot_be_put_into(make_kit: Any) -> None:
    """KMDF-FWD-01, KMDF-FCU-02, RULE-15."""
    kit = make_kit()
    request = kit.request()
    stack = kit.m.new("IO_STACK_LOCATION", kind="native")
    with kit.stops("kmdf-no-irp", "0x6", "0x2"):
        kit.wdk.WdfRequestWdmFormatUsingStackLocation(request, stack)
    with kit.stops("kmdf-null-parameter", "0x4"):
        kit.wdk.WdfRequestWdmFormatUsingStackLocation(request, 0)
    with kit.stops("kmdf-no-stack-location", "0x6", "0x1"):
        kit.wdk.WdfRequestFormatRequestUsingCurrentType(kit.request(kit.target()))
