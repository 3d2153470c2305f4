"""What ``wdmstartio.c`` holds: StartIo queues, DpcForIsr, device timers, driver object extensions, synchronous calls."""

from __future__ import annotations

import pytest

from wsklab import Lab
from wsklab.driverlife import Started, start, unload
from wsklab.machine import Stop

DRIVER = r"""
#include <ntddk.h>
#define COMPLETE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
PDEVICE_OBJECT Device;
ULONG Ticks;

VOID Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    BOOLEAN queued = KeRemoveEntryDeviceQueue(&DeviceObject->DeviceQueue, &Irp->Tail.Overlay.DeviceQueueEntry);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    DbgPrint("cancel queued=%d ", queued);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

VOID StartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(Irp, NULL);
    IoReleaseCancelSpinLock(irql);
    DbgPrint("start %u at %u ", IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length, KeGetCurrentIrql());
}

VOID DpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    DbgPrint("dpc %u ", *(PULONG)Context);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    if (NEXT_BY_KEY) IoStartNextPacketByKey(DeviceObject, TRUE, 4);
    else IoStartNextPacket(DeviceObject, TRUE);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

NTSTATUS Read(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG key = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length;
    IoMarkIrpPending(Irp);
    IoStartPacket(DeviceObject, Irp, NEXT_BY_KEY ? &key : NULL, Cancel);
    return STATUS_PENDING;
}

NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    static ULONG interrupts;
    if (DeviceObject->CurrentIrp) {
        interrupts++;
        IoRequestDpc(DeviceObject, DeviceObject->CurrentIrp, &interrupts);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

NTSTATUS Done(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

VOID Tick(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    DbgPrint("tick %u at %u ", ++*(PULONG)Context, KeGetCurrentIrql());
}

VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\Queued");
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(Device);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Queued"), link = RTL_CONSTANT_STRING(L"\\DosDevices\\Queued");
    UNICODE_STRING sddl = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)");
    NTSTATUS status = IoCreateDeviceSecure(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &sddl, NULL, &Device);
    if (!NT_SUCCESS(status)) return status;
    IoCreateSymbolicLink(&link, &name);
    Device->Flags |= DO_BUFFERED_IO;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DriverObject->MajorFunction[IRP_MJ_CLOSE] = Done;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Done;
    DriverObject->MajorFunction[IRP_MJ_READ] = Read;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    DriverObject->DriverStartIo = StartIo;
    DriverObject->DriverUnload = Unload;
    IoInitializeDpcRequest(Device, DpcForIsr);
    IoInitializeTimer(Device, Tick, &Ticks);
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

VOID StartTimer(VOID) { IoStartTimer(Device); }
VOID StopTimer(VOID) { IoStopTimer(Device); }
VOID NextAtPassive(VOID) { IoStartNextPacket(Device, FALSE); }
VOID NoStartIo(VOID) { Device->DriverObject->DriverStartIo = NULL; IoStartPacket(Device, IoAllocateIrp(1, FALSE), NULL, NULL); }
VOID NoTimer(VOID) { DEVICE_OBJECT bare = { 0 }; IoStartTimer(&bare); }
"""
INTERRUPT = 0x222000


def started(by_key: bool = False) -> tuple[Lab, Started, object]:
    """A lab with the driver loaded, and the driver."""
    lab = Lab()
    driver = lab.load(DRIVER.replace("NEXT_BY_KEY", "TRUE" if by_key else "FALSE"))
    return lab, start(lab, driver, "queued"), driver


def test_the_start_io_routine_has_one_irp_at_a_time_in_order_of_arrival() -> None:
    """nf-wdm-iostartpacket, nf-wdm-iostartnextpacket, nf-wdm-iorequestdpc."""
    lab, loaded, _ = started()
    with lab.open(r"\\.\Queued") as file:
        reads = [file.read(length, overlapped=True) for length in (1, 2, 3)]
        assert lab.console == "start 1 at 2 "
        assert (reads[1].cancel(), reads[1].status) == (True, -0x3FFF_FEE0)
        for _ in range(2):
            file.ioctl(INTERRUPT)
            lab.run()
    assert lab.console == "start 1 at 2 cancel queued=1 dpc 1 start 3 at 2 dpc 2 "
    assert [read.status for read in (reads[0], reads[2])] == [0, 0]
    assert unload(lab, loaded)


