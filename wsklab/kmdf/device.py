"""WDFDRIVER and WDFDEVICE: the root of the tree, the device object, its initialisation, and the way in for IRPs.

A device is made in two steps: a WDFDEVICE_INIT that the driver fills in, and WdfDeviceCreate, which consumes it. Modelled are
function devices and filters over a lower device, and control devices (KMDF-DEV-04, 06). IRPs that arrive go to the default
queue, else down (filter) or back with STATUS_INVALID_DEVICE_REQUEST (KMDF-QUE-05).

Facts: KMDF-DEV, KMDF-WHO-01, KMDF-TGT-02 to 05. Pages: creating-a-framework-device-object.md, using-control-device-objects.md.
"""

from __future__ import annotations

from typing import Any, ClassVar

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, Given, Out, framework, table, wdf
from wsklab.kmdf.objects import ROOT, Object, handle_of, validate
from wsklab.kmdf.queue import HANDLERS, Queue
from wsklab.kmdf.target import IoTarget
from wsklab.kmdf.wdm import BUFFERED, DIRECT
from wsklab.machine import PASSIVE_LEVEL, Machine, status, wdk

MJ_CREATE, MJ_CLOSE, MJ_CLEANUP = 0, 2, 0x12
NON_PNP, NO_DISPATCH_OVERRIDE = 1, 2
PNP_CALLBACKS = (
    "EvtDevicePrepareHardware", "EvtDeviceD0Entry", "EvtDeviceSelfManagedIoInit", "EvtDeviceSelfManagedIoCleanup",
    "EvtDeviceD0Exit", "EvtDeviceReleaseHardware",
)  # fmt: skip


class Driver(Object):
    """The driver object: its DRIVER_OBJECT and the callbacks of its WDF_DRIVER_CONFIG."""

    KIND: ClassVar[str] = "WDFDRIVER"
    TYPE: ClassVar[int] = 0x1001
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, driver_object: int, device_add: int = 0, unload: int = 0) -> None:
        super().__init__(fw)
        self.object, self.device_add, self.unload, self.deletable = driver_object, device_add, unload, False


class DeviceInit(Object):
    """What a WDFDEVICE_INIT collects until WdfDeviceCreate. `lower` is the DEVICE_OBJECT to attach to, 0 for a control device."""

    KIND: ClassVar[str] = "WDFDEVICE_INIT"

    def __init__(self, fw: Framework, lower: int = 0) -> None:
        super().__init__(fw)
        self.lower, self.io_type, self.filter, self.name, self.device_type = lower, BUFFERED, False, "", 0x22
        self.events: dict[str, int] = {}
        self.request_attributes = 0

    def set(self, **values: Any) -> None:
        """Remember what the device is to be."""
        vars(self).update(values)

    def keep_attributes(self, attributes: int) -> None:
        """Attributes for every request that arrives; a copy is kept. Facts: KMDF-CTX-11."""
        self.request_attributes = self.m.new("WDF_OBJECT_ATTRIBUTES", "native", label="request attributes")
        self.m.memory.copy(self.request_attributes, attributes, self.m.sizeof("WDF_OBJECT_ATTRIBUTES"))

    def keep_callbacks(self, callbacks: int) -> None:
        """Callbacks for start and removal: those in PNP_CALLBACKS are called, another one set ends the run as not modelled."""
        for name, field in self.m.headers.record("WDF_PNPPOWER_EVENT_CALLBACKS").members.items():
            address = self.m.u64(callbacks + field.offset) if name != "Size" else 0
            if address and name not in PNP_CALLBACKS:
                self.m.not_modelled(f"the callback {name}")
            self.events[name] = address


