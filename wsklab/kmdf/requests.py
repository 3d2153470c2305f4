"""The WdfRequest* functions of a request's life: create, prepare, reuse, cancel, and what it says about itself.

Each function is the framework's order of checks and nothing else; the work is in `request`, `target` and `send`.

Facts: KMDF-CRE, KMDF-CFI, KMDF-CRT, KMDF-CAN, KMDF-REU, KMDF-GET, KMDF-TMO.
"""

from __future__ import annotations

from wsklab.kmdf.attributes import PLAIN, commit, creation
from wsklab.kmdf.layout import METHOD_NEITHER, MJ_DEVICE_CONTROL, TYPE_NO_FORMAT
from wsklab.kmdf.objects import framework
from wsklab.kmdf.request import DRIVER, OWNED, QUEUE
from wsklab.kmdf.request import Request as _Request
from wsklab.kmdf.send import format_from_location, format_using_current_type
from wsklab.kmdf.target import IoTarget as _IoTarget
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk

SET_NEW_IRP, MUST_COMPLETE = 1, 2


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestCreate(m: Machine, RequestAttributes: int, IoTarget: int, Request: int) -> int:
    """A request of the driver's own; with a target it has an IRP of that target's stack size. Facts: KMDF-CRE-01 to 06."""
    fw = framework(m)
    target = fw.get_or_none(IoTarget, _IoTarget)
    fw.required(Request, "Request")
    m.set_u64(Request, 0)
    answer, parent = creation(fw, RequestAttributes, PLAIN)
    if answer < 0:
        return answer
    if m.choose("WdfRequestCreate", ("succeeds", "fails")) == "fails":
        return status.INSUFFICIENT_RESOURCES
    request = _Request(fw, parent)
    if target is not None:
        answer = request.target_check(target)
        if answer < 0:
            request.delete()
            return answer
    answer = commit(fw, request, RequestAttributes)
    if answer >= 0:
        m.set_u64(Request, request.handle)
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestCreateFromIrp(m: Machine, RequestAttributes: int, Irp: int, RequestFreesIrp: int, Request: int) -> int:
    """A request around an IRP of the driver's. Facts: KMDF-CFI-01, 02."""
    fw = framework(m)
    fw.required(Irp, "Irp")
    fw.required(Request, "Request")
    m.set_u64(Request, 0)
    answer, parent = creation(fw, RequestAttributes, PLAIN)
    if answer < 0:
        return answer
    request = _Request(fw, parent, OWNED if RequestFreesIrp else DRIVER, Irp)
    answer = commit(fw, request, RequestAttributes)
    if answer >= 0:
        m.set_u64(Request, request.handle)
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestChangeTarget(m: Machine, Request: int, IoTarget: int) -> int:
    """Make sure that the request can be sent to a target; it un-formats the request. Facts: KMDF-CHG-01 to 14."""
    fw = framework(m)
    request = fw.get(Request, _Request)
    target = fw.get(IoTarget, _IoTarget)
    if request.outstanding:
        fw.stop("kmdf-formatted-while-sent", request, irp=request.irp)
    return request.target_check(target)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestFormatRequestUsingCurrentType(m: Machine, Request: int) -> None:
    """Pass a received request on as it is. Facts: KMDF-FCU-01 to 07."""
    fw = framework(m)
    format_using_current_type(fw, fw.get(Request, _Request))


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestWdmFormatUsingStackLocation(m: Machine, Request: int, Stack: int) -> None:
    """Pass a request on with a stack location of the driver's. Facts: KMDF-FWD-01, 02."""
    fw = framework(m)
    format_from_location(fw, fw.get(Request, _Request), Stack)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestSetCompletionRoutine(m: Machine, Request: int, CompletionRoutine: int, CompletionContext: int) -> None:
    """Register the routine for the next send only; NULL removes it. Facts: KMDF-CRT-01, 02."""
    request = framework(m).get(Request, _Request)
    request.routine, request.routine_context = CompletionRoutine, CompletionContext


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestAllocateTimer(m: Machine, Request: int) -> int:
    """Make the timer now, so that a send with a timeout cannot fail for lack of memory. Facts: KMDF-TMO-06."""
    request = framework(m).get(Request, _Request)
    if not request.has_timer and m.choose("framework allocation", ("succeeds", "fails")) == "fails":
        return status.INSUFFICIENT_RESOURCES
    request.has_timer = True
    return 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestCancelSentRequest(m: Machine, Request: int) -> int:
    """Ask for the cancellation of a sent request; TRUE when a cancel routine was called. Facts: KMDF-CAN-01 to 08."""
    return framework(m).get(Request, _Request).cancel_sent()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestReuse(m: Machine, Request: int, ReuseParams: int) -> int:
    """Make a request fit for another use. Facts: KMDF-REU-02 to 18, RULE-22, 25."""
    fw = framework(m)
    request = fw.get(Request, _Request)
    fw.required(ReuseParams, "ReuseParams")
    lay = fw.layout
    size, flags = m.u32(ReuseParams), m.u32(ReuseParams + lay.reuse_flags)
    if size != lay.reuse_size or flags & ~(SET_NEW_IRP | MUST_COMPLETE):
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
        request.replace_irp(m.u64(ReuseParams + lay.reuse_irp))
    if request.irp:
        request.reinitialise(m.i32(ReuseParams + lay.reuse_status))
        request.completed = False
    request.cancelled = False
    return 0


