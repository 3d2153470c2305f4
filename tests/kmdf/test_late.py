"""Collections, strings, locks, lookaside lists, and what runs later: timers, DPCs, work items. They are written in C."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.kmdf.objects import HANDLE_MASK
from wsklab.machine.status import name_of

MS = 10_000


def made(kit: Any, function: str, *arguments: int) -> int:
    """What a create function stores; its last parameter is where."""
    out = kit.out()
    kit.memory(1)  # brings the scene's device
    assert kit.m.api(function)(*arguments, out) == 0
    return int(kit.m.u64(out))


def device(kit: Any) -> int:
    kit.memory(1)
    return int(kit.fw.scene.handle)


def collection(kit: Any) -> int:
    return made(kit, "WdfCollectionCreate", 0)


def references(kit: Any, handle: int) -> int:
    return int(kit.fw.live[handle].references)


def test_a_collection_keeps_order_and_references(kit: Any) -> None:
    """KMDF-AUX-10, 12."""
    wdk, whole = kit.wdk, collection(kit)
    first, second, third = (kit.memory(1) for _ in range(3))
    assert [wdk.WdfCollectionAdd(whole, item) for item in (first, second, third, first)] == [0] * 4
    assert (wdk.WdfCollectionGetCount(whole), references(kit, first)) == (4, 3)
    wdk.WdfCollectionRemoveItem(whole, 1)
    assert [wdk.WdfCollectionGetItem(whole, index) for index in range(4)] == [first, third, first, 0]
    wdk.WdfCollectionRemove(whole, first)
    assert (wdk.WdfCollectionGetFirstItem(whole), wdk.WdfCollectionGetLastItem(whole)) == (third, first)
    assert [references(kit, item) for item in (first, second, third)] == [2, 1, 2]


def test_an_empty_collection(kit: Any) -> None:
    """KMDF-AUX-10, RULE-40."""
    empty = collection(kit)
    ends = [kit.wdk.WdfCollectionGetFirstItem(empty), kit.wdk.WdfCollectionGetLastItem(empty)]
    assert (ends, kit.wdk.WdfCollectionGetCount(empty)) == ([0, 0], 0)
    with kit.stops("kmdf-not-in-collection"):
        kit.wdk.WdfCollectionRemove(empty, kit.memory(1))
    with kit.stops("kmdf-not-in-collection"):
        kit.wdk.WdfCollectionRemoveItem(empty, 0)


def test_a_deleted_collection_lets_its_members_live(kit: Any) -> None:
    """KMDF-OBJ-28, KMDF-AUX-11."""
    whole, item = collection(kit), kit.memory(1)
    kit.wdk.WdfCollectionAdd(whole, item)
    kit.wdk.WdfObjectDelete(whole)
    assert references(kit, item) == 1


def test_a_member_that_was_deleted_lives_until_it_is_removed(kit: Any) -> None:
    """KMDF-AUX-10, KMDF-OBJ-07: the collection's reference keeps the memory, not the life."""
    whole, item = collection(kit), kit.memory(1)
    kit.wdk.WdfCollectionAdd(whole, item)
    kit.wdk.WdfObjectDelete(item)
    assert kit.fw.live[item].state == "disposed"
    kit.wdk.WdfCollectionRemoveItem(whole, 0)
    assert item not in kit.fw.live


@pytest.mark.parametrize("function", ["WdfCollectionGetCount", "WdfSpinLockAcquire", "WdfWorkItemEnqueue", "WdfDpcEnqueue"])
def test_handles_are_checked_for_kind_and_life(kit: Any, function: str) -> None:
    """KMDF-OBJ-23, 24: C functions check like Python ones."""
    memory = kit.memory(1)
    with kit.stops("kmdf-wrong-handle", "0x5", f"{memory:#018x}"):
        kit.m.api(function)(memory)
    kit.wdk.WdfObjectDelete(memory)
    with kit.stops("kmdf-stale-handle"):
        kit.m.api(function)(memory)


@pytest.mark.parametrize("function", ["WdfCollectionCreate", "WdfSpinLockCreate", "WdfWaitLockCreate"])
def test_a_missing_out_pointer_is_10d_4(kit: Any, function: str) -> None:
    """KMDF-OBJ-25."""
    with kit.stops("kmdf-null-parameter", "0x4"):
        kit.m.api(function)(0, 0)


