/*
 * wdmmm.c: memory descriptor lists: building, locking and mapping. The machine has one address space, so a mapping is the buffer's own
 * address; what counts is the order of the calls, which MdlFlags keeps as on Windows. Facts: KRN-01 to KRN-10, BUG-17 to BUG-19,
 * BUG-28.
 */
static void wsklab_mdl_stop(PCSTR Rule, PMDL Mdl, PCSTR Function, PCSTR State)
{
    wsklab_stop(Rule, Mdl, "mdl=%#018llx;function=%s;flags=%#x;address=%#018llx;state=%s", Mdl, Function, Mdl->MdlFlags,
                MmGetMdlVirtualAddress(Mdl), State);
}

static void wsklab_mdl_ready(PMDL Mdl, PCSTR Function)
{
    wsklab_mdl(Mdl, Function);
    if (!(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)))
        wsklab_mdl_stop("mdl-not-built", Mdl, Function, "");
}

/* Allocate an MDL for a buffer, and put it into an IRP if one is given; NULL on failure. Facts: KRN-01, KRN-46. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    PMDL mdl = wsklab_new_mdl(VirtualAddress, Length, Irp), *place;
    if (mdl && Irp) {
        place = &Irp->MdlAddress;
        while (SecondaryBuffer && *place) place = &(*place)->Next;
        *place = mdl;
    }
    return mdl;
}

/* Let the MDL describe the pages of its nonpaged buffer. Facts: KRN-02 to KRN-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    PCSTR function = "MmBuildMdlForNonPagedPool";
    ULONG memory;
    wsklab_mdl(MemoryDescriptorList, function);
    memory = wsklab_mdl_memory(MemoryDescriptorList, function);
    if (memory == WSKLAB_STACK) wsklab_mdl_stop("mdl-of-stack", MemoryDescriptorList, function, "");
    if (memory == WSKLAB_PAGED) wsklab_mdl_stop("mdl-of-paged-pool", MemoryDescriptorList, function, "");
    MemoryDescriptorList->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    MemoryDescriptorList->MappedSystemVa = MmGetMdlVirtualAddress(MemoryDescriptorList);
}

/* Lock the pages of the MDL's buffer until MmUnlockPages; IoReadAccess only reads it. Facts: KRN-05, KRN-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    PCSTR function = "MmProbeAndLockPages";
    CSHORT flags;
    wsklab_mdl(MemoryDescriptorList, function);
    flags = MemoryDescriptorList->MdlFlags;
    if (flags & MDL_PAGES_LOCKED) wsklab_mdl_stop("mdl-locked-again", MemoryDescriptorList, function, "locked");
    if (flags & MDL_SOURCE_IS_NONPAGED_POOL)
        wsklab_mdl_stop("mdl-locked-again", MemoryDescriptorList, function, "built for nonpaged pool");
    if (flags & MDL_PARTIAL) wsklab_mdl_stop("mdl-locked-again", MemoryDescriptorList, function, "built as a partial MDL");
    if (wsklab_mdl_memory(MemoryDescriptorList, function) == WSKLAB_PAGED && KeGetCurrentIrql() > APC_LEVEL)
        wsklab_mdl_stop("mdl-lock-irql", MemoryDescriptorList, function, "");
    wsklab_mdl_keep(MmGetMdlVirtualAddress(MemoryDescriptorList), 1);
    MemoryDescriptorList->MdlFlags = flags | MDL_PAGES_LOCKED | (Operation ? MDL_WRITE_OPERATION : 0);
}

/* Unlock the pages of an MDL. Facts: KRN-05, KRN-07. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void MmUnlockPages(PMDL MemoryDescriptorList)
{
    PCSTR function = "MmUnlockPages";
    CSHORT flags;
    wsklab_mdl(MemoryDescriptorList, function);
    flags = MemoryDescriptorList->MdlFlags;
    if (flags & MDL_PARTIAL) wsklab_mdl_stop("mdl-unlocked-partial", MemoryDescriptorList, function, "");
    if (flags & MDL_SOURCE_IS_NONPAGED_POOL) wsklab_mdl_stop("mdl-unlocked-nonpaged", MemoryDescriptorList, function, "");
    if (!(flags & MDL_PAGES_LOCKED)) wsklab_mdl_stop("mdl-not-locked", MemoryDescriptorList, function, "");
    wsklab_mdl_keep(MmGetMdlVirtualAddress(MemoryDescriptorList), -1);
    MemoryDescriptorList->MdlFlags = flags & ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_WRITE_OPERATION);
}

/* Let one MDL describe a part of what a locked or nonpaged one describes; length 0 means up to its end. Facts: KRN-10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    PCHAR first, end, start = (PCHAR)VirtualAddress;
    wsklab_mdl_ready(SourceMdl, "IoBuildPartialMdl");
    wsklab_mdl(TargetMdl, "IoBuildPartialMdl");
    first = (PCHAR)MmGetMdlVirtualAddress(SourceMdl);
    end = first + SourceMdl->ByteCount;
    if (!Length) Length = (ULONG)(end - start);
    if (start < first || start + Length > end || (SIZE_T)TargetMdl->Size < MmSizeOfMdl(VirtualAddress, Length))
        wsklab_stop("mdl-partial-outside", SourceMdl, "mdl=%#018llx;function=IoBuildPartialMdl;address=%#018llx;size=%d;target=%#018llx",
                    SourceMdl, VirtualAddress, Length, TargetMdl);
    TargetMdl->Next = NULL;
    TargetMdl->MdlFlags = TargetMdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE | MDL_PARTIAL |
                          SourceMdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_WRITE_OPERATION);
    TargetMdl->Process = NULL;
    TargetMdl->MappedSystemVa = SourceMdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL ? VirtualAddress : NULL;
    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = Length;
}

/* The address at which the described bytes can be used; NULL when mapping fails. Facts: KRN-04, KRN-09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
    CSHORT flags;
    PVOID address;
    wsklab_mdl_ready(Mdl, "MmGetSystemAddressForMdlSafe");
    flags = Mdl->MdlFlags;
    address = MmGetMdlVirtualAddress(Mdl);
    if (flags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA)) return address;
    if (wsklab_fails("MmGetSystemAddressForMdlSafe")) return NULL;
    Mdl->MdlFlags = flags | MDL_MAPPED_TO_SYSTEM_VA | (flags & MDL_PARTIAL ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0);
    Mdl->MappedSystemVa = address;
    return address;
}

/* Prepare a partial MDL for being built again. Facts: KRN-10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void MmPrepareMdlForReuse(PMDL Mdl)
{
    wsklab_mdl(Mdl, "MmPrepareMdlForReuse");
    Mdl->MdlFlags &= ~(MDL_PARTIAL_HAS_BEEN_MAPPED | MDL_MAPPED_TO_SYSTEM_VA);
}
