"""Formatting: the five WdfIoTargetFormatRequestFor* functions and what they leave in the IRP.

A `FormatContext` belongs to a request and outlives single formats (KMDF-FMT-14). It holds the completion params that the
completion routine is shown, one reference on each memory object (KMDF-FMT-07), the IRP fields to put back (KMDF-FRW-03), and
what to copy back at completion. A failed format leaves the request unformatted (KMDF-FMT-13).

Facts: KMDF-FMT, KMDF-FRW, KMDF-FIO, KMDF-FOT, KMDF-CPP.
"""

from __future__ import annotations

from typing import NamedTuple

from wsklab.kmdf import wdm
from wsklab.kmdf.api import handle_of, wdf
from wsklab.kmdf.layout import (
    BUFFERED,
    DIRECT,
    METHOD_BUFFERED,
    METHOD_NEITHER,
    METHOD_OUT_DIRECT,
    MJ_DEVICE_CONTROL,
    MJ_INTERNAL_DEVICE_CONTROL,
    MJ_READ,
    MJ_WRITE,
    TYPE_NO_FORMAT,
    TYPE_OTHER,
)  # fmt: skip
from wsklab.kmdf.memory import Memory
from wsklab.kmdf.objects import Framework
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.target import IoTarget, RemoteTarget
from wsklab.machine import status


class Piece(NamedTuple):
    """The part of a memory object that one request transfers; all zero when no memory was given (KMDF-FMT-02)."""

    memory: Memory | None = None
    address: int = 0
    length: int = 0
    offset: int = 0


class FormatContext:
    """What a format leaves with its request. `active` is False after release, until the next format fills it again."""

    def __init__(self, fw: Framework, family: str) -> None:
        self.m, self.layout, self.family = fw.m, fw.layout, family
        self.params = fw.m.allocate(fw.layout.cp_size, kind="object", label="WDF_REQUEST_COMPLETION_PARAMS", zero=True)
        self.memories: list[Memory] = []
        self.saved: list[int] = []
        self.system = self.system_size = self.mdl = self.length_at = 0
        self.copy_back = self.active = False
        lay = fw.layout
        self.fields = (lay.irp_system_buffer, lay.irp_user_buffer, lay.irp_mdl)
        self._blank()

    def _blank(self) -> None:
        """Completion params of type NoFormat."""
        self.m.write(self.params, bytes(self.layout.cp_size))
        self.m.set_u32(self.params, self.layout.cp_size)
        self.m.set_u32(self.params + self.layout.cp_type, TYPE_NO_FORMAT)

    def save(self, irp: int) -> None:
        """Remember the IRP fields that this format overwrites. Facts: KMDF-FRW-03."""
        self.saved = [self.m.u64(irp + field) for field in self.fields]

    def release(self, request: Request) -> None:
        """Give the references back, put the IRP's fields back. Facts: KMDF-FMT-08, KMDF-CHG-02, KMDF-REU-06."""
        if not self.active and not self.saved:
            return
        for field, value in zip(self.fields, self.saved, strict=False):
            if request.irp:
                self.m.set_u64(request.irp + field, value)
        if self.mdl:
            wdm.free_mdl(self.m, self.mdl)
        memories, self.memories, self.saved = self.memories, [], []
        self.mdl, self.copy_back, self.active, self.length_at = 0, False, False, 0
        for memory in memories:
            memory.release()
        self._blank()

    def free(self, request: Request) -> None:
        """Release, and give back the context's own memory."""
        self.release(request)
        if self.system:
            self.m.free(self.system)
        self.m.free(self.params)
        request.context = None

    def system_buffer(self, part: Piece, size: int) -> int:
        """A non-paged buffer of `size` bytes that begins with a part's bytes, kept for later formats. Facts: KMDF-FRW-05, 07."""
        if size > self.system_size:
            if self.system:
                self.m.free(self.system)
            self.system = self.m.allocate(size, kind="pool", label="system buffer", zero=True)
            self.system_size = size
        if part.length:
            self.m.memory.copy(self.system, part.address, part.length)
        return self.system if size else 0

    def direct(self, part: Piece, *, write: bool) -> int:
        """The MDL of a direct transfer: the memory's own, or one built over the buffer. Facts: KMDF-FRW-08, KMDF-FIO-06."""
        if part.memory is None or not part.length:
            return 0
        _, size, own = part.memory.place
        if own and part.length == size:
            return own
        self.mdl = wdm.build_mdl(self.m, part.address, part.length, write=write)
        return self.mdl

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
        if self.length_at:
            m.set_u64(self.params + self.length_at, information)
        if self.copy_back and information:
            m.write(m.u64(irp + lay.irp_user_buffer), m.read(m.u64(irp + lay.irp_system_buffer), information))


