void f(int a, int b);
void g(void)
{
    f(1 2);
    f(x 2);
    y = 1;
}
