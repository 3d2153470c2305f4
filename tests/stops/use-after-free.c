// A freed block is read (BUG-10).
ULONG Run(VOID)
{
    PULONG Value = (PULONG)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(ULONG), 'eulV');

    *Value = 7;
    ExFreePoolWithTag(Value, 'eulV');
    return *Value;
}
