typedef int ROUTINE(double One);

static int Takes(int One)
{
    return One;
}

int Run(void)
{
    ROUTINE *Routine = (ROUTINE *)(PVOID)Takes;

    return Routine(1.5);
}
