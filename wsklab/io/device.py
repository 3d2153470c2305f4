"""Device objects, device stacks, passing IRPs down them, and work items.

A device belongs to a driver object whose `MajorFunction` table leads to C routines, or to one Python callable for scripted
devices. After a C dispatch routine returns, what it did with the IRP is compared with what it returned (IRP-25, IRP-26).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from struct import pack
from typing import Any

from wsklab.io.completion import complete
from wsklab.io.irp import PENDING, Irps, Visit, code_name, hand_over, layout
from wsklab.machine import PASSIVE_LEVEL, Machine, Wait, quiet, status, wdk
from wsklab.machine.functions_memory import c_text, text_of
from wsklab.machine.status import name_of

BUFFERED, DIRECT = 0x4, 0x10
_MAJOR_FUNCTIONS = 28

Dispatch = Callable[[int, int], int]
"""A scripted dispatch routine: (device, irp) → NTSTATUS."""


@dataclass(slots=True)
class Devices:
    """Who answers for each device object: driver, framework, device …; and names of devices."""

    owners: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    properties: dict[int, dict[str, str | int | bytes]] = field(default_factory=dict)  # what the bus says of a device


def make_driver(m: Machine, name: str, dispatch: Dispatch | None = None) -> int:
    """A driver object; with `dispatch`, every major function leads to that Python callable. Returns its address."""
    address, extension = m.new("DRIVER_OBJECT", label=f"driver {name}"), m.new("DRIVER_EXTENSION")
    view = m.view(address, "DRIVER_OBJECT")
    view.Type, view.Size, view.DriverExtension = 4, m.sizeof("DRIVER_OBJECT"), extension
    m.set_u64(extension, address)
    if dispatch is not None:
        code, table = m.python_code(dispatch, f"{name} dispatch"), address + m.offset("DRIVER_OBJECT", "MajorFunction")
        for major in range(_MAJOR_FUNCTIONS):
            m.set_u64(table + 8 * major, code)
    return address


def make_device(
    m: Machine, driver: int, *, owner: str = "device", name: str = "", extension: int = 0, flags: int = BUFFERED,
    stack_size: int = 1, device_type: int = 0x22,
) -> int:  # fmt: skip
    """A device object of a driver object.

    `owner` answers for it in the pictures (device, framework, driver); `extension` is bytes of device extension, `flags`
    DO_BUFFERED_IO, DO_DIRECT_IO or 0 for neither, `stack_size` the stack locations that IRPs for it need.
    """
    size = m.sizeof("DEVICE_OBJECT")
    block = m.block_at(driver)
    known = name.rsplit("\\", 1)[-1] or (block.label.removeprefix("driver ") if block else "")
    address = m.allocate(size + extension, "object", label=f"device {known}", zero=True)
    view = m.view(address, "DEVICE_OBJECT")
    view.Type, view.Size, view.ReferenceCount = 3, size + extension, 1
    view.DriverObject, view.Flags, view.StackSize, view.DeviceType = driver, flags, stack_size, device_type
    if extension:
        view.DeviceExtension = address + size
    queue = address + m.offset("DEVICE_OBJECT", "DeviceQueue")
    m.write(queue, pack("<hhIQQ", 20, 40, 0, queue + 8, queue + 8))
    first = driver + m.offset("DRIVER_OBJECT", "DeviceObject")
    view.NextDevice = m.u64(first)
    m.set_u64(first, address)
    model = m.model(Devices)
    model.owners[address], model.names[address] = owner, name
    return address


def owner_of(m: Machine, device: int) -> str:
    """Who answers for a device."""
    return m.model(Devices).owners.get(device, "device")


@quiet()
def wsklab_device_property(m: Machine, Device: int, Property: int, Buffer: int, BufferLength: int) -> int:
    """A device's property, as DEVICE_REGISTRY_PROPERTY numbers them, to a buffer if it fits; its length, 0 when it has none."""
    known = m.model(Devices)
    name = {"DevicePropertyPhysicalDeviceObjectName": known.names[Device]} if known.names.get(Device) else {}
    rows = {m.constant(row): value for row, value in (name | known.properties.get(Device, {})).items()}
    value = rows.get(Property, b"")
    if isinstance(value, str):
        value = f"{value}\0".encode("utf-16-le")
    elif isinstance(value, int):
        value = value.to_bytes(4, "little")
    if len(value) <= BufferLength:
        m.write(Buffer, value)
    return len(value)


# Passing down


def _leave(m: Machine, irp: int, routine: int, visit: Visit, result: int) -> None:
    packet = m.model(Irps).packets.get(irp)
    if packet is not None and visit in packet.visits:
        packet.visits.remove(visit)
    if not m.code[routine].is_driver:
        return
    rule = None
    if visit.marked and result != PENDING:
        rule = "irp-marked-not-pending"
    elif result == PENDING and not visit.marked and not visit.passed:
        rule = "irp-pending-not-marked"
    elif result != PENDING and not visit.completed and not visit.passed:
        rule = "irp-lost"
    if rule:
        m.stop(rule, objects=(irp,), irp=f"{irp:#018x}", routine=code_name(m, routine), status=name_of(result))


