/* The context of a completion routine lies in paged pool, and the routine runs at DISPATCH_LEVEL. */
#include <wdm.h>

typedef struct _COUNTER {
    KSPIN_LOCK Lock;
    PULONG Value;
} COUNTER;

static VOID Count(COUNTER *Counter)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Counter->Lock, &OldIrql);
    *Counter->Value += 1;
    KeReleaseSpinLock(&Counter->Lock, OldIrql);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    COUNTER Counter;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Counter.Lock);
    Counter.Value = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(ULONG), 'tnuC');
    if (Counter.Value == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Counter.Value = 1;
    Count(&Counter);
    ExFreePoolWithTag(Counter.Value, 'tnuC');
    return STATUS_UNSUCCESSFUL;
}
