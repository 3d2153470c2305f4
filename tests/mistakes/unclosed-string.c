void f(int x)
{
    DbgPrint("hello %d\n, x);
    x = y;
}
