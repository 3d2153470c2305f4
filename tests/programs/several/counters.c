// The second file of the driver: it is not told of anything in the first one but what the header declares.
#include <ntddk.h>
#include "counters.h"
#include ".\shared\names.h"
#include "counters.h"

// Both files write this down for themselves.
typedef struct _NOTE { ULONG Number; PCSTR Text; } NOTE;
ULONG Read(const NOTE *Note) { return Note->Number; }
typedef struct { ULONG Size; struct _NOTE *Notes[2]; } NOTES;
ULONG Last(NOTES Notes) { return Notes.Notes[Notes.Size - 1]->Number; }

static ULONG Private;

static ULONG Local(ULONG Step) { return Private += Step; }
static ULONG Add(ULONG Step) { return Total += Step + Local(Step); }
static ULONG Count(ULONG Step)
{
    static ULONG calls;

    return Step * 10 + ++calls;
}

const STEP Steps[] = { { "add", Add }, { "count", Count }, { "add again", Add }, { "count again", Count }, { NULL } };
const ULONG StepCount = ARRAYSIZE(Steps) - 1;
PCSTR const ColourNames[] = {
#define COLOUR_ROW(name, value) #name,
#include "shared/colours.inc"
};

int ColourValue(COLOUR Colour)
{
    switch (Colour) {
#define COLOUR_ROW(name, value) case Colour##name: return value;
#include "shared/colours.inc"
    default: return -1;
    }
}

ULONG TwiceElsewhere(void) { return Twice(Total); }
ULONG CountersPrivate(void) { return Private; }
PULONG TotalAddress(void) { return &Total; }
PCSTR CountersFile(void) { return __FILE__; }

VOID EachStep(VOID (*Visit)(const STEP *Step, PCONTEXT_OF_DRIVER Context), PCONTEXT_OF_DRIVER Context)
{
    const STEP *step;

    for (step = Steps; step->Name; step++) Visit(step, Context);
}

VOID EachPair(VOID (*Take)(PAIR *Pair))
{
    PAIR pairs[] = { { 1, 2, { 3, 4 } }, { 5, 6, { 7, 31 } } };

    Take(pairs);
    Take(pairs + 1);
}

// What can wait is inferred over all the files.
BOOLEAN Pause(ULONG Milliseconds)
{
    LARGE_INTEGER delay, before, after;

    delay.QuadPart = -10000LL * Milliseconds;
    KeQuerySystemTime(&before);
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    KeQuerySystemTime(&after);
    return after.QuadPart - before.QuadPart >= 10000LL * Milliseconds;
}
