int f(int x)
{
    switch (x) {
    case 1 : x = 2; break
    defualt: x = 3;
    csae 4: x = 5;
    }
    switch x { case 1: break; }
    return y;
}