class Device(Object):
    """One device.

    Attributes:
        object: address of its DEVICE_OBJECT; `lower` is the one it is attached to, 0 for a control device.
        io_type: how the device wants its read and write buffers (WDF_DEVICE_IO_TYPE).
        target: its local I/O target, None for a control device (KMDF-TGT-04).
        started: whether queues may present requests.
    """

    KIND: ClassVar[str] = "WDFDEVICE"
    TYPE: ClassVar[int] = 0x1002
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, parent: Object, driver_object: int, init: DeviceInit) -> None:
        super().__init__(fw, parent)
        self.pnp = bool(init.lower)
        self.deletable = not self.pnp
        self.filter, self.events, self.lower = init.filter, init.events, init.lower
        self.request_attributes = init.request_attributes
        self.io_type = wdm.io_type(fw.m, init.lower) if init.filter else init.io_type
        self.default_queue: Queue | None = None
        self.started = False
        self.object = io_device.make_device(
            fw.m, driver_object, owner="framework", name=init.name, flags=wdm.FLAGS[self.io_type], device_type=init.device_type
        )
        self.target: IoTarget | None = None
        if init.lower:
            self.lower = io_device.attach(fw.m, self.object, init.lower)
            self.target = IoTarget(fw, self, self)
            self.target.deletable = False
            self.target.attach(self.lower)

    def dispatch(self, irp: int) -> int:
        """An IRP for this device. Facts: KMDF-QUE-04, 05."""
        major = wdm.location(self.m, irp).MajorFunction
        if major in HANDLERS and self.default_queue is not None:
            return self.default_queue.arrived(irp)
        if self.filter:
            wdm.skip_location(self.m, irp)
            return wdm.call_driver(self.m, self.lower, irp)
        answer = int(status.SUCCESS if major in (MJ_CREATE, MJ_CLOSE, MJ_CLEANUP) else status.INVALID_DEVICE_REQUEST)
        wdm.complete(self.m, irp, answer, 0)
        return answer

    def start(self) -> int:
        """The device is started: queues begin to present requests."""
        self.started = True
        for queue in [child for child in self.children.values() if isinstance(child, Queue)]:
            queue.pump()
        return 0

    def on_destroy(self) -> None:
        """Detach and delete the DEVICE_OBJECT."""
        if self.lower:
            io_device.IoDetachDevice(self.m, self.lower)
        io_device.IoDeleteDevice(self.m, self.object)


@wdf(irql=PASSIVE_LEVEL)
def WdfDriverCreate(fw: Framework, driver_object: Given, path: Given, attributes: int, config: Given, out: int) -> int:
    """The framework driver object. Facts: KMDF-DEV-01, 02."""
    if out:
        fw.m.set_u64(out, 0)
    given = fw.m.view(config, "WDF_DRIVER_CONFIG")
    flags, device_add = given.DriverInitFlags, int(given.EvtDriverDeviceAdd)
    checks = (
        (given.Size != fw.m.sizeof("WDF_DRIVER_CONFIG"), status.INFO_LENGTH_MISMATCH),
        (bool(flags & ~(NON_PNP | NO_DISPATCH_OVERRIDE)), status.INVALID_PARAMETER),
        (fw.driver is not None, status.DRIVER_INTERNAL_ERROR),
        (True, validate(fw.m, attributes, ROOT)),
        (bool(flags & NON_PNP and device_add), status.INVALID_PARAMETER),
    )
    refused = next((value for wrong, value in checks if wrong and value), 0)
    if refused:
        return refused
    fw.driver, fw.driver_object = Driver(fw, driver_object, device_add, int(given.EvtDriverUnload)), driver_object
    return fw.driver.commit(attributes, out)


@wdk(lane="framework")
def WdfGetDriver(m: Machine) -> int:
    """The driver object, NULL before WdfDriverCreate."""
    return handle_of(framework(m).driver)


