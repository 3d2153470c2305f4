typedef int ROUTINE(int Value);

int Run(void)
{
    int Data = 1;
    ROUTINE *Routine = (ROUTINE *)(PVOID)&Data;

    return Routine(2);
}
