NTSTATUS f(PIRP Irp)
{
    Irp->IoStatus.Status = 0
    IoFreeIrp(Irp);
    return STATUS_SUCCES;
}
