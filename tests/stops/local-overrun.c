// One element too many in a local array (BUG-11).
ULONG Run(VOID)
{
    ULONG Values[3];
    ULONG Sum = 0;
    int i;

    for (i = 0; i <= 3; i++) {
        Values[i] = i;
        Sum += Values[i];
    }
    return Sum;
}
