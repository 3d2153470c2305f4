"""Ready-made scenes: a lower device, a target over it, a request, a memory object, and a whole KMDF driver over a device.

`load_driver` does what the system does: DriverEntry with a DRIVER_OBJECT and a registry path, then EvtDriverDeviceAdd for one
device, then the start callbacks; `unload_driver` is the way back. `io_target`, `request` and `memory` need no C: the scene has
a driver of its own. Facts: KMDF-DEV, KMDF-IOT-02 to 06.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from wsklab.io import device as io_device
from wsklab.kmdf.app import AppRequest
from wsklab.kmdf.core import Framework, framework
from wsklab.kmdf.device import Device, DeviceInit, Driver
from wsklab.kmdf.lower import LowerDevice
from wsklab.kmdf.memory import Memory
from wsklab.kmdf.request import Request
from wsklab.kmdf.target import IoTarget, RemoteTarget
from wsklab.kmdf.wdm import MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL, MJ_READ, MJ_WRITE
from wsklab.machine import Machine, Wait
from wsklab.machine.status import NTSTATUS

if TYPE_CHECKING:
    from wsklab.c.link import Image

REGISTRY_PATH = r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\{name}"
POWER_D3_FINAL = 6
lower_device = LowerDevice


def _scene_device(fw: Framework) -> Device:
    """The device that the scene's targets belong to: the driver's first one, or a control device of the scene's own."""
    if fw.devices:
        return fw.devices[0]
    if fw.scene is None:
        driver = Driver(fw, io_device.make_driver(fw.m, "scene", fw.dispatch))
        fw.scene = Device(fw, driver, driver.object, DeviceInit(fw))
        fw.scene.start()
    return fw.scene


def io_target(m: Machine, device: LowerDevice, *, opened: bool = True) -> int:
    """A remote I/O target over a lower device: its WDFIOTARGET handle."""
    owner = _scene_device(framework(m))
    target = RemoteTarget(framework(m), owner, owner)
    if opened:
        target.attach(device.object)
    return target.handle


def request(m: Machine, target: int = 0) -> int:
    """A driver-created WDFREQUEST, with an IRP that fits `target` when one is given. Raises ValueError when that is not open."""
    fw = framework(m)
    _scene_device(fw)
    made = Request(fw, fw.default_parent())
    if target and made.change_target(fw.get(target, IoTarget)) < 0:
        made.delete()
        raise ValueError("the I/O target is not open")
    return made.handle


def memory(m: Machine, content: bytes | int) -> int:
    """A memory object that holds these bytes, or that many zeros: its WDFMEMORY handle."""
    fw = framework(m)
    _scene_device(fw)
    raw = bytes(content)
    buffer = m.allocate(len(raw), kind="pool", label="WDFMEMORY buffer")
    m.write(buffer, raw)
    return Memory(fw, fw.default_parent(), buffer, len(raw)).handle


class LoadedDriver:
    """A driver that has been loaded.

    Attributes:
        status: what DriverEntry returned; `device_status` what EvtDriverDeviceAdd returned, None when it was not called.
        lower: the device below its device, None when there is none.
    """

    def __init__(self, m: Machine, name: str) -> None:
        self.m, self.name = m, name
        self.status = NTSTATUS(0)
        self.device_status: NTSTATUS | None = None
        self.lower: LowerDevice | None = None

    @property
    def devices(self) -> list[int]:
        """The WDFDEVICE handles."""
        return [device.handle for device in framework(self.m).devices]

    def _ask(self, major: int, **values: Any) -> AppRequest:
        made = framework(self.m).devices
        if not made:
            raise ValueError(f"{self.name} has no device")
        return AppRequest(self.m, made[-1].object, major, **values)

    def read(self, length: int) -> AppRequest:
        """An application reads from the driver's device."""
        return self._ask(MJ_READ, room=length)

    def write(self, content: bytes) -> AppRequest:
        """An application writes to the driver's device."""
        return self._ask(MJ_WRITE, content=content)

    def ioctl(self, code: int, content: bytes = b"", output: int = 0, *, internal: bool = False) -> AppRequest:
        """An application (or, with `internal`, a driver) sends a control code to the driver's device."""
        major = MJ_INTERNAL_DEVICE_CONTROL if internal else MJ_DEVICE_CONTROL
        return self._ask(major, content=content, room=output, code=code)


