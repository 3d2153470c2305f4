void f(void)
{
    DbgPrint(“hello\n”);
    x = 'a’;
    y = 1;
}
