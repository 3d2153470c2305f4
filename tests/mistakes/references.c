void f(int &x)
{
    x = 1;
    y = 2;
}
