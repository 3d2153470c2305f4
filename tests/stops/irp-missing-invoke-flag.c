// The routine would not be called when the send is cancelled (IRP-12, MIS-05).
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

    IoSetCompletionRoutine(Irp, Complete, NULL, TRUE, TRUE, FALSE);
    Dispatch->WskSend(Socket, Buffer, 0, Irp);
}
