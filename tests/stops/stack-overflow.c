// Recursion without an end (BUG-14).
int Deeper(int Level)
{
    volatile char Local[512];

    Local[0] = (char)Level;
    return Deeper(Level + 1) + Local[0];
}

int Run(VOID)
{
    return Deeper(0);
}