def test_a_string_is_a_copy(kit: Any) -> None:
    text, out = kit.m.new("UNICODE_STRING", kind="native"), kit.m.new("UNICODE_STRING", kind="native")
    view, buffer = kit.m.view(text, "UNICODE_STRING"), kit.m.allocate(6, kind="native")
    kit.m.write(buffer, "abc".encode("utf-16-le"))
    view.Length, view.MaximumLength, view.Buffer = 6, 6, buffer
    string = made(kit, "WdfStringCreate", text, 0)
    kit.m.write(buffer, bytes(6))
    kit.wdk.WdfStringGetUnicodeString(string, out)
    copy = kit.m.view(out, "UNICODE_STRING")
    assert (copy.Length, copy.MaximumLength, kit.m.read(int(copy.Buffer), 8)) == (6, 8, "abc\0".encode("utf-16-le"))
    kit.wdk.WdfObjectDelete(string)
    with kit.stops("use-after-free"):
        kit.m.read(int(copy.Buffer), 1)


def test_a_spin_lock_raises_the_irql(kit: Any) -> None:
    """KMDF-AUX-08, 09, RULE-41, 82: 0x10D/2 when taken twice, 0x10D/0xB/1 when released by somebody else."""
    lock = made(kit, "WdfSpinLockCreate", 0)
    kit.wdk.WdfSpinLockAcquire(lock)
    assert kit.m.irql == 2
    with kit.stops("kmdf-lock-recursive", "0x2", f"{lock:#018x}"):
        kit.wdk.WdfSpinLockAcquire(lock)
    kit.wdk.WdfSpinLockRelease(lock)
    assert kit.m.irql == 0
    with kit.stops("kmdf-lock-not-owned", "0xB", f"{lock:#018x}", "0x1"):
        kit.wdk.WdfSpinLockRelease(lock)


