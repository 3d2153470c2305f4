"""WDFDRIVER, WDFDEVICE and WDFQUEUE: the root of the tree, the device object, the way in for IRPs, and how they reach the driver.

Modelled are function devices and filters over a lower device, and control devices (KMDF-DEV-04, 06). A sequential queue presents
the next request when the driver no longer owns the last: sending it to a target does not count (KMDF-QUE-08).

Facts: KMDF-DEV, KMDF-WHO-01, KMDF-TGT-02 to 05, KMDF-QUE. Pages: creating-a-framework-device-object.md, managing-i-o-queues.md.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, Given, Out, framework, table, wdf
from wsklab.kmdf.objects import ROOT, Object, creation, first, handle_of, validate
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import IoTarget
from wsklab.kmdf.wdm import BUFFERED, CONTROLS, DIRECT, TRANSFERS
from wsklab.machine import PASSIVE_LEVEL, Machine, status, wdk

NON_PNP, NO_DISPATCH_OVERRIDE = 1, 2
SEQUENTIAL, PARALLEL, MANUAL = 1, 2, 3
OPENING = (0, 2, 0x12)  # IRP_MJ_CREATE, CLOSE, CLEANUP: these succeed without the driver
D3_FINAL = 6
STARTING = {"EvtDevicePrepareHardware": (0, 0), "EvtDeviceD0Entry": (D3_FINAL,), "EvtDeviceSelfManagedIoInit": ()}
STOPPING = {"EvtDeviceD0Exit": (D3_FINAL,), "EvtDeviceReleaseHardware": (0,), "EvtDeviceSelfManagedIoCleanup": ()}
EVENTS = ("EvtIoRead", "EvtIoWrite", "EvtIoDeviceControl", "EvtIoInternalDeviceControl")
HANDLERS = dict(zip((*TRANSFERS, *CONTROLS), EVENTS, strict=True))


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


class Device(Object, kind="WDFDEVICE", number=0x1002, passive=True):
    """One device: `object` is its DEVICE_OBJECT, `lower` the one below; `target` leads there. A control device has neither."""

    def __init__(self, fw: Framework, parent: Object, driver_object: int, init: DeviceInit) -> None:
        super().__init__(fw, parent)
        self.pnp = bool(init.lower)
        self.deletable, self.started = not self.pnp, False
        self.filter, self.events, self.lower = init.filter, init.events, init.lower
        self.io_type = wdm.io_type(fw.m, init.lower) if init.filter else init.io_type
        self.default_queue: Queue | None = None
        self.object = io_device.make_device(fw.m, driver_object, owner=wdm.ME, flags=wdm.FLAGS[self.io_type], device_type=0x22)
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
        answer = int(status.SUCCESS if major in OPENING else status.INVALID_DEVICE_REQUEST)
        wdm.complete(self.m, irp, answer, 0)
        return answer

    @wdf("WdfControlFinishInitializing")
    def start(self) -> None:
        """From now on the device gets requests: its queues begin to present them. Facts: KMDF-DEV-06."""
        self.started = True
        for queue in [child for child in self.children.values() if isinstance(child, Queue)]:
            queue.pump()

    def on_destroy(self) -> None:
        """Detach and delete the DEVICE_OBJECT."""
        if self.lower:
            io_device.IoDetachDevice(self.m, self.lower)
        io_device.IoDeleteDevice(self.m, self.object)


class Queue(Object, kind="WDFQUEUE", number=0x1003, passive=True):
    """One queue. `waiting` holds requests not presented yet, `owned` those in the driver's hands."""

    def __init__(self, fw: Framework, parent: Object, device: Device, config: Any, handlers: dict[str, int]) -> None:
        super().__init__(fw, parent)
        self.device, self.dispatch, self.handlers = device, config.DispatchType, handlers
        self.limit = config.Settings.Parallel.NumberOfPresentedRequests if self.dispatch == PARALLEL else 1
        self.zero_length, self.pumping = bool(config.AllowZeroLengthRequests), False
        self.waiting: deque[Request] = deque()
        self.owned: dict[int, Request] = {}

    def arrived(self, irp: int) -> int:
        """An IRP for this queue. Always STATUS_PENDING. Facts: KMDF-QUE-04, 06, KMDF-OBJ-06."""
        wdm.mark_pending(self.m, irp)
        request = Request(self.fw, None, QUEUE, irp)
        request.deletable, request.queue, here = False, self, request.location()
        if here.MajorFunction in TRANSFERS and not here.Parameters.Read.Length and not self.zero_length:
            request.finish(status.SUCCESS, 0)
        else:
            self.waiting.append(request)
            wdm.set_cancel(self.m, irp, lambda: self._cancelled(request))
            self.pump()
        return int(status.PENDING)

    def _cancelled(self, request: Request) -> None:
        """A request that was never presented is completed by the framework. Facts: KMDF-QUE-20."""
        self.waiting.remove(request)
        request.finish(status.CANCELLED, 0)

    def pump(self) -> None:
        """Present what may be presented; a completion inside a handler does not recurse. Facts: KMDF-QUE-08 to 10."""
        if self.pumping or self.dispatch == MANUAL:
            return
        self.pumping = True
        try:
            while self.waiting and self.device.started and len(self.owned) < self.limit:
                request = self.waiting.popleft()
                wdm.set_cancel(self.m, request.irp, None)
                request.driver_owned = True
                self.owned[request.handle] = request
                self._present(request)
        finally:
            self.pumping = False

    def _present(self, request: Request) -> None:
        """Call the handler for a request. Facts: KMDF-QUE-05, 11."""
        here, control = request.location(), request.location().Parameters.DeviceIoControl
        handler = self.handlers[HANDLERS[here.MajorFunction]]
        values: tuple[int, ...] = (here.Parameters.Read.Length,)
        if here.MajorFunction not in TRANSFERS:
            values = (control.OutputBufferLength, control.InputBufferLength, control.IoControlCode)
        if not handler:
            handler, values = self.handlers["EvtIoDefault"], ()
        if handler:
            self.fw.run(handler, self.handle, request.handle, *values)
        else:
            request.finish(status.INVALID_DEVICE_REQUEST, 0)

    def returned(self, request: Request) -> None:
        """The driver no longer owns a request."""
        self.owned.pop(request.handle, None)
        self.pump()

    def on_disposed(self) -> None:
        """Requests never presented are cancelled; one still in the driver's hands would hang the removal. Facts: RULE-42."""
        waiting, self.waiting = self.waiting, deque()
        for request in waiting:
            wdm.set_cancel(self.m, request.irp, None)
            request.finish(status.CANCELLED, 0)
        if self.owned:
            self.fw.stop("kmdf-request-never-completed", next(iter(self.owned.values())), count=str(len(self.owned)))


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


