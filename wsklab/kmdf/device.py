"""WDFDRIVER, WDFDEVICE and WDFQUEUE: the root of the tree, the device object, the way in for IRPs. Queues work in wdfio.c.

Modelled are function devices and filters over a lower device, and control devices (KMDF-DEV-04, 06, 08).

Facts: KMDF-DEV, KMDF-WHO-01, KMDF-TGT-02 to 05, KMDF-QUE. Pages: creating-a-framework-device-object.md, managing-i-o-queues.md.
"""

from __future__ import annotations

from uuid import UUID

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, Given, Out, framework, wdf
from wsklab.kmdf.objects import ROOT, SCOPE_DEVICE, Object, first, handle_of
from wsklab.kmdf.private import Private
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import IoTarget, SelfTarget
from wsklab.kmdf.wdm import BUFFERED
from wsklab.machine import PASSIVE_LEVEL, Machine, status, wdk
from wsklab.machine.functions_memory import c_text, text_of

NON_PNP, NO_DISPATCH_OVERRIDE = 1, 2
STOPPING_QUEUES, PURGING = 2, 3  # FX_POWER_…


class Driver(Object, kind="WDFDRIVER", number=0x1001, passive=True):
    """The driver object: its DRIVER_OBJECT and the callbacks of its WDF_DRIVER_CONFIG."""

    def __init__(self, fw: Framework, driver_object: int, device_add: int = 0, unload: int = 0) -> None:
        super().__init__(fw)
        self.object, self.device_add, self.unload, self.deletable = driver_object, device_add, unload, False
        self.files = fw.loading  # its C files
        self.registry_path = 0  # the text that DriverEntry got

    @property
    def devices(self) -> list[Device]:
        """Its devices, in order of creation."""
        return [device for device in self.fw.devices if device.driver is self]

    def control_init(self) -> DeviceInit:
        """A WDFDEVICE_INIT for a control device."""
        return DeviceInit(self.fw, self)


class DeviceInit(Private, kind="WDFDEVICE_INIT", number=0x1FFF, structure="FX_DEVICE_INIT"):
    """What a driver says of a device before it is made (see wdfdevice.c). `lower` is the DEVICE_OBJECT to attach to, if any."""

    PLAIN_POINTER = "DeviceInit"

    def __init__(self, fw: Framework, driver: Driver, lower: int = 0) -> None:
        super().__init__(fw)
        self.driver, self.own = driver, fw.m.view(self.address, "FX_DEVICE_INIT")
        self.properties: dict[str, str] = {}  # of a bus driver's child
        self.own.Lower, self.own.IoType, self.own.DeviceType = lower, BUFFERED, 0x22
        self.own.Physical = wdm.bottom(fw.m, lower) if lower else 0

    def says(self, name: int, text: int) -> None:
        """One more text of a property of the child."""
        known, value = c_text(self.m, name), text_of(self.m, text)
        self.properties[known] = f"{self.properties.get(known, '')}{value}\0" if "ID" in known else value


