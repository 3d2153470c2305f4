"""A USB device as an I/O target: what it is asked when it is made, its interfaces, selecting a configuration.

Pages: the wdfusb.h reference, working-with-usb-devices.md; expected values are those of the framework's source (fxusbdevice*.cpp,
fxusbinterface.cpp). Sizes are those of the public headers: usb.h, usbspec.h and usbbusif.h of mingw-w64, wdfusb.h of
Windows-Driver-Frameworks, compiled with gcc for x64 with the WDK's integer types.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.kmdf.usb import Usb, configuration, endpoint, interface
from wsklab.c.headers import headers
from wsklab.kmdf.lower import USB
from wsklab.machine import NotModelled
from wsklab.machine.status import name_of

SIZES = """
USB_COMMON_DESCRIPTOR 2, USB_DEVICE_DESCRIPTOR 18: idVendor 8 idProduct 10 bcdDevice 12 bNumConfigurations 17,
USB_CONFIGURATION_DESCRIPTOR 9: wTotalLength 2 bNumInterfaces 4 bmAttributes 7, USB_INTERFACE_DESCRIPTOR 9: bNumEndpoints 4,
USB_ENDPOINT_DESCRIPTOR 7: wMaxPacketSize 4 bInterval 6, USB_STRING_DESCRIPTOR 4: bString 2, USBD_VERSION_INFORMATION 8,
USBD_PIPE_INFORMATION 24: PipeType 4 PipeHandle 8 MaximumTransferSize 16 PipeFlags 20,
USBD_INTERFACE_INFORMATION 48: Class 4 InterfaceHandle 8 NumberOfPipes 16 Pipes 24,
URB 152, struct _URB_HEADER 24: Function 2 Status 4 UsbdDeviceHandle 8 UsbdFlags 16,
struct _URB_SELECT_INTERFACE 80: ConfigurationHandle 24 Interface 32,
struct _URB_SELECT_CONFIGURATION 88: ConfigurationDescriptor 24 ConfigurationHandle 32 Interface 40,
struct _URB_PIPE_REQUEST 40: PipeHandle 24 Reserved 32, struct _URB_GET_CURRENT_FRAME_NUMBER 32: FrameNumber 24,
struct _URB_CONTROL_DESCRIPTOR_REQUEST 136: TransferBufferLength 36 TransferBuffer 40 Index 130 DescriptorType 131 LanguageId 132,
struct _URB_CONTROL_GET_STATUS_REQUEST 136: TransferBufferMDL 48 Index 132,
struct _URB_CONTROL_FEATURE_REQUEST 136: FeatureSelector 130 Index 132,
struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST 136: RequestTypeReservedBits 128 Request 129 Value 130 Index 132,
struct _URB_CONTROL_TRANSFER 136: PipeHandle 24 TransferFlags 32 UrbLink 56 hca 64 SetupPacket 128,
struct _URB_CONTROL_TRANSFER_EX 136: Timeout 56 hca 64 SetupPacket 128,
struct _URB_BULK_OR_INTERRUPT_TRANSFER 128: PipeHandle 24 TransferFlags 32 TransferBufferMDL 48 UrbLink 56 hca 64,
struct _URB_ISOCH_TRANSFER 152: StartFrame 128 ErrorCount 136 IsoPacket 140,
USB_BUS_INTERFACE_USBDI_V0 64: GetUSBDIVersion 32 QueryBusTime 40, USB_BUS_INTERFACE_USBDI_V1 72: IsDeviceHighSpeed 64,
WDF_USB_CONTROL_SETUP_PACKET 8, WDF_USB_REQUEST_COMPLETION_PARAMS 32: Type 4 Parameters 8,
WDF_USB_CONTINUOUS_READER_CONFIG 72: TransferLength 8 NumPendingReads 32 BufferAttributes 40 EvtUsbTargetPipeReadersFailed 64,
WDF_USB_DEVICE_INFORMATION 20: HcdPortCapabilities 12 Traits 16, WDF_USB_INTERFACE_SETTING_PAIR 16: SettingIndex 8,
WDF_USB_DEVICE_SELECT_CONFIG_PARAMS 32: Type 4 Types 8, WDF_USB_INTERFACE_SELECT_SETTING_PARAMS 16: Type 4 Types 8,
WDF_USB_PIPE_INFORMATION 20: EndpointAddress 8 SettingIndex 10 PipeType 12 MaximumTransferSize 16, WDF_USB_DEVICE_CREATE_CONFIG 8
"""

TWO = configuration(
    2,
    interface(0, 0, endpoint(0x81, 2, 64)),
    interface(1, 0),
    interface(1, 1, endpoint(0x02, 2, 32), endpoint(0x83, 3, 16)),
    attributes=0xE0,
)


@pytest.mark.parametrize("row", [row.strip() for row in SIZES.split(",")])
def test_sizes_and_offsets_are_those_of_the_public_headers(row: str) -> None:
    head, _, members = row.partition(":")
    name, size = head.rsplit(" ", 1)
    record: Any = headers().tags[name] if name.startswith("struct") else headers().record(name)
    pairs = members.split()
    offsets = dict(zip(pairs[::2], map(int, pairs[1::2]), strict=True))
    assert (record.size, {member: record.members[member].offset for member in offsets}) == (int(size), offsets)


# Descriptors

BULK_IN = endpoint(0x81, 2, 64)


@pytest.mark.parametrize(
    "descriptors, level, expected, where",
    [
        (USB, 3, 0, None),
        (TWO, 3, 0, None),
        (USB[:8], 1, 0xC010_0006, 0),
        (USB[:20], 1, 0xC010_0006, 0),
        (b"\x08" + USB[1:], 1, 0xC010_0001, 0),
        (b"\x09\x04" + USB[2:], 1, 0xC010_0002, 0),
        (configuration(1, b"\1\1"), 1, 0, None),
        (configuration(1, b"\1\1"), 2, 0xC010_0001, 9),
        (configuration(1, interface(0, 0), b"\x05\x30"), 2, 0xC010_0001, 18),
        (configuration(1, bytes([4, 4, 0, 0])), 2, 0xC010_0003, 9),
        (configuration(1, interface(0, 0), interface(0, 0)), 2, 0xC010_0003, 18),
        (configuration(1, BULK_IN, interface(0, 0)), 2, 0xC010_0004, 9),
        (configuration(1, interface(0, 0, endpoint(0xF1, 2, 64))), 2, 0xC010_0009, 18),
        (configuration(1, interface(0, 0, endpoint(0x80, 2, 64))), 2, 0xC010_0009, 18),
        (configuration(2, interface(0, 0)), 2, 0xC010_0007, 0),
        (configuration(1, interface(3, 0)), 2, 0, None),
        (configuration(1, interface(3, 0)), 3, 0xC010_0003, 9),
        (configuration(1, interface(0, 0, BULK_IN), BULK_IN), 2, 0, None),
        (configuration(1, interface(0, 0, BULK_IN), BULK_IN), 3, 0xC010_0008, 9),
        (configuration(1, interface(0, 0, b"\x09" + BULK_IN[1:] + b"\0\0")), 3, 0xC010_0001, 18),
    ],
)
def test_descriptors_are_checked(kit: Any, descriptors: bytes, level: int, expected: int, where: int | None) -> None:
    """Page: nf-usbdlib-usbd_validateconfigurationdescriptor: the header, all, and closely."""
    address, out = kit.m.allocate(len(descriptors), kind="pool"), kit.out()
    kit.m.write(address, descriptors)
    answer = kit.wdk.USBD_ValidateConfigurationDescriptor(address, len(descriptors), level, out, 0)
    assert (answer & 0xFFFF_FFFF, kit.m.u64(out)) == (expected, 0 if where is None else address + where)


# Making it


def head(size: int, function: int) -> bytes:
    return struct.pack("<HHiQQ", size, function, 0, 0, 0)


def descriptor_urb(kind: int, length: int, buffer: int) -> bytes:
    return (
        head(136, 0xB) + struct.pack("<QIIQQQ", 0, 0, length, buffer, 0, 0) + bytes(64) + struct.pack("<HBBHH", 0, 0, kind, 0, 0)
    )


def test_what_the_device_is_asked(kit: Any) -> None:
    """Device descriptor, configuration in two steps, status; then the bus interface; then one URB selects."""
    usb = Usb(kit)
    urbs = [got.urb for got in usb.device.received]
    buffers = [struct.unpack_from("<Q", urb, 40)[0] for urb in urbs]
    assert urbs[:3] == [
        descriptor_urb(1, 18, buffers[0]), descriptor_urb(2, 9, buffers[1]), descriptor_urb(2, len(USB), buffers[2]),
    ]  # fmt: skip
    assert urbs[3] == head(136, 0x13) + struct.pack("<QIIQQQ", 0, 0, 2, buffers[3], 0, 0) + bytes(72)
    pipes = struct.pack("<QQII", 0, 0, 0xFFFF_FFFF, 0) * 3
    select = struct.pack("<QQHBBIQII", buffers[2], 0, 96, 0, 0, 0, 0, 3, 0) + pipes
    assert urbs[4:] == [head(136, 0) + select]


def test_what_is_known_of_the_device(kit: Any) -> None:
    usb = Usb(kit, usb=TWO)
    wdk, m = kit.wdk, kit.m
    about = m.new("USB_DEVICE_DESCRIPTOR", kind="native")
    wdk.WdfUsbTargetDeviceGetDeviceDescriptor(usb.usb, about)
    assert m.read(about, 18) == bytes.fromhex("1201 0002 000000 40 0912 0100 0001 000000 01")
    information = m.new("WDF_USB_DEVICE_INFORMATION", kind="native")
    assert name_of(wdk.WdfUsbTargetDeviceRetrieveInformation(usb.usb, information)) == "STATUS_INFO_LENGTH_MISMATCH"
    m.set_u32(information, 20)
    assert name_of(wdk.WdfUsbTargetDeviceRetrieveInformation(usb.usb, information)) == "STATUS_SUCCESS"
    assert struct.unpack("<5I", m.read(information, 20)) == (20, 0x600, 0x200, 0, 3)  # self-powered, remote wake
    assert name_of(wdk.WdfUsbTargetDeviceIsConnectedSynchronous(usb.usb)) == "STATUS_SUCCESS"


def test_frames_are_counted_by_the_millisecond(kit: Any) -> None:
    usb, number = Usb(kit), kit.out()
    kit.m.after(50_000, lambda: None)
    kit.lab.run()
    assert name_of(kit.wdk.WdfUsbTargetDeviceRetrieveCurrentFrameNumber(usb.usb, number)) == "STATUS_SUCCESS"
    assert kit.m.u32(number) == kit.wdk.KeQueryInterruptTime() // 10_000


def test_a_stack_without_a_bus_interface(kit: Any) -> None:
    """The default pipe then has the handle that came with the device descriptor."""
    usb = Usb(kit)
    known = kit.m.view(kit.fw.live[usb.usb].address, "FX_USB_DEVICE")
    known.OnUsbd, known.Bus.QueryBusTime = 1, 0
    assert usb.control_sync(usb.setup(0x40), usb.descriptor(b"a")[0]) == ("STATUS_SUCCESS", 1)
    assert struct.unpack_from("<QI", usb.transfers[0].urb, 24) == (usb.device.usb, 2)
    assert name_of(kit.wdk.WdfUsbTargetDeviceRetrieveCurrentFrameNumber(usb.usb, kit.out())) == "STATUS_UNSUCCESSFUL"


@pytest.mark.parametrize(
    "room, expected", [(-1, "STATUS_BUFFER_TOO_SMALL"), (9, "STATUS_BUFFER_TOO_SMALL"), (64, "STATUS_SUCCESS")]
)
def test_the_configuration_descriptor_as_far_as_there_is_room(kit: Any, room: int, expected: str) -> None:
    usb = Usb(kit)
    length, buffer = kit.out(), kit.m.allocate(64, kind="pool", zero=True) if room >= 0 else 0
    kit.m.set_u16(length, max(room, 0))
    answer = kit.wdk.WdfUsbTargetDeviceRetrieveConfigDescriptor(usb.usb, buffer, length)
    assert (name_of(answer), kit.m.u16(length)) == (expected, len(USB))
    if buffer:
        assert kit.m.read(buffer, 64) == USB[:room] + bytes(64 - len(USB[:room]))


@pytest.mark.parametrize(
    "wrong, expected",
    [
        (configuration(1, interface(0, 0)[:6]), "STATUS_INVALID_PARAMETER"),  # it ends in the middle
        (configuration(1, bytes([4, 4, 0, 0])), "STATUS_INVALID_PARAMETER"),
        (configuration(1, bytes([0, 4])), "STATUS_INVALID_PARAMETER"),
        (configuration(1, interface(0, 0, b"\3\5\x81")), "STATUS_INVALID_PARAMETER"),
        (configuration(2), "STATUS_INVALID_DEVICE_REQUEST"),
        (configuration(1, interface(0, 0), interface(0, 2)), "STATUS_INVALID_DEVICE_REQUEST"),
        (b"\t\2\7\0\1\1\0\x80\x32", "STATUS_UNSUCCESSFUL"),
    ],
)
def test_a_defective_device(kit: Any, wrong: bytes, expected: str) -> None:
    usb = Usb(kit, usb=wrong)
    assert (name_of(usb.driver.Create()), usb.usb) == (expected, 0)


def test_a_device_that_is_no_usb_device(kit: Any) -> None:
    usb = Usb(kit, usb=b"", answers="error")
    assert (name_of(usb.driver.Create()), usb.usb) == ("STATUS_IO_DEVICE_ERROR", 0)


def test_attributes_and_versions(kit: Any) -> None:
    usb = Usb(kit)
    device, out = usb.loaded.devices[0], kit.out()
    parent = kit.attributes(ParentObject=device)
    create = kit.wdk.WdfUsbTargetDeviceCreate
    assert name_of(create(device, parent, out)) == "STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED"
    context = kit.attributes(ContextTypeInfo=kit.context_type())
    assert name_of(create(device, context, out)) == "STATUS_SUCCESS"
    assert kit.wdk.WdfObjectGetTypedContextWorker(kit.m.u64(out), kit.m.view(context, "WDF_OBJECT_ATTRIBUTES").ContextTypeInfo)
    kit.wdk.WdfObjectDelete(kit.m.u64(out))
    config = kit.m.new("WDF_USB_DEVICE_CREATE_CONFIG", kind="native")
    answer = kit.wdk.WdfUsbTargetDeviceCreateWithParameters(device, config, 0, out)
    assert name_of(answer) == "STATUS_INFO_LENGTH_MISMATCH"


def test_a_control_device_has_none_below(kit: Any) -> None:
    kit.memory(1)
    answer = kit.wdk.WdfUsbTargetDeviceCreate(kit.fw.scene.handle, 0, kit.out())
    assert name_of(answer) == "STATUS_INVALID_DEVICE_STATE"


STRINGS = USB + bytes([4, 3, 9, 4]) + b"\x0c\3" + "board".encode("utf-16-le") + b"\2\3" + b"\5\3abc"


@pytest.mark.parametrize(
    "index, room, expected, count, text",
    [
        (1, 8, "STATUS_SUCCESS", 5, "board"), (1, 5, "STATUS_SUCCESS", 5, "board"), (1, 2, "STATUS_BUFFER_OVERFLOW", 5, "bo"),
        (1, None, "STATUS_SUCCESS", 5, ""), (2, 8, "STATUS_SUCCESS", 0, ""), (3, 8, "STATUS_DEVICE_DATA_ERROR", 8, ""),
        (4, 8, "STATUS_UNSUCCESSFUL", 8, ""),
    ],
)  # fmt: skip
def test_a_string_of_the_device(kit: Any, index: int, room: int | None, expected: str, count: int, text: str) -> None:
    usb, out = Usb(kit, usb=STRINGS), kit.out()
    buffer = kit.m.allocate(16, kind="pool", zero=True) if room else 0
    kit.m.set_u16(out, room or 0)
    answer = kit.wdk.WdfUsbTargetDeviceQueryString(usb.usb, 0, 0, buffer, out, index, 0x409)
    assert (name_of(answer), kit.m.u16(out)) == (expected, count)
    assert not buffer or kit.m.read(buffer, 16).decode("utf-16-le").rstrip("\0") == text
    (got,) = usb.transfers
    assert struct.unpack_from("<BBH", got.urb, 130) == (index, 3, 0x409)
    assert struct.unpack_from("<I", got.urb, 36) == (2 + 2 * (room or 0),)


@pytest.mark.parametrize("index, expected, text", [(1, 0, "board"), (2, 0, None), (4, 0xC000_0001, None)])
def test_a_string_in_a_memory_of_its_size(kit: Any, index: int, expected: int, text: str | None) -> None:
    usb, out, count = Usb(kit, usb=STRINGS), kit.out(), kit.out()
    answer = kit.wdk.WdfUsbTargetDeviceAllocAndQueryString(usb.usb, 0, out, count, index, 0x409)
    assert (answer & 0xFFFF_FFFF, kit.m.u16(count)) == (expected, len(text or ""))
    assert (kit.content(kit.m.u64(out)).decode("utf-16-le") if kit.m.u64(out) else None) == text


# Interfaces


def test_interfaces_and_their_settings(kit: Any) -> None:
    usb = Usb(kit, usb=TWO)
    wdk, m = kit.wdk, kit.m
    first, second = (int(wdk.WdfUsbTargetDeviceGetInterface(usb.usb, index)) for index in (0, 1))
    assert int(wdk.WdfUsbTargetDeviceGetInterface(usb.usb, 2)) == 0
    assert wdk.WdfUsbTargetDeviceGetNumInterfaces(usb.usb) == 2
    assert [wdk.WdfUsbInterfaceGetInterfaceNumber(each) for each in (first, second)] == [0, 1]
    assert [wdk.WdfUsbInterfaceGetNumSettings(each) for each in (first, second)] == [1, 2]
    assert [wdk.WdfUsbInterfaceGetNumEndpoints(second, setting) for setting in range(3)] == [0, 2, 0]
    about = m.allocate(9, kind="native")
    wdk.WdfUsbInterfaceGetDescriptor(second, 1, about)
    assert m.read(about, 9) == interface(1, 1, b"", b"")
    wdk.WdfUsbInterfaceGetDescriptor(second, 2, about)
    assert m.read(about, 9) == bytes(9)


def information(kit: Any) -> int:
    made = int(kit.m.new("WDF_USB_PIPE_INFORMATION", kind="native"))
    kit.m.set_u32(made, 20)
    return made


def test_what_an_endpoint_says(kit: Any) -> None:
    """The framework's limits: 256 KB, 4 KB for a control endpoint."""
    usb = Usb(kit, usb=configuration(1, interface(0, 0, endpoint(0x81, 2, 64), endpoint(0x04, 0, 8))))
    known, told = int(kit.wdk.WdfUsbTargetDeviceGetInterface(usb.usb, 0)), []
    for index in range(3):
        into = information(kit)
        kit.wdk.WdfUsbInterfaceGetEndpointInformation(known, 0, index, into)
        told.append(struct.unpack("<IIBBBxII", kit.m.read(into, 20)))
    assert told == [(20, 64, 0x81, 1, 0, 3, 0x4_0000), (20, 8, 0x04, 1, 0, 1, 0x1000), (20, 0, 0, 0, 0, 0, 0)]


