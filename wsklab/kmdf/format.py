"""Formatting: the five WdfIoTargetFormatRequestFor* functions and what they leave in the IRP.

What a format leaves stays until the next one, a reuse or the request's end (KMDF-FMT-14): completion params, one reference on
each memory object (KMDF-FMT-07), the IRP fields to put back (KMDF-FRW-03). Facts: KMDF-FMT, FRW, FIO, FOT, CPP.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from wsklab.kmdf import wdm
from wsklab.kmdf.core import table, wdf
from wsklab.kmdf.memory import Memory
from wsklab.kmdf.objects import handle_of
from wsklab.kmdf.request import COMPLETION_PARAMS, QUEUE, TYPE_NO_FORMAT, Request
from wsklab.kmdf.target import IoTarget, RemoteTarget
from wsklab.kmdf.wdm import BUFFERED, DIRECT, METHOD_BUFFERED, METHOD_NEITHER, METHOD_OUT_DIRECT, MJ_READ
from wsklab.machine import View, status

TYPE_OTHER = 0x1C
FIELDS = ("AssociatedIrp.SystemBuffer", "UserBuffer", "MdlAddress")  # of an IRP, overwritten by formats


class Piece(NamedTuple):
    """The part of a memory object that one request transfers; all zero when no memory was given (KMDF-FMT-02)."""

    memory: Memory | None = None
    address: int = 0
    length: int = 0
    offset: int = 0


class FormatContext:
    """What a format leaves with its request. `active` is False after release, until the next format fills it again."""

    def __init__(self, request: Request, family: str) -> None:
        self.m, self.request, self.family = request.m, request, family
        self.params = self.m.view(self.m.new(COMPLETION_PARAMS), COMPLETION_PARAMS)
        self.fields = [self.m.offset("IRP", field) for field in FIELDS]
        self.memories, self.saved = list[Memory](), list[int]()
        self.system = self.system_size = self.mdl = 0
        self.counted: View | None = None
        self.copy_back = self.active = False
        self._blank()

    def _blank(self) -> None:
        """Completion params of type NoFormat."""
        size = self.m.sizeof(COMPLETION_PARAMS)
        self.m.write(int(self.params), bytes(size))
        self.params.Size, self.params.Type = size, TYPE_NO_FORMAT

    def begin(self, target: IoTarget, major: int) -> View:
        """Clear the next stack location up to its completion routine and fill what all formats fill. Facts: KMDF-FMT-10 to 12."""
        request, below = self.request, self.request.location(1)
        self.m.write(int(below), bytes(self.m.offset("IO_STACK_LOCATION", "CompletionRoutine")))
        below.MajorFunction = major
        if request.ownership == QUEUE:
            below.Flags, below.FileObject = request.location().Flags, request.location().FileObject
        if isinstance(target, RemoteTarget):
            below.FileObject = target.file_object
        return below

    def buffers(self, system: int | None = None, user: int | None = None, mdl: int | None = None) -> None:
        """Remember the IRP's buffer fields, and set those that are given. Facts: KMDF-FRW-03."""
        irp = self.request.irp
        self.saved = [self.m.u64(irp + field) for field in self.fields]
        for field, value in zip(self.fields, (system, user, mdl), strict=True):
            if value is not None:
                self.m.set_u64(irp + field, value)

    def finish(self, kind: int, *pieces: Piece) -> int:
        """References on the memories, type of the completion params, the verifier's mark. Facts: KMDF-FMT-07, 19."""
        self.memories = [piece.memory for piece in pieces if piece.memory]
        for memory in self.memories:
            memory.references += 1
        self.params.Type = kind
        self.active = self.request.formatted = True
        return 0

    def release(self) -> None:
        """Give the references back, put the IRP's fields back. Facts: KMDF-FMT-08, KMDF-CHG-02, KMDF-REU-06."""
        for field, value in zip(self.fields, self.saved, strict=False):
            if self.request.irp:
                self.m.set_u64(self.request.irp + field, value)
        if self.mdl:
            wdm.free_mdl(self.m, self.mdl)
        memories, self.memories, self.saved = self.memories, [], []
        self.mdl, self.copy_back, self.active, self.counted = 0, False, False, None
        for memory in memories:
            memory.release()
        self._blank()

    def free(self) -> None:
        """Release, and give back the context's own memory."""
        self.release()
        if self.system:
            self.m.free(self.system)
        self.m.free(int(self.params))
        self.request.context = None

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

    def completed(self) -> None:
        """The IRP is back: status and length into the params, buffered output into the driver's buffer.

        The copy takes Information bytes, whatever status and length are (KMDF-CPL-07, KMDF-FRW-12, KMDF-FIO-10, KMDF-CPP-04).
        """
        if not self.active:
            return
        m, packet = self.m, self.request.packet
        information = packet.IoStatus.Information
        self.params.IoStatus.Status, self.params.IoStatus.Information = packet.IoStatus.Status, information
        if self.counted is not None:
            self.counted.Length = information
        if self.copy_back and information:
            m.write(int(packet.UserBuffer), m.read(int(packet.AssociatedIrp.SystemBuffer), information))


