// A wait for an event that nobody can set any more (BUG-37).
void Run(VOID)
{
    KEVENT Never;

    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}
