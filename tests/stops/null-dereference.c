// The result of an allocation is not tested (BUG-15).
// choices: ExAllocatePool2=fails
void Run(VOID)
{
    PULONG Value = (PULONG)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(ULONG), 'eulV');

    *Value = 7;
    ExFreePoolWithTag(Value, 'eulV');
}
