"""WDFDRIVER, WDFDEVICE and WDFQUEUE: the root of the tree, the device object, the way in for IRPs. Queues work in wdfio.c.

Modelled are function devices and filters over a lower device, and control devices (KMDF-DEV-04, 06).

Facts: KMDF-DEV, KMDF-WHO-01, KMDF-TGT-02 to 05, KMDF-QUE. Pages: creating-a-framework-device-object.md, managing-i-o-queues.md.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, Given, Out, framework, table, wdf
from wsklab.kmdf.objects import ROOT, SCOPE_DEVICE, Object, first, handle_of, validate
from wsklab.kmdf.private import Private
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import IoTarget
from wsklab.kmdf.wdm import BUFFERED, CONTROLS, DIRECT, TRANSFERS
from wsklab.machine import PASSIVE_LEVEL, Machine, Wait, status, wdk

NON_PNP, NO_DISPATCH_OVERRIDE = 1, 2
ON, OFF, STOPPING_QUEUES, PURGING, RESUMING = range(5)  # FX_POWER_…
OPENING = (0, 2, 0x12)  # IRP_MJ_CREATE, CLOSE, CLEANUP: these succeed without the driver
D3_FINAL = 6
STARTING = {"EvtDevicePrepareHardware": (0, 0), "EvtDeviceD0Entry": (D3_FINAL,), "EvtDeviceSelfManagedIoInit": ()}
STOPPING = {"EvtDeviceD0Exit": (D3_FINAL,), "EvtDeviceReleaseHardware": (0,), "EvtDeviceSelfManagedIoCleanup": ()}
RECEIVED = (*TRANSFERS, *CONTROLS)


class Driver(Object, kind="WDFDRIVER", number=0x1001, passive=True):
    """The driver object: its DRIVER_OBJECT and the callbacks of its WDF_DRIVER_CONFIG."""

    def __init__(self, fw: Framework, driver_object: int, device_add: int = 0, unload: int = 0) -> None:
        super().__init__(fw)
        self.object, self.device_add, self.unload, self.deletable = driver_object, device_add, unload, False


class DeviceInit(Object, kind="WDFDEVICE_INIT"):
    """What a WDFDEVICE_INIT collects until WdfDeviceCreate. `lower` is the DEVICE_OBJECT to attach to, 0 for a control device."""

    PLAIN_POINTER = "DeviceInit"

    def __init__(self, fw: Framework, lower: int = 0) -> None:
        super().__init__(fw)
        self.lower, self.io_type, self.filter = lower, BUFFERED, False
        self.events: dict[str, int] = {}

    @wdf("WdfDeviceInitSetPnpPowerEventCallbacks", PASSIVE_LEVEL)
    def set_callbacks(self, callbacks: int) -> None:
        """Callbacks for start and removal: another one than these, set, ends the run as not modelled."""
        for name, field in self.m.headers.record("WDF_PNPPOWER_EVENT_CALLBACKS").members.items():
            address = self.m.u64(callbacks + field.offset) if name != "Size" else 0
            if address and name not in {*STARTING, *STOPPING}:
                self.m.not_modelled(f"the callback {name}")
            self.events[name] = address


class Device(Object, kind="WDFDEVICE", number=0x1002, passive=True, structure="FX_DEVICE"):
    """One device: `object` is its DEVICE_OBJECT, `lower` the one below; `target` leads there. A control device has neither."""

    def __init__(self, fw: Framework, parent: Object, driver_object: int, init: DeviceInit) -> None:
        super().__init__(fw, parent)
        self.own = self.m.view(self.address, "FX_DEVICE")
        self.pnp = bool(init.lower)
        self.own.Pnp, self.own.Filter, self.deletable = self.pnp, init.filter, not self.pnp
        self.filter, self.events, self.lower = init.filter, init.events, init.lower
        self.io_type = wdm.io_type(fw.m, init.lower) if init.filter else init.io_type
        self.object = io_device.make_device(fw.m, driver_object, owner=wdm.ME, flags=wdm.FLAGS[self.io_type], device_type=0x22)
        self.target: IoTarget | None = None
        if init.lower:
            self.lower = io_device.attach(fw.m, self.object, init.lower)
            self.target = IoTarget(fw, self, self)
            self.target.deletable = False
            self.target.attach(self.lower)

    @property
    def queues(self) -> list[Queue]:
        """Its queues."""
        return [obj for obj in self.fw.live.values() if isinstance(obj, Queue) and obj.device is self]

    def dispatch(self, irp: int) -> int:
        """An IRP for this device. Always STATUS_PENDING when a queue gets it. Facts: KMDF-QUE-04, 05, KMDF-OBJ-06."""
        major = wdm.location(self.m, irp).MajorFunction
        if major in RECEIVED and (self.own.EvtIoInCallerContext or self.fw.c("wsklab_device_queue", self.handle, major)):
            wdm.mark_pending(self.m, irp)
            request = Request(self.fw, None, QUEUE, irp)
            request.deletable, request.device = False, self
            self.fw.c("wsklab_device_received", self.handle, request.handle, irp)
            return int(status.PENDING)
        if self.filter:
            wdm.skip_location(self.m, irp)
            return wdm.call_driver(self.m, self.lower, irp)
        answer = int(status.SUCCESS if major in OPENING else status.INVALID_DEVICE_REQUEST)
        wdm.complete(self.m, irp, answer, 0)
        return answer

    @wdf("WdfControlFinishInitializing")
    def start(self) -> None:
        """From now on the device gets requests: its queues begin to present them. Facts: KMDF-DEV-06."""
        self.own.Started = 1
        for queue in self.queues:
            self.fw.c("wsklab_queue_dispatch", queue.handle)

    def power(self, change: int) -> Generator[Wait, Any, None]:
        """Its queues stop (if power-managed), are purged or go on; until the driver has let go. Facts: KMDF-MCA-11 to 13."""
        queues = self.queues
        for queue in queues:
            self.fw.c("wsklab_queue_power", queue.handle, change)
        if change != RESUMING and not all(queue.rests for queue in queues):
            yield Wait(lambda: all(queue.rests for queue in queues), None, ("WDFDEVICE", self.address))

    def on_destroy(self) -> None:
        """Detach and delete the DEVICE_OBJECT."""
        if self.lower:
            io_device.IoDetachDevice(self.m, self.lower)
        io_device.IoDeleteDevice(self.m, self.object)


class Queue(Private, kind="WDFQUEUE", number=0x1003, passive=True, structure="FX_QUEUE"):
    """One queue; its functions are in wdfio.c."""

    @property
    def device(self) -> Device:
        """The device it belongs to."""
        return self.fw.get(self.m.u64(self.address + self.m.offset("FX_QUEUE", "Device")), Device)

    @property
    def rests(self) -> bool:
        """Whether the driver has let go of its requests before the device sleeps or goes."""
        return self.m.u32(self.address + self.m.offset("FX_QUEUE", "Power")) in (ON, OFF)

    def lock_holder(self) -> Object:
        """Its device's lock when that is the scope. Facts: KMDF-CON-14."""
        return self.device if self.constraint("scope") == SCOPE_DEVICE else self

    def blocked(self) -> None:
        """Stop when one of its requests holds up the device. Facts: RULE-42, RULE-75."""
        view = self.m.view(self.address, "FX_QUEUE")
        if not self.rests and view.OwnedCount:
            first_owned = self.m.view(int(view.Owned.Flink), "FX_REQUEST")
            rule = "kmdf-power-blocked" if view.Power == STOPPING_QUEUES else "kmdf-request-never-completed"
            self.fw.stop(rule, self.fw.get(int(first_owned.Handle), Request), count=str(view.OwnedCount))


