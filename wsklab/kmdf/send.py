"""WdfRequestSend in its three forms, and the check of its options.

The order of the checks is the framework's and is visible to a driver through WdfRequestGetStatus: request handle, options, target
handle, then what the form asks (KMDF-SND-01 to 06), then the target's own (`IoTarget.submit`). Only the synchronous form waits.

Facts: KMDF-SND, KMDF-OPT, KMDF-SYN, KMDF-SAF.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.api import wdf
from wsklab.kmdf.objects import Framework
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import FORGET, SYNCHRONOUS, TIMEOUT, IoTarget, delay_until
from wsklab.machine import PASSIVE_LEVEL, Wait, status

VALID_FLAGS = 0xF


@wdf()
def WdfRequestSend(fw: Framework, request: Request, target_handle: int, options: int) -> Generator[Wait, Any, int]:
    """Send a request: TRUE when it was sent or pended, FALSE when it stayed with the driver. Facts: KMDF-SND-01 to 27."""
    m, lay, flags, timeout = fw.m, fw.layout, 0, 0
    if options:
        size, flags = m.u32(options), m.u32(options + lay.options_flags)
        if size != lay.options_size or flags & ~VALID_FLAGS or (flags & FORGET and flags != FORGET):
            return _refused(fw, request, status.INVALID_PARAMETER, "kmdf-send-options", flags=f"{flags:#x}", size=str(size))
        # A time without the flag is ignored (KMDF-OPT-06).
        timeout = m.i64(options + lay.options_timeout) if flags & TIMEOUT else 0
    target = fw.get(target_handle, IoTarget)
    if flags & FORGET:
        return _send_and_forget(fw, request, target)
    if flags & SYNCHRONOUS:
        if m.irql > PASSIVE_LEVEL:
            fw.stop("kmdf-sync-send-irql", request)
    elif request.ownership == QUEUE and not request.routine:
        return _refused(fw, request, status.INVALID_DEVICE_REQUEST, "kmdf-no-completion-routine")
    answer, now = target.submit(request, flags, timeout)
    if answer:
        return _refused(fw, request, answer)
    waiting: list[bool] = []
    if flags & SYNCHRONOUS:
        request.waiting = waiting
    # What IoCallDriver returns is ignored (KMDF-SND-18).
    if now:
        target.send_down(request)
    if flags & SYNCHRONOUS and not waiting:
        yield from _wait(fw, request, target, waiting, timeout)
    return 1


def _refused(fw: Framework, request: Request, answer: int, rule: str = "", **values: str) -> int:
    """WdfRequestSend is about to return FALSE: the IRP's status says why. Facts: KMDF-SND-17, 27."""
    request.set_status(answer)
    fw.event("state", "not sent", request.address, request.irp, status=answer)
    if rule:
        fw.breakpoint(rule, request, **values)
    return 0


def _wait(
    fw: Framework, request: Request, target: IoTarget, waiting: list[bool], timeout: int
) -> Generator[Wait, Any, None]:  # fmt: skip
    """Wait for the IRP of a synchronous send; a timeout cancels it and waits again without limit. Facts: KMDF-SYN-03, 06."""
    deadline = fw.m.time + delay_until(fw, timeout) if timeout else None
    yield Wait(lambda: bool(waiting), deadline, ("WDFREQUEST", request.address))
    if not waiting:
        target.time_out(request)
    if not waiting:
        yield Wait(lambda: bool(waiting), None, ("WDFREQUEST", request.address))


def _send_and_forget(fw: Framework, request: Request, target: IoTarget) -> int:
    """Pass a received request down and let go of it. Facts: KMDF-SAF-01 to 15, KMDF-SND-05."""
    m, irp, queue = fw.m, request.irp, request.queue
    if request.ownership != QUEUE:
        return _refused(fw, request, status.INVALID_DEVICE_STATE)
    if request.context is not None:
        return _refused(fw, request, status.INVALID_DEVICE_REQUEST, "kmdf-forget-formatted")
    if request.routine:
        fw.breakpoint("kmdf-forget-with-routine", request)
    if not target.target_device:
        fw.stop("kmdf-irp-sent-to-nowhere", request, target=target.handle)
    if request.next_formatted:
        m.set_u64(request.next_location + fw.layout.sl_routine, 0)
        m.set_u8(request.next_location + fw.layout.sl_control, 0)
    else:
        wdm.skip_location(m, irp)
    request.death = "forgotten"
    request.dispose()
    request.irp, request.completed, request.driver_owned = 0, True, False
    fw.event("message", "send and forget", request.address, irp, target="device")
    wdm.call_driver(m, target.target_device, irp)
    request.give_up()
    if queue is not None:
        queue.returned(request)
    return 1
