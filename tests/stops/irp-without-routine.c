// An own IRP without a completion routine: nobody would take it back (WSK-USE-08, MIS-05).
void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
{
    PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch;
    PIRP Irp = IoAllocateIrp(1, FALSE);

    Dispatch->WskSend(Socket, Buffer, 0, Irp);
}