def is_kmdf(image: Image) -> bool:
    """Whether an image is a framework driver: it has a DriverEntry, and some function of it calls WdfDriverCreate."""
    codes = (function.call.__code__ for function in image.functions.values())
    return "DriverEntry" in image.functions and any("WdfDriverCreate" in code.co_names for code in codes)


def load_driver(m: Machine, image: Image, *, lower: LowerDevice | None = None, name: str = "driver") -> LoadedDriver:
    """Load a driver and start one device of it over `lower`, running the machine until that is done."""
    loaded: LoadedDriver = _run(m, _load(m, image, lower, name))
    return loaded


def unload_driver(m: Machine, loaded: LoadedDriver) -> None:
    """Remove the device, call EvtDriverUnload, dispose the tree; runs the machine until that is done."""
    _run(m, _unload(framework(m)))


def _run(m: Machine, body: Generator[Wait, Any, Any]) -> Any:
    thread = m.start_thread(body, "System")
    if not m.scheduler.run(until=thread):
        m.hang()
    return thread.result


def _load(m: Machine, image: Image, lower: LowerDevice | None, name: str) -> Generator[Wait, Any, LoadedDriver]:
    fw, loaded = framework(m), LoadedDriver(m, name)
    driver_object = io_device.make_driver(m, name, fw.dispatch)
    path = _unicode_string(m, REGISTRY_PATH.format(name=name))
    entry = image.functions["DriverEntry"].address
    loaded.status = NTSTATUS((yield from m.call_waiting(entry, driver_object, path, actor="io")))
    if loaded.status < 0 or fw.driver is None or not fw.driver.device_add:
        return loaded
    loaded.lower = lower or LowerDevice(m, "lower", answers="later", data=b"data from the lower device")
    init = DeviceInit(fw, loaded.lower.object)
    answer = yield from m.call_waiting(fw.driver.device_add, fw.driver.handle, init.handle, actor="framework")
    loaded.device_status = NTSTATUS(answer)
    init.delete()
    for device in list(fw.devices) if answer >= 0 else ():
        yield from _start(fw, device)
    return loaded


def _start(fw: Framework, device: Device) -> Generator[Wait, Any, None]:
    """The start callbacks, in order; the first failure leaves the device stopped."""
    calls = {"EvtDevicePrepareHardware": (0, 0), "EvtDeviceD0Entry": (POWER_D3_FINAL,), "EvtDeviceSelfManagedIoInit": ()}
    for name, arguments in calls.items():
        routine = device.events.get(name)
        answer = (yield from fw.m.call_waiting(routine, device.handle, *arguments, actor="framework")) if routine else 0
        if answer < 0:
            fw.event("state", f"{name} failed", device.address, status=answer)
            return
        if name == "EvtDeviceD0Entry":
            device.start()


def _unload(fw: Framework) -> Generator[Wait, Any, None]:
    """The stop callbacks, removal of each device, EvtDriverUnload. Facts: KMDF-OBJ-07, 08, KMDF-STA-15."""
    calls = {"EvtDeviceD0Exit": (POWER_D3_FINAL,), "EvtDeviceReleaseHardware": (0,), "EvtDeviceSelfManagedIoCleanup": ()}
    for device in reversed(fw.devices):
        for name, arguments in calls.items():
            if device.events.get(name):
                yield from fw.m.call_waiting(device.events[name], device.handle, *arguments, actor="framework")
        targets = [obj for obj in fw.live.values() if isinstance(obj, IoTarget) and obj.device is device]
        device.started = False
        device.delete()
        for target in targets:
            if target.io_count:
                yield Wait(lambda target=target: not target.io_count, None, ("WDFIOTARGET", target.address))  # type: ignore[misc]
    fw.devices.clear()
    if fw.driver is not None:
        if fw.driver.unload:
            yield from fw.m.call_waiting(fw.driver.unload, fw.driver.handle, actor="framework")
        driver, fw.driver = fw.driver, None
        driver.delete()


def _unicode_string(m: Machine, text: str) -> int:
    """A UNICODE_STRING of the system's own."""
    raw = text.encode("utf-16-le")
    buffer = m.allocate(len(raw) + 2, kind="native", label="registry path", zero=True)
    m.write(buffer, raw)
    address = m.new("UNICODE_STRING", kind="native")
    view = m.view(address, "UNICODE_STRING")
    view.Length, view.MaximumLength, view.Buffer = len(raw), len(raw) + 2, buffer
    return address
