"""Applications with handles, names of devices, file objects, stacks of several drivers, EvtIoInCallerContext."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab import Lab
from wsklab.kmdf.application import File
from wsklab.machine.status import name_of

CONTROL = r"""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_IO_QUEUE_IO_READ Read;
EVT_WDF_IO_QUEUE_IO_WRITE Write;
EVT_WDF_DEVICE_FILE_CREATE FileCreate;
EVT_WDF_FILE_CLEANUP FileCleanup;
EVT_WDF_FILE_CLOSE FileClose;
typedef struct _FILE_CONTEXT { ULONG Number; } FILE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(FILE_CONTEXT, FileContext)
ULONG opened;
NTSTATUS refuse;
WDFDEVICE device;
WDFREQUEST kept;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDF_IO_QUEUE_CONFIG queueConfig;
    WDF_FILEOBJECT_CONFIG files;
    WDF_OBJECT_ATTRIBUTES attributes;
    PWDFDEVICE_INIT init;
    WDFDRIVER driver;
    NTSTATUS status;
    DECLARE_CONST_UNICODE_STRING(name, L"\\Device\\Control");
    DECLARE_CONST_UNICODE_STRING(link, L"\\DosDevices\\Control");

    WDF_DRIVER_CONFIG_INIT(&config, WDF_NO_EVENT_CALLBACK);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, &driver);
    if (!NT_SUCCESS(status)) return status;
    init = WdfControlDeviceInitAllocate(driver, &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R);
    if (init == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    WdfDeviceInitSetExclusive(init, EXCLUSIVE);
    WdfDeviceInitAssignName(init, &name);
    WDF_FILEOBJECT_CONFIG_INIT(&files, FileCreate, FileClose, FileCleanup);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, FILE_CONTEXT);
    WdfDeviceInitSetFileObjectConfig(init, &files, &attributes);
    status = WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) {
        WdfDeviceInitFree(init);
        return status;
    }
    status = WdfDeviceCreateSymbolicLink(device, &link);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queueConfig, WdfIoQueueDispatchParallel);
    queueConfig.EvtIoRead = Read;
    queueConfig.EvtIoWrite = Write;
    status = WdfIoQueueCreate(device, &queueConfig, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
    if (!NT_SUCCESS(status)) return status;
    WdfControlFinishInitializing(device);
    return STATUS_SUCCESS;
}
VOID FileCreate(WDFDEVICE Device, WDFREQUEST Request, WDFFILEOBJECT FileObject)
{
    FileContext(FileObject)->Number = ++opened;
    DbgPrint("create %d %wZ, ", opened, WdfFileObjectGetFileName(FileObject));
    WdfRequestComplete(Request, refuse);
}
VOID FileCleanup(WDFFILEOBJECT FileObject) { DbgPrint("cleanup %d, ", FileContext(FileObject)->Number); }
VOID FileClose(WDFFILEOBJECT FileObject) { DbgPrint("close %d, ", FileContext(FileObject)->Number); }
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WDFFILEOBJECT file = WdfRequestGetFileObject(Request);
    DbgPrint("read %d %d %d %d, ", FileContext(file)->Number, (int)Length, WdfRequestGetRequestorMode(Request),
             WdfFileObjectGetDevice(file) == device);
    kept = Request;
}
VOID Write(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    DbgPrint("write %d, ", FileContext(WdfRequestGetFileObject(Request))->Number);
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, Length);
}
VOID Finish(VOID) { WdfRequestCompleteWithInformation(kept, STATUS_SUCCESS, 0); }
"""
NAMES = ["\\\\.\\Control", "\\\\.\\control", "\\DosDevices\\Control", "\\Device\\Control", "\\??\\Control"]


class Control:
    """The control device above."""

    def __init__(self, exclusive: bool = False) -> None:
        self.lab = Lab(language="en")
        self.driver = self.lab.load(CONTROL.replace("EXCLUSIVE", str(exclusive).upper()))
        self.loaded = self.lab.start_driver(self.driver)
        assert self.loaded.status == 0

    @property
    def said(self) -> list[str]:
        return self.lab.console.removesuffix(", ").split(", ")


@pytest.mark.parametrize("name", NAMES)
def test_a_handle_by_name(name: str) -> None:
    """KMDF-DEV-06, KMDF-GET-12, 13: create, write, cleanup, close, each with its file object."""
    control = Control()
    with control.lab.open(name) as file:
        assert (file.status, file.write(b"abc").information) == (0, 3)
    assert control.said == ["create 1 ", "write 1", "cleanup 1", "close 1"]


def test_what_follows_the_name() -> None:
    control = Control()
    control.lab.open("\\\\.\\Control\\part\\one").close()
    assert control.said[0] == "create 1 \\part\\one"


def test_a_name_that_nobody_has() -> None:
    control = Control()
    with pytest.raises(ValueError, match=r"no device has the name .*; there are: \\DosDevices\\Control, \\Device\\Control"):
        control.lab.open("\\\\.\\Other")


def test_each_handle_has_a_file_object_of_its_own() -> None:
    control = Control()
    first, second = (control.lab.open("\\\\.\\Control") for _ in range(2))
    second.write(b"x")
    first.write(b"x")
    first.close()
    second.close()
    assert control.said[2:] == ["write 2", "write 1", "cleanup 1", "close 1", "cleanup 2", "close 2"]


def test_a_driver_that_refuses_gets_no_close() -> None:
    control = Control()
    control.lab.machine.set_i32(control.driver.image.globals["refuse"], -0x3FFFFFDE)
    file = control.lab.open("\\\\.\\Control")
    assert (name_of(file.status), file.open, control.said) == ("STATUS_ACCESS_DENIED", False, ["create 1 "])
    with pytest.raises(ValueError, match="the handle is closed"):
        file.read(1)
    kinds = [obj.KIND for obj in control.loaded.driver.fw.live.values()]
    assert "WDFFILEOBJECT" not in kinds and "WDFREQUEST" not in kinds


def test_an_exclusive_device() -> None:
    control = Control(exclusive=True)
    first = control.lab.open("\\\\.\\Control")
    assert name_of(control.lab.open("\\\\.\\Control").status) == "STATUS_ACCESS_DENIED"
    first.close()
    assert control.lab.open("\\\\.\\Control").status == 0


def test_overlapped_and_synchronous() -> None:
    control = Control()
    file = control.lab.open("\\\\.\\Control")
    under_way = file.read(4, overlapped=True)
    assert (under_way.done, control.said[1]) == (False, "read 1 4 1 1")
    control.lab.machine.after(20, control.driver.Finish)
    assert (under_way.wait().status, control.lab.machine.time) == (0, 20)
    control.lab.machine.after(20, control.driver.Finish)
    assert (file.read(5).status, control.lab.machine.time) == (0, 40)


def test_a_request_that_nobody_completes_is_a_hang(kit: Any) -> None:
    control = Control()
    file = control.lab.open("\\\\.\\Control")
    with kit.stops("hang"):
        file.read(4)


def test_cancel_io_and_close_with_a_request_under_way() -> None:
    """KMDF-CAN-17: nothing is cancelable in this driver; close comes after the last request."""
    control = Control()
    file = control.lab.open("\\\\.\\Control")
    file.read(4, overlapped=True)
    assert file.cancel() == 0
    control.lab.machine.after(20, control.driver.Finish)
    file.close()
    assert control.said[2:] == ["cleanup 1", "close 1"]


def test_unloading_takes_the_names_away() -> None:
    control = Control()
    control.lab.unload_driver(control.loaded)
    with pytest.raises(ValueError, match="there are: -"):
        control.lab.open("\\\\.\\Control")


def test_a_second_device_of_the_same_name() -> None:
    control = Control()
    again = control.lab.start_driver(control.lab.load(CONTROL.replace("EXCLUSIVE", "FALSE")))
    assert name_of(again.status) == "STATUS_OBJECT_NAME_COLLISION"


PNP = whole_driver(r"""
#include <initguid.h>
#include <ntddk.h>
#include <wdf.h>
DEFINE_GUID(GUID_LAB, 0x01234567, 0x89ab, 0xcdef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef);
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_REQUEST_COMPLETION_ROUTINE Back;
EVT_WDF_IO_QUEUE_IO_DEFAULT Received;
typedef struct _PER_REQUEST { ULONG Seen; } PER_REQUEST;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(PER_REQUEST, PerRequest)
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFDEVICE device;
    WDFSTRING string;
    UNICODE_STRING text;
    NTSTATUS status;
    SETUP
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, PER_REQUEST);
    WdfDeviceInitSetRequestAttributes(DeviceInit, &attributes);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    status = WdfDeviceCreateDeviceInterface(device, &GUID_LAB, NULL);
    if (!NT_SUCCESS(status)) return status;
    WdfStringCreate(NULL, WDF_NO_OBJECT_ATTRIBUTES, &string);
    status = WdfDeviceRetrieveDeviceInterfaceString(device, &GUID_LAB, NULL, string);
    WdfStringGetUnicodeString(string, &text);
    DbgPrint("%wZ %d ", &text, WdfGetDriver() == Driver && WdfDeviceGetDriver(device) == Driver);
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.HANDLER = (PVOID)Received;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}
VOID Received(WDFQUEUE Queue, WDFREQUEST Request)
{
    WDFIOTARGET target = WdfDeviceGetIoTarget(WdfIoQueueGetDevice(Queue));
    DbgPrint("WHO:down %d ", PerRequest(Request)->Seen++);
    WdfRequestFormatRequestUsingCurrentType(Request);
    WdfRequestSetCompletionRoutine(Request, Back, NULL);
    if (!WdfRequestSend(Request, target, WDF_NO_SEND_OPTIONS)) WdfRequestComplete(Request, WdfRequestGetStatus(Request));
}
VOID Back(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    DbgPrint("WHO:up %d ", PerRequest(Request)->Seen);
    WdfRequestComplete(Request, Params->IoStatus.Status);
}
VOID InCaller(WDFDEVICE Device, WDFREQUEST Request)
{
    PVOID buffer;
    size_t length;
    WDFMEMORY memory;
    NTSTATUS status = WdfRequestRetrieveUnsafeUserInputBuffer(Request, 1, &buffer, &length);
    if (NT_SUCCESS(status)) status = WdfRequestProbeAndLockUserBufferForRead(Request, buffer, length, &memory);
    DbgPrint("caller %x %d ", status, NT_SUCCESS(status) ? (int)length : -1);
    if (NT_SUCCESS(status)) status = WdfDeviceEnqueueRequest(Device, Request);
    if (!NT_SUCCESS(status)) WdfRequestComplete(Request, status);
}
""")


def stacked(name: str, setup: str = "", handler: str = "EvtIoDefault") -> str:
    return PNP.replace("WHO", name).replace("SETUP", setup).replace("HANDLER", handler)


def test_a_filter_over_a_function_driver_over_a_bus() -> None:
    """KMDF-TGT-01, KMDF-CTX-11, KMDF-DEV-08: each driver has its own WDFDRIVER, each request a context at each level."""
    lab = Lab(language="en")
    bus = lab.lower_device("bus", answers="later", data=b"abc")
    function = lab.start_driver(lab.load(stacked("function"), "function.c"), bus)
    upper = lab.start_driver(lab.load(stacked("filter", "WdfFdoInitSetFilter(DeviceInit);"), "filter.c"), function)
    with lab.open(upper) as file:
        assert (file.read(3).data, bus.received[0].length) == (b"abc", 3)
    link = r"\??\ROOT#WSKLAB#{}#{{01234567-89ab-cdef-0123-456789abcdef}} 1 "
    down_and_up = "filter:down 0 function:down 0 function:up 1 filter:up 1 "
    assert lab.console == link.format("0000") + link.format("0001") + down_and_up
    assert {"function.c", "filter.c"} <= {event.where.file for event in lab.events if event.where}
    lab.unload_driver(upper)
    lab.unload_driver(function)


def test_a_filter_without_a_queue_for_it_passes_requests_down() -> None:
    """KMDF-QUE-05."""
    lab = Lab(language="en")
    bus = lab.lower_device("bus", data=b"abc")
    upper = lab.start_driver(lab.load(stacked("filter", "WdfFdoInitSetFilter(DeviceInit);", "EvtIoWrite")), bus)
    assert (upper.read(3).data, "down" in lab.console) == (b"abc", False)


def test_a_device_interface_leads_to_the_top_of_the_stack() -> None:
    lab = Lab(language="en")
    lab.start_driver(lab.load(stacked("function")), lab.lower_device("bus", data=b"abc"))
    file: File = lab.open("{01234567-89ab-cdef-0123-456789abcdef}")
    assert (file.status, file.read(2).data) == (0, b"ab")


CALLER = (
    "WdfDeviceInitSetIoInCallerContextCallback(DeviceInit, InCaller); WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoNeither);"
)


def test_user_buffers_in_their_senders_context() -> None:
    """KMDF-BUF-11, 12, 13: METHOD_NEITHER input is retrieved, locked, and the request goes to its queue."""
    lab = Lab(language="en")
    bus = lab.lower_device("bus", io_type="neither")
    function = lab.start_driver(lab.load(stacked("function", CALLER)), bus)
    with lab.open(function) as file:
        assert file.ioctl(0x222003, b"input").status == 0
        assert name_of(file.ioctl(0x222000, b"input").status) == "STATUS_INVALID_DEVICE_REQUEST"
        assert name_of(file.ioctl(0x222003, b"").status) == "STATUS_BUFFER_TOO_SMALL"
    assert "caller 0 5 function:down 0 function:up 1 caller c0000010 -1 caller c0000023 -1" in lab.console
    lab.unload_driver(function)


def test_user_buffers_elsewhere(kit: Any) -> None:
    """KMDF-BUF-11, RULE-29."""
    lab = Lab(language="en")
    text = stacked("f").replace(
        "WdfRequestFormatRequestUsingCurrentType(Request);", "InCaller(WdfIoQueueGetDevice(Queue), Request);"
    )
    function = lab.start_driver(lab.load(text))
    with kit.stops("kmdf-unsafe-buffer"):
        lab.open(function).ioctl(0x222003, b"input")


def test_an_enqueue_outside_the_callers_context(kit: Any) -> None:
    """KMDF-BUF-13."""
    lab = Lab(language="en")
    text = stacked("f").replace(
        "WdfRequestFormatRequestUsingCurrentType(Request);", "WdfDeviceEnqueueRequest(WdfIoQueueGetDevice(Queue), Request);"
    )
    function = lab.start_driver(lab.load(text))
    with kit.stops("kmdf-not-in-caller-context"):
        function.read(3)


def test_no_file_objects(kit: Any) -> None:
    """KMDF-GET-13, RULE-84."""
    lab = Lab(language="en")
    text = stacked("f").replace("WdfRequestFormatRequestUsingCurrentType(Request);", "WdfRequestGetFileObject(Request);")
    function = lab.start_driver(lab.load(text))
    with kit.stops("kmdf-no-file-objects"):
        function.read(3)
