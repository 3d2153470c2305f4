int Run(void)
{
    int *Kept = NULL;
    int Index;

    for (Index = 0; Index < 3; Index++) {
        int Value = Index;
        Kept = &Value;
        *Kept += 1;
    }
    return *Kept;
}
