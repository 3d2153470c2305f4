#include <ntddk.h>
#include "symbols.h"

SHAPE Shape;
ULONG Shared = 2;
extern ULONGLONG Conflicting;
static ULONG OnlyHere;
VOID Hidden(VOID); // static in the other file: it is not seen from here

VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    Conflicting = OnlyHere;
}

VOID Draw(DRAWING *Drawing) { Drawing->Size = 0; }
LONG Different(PVOID Value) { return Value == NULL; }

NTSTATUS CalledBack(VOID (*Routine)(VOID))
{
    Routine();
    Hidden();
    Missing(2);
    return STATUS_SUCCESS;
}
