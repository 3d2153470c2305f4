/*
 * wdfmemory.c: memory objects: over a buffer of the framework's, of the driver's, or of a received request.
 * Facts: KMDF-MEM. Page: using-memory-buffers.md.
 */

/* Where a memory's buffer is now: that of a request's memory is looked up in its IRP each time (KMDF-BUF-09). */
static PFX_MEMORY FxMemory(WDFMEMORY Memory)
{
    PFX_MEMORY memory = (PFX_MEMORY)wsklab_wdf(Memory, FX_TYPE_MEMORY);
    if (memory->Request != NULL) FxLocate(memory->Request, memory->Output, 0, &memory->Place);
    return memory;
}

/* The same for Python. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_memory_refresh(WDFMEMORY Memory)
{
    FxMemory(Memory);
}

static NTSTATUS FxMakeMemory(ULONG Type, PWDF_OBJECT_ATTRIBUTES Attributes, PVOID Parent, PVOID Buffer, size_t Size,
                             WDFMEMORY *Memory)
{
    NTSTATUS status = wsklab_wdf_create(Type, FX_TAKES_PARENT, Attributes, Parent, Memory);
    PFX_MEMORY memory;
    if (!NT_SUCCESS(status)) return status;
    memory = (PFX_MEMORY)wsklab_wdf(*Memory, FX_TYPE_MEMORY);
    memory->Place.Address = Buffer;
    memory->Place.Length = Size;
    return status;
}

/* A memory object with a buffer of its own, contents not set. Facts: KMDF-MEM-01, 02. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfMemoryCreate(PWDF_OBJECT_ATTRIBUTES Attributes, POOL_TYPE PoolType, ULONG PoolTag, size_t BufferSize,
                         WDFMEMORY *Memory, PVOID *Buffer)
{
    NTSTATUS status;
    PVOID buffer;
    wsklab_given(Memory, "Memory");
    if (BufferSize == 0) return STATUS_INVALID_PARAMETER;
    status = wsklab_wdf_check(Attributes, FX_TAKES_PARENT);
    if (!NT_SUCCESS(status)) return status;
    buffer = wsklab_memory_buffer(BufferSize, PoolTag);
    if (buffer == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    status = FxMakeMemory(FX_TYPE_MEMORY, Attributes, NULL, buffer, BufferSize, Memory);
    if (!NT_SUCCESS(status)) {
        wsklab_free(buffer);
        return status;
    }
    ((PFX_MEMORY)wsklab_wdf(*Memory, FX_TYPE_MEMORY))->Owned = TRUE;
    if (Buffer != NULL) *Buffer = buffer;
    return status;
}

/* A memory object over a buffer of the driver's. Facts: KMDF-MEM-03. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfMemoryCreatePreallocated(PWDF_OBJECT_ATTRIBUTES Attributes, PVOID Buffer, size_t BufferSize, WDFMEMORY *Memory)
{
    wsklab_given(Buffer, "Buffer");
    wsklab_given(Memory, "Memory");
    if (BufferSize == 0) return STATUS_INVALID_PARAMETER;
    return FxMakeMemory(FX_TYPE_MEMORY_PREALLOCATED, Attributes, NULL, Buffer, BufferSize, Memory);
}

/* Another buffer of the driver's; what formatted requests took of the old one stays. Facts: KMDF-MEM-04, 05. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfMemoryAssignBuffer(WDFMEMORY Memory, PVOID Buffer, size_t BufferSize)
{
    PFX_MEMORY memory = (PFX_MEMORY)wsklab_wdf(Memory, FX_TYPE_MEMORY_PREALLOCATED);
    wsklab_given(Buffer, "Buffer");
    if (BufferSize == 0) return STATUS_INVALID_PARAMETER;
    memory->Place.Address = Buffer;
    memory->Place.Length = BufferSize;
    return STATUS_SUCCESS;
}

/* Address and, if asked, size of the buffer; no reference is taken. Facts: KMDF-MEM-08. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID WdfMemoryGetBuffer(WDFMEMORY Memory, size_t *BufferSize)
{
    PFX_MEMORY memory = FxMemory(Memory);
    if (BufferSize != NULL) *BufferSize = memory->Place.Length;
    return memory->Place.Address;
}

/* Copy out of a memory object. Facts: KMDF-MEM-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfMemoryCopyToBuffer(WDFMEMORY SourceMemory, size_t SourceOffset, PVOID Buffer, size_t NumBytesToCopyTo)
{
    PFX_MEMORY memory = FxMemory(SourceMemory);
    wsklab_given(Buffer, "Buffer");
    if (NumBytesToCopyTo == 0) return STATUS_INVALID_PARAMETER;
    if (SourceOffset + NumBytesToCopyTo > memory->Place.Length) return STATUS_BUFFER_TOO_SMALL;
    RtlMoveMemory(Buffer, (PUCHAR)memory->Place.Address + SourceOffset, NumBytesToCopyTo);
    return STATUS_SUCCESS;
}

/* Copy into a memory object. Facts: KMDF-MEM-06, KMDF-BUF-10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfMemoryCopyFromBuffer(WDFMEMORY DestinationMemory, size_t DestinationOffset, PVOID Buffer, size_t NumBytesToCopyFrom)
{
    PFX_MEMORY memory = FxMemory(DestinationMemory);
    wsklab_given(Buffer, "Buffer");
    if (NumBytesToCopyFrom == 0) return STATUS_INVALID_PARAMETER;
    if (memory->ReadOnly) return STATUS_ACCESS_VIOLATION;
    if (DestinationOffset + NumBytesToCopyFrom > memory->Place.Length) return STATUS_INVALID_BUFFER_SIZE;
    RtlMoveMemory((PUCHAR)memory->Place.Address + DestinationOffset, Buffer, NumBytesToCopyFrom);
    return STATUS_SUCCESS;
}

/* The last reference is gone: so is the buffer, if it was ours, and so are locked pages. Facts: KMDF-MEM-09. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfmemory_destroyed(PFX_MEMORY Memory)
{
    if (Memory->Owned) wsklab_free(Memory->Place.Address);
    if (Memory->Locked) wsklab_mdl_free(Memory->Place.Mdl);
}
