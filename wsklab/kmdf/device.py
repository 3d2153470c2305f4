"""WDFDEVICE: the device object of the driver, its initialisation, and the way in for IRPs.

A device is made in two steps: a WDFDEVICE_INIT that the driver fills in, and WdfDeviceCreate, which consumes it. Modelled are
function devices and filters over a lower device, and control devices (KMDF-DEV-04, 06). IRPs that arrive go to the queue of
their type, else to the default queue, else down (filter) or back with STATUS_INVALID_DEVICE_REQUEST (KMDF-QUE-05).

Facts: KMDF-DEV, KMDF-TGT-02 to 05. Pages: creating-a-framework-device-object.md, using-control-device-objects.md.
"""

from __future__ import annotations

from typing import ClassVar

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.attributes import ROOT, commit, creation
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.objects import Object as _Object
from wsklab.kmdf.queue import HANDLERS, Queue
from wsklab.kmdf.target import BUFFERED, DIRECT, NEITHER, IoTarget
from wsklab.machine import PASSIVE_LEVEL, Machine, status, wdk

MJ_CREATE, MJ_CLOSE, MJ_CLEANUP = 0, 2, 0x12
PNP_CALLBACKS = (
    "EvtDevicePrepareHardware",
    "EvtDeviceD0Entry",
    "EvtDeviceSelfManagedIoInit",
    "EvtDeviceSelfManagedIoCleanup",
    "EvtDeviceD0Exit",
    "EvtDeviceReleaseHardware",
)
POWER_D0, POWER_D3_FINAL = 1, 6


class DeviceInit(_Object):
    """What a WDFDEVICE_INIT collects until WdfDeviceCreate. `lower` is the DEVICE_OBJECT to attach to, 0 for a control device."""

    KIND: ClassVar[str] = "WDFDEVICE_INIT"

    def __init__(self, fw: Framework, lower: int) -> None:
        super().__init__(fw)
        self.lower = lower
        self.io_type = BUFFERED
        self.filter = False
        self.name = ""
        self.device_type = 0x22
        self.events: dict[str, int] = {}
        self.request_attributes = 0


class Device(_Object):
    """One device.

    Attributes:
        object: address of its DEVICE_OBJECT.
        lower: DEVICE_OBJECT it is attached to, 0 for a control device.
        io_type: how the device wants its read and write buffers (WDF_DEVICE_IO_TYPE).
        target: its local I/O target, None for a control device (KMDF-TGT-04).
        started: whether queues may present requests.
    """

    KIND: ClassVar[str] = "WDFDEVICE"
    TYPE: ClassVar[int] = 0x1002
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, parent: _Object, driver_object: int, init: DeviceInit) -> None:
        super().__init__(fw, parent)
        self.pnp = bool(init.lower)
        self.deletable = not self.pnp
        self.filter, self.events, self.lower = init.filter, init.events, init.lower
        self.request_attributes = init.request_attributes
        self.io_type = io_type_of(fw.m, init.lower) if init.filter else init.io_type
        self.default_queue: Queue | None = None
        self.queues: dict[int, Queue] = {}
        self.interfaces: list[str] = []
        self.started = False
        self.object = io_device.make_device(fw.m, driver_object, owner="framework", name=init.name, device_type=init.device_type)
        wdm.set_io_type(fw.m, self.object, self.io_type)
        self.target: IoTarget | None = None
        if init.lower:
            self.lower = io_device.attach(fw.m, self.object, init.lower)
            self.target = IoTarget(fw, self, self)
            self.target.deletable = False
            self.target.attach(self.lower)

    def dispatch(self, irp: int) -> int:
        """An IRP for this device. Facts: KMDF-QUE-04, 05."""
        fw, m = self.framework, self.m
        lay = fw.layout
        here = m.u64(irp + lay.irp_stack)
        major = m.u8(here + lay.sl_major)
        queue = self.queues.get(major) or self.default_queue
        if major in HANDLERS and queue is not None:
            return queue.arrived(irp)
        if self.filter:
            wdm.skip_location(m, irp)
            return wdm.call_driver(m, self.lower, irp)
        plain = major in (MJ_CREATE, MJ_CLOSE, MJ_CLEANUP)
        answer = int(status.SUCCESS if plain else status.INVALID_DEVICE_REQUEST)
        wdm.complete(m, irp, answer, 0)
        return answer

    def start(self) -> None:
        """The device is started: queues begin to present requests."""
        self.started = True
        for queue in dict.fromkeys(child for child in self.children.values() if isinstance(child, Queue)):
            queue.pump()

    def on_disposed(self) -> None:
        """The DEVICE_OBJECT goes last."""
        self.started = False

    def on_destroy(self) -> None:
        """Detach and delete the DEVICE_OBJECT."""
        if self.lower:
            io_device.IoDetachDevice(self.m, self.lower)
        io_device.IoDeleteDevice(self.m, self.object)