def test_what_is_known_of_a_pipe(kit: Any) -> None:
    usb = Usb(kit)
    known, into = int(kit.wdk.WdfUsbTargetDeviceGetInterface(usb.usb, 0)), information(kit)
    assert int(kit.wdk.WdfUsbInterfaceGetConfiguredPipe(known, 2, into)) == usb.pipe(2)
    assert struct.unpack("<IIBBBxII", kit.m.read(into, 20)) == (20, 8, 0x83, 10, 0, 4, 0xFFFF_FFFF)
    assert int(kit.wdk.WdfUsbInterfaceGetConfiguredPipe(known, 3, 0)) == 0
    kit.m.set_u32(into, 16)
    assert int(kit.wdk.WdfUsbInterfaceGetConfiguredPipe(known, 2, into)) == 0
    tests = (kit.wdk.WdfUsbTargetPipeIsInEndpoint, kit.wdk.WdfUsbTargetPipeIsOutEndpoint)
    assert [[bool(test(usb.pipe(index))) for test in tests] for index in range(3)] == [
        [True, False],
        [False, True],
        [True, False],
    ]


# Selecting

SELECTS = """
NTSTATUS SelectMulti(void)
{
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_MULTIPLE_INTERFACES(&select, 0, NULL);
    return Select();
}
NTSTATUS SelectPairs(UCHAR First, UCHAR Second, UCHAR Setting, UCHAR Count)
{
    WDF_USB_INTERFACE_SETTING_PAIR pairs[2] = {{NULL, 0}, {NULL, Setting}};
    pairs[0].UsbInterface = WdfUsbTargetDeviceGetInterface(usb, First);
    pairs[1].UsbInterface = WdfUsbTargetDeviceGetInterface(usb, Second);
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_MULTIPLE_INTERFACES(&select, Count, pairs);
    return Select();
}
NTSTATUS Deselect(void)
{
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_DECONFIG(&select);
    return Select();
}
NTSTATUS SelectDescriptors(BOOLEAN None)
{
    PUSB_INTERFACE_DESCRIPTOR descriptors[1];
    USB_INTERFACE_DESCRIPTOR own;
    WdfUsbInterfaceGetDescriptor(WdfUsbTargetDeviceGetInterface(usb, 0), 0, &own);
    descriptors[0] = None ? NULL : &own;
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_INTERFACES_DESCRIPTORS(&select, NULL, descriptors, 1);
    return Select();
}
NTSTATUS SelectUrb(USHORT Length)
{
    struct _URB_SELECT_CONFIGURATION urb = {{Length, URB_FUNCTION_SELECT_CONFIGURATION}};
    USHORT size = 9;
    USB_CONFIGURATION_DESCRIPTOR about;
    WdfUsbTargetDeviceRetrieveConfigDescriptor(usb, &about, &size);
    urb.ConfigurationDescriptor = &about;
    urb.Interface.Length = GET_USBD_INTERFACE_SIZE(1);
    urb.Interface.NumberOfPipes = 1;
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_URB(&select, (PURB)&urb);
    return Select();
}
NTSTATUS SelectSetting(UCHAR Setting)
{
    WDF_USB_INTERFACE_SELECT_SETTING_PARAMS params;
    WDF_USB_INTERFACE_SELECT_SETTING_PARAMS_INIT_SETTING(&params, Setting);
    return WdfUsbInterfaceSelectSetting(WdfUsbTargetDeviceGetInterface(usb, 1), WDF_NO_OBJECT_ATTRIBUTES, &params);
}
NTSTATUS SelectByDescriptor(UCHAR Of)
{
    WDF_USB_INTERFACE_SELECT_SETTING_PARAMS params;
    USB_INTERFACE_DESCRIPTOR own;
    WdfUsbInterfaceGetDescriptor(WdfUsbTargetDeviceGetInterface(usb, Of), Of, &own);
    WDF_USB_INTERFACE_SELECT_SETTING_PARAMS_INIT_DESCRIPTOR(&params, &own);
    return WdfUsbInterfaceSelectSetting(WdfUsbTargetDeviceGetInterface(usb, 1), WDF_NO_OBJECT_ATTRIBUTES, &params);
}
NTSTATUS SelectByUrb(void)
{
    WDF_USB_INTERFACE_SELECT_SETTING_PARAMS params;
    WDF_USB_INTERFACE_SELECT_SETTING_PARAMS_INIT_URB(&params, NULL);
    return WdfUsbInterfaceSelectSetting(WdfUsbTargetDeviceGetInterface(usb, 1), WDF_NO_OBJECT_ATTRIBUTES, &params);
}
"""


