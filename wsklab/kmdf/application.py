"""Applications: handles to devices, and the requests that they make: IRPs with buffers where the device or the method wants them.

`File` is what CreateFile returns: reads, writes and controls, synchronous or overlapped, until it is closed. Names are looked up
as the system does it: DOS names are symbolic links, device interfaces are found by their class.
Pages: framework-file-objects.md, using-control-device-objects.md. Facts: KMDF-BUF-04, 05, 14, KMDF-CAN-17, RULE-68 to RULE-70.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.io import completion
from wsklab.io import device as io_device
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.wdm import BUFFERED, CONTROLS, DIRECT, METHOD_TYPES, MJ_INTERNAL_DEVICE_CONTROL, NEITHER, TRANSFERS
from wsklab.machine import PASSIVE_LEVEL, Machine, Wait, quiet, status, wdk
from wsklab.machine.functions_memory import text_of
from wsklab.machine.functions_sync import STATE
from wsklab.machine.status import NTSTATUS

DOS = ("\\\\.\\", "\\\\?\\", "\\??\\", "\\DosDevices\\Global\\", "\\DosDevices\\")
"""What stands before a DOS name: one and the same directory."""


class AppRequest:
    """One request of an application: an IRP that the I/O manager makes, with buffers where the device or the method wants them.

    `irp` is 0 once it is over, `status` and `information` are None until then, `data` is what a read or control code delivered.
    """

    def __init__(
        self, m: Machine, device: int, major: int, *, content: bytes = b"", room: int = 0, code: int = 0, file: int = 0
    ) -> None:
        self.m, self._room, self._blocks, self._mdl = m, room, list[int](), 0
        self.status: NTSTATUS | None = None
        self.information: int | None = None
        self.data = b""
        self.irp = io_irp.build(m, m.view(device, "DEVICE_OBJECT").StackSize, self._finished, maker="app")
        packet, below = m.view(self.irp, "IRP"), wdm.location(m, self.irp, 1)
        below.MajorFunction, packet.RequestorMode = major, int(major != MJ_INTERNAL_DEVICE_CONTROL)
        below.FileObject = file
        kind, given = METHOD_TYPES[code & 3][1], 0
        if major in TRANSFERS:
            kind = wdm.io_type(m, device)
            below.Parameters.Read.Length = room or len(content)
        elif major in CONTROLS:
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
        m.thread.in_application = True
        wdm.call_driver(m, device, self.irp, by="app")
        m.thread.in_application = False

    @property
    def done(self) -> bool:
        """Whether the request has been completed."""
        return self.status is not None

    def wait(self) -> AppRequest:
        """Let time pass until it is completed; a request that nobody ever completes is a hang."""

        def body() -> Generator[Wait, Any, None]:
            yield Wait(lambda: self.done, None, ("IRP", self.irp))

        if not self.done and not self.m.scheduler.run(until=self.m.start_thread(body(), "application")):
            self.m.hang()
        return self

    def cancel(self) -> bool:
        """Ask for cancellation, as CancelIoEx does; whether somebody had made the request cancelable."""
        return bool(self.irp and completion.cancel(self.m, self.irp, by="app"))

    def __repr__(self) -> str:
        outcome = f"{self.status!r}, {self.information} bytes" if self.done else "under way"
        return f"<application request: {outcome}>"

    def _block(self, size: int, content: bytes = b"") -> int:
        if size:
            self._blocks.append(self.m.allocate(size, kind="native", label="application buffer", zero=True))
            self.m.write(self._blocks[-1], content)
        return self._blocks[-1] if size else 0

    def _finished(self, irp: int, status: int, information: int) -> None:
        self.irp, self.status, self.information = 0, NTSTATUS(status), information
        if self._room and information:
            self.data = self.m.read(self._output, min(information, self._room))
        if self._mdl:
            wdm.free_mdl(self.m, self._mdl)
        # The driver's way to the buffer ends here: system buffers are freed, mappings undone (KMDF-BUF-14).
        for block in self._blocks:
            self.m.free(block)


class File:
    """A handle to a device: ``with lab.open(name) as file: file.write(b"…")``.

    `status` is what the driver answered to the create; when it failed, the handle cannot be used. A synchronous request (the
    usual one) lets time pass until it is completed, an overlapped one comes back at once and is waited for with its `wait`.
    """

    def __init__(self, m: Machine, device: int, rest: str = "") -> None:
        self.m, self.device = m, m.modelled("IoGetAttachedDevice").function(m, device)
        self.object = m.new("FILE_OBJECT", kind="native", label="file object")
        view = m.view(self.object, "FILE_OBJECT")
        view.Type, view.Size, view.DeviceObject = 5, m.sizeof("FILE_OBJECT"), device
        content = rest.encode("utf-16-le")
        self._name = view.FileName.Buffer = m.allocate(len(content) + 2, kind="native", label="file name", zero=True)
        m.write(self._name, content)
        view.FileName.Length, view.FileName.MaximumLength = len(content), len(content) + 2
        self.requests: list[AppRequest] = []
        self.open = True
        self.status = self._ask(wdm.MJ_CREATE, False).status
        self.open = self.status is not None and self.status >= 0

    def read(self, length: int, overlapped: bool = False) -> AppRequest:
        """ReadFile of so many bytes."""
        return self._ask(wdm.MJ_READ, overlapped, room=length)

    def write(self, content: bytes, overlapped: bool = False) -> AppRequest:
        """WriteFile."""
        return self._ask(wdm.MJ_WRITE, overlapped, content=content)

    def ioctl(self, code: int, content: bytes = b"", output: int = 0, overlapped: bool = False) -> AppRequest:
        """DeviceIoControl with a control code, input bytes and room for so many output bytes."""
        return self._ask(wdm.MJ_DEVICE_CONTROL, overlapped, content=content, room=output, code=code)

    def flush(self) -> AppRequest:
        """FlushFileBuffers: a request that the framework has no queue for."""
        return self._ask(wdm.MJ_FLUSH_BUFFERS, False)

    def cancel(self) -> int:
        """CancelIo: every request of this handle that is under way; how many had been made cancelable."""
        return sum(request.cancel() for request in list(self.requests) if not request.done)

    def close(self) -> None:
        """CloseHandle: cleanup at once, close when the last request is back."""
        if self.open:
            self._ask(wdm.MJ_CLEANUP, False)
            for request in self.requests:
                request.wait()
            self._ask(wdm.MJ_CLOSE, False)
            self.open = False
            self.m.free(self._name)
            self.m.free(self.object)

    def _ask(self, major: int, overlapped: bool, **values: Any) -> AppRequest:
        if not self.open:
            raise ValueError("the handle is closed, or the device could not be opened")
        made = AppRequest(self.m, self.device, major, file=self.object, **values)
        self.requests = [*(request for request in self.requests if not request.done), made]
        return made if overlapped else made.wait()

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Event:
    """An application's event, made with CreateEvent: its `handle` goes to a driver in a request, as 8 bytes.

    It stays signalled until :meth:`reset`; with `resets`, until one wait for it is over.
    """

    def __init__(self, m: Machine, resets: bool = False) -> None:
        self.m = m
        self.handle: int = m.api("wsklab_application_event")(int(resets), 0)
        self.object: int = m.api("wsklab_object_of")(self.handle, 0)

    @property
    def signaled(self) -> bool:
        """Whether it is signalled."""
        return self.m.i32(self.object + STATE) > 0

    def reset(self) -> None:
        """ResetEvent."""
        self.m.set_i32(self.object + STATE, 0)

    def close(self) -> None:
        """CloseHandle; a driver may keep the object for longer."""
        self.m.api("ZwClose")(self.handle)


@wdk(irql=PASSIVE_LEVEL, quiet=True, waits=True)
def wsklab_open_file(m: Machine, Name: int, File: int, Device: int) -> Generator[Wait, Any, int]:
    """Open a device by its name: the top of its stack and a file, whose last reference closes it."""
    try:
        found, _ = find(m, text_of(m, Name))
    except ValueError:
        return int(status.OBJECT_NAME_NOT_FOUND)
    answer, device, file = yield from wdm.open_file(m, found)
    if answer >= 0:
        yield from wdm.ask_about(m, device, file, wdm.MJ_CLEANUP)
        m.set_u64(File, file)
        m.set_u64(Device, device)
    return answer


@quiet()
def wsklab_close_file(m: Machine, Device: int, File: int) -> None:
    """The last reference to a file was given back."""
    m.start_thread(wdm.close_file(m, Device, File, cleanup=False), "close")


def find(m: Machine, name: str) -> tuple[int, str]:
    r"""The DEVICE_OBJECT behind a name, and what follows the device's own name.

    `name` is a DOS name (``\\.\Echo``), a device's (``\Device\Echo``) or the class GUID of a device interface. Raises ValueError.
    """
    model = m.model(io_device.Devices)
    plain = next((name[len(before) :] for before in DOS if name.startswith(before)), name)
    for link, target in model.links.items():
        own = next((link[len(before) :] for before in DOS if link.startswith(before)), link)
        if (
            plain.lower() == own.lower()
            or plain.lower().startswith(own.lower() + "\\")
            or own.lower().endswith(f"#{plain.lower()}")
        ):
            name = target + plain[len(own) :]
            break
    for device, known in model.names.items():
        if known and (name.lower() + "\\").startswith(known.lower() + "\\"):
            return device, name[len(known) :]
    known_names = ", ".join([*model.links, *filter(None, model.names.values())])
    raise ValueError(f"no device has the name {name!r}; there are: {known_names or '-'}")
