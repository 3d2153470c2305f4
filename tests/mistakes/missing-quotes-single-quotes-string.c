void f(void)
{
    DbgPrint('hello');
    DbgPrint(hello);
    DbgPrint("a" + "b");
}
