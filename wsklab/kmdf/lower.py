"""A scripted lower device: it does to the IRPs that it gets what a scene tells it to, and remembers what it saw.

It is a real device: a dispatch routine that reads and writes the bytes where the I/O type or the transfer method puts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.wdm import CONTROLS, METHOD_IN_DIRECT, MJ_DEVICE_CONTROL, MJ_READ, MJ_WRITE, TRANSFERS, major_name
from wsklab.machine import Machine, status
from wsklab.machine.status import NTSTATUS

IO_TYPES = {"neither": 1, "buffered": 2, "direct": 3}
ANSWERS = ("at once", "later", "error", "never")
ME = "device"
SUBMIT_URB, ABORT_PIPE = 0x22_0003, b"\2\0"
# A USB configuration: bulk IN 0x81 and OUT 0x02 with 64 bytes a packet, interrupt IN 0x83 with 8.
USB = bytes.fromhex("09022700010100803209040000 03ff000000 07058102400000 07050202400000 0705830308000a")


@dataclass(slots=True)
class Received:
    """One IRP as the device saw it."""

    irp: int
    major: int
    name: str  # of the major function
    code: int = 0  # I/O control code
    length: int = 0  # bytes asked for by a read or write, and where on the device
    offset: int = 0
    input_length: int = 0  # of a control code
    output_length: int = 0
    content: bytes = b""  # the bytes that came down (write data, control input)
    arguments: tuple[int, int, int, int] = (0, 0, 0, 0)  # Others arguments 1, 2, the control code, 4
    file_object: int = 0
    status: NTSTATUS | None = None  # how it was completed; None while it is pending
    information: int | None = None
    urb: bytes = b""  # as it came to a USB device
    transfer: int = 0  # the address of one that moves data


def _check(*answers: str) -> None:
    if wrong := [answer for answer in answers if answer not in ANSWERS]:
        raise ValueError(f"a lower device answers {', '.join(map(repr, ANSWERS))}, not {wrong[0]!r}")


class LowerDevice:
    """A device that can be told what to answer; everything may be changed at any time and holds for requests that arrive later.

    Args:
        m, name: the machine, and the device's name in pictures.
        answers: ``"at once"``, ``"later"`` (after `delay` 100-ns units), ``"error"`` (at once, with `status`) or ``"never"``;
            or a sequence of these, one per request, the last one for all further requests.
        status: the NTSTATUS to complete with; by default success, or STATUS_IO_DEVICE_ERROR for ``"error"``.
        information: bytes to report; by default what was transferred.
        data: what reads and control codes deliver, cut to the length asked for; empty means zeros of the whole length.
        stack_size: the stack locations that an IRP needs from here down.
        io_type: ``"buffered"``, ``"direct"`` or ``"neither"``: how reads and writes get their buffers.
        cancelable: whether a pending request can be cancelled.
        usb: the configuration descriptor of a USB device, what belongs to it, and its strings; empty for others. Transfers are
            answered as `answers` and `data` say, and all else at once.
        properties: what its bus says of it, by name as in DEVICE_REGISTRY_PROPERTY (``{"DevicePropertyUINumber": 3}``): text,
            a number, or bytes; it has its DevicePropertyPhysicalDeviceObjectName, and no other.
    """

    def __init__(
        self, m: Machine, name: str = "lower", *, answers: str | Sequence[str] = "at once", status: int | None = None,
        information: int | None = None, data: bytes = b"", stack_size: int = 1, io_type: str = "buffered", delay: int = 10_000,
        cancelable: bool = True, properties: dict[str, str | int | bytes] | None = None, usb: bytes = b"",
    ) -> None:  # fmt: skip
        if io_type not in IO_TYPES:
            raise ValueError(f"io_type is one of {', '.join(IO_TYPES)}, not {io_type!r}")
        _check(*([answers] if isinstance(answers, str) else answers or [""]))
        self.m, self.name, self.io_type = m, name, io_type
        self.answers, self.status, self.information, self.data = answers, status, information, data
        self.delay, self.cancelable, self.files = delay, cancelable, 0  # `files`: how many are open
        self.received: list[Received] = []
        self.pending: dict[int, Received] = {}
        self._alarms: dict[int, Callable[[], None]] = {}
        self.driver_object = io_device.make_driver(m, name, self._dispatch)
        flags = wdm.FLAGS[IO_TYPES[io_type]] | m.constant("DO_POWER_PAGABLE")
        self.object = io_device.make_device(
            m, self.driver_object, owner=ME, name=rf"\Device\{name}", stack_size=stack_size, flags=flags
        )
        m.model(io_device.Devices).properties[self.object] = properties or {}
        self.usb, self._scripted = m.allocate(len(usb) + 2, kind="native", label="USB device", zero=True) if usb else 0, 0
        m.write(self.usb, usb)

    def __repr__(self) -> str:
        return f"<lower device {self.name!r}: {len(self.received)} received, {len(self.pending)} pending>"

    def complete_all(self) -> int:
        """Complete every pending request now; how many there were."""
        waiting = list(self.pending)
        for irp in waiting:
            self._answer(irp)
        return len(waiting)

    def _dispatch(self, device: int, irp: int) -> int:
        here = wdm.location(self.m, irp)
        if here.MajorFunction in wdm.OPENING and here.FileObject:  # the I/O manager opens or closes a file
            self.files += (here.MajorFunction == wdm.MJ_CREATE) - (here.MajorFunction == wdm.MJ_CLOSE)
            wdm.complete(self.m, irp, status.SUCCESS, 0, by=ME)
            return int(status.SUCCESS)
        if (here.MajorFunction, here.MinorFunction) == wdm.QUERY_INTERFACE:  # it exports none: the status stays as it came
            came = self._c("wsklab_usb_interface", irp) if self.usb else int(self.m.view(irp, "IRP").IoStatus.Status)
            wdm.complete(self.m, irp, came, 0, by=ME)
            return came
        self.received.append(seen := self._look(irp))
        self.pending[irp] = seen
        self._scripted += not seen.urb or seen.transfer > 0
        chosen = self.answers if isinstance(self.answers, str) else self.answers[min(self._scripted, len(self.answers)) - 1]
        _check(chosen)
        for other in [*self.pending.values()] if seen.urb[2:4] == ABORT_PIPE else ():
            if other.transfer and other.urb[24:32] == seen.urb[24:32]:  # of the same pipe
                self._finish(other.irp, status.CANCELLED, 0)
        if seen.urb and not seen.transfer:
            self._finish(irp, 0, 0)
            return int(seen.status or 0)
        if chosen in ("at once", "error"):
            self._answer(irp, status.IO_DEVICE_ERROR if chosen == "error" else 0)
            return int(self.received[-1].status or 0)
        wdm.mark_pending(self.m, irp, by=ME)
        if self.cancelable:
            wdm.set_cancel(self.m, irp, lambda: self._finish(irp, status.CANCELLED, 0))
        if chosen == "later":
            self._alarms[irp] = self.m.after(self.delay, lambda: self._answer(irp))
        return int(status.PENDING)

    def _c(self, function: str, *arguments: int) -> int:
        return int(self.m.modelled(function).function(self.m, *arguments) or 0)

    def _answer(self, irp: int, usual: int = 0) -> None:
        """Transfer and complete."""
        value = usual if self.status is None else self.status
        moved = self._transfer(self.pending[irp]) if value >= 0 else 0
        self._finish(irp, value, moved if self.information is None else self.information)

    def _finish(self, irp: int, value: int, information: int) -> None:
        seen = self.pending.pop(irp)
        self._alarms.pop(irp, lambda: None)()
        if seen.urb:
            value = self._c("wsklab_usb_answer", irp, self.usb, value, information)
        seen.status, seen.information = NTSTATUS(value), information
        if self.m.trace.on:
            text = str(seen.status)
            self.m.trace.add("message", "answer", actor=ME, target="framework", objects=(irp,), text=text, status=value)
        wdm.complete(self.m, irp, value, information, by=ME, function="IoCompleteRequest")

    def _look(self, irp: int) -> Received:
        here = wdm.location(self.m, irp)
        major, read, control = here.MajorFunction, here.Parameters.Read, here.Parameters.DeviceIoControl
        seen = Received(irp, major, major_name(major), file_object=int(here.FileObject))
        if major in TRANSFERS:
            seen.length, seen.offset = read.Length, read.ByteOffset.QuadPart
        elif major in CONTROLS:
            first, second, fourth = (int(getattr(here.Parameters.Others, f"Argument{number}")) for number in (1, 2, 4))
            seen.code = control.IoControlCode
            seen.arguments = (first, second, seen.code, fourth)
            # Pointers in place of lengths (KMDF-FOT-02): no length is that large.
            if major == MJ_DEVICE_CONTROL or not (first | second) >> 32:
                seen.input_length, seen.output_length = control.InputBufferLength, control.OutputBufferLength
            if self.usb and major != MJ_DEVICE_CONTROL:
                seen.urb = self.m.read(first, self.m.u16(first)) if seen.code == SUBMIT_URB else b"\0" * 4
                seen.transfer = self._c("wsklab_usb_transfer", irp)
                if seen.transfer:
                    lengths = (0, self.m.u32(first + 36))
                    seen.input_length, seen.output_length = lengths if seen.urb[32] & 1 else lengths[::-1]
        address, size, _ = self._place(seen, "input")
        seen.content = self.m.read(address, size) if size and (seen.input_length or major == MJ_WRITE) else b""
        return seen

    def _place(self, seen: Received, which: str) -> tuple[int, int, int]:
        if seen.transfer:
            return self._c("wsklab_usb_buffer", seen.transfer), seen.input_length or seen.output_length, 0
        return wdm.buffers(self.m, seen.irp, IO_TYPES[self.io_type]).get(which, (0, 0, 0))

    def _transfer(self, seen: Received) -> int:
        """Deliver data; how many bytes went either way."""
        room = seen.length if seen.major in TRANSFERS else seen.output_length
        if seen.major == MJ_WRITE or not room:
            return room
        if seen.major != MJ_READ and seen.code & 3 == METHOD_IN_DIRECT:  # the second buffer carries data down, not up
            return 0
        content = self.data[:room] if self.data else bytes(room)
        self.m.write(self._place(seen, "output")[0], content)
        return len(content)
