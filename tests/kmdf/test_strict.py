"""Strict mode: what only the framework's source grants, and the rules of Static Driver Verifier that a run can decide."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.test_received import Loaded
from wsklab.machine.status import name_of

SYNCHRONOUS, TIMEOUT, FORGET = 2, 1, 8


def strict(kit: Any) -> Any:
    kit.lab.strict = True
    return kit


def test_a_status_asked_for_too_early(kit: Any) -> None:
    """RULE-60, KMDF-GET-02: without strict mode it shows what stands in the IRP."""
    target = kit.target(kit.device(answers="never"))
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    assert kit.status(request) == "STATUS_SUCCESS"
    with strict(kit).stops("kmdf-status-too-early"):
        kit.status(request)


def test_a_synchronous_send_without_timeout(kit: Any) -> None:
    """RULE-12, 62, 63, also for the functions that send and wait."""
    target = strict(kit).target()
    request, _ = kit.ready(target)
    with kit.stops("kmdf-sync-without-timeout"):
        kit.send(request, target, SYNCHRONOUS)
    with kit.stops("kmdf-sync-without-timeout"):
        kit.wdk.WdfIoTargetSendReadSynchronously(target, 0, 0, 0, 0, 0)
    assert kit.send(request, target, SYNCHRONOUS | TIMEOUT, -1)


def test_a_send_under_a_spin_lock(kit: Any) -> None:
    """RULE-13, 58."""
    target, lock = strict(kit).target(), kit.out()
    request, _ = kit.ready(target)
    kit.wdk.KeInitializeSpinLock(lock)
    before = kit.wdk.KeAcquireSpinLockRaiseToDpc(lock)
    with kit.stops("kmdf-send-under-lock"):
        kit.send(request, target)
    kit.wdk.KeReleaseSpinLock(lock, before)
    assert kit.send(request, target)


def test_statuses_that_the_pages_do_not_promise(kit: Any) -> None:
    """KMDF-FMT-05, KMDF-CHG-11, KMDF-CRE-07."""
    closed, target = strict(kit).target(opened=False), kit.target()
    request, memory = kit.request(target), kit.memory(4)
    with kit.stops("kmdf-offset-too-large"):
        kit.read(target, request, memory, kit.offsets(2, 3))
    with kit.stops("kmdf-closed-target-status"):
        kit.wdk.WdfRequestChangeTarget(request, closed)
    kit.lab.strict = False
    assert kit.read(target, request, memory, kit.offsets(2, 3)) == "STATUS_INTEGER_OVERFLOW"
    assert name_of(kit.wdk.WdfRequestChangeTarget(request, closed)) == "STATUS_INVALID_DEVICE_STATE"


def test_a_new_irp_for_a_request_that_was_not_made_from_one(kit: Any) -> None:
    """KMDF-REU-11, 13, KMDF-CHG-05: the source accepts it; a later format makes an own IRP again."""
    target = kit.target()
    request = kit.request(target)
    with strict(kit).stops("kmdf-new-irp-not-from-irp"):
        kit.reuse(request, flags=1)
    kit.lab.strict = False
    assert kit.reuse(request, flags=1) == "STATUS_SUCCESS"
    assert int(kit.wdk.WdfRequestWdmGetIrp(request)) == 0
    assert kit.read(target, request, kit.memory(4)) == "STATUS_SUCCESS"
    assert kit.fw.live[request].ownership == 1


def test_states(kit: Any) -> None:
    """KMDF-PND-08, KMDF-TSS-09."""
    target = strict(kit).target()
    kit.wdk.WdfIoTargetStop(target, 3)
    request, _ = kit.ready(target)
    assert kit.send(request, target)
    with kit.stops("kmdf-stop-leaves-pended"):
        kit.wdk.WdfIoTargetStop(target, 2)
    kit.wdk.WdfIoTargetPurge(target, 2)
    request, _ = kit.ready(target)
    with kit.stops("kmdf-purged-target-refuses"):
        kit.send(request, target)


def test_send_and_forget_to_an_opened_target(kit: Any) -> None:
    """KMDF-SAF-10, 11, RULE-21."""

    def handler(request: int) -> None:
        target = kit.target(kit.device("other"))
        kit.fw.live[target].file_object = kit.m.new("FILE_OBJECT")
        with strict(kit).stops("kmdf-forget-to-opened-target"):
            kit.m.api("WdfRequestSend")
            kit.m.drive(kit.m.modelled("WdfRequestSend").function(kit.m, request, target, kit.options(FORGET)), "WdfRequestSend")
        driver.complete(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done


def test_a_received_request_of_another_kind(kit: Any) -> None:
    """RULE-66: a received read belongs to the read functions."""

    def handler(request: int) -> None:
        kit.lab.strict = True
        send = kit.m.modelled("WdfIoTargetSendWriteSynchronously").function
        with kit.stops("kmdf-wrong-kind-sent"):
            kit.m.drive(send(kit.m, driver.target, request, 0, 0, kit.options(TIMEOUT, -1), 0), "send")
        driver.complete(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done


@pytest.mark.parametrize("function", ["WdfMemoryCreate", "WdfSpinLockCreate", "WdfWaitLockCreate"])
def test_an_object_without_a_parent(kit: Any, function: str) -> None:
    """RULE-81: ParentObjectCheck and ParentObjectCheckLock; with a parent, or without strict mode, it is made."""
    request, rest = kit.request(), (0, 0, 8, kit.out(), 0) if function == "WdfMemoryCreate" else (kit.out(),)
    create = getattr(kit.wdk, function)
    assert create(0, *rest) == 0
    assert create(strict(kit).attributes(ParentObject=request), *rest) == 0
    with kit.stops("kmdf-no-explicit-parent"):
        create(0, *rest)
