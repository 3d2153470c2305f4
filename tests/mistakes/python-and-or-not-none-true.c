int f(int x)
{
    if (x == 1 and x != 2) return True;
    if (not x) return None;
    print("hello");
    return x;
}
