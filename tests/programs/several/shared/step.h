#pragma once
typedef struct _STEP {
    PCSTR Name;
    ULONG (*Routine)(ULONG Step);
} STEP, *PSTEP;
