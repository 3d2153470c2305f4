/* wdflookaside.c: lookaside lists: memory objects of one size, from one pool. Follows the wdfmemory.h pages. */

/* A lookaside list; what it was told is kept for each memory object. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS WdfLookasideListCreate(PWDF_OBJECT_ATTRIBUTES LookasideAttributes, size_t BufferSize, POOL_TYPE PoolType,
                                PWDF_OBJECT_ATTRIBUTES MemoryAttributes, ULONG PoolTag, WDFLOOKASIDE *Lookaside)
{
    NTSTATUS status;
    PFX_LOOKASIDE list;
    wsklab_given(Lookaside, "Lookaside");
    status = BufferSize == 0 ? STATUS_INVALID_PARAMETER : wsklab_wdf_check(MemoryAttributes, FX_TAKES_PARENT);
    if (NT_SUCCESS(status)) status = wsklab_wdf_create(FX_TYPE_LOOKASIDE, FX_TAKES_PARENT, LookasideAttributes, NULL, Lookaside);
    if (!NT_SUCCESS(status)) return status;
    list = (PFX_LOOKASIDE)wsklab_wdf(*Lookaside, FX_TYPE_LOOKASIDE);
    if (MemoryAttributes != NULL) list->Attributes = *MemoryAttributes;
    list->Size = BufferSize;
    list->PoolType = PoolType;
    list->Tag = PoolTag;
    return status;
}

/* A memory object with a buffer from the list. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfMemoryCreateFromLookaside(WDFLOOKASIDE Lookaside, WDFMEMORY *Memory)
{
    PFX_LOOKASIDE list = (PFX_LOOKASIDE)wsklab_wdf(Lookaside, FX_TYPE_LOOKASIDE);
    PWDF_OBJECT_ATTRIBUTES attributes = list->Attributes.Size != 0 ? &list->Attributes : WDF_NO_OBJECT_ATTRIBUTES;
    return WdfMemoryCreate(attributes, list->PoolType, list->Tag, list->Size, Memory, NULL);
}
