"""Bus drivers: children, stacks over them, and requests of a child that go to a queue of its parent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab.kmdf.application import File
from wsklab.machine.status import name_of

BUS = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_READ ChildRead;
EVT_WDF_IO_QUEUE_IO_READ ParentRead;
EVT_WDFDEVICE_WDM_IRP_PREPROCESS Preprocess;
static const GUID GUID_RAW = {1, 2, 3, {4}};
WDFDEVICE bus, child;
WDFQUEUE parentQueue, childQueue;
WDFREQUEST held;
NTSTATUS D0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE State)
{
    DbgPrint("%s up ", Device == bus ? "bus" : "child");
    return 0;
}
NTSTATUS D0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE State)
{
    DbgPrint("%s down ", Device == bus ? "bus" : "child");
    return 0;
}
NTSTATUS Forward(WDFREQUEST Request, WDFQUEUE Queue, int Wrong)
{
    WDF_REQUEST_FORWARD_OPTIONS options;
    WDF_REQUEST_FORWARD_OPTIONS_INIT(&options);
    if (Wrong == 1) options.Size--;
    if (Wrong == 2) options.Flags = 6;
    return WdfRequestForwardToParentDeviceIoQueue(Request, Queue, &options);
}
VOID ChildRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    DbgPrint("ChildRead(%d) ", (int)Length);
    held = Request;
    CHILD
}
VOID ParentRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PVOID buffer;
    DbgPrint("ParentRead(%d) ", (int)Length);
    if (NT_SUCCESS(WdfRequestRetrieveOutputBuffer(Request, 1, &buffer, NULL))) RtlFillMemory(buffer, Length, 'p');
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, Length);
}
NTSTATUS Preprocess(WDFDEVICE Device, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return WdfDeviceWdmDispatchIrpToIoQueue(Device, Irp, parentQueue, WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP);
}
static void SetPower(PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDeviceD0Entry = D0Entry;
    callbacks.EvtDeviceD0Exit = D0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
}
static NTSTATUS MakeQueue(WDFDEVICE Device, PFN_WDF_IO_QUEUE_IO_READ EvtIoRead, WDFQUEUE *Queue)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoRead = EvtIoRead;
    return WdfIoQueueCreate(Device, &config, WDF_NO_OBJECT_ATTRIBUTES, Queue);
}
NTSTATUS MakeChild(BOOLEAN Raw)
{
    DECLARE_CONST_UNICODE_STRING(id, L"BUS\\\\Child");
    DECLARE_CONST_UNICODE_STRING(other, L"BUS\\\\Any");
    DECLARE_CONST_UNICODE_STRING(instance, L"1");
    DECLARE_CONST_UNICODE_STRING(place, L"Slot 1");
    PWDFDEVICE_INIT init = WdfPdoInitAllocate(bus);
    NTSTATUS status;
    if (init == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(WdfPdoInitAssignDeviceID(init, &id)) || !NT_SUCCESS(WdfPdoInitAssignInstanceID(init, &instance)) ||
        !NT_SUCCESS(WdfPdoInitAddHardwareID(init, &id)) || !NT_SUCCESS(WdfPdoInitAddHardwareID(init, &other)) ||
        !NT_SUCCESS(WdfPdoInitAddCompatibleID(init, &other)) || !NT_SUCCESS(WdfPdoInitAddDeviceText(init, &id, &place, 0x409)) ||
        (Raw && !NT_SUCCESS(WdfPdoInitAssignRawDevice(init, &GUID_RAW))))
        return STATUS_UNSUCCESSFUL;
    WdfPdoInitSetDefaultLocale(init, 0x409);
    SetPower(init);
    INIT
    status = WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &child);
    if (!NT_SUCCESS(status)) {
        WdfDeviceInitFree(init);
        return status;
    }
    status = MakeQueue(child, ChildRead, &childQueue);
    return NT_SUCCESS(status) ? WdfFdoAddStaticChild(bus, child) : status;
}
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    DECLARE_CONST_UNICODE_STRING(id, L"BUS\\\\Child");
    NTSTATUS status;
    if (NT_SUCCESS(WdfPdoInitAssignDeviceID(DeviceInit, &id))) return STATUS_UNSUCCESSFUL;
    SetPower(DeviceInit);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &bus);
    if (!NT_SUCCESS(status)) return status;
    status = MakeQueue(bus, ParentRead, &parentQueue);
    return NT_SUCCESS(status) ? MakeChild(WITHOUT) : status;
}
WDFDEVICE Next(WDFDEVICE Previous)
{
    WDFDEVICE next;
    WdfFdoLockStaticChildListForIteration(bus);
    next = WdfFdoRetrieveNextStaticChild(bus, Previous, 0);
    WdfFdoUnlockStaticChildListFromIteration(bus);
    return next;
}
WDFDEVICE Parent(void) { return WdfPdoGetParent(child); }
NTSTATUS AddAgain(void) { return WdfFdoAddStaticChild(bus, child); }
PVOID Targets(void) { return WdfDeviceGetIoTarget(child); }
NTSTATUS ForwardHeld(int Wrong) { return Forward(held, Wrong == 3 ? childQueue : parentQueue, Wrong); }
VOID StopParent(void) { WdfIoQueueDrain(parentQueue, NULL, NULL); }
""")
FORWARDS = "WdfPdoInitAllowForwardingRequestToParent(init);"
FORWARD = "if (!NT_SUCCESS(Forward(Request, parentQueue, 0))) WdfRequestComplete(Request, STATUS_UNSUCCESSFUL);"


