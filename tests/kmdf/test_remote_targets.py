"""Remote targets: opening by name and again, files, and the removal of the device below."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine.status import name_of

STARTED, CLOSED_FOR_QUERY_REMOVE, CLOSED = 1, 3, 4

SOURCE = """
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_IO_TARGET_QUERY_REMOVE QueryRemove;
EVT_WDF_IO_TARGET_REMOVE_CANCELED RemoveCanceled;
EVT_WDF_IO_TARGET_REMOVE_COMPLETE RemoveComplete;
NTSTATUS Answer;
NTSTATUS QueryRemove(WDFIOTARGET Target)
{
    DbgPrint("query remove at %d\\n", KeGetCurrentIrql());
    if (NT_SUCCESS(Answer)) WdfIoTargetCloseForQueryRemove(Target);
    return Answer;
}
VOID RemoveCanceled(WDFIOTARGET Target)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN(&params);
    DbgPrint("remove canceled: %x\\n", WdfIoTargetOpen(Target, &params));
}
VOID RemoveComplete(WDFIOTARGET Target)
{
    DbgPrint("remove complete\\n");
    WdfIoTargetClose(Target);
}
NTSTATUS Open(WDFIOTARGET Target, PCWSTR Name, BOOLEAN Watch)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, Name);
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&params, &name, GENERIC_READ);
    if (Watch) {
        params.EvtIoTargetQueryRemove = QueryRemove;
        params.EvtIoTargetRemoveCanceled = RemoveCanceled;
        params.EvtIoTargetRemoveComplete = RemoveComplete;
    }
    return WdfIoTargetOpen(Target, &params);
}
NTSTATUS OpenDisk(WDFIOTARGET Target, BOOLEAN Watch) { return Open(Target, L"\\\\Device\\\\Disk", Watch); }
NTSTATUS OpenNothing(WDFIOTARGET Target) { return Open(Target, L"\\\\Device\\\\Nothing", FALSE); }
NTSTATUS Reopen(WDFIOTARGET Target)
{
    WDF_IO_TARGET_OPEN_PARAMS params;
    WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN(&params);
    return WdfIoTargetOpen(Target, &params);
}
"""


def state(kit: Any, target: int) -> int:
    return int(kit.wdk.WdfIoTargetGetState(target))


def test_by_name(kit: Any) -> None:
    """KMDF-IOT-03 to 07, 09, KMDF-STA-09, 10, KMDF-IOT-17: a file is opened on the device, and closed with the target."""
    driver, disk, target = kit.lab.load(SOURCE), kit.device("disk", stack_size=2), kit.target(opened=False)
    assert name_of(driver.OpenNothing(target)) == "STATUS_OBJECT_NAME_NOT_FOUND"
    assert name_of(driver.Reopen(target)) == "STATUS_OBJECT_NAME_NOT_FOUND"  # it has been told a name
    assert (driver.OpenDisk(target, False), disk.files, disk.received) == (0, 1, [])
    assert name_of(driver.OpenDisk(target, False)) == "STATUS_INVALID_DEVICE_STATE"
    assert int(kit.wdk.WdfIoTargetWdmGetTargetDeviceObject(target)) == disk.object
    assert int(kit.wdk.WdfIoTargetWdmGetTargetPhysicalDevice(target)) == disk.object
    file, handle = int(kit.wdk.WdfIoTargetWdmGetTargetFileObject(target)), int(kit.wdk.WdfIoTargetWdmGetTargetFileHandle(target))
    assert file and handle
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert (log, disk.received[0].file_object) == ([("STATUS_SUCCESS", 8)], file)
    kit.wdk.WdfIoTargetClose(target)
    assert (state(kit, target), disk.files) == (CLOSED, 0)
    assert int(kit.wdk.WdfIoTargetWdmGetTargetFileHandle(target)) == 0
    assert int(kit.wdk.WdfIoTargetWdmGetTargetPhysicalDevice(target)) == 0
    assert (driver.Reopen(target), state(kit, target), disk.files) == (0, STARTED, 1)
    kit.wdk.WdfObjectDelete(target)
    kit.lab.run()
    assert disk.files == 0


def test_a_target_that_was_not_opened_by_name_cannot_be_reopened(kit: Any) -> None:
    """KMDF-IOT-03."""
    driver, target = kit.lab.load(SOURCE), kit.target()
    kit.wdk.WdfIoTargetClose(target)
    assert name_of(driver.Reopen(target)) == "STATUS_INVALID_DEVICE_REQUEST"


@pytest.mark.parametrize("watch", [False, True])
def test_removal(kit: Any, watch: bool) -> None:
    """KMDF-IOT-11 to 14: what the callbacks do, the framework does without them."""
    driver, disk, target = kit.lab.load(SOURCE), kit.device("disk", answers="never"), kit.target(opened=False)
    assert driver.OpenDisk(target, watch) == 0
    request, log = kit.ready(target)
    assert kit.send(request, target)
    assert kit.lab.pnp(disk, "query remove")
    assert (state(kit, target), log, disk.files) == (CLOSED_FOR_QUERY_REMOVE, [("STATUS_CANCELLED", 0)], 0)
    assert kit.lab.pnp(disk, "cancel remove")
    assert (state(kit, target), disk.files) == (STARTED, 1)
    assert kit.lab.pnp(disk, "remove")
    assert (state(kit, target), disk.files) == (CLOSED, 0)
    assert name_of(driver.Reopen(target)) == "STATUS_OBJECT_NAME_NOT_FOUND"
    assert kit.lab.console == ("query remove at 0\nremove canceled: 0\nremove complete\n" if watch else "")


def test_a_refused_query(kit: Any) -> None:
    """KMDF-IOT-13: the callback refuses, the target stays open."""
    driver, disk, target = kit.lab.load(SOURCE), kit.device("disk"), kit.target(opened=False)
    kit.m.set_i32(driver.image.globals["Answer"], -1)
    assert driver.OpenDisk(target, True) == 0
    assert not kit.lab.pnp(disk, "query remove")
    assert (state(kit, target), disk.files) == (STARTED, 1)


def test_a_closed_target_hears_nothing_more(kit: Any) -> None:
    """KMDF-IOT-12: closing ends the registration, closing for query remove does not."""
    driver, disk, target = kit.lab.load(SOURCE), kit.device("disk"), kit.target(opened=False)
    assert driver.OpenDisk(target, True) == 0
    kit.wdk.WdfIoTargetClose(target)
    assert kit.lab.pnp(disk, "query remove")
    assert (kit.lab.console, state(kit, target)) == ("", CLOSED)


def test_above_passive_level(make_kit: Any) -> None:
    """RULE-34, KMDF-IOT-02: refused by the verifier."""
    kit = make_kit()
    driver, _, target = kit.lab.load(SOURCE), kit.device("disk"), kit.target(opened=False)
    with kit.m.at_irql(2), kit.stops("kmdf-passive-only"):
        driver.OpenDisk(target, False)
    kit.fw.verifier = "continue"
    with kit.m.at_irql(2):
        assert name_of(driver.OpenDisk(target, False)) == "STATUS_INVALID_DEVICE_REQUEST"
