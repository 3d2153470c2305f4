"""Guaranteed forward progress: what a queue does with IRPs that come while there is no memory for requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.application import File
from wsklab.machine.status import NTSTATUS, name_of

LOW = "request of a queue"
DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_READ Read;
EVT_WDF_IO_IN_CALLER_CONTEXT InCallerContext;
EVT_WDF_IO_ALLOCATE_RESOURCES_FOR_RESERVED_REQUEST Reserve;
EVT_WDF_IO_ALLOCATE_REQUEST_RESOURCES Allocate;
EVT_WDF_IO_WDM_IRP_FOR_FORWARD_PROGRESS Examine;
typedef struct _RESOURCES {
    WDFMEMORY Memory;
} RESOURCES;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(RESOURCES, GetResources)
WDFQUEUE queue;
WDFREQUEST held[4];
int count;
NTSTATUS allocated;
WDF_IO_FORWARD_PROGRESS_ACTION action;
static NTSTATUS Resources(WDFREQUEST Request)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = Request;
    return WdfMemoryCreate(&attributes, NonPagedPoolNx, 0, 16, &GetResources(Request)->Memory, NULL);
}
NTSTATUS Reserve(WDFQUEUE Queue, WDFREQUEST Request) { DbgPrint("Reserve "); return Resources(Request); }
NTSTATUS Allocate(WDFQUEUE Queue, WDFREQUEST Request)
{
    DbgPrint("Allocate ");
    return NT_SUCCESS(allocated) ? Resources(Request) : allocated;
}
WDF_IO_FORWARD_PROGRESS_ACTION Examine(WDFQUEUE Queue, PIRP Irp)
{
    DbgPrint("Examine(%d) ", IoGetCurrentIrpStackLocation(Irp)->MajorFunction);
    return action;
}
VOID InCallerContext(WDFDEVICE Device, WDFREQUEST Request)
{
    DbgPrint("InCallerContext ");
    WdfDeviceEnqueueRequest(Device, Request);
}
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PVOID buffer;
    size_t size;
    WdfMemoryGetBuffer(GetResources(Request)->Memory, &size);
    DbgPrint("%s(%d, %d) ", WdfRequestIsReserved(Request) ? "Reserved" : "Read", (int)Length, (int)size);
    held[count++ % 4] = Request;
}
VOID Finish(int Number)
{
    PVOID buffer;
    if (NT_SUCCESS(WdfRequestRetrieveOutputBuffer(held[Number], 1, &buffer, NULL))) *(char *)buffer = 'a' + (char)Number;
    WdfRequestCompleteWithInformation(held[Number], STATUS_SUCCESS, 1);
}
NTSTATUS Assign(int Policy, int Total, int Wrong)
{
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY policy;
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT(&policy, Total);
    if (Policy == 2) WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_EXAMINE_INIT(&policy, Total, Wrong == 2 ? NULL : Examine);
    if (Policy == 3) WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_PAGINGIO_INIT(&policy, Total);
    if (Wrong == 1) policy.Size--;
    policy.EvtIoAllocateResourcesForReservedRequest = Reserve;
    policy.EvtIoAllocateRequestResources = Allocate;
    return WdfIoQueueAssignForwardProgressPolicy(queue, &policy);
}
VOID Purge(void) { WdfIoQueuePurge(queue, NULL, NULL); }
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    NTSTATUS status;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, RESOURCES);
    WdfDeviceInitSetRequestAttributes(DeviceInit, &attributes);
    WdfDeviceInitSetIoInCallerContextCallback(DeviceInit, CALLER);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoRead = Read;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, &queue);
}
""")
ALWAYS, EXAMINE, PAGING = 1, 2, 3


