"""Memory descriptor lists: which there are and what they describe. Building, locking and mapping them is C, in ``wdmmm.c``.

Facts: KRN-01 to KRN-10, BUG-17 to BUG-19, BUG-28.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from wsklab.io.irp import build as build_irp
from wsklab.io.irp import packet_of
from wsklab.machine import Machine, quiet, wdk
from wsklab.machine.functions_memory import c_text
from wsklab.machine.functions_pool import is_paged

MAPPED, LOCKED, NONPAGED, FIXED, PARTIAL = 0x1, 0x2, 0x4, 0x8, 0x10
SIZE, PAGE = 48, 4096
_MDL = Struct("<Qhh4xQQQII")  # Next, Size, MdlFlags, Process, MappedSystemVa, StartVa, ByteCount, ByteOffset
_FLAGS = 10


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of an MDL that matter here."""

    next: int
    size: int
    flags: int
    start: int
    count: int
    offset: int

    @property
    def address(self) -> int:
        """The address of the first byte described."""
        return self.start + self.offset


@dataclass(slots=True)
class Mdls:
    """The driver's live MDLs, those it was given, and who has a request under way that uses one."""

    live: set[int] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    users: dict[int, str] = field(default_factory=dict)


def fields(m: Machine, mdl: int) -> Fields:
    """The members of an MDL, read one by one: MmInitializeMdl leaves the others unwritten."""
    return Fields(m.u64(mdl), m.u16(mdl + 8), m.u16(mdl + _FLAGS), m.u64(mdl + 32), m.u32(mdl + 40), m.u32(mdl + 44))


@quiet()
def wsklab_mdl(m: Machine, Mdl: int, Function: int) -> None:
    """Stop when there is no MDL."""
    known_mdl(m, Mdl, c_text(m, Function))


def known_mdl(m: Machine, mdl: int, function: str) -> Fields:
    """The members of an MDL; a stop when none lies at `mdl`."""
    block = m.block_at(mdl)
    if block is not None and block.kind == "mdl" and not block.live:
        rule = "mdl-freed-twice" if function == "IoFreeMdl" else "mdl-not-an-mdl"
        m.refuse(rule, mdl, function, what="it has been freed")
    content = fields(m, mdl)
    if content.size < SIZE or content.start % PAGE or content.offset >= PAGE:
        m.refuse("mdl-not-an-mdl", mdl, function, what=m.name_of(mdl))
    return content


def size_of(address: int, length: int) -> int:
    """Size in bytes of an MDL for a range: the structure and a page number for each page that the range touches."""
    return SIZE + 8 * ((address % PAGE + length + PAGE - 1) // PAGE)


def _write(m: Machine, mdl: int, size: int, flags: int, address: int, length: int) -> int:
    """Write the bytes of an MDL of `size` bytes that describes a range; returns it."""
    offset = address % PAGE
    m.write(mdl, _MDL.pack(0, size & 0x7FFF, flags, 0, address if flags & NONPAGED else 0, address - offset, length, offset))
    return mdl


def allocate(m: Machine, address: int, length: int, flags: int = FIXED) -> int:
    """An MDL for a range of addresses, not built yet (KRN-01)."""
    size = size_of(address, length)
    mdl = _write(m, m.allocate(size, "mdl", label="MDL"), size, flags, address, length)
    m.model(Mdls).live.add(mdl)
    return mdl


@wdk("IoFreeMdl")
def free_own(m: Machine, mdl: int) -> None:
    """Free one MDL of the driver, not its chain and not its buffer. Facts: KRN-07, IRP-09."""
    known = known_mdl(m, mdl, "IoFreeMdl")
    model = m.model(Mdls)
    if mdl not in model.live | model.given:
        m.refuse("mdl-not-an-mdl", mdl, "IoFreeMdl", what="IoAllocateMdl did not return it")
    if known.flags & LOCKED and not known.flags & PARTIAL:
        m.refuse("mdl-freed-locked", mdl, "IoFreeMdl")
    if mdl in model.users:
        m.refuse("mdl-freed-in-use", mdl, "IoFreeMdl", holder=model.users[mdl])
    model.live.discard(mdl)
    model.given.discard(mdl)
    m.free(mdl)


@quiet()
def wsklab_mdl_memory(m: Machine, Mdl: int, Function: int) -> int:
    """What an MDL describes: WSKLAB_STACK, WSKLAB_PAGED or 0 for other memory; a stop when it is not there for all its bytes."""
    known = fields(m, Mdl)
    block, what = m.block_at(known.address), ""
    if known.address < 0x10000 or block is None:
        what = "no memory is there"
    elif not block.live:
        what = "it has been freed"
    elif known.address + known.count > block.end:
        what = "the block ends before"
    if what or block is None:
        where = f"{known.address:#018x}"
        m.refuse("mdl-bad-buffer", Mdl, c_text(m, Function), address=where, size=known.count, what=what)
    return 1 if block.kind == "stack" else 2 * int(is_paged(m, known.address))


@quiet()
def wsklab_mdl_keep(m: Machine, Address: int, Change: int) -> None:
    """The memory of an MDL is locked or unlocked."""
    block = m.block_at(Address)
    if block is not None:
        block.locks += Change


@quiet()
def wsklab_new_mdl(m: Machine, Address: int, Length: int, Irp: int) -> int:
    """An MDL for IoAllocateMdl and the IRP it is for, if any; NULL on failure."""
    if m.choose("IoAllocateMdl", ("succeeds", "fails")) == "fails":
        return 0
    if Irp:
        packet_of(m, Irp, "IoAllocateMdl")
    return allocate(m, Address, Length)


# For IRPs that the I/O manager builds (include/wdmio.c), and for providers


@quiet()
def wsklab_build_irp(m: Machine, StackSize: int) -> int:
    """An IRP that the I/O manager takes back when it is complete; NULL when there is no memory. Facts: IRP-06, KRN-46."""
    fails = m.choose("IoBuildDeviceIoControlRequest", ("succeeds", "fails")) == "fails"
    return 0 if fails else build_irp(m, StackSize, lambda irp, *_: m.api("wsklab_finish_irp")(irp), maker="io")


@quiet()
def wsklab_associated_irp(m: Machine, StackSize: int) -> int:
    """An IRP whose end counts for its master; NULL when there is no memory."""
    fails = m.choose("IoMakeAssociatedIrp", ("succeeds", "fails")) == "fails"
    return 0 if fails else build_irp(m, StackSize, lambda irp, *_: m.api("wsklab_associated_done")(irp), maker="driver")


@quiet()
def wsklab_system_buffer(m: Machine, Length: int) -> int:
    """Memory of the system, which the driver may use and not free."""
    return m.allocate(Length, "pool", label="system buffer")


@quiet()
def wsklab_system_mdl(m: Machine, Buffer: int, Length: int) -> int:
    """An MDL of the system over a caller's buffer, locked."""
    mdl = build(m, Buffer, Length)
    m.set_u16(mdl + _FLAGS, FIXED | LOCKED)
    return mdl


@quiet()
def wsklab_system_free(m: Machine, Memory: int) -> None:
    """Take memory or an MDL of the system back."""
    m.free(Memory)


# For providers


def build(m: Machine, address: int, length: int, *, given: bool = False) -> int:
    """An MDL over nonpaged memory, ready for use; with `given` the driver may free it with IoFreeMdl."""
    mdl, model = allocate(m, address, length, FIXED | NONPAGED), m.model(Mdls)
    model.live.remove(mdl)
    if given:
        model.given.add(mdl)
    return mdl
