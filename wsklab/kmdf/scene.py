"""Ready-made scenes: a target over a lower device, a request, a memory object, and a whole KMDF driver with an application.

`load_driver` does what the system does: DriverEntry, EvtDriverDeviceAdd for one device, the start callbacks. The other scenes
need no C: they have a driver of their own. Facts: KMDF-DEV, KMDF-IOT-02 to 06, KMDF-BUF-04, 05, 14, KMDF-CAN-17.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

from wsklab.io import device as io_device
from wsklab.kmdf import wdm
from wsklab.kmdf.application import AppRequest
from wsklab.kmdf.core import framework
from wsklab.kmdf.device import PURGING, STOPPING_QUEUES, Device, DeviceInit, Driver
from wsklab.kmdf.lower import USB, LowerDevice
from wsklab.kmdf.memory import Memory
from wsklab.kmdf.request import Request
from wsklab.kmdf.target import IoTarget, RemoteTarget, removal
from wsklab.kmdf.wdm import MJ_DEVICE_CONTROL
from wsklab.machine import Machine, Wait
from wsklab.machine.status import NTSTATUS

if TYPE_CHECKING:
    from wsklab.c.link import Image

D3, D3_FINAL = 4, 5  # WdfPowerDeviceD3 …
REGISTRY_PATH = r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\{name}"
PNP_EVENTS = ("query remove", "cancel remove", "remove")
lower_device = LowerDevice


def registry_path(m: Machine, name: str) -> int:
    """The UNICODE_STRING that DriverEntry gets as its registry path."""
    path, text = m.view(m.new("UNICODE_STRING", kind="native"), "UNICODE_STRING"), REGISTRY_PATH.format(name=name)
    path.Length, path.MaximumLength = 2 * len(text), 2 * len(text) + 2
    path.Buffer = buffer = m.allocate(path.MaximumLength, kind="native", label="registry path", zero=True)
    m.write(buffer, text.encode("utf-16-le"))
    return int(path)


def _scene_device(m: Machine) -> Device:
    """The device that the scene's objects belong to: the driver's first one, or a control device of the scene's own."""
    fw = framework(m)
    if fw.devices:
        return fw.devices[0]
    if fw.scene is None:
        init = DeviceInit(fw, Driver(fw, io_device.make_driver(m, "scene", fw.dispatch)))
        fw.scene = Device(init)
        fw.devices.remove(fw.scene)  # it is the scene's, not a driver's
        init.delete()
        fw.c("wsklab_device_begins", fw.scene.handle)
        fw.c("WdfControlFinishInitializing", fw.scene.handle)
    return fw.scene


def io_target(m: Machine, device: LowerDevice, *, opened: bool = True) -> int:
    """A remote I/O target over a lower device: its WDFIOTARGET handle."""
    owner = _scene_device(m)
    target = RemoteTarget(owner.fw, owner)
    if opened:
        target.attach(device.object)
    return target.handle


def request(m: Machine, target: int = 0) -> int:
    """A driver-created WDFREQUEST, with an IRP that fits `target` when one is given. Raises ValueError when that is not open."""
    fw = _scene_device(m).fw
    made = Request(fw, fw.default_parent())
    if target and made.change_target(fw.get(target, IoTarget)) < 0:
        made.delete()
        raise ValueError("the I/O target is not open")
    return made.handle


def memory(m: Machine, content: bytes | int) -> int:
    """A memory object that holds these bytes, or that many zeros: its WDFMEMORY handle."""
    fw, raw = _scene_device(m).fw, bytes(content)
    buffer = m.allocate(len(raw), kind="pool", label="WDFMEMORY buffer")
    m.write(buffer, raw)
    return Memory(fw, fw.default_parent(), buffer, len(raw)).handle


