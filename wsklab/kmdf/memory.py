"""WDFMEMORY: buffers that requests are formatted with. Facts: KMDF-MEM, KMDF-BUF. Page: using-memory-buffers.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from wsklab.kmdf.core import Framework, Given, Out, wdf
from wsklab.kmdf.objects import Object, create, first
from wsklab.kmdf.wdm import Place
from wsklab.machine import status


class Memory(Object, kind="WDFMEMORY", number=0x100A):
    """A memory object with a buffer of the framework's own; `locate` says where the buffer is now."""

    read_only = False

    def __init__(self, fw: Framework, parent: Object | None, buffer: int = 0, size: int = 0) -> None:
        super().__init__(fw, parent)
        self.locate: Callable[[], Place] = lambda: (buffer, size, 0)

    @property
    def place(self) -> Place:
        """Where the buffer is."""
        return self.locate()

    def on_destroy(self) -> None:
        """Facts: KMDF-MEM-09."""
        self.m.free(self.place[0])

    @wdf("WdfMemoryGetBuffer")
    def buffer(self, size: int) -> int:
        """Address and, if asked, size of the buffer; no reference is taken. Facts: KMDF-MEM-08."""
        if size:
            self.m.set_u64(size, self.place[1])
        return self.place[0]


class Borrowed(Memory, number=0x1022):
    """A memory object over a buffer that is never freed here: the driver's (KMDF-MEM-03), or one that came with a request."""

    on_destroy = Object.on_destroy

    @wdf("WdfMemoryAssignBuffer")
    def assign(self, buffer: Given, size: int) -> int:
        """Another buffer of the driver's; what formatted requests took of the old one stays. Facts: KMDF-MEM-04, 05."""
        if not size:
            return status.INVALID_PARAMETER
        self.locate = lambda: (buffer, size, 0)
        return 0


def _copy(into: bool, memory: Memory, offset: int, buffer: Given, count: int) -> int:
    """Copy between a memory object and a buffer. Facts: KMDF-MEM-06, KMDF-BUF-10."""
    start, size, _ = memory.place
    refused = first(
        (not count, status.INVALID_PARAMETER),
        (into and memory.read_only, status.ACCESS_VIOLATION),
        (offset + count > size, status.INVALID_BUFFER_SIZE if into else status.BUFFER_TOO_SMALL),
    )
    if not refused:
        memory.m.memory.copy(*(start + offset, buffer) if into else (buffer, start + offset), count)
    return refused


wdf("WdfMemoryCopyToBuffer", text="Copy out of a memory object. Facts: KMDF-MEM-06.")(partial(_copy, False))
wdf("WdfMemoryCopyFromBuffer", text="Copy into a memory object. Facts: KMDF-MEM-06, KMDF-BUF-10.")(partial(_copy, True))


@wdf()
def WdfMemoryCreate(fw: Framework, attributes: int, pool_type: int, tag: int, size: int, out: Out, buffer: int) -> int:
    """A memory object with a buffer of its own, contents not set. Facts: KMDF-MEM-01, 02."""
    if not size or fw.fails("WdfMemoryCreate"):
        return status.INSUFFICIENT_RESOURCES if size else status.INVALID_PARAMETER

    def make(parent: Object) -> Memory:
        address = fw.m.allocate(size, kind="pool", tag=tag, label="WDFMEMORY buffer")
        if buffer:
            fw.m.set_u64(buffer, address)
        return Memory(fw, parent, address, size)

    return create(fw, attributes, out, make)


@wdf()
def WdfMemoryCreatePreallocated(fw: Framework, attributes: int, buffer: Given, size: int, out: Out) -> int:
    """A memory object over a buffer of the driver's. Facts: KMDF-MEM-03."""
    if not size:
        return status.INVALID_PARAMETER
    return create(fw, attributes, out, lambda parent: Borrowed(fw, parent, buffer, size))
