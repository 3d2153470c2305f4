"""What ``wdmzw.c`` holds: events by handle and by name, references, devices that others made, the system's shutdown."""

from __future__ import annotations

from struct import pack

import pytest

from wsklab import Lab
from wsklab.driverlife import start, unload
from wsklab.kmdf.application import Event
from wsklab.machine import Stop

EVENTS = r"""
HANDLE Handle;
VOID Later(PVOID Context)
{
    LARGE_INTEGER second = { .QuadPart = -10000000 };
    LONG before;
    KeDelayExecutionThread(KernelMode, FALSE, &second);
    DbgPrint("set %x ", ZwSetEvent(Handle, &before));
    DbgPrint("%d ", before);
}
VOID F(VOID)
{
    HANDLE thread, again;
    LARGE_INTEGER none = { .QuadPart = 0 };
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Mine");
    OBJECT_ATTRIBUTES attributes;
    PKEVENT event;
    DbgPrint("%x ", ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE));
    DbgPrint("%x ", ZwWaitForSingleObject(Handle, FALSE, &none));
    PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, Later, NULL);
    DbgPrint("%x ", ZwWaitForSingleObject(Handle, FALSE, NULL));
    ZwWaitForSingleObject(thread, FALSE, NULL);
    ZwClose(thread);
    DbgPrint("%x ", ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, (PVOID *)&event, NULL));
    DbgPrint("%x ", ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *ExEventObjectType, KernelMode, (PVOID *)&event, NULL));
    ZwClose(Handle);
    DbgPrint("%d ", KeReadStateEvent(event));
    ObDereferenceObject(event);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    DbgPrint("\n%x ", ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE));
    DbgPrint("%x ", ZwCreateEvent(&again, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE));
    attributes.Attributes |= OBJ_OPENIF;
    DbgPrint("%x ", ZwCreateEvent(&again, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE));
    ZwClose(again);
    event = IoCreateNotificationEvent(&name, &again);
    DbgPrint("%d ", KeReadStateEvent(event));
    ZwClose(again);
    ZwClose(Handle);
    event = IoCreateSynchronizationEvent(&name, &again);
    DbgPrint("%d", KeReadStateEvent(event));
    ZwClose(again);
}
"""


def test_events_have_handles_and_names() -> None:
    """nf-ntifs-zwcreateevent, nf-wdm-iocreatenotificationevent: a new one is signalled, a known one is only opened."""
    lab = Lab()
    lab.load(EVENTS).F()
    assert lab.console == "0 102 set 0 0 0 c0000024 0 0 \n0 c0000035 40000000 0 1"


DRIVER = r"""
#include <ntddk.h>
PDEVICE_OBJECT Device;
PKEVENT Event;

NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NTSTATUS status = ObReferenceObjectByHandle(*(PHANDLE)Irp->AssociatedIrp.SystemBuffer, SYNCHRONIZE | EVENT_MODIFY_STATE,
                                                *ExEventObjectType, Irp->RequestorMode, (PVOID *)&Event, NULL);
    DbgPrint("%x from %u in %u ", status, IoGetRequestorProcessId(Irp), (ULONG)(ULONG_PTR)PsGetCurrentProcessId());
    if (NT_SUCCESS(status)) {
        KeSetEvent(Event, 0, FALSE);
        ObDereferenceObject(Event);
    }
    Irp->IoStatus.Status = status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

NTSTATUS Other(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    static PCSTR names[] = { "create", "", "close" };
    UCHAR major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;
    DbgPrint("%s ", major == IRP_MJ_SHUTDOWN ? "shutdown" : major == IRP_MJ_CLEANUP ? "cleanup" : names[major]);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

VOID Unload(PDRIVER_OBJECT DriverObject) { IoDeleteDevice(Device); }

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Named");
    NTSTATUS status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    ULONG i;
    if (!NT_SUCCESS(status)) return status;
    for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) DriverObject->MajorFunction[i] = Other;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverUnload = Unload;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

VOID Register(VOID) { DbgPrint("%x ", IoRegisterShutdownNotification(Device)); }
VOID RegisterLast(VOID) { DbgPrint("%x ", IoRegisterLastChanceShutdownNotification(Device)); }
VOID Unregister(VOID) { IoUnregisterShutdownNotification(Device); }
VOID Keep(VOID) { DbgPrint("%d ", IoGetAttachedDeviceReference(Device) == Device); }

VOID Open(VOID)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Named"), wrong = RTL_CONSTANT_STRING(L"\\Device\\None");
    PFILE_OBJECT file;
    PDEVICE_OBJECT top;
    DbgPrint("%x ", IoGetDeviceObjectPointer(&wrong, FILE_READ_DATA, &file, &top));
    DbgPrint("%x ", IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &top));
    DbgPrint("%d%d ", top == Device, IoGetRelatedDeviceObject(file) == Device);
    ObReferenceObjectByPointer(file, 0, NULL, KernelMode);
    ObDereferenceObject(file);
    ObDereferenceObject(file);
}

VOID Attach(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Named");
    PDEVICE_OBJECT filter, below;
    IoCreateDevice(Device->DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &filter);
    DbgPrint("%x ", IoAttachDevice(filter, &name, &below));
    DbgPrint("%d %d %d ", below == Device, filter->StackSize, IoGetAttachedDevice(Device) == filter);
    IoDetachDevice(below);
    IoDeleteDevice(filter);
}
"""
CONTROL = 0x222000


