void f(void)
{
    bool x{true};
    bool y = true;
    y = z;
}
