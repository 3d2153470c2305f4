int Run(void)
{
    int Values[4] = { 1, 2, 3, 4 };
    int Index = 0;

    return Values[Index - 1];
}
