// The routine of an own IRP lets completion go on: there is nobody above (IRP-16, WSK-USE-08).
NTSTATUS Complete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
{
    PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoSetCompletionRoutine(Irp, Complete, NULL, TRUE, TRUE, TRUE);
    Dispatch->WskSend(Socket, Buffer, 0, Irp);
}
