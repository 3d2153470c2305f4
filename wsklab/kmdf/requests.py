"""The WdfRequest* functions of a request's life: create, prepare, reuse, cancel, and what it says about itself.

Each function is the framework's order of checks and nothing else; the work is in `request`, `target` and `send`.

Facts: KMDF-CRE, KMDF-CFI, KMDF-CRT, KMDF-CAN, KMDF-REU, KMDF-GET, KMDF-TMO.
"""

from __future__ import annotations

from wsklab.kmdf import wdm
from wsklab.kmdf.api import commit, create, creation, getters, handle_of, wdf
from wsklab.kmdf.layout import METHOD_NEITHER, MJ_DEVICE_CONTROL, TYPE_NO_FORMAT
from wsklab.kmdf.objects import Framework
from wsklab.kmdf.request import DRIVER, OWNED, QUEUE, Request
from wsklab.kmdf.target import IoTarget
from wsklab.machine import status

SET_NEW_IRP, MUST_COMPLETE = 1, 2


@wdf()
def WdfRequestCreate(fw: Framework, attributes: int, target: IoTarget | None, out: int) -> int:
    """A request of the driver's own; with a target it has an IRP of that target's stack size. Facts: KMDF-CRE-01 to 06."""
    fw.required(out, "Request")
    fw.m.set_u64(out, 0)
    answer, parent = creation(fw, attributes)
    if answer < 0 or fw.fails("WdfRequestCreate"):
        return answer if answer < 0 else status.INSUFFICIENT_RESOURCES
    request = Request(fw, parent)
    answer = request.target_check(target) if target else 0
    if answer < 0:
        request.delete()
        return answer
    return commit(fw, request, attributes, out)


@wdf()
def WdfRequestCreateFromIrp(fw: Framework, attributes: int, irp: int, frees: int, out: int) -> int:
    """A request around an IRP of the driver's. Facts: KMDF-CFI-01, 02."""
    fw.required(irp, "Irp")
    return create(fw, attributes, out, lambda parent: Request(fw, parent, OWNED if frees else DRIVER, irp), name="Request")


@wdf()
def WdfRequestChangeTarget(fw: Framework, request: Request, target: IoTarget) -> int:
    """Make sure that the request can be sent to a target; it un-formats the request. Facts: KMDF-CHG-01 to 14."""
    return request.target_check(target)


def _room_below(fw: Framework, request: Request) -> None:
    """Facts: KMDF-FCU-02, RULE-15."""
    if not request.irp:
        fw.stop("kmdf-no-irp", request)
    if request.locations_left < 1 or not request.has_current_location:
        fw.stop("kmdf-no-stack-location", request, irp=request.irp)


@wdf()
def WdfRequestFormatRequestUsingCurrentType(fw: Framework, request: Request) -> None:
    """Pass a received request on as it is. Facts: KMDF-FCU-01 to 07."""
    _room_below(fw, request)
    wdm.copy_location(fw.m, request.irp, request.current_location)
    request.next_formatted = request.formatted = True


@wdf()
def WdfRequestWdmFormatUsingStackLocation(fw: Framework, request: Request, stack: int) -> None:
    """Pass a request on with a stack location of the driver's. Facts: KMDF-FWD-01, 02."""
    fw.required(stack, "Stack")
    _room_below(fw, request)
    wdm.copy_location(fw.m, request.irp, stack)
    request.next_formatted = request.formatted = True


@wdf()
def WdfRequestSetCompletionRoutine(fw: Framework, request: Request, routine: int, context: int) -> None:
    """Register the routine for the next send only; NULL removes it. Facts: KMDF-CRT-01, 02."""
    request.routine, request.routine_context = routine, context


@wdf()
def WdfRequestAllocateTimer(fw: Framework, request: Request) -> int:
    """Make the timer now, so that a send with a timeout cannot fail for lack of memory. Facts: KMDF-TMO-06."""
    request.has_timer = request.has_timer or not fw.fails()
    return 0 if request.has_timer else status.INSUFFICIENT_RESOURCES


@wdf()
def WdfRequestReuse(fw: Framework, request: Request, params: int) -> int:
    """Make a request fit for another use. Facts: KMDF-REU-02 to 18, RULE-22, 25."""
    fw.required(params, "ReuseParams")
    m, lay = fw.m, fw.layout
    flags = m.u32(params + lay.reuse_flags)
    if m.u32(params) != lay.reuse_size or flags & ~(SET_NEW_IRP | MUST_COMPLETE):
        return status.INVALID_PARAMETER
    if flags & MUST_COMPLETE:
        m.not_modelled("WdfRequestReuse with the must-complete flag")
    if request.outstanding:
        fw.breakpoint("kmdf-reused-while-sent", request, irp=request.irp)
    request.routine = request.routine_context = 0
    if request.irp and request.context is not None:
        request.context.release(request)
    if flags & SET_NEW_IRP:
        if request.ownership == QUEUE:
            return status.WDF_REQUEST_INVALID_STATE
        request.replace_irp(m.u64(params + lay.reuse_irp), DRIVER)
    if request.irp:
        request.reinitialise(m.i32(params + lay.reuse_status))
        request.completed = False
    request.cancelled = False
    return 0