def io_type_of(m: Machine, device_object: int) -> int:
    """The WDF_DEVICE_IO_TYPE that a DEVICE_OBJECT's flags say. Facts: KMDF-TGT-07."""
    flags = m.u32(device_object + m.offset("DEVICE_OBJECT", "Flags"))
    return BUFFERED if flags & wdm.DO_BUFFERED_IO else DIRECT if flags & wdm.DO_DIRECT_IO else NEITHER


def _init(m: Machine, pointer: int) -> DeviceInit:
    fw = framework(m)
    fw.required(pointer, "DeviceInit")
    found = fw.inits.get(pointer)
    if found is None:
        m.stop("kmdf-not-a-handle", handle=f"{pointer:#018x}", wanted="WDFDEVICE_INIT", wanted_type="0")
    return found


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceCreate(m: Machine, DeviceInit: int, DeviceAttributes: int, Device: int) -> int:
    """Make the device and consume the WDFDEVICE_INIT. Facts: KMDF-DEV-04, KMDF-TGT-02."""
    fw = framework(m)
    fw.required(DeviceInit, "DeviceInit")
    init = _init(m, m.u64(DeviceInit))
    fw.required(Device, "Device")
    m.set_u64(Device, 0)
    answer, _ = creation(fw, DeviceAttributes, ROOT)
    if answer < 0:
        return answer
    if m.choose("WdfDeviceCreate", ("succeeds", "fails")) == "fails":
        return status.INSUFFICIENT_RESOURCES
    device = _Device(fw, fw.default_parent(), fw.driver_object, init)
    answer = commit(fw, device, DeviceAttributes)
    if answer < 0:
        return answer
    fw.devices.append(device)
    m.set_u64(DeviceInit, 0)
    fw.drop_init(init)
    m.set_u64(Device, device.handle)
    return 0


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfControlDeviceInitAllocate(m: Machine, Driver: int, SDDLString: int) -> int:
    """A WDFDEVICE_INIT for a control device. Facts: KMDF-DEV-06."""
    fw = framework(m)
    fw.get(Driver, type(fw.default_parent()))
    return fw.new_init(0)


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfControlFinishInitializing(m: Machine, Device: int) -> None:
    """From now on a control device gets requests. Facts: KMDF-DEV-06."""
    framework(m).get(Device, _Device).start()


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitFree(m: Machine, DeviceInit: int) -> None:
    """Give a control device's WDFDEVICE_INIT back unused. Facts: KMDF-DEV-07."""
    framework(m).drop_init(_init(m, DeviceInit))


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitSetIoType(m: Machine, DeviceInit: int, IoType: int) -> None:
    """How read and write buffers are to arrive; no effect for a filter. Facts: KMDF-DEV-05."""
    _init(m, DeviceInit).io_type = DIRECT if IoType == 4 else IoType


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitSetDeviceType(m: Machine, DeviceInit: int, DeviceType: int) -> None:
    """The FILE_DEVICE_ type."""
    _init(m, DeviceInit).device_type = DeviceType


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitSetExclusive(m: Machine, DeviceInit: int, IsExclusive: int) -> None:
    """Whether only one handle may be open; applications here open none."""
    _init(m, DeviceInit)


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitAssignName(m: Machine, DeviceInit: int, DeviceName: int) -> int:
    """A name for the device object."""
    init = _init(m, DeviceInit)
    init.name = wdm.unicode(m, DeviceName) if DeviceName else ""
    return 0


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfFdoInitSetFilter(m: Machine, DeviceInit: int) -> None:
    """The device is a filter: what it has no queue for goes down. Facts: KMDF-DEV-05, KMDF-QUE-05."""
    _init(m, DeviceInit).filter = True


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitSetRequestAttributes(m: Machine, DeviceInit: int, RequestAttributes: int) -> None:
    """Attributes for every request that arrives; a copy is kept. Facts: KMDF-CTX-11."""
    size = m.sizeof("WDF_OBJECT_ATTRIBUTES")
    kept = m.allocate(size, kind="native", label="request attributes")
    m.write(kept, m.read(RequestAttributes, size))
    _init(m, DeviceInit).request_attributes = kept


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceInitSetPnpPowerEventCallbacks(m: Machine, DeviceInit: int, PnpPowerEventCallbacks: int) -> None:
    """Callbacks for start and removal. Those named in PNP_CALLBACKS are called; another one set ends the run as not modelled."""
    record = m.headers.record("WDF_PNPPOWER_EVENT_CALLBACKS")
    init = _init(m, DeviceInit)
    for name, field in record.members.items():
        if name == "Size":
            continue
        address = m.u64(PnpPowerEventCallbacks + field.offset)
        if address and name not in PNP_CALLBACKS:
            m.not_modelled(f"the callback {name}")
        init.events[name] = address


