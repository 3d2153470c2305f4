"""Associated IRPs: a highest-level driver splits an IRP. Facts: IRP-01, IRP-02, IRP-06, IRP-08, KRN-46.

Page: IoMakeAssociatedIrp.
"""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import Lab, Stop
from wsklab.io import completion, device, irp
from wsklab.io.unload import check_unload
from wsklab.machine import Machine

SPLITS = r"""
PDEVICE_OBJECT Below;
ULONG Kept;
static NTSTATUS Keep(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PIRP Master = (PIRP)Context;
    IoFreeIrp(Irp);
    if (++Kept == 2) {
        Master->IoStatus.Status = STATUS_SUCCESS;
        Master->IoStatus.Information = 7;
        IoCompleteRequest(Master, IO_NO_INCREMENT);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}
NTSTATUS Split(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIRP Part[2];
    ULONG i;
    for (i = 0; i < 2; i++) {
        Part[i] = IoMakeAssociatedIrp(Irp, Below->StackSize);
        if (Part[i] == NULL) {
            if (i) IoFreeIrp(Part[0]);
            Irp->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
            IoCompleteRequest(Irp, IO_NO_INCREMENT);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        NT_ASSERT(Part[i]->Flags & IRP_ASSOCIATED_IRP && Part[i]->AssociatedIrp.MasterIrp == Irp);
        IoGetNextIrpStackLocation(Part[i])->MajorFunction = IRP_MJ_READ;
        KEEPS
    }
    Irp->AssociatedIrp.IrpCount = COUNT;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 42;
    IoMarkIrpPending(Irp);
    for (i = 0; i < 2; i++) IoCallDriver(Below, Part[i]);
    return STATUS_PENDING;
}
VOID Use(PDEVICE_OBJECT Device) { Below = Device; }
ULONG HowMany(VOID) { return Kept; }
NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    Driver->MajorFunction[IRP_MJ_READ] = Split;
    return STATUS_SUCCESS;
}
"""


class Stack:
    """A driver that splits reads over a lower device, which answers them when it is told."""

    def __init__(self, count: int = 2, keeps: str = "", later: bool = True, fails: bool = False) -> None:
        self.lab = Lab()
        self.m: Machine = self.lab.machine
        self.held: list[int] = []
        self.ended: list[tuple[int, int]] = []

        def below(_device: int, packet: int) -> int:
            if later:
                irp.mark_pending(self.m, packet, by="device")
                self.held.append(packet)
                return irp.PENDING
            completion.complete(self.m, packet, 0, 5, by="device")
            return 0

        target = device.make_device(self.m, device.make_driver(self.m, "below", below))
        text = SPLITS.replace("COUNT", str(count)).replace("KEEPS", keeps)
        self.driver = self.lab.load(text, name="split.c")
        owner = device.make_driver(self.m, "split")
        self.driver.DriverEntry(owner, 0)
        self.top = device.make_device(self.m, owner, owner="driver")
        self.driver.Use(target)
        if fails:
            self.m.choices.once("IoMakeAssociatedIrp", "succeeds", "fails")
        self.master = irp.build(self.m, 1, lambda _irp, status, information: self.ended.append((status, information)))
        self.m.set_u8(self.m.u64(self.master + irp.layout().current) - irp.layout().location + irp.layout().major, 3)
        self.returned = device.call_driver(self.m, self.top, self.master, by="app")


def test_the_last_one_completes_the_master_with_what_the_driver_put_there() -> None:
    stack = Stack()
    assert (stack.returned, len(stack.held), stack.ended) == (irp.PENDING, 2, [])
    completion.complete(stack.m, stack.held[1], 0, 3, by="device")
    assert (stack.ended, stack.m.i32(stack.master + stack.m.offset("IRP", "AssociatedIrp"))) == ([], 1)
    completion.complete(stack.m, stack.held[0], 0, 3, by="device")
    assert stack.ended == [(0, 42)]
    completed = [event for event in stack.lab.events if event.kind == "complete"]
    assert [event.data["irp"] for event in completed] == [stack.held[1], stack.held[0], stack.master]
    assert not stack.m.model(irp.Irps).packets


def test_lower_drivers_may_complete_them_at_once() -> None:
    stack = Stack(later=False)
    assert (stack.returned, stack.ended) == (irp.PENDING, [(0, 42)])


def test_a_routine_that_keeps_them_completes_the_master_itself() -> None:
    """An associated IRP that a routine keeps is freed with IoFreeIrp."""
    stack = Stack(count=0, keeps="IoSetCompletionRoutine(Part[i], Keep, Irp, TRUE, TRUE, TRUE);")
    for held in stack.held:
        completion.complete(stack.m, held, 0, 3, by="device")
    assert (stack.ended, stack.driver.HowMany()) == ([(0, 7)], 2)


def test_without_memory() -> None:
    stack = Stack(fails=True)
    assert stack.ended == [(0xC000009A - (1 << 32), 0)]


@pytest.mark.parametrize(("count", "ends"), [(1, 1), (0, 0)])
def test_a_count_that_is_too_small(count: int, ends: int) -> None:
    stack = Stack(count=count)
    with pytest.raises(Stop) as stopped:
        for held in stack.held:
            completion.complete(stack.m, held, 0, 3, by="device")
    assert (stopped.value.rule.id, len(stack.ended)) == ("use-after-free" if ends else "irp-count-wrong", ends)


def test_an_associated_irp_is_no_master_and_buffered_io_has_none(m: Machine, stops: Any) -> None:
    master = irp.build(m, 1)
    make = m.api("IoMakeAssociatedIrp")
    part = make(master, 1)
    with stops("irp-not-a-master") as found:
        make(part, 1)
    assert "it is an associated IRP itself" in found[0].report("en")
    m.set_u32(master + m.offset("IRP", "Flags"), m.constant("IRP_BUFFERED_IO"))
    with stops("irp-not-a-master"):
        make(master, 1)


def test_it_is_not_armed_again_and_is_missed_when_it_is_left(m: Machine, stops: Any) -> None:
    """IRP-06, BUG-33."""
    part = m.api("IoMakeAssociatedIrp")(irp.build(m, 1), 1)
    with stops("irp-foreign-reused"):
        m.api("IoReuseIrp")(part, 0)
    with stops("irp-leaked"):
        check_unload(m)
