"""What no other test of objects, memories, queues and devices looks at, by fact group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.queues import MANUAL, SEQUENTIAL, Queues
from tests.kmdf.test_objects import made, noting
from wsklab import Lab, Stop
from wsklab.c.headers import headers
from wsklab.machine.status import name_of

CANCELLED = -0x3FFFFEE0


@pytest.fixture
def queues(kit: Any) -> Queues:
    return Queues(kit)


# The tree


def test_the_tree_holds_no_references(kit: Any) -> None:
    """KMDF-OBJ-02, 05, 06: a child adds none; a queue's default parent is its device; a presented request has no parent."""
    parent = made(kit)
    made(kit, ParentObject=parent)
    queues = Queues(kit)
    queue = queues.queue(default=True, EvtIoRead=None)
    queues.read()
    live = kit.fw.live
    assert (live[parent].references, live[queue].parent, live[queues.owned[0]].parent) == (1, queues.device, None)


def test_the_destroy_callback_may_look_at_the_context_only(kit: Any) -> None:
    """KMDF-OBJ-11: the accessor works, another function finds the object gone."""
    seen: list[Any] = []
    info = kit.context_type(16)

    def destroy(handle: int) -> int:
        seen.append(int(kit.m.api("WdfObjectGetTypedContextWorker")(handle, info)) != 0)
        with pytest.raises(Stop) as caught:
            kit.m.api("WdfObjectReferenceActual")(handle, 0, 0, 0)
        seen.append(caught.value.rule.id)
        return 0

    routine = kit.lab.routine(destroy, "EVT_WDF_OBJECT_CONTEXT_DESTROY").address
    kit.wdk.WdfObjectDelete(made(kit, ContextTypeInfo=info, EvtDestroyCallback=routine))
    assert seen == [True, "kmdf-stale-handle"]


def test_cleanup_that_needs_passive_level_is_handed_to_a_work_item(kit: Any) -> None:
    """KMDF-OBJ-13, 14, 15: at DISPATCH_LEVEL a string's parent is cleaned up first, the string later at PASSIVE_LEVEL."""
    log: list[Any] = []

    def cleanup(name: str) -> int:
        return int(kit.lab.routine(lambda handle: log.append((name, kit.m.irql)) or 0, "EVT_WDF_OBJECT_CONTEXT_CLEANUP").address)

    parent = made(kit, EvtCleanupCallback=cleanup("parent"))
    assert kit.wdk.WdfStringCreate(0, kit.attributes(ParentObject=parent, EvtCleanupCallback=cleanup("string")), kit.out()) == 0
    with kit.m.at_irql(2):
        kit.m.api("WdfObjectDelete")(parent)
    assert log == [("parent", 2)]
    kit.lab.run()
    assert log == [("parent", 2), ("string", 0)]


def test_a_second_deletion_and_paired_references(kit: Any) -> None:
    """KMDF-OBJ-16, 21: while a reference keeps a deleted object, deleting again does nothing."""
    log: list[str] = []
    handle = made(kit, EvtCleanupCallback=noting(kit, log, "cleanup"))
    kit.wdk.WdfObjectReferenceActual(handle, 0, 0, 0)
    kit.wdk.WdfObjectDelete(handle)
    kit.wdk.WdfObjectDelete(handle)
    assert (log, kit.fw.live[handle].references) == (["cleanup"], 1)
    kit.wdk.WdfObjectDereferenceActual(handle, 0, 0, 0)
    assert handle not in kit.fw.live


def test_deleting_the_driver_object_ends_everything() -> None:
    """KMDF-OBJ-03, KMDF-WHO-01: the WDFDRIVER is the root; unloading disposes all that hangs under it."""
    lab = Lab(language="en")
    text = """
    #include <ntddk.h>
    #include <wdf.h>
    VOID Gone(WDFOBJECT Object) { DbgPrint("gone "); }
    NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
    {
        WDF_DRIVER_CONFIG config;
        WDF_OBJECT_ATTRIBUTES attributes;
        WDFCOLLECTION collection;
        WDF_DRIVER_CONFIG_INIT(&config, NULL);
        WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
        WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
        attributes.EvtCleanupCallback = Gone;
        return WdfCollectionCreate(&attributes, &collection);
    }
    """
    loaded = lab.start_driver(lab.load(text))
    kinds = sorted(obj.KIND for obj in loaded.driver.fw.live.values())
    lab.unload_driver(loaded)
    assert (kinds, lab.console, loaded.driver.fw.live) == (["WDFCOLLECTION", "WDFDRIVER"], "gone ", {})


