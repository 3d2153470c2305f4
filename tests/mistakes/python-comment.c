int f(int x)
{
    # add one
    x = x + 1;
    return y;
}
