static int Table[4];
static int Other;

int Run(void)
{
    int *Next = Table + 4;

    Other = 1;
    return *Next;
}
