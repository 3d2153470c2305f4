int f(int x)
{
    if x == 1:
        return 2
    elif x == 2:
        return 3
    else:
        return 4
}
