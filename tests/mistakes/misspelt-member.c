void f(PIRP Irp)
{
    Irp->IoStaus.Status = 0;
    Irp->IoStatus.Informtion = 0;
}
