"""What the framework asks of the I/O manager, in one place.

The framework is itself a driver for the I/O manager: it holds IRPs under the name "framework", has device objects, and calls
the device below. Everything that touches `wsklab.io` from here goes through this module; nothing here knows requests or
targets.
"""

from __future__ import annotations

from collections.abc import Callable

from wsklab.io import completion
from wsklab.io import device as io_device
from wsklab.io import irp as io_irp
from wsklab.io import mdl as io_mdl
from wsklab.machine import Machine, View

DO_BUFFERED_IO, DO_DIRECT_IO = io_device.BUFFERED, io_device.DIRECT
ME = "framework"


# IRPs


def allocate_irp(m: Machine, stack_size: int) -> int:
    """An IRP of the framework's own."""
    return io_irp.allocate(m, stack_size, maker=ME)


def free_irp(m: Machine, irp: int) -> None:
    """Free an own IRP."""
    io_irp.free(m, irp)


def reuse_irp(m: Machine, irp: int, value: int) -> None:
    """Arm an own IRP anew."""
    io_irp.reuse(m, irp, value)


def rearm(m: Machine, irp: int) -> None:
    """Let an own IRP that is back be sent again as it is: the framework keeps status and Information (KMDF-MUL-05)."""
    packet = io_irp.irps(m).packets.get(irp)
    if packet is not None and packet.state == io_irp.BACK:
        packet.state = io_irp.READY


def call_driver(m: Machine, device: int, irp: int, by: str = ME) -> int:
    """Pass an IRP to the driver of a device."""
    return io_device.call_driver(m, device, irp, by=by)


def mark_pending(m: Machine, irp: int) -> None:
    """Mark an IRP pending in the framework's own location."""
    io_irp.mark_pending(m, irp, by=ME)


def complete(m: Machine, irp: int, value: int, information: int | None = None) -> None:
    """Complete an IRP that the framework was given."""
    completion.complete(m, irp, value, information, by=ME, function="WdfRequestComplete")


def cancel(m: Machine, irp: int) -> int:
    """IoCancelIrp as the framework calls it, also for an IRP that it was given and sent on."""
    packet = io_irp.packet_of(m, irp, "IoCancelIrp")
    return int(completion.cancel(m, irp, by=packet.maker))


def set_cancel(m: Machine, irp: int, cancelled: Callable[[], None]) -> None:
    """Make an IRP cancelable while the framework holds it."""
    completion.set_cancel_routine(m, irp, completion.cancel_code(m, lambda _irp: cancelled(), "framework cancel routine"))


def clear_cancel(m: Machine, irp: int) -> None:
    """No longer cancelable."""
    completion.set_cancel_routine(m, irp, 0)


def copy_location(m: Machine, irp: int) -> None:
    """IoCopyCurrentIrpStackLocationToNext: all but the completion routine."""
    o = io_irp.layout()
    here = m.u64(irp + o.current)
    m.memory.copy(here - o.location, here, o.routine)
    m.set_u8(here - o.location + o.control, 0)


def skip_location(m: Machine, irp: int) -> None:
    """IoSkipCurrentIrpStackLocation: the next driver shares the current location."""
    o = io_irp.layout()
    m.set_u8(irp + o.index, m.u8(irp + o.index) + 1)
    m.set_u64(irp + o.current, m.u64(irp + o.current) + o.location)


# Devices


def set_io_type(m: Machine, device: int, io_type: int) -> None:
    """Set the flags for a WDF_DEVICE_IO_TYPE (1 neither, 2 buffered, 3 direct)."""
    flags = device + m.offset("DEVICE_OBJECT", "Flags")
    m.set_u32(flags, m.u32(flags) & ~(DO_BUFFERED_IO | DO_DIRECT_IO) | {2: DO_BUFFERED_IO, 3: DO_DIRECT_IO}.get(io_type, 0))


def device_named(m: Machine, name: str) -> int:
    """The DEVICE_OBJECT with that name or link, 0 for none."""
    known = io_device.devices(m)
    name = known.links.get(name, name)
    return next((device for device, its_name in known.names.items() if its_name and its_name.casefold() == name.casefold()), 0)


def file_object(m: Machine) -> int:
    """A FILE_OBJECT for a target opened by name."""
    return m.new("FILE_OBJECT")


# Memory and text


def build_mdl(m: Machine, address: int, length: int, *, write: bool) -> int:
    """A locked MDL over a buffer. Facts: KMDF-FRW-08."""
    made = io_mdl.allocate(m, address, length)
    io_mdl.lock(m, made, write=write)
    return made


def free_mdl(m: Machine, mdl: int) -> None:
    """Unlock and give back an MDL made here."""
    io_mdl.unlock(m, mdl)
    io_mdl.free_own(m, mdl)


def mapped(m: Machine, mdl: int) -> int:
    """The system address of an MDL's first byte."""
    return io_mdl.system_address(m, mdl)


def unicode(m: Machine, address: int) -> str:
    """The text of a UNICODE_STRING."""
    return unicode_of(m.view(address, "UNICODE_STRING")) if address else ""


def unicode_of(text: View) -> str:
    """The text of a UNICODE_STRING given as a view."""
    length = int(text.Length)
    return text._machine.read(int(text.Buffer), length).decode("utf-16-le") if length else ""
