void f(void)
{
    try { g(); } catch (int e) { throw e; }
    y = 1;
}
