int f(int x)
{
    switch (x) {
    case x: return 1;
    case 2 return 2;
    case 3; return 3;
    }
    return y;
}
