"""The five WdfIoTargetSend…Synchronously functions, with every kind of memory descriptor."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine.status import name_of

MS = 10_000
BUFFERED_CODE, DIRECT_CODE = 0x222000, 0x222002


class Sync:
    """Descriptors and calls of one target."""

    def __init__(self, kit: Any, **device: Any) -> None:
        self.kit, self.device = kit, kit.device(**device)
        self.target, self.bytes = kit.target(self.device), kit.out()

    def described(self, kind: int, pointer: int, length: int) -> int:
        address = self.kit.m.allocate(24, kind="native", zero=True)
        for offset, value in ((0, kind), (8, pointer), (16, length)):
            self.kit.m.set_u64(address + offset, value)
        return int(address)

    def buffer(self, content: bytes) -> tuple[int, int]:
        """A buffer and the descriptor of it."""
        address = self.kit.m.allocate(len(content), kind="native")
        self.kit.m.write(address, content)
        return address, self.described(1, address, len(content))

    def read(self, descriptor: int, request: int = 0, options: int = 0) -> tuple[str, int]:
        self.kit.m.set_u64(self.bytes, 77)
        answer = self.kit.wdk.WdfIoTargetSendReadSynchronously(self.target, request, descriptor, 0, options, self.bytes)
        return name_of(answer), self.kit.m.u64(self.bytes)


@pytest.mark.parametrize("io_type", ["buffered", "direct", "neither"])
@pytest.mark.parametrize("answers", ["at once", "later"])
def test_a_buffer(kit: Any, io_type: str, answers: str) -> None:
    """KMDF-SSY-01, 07, 08, 14."""
    sync = Sync(kit, data=b"abc", io_type=io_type, answers=answers)
    address, descriptor = sync.buffer(bytes(4))
    live = len(kit.fw.live)
    assert sync.read(descriptor) == ("STATUS_SUCCESS", 3)
    assert (kit.m.read(address, 4), sync.device.received[0].length) == (b"abc\0", 4)
    assert len(kit.fw.live) == live  # request and memory objects were the framework's own


def test_a_handle_with_offsets_and_an_mdl(kit: Any) -> None:
    """KMDF-SSY-04, KMDF-MEM-11, KMDF-FRW-08."""
    sync = Sync(kit, data=b"abcdef", io_type="direct")
    memory = kit.memory(b"........")
    assert sync.read(sync.described(3, memory, kit.offsets(2, 3))) == ("STATUS_SUCCESS", 3)
    assert kit.content(memory) == b"..abc..."
    assert kit.fw.live[memory].references == 1
    assert sync.read(sync.described(3, memory, kit.offsets(2, 9))) == ("STATUS_INTEGER_OVERFLOW", 77)
    buffer = kit.m.allocate(8, kind="native", zero=True)
    mdl = kit.wdk.IoAllocateMdl(buffer, 8, False, False, 0)
    kit.wdk.MmBuildMdlForNonPagedPool(mdl)
    assert sync.read(sync.described(2, int(mdl), 8)) == ("STATUS_SUCCESS", 6)
    assert kit.m.read(buffer, 8) == b"abcdef\0\0"


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
def test_an_empty_descriptor(kit: Any, kind: int) -> None:
    """KMDF-SSY-04, 08: nothing is sent and BytesReturned is not written."""
    sync = Sync(kit)
    assert sync.read(sync.described(kind, 0, 4)) == ("STATUS_INVALID_PARAMETER", 77)
    assert sync.device.received == []


def test_write_ioctl_and_internal(kit: Any) -> None:
    """KMDF-SSY-01, KMDF-FIO-03, 05, KMDF-FOT-01, 02."""
    sync, wdk = Sync(kit, data=b"out"), kit.wdk
    _, given = sync.buffer(b"input")
    room, wanted = sync.buffer(bytes(3))
    at = kit.out()
    kit.m.set_u64(at, 512)
    assert wdk.WdfIoTargetSendWriteSynchronously(sync.target, 0, given, at, 0, sync.bytes) == 0
    assert wdk.WdfIoTargetSendIoctlSynchronously(sync.target, 0, BUFFERED_CODE, given, wanted, 0, sync.bytes) == 0
    assert wdk.WdfIoTargetSendInternalIoctlSynchronously(sync.target, 0, DIRECT_CODE, given, wanted, 0, 0) == 0
    assert (kit.m.u64(sync.bytes), kit.m.read(room, 3)) == (3, b"out")
    assert wdk.WdfIoTargetSendInternalIoctlOthersSynchronously(sync.target, 0, 0x222003, given, 0, wanted, 0, 0) == 0
    seen = [(one.name, one.content, one.offset, one.code) for one in sync.device.received[:3]]
    assert seen == [
        ("IRP_MJ_WRITE", b"input", 512, 0),
        ("IRP_MJ_DEVICE_CONTROL", b"input", 0, BUFFERED_CODE),
        ("IRP_MJ_INTERNAL_DEVICE_CONTROL", b"input", 0, DIRECT_CODE),
    ]
    arguments = sync.device.received[3].arguments
    assert (kit.m.read(arguments[0], 5), arguments[1:]) == (b"input", (0, 0x222003, room))


def test_a_request_of_the_drivers(kit: Any) -> None:
    """KMDF-SSY-06, 09, 10, KMDF-GET-06, KMDF-CRT-05: its routine is neither called nor kept, its format is gone."""
    sync = Sync(kit, data=b"abcd", answers="later")
    request, log = kit.ready(sync.target)
    _, descriptor = sync.buffer(bytes(4))
    assert sync.read(descriptor, request) == ("STATUS_SUCCESS", 4)
    assert (log, kit.fw.live[request].routine, kit.fw.live[request].context) == ([], (0, 0), None)
    assert kit.status(request) == "STATUS_SUCCESS"


def test_refused(kit: Any) -> None:
    """KMDF-SSY-07, 08, 11: Information is told also when nothing was sent; the framework's routine stays on the request."""
    sync = Sync(kit)
    kit.wdk.WdfIoTargetPurge(sync.target, 1)
    request = kit.request(sync.target)
    _, descriptor = sync.buffer(bytes(4))
    assert sync.read(descriptor, request) == ("STATUS_INVALID_DEVICE_STATE", 0)
    assert kit.fw.live[request].routine == (kit.fw.quiet_routine, 0)
    assert kit.reuse(request) == "STATUS_SUCCESS"
    assert kit.fw.live[request].routine == (0, 0)


