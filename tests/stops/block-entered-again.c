// The second round of the loop has a new array, in which nothing is written yet.
int Run(void)
{
    int Index, Total = 0;

    for (Index = 0; Index < 3; Index++) {
        int Values[2];
        if (Index == 0)
            Values[1] = 5;
        Total += Values[1];
    }
    return Total;
}
