// A local variable is used before it has a value.
int Run(VOID)
{
    int Count;

    if (KeGetCurrentIrql() > PASSIVE_LEVEL) {
        Count = 1;
    }
    return Count;
}
