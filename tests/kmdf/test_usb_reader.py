"""Continuous readers. Page: reading-from-a-pipe.md; expected values are those of the framework's source (fxusbpipe.cpp)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.usb import IN, INTERRUPT, OUT, Usb
from wsklab.machine.status import name_of

READER = """
ULONG calls, failures, stopAt, againAfter = 1000;
WDFMEMORY kept;
VOID ReadComplete(WDFUSBPIPE Pipe, WDFMEMORY Buffer, size_t Length, WDFCONTEXT Context)
{
    size_t size;
    PUCHAR bytes = (PUCHAR)WdfMemoryGetBuffer(Buffer, &size);
    DbgPrint("%d:%d/%d:%c%c%c ", ++calls, (int)Length, (int)size, bytes[(ULONG_PTR)Context] ? bytes[(ULONG_PTR)Context] : '-',
             bytes[(ULONG_PTR)Context + 1] ? bytes[(ULONG_PTR)Context + 1] : '-', bytes[0] ? '!' : '.');
    if (calls == 1) {
        kept = Buffer;
        WdfObjectReference(Buffer);
    }
}
BOOLEAN ReadersFailed(WDFUSBPIPE Pipe, NTSTATUS Status, USBD_STATUS UsbdStatus)
{
    DbgPrint("failed %x %x ", Status, UsbdStatus);
    return ++failures < againAfter;
}
NTSTATUS Config(WDFUSBPIPE Pipe, size_t Length, size_t Header, size_t Trailer, UCHAR Count, BOOLEAN Fails)
{
    WDF_USB_CONTINUOUS_READER_CONFIG config;
    WDF_USB_CONTINUOUS_READER_CONFIG_INIT(&config, ReadComplete, (WDFCONTEXT)Header, Length);
    config.HeaderLength = Header;
    config.TrailerLength = Trailer;
    config.NumPendingReads = Count;
    if (Fails) config.EvtUsbTargetPipeReadersFailed = ReadersFailed;
    return WdfUsbTargetPipeConfigContinuousReader(Pipe, &config);
}
NTSTATUS Wrong(WDFUSBPIPE Pipe, int What)
{
    WDF_USB_CONTINUOUS_READER_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_USB_CONTINUOUS_READER_CONFIG_INIT(&config, What == 1 ? NULL : ReadComplete, NULL, What == 2 ? 0 : 64);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = device;
    if (What == 0) config.Size--;
    if (What == 3) config.TrailerLength = (size_t)-64;
    if (What == 4) config.BufferAttributes = &attributes;
    if (What == 5) config.TransferLength = 63;
    return WdfUsbTargetPipeConfigContinuousReader(Pipe, &config);
}
"""


def reading(
    kit: Any, *, size: int = 64, header: int = 0, trailer: int = 0, count: int = 0, fails: bool = False, **options: Any
) -> Usb:
    """A reader of the bulk pipe, not started yet."""
    usb = Usb(kit, READER, **options)
    assert name_of(usb.driver.Config(usb.pipe(IN), size, header, trailer, count, fails)) == "STATUS_SUCCESS"
    return usb


def console(kit: Any) -> list[str]:
    return str(kit.lab.console).split()


@pytest.mark.parametrize("count, expected", [(0, 2), (3, 3), (40, 10)])
def test_so_many_reads_are_under_way_once_the_pipe_is_started(kit: Any, count: int, expected: int) -> None:
    usb = reading(kit, count=count, answers="never")
    assert len(usb.transfers) == 0
    assert name_of(kit.wdk.WdfIoTargetStart(usb.pipe(IN))) == "STATUS_SUCCESS"
    assert (len(usb.transfers), len(usb.device.pending)) == (expected, expected)
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    assert len(usb.transfers) == expected


def test_what_comes_goes_to_the_driver_and_each_read_is_sent_again(kit: Any) -> None:
    usb = reading(kit, header=2, trailer=1, answers=["later"] * 3 + ["never"], data=b"ab")
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.lab.run()
    assert console(kit) == ["1:2/67:ab.", "2:2/67:ab.", "3:2/67:ab."]
    assert (len(usb.transfers), len(usb.device.pending)) == (5, 2)
    assert {got.urb[32:40] for got in usb.transfers} == {bytes.fromhex("0300000040000000")}
    kept = kit.m.u64(usb.driver.image.globals["kept"])
    assert kit.content(kept)[:4] == b"\0\0ab"  # the driver's reference keeps it


def test_a_read_that_is_answered_at_once_does_not_nest(kit: Any) -> None:
    usb = reading(kit, answers=["at once"] * 50 + ["never"], data=b"x")
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.lab.run()
    assert (len(console(kit)), len(usb.device.pending)) == (50, 2)


@pytest.mark.parametrize("action", [1, 2, 3])
def test_a_stop_always_cancels_and_a_start_begins_anew(kit: Any, action: int) -> None:
    usb = reading(kit, answers="never")
    for _ in range(2):
        kit.wdk.WdfIoTargetStart(usb.pipe(IN))
        assert len(usb.device.pending) == 2
        kit.wdk.WdfIoTargetStop(usb.pipe(IN), action)
        assert (kit.wdk.WdfIoTargetGetState(usb.pipe(IN)), len(usb.device.pending)) == (2, 0)
    assert [name_of(got.status) for got in usb.transfers] == ["STATUS_CANCELLED"] * 4


def test_a_purge_waits(kit: Any) -> None:
    usb = reading(kit, answers="later", cancelable=False)
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.wdk.WdfIoTargetPurge(usb.pipe(IN), 2)
    assert (kit.wdk.WdfIoTargetGetState(usb.pipe(IN)), len(usb.device.pending), len(console(kit))) == (6, 0, 2)


def test_a_stop_of_the_device_stops_the_reader(kit: Any) -> None:
    usb = reading(kit, answers="never")
    kit.wdk.WdfIoTargetStart(usb.usb)
    assert len(usb.device.pending) == 2
    kit.wdk.WdfIoTargetStop(usb.usb, 1)
    assert len(usb.device.pending) == 0


def test_a_failure_begins_all_reads_anew_after_a_reset(kit: Any) -> None:
    usb = reading(kit, fails=True, answers=["never", "error", "never"])
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.lab.run()
    assert console(kit) == ["failed", "c0000185", "c0000004"]
    functions = [got.urb[2:4].hex() if got.code == 0x220003 else hex(got.code) for got in usb.transfers]
    assert functions == ["0900", "0900", "0x220013", "1e00", "0900", "0900"]
    assert [name_of(got.status) for got in usb.transfers[:2]] == ["STATUS_CANCELLED", "STATUS_IO_DEVICE_ERROR"]
    assert len(usb.device.pending) == 2


def test_the_driver_may_end_it(kit: Any) -> None:
    usb = reading(kit, fails=True, answers="error")
    kit.m.set_u32(usb.driver.image.globals["againAfter"], 3)
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.lab.run()
    assert console(kit).count("failed") == 3
    assert (len(usb.device.pending), kit.wdk.WdfIoTargetGetState(usb.pipe(IN))) == (0, 1)


def test_without_a_callback_it_goes_on(kit: Any) -> None:
    usb = reading(kit, answers=["error", "later", "never"], data=b"ok")
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.lab.run()
    assert len(usb.device.pending) == 2


def test_a_reader_that_is_not_stopped(kit: Any) -> None:
    usb = reading(kit, answers="never")
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    with kit.stops("kmdf-reader-not-stopped"):
        kit.lab.unload_driver(usb.loaded)


D0_ENTRY = """
NTSTATUS D0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    Config(pipes[0], 64, 0, 0, 0, FALSE);
    WdfIoTargetStart(WdfUsbTargetPipeGetIoTarget(pipes[0]));
    STOPS
    return STATUS_UNSUCCESSFUL;
}
"""


@pytest.mark.parametrize("stops", [False, True])
def test_a_start_in_vain_is_undone_in_the_same_callback(kit: Any, stops: bool) -> None:
    """RULE-80: after an EvtDeviceD0Entry that fails no EvtDeviceD0Exit comes."""
    stop = "WdfIoTargetStop(WdfUsbTargetPipeGetIoTarget(pipes[0]), WdfIoTargetCancelSentIo);" if stops else ""
    added = READER + D0_ENTRY.replace("STOPS", stop)
    usb = Usb(kit, added, init="power.EvtDeviceD0Entry = D0Entry;", answers="never")
    if stops:
        kit.lab.unload_driver(usb.loaded)
        assert kit.fw.live == {}
        return
    with kit.stops("kmdf-reader-not-stopped"):
        kit.lab.unload_driver(usb.loaded)


def test_windows_goes_on_behind_that(kit: Any) -> None:
    usb = reading(kit, answers="never")
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.fw.verifier = "continue"
    kit.lab.unload_driver(usb.loaded)
    kit.lab.run()
    assert (len(usb.device.pending), [name_of(got.status) for got in usb.transfers]) == (0, ["STATUS_CANCELLED"] * 2)


def test_one_that_is_stopped_goes_with_its_pipe(kit: Any) -> None:
    usb = reading(kit, answers="never")
    kit.wdk.WdfIoTargetStart(usb.pipe(IN))
    kit.wdk.WdfIoTargetStop(usb.pipe(IN), 1)
    kit.lab.unload_driver(usb.loaded)
    assert kit.fw.live == {}


@pytest.mark.parametrize(
    "what, expected",
    [
        (0, "STATUS_INFO_LENGTH_MISMATCH"), (1, "STATUS_INVALID_PARAMETER"), (2, "STATUS_INVALID_PARAMETER"),
        (3, "STATUS_INTEGER_OVERFLOW"), (4, "STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED"), (5, "STATUS_INVALID_BUFFER_SIZE"),
        (6, "STATUS_SUCCESS"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(kit: Any, what: int, expected: str) -> None:
    usb = Usb(kit, READER)
    assert name_of(usb.driver.Wrong(usb.pipe(IN), what)) == expected


def test_one_reader_of_a_pipe_that_sends(kit: Any) -> None:
    usb = reading(kit)
    assert name_of(usb.driver.Config(usb.pipe(IN), 64, 0, 0, 0, 0)) == "STATUS_INVALID_DEVICE_STATE"
    assert name_of(usb.driver.Config(usb.pipe(OUT), 64, 0, 0, 0, 0)) == "STATUS_INVALID_DEVICE_REQUEST"
    assert name_of(usb.driver.Config(usb.pipe(INTERRUPT), 8, 0, 0, 0, 0)) == "STATUS_SUCCESS"


def lives(make_kit: Any, failing: int) -> tuple[int, list[str]]:
    """Start, read, stop, unload, with one allocation of the framework that fails: how many there were, and what is left."""
    kit, asked = make_kit(), [0]
    choose = kit.m.choose

    def one_fails(kind: str, options: Any) -> Any:
        if "fails" in options:
            asked[0] += 1
            return "fails" if asked[0] == failing else "succeeds"
        return choose(kind, options)

    kit.m.choose = one_fails
    usb = Usb(kit, READER, init="", answers=["later"] * 4 + ["never"], data=b"a")
    if usb.usb and usb.pipe(IN) and usb.driver.Config(usb.pipe(IN), 64, 0, 0, 3, 1) >= 0:
        kit.wdk.WdfIoTargetStart(usb.pipe(IN))
        kit.lab.run()
        kit.wdk.WdfIoTargetStop(usb.pipe(IN), 1)
        kept = kit.m.u64(usb.driver.image.globals["kept"])
        if kept:
            kit.wdk.WdfObjectDereferenceActual(kept, 0, 0, 0)
    kit.lab.unload_driver(usb.loaded)
    kit.lab.run()
    left = [each.label for each in kit.m.memory.blocks if each.live and (each.kind == "irp" or each.label == "framework memory")]
    return asked[0], left + [obj.KIND for obj in kit.fw.live.values()]


def test_no_allocation_that_fails_leaves_anything_behind(make_kit: Any) -> None:
    count, left = lives(make_kit, 0)
    assert (count > 15, left) == (True, [])
    assert {failing: left for failing in range(1, count + 1) if (left := lives(make_kit, failing)[1])} == {}
