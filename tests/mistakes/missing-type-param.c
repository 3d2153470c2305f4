int f(x, y)
{
    return x + z;
}
int g(int a, b) { return a + b; }
