static int Sign(int Value)
{
    if (Value < 0)
        return -1;
    if (Value > 0)
        return 1;
}

int Run(void)
{
    int Unused = Sign(5);

    Sign(0);
    return Unused + Sign(0);
}