@wdf()
def WdfIoQueueCreate(fw: Framework, device: Device, config: Given, attributes: int, out: int) -> int:
    """A queue of a device. Facts: KMDF-QUE-01, 02, KMDF-OBJ-05."""
    answer, parent = creation(fw, attributes, ("parent", "scope", "level"), device)
    given = fw.m.view(config, "WDF_IO_QUEUE_CONFIG")
    kind, default = given.DispatchType, given.DefaultQueue
    handlers = {name: int(getattr(given, name)) for name in ("EvtIoDefault", *EVENTS)}
    answer = answer or first(
        (given.Size != fw.m.sizeof("WDF_IO_QUEUE_CONFIG"), status.INFO_LENGTH_MISMATCH),
        (not default and not out, status.INVALID_PARAMETER_4),
        (default and device.started and device.pnp, status.INVALID_DEVICE_STATE),
        (not SEQUENTIAL <= kind <= MANUAL, status.INVALID_PARAMETER),
        (kind != MANUAL and not any(handlers.values()), status.WDF_NO_CALLBACK),
        (kind == MANUAL and any(handlers.values()), status.INVALID_PARAMETER),
        (kind != PARALLEL and given.Settings.Parallel.NumberOfPresentedRequests, status.INVALID_PARAMETER),
        (default and device.default_queue, status.UNSUCCESSFUL),
    )
    if answer < 0:
        return answer
    queue = Queue(fw, parent, device, given, handlers)
    if default:
        device.default_queue, queue.deletable = queue, False
    return queue.commit(attributes, out)


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
    "WdfDeviceGetDefaultQueue": ("The default queue, NULL for none.", lambda device: handle_of(device.default_queue)),
    "WdfDeviceWdmGetDeviceObject": ("The DEVICE_OBJECT of a device.", lambda device: device.object),
    "WdfDeviceWdmGetAttachedDevice": ("The DEVICE_OBJECT below, NULL for a control device.", lambda device: device.lower),
})  # fmt: skip
table("Queue", {"WdfIoQueueGetDevice": ("The device a queue belongs to.", lambda queue: queue.device.handle)})
