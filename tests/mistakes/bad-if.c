#if FOO(
int f(int x)
{
    return y;
}
#endif
