"""What ``include/wdmio.c`` holds, run from C: IRPs that the I/O manager builds, cancel-safe queues, remove locks."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import Lab, Stop
from wsklab.io import completion, device, irp

REQUESTS = r"""
#define IOCTL_TWICE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
static NTSTATUS Finish(PIRP Irp, PDEVICE_OBJECT Target, PKEVENT Done, PIO_STATUS_BLOCK Result)
{
    NTSTATUS Status;
    if (Irp == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    Status = IoCallDriver(Target, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL);
        Status = Result->Status;
    }
    return Status;
}
NTSTATUS Control(PDEVICE_OBJECT Target)
{
    KEVENT Done;
    IO_STATUS_BLOCK Result;
    ULONG In = 21, Out = 0;
    NTSTATUS Status;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Status = Finish(IoBuildDeviceIoControlRequest(IOCTL_TWICE, Target, &In, 4, &Out, 4, FALSE, &Done, &Result), Target, &Done,
                    &Result);
    DbgPrint("%x %u", Status, Out);
    return Status;
}
NTSTATUS Read(PDEVICE_OBJECT Target)
{
    KEVENT Done;
    IO_STATUS_BLOCK Result;
    CHAR Data[8] = { 0 };
    LARGE_INTEGER Offset = { .QuadPart = 512 };
    NTSTATUS Status;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Status = Finish(IoBuildSynchronousFsdRequest(IRP_MJ_READ, Target, Data, 7, &Offset, &Done, &Result), Target, &Done, &Result);
    DbgPrint("%x %Iu %s", Status, Result.Information, Data);
    return Status;
}
static NTSTATUS Done(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    DbgPrint("%x %Iu", Irp->IoStatus.Status, Irp->IoStatus.Information);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}
NTSTATUS Flush(PDEVICE_OBJECT Target)
{
    static IO_STATUS_BLOCK Result;
    PIRP Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Target, NULL, 0, NULL, &Result);
    if (Irp == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    IoSetCompletionRoutine(Irp, Done, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(Target, Irp);
}
VOID Reuse(PDEVICE_OBJECT Target)
{
    IO_STATUS_BLOCK Result;
    PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Target, NULL, 0, NULL, NULL, &Result);
    IoReuseIrp(Irp, STATUS_SUCCESS);
}
"""


class Bottom:
    """A device that answers a control code with twice its input and a read with text, at once or a millisecond later."""

    def __init__(self, later: bool, flags: int, choices: dict[str, str] | None = None) -> None:
        self.lab, self.later = Lab(choices=choices), later
        self.m = m = self.lab.machine
        self.target = device.make_device(m, device.make_driver(m, "disk", self.dispatch), name="disk", flags=flags)
        self.driver: Any = self.lab.load(REQUESTS)

    def dispatch(self, target: int, packet: int) -> int:
        view = self.lab.view(packet, "IRP")
        major = view.Tail.Overlay.CurrentStackLocation.MajorFunction
        if major == 0x0E:
            self.m.set_u32(int(view.AssociatedIrp.SystemBuffer), 2 * self.m.u32(int(view.AssociatedIrp.SystemBuffer)))
        if major == 0x03:
            mdl = int(view.MdlAddress)
            place = self.lab.wdk.MmGetSystemAddressForMdlSafe(mdl, 0) if mdl else view.AssociatedIrp.SystemBuffer
            assert view.Tail.Overlay.CurrentStackLocation.Parameters.Read.ByteOffset.QuadPart == 512
            self.m.write(int(place), b"written")

        def finish() -> None:
            completion.complete(self.m, packet, 0, {0x0E: 4, 0x03: 7}.get(major, 0), by="device")

        if not self.later:
            finish()
            return 0
        irp.mark_pending(self.m, packet, by="device")
        self.m.after(10_000, finish)
        return irp.PENDING


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("function", "flags", "told"),
    [("Control", 0x4, "0 42"), ("Read", 0x4, "0 7 written"), ("Read", 0x10, "0 7 written"), ("Flush", 0x4, "0 0")],
)
def test_a_request_that_the_io_manager_builds(function: str, flags: int, told: str, later: bool) -> None:
    """Buffered and direct, completed at once and later: the results are where the caller wants them, and nothing is left."""
    bottom = Bottom(later, flags)
    getattr(bottom.driver, function)(bottom.target)
    bottom.lab.run()
    assert bottom.lab.console == told
    assert bottom.m.model(irp.Irps).packets == {}


def test_no_memory_for_a_request() -> None:
    """KRN-46."""
    for kind, function in (("IoBuildDeviceIoControlRequest", "Control"), ("IoAllocateIrp", "Flush")):
        bottom = Bottom(False, 0x4, {kind: "fails"})
        assert str(getattr(bottom.driver, function)(bottom.target)) == "STATUS_INSUFFICIENT_RESOURCES"


def test_such_an_irp_is_not_the_drivers_to_reuse() -> None:
    """IRP-06."""
    bottom = Bottom(False, 0x4)
    with pytest.raises(Stop) as found:
        bottom.driver.Reuse(bottom.target)
    assert found.value.rule.id == "irp-foreign-reused"


QUEUE = r"""
static IO_CSQ Queue;
static LIST_ENTRY List;
static KSPIN_LOCK Lock;
static IO_CSQ_IRP_CONTEXT Context;
static VOID Insert(PIO_CSQ Csq, PIRP Irp) { InsertTailList(&List, &Irp->Tail.Overlay.ListEntry); }
static NTSTATUS InsertEx(PIO_CSQ Csq, PIRP Irp, PVOID Most)
{
    if (!IsListEmpty(&List)) return STATUS_DEVICE_BUSY;
    Insert(Csq, Irp);
    return STATUS_SUCCESS;
}
static VOID Remove(PIO_CSQ Csq, PIRP Irp) { RemoveEntryList(&Irp->Tail.Overlay.ListEntry); }
static PIRP Peek(PIO_CSQ Csq, PIRP Irp, PVOID PeekContext)
{
    PLIST_ENTRY Next = Irp ? Irp->Tail.Overlay.ListEntry.Flink : List.Flink;
    return Next == &List ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}
