"""WDFMEMORY as Python makes and sees it; its functions are in wdfmemory.c. Facts: KMDF-MEM, KMDF-BUF-09."""

from __future__ import annotations

from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, framework
from wsklab.kmdf.objects import Object
from wsklab.kmdf.private import Private
from wsklab.kmdf.wdm import Place
from wsklab.machine import Machine
from wsklab.machine.api import quiet


class Memory(Private, kind="WDFMEMORY", number=0x100A, structure="FX_MEMORY"):
    """A memory object with a buffer of the framework's own."""

    def __init__(self, fw: Framework, parent: Object | None, buffer: int = 0, size: int = 0, mdl: int = 0) -> None:
        super().__init__(fw, parent)
        own = self.m.view(self.address, "FX_MEMORY")
        own.Place.Address, own.Place.Length, own.Place.Mdl, own.Owned = buffer, size, mdl, buffer and type(self) is Memory

    @property
    def place(self) -> Place:
        """Where the buffer is."""
        return self.m.u64(self.address), self.m.u64(self.address + 8), self.m.u64(self.address + 16)


class Borrowed(Memory, number=0x1022):
    """A memory object over a buffer of the driver's (KMDF-MEM-03), or of a caller of Python."""


class Embedded(Memory, number=0x1032):
    """One that belongs to a received request, and with it the buffer."""

    embedded = True

    @property
    def place(self) -> Place:
        """Where the IRP has the buffer now. Facts: KMDF-BUF-09."""
        self.fw.c("wsklab_memory_refresh", self.handle)
        return super().place


@quiet()
def wsklab_memory_buffer(m: Machine, Size: int, Tag: int) -> int:
    """A buffer for a memory object; NULL when there is no memory. Facts: KMDF-MEM-01."""
    if framework(m).fails("WdfMemoryCreate"):
        return 0
    return m.allocate(Size, kind="pool", tag=Tag, label="WDFMEMORY buffer")


@quiet()
def wsklab_mdl_build(m: Machine, Buffer: int, Length: int, Write: int) -> int:
    """A locked MDL over a buffer."""
    return wdm.build_mdl(m, Buffer, Length, write=bool(Write))


@quiet()
def wsklab_mdl_free(m: Machine, Mdl: int) -> None:
    """Unlock and free an MDL made here."""
    if Mdl:
        wdm.free_mdl(m, Mdl)
