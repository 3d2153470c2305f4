"""WDFDRIVER and WDFDEVICE: the root of the tree, the device object, its initialisation, and the way in for IRPs.

A device is made in two steps: a WDFDEVICE_INIT that the driver fills in, and WdfDeviceCreate, which consumes it. Modelled are
function devices and filters over a lower device, and control devices (KMDF-DEV-04, 06). IRPs that arrive go to the default
queue, else down (filter) or back with STATUS_INVALID_DEVICE_REQUEST (KMDF-QUE-05).

Facts: KMDF-DEV, KMDF-WHO-01, KMDF-TGT-02 to 05. Pages: creating-a-framework-device-object.md, using-control-device-objects.md.
"""

from __future__ import annotations

from typing import ClassVar

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.api import ROOT, commit, getters, handle_of, validate, wdf
from wsklab.kmdf.layout import BUFFERED, DIRECT
from wsklab.kmdf.objects import Framework, Object
from wsklab.kmdf.queue import HANDLERS, Queue
from wsklab.kmdf.target import IoTarget
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
        fw.inits[self.handle] = self

    def on_dispose(self) -> None:
        """It was used or given back."""
        self.framework.inits.pop(self.handle, None)


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
        self.interfaces: list[bytes] = []
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
        m, lay = self.m, self.framework.layout
        major = m.u8(m.u64(irp + lay.irp_stack) + lay.sl_major)
        if major in HANDLERS and self.default_queue is not None:
            return self.default_queue.arrived(irp)
        if self.filter:
            wdm.skip_location(m, irp)
            return wdm.call_driver(m, self.lower, irp)
        answer = int(status.SUCCESS if major in (MJ_CREATE, MJ_CLOSE, MJ_CLEANUP) else status.INVALID_DEVICE_REQUEST)
        wdm.complete(m, irp, answer, 0)
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


@wdf(PASSIVE_LEVEL)
def WdfDriverCreate(fw: Framework, driver_object: int, path: int, attributes: int, config: int, out: int) -> int:
    """The framework driver object. Facts: KMDF-DEV-01, 02."""
    for pointer, name in ((driver_object, "DriverObject"), (path, "RegistryPath"), (config, "DriverConfig")):
        fw.required(pointer, name)
    if out:
        fw.m.set_u64(out, 0)
    given = fw.m.view(config, "WDF_DRIVER_CONFIG")
    flags, device_add = given.DriverInitFlags, int(given.EvtDriverDeviceAdd)
    if given.Size != fw.m.sizeof("WDF_DRIVER_CONFIG"):
        return status.INFO_LENGTH_MISMATCH
    if flags & ~(NON_PNP | NO_DISPATCH_OVERRIDE):
        return status.INVALID_PARAMETER
    if fw.driver is not None:
        return status.DRIVER_INTERNAL_ERROR
    answer = validate(fw.m, attributes, ROOT)
    if answer < 0 or (flags & NON_PNP and device_add):
        return answer or status.INVALID_PARAMETER
    fw.driver, fw.driver_object = Driver(fw, driver_object, device_add, int(given.EvtDriverUnload)), driver_object
    return commit(fw, fw.driver, attributes, out)


@wdk(lane="framework")
def WdfGetDriver(m: Machine) -> int:
    """The driver object, NULL before WdfDriverCreate."""
    from wsklab.kmdf.objects import framework

    return handle_of(framework(m).driver)


def _init(fw: Framework, handle: int) -> DeviceInit:
    fw.required(handle, "DeviceInit")
    return fw.get(handle, DeviceInit)


@wdf(PASSIVE_LEVEL)
def WdfDeviceCreate(fw: Framework, init_pointer: int, attributes: int, out: int) -> int:
    """Make the device and consume the WDFDEVICE_INIT. Facts: KMDF-DEV-04, KMDF-TGT-02."""
    fw.required(init_pointer, "DeviceInit")
    init = _init(fw, fw.m.u64(init_pointer))
    fw.required(out, "Device")
    fw.m.set_u64(out, 0)
    answer = validate(fw.m, attributes, ROOT)
    if answer < 0 or fw.fails("WdfDeviceCreate"):
        return answer or status.INSUFFICIENT_RESOURCES
    device = Device(fw, fw.default_parent(), fw.driver_object, init)
    fw.devices.append(device)
    fw.m.set_u64(init_pointer, 0)
    init.delete()
    return commit(fw, device, attributes, out)


