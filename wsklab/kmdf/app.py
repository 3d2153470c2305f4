"""An application's requests to a device: what drives a driver's queues in scenes. Facts: KMDF-BUF-04, 05, 14, KMDF-CAN-17."""

from __future__ import annotations

from wsklab.io import completion
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.wdm import BUFFERED, DIRECT, METHOD_TYPES, MJ_DEVICE_CONTROL, NEITHER, TRANSFERS
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
        self.irp = io_irp.build(m, m.view(device, "DEVICE_OBJECT").StackSize, self._finished, maker=ME)
        packet, below = m.view(self.irp, "IRP"), wdm.location(m, self.irp, 1)
        below.MajorFunction, packet.RequestorMode = major, int(major in (*TRANSFERS, MJ_DEVICE_CONTROL))
        kind, given = METHOD_TYPES[code & 3][1], 0
        if major in TRANSFERS:
            kind = wdm.io_type(m, device)
            below.Parameters.Read.Length = room or len(content)
        else:
            control = below.Parameters.DeviceIoControl
            control.IoControlCode, control.InputBufferLength, control.OutputBufferLength = code, len(content), room
            given = self._block(len(content), content) if kind != BUFFERED else 0
            packet.AssociatedIrp.SystemBuffer = given if kind == DIRECT else 0
            control.Type3InputBuffer = given if kind == NEITHER else 0
        self._output = self._block(room if given else max(room, len(content)), b"" if given else content)
        if kind == DIRECT and self._output:
            packet.MdlAddress = self._mdl = wdm.build_mdl(m, self._output, room or len(content), write=bool(room))
        elif kind == BUFFERED:
            packet.AssociatedIrp.SystemBuffer = self._output
        elif kind == NEITHER:
            packet.UserBuffer = self._output
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
