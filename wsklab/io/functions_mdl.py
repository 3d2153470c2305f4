"""The functions on MDLs that C calls; the work is done in ``mdl``. Facts: KRN-01 to KRN-10."""

from __future__ import annotations

from wsklab.io import mdl
from wsklab.io.irp import layout, packet_of
from wsklab.machine import Machine, wdk


@wdk()
def IoAllocateMdl(m: Machine, VirtualAddress: int, Length: int, SecondaryBuffer: int, ChargeQuota: int, Irp: int) -> int:
    """Allocate an MDL for a buffer, and put it into an IRP if one is given; NULL on failure. Facts: KRN-01, KRN-46."""
    if m.choose("IoAllocateMdl", ("succeeds", "fails")) == "fails":
        return 0
    made = mdl.allocate(m, VirtualAddress, Length)
    if Irp:
        packet_of(m, Irp, "IoAllocateMdl")
        place = Irp + layout().mdl
        if SecondaryBuffer and m.u64(place):
            place = list(mdl.chain(m, m.u64(place), "IoAllocateMdl"))[-1]
        m.set_u64(place, made)
    return made


@wdk()
def IoFreeMdl(m: Machine, Mdl: int) -> None:
    """Free one MDL. Facts: KRN-07, IRP-09."""
    mdl.free_own(m, Mdl)


@wdk()
def MmBuildMdlForNonPagedPool(m: Machine, MemoryDescriptorList: int) -> None:
    """Let the MDL describe the pages of its nonpaged buffer. Facts: KRN-02 to KRN-04."""
    mdl.build_nonpaged(m, MemoryDescriptorList)


@wdk()
def MmProbeAndLockPages(m: Machine, MemoryDescriptorList: int, AccessMode: int, Operation: int) -> None:
    """Lock the pages of the MDL's buffer; Operation 0 only reads it. Facts: KRN-05, KRN-06."""
    mdl.lock(m, MemoryDescriptorList, write=Operation != 0)


@wdk()
def MmUnlockPages(m: Machine, MemoryDescriptorList: int) -> None:
    """Unlock the pages of an MDL. Facts: KRN-05, KRN-07."""
    mdl.unlock(m, MemoryDescriptorList)


@wdk()
def MmGetSystemAddressForMdlSafe(m: Machine, Mdl: int, Priority: int) -> int:
    """The address of the described bytes, NULL when they cannot be mapped. Facts: KRN-04, KRN-09."""
    return mdl.system_address(m, Mdl)


@wdk()
def MmMapLockedPagesSpecifyCache(
    m: Machine,
    MemoryDescriptorList: int,
    AccessMode: int,
    CacheType: int,
    RequestedAddress: int,
    BugCheckOnFailure: int,
    Priority: int,
) -> int:
    """Map the described bytes for the kernel, NULL on failure. Facts: KRN-09."""
    if AccessMode:
        m.not_modelled("MmMapLockedPagesSpecifyCache with UserMode")
    return mdl.system_address(m, MemoryDescriptorList)


@wdk()
def MmUnmapLockedPages(m: Machine, BaseAddress: int, MemoryDescriptorList: int) -> None:
    """Undo MmMapLockedPagesSpecifyCache."""
    known = mdl.ready(m, MemoryDescriptorList, "MmUnmapLockedPages")
    m.set_u16(MemoryDescriptorList + 10, known.flags & ~mdl.MAPPED)


@wdk()
def IoBuildPartialMdl(m: Machine, SourceMdl: int, TargetMdl: int, VirtualAddress: int, Length: int) -> None:
    """Let one MDL describe a part of what another one describes. Facts: KRN-10."""
    mdl.build_partial(m, SourceMdl, TargetMdl, VirtualAddress, Length)


@wdk()
def MmPrepareMdlForReuse(m: Machine, Mdl: int) -> None:
    """Prepare a partial MDL for being built again. Facts: KRN-10."""
    known = mdl.fields(m, Mdl, "MmPrepareMdlForReuse")
    m.set_u16(Mdl + 10, known.flags & ~(mdl.PARTIAL_MAPPED | mdl.MAPPED))


@wdk()
def MmSizeOfMdl(m: Machine, Base: int, Length: int) -> int:
    """Size in bytes of an MDL for a buffer."""
    return mdl.size_of(Base, Length)