def _format(
    request: Request, target: IoTarget, major: int, family: str, given: tuple[tuple[Memory | None, int], ...],
    fill: Callable[..., int],
) -> int:  # fmt: skip
    """What every format does first; `fill` does the rest to context, stack location, pieces. Facts: KMDF-FMT-01 to 14."""
    pieces = []
    for memory, offsets in given:
        start, size, _ = memory.place if memory else (0, 0, 0)
        part = request.m.view(offsets, "WDFMEMORY_OFFSET") if memory and offsets else None
        offset, length = (part.BufferOffset, part.BufferLength) if part else (0, 0)
        if offset + length > size:
            return status.INTEGER_OVERFLOW
        pieces.append(Piece(memory, start + offset, (length or size - offset) & 0xFFFF_FFFF, offset))
    answer = request.change_target(target)
    if answer < 0:
        return answer
    if request.context is not None and request.context.family != family:
        request.context.free()
    if request.context is None:
        if request.fw.fails():
            return status.INSUFFICIENT_RESOURCES
        request.context = FormatContext(request, family)
    return fill(request.context, request.context.begin(target, major), *pieces)


def _transfer(major: int, target: IoTarget, request: Request, memory: Memory | None, offsets: int, device_offset: int) -> int:
    """Read and write share everything but the direction. Facts: KMDF-FRW-01 to 11."""
    reading = major == MJ_READ

    def fill(context: FormatContext, below: View, part: Piece) -> int:
        if not target.io_type:
            return status.INVALID_DEVICE_STATE
        params = context.params.Parameters.Read
        below.Parameters.Read.Length = part.length
        below.Parameters.Read.ByteOffset.QuadPart = request.m.i64(device_offset) if device_offset else 0
        if target.io_type == BUFFERED:
            system = context.system_buffer(Piece() if reading else part, part.length)
            context.buffers(system=system, user=part.address if reading else 0)
            context.copy_back = reading and part.length > 0
        elif target.io_type == DIRECT:
            context.buffers(mdl=context.direct(part, write=reading))
        else:
            context.buffers(user=part.address)
        params.Buffer, params.Offset = handle_of(part.memory), part.offset
        context.counted = params
        return context.finish(major, part)

    return _format(request, target, major, "io", ((memory, offsets),), fill)


def _control(
    major: int, target: IoTarget, request: Request, code: int, given: Memory | None, at: int, wanted: Memory | None, to: int
) -> int:
    """Device control and internal device control, by transfer method. Facts: KMDF-FIO-01 to 09."""

    def fill(context: FormatContext, below: View, source: Piece, room: Piece) -> int:
        params, control = context.params.Parameters.Ioctl, below.Parameters.DeviceIoControl
        control.IoControlCode, control.InputBufferLength, control.OutputBufferLength = code, source.length, room.length
        if code & 3 == METHOD_BUFFERED:
            context.buffers(system=context.system_buffer(source, max(source.length, room.length)), user=room.address)
            context.copy_back = room.length > 0
        elif code & 3 == METHOD_NEITHER:
            context.buffers(user=room.address)
            control.Type3InputBuffer = source.address
        else:
            context.buffers(system=source.address, mdl=context.direct(room, write=code & 3 == METHOD_OUT_DIRECT))
        params.IoControlCode = code
        params.Input.Buffer, params.Input.Offset = handle_of(source.memory), source.offset
        params.Output.Buffer, params.Output.Offset = handle_of(room.memory), room.offset
        context.counted = params.Output
        return context.finish(major, source, room)

    return _format(request, target, major, "io", ((given, at), (wanted, to)), fill)


@wdf()
def WdfIoTargetFormatRequestForInternalIoctlOthers(
    target: IoTarget, request: Request, code: int, first: Memory | None, first_offsets: int,
    second: Memory | None, second_offsets: int, fourth: Memory | None, fourth_offsets: int,
) -> int:  # fmt: skip
    """Format an internal request with three pointers; the code takes the place of the third. Facts: KMDF-FOT-01 to 04."""

    def fill(context: FormatContext, below: View, *pieces: Piece) -> int:
        for name, part in zip(("Argument1", "Argument2", "Argument4"), pieces, strict=True):
            setattr(below.Parameters.Others, name, part.address)
            getattr(context.params.Parameters.Others, name).Ptr = handle_of(part.memory)
        below.Parameters.DeviceIoControl.IoControlCode = code
        return context.finish(TYPE_OTHER, *pieces)

    parts = ((first, first_offsets), (second, second_offsets), (fourth, fourth_offsets))
    return _format(request, target, wdm.MJ_INTERNAL_DEVICE_CONTROL, "others", parts, fill)


table("IoTarget", {
    "WdfIoTargetFormatRequestForRead": ("Format a read. Facts: KMDF-FRW-01, 05, 08, 09.", partial(_transfer, MJ_READ)),
    "WdfIoTargetFormatRequestForWrite": (
        "Format a write; a buffered target's data is copied now. Facts: KMDF-FRW-01 to 09.", partial(_transfer, wdm.MJ_WRITE)
    ),
    "WdfIoTargetFormatRequestForIoctl": (
        "Format a device control request. Facts: KMDF-FIO-01 to 09.", partial(_control, wdm.MJ_DEVICE_CONTROL)
    ),
    "WdfIoTargetFormatRequestForInternalIoctl": (
        "Format an internal device control request. Facts: KMDF-FIO-01 to 09.", partial(_control, wdm.MJ_INTERNAL_DEVICE_CONTROL)
    ),
})  # fmt: skip
