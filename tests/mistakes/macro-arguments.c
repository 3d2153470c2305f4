#define ADD(a, b) ((a) + (b))
int f(int x)
{
    x = ADD(1);
    x = ADD(1, 2, 3);
    return y;
}
int g(void) { return ADD(1, 2; }
int h(void) { return z; }
