"""Ready-made scenes: a lower device, a target over it, a request, a memory object, and a whole KMDF driver over a device.

`load_driver` does what the system does: DriverEntry with a DRIVER_OBJECT and a registry path, then EvtDriverDeviceAdd for one
device, then the start callbacks; `unload_driver` is the way back. `io_target`, `request` and `memory` need no C: the scene has
a driver of its own.

Facts: KMDF-DEV, KMDF-IOT-02 to 06.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from wsklab.io import device as io_device
from wsklab.kmdf import app
from wsklab.kmdf.device import POWER_D3_FINAL, Device, DeviceInit
from wsklab.kmdf.driver import Driver
from wsklab.kmdf.lower import LowerDevice
from wsklab.kmdf.memory import new_memory
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.request import Request
from wsklab.kmdf.target import IoTarget, RemoteTarget
from wsklab.machine import Machine, Wait
from wsklab.machine.status import NTSTATUS

if TYPE_CHECKING:
    from wsklab.c.link import Image

REGISTRY_PATH = r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\{name}"


def lower_device(
    m: Machine,
    name: str = "lower",
    *,
    answers: str | Sequence[str] = "at once",
    status: int | None = None,
    information: int | None = None,
    data: bytes = b"",
    stack_size: int = 1,
    io_type: str = "buffered",
    delay: int = 10_000,
    cancelable: bool = True,
) -> LowerDevice:
    """A scripted lower device; see `LowerDevice` for the arguments."""
    return LowerDevice(
        m,
        name,
        answers=answers,
        status=status,
        information=information,
        data=data,
        stack_size=stack_size,
        io_type=io_type,
        delay=delay,
        cancelable=cancelable,
    )


def _scene_device(fw: Framework) -> Device:
    """The device that the scene's targets belong to: the driver's first one, or a control device of the scene's own."""
    if fw.devices:
        return fw.devices[0]
    if fw.scene is None:
        driver = Driver(fw, io_device.make_driver(fw.m, "scene", fw.dispatch), 0, 0)
        fw.scene = Device(fw, driver, driver.object, DeviceInit(fw, 0))
        fw.scene.start()
    return fw.scene


def io_target(m: Machine, device: LowerDevice, *, opened: bool = True) -> int:
    """A remote I/O target over a lower device: its WDFIOTARGET handle."""
    fw = framework(m)
    owner = _scene_device(fw)
    target = RemoteTarget(fw, owner, owner)
    if opened:
        target.attach(device.object)
    return target.handle


def request(m: Machine, target: int = 0) -> int:
    """A driver-created request, with an IRP that fits `target` when one is given: its WDFREQUEST handle.

    Raises ValueError when the target is not open.
    """
    fw = framework(m)
    _scene_device(fw)
    made = Request(fw, fw.default_parent())
    if target and made.target_check(fw.get(target, IoTarget)) < 0:
        made.delete()
        raise ValueError("the I/O target is not open")
    return made.handle


def memory(m: Machine, content: bytes | int) -> int:
    """A memory object that holds these bytes, or that many zeros: its WDFMEMORY handle."""
    fw = framework(m)
    _scene_device(fw)
    size = content if isinstance(content, int) else len(content)
    buffer = m.allocate(size, kind="pool", label="WDFMEMORY buffer", zero=True)
    if isinstance(content, bytes):
        m.write(buffer, content)
    return new_memory(fw, fw.default_parent(), buffer, size, owned=True).handle


class LoadedDriver:
    """A driver that has been loaded.

    Attributes:
        name: the driver's name.
        image: its linked image.
        status: what DriverEntry returned.
        device_status: what EvtDriverDeviceAdd returned, None when it was not called.
        lower: the device below its device, None when it was not called.
    """

    def __init__(self, m: Machine, image: Image, name: str) -> None:
        self.m, self.image, self.name = m, image, name
        self.status = NTSTATUS(0)
        self.device_status: NTSTATUS | None = None
        self.lower: LowerDevice | None = None
        self.driver_object = 0

    @property
    def driver(self) -> int:
        """The WDFDRIVER handle, 0 when there is none."""
        made = framework(self.m).driver
        return made.handle if made else 0

    @property
    def devices(self) -> list[int]:
        """The WDFDEVICE handles."""
        return [device.handle for device in framework(self.m).devices]

    @property
    def device_object(self) -> int:
        """The DEVICE_OBJECT that applications talk to. Raises ValueError when the driver made none."""
        made = framework(self.m).devices
        if not made:
            raise ValueError(f"{self.name} has no device")
        return made[-1].object

    def read(self, length: int) -> app.AppRequest:
        """An application reads from the driver's device."""
        return app.read(self.m, self.device_object, length)

    def write(self, content: bytes) -> app.AppRequest:
        """An application writes to the driver's device."""
        return app.write(self.m, self.device_object, content)

    def ioctl(self, code: int, content: bytes = b"", output: int = 0, *, internal: bool = False) -> app.AppRequest:
        """An application (or, with `internal`, a driver) sends a control code to the driver's device."""
        return app.ioctl(self.m, self.device_object, code, content, output, internal=internal)