def test_a_wait_lock_is_waited_for(kit: Any) -> None:
    """RULE-82: STATUS_TIMEOUT after the time given; the lock goes to who waits."""
    lock, timeout = made(kit, "WdfWaitLockCreate", 0), kit.out()
    kit.m.set_i64(timeout, -5 * MS)
    seen: list[Any] = []

    def holder() -> Any:
        seen.append((yield from kit.m.api("WdfWaitLockAcquire")(lock, 0)))
        yield from kit.m.api("KeDelayExecutionThread")(0, 0, ten)
        kit.m.api("WdfWaitLockRelease")(lock)

    def waiter() -> Any:
        seen.append(name_of((yield from kit.m.api("WdfWaitLockAcquire")(lock, timeout))))
        seen.append((yield from kit.m.api("WdfWaitLockAcquire")(lock, 0)))
        seen.append(kit.m.time // MS)

    ten = kit.out()
    kit.m.set_i64(ten, -10 * MS)
    kit.m.start_thread(holder(), "holder")
    kit.m.start_thread(waiter(), "waiter")
    kit.lab.run()
    assert seen == [0, "STATUS_TIMEOUT", 0, 10]
    with kit.stops("kmdf-lock-not-owned"):
        kit.wdk.WdfWaitLockRelease(lock)


def test_lookaside_memory(kit: Any) -> None:
    list_ = made(kit, "WdfLookasideListCreate", 0, 24, 512, 0, 0x41)
    memory = made(kit, "WdfMemoryCreateFromLookaside", list_)
    assert kit.fw.live[memory].place[1] == 24
    assert name_of(kit.wdk.WdfLookasideListCreate(0, 0, 512, 0, 0x41, kit.out())) == "STATUS_INVALID_PARAMETER"


class Later:
    """A timer, DPC or work item whose callback notes (kind, time in ms, IRQL)."""

    def __init__(self, kit: Any, kind: str, **members: Any) -> None:
        self.kit, self.kind, self.seen = kit, kind, list[tuple[int, int]]()

        def called(handle: int) -> int:
            self.seen.append((kit.m.time // MS, kit.m.irql))
            return 0

        name = {"Timer": "TIMER", "Dpc": "DPC", "WorkItem": "WORKITEM"}[kind]
        self.routine = kit.lab.routine(called, f"EVT_WDF_{name}").address
        self.config = kit.m.new(f"WDF_{name}_CONFIG", kind="native")
        view = kit.m.view(self.config, f"WDF_{name}_CONFIG")
        view.Size, view.AutomaticSerialization = kit.m.sizeof(f"WDF_{name}_CONFIG"), 1
        setattr(view, "Evt" + {"Timer": "Timer", "Dpc": "Dpc", "WorkItem": "WorkItem"}[kind] + "Func", self.routine)
        for member in ("Period", "Size", "TolerableDelay"):
            if member in members:
                setattr(view, member, members.pop(member))
        parent = members.pop("parent", None)
        self.attributes = kit.attributes(ParentObject=device(kit) if parent is None else parent, **members)
        self.out = kit.out()
        self.status = name_of(kit.m.api(f"Wdf{kind}Create")(self.config, self.attributes, self.out))
        self.handle = int(kit.m.u64(self.out))

    def do(self, verb: str, *arguments: int) -> int:
        return int(getattr(self.kit.wdk, f"Wdf{self.kind}{verb}")(self.handle, *arguments) or 0)


def test_a_timer_runs_once_at_dispatch_level(kit: Any) -> None:
    """KMDF-AUX-02, 03, 04."""
    timer = Later(kit, "Timer")
    assert [timer.do("Start", -5 * MS), timer.do("Start", -9 * MS)] == [0, 1]
    kit.lab.run()
    assert (timer.seen, timer.do("Stop", 1)) == ([(9, 2)], 0)


def test_a_periodic_timer_runs_until_it_is_stopped(kit: Any) -> None:
    """KMDF-AUX-02, 04."""
    timer = Later(kit, "Timer", Period=10)
    timer.do("Start", -5 * MS)
    kit.m.run(deadline=30 * MS)
    assert (timer.seen, timer.do("Stop", 1)) == ([(5, 2), (15, 2), (25, 2)], 1)
    kit.lab.run()
    assert len(timer.seen) == 3


def test_a_passive_timer_runs_in_a_system_thread(kit: Any) -> None:
    """KMDF-AUX-01, 07."""
    timer = Later(kit, "Timer", ExecutionLevel=2)
    timer.do("Start", -5 * MS)
    kit.lab.run()
    assert timer.seen == [(5, 0)]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"parent": 0}, "STATUS_WDF_PARENT_NOT_SPECIFIED"),
        ({"Size": 39}, "STATUS_INFO_LENGTH_MISMATCH"),
        ({"Period": 1, "ExecutionLevel": 2}, "STATUS_NOT_SUPPORTED"),
        ({"Period": 0x80000000}, "STATUS_INVALID_PARAMETER"),
        ({"SynchronizationScope": 2}, "STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID"),
    ],
)
def test_what_a_timer_refuses(kit: Any, members: dict[str, int], expected: str) -> None:
    """KMDF-AUX-01, KMDF-CTX-03 to 05."""
    assert Later(kit, "Timer", **members).status == expected


def test_a_parent_has_to_lead_to_a_device(kit: Any) -> None:
    """KMDF-AUX-01."""
    assert Later(kit, "Timer", parent=kit.memory(1)).status == "STATUS_INVALID_DEVICE_REQUEST"


def test_the_lock_of_a_passive_device_and_a_timer_at_dispatch_do_not_go_together(kit: Any) -> None:
    """KMDF-AUX-01."""
    kit.fw.verifier = "continue"
    device(kit)
    kit.fw.scene.level, kit.fw.scene.scope = 2, 2
    assert Later(kit, "Timer").status == "STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL"
    assert Later(kit, "WorkItem").status == "STATUS_SUCCESS"
    kit.fw.verifier = "stop"
    with kit.stops("kmdf-incompatible-level"):
        Later(kit, "Dpc")


def test_a_timer_holds_its_parent(kit: Any) -> None:
    """KMDF-AUX-06."""
    parent = Later(kit, "WorkItem").handle
    timer = Later(kit, "Timer", parent=parent)
    assert (references(kit, parent), timer.do("GetParentObject")) == (2, parent)
    kit.wdk.WdfObjectDelete(timer.handle)
    assert references(kit, parent) == 1


