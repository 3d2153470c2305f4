"""Formatting: the five WdfIoTargetFormatRequestFor* functions and what they leave in the IRP.

A `FormatContext` belongs to a request and outlives single formats (KMDF-FMT-14). It holds the completion params that the
completion routine is shown, one reference on each memory object (KMDF-FMT-07), the IRP fields to put back (KMDF-FRW-03), and
what to copy back at completion. Every format call runs the same steps: offsets, target check, fill, references; a failure
leaves the request unformatted (KMDF-FMT-13).

Facts: KMDF-FMT, KMDF-FRW, KMDF-FIO, KMDF-FOT, KMDF-CPP.
"""

from __future__ import annotations

from dataclasses import dataclass

from wsklab.kmdf import wdm
from wsklab.kmdf.layout import (
    METHOD_BUFFERED,
    METHOD_NEITHER,
    METHOD_OUT_DIRECT,
    MJ_DEVICE_CONTROL,
    MJ_INTERNAL_DEVICE_CONTROL,
    MJ_READ,
    MJ_WRITE,
    TYPE_NO_FORMAT,
    TYPE_OTHER,
)
from wsklab.kmdf.memory import Memory
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import BUFFERED, DIRECT, IoTarget, RemoteTarget
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk


@dataclass(slots=True)
class Piece:
    """The part of a memory object that one request transfers; all zero when no memory was given (KMDF-FMT-02)."""

    memory: Memory | None
    address: int
    length: int
    offset: int

    @property
    def handle(self) -> int:
        """The WDFMEMORY, or NULL."""
        return self.memory.handle if self.memory else 0


class FormatContext:
    """What a format leaves with its request. `active` is False after release, until the next format fills it again."""

    def __init__(self, fw: Framework, family: str) -> None:
        self.m, self.layout, self.family = fw.m, fw.layout, family
        self.params = fw.m.allocate(fw.layout.cp_size, kind="object", label="WDF_REQUEST_COMPLETION_PARAMS", zero=True)
        self.memories: list[Memory] = []
        self.saved: tuple[int, int, int, int] | None = None
        self.system = self.system_size = 0
        self.mdl = 0
        self.copy_back = False
        self.length_at: int | None = None
        self.active = False
        self.blank()

    def blank(self) -> None:
        """Completion params of type NoFormat."""
        m, lay = self.m, self.layout
        m.write(self.params, bytes(lay.cp_size))
        m.set_u32(self.params, lay.cp_size)
        m.set_u32(self.params + lay.cp_type, TYPE_NO_FORMAT)
        self.length_at = None
        self.active = False

    def save(self, irp: int) -> None:
        """Remember the IRP fields that this format overwrites. Facts: KMDF-FRW-03."""
        m, lay = self.m, self.layout
        self.saved = (
            m.u64(irp + lay.irp_system_buffer),
            m.u64(irp + lay.irp_user_buffer),
            m.u64(irp + lay.irp_mdl),
            m.u32(irp + lay.irp_flags),
        )

    def hold(self, *memories: Memory | None) -> None:
        """One reference on each memory used. Facts: KMDF-FMT-07."""
        for memory in memories:
            if memory is not None:
                memory.reference()
                self.memories.append(memory)

    def release(self, request: Request) -> None:
        """Give the references back, put the IRP's fields back. Facts: KMDF-FMT-08, KMDF-CHG-02, KMDF-REU-06."""
        if not self.active and self.saved is None:
            return
        if self.saved is not None and request.irp:
            m, lay, irp = self.m, self.layout, request.irp
            system, user, mdl, flags = self.saved
            m.set_u64(irp + lay.irp_system_buffer, system)
            m.set_u64(irp + lay.irp_user_buffer, user)
            m.set_u64(irp + lay.irp_mdl, mdl)
            m.set_u32(irp + lay.irp_flags, flags)
        self.saved = None
        self.copy_back = False
        if self.mdl:
            wdm.free_mdl(self.m, self.mdl)
            self.mdl = 0
        memories, self.memories = self.memories, []
        for memory in memories:
            memory.release()
        self.blank()

    def free(self, request: Request) -> None:
        """Release, and give back the context's own memory."""
        self.release(request)
        if self.system:
            self.m.free(self.system)
        self.m.free(self.params)
        self.params = self.system = self.system_size = 0

    def system_buffer(self, size: int) -> int:
        """A non-paged buffer of at least `size` bytes, kept for later formats. Facts: KMDF-FRW-05, 07."""
        if size > self.system_size:
            if self.system:
                self.m.free(self.system)
            self.system = self.m.allocate(size, kind="pool", label="system buffer", zero=True)
            self.system_size = size
        return self.system

    def completed(self, request: Request) -> None:
        """The IRP is back: status and length into the params, buffered output into the driver's buffer.

        The copy takes Information bytes whatever the status, and never compares them with the buffer's length.
        Facts: KMDF-CPL-07, KMDF-FRW-12, KMDF-FIO-05, 10, 11, KMDF-CPP-04.
        """
        if not self.active:
            return
        m, lay, irp = self.m, self.layout, request.irp
        information = m.u64(irp + lay.irp_information)
        m.set_i32(self.params + lay.cp_status, m.i32(irp + lay.irp_status))
        m.set_u64(self.params + lay.cp_information, information)
        if self.length_at is not None:
            m.set_u64(self.params + self.length_at, information)
        if self.copy_back and information:
            m.write(m.u64(irp + lay.irp_user_buffer), m.read(m.u64(irp + lay.irp_system_buffer), information))


