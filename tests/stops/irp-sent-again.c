// The routine keeps the IRP, and the next send uses it as it is: IoReuseIrp is missing (WSK-USE-10, MIS-06).
NTSTATUS Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
{
    PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    PIRP Irp = IoAllocateIrp(1, FALSE);
    KEVENT Done;
    int Round;

    for (Round = 0; Round < 2; Round++) {
        KeInitializeEvent(&Done, NotificationEvent, FALSE);
        IoSetCompletionRoutine(Irp, Keep, &Done, TRUE, TRUE, TRUE);
        Dispatch->WskSend(Socket, Buffer, 0, Irp);
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    }
}
