// A wait with a spin lock held (KRN-22, BUG-27).
void Run(VOID)
{
    KSPIN_LOCK Lock;
    KEVENT Event;
    KIRQL OldIrql;

    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeAcquireSpinLock(&Lock, &OldIrql);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    KeReleaseSpinLock(&Lock, OldIrql);
}
