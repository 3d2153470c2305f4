"""What a framework driver asks of its driver object and of its device: version, registry path, handles, properties."""

from __future__ import annotations

import pytest

from wsklab import Lab
from wsklab.kmdf.core import framework
from wsklab.machine import Stop

DRIVER = r"""
#include <ntddk.h>
#include <wdf.h>
VOID Say(PCSTR What, NTSTATUS Status, PVOID Text, ULONG Length)
{
    if (NT_SUCCESS(Status)) DbgPrint("%s %ws %u\n", What, (PWSTR)Text, Length);
    else DbgPrint("%s %x %u\n", What, Status, Length);
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WCHAR text[32];
    ULONG length = 0;
    WDFMEMORY memory;
    WDFDEVICE device;
    PDEVICE_OBJECT object;
    NTSTATUS status = WdfFdoInitQueryProperty(DeviceInit, DevicePropertyEnumeratorName, sizeof(text), text, &length);
    Say("before", status, text, length);
    status = WdfFdoInitQueryProperty(DeviceInit, DevicePropertyEnumeratorName, 2, text, &length);
    Say("small", status, NULL, length);
    status = WdfFdoInitAllocAndQueryProperty(DeviceInit, DevicePropertyHardwareID, PagedPool, WDF_NO_OBJECT_ATTRIBUTES, &memory);
    Say("memory", status, NT_SUCCESS(status) ? WdfMemoryGetBuffer(memory, NULL) : NULL, 0);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    length = 0;
    Say("device", WdfDeviceQueryProperty(device, DevicePropertyFriendlyName, sizeof(text), text, &length), text, length);
    status = WdfDeviceAllocAndQueryProperty(device, DevicePropertyEnumeratorName, PagedPool, WDF_NO_OBJECT_ATTRIBUTES, &memory);
    Say("again", status, NT_SUCCESS(status) ? WdfMemoryGetBuffer(memory, NULL) : NULL, 0);
    object = WdfDeviceWdmGetDeviceObject(device);
    DbgPrint("%d %d %d\n", WdfWdmDeviceGetWdfDeviceHandle(object) == device,
             WdfWdmDriverGetWdfDriverHandle(object->DriverObject) == Driver,
             WdfWdmDriverGetWdfDriverHandle(WdfDeviceWdmGetAttachedDevice(device)->DriverObject) == NULL);
    return STATUS_SUCCESS;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_VERSION_AVAILABLE_PARAMS version;
    WDFDRIVER driver;
    WDFSTRING string;
    UNICODE_STRING text;
    NTSTATUS status;
    ULONG minor;
    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, &driver);
    if (!NT_SUCCESS(status)) return status;
    WdfStringCreate(NULL, WDF_NO_OBJECT_ATTRIBUTES, &string);
    WdfDriverRetrieveVersionString(driver, string);
    WdfStringGetUnicodeString(string, &text);
    DbgPrint("%wZ\n%ws\n", &text, WdfDriverGetRegistryPath(driver));
    WdfObjectDelete(string);
    for (minor = 9; minor < 40; minor += 12) {
        WDF_DRIVER_VERSION_AVAILABLE_PARAMS_INIT(&version, 1, minor);
        DbgPrint("1.%u %d ", minor, WdfDriverIsVersionAvailable(driver, &version));
    }
    WDF_DRIVER_VERSION_AVAILABLE_PARAMS_INIT(&version, 2, 0);
    DbgPrint("2.0 %d ", WdfDriverIsVersionAvailable(driver, &version));
    version.Size = 4;
    DbgPrint("size %d\n", WdfDriverIsVersionAvailable(driver, &version));
    return status;
}
"""


def run(verifier: str) -> list[str]:
    """What the driver prints."""
    lab = Lab()
    framework(lab.machine).verifier = verifier
    lower = lab.lower_device(properties={"DevicePropertyEnumeratorName": "PCI", "DevicePropertyHardwareID": "PCI\\VEN_1"})
    lab.start_driver(lab.load(DRIVER, "asking.c"), lower=lower)
    return lab.console.splitlines()


def test_a_driver_asks_about_itself_and_its_device() -> None:
    """nf-wdfdriver-*, nf-wdffdo-wdffdoinitqueryproperty, nf-wdfdevice-wdfdevicequeryproperty."""
    assert run("stop") == [
        "Kernel Mode Driver Framework (verifier on) version 1.33.19041",
        r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\asking",
        "1.9 1 1.21 1 1.33 1 2.0 0 size 0",
        "before PCI 8",
        "small c0000023 8",
        r"memory PCI\VEN_1 0",
        "device c0000034 0",
        "again PCI 0",
        "1 1 1",
    ]
    assert run("off")[0] == "Kernel Mode Driver Framework version 1.33.19041"


def test_a_property_needs_a_place_for_its_length() -> None:
    text = "NTSTATUS F(WDFDEVICE Device) { return WdfDeviceQueryProperty(Device, DevicePropertyAddress, 0, NULL, NULL); }"
    lab = Lab()
    device = lab.start_driver(lab.load(DRIVER)).devices[0]
    with pytest.raises(Stop) as found:
        lab.load(text).F(device)
    assert (found.value.rule.id, found.value.values["name"]) == ("kmdf-null-parameter", "ResultLength")
