void f(void)
{
    int *p = new int[10];
    delete p;
    p = q;
}