def piece(fw: Framework, handle: int, offsets: int) -> tuple[int, Piece]:
    """Check one memory and its WDFMEMORY_OFFSET: (status, the part meant). Facts: KMDF-FMT-02 to 06."""
    if not handle:
        return 0, Piece(None, 0, 0, 0)
    memory = fw.get(handle, Memory)
    size, start = memory.size, memory.buffer
    if not offsets:
        return 0, Piece(memory, start, size & 0xFFFF_FFFF, 0)
    offset, length = fw.m.u64(offsets), fw.m.u64(offsets + 8)
    if offset + length >> 64 or offset + length > size:
        return status.INTEGER_OVERFLOW, Piece(None, 0, 0, 0)
    return 0, Piece(memory, start + offset, (length or size - offset) & 0xFFFF_FFFF, offset)


def begin(fw: Framework, target: IoTarget, request: Request, family: str) -> tuple[int, FormatContext | None]:
    """Target check, then a context of the right family. Facts: KMDF-CHG-01, KMDF-FMT-14, 18."""
    if request.outstanding:
        fw.stop("kmdf-formatted-while-sent", request, irp=request.irp)
    answer = request.target_check(target)
    if answer < 0:
        return answer, None
    context = request.context
    if context is not None and context.family != family:
        context.free(request)
        context = None
    if context is None:
        if fw.m.choose("framework allocation", ("succeeds", "fails")) == "fails":
            request.context = None
            return status.INSUFFICIENT_RESOURCES, None
        context = request.context = FormatContext(fw, family)
    return 0, context


def fill_location(request: Request, target: IoTarget, major: int) -> int:
    """Clear the next stack location up to its completion routine and set what every format sets. Returns its address.

    Facts: KMDF-FMT-10, 11, 12.
    """
    m, lay = request.m, request.layout
    location = request.next_location
    m.write(location, bytes(lay.sl_routine))
    m.set_u8(location + lay.sl_major, major)
    if request.ownership == QUEUE:
        m.set_u8(location + lay.sl_flags, m.u8(request.current_location + lay.sl_flags))
        m.set_u64(location + lay.sl_file, m.u64(request.current_location + lay.sl_file))
    if isinstance(target, RemoteTarget):
        m.set_u64(location + lay.sl_file, target.file_object)
    return location


def finish(request: Request, context: FormatContext, kind: int) -> int:
    """The last acts of a successful format. Facts: KMDF-FMT-19."""
    m = request.m
    m.set_u32(context.params + request.layout.cp_type, kind)
    context.active = True
    request.formatted = True
    return 0


