int f(PVOID p)
{
    int n = sizeof int;
    PIRP i = (PIRP p);
    PIRP j = PIRP(p);
    return y;
}