# Contexts


def test_attributes_as_the_macros_leave_them() -> None:
    """KMDF-CTX-01, 02, 12, 14, KMDF-CON-23: Inherit is 1; UniqueType, and not the record, goes into the attributes."""
    lab = Lab(language="en")
    driver = lab.load("""
    #include <ntddk.h>
    #include <wdf.h>
    typedef struct _MINE { ULONG A; } MINE;
    WDF_DECLARE_CONTEXT_TYPE(MINE)
    VOID F(VOID)
    {
        WDF_OBJECT_ATTRIBUTES a;
        WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&a, MINE);
        DbgPrint("%d %d %d %d %d ", a.Size, a.ExecutionLevel, a.SynchronizationScope, a.ParentObject == NULL,
                 a.ContextTypeInfo == WDF_GET_CONTEXT_TYPE_INFO(MINE)->UniqueType);
        DbgPrint("%d %s", (int)a.ContextTypeInfo->ContextSize, a.ContextTypeInfo->ContextName);
    }
    PVOID (*accessor)(WDFOBJECT) = (PVOID)WdfObjectGet_MINE;
    """)
    driver.F()
    assert lab.console == "56 1 1 1 1 4 MINE"
    members = headers().record("WDF_OBJECT_ATTRIBUTES").members
    assert list(members) == [
        "Size", "EvtCleanupCallback", "EvtDestroyCallback", "ExecutionLevel", "SynchronizationScope", "ParentObject",
        "ContextSizeOverride", "ContextTypeInfo",
    ]  # fmt: skip


# Memories


def test_assigning_a_buffer(kit: Any) -> None:
    """KMDF-MEM-03, 04, 05: only a preallocated memory takes one; a formatted request keeps what it has."""
    own, buffers = kit.memory(8), [kit.m.allocate(8, kind="native", zero=True) for _ in range(2)]
    out = kit.out()
    assert kit.wdk.WdfMemoryCreatePreallocated(0, buffers[0], 8, out) == 0
    memory, target = kit.m.u64(out), kit.target(kit.device(io_type="neither", answers="never"))
    request = kit.request(target)
    kit.read(target, request, memory)
    assert kit.wdk.WdfMemoryAssignBuffer(memory, buffers[1], 4) == 0
    assert (int(kit.wdk.WdfMemoryGetBuffer(memory, out)), kit.m.u64(out)) == (buffers[1], 4)
    assert int(kit.m.view(kit.fw.live[request].irp, "IRP").UserBuffer) == buffers[0]
    assert name_of(kit.wdk.WdfMemoryAssignBuffer(memory, buffers[1], 0)) == "STATUS_INVALID_PARAMETER"
    with kit.stops("kmdf-null-parameter", "0x4"):
        kit.wdk.WdfMemoryAssignBuffer(memory, 0, 4)
    with kit.stops("kmdf-wrong-handle", "0x5", f"{own:#018x}", "0x1022"):
        kit.wdk.WdfMemoryAssignBuffer(own, buffers[1], 4)


def test_buffers_are_looked_up_each_time_and_end_with_the_request(queues: Queues) -> None:
    """KMDF-BUF-07, 09, 14, RULE-28, 68, 69: a referenced request that was completed has no buffers."""
    queues.queue(default=True, EvtIoRead=None)
    queues.read(4)
    (request,), out = queues.owned, queues.kit.out()
    assert queues.wdk.WdfRequestRetrieveOutputMemory(request, out) == 0
    memory = queues.m.u64(out)
    buffer = int(queues.wdk.WdfMemoryGetBuffer(memory, 0))
    queues.wdk.WdfObjectReferenceActual(request, 0, 0, 0)
    queues.complete(request)
    with queues.kit.stops("use-after-free"):
        queues.m.read(buffer, 1)
    with queues.kit.stops("kmdf-stale-handle"):
        queues.wdk.WdfMemoryGetBuffer(memory, 0)
    queues.kit.fw.verifier = "continue"
    assert name_of(queues.wdk.WdfRequestRetrieveOutputBuffer(request, 1, out, 0)) == "STATUS_INTERNAL_ERROR"


