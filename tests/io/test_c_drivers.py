"""C drivers over scripted devices: passing an IRP on, waiting for it, cancelling it, work in threads and timers.

These run compiled C against the modelled functions, so they hold what the Python-driven tests cannot: the prototypes and macros
of the headers, and waiting inside C. Facts: IRP-15, IRP-22, IRP-24, IRP-30, IRP-32, KRN-26 to KRN-30.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from wsklab import Lab, Stop
from wsklab.driverlife import Started, start, unload
from wsklab.io import completion, device, irp

FILTER = r"""
static PDEVICE_OBJECT Lower;
static ULONG Seen;

static NTSTATUS Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    Seen += (ULONG)Irp->IoStatus.Information;
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS PassOn(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, Completed, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(Lower, Irp);
}

static NTSTATUS Skip(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static NTSTATUS Signal(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS WaitFor(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KEVENT Done;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, Signal, &Done, TRUE, TRUE, TRUE);
    Status = IoCallDriver(Lower, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    }
    Status = Irp->IoStatus.Status;
    Irp->IoStatus.Information += 1;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    IoDetachDevice(Lower);
    IoDeleteDevice(DriverObject->DeviceObject);
}

VOID SetLower(PDEVICE_OBJECT DeviceObject, PDEVICE_OBJECT Target)
{
    Lower = IoAttachDeviceToDeviceStack(DeviceObject, Target);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_READ] = PassOn;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = Skip;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = WaitFor;
    return IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}
"""
READ, WRITE, FLUSH = 3, 4, 9


class Stack:
    """The filter on top of a device that completes at once, or a millisecond later."""

    def __init__(self, later: bool) -> None:
        self.lab, self.later = Lab(), later
        self.m = m = self.lab.machine
        self.bottom = device.make_device(m, device.make_driver(m, "disk", self.dispatch), name="disk")
        self.driver = cast(Any, self.lab.load(FILTER, "filter.c"))
        self.started: Started = start(self.lab, self.driver, "filter")
        self.top = m.u64(self.started.object + m.offset("DRIVER_OBJECT", "DeviceObject"))
        self.driver.SetLower(self.top, self.bottom)
        self.finished: list[tuple[int, int]] = []

    def dispatch(self, target: int, packet: int) -> int:
        def finish() -> None:
            completion.complete(self.m, packet, 0, 16, by="device")

        if not self.later:
            finish()
            return 0
        irp.mark_pending(self.m, packet, by="device")
        self.m.after(10_000, finish)
        return irp.PENDING

    def request(self, major: int) -> int:
        """What an application's request returns at first."""
        packet = irp.build(self.m, 2, lambda _irp, status, information: self.finished.append((status, information)))
        o = irp.layout()
        self.m.set_u8(self.m.u64(packet + o.current) - o.location, major)

        def body() -> Any:
            return (yield from device.send(self.m, self.top, packet, by="app"))

        thread = self.m.start_thread(body(), "application")
        self.lab.run()
        return int(thread.result)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(("major", "information"), [(READ, 16), (WRITE, 16), (FLUSH, 17)])
def test_a_filter_driver(later: bool, major: int, information: int) -> None:
    """Passed on with a routine, passed on without one, and waited for; completed below at once and later."""
    stack = Stack(later)
    assert stack.request(major) == (irp.PENDING if later and major != FLUSH else 0)
    assert stack.finished == [(0, information)]
    unload(stack.lab, stack.started)


def run_function(text: str, check: Callable[[Lab], None] = lambda lab: None) -> Lab:
    lab = Lab()
    driver: Any = lab.load(text, "test.c")
    driver.Run()
    lab.run()
    check(lab)
    return lab


