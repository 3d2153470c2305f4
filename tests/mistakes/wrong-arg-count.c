void f(void)
{
    PIRP Irp = IoAllocateIrp(1);
    IoFreeIrp(Irp, 1);
}