def pipes(usb: Usb) -> list[int]:
    """The endpoint addresses of the pipes that there are, interface by interface."""
    found = []
    for index in range(usb.wdk.WdfUsbTargetDeviceGetNumInterfaces(usb.usb)):
        known = int(usb.wdk.WdfUsbTargetDeviceGetInterface(usb.usb, index))
        for number in range(usb.wdk.WdfUsbInterfaceGetNumConfiguredPipes(known)):
            into = information(usb.kit)
            usb.wdk.WdfUsbInterfaceGetConfiguredPipe(known, number, into)
            found.append(usb.m.u8(into + 8))
    return found


def functions(usb: Usb) -> list[int]:
    return [int.from_bytes(got.urb[2:4], "little") for got in usb.transfers]


def test_a_device_with_two_interfaces_is_not_selected_as_one(kit: Any) -> None:
    usb = Usb(kit, SELECTS, usb=TWO)
    assert (name_of(usb.driver.SelectSingle()), pipes(usb)) == ("STATUS_INVALID_PARAMETER", [])
    second = int(kit.wdk.WdfUsbTargetDeviceGetInterface(usb.usb, 1))
    with kit.stops("kmdf-interface-not-configured"):
        kit.wdk.WdfUsbInterfaceGetConfiguredSettingIndex(second)


