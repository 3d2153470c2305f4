"""Completing a received request, and reaching the buffers that came with it.

Only a request that a queue presented can be completed (KMDF-WHO-03). Completion runs in the framework's order: verifier, own
format given back, children and cleanup callbacks, the check that nothing still refers to the request's memory, and then the IRP
goes up.

Facts: KMDF-CMP, KMDF-BUF, RULE-01 to RULE-07.
"""

from __future__ import annotations

from wsklab.kmdf import wdm
from wsklab.kmdf.api import wdf
from wsklab.kmdf.layout import METHOD_NEITHER, MJ_DEVICE_CONTROL, MJ_READ, MJ_WRITE, NEITHER
from wsklab.kmdf.memory import Place, RequestMemory
from wsklab.kmdf.objects import Framework
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.requests import unreadable
from wsklab.machine import status


def complete(fw: Framework, handle: int, value: int, information: int | None = None) -> None:
    """Complete a received request. Facts: KMDF-CMP-01 to 16."""
    m, lay = fw.m, fw.layout
    if fw.dead.get(handle) == ("WDFREQUEST", "completed"):
        fw.stop_dead("kmdf-double-completion", handle)
    request = fw.get(handle, Request)
    if fw.checking and not _may_complete(fw, request):
        return
    if request.ownership != QUEUE:
        # What happens without the verifier: a reference is dropped that nobody took (KMDF-CMP-15).
        request.completed = True
        request.release()
        return
    if request.outstanding:
        fw.stop("kmdf-completed-while-sent", request, irp=request.irp)
    if information is not None:
        m.set_u64(request.irp + lay.irp_information, information)
    value = translate(value)
    if fw.checking and value >= 0:
        _check_information(fw, request)
    if request.context is not None:
        request.context.release(request)
    request.driver_owned, request.death = False, "completed"
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


def _may_complete(fw: Framework, request: Request) -> bool:
    """The verifier's tests; a failed one is a breakpoint, and then the call is ignored. Facts: KMDF-CMP-03, RULE-01, 02, 04."""
    if request.ownership != QUEUE:
        fw.breakpoint("kmdf-completed-driver-created", request)
    elif request.completed:
        fw.breakpoint("kmdf-double-completion", request)
    elif not request.driver_owned:
        fw.breakpoint("kmdf-completed-not-owned", request)
    return request.ownership == QUEUE and not request.completed and request.driver_owned


def _check_information(fw: Framework, request: Request) -> None:
    """Facts: KMDF-CMP-05, 06, RULE-07."""
    m, lay, here = fw.m, fw.layout, request.current_location
    major, information = m.u8(here + lay.sl_major), m.u64(request.irp + lay.irp_information)
    allowed = m.u32(here + lay.sl_length) if major in (MJ_READ, MJ_WRITE) else None
    if major == MJ_DEVICE_CONTROL and m.u8(request.irp + lay.irp_mode):
        allowed = m.u32(here + lay.sl_output_length) or None
    if allowed is not None and information > allowed:
        values = {"information": str(information), "allowed": str(allowed)}
        fw.stop("kmdf-information-too-large", request, irp=request.irp, **values)


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


@wdf()
def WdfRequestComplete(fw: Framework, request: int, value: int) -> None:
    """Complete with the Information that is in the IRP. Facts: KMDF-CMP-01, 03, 12, 14."""
    complete(fw, request, value)


@wdf()
def WdfRequestCompleteWithInformation(fw: Framework, request: int, value: int, information: int) -> None:
    """Set Information and complete. Facts: KMDF-CMP-01."""
    complete(fw, request, value, information)


@wdf()
def WdfRequestCompleteWithPriorityBoost(fw: Framework, request: int, value: int, boost: int) -> None:
    """Complete with the caller's boost, which has no effect here. Facts: KMDF-CMP-02."""
    complete(fw, request, value)


# Buffers


def locate(request: Request, which: str, minimum: int = 0) -> tuple[int, Place]:
    """Status and place of the request's ``"input"`` or ``"output"``. Facts: KMDF-BUF-01, 02, 04, 05, 07, KMDF-CRE-04."""
    m, lay, nowhere = request.m, request.layout, (0, 0, 0)
    if unreadable(request):
        return status.INTERNAL_ERROR if request.completed else status.INVALID_DEVICE_REQUEST, nowhere
    own_type = request.queue.device.io_type if request.queue else NEITHER
    here, user = request.current_location, m.u8(request.irp + lay.irp_mode)
    major, code = m.u8(here + lay.sl_major), m.u32(here + lay.sl_code)
    raw = user and major == MJ_DEVICE_CONTROL and code & 3 == METHOD_NEITHER
    if major in (MJ_READ, MJ_WRITE):
        raw = own_type == NEITHER
    found = wdm.buffers(m, lay, request.irp, own_type).get(which)
    if found is None or raw:
        return status.INVALID_DEVICE_REQUEST, nowhere
    return (0, found) if found[1] and found[1] >= minimum else (status.BUFFER_TOO_SMALL, nowhere)


def _memory(fw: Framework, request: Request, which: str, out: int) -> int:
    """The memory object embedded in the request. Facts: KMDF-BUF-08, 09, 10, KMDF-OBJ-26."""
    fw.required(out, "Memory")
    fw.m.set_u64(out, 0)
    answer, _ = locate(request, which)
    if answer < 0:
        return answer
    if which not in request.memories:
        here, lay = request.current_location, fw.layout
        method = 0 if fw.m.u8(here + lay.sl_major) in (MJ_READ, MJ_WRITE) else fw.m.u32(here + lay.sl_code) & 3
        transfer = fw.m.u8(here + lay.sl_major) == MJ_WRITE
        read_only = transfer or method == 1 or (method == 2 and which == "input")
        request.memories[which] = RequestMemory(fw, request, lambda: locate(request, which)[1], read_only=read_only)
    fw.m.set_u64(out, request.memories[which].handle)
    return 0


def _buffer(fw: Framework, request: Request, which: str, minimum: int, buffer: int, length: int) -> int:
    """Address and length of a buffer; the outputs are cleared first. Facts: KMDF-BUF-02, 03."""
    fw.required(buffer, "Buffer")
    answer, (address, size, _) = locate(request, which, minimum)
    fw.m.set_u64(buffer, address)
    if length:
        fw.m.set_u64(length, size)
    return answer


@wdf()
def WdfRequestRetrieveInputMemory(fw: Framework, request: Request, out: int) -> int:
    """The request's input as a memory object. Facts: KMDF-BUF-01, 08."""
    return _memory(fw, request, "input", out)


@wdf()
def WdfRequestRetrieveOutputMemory(fw: Framework, request: Request, out: int) -> int:
    """The request's output buffer as a memory object. Facts: KMDF-BUF-01, 08."""
    return _memory(fw, request, "output", out)


@wdf()
def WdfRequestRetrieveInputBuffer(fw: Framework, request: Request, minimum: int, buffer: int, length: int) -> int:
    """The request's input buffer. Facts: KMDF-BUF-01 to 06."""
    return _buffer(fw, request, "input", minimum, buffer, length)


@wdf()
def WdfRequestRetrieveOutputBuffer(fw: Framework, request: Request, minimum: int, buffer: int, length: int) -> int:
    """The request's output buffer. Facts: KMDF-BUF-01 to 06."""
    return _buffer(fw, request, "output", minimum, buffer, length)
