void f(int x)
{
    x = 'a;
    x = y;
}
