// An IRP is freed by the routine and, because the call failed, by the caller too (MIS-01).
NTSTATUS Complete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
{
    PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    PIRP Irp = IoAllocateIrp(1, FALSE);
    NTSTATUS Status;

    IoSetCompletionRoutine(Irp, Complete, NULL, TRUE, TRUE, TRUE);
    Status = Dispatch->WskSend(Socket, Buffer, 0x80, Irp);
    if (!NT_SUCCESS(Status)) {
        IoFreeIrp(Irp);
    }
}
