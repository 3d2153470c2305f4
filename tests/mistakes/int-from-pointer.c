void f(PIRP Irp)
{
    int a = Irp;
    ULONG b;
    b = &a;
}
