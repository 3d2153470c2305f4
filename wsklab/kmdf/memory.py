"""WDFMEMORY: buffers that requests are formatted with.

A memory object has a buffer of the framework's own, one of the driver's (preallocated), or is embedded in a received request:
then its buffer is computed from the IRP at each use (KMDF-BUF-09), and a reference on it counts on that IRP (KMDF-OBJ-26).

Facts: KMDF-MEM, KMDF-BUF. Pages: using-memory-buffers.md, memory-buffer-life-cycle.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from wsklab.kmdf.api import create, wdf
from wsklab.kmdf.objects import Framework, Object
from wsklab.machine import status

Place = tuple[int, int, int]
"""Address, size in bytes and MDL (0 for none) of a buffer."""


class Memory(Object):
    """A memory object with a buffer of the framework's own."""

    KIND: ClassVar[str] = "WDFMEMORY"
    TYPE: ClassVar[int] = 0x100A
    read_only = False

    def __init__(self, fw: Framework, parent: Object | None, buffer: int = 0, size: int = 0) -> None:
        super().__init__(fw, parent)
        self.given: Place = (buffer, size, 0)

    @property
    def place(self) -> Place:
        """Where the buffer is."""
        return self.given

    def on_destroy(self) -> None:
        """Facts: KMDF-MEM-09."""
        self.m.free(self.given[0])


class Preallocated(Memory):
    """A memory object over a buffer of the driver's, which is never freed here (KMDF-MEM-03)."""

    TYPE: ClassVar[int] = 0x1022

    def on_destroy(self) -> None:
        """Nothing to give back."""


class RequestMemory(Memory):
    """The input or output memory of a received request; `locate` finds its buffer in the IRP."""

    embedded = True
    on_destroy = Object.on_destroy

    def __init__(self, fw: Framework, request: Object, locate: Callable[[], Place], *, read_only: bool) -> None:
        super().__init__(fw, request)
        self._locate, self.read_only, self.deletable = locate, read_only, False

    @property
    def place(self) -> Place:
        """Where the buffer is now, as the IRP has it."""
        return self._locate()


@wdf()
def WdfMemoryCreate(fw: Framework, attributes: int, pool_type: int, tag: int, size: int, out: int, buffer: int) -> int:
    """A memory object with a buffer of its own, contents not set. Facts: KMDF-MEM-01, 02."""
    fw.required(out, "Memory")
    fw.m.set_u64(out, 0)
    if not size:
        return status.INVALID_PARAMETER
    if fw.fails("WdfMemoryCreate"):
        return status.INSUFFICIENT_RESOURCES

    def make(parent: Object) -> Memory:
        address = fw.m.allocate(size, kind="pool", tag=tag, label="WDFMEMORY buffer")
        if buffer:
            fw.m.set_u64(buffer, address)
        return Memory(fw, parent, address, size)

    return create(fw, attributes, out, make, name="Memory")


@wdf()
def WdfMemoryCreatePreallocated(fw: Framework, attributes: int, buffer: int, size: int, out: int) -> int:
    """A memory object over a buffer of the driver's. Facts: KMDF-MEM-03."""
    fw.required(buffer, "Buffer")
    if not size:
        return status.INVALID_PARAMETER
    return create(fw, attributes, out, lambda parent: Preallocated(fw, parent, buffer, size), name="Memory")


@wdf()
def WdfMemoryAssignBuffer(fw: Framework, memory: Preallocated, buffer: int, size: int) -> int:
    """Put another buffer under a preallocated memory; the old one is not freed. Facts: KMDF-MEM-04, 05."""
    fw.required(buffer, "Buffer")
    if not size:
        return status.INVALID_PARAMETER
    memory.given = (buffer, size, 0)
    return 0


@wdf()
def WdfMemoryGetBuffer(fw: Framework, memory: Memory, size: int) -> int:
    """Address and, if asked, size of the buffer; no reference is taken. Facts: KMDF-MEM-08."""
    if size:
        fw.m.set_u64(size, memory.place[1])
    return memory.place[0]


@wdf()
def WdfMemoryCopyToBuffer(fw: Framework, memory: Memory, offset: int, buffer: int, count: int) -> int:
    """Copy out of a memory object. Facts: KMDF-MEM-06."""
    fw.required(buffer, "Buffer")
    start, size, _ = memory.place
    if not count or offset + count > size:
        return status.BUFFER_TOO_SMALL if count else status.INVALID_PARAMETER
    fw.m.memory.copy(buffer, start + offset, count)
    return 0


@wdf()
def WdfMemoryCopyFromBuffer(fw: Framework, memory: Memory, offset: int, buffer: int, count: int) -> int:
    """Copy into a memory object. Facts: KMDF-MEM-06, KMDF-BUF-10."""
    fw.required(buffer, "Buffer")
    start, size, _ = memory.place
    if not count or memory.read_only:
        return status.ACCESS_VIOLATION if count else status.INVALID_PARAMETER
    if offset + count > size:
        return status.INVALID_BUFFER_SIZE
    fw.m.memory.copy(start + offset, buffer, count)
    return 0