class Progress:
    """The driver, with a policy for its queue."""

    def __init__(self, kit: Any, policy: int = ALWAYS, total: int = 1, caller: str = "WDF_NO_EVENT_CALLBACK") -> None:
        self.kit, self.driver = kit, kit.lab.load(DRIVER.replace(", CALLER)", f", {caller})"), "progress.c")
        self.loaded = kit.lab.start_driver(self.driver)
        assert (self.loaded.status, self.loaded.device_status) == (0, 0)
        if policy:
            assert self.driver.Assign(policy, total, 0) == 0

    def low(self, low: bool = True) -> None:
        """From now on memory is low, or no longer."""
        if low:
            self.kit.lab.choices[LOW] = "fails"
        else:
            del self.kit.lab.choices[LOW]

    def set(self, name: str, value: int) -> None:
        self.kit.m.set_u32(self.driver.image.globals[name], value & 0xFFFF_FFFF)

    @property
    def said(self) -> str:
        text = "".join(self.kit.m.console)
        self.kit.m.console.clear()
        return text


def test_with_memory_requests_are_made_as_ever(kit: Any) -> None:
    """Page: guaranteeing-forward-progress-of-i-o-operations.md."""
    progress = Progress(kit, total=2)
    read = progress.loaded.read(1)
    assert progress.said == "Reserve Reserve Allocate Read(1, 16) "
    progress.driver.Finish(0)
    assert read.data == b"a"


def test_a_reserved_request_serves_one_irp_after_the_other(kit: Any) -> None:
    """It keeps its handle, context and children. The second IRP waits until the first is completed."""
    progress = Progress(kit)
    progress.low()
    first, second = progress.loaded.read(1), progress.loaded.read(2)
    assert (progress.said, second.done) == ("Reserve Reserved(1, 16) ", False)
    progress.driver.Finish(0)
    assert (first.data, progress.said) == (b"a", "Reserved(2, 16) ")
    progress.driver.Finish(1)
    assert second.data == b"b"
    held = progress.driver.image.globals["held"]
    assert kit.m.u64(held) == kit.m.u64(held + 8)
    progress.low(False)
    progress.loaded.read(3)
    assert progress.said == "Allocate Read(3, 16) "
    progress.driver.Finish(2)
    kit.lab.unload_driver(progress.loaded)
    assert kit.fw.drivers == []


def test_the_verifier_leaves_the_queue_without_memory(kit: Any) -> None:
    """KMDF-VER-03: bit 0x10000 of EnhancedVerifierOptions; what the policy itself needs is there."""
    kit.lab.wdf_parameters["EnhancedVerifierOptions"] = 0x10000
    progress = Progress(kit)
    progress.loaded.read(1)
    assert progress.said == "Reserve Reserved(1, 16) "


def test_a_reserved_request_is_completed_once(kit: Any) -> None:
    """RULE-01, RULE-28: its handle lives on, its IRP is gone."""
    progress = Progress(kit)
    progress.low()
    progress.loaded.read(1)
    progress.driver.Finish(0)
    with kit.stops("kmdf-request-touched-after-completion"):
        progress.driver.Finish(0)


def test_the_driver_has_no_memory(kit: Any) -> None:
    """EvtIoAllocateRequestResources fails: the new request goes, a reserved one comes."""
    progress = Progress(kit)
    progress.set("allocated", NTSTATUS(-1073741670))
    read = progress.loaded.read(1)
    assert progress.said == "Reserve Allocate Reserved(1, 16) "
    progress.driver.Finish(0)
    assert read.data == b"a"


def test_a_reserved_request_skips_the_callers_context(kit: Any) -> None:
    """Page: EvtIoInCallerContext."""
    progress = Progress(kit, caller="InCallerContext")
    progress.loaded.read(1)
    assert progress.said == "Reserve Allocate InCallerContext Read(1, 16) "
    progress.low()
    progress.loaded.read(1)
    assert progress.said == "Reserved(1, 16) "


def test_an_irp_is_cancelled_while_it_waits(kit: Any) -> None:
    progress = Progress(kit)
    progress.low()
    first, second, third = (progress.loaded.read(1) for _ in range(3))
    assert second.cancel()
    assert name_of(second.status) == "STATUS_CANCELLED"
    progress.driver.Purge()
    assert name_of(third.status) == "STATUS_CANCELLED"
    progress.driver.Finish(0)
    assert first.data == b"a"