class Device(Private, kind="WDFDEVICE", number=0x1002, passive=True, structure="FX_DEVICE"):
    """One device: `object` is its DEVICE_OBJECT, `lower` the one below; `target` leads there. A control device has neither."""

    def __init__(self, init: DeviceInit) -> None:
        super().__init__(init.fw, init.driver)
        fw, m, self.driver, self.own = init.fw, init.m, init.driver, init.m.view(self.address, "FX_DEVICE")
        given = self.own.Init
        m.memory.copy(int(given), init.address, m.sizeof("FX_DEVICE_INIT"))
        init.own.Name.Buffer = init.own.Preprocess = 0
        self.name = text_of(m, int(given.Name))
        self.links: list[str] = []
        self.interfaces: dict[tuple[str, str], str] = {}
        self.lower, self.filter = int(given.Lower), bool(given.Filter)
        self.pnp = bool(self.lower or given.Parent)
        self.io_type = wdm.io_type(m, self.lower) if self.filter else int(given.IoType)
        self.object = io_device.make_device(
            m, self.driver.object, owner=wdm.ME, name=self.name, flags=wdm.FLAGS[self.io_type], device_type=given.DeviceType
        )
        m.view(self.object, "DEVICE_OBJECT").Characteristics = given.Characteristics
        self.own.Pnp, self.own.Object, self.own.Driver, self.deletable = self.pnp, self.object, self.driver.handle, not self.pnp
        self.target: IoTarget | None = None
        if init.properties:
            m.model(io_device.Devices).properties[self.object] = dict(init.properties)
        if self.lower:
            attach = m.modelled("IoAttachDeviceToDeviceStack").function
            self.lower = given.Lower = attach(m, self.object, self.lower)
            self.target = IoTarget(fw, self)
            self.target.deletable = False
            self.target.attach(self.lower)
            if given.AllowSelf:
                self.own.SelfTarget = SelfTarget(fw, self).handle
        given.IoType = self.io_type
        self.own.Target = handle_of(self.target)
        fw.devices.append(self)

    def pass_down(self, irp: int) -> int:
        """Pass an IRP on to the device below as it is."""
        wdm.skip_location(self.m, irp)
        return wdm.call_driver(self.m, self.lower, irp)

    def answer(self, irp: int, value: int) -> int:
        """Complete an IRP that no request was made for."""
        wdm.complete(self.m, irp, value, 0)
        return value

    def lend(self, irp: int, routine: int, *arguments: int) -> int:
        """Call a routine of the driver that has the IRP itself meanwhile: what it returns. Facts: IRP-25, IRP-26."""
        wdm.packet_of(self.m, irp, "").holders[-1] = "driver"
        return int(self.m.drive(io_device.visit(self.m, irp, routine, *arguments), self.m.code_at(routine).name))

    def adopt(self, irp: int, request: int) -> None:
        """An IRP of a child is this device's now, and so is the request that it has, if any."""
        wdm.hand_over(self.m, irp, by=wdm.ME, device=self.object)
        if request:
            self.fw.get(request, Request).device = self

    def take_back(self, irp: int, moves: int) -> int:
        """The framework has the IRP again, in the next stack location when that `moves`; 0 when the driver did not have it."""
        packet = wdm.packet_of(self.m, irp, "WdfDeviceWdmDispatchIrp")
        if packet.holder != "driver":
            return 0
        if moves:
            wdm.hand_over(self.m, irp, device=self.object)
            return 1
        packet.holders[-1] = wdm.ME
        if packet.visits:  # else the callback has returned, and kept it pending
            packet.visits[-1].passed = True
        return 1

    def new_request(self, irp: int) -> Request:
        """A request for an IRP that came, 0 to keep one in reserve. Facts: KMDF-QUE-04, KMDF-OBJ-06, KMDF-CTX-11."""
        if irp:
            wdm.mark_pending(self.m, irp)
        request = Request(self.fw, None, QUEUE, irp)
        request.deletable, request.device = False, self
        own = self.m.view(request.address, "FX_REQUEST")
        own.Handle, own.Irp, own.Device = request.handle, irp, self.handle
        if self.own.Init.RequestAttributes.Size:
            request.attribute(int(self.own.Init.RequestAttributes))
        return request

    def add_link(self, link: int) -> int:
        """A symbolic link to the device, which goes with it."""
        answer = io_device.IoCreateSymbolicLink(self.m, link, int(self.own.Init.Name))
        if answer == 0:
            self.links.append(text_of(self.m, link))
        return answer

    def interface(self, guid: int, reference: int, link: int) -> int:
        """Make an interface, or (`link` not NULL) tell its symbolic link."""
        m, key = self.m, (str(UUID(bytes_le=self.m.read(guid, 16))), text_of(self.m, reference))
        if link and key not in self.interfaces:
            return int(status.OBJECT_NAME_NOT_FOUND)
        number = self.fw.devices.index(self)
        self.name = m.model(io_device.Devices).names[self.object] = self.name or rf"\Device\{number + 0x40:08x}"
        name = rf"\??\ROOT#WSKLAB#{number:04}#{{{key[0]}}}" + f"\\{key[1]}" * bool(key[1])
        content = self.interfaces.setdefault(key, name).encode("utf-16-le")
        if link:
            view = m.view(link, "UNICODE_STRING")
            view.Buffer = m.allocate(len(content), kind="native", label="symbolic link")
            m.write(int(view.Buffer), content)
            view.Length = view.MaximumLength = len(content)
        return 0

    def open_interfaces(self) -> None:
        """From now on the device is found by its interfaces."""
        self.m.model(io_device.Devices).links.update(dict.fromkeys(self.interfaces.values(), self.name))

    def on_destroy(self) -> None:
        """Its names go; detach and delete the DEVICE_OBJECT."""
        super().on_destroy()
        for link in (*self.links, *self.interfaces.values()):
            self.m.model(io_device.Devices).links.pop(link, None)
        if self.lower:
            self.m.view(self.lower, "DEVICE_OBJECT").AttachedDevice = 0
        self.m.modelled("IoDeleteDevice").function(self.m, self.object)