static VOID Acquire(PIO_CSQ Csq, PKIRQL Irql) { KeAcquireSpinLock(&Lock, Irql); }
static VOID Release(PIO_CSQ Csq, KIRQL Irql) { KeReleaseSpinLock(&Lock, Irql); }
static VOID Canceled(PIO_CSQ Csq, PIRP Irp)
{
    DbgPrint("cancelled at IRQL %u ", KeGetCurrentIrql());
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}
VOID Make(BOOLEAN Extended)
{
    InitializeListHead(&List);
    KeInitializeSpinLock(&Lock);
    if (Extended)
        IoCsqInitializeEx(&Queue, InsertEx, Remove, Peek, Acquire, Release, Canceled);
    else
        IoCsqInitialize(&Queue, Insert, Remove, Peek, Acquire, Release, Canceled);
}
NTSTATUS Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    NTSTATUS Status = IoCsqInsertIrpEx(&Queue, Irp, IoGetCurrentIrpStackLocation(Irp)->MinorFunction ? &Context : NULL, NULL);
    if (NT_SUCCESS(Status)) return STATUS_PENDING;
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}
ULONG Complete(BOOLEAN ByContext)
{
    PIRP Irp = ByContext ? IoCsqRemoveIrp(&Queue, &Context) : IoCsqRemoveNextIrp(&Queue, NULL);
    if (Irp == NULL) return 0;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 5;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return 1;
}
"""


class Queued:
    """A driver that keeps what it gets in a cancel-safe queue."""

    def __init__(self, extended: bool = False) -> None:
        self.lab = Lab()
        self.m = m = self.lab.machine
        self.driver: Any = self.lab.load(QUEUE)
        self.driver.Make(extended)
        made = device.make_driver(m, "queue")
        m.set_u64(made + m.offset("DRIVER_OBJECT", "MajorFunction"), self.driver.calls["Dispatch"].address)
        self.device = device.make_device(m, made, owner="driver")
        self.finished: list[tuple[str, int]] = []

    def request(self, minor: int = 0) -> int:
        """Send a request; `minor` 1 has it queued with a context."""
        ended = lambda _irp, status, count: self.finished.append((str(hex(status & 0xFFFFFFFF)), count))  # noqa: E731 - a callback
        packet = irp.build(self.m, 1, ended)
        self.m.set_u8(self.m.u64(packet + irp.layout().current) - irp.layout().location + 1, minor)
        device.call_driver(self.m, self.device, packet, by="app")
        return packet


def test_a_queued_irp_is_taken_out_in_order_or_by_its_context() -> None:
    queued = Queued()
    queued.request()
    queued.request(1)
    assert queued.driver.Complete(True) == 1
    assert queued.driver.Complete(True) == 0
    assert queued.driver.Complete(False) == 1
    assert queued.driver.Complete(False) == 0
    assert queued.finished == [("0x0", 5), ("0x0", 5)]


@pytest.mark.parametrize("minor", [0, 1])
def test_a_queued_irp_that_is_cancelled_is_gone(minor: int) -> None:
    """IRP-28, IRP-30: the cancel spin lock is released with the IRQL it saved, and the driver completes the IRP."""
    queued = Queued()
    packet = queued.request(minor)
    assert completion.cancel(queued.m, packet, by="app") == 1
    assert (queued.lab.console, queued.finished) == ("cancelled at IRQL 0 ", [("0xc0000120", 0)])
    assert queued.driver.Complete(bool(minor)) == 0


def test_an_irp_that_was_cancelled_before_it_is_queued() -> None:
    queued = Queued()
    packet = irp.build(queued.m, 1, lambda *_: queued.finished.append(("ended", 0)))
    queued.m.set_u8(packet + irp.layout().cancel, 1)
    device.call_driver(queued.m, queued.device, packet, by="app")
    assert (queued.lab.console, queued.finished) == ("cancelled at IRQL 0 ", [("ended", 0)])


def test_an_insert_routine_can_refuse() -> None:
    queued = Queued(extended=True)
    queued.request()
    queued.request()
    assert queued.finished == [("0x80000011", 0)]
    assert queued.driver.Complete(False) == 1


REMOVE = r"""
static IO_REMOVE_LOCK Lock;
static VOID Worker(PVOID Context)
{
    LARGE_INTEGER Second = { .QuadPart = -10000000 };
    KeDelayExecutionThread(KernelMode, FALSE, &Second);
    DbgPrint("release ");
    IoReleaseRemoveLock(&Lock, NULL);
}
VOID Run(VOID)
{
    HANDLE Thread;
    IoInitializeRemoveLock(&Lock, 'kcoL', 0, 0);
    IoAcquireRemoveLock(&Lock, NULL);
    IoAcquireRemoveLock(&Lock, NULL);
    PsCreateSystemThread(&Thread, 0, NULL, NULL, NULL, Worker, NULL);
    ZwClose(Thread);
    IoReleaseRemoveLockAndWait(&Lock, NULL);
    DbgPrint("removed %x", IoAcquireRemoveLock(&Lock, NULL));
}
VOID TooOften(VOID) { IoInitializeRemoveLock(&Lock, 'kcoL', 0, 0); IoReleaseRemoveLock(&Lock, NULL); }
"""


def test_a_remove_lock_waits_for_the_last_holder() -> None:
    lab = Lab()
    lab.load(REMOVE).Run()
    assert (lab.console, lab.machine.time) == ("release removed c0000056", 10_000_000)
    with pytest.raises(Stop) as found:
        Lab().load(REMOVE).TooOften()
    assert (found.value.rule.id, found.value.values["function"]) == ("reference-not-acquired", "IoReleaseRemoveLock")


WORK = r"""
static PDEVICE_OBJECT Device;
static WORK_QUEUE_ITEM Item;
static VOID Ex(PVOID IoObject, PVOID Context, PIO_WORKITEM WorkItem)
{
    DbgPrint("%d %s at %u ", IoObject == Device, Context, KeGetCurrentIrql());
    IoUninitializeWorkItem(WorkItem);
    ExFreePool(WorkItem);
}
static VOID Plain(PVOID Parameter) { DbgPrint("%s", Parameter); }
VOID Run(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM WorkItem = ExAllocatePool2(POOL_FLAG_NON_PAGED, IoSizeofWorkItem(), 'kroW');
    Device = DeviceObject;
    IoInitializeWorkItem(DeviceObject, WorkItem);
    IoQueueWorkItemEx(WorkItem, Ex, DelayedWorkQueue, "one");
    ExInitializeWorkItem(&Item, Plain, "two");
    ExQueueWorkItem(&Item, DelayedWorkQueue);
}
VOID Twice(PDEVICE_OBJECT DeviceObject)
{
    Run(DeviceObject);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
}
"""


def test_work_items_of_the_drivers_own_memory() -> None:
    """KRN-30, BUG-22."""
    bottom = Bottom(False, 0x4)
    driver: Any = bottom.lab.load(WORK)
    driver.Run(bottom.target)
    bottom.lab.run()
    assert bottom.lab.console == "1 one at 0 two"
    with pytest.raises(Stop) as found:
        driver.Twice(bottom.target)
    assert found.value.rule.id == "workitem-queued-twice"
