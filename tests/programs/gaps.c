// The gaps of a listing, in a driver that runs: each is reached, told by its place, and passed over.
#include <ntddk.h>

typedef struct _DEVICE_STATE {
    ULONG Count;
    ...
    ULONG Last;
} DEVICE_STATE;

static DEVICE_STATE State = { 1, ... };

static ULONG Reached(ULONG Step, ...)
{
    if (...) {
        DbgPrint("a condition is false\n");
        return 1;
    }
    while (Step < 3 && !(...)) Step++;
    switch (Step) {
    case 3:
        ...
        break;
    default:
        DbgPrint("never\n");
    }
    for (...) DbgPrint("never\n");
    return Step;
}

VOID Unload(PDRIVER_OBJECT DriverObject)
{
    ...
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status = ...;
    ULONG numbers[4] = { 7, ... };

    DriverObject->DriverUnload = Unload;
    .
    .
    .
    DbgPrint("%lu %lu %lu %lu\n", Reached(1, ...), numbers[0], numbers[3], State.Last);
    DbgPrint("an argument is zero: %d\n", ...);
    if (status != STATUS_SUCCESS) ... else DbgPrint("an initialiser is zero\n");
    status = ...;
    // Nothing more to do
    .
    .
    return status;
}
