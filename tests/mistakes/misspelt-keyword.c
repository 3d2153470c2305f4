int f(int x)
{
    whlie (x) {
        x = y;
    }
    retrun x;
    fi (x) x = 1;
}
