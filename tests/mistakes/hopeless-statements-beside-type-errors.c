void a(PIRP Irp)
{
    Irp->IoStatus.Statuss = 1;
}
void b(int x)
{
    x = = 3 * / 4;
    int lost 3;
    x = ) ( ;
    lost = 3;
    helper(lost);
}
void c(void)
{
    IoFreeIrp(nosuch);
}