def test_the_mdl_of_a_buffer_goes_with_the_request(queues: Queues) -> None:
    """KMDF-BUF-01, 04, 14, RULE-70."""
    queues.queue(default=True, EvtIoRead=None, EvtIoWrite=None)
    queues.read(4)
    (request,), out = queues.owned, queues.kit.out()
    assert name_of(queues.wdk.WdfRequestRetrieveInputWdmMdl(request, out)) == "STATUS_INVALID_DEVICE_REQUEST"
    assert queues.wdk.WdfRequestRetrieveOutputWdmMdl(request, out) == 0
    mdl = queues.m.u64(out)
    assert queues.m.view(mdl, "MDL").ByteCount == 4
    assert (queues.wdk.WdfRequestRetrieveOutputWdmMdl(request, out), queues.m.u64(out)) == (0, mdl)
    queues.complete(request)
    with queues.kit.stops("use-after-free"):
        queues.m.read(mdl, 1)


# Queues


def test_what_the_initialiser_leaves_and_what_the_io_manager_hears(queues: Queues, monkeypatch: Any) -> None:
    """KMDF-QUE-02, 04: a request completed inside its handler was pending nevertheless."""
    lab = Lab(language="en")
    driver = lab.load("""
    #include <ntddk.h>
    #include <wdf.h>
    VOID F(VOID)
    {
        WDF_IO_QUEUE_CONFIG c;
        WDF_IO_QUEUE_CONFIG_INIT(&c, WdfIoQueueDispatchParallel);
        DbgPrint("%d %d %d ", c.PowerManaged, c.Settings.Parallel.NumberOfPresentedRequests, c.DefaultQueue);
        WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&c, WdfIoQueueDispatchSequential);
        DbgPrint("%d %d %d", c.PowerManaged, c.Settings.Parallel.NumberOfPresentedRequests, c.DefaultQueue);
    }
    """)
    driver.F()
    assert lab.console == "2 -1 0 2 0 1"
    queues.queue(SEQUENTIAL, default=True, EvtIoRead=queues.complete)
    answers: list[int] = []
    fw = queues.kit.fw
    call = fw.c

    def listening(function: str, *arguments: int) -> int:
        answer = int(call(function, *arguments))
        answers.extend([answer] * (function == "wsklab_device_dispatch"))
        return answer

    monkeypatch.setattr(fw, "c", listening)
    assert (queues.read().status, [name_of(answer) for answer in answers]) == (0, ["STATUS_PENDING"])


def test_a_cancelable_request_has_to_be_unmarked_first(queues: Queues) -> None:
    """KMDF-MCA-07, KMDF-WHO-06: requeue is refused as forwarding is."""
    manual = queues.queue(MANUAL, default=True)
    queues.read()
    _, request = queues.retrieve(manual)
    queues.wdk.WdfRequestMarkCancelable(request, queues.routine(lambda request: 0, "EVT_WDF_REQUEST_CANCEL"))
    with queues.kit.stops("kmdf-still-cancelable"):
        queues.wdk.WdfRequestRequeue(request)


def test_a_cancelled_request_is_left_to_its_callback(queues: Queues) -> None:
    """RULE-50: the callback of a passive queue is still to come when a DPC completes the request."""
    queues.queue(default=True, EvtIoRead=None, attributes=queues.kit.attributes(ExecutionLevel=2))
    answer = queues.read()
    (request,) = queues.owned
    queues.wdk.WdfRequestMarkCancelable(request, queues.routine(lambda r: 0, "EVT_WDF_REQUEST_CANCEL"))
    with queues.m.at_irql(2):
        assert answer.cancel()
    assert name_of(queues.wdk.WdfRequestUnmarkCancelable(request)) == "STATUS_CANCELLED"
    with queues.kit.stops("kmdf-completed-canceled"):
        queues.wdk.WdfRequestComplete(request, CANCELLED)


def test_priority_boost(queues: Queues) -> None:
    """KMDF-CMP-02, 18: the third form completes as the first does."""
    queues.queue(default=True, EvtIoRead=lambda request: queues.wdk.WdfRequestCompleteWithPriorityBoost(request, 0, 2))
    assert queues.read().status == 0


