// A loop that nothing ends (BUG-13).
// steps: 1000
void Run(VOID)
{
    while (TRUE) {
    }
}
