"""Stacks of several drivers in one machine: framework drivers over each other, over a WDM driver in C, over a scripted device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsklab.machine.status import name_of

FILTER = (Path(__file__).parents[2] / "examples" / "forward_filter.c").read_text("utf-8")

FUNCTION = """
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_READ Read;
EVT_WDF_IO_QUEUE_IO_WRITE Write;
EVT_WDF_REQUEST_COMPLETION_ROUTINE Done;
WDFOBJECT Made;
VOID Done(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    WdfRequestCompleteWithInformation((WDFREQUEST)Context, Params->IoStatus.Status, Params->Parameters.Read.Length);
}
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WDFIOTARGET target = WdfDeviceGetIoTarget(WdfIoQueueGetDevice(Queue));
    WDFMEMORY memory;
    WDFREQUEST own;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = Request;
    WdfRequestRetrieveOutputMemory(Request, &memory);
    WdfRequestCreate(&attributes, target, &own);
    WdfIoTargetFormatRequestForRead(target, own, memory, NULL, NULL);
    WdfRequestSetCompletionRoutine(own, Done, Request);
    if (!WdfRequestSend(own, target, NULL)) WdfRequestComplete(Request, WdfRequestGetStatus(own));
}
VOID Write(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WdfObjectCreate(WDF_NO_OBJECT_ATTRIBUTES, &Made);
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, Length);
}
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoDirect);
    WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchSequential);
    config.EvtIoRead = Read;
    config.EvtIoWrite = Write;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}
WDFDRIVER WhoAmI(void) { return WdfGetDriver(); }
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    NTSTATUS status;
    WDF_DRIVER_CONFIG_INIT(&config, DeviceAdd);
    status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
    if (NT_SUCCESS(status) && WdfDriverCreate(DriverObject, RegistryPath, NULL, &config, NULL) != STATUS_DRIVER_INTERNAL_ERROR)
        status = STATUS_UNSUCCESSFUL;
    return status;
}
"""

BUS = """
#include <ntddk.h>
DRIVER_DISPATCH Read;
DRIVER_ADD_DEVICE AddDevice;
NTSTATUS Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, here->Parameters.Read.Length, 'b');
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = here->Parameters.Read.Length;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}
NTSTATUS AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    NTSTATUS status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status)) return status;
    device->Flags |= DO_BUFFERED_IO;
    IoAttachDeviceToDeviceStack(device, Pdo);
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->MajorFunction[IRP_MJ_READ] = Read;
    DriverObject->DriverExtension->AddDevice = AddDevice;
    return STATUS_SUCCESS;
}
"""


def test_filter_over_function_driver_over_bus_driver(kit: Any) -> None:
    """KMDF-TGT-01, 03, 07, KMDF-DEV-05, 08, KMDF-FRW-04: three drivers in C, two of the framework, over a scripted device.

    The filter takes over the function driver's I/O type; the function driver sends a request of its own to the buffered device.
    """
    lab = kit.lab
    root = lab.lower_device("root")
    bus = lab.start_driver(lab.load(BUS, "bus.c"), lower=root)
    function = lab.start_driver(lab.load(FUNCTION, "function.c"), lower=bus)
    filter_driver = lab.load(FILTER, "filter.c")
    top = lab.start_driver(filter_driver, lower=function)
    assert [name_of(each.status) for each in (bus, function, top)] == ["STATUS_SUCCESS"] * 3
    assert [kit.m.view(each.object, "DEVICE_OBJECT").StackSize for each in (bus, function, top)] == [2, 3, 4]
    assert kit.fw.live[top.devices[0]].io_type == kit.fw.live[function.devices[0]].io_type == 3
    read = top.read(3)
    assert (read.data, read.status, filter_driver.GetFilterContext(top.devices[0]).Forwarded) == (b"bbb", 0, 1)
    assert lab.journey().text == (
        "0 µs, PASSIVE  IRP 1  application → filter: READ, stack location 4 of 4\n"
        "0 µs, PASSIVE  IRP 1  filter → function: READ, stack location 3 of 4\n"
        "0 µs, PASSIVE  IRP 2  function → bus: READ, stack location 2 of 2\n"
        "0 µs, PASSIVE  IRP 2  bus → function: STATUS_SUCCESS, 3\n"
        "0 µs, PASSIVE  IRP 1  function → filter: STATUS_SUCCESS, 3\n"
        "0 µs, PASSIVE  IRP 1  filter → application: STATUS_SUCCESS, 3"
    )
    for loaded in (top, function):
        lab.unload_driver(loaded)
    assert kit.fw.drivers == []


def test_each_driver_has_its_own_driver_object(kit: Any) -> None:
    """KMDF-OBJ-04, KMDF-DEV-01: an object without a stated parent goes under the driver whose C made it."""
    lab = kit.lab
    lower = lab.load(FUNCTION, "function.c")
    function = lab.start_driver(lower)
    top = lab.start_driver(lab.load(FILTER, "filter.c"), lower=function)
    drivers = list(kit.fw.drivers)
    assert len(drivers) == 2
    assert int(lower.WhoAmI()) == drivers[0].handle
    assert top.write(b"x").status == 0
    made = kit.fw.live[kit.m.u64(lower.image.globals["Made"])]
    assert made.parent is drivers[0]
    lab.unload_driver(top)
    assert kit.fw.drivers == drivers[:1]
    assert function.write(b"y").status == 0  # the filter has detached
