// The second round of the loop has new variables, which have no values yet.
int Run(void)
{
    int Index, Total = 0;

    for (Index = 0; Index < 3; Index++) {
        int Given, Value;

        Given = Index;
        if (Index == 0) Value = 5;
        Total += Value + Given;
    }
    return Total;
}