def test_getters_of_a_received_request(queues: Queues) -> None:
    """KMDF-GET-11, 12: sent by an application; a request of the driver's own has none of that."""
    queue = queues.queue(default=True, EvtIoRead=None)
    queues.read()
    (request,), wdk = queues.owned, queues.wdk
    found = wdk.WdfRequestGetIoQueue(request), wdk.WdfRequestGetRequestorMode(request), wdk.WdfRequestIsFrom32BitProcess(request)
    assert (found, wdk.WdfRequestGetRequestorProcessId(request), wdk.WdfRequestIsReserved(request)) == (
        (queue, 1, False), 0x1234, False,
    )  # fmt: skip
    with queues.kit.stops("kmdf-no-queue"):
        wdk.WdfRequestGetRequestorMode(queues.kit.request(queues.kit.target()))


# Driver and device


def test_a_driver_config(kit: Any) -> None:
    """KMDF-DEV-01 to 03: order of the checks."""
    wdk, path = kit.wdk, kit.m.new("UNICODE_STRING", kind="native")
    config = kit.m.new("WDF_DRIVER_CONFIG", kind="native")
    view, driver_object = kit.m.view(config, "WDF_DRIVER_CONFIG"), kit.m.new("DRIVER_OBJECT")
    for arguments in ((0, path, 0, config, 0), (driver_object, 0, 0, config, 0), (driver_object, path, 0, 0, 0)):
        with kit.stops("kmdf-null-parameter", "0x4"):
            wdk.WdfDriverCreate(*arguments)
    answers = []
    for size, flags, add in ((31, 0, 0), (32, 4, 0), (32, 1, 0x1000), (32, 1, 0), (32, 0, 0)):
        view.Size, view.DriverInitFlags, view.EvtDriverDeviceAdd = size, flags, add
        answers.append(name_of(wdk.WdfDriverCreate(driver_object, path, 0, config, 0)))
    assert answers == [
        "STATUS_INFO_LENGTH_MISMATCH", "STATUS_INVALID_PARAMETER", "STATUS_INVALID_PARAMETER", "STATUS_SUCCESS",
        "STATUS_DRIVER_INTERNAL_ERROR",
    ]  # fmt: skip


def test_creating_a_device_consumes_its_init(kit: Any) -> None:
    """KMDF-DEV-04, 08, RULE-87: the pointer becomes NULL, and the init is gone."""
    kit.memory(1)
    out, pointer = kit.out(), kit.out()
    name = kit.m.new("UNICODE_STRING", kind="native")
    init = int(kit.wdk.WdfControlDeviceInitAllocate(kit.fw.scene.driver.handle, name))
    kit.m.set_u64(pointer, init)
    assert (kit.wdk.WdfDeviceCreate(pointer, 0, out), kit.m.u64(pointer)) == (0, 0)
    with kit.stops("kmdf-stale-handle"):
        kit.wdk.WdfDeviceInitSetExclusive(init, True)
    target = kit.target(kit.device(stack_size=3))
    assert kit.fw.live[target].stack_size == 3


# The verifier


def test_what_a_breakpoint_does(queues: Queues) -> None:
    """KMDF-VER-01, 04: stop by default; or trace, and go on refusing; or, with the verifier off, nothing at all."""
    queues.queue(default=True, EvtIoRead=None)
    seen = []
    for verifier in ("continue", "off"):
        queues.kit.lab.verifier = verifier
        answer = queues.read()
        request = queues.owned.pop()
        queues.wdk.WdfRequestMarkCancelable(request, queues.routine(lambda r: 0, "EVT_WDF_REQUEST_CANCEL"))
        seen.append(
            name_of(queues.wdk.WdfRequestMarkCancelableEx(request, queues.routine(lambda r: 0, "EVT_WDF_REQUEST_CANCEL")))
        )
        queues.wdk.WdfRequestUnmarkCancelable(request)
        queues.wdk.WdfRequestComplete(request, 0)
        assert answer.status == 0
    assert seen == ["STATUS_INVALID_DEVICE_REQUEST", "STATUS_SUCCESS"]
    assert [event.data["rule"] for event in queues.kit.lab.events if event.name.startswith("verifier:")] == [
        "kmdf-still-cancelable"
    ]
