#pragma once
extern ULONG MissingVariable;
VOID Missing(ULONG Number);
VOID MissingRoutine(VOID);
NTSTATUS CalledBack(VOID (*Routine)(VOID));
#ifdef DIFFERENT
typedef struct _SHAPE { LONG Value; } SHAPE;
typedef struct { ULONG Size; SHAPE *Shape; } DRAWING;
LONG Different(LONG Value);
#else
typedef struct _SHAPE { PVOID Value; } SHAPE;
typedef struct { ULONG Size; SHAPE *Shape; } DRAWING;
LONG Different(PVOID Value);
#endif
extern SHAPE Shape;
VOID Draw(DRAWING *Drawing);
