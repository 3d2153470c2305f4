int Run(void)
{
    int Values[4] = { 1, 2, 3, 4 };
    int Index, Total = 0;

    for (Index = 0; Index <= 4; Index++)
        Total += Values[Index];
    return Total;
}