@wdk(irql=2, lane="framework")
def WdfDeviceGetIoTarget(m: Machine, Device: int) -> int:
    """The local target: the next-lower device; NULL for a control device. Facts: KMDF-TGT-01 to 05."""
    device = framework(m).get(Device, _Device)
    return device.target.handle if device.target else 0


@wdk(irql=2, lane="framework")
def WdfDeviceGetDriver(m: Machine, Device: int) -> int:
    """The driver a device belongs to."""
    fw = framework(m)
    fw.get(Device, _Device)
    return fw.default_parent().handle


@wdk(irql=2, lane="framework")
def WdfDeviceGetDefaultQueue(m: Machine, Device: int) -> int:
    """The default queue, NULL when none was made."""
    queue = framework(m).get(Device, _Device).default_queue
    return queue.handle if queue else 0


@wdk(irql=2, lane="framework")
def WdfDeviceWdmGetDeviceObject(m: Machine, Device: int) -> int:
    """The DEVICE_OBJECT of a device."""
    return framework(m).get(Device, _Device).object


@wdk(irql=2, lane="framework")
def WdfDeviceWdmGetAttachedDevice(m: Machine, Device: int) -> int:
    """The DEVICE_OBJECT below a device, NULL for a control device."""
    return framework(m).get(Device, _Device).lower


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceCreateDeviceInterface(m: Machine, Device: int, InterfaceClassGUID: int, ReferenceString: int) -> int:
    """Register an interface by which applications find the device; it is only remembered."""
    device = framework(m).get(Device, _Device)
    device.interfaces.append(m.read(InterfaceClassGUID, 16).hex())
    return 0


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceCreateSymbolicLink(m: Machine, Device: int, SymbolicLinkName: int) -> int:
    """A name by which applications open the device; it is only remembered."""
    framework(m).get(Device, _Device).interfaces.append(wdm.unicode(m, SymbolicLinkName))
    return 0


_Device = Device
# Parameters carry the names of Microsoft's pages; where they hide a class, it goes by this name.
