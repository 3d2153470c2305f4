f(int x)
{
    void y;
    return x;
}
static g(void) { }
