int Run(void)
{
    int *Pointer = (int *)0x12345678;

    return *Pointer;
}