@wdf(irql=PASSIVE_LEVEL)
def WdfDeviceCreate(fw: Framework, init_pointer: Given, attributes: int, out: Out) -> int:
    """Make the device and consume the WDFDEVICE_INIT. Facts: KMDF-DEV-04, KMDF-TGT-02."""
    init = fw.get(fw.m.u64(init_pointer), DeviceInit)
    answer = validate(fw.m, attributes, ROOT)
    if answer < 0 or fw.fails("WdfDeviceCreate"):
        return answer or status.INSUFFICIENT_RESOURCES
    device = Device(fw, fw.default_parent(), fw.driver_object, init)
    fw.devices.append(device)
    fw.m.set_u64(init_pointer, 0)
    init.delete()
    return device.commit(attributes, out)


def _text(init: DeviceInit, name: int) -> str:
    return wdm.text(init.m.view(name, "UNICODE_STRING"))


def _link(device: Device, link: int) -> int:
    known = io_device.devices(device.m)
    known.links[wdm.text(device.m.view(link, "UNICODE_STRING"))] = known.names[device.object]
    return 0


table("DeviceInit", {
    "WdfDeviceInitFree": ("Give a control device's WDFDEVICE_INIT back unused. Facts: KMDF-DEV-07.", DeviceInit.delete),
    "WdfDeviceInitSetIoType": (
        "How read and write buffers are to arrive; no effect for a filter. Facts: KMDF-DEV-05.",
        lambda init, io_type: init.set(io_type=min(io_type, DIRECT)),
    ),
    "WdfDeviceInitSetDeviceType": ("The FILE_DEVICE_ type.", lambda init, kind: init.set(device_type=kind)),
    "WdfDeviceInitSetExclusive": ("Whether only one handle may be open; nobody opens any here.", lambda init, exclusive: None),
    "WdfDeviceInitAssignName": (
        "A name for the device object, NULL for none.", lambda init, name: init.set(name=_text(init, name)) or 0
    ),
    "WdfFdoInitSetFilter": (
        "The device is a filter: what it has no queue for goes down. Facts: KMDF-DEV-05, KMDF-QUE-05.",
        lambda init: init.set(filter=True),
    ),
    "WdfDeviceInitSetRequestAttributes": ("", DeviceInit.keep_attributes),
    "WdfDeviceInitSetPnpPowerEventCallbacks": ("", DeviceInit.keep_callbacks),
}, PASSIVE_LEVEL)  # fmt: skip
table("Driver", {
    "WdfControlDeviceInitAllocate": (
        "A WDFDEVICE_INIT for a control device. Facts: KMDF-DEV-06.", lambda driver, sddl: DeviceInit(driver.fw).handle
    ),
    "WdfDriverWdmGetDriverObject": ("The DRIVER_OBJECT behind a WDFDRIVER.", lambda driver: driver.object),
}, PASSIVE_LEVEL)  # fmt: skip
table("Device", {
    "WdfControlFinishInitializing": ("From now on a control device gets requests. Facts: KMDF-DEV-06.", Device.start),
    "WdfDeviceCreateDeviceInterface": (
        "Register an interface by which applications find the device; nobody looks for it here.",
        lambda device, guid, reference: 0,
    ),
    "WdfDeviceCreateSymbolicLink": ("A second name for the device, by which it can be opened.", _link),
    "WdfDeviceGetIoTarget": (
        "The local target: the next-lower device; NULL for a control device. Facts: KMDF-TGT-01 to 05.",
        lambda device: handle_of(device.target),
    ),
    "WdfDeviceGetDriver": ("The driver a device belongs to.", lambda device: device.fw.default_parent().handle),
    "WdfDeviceGetDefaultQueue": (
        "The default queue, NULL when none was made.", lambda device: handle_of(device.default_queue)
    ),
    "WdfDeviceWdmGetDeviceObject": ("The DEVICE_OBJECT of a device.", lambda device: device.object),
    "WdfDeviceWdmGetAttachedDevice": (
        "The DEVICE_OBJECT below a device, NULL for a control device.", lambda device: device.lower
    ),
})  # fmt: skip