def bus(kit: Any, child: str = FORWARD, init: str = FORWARDS, raw: str = "TRUE") -> tuple[Any, Any]:
    """The bus driver with one child; a breakpoint of the verifier in its EvtDriverDeviceAdd goes on."""
    kit.fw.verifier = "continue"
    driver = kit.lab.load(
        BUS.replace("CHILD\n", child + "\n").replace("INIT\n", init + "\n").replace("WITHOUT)", f"{raw})"), "bus.c"
    )
    loaded = kit.lab.start_driver(driver)
    assert (loaded.status, loaded.device_status) == (0, 0)
    kit.fw.verifier = "stop"
    return driver, loaded


def test_a_request_of_a_child_goes_to_the_parent(kit: Any) -> None:
    """Page: WdfRequestForwardToParentDeviceIoQueue. KMDF-CON-06. The child's IRPs have the parent's stack locations too."""
    _, loaded = bus(kit)
    (child,) = loaded.children
    parent = kit.fw.devices[0]
    assert [kit.m.view(device.object, "DEVICE_OBJECT").StackSize for device in (parent, child)] == [2, 3]
    read = File(kit.m, child.object).read(3)
    assert (read.data, name_of(read.status)) == (b"ppp", "STATUS_SUCCESS")
    assert kit.lab.console == "bus up child up ChildRead(3) ParentRead(3) "


def test_a_stack_over_a_child(kit: Any) -> None:
    """Whole stacks: function driver over the child of a bus driver; the child starts when it gets a driver. KMDF-TGT-01."""
    driver, loaded = bus(kit, raw="FALSE")
    assert kit.lab.console == "bus up "
    function = kit.lab.load(FUNCTION, "function.c")
    top = kit.lab.start_driver(function, lower=loaded.children[0])
    assert kit.lab.console == "bus up child up "
    read = top.read(2)
    assert (read.data, read.status) == (b"pp", 0)
    assert kit.lab.journey().text == (
        "0 µs, PASSIVE  IRP 1  application → function: READ, stack location 4 of 4\n"
        "0 µs, PASSIVE  IRP 1  function → bus: READ, stack location 4 of 4\n"
        "0 µs, PASSIVE  IRP 1  bus → bus: READ, stack location 3 of 4\n"
        "0 µs, PASSIVE  IRP 1  bus → application: STATUS_SUCCESS, 2"
    )
    assert driver.Targets() == 0  # KMDF-TGT-04
    kit.lab.unload_driver(top)
    kit.lab.unload_driver(loaded)
    assert kit.lab.console.endswith("child down bus down ")