@wdf(irql=PASSIVE_LEVEL)
def WdfDriverCreate(fw: Framework, driver_object: Given, path: Given, attributes: int, config: Given, out: int) -> int:
    """The framework driver object. Facts: KMDF-DEV-01, 02."""
    if out:
        fw.m.set_u64(out, 0)
    given = fw.m.view(config, "WDF_DRIVER_CONFIG")
    flags, device_add = given.DriverInitFlags, int(given.EvtDriverDeviceAdd)
    refused = first(
        (given.Size != fw.m.sizeof("WDF_DRIVER_CONFIG"), status.INFO_LENGTH_MISMATCH),
        (flags & ~(NON_PNP | NO_DISPATCH_OVERRIDE), status.INVALID_PARAMETER),
        (fw.driver, status.DRIVER_INTERNAL_ERROR),
        (attributes, validate(fw.m, attributes, ROOT)),
        (flags & NON_PNP and device_add, status.INVALID_PARAMETER),
    )
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


table("DeviceInit", {
    "WdfDeviceInitFree": ("Give a control device's WDFDEVICE_INIT back unused. Facts: KMDF-DEV-07.", DeviceInit.delete),
    "WdfDeviceInitSetIoType": (
        "How buffers are to arrive. Facts: KMDF-DEV-05.", lambda init, io_type: setattr(init, "io_type", min(io_type, DIRECT))
    ),
    "WdfDeviceInitAssignName": ("A name for the device object; nobody opens one by name here.", lambda init, name: 0),
    "WdfFdoInitSetFilter": (
        "A filter: what it has no queue for goes down. Facts: KMDF-DEV-05.", lambda init: setattr(init, "filter", True)
    ),
}, PASSIVE_LEVEL)  # fmt: skip
table("Driver", {
    "WdfControlDeviceInitAllocate": (
        "A WDFDEVICE_INIT for a control device. Facts: KMDF-DEV-06.", lambda driver, sddl: DeviceInit(driver.fw).handle
    ),
    "WdfDriverWdmGetDriverObject": ("The DRIVER_OBJECT behind a WDFDRIVER.", lambda driver: driver.object),
})  # fmt: skip
table("Device", {
    "WdfDeviceGetIoTarget": ("The local target, NULL for none (KMDF-TGT-01 to 05).", lambda device: handle_of(device.target)),
    "WdfDeviceGetDriver": ("The driver a device belongs to.", lambda device: device.fw.default_parent().handle),
    "WdfDeviceGetDefaultQueue": ("The default queue, NULL for none.", lambda device: int(device.own.DefaultQueue)),
    "WdfDeviceWdmGetDeviceObject": ("The DEVICE_OBJECT of a device.", lambda device: device.object),
    "WdfDeviceWdmGetAttachedDevice": ("The DEVICE_OBJECT below, NULL for a control device.", lambda device: device.lower),
})  # fmt: skip
