#ifdef NOPE
int f(int x)
{
    return y;
}
