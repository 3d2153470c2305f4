void f(int x)
{
    if (x) {
        x = 1;
    while (x) x--;
}

int g(void)
{
    return undefinedname;
}