class Queue(Private, kind="WDFQUEUE", number=0x1003, passive=True, structure="FX_QUEUE"):
    """One queue; its functions are in wdfio.c."""

    @property
    def device(self) -> Device:
        """The device it belongs to."""
        return self.fw.get(self.m.u64(self.address + self.m.offset("FX_QUEUE", "Device")), Device)

    def lock_holder(self) -> Object:
        """Its device's lock when that is the scope. Facts: KMDF-CON-14."""
        return self.device if self.constraint("scope") == SCOPE_DEVICE else self


@wdf(irql=PASSIVE_LEVEL)
def WdfDriverCreate(fw: Framework, driver_object: Given, path: Given, attributes: int, config: Given, out: int) -> int:
    """The framework driver object. Facts: KMDF-DEV-01 to 03."""
    if out:
        fw.m.set_u64(out, 0)
    given = fw.m.view(config, "WDF_DRIVER_CONFIG")
    flags, device_add = given.DriverInitFlags, int(given.EvtDriverDeviceAdd)
    refused = first(
        (given.Size != fw.m.sizeof("WDF_DRIVER_CONFIG"), status.INFO_LENGTH_MISMATCH),
        (flags & ~(NON_PNP | NO_DISPATCH_OVERRIDE), status.INVALID_PARAMETER),
        (fw.running(), status.DRIVER_INTERNAL_ERROR),
        (attributes, fw.c("wsklab_wdf_check", attributes, ROOT)),
        (flags & NON_PNP and device_add, status.INVALID_PARAMETER),
    )
    if refused:
        return refused
    driver = Driver(fw, driver_object, device_add, int(given.EvtDriverUnload))
    driver.registry_path = int(fw.m.view(path, "UNICODE_STRING").Buffer)
    fw.drivers.append(driver)
    return driver.commit(attributes, out)


@wdk(lane="framework")
def WdfGetDriver(m: Machine) -> int:
    """The driver object, NULL before WdfDriverCreate."""
    return handle_of(framework(m).running())


@wdf(irql=PASSIVE_LEVEL)
def WdfDeviceCreate(fw: Framework, init_pointer: Given, attributes: int, out: Out) -> int:
    """Make the device and consume the WDFDEVICE_INIT. Facts: KMDF-DEV-04, KMDF-TGT-02."""
    init = fw.get(fw.m.u64(init_pointer), DeviceInit)
    name = text_of(fw.m, int(init.own.Name))
    taken = name and name in fw.m.model(io_device.Devices).names.values()
    answer = fw.c("wsklab_wdf_check", attributes, ROOT) or (int(status.OBJECT_NAME_COLLISION) if taken else 0)
    if answer < 0 or fw.fails("WdfDeviceCreate"):
        return answer or status.INSUFFICIENT_RESOURCES
    device = Device(init)
    fw.m.set_u64(init_pointer, 0)
    init.delete()
    return device.commit(attributes, out) or fw.c("wsklab_device_begins", device.handle)