class LoadedDriver:
    """A driver: `status` is DriverEntry's, `device_status` that of EvtDriverDeviceAdd or AddDevice (None: not called).

    `lower` is the device below: a scripted one, or another driver whose device it stands on. An application that has no handle
    reads and writes without opening (`read`, `write`, `ioctl`); `wsklab.kmdf.application.File` is one with a handle.
    """

    def __init__(self, m: Machine, name: str) -> None:
        self.m, self.name, self.status = m, name, NTSTATUS(0)
        self.device_status: NTSTATUS | None = None
        self.lower: LowerDevice | LoadedDriver | Device | None = None
        self.driver: Driver | None = None
        self.driver_object = io_device.make_driver(m, name, framework(m).dispatch)

    @property
    def devices(self) -> list[int]:
        """The WDFDEVICE handles."""
        return [device.handle for device in self._devices]

    @property
    def children(self) -> list[Device]:
        """The devices that a bus driver has reported: each can be the `lower` of another driver."""
        return [device for device in self._devices if device.own.Reported]

    @property
    def _devices(self) -> list[Device]:
        return self.driver.devices if self.driver else []

    @property
    def object(self) -> int:
        """The DEVICE_OBJECT of its last device. Raises ValueError when there is none."""
        made = int(self.m.view(self.driver_object, "DRIVER_OBJECT").DeviceObject)
        if not made:
            raise ValueError(f"{self.name} has no device")
        return made

    def suspend(self) -> None:
        """The devices leave their working state: power-managed queues stop, then EvtDeviceD0Exit. Facts: KMDF-MCA-11 to 13."""
        _run(self.m, _each(self._devices[::-1], "wsklab_device_leaves", D3, STOPPING_QUEUES))

    def resume(self) -> None:
        """The devices work again: EvtDeviceD0Entry, then EvtIoResume and what waits in the queues."""
        _run(self.m, _each(self._devices, "wsklab_device_wakes", D3))

    def read(self, length: int) -> AppRequest:
        """An application reads from the driver's device."""
        return AppRequest(self.m, self.object, wdm.MJ_READ, room=length)

    def write(self, content: bytes) -> AppRequest:
        """An application writes to the driver's device."""
        return AppRequest(self.m, self.object, wdm.MJ_WRITE, content=content)

    def ioctl(self, code: int, content: bytes = b"", output: int = 0, *, internal: bool = False) -> AppRequest:
        """An application (or, with `internal`, a driver) sends a control code to the driver's device."""
        major = wdm.MJ_INTERNAL_DEVICE_CONTROL if internal else MJ_DEVICE_CONTROL
        return AppRequest(self.m, self.object, major, content=content, room=output, code=code)


def pnp(m: Machine, device: LowerDevice, event: str) -> bool:
    """Tell the targets open to a device of an event of `PNP_EVENTS`; a target that stays open refuses. Facts: KMDF-IOT-13, 14."""
    fw, bottom, answers = framework(m), wdm.bottom(m, device.object), list[bool]()

    def body() -> Generator[Wait, Any, None]:
        answers.append((yield from removal(fw, bottom, PNP_EVENTS.index(event))))

    _run(m, body())
    if event == "remove":
        device.files, m.model(io_device.Devices).names[device.object] = 0, ""
    return answers[0] and (event != "query remove" or not device.files)


def is_kmdf(image: Image) -> bool:
    """Whether an image is a framework driver: it has a DriverEntry, and some function of it calls WdfDriverCreate."""
    return "DriverEntry" in image.functions and _calls(image, "WdfDriverCreate")


def _calls(image: Image, *names: str) -> bool:
    """Whether some function of an image calls one of these."""
    return any(not {*names}.isdisjoint(function.call.__code__.co_names) for function in image.functions.values())


def load_driver(
    m: Machine, image: Image, *, lower: LowerDevice | LoadedDriver | Device | None = None, name: str = "driver"
) -> LoadedDriver:
    """Load a driver and start one device of it over `lower`, running the machine until that is done."""
    loaded = LoadedDriver(m, name)
    _run(m, _load(loaded, image, lower))
    return loaded


