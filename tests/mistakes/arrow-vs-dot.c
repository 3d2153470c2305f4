void f(PIRP Irp, KEVENT e)
{
    Irp.IoStatus.Status = 0;
    e->Header.Type = 1;
    Irp->IoStatus->Status = 0;
}
