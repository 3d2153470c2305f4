NTSTATUS f(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp;
    if (!NT_SUCCESS(Irp->IoStatus.Status) {
        return y;
    }
    return STATUS_SUCCESS;
}
int g(void) { return z; }
