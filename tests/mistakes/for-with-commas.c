int f(int x)
{
    for (int i = 0, i < 10, i++) { x += i; }
    for (i = 0; i < 10) { x++; }
    return y;
}
