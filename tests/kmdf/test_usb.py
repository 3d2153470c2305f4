"""USB I/O targets: transfers of pipes and of the default pipe, down to the URB.

Pages: the wdfusb.h and usb.h reference, usb-i-o-targets.md; expected values are those of the framework's source (fxusbpipe.cpp,
fxusbdevice.cpp, usbutil.cpp). Facts: KMDF-CPP, KMDF-CRT-18, KMDF-SSY, KMDF-STA, KMDF-TMO.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.usb import IN, INTERRUPT, OUT, Usb, configuration, endpoint, interface, transfer
from wsklab.kmdf.application import File
from wsklab.machine import NotModelled
from wsklab.machine.status import name_of

BULK, CONTROL = 0x0009, 0x0008
SUBMIT_URB = 0x220003
MS = 10_000
STARTED, STOPPED, PURGED = 1, 2, 6


def made(usb: Usb, pipe: int, memory: int, *, write: bool = False, offsets: int = 0) -> tuple[str, int]:
    """A request formatted for a pipe."""
    request = usb.kit.request(pipe)
    form = usb.wdk.WdfUsbTargetPipeFormatRequestForWrite if write else usb.wdk.WdfUsbTargetPipeFormatRequestForRead
    return name_of(form(pipe, request, memory, offsets)), request


def handle(usb: Usb, pipe: int) -> int:
    return int(usb.wdk.WdfUsbTargetPipeWdmGetPipeHandle(pipe))


# Reading and writing


def test_a_read_is_a_urb_in_an_internal_control_request(kit: Any) -> None:
    usb = Usb(kit, answers="later", data=b"hello")
    pipe, memory = usb.pipe(IN), kit.memory(64)
    answer, request = made(usb, pipe, memory)
    seen = usb.log(request)
    below = kit.m.view(kit.wdk.WdfRequestWdmGetIrp(request), "IRP").Tail.Overlay.CurrentStackLocation
    next_location = kit.m.view(int(below) - kit.m.sizeof("IO_STACK_LOCATION"), "IO_STACK_LOCATION")
    fields = next_location.MajorFunction, next_location.MinorFunction, next_location.Flags, int(next_location.FileObject)
    assert (answer, fields) == ("STATUS_SUCCESS", (0xF, 0, 0, 0))
    assert next_location.Parameters.DeviceIoControl.IoControlCode == SUBMIT_URB
    assert kit.send(request, pipe)
    (got,) = usb.transfers
    address = int(kit.wdk.WdfMemoryGetBuffer(memory, 0))
    assert got.urb == transfer(BULK, handle(usb, pipe), 3, 64, address)
    assert (got.name, got.code, got.arguments[1:]) == ("IRP_MJ_INTERNAL_DEVICE_CONTROL", SUBMIT_URB, (0, SUBMIT_URB, 0))
    kit.lab.run()
    assert seen == [
        {
            "status": "STATUS_SUCCESS",
            "information": 5,
            "type": 0x40,
            "usb": 6,
            "usbd": 0,
            "buffer": memory,
            "length": 5,
            "offset": 0,
        }
    ]
    assert kit.content(memory) == b"hello" + bytes(59)


def test_a_write_of_a_part_of_a_memory(kit: Any) -> None:
    usb = Usb(kit)
    pipe, memory = usb.pipe(OUT), kit.memory(b"0123456789")
    answer, request = made(usb, pipe, memory, write=True, offsets=kit.offsets(3, 4))
    seen = usb.log(request)
    assert (answer, kit.send(request, pipe)) == ("STATUS_SUCCESS", True)
    (got,) = usb.transfers
    assert got.urb == transfer(BULK, handle(usb, pipe), 0, 4, int(kit.wdk.WdfMemoryGetBuffer(memory, 0)) + 3)
    assert got.content == b"3456"
    assert seen == [
        {
            "status": "STATUS_SUCCESS",
            "information": 4,
            "type": 0x40,
            "usb": 5,
            "usbd": 0,
            "buffer": memory,
            "length": 4,
            "offset": 3,
        }
    ]


def test_a_failed_transfer_tells_the_status_of_the_bus(kit: Any) -> None:
    usb = Usb(kit, answers="error")
    pipe, memory = usb.pipe(IN), kit.memory(64)
    _, request = made(usb, pipe, memory)
    seen = usb.log(request)
    kit.send(request, pipe)
    assert [(each["status"], each["information"], each["usbd"], each["length"]) for each in seen] == [
        ("STATUS_IO_DEVICE_ERROR", 0, 0xC000_0004, 0)
    ]


def test_a_request_can_be_formatted_and_sent_again(kit: Any) -> None:
    """KMDF-FMT-14: the URB stays with the request, for the next format of its kind and no other."""
    usb = Usb(kit, data=b"ab")
    pipe, memory = usb.pipe(IN), kit.memory(64)
    _, request = made(usb, pipe, memory)
    for _ in range(3):
        seen = usb.log(request)
        kit.send(request, pipe)
        assert [each["length"] for each in seen] == [2]
        kit.reuse(request)
        assert name_of(kit.wdk.WdfUsbTargetPipeFormatRequestForRead(pipe, request, memory, 0)) == "STATUS_SUCCESS"
    assert len({got.arguments[0] for got in usb.transfers}) == 1
    setup = usb.setup(0x40)
    assert name_of(kit.wdk.WdfUsbTargetDeviceFormatRequestForControlTransfer(usb.usb, request, setup, 0, 0)) == "STATUS_SUCCESS"
    kit.wdk.WdfObjectDelete(request)


QUEUE = "WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchParallel); queue.EvtIoRead = Read;"
READS = """
VOID Back(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PWDF_USB_REQUEST_COMPLETION_PARAMS known = Params->Parameters.Usb.Completion;
    WdfRequestCompleteWithInformation(Request, Params->IoStatus.Status, known->Parameters.PipeRead.Length);
}
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WDFMEMORY memory;
    WDFMEMORY_OFFSET offsets = {0, 64};
    NTSTATUS status = WdfRequestRetrieveOutputMemory(Request, &memory);
    PWDFMEMORY_OFFSET part = Length > 64 ? &offsets : NULL;
    if (NT_SUCCESS(status)) status = WdfUsbTargetPipeFormatRequestForRead(pipes[0], Request, memory, part);
    WdfRequestSetCompletionRoutine(Request, Back, NULL);
    if (!NT_SUCCESS(status) || !WdfRequestSend(Request, WdfUsbTargetPipeGetIoTarget(pipes[0]), WDF_NO_SEND_OPTIONS))
        WdfRequestComplete(Request, NT_SUCCESS(status) ? WdfRequestGetStatus(Request) : status);
}
"""


@pytest.mark.parametrize("length", [64, 100])
def test_a_received_read_goes_on_to_a_pipe(kit: Any, length: int) -> None:
    """A memory with an MDL gives the URB that, or one of its part, and no buffer."""
    usb = Usb(kit, READS, queue=QUEUE, data=b"from the device", answers="later")
    asked = File(kit.m, usb.loaded.object).read(length, overlapped=True)
    (got,) = usb.transfers
    mdl = int.from_bytes(got.urb[48:56], "little")
    assert got.urb == transfer(BULK, handle(usb, usb.pipe(IN)), 3, 64, 0, mdl)
    own = int(kit.m.view(got.irp, "IRP").MdlAddress)
    assert (mdl == own, kit.m.view(mdl, "MDL").ByteCount) == (length == 64, 64)
    kit.lab.run()
    assert (asked.data, name_of(asked.status)) == (b"from the device", "STATUS_SUCCESS")


@pytest.mark.parametrize(
    "pipe, size, write, expected",
    [
        (IN, 63, False, "STATUS_INVALID_BUFFER_SIZE"),
        (IN, 64, True, "STATUS_INVALID_DEVICE_REQUEST"),
        (OUT, 64, False, "STATUS_INVALID_DEVICE_REQUEST"),
        (OUT, 63, True, "STATUS_SUCCESS"),
        (INTERRUPT, 16, False, "STATUS_SUCCESS"),
        (INTERRUPT, 12, False, "STATUS_INVALID_BUFFER_SIZE"),
    ],
)
def test_what_a_pipe_takes(kit: Any, pipe: int, size: int, write: bool, expected: str) -> None:
    usb = Usb(kit)
    assert made(usb, usb.pipe(pipe), kit.memory(size), write=write)[0] == expected


def test_a_pipe_without_the_check_of_the_length(kit: Any) -> None:
    usb = Usb(kit, data=b"abc")
    kit.wdk.WdfUsbTargetPipeSetNoMaximumPacketSizeCheck(usb.pipe(IN))
    assert usb.read_sync(usb.pipe(IN), 5) == ("STATUS_SUCCESS", 3, b"abc\0\0")


def test_pipes_of_other_types_transfer_by_urbs_only(kit: Any) -> None:
    usb = Usb(kit, usb=configuration(1, interface(0, 0, endpoint(0x81, 1, 64))))
    assert kit.wdk.WdfUsbTargetPipeGetType(usb.pipe(0)) == 2
    assert made(usb, usb.pipe(0), kit.memory(64))[0] == "STATUS_INVALID_DEVICE_REQUEST"
    with pytest.raises(NotModelled, match="a USB device that gets a URB of this function"):
        urb = kit.m.allocate(152, kind="pool", zero=True)
        kit.m.set_u16(urb, 152)
        kit.m.set_u16(urb + 2, 0xA)
        kit.wdk.WdfUsbTargetPipeSendUrbSynchronously(usb.pipe(0), 0, 0, urb)


# Senders that wait


def test_a_read_and_a_write_that_wait(kit: Any) -> None:
    usb = Usb(kit, answers="later", data=b"0123456789" * 9)
    assert usb.read_sync(usb.pipe(IN), 64) == ("STATUS_SUCCESS", 64, (b"0123456789" * 9)[:64])
    assert usb.write_sync(usb.pipe(OUT), b"down") == ("STATUS_SUCCESS", 4)
    read, write = usb.transfers
    assert (read.urb[:36], write.urb[:36], write.content) == (
        transfer(BULK, handle(usb, usb.pipe(IN)), 3, 0)[:36], transfer(BULK, handle(usb, usb.pipe(OUT)), 0, 0)[:36], b"down",
    )  # fmt: skip


def test_a_time_out_cancels_the_transfer(kit: Any) -> None:
    """KMDF-SYN-03, KMDF-TMO-03: the bus says that it was cancelled, the framework that the time was over."""
    usb = Usb(kit, answers="never")
    before = kit.m.time
    options = kit.options(1, -5 * MS)
    assert usb.read_sync(usb.pipe(IN), 64, options) == ("STATUS_IO_TIMEOUT", 0, bytes(64))
    assert kit.m.time - before == 5 * MS
    (got,) = usb.transfers
    assert name_of(got.status) == "STATUS_CANCELLED"


def test_a_request_with_a_time_out(kit: Any) -> None:
    usb = Usb(kit, answers="never")
    pipe, memory = usb.pipe(IN), kit.memory(64)
    _, request = made(usb, pipe, memory)
    seen = usb.log(request)
    kit.send(request, pipe, 1, -5 * MS)
    kit.lab.run()
    assert [(each["status"], each["usbd"]) for each in seen] == [("STATUS_IO_TIMEOUT", 0xC001_0000)]


def test_options_and_descriptors_are_checked_first(kit: Any) -> None:
    """KMDF-SSY-03, 04: what was transferred is 0 then, and a descriptor may be left out."""
    usb = Usb(kit)
    assert usb.read_sync(usb.pipe(IN), 64, kit.options(1, size=12)) == ("STATUS_INFO_LENGTH_MISMATCH", 0, bytes(64))
    assert usb.read_sync(usb.pipe(OUT), 64) == ("STATUS_INVALID_DEVICE_REQUEST", 0, bytes(64))
    descriptor, _ = usb.descriptor(4)
    kit.m.set_u64(descriptor + 8, 0)
    assert name_of(kit.wdk.WdfUsbTargetPipeWriteSynchronously(usb.pipe(OUT), 0, 0, descriptor, 0)) == "STATUS_INVALID_PARAMETER"
    assert name_of(kit.wdk.WdfUsbTargetPipeWriteSynchronously(usb.pipe(OUT), 0, 0, 0, 0)) == "STATUS_SUCCESS"
    (got,) = usb.transfers
    assert got.urb == transfer(BULK, handle(usb, usb.pipe(OUT)), 0, 0)


def test_senders_that_wait_need_passive_level(kit: Any) -> None:
    usb = Usb(kit)
    kit.m.irql = 2
    with kit.stops("kmdf-passive-only"):
        usb.read_sync(usb.pipe(IN), 64)


# The default pipe


def test_a_control_transfer_to_the_device(kit: Any) -> None:
    """The stack below is a modern one: the default pipe goes by a flag, and wLength is that of the buffer."""
    usb = Usb(kit)
    descriptor, buffer = usb.descriptor(b"light")
    assert usb.control_sync(usb.setup(0x40, 0xD8, 0x1234, 7), descriptor) == ("STATUS_SUCCESS", 5)
    (got,) = usb.transfers
    assert got.urb == transfer(CONTROL, 0, 2 | 8, 5, buffer, setup=bytes.fromhex("40d8341207000500"))
    assert got.content == b"light"


def test_a_control_transfer_from_the_device(kit: Any) -> None:
    usb = Usb(kit, data=b"\x5a")
    descriptor, buffer = usb.descriptor(4)
    assert usb.control_sync(usb.setup(0xC0), descriptor) == ("STATUS_SUCCESS", 1)
    (got,) = usb.transfers
    assert got.urb == transfer(CONTROL, 0, 1 | 2 | 8, 4, buffer, setup=bytes.fromhex("c001020003000400"))
    assert kit.m.read(buffer, 4) == b"\x5a\0\0\0"


def test_a_control_transfer_without_data(kit: Any) -> None:
    usb = Usb(kit)
    empty, _ = usb.descriptor(0)
    kit.m.set_u64(empty + 8, 0)
    assert usb.control_sync(usb.setup(0x40), 0) == usb.control_sync(usb.setup(0x40), empty) == ("STATUS_SUCCESS", 0)
    assert {got.urb for got in usb.transfers} == {transfer(CONTROL, 0, 10, 0, setup=bytes.fromhex("4001020003000000"))}
    kit.m.set_u32(empty + 16, 5)
    assert usb.control_sync(usb.setup(0x40), empty) == ("STATUS_INVALID_PARAMETER", 0)


def test_a_control_transfer_that_fails_has_moved_nothing(kit: Any) -> None:
    usb = Usb(kit, answers="error")
    assert usb.control_sync(usb.setup(0x40), usb.descriptor(b"ab")[0]) == ("STATUS_IO_DEVICE_ERROR", 0)


def test_a_control_transfer_of_a_request(kit: Any) -> None:
    usb = Usb(kit, data=b"xyz")
    memory, request, setup = kit.memory(8), kit.request(usb.usb), usb.setup(0xC0)
    answer = kit.wdk.WdfUsbTargetDeviceFormatRequestForControlTransfer(usb.usb, request, setup, memory, kit.offsets(2, 0))
    seen = []

    def completed(request: int, target: int, params: Any, context: int) -> None:
        usb = params.Parameters.Usb.Completion
        part = usb.Parameters.DeviceControlTransfer
        packet = bytes(part.SetupPacket.Generic.Bytes[i] for i in range(8))
        seen.append((params.Type, params.IoStatus.Information, usb.Type, usb.UsbdStatus, int(part.Buffer), packet, part.Length))

    kit.wdk.WdfRequestSetCompletionRoutine(request, kit.lab.routine(completed, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address, 0)
    assert (name_of(answer), kit.send(request, usb.usb)) == ("STATUS_SUCCESS", True)
    assert seen == [(0x40, 3, 3, 0, memory, bytes.fromhex("c00102000300eeee"), 3)]
    assert kit.content(memory) == b"\0\0xyz\0\0\0"


def test_a_control_transfer_has_16_bits_for_its_length(kit: Any) -> None:
    usb = Usb(kit)
    memory, request, setup = kit.memory(0x1_0000), kit.request(usb.usb), usb.setup(0x40)
    answer = kit.wdk.WdfUsbTargetDeviceFormatRequestForControlTransfer(usb.usb, request, setup, memory, 0)
    assert name_of(answer) == "STATUS_INVALID_PARAMETER"


# Abort, reset, URBs of the driver's


def test_abort_ends_the_transfers_of_one_pipe(kit: Any) -> None:
    usb = Usb(kit, answers="never")
    logs = []
    for index, size in ((IN, 64), (INTERRUPT, 8)):
        _, request = made(usb, usb.pipe(index), kit.memory(size))
        logs.append(usb.log(request))
        kit.send(request, usb.pipe(index))
    assert name_of(kit.wdk.WdfUsbTargetPipeAbortSynchronously(usb.pipe(IN), 0, 0)) == "STATUS_SUCCESS"
    assert [[each["status"] for each in log] for log in logs] == [["STATUS_CANCELLED"], []]
    head = (40).to_bytes(2, "little") + (2).to_bytes(2, "little") + bytes(20)
    assert usb.transfers[-1].urb == head + handle(usb, usb.pipe(IN)).to_bytes(8, "little") + bytes(8)


def test_reset_cancels_what_was_sent_and_ignores_the_state(kit: Any) -> None:
    usb = Usb(kit, answers="never")
    _, request = made(usb, usb.pipe(IN), kit.memory(64))
    seen = usb.log(request)
    kit.send(request, usb.pipe(IN))
    kit.wdk.WdfIoTargetStop(usb.pipe(IN), 3)
    assert name_of(kit.wdk.WdfUsbTargetPipeResetSynchronously(usb.pipe(IN), 0, 0)) == "STATUS_SUCCESS"
    assert [each["status"] for each in seen] == ["STATUS_CANCELLED"]
    assert usb.transfers[-1].urb[:4] == bytes.fromhex("28001e00")


def test_a_reset_of_the_port_cancels_the_transfers_of_all_pipes(kit: Any) -> None:
    usb = Usb(kit, answers="never")
    logs = []
    for index, size in ((IN, 64), (INTERRUPT, 8)):
        _, request = made(usb, usb.pipe(index), kit.memory(size))
        logs.append(usb.log(request))
        kit.send(request, usb.pipe(index))
    assert name_of(kit.wdk.WdfUsbTargetDeviceResetPortSynchronously(usb.usb)) == "STATUS_SUCCESS"
    assert [[each["status"] for each in log] for log in logs] == [["STATUS_CANCELLED"], ["STATUS_CANCELLED"]]
    assert (usb.transfers[-1].name, usb.transfers[-1].code) == ("IRP_MJ_INTERNAL_DEVICE_CONTROL", 0x220007)


@pytest.mark.parametrize("function, kind", [("Abort", 7), ("Reset", 8)])
def test_abort_and_reset_with_a_request(kit: Any, function: str, kind: int) -> None:
    usb = Usb(kit)
    request = kit.request(usb.pipe(IN))
    seen = usb.log(request)
    answer = getattr(kit.wdk, f"WdfUsbTargetPipeFormatRequestFor{function}")(usb.pipe(IN), request)
    assert (name_of(answer), kit.send(request, usb.pipe(IN))) == ("STATUS_SUCCESS", True)
    assert [(each["status"], each["type"], each["usb"], each["usbd"]) for each in seen] == [("STATUS_SUCCESS", 0x40, kind, 0)]


def test_a_urb_of_the_drivers(kit: Any) -> None:
    usb = Usb(kit, data=b"own")
    pipe, memory = usb.pipe(IN), kit.memory(128)
    urb, buffer = int(kit.wdk.WdfMemoryGetBuffer(memory, 0)), kit.m.allocate(64, kind="pool", zero=True)
    kit.m.write(urb, transfer(BULK, handle(usb, pipe), 3, 64, buffer))
    request = kit.request(pipe)
    seen = usb.log(request)
    assert name_of(kit.wdk.WdfUsbTargetPipeFormatRequestForUrb(pipe, request, memory, 0)) == "STATUS_SUCCESS"
    kit.send(request, pipe)
    assert [(each["usb"], each["buffer"], each["usbd"]) for each in seen] == [(9, memory, 0)]
    assert (usb.transfers[0].arguments[0], kit.m.u32(urb + 36), kit.m.read(buffer, 3)) == (urb, 3, b"own")
    kit.m.set_u32(urb + 36, 64)
    assert name_of(kit.wdk.WdfUsbTargetDeviceSendUrbSynchronously(usb.usb, 0, 0, urb)) == "STATUS_SUCCESS"
    assert kit.m.u32(urb + 36) == 3
    short = kit.memory(23)
    assert name_of(kit.wdk.WdfUsbTargetDeviceFormatRequestForUrb(usb.usb, request, short, 0)) == "STATUS_INVALID_PARAMETER"


# States


def test_a_pipe_is_stopped_and_started_by_itself(kit: Any) -> None:
    """KMDF-STA-03, 05: what is sent to a stopped pipe waits."""
    usb = Usb(kit, data=b"later")
    pipe, memory = usb.pipe(IN), kit.memory(64)
    kit.wdk.WdfIoTargetStop(pipe, 1)
    _, request = made(usb, pipe, memory)
    seen = usb.log(request)
    assert kit.send(request, pipe)
    assert (kit.wdk.WdfIoTargetGetState(pipe), kit.wdk.WdfIoTargetGetState(usb.pipe(OUT)), seen) == (STOPPED, STARTED, [])
    kit.wdk.WdfIoTargetStart(pipe)
    assert [each["length"] for each in seen] == [5]


def test_the_device_takes_its_pipes_along(kit: Any) -> None:
    usb = Usb(kit, answers="never")

    def states() -> list[int]:
        return [int(kit.wdk.WdfIoTargetGetState(target)) for target in (usb.usb, *map(usb.pipe, range(3)))]

    _, request = made(usb, usb.pipe(IN), kit.memory(64))
    seen = usb.log(request)
    kit.send(request, usb.pipe(IN))
    kit.wdk.WdfIoTargetPurge(usb.usb, 1)
    assert (states(), [each["status"] for each in seen]) == ([PURGED] * 4, ["STATUS_CANCELLED"])
    kit.wdk.WdfIoTargetStart(usb.usb)
    assert states() == [STARTED] * 4
    kit.wdk.WdfIoTargetStop(usb.usb, 3)
    assert states() == [STOPPED] * 4


def test_pipes_and_interfaces_belong_to_the_framework(kit: Any) -> None:
    """KMDF-OBJ-18."""
    usb = Usb(kit)
    for obj in (usb.pipe(IN), int(kit.wdk.WdfUsbTargetDeviceGetInterface(usb.usb, 0))):
        with kit.stops("kmdf-not-deletable"):
            kit.wdk.WdfObjectDelete(obj)


def test_handles_are_told_apart(kit: Any) -> None:
    usb = Usb(kit)
    with kit.stops("kmdf-wrong-handle", "0x5"):
        kit.wdk.WdfUsbTargetPipeGetType(usb.usb)
    with kit.stops("kmdf-wrong-handle", "0x5"):
        kit.wdk.WdfUsbTargetDeviceGetNumInterfaces(usb.pipe(IN))


def test_unloading_ends_everything(kit: Any) -> None:
    usb = Usb(kit, answers="never")
    _, request = made(usb, usb.pipe(IN), kit.memory(64))
    seen = usb.log(request)
    kit.send(request, usb.pipe(IN))
    kit.lab.unload_driver(usb.loaded)
    assert [each["status"] for each in seen] == ["STATUS_CANCELLED"]


@pytest.mark.parametrize("function", ["WdfUsbTargetDeviceCreateUrb", "WdfUsbTargetDeviceCyclePortSynchronously"])
def test_what_is_not_modelled_says_so(kit: Any, function: str) -> None:
    usb = Usb(kit, f"NTSTATUS Other(void) {{ return {function}(usb{', NULL, NULL, NULL' if 'Urb' in function else ''}); }}")
    with pytest.raises(NotModelled, match=function):
        usb.driver.Other()
