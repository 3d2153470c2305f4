static int *Local(void)
{
    int Value = 3;
    int *Pointer = &Value;

    return Pointer;
}

int Run(void)
{
    return *Local();
}
