"""WdfRequestSend in its three forms, and the check of its options.

The order of the checks is the framework's and is visible to a driver through WdfRequestGetStatus: request handle, options,
target handle, then what the form asks (KMDF-SND-01 to 06), then the target's own (`IoTarget.submit`). An asynchronous send
never waits; the function counts as one that can wait only because of the synchronous form.

Facts: KMDF-SND, KMDF-OPT, KMDF-SYN, KMDF-SAF.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.request import QUEUE, Request, SyncWait
from wsklab.kmdf.target import FORGET, SYNCHRONOUS, TIMEOUT, IoTarget, delay_until
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, Wait, status, wdk

VALID_FLAGS = 0xF


def options_status(fw: Framework, options: int) -> int:
    """The status of a WDF_REQUEST_SEND_OPTIONS. Facts: KMDF-OPT-02, 03."""
    if not options:
        return 0
    m, lay = fw.m, fw.layout
    if m.u32(options) != lay.options_size:
        return status.INFO_LENGTH_MISMATCH
    flags = m.u32(options + lay.options_flags)
    if flags & ~VALID_FLAGS or (flags & FORGET and flags != FORGET):
        return status.INVALID_PARAMETER
    return 0


@wdk(irql=DISPATCH_LEVEL, lane="framework", waits=True)
def WdfRequestSend(m: Machine, Request: int, Target: int, Options: int) -> Generator[Wait, Any, int]:
    """Send a request: TRUE when it was sent or pended, FALSE when it stayed with the driver. Facts: KMDF-SND-01 to 27."""
    fw = framework(m)
    request = fw.get(Request, _Request)
    flags = timeout = 0
    if Options:
        if options_status(fw, Options):
            request.set_status(status.INVALID_PARAMETER)
            fw.breakpoint(
                "kmdf-send-options", request, flags=f"{m.u32(Options + fw.layout.options_flags):#x}", size=m.u32(Options)
            )
            return 0
        flags = m.u32(Options + fw.layout.options_flags)
        # A time without the flag is ignored (KMDF-OPT-06).
        timeout = m.i64(Options + fw.layout.options_timeout) if flags & TIMEOUT else 0
    target = fw.get(Target, IoTarget)
    if flags & SYNCHRONOUS:
        return (yield from send_synchronously(fw, request, target, flags, timeout))
    if flags & FORGET:
        return send_and_forget(fw, request, target)
    if request.ownership == QUEUE and not request.routine:
        request.set_status(status.INVALID_DEVICE_REQUEST)
        fw.breakpoint("kmdf-no-completion-routine", request)
        return 0
    return send_asynchronously(fw, request, target, flags, timeout)


def send_asynchronously(fw: Framework, request: Request, target: IoTarget, flags: int, timeout: int) -> int:
    """Submit and pass down; what IoCallDriver returns is ignored. Facts: KMDF-SND-17, 18, 19."""
    answer, now = target.submit(request, flags, timeout)
    if answer:
        refused(fw, request, answer)
        return 0
    if now:
        target.send_down(request)
    return 1


def refused(fw: Framework, request: Request, answer: int) -> None:
    """WdfRequestSend is about to return FALSE: the IRP's status says why. Facts: KMDF-SND-17, 27."""
    request.set_status(answer)
    if fw.m.trace.on:
        fw.event("state", "not sent", request.address, request.irp, status=answer)


def send_synchronously(fw: Framework, request: Request, target: IoTarget, flags: int, timeout: int) -> Generator[Wait, Any, int]:
    """Submit, pass down and wait; a timeout cancels and waits again without limit. Facts: KMDF-SYN-01 to 07, KMDF-SND-22."""
    m = fw.m
    if m.irql > PASSIVE_LEVEL:
        fw.stop("kmdf-sync-send-irql", request)
    answer, now = target.submit(request, flags, timeout)
    if answer:
        refused(fw, request, answer)
        return 0
    waiting = request.sync = SyncWait()
    if now:
        target.send_down(request)
    if not waiting.done:
        deadline = m.time + delay_until(fw, timeout) if timeout else None
        yield Wait(lambda: waiting.done, deadline, ("WDFREQUEST", request.address))
        if not waiting.done:
            fw.event("state", "request timed out", request.address)
            request.timed_out = True
            request.cancel_sent()
            if not waiting.done:
                yield Wait(lambda: waiting.done, None, ("WDFREQUEST", request.address))
    return 1


def send_and_forget(fw: Framework, request: Request, target: IoTarget) -> int:
    """Pass a received request down and let go of it. Facts: KMDF-SAF-01 to 10, 12, 14, 15, KMDF-SND-05."""
    m = fw.m
    if request.ownership != QUEUE:
        request.set_status(status.INVALID_DEVICE_STATE)
        return 0
    if request.context is not None:
        request.set_status(status.INVALID_DEVICE_REQUEST)
        fw.breakpoint("kmdf-forget-formatted", request)
        return 0
    if request.routine:
        fw.breakpoint("kmdf-forget-with-routine", request)
    irp, queue = request.irp, request.queue
    device = target.target_device
    if not device:
        fw.stop("kmdf-irp-sent-to-nowhere", request, target=target.handle)
    if request.next_formatted:
        m.set_u64(request.next_location + fw.layout.sl_routine, 0)
        m.set_u8(request.next_location + fw.layout.sl_control, 0)
    else:
        wdm.skip_location(m, irp)
    request.death = "forgotten"
    request.dispose()
    request.irp, request.completed, request.driver_owned = 0, True, False
    if m.trace.on:
        m.trace.add("message", "send and forget", actor="framework", target="device", objects=(request.address, irp))
    wdm.call_driver(m, device, irp)
    request.give_up()
    if queue is not None:
        queue.returned(request)
    return 1


def format_using_current_type(fw: Framework, request: Request) -> None:
    """Facts: KMDF-FCU-01 to 06."""
    _room_below(fw, request)
    wdm.copy_location(fw.m, request.irp)
    request.next_formatted = request.formatted = True


def format_from_location(fw: Framework, request: Request, stack: int) -> None:
    """Facts: KMDF-FWD-01, 02."""
    fw.required(stack, "Stack")
    _room_below(fw, request)
    m, lay = fw.m, fw.layout
    m.memory.copy(request.next_location, stack, lay.sl_routine)
    m.set_u8(request.next_location + lay.sl_control, 0)
    request.next_formatted = request.formatted = True


def _room_below(fw: Framework, request: Request) -> None:
    """Facts: KMDF-FCU-02, RULE-15."""
    if not request.irp:
        fw.stop("kmdf-no-irp", request)
    if request.locations_left < 1 or not request.has_current_location:
        fw.stop("kmdf-no-stack-location", request, irp=request.irp)


_Request = Request
# The first parameter of WdfRequestSend carries the name of Microsoft's page; inside it the class goes by this name.
