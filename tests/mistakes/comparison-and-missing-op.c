int f(int x)
{
    if (x => 1) return 1;
    if (x =! 1) return 1;
    if (x === 1) return 2;
    if (1 < x < 3) x = 3;
    x = 3 4;
    return y;
}
