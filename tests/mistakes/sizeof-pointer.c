void f(PIRP Irp)
{
    char *p = 0;
    RtlZeroMemory(Irp, sizeof(Irp));
    RtlZeroMemory(p, sizeof p);
}