def unload_driver(m: Machine, loaded: LoadedDriver, surprise: bool = False) -> None:
    """Remove the driver's devices, call EvtDriverUnload, dispose its tree; runs the machine until that is done.

    With `surprise` the devices are gone already; else each may refuse, and then the driver stays (EvtDeviceQueryRemove).
    """
    _run(m, _unload(loaded, surprise))


def shut_down(m: Machine) -> None:
    """Tell the devices whose drivers asked for it that the system shuts down; see wdmzw.c."""
    _run(m, m.api("wsklab_shut_down")())


def _run(m: Machine, body: Generator[Wait, Any, None]) -> None:
    if not m.scheduler.run(until=m.start_thread(body, "System")):
        for device in framework(m).devices:
            device.fw.c("wsklab_device_blocked", device.handle)
        m.hang()


def _load(loaded: LoadedDriver, image: Image, lower: LowerDevice | LoadedDriver | Device | None) -> Generator[Wait, Any, None]:
    m, fw, known = loaded.m, framework(loaded.m), len(framework(loaded.m).drivers)
    fw.loading = frozenset(function.place.file for function in image.functions.values())
    path = registry_path(m, loaded.name)
    entry = image.functions["DriverEntry"].address
    loaded.status = NTSTATUS((yield from m.call_waiting(entry, loaded.driver_object, path, actor="io")))
    loaded.driver = driver = fw.drivers[known] if len(fw.drivers) > known else None
    extension = m.view(m.u64(loaded.driver_object + m.offset("DRIVER_OBJECT", "DriverExtension")), "DRIVER_EXTENSION")
    add = driver.device_add if driver else int(extension.AddDevice)
    if loaded.status < 0 or not add:
        return
    # It answers for a while only: a driver that asks again and again would never let the machine become idle.
    if isinstance(lower, Device) and not lower.own.Started:  # a child of a bus driver, which has a driver now
        yield from fw.c_waits("wsklab_device_up", lower.handle, D3_FINAL)
    usb = USB if _calls(image, "WdfUsbTargetDeviceCreate", "WdfUsbTargetDeviceCreateWithParameters") else b""
    answers, data = ["later"] * 64 + ["never"], b"data from the lower device"
    loaded.lower = lower or LowerDevice(m, "lower", answers=answers, data=data, usb=usb)
    if driver is None:
        answer = yield from m.call_waiting(add, loaded.driver_object, loaded.lower.object, actor="io")
        loaded.device_status = NTSTATUS(answer)
        return
    init = DeviceInit(fw, driver, loaded.lower.object)
    answer = yield from m.call_waiting(add, driver.handle, init.handle, actor="framework")
    loaded.device_status = NTSTATUS(answer)
    init.delete()
    for device in driver.devices if answer >= 0 else ():
        if not device.own.Init.Parent or device.own.Init.Raw:
            yield from fw.c_waits("wsklab_device_up", device.handle, D3_FINAL)


def _each(devices: Iterable[Device], function: str, *arguments: int) -> Generator[Wait, Any, None]:
    """Call a function of ours for some devices."""
    for device in devices:
        yield from device.fw.c_waits(function, device.handle, *arguments)


def _unload(loaded: LoadedDriver, surprise: bool = False) -> Generator[Wait, Any, None]:
    """The stop callbacks, removal of each device, EvtDriverUnload. Facts: KMDF-OBJ-07, 08, KMDF-STA-15, RULE-43."""
    driver = loaded.driver
    if driver is None:
        return
    fw = driver.fw
    for device in reversed(driver.devices):
        if (yield from fw.c_waits("wsklab_device_asks", device.handle, surprise)) < 0:
            return
    for device in reversed(driver.devices):
        yield from fw.c_waits("wsklab_device_leaves", device.handle, D3_FINAL, PURGING)
        targets = [obj for obj in fw.live.values() if isinstance(obj, IoTarget) and obj.device is device]
        device.delete()
        for target in targets:
            yield from target.drained(ignored=True)
        fw.devices.remove(device)
    if driver.unload:
        yield from fw.m.call_waiting(driver.unload, driver.handle, actor="framework")
    fw.drivers.remove(driver)
    driver.delete()
