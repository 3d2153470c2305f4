int f(int x)
{
    if (x) goto Exit;
    x = 1;
Exti:
}