def direct_mdl(context: FormatContext, part: Piece, *, write: bool) -> int:
    """The MDL of a direct transfer: the memory's own, or one built over the buffer. Facts: KMDF-FRW-08, KMDF-FIO-06."""
    if part.memory is None or not part.length:
        return 0
    own = part.memory.mdl
    if own and not part.offset and part.length == part.memory.size:
        return own
    context.mdl = wdm.build_mdl(context.m, part.address, part.length, write=write)
    return context.mdl


def format_transfer(
    m: Machine, major: int, target_handle: int, request_handle: int, memory: int, offsets: int, device_offset: int
) -> int:
    """Read and write share everything but the direction. Facts: KMDF-FMT-01, KMDF-FRW-01 to 11."""
    fw = framework(m)
    target, request = fw.get(target_handle, IoTarget), fw.get(request_handle, Request)
    answer, part = piece(fw, memory, offsets)
    if answer < 0:
        return answer
    answer, context = begin(fw, target, request, "io")
    if context is None:
        return answer
    if not target.io_type:
        return status.INVALID_DEVICE_STATE
    lay, irp, reading = fw.layout, request.irp, major == MJ_READ
    location = fill_location(request, target, major)
    m.set_u32(location + lay.sl_length, part.length)
    m.set_i64(location + lay.sl_byte_offset, m.i64(device_offset) if device_offset else 0)
    context.save(irp)
    if target.io_type == BUFFERED:
        system = context.system_buffer(part.length) if part.length else 0
        if part.length and not reading:
            m.memory.copy(system, part.address, part.length)
        m.set_u64(irp + lay.irp_system_buffer, system)
        m.set_u64(irp + lay.irp_user_buffer, part.address if reading else 0)
        context.copy_back = reading and part.length > 0
    elif target.io_type == DIRECT:
        m.set_u64(irp + lay.irp_mdl, direct_mdl(context, part, write=reading))
    else:
        m.set_u64(irp + lay.irp_user_buffer, part.address)
    context.hold(part.memory)
    params = context.params
    m.set_u64(params + lay.cp_buffer, part.handle)
    m.set_u64(params + lay.cp_offset, part.offset)
    context.length_at = lay.cp_length
    return finish(request, context, major)


def format_ioctl(
    m: Machine, major: int, target_handle: int, request_handle: int, code: int, ins: tuple[int, int], outs: tuple[int, int]
) -> int:
    """Device control and internal device control. `ins` and `outs` are (memory, offsets). Facts: KMDF-FIO-01 to 09."""
    fw = framework(m)
    target, request = fw.get(target_handle, IoTarget), fw.get(request_handle, Request)
    answer, given = piece(fw, *ins)
    if answer < 0:
        return answer
    answer, wanted = piece(fw, *outs)
    if answer < 0:
        return answer
    answer, context = begin(fw, target, request, "io")
    if context is None:
        return answer
    lay = fw.layout
    location = fill_location(request, target, major)
    m.set_u32(location + lay.sl_code, code)
    m.set_u32(location + lay.sl_input_length, given.length)
    m.set_u32(location + lay.sl_output_length, wanted.length)
    context.save(request.irp)
    _place_buffers(request, context, location, code & 3, given, wanted)
    context.hold(given.memory, wanted.memory)
    params = context.params
    m.set_u32(params + lay.cp_code, code)
    m.set_u64(params + lay.cp_input, given.handle)
    m.set_u64(params + lay.cp_input_offset, given.offset)
    m.set_u64(params + lay.cp_output, wanted.handle)
    m.set_u64(params + lay.cp_output_offset, wanted.offset)
    context.length_at = lay.cp_output_length
    return finish(request, context, major)