def test_a_timer_a_dpc_and_a_thread() -> None:
    """KRN-22, KRN-27, KRN-28: LARGE_INTEGER by value, waits in C, a thread that ends itself."""
    lab = run_function(r"""
        static KTIMER Timer;
        static KDPC Dpc;
        static KEVENT Done;
        static int Count = 5;

        static VOID Tick(PKDPC D, PVOID Context, PVOID First, PVOID Second)
        {
            DbgPrint("tick %d at IRQL %d\n", *(int *)Context, KeGetCurrentIrql());
            KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
        }

        static VOID Worker(PVOID Context)
        {
            LARGE_INTEGER Due, Limit;

            Due.QuadPart = -10 * 1000 * 1000;
            Limit.QuadPart = -5;
            KeInitializeTimer(&Timer);
            KeInitializeDpc(&Dpc, Tick, &Count);
            KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
            KeSetTimer(&Timer, Due, &Dpc);
            KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
            DbgPrint("%x\n", KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Limit));
            PsTerminateSystemThread(STATUS_SUCCESS);
            DbgPrint("never reached\n");
        }

        VOID Run(VOID)
        {
            HANDLE Handle;
            PVOID Thread;

            PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Worker, NULL);
            ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, NULL, KernelMode, &Thread, NULL);
            ZwClose(Handle);
            KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
            ObDereferenceObject(Thread);
            DbgPrint("ended\n");
        }
        """)
    assert lab.console == "tick 5 at IRQL 2\n102\nended\n"
    assert lab.machine.time == 10_000_005


def test_waiting_in_a_dpc() -> None:
    """BUG-12, BUG-27, MIS-12."""
    with pytest.raises(Stop) as caught:
        run_function(r"""
            static KDPC Dpc;
            static KEVENT Never;

            static VOID Deferred(PKDPC D, PVOID Context, PVOID First, PVOID Second)
            {
                KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
            }

            VOID Run(VOID)
            {
                KeInitializeEvent(&Never, NotificationEvent, FALSE);
                KeInitializeDpc(&Dpc, Deferred, NULL);
                KeInsertQueueDpc(&Dpc, NULL, NULL);
            }
            """)
    assert (caught.value.rule.id, caught.value.where and caught.value.where.function) == ("wait-at-dispatch", "Deferred")


def test_a_stack_event_whose_function_has_returned() -> None:
    """BUG-01, IRP-32: the waiter gave up, the frame is gone, and the timer's DPC signals the event."""
    with pytest.raises(Stop) as caught:
        run_function(r"""
            static KTIMER Timer;
            static KDPC Dpc;

            static VOID Deferred(PKDPC D, PVOID Context, PVOID First, PVOID Second)
            {
                KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
            }

            static VOID Start(VOID)
            {
                KEVENT Done;
                LARGE_INTEGER Due, Limit;

                Due.QuadPart = -1000;
                Limit.QuadPart = -10;
                KeInitializeEvent(&Done, NotificationEvent, FALSE);
                KeInitializeTimer(&Timer);
                KeInitializeDpc(&Dpc, Deferred, &Done);
                KeSetTimer(&Timer, Due, &Dpc);
                KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Limit);
            }

            VOID Run(VOID)
            {
                Start();
            }
            """)
    assert (caught.value.rule.id, caught.value.bugcheck) == ("use-after-scope", 0x0A)


def test_waiting_in_a_completion_routine_at_passive_level() -> None:
    """BUG-12, MIS-12: the place named is the wait itself, and the calls under way lead to it."""
    lab = Lab(choices={"WskSend": "inline"})
    driver: Any = lab.load(
        r"""
        static KEVENT Never;

        static NTSTATUS Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
        {
            KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
            return STATUS_MORE_PROCESSING_REQUIRED;
        }

        NTSTATUS Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
        {
            PIRP Irp = IoAllocateIrp(1, FALSE);

            KeInitializeEvent(&Never, NotificationEvent, FALSE);
            IoSetCompletionRoutine(Irp, Completed, NULL, TRUE, TRUE, TRUE);
            return ((PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch)->WskSend(Socket, Buffer, 0, Irp);
        }
        """,
        "wait.c",
    )
    socket, buffer = lab.connected_socket(), lab.buffer(b"hello")
    with pytest.raises(Stop) as caught:
        driver.Run(socket, buffer)
        lab.run()
    assert caught.value.rule.id == "wait-in-callback"
    assert caught.value.where is not None and (caught.value.where.line, caught.value.where.function) == (6, "Completed")
