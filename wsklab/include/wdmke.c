/*
 * wdmke.c: kernel functions over dispatcher objects, timers and DPCs, written in C.
 *
 * A function that stands in a .c file of this folder, a comment and _IRQL_requires_max_ before it, is a kernel function like those
 * modelled in Python: its calls are traced, its IRQL is checked. What it keeps stands in its object: there are no global variables.
 */

/* Make a semaphore with a count and a limit. Facts: KRN-18. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    wsklab_initialize(Semaphore, 5, sizeof(KSEMAPHORE), Count);
    Semaphore->Limit = Limit;
}

/* Add to a semaphore's count; returns the count before. Facts: KRN-19. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    LONG before = KeReadStateSemaphore(Semaphore);
    if (Adjustment <= 0 || before + Adjustment > Semaphore->Limit)
        wsklab_stop("semaphore-limit", Semaphore, "adjustment=%d;count=%d;limit=%d", Adjustment, before, Semaphore->Limit);
    Semaphore->Header.SignalState = before + Adjustment;
    return before;
}

/* The count of a semaphore. */
_IRQL_requires_max_(HIGH_LEVEL)
LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    wsklab_object(Semaphore, "KeReadStateSemaphore", "semaphore");
    return Semaphore->Header.SignalState;
}

/* Make a mutex, free. Facts: KRN-18. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    wsklab_initialize(Mutex, 2, sizeof(KMUTEX), 1);
}

/* Give a mutex back once; returns the state before, 0 when it became free. Facts: KRN-19. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    LONG before;
    wsklab_object(Mutex, "KeReleaseMutex", "mutex");
    before = Mutex->Header.SignalState;
    if (Mutex->OwnerThread != KeGetCurrentThread() || before > 0)
        wsklab_stop("mutex-not-owned", Mutex, "function=KeReleaseMutex");
    Mutex->Header.SignalState = before + 1;
    if (before == 0) Mutex->OwnerThread = NULL;
    return before;
}

/* 1 when a mutex is free. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KeReadStateMutex(PRKMUTEX Mutex)
{
    wsklab_object(Mutex, "KeReadStateMutex", "mutex");
    return Mutex->Header.SignalState;
}

/* Make a DPC object, in nonpaged memory. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    wsklab_nonpaged(Dpc, "KeInitializeDpc");
    memset(Dpc, 0, sizeof(KDPC));
    Dpc->Type = 19;
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
}

/* Make a notification timer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

/* Make a timer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    wsklab_initialize(Timer, Type == SynchronizationTimer ? 9 : 8, sizeof(KTIMER), 0);
}

/* Start a timer; TRUE when it was running. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* Whether a timer has expired. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
    wsklab_object(Timer, "KeReadStateTimer", "timer");
    return Timer->Header.SignalState > 0;
}
