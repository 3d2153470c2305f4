int f(int x)
{
    x = x @ 3;
    x = x \ 2;
    x = `a`;
    x = $y;
    return z;
}
