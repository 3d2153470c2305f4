void f(PIRP Irp)
{
    IoFreIrp(Irp);
    KeInitialiseEvent(0, 0, 0);
}