def test_all_interfaces(kit: Any) -> None:
    """Setting 0 of each; an interface without pipes needs no URB of its own."""
    usb = Usb(kit, SELECTS, usb=TWO)
    assert (name_of(usb.driver.SelectMulti()), pipes(usb), functions(usb)) == ("STATUS_SUCCESS", [0x81], [0])


def test_a_setting_of_each_interface(kit: Any) -> None:
    usb = Usb(kit, SELECTS, usb=TWO)
    assert name_of(usb.driver.SelectPairs(0, 1, 1, 2)) == "STATUS_SUCCESS"
    assert (pipes(usb), functions(usb)) == ([0x81, 0x02, 0x83], [0, 1])
    pipe = struct.pack("<QQII", 0, 0, 0xFFFF_FFFF, 0)
    handle = int(kit.wdk.WdfUsbTargetDeviceWdmGetConfigurationHandle(usb.usb))
    assert usb.transfers[1].urb == head(104, 1) + struct.pack("<QHBBIQII", handle, 72, 1, 1, 0, 0, 2, 0) + pipe * 2
    second = int(kit.wdk.WdfUsbTargetDeviceGetInterface(usb.usb, 1))
    assert kit.wdk.WdfUsbInterfaceGetConfiguredSettingIndex(second) == 1
    assert usb.write_sync(usb.pipe(1), b"x") == ("STATUS_SUCCESS", 1)