def test_the_files_of_waiting_irps_are_closed(kit: Any) -> None:
    progress = Progress(kit)
    progress.low()
    progress.loaded.read(1)
    with File(kit.m, progress.loaded.object) as file:
        read = file.read(2, overlapped=True)
    assert name_of(read.status) == "STATUS_CANCELLED"


@pytest.mark.parametrize(
    ("action", "expected", "said"),
    [(1, "STATUS_UNSUCCESSFUL", "Examine(3) "), (2, "", "Examine(3) Reserved(1, 16) ")],
)
def test_the_driver_examines_each_irp(kit: Any, action: int, expected: str, said: str) -> None:
    """EvtIoWdmIrpForForwardProgress."""
    progress = Progress(kit, EXAMINE)
    progress.low()
    progress.set("action", action)
    assert progress.said == "Reserve "
    read = progress.loaded.read(1)
    assert (progress.said, name_of(read.status) if read.done else "") == (said, expected)


def test_an_unknown_action(make_kit: Any) -> None:
    """KMDF-VER-04: a breakpoint, then STATUS_UNSUCCESSFUL."""
    for verifier in ("stop", "continue"):
        kit = make_kit()
        kit.fw.verifier = verifier
        progress = Progress(kit, EXAMINE)
        progress.low()
        if verifier == "stop":
            with kit.stops("kmdf-forward-progress"):
                progress.loaded.read(1)
        else:
            assert name_of(progress.loaded.read(1).status) == "STATUS_UNSUCCESSFUL"


@pytest.mark.parametrize(("flags", "expected"), [(0, ["STATUS_UNSUCCESSFUL"]), (2, [])])
def test_only_paging(kit: Any, flags: int, expected: list[str]) -> None:
    """WdfIoForwardProgressReservedPolicyPagingIO: IRP_PAGING_IO in the IRP's Flags."""
    progress, done = Progress(kit, PAGING), list[str]()
    progress.low()
    irp = io_irp.build(kit.m, 2, lambda irp, value, information: done.append(name_of(value)), maker="io")
    kit.m.view(irp, "IRP").Flags, below = flags, wdm.location(kit.m, irp, 1)
    below.MajorFunction, below.Parameters.Read.Length = 3, 5
    wdm.call_driver(kit.m, progress.loaded.object, irp, by="io")
    assert (done, progress.said) == (expected, "Reserve " + "Reserved(5, 16) " * (not expected))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((ALWAYS, 1, 1), "STATUS_INFO_LENGTH_MISMATCH"),
        ((EXAMINE, 1, 2), "STATUS_INVALID_PARAMETER"),
        ((ALWAYS, 0, 0), "STATUS_INVALID_PARAMETER"),
    ],
)
def test_what_a_policy_must_be(kit: Any, arguments: tuple[int, int, int], expected: str) -> None:
    assert name_of(Progress(kit, 0).driver.Assign(*arguments)) == expected


def test_a_policy_is_assigned_once(make_kit: Any) -> None:
    kit = make_kit()
    with kit.stops("kmdf-forward-progress"):
        Progress(kit).driver.Assign(ALWAYS, 1, 0)
    kit = make_kit()
    kit.fw.verifier = "continue"
    assert name_of(Progress(kit).driver.Assign(ALWAYS, 1, 0)) == "STATUS_INVALID_PARAMETER"


@pytest.mark.parametrize("kind", ["framework allocation", LOW, "WdfMemoryCreate"])
def test_memory_can_lack_for_the_reserve_itself(kit: Any, kind: str) -> None:
    """KMDF-VER-07: nothing of it is left, and another attempt succeeds."""
    progress = Progress(kit, 0)
    kit.lab.choices[kind] = "fails"
    assert name_of(progress.driver.Assign(ALWAYS, 3, 0)) == "STATUS_INSUFFICIENT_RESOURCES"
    del kit.lab.choices[kind]
    assert progress.driver.Assign(ALWAYS, 3, 0) == 0
