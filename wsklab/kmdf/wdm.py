"""What the framework asks of the I/O manager, in one place, and where the buffers of an IRP are.

The framework is itself a driver for the I/O manager: it holds IRPs under the name "framework", has device objects, and calls the
device below. Everything here that touches `wsklab.io` does so on the framework's behalf; nothing knows requests or targets.
"""

from __future__ import annotations

from collections.abc import Callable

from wsklab.io import completion
from wsklab.io import device as io_device
from wsklab.io import irp as io_irp
from wsklab.io import mdl as io_mdl
from wsklab.kmdf.layout import (
    BUFFERED,
    DIRECT,
    METHOD_BUFFERED,
    METHOD_NEITHER,
    MJ_DEVICE_CONTROL,
    MJ_INTERNAL_DEVICE_CONTROL,
    MJ_READ,
    MJ_WRITE,
    NEITHER,
    Layout,
)  # fmt: skip
from wsklab.machine import Machine, View

ME = "framework"
FLAGS = {NEITHER: 0, BUFFERED: io_device.BUFFERED, DIRECT: io_device.DIRECT}
Place = tuple[int, int, int]
"""Address, size in bytes and MDL (0 for none) of a buffer."""


def allocate_irp(m: Machine, stack_size: int) -> int:
    """An IRP of the framework's own."""
    return io_irp.allocate(m, stack_size, maker=ME)


free_irp, reuse_irp = io_irp.free, io_irp.reuse


def rearm(m: Machine, irp: int) -> None:
    """Let an own IRP that is back be sent again as it is: the framework keeps status and Information (KMDF-MUL-05)."""
    packet = io_irp.irps(m).packets.get(irp)
    if packet is not None and packet.state == io_irp.BACK:
        packet.state = io_irp.READY


def call_driver(m: Machine, device: int, irp: int, by: str = ME) -> int:
    """Pass an IRP to the driver of a device."""
    return io_device.call_driver(m, device, irp, by=by)


def mark_pending(m: Machine, irp: int, by: str = ME) -> None:
    """Mark an IRP pending in the framework's own location."""
    io_irp.mark_pending(m, irp, by=by)


def complete(m: Machine, irp: int, value: int, information: int | None = None, by: str = ME) -> None:
    """Complete an IRP that was given to `by`."""
    completion.complete(m, irp, value, information, by=by, function="WdfRequestComplete" if by == ME else "IoCompleteRequest")


def cancel(m: Machine, irp: int) -> int:
    """IoCancelIrp as the framework calls it, also for an IRP that it was given and sent on."""
    return int(completion.cancel(m, irp, by=io_irp.packet_of(m, irp, "IoCancelIrp").maker))


def set_cancel(m: Machine, irp: int, cancelled: Callable[[], None]) -> None:
    """Make an IRP cancelable while it waits here."""
    completion.set_cancel_routine(m, irp, completion.cancel_code(m, lambda _irp: cancelled(), "cancel routine"))


def clear_cancel(m: Machine, irp: int) -> None:
    """No longer cancelable."""
    completion.set_cancel_routine(m, irp, 0)


def copy_location(m: Machine, irp: int, source: int) -> None:
    """Copy a stack location to the next one: all but the completion routine and the control bits (KMDF-FCU-01, KMDF-FWD-01)."""
    o = io_irp.layout()
    following = m.u64(irp + o.current) - o.location
    m.memory.copy(following, source, o.routine)
    m.set_u8(following + o.control, 0)


def skip_location(m: Machine, irp: int) -> None:
    """IoSkipCurrentIrpStackLocation: the next driver shares the current location."""
    o = io_irp.layout()
    m.set_u8(irp + o.index, m.u8(irp + o.index) + 1)
    m.set_u64(irp + o.current, m.u64(irp + o.current) + o.location)


# Devices


def io_type(m: Machine, device: int) -> int:
    """The WDF_DEVICE_IO_TYPE that a DEVICE_OBJECT's flags say. Facts: KMDF-TGT-07."""
    flags = m.u32(device + m.offset("DEVICE_OBJECT", "Flags"))
    return BUFFERED if flags & FLAGS[BUFFERED] else DIRECT if flags & FLAGS[DIRECT] else NEITHER


def device_named(m: Machine, name: str) -> int:
    """The DEVICE_OBJECT with that name or link, 0 for none."""
    known = io_device.devices(m)
    wanted = known.links.get(name, name).casefold()
    return next((device for device, its_name in known.names.items() if its_name.casefold() == wanted), 0)


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


def buffers(m: Machine, lay: Layout, irp: int, own_type: int) -> dict[str, Place]:
    """Where the receiver of an IRP finds ``"input"`` and ``"output"``: by its own I/O type or the transfer method.

    Facts: KMDF-BUF-04, 05, KMDF-FRW-05, 08, 09, KMDF-FIO-05 to 07.
    """
    here = m.u64(irp + lay.irp_stack)
    major = m.u8(here + lay.sl_major)

    def place(kind: int, length: int, raw: int) -> Place:
        if kind == DIRECT:
            mdl = m.u64(irp + lay.irp_mdl)
            return (io_mdl.system_address(m, mdl) if mdl else 0), length, mdl
        return m.u64(irp + lay.irp_system_buffer if kind == BUFFERED else raw), length, 0

    if major in (MJ_READ, MJ_WRITE):
        which = "output" if major == MJ_READ else "input"
        return {which: place(own_type, m.u32(here + lay.sl_length), irp + lay.irp_user_buffer)}
    if major not in (MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL):
        return {}
    method = m.u32(here + lay.sl_code) & 3
    kinds = {METHOD_BUFFERED: (BUFFERED, BUFFERED), METHOD_NEITHER: (NEITHER, NEITHER)}.get(method, (BUFFERED, DIRECT))
    return {
        "input": place(kinds[0], m.u32(here + lay.sl_input_length), here + lay.sl_type3),
        "output": place(kinds[1], m.u32(here + lay.sl_output_length), irp + lay.irp_user_buffer),
    }


def text(string: View) -> str:
    """The text of a UNICODE_STRING."""
    return string._machine.read(int(string.Buffer), string.Length).decode("utf-16-le") if string and string.Length else ""
