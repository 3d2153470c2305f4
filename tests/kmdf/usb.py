"""A driver of a USB device, and the device below it, for the tests of USB I/O targets."""

from __future__ import annotations

import struct
from typing import Any

from tests.kmdf.conftest import whole_driver
from wsklab.kmdf.lower import USB, LowerDevice, Received
from wsklab.machine.status import name_of

IN, OUT, INTERRUPT = range(3)  # the pipes of the usual configuration

DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
#include <usb.h>
#include <usbdlib.h>
#include <wdfusb.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_DEVICE_PREPARE_HARDWARE PrepareHardware;
WDFDEVICE device;
WDFUSBDEVICE usb;
WDFUSBPIPE pipes[16];
ULONG pipeCount;
WDF_USB_DEVICE_SELECT_CONFIG_PARAMS select;

NTSTATUS Select(void)
{
    NTSTATUS status = WdfUsbTargetDeviceSelectConfig(usb, WDF_NO_OBJECT_ATTRIBUTES, &select);
    UCHAR i, j;
    pipeCount = 0;
    for (i = 0; i < WdfUsbTargetDeviceGetNumInterfaces(usb); i++) {
        WDFUSBINTERFACE known = WdfUsbTargetDeviceGetInterface(usb, i);
        for (j = 0; j < WdfUsbInterfaceGetNumConfiguredPipes(known); j++)
            pipes[pipeCount++] = WdfUsbInterfaceGetConfiguredPipe(known, j, NULL);
    }
    return status;
}
NTSTATUS SelectSingle(void)
{
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_SINGLE_INTERFACE(&select);
    return Select();
}
NTSTATUS Create(void)
{
    WDF_USB_DEVICE_CREATE_CONFIG config;
    WDF_USB_DEVICE_CREATE_CONFIG_INIT(&config, USBD_CLIENT_CONTRACT_VERSION_602);
    return WdfUsbTargetDeviceCreateWithParameters(device, &config, WDF_NO_OBJECT_ATTRIBUTES, &usb);
}
NTSTATUS PrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    NTSTATUS status;
    device = Device;
    status = Create();
    return NT_SUCCESS(status) ? SelectSingle() : status;
}
ADDED
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS power;
    WDF_IO_QUEUE_CONFIG queue;
    NTSTATUS status;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&power);
    power.EvtDevicePrepareHardware = PrepareHardware;
    WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoDirect);
    INIT
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &power);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchManual);
    QUEUE
    return NT_SUCCESS(status) ? WdfIoQueueCreate(device, &queue, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE) : status;
}
""")


class Usb:
    """The driver, started over a USB device; `wdk` are the functions, as a driver in Python would call them."""

    def __init__(self, kit: Any, added: str = "", init: str = "", queue: str = "", usb: bytes = USB, **options: Any) -> None:
        self.kit, self.wdk, self.m = kit, kit.wdk, kit.m
        self.device: LowerDevice = kit.device("usb", usb=usb, **options)
        text = DRIVER.replace("ADDED", added).replace("INIT\n", f"{init}\n").replace("QUEUE\n", f"{queue}\n")
        self.driver = kit.lab.load(text, name="usbdriver.c")
        self.loaded = kit.lab.start_driver(self.driver, lower=self.device)
        self.began = len(self.device.received)

    @property
    def usb(self) -> int:
        return self.m.u64(self.driver.image.globals["usb"])

    def pipe(self, index: int) -> int:
        return self.m.u64(self.driver.image.globals["pipes"] + 8 * index)

    @property
    def transfers(self) -> list[Received]:
        """What the device got since the driver was started."""
        return self.device.received[self.began :]

    def descriptor(self, content: bytes | int) -> tuple[int, int]:
        """A WDF_MEMORY_DESCRIPTOR, and the buffer that it describes."""
        raw = bytes(content)
        buffer = self.m.allocate(max(len(raw), 1), kind="pool", label="buffer")
        self.m.write(buffer, raw)
        address = self.m.new("WDF_MEMORY_DESCRIPTOR", kind="native")
        view = self.m.view(address, "WDF_MEMORY_DESCRIPTOR")
        view.Type, view.u.BufferType.Buffer, view.u.BufferType.Length = 1, buffer, len(raw)
        return address, buffer

    def setup(self, kind: int, request: int = 1, value: int = 2, index: int = 3) -> int:
        """A setup packet."""
        address = self.m.allocate(8, kind="native")
        self.m.write(address, struct.pack("<BBHHH", kind, request, value, index, 0xEEEE))
        return address

    def read_sync(self, pipe: int, size: int, options: int = 0) -> tuple[str, int, bytes]:
        """Status, count and buffer of WdfUsbTargetPipeReadSynchronously."""
        descriptor, buffer = self.descriptor(size)
        count = self.kit.out()
        answer = name_of(self.wdk.WdfUsbTargetPipeReadSynchronously(pipe, 0, options, descriptor, count))
        return answer, self.m.u32(count), self.m.read(buffer, size)

    def write_sync(self, pipe: int, content: bytes, options: int = 0) -> tuple[str, int]:
        descriptor, _ = self.descriptor(content)
        count = self.kit.out()
        answer = name_of(self.wdk.WdfUsbTargetPipeWriteSynchronously(pipe, 0, options, descriptor, count))
        return answer, self.m.u32(count)

    def control_sync(self, setup: int, descriptor: int) -> tuple[str, int]:
        count = self.kit.out()
        self.m.set_u32(count, 77)
        send = self.wdk.WdfUsbTargetDeviceSendControlTransferSynchronously
        return name_of(send(self.usb, 0, 0, setup, descriptor, count)), self.m.u32(count)

    def log(self, request: int) -> list[dict[str, Any]]:
        """What the completion routine of a request sees, each time."""
        seen: list[dict[str, Any]] = []

        def completed(request: int, target: int, params: Any, context: int) -> None:
            usb = params.Parameters.Usb.Completion
            part = usb.Parameters.PipeRead
            seen.append(
                {
                    "status": name_of(params.IoStatus.Status), "information": params.IoStatus.Information, "type": params.Type,
                    "usb": usb.Type, "usbd": usb.UsbdStatus & 0xFFFF_FFFF, "buffer": int(part.Buffer), "length": part.Length,
                    "offset": part.Offset,
                }
            )  # fmt: skip

        routine = self.kit.lab.routine(completed, "EVT_WDF_REQUEST_COMPLETION_ROUTINE")
        self.wdk.WdfRequestSetCompletionRoutine(request, routine.address, 0)
        return seen


def transfer(function: int, handle: int, flags: int, length: int, buffer: int = 0, mdl: int = 0, setup: bytes = b"") -> bytes:
    """A URB of a control, bulk or interrupt transfer, whole."""
    size = 136 if setup else 128
    head = struct.pack("<HHiQIIQIIQQQ", size, function, 0, 0, 0, 0, handle, flags, length, buffer, mdl, 0)
    return head + bytes(64) + setup


def endpoint(address: int, attributes: int, packet: int) -> bytes:
    return struct.pack("<BBBBHB", 7, 5, address, attributes, packet, 1)


def interface(number: int, setting: int, *endpoints: bytes) -> bytes:
    return bytes([9, 4, number, setting, len(endpoints), 0xFF, number + 1, setting + 2, 0]) + b"".join(endpoints)


def configuration(count: int, *interfaces: bytes, attributes: int = 0x80) -> bytes:
    body = b"".join(interfaces)
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), count, 1, 0, attributes, 50) + body
