"""Sending requests. The order of the checks is the framework's; a driver sees it through WdfRequestGetStatus (KMDF-SND-01 to 06).

Facts: KMDF-SND, KMDF-OPT, KMDF-SYN. Completing and send-and-forget are C in include/wdfcomplete.c.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf.core import wdf
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import ALL_FLAGS, FORGET, SYNCHRONOUS, TIMEOUT, IoTarget, Waiting
from wsklab.machine import PASSIVE_LEVEL, Wait, status
from wsklab.machine.functions_locks import Locks
from wsklab.machine.functions_sync import deadline_of


@wdf()
def WdfRequestSend(request: Request, target_handle: int, options: int) -> Generator[Wait, Any, int]:
    """Send a request: TRUE when it was sent or pended, FALSE when not. Facts: KMDF-SND-01 to 23, 25 to 27, KMDF-OPT-01 to 07."""
    fw, m, flags, timeout = request.fw, request.m, 0, 0
    if options:
        given = m.view(options, "WDF_REQUEST_SEND_OPTIONS")
        size, flags = given.Size, given.Flags
        if size != m.sizeof("WDF_REQUEST_SEND_OPTIONS") or flags & ~ALL_FLAGS or (flags & FORGET and flags != FORGET):
            return request.refuse(status.INVALID_PARAMETER, "kmdf-send-options", flags=f"{flags:#x}", size=str(size))
        # A time without the flag is ignored (KMDF-OPT-06).
        timeout = given.Timeout if flags & TIMEOUT else 0
    target = fw.get(target_handle, IoTarget)
    if flags & FORGET:
        return fw.c("wsklab_request_forget", request.handle, target.handle)
    if flags & SYNCHRONOUS:
        if m.irql > PASSIVE_LEVEL:
            fw.stop("kmdf-sync-send-irql", request)
        if not timeout:
            fw.relies("kmdf-sync-without-timeout", request)
    elif request.ownership == QUEUE and not request.routine[0]:
        return request.refuse(status.INVALID_DEVICE_REQUEST, "kmdf-no-completion-routine")
    if m.view(request.address, "FX_REQUEST").Cancelable:  # the queue's link and the target's are one (KMDF-SND-25, KMDF-WHO-08)
        fw.stop("kmdf-still-cancelable", request, function="WdfRequestSend")
    if fw.strict and m.model(Locks):
        fw.relies("kmdf-send-under-lock", request)
    answer, now = target.submit(request, flags, timeout)
    if answer:
        return request.refuse(answer)
    waiting: list[bool] = []
    if flags & SYNCHRONOUS:
        request.waiting = waiting
    # What IoCallDriver returns is ignored (KMDF-SND-18).
    if now:
        target.send_down(request)
    if flags & SYNCHRONOUS and not waiting:
        yield from _wait(request, target, waiting, timeout)
    return 1


def _wait(request: Request, target: IoTarget, waiting: list[bool], timeout: int) -> Waiting:
    """Wait for a synchronous send; a timeout cancels and waits on, unlimited. Facts: KMDF-SYN-01 to 06, 09, 10, KMDF-MIS-24."""
    deadline = deadline_of(request.m, timeout) if timeout else None
    yield Wait(lambda: bool(waiting), deadline, ("WDFREQUEST", request.address))
    if not waiting:
        target.time_out(request)
    if not waiting:
        yield Wait(lambda: bool(waiting), None, ("WDFREQUEST", request.address))
