"""Sending requests, completing received ones, and reaching the buffers that came with these.

The order of the checks is the framework's; a driver sees it through WdfRequestGetStatus (KMDF-SND-01 to 06). Only what a queue
presented can be completed (KMDF-WHO-03). Facts: KMDF-SND, KMDF-OPT, KMDF-SYN, KMDF-SAF, KMDF-CMP, KMDF-BUF, RULE-01 to RULE-07.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, wdf
from wsklab.kmdf.request import COMPLETED, QUEUE, Request
from wsklab.kmdf.target import ALL_FLAGS, FORGET, SYNCHRONOUS, TIMEOUT, IoTarget, RemoteTarget, Waiting
from wsklab.kmdf.wdm import MJ_DEVICE_CONTROL, TRANSFERS
from wsklab.machine import PASSIVE_LEVEL, Wait, status
from wsklab.machine.functions_locks import Locks
from wsklab.machine.functions_sync import deadline_of

FRAMEWORK_FACILITY = 0x20
TRANSLATED = {
    status.WDF_PAUSED: status.DEVICE_BUSY,
    status.WDF_BUSY: status.DEVICE_BUSY,
    status.WDF_INTERNAL_ERROR: status.INTERNAL_ERROR,
    status.WDF_NOT_ENOUGH_MAP_REGISTERS: status.INSUFFICIENT_RESOURCES,
}


@wdf()
def WdfRequestSend(request: Request, target_handle: int, options: int) -> Generator[Wait, Any, int]:
    """Send a request: TRUE when it was sent or pended, FALSE when not. Facts: KMDF-SND-01 to 23, 25 to 27, KMDF-OPT-01 to 07."""
    fw, m, flags, timeout = request.fw, request.m, 0, 0
    if options:
        given = m.view(options, "WDF_REQUEST_SEND_OPTIONS")
        size, flags = given.Size, given.Flags
        if size != m.sizeof("WDF_REQUEST_SEND_OPTIONS") or flags & ~ALL_FLAGS or (flags & FORGET and flags != FORGET):
            return _refused(request, status.INVALID_PARAMETER, "kmdf-send-options", flags=f"{flags:#x}", size=str(size))
        # A time without the flag is ignored (KMDF-OPT-06).
        timeout = given.Timeout if flags & TIMEOUT else 0
    target = fw.get(target_handle, IoTarget)
    if flags & FORGET:
        return _send_and_forget(request, target)
    if flags & SYNCHRONOUS:
        if m.irql > PASSIVE_LEVEL:
            fw.stop("kmdf-sync-send-irql", request)
        if not timeout:
            fw.relies("kmdf-sync-without-timeout", request)
    elif request.ownership == QUEUE and not request.routine[0]:
        return _refused(request, status.INVALID_DEVICE_REQUEST, "kmdf-no-completion-routine")
    if m.view(request.address, "FX_REQUEST").Cancelable:  # the queue's link and the target's are one (KMDF-SND-25, KMDF-WHO-08)
        fw.stop("kmdf-still-cancelable", request, function="WdfRequestSend")
    if fw.strict and m.model(Locks):
        fw.relies("kmdf-send-under-lock", request)
    answer, now = target.submit(request, flags, timeout)
    if answer:
        return _refused(request, answer)
    waiting: list[bool] = []
    if flags & SYNCHRONOUS:
        request.waiting = waiting
    # What IoCallDriver returns is ignored (KMDF-SND-18).
    if now:
        target.send_down(request)
    if flags & SYNCHRONOUS and not waiting:
        yield from _wait(request, target, waiting, timeout)
    return 1


def _refused(request: Request, answer: int, rule: str = "", **values: str) -> int:
    """WdfRequestSend is about to return FALSE: the IRP's status says why. Facts: KMDF-SND-17, 27."""
    request.packet.IoStatus.Status, request.refused = answer, True
    request.fw.event("state", "not sent", request.address, request.irp, status=answer)
    if rule:
        request.fw.breakpoint(rule, request, **values)
    return 0


def _wait(request: Request, target: IoTarget, waiting: list[bool], timeout: int) -> Waiting:
    """Wait for a synchronous send; a timeout cancels and waits on, unlimited. Facts: KMDF-SYN-01 to 06, 09, 10, KMDF-MIS-24."""
    deadline = deadline_of(request.m, timeout) if timeout else None
    yield Wait(lambda: bool(waiting), deadline, ("WDFREQUEST", request.address))
    if not waiting:
        target.time_out(request)
    if not waiting:
        yield Wait(lambda: bool(waiting), None, ("WDFREQUEST", request.address))