def test_options(make_kit: Any) -> None:
    """KMDF-SSY-03, KMDF-OPT-04: here the status itself comes back, and send-and-forget means nothing."""
    kit = make_kit()
    sync = Sync(kit, data=b"abcd")
    _, descriptor = sync.buffer(bytes(4))
    assert sync.read(descriptor, 0, kit.options(0, size=15)) == ("STATUS_INFO_LENGTH_MISMATCH", 77)
    assert sync.read(descriptor, 0, kit.options(0x10)) == ("STATUS_INVALID_PARAMETER", 77)
    assert sync.read(descriptor, 0, kit.options(8 | 1)) == ("STATUS_INVALID_PARAMETER", 77)
    assert sync.read(descriptor, 0, kit.options(8)) == ("STATUS_SUCCESS", 4)


@pytest.mark.parametrize(("cancelable", "outcome"), [(True, ("STATUS_IO_TIMEOUT", 0)), (False, ("STATUS_SUCCESS", 4))])
def test_a_timeout(kit: Any, cancelable: bool, outcome: tuple[str, int]) -> None:
    """KMDF-SSY-12, KMDF-SYN-03, 04: a device that ignores the cancellation keeps the thread waiting and its own status."""
    sync = Sync(kit, answers="later", delay=2 * MS, cancelable=cancelable)
    _, descriptor = sync.buffer(bytes(4))
    assert sync.read(descriptor, 0, kit.options(1, -MS)) == outcome
    assert kit.m.time == (MS if cancelable else 2 * MS)


def test_above_passive_level(kit: Any) -> None:
    """KMDF-SSY-02, RULE-34: the verifier refuses it after the handles and before the options."""
    sync = Sync(kit)
    kit.fw.verifier = "continue"
    with kit.m.at_irql(2):
        assert sync.read(0, 0, kit.options(0, size=3)) == ("STATUS_INVALID_DEVICE_REQUEST", 77)
        with kit.stops("kmdf-wrong-handle"):
            kit.wdk.WdfIoTargetSendReadSynchronously(0, 0, 0, 0, 0, 0)