def _place_buffers(request: Request, context: FormatContext, location: int, method: int, given: Piece, wanted: Piece) -> None:
    """Where each transfer method puts input and output. Facts: KMDF-FIO-04 to 07."""
    m, lay, irp = request.m, request.layout, request.irp
    if method == METHOD_BUFFERED:
        size = max(given.length, wanted.length)
        system = context.system_buffer(size) if size else 0
        if given.length:
            m.memory.copy(system, given.address, given.length)
        m.set_u64(irp + lay.irp_system_buffer, system)
        m.set_u64(irp + lay.irp_user_buffer, wanted.address)
        context.copy_back = wanted.length > 0
    elif method == METHOD_NEITHER:
        m.set_u64(irp + lay.irp_user_buffer, wanted.address)
        m.set_u64(location + lay.sl_type3, given.address)
    else:
        m.set_u64(irp + lay.irp_system_buffer, given.address)
        m.set_u64(irp + lay.irp_mdl, direct_mdl(context, wanted, write=method == METHOD_OUT_DIRECT))


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetFormatRequestForRead(
    m: Machine, IoTarget: int, Request: int, OutputBuffer: int, OutputBufferOffset: int, DeviceOffset: int
) -> int:
    """Format a read. Facts: KMDF-FRW-01, 05, 08, 09."""
    return format_transfer(m, MJ_READ, IoTarget, Request, OutputBuffer, OutputBufferOffset, DeviceOffset)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetFormatRequestForWrite(
    m: Machine, IoTarget: int, Request: int, InputBuffer: int, InputBufferOffset: int, DeviceOffset: int
) -> int:
    """Format a write; a buffered target's data is copied now. Facts: KMDF-FRW-01, 05, 08, 09."""
    return format_transfer(m, MJ_WRITE, IoTarget, Request, InputBuffer, InputBufferOffset, DeviceOffset)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetFormatRequestForIoctl(
    m: Machine,
    IoTarget: int,
    Request: int,
    IoctlCode: int,
    InputBuffer: int,
    InputBufferOffset: int,
    OutputBuffer: int,
    OutputBufferOffset: int,
) -> int:
    """Format a device control request. Facts: KMDF-FIO-01 to 09."""
    return format_ioctl(
        m, MJ_DEVICE_CONTROL, IoTarget, Request, IoctlCode, (InputBuffer, InputBufferOffset), (OutputBuffer, OutputBufferOffset)
    )


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetFormatRequestForInternalIoctl(
    m: Machine,
    IoTarget: int,
    Request: int,
    IoctlCode: int,
    InputBuffer: int,
    InputBufferOffset: int,
    OutputBuffer: int,
    OutputBufferOffset: int,
) -> int:
    """Format an internal device control request. Facts: KMDF-FIO-01 to 09."""
    ins, outs = (InputBuffer, InputBufferOffset), (OutputBuffer, OutputBufferOffset)
    return format_ioctl(m, MJ_INTERNAL_DEVICE_CONTROL, IoTarget, Request, IoctlCode, ins, outs)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoTargetFormatRequestForInternalIoctlOthers(
    m: Machine,
    IoTarget: int,
    Request: int,
    IoctlCode: int,
    OtherArg1: int,
    OtherArg1Offset: int,
    OtherArg2: int,
    OtherArg2Offset: int,
    OtherArg4: int,
    OtherArg4Offset: int,
) -> int:
    """Format an internal request with three pointers; the code takes the place of the third. Facts: KMDF-FOT-01 to 04."""
    fw = framework(m)
    target, request = fw.get(IoTarget, _IoTarget), fw.get(Request, _Request)
    parts: list[Piece] = []
    for handle, offsets in ((OtherArg1, OtherArg1Offset), (OtherArg2, OtherArg2Offset), (OtherArg4, OtherArg4Offset)):
        answer, part = piece(fw, handle, offsets)
        if answer < 0:
            return answer
        parts.append(part)
    answer, context = begin(fw, target, request, "others")
    if context is None:
        return answer
    lay = fw.layout
    location = fill_location(request, target, MJ_INTERNAL_DEVICE_CONTROL)
    for slot, part in zip((0, 1, 3), parts, strict=True):
        m.set_u64(location + lay.sl_arguments[slot], part.address)
        m.set_u64(context.params + lay.cp_arguments[slot], part.handle)
    m.set_u32(location + lay.sl_code, IoctlCode)
    context.hold(*(part.memory for part in parts))
    return finish(request, context, TYPE_OTHER)


# Parameters above carry the names of Microsoft's pages; where they hide a class, it goes by this name.
_IoTarget, _Request = IoTarget, Request
