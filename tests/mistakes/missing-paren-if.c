int f(int x)
{
    if (x == 1 {
        x = 2;
    } else {
        x = y;
    }
    return x;
}
