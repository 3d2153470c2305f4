int f(int x)
    int a;
    a = y;
    return x;
}
int g(void) { return z; }
