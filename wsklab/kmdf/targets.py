"""The WdfIoTarget* functions around sending: create, open, close, start, stop, purge, and what a target says about itself.

Facts: KMDF-IOT, KMDF-STA, KMDF-TSS. Pages: initializing-a-general-i-o-target.md, controlling-a-general-i-o-target-s-state.md.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.api import commit, creation, getters, wdf
from wsklab.kmdf.device import Device
from wsklab.kmdf.objects import Framework, Object
from wsklab.kmdf.target import (
    CLOSED,
    CLOSED_FOR_QUERY_REMOVE,
    DELETED,
    PURGED,
    STARTED,
    STOPPED,
    IoTarget,
    RemoteTarget,
)  # fmt: skip
from wsklab.machine import PASSIVE_LEVEL, Wait, status

USE_EXISTING_DEVICE, BY_NAME, REOPEN = 1, 2, 3
CANCEL_SENT, WAIT_FOR_SENT, LEAVE_SENT = 1, 2, 3
PURGE_AND_WAIT, PURGE = 1, 2
REMOVAL_CALLBACKS = ("EvtIoTargetQueryRemove", "EvtIoTargetRemoveCanceled", "EvtIoTargetRemoveComplete")
Waiting = Generator[Wait, Any, None]


@wdf(PASSIVE_LEVEL)
def WdfIoTargetCreate(fw: Framework, device: Device, attributes: int, out: int) -> int:
    """A remote target, not yet open. Facts: KMDF-IOT-01, KMDF-OBJ-05, KMDF-STA-02."""
    fw.required(out, "IoTarget")
    fw.m.set_u64(out, 0)
    answer, parent = creation(fw, attributes, default=device)
    if answer < 0:
        return answer
    above: Object | None = parent
    while above is not None and above is not device:
        above = above.parent
    return commit(fw, RemoteTarget(fw, parent, device), attributes, out) if above else status.INVALID_DEVICE_REQUEST


@wdf(PASSIVE_LEVEL)
def WdfIoTargetOpen(fw: Framework, target: RemoteTarget, params: int) -> int:
    """Put a device behind a remote target. Facts: KMDF-IOT-02 to 07, KMDF-STA-09."""
    fw.required(params, "OpenParams")
    given = fw.m.view(params, "WDF_IO_TARGET_OPEN_PARAMS")
    if given.Size != fw.m.sizeof("WDF_IO_TARGET_OPEN_PARAMS"):
        return status.INFO_LENGTH_MISMATCH
    kind, device, file_object = given.Type, int(given.TargetDeviceObject), int(given.TargetFileObject)
    name = wdm.text(given.TargetDeviceName) if kind == BY_NAME else target.opened_by_name
    if kind == USE_EXISTING_DEVICE:
        if not device or (not file_object and any(int(getattr(given, callback)) for callback in REMOVAL_CALLBACKS)):
            return status.INVALID_PARAMETER
    elif kind not in (BY_NAME, REOPEN) or not name:
        return status.INVALID_DEVICE_REQUEST if kind == REOPEN else status.INVALID_PARAMETER
    else:
        device, file_object, target.opened_by_name = wdm.device_named(fw.m, name), fw.m.new("FILE_OBJECT"), name
    if target.target_state == DELETED or target.target_device or not device:
        return status.INVALID_DEVICE_STATE if device else status.OBJECT_NAME_NOT_FOUND
    target.attach(device)
    target.file_object = file_object
    return target.start()


def _drained(target: IoTarget, *, ignored: bool = False) -> Waiting:
    """Wait until the last completion routine has returned. Facts: KMDF-CPL-06, KMDF-STA-12, KMDF-TSS-03."""

    def done() -> bool:
        return target.io_count <= len(target.pended) + (0 if ignored else len(target.ignored))

    if not done():
        yield Wait(done, None, ("WDFIOTARGET", target.address))


@wdf(PASSIVE_LEVEL)
def WdfIoTargetClose(fw: Framework, target: RemoteTarget) -> Waiting:
    """Close a remote target: cancel what is out, wait for it, let the device go. Facts: KMDF-IOT-08, 09."""
    target.close(CLOSED)
    yield from _drained(target, ignored=True)


@wdf(PASSIVE_LEVEL)
def WdfIoTargetCloseForQueryRemove(fw: Framework, target: RemoteTarget) -> Waiting:
    """Close a remote target because its device may go. Facts: KMDF-IOT-12."""
    target.close(CLOSED_FOR_QUERY_REMOVE)
    yield from _drained(target, ignored=True)


def _may_wait(fw: Framework, target: IoTarget, function: str) -> bool:
    """Whether a waiting form is allowed at this IRQL; the verifier refuses it. Facts: KMDF-TSS-02, 04, RULE-34."""
    if fw.m.irql > PASSIVE_LEVEL and fw.checking:
        fw.breakpoint("kmdf-passive-only", target, function=function)
        return False
    return True


@wdf()
def WdfIoTargetStop(fw: Framework, target: IoTarget, action: int) -> Waiting:
    """Hold back further requests; the action says what becomes of those out. Facts: KMDF-STA-03, KMDF-TSS-02 to 05."""
    waits = action in (CANCEL_SENT, WAIT_FOR_SENT)
    if not waits and action != LEAVE_SENT or waits and not _may_wait(fw, target, "WdfIoTargetStop"):
        return
    if target.target_state in (STARTED, PURGED):
        target.set_state(STOPPED)
    if action == CANCEL_SENT:
        target.cancel_all(target.sent)
    if waits:
        yield from _drained(target)


@wdf()
def WdfIoTargetPurge(fw: Framework, target: IoTarget, action: int) -> Waiting:
    """Refuse further requests, fail the pended ones, cancel those out. Facts: KMDF-STA-04, KMDF-TSS-04, 05, KMDF-PND-09."""
    waits = action == PURGE_AND_WAIT
    if not waits and action != PURGE or waits and not _may_wait(fw, target, "WdfIoTargetPurge"):
        return
    if target.target_state in (STARTED, STOPPED):
        target.set_state(PURGED)
    target.fail_all_pended()
    target.cancel_all(target.sent)
    if waits:
        yield from _drained(target)


getters("IoTarget", {
    "WdfIoTargetStart": ("Send again; what was pended goes down at once. Facts: KMDF-STA-05, KMDF-TSS-01.", IoTarget.start),
    "WdfIoTargetGetState": (
        "The WDF_IO_TARGET_STATE; Started also for a target that was never opened. Facts: KMDF-STA-02.",
        lambda target: target.target_state,
    ),
    "WdfIoTargetGetDevice": ("The device a target belongs to. Facts: KMDF-IOT-17.", lambda target: target.device.handle),
    "WdfIoTargetWdmGetTargetDeviceObject": (
        "The DEVICE_OBJECT behind a target, NULL once closed. Facts: KMDF-IOT-17.", lambda target: target.target_device
    ),
    "WdfIoTargetWdmGetTargetFileObject": (
        "The FILE_OBJECT of a target opened by name, else NULL. Facts: KMDF-IOT-17.", lambda target: target.file_object
    ),
})  # fmt: skip
