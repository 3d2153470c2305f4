"""What the framework asks of the I/O manager, in one place, and where the buffers of an IRP are.

The framework is itself a driver for the I/O manager: it holds IRPs under the name "framework", has device objects, and calls the
device below. Everything here that touches `wsklab.io` does so on the framework's behalf; nothing knows requests or targets.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import cache, partial
from typing import Any

from wsklab.c.headers import headers
from wsklab.io import completion
from wsklab.io import device as io_device
from wsklab.io import irp as io_irp
from wsklab.io import mdl as io_mdl
from wsklab.machine import Machine, View, Wait

ME = "framework"
MJ_CREATE, MJ_CLOSE, MJ_READ, MJ_WRITE, MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL, MJ_CLEANUP = 0, 2, 3, 4, 0xE, 0xF, 0x12
MJ_FLUSH_BUFFERS = 9
QUERY_INTERFACE = (0x1B, 0x08)  # major and minor function
OPENING = (MJ_CREATE, MJ_CLOSE, MJ_CLEANUP)
TRANSFERS, CONTROLS = (MJ_READ, MJ_WRITE), (MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL)
METHOD_BUFFERED, METHOD_IN_DIRECT, METHOD_OUT_DIRECT, METHOD_NEITHER = range(4)
NEITHER, BUFFERED, DIRECT = 1, 2, 3  # WDF_DEVICE_IO_TYPE (KMDF-CON-16).
METHOD_TYPES = ((BUFFERED, BUFFERED), (BUFFERED, DIRECT), (BUFFERED, DIRECT), (NEITHER, NEITHER))  # input, output by method
FLAGS = {NEITHER: 0, BUFFERED: io_device.BUFFERED, DIRECT: io_device.DIRECT}
Place = tuple[int, int, int]  # Address, size in bytes and MDL (0 for none) of a buffer.


@cache
def major_names() -> dict[int, str]:
    """The names of the major function codes."""
    return {value: name for name, value in reversed(headers().constants.items()) if name.startswith("IRP_MJ_")}


def major_name(major: int) -> str:
    """The name of a major function code."""
    return major_names().get(major, f"IRP_MJ_{major:#04x}")


def location(m: Machine, irp: int, depth: int = 0) -> View:
    """The current stack location of an IRP, or one `depth` levels below it."""
    here = int(m.view(irp, "IRP").Tail.Overlay.CurrentStackLocation)
    return m.view(here - depth * m.sizeof("IO_STACK_LOCATION"), "IO_STACK_LOCATION")


def rearm(m: Machine, irp: int) -> None:
    """Let an own IRP that is back be sent again as it is: the framework keeps status and Information (KMDF-MUL-05)."""
    packet = m.model(io_irp.Irps).packets[irp]
    packet.state = io_irp.READY if packet.state == io_irp.BACK else packet.state


packet_of = io_irp.packet_of
call_driver = partial(io_device.call_driver, by=ME)
mark_pending = partial(io_irp.mark_pending, by=ME)
hand_over = partial(io_irp.hand_over, to=ME, function="WdfDeviceWdmDispatchPreprocessedIrp")
complete = partial(completion.complete, by=ME, function="WdfRequestComplete")


def cancel(m: Machine, irp: int) -> int:
    """IoCancelIrp as the framework calls it, also for an IRP that it was given and sent on."""
    return int(completion.cancel(m, irp, by=io_irp.packet_of(m, irp, "IoCancelIrp").maker))


def set_cancel(m: Machine, irp: int, cancelled: Callable[[], None] | None) -> None:
    """Make an IRP cancelable while it waits here, or (None) no longer so."""
    code = completion.cancel_code(m, lambda _irp: cancelled(), "cancel routine") if cancelled else 0
    completion.set_cancel_routine(m, irp, code)


def skip_location(m: Machine, irp: int) -> None:
    """IoSkipCurrentIrpStackLocation: the next driver shares the current location."""
    packet = m.view(irp, "IRP")
    packet.CurrentLocation += 1
    packet.Tail.Overlay.CurrentStackLocation = int(location(m, irp, -1))


def io_type(m: Machine, device: int) -> int:
    """The WDF_DEVICE_IO_TYPE that a DEVICE_OBJECT's flags say. Facts: KMDF-TGT-07."""
    flags = m.view(device, "DEVICE_OBJECT").Flags
    return BUFFERED if flags & FLAGS[BUFFERED] else DIRECT if flags & FLAGS[DIRECT] else NEITHER


