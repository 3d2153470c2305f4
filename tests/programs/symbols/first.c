// What a linker refuses: all of it in one pass, by name and place.
#include <ntddk.h>
#include <stdio.h>
#define DIFFERENT
#include "symbols.h"

ULONG Shared = 1;
LONG Conflicting;
VOID OnlyHere(VOID) { }
static VOID Hidden(VOID) { }

VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    Hidden();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Missing(Shape.Value);
    MissingVariable++;
    Draw(NULL);
    printf("%d\n", Different(2));
    return CalledBack(&MissingRoutine);
}