@pytest.mark.parametrize("arguments", [(0, 1, 2, 2), (0, 1, 1, 1), (1, 1, 1, 2)])
def test_pairs_that_do_not_fit(kit: Any, arguments: tuple[int, ...]) -> None:
    usb = Usb(kit, SELECTS, usb=TWO)
    assert (name_of(usb.driver.SelectPairs(*arguments)), functions(usb)) == ("STATUS_INVALID_PARAMETER", [])


def test_another_setting_makes_other_pipes(kit: Any) -> None:
    usb = Usb(kit, SELECTS, usb=TWO, answers="never")
    usb.driver.SelectPairs(0, 1, 1, 2)
    old, request = usb.pipe(2), 0
    request = kit.request(old)
    assert name_of(kit.wdk.WdfUsbTargetPipeFormatRequestForRead(old, request, kit.memory(16), 0)) == "STATUS_SUCCESS"
    seen = usb.log(request)
    kit.send(request, old)
    assert (name_of(usb.driver.SelectSetting(0)), pipes(usb)) == ("STATUS_SUCCESS", [0x81])
    assert [each["status"] for each in seen] == ["STATUS_CANCELLED"]
    with kit.stops("kmdf-stale-handle"):
        kit.wdk.WdfUsbTargetPipeGetType(old)
    sent = len(usb.transfers)
    assert (name_of(usb.driver.SelectSetting(0)), len(usb.transfers)) == ("STATUS_SUCCESS", sent)  # it is selected already
    assert name_of(usb.driver.SelectSetting(2)) == name_of(usb.driver.SelectByDescriptor(0)) == "STATUS_INVALID_PARAMETER"
    assert (name_of(usb.driver.SelectByDescriptor(1)), pipes(usb)) == ("STATUS_SUCCESS", [0x81, 0x02, 0x83])
    with pytest.raises(NotModelled, match="WdfUsbInterfaceSelectSetting with a URB"):
        usb.driver.SelectByUrb()


