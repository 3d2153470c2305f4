VOID Unload(PDRIVER_OBJECT d) { }
NTSTATUS Create(PIRP Irp) { return 0; }
NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)
{
    d->DriverUnload = Create;
    d->MajorFunction[IRP_MJ_CREATE] = Create();
    d->DriverUnload = Unload();
    return STATUS_SUCCESS
}
