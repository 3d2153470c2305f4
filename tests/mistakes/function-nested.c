int f(int x)
{
    int g(int y)
    {
        return y;
    }
    return g(z);
}
