// The only quotient of two numbers that their type cannot hold.
LONG Run(VOID)
{
    LONG Rates[] = { 4, 2, -1 }, Lowest = -2147483647L - 1;
    ULONG Index;

    for (Index = 0; Index < ARRAYSIZE(Rates); Index++) Lowest = Lowest / Rates[Index] * Rates[Index];
    return Lowest;
}
