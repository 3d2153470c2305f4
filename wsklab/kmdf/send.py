"""WdfRequestSend in its three forms, and the check of its options.

The order of the checks is the framework's and is visible to a driver through WdfRequestGetStatus: request handle, options, target
handle, then what the form asks (KMDF-SND-01 to 06), then the target's own (`IoTarget.submit`). Only the synchronous form waits.

Facts: KMDF-SND, KMDF-OPT, KMDF-SYN, KMDF-SAF.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.core import wdf
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import FORGET, SYNCHRONOUS, TIMEOUT, IoTarget, Waiting, delay_until
from wsklab.machine import PASSIVE_LEVEL, Wait, status

VALID_FLAGS = 0xF


@wdf()
def WdfRequestSend(request: Request, target_handle: int, options: int) -> Generator[Wait, Any, int]:
    """Send a request: TRUE when it was sent or pended, FALSE when it stayed with the driver. Facts: KMDF-SND-01 to 27."""
    fw, m, flags, timeout = request.fw, request.m, 0, 0
    if options:
        given = m.view(options, "WDF_REQUEST_SEND_OPTIONS")
        size, flags = given.Size, given.Flags
        exclusive = not flags & FORGET or flags == FORGET
        if size != m.sizeof("WDF_REQUEST_SEND_OPTIONS") or flags & ~VALID_FLAGS or not exclusive:
            return _refused(request, status.INVALID_PARAMETER, "kmdf-send-options", flags=f"{flags:#x}", size=str(size))
        # A time without the flag is ignored (KMDF-OPT-06).
        timeout = given.Timeout if flags & TIMEOUT else 0
    target = fw.get(target_handle, IoTarget)
    if flags & FORGET:
        return _send_and_forget(request, target)
    if flags & SYNCHRONOUS:
        if m.irql > PASSIVE_LEVEL:
            fw.stop("kmdf-sync-send-irql", request)
    elif request.ownership == QUEUE and not request.routine:
        return _refused(request, status.INVALID_DEVICE_REQUEST, "kmdf-no-completion-routine")
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
    request.set_status(answer)
    request.fw.event("state", "not sent", request.address, request.irp, status=answer)
    if rule:
        request.fw.breakpoint(rule, request, **values)
    return 0


def _wait(request: Request, target: IoTarget, waiting: list[bool], timeout: int) -> Waiting:
    """Wait for the IRP of a synchronous send; a timeout cancels it and waits again without limit. Facts: KMDF-SYN-03, 06."""
    deadline = request.m.time + delay_until(request.fw, timeout) if timeout else None
    yield Wait(lambda: bool(waiting), deadline, ("WDFREQUEST", request.address))
    if not waiting:
        target.time_out(request)
    if not waiting:
        yield Wait(lambda: bool(waiting), None, ("WDFREQUEST", request.address))


def _send_and_forget(request: Request, target: IoTarget) -> int:
    """Pass a received request down and let go of it. Facts: KMDF-SAF-01 to 15, KMDF-SND-05."""
    fw, m, irp = request.fw, request.m, request.irp
    if request.ownership != QUEUE:
        return _refused(request, status.INVALID_DEVICE_STATE)
    if request.context is not None:
        return _refused(request, status.INVALID_DEVICE_REQUEST, "kmdf-forget-formatted")
    if request.routine:
        fw.breakpoint("kmdf-forget-with-routine", request)
    if not target.target_device:
        fw.stop("kmdf-irp-sent-to-nowhere", request, target=target.handle)
    if request.next_formatted:
        request.below.CompletionRoutine = request.below.Control = 0
    else:
        wdm.skip_location(m, irp)
    request.let_go("forgotten")
    fw.event("message", "send and forget", request.address, irp, target="device")
    wdm.call_driver(m, target.target_device, irp)
    request.gone()
    return 1
