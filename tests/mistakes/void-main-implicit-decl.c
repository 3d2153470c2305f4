void DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)
{
    d->DriverUnload = Unload;
    d->MajorFunction[IRP_MJ_CREATE] = Create;
    return STATUS_SUCCESS;
}
