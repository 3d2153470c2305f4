typedef int ROUTINE(int One, int Two);

static int Takes(int One)
{
    return One;
}

int Run(void)
{
    ROUTINE *Routine = (ROUTINE *)(PVOID)Takes;

    return Routine(1, 2);
}
