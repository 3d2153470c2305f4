void f(const int *p, int n)
{
    *p = n;
    n++ = 3;
    3 = n;
    f(p);
    f(&n, &n);
}
