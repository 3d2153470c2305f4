"""What a driver asks of a target's device: properties, an interface; and WDFVERIFY."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import Lab, Stop
from wsklab.machine.status import name_of

SOURCE = """
ULONG Number, Length;

NTSTATUS QueryNumber(WDFIOTARGET Target, ULONG Room)
{
    return WdfIoTargetQueryTargetProperty(Target, DevicePropertyUINumber, Room, &Number, &Length);
}

NTSTATUS Query(WDFIOTARGET Target, DEVICE_REGISTRY_PROPERTY Property, WDFMEMORY *Memory)
{
    return WdfIoTargetAllocAndQueryTargetProperty(Target, Property, NonPagedPoolNx, WDF_NO_OBJECT_ATTRIBUTES, Memory);
}

static const GUID INTERFACE_OF_OURS = {0x6f5c43e2, 0x1d0b, 0x4a86, {0x91, 0x33, 1, 2, 3, 4, 5, 6}};
static const GUID INTERFACE_OF_NOBODY = {0x6f5c43e3, 0x1d0b, 0x4a86, {0x91, 0x33, 1, 2, 3, 4, 5, 6}};

typedef struct _OURS {
    INTERFACE Header;
    ULONG Answer;
} OURS;
OURS Ours;

NTSTATUS QueryInterface(WDFIOTARGET Target, BOOLEAN Known)
{
    return WdfIoTargetQueryForInterface(Target, Known ? &INTERFACE_OF_OURS : &INTERFACE_OF_NOBODY, (PINTERFACE)&Ours,
                                        sizeof(OURS), 1, NULL);
}

NTSTATUS Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = Irp->IoStatus.Status;
    UNREFERENCED_PARAMETER(Device);
    if (here->MinorFunction == IRP_MN_QUERY_INTERFACE &&
        IsEqualGUID(here->Parameters.QueryInterface.InterfaceType, &INTERFACE_OF_OURS)) {
        ((OURS *)here->Parameters.QueryInterface.Interface)->Answer = 42 + here->Parameters.QueryInterface.Version;
        status = Irp->IoStatus.Status = STATUS_SUCCESS;
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

NTSTATUS AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Physical)
{
    PDEVICE_OBJECT device;
    NTSTATUS status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (NT_SUCCESS(status)) IoAttachDeviceToDeviceStack(device, Physical);
    return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->DriverExtension->AddDevice = AddDevice;
    return STATUS_SUCCESS;
}

ULONG Asked;
VOID Check(ULONG Value)
{
    WDFVERIFY((Asked++, Value < 10));
}
"""


def text_in(lab: Lab, memory: int) -> str:
    size = lab.machine.allocate(8, kind="native", zero=True)
    address = int(lab.wdk.WdfMemoryGetBuffer(memory, size))
    return lab.machine.read(address, lab.machine.u64(size)).decode("utf-16-le")


def query(lab: Lab, driver: Any, target: Any, name: str) -> tuple[str, int]:
    out = lab.machine.allocate(8, kind="native", zero=True)
    status = driver.Query(target, getattr(lab.wdk, name), out)
    return name_of(status), lab.machine.u64(out)


def test_a_property_needs_its_room() -> None:
    lab = Lab()
    driver = lab.load(SOURCE)
    target = lab.io_target(lab.lower_device(properties={"DevicePropertyUINumber": 3}))
    assert (name_of(driver.QueryNumber(target, 2)), driver.variables["Length"]) == ("STATUS_BUFFER_TOO_SMALL", 4)
    assert (name_of(driver.QueryNumber(target, 4)), driver.variables["Number"]) == ("STATUS_SUCCESS", 3)


def test_a_device_has_its_name_and_what_it_was_given() -> None:
    lab = Lab()
    driver = lab.load(SOURCE)
    target = lab.io_target(lab.lower_device("disk", properties={"DevicePropertyFriendlyName": "Disk"}))
    for name, content in (
        ("DevicePropertyFriendlyName", "Disk\0"), ("DevicePropertyPhysicalDeviceObjectName", "\\Device\\disk\0"),
    ):  # fmt: skip
        status, memory = query(lab, driver, target, name)
        assert (status, text_in(lab, memory)) == ("STATUS_SUCCESS", content)
    assert query(lab, driver, target, "DevicePropertyManufacturer") == ("STATUS_OBJECT_NAME_NOT_FOUND", 0)
    assert name_of(driver.QueryNumber(target, 4)) == "STATUS_OBJECT_NAME_NOT_FOUND"
    out = lab.machine.allocate(8, kind="native", zero=True)
    assert name_of(driver.Query(target, 99, out)) == "STATUS_INVALID_PARAMETER_2"


def test_a_target_that_is_not_open_has_no_device_to_ask() -> None:
    lab = Lab()
    driver = lab.load(SOURCE)
    target = lab.io_target(lab.lower_device(), opened=False)
    assert name_of(driver.QueryNumber(target, 4)) == "STATUS_INVALID_DEVICE_REQUEST"
    assert query(lab, driver, target, "DevicePropertyUINumber") == ("STATUS_INVALID_DEVICE_REQUEST", 0)
    assert name_of(driver.QueryInterface(target, True)) == "STATUS_INVALID_DEVICE_REQUEST"


def test_an_interface_that_nobody_has_is_not_supported() -> None:
    lab = Lab()
    driver = lab.load(SOURCE)
    lower = lab.lower_device()
    assert name_of(driver.QueryInterface(lab.io_target(lower), True)) == "STATUS_NOT_SUPPORTED"
    assert lower.received == []


def test_a_driver_of_the_stack_answers_for_its_interface() -> None:
    """The question begins at the top of the stack, above the device that the target was opened with."""
    lab = Lab()
    driver = lab.load(SOURCE)
    lower = lab.lower_device()
    target = lab.io_target(lower)
    lab.start_driver(driver, lower=lower)
    assert name_of(driver.QueryInterface(target, False)) == "STATUS_NOT_SUPPORTED"
    assert name_of(driver.QueryInterface(target, True)) == "STATUS_SUCCESS"
    assert driver.variables["Ours"].Answer == 43


def test_asking_is_for_passive_level() -> None:
    lab = Lab()
    driver = lab.load(SOURCE)
    target = lab.io_target(lab.lower_device())
    lab.wdk.KeRaiseIrqlToDpcLevel()
    with pytest.raises(Stop) as stopped:
        driver.QueryNumber(target, 4)
    assert stopped.value.rule.id == "kmdf-passive-only"


def test_wdfverify_asks_only_while_the_verifier_is_on() -> None:
    lab = Lab()
    driver = lab.load(SOURCE)
    lab.verifier = "off"
    driver.Check(11)
    assert driver.variables["Asked"] == 0
    lab.verifier = "stop"
    driver.Check(9)
    assert driver.variables["Asked"] == 1
    with pytest.raises(Stop) as stopped:
        driver.Check(10)
    assert stopped.value.rule.id == "assertion-failed"


def test_an_object_answers_no_query() -> None:
    """The page says that it is not implemented; the framework's source returns this for every GUID."""
    lab = Lab()
    assert name_of(lab.wdk.WdfObjectQuery(lab.memory(8), 0, 0, 0)) == "STATUS_NOT_FOUND"
    with pytest.raises(Stop) as stopped:
        lab.wdk.WdfObjectQuery(0, 0, 0, 0)
    assert stopped.value.rule.id == "kmdf-wrong-handle"