def _send_and_forget(request: Request, target: IoTarget) -> int:
    """Pass a received request down and let go of it. Facts: KMDF-SAF-01 to 16, KMDF-STA-13, RULE-19, KMDF-MIS-43."""
    fw, m, irp = request.fw, request.m, request.irp
    if request.ownership != QUEUE:
        return _refused(request, status.INVALID_DEVICE_STATE)
    if request.context is not None:
        return _refused(request, status.INVALID_DEVICE_REQUEST, "kmdf-forget-formatted")
    if request.routine[0]:
        fw.breakpoint("kmdf-forget-with-routine", request)
    if isinstance(target, RemoteTarget) and (target.name or target.file_object):
        fw.relies("kmdf-forget-to-opened-target", request, target=target.handle)
    if not target.target_device:
        fw.stop("kmdf-irp-sent-to-nowhere", request, target=target.handle)
    if request.next_formatted:
        request.location(1).CompletionRoutine = request.location(1).Control = 0
    else:
        wdm.skip_location(m, irp)
    request.let_go("kmdf-request-touched-after-send-and-forget")
    fw.event("message", "send and forget", request.address, irp, target="device")
    wdm.call_driver(m, target.target_device, irp)
    request.gone()
    return 1


def complete(fw: Framework, handle: int, value: int, information: int | None = None) -> None:
    """Complete a received request. Facts: KMDF-CMP-01 to 18."""
    if fw.dead.get(handle) == ("WDFREQUEST", COMPLETED):
        fw.stop_dead("kmdf-double-completion", handle)
    request = fw.get(handle, Request)
    if fw.checking and not _may_complete(request):
        return
    if request.ownership != QUEUE:
        # What happens without the verifier: a reference is dropped that nobody took (KMDF-CMP-15).
        request.completed = True
        request.release()
        return
    if request.outstanding:
        fw.stop("kmdf-completed-while-sent", request, irp=request.irp)
    if information is not None:
        request.packet.IoStatus.Information = information
    if (value >> 16) & 0xFFF == FRAMEWORK_FACILITY:  # the rest of the system does not know these (KMDF-CMP-08, 09, KMDF-MIS-35)
        value = TRANSLATED.get(value, status.INVALID_DEVICE_REQUEST)
    if fw.checking and value >= 0:
        _check_information(request)
    if request.context is not None:
        request.context.release()
    request.finish(value)


def _may_complete(request: Request) -> bool:
    """The verifier's tests; a failed one is a breakpoint, and then the call is ignored. Facts: KMDF-CMP-03, RULE-01, 02, 04."""
    checks = {
        "kmdf-completed-driver-created": request.ownership != QUEUE,
        "kmdf-double-completion": request.completed,
        "kmdf-completed-not-owned": not request.driver_owned,
    }
    broken = next((rule for rule, wrong in checks.items() if wrong), "")
    own = request.m.view(request.address, "FX_REQUEST")
    if not broken and own.Cancelable:
        request.fw.breakpoint("kmdf-still-cancelable", request, function="WdfRequestComplete")  # and goes on (KMDF-CMP-04)
    if not broken and own.CallbackDue:
        request.fw.stop("kmdf-completed-canceled", request, function="WdfRequestComplete")
    if broken:
        request.fw.breakpoint(broken, request)
    return not broken


def _check_information(request: Request) -> None:
    """Facts: KMDF-CMP-05 to 07, RULE-07."""
    here, information = request.location(), request.packet.IoStatus.Information
    allowed = here.Parameters.Read.Length if here.MajorFunction in TRANSFERS else None
    if here.MajorFunction == MJ_DEVICE_CONTROL and request.packet.RequestorMode:
        control = here.Parameters.DeviceIoControl
        allowed = control.OutputBufferLength or None
        if information and not allowed and not control.IoControlCode & 3:
            request.fw.breakpoint("kmdf-information-without-output", request, information=str(information))
    if allowed is not None and information > allowed:
        values = {"information": str(information), "allowed": str(allowed)}
        request.fw.stop("kmdf-information-too-large", request, irp=request.irp, **values)


wdf("WdfRequestComplete", text="Complete with the Information that is in the IRP. Facts: KMDF-CMP-01, 03, 12, 14.")(complete)
wdf("WdfRequestCompleteWithInformation", text="Set Information and complete. Facts: KMDF-CMP-01.")(complete)


@wdf()
def WdfRequestCompleteWithPriorityBoost(fw: Framework, handle: int, value: int, boost: int) -> None:
    """Complete; nobody's priority changes here. Facts: KMDF-CMP-02."""
    complete(fw, handle, value)
