void Run(void)
{
    char *Bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 32, 'Tset');

    Bytes[-1] = 1;
}