@wdf(PASSIVE_LEVEL)
def WdfControlDeviceInitAllocate(fw: Framework, driver: Driver, sddl: int) -> int:
    """A WDFDEVICE_INIT for a control device. Facts: KMDF-DEV-06."""
    return DeviceInit(fw).handle


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitFree(fw: Framework, init: int) -> None:
    """Give a control device's WDFDEVICE_INIT back unused. Facts: KMDF-DEV-07."""
    _init(fw, init).delete()


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitSetIoType(fw: Framework, init: int, io_type: int) -> None:
    """How read and write buffers are to arrive; no effect for a filter. Facts: KMDF-DEV-05."""
    _init(fw, init).io_type = DIRECT if io_type > DIRECT else io_type


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitSetDeviceType(fw: Framework, init: int, device_type: int) -> None:
    """The FILE_DEVICE_ type."""
    _init(fw, init).device_type = device_type


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitSetExclusive(fw: Framework, init: int, exclusive: int) -> None:
    """Whether only one handle may be open; nobody opens handles here yet."""
    _init(fw, init)


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitAssignName(fw: Framework, init: int, name: int) -> int:
    """A name for the device object, NULL for none."""
    _init(fw, init).name = wdm.text(fw.m.view(name, "UNICODE_STRING"))
    return 0


@wdf(PASSIVE_LEVEL)
def WdfFdoInitSetFilter(fw: Framework, init: int) -> None:
    """The device is a filter: what it has no queue for goes down. Facts: KMDF-DEV-05, KMDF-QUE-05."""
    _init(fw, init).filter = True


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitSetRequestAttributes(fw: Framework, init: int, attributes: int) -> None:
    """Attributes for every request that arrives; a copy is kept. Facts: KMDF-CTX-11."""
    size = fw.layout.attributes_size
    _init(fw, init).request_attributes = kept = fw.m.allocate(size, kind="native", label="request attributes")
    fw.m.write(kept, fw.m.read(attributes, size))


@wdf(PASSIVE_LEVEL)
def WdfDeviceInitSetPnpPowerEventCallbacks(fw: Framework, init: int, callbacks: int) -> None:
    """Callbacks for start and removal: those in PNP_CALLBACKS are called, another one set ends the run as not modelled."""
    for name, field in fw.m.headers.record("WDF_PNPPOWER_EVENT_CALLBACKS").members.items():
        address = fw.m.u64(callbacks + field.offset) if name != "Size" else 0
        if address and name not in PNP_CALLBACKS:
            fw.m.not_modelled(f"the callback {name}")
        _init(fw, init).events[name] = address


@wdf(PASSIVE_LEVEL)
def WdfDeviceCreateDeviceInterface(fw: Framework, device: Device, guid: int, reference: int) -> int:
    """Register an interface by which applications find the device; it is only remembered."""
    device.interfaces.append(fw.m.read(guid, 16))
    return 0


@wdf(PASSIVE_LEVEL)
def WdfDeviceCreateSymbolicLink(fw: Framework, device: Device, link: int) -> int:
    """A second name for the device, by which it can be opened."""
    known = io_device.devices(fw.m)
    known.links[wdm.text(fw.m.view(link, "UNICODE_STRING"))] = known.names[device.object]
    return 0


getters("Driver", {"WdfDriverWdmGetDriverObject": ("The DRIVER_OBJECT behind a WDFDRIVER.", lambda driver: driver.object)})
getters("Device", {
    "WdfControlFinishInitializing": ("From now on a control device gets requests. Facts: KMDF-DEV-06.", Device.start),
    "WdfDeviceGetIoTarget": (
        "The local target: the next-lower device; NULL for a control device. Facts: KMDF-TGT-01 to 05.",
        lambda device: handle_of(device.target),
    ),
    "WdfDeviceGetDriver": ("The driver a device belongs to.", lambda device: device.framework.default_parent().handle),
    "WdfDeviceGetDefaultQueue": (
        "The default queue, NULL when none was made.", lambda device: handle_of(device.default_queue)
    ),
    "WdfDeviceWdmGetDeviceObject": ("The DEVICE_OBJECT of a device.", lambda device: device.object),
    "WdfDeviceWdmGetAttachedDevice": (
        "The DEVICE_OBJECT below a device, NULL for a control device.", lambda device: device.lower
    ),
})  # fmt: skip