# What a request says about itself


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestGetStatus(m: Machine, Request: int) -> int:
    """The IRP's status as it stands. Facts: KMDF-GET-01 to 03."""
    request = framework(m).get(Request, _Request)
    return m.i32(request.irp + request.layout.irp_status)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestGetInformation(m: Machine, Request: int) -> int:
    """The IRP's Information. Facts: KMDF-GET-04."""
    request = framework(m).get(Request, _Request)
    if request.framework.checking and request.completed:
        return 0
    return m.u64(request.irp + request.layout.irp_information)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestSetInformation(m: Machine, Request: int, Information: int) -> None:
    """Set the IRP's Information. Facts: KMDF-GET-04."""
    request = framework(m).get(Request, _Request)
    m.set_u64(request.irp + request.layout.irp_information, Information)


def _wrong_size(request: _Request, structure: str, size: int) -> None:
    """Facts: KMDF-CON-23, RULE-26."""
    expected = str(request.m.sizeof(structure))
    request.framework.breakpoint("kmdf-structure-size", request, structure=structure, size=str(size), expected=expected)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestGetCompletionParams(m: Machine, Request: int, Params: int) -> None:
    """A copy of the completion params of a formatted request. Facts: KMDF-GET-05, 06, RULE-26."""
    fw = framework(m)
    request = fw.get(Request, _Request)
    fw.required(Params, "Params")
    size = fw.layout.cp_size
    if m.u32(Params) != size:
        _wrong_size(request, "WDF_REQUEST_COMPLETION_PARAMS", m.u32(Params))
        return
    if request.context is None:
        m.write(Params, bytes(size))
        m.set_u32(Params, size)
        m.set_u32(Params + fw.layout.cp_type, TYPE_NO_FORMAT)
        fw.breakpoint("kmdf-completion-params", request)
        return
    m.write(Params, m.read(request.context.params, size))


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestGetParameters(m: Machine, Request: int, Parameters: int) -> None:
    """What a received request asks for. Facts: KMDF-GET-07 to 09, RULE-27, KMDF-CRE-04."""
    fw = framework(m)
    request = fw.get(Request, _Request)
    fw.required(Parameters, "Parameters")
    out = m.view(Parameters, "WDF_REQUEST_PARAMETERS")
    if out.Size != m.sizeof("WDF_REQUEST_PARAMETERS"):
        _wrong_size(request, "WDF_REQUEST_PARAMETERS", out.Size)
        return
    if request.completed:
        fw.breakpoint("kmdf-request-touched-after-completion", request)
        return
    if not request.has_current_location:
        fw.breakpoint("kmdf-request-parameters", request)
        return
    lay, here = fw.layout, request.current_location
    major, code = m.u8(here + lay.sl_major), 0
    start = m.offset("WDF_REQUEST_PARAMETERS", "Parameters")
    m.write(Parameters + start, m.read(here + lay.sl_length, 32))
    out.Type, out.MinorFunction = major, m.u8(here + lay.sl_minor)
    if major == MJ_DEVICE_CONTROL:
        code = m.u32(here + lay.sl_code)
        if fw.checking and code & 3 == METHOD_NEITHER:
            out.Parameters.DeviceIoControl.Type3InputBuffer = 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestWdmGetIrp(m: Machine, Request: int) -> int:
    """The request's IRP. Facts: KMDF-GET-10, RULE-27, KMDF-CHG-07."""
    fw = framework(m)
    request = fw.get(Request, _Request)
    if fw.checking and request.completed and request.ownership == QUEUE:
        fw.breakpoint("kmdf-request-touched-after-completion", request)
        return 0
    return request.irp


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestGetIoQueue(m: Machine, Request: int) -> int:
    """The queue that presented the request, NULL for one of the driver's own. Facts: KMDF-GET-11."""
    request = framework(m).get(Request, _Request)
    return request.queue.handle if request.queue and not request.completed else 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestGetRequestorMode(m: Machine, Request: int) -> int:
    """KernelMode 0 or UserMode 1. Facts: KMDF-GET-12."""
    request = framework(m).get(Request, _Request)
    return m.u8(request.irp + request.layout.irp_mode)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestIsCanceled(m: Machine, Request: int) -> int:
    """Whether the request's sender has cancelled it. Facts: KMDF-MCA-08."""
    request = framework(m).get(Request, _Request)
    if request.framework.checking and (not request.driver_owned):
        return 0
    return int(bool(m.u8(request.irp + request.layout.irp_cancel)) or request.cancelled)
