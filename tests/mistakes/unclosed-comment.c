int g(void) { return bad; }
/* this function does f
void f(int x)
{
    x = y;
}