def bottom(m: Machine, device: int) -> int:
    """The device at the bottom of a device's stack."""
    attached = m.offset("DEVICE_OBJECT", "AttachedDevice")
    above = {m.u64(known + attached): known for known in m.model(io_device.Devices).owners}
    while device in above:
        device = above[device]
    return device


def open_file(m: Machine, found: int) -> Generator[Wait, Any, tuple[int, int, int]]:
    """Open a device, as ZwCreateFile does: (status, top of its stack, new FILE_OBJECT)."""
    device, file = m.modelled("IoGetAttachedDevice").function(m, found), m.new("FILE_OBJECT", label="file object")
    m.view(file, "FILE_OBJECT").DeviceObject = found
    answer = yield from ask_about(m, device, file, MJ_CREATE)
    if answer < 0:
        m.free(file)
    return answer, device, file


def close_file(m: Machine, device: int, file: int, cleanup: bool = True) -> Generator[Wait, Any, None]:
    """The last handle of a file is closed; without `cleanup` it was before, and this is its last reference."""
    for major in (MJ_CLEANUP, MJ_CLOSE)[not cleanup :]:
        yield from ask_about(m, device, file, major)
    m.free(file)


def ask_about(m: Machine, device: int, file: int, major: int) -> Generator[Wait, Any, int]:
    """An IRP of the I/O manager about a file, and its final status."""
    done: list[int] = []
    stack_size = m.view(device, "DEVICE_OBJECT").StackSize
    irp = io_irp.build(m, stack_size, lambda irp, value, information: done.append(value), maker="io")
    below = location(m, irp, 1)
    below.MajorFunction, below.FileObject = major, file
    call_driver(m, device, irp, by="io")
    if not done:
        yield Wait(lambda: bool(done), None, ("IRP", irp))
    return done[0]


def build_mdl(m: Machine, address: int, length: int, *, write: bool) -> int:
    """A locked MDL over a buffer. Facts: KMDF-FRW-08."""
    made = io_mdl.allocate(m, address, length)
    m.modelled("MmProbeAndLockPages").function(m, made, 0, int(write))
    return made


def free_mdl(m: Machine, mdl: int) -> None:
    """Unlock and give back an MDL made here."""
    m.modelled("MmUnlockPages").function(m, mdl)
    io_mdl.free_own(m, mdl)


def buffers(m: Machine, irp: int, own_type: int) -> dict[str, Place]:
    """Where the receiver of an IRP finds ``"input"`` and ``"output"``: by its own I/O type or the transfer method.

    Facts: KMDF-BUF-04, 05, KMDF-FRW-05, 08, 09, KMDF-FIO-05 to 07.
    """
    packet, here = m.view(irp, "IRP"), location(m, irp)
    read, control = here.Parameters.Read, here.Parameters.DeviceIoControl

    def place(kind: int, length: int, raw: int) -> Place:
        if kind == DIRECT:
            mdl = int(packet.MdlAddress)
            return (m.modelled("MmGetSystemAddressForMdlSafe").function(m, mdl, 0) if mdl else 0), length, mdl
        return int(packet.AssociatedIrp.SystemBuffer) if kind == BUFFERED else int(raw), length, 0

    if here.MajorFunction in TRANSFERS:
        which = "output" if here.MajorFunction == MJ_READ else "input"
        return {which: place(own_type, read.Length, packet.UserBuffer)}
    if here.MajorFunction not in CONTROLS:
        return {}
    given, wanted = METHOD_TYPES[control.IoControlCode & 3]
    return {
        "input": place(given, control.InputBufferLength, control.Type3InputBuffer),
        "output": place(wanted, control.OutputBufferLength, packet.UserBuffer),
    }
