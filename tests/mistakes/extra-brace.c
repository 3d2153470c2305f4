int f(int x)
{
    if (x) {
        x = 1;
    }
    }
    x = unknown1;
    return x;
}
int g(void) { return unknown2; }
