int Run(void)
{
    int Bits = 32;

    return 1 << Bits;
}
