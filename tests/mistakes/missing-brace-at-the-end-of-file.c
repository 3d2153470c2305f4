int g(void)
{
    return undefinedname;
}
void f(int x)
{
    if (x) {
        x = 1;
}
