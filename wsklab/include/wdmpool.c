/*
 * wdmpool.c: pool by its older and newer names, memory of the memory manager, and addresses. Follows the wdm.h and ntddk.h pages
 * nf-wdm-exallocatepool*, nf-wdm-mm*.
 */

static PVOID wsklab_old_pool(PCSTR Function, POOL_TYPE Type, SIZE_T Size, ULONG Tag, BOOLEAN Zero, BOOLEAN Fails)
{
    if (Tag == 0) wsklab_stop("pool-zero-tag", NULL, "function=%s;type=%d;size=%#llx", Function, Type, Size);
    return wsklab_pool(Function, Size, Tag, Type & PagedPool, Zero, Fails);
}

/* Pool that is charged to a quota raises when there is none, unless the type says otherwise. */
static PVOID wsklab_quota(PCSTR Function, POOL_TYPE Type, SIZE_T Size, ULONG Tag, BOOLEAN Zero, BOOLEAN Fails)
{
    PVOID block = wsklab_old_pool(Function, Type, Size, Tag, Zero, Fails);
    if (!block && !(Type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE)) ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return block;
}

/* Allocate pool that is not initialised (deprecated since Windows 10 2004); NULL on failure. Facts: KRN-12, KRN-13. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return wsklab_old_pool("ExAllocatePoolWithTag", PoolType, NumberOfBytes, Tag, FALSE, wsklab_fails("ExAllocatePoolWithTag"));
}

/* Allocate zeroed pool; NULL on failure. Facts: KRN-12, KRN-13. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return wsklab_old_pool("ExAllocatePoolZero", PoolType, NumberOfBytes, Tag, TRUE, wsklab_fails("ExAllocatePoolZero"));
}

/* Allocate pool that is not initialised; NULL on failure. Facts: KRN-12, KRN-13. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return wsklab_old_pool("ExAllocatePoolUninitialized", PoolType, NumberOfBytes, Tag, FALSE,
                           wsklab_fails("ExAllocatePoolUninitialized"));
}

/* Allocate pool that is charged to this process's quota. Page: nf-wdm-exallocatepoolwithquotatag. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return wsklab_quota("ExAllocatePoolWithQuotaTag", PoolType, NumberOfBytes, Tag, FALSE, wsklab_fails("ExAllocatePoolWithQuotaTag"));
}

/* Allocate pool that is charged to this process's quota, not initialised. Page: nf-wdm-exallocatepoolquotauninitialized. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolQuotaUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return wsklab_quota("ExAllocatePoolQuotaUninitialized", PoolType, NumberOfBytes, Tag, FALSE,
                        wsklab_fails("ExAllocatePoolQuotaUninitialized"));
}

/* Allocate zeroed pool that is charged to this process's quota. Page: nf-wdm-exallocatepoolquotazero. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return wsklab_quota("ExAllocatePoolQuotaZero", PoolType, NumberOfBytes, Tag, TRUE, wsklab_fails("ExAllocatePoolQuotaZero"));
}

/* Pool that is not initialised, tagged None. Page: nf-wdm-exallocatepool. Facts: KRN-12, KRN-13. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, 'enoN');
}

/* Pool that is not initialised; how much its failure would matter decides nothing here. Page: nf-wdm-exallocatepoolwithtagpriority. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

/* Pool that is charged to this process's quota, tagged None; raises when there is none. Page: nf-wdm-exallocatepoolwithquota. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, 'enoN');
}

/* Pool as ExAllocatePool2 gives it; of the extended parameters only the priority is known. Page: nf-wdm-exallocatepool3. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                      ULONG ExtendedParametersCount)
{
    ULONG i;
    for (i = 0; i < ExtendedParametersCount; i++)
        if (ExtendedParameters[i].Type != PoolExtendedParameterPriority) wsklab_not_modelled("ExAllocatePool3 with this parameter");
    return ExAllocatePool2(Flags, NumberOfBytes, Tag);
}

/* Nonpaged memory whose pages lie side by side, not initialised. Page: nf-wdm-mmallocatecontiguousmemory. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID MmAllocateContiguousMemory(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    return wsklab_fails("MmAllocateContiguousMemory")
               ? NULL : wsklab_system_object(NumberOfBytes, "contiguous memory", "MmAllocateContiguousMemory");
}

/* Free what MmAllocateContiguousMemory returned. Page: nf-wdm-mmfreecontiguousmemory. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void MmFreeContiguousMemory(PVOID BaseAddress)
{
    wsklab_give_back(BaseAddress, "MmAllocateContiguousMemory", "MmFreeContiguousMemory");
}

/* Nonpaged memory that no cache keeps. Page: nf-ntddk-mmallocatenoncachedmemory. */
_IRQL_requires_max_(APC_LEVEL)
PVOID MmAllocateNonCachedMemory(SIZE_T NumberOfBytes)
{
    return wsklab_fails("MmAllocateNonCachedMemory")
               ? NULL : wsklab_system_object(NumberOfBytes, "noncached memory", "MmAllocateNonCachedMemory");
}

/* Free what MmAllocateNonCachedMemory returned. Page: nf-ntddk-mmfreenoncachedmemory. */
_IRQL_requires_max_(APC_LEVEL)
void MmFreeNonCachedMemory(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    wsklab_give_back(BaseAddress, "MmAllocateNonCachedMemory", "MmFreeNonCachedMemory");
}

/* Whether an access to an address would fault now. Page: nf-ntddk-mmisaddressvalid. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN MmIsAddressValid(PVOID VirtualAddress)
{
    return wsklab_is_there(VirtualAddress);
}

/*
 * The physical address of a virtual one, which is ours to choose: its low 32 bits; 0 where nothing is. What lies side by side in
 * virtual memory does so in physical memory. Page: nf-ntddk-mmgetphysicaladdress.
 */
_IRQL_requires_max_(HIGH_LEVEL)
PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS physical = { .QuadPart = 0 };
    if (wsklab_is_there(BaseAddress)) physical.QuadPart = (LONGLONG)((ULONG_PTR)BaseAddress & 0xFFFFFFFF);
    return physical;
}

/* A system address for the pages of an MDL; NULL when mapping fails. Page: nf-wdm-mmmaplockedpagesspecifycache. Facts: KRN-09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, MEMORY_CACHING_TYPE CacheType,
                                   PVOID RequestedAddress, ULONG BugCheckOnFailure, ULONG Priority)
{
    if (AccessMode != KernelMode) wsklab_not_modelled("MmMapLockedPagesSpecifyCache with UserMode");
    if (MemoryDescriptorList->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        wsklab_stop("mdl-mapped-again", MemoryDescriptorList, "function=MmMapLockedPagesSpecifyCache;mdl=%p", MemoryDescriptorList);
    return MmGetSystemAddressForMdlSafe(MemoryDescriptorList, Priority);
}

/* The mapping of an MDL's pages ends. Page: nf-wdm-mmunmaplockedpages. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    if (!(MemoryDescriptorList->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || MemoryDescriptorList->MappedSystemVa != BaseAddress)
        wsklab_stop("mdl-not-mapped", MemoryDescriptorList, "function=MmUnmapLockedPages;mdl=%p;address=%p", MemoryDescriptorList,
                    BaseAddress);
    MemoryDescriptorList->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}
