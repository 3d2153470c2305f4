"""Ready-made scenes: a target over a lower device, a request, a memory object, and a whole KMDF driver with an application.

`load_driver` does what the system does: DriverEntry, EvtDriverDeviceAdd for one device, the start callbacks. The other scenes
need no C: they have a driver of their own. Facts: KMDF-DEV, KMDF-IOT-02 to 06, KMDF-BUF-04, 05, 14, KMDF-CAN-17.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from wsklab.io import completion
from wsklab.io import device as io_device
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, framework
from wsklab.kmdf.device import PURGING, RESUMING, STARTING, STOPPING, STOPPING_QUEUES, Device, DeviceInit, Driver
from wsklab.kmdf.lower import LowerDevice
from wsklab.kmdf.memory import Memory
from wsklab.kmdf.request import Request
from wsklab.kmdf.target import IoTarget, RemoteTarget
from wsklab.kmdf.wdm import BUFFERED, DIRECT, METHOD_TYPES, MJ_DEVICE_CONTROL, NEITHER, TRANSFERS
from wsklab.machine import Machine, Wait
from wsklab.machine.status import NTSTATUS

if TYPE_CHECKING:
    from wsklab.c.link import Image

D3 = 4  # WdfPowerDeviceD3
REGISTRY_PATH = r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\{name}"
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
        driver = Driver(fw, io_device.make_driver(m, "scene", fw.dispatch))
        fw.scene = Device(fw, driver, driver.object, DeviceInit(fw))
        fw.scene.start()
    return fw.scene


def io_target(m: Machine, device: LowerDevice, *, opened: bool = True) -> int:
    """A remote I/O target over a lower device: its WDFIOTARGET handle."""
    owner = _scene_device(m)
    target = RemoteTarget(owner.fw, owner, owner)
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


class AppRequest:
    """One request of an application: an IRP that the I/O manager makes, with buffers where the device or the method wants them.

    `irp` is 0 once it is over, `status` and `information` are None until then, `data` is what a read or control code delivered.
    """

    def __init__(self, m: Machine, device: int, major: int, *, content: bytes = b"", room: int = 0, code: int = 0) -> None:
        self.m, self._room, self._blocks, self._mdl = m, room, list[int](), 0
        self.status: NTSTATUS | None = None
        self.information: int | None = None
        self.data = b""
        self.irp = io_irp.build(m, m.view(device, "DEVICE_OBJECT").StackSize, self._finished, maker="app")
        packet, below = m.view(self.irp, "IRP"), wdm.location(m, self.irp, 1)
        below.MajorFunction, packet.RequestorMode = major, int(major in (*TRANSFERS, MJ_DEVICE_CONTROL))
        kind, given = METHOD_TYPES[code & 3][1], 0
        if major in TRANSFERS:
            kind = wdm.io_type(m, device)
            below.Parameters.Read.Length = room or len(content)
        else:
            control = below.Parameters.DeviceIoControl
            control.IoControlCode, control.InputBufferLength, control.OutputBufferLength = code, len(content), room
            given = self._block(len(content), content) if kind != BUFFERED else 0
            packet.AssociatedIrp.SystemBuffer = given if kind == DIRECT else 0
            control.Type3InputBuffer = given if kind == NEITHER else 0
        self._output = self._block(room if given else max(room, len(content)), b"" if given else content)
        if kind == DIRECT and self._output:
            packet.MdlAddress = self._mdl = wdm.build_mdl(m, self._output, room or len(content), write=bool(room))
        elif kind == BUFFERED:
            packet.AssociatedIrp.SystemBuffer = self._output
        elif kind == NEITHER:
            packet.UserBuffer = self._output
        wdm.call_driver(m, device, self.irp, by="app")

    @property
    def done(self) -> bool:
        """Whether the request has been completed."""
        return self.status is not None

    def cancel(self) -> bool:
        """Ask for cancellation, as CancelIo does; whether somebody had made the request cancelable."""
        return bool(self.irp and completion.cancel(self.m, self.irp, by="app"))

    def __repr__(self) -> str:
        outcome = f"{self.status!r}, {self.information} bytes" if self.done else "under way"
        return f"<application request: {outcome}>"

    def _block(self, size: int, content: bytes = b"") -> int:
        if size:
            self._blocks.append(self.m.allocate(size, kind="native", label="application buffer", zero=True))
            self.m.write(self._blocks[-1], content)
        return self._blocks[-1] if size else 0

    def _finished(self, irp: int, status: int, information: int) -> None:
        self.irp, self.status, self.information = 0, NTSTATUS(status), information
        if self._room and information:
            self.data = self.m.read(self._output, min(information, self._room))
        if self._mdl:
            wdm.free_mdl(self.m, self._mdl)
        # The driver's way to the buffer ends here: system buffers are freed, mappings undone (KMDF-BUF-14).
        for block in self._blocks:
            self.m.free(block)


class LoadedDriver:
    """A driver: `status` is DriverEntry's, `device_status` EvtDriverDeviceAdd's (None: not called), `lower` the device below."""

    def __init__(self, m: Machine, name: str) -> None:
        self.m, self.name, self.status = m, name, NTSTATUS(0)
        self.device_status: NTSTATUS | None = None
        self.lower: LowerDevice | None = None

    @property
    def devices(self) -> list[int]:
        """The WDFDEVICE handles."""
        return [device.handle for device in framework(self.m).devices]

    def suspend(self) -> None:
        """The devices leave their working state: power-managed queues stop, then EvtDeviceD0Exit. Facts: KMDF-MCA-11 to 13."""
        _run(self.m, _sleep(framework(self.m)))

    def resume(self) -> None:
        """The devices work again: EvtDeviceD0Entry, then EvtIoResume and what waits in the queues."""
        _run(self.m, _wake(framework(self.m)))

    def _ask(self, major: int, **values: Any) -> AppRequest:
        made = framework(self.m).devices
        if not made:
            raise ValueError(f"{self.name} has no device")
        return AppRequest(self.m, made[-1].object, major, **values)

    def read(self, length: int) -> AppRequest:
        """An application reads from the driver's device."""
        return self._ask(wdm.MJ_READ, room=length)

    def write(self, content: bytes) -> AppRequest:
        """An application writes to the driver's device."""
        return self._ask(wdm.MJ_WRITE, content=content)

    def ioctl(self, code: int, content: bytes = b"", output: int = 0, *, internal: bool = False) -> AppRequest:
        """An application (or, with `internal`, a driver) sends a control code to the driver's device."""
        return self._ask(
            wdm.MJ_INTERNAL_DEVICE_CONTROL if internal else MJ_DEVICE_CONTROL, content=content, room=output, code=code
        )


