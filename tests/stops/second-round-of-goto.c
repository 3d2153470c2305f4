// A jump back over the declaration, too: what lay there is no longer the variable's.
int Run(void)
{
    int Total = 0;

again:;
    int Value, *Place = &Value;

    if (Total == 0) *Place = 3;
    Total += Value;
    if (Total < 9) goto again;
    return Total;
}