FUNCTION = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDFDEVICE device;
    WdfFdoInitSetFilter(DeviceInit);
    return WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
}
""")


def test_what_the_bus_says_of_a_child(kit: Any) -> None:
    """Page: WdfPdoInitAddHardwareID. The property is a list of texts that ends with an empty one."""
    driver, loaded = bus(kit)
    (child,) = loaded.children
    length, buffer = kit.out(), kit.m.allocate(80, kind="native")
    answer = kit.wdk.IoGetDeviceProperty(child.object, kit.m.constant("DevicePropertyHardwareID"), 80, buffer, length)
    assert (answer, kit.m.read(buffer, kit.m.u32(length)).decode("utf-16-le")) == (0, "BUS\\Child\0BUS\\Any\0\0")
    assert kit.wdk.IoGetDeviceProperty(child.object, kit.m.constant("DevicePropertyLocationInformation"), 80, buffer, length) == 0
    assert kit.m.read(buffer, kit.m.u32(length)).decode("utf-16-le") == "Slot 1\0"
    assert driver.Parent() == kit.fw.devices[0].handle
    place = kit.m.constant("DevicePropertyLocationInformation")
    assert kit.wdk.WdfDeviceQueryProperty(child.handle, place, 80, buffer, length) == 0
    assert (kit.m.u32(length), kit.m.read(buffer, 14).decode("utf-16-le")) == (14, "Slot 1\0")
    assert kit.wdk.WdfWdmDeviceGetWdfDeviceHandle(child.object) == child.handle
    kit.memory(1)
    assert (
        name_of(kit.wdk.WdfDeviceQueryProperty(kit.fw.devices[0].handle, place, 0, 0, length)) == "STATUS_OBJECT_NAME_NOT_FOUND"
    )


def test_the_children_of_a_bus(kit: Any) -> None:
    """WdfFdoRetrieveNextStaticChild; a child is reported once, a raw one starts when it is."""
    driver, loaded = bus(kit)
    first = loaded.children[0].handle
    assert name_of(driver.AddAgain()) == "STATUS_INVALID_PARAMETER"
    assert driver.MakeChild(True) == 0
    kit.lab.run()
    assert kit.lab.console == "bus up child up child up "
    second = loaded.children[1].handle
    assert [int(driver.Next(each)) for each in (0, first, second)] == [first, second, 0]


def test_memory_for_a_child_can_lack(kit: Any) -> None:
    """WdfPdoInitAllocate returns NULL."""
    driver, _ = bus(kit)
    kit.lab.choices["framework allocation"] = "fails"
    assert name_of(driver.MakeChild(True)) == "STATUS_INSUFFICIENT_RESOURCES"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [(1, "STATUS_INFO_LENGTH_MISMATCH"), (2, "STATUS_INVALID_PARAMETER"), (3, "STATUS_INVALID_DEVICE_REQUEST")],
)
def test_a_wrong_way_to_the_parent(kit: Any, wrong: int, expected: str) -> None:
    """RULE-30: another queue than one of the parent is a breakpoint, too."""
    driver, loaded = bus(kit, child="")
    read = File(kit.m, loaded.children[0].object).read(3, overlapped=True)
    kit.fw.verifier = "continue"
    assert name_of(driver.ForwardHeld(wrong)) == expected
    assert not read.done
    assert driver.ForwardHeld(0) == 0
    assert read.data == b"ppp"


def test_a_parent_that_takes_no_more(kit: Any) -> None:
    driver, loaded = bus(kit, child="")
    File(kit.m, loaded.children[0].object).read(3, overlapped=True)
    driver.StopParent()
    assert name_of(driver.ForwardHeld(0)) == "STATUS_WDF_BUSY"


def test_the_child_did_not_ask_to_forward(kit: Any) -> None:
    """WdfPdoInitAllowForwardingRequestToParent."""
    driver, loaded = bus(kit, child="", init="")
    File(kit.m, loaded.children[0].object).read(3, overlapped=True)
    with kit.stops("kmdf-wrong-queue"):
        driver.ForwardHeld(0)


def test_an_irp_is_dispatched_to_the_parent(kit: Any) -> None:
    """Page: dispatching-irps-to-i-o-queues.md: a queue of the parent, chosen in EvtDeviceWdmIrpPreprocess."""
    init = f"{FORWARDS} WdfDeviceInitAssignWdmIrpPreprocessCallback(init, Preprocess, IRP_MJ_READ, NULL, 0);"
    _, loaded = bus(kit, init=init)
    assert File(kit.m, loaded.children[0].object).read(3).data == b"ppp"
    assert kit.lab.console == "bus up child up ParentRead(3) "


def test_what_is_only_for_children(kit: Any) -> None:
    """A WDFDEVICE_INIT of EvtDriverDeviceAdd is none of a child."""
    with kit.stops("kmdf-not-a-child"):
        kit.wdk.WdfPdoInitAllowForwardingRequestToParent(kit.new_device_init())
