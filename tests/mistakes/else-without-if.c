int f(int x)
{
    if (x)
        x = 1;
        x = 2;
    else
        x = 3;
    return y;
}
