void f(void)
{
    IRP Irp = IoAllocateIrp(1, FALSE);
    KEVENT e;
    KeInitializeEvent(e, NotificationEvent, FALSE);
}
