void f(PIRP Irp)
{
    IoFreeIrp(Irp;
    IoFreeIrp(Irpp);
}
