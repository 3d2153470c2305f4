// Several files that link into one driver: the user's own headers, tables, and names that each file keeps to itself.
#include <ntddk.h>
#include "counters.h"
#include "shared/names.h"
#define SHARED_HEADER "shared/names.h"
#include SHARED_HEADER

ULONG Total = 5;      // declared extern in counters.h
static ULONG Private = 100; // another file has one of its own
LONG Tentative;       // defined nowhere else; only declared again below
extern LONG Tentative;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, Unload)
#endif

static ULONG Local(void) { return Private += 1; }

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    PAGED_CODE();
    DbgPrint("unloaded, total %lu\n", Total);
}

struct _NOTE { ULONG Number; PCSTR Text; };
extern ULONG Read(const struct _NOTE *Note);
typedef struct { ULONG Size; struct _NOTE *Notes[2]; } NOTES;
extern ULONG Last(NOTES Notes);

// Waits, too.
static VOID TakePair(PAIR *Pair)
{
    LARGE_INTEGER delay = { .QuadPart = -10000 };

    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    DbgPrint("%lu %lu %u %u, ", Pair->Left, Pair->Right, Pair->Bits.Low, Pair->Bits.High);
}

struct _CONTEXT_OF_DRIVER {
    ULONG Visits;
    LARGE_INTEGER Delay;
};

// Waits, and is called by the other file through a pointer.
static VOID Visit(const STEP *Step, PCONTEXT_OF_DRIVER Context)
{
    KeDelayExecutionThread(KernelMode, FALSE, &Context->Delay);
    DbgPrint("%lu %s, ", ++Context->Visits, Step->Name);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    struct _NOTE note = { 77 };
    struct _CONTEXT_OF_DRIVER context = { 0, { .QuadPart = -10000 } };
    ULONG i;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    for (i = 0; Steps[i].Routine != NULL; i++) DbgPrint("%s: %lu\n", Steps[i].Name, Steps[i].Routine(i));
    DbgPrint("%lu steps, %lu colours\n", StepCount, (ULONG)ColourCount);
    for (i = 0; i < ColourCount; i++) DbgPrint("%s=%d ", ColourNames[i], ColourValue((COLOUR)i));
    DbgPrint("\nprivate %lu %lu, tentative %ld\n", Local(), CountersPrivate(), Tentative);
    DbgPrint("both files have one Total: %d, and one inline: %lu %lu\n", TotalAddress() == &Total, Twice(Total), TwiceElsewhere());
    EachStep(Visit, &context);
    DbgPrint("%lu visits, note %lu\n", context.Visits, Read(&note));
    EachPair(TakePair);
    DbgPrint("last note %lu\n", Last((NOTES){ 2, { NULL, &note } }));
    DbgPrint("%s line %d\n", CountersFile(), CountersLine);
    return Pause(5) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
