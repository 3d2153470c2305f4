// The status is read from an IRP that is gone (MIS-03).
NTSTATUS Run(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoFreeIrp(Irp);
    return Irp->IoStatus.Status;
}
