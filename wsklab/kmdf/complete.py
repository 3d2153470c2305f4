"""Completing a received request, and reaching the buffers that came with it.

Only a request that a queue presented can be completed (KMDF-WHO-03). Completion runs in the framework's order: verifier, own
format given back, children and cleanup callbacks, the check that nothing still refers to the request's memory, and then the IRP
goes up.

Facts: KMDF-CMP, KMDF-BUF, RULE-01 to RULE-07.
"""

from __future__ import annotations

from collections.abc import Callable

from wsklab.kmdf import wdm
from wsklab.kmdf.layout import (
    METHOD_BUFFERED,
    METHOD_NEITHER,
    MJ_DEVICE_CONTROL,
    MJ_INTERNAL_DEVICE_CONTROL,
    MJ_READ,
    MJ_WRITE,
)
from wsklab.kmdf.memory import RequestMemory
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.request import QUEUE
from wsklab.kmdf.request import Request as _Request
from wsklab.kmdf.target import BUFFERED, DIRECT
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk

Place = tuple[int, int, int]
"""Address, size in bytes and MDL (0 for none) of one of a request's buffers."""


def complete(m: Machine, handle: int, value: int, information: int | None = None) -> None:
    """Complete a received request. Facts: KMDF-CMP-01 to 16."""
    fw = framework(m)
    if fw.dead.get(handle) == ("WDFREQUEST", "completed"):
        fw.stop_dead("kmdf-double-completion", handle)
    request = fw.get(handle, _Request)
    if fw.checking and not _may_complete(fw, request):
        return
    if request.ownership != QUEUE:
        # What happens without the verifier: a reference is dropped that nobody took (KMDF-CMP-15).
        request.completed = True
        request.release()
        return
    if request.outstanding:
        fw.stop("kmdf-completed-while-sent", request, irp=request.irp)
    lay = request.layout
    if information is not None:
        m.set_u64(request.irp + lay.irp_information, information)
    value = translate(value)
    if fw.checking and value >= 0:
        _check_information(fw, request)
    if request.context is not None:
        request.context.release(request)
    request.driver_owned = False
    request.death = "completed"
    request.dispose()
    held = sum(memory.references - 1 for memory in request.memories.values())
    if held:
        fw.stop("kmdf-memory-referenced", request, count=str(held), irp=request.irp)
    irp, queue = request.irp, request.queue
    request.irp, request.completed = 0, True
    wdm.complete(m, irp, value)
    request.give_up()
    if queue is not None:
        queue.returned(request)


def _may_complete(fw: Framework, request: _Request) -> bool:
    """The verifier's tests; a failed one is a breakpoint, and then the call is ignored. Facts: KMDF-CMP-03, RULE-01, 02, 04."""
    if request.ownership != QUEUE:
        fw.breakpoint("kmdf-completed-driver-created", request)
        return False
    if request.completed:
        fw.breakpoint("kmdf-double-completion", request)
        return False
    if not request.driver_owned:
        fw.breakpoint("kmdf-completed-not-owned", request)
        return False
    return True


def _check_information(fw: Framework, request: _Request) -> None:
    """Facts: KMDF-CMP-05, 06, RULE-07."""
    m, lay, here = fw.m, fw.layout, request.current_location
    major = m.u8(here + lay.sl_major)
    allowed: int | None = None
    if major in (MJ_READ, MJ_WRITE):
        allowed = m.u32(here + lay.sl_length)
    elif major == MJ_DEVICE_CONTROL and m.u8(request.irp + lay.irp_mode):
        allowed = m.u32(here + lay.sl_output_length) or None
    information = m.u64(request.irp + lay.irp_information)
    if allowed is not None and information > allowed:
        fw.stop("kmdf-information-too-large", request, irp=request.irp, information=str(information), allowed=str(allowed))


def translate(value: int) -> int:
    """A status of the framework's own facility as the rest of the system sees it. Facts: KMDF-CMP-08, 09."""
    if (value >> 16) & 0xFFF != 0x20:
        return value
    names = {
        status.WDF_PAUSED: status.DEVICE_BUSY,
        status.WDF_BUSY: status.DEVICE_BUSY,
        status.WDF_INTERNAL_ERROR: status.INTERNAL_ERROR,
        status.WDF_NOT_ENOUGH_MAP_REGISTERS: status.INSUFFICIENT_RESOURCES,
    }
    return names.get(value, status.INVALID_DEVICE_REQUEST)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestComplete(m: Machine, Request: int, Status: int) -> None:
    """Complete with the Information that is in the IRP. Facts: KMDF-CMP-01, 03, 12, 14."""
    complete(m, Request, Status)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestCompleteWithInformation(m: Machine, Request: int, Status: int, Information: int) -> None:
    """Set Information and complete. Facts: KMDF-CMP-01."""
    complete(m, Request, Status, Information)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestCompleteWithPriorityBoost(m: Machine, Request: int, Status: int, PriorityBoost: int) -> None:
    """Complete with the caller's boost, which has no effect here. Facts: KMDF-CMP-02."""
    complete(m, Request, Status)


# Buffers


