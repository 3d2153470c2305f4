#endif
#else
int f(int x)
{
    if (x) { x = 1; } esle { x = 2; }
    return y;
}
