void f(void)
{
    int default = 1;
    int register = 2;
    int class = y;
    default = 3;
}