def test_no_configuration(kit: Any) -> None:
    usb = Usb(kit, SELECTS)
    assert (name_of(usb.driver.Deselect()), pipes(usb)) == ("STATUS_SUCCESS", [])
    assert usb.transfers[0].urb == head(88, 0) + bytes(64)
    assert (name_of(usb.driver.SelectSingle()), pipes(usb)) == ("STATUS_SUCCESS", [0x81, 0x02, 0x83])


ONE = configuration(1, interface(0, 0, endpoint(0x81, 2, 64)))


def test_descriptors_of_the_drivers(kit: Any) -> None:
    usb = Usb(kit, SELECTS, usb=ONE)
    assert (name_of(usb.driver.SelectDescriptors(0)), pipes(usb)) == ("STATUS_SUCCESS", [0x81])
    assert name_of(usb.driver.SelectDescriptors(1)) == "STATUS_INVALID_PARAMETER"


def test_a_urb_of_the_drivers_selects(kit: Any) -> None:
    usb = Usb(kit, SELECTS, usb=ONE)
    assert (name_of(usb.driver.SelectUrb(88)), pipes(usb)) == ("STATUS_SUCCESS", [0x81])
    assert name_of(usb.driver.SelectUrb(63)) == "STATUS_INVALID_PARAMETER"


def test_a_bus_that_refuses(kit: Any) -> None:
    """The pipes for it are gone, and those before, too."""
    usb = Usb(kit, SELECTS, usb=ONE)
    kit.m.set_u8(usb.device.usb + 9 + 4, 2)  # of another number of endpoints now
    assert (name_of(usb.driver.SelectSingle()), pipes(usb)) == ("STATUS_INVALID_PARAMETER", [])


def test_a_device_without_interfaces(kit: Any) -> None:
    usb = Usb(kit, SELECTS, usb=configuration(0))
    assert (name_of(usb.driver.SelectSingle()), pipes(usb), functions(usb)) == ("STATUS_SUCCESS", [], [])
    more = Usb(kit, SELECTS, usb=configuration(0, interface(0, 0)))
    assert name_of(more.driver.SelectSingle()) == "STATUS_INVALID_DEVICE_REQUEST"