def test_an_application_gives_a_driver_its_event() -> None:
    """The page of IoCreateNotificationEvent: validate the handle in the context of the process that made it."""
    lab = Lab()
    loaded = start(lab, lab.load(DRIVER), "named")
    event = lab.event()
    with lab.open(r"\Device\Named") as file:
        assert (file.ioctl(CONTROL, pack("<Q", event.handle)).status, event.signaled) == (0, True)
        event.reset()
        assert not event.signaled
        assert file.ioctl(CONTROL, pack("<Q", 0x40)).status == -0x3FFF_FFF8
    event.close()
    assert lab.console == "create 0 from 4660 in 4660 c0000008 from 4660 in 4660 cleanup close "
    assert unload(lab, loaded)


def test_a_synchronization_event_of_an_application_resets_itself() -> None:
    lab = Lab()
    event: Event = lab.event(resets=True)
    lab.load("VOID F(PKEVENT Event) { KeSetEvent(Event, 0, FALSE); KeWaitForSingleObject(Event, 0, 0, FALSE, NULL); }").F(
        event.object
    )
    assert not event.signaled


def test_devices_that_asked_for_it_hear_of_the_shutdown() -> None:
    """nf-wdm-ioregistershutdownnotification, nf-wdm-iounregistershutdownnotification."""
    lab = Lab()
    driver = lab.load(DRIVER)
    loaded = start(lab, driver, "named")
    driver.Register()
    driver.RegisterLast()
    lab.shut_down()
    assert lab.console == "0 0 shutdown shutdown "
    driver.Unregister()
    lab.shut_down()
    driver.Register()  # what is still registered goes with the device
    assert unload(lab, loaded)
    lab.shut_down()
    assert lab.console == "0 0 shutdown shutdown 0 "


def test_a_device_is_opened_by_its_name_until_the_file_is_dereferenced() -> None:
    """nf-wdm-iogetdeviceobjectpointer."""
    lab = Lab()
    driver = lab.load(DRIVER)
    loaded = start(lab, driver, "named")
    driver.Open()
    lab.run()
    assert lab.console == "c0000034 create cleanup 0 11 close "
    assert unload(lab, loaded)


def test_a_device_is_attached_by_name() -> None:
    """nf-wdm-ioattachdevice."""
    lab = Lab()
    driver = lab.load(DRIVER)
    loaded = start(lab, driver, "named")
    driver.Attach(loaded.object)
    lab.run()
    assert lab.console == "create cleanup 0 1 2 1 close "
    assert unload(lab, loaded)


def test_a_reference_to_a_device_has_to_be_given_back() -> None:
    """nf-wdm-iogetattacheddevicereference."""
    lab = Lab()
    driver = lab.load(DRIVER)
    loaded = start(lab, driver, "named")
    driver.Keep()
    with pytest.raises(Stop) as found:
        unload(lab, loaded)
    assert found.value.rule.id == "object-reference-leaked"


NONPNP = r"""
#include <ntddk.h>
#include <wdf.h>
VOID Shutdown(WDFDEVICE Device)
{
    LARGE_INTEGER second = { .QuadPart = -10000000 };
    KeDelayExecutionThread(KernelMode, FALSE, &second);
    DbgPrint("shut down at %u", KeGetCurrentIrql());
}
VOID Unload(WDFDRIVER Driver) { }
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DECLARE_CONST_UNICODE_STRING(name, L"\\Device\\Control");
    WDF_DRIVER_CONFIG config;
    WDFDRIVER driver;
    PWDFDEVICE_INIT init;
    WDFDEVICE device;
    NTSTATUS status;
    WDF_DRIVER_CONFIG_INIT(&config, WDF_NO_EVENT_CALLBACK);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    config.EvtDriverUnload = Unload;
    status = WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, &driver);
    if (!NT_SUCCESS(status)) return status;
    init = WdfControlDeviceInitAllocate(driver, &SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R);
    if (!init) return STATUS_INSUFFICIENT_RESOURCES;
    WdfDeviceInitAssignName(init, &name);
    WdfControlDeviceInitSetShutdownNotification(init, Shutdown, WdfDeviceShutdown);
    status = WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WdfControlFinishInitializing(device);
    return STATUS_SUCCESS;
}
"""


def test_a_control_device_hears_of_the_shutdown_at_passive_level() -> None:
    """nc-wdfcontrol-evt_wdf_device_shutdown_notification."""
    lab = Lab()
    loaded = lab.start_driver(lab.load(NONPNP))
    lab.shut_down()
    assert lab.console == "shut down at 0"
    lab.unload_driver(loaded)
    lab.shut_down()
    assert lab.console == "shut down at 0"
