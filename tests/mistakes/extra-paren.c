int f(int x)
{
    if (x == 1)) {
        x = 2;
    }
    x = g(x));
    return y;
}
