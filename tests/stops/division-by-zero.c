int Average(int Total, int Count)
{
    return Total / Count;
}

int Run(void)
{
    return Average(10, 0);
}
