"""WDFMEMORY: buffers that requests are formatted with.

Three kinds share one class: a buffer of the framework's own, a preallocated one of the driver's, and the input and output memory
embedded in a received request, whose buffer is computed from the IRP at each use (KMDF-BUF-09). A reference on an embedded memory
counts on its request's IRP (KMDF-OBJ-26), which is why completing that request with such a reference left is fatal (KMDF-CMP-11).

Facts: KMDF-MEM, KMDF-BUF. Pages: using-memory-buffers.md, memory-buffer-life-cycle.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from wsklab.kmdf.attributes import PLAIN, commit, creation
from wsklab.kmdf.objects import Framework, Object, framework
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk


class Memory(Object):
    """A buffer of the framework's own (`owned`) or of the driver's (`preallocated`)."""

    KIND: ClassVar[str] = "WDFMEMORY"
    TYPE: ClassVar[int] = 0x100A
    embedded = False

    def __init__(self, fw: Framework, parent: Object | None, buffer: int, size: int, *, owned: bool) -> None:
        super().__init__(fw, parent)
        self._buffer, self._size, self.owned = buffer, size, owned
        self.preallocated = not owned
        self.read_only = False

    @property
    def buffer(self) -> int:
        """Address of the first byte."""
        return self._buffer

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._size

    @property
    def mdl(self) -> int:
        """The MDL that already describes the buffer, 0 when there is none."""
        return 0

    def assign(self, buffer: int, size: int) -> None:
        """Another buffer for a preallocated memory; the old one is not freed (KMDF-MEM-04)."""
        self._buffer, self._size = buffer, size

    def on_destroy(self) -> None:
        """Facts: KMDF-MEM-03, 09."""
        if self.owned:
            self.m.free(self._buffer)


class RequestMemory(Memory):
    """The input or output memory of a received request; `locate` gives (address, size, MDL) from its IRP."""

    embedded = True

    def __init__(self, fw: Framework, request: Object, locate: Callable[[], tuple[int, int, int]], *, read_only: bool) -> None:
        super().__init__(fw, request, 0, 0, owned=False)
        self.request, self._locate = request, locate
        self.preallocated = self.deletable = False
        self.read_only = read_only

    @property
    def buffer(self) -> int:
        """Address of the first byte, as the IRP has it now."""
        return self._locate()[0]

    @property
    def size(self) -> int:
        """Size in bytes, as the IRP has it now."""
        return self._locate()[1]

    @property
    def mdl(self) -> int:
        """The MDL of a direct request."""
        return self._locate()[2]


class Preallocated(Memory):
    """Only a name for the kind in a wrong-handle stop (KMDF-MEM-04)."""

    TYPE: ClassVar[int] = 0x1022


def new_memory(fw: Framework, parent: Object | None, buffer: int, size: int, *, owned: bool) -> Memory:
    """A memory object over a buffer."""
    return (Memory if owned else Preallocated)(fw, parent, buffer, size, owned=owned)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfMemoryCreate(m: Machine, Attributes: int, PoolType: int, PoolTag: int, BufferSize: int, Memory: int, Buffer: int) -> int:
    """A memory object with a buffer of its own, contents not set. Facts: KMDF-MEM-01, 02."""
    fw = framework(m)
    fw.required(Memory, "Memory")
    m.set_u64(Memory, 0)
    if not BufferSize:
        return status.INVALID_PARAMETER
    answer, parent = creation(fw, Attributes, PLAIN)
    if answer < 0:
        return answer
    if m.choose("WdfMemoryCreate", ("succeeds", "fails")) == "fails":
        return status.INSUFFICIENT_RESOURCES
    buffer = m.allocate(BufferSize, kind="pool", tag=PoolTag, label="WDFMEMORY buffer")
    made = new_memory(fw, parent, buffer, BufferSize, owned=True)
    answer = commit(fw, made, Attributes)
    if answer >= 0:
        m.set_u64(Memory, made.handle)
        if Buffer:
            m.set_u64(Buffer, buffer)
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfMemoryCreatePreallocated(m: Machine, Attributes: int, Buffer: int, BufferSize: int, Memory: int) -> int:
    """A memory object over a buffer of the driver's. Facts: KMDF-MEM-03."""
    fw = framework(m)
    fw.required(Buffer, "Buffer")
    if not BufferSize:
        return status.INVALID_PARAMETER
    fw.required(Memory, "Memory")
    m.set_u64(Memory, 0)
    answer, parent = creation(fw, Attributes, PLAIN)
    if answer < 0:
        return answer
    made = new_memory(fw, parent, Buffer, BufferSize, owned=False)
    answer = commit(fw, made, Attributes)
    if answer >= 0:
        m.set_u64(Memory, made.handle)
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfMemoryAssignBuffer(m: Machine, Memory: int, Buffer: int, BufferSize: int) -> int:
    """Put another buffer under a preallocated memory. Facts: KMDF-MEM-04, 05."""
    fw = framework(m)
    memory = fw.get(Memory, Preallocated)
    fw.required(Buffer, "Buffer")
    if not BufferSize:
        return status.INVALID_PARAMETER
    memory.assign(Buffer, BufferSize)
    return status.SUCCESS


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfMemoryGetBuffer(m: Machine, Memory: int, BufferSize: int) -> int:
    """Address and, if asked, size of the buffer; no reference is taken. Facts: KMDF-MEM-08."""
    memory = framework(m).get(Memory, _Memory)
    if BufferSize:
        m.set_u64(BufferSize, memory.size)
    return memory.buffer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfMemoryCopyToBuffer(m: Machine, SourceMemory: int, SourceOffset: int, Buffer: int, NumBytesToCopyTo: int) -> int:
    """Copy out of a memory object. Facts: KMDF-MEM-06."""
    fw = framework(m)
    memory = fw.get(SourceMemory, _Memory)
    fw.required(Buffer, "Buffer")
    if not NumBytesToCopyTo:
        return status.INVALID_PARAMETER
    if SourceOffset + NumBytesToCopyTo > memory.size:
        return status.BUFFER_TOO_SMALL
    m.memory.copy(Buffer, memory.buffer + SourceOffset, NumBytesToCopyTo)
    return status.SUCCESS


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfMemoryCopyFromBuffer(
    m: Machine, DestinationMemory: int, DestinationOffset: int, Buffer: int, NumBytesToCopyFrom: int
) -> int:
    """Copy into a memory object. Facts: KMDF-MEM-06, KMDF-BUF-10."""
    fw = framework(m)
    memory = fw.get(DestinationMemory, _Memory)
    fw.required(Buffer, "Buffer")
    if not NumBytesToCopyFrom:
        return status.INVALID_PARAMETER
    if memory.read_only:
        return status.ACCESS_VIOLATION
    if DestinationOffset + NumBytesToCopyFrom > memory.size:
        return status.INVALID_BUFFER_SIZE
    m.memory.copy(memory.buffer + DestinationOffset, Buffer, NumBytesToCopyFrom)
    return status.SUCCESS


_Memory = Memory
# The out parameter of the create functions is called Memory, as on Microsoft's pages; elsewhere the class goes by this name.