class Format:
    """One format call under way, after the handles: parts, target check, context, stack location.

    `answer` is negative when it has failed; then there is nothing more to do. Facts: KMDF-FMT-01 to 14, KMDF-FIO-02.
    """

    def __init__(
        self, fw: Framework, target: IoTarget, request: Request, major: int, family: str, *parts: tuple[Memory | None, int]
    ) -> None:
        self.fw, self.m, self.layout, self.target, self.request = fw, fw.m, fw.layout, target, request
        self.parts: list[Piece] = []
        self.answer = 0
        for memory, offsets in parts:
            self._take(memory, offsets)
        if self.answer >= 0:
            self.answer = request.target_check(target)
        if self.answer >= 0 and request.context is not None and request.context.family != family:
            request.context.free(request)
        if self.answer >= 0 and request.context is None:
            if fw.fails():
                self.answer = status.INSUFFICIENT_RESOURCES
            else:
                request.context = FormatContext(fw, family)
        if self.answer >= 0 and request.context is not None:
            self.context, self.irp = request.context, request.irp
            self.location = self._location(major)

    def _take(self, memory: Memory | None, offsets: int) -> None:
        """Check one memory and its WDFMEMORY_OFFSET. Facts: KMDF-FMT-02 to 06."""
        if memory is None or self.answer < 0:
            self.parts.append(Piece())
            return
        start, size, _ = memory.place
        offset, length = (self.m.u64(offsets), self.m.u64(offsets + 8)) if offsets else (0, 0)
        if offset + length > size:
            self.answer = status.INTEGER_OVERFLOW
        self.parts.append(Piece(memory, start + offset, (length or size - offset) & 0xFFFF_FFFF, offset))

    def _location(self, major: int) -> int:
        """Clear the next stack location up to its completion routine and fill what all formats fill. Facts: KMDF-FMT-10 to 12."""
        m, lay, request = self.m, self.layout, self.request
        location = request.next_location
        m.write(location, bytes(lay.sl_routine))
        m.set_u8(location + lay.sl_major, major)
        if request.ownership == QUEUE:
            m.set_u8(location + lay.sl_flags, m.u8(request.current_location + lay.sl_flags))
            m.set_u64(location + lay.sl_file, m.u64(request.current_location + lay.sl_file))
        if isinstance(self.target, RemoteTarget):
            m.set_u64(location + lay.sl_file, self.target.file_object)
        return location

    def buffers(self, system: int | None = None, user: int | None = None, mdl: int | None = None) -> None:
        """Set the IRP's buffer fields that are given."""
        for field, value in zip(self.context.fields, (system, user, mdl), strict=True):
            if value is not None:
                self.m.set_u64(self.irp + field, value)

    def finish(self, kind: int) -> int:
        """References on the memories, type of the completion params, the verifier's mark. Facts: KMDF-FMT-07, 19."""
        for memory in (part.memory for part in self.parts if part.memory):
            memory.references += 1
            self.context.memories.append(memory)
        self.m.set_u32(self.context.params + self.layout.cp_type, kind)
        self.context.active = self.request.formatted = True
        return 0


def _transfer(
    fw: Framework, major: int, target: IoTarget, request: Request, memory: Memory | None, offsets: int, device_offset: int
) -> int:
    """Read and write share everything but the direction. Facts: KMDF-FRW-01 to 11."""
    f = Format(fw, target, request, major, "io", (memory, offsets))
    if f.answer < 0 or not target.io_type:
        return f.answer if f.answer < 0 else status.INVALID_DEVICE_STATE
    m, lay, part, context, reading = fw.m, fw.layout, f.parts[0], f.context, major == MJ_READ
    m.set_u32(f.location + lay.sl_length, part.length)
    m.set_i64(f.location + lay.sl_byte_offset, m.i64(device_offset) if device_offset else 0)
    context.save(f.irp)
    if target.io_type == BUFFERED:
        system = context.system_buffer(Piece() if reading else part, part.length)
        f.buffers(system=system, user=part.address if reading else 0)
        context.copy_back = reading and part.length > 0
    elif target.io_type == DIRECT:
        f.buffers(mdl=context.direct(part, write=reading))
    else:
        f.buffers(user=part.address)
    m.set_u64(context.params + lay.cp_buffer, handle_of(part.memory))
    m.set_u64(context.params + lay.cp_offset, part.offset)
    context.length_at = lay.cp_length
    return f.finish(major)