# What a request says about itself


def _wrong_size(request: Request, structure: str, size: int) -> bool:
    """Facts: KMDF-CON-23, RULE-26."""
    expected = request.m.sizeof(structure)
    if size != expected:
        values = {"structure": structure, "size": str(size), "expected": str(expected)}
        request.framework.breakpoint("kmdf-structure-size", request, **values)
    return size != expected


@wdf()
def WdfRequestGetCompletionParams(fw: Framework, request: Request, params: int) -> None:
    """A copy of the completion params of a formatted request. Facts: KMDF-GET-05, 06, RULE-26."""
    fw.required(params, "Params")
    m, lay = fw.m, fw.layout
    if _wrong_size(request, "WDF_REQUEST_COMPLETION_PARAMS", m.u32(params)):
        return
    if request.context is not None:
        m.write(params, m.read(request.context.params, lay.cp_size))
        return
    m.write(params + 4, bytes(lay.cp_size - 4))
    m.set_u32(params + lay.cp_type, TYPE_NO_FORMAT)
    fw.breakpoint("kmdf-completion-params", request)


@wdf()
def WdfRequestGetParameters(fw: Framework, request: Request, params: int) -> None:
    """What a received request asks for. Facts: KMDF-GET-07 to 09, RULE-27, KMDF-CRE-04."""
    fw.required(params, "Parameters")
    m, lay = fw.m, fw.layout
    out = m.view(params, "WDF_REQUEST_PARAMETERS")
    if _wrong_size(request, "WDF_REQUEST_PARAMETERS", out.Size) or unreadable(request):
        return
    here = request.current_location
    m.write(params + m.offset("WDF_REQUEST_PARAMETERS", "Parameters"), m.read(here + lay.sl_length, 32))
    out.Type, out.MinorFunction = m.u8(here + lay.sl_major), m.u8(here + lay.sl_minor)
    if fw.checking and out.Type == MJ_DEVICE_CONTROL and m.u32(here + lay.sl_code) & 3 == METHOD_NEITHER:
        out.Parameters.DeviceIoControl.Type3InputBuffer = 0


def unreadable(request: Request) -> bool:
    """Whether parameters and buffers cannot be asked for; a breakpoint then. Facts: KMDF-CRE-04, RULE-27, 28, KMDF-MIS-13."""
    if request.completed and request.ownership == QUEUE:
        request.framework.breakpoint("kmdf-request-touched-after-completion", request)
    elif not request.has_current_location:
        request.framework.breakpoint("kmdf-request-parameters", request)
    return not request.has_current_location


def _irp_of(request: Request) -> int:
    if request.completed and request.ownership == QUEUE and request.framework.checking:
        unreadable(request)
    return request.irp


def _information(request: Request) -> int:
    hidden = request.completed and request.framework.checking
    return 0 if hidden else request.m.u64(request.irp + request.layout.irp_information)


def _is_cancelled(request: Request) -> int:
    if request.framework.checking and not request.driver_owned:
        return 0
    return int(request.cancelled or bool(request.m.u8(request.irp + request.layout.irp_cancel)))


@wdf()
def WdfRequestSetInformation(fw: Framework, request: Request, information: int) -> None:
    """Set the IRP's Information. Facts: KMDF-GET-04."""
    fw.m.set_u64(request.irp + fw.layout.irp_information, information)


getters("Request", {
    "WdfRequestCancelSentRequest": (
        "Ask for the cancellation of a sent request; TRUE when a cancel routine was called. Facts: KMDF-CAN-01 to 08.",
        Request.cancel_sent,
    ),
    "WdfRequestGetStatus": (
        "The IRP's status as it stands. Facts: KMDF-GET-01 to 03.", lambda r: r.m.i32(r.irp + r.layout.irp_status)
    ),
    "WdfRequestGetInformation": ("The IRP's Information. Facts: KMDF-GET-04.", _information),
    "WdfRequestWdmGetIrp": ("The request's IRP. Facts: KMDF-GET-10, RULE-27, KMDF-CHG-07.", _irp_of),
    "WdfRequestGetIoQueue": (
        "The queue that presented the request, NULL for one of the driver's own. Facts: KMDF-GET-11.",
        lambda r: 0 if r.completed else handle_of(r.queue),
    ),
    "WdfRequestGetRequestorMode": (
        "KernelMode 0 or UserMode 1. Facts: KMDF-GET-12.", lambda r: r.m.u8(r.irp + r.layout.irp_mode)
    ),
    "WdfRequestIsCanceled": ("Whether the request's sender has cancelled it. Facts: KMDF-MCA-08.", _is_cancelled),
})  # fmt: skip
