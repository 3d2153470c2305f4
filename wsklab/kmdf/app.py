"""An application's requests to a device: what drives a driver's queues in scenes.

An `AppRequest` is an IRP that the I/O manager makes for a read, write or device control: buffers where the device's I/O type or
the transfer method wants them, user mode, and the result taken out when completion is over.

Facts: KMDF-BUF-04, 05, KMDF-CAN-17.
"""

from __future__ import annotations

from wsklab.io import completion
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.layout import (
    METHOD_BUFFERED,
    METHOD_NEITHER,
    MJ_DEVICE_CONTROL,
    MJ_INTERNAL_DEVICE_CONTROL,
    MJ_READ,
    MJ_WRITE,
    Layout,
)
from wsklab.machine import Machine
from wsklab.machine.status import NTSTATUS

ME = "app"


class AppRequest:
    """One request of an application.

    Attributes:
        irp: address of the IRP while it is under way, 0 afterwards.
        status, information: the outcome; None while it is under way.
        data: the bytes that a read or a control code delivered.
    """

    def __init__(self, m: Machine, device: int, major: int, *, content: bytes = b"", room: int = 0, code: int = 0) -> None:
        self.m, self._layout, self._room = m, Layout(m), room
        self.status: NTSTATUS | None = None
        self.information: int | None = None
        self.data = b""
        self._output = self._mdl = 0
        self._blocks: list[int] = []
        stack_size = m.u8(device + m.offset("DEVICE_OBJECT", "StackSize"))
        self.irp = io_irp.build(m, stack_size, self._finished, maker=ME)
        lay = self._layout
        here = m.u64(self.irp + lay.irp_stack) - lay.sl_size
        m.set_u8(here + lay.sl_major, major)
        if major in (MJ_READ, MJ_WRITE):
            m.set_u32(here + lay.sl_length, room if major == MJ_READ else len(content))
            m.set_u8(self.irp + lay.irp_mode, 1)
            self._transfer_buffers(device, content)
        else:
            m.set_u32(here + lay.sl_code, code)
            m.set_u32(here + lay.sl_input_length, len(content))
            m.set_u32(here + lay.sl_output_length, room)
            m.set_u8(self.irp + lay.irp_mode, int(major == MJ_DEVICE_CONTROL))
            self._control_buffers(here, code & 3, content)
        wdm.call_driver(m, device, self.irp, ME)

    @property
    def done(self) -> bool:
        """Whether the request has been completed."""
        return self.status is not None

    def cancel(self) -> bool:
        """Ask for cancellation, as CancelIo does; whether somebody had made the request cancelable."""
        return bool(self.irp) and completion.cancel(self.m, self.irp, by=ME)

    def __repr__(self) -> str:
        outcome = f"{self.status!r}, {self.information} bytes" if self.done else "under way"
        return f"<application request: {outcome}>"

    def _block(self, size: int, content: bytes = b"") -> int:
        if not size:
            return 0
        address = self.m.allocate(size, kind="native", label="application buffer", zero=True)
        self.m.write(address, content)
        self._blocks.append(address)
        return address

    def _transfer_buffers(self, device: int, content: bytes) -> None:
        from wsklab.kmdf.device import io_type_of
        from wsklab.kmdf.target import BUFFERED, DIRECT

        m, lay, io_type = self.m, self._layout, io_type_of(self.m, device)
        self._output = self._block(self._room or len(content), content)
        if io_type == BUFFERED:
            m.set_u64(self.irp + lay.irp_system_buffer, self._output)
        elif io_type == DIRECT and self._output:
            self._mdl = wdm.build_mdl(m, self._output, self._room or len(content), write=bool(self._room))
            m.set_u64(self.irp + lay.irp_mdl, self._mdl)
        else:
            m.set_u64(self.irp + lay.irp_user_buffer, self._output)

    def _control_buffers(self, here: int, method: int, content: bytes) -> None:
        m, lay = self.m, self._layout
        if method == METHOD_BUFFERED:
            self._output = self._block(max(len(content), self._room), content)
            m.set_u64(self.irp + lay.irp_system_buffer, self._output)
            return
        given, self._output = self._block(len(content), content), self._block(self._room)
        if method == METHOD_NEITHER:
            m.set_u64(here + lay.sl_type3, given)
            m.set_u64(self.irp + lay.irp_user_buffer, self._output)
            return
        m.set_u64(self.irp + lay.irp_system_buffer, given)
        if self._output:
            self._mdl = wdm.build_mdl(m, self._output, self._room, write=method == 2)
            m.set_u64(self.irp + lay.irp_mdl, self._mdl)

    def _finished(self, irp: int, status: int, information: int) -> None:
        self.irp = 0
        self.status, self.information = NTSTATUS(status), information
        if self._room and self._output and information:
            self.data = self.m.read(self._output, min(information, self._room))
        if self._mdl:
            wdm.free_mdl(self.m, self._mdl)
            self._mdl = 0
        # The driver's way to the buffer ends here: system buffers are freed, mappings undone (KMDF-BUF-14).
        for block in self._blocks:
            self.m.free(block)


def read(m: Machine, device: int, length: int) -> AppRequest:
    """Read `length` bytes from a device."""
    return AppRequest(m, device, MJ_READ, room=length)


def write(m: Machine, device: int, content: bytes) -> AppRequest:
    """Write bytes to a device."""
    return AppRequest(m, device, MJ_WRITE, content=content)


def ioctl(m: Machine, device: int, code: int, content: bytes = b"", output: int = 0, *, internal: bool = False) -> AppRequest:
    """Send a control code with input bytes and room for `output` bytes; `internal` as another driver would send it."""
    major = MJ_INTERNAL_DEVICE_CONTROL if internal else MJ_DEVICE_CONTROL
    return AppRequest(m, device, major, content=content, room=output, code=code)
