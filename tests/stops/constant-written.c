// What a driver declares const lies in memory that cannot be written; a cast only silences the compiler.
static const ULONG Limits[3] = { 10, 20, 30 };

ULONG Run(VOID)
{
    static const struct { ULONG Count; } Fixed = { 1 };
    ULONG Index, Sum = 0;

    for (Index = 0; Index < 3; Index++)
        Sum += Limits[Index];
    if (Sum == 60)
        ((ULONG *)Limits)[1] = Fixed.Count;
    return Sum;
}
