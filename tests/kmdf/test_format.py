"""The five format functions, down to the IRP."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine.status import name_of

BUFFERED, IN_DIRECT, OUT_DIRECT, NEITHER = (0x222000 | method for method in range(4))


def next_location(kit: Any, request: int) -> Any:
    irp = int(kit.wdk.WdfRequestWdmGetIrp(request))
    return kit.m.view(kit.m.u64(irp + kit.m.offset("IRP", "Tail.Overlay.CurrentStackLocation")) - 72, "IO_STACK_LOCATION")


def irp_of(kit: Any, request: int) -> Any:
    return kit.m.view(int(kit.wdk.WdfRequestWdmGetIrp(request)), "IRP")


@pytest.mark.parametrize(
    ("offset", "length", "answer", "effective"),
    [
        (0, 0, "STATUS_SUCCESS", 10),
        (4, 0, "STATUS_SUCCESS", 6),
        (4, 3, "STATUS_SUCCESS", 3),
        (10, 0, "STATUS_SUCCESS", 0),
        (4, 7, "STATUS_INTEGER_OVERFLOW", None),
        (11, 0, "STATUS_INTEGER_OVERFLOW", None),
        ((1 << 64) - 1, 1, "STATUS_INTEGER_OVERFLOW", None),
    ],
)
def test_offsets(kit: Any, offset: int, length: int, answer: str, effective: int | None) -> None:
    """KMDF-FMT-04 to 06."""
    target = kit.target()
    request = kit.request(target)
    assert kit.write(target, request, kit.memory(b"0123456789"), kit.offsets(offset, length)) == answer
    if effective is not None:
        assert next_location(kit, request).Parameters.Write.Length == effective


def test_bad_offsets_come_before_a_closed_target(kit: Any) -> None:
    """KMDF-FIO-02, KMDF-CHG-03."""
    target = kit.target(opened=False)
    request, memory = kit.request(), kit.memory(4)
    assert kit.ioctl(target, request, BUFFERED, memory, given_at=kit.offsets(5, 0)) == "STATUS_INTEGER_OVERFLOW"
    assert kit.ioctl(target, request, BUFFERED, memory) == "STATUS_INVALID_DEVICE_STATE"


def test_a_buffered_write_is_copied_when_formatted(kit: Any) -> None:
    """KMDF-FRW-02, 05, KMDF-MIS-17."""
    device = kit.device()
    target = kit.target(device)
    request, memory = kit.request(target), kit.memory(b"before")
    offset = kit.out()
    kit.m.set_i64(offset, 4096)
    assert name_of(kit.wdk.WdfIoTargetFormatRequestForWrite(target, request, memory, 0, offset)) == "STATUS_SUCCESS"
    location = next_location(kit, request)
    assert (location.MajorFunction, location.MinorFunction, location.Parameters.Write.Key) == (4, 0, 0)
    kit.m.write(int(kit.wdk.WdfMemoryGetBuffer(memory, 0)), b"behind")
    log = kit.set_routine(request)
    assert kit.send(request, target)
    seen = device.received[0]
    assert (seen.name, seen.length, seen.offset, seen.content) == ("IRP_MJ_WRITE", 6, 4096, b"before")
    assert (log, log.type, log.length, log.buffer) == ([("STATUS_SUCCESS", 6)], 4, 6, memory)


def test_a_buffered_read_is_copied_back_at_completion(kit: Any) -> None:
    """KMDF-FRW-05, KMDF-CPL-07, KMDF-FRW-11."""
    device = kit.device(data=b"hello", answers="later")
    target = kit.target(device)
    request, memory = kit.request(target), kit.memory(b"........")
    assert kit.read(target, request, memory, kit.offsets(2, 0)) == "STATUS_SUCCESS"
    log = kit.set_routine(request)
    assert kit.send(request, target)
    assert (kit.content(memory), log) == (b"........", [])
    kit.lab.run()
    assert kit.content(memory) == b"..hello."
    assert (log, log.type, log.length, log.buffer, log.offset) == ([("STATUS_SUCCESS", 5)], 3, 5, memory, 2)


def test_a_direct_transfer_goes_through_an_mdl(kit: Any) -> None:
    """KMDF-FRW-08."""
    device = kit.device(data=b"hello", io_type="direct")
    target = kit.target(device)
    request, memory = kit.request(target), kit.memory(8)
    assert kit.read(target, request, memory) == "STATUS_SUCCESS"
    irp, buffer = irp_of(kit, request), int(kit.wdk.WdfMemoryGetBuffer(memory, 0))
    assert (int(irp.AssociatedIrp.SystemBuffer), irp.MdlAddress.ByteCount) == (0, 8)
    assert int(irp.MdlAddress.StartVa) + irp.MdlAddress.ByteOffset == buffer
    kit.set_routine(request)
    assert kit.send(request, target)
    assert kit.content(memory) == b"hello\0\0\0"


def test_a_neither_transfer_has_the_kernel_address(kit: Any) -> None:
    """KMDF-FRW-09."""
    device = kit.device(io_type="neither")
    target = kit.target(device)
    request, memory = kit.request(target), kit.memory(b"data")
    assert kit.write(target, request, memory) == "STATUS_SUCCESS"
    assert int(irp_of(kit, request).UserBuffer) == int(kit.wdk.WdfMemoryGetBuffer(memory, 0))
    kit.set_routine(request)
    assert kit.send(request, target)
    assert device.received[0].content == b"data"


@pytest.mark.parametrize("io_type", ["buffered", "direct", "neither"])
def test_a_transfer_of_nothing(kit: Any, io_type: str) -> None:
    """KMDF-FMT-02, KMDF-FRW-06, 14."""
    device = kit.device(io_type=io_type)
    target = kit.target(device)
    request = kit.request(target)
    assert kit.read(target, request) == "STATUS_SUCCESS"
    irp = irp_of(kit, request)
    assert (int(irp.AssociatedIrp.SystemBuffer), int(irp.UserBuffer), int(irp.MdlAddress)) == (0, 0, 0)
    log = kit.set_routine(request)
    assert kit.send(request, target)
    assert (log, log.buffer) == ([("STATUS_SUCCESS", 0)], 0)


def test_a_buffered_control_code_shares_one_buffer(kit: Any) -> None:
    """KMDF-FIO-03, 05, 09."""
    device = kit.device(data=b"answer")
    target = kit.target(device)
    request, given, wanted = kit.request(target), kit.memory(b"ask"), kit.memory(8)
    assert kit.ioctl(target, request, BUFFERED, given, wanted, wanted_at=kit.offsets(1, 0)) == "STATUS_SUCCESS"
    irp, location = irp_of(kit, request), next_location(kit, request)
    assert (location.MajorFunction, location.Parameters.DeviceIoControl.IoControlCode) == (0xE, BUFFERED)
    assert kit.m.block_at(int(irp.AssociatedIrp.SystemBuffer)).size == 7
    assert int(irp.UserBuffer) == int(kit.wdk.WdfMemoryGetBuffer(wanted, 0)) + 1
    kit.set_routine(request)
    assert kit.send(request, target)
    seen = device.received[0]
    assert (seen.code, seen.input_length, seen.output_length, seen.content) == (BUFFERED, 3, 7, b"ask")
    assert kit.content(wanted) == b"\0answer\0"


@pytest.mark.parametrize("code", [IN_DIRECT, OUT_DIRECT])
def test_a_direct_control_code_gives_the_input_memory_itself(kit: Any, code: int) -> None:
    """KMDF-FIO-06: no copy of the input; the output through an MDL."""
    device = kit.device(data=b"answer")
    target = kit.target(device)
    request, given, wanted = kit.request(target), kit.memory(b"ask"), kit.memory(8)
    assert kit.ioctl(target, request, code, given, wanted) == "STATUS_SUCCESS"
    irp = irp_of(kit, request)
    assert int(irp.AssociatedIrp.SystemBuffer) == int(kit.wdk.WdfMemoryGetBuffer(given, 0))
    assert bool(irp.MdlAddress.MdlFlags & 0x80) == (code == OUT_DIRECT)
    kit.set_routine(request)
    assert kit.send(request, target)
    assert kit.content(wanted) == (b"answer\0\0" if code == OUT_DIRECT else bytes(8))


def test_a_neither_control_code_gives_both_addresses(kit: Any) -> None:
    """KMDF-FIO-07."""
    device = kit.device(data=b"answer")
    target = kit.target(device)
    request, given, wanted = kit.request(target), kit.memory(b"ask"), kit.memory(8)
    assert kit.ioctl(target, request, NEITHER, given, wanted) == "STATUS_SUCCESS"
    assert int(next_location(kit, request).Parameters.DeviceIoControl.Type3InputBuffer) == int(
        kit.wdk.WdfMemoryGetBuffer(given, 0)
    )
    kit.set_routine(request)
    assert kit.send(request, target)
    assert (device.received[0].content, kit.content(wanted)) == (b"ask", b"answer\0\0")


def test_the_transfer_method_counts_for_internal_codes_too(kit: Any) -> None:
    """KMDF-FIO-04."""
    device = kit.device(data=b"x", io_type="direct")
    target = kit.target(device)
    request, wanted = kit.request(target), kit.memory(4)
    answer = kit.wdk.WdfIoTargetFormatRequestForInternalIoctl(target, request, BUFFERED, 0, 0, wanted, 0)
    assert name_of(answer) == "STATUS_SUCCESS"
    log = kit.set_routine(request)
    assert kit.send(request, target)
    assert (device.received[0].name, log.type) == ("IRP_MJ_INTERNAL_DEVICE_CONTROL", 0xF)
    assert kit.content(wanted) == b"x\0\0\0"


def test_others_sends_addresses_and_reports_handles(kit: Any) -> None:
    """KMDF-FOT-01 to 04, KMDF-MIS-39."""
    device = kit.device()
    target = kit.target(device)
    request, first, second = kit.request(target), kit.memory(8), kit.memory(8)
    answer = kit.wdk.WdfIoTargetFormatRequestForInternalIoctlOthers(
        target, request, NEITHER, first, kit.offsets(4, 2), second, 0, 0, 0
    )
    assert name_of(answer) == "STATUS_SUCCESS"
    log = kit.set_routine(request)
    assert kit.send(request, target)
    start = [int(kit.wdk.WdfMemoryGetBuffer(memory, 0)) for memory in (first, second)]
    assert device.received[0].arguments == (start[0] + 4, start[1], NEITHER, 0)
    params = kit.m.new("WDF_REQUEST_COMPLETION_PARAMS", kind="native")
    kit.m.set_u32(params, 72)
    kit.wdk.WdfRequestGetCompletionParams(request, params)
    others = kit.m.view(params, "WDF_REQUEST_COMPLETION_PARAMS").Parameters.Others
    assert (log.type, int(others.Argument1.Ptr), int(others.Argument2.Ptr), int(others.Argument4.Ptr)) == (0x1C, first, second, 0)


def test_references_on_memory(kit: Any) -> None:
    """KMDF-FMT-07, 08, KMDF-CPL-10, KMDF-MEM-09."""
    device = kit.device()
    target = kit.target(device)
    request, first, second = kit.request(target), kit.memory(4), kit.memory(4)

    def counts() -> tuple[int, int]:
        return kit.fw.live[first].references, kit.fw.live[second].references

    assert kit.read(target, request, first) == "STATUS_SUCCESS" and counts() == (2, 1)
    assert kit.read(target, request, second) == "STATUS_SUCCESS" and counts() == (1, 2)
    kit.set_routine(request)
    assert kit.send(request, target) and counts() == (1, 2)
    kit.wdk.WdfObjectDelete(second)
    assert second in kit.fw.live
    assert kit.reuse(request) == "STATUS_SUCCESS" and second not in kit.fw.live
    assert kit.read(target, request, first) == "STATUS_SUCCESS"
    kit.wdk.WdfObjectDelete(request)
    assert kit.fw.live[first].references == 1


def test_a_failed_format_leaves_the_request_unformatted(kit: Any) -> None:
    """KMDF-FMT-13, KMDF-CHG-02."""
    target, closed = kit.target(), kit.target(opened=False)
    request, memory = kit.request(target), kit.memory(4)
    assert kit.read(target, request, memory) == "STATUS_SUCCESS"
    assert kit.read(closed, request, memory) == "STATUS_INVALID_DEVICE_STATE"
    assert kit.fw.live[memory].references == 1
    with kit.stops("kmdf-request-unformatted"):
        kit.send(request, target)


def test_a_report_of_too_much_overruns_the_buffer(kit: Any) -> None:
    """KMDF-FRW-12, KMDF-FIO-10: the copy takes Information bytes."""
    target = kit.target(kit.device(information=9))
    request, log = kit.ready(target, 8)
    with kit.stops("overrun"):
        kit.send(request, target)


def test_the_irp_is_replaced_when_it_is_too_small(kit: Any) -> None:
    """KMDF-CHG-04, 05, 07, KMDF-CRE-03, KMDF-MUL-03."""
    small, large = kit.target(kit.device()), kit.target(kit.device("deep", stack_size=3))
    request = kit.request(small)
    first = irp_of(kit, request)
    assert (first.StackCount, first.CurrentLocation) == (1, 2)
    assert name_of(kit.wdk.WdfRequestChangeTarget(request, small)) == "STATUS_SUCCESS"
    assert irp_of(kit, request) == first
    assert name_of(kit.wdk.WdfRequestChangeTarget(request, large)) == "STATUS_SUCCESS"
    assert irp_of(kit, request).StackCount == 3
    assert not kit.m.block_at(int(first)).live


def test_without_memory_a_format_fails(make_kit: Any) -> None:
    """KMDF-FMT-15, 21."""
    kit = make_kit()
    target, request = kit.target(), kit.request()
    kit.lab.choices["framework allocation"] = "fails"
    assert kit.read(target, request, kit.memory(4)) == "STATUS_INSUFFICIENT_RESOURCES"


def test_formatting_a_sent_request_is_stopped(kit: Any) -> None:
    """KMDF-FMT-18, KMDF-CHG-13."""
    target = kit.target(kit.device(answers="never"))
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    with kit.stops("kmdf-formatted-while-sent"):
        kit.read(target, request)