def is_kmdf(image: Image) -> bool:
    """Whether an image is a framework driver: it has a DriverEntry, and some function of it calls WdfDriverCreate."""
    codes = (function.call.__code__ for function in image.functions.values())
    return "DriverEntry" in image.functions and any("WdfDriverCreate" in code.co_names for code in codes)


def load_driver(m: Machine, image: Image, *, lower: LowerDevice | None = None, name: str = "driver") -> LoadedDriver:
    """Load a driver and start one device of it over `lower`, running the machine until that is done."""
    loaded = LoadedDriver(m, name)
    _run(m, _load(loaded, image, lower))
    return loaded


def unload_driver(m: Machine, loaded: LoadedDriver) -> None:
    """Remove the device, call EvtDriverUnload, dispose the tree; runs the machine until that is done."""
    _run(m, _unload(framework(m)))


def _run(m: Machine, body: Generator[Wait, Any, None]) -> None:
    if not m.scheduler.run(until=m.start_thread(body, "System")):
        for device in framework(m).devices:
            for queue in device.queues:
                queue.blocked()
        m.hang()


def _load(loaded: LoadedDriver, image: Image, lower: LowerDevice | None) -> Generator[Wait, Any, None]:
    m, fw = loaded.m, framework(loaded.m)
    driver_object = io_device.make_driver(m, loaded.name, fw.dispatch)
    path = registry_path(m, loaded.name)
    entry = image.functions["DriverEntry"].address
    loaded.status = NTSTATUS((yield from m.call_waiting(entry, driver_object, path, actor="io")))
    if loaded.status < 0 or fw.driver is None or not fw.driver.device_add:
        return
    loaded.lower = lower or LowerDevice(m, "lower", answers="later", data=b"data from the lower device")
    init = DeviceInit(fw, loaded.lower.object)
    answer = yield from m.call_waiting(fw.driver.device_add, fw.driver.handle, init.handle, actor="framework")
    loaded.device_status = NTSTATUS(answer)
    init.delete()
    for device in list(fw.devices) if answer >= 0 else ():
        yield from _callbacks(device, STARTING)


def _callbacks(device: Device, calls: dict[str, tuple[int, ...]]) -> Generator[Wait, Any, None]:
    """Call what the driver gave, in order; the first failure of starting leaves the device stopped."""
    for name, arguments in calls.items():
        routine = device.events.get(name)
        answer = (yield from device.m.call_waiting(routine, device.handle, *arguments, actor="framework")) if routine else 0
        if calls is STARTING and answer < 0:
            device.fw.event("state", f"{name} failed", device.address, status=answer)
            return
        if name == "EvtDeviceD0Entry":
            device.start()


def _sleep(fw: Framework) -> Generator[Wait, Any, None]:
    for device in reversed(fw.devices):
        yield from device.power(STOPPING_QUEUES)
        yield from _callbacks(device, {"EvtDeviceD0Exit": (D3,)})


def _wake(fw: Framework) -> Generator[Wait, Any, None]:
    for device in fw.devices:
        yield from _callbacks(device, {"EvtDeviceD0Entry": (D3,)})
        yield from device.power(RESUMING)


def _unload(fw: Framework) -> Generator[Wait, Any, None]:
    """The stop callbacks, removal of each device, EvtDriverUnload. Facts: KMDF-OBJ-07, 08, KMDF-STA-15."""
    for device in reversed(fw.devices):
        yield from device.power(PURGING)
        yield from _callbacks(device, STOPPING)
        targets = [obj for obj in fw.live.values() if isinstance(obj, IoTarget) and obj.device is device]
        device.delete()
        for target in targets:
            yield from target.drained(ignored=True)
    fw.devices.clear()
    if fw.driver is not None:
        if fw.driver.unload:
            yield from fw.m.call_waiting(fw.driver.unload, fw.driver.handle, actor="framework")
        driver, fw.driver = fw.driver, None
        driver.delete()