def locate(request: _Request, which: str) -> tuple[int, Place]:
    """Status and place of the request's ``"input"`` or ``"output"`` buffer. Facts: KMDF-BUF-01, 02, 04, 05, 07."""
    m, lay, irp = request.m, request.layout, request.irp
    nowhere = (0, 0, 0)
    if request.completed:
        if request.framework.checking:
            request.framework.breakpoint("kmdf-request-touched-after-completion", request)
        return status.INTERNAL_ERROR, nowhere
    here = request.current_location
    major = m.u8(here + lay.sl_major)
    if major in (MJ_READ, MJ_WRITE):
        if (which == "output") != (major == MJ_READ) or request.queue is None:
            return status.INVALID_DEVICE_REQUEST, nowhere
        return _by_type(request, request.queue.device.io_type, m.u32(here + lay.sl_length))
    if major not in (MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL):
        return status.INVALID_DEVICE_REQUEST, nowhere
    method = m.u32(here + lay.sl_code) & 3
    length = m.u32(here + (lay.sl_output_length if which == "output" else lay.sl_input_length))
    if method == METHOD_NEITHER:
        if major == MJ_DEVICE_CONTROL and m.u8(irp + lay.irp_mode):
            return status.INVALID_DEVICE_REQUEST, nowhere
        return 0, (m.u64(irp + lay.irp_user_buffer) if which == "output" else m.u64(here + lay.sl_type3), length, 0)
    direct = which == "output" and method != METHOD_BUFFERED
    return _by_type(request, DIRECT if direct else BUFFERED, length)


def _by_type(request: _Request, io_type: int, length: int) -> tuple[int, Place]:
    m, lay, irp = request.m, request.layout, request.irp
    if io_type == BUFFERED:
        return 0, (m.u64(irp + lay.irp_system_buffer), length, 0)
    if io_type == DIRECT:
        mdl = m.u64(irp + lay.irp_mdl)
        return 0, (wdm.mapped(m, mdl) if mdl else 0, length, mdl)
    return status.INVALID_DEVICE_REQUEST, (0, 0, 0)


def checked(m: Machine, handle: int, which: str, minimum: int) -> tuple[int, _Request, Place]:
    """Find a buffer and compare its length with what the driver needs. Facts: KMDF-BUF-02, KMDF-CRE-04."""
    fw = framework(m)
    request = fw.get(handle, _Request)
    if not request.completed and (not request.irp or not request.has_current_location):
        fw.breakpoint("kmdf-request-parameters", request)
        return status.INVALID_DEVICE_REQUEST, request, (0, 0, 0)
    answer, place = locate(request, which)
    if answer >= 0 and (not place[1] or place[1] < minimum):
        answer = status.BUFFER_TOO_SMALL
    return answer, request, place


def retrieve_memory(m: Machine, handle: int, which: str, out: int) -> int:
    """The memory object embedded in the request. Facts: KMDF-BUF-08, 09, 10, KMDF-OBJ-26."""
    fw = framework(m)
    fw.required(out, "Memory")
    m.set_u64(out, 0)
    answer, request, _ = checked(m, handle, which, 0)
    if answer < 0:
        return answer
    memory = request.memories.get(which)
    if memory is None:
        memory = RequestMemory(fw, request, _finder(request, which), read_only=_read_only(request, which))
        request.memories[which] = memory
    m.set_u64(out, memory.handle)
    return 0


def _finder(request: _Request, which: str) -> Callable[[], Place]:
    return lambda: locate(request, which)[1]


def _read_only(request: _Request, which: str) -> bool:
    """Facts: KMDF-BUF-10."""
    m, lay, here = request.m, request.layout, request.current_location
    major = m.u8(here + lay.sl_major)
    if major in (MJ_READ, MJ_WRITE):
        return major == MJ_WRITE
    method = m.u32(here + lay.sl_code) & 3
    return method in (1, 2) if which == "input" else method == 1


def retrieve_buffer(m: Machine, handle: int, which: str, minimum: int, buffer: int, length: int) -> int:
    """Address and length of a buffer. Facts: KMDF-BUF-02, 03."""
    fw = framework(m)
    fw.required(buffer, "Buffer")
    m.set_u64(buffer, 0)
    if length:
        m.set_u64(length, 0)
    answer, _, place = checked(m, handle, which, minimum)
    if answer >= 0:
        m.set_u64(buffer, place[0])
        if length:
            m.set_u64(length, place[1])
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestRetrieveInputMemory(m: Machine, Request: int, Memory: int) -> int:
    """The request's input as a memory object. Facts: KMDF-BUF-01, 08."""
    return retrieve_memory(m, Request, "input", Memory)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestRetrieveOutputMemory(m: Machine, Request: int, Memory: int) -> int:
    """The request's output buffer as a memory object. Facts: KMDF-BUF-01, 08."""
    return retrieve_memory(m, Request, "output", Memory)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestRetrieveInputBuffer(m: Machine, Request: int, MinimumRequiredLength: int, Buffer: int, Length: int) -> int:
    """The request's input buffer. Facts: KMDF-BUF-01 to 06."""
    return retrieve_buffer(m, Request, "input", MinimumRequiredLength, Buffer, Length)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfRequestRetrieveOutputBuffer(m: Machine, Request: int, MinimumRequiredSize: int, Buffer: int, Length: int) -> int:
    """The request's output buffer. Facts: KMDF-BUF-01 to 06."""
    return retrieve_buffer(m, Request, "output", MinimumRequiredSize, Buffer, Length)
