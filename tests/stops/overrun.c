// The terminating zero does not fit any more (BUG-10).
void Run(VOID)
{
    static const char Text[] = "sixteen bytes...";
    char *Copy = (char *)ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 'txeT');
    int i;

    for (i = 0; i <= 16; i++) {
        Copy[i] = Text[i];
    }
    ExFreePoolWithTag(Copy, 'txeT');
}