def _control(f: Format, major: int, code: int) -> int:
    """Device control and internal device control, by transfer method. Facts: KMDF-FIO-03 to 09."""
    if f.answer < 0:
        return f.answer
    m, lay, context, (given, wanted), method = f.m, f.layout, f.context, f.parts, code & 3
    m.set_u32(f.location + lay.sl_code, code)
    m.set_u32(f.location + lay.sl_input_length, given.length)
    m.set_u32(f.location + lay.sl_output_length, wanted.length)
    context.save(f.irp)
    if method == METHOD_BUFFERED:
        f.buffers(system=context.system_buffer(given, max(given.length, wanted.length)), user=wanted.address)
        context.copy_back = wanted.length > 0
    elif method == METHOD_NEITHER:
        f.buffers(user=wanted.address)
        m.set_u64(f.location + lay.sl_type3, given.address)
    else:
        f.buffers(system=given.address, mdl=context.direct(wanted, write=method == METHOD_OUT_DIRECT))
    m.set_u32(context.params + lay.cp_code, code)
    m.set_u64(context.params + lay.cp_input, handle_of(given.memory))
    m.set_u64(context.params + lay.cp_input_offset, given.offset)
    m.set_u64(context.params + lay.cp_output, handle_of(wanted.memory))
    m.set_u64(context.params + lay.cp_output_offset, wanted.offset)
    context.length_at = lay.cp_output_length
    return f.finish(major)


@wdf()
def WdfIoTargetFormatRequestForRead(
    fw: Framework, target: IoTarget, request: Request, output: Memory | None, offsets: int, device_offset: int
) -> int:
    """Format a read. Facts: KMDF-FRW-01, 05, 08, 09."""
    return _transfer(fw, MJ_READ, target, request, output, offsets, device_offset)


@wdf()
def WdfIoTargetFormatRequestForWrite(
    fw: Framework, target: IoTarget, request: Request, given: Memory | None, offsets: int, device_offset: int
) -> int:
    """Format a write; a buffered target's data is copied now. Facts: KMDF-FRW-01, 05, 08, 09."""
    return _transfer(fw, MJ_WRITE, target, request, given, offsets, device_offset)


@wdf()
def WdfIoTargetFormatRequestForIoctl(
    fw: Framework, target: IoTarget, request: Request, code: int, given: Memory | None, at: int, wanted: Memory | None, to: int
) -> int:
    """Format a device control request. Facts: KMDF-FIO-01 to 09."""
    major = MJ_DEVICE_CONTROL
    return _control(Format(fw, target, request, major, "io", (given, at), (wanted, to)), major, code)


@wdf()
def WdfIoTargetFormatRequestForInternalIoctl(
    fw: Framework, target: IoTarget, request: Request, code: int, given: Memory | None, at: int, wanted: Memory | None, to: int
) -> int:
    """Format an internal device control request. Facts: KMDF-FIO-01 to 09."""
    major = MJ_INTERNAL_DEVICE_CONTROL
    return _control(Format(fw, target, request, major, "io", (given, at), (wanted, to)), major, code)


@wdf()
def WdfIoTargetFormatRequestForInternalIoctlOthers(
    fw: Framework, target: IoTarget, request: Request, code: int, first: Memory | None, first_offsets: int,
    second: Memory | None, second_offsets: int, fourth: Memory | None, fourth_offsets: int,
) -> int:  # fmt: skip
    """Format an internal request with three pointers; the code takes the place of the third. Facts: KMDF-FOT-01 to 04."""
    parts = ((first, first_offsets), (second, second_offsets), (fourth, fourth_offsets))
    f = Format(fw, target, request, MJ_INTERNAL_DEVICE_CONTROL, "others", *parts)
    if f.answer < 0:
        return f.answer
    lay = fw.layout
    places = (lay.sl_argument1, lay.sl_argument2, lay.sl_argument4), (lay.cp_argument1, lay.cp_argument2, lay.cp_argument4)
    for place, param, part in zip(*places, f.parts, strict=True):
        fw.m.set_u64(f.location + place, part.address)
        fw.m.set_u64(f.context.params + param, handle_of(part.memory))
    fw.m.set_u32(f.location + lay.sl_code, code)
    return f.finish(TYPE_OTHER)
