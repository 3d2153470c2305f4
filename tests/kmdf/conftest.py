"""A driver in Python: makes devices, targets, requests and memory, and calls the framework the way C does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from wsklab import Lab, Stop
from wsklab.kmdf import framework, scene
from wsklab.kmdf.device import DeviceInit
from wsklab.kmdf.lower import LowerDevice
from wsklab.machine.status import name_of

SYNCHRONOUS, TIMEOUT, IGNORE_STATE, FORGET = 2, 1, 4, 8
MS = 10_000

_DRIVER_ENTRY = """
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_CONFIG_INIT(&config, DeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
"""


def whole_driver(text: str) -> str:
    """A driver's text with a DriverEntry that does nothing else than to name its DeviceAdd."""
    return text + _DRIVER_ENTRY


class Completed(list[tuple[str, int]]):
    """What a completion routine saw: (status, information) of each completion, and the params of the last one."""

    address = 0
    irql = -1
    type = -1
    length = -1
    buffer = 0
    offset = -1


class Kit:
    """A lab with the framework in it."""

    def __init__(self, **options: Any) -> None:
        self.lab = Lab(language="en", **options)
        self.m = self.lab.machine
        self.fw = framework(self.m)
        self.wdk = self.lab.wdk

    # Scenes

    def device(self, name: str = "lower", **options: Any) -> LowerDevice:
        return scene.lower_device(self.m, name, **options)

    def target(self, device: LowerDevice | None = None, **options: Any) -> int:
        return scene.io_target(self.m, device or self.device(), **options)

    def request(self, target: int = 0) -> int:
        return scene.request(self.m, target)

    def memory(self, content: bytes | int) -> int:
        return scene.memory(self.m, content)

    def content(self, memory: int) -> bytes:
        size = self.out()
        address = int(self.wdk.WdfMemoryGetBuffer(memory, size))
        return self.m.read(address, self.m.u64(size))

    def new_device_init(self) -> int:
        """A WDFDEVICE_INIT of the scene's driver."""
        self.memory(1)
        return DeviceInit(self.fw, self.fw.scene.driver).handle

    def out(self) -> int:
        return self.m.allocate(8, kind="native", zero=True)

    def offsets(self, offset: int, length: int) -> int:
        address = self.m.allocate(16, kind="native", zero=True)
        self.m.set_u64(address, offset)
        self.m.set_u64(address + 8, length)
        return address

    def attributes(self, **members: int) -> int:
        address = self.m.new("WDF_OBJECT_ATTRIBUTES", kind="native")
        view = self.m.view(address, "WDF_OBJECT_ATTRIBUTES")
        for name, value in ({"Size": 56, "ExecutionLevel": 1, "SynchronizationScope": 1} | members).items():
            setattr(view, name, value)
        return address

    def context_type(self, size: int = 16, name: bytes = b"TYPE\0") -> int:
        text = self.m.allocate(len(name), kind="native")
        self.m.write(text, name)
        address = self.m.new("WDF_OBJECT_CONTEXT_TYPE_INFO", kind="native")
        view = self.m.view(address, "WDF_OBJECT_CONTEXT_TYPE_INFO")
        view.Size, view.ContextName, view.ContextSize, view.UniqueType = 40, text, size, address
        return address

    def options(self, flags: int = 0, timeout: int = 0, size: int = 16) -> int:
        address = self.m.allocate(16, kind="native", zero=True)
        self.m.set_u32(address, size)
        self.m.set_u32(address + 4, flags)
        self.m.set_i64(address + 8, timeout)
        return address

    def routine(self) -> Completed:
        log = Completed()

        def completed(request: int, target: int, params: Any, context: int) -> None:
            log.append((name_of(params.IoStatus.Status), params.IoStatus.Information))
            log.irql, log.type = self.m.irql, params.Type
            log.length, log.buffer = params.Parameters.Read.Length, int(params.Parameters.Read.Buffer)
            log.offset = params.Parameters.Read.Offset

        log.address = self.lab.routine(completed, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address
        return log

    # Calls

    def read(self, target: int, request: int, memory: int = 0, offsets: int = 0) -> str:
        return name_of(self.wdk.WdfIoTargetFormatRequestForRead(target, request, memory, offsets, 0))

    def write(self, target: int, request: int, memory: int = 0, offsets: int = 0) -> str:
        return name_of(self.wdk.WdfIoTargetFormatRequestForWrite(target, request, memory, offsets, 0))

    def ioctl(self, target: int, request: int, code: int, given: int = 0, wanted: int = 0, **offsets: int) -> str:
        answer = self.wdk.WdfIoTargetFormatRequestForIoctl(
            target, request, code, given, offsets.get("given_at", 0), wanted, offsets.get("wanted_at", 0)
        )
        return name_of(answer)

    def send(self, request: int, target: int, flags: int | None = None, timeout: int = 0) -> bool:
        options = 0 if flags is None else self.options(flags, timeout)
        return bool(self.wdk.WdfRequestSend(request, target, options))

    def status(self, request: int) -> str:
        return name_of(self.wdk.WdfRequestGetStatus(request))

    def set_routine(self, request: int) -> Completed:
        log = self.routine()
        self.wdk.WdfRequestSetCompletionRoutine(request, log.address, 0)
        return log

    def reuse(self, request: int, status: int = 0, flags: int = 0, irp: int = 0, size: int = 24) -> str:
        address = self.m.new("WDF_REQUEST_REUSE_PARAMS", kind="native")
        view = self.m.view(address, "WDF_REQUEST_REUSE_PARAMS")
        view.Size, view.Flags, view.Status, view.NewIrp = size, flags, status, irp
        return name_of(self.wdk.WdfRequestReuse(request, address))

    def ready(self, target: int, size: int = 8) -> tuple[int, Completed]:
        """A request formatted for a read of `size` bytes, with a completion routine."""
        request = self.request(target)
        assert self.read(target, request, self.memory(size)) == "STATUS_SUCCESS"
        return request, self.set_routine(request)

    @contextmanager
    def stops(self, rule: str, *parameters: str) -> Iterator[None]:
        """The block must stop the machine with this rule; `parameters` are the first bug check parameters."""
        with pytest.raises(Stop) as caught:
            yield
        assert caught.value.rule.id == rule
        assert caught.value.parameters[: len(parameters)] == parameters
        self.lab.stopped = None


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture(scope="session")
def make_kit() -> type[Kit]:
    return Kit
