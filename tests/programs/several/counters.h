// Included by both files, and twice by one of them.
#ifndef COUNTERS_H
#define COUNTERS_H
#include "shared/step.h"

typedef struct _CONTEXT_OF_DRIVER *PCONTEXT_OF_DRIVER; // only one file knows what is in it
// Without a tag: every file has a type of its own, but of the same members.
typedef struct { ULONG Left, Right; struct { UCHAR Low : 3, High : 5; } Bits; } PAIR;
VOID EachPair(VOID (*Take)(PAIR *Pair));

extern ULONG Total;
extern const STEP Steps[];
extern const ULONG StepCount;

static __forceinline ULONG Twice(ULONG Value) { return 2 * Value; }
ULONG TwiceElsewhere(void);
ULONG CountersPrivate(void);
PULONG TotalAddress(void);
PCSTR CountersFile(void);
VOID EachStep(VOID (*Visit)(const STEP *Step, PCONTEXT_OF_DRIVER Context), PCONTEXT_OF_DRIVER Context);
BOOLEAN Pause(ULONG Milliseconds);
enum { CountersLine = __LINE__ };
#endif
