"""Handles, the tree, references, deletion, contexts."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.kmdf.objects import HANDLE_MASK
from wsklab.machine.status import name_of


def made(kit: Any, **members: int) -> int:
    out = kit.out()
    kit.memory(1)  # brings the scene's driver, the default parent
    assert kit.wdk.WdfObjectCreate(kit.attributes(**members), out) == 0
    return int(kit.m.u64(out))


def noting(kit: Any, log: list[str], name: str) -> int:
    return int(kit.lab.routine(lambda handle: log.append(name) or 0, "EVT_WDF_OBJECT_CONTEXT_CLEANUP").address)


def test_a_handle_is_the_address_with_a_mask(kit: Any) -> None:
    """KMDF-OBJ-23."""
    handle = made(kit)
    assert kit.m.block_at(handle ^ HANDLE_MASK).label == "WDFOBJECT"
    assert kit.m.block_at(handle) is None


@pytest.mark.parametrize("handle", ["null", "wrong kind", "number"])
def test_a_bad_handle_is_10d_5(kit: Any, handle: str) -> None:
    """KMDF-OBJ-23, RULE-37: P1 5, P2 the handle, P3 the wanted type (a request is 0x1008)."""
    value = {"null": 0, "wrong kind": made(kit), "number": 0x1234}[handle]
    rule = "kmdf-not-a-handle" if handle == "number" else "kmdf-wrong-handle"
    with kit.stops(rule, "0x5", f"{value:#018x}", "0x1008"):
        kit.wdk.WdfRequestGetStatus(value)


def test_a_null_pointer_is_10d_4(kit: Any) -> None:
    """KMDF-OBJ-25, KMDF-CRE-01."""
    with kit.stops("kmdf-null-parameter", "0x4"):
        kit.wdk.WdfRequestCreate(0, 0, 0)


@pytest.mark.parametrize("function", ["WdfDeviceInitSetIoType", "WdfFdoInitSetFilter", "WdfDeviceCreate"])
def test_a_device_init_is_a_pointer_and_not_a_handle(kit: Any, function: str) -> None:
    """KMDF-OBJ-25: PWDFDEVICE_INIT is no handle, so NULL is 0x10D/4 and not 0x10D/5."""
    arguments = {"WdfFdoInitSetFilter": (0,), "WdfDeviceCreate": (kit.out(), 0, kit.out())}.get(function, (0, 0))
    with kit.stops("kmdf-null-parameter", "0x4"):
        kit.m.api(function)(*arguments)


def test_a_deleted_handle_is_stale(kit: Any) -> None:
    """KMDF-OBJ-24."""
    handle = made(kit)
    kit.wdk.WdfObjectDelete(handle)
    with kit.stops("kmdf-stale-handle"):
        kit.wdk.WdfObjectDelete(handle)


def test_children_are_cleaned_up_before_the_parent_and_destroyed_after(kit: Any) -> None:
    """KMDF-OBJ-07, 08, 10."""
    log: list[str] = []

    def callbacks(name: str) -> dict[str, int]:
        return {
            "EvtCleanupCallback": noting(kit, log, f"cleanup {name}"),
            "EvtDestroyCallback": noting(kit, log, f"destroy {name}"),
        }

    parent = made(kit, **callbacks("parent"))
    child = made(kit, ParentObject=parent, **callbacks("child"))
    made(kit, ParentObject=child, **callbacks("grandchild"))
    kit.wdk.WdfObjectDelete(parent)
    assert log == [
        "cleanup grandchild", "cleanup child", "cleanup parent", "destroy grandchild", "destroy child", "destroy parent",
    ]  # fmt: skip


def test_a_reference_postpones_destruction_only(kit: Any) -> None:
    """KMDF-OBJ-01, 07."""
    log: list[str] = []
    handle = made(kit, EvtCleanupCallback=noting(kit, log, "cleanup"), EvtDestroyCallback=noting(kit, log, "destroy"))
    kit.wdk.WdfObjectReferenceActual(handle, 0, 0, 0)
    kit.wdk.WdfObjectDelete(handle)
    assert log == ["cleanup"]
    kit.wdk.WdfObjectDereferenceActual(handle, 0, 0, 0)
    assert log == ["cleanup", "destroy"]


def test_the_last_dereference_of_an_undeleted_object_is_10d_7(kit: Any) -> None:
    """KMDF-OBJ-20, RULE-38."""
    handle = made(kit)
    with kit.stops("kmdf-dereferenced-to-zero", "0x7", f"{handle:#018x}", f"{kit.fw.live[handle].address:#018x}", "0"):
        kit.wdk.WdfObjectDereferenceActual(handle, 0, 0, 0)


def test_what_the_framework_deletes_itself_cannot_be_deleted(make_kit: Any) -> None:
    """KMDF-OBJ-17, RULE-39: a breakpoint, and nothing else happens."""
    kit = make_kit()
    kit.memory(1)
    with kit.stops("kmdf-not-deletable"):
        kit.wdk.WdfObjectDelete(kit.fw.default_parent().handle)
    kit.fw.verifier = "continue"
    kit.wdk.WdfObjectDelete(kit.fw.default_parent().handle)
    assert kit.fw.default_parent().handle in kit.fw.live


def test_a_new_child_of_a_dying_parent_is_refused(kit: Any) -> None:
    """KMDF-OBJ-22."""
    answers: list[str] = []
    out = kit.out()

    def cleanup(handle: int) -> int:
        answers.append(name_of(kit.m.api("WdfObjectCreate")(kit.attributes(ParentObject=handle), out)))
        return 0

    parent = made(kit, EvtCleanupCallback=kit.lab.routine(cleanup, "EVT_WDF_OBJECT_CONTEXT_CLEANUP").address)
    kit.wdk.WdfObjectDelete(parent)
    assert (answers, kit.m.u64(out)) == (["STATUS_DELETE_PENDING"], 0)


def test_validation_of_attributes_in_order(kit: Any) -> None:
    """KMDF-CTX-03, 04: each line repairs what the line before was refused for."""
    kit.memory(1)
    nameless = kit.context_type(16)
    kit.m.view(nameless, "WDF_OBJECT_CONTEXT_TYPE_INFO").ContextName = 0
    small = kit.context_type(16)
    kit.m.view(small, "WDF_OBJECT_CONTEXT_TYPE_INFO").Size = 8
    good, parent, out = kit.context_type(16), made(kit), kit.out()

    def create(**members: int) -> str:
        return name_of(kit.wdk.WdfRequestCreate(kit.attributes(**members), 0, out))

    wrong = {"ContextSizeOverride": 8, "ExecutionLevel": 9, "SynchronizationScope": 2, "ParentObject": parent}
    assert create(Size=55, ContextTypeInfo=small, **wrong) == "STATUS_INFO_LENGTH_MISMATCH"
    assert create(ContextTypeInfo=small, **wrong) == "STATUS_INFO_LENGTH_MISMATCH"
    assert create(ContextTypeInfo=nameless, **wrong) == "STATUS_WDF_OBJECT_ATTRIBUTES_INVALID"
    assert create(ContextTypeInfo=good, **wrong) == "STATUS_WDF_OBJECT_ATTRIBUTES_INVALID"
    assert create(**wrong) == "STATUS_WDF_OBJECT_ATTRIBUTES_INVALID"
    wrong |= {"ContextSizeOverride": 32, "ContextTypeInfo": good}
    assert create(**wrong) == "STATUS_WDF_OBJECT_ATTRIBUTES_INVALID"
    wrong |= {"ExecutionLevel": 2}
    assert create(**wrong) == "STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID"
    wrong |= {"SynchronizationScope": 4}
    assert create(**wrong) == "STATUS_WDF_EXECUTION_LEVEL_INVALID"
    wrong |= {"ExecutionLevel": 1}
    assert create(**wrong) == "STATUS_SUCCESS"
    assert int(kit.wdk.WdfObjectGetTypedContextWorker(kit.m.u64(out), good)) != 0


def test_contexts(kit: Any) -> None:
    """KMDF-CTX-06 to 10, 13."""
    first, second = kit.context_type(16), kit.context_type(24)
    handle, out = made(kit, ContextTypeInfo=first), kit.out()
    context = int(kit.wdk.WdfObjectGetTypedContextWorker(handle, first))
    assert kit.m.read(context, 16) == bytes(16)
    assert int(kit.wdk.WdfObjectGetTypedContextWorker(handle, second)) == 0

    def allocate(**members: int) -> str:
        return name_of(kit.wdk.WdfObjectAllocateContext(handle, kit.attributes(**members), out))

    assert allocate() == "STATUS_OBJECT_NAME_INVALID"
    assert allocate(ContextTypeInfo=first, ParentObject=handle) == "STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED"
    assert (allocate(ContextTypeInfo=first), kit.m.u64(out)) == ("STATUS_OBJECT_NAME_EXISTS", context)
    assert allocate(ContextTypeInfo=second) == "STATUS_SUCCESS"
    assert kit.m.u64(out) == int(kit.wdk.WdfObjectGetTypedContextWorker(handle, second))
    assert int(kit.wdk.WdfObjectContextGetObject(kit.m.u64(out))) == handle
    with kit.stops("kmdf-not-a-context"):
        kit.wdk.WdfObjectContextGetObject(out)
