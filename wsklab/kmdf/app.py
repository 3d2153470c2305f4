"""An application's requests to a device: what drives a driver's queues in scenes. Facts: KMDF-BUF-04, 05, 14, KMDF-CAN-17."""

from __future__ import annotations

from wsklab.io import completion
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.layout import BUFFERED, DIRECT, METHOD_BUFFERED, METHOD_NEITHER, MJ_DEVICE_CONTROL, MJ_READ, MJ_WRITE
from wsklab.kmdf.objects import framework
from wsklab.machine import Machine
from wsklab.machine.status import NTSTATUS

ME = "app"


class AppRequest:
    """One request of an application: an IRP that the I/O manager makes, with buffers where the device or the method wants them.

    Attributes:
        irp: address of the IRP while it is under way, 0 afterwards.
        status, information: the outcome; None while it is under way.
        data: the bytes that a read or a control code delivered.
    """

    def __init__(self, m: Machine, device: int, major: int, *, content: bytes = b"", room: int = 0, code: int = 0) -> None:
        self.m, self._room, self._blocks, self._mdl = m, room, list[int](), 0
        self.status: NTSTATUS | None = None
        self.information: int | None = None
        self.data = b""
        lay = framework(m).layout
        self.irp = io_irp.build(m, m.u8(device + lay.device_stack_size), self._finished, maker=ME)
        here = m.u64(self.irp + lay.irp_stack) - lay.sl_size
        m.set_u8(here + lay.sl_major, major)
        m.set_u8(self.irp + lay.irp_mode, int(major in (MJ_READ, MJ_WRITE, MJ_DEVICE_CONTROL)))
        kind = {METHOD_BUFFERED: BUFFERED, METHOD_NEITHER: 0}.get(code & 3, DIRECT)
        given = 0
        if major in (MJ_READ, MJ_WRITE):
            kind = wdm.io_type(m, device)
            m.set_u32(here + lay.sl_length, room or len(content))
        else:
            m.set_u32(here + lay.sl_code, code)
            m.set_u32(here + lay.sl_input_length, len(content))
            m.set_u32(here + lay.sl_output_length, room)
            given = self._block(len(content), content) if kind != BUFFERED else 0
            m.set_u64(self.irp + lay.irp_system_buffer, given if kind == DIRECT else 0)
            if kind == 0:
                m.set_u64(here + lay.sl_type3, given)
        self._output = self._block(room if given else max(room, len(content)), b"" if given else content)
        if kind == DIRECT and self._output:
            self._mdl = wdm.build_mdl(m, self._output, room or len(content), write=bool(room))
            m.set_u64(self.irp + lay.irp_mdl, self._mdl)
        elif kind != DIRECT:
            m.set_u64(self.irp + (lay.irp_system_buffer if kind == BUFFERED else lay.irp_user_buffer), self._output)
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
        self._blocks.append(self.m.allocate(size, kind="native", label="application buffer", zero=True))
        self.m.write(self._blocks[-1], content)
        return self._blocks[-1]

    def _finished(self, irp: int, status: int, information: int) -> None:
        self.irp, self.status, self.information = 0, NTSTATUS(status), information
        if self._room and information:
            self.data = self.m.read(self._output, min(information, self._room))
        if self._mdl:
            wdm.free_mdl(self.m, self._mdl)
        # The driver's way to the buffer ends here: system buffers are freed, mappings undone (KMDF-BUF-14).
        for block in self._blocks:
            self.m.free(block)