def call_driver(m: Machine, device: int, irp: int, *, by: str) -> int:
    """Send an IRP to a device, as IoCallDriver does; the dispatch routine may not wait. Returns its status."""
    return int(m.drive(send(m, device, irp, by=by), "IoCallDriver"))


@wdk("IofCallDriver", "IoCallDriver", waits=True)
def send(m: Machine, device: int, irp: int, *, by: str = "driver") -> Generator[Wait, Any, int]:
    """Send an IRP to a device, in a thread in which its dispatch routine may wait. Facts: IRP-10, IRP-20, IRP-25, IRP-26."""
    m.u16(device)  # NULL and freed devices stop here
    owner = owner_of(m, device)
    location = hand_over(m, irp, owner, by=by, function="IoCallDriver", device=device)
    driver = m.u64(device + m.offset("DEVICE_OBJECT", "DriverObject"))
    routine = m.u64(driver + m.offset("DRIVER_OBJECT", "MajorFunction") + 8 * m.u8(location + layout().major))
    if not routine:  # the driver has not set this major function: the I/O manager answers
        complete(m, irp, status.INVALID_DEVICE_REQUEST, 0, by=owner)
        return status.INVALID_DEVICE_REQUEST
    return (yield from visit(m, irp, routine, device, irp, target=owner))


def visit(m: Machine, irp: int, routine: int, *arguments: int, target: str = "driver") -> Generator[Wait, Any, int]:
    """Call a routine that gets an IRP, and compare what it did with the IRP with what it returned. Facts: IRP-25, IRP-26."""
    under_way = Visit()
    m.model(Irps).packets[irp].visits.append(under_way)
    result: int = yield from m.call_waiting(routine, *arguments, actor="io", target=target)
    _leave(m, irp, routine, under_way, result)
    return result


# What C calls


@wdk(irql=PASSIVE_LEVEL)
def IoCreateDevice(
    m: Machine, DriverObject: int, DeviceExtensionSize: int, DeviceName: int, DeviceType: int, DeviceCharacteristics: int,
    Exclusive: int, DeviceObject: int,
) -> int:  # fmt: skip
    """Make a device object of the driver, with DO_DEVICE_INITIALIZING set."""
    if m.choose("IoCreateDevice", ("succeeds", "fails")) == "fails":
        return status.INSUFFICIENT_RESOURCES
    name = text_of(m, DeviceName)
    if name and name in m.model(Devices).names.values():
        return status.OBJECT_NAME_COLLISION
    made = make_device(
        m, DriverObject, owner="driver", name=name, extension=DeviceExtensionSize, flags=0x80, device_type=DeviceType
    )
    m.set_u64(DeviceObject, made)
    return status.SUCCESS


@quiet()
def wsklab_forget_device(m: Machine, Device: int) -> None:
    """A device object is about to be freed."""
    m.model(Devices).owners.pop(Device, None)
    m.model(Devices).names.pop(Device, None)


@wdk(irql=PASSIVE_LEVEL)
def IoCreateSymbolicLink(m: Machine, SymbolicLinkName: int, DeviceName: int) -> int:
    """Give a device a second name."""
    links, link = m.model(Devices).links, text_of(m, SymbolicLinkName)
    if link in links:
        return status.OBJECT_NAME_COLLISION
    links[link] = text_of(m, DeviceName)
    return status.SUCCESS


@wdk(irql=PASSIVE_LEVEL)
def IoDeleteSymbolicLink(m: Machine, SymbolicLinkName: int) -> int:
    """Take a device's second name away."""
    known = m.model(Devices).links.pop(text_of(m, SymbolicLinkName), None)
    return status.OBJECT_NAME_NOT_FOUND if known is None else status.SUCCESS


# Work items: a routine of the driver, run once at PASSIVE_LEVEL in a system thread (KRN-30, KRN-31, BUG-22)


class WorkItems(dict[int, int]):
    """The routine that each queued work item will call."""


@quiet()
def wsklab_new_item(m: Machine, Size: int) -> int:
    """Memory for a work item; NULL on failure."""
    fails = m.choose("IoAllocateWorkItem", ("succeeds", "fails")) == "fails"
    return 0 if fails else m.allocate(Size, "object", label="work item", zero=True)


@quiet()
def wsklab_item_queued(m: Machine, Item: int) -> int:
    """Whether a work item is queued."""
    return int(Item in m.model(WorkItems))


@quiet("wsklab_item_queue")
def _queue(m: Machine, function: int, item: int, routine: int, *arguments: int) -> None:
    """Run a routine with its arguments soon in a system thread."""
    queued, name = m.model(WorkItems), m.code_at(routine).name
    if item in queued:
        m.refuse("workitem-queued-twice", item, c_text(m, function))
    queued[item] = routine

    def body() -> Generator[Wait, Any, None]:
        del queued[item]
        yield from m.call_waiting(routine, *arguments)
        if m.irql != PASSIVE_LEVEL:
            m.stop("routine-changed-irql", what=name, before=PASSIVE_LEVEL, after=m.irql)

    m.start_thread(body(), f"work item {name}")


def check_work_items(m: Machine) -> None:
    """At unload: stop when a work item is still queued (KRN-30, BUG-16)."""
    for item, routine in m.model(WorkItems).items():
        m.stop("timer-at-unload", objects=(item,), what="work item", object=f"{item:#018x}", routine=f"{routine:#018x}")
