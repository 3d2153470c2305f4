"""Memory descriptor lists: building, locking, mapping, and the bytes they describe.

The machine has one address space, so a mapping is the buffer's own address; what counts is the order of the calls, which
`MdlFlags` keeps as on Windows.
Facts: KRN-01 to KRN-10, BUG-17 to BUG-19, BUG-28.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from wsklab.io.irp import build as build_irp
from wsklab.io.irp import layout, packet_of
from wsklab.machine import APC_LEVEL, Machine, quiet, wdk
from wsklab.machine.functions_pool import is_paged

MAPPED, LOCKED, NONPAGED, FIXED, PARTIAL, PARTIAL_MAPPED = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
WRITE_OPERATION = 0x80
SIZE, PAGE = 48, 4096
_MDL = Struct("<Qhh4xQQQII")  # Next, Size, MdlFlags, Process, MappedSystemVa, StartVa, ByteCount, ByteOffset
_FLAGS, _MAPPED_VA = 10, 24


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


def _buffer(m: Machine, mdl: int, known: Fields, function: str) -> str:
    """The kind of memory an MDL describes; a stop when it is not there for the whole length."""
    block, what = m.block_at(known.address), ""
    if known.address < 0x10000 or block is None:
        what = "no memory is there"
    elif not block.live:
        what = "it has been freed"
    elif known.address + known.count > block.end:
        what = "the block ends before"
    if what or block is None:
        m.refuse("mdl-bad-buffer", mdl, function, address=f"{known.address:#018x}", size=known.count, what=what)
    return block.kind


@wdk("MmBuildMdlForNonPagedPool")
def build_nonpaged(m: Machine, mdl: int) -> None:
    """Let the MDL describe the pages of its nonpaged buffer. Facts: KRN-02 to KRN-04."""
    known = known_mdl(m, mdl, "MmBuildMdlForNonPagedPool")
    kind = _buffer(m, mdl, known, "MmBuildMdlForNonPagedPool")
    where = f"{known.address:#018x}"
    if kind == "stack":
        m.refuse("mdl-of-stack", mdl, "MmBuildMdlForNonPagedPool", address=where)
    if is_paged(m, known.address):
        m.refuse("mdl-of-paged-pool", mdl, "MmBuildMdlForNonPagedPool", address=where, flags=f"{known.flags:#x}")
    m.set_u16(mdl + _FLAGS, known.flags | NONPAGED)
    m.set_u64(mdl + _MAPPED_VA, known.address)


@wdk("MmProbeAndLockPages")
def lock(m: Machine, mdl: int, mode: int, operation: int) -> None:
    """Lock the pages of the MDL's buffer until MmUnlockPages; operation 0 only reads it. Facts: KRN-05, KRN-06."""
    known = known_mdl(m, mdl, "MmProbeAndLockPages")
    for flag, state in ((LOCKED, "locked"), (NONPAGED, "built for nonpaged pool"), (PARTIAL, "built as a partial MDL")):
        if known.flags & flag:
            m.refuse("mdl-locked-again", mdl, "MmProbeAndLockPages", state=state, flags=f"{known.flags:#x}")
    _buffer(m, mdl, known, "MmProbeAndLockPages")
    if m.irql > APC_LEVEL and is_paged(m, known.address):
        m.refuse("mdl-lock-irql", mdl, "MmProbeAndLockPages")
    _keep(m, known, 1)
    m.set_u16(mdl + _FLAGS, known.flags | LOCKED | (WRITE_OPERATION if operation else 0))


@wdk("MmUnlockPages")
def unlock(m: Machine, mdl: int) -> None:
    """Unlock the pages of an MDL. Facts: KRN-05, KRN-07."""
    known = known_mdl(m, mdl, "MmUnlockPages")
    if known.flags & (LOCKED | PARTIAL | NONPAGED) != LOCKED:
        built = "mdl-unlocked-partial" if known.flags & PARTIAL else "mdl-unlocked-nonpaged"
        rule = built if known.flags & (PARTIAL | NONPAGED) else "mdl-not-locked"
        m.refuse(rule, mdl, "MmUnlockPages", flags=f"{known.flags:#x}")
    _keep(m, known, -1)
    m.set_u16(mdl + _FLAGS, known.flags & ~(LOCKED | MAPPED | WRITE_OPERATION))


def _keep(m: Machine, known: Fields, change: int) -> None:
    block = m.block_at(known.address)
    if block is not None:
        block.locks += change


@wdk("IoBuildPartialMdl")
def build_partial(m: Machine, source: int, target: int, address: int, length: int) -> None:
    """Let one MDL describe a part of what a locked or nonpaged one describes; length 0 means up to its end. Facts: KRN-10."""
    known, small = ready(m, source, "IoBuildPartialMdl"), known_mdl(m, target, "IoBuildPartialMdl")
    length = length or known.address + known.count - address
    inside = known.address <= address and address + length <= known.address + known.count
    if not inside or small.size < size_of(address, length):
        where = f"{address:#018x}"
        m.refuse("mdl-partial-outside", source, "IoBuildPartialMdl", address=where, size=length, target=f"{target:#018x}")
    flags = small.flags & FIXED | PARTIAL | known.flags & (LOCKED | NONPAGED | WRITE_OPERATION)
    _write(m, target, small.size, flags, address, length)


def ready(m: Machine, mdl: int, function: str) -> Fields:
    """The members of an MDL that is built or locked; a stop when it is neither (KRN-09, BUG-18)."""
    known = known_mdl(m, mdl, function)
    if not known.flags & (LOCKED | NONPAGED | PARTIAL):
        m.refuse("mdl-not-built", mdl, function)
    return known


@wdk("MmGetSystemAddressForMdlSafe")
def system_address(m: Machine, mdl: int, priority: int = 0) -> int:
    """The address at which the described bytes can be used; NULL when mapping fails. Facts: KRN-04, KRN-09."""
    known = ready(m, mdl, "MmGetSystemAddressForMdlSafe")
    if known.flags & (NONPAGED | MAPPED):
        return known.address
    if m.choose("MmGetSystemAddressForMdlSafe", ("succeeds", "fails")) == "fails":
        return 0
    m.set_u16(mdl + _FLAGS, known.flags | (PARTIAL_MAPPED | MAPPED if known.flags & PARTIAL else MAPPED))
    m.set_u64(mdl + _MAPPED_VA, known.address)
    return known.address


# What C calls besides


@wdk()
def IoAllocateMdl(m: Machine, VirtualAddress: int, Length: int, SecondaryBuffer: int, ChargeQuota: int, Irp: int) -> int:
    """Allocate an MDL for a buffer, and put it into an IRP if one is given; NULL on failure. Facts: KRN-01, KRN-46."""
    if m.choose("IoAllocateMdl", ("succeeds", "fails")) == "fails":
        return 0
    made = allocate(m, VirtualAddress, Length)
    if Irp:
        packet_of(m, Irp, "IoAllocateMdl")
        place = Irp + layout().mdl
        while SecondaryBuffer and m.u64(place):
            place = m.u64(place)  # Next is the first member
        m.set_u64(place, made)
    return made


@wdk()
def MmPrepareMdlForReuse(m: Machine, Mdl: int) -> None:
    """Prepare a partial MDL for being built again. Facts: KRN-10."""
    known = known_mdl(m, Mdl, "MmPrepareMdlForReuse")
    m.set_u16(Mdl + _FLAGS, known.flags & ~(PARTIAL_MAPPED | MAPPED))


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
