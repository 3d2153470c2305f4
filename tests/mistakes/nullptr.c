void f(void)
{
    PIRP p = nullptr;
    p = z;
}