def test_a_key_says_which_irp_comes_next() -> None:
    """nf-wdm-iostartnextpacketbykey: the first key that is as large or larger, else the first of all."""
    lab, loaded, _ = started(by_key=True)
    with lab.open(r"\\.\Queued") as file:
        for length in (1, 6, 2, 5):
            file.read(length, overlapped=True)
        for _ in range(4):
            file.ioctl(INTERRUPT)
            lab.run()
    assert lab.console == "start 1 at 2 dpc 1 start 5 at 2 dpc 2 start 6 at 2 dpc 3 start 2 at 2 dpc 4 "
    assert unload(lab, loaded)


def test_a_device_timer_calls_its_routine_once_a_second() -> None:
    """nf-wdm-ioinitializetimer, nf-wdm-iostarttimer, nf-wdm-iostoptimer."""
    lab, loaded, driver = started()
    driver.StartTimer()  # type: ignore[attr-defined]  # a C function
    lab.run(2.5)
    driver.StopTimer()  # type: ignore[attr-defined]
    lab.run(5)
    assert lab.console == "tick 1 at 2 tick 2 at 2 "
    assert unload(lab, loaded)


@pytest.mark.parametrize(
    ("function", "rule", "sentence"),
    [
        ("NextAtPassive", "irql-too-low",
         "IoStartNextPacket has to be called at DISPATCH_LEVEL; the code called it at PASSIVE_LEVEL."),
        ("NoStartIo", "start-io-missing", "IoStartPacket was called for {}, and DriverStartIo of its driver object is NULL."),
        ("NoTimer", "not-initialized", "IoStartTimer was called with {}, which is no IO_TIMER that has been initialised."),
    ],
)  # fmt: skip
def test_what_is_refused(function: str, rule: str, sentence: str) -> None:
    _, _, driver = started()
    with pytest.raises(Stop) as found:
        getattr(driver, function)()
    stop = found.value
    assert (stop.rule.id, stop.rule.text.format_map(stop.values)) == (rule, sentence.format(stop.values["object"]))


EXTENSION = r"""
#include <ntddk.h>
ULONG Mine, Other;
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID first, again;
    NTSTATUS status = IoAllocateDriverObjectExtension(DriverObject, &Mine, 16, &first);
    DbgPrint("%x ", status);
    if (!NT_SUCCESS(status)) return status;
    DbgPrint("%x ", IoAllocateDriverObjectExtension(DriverObject, &Mine, 16, &again));
    DbgPrint("%d %p", IoGetDriverObjectExtension(DriverObject, &Mine) == first, IoGetDriverObjectExtension(DriverObject, &Other));
    return STATUS_SUCCESS;
}
"""


def test_a_driver_object_extension_is_found_by_its_address() -> None:
    """nf-wdm-ioallocatedriverobjectextension, nf-wdm-iogetdriverobjectextension."""
    lab = Lab()
    start(lab, lab.load(EXTENSION), "extended")
    assert lab.console == "0 c0000035 1 0000000000000000"
    lab = Lab(choices={"IoAllocateDriverObjectExtension": "fails"})
    assert start(lab, lab.load(EXTENSION), "extended").status == -0x3FFF_FF66


CALLS = r"""
NTSTATUS Call(PDEVICE_OBJECT Below)
{
    NTSTATUS status;
    PIRP irp = IoAllocateIrp(Below->StackSize, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    status = IoSynchronousCallDriver(Below, irp);
    DbgPrint("%x %d", status, irp->IoStatus.Status == status);
    IoFreeIrp(irp);
    return status;
}
"""


@pytest.mark.parametrize("answers", ["at once", "later"])
def test_a_synchronous_call_waits_and_leaves_the_irp_to_its_caller(answers: str) -> None:
    lab = Lab()
    lab.load(CALLS).Call(lab.lower_device(answers=answers).object)
    assert lab.console == "0 1"
