void f(void)
{
    int[] a = {1, 2};
    int[3] b;
    c = 1;
}