def is_kmdf(image: Image) -> bool:
    """Whether an image is a framework driver: it has a DriverEntry, and some function of it calls WdfDriverCreate."""
    codes = (function.call.__code__ for function in image.functions.values())
    return "DriverEntry" in image.functions and any("WdfDriverCreate" in code.co_names for code in codes)


def load_driver(m: Machine, image: Image, *, lower: LowerDevice | None = None, name: str = "driver") -> LoadedDriver:
    """Load a driver and start one device of it over `lower`, running the machine until that is done."""
    thread = m.start_thread(start_driver(m, image, lower=lower, name=name), "System")
    if not m.scheduler.run(until=thread):
        m.hang()
    loaded: LoadedDriver = thread.result
    return loaded


def start_driver(
    m: Machine, image: Image, *, lower: LowerDevice | None = None, name: str = "driver"
) -> Generator[Wait, Any, LoadedDriver]:
    """`load_driver` for code that runs on a thread of the machine."""
    fw = framework(m)
    loaded = LoadedDriver(m, image, name)
    loaded.driver_object = io_device.make_driver(m, name, fw.dispatch)
    path = _unicode_string(m, REGISTRY_PATH.format(name=name))
    entry = image.functions["DriverEntry"]
    loaded.status = NTSTATUS((yield from m.call_waiting(entry.address, loaded.driver_object, path, actor="io")))
    if loaded.status < 0 or fw.driver is None or not fw.driver.device_add:
        return loaded
    loaded.lower = lower or LowerDevice(m, "lower", answers="later", data=b"data from the lower device")
    init = fw.new_init(loaded.lower.object)
    answer = yield from m.call_waiting(fw.driver.device_add, fw.driver.handle, init, actor="framework")
    loaded.device_status = NTSTATUS(answer)
    if init in fw.inits:
        fw.drop_init(fw.inits[init])
    for device in list(fw.devices):
        if answer >= 0:
            yield from _start(fw, device)
    return loaded


def _start(fw: Framework, device: Device) -> Generator[Wait, Any, None]:
    """The start callbacks, in order; the first failure leaves the device stopped."""
    calls = (
        ("EvtDevicePrepareHardware", (device.handle, 0, 0)),
        ("EvtDeviceD0Entry", (device.handle, POWER_D3_FINAL)),
        ("EvtDeviceSelfManagedIoInit", (device.handle,)),
    )
    for name, arguments in calls:
        if device.events.get(name):
            answer = yield from fw.m.call_waiting(device.events[name], *arguments, actor="framework")
            if answer < 0:
                fw.event("state", f"{name} failed", device.address, status=answer)
                return
        if name == "EvtDeviceD0Entry":
            device.start()


def unload_driver(m: Machine, loaded: LoadedDriver) -> None:
    """Remove the device, call EvtDriverUnload, dispose the tree; runs the machine until that is done."""
    thread = m.start_thread(stop_driver(m, loaded), "System")
    if not m.scheduler.run(until=thread):
        m.hang()


def stop_driver(m: Machine, loaded: LoadedDriver) -> Generator[Wait, Any, None]:
    """`unload_driver` for code that runs on a thread of the machine. Facts: KMDF-OBJ-07, 08, KMDF-STA-15."""
    fw = framework(m)
    for device in reversed(fw.devices):
        for name, arguments in (
            ("EvtDeviceD0Exit", (device.handle, POWER_D3_FINAL)),
            ("EvtDeviceReleaseHardware", (device.handle, 0)),
            ("EvtDeviceSelfManagedIoCleanup", (device.handle,)),
        ):
            if device.events.get(name):
                yield from m.call_waiting(device.events[name], *arguments, actor="framework")
        targets = [obj for obj in fw.live.values() if isinstance(obj, IoTarget) and obj.device is device]
        device.delete()
        busy = [target for target in targets if target.io_count]
        if busy:
            yield Wait(lambda busy=busy: not any(target.io_count for target in busy), None, ("WDFIOTARGET", busy[0].address))  # type: ignore[misc]
    fw.devices.clear()
    if fw.driver is not None:
        if fw.driver.unload:
            yield from m.call_waiting(fw.driver.unload, fw.driver.handle, actor="framework")
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
