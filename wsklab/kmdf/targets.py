"""The WdfIoTarget* functions around sending: create, open, close, start, stop, purge, and what a target says about itself.

Facts: KMDF-IOT, KMDF-STA, KMDF-TSS. Pages: initializing-a-general-i-o-target.md, controlling-a-general-i-o-target-s-state.md.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.attributes import PLAIN, commit, creation
from wsklab.kmdf.device import Device as _Device
from wsklab.kmdf.objects import Framework, Object, framework
from wsklab.kmdf.target import CLOSED, CLOSED_FOR_QUERY_REMOVE, DELETED, PURGED, STARTED, STOPPED, RemoteTarget
from wsklab.kmdf.target import IoTarget as _IoTarget
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, Wait, status, wdk

USE_EXISTING_DEVICE, BY_NAME, REOPEN = 1, 2, 3
CANCEL_SENT, WAIT_FOR_SENT, LEAVE_SENT = 1, 2, 3
PURGE_AND_WAIT, PURGE = 1, 2
REMOVAL_CALLBACKS = ("EvtIoTargetQueryRemove", "EvtIoTargetRemoveCanceled", "EvtIoTargetRemoveComplete")


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfIoTargetCreate(m: Machine, Device: int, IoTargetAttributes: int, IoTarget: int) -> int:
    """A remote target, not yet open. Facts: KMDF-IOT-01, KMDF-OBJ-05, KMDF-STA-02."""
    fw = framework(m)
    device = fw.get(Device, _Device)
    fw.required(IoTarget, "IoTarget")
    m.set_u64(IoTarget, 0)
    answer, parent = creation(fw, IoTargetAttributes, PLAIN, device)
    if answer < 0 or parent is None:
        return answer
    if not _leads_to(parent, device):
        return status.INVALID_DEVICE_REQUEST
    target = RemoteTarget(fw, parent, device)
    answer = commit(fw, target, IoTargetAttributes)
    if answer >= 0:
        m.set_u64(IoTarget, target.handle)
    return answer


def _leads_to(obj: Object | None, device: Object) -> bool:
    while obj is not None and obj is not device:
        obj = obj.parent
    return obj is device


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfIoTargetOpen(m: Machine, IoTarget: int, OpenParams: int) -> int:
    """Put a device behind a remote target. Facts: KMDF-IOT-02 to 07."""
    fw = framework(m)
    target = fw.get(IoTarget, RemoteTarget)
    fw.required(OpenParams, "OpenParams")
    params = m.view(OpenParams, "WDF_IO_TARGET_OPEN_PARAMS")
    if params.Size != m.sizeof("WDF_IO_TARGET_OPEN_PARAMS"):
        return status.INFO_LENGTH_MISMATCH
    answer, device, file_object, name = _device_to_open(fw, target, params)
    if answer < 0:
        return answer
    if target.target_state == DELETED or target.target_device:
        return status.INVALID_DEVICE_STATE
    if not device:
        return status.OBJECT_NAME_NOT_FOUND
    target.attach(device)
    target.file_object, target.opened_by_name = file_object, name or target.opened_by_name
    target.start()
    return 0


def _device_to_open(fw: Framework, target: RemoteTarget, params: Any) -> tuple[int, int, int, str]:
    """Status, DEVICE_OBJECT, FILE_OBJECT and name that the parameters mean. Facts: KMDF-IOT-03."""
    kind, file_object = params.Type, int(params.TargetFileObject)
    if kind == USE_EXISTING_DEVICE:
        device = int(params.TargetDeviceObject)
        callbacks = any(int(getattr(params, name)) for name in REMOVAL_CALLBACKS)
        if not device or (callbacks and not file_object):
            return status.INVALID_PARAMETER, 0, 0, ""
        return 0, device, file_object, ""
    if kind == BY_NAME:
        name = wdm.unicode_of(params.TargetDeviceName)
        if not name:
            return status.INVALID_PARAMETER, 0, 0, ""
        return 0, wdm.device_named(fw.m, name), wdm.file_object(fw.m), name
    if kind == REOPEN and target.opened_by_name:
        return 0, wdm.device_named(fw.m, target.opened_by_name), wdm.file_object(fw.m), target.opened_by_name
    return (status.INVALID_DEVICE_REQUEST if kind == REOPEN else status.INVALID_PARAMETER), 0, 0, ""


@wdk(irql=PASSIVE_LEVEL, lane="framework", waits=True)
def WdfIoTargetClose(m: Machine, IoTarget: int) -> Generator[Wait, Any, None]:
    """Close a remote target: cancel what is out, wait for it, let the device go. Facts: KMDF-IOT-08, 09."""
    target = framework(m).get(IoTarget, RemoteTarget)
    target.close(CLOSED)
    yield from _drained(target, ignored=True)


@wdk(irql=PASSIVE_LEVEL, lane="framework", waits=True)
def WdfIoTargetCloseForQueryRemove(m: Machine, IoTarget: int) -> Generator[Wait, Any, None]:
    """Close a remote target because its device may go. Facts: KMDF-IOT-12."""
    target = framework(m).get(IoTarget, RemoteTarget)
    target.close(CLOSED_FOR_QUERY_REMOVE)
    yield from _drained(target, ignored=True)


def _drained(target: _IoTarget, *, ignored: bool = False) -> Generator[Wait, Any, None]:
    """Wait until the last completion routine has returned. Facts: KMDF-CPL-06, KMDF-STA-12, KMDF-TSS-03."""

    def done() -> bool:
        out = target.io_count - len(target.pended) - (0 if ignored else len(target.ignored))
        return out <= 0

    if not done():
        yield Wait(done, None, ("WDFIOTARGET", target.address))


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetStart(m: Machine, IoTarget: int) -> int:
    """Send again; what was pended goes down before this returns. Facts: KMDF-STA-05, KMDF-TSS-01."""
    return framework(m).get(IoTarget, _IoTarget).start()


@wdk(irql=DISPATCH_LEVEL, lane="framework", waits=True)
def WdfIoTargetStop(m: Machine, IoTarget: int, Action: int) -> Generator[Wait, Any, None]:
    """Hold back further requests; the action says what becomes of those out. Facts: KMDF-STA-03, KMDF-TSS-02 to 05."""
    fw = framework(m)
    target = fw.get(IoTarget, _IoTarget)
    if Action not in (CANCEL_SENT, WAIT_FOR_SENT, LEAVE_SENT) or _too_high(fw, target, Action != LEAVE_SENT, "WdfIoTargetStop"):
        return
    if target.target_state in (STARTED, PURGED):
        target.set_state(STOPPED)
    if Action == CANCEL_SENT:
        target.cancel_all(target.sent)
    if Action != LEAVE_SENT:
        yield from _drained(target)


@wdk(irql=DISPATCH_LEVEL, lane="framework", waits=True)
def WdfIoTargetPurge(m: Machine, IoTarget: int, Action: int) -> Generator[Wait, Any, None]:
    """Refuse further requests, fail the pended ones, cancel those out. Facts: KMDF-STA-04, KMDF-TSS-04, 05, KMDF-PND-09."""
    fw = framework(m)
    target = fw.get(IoTarget, _IoTarget)
    if Action not in (PURGE_AND_WAIT, PURGE) or _too_high(fw, target, Action == PURGE_AND_WAIT, "WdfIoTargetPurge"):
        return
    if target.target_state in (STARTED, STOPPED):
        target.set_state(PURGED)
    target.fail_all_pended()
    target.cancel_all(target.sent)
    if Action == PURGE_AND_WAIT:
        yield from _drained(target)


def _too_high(fw: Framework, target: _IoTarget, waits: bool, function: str) -> bool:
    """Whether the verifier refuses a waiting form at this IRQL. Facts: KMDF-TSS-02, 04, RULE-34."""
    if not waits or fw.m.irql == PASSIVE_LEVEL or not fw.checking:
        return False
    fw.breakpoint("kmdf-passive-only", target, function=function)
    return True


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetGetState(m: Machine, IoTarget: int) -> int:
    """The WDF_IO_TARGET_STATE; Started also for a target that was never opened. Facts: KMDF-STA-02."""
    return framework(m).get(IoTarget, _IoTarget).target_state


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetGetDevice(m: Machine, IoTarget: int) -> int:
    """The device a target belongs to. Facts: KMDF-IOT-17."""
    return framework(m).get(IoTarget, _IoTarget).device.handle


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetWdmGetTargetDeviceObject(m: Machine, IoTarget: int) -> int:
    """The DEVICE_OBJECT behind a target, NULL once closed. Facts: KMDF-IOT-17."""
    return framework(m).get(IoTarget, _IoTarget).target_device


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetWdmGetTargetFileObject(m: Machine, IoTarget: int) -> int:
    """The FILE_OBJECT of a remote target, NULL for others. Facts: KMDF-IOT-17."""
    return framework(m).get(IoTarget, _IoTarget).file_object