def test_a_deleted_timer_no_longer_runs(kit: Any) -> None:
    """KMDF-AUX-06."""
    timer = Later(kit, "Timer", Period=1)
    timer.do("Start", -MS)
    kit.wdk.WdfObjectDelete(timer.handle)
    kit.lab.run()
    assert timer.seen == []


def test_a_timer_does_not_wait_for_itself(kit: Any) -> None:
    """KMDF-AUX-04, RULE-34: Wait needs PASSIVE_LEVEL, and another function than the callback."""
    lab = kit.lab
    driver = lab.load("VOID T(WDFTIMER Timer) { WdfTimerStop(Timer, TRUE); }")
    for level, rule in ((1, "kmdf-passive-only"), (2, "kmdf-waits-for-itself")):
        timer = Later(kit, "Timer", ExecutionLevel=level)
        kit.m.set_u64(kit.fw.live[timer.handle].address, driver.T.address)
        timer.do("Start", -MS)
        with kit.stops(rule):
            lab.run()


def test_a_dpc(kit: Any) -> None:
    dpc = Later(kit, "Dpc")
    assert [dpc.do("Enqueue"), dpc.do("Enqueue")] == [1, 0]
    kit.lab.run()
    assert (dpc.seen, dpc.do("Enqueue"), dpc.do("Cancel", 1)) == ([(0, 2)], 1, 1)
    kit.lab.run()
    assert (len(dpc.seen), dpc.do("GetParentObject")) == (1, device(kit))
    assert int(kit.wdk.WdfDpcWdmGetDpc(dpc.handle)) == (dpc.handle ^ HANDLE_MASK) + kit.m.offset("FX_LATER", "Dpc")


def test_a_work_item_runs_once_however_often_it_is_queued(kit: Any) -> None:
    item = Later(kit, "WorkItem")
    item.do("Enqueue")
    item.do("Enqueue")
    item.do("Flush")
    assert item.seen == [(0, 0)]
    item.do("Enqueue")
    kit.lab.run()
    assert (len(item.seen), item.do("GetParentObject")) == (2, device(kit))


def test_a_work_item_that_is_deleted_has_run(kit: Any) -> None:
    item = Later(kit, "WorkItem")
    item.do("Enqueue")
    kit.wdk.WdfObjectDelete(item.handle)
    assert len(item.seen) == 1
    kit.lab.run()
    assert (len(item.seen), item.handle in kit.fw.live) == (1, False)


@pytest.mark.parametrize("kind", ["Timer", "Dpc", "WorkItem", "Collection"])
def test_every_create_can_run_out_of_memory(make_kit: Any, kind: str) -> None:
    """KMDF-VER-07."""
    kit = make_kit()
    device(kit)
    kit.lab.choices["framework allocation"] = "fails"
    if kind == "Collection":
        assert name_of(kit.wdk.WdfCollectionCreate(0, kit.out())) == "STATUS_INSUFFICIENT_RESOURCES"
    else:
        assert Later(kit, kind).status == "STATUS_INSUFFICIENT_RESOURCES"


def test_the_lock_of_a_device(kit: Any) -> None:
    """KMDF-AUX-09: a spin lock unless the level is passive; other objects have none (0x10D/0xB/0)."""
    text = """VOID F(WDFOBJECT o) { WdfObjectAcquireLock(o); DbgPrint("%d ", KeGetCurrentIrql());
              WdfObjectReleaseLock(o); DbgPrint("%d ", KeGetCurrentIrql()); }
              VOID G(WDFOBJECT o) { WdfObjectAcquireLock(o); WdfObjectAcquireLock(o); }"""
    driver, owner = kit.lab.load(text), device(kit)
    driver.F(owner)
    kit.fw.scene.level = 2
    driver.F(owner)
    assert kit.lab.console == "2 0 0 0 "
    with kit.stops("kmdf-lock-recursive", "0x2"):
        driver.G(owner)
    with kit.stops("kmdf-lock-not-owned", "0xB", f"{owner:#018x}", "0x1"):
        kit.wdk.WdfObjectReleaseLock(owner)
    with kit.stops("kmdf-no-lock", "0xB", f"{(memory := kit.memory(1)):#018x}", "0"):
        kit.wdk.WdfObjectAcquireLock(memory)
