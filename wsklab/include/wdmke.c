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

static void wsklab_dpc(PRKDPC Dpc, PCSTR Function)
{
    if (!wsklab_written(Dpc, sizeof(Dpc->Type)) || Dpc->Type != 19)
        wsklab_stop("not-initialized", Dpc, "function=%s;expected=KDPC", Function);
}

/* Queue a DPC; FALSE when it is queued already. Facts: BUG-21. */
_IRQL_requires_max_(HIGH_LEVEL)
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    wsklab_dpc(Dpc, "KeInsertQueueDpc");
    return wsklab_insert_dpc(Dpc, SystemArgument1, SystemArgument2);
}

/* Take a queued DPC back; FALSE when it is not queued. */
_IRQL_requires_max_(HIGH_LEVEL)
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
    wsklab_dpc(Dpc, "KeRemoveQueueDpc");
    return wsklab_take_back(Dpc);
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

/* Stop a timer; TRUE when it was running. A DPC that it has queued already still runs. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeCancelTimer(PKTIMER Timer)
{
    wsklab_object(Timer, "KeCancelTimer", "timer");
    return wsklab_take_back(Timer);
}

/* Whether a timer has expired. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
    wsklab_object(Timer, "KeReadStateTimer", "timer");
    return Timer->Header.SignalState > 0;
}

/*
 * Spin locks. The machine has one processor, so a lock that is held when somebody wants it can never become free: acquiring it
 * again is a deadlock, not a wait. A lock word is 0 when free; else bit 0 is set, bits 1 to 3 say who acquired it, bit 4 that it
 * was through a queue handle, bit 5 that the IRQL was raised, and bits 8 to 15 hold the IRQL before. Facts: KRN-36 to KRN-38, BUG-21,
 * BUG-27, BUG-31.
 */
#define WSKLAB_QUEUED 0x10
#define WSKLAB_RAISED 0x20

static PCSTR wsklab_holder(KSPIN_LOCK Word)
{
    switch (Word >> 1 & 7) {
    case 0: return "KeAcquireSpinLock";
    case 1: return "KeAcquireSpinLockAtDpcLevel";
    case 2: return "KeTryToAcquireSpinLockAtDpcLevel";
    case 3: return "KeAcquireInStackQueuedSpinLock";
    default: return "KeAcquireInStackQueuedSpinLockAtDpcLevel";
    }
}

static KIRQL wsklab_lock(PKSPIN_LOCK Lock, KSPIN_LOCK Who, BOOLEAN Raises)
{
    KIRQL before = KeGetCurrentIrql();
    PCSTR function = wsklab_holder(Who << 1);
    if (!wsklab_written(Lock, sizeof(KSPIN_LOCK)) || (*Lock && !(*Lock & 1)) || *Lock > 0xFFFF)
        wsklab_stop("spinlock-not-initialized", Lock, "function=%s", function);
    if (*Lock) wsklab_stop("spinlock-recursive", Lock, "function=%s;holder=%s", function, wsklab_holder(*Lock));
    if (!Raises && before < DISPATCH_LEVEL)
        wsklab_stop("spinlock-wrong-irql", Lock, "function=%s;code=0x41;what=it has to be DISPATCH_LEVEL", function);
    *Lock = 1 | Who << 1 | (Who > 2 ? WSKLAB_QUEUED : 0) | (Raises ? WSKLAB_RAISED : 0) | (KSPIN_LOCK)before << 8;
    wsklab_locked(Lock, TRUE, Raises ? DISPATCH_LEVEL : before);
    return before;
}

/* Saved is the IRQL to go back to, NULL when the call does not lower it. */
static void wsklab_unlock(PKSPIN_LOCK Lock, PKIRQL Saved, BOOLEAN Queued, PCSTR Function)
{
    KIRQL before;
    if (!wsklab_written(Lock, sizeof(KSPIN_LOCK)) || !(*Lock & 1)) wsklab_stop("spinlock-not-held", Lock, "function=%s", Function);
    before = (KIRQL)(*Lock >> 8);
    if (!(*Lock & WSKLAB_QUEUED) != !Queued) wsklab_stop("spinlock-mixed", Lock, "function=%s", Function);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL)
        wsklab_stop("spinlock-wrong-irql", Lock, "function=%s;code=0x32;what=it has to be DISPATCH_LEVEL", Function);
    if (!Saved && *Lock & WSKLAB_RAISED && before < DISPATCH_LEVEL)
        wsklab_stop("spinlock-wrong-irql", Lock,
                    "function=%s;code=0x42;what=acquiring the lock raised the IRQL, and this call does not lower it", Function);
    if (Saved && *Lock & WSKLAB_RAISED && *Saved != before)
        wsklab_stop("spinlock-wrong-irql", Lock, "function=%s;code=0x32;what=the saved IRQL is another one", Function);
    *Lock = 0;
    wsklab_locked(Lock, FALSE, Saved ? *Saved : DISPATCH_LEVEL);
}

/* Make a spin lock, free. Facts: KRN-36, BUG-31. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    wsklab_nonpaged(SpinLock, "KeInitializeSpinLock");
    if (wsklab_written(SpinLock, sizeof(KSPIN_LOCK)) && *SpinLock & 1 && *SpinLock <= 0xFFFF && wsklab_is_locked(SpinLock))
        wsklab_stop("spinlock-recursive", SpinLock, "function=KeInitializeSpinLock;holder=%s", wsklab_holder(*SpinLock));
    *SpinLock = 0;
}

/* Raise to DISPATCH_LEVEL and take the lock; stores the IRQL before. Facts: KRN-36. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql)
{
    *OldIrql = wsklab_lock(SpinLock, 0, TRUE);
}

/* Raise to DISPATCH_LEVEL and take the lock; returns the IRQL before. Facts: KRN-36. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    return wsklab_lock(SpinLock, 0, TRUE);
}

/* Take the lock in a threaded or an ordinary DPC; returns the IRQL before. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock)
{
    return wsklab_lock(SpinLock, 0, TRUE);
}

/* Take the lock at DISPATCH_LEVEL. Facts: KRN-36. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    wsklab_lock(SpinLock, 1, FALSE);
}

/* Take the lock at DISPATCH_LEVEL if it is free; TRUE when taken. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    if (wsklab_is_locked(SpinLock)) return FALSE;
    wsklab_lock(SpinLock, 2, FALSE);
    return TRUE;
}

/* TRUE when a lock is free. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    return !wsklab_is_locked(SpinLock);
}

/* Release the lock and go back to the saved IRQL. Facts: KRN-36, BUG-31. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    wsklab_unlock(SpinLock, &NewIrql, FALSE, "KeReleaseSpinLock");
}

/* Release a lock that KeAcquireSpinLockForDpc took. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
    wsklab_unlock(SpinLock, &OldIrql, FALSE, "KeReleaseSpinLockForDpc");
}

/* Release a lock taken with KeAcquireSpinLockAtDpcLevel. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    wsklab_unlock(SpinLock, NULL, FALSE, "KeReleaseSpinLockFromDpcLevel");
}

/* Take the lock through a handle on the stack, which remembers the lock and the IRQL. Facts: KRN-37. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->OldIrql = wsklab_lock(SpinLock, 3, TRUE);
    LockHandle->LockQueue.Lock = SpinLock;
}

/* Release the lock of a handle and go back to the IRQL it saved. Facts: KRN-37. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    wsklab_unlock(LockHandle->LockQueue.Lock, &LockHandle->OldIrql, TRUE, "KeReleaseInStackQueuedSpinLock");
}

/* Take the lock through a handle on the stack, at DISPATCH_LEVEL. Facts: KRN-37. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->OldIrql = wsklab_lock(SpinLock, 4, FALSE);
    LockHandle->LockQueue.Lock = SpinLock;
}

/* Release the lock of a handle, at DISPATCH_LEVEL. Facts: KRN-37. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    wsklab_unlock(LockHandle->LockQueue.Lock, NULL, TRUE, "KeReleaseInStackQueuedSpinLockFromDpcLevel");
}

/* Events. */

static LONG wsklab_exchange(PRKEVENT Event, LONG State, PCSTR Function)
{
    LONG before;
    wsklab_object(Event, Function, "event");
    before = Event->Header.SignalState;
    Event->Header.SignalState = State;
    return before;
}

/* Signal an event; returns the state before. With Wait TRUE only at IRQL <= APC_LEVEL. Facts: KRN-20, KRN-21. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    if (Wait && KeGetCurrentIrql() >= DISPATCH_LEVEL) wsklab_stop("event-set-with-wait", Event, "function=KeSetEvent");
    return wsklab_exchange(Event, 1, "KeSetEvent");
}

/* Reset an event. Facts: KRN-19. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeClearEvent(PRKEVENT Event)
{
    wsklab_exchange(Event, 0, "KeClearEvent");
}

/* Reset an event; returns the state before. Facts: KRN-19. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KeResetEvent(PRKEVENT Event)
{
    return wsklab_exchange(Event, 0, "KeResetEvent");
}

/* The state of an event. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KeReadStateEvent(PRKEVENT Event)
{
    wsklab_object(Event, "KeReadStateEvent", "event");
    return Event->Header.SignalState;
}

/* Signal an event for those who wait now, and reset it; returns the state before. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    LONG before = KeSetEvent(Event, Increment, Wait);
    LARGE_INTEGER now = { .QuadPart = 0 };
    if (KeGetCurrentIrql() < DISPATCH_LEVEL) KeDelayExecutionThread(KernelMode, FALSE, &now);
    wsklab_exchange(Event, 0, "KePulseEvent");
    return before;
}

/* DPCs. There is one processor, and its queue has no order of importance. */

/* Make a threaded DPC object, in nonpaged memory; it runs like an ordinary one. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KeInitializeDpc(Dpc, DeferredRoutine, DeferredContext);
}

/* Say how important a DPC is. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

/* Say on which processor a DPC runs. */
_IRQL_requires_max_(HIGH_LEVEL)
void KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    Dpc->Number = (USHORT)Number;
}

/* Wait until every DPC that is queued now has run. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void KeFlushQueuedDpcs(void)
{
    LARGE_INTEGER now = { .QuadPart = 0 };
    KeDelayExecutionThread(KernelMode, FALSE, &now);
}

/* Start a timer that may expire somewhat late; here it does not. TRUE when it was running. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, (LONG)Period, Dpc);
}

/* A counter of 10 MHz, which is virtual time. */
_IRQL_requires_max_(HIGH_LEVEL)
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER count;
    if (PerformanceFrequency) PerformanceFrequency->QuadPart = 10000000;
    count.QuadPart = (LONGLONG)KeQueryInterruptTime();
    return count;
}

/* Processors: there is one. */

/* The number of processors. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors) *ActiveProcessors = 1;
    return 1;
}

/* The number of processors. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return 1;
}

/* The largest number of processors. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG KeQueryMaximumProcessorCount(void)
{
    return 1;
}

/* The largest number of processors. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return 1;
}

/* The number of the processor that runs this code. */
_IRQL_requires_max_(HIGH_LEVEL)
ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber) memset(ProcNumber, 0, sizeof(PROCESSOR_NUMBER));
    return 0;
}

/* Device queues: the first entry that is inserted into an idle queue is not kept, and makes the queue busy. */

/* Make a device queue, not busy. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    wsklab_nonpaged(DeviceQueue, "KeInitializeDeviceQueue");
    memset(DeviceQueue, 0, sizeof(KDEVICE_QUEUE));
    DeviceQueue->Type = 20;
    DeviceQueue->Size = sizeof(KDEVICE_QUEUE);
    InitializeListHead(&DeviceQueue->DeviceListHead);
}

static void wsklab_kqueue(PKDEVICE_QUEUE Queue, PCSTR Function)
{
    if (!wsklab_written(Queue, sizeof(CSHORT)) || Queue->Type != 20)
        wsklab_stop("not-initialized", Queue, "function=%s;expected=KDEVICE_QUEUE", Function);
}

/* Queue an entry by its key, behind entries of the same key; FALSE when the queue was idle and the entry is not kept. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey)
{
    PLIST_ENTRY place;
    wsklab_kqueue(DeviceQueue, "KeInsertByKeyDeviceQueue");
    DeviceQueueEntry->SortKey = SortKey;
    DeviceQueueEntry->Inserted = DeviceQueue->Busy;
    if (!DeviceQueue->Busy) {
        DeviceQueue->Busy = TRUE;
        return FALSE;
    }
    place = DeviceQueue->DeviceListHead.Blink;
    while (place != &DeviceQueue->DeviceListHead && CONTAINING_RECORD(place, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey > SortKey)
        place = place->Blink;
    InsertHeadList(place, &DeviceQueueEntry->DeviceListEntry);
    return TRUE;
}

/* Queue an entry at the end; FALSE when the queue was idle and the entry is not kept. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    wsklab_kqueue(DeviceQueue, "KeInsertDeviceQueue");
    return KeInsertByKeyDeviceQueue(DeviceQueue, DeviceQueueEntry, 0xFFFFFFFF);
}

static PKDEVICE_QUEUE_ENTRY wsklab_kqueue_take(PKDEVICE_QUEUE Queue, ULONG Key, BOOLEAN ByKey)
{
    PLIST_ENTRY place = Queue->DeviceListHead.Flink;
    PKDEVICE_QUEUE_ENTRY entry;
    if (place == &Queue->DeviceListHead) {
        Queue->Busy = FALSE;
        return NULL;
    }
    while (ByKey && place != &Queue->DeviceListHead && CONTAINING_RECORD(place, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey < Key)
        place = place->Flink;
    if (place == &Queue->DeviceListHead) place = place->Flink;
    entry = CONTAINING_RECORD(place, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
    RemoveEntryList(place);
    entry->Inserted = FALSE;
    return entry;
}

/* Take the first entry out; NULL, and the queue is idle, when there is none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    wsklab_kqueue(DeviceQueue, "KeRemoveDeviceQueue");
    return wsklab_kqueue_take(DeviceQueue, 0, FALSE);
}

/* Take the first entry with this key or a larger one out, else the first one. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    wsklab_kqueue(DeviceQueue, "KeRemoveByKeyDeviceQueue");
    return wsklab_kqueue_take(DeviceQueue, SortKey, TRUE);
}

/* Take one entry out; FALSE when it is not in the queue. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    BOOLEAN inserted = DeviceQueueEntry->Inserted;
    wsklab_kqueue(DeviceQueue, "KeRemoveEntryDeviceQueue");
    if (inserted) RemoveEntryList(&DeviceQueueEntry->DeviceListEntry);
    DeviceQueueEntry->Inserted = FALSE;
    return inserted;
}

/* Breakpoints. There is no debugger, so it is an exception that a handler takes, or a bug check. */

/* A breakpoint. Page: nf-wdm-dbgbreakpoint. */
_IRQL_requires_max_(HIGH_LEVEL)
void DbgBreakPoint(void)
{
    wsklab_breakpoint("DbgBreakPoint");
}

/* A breakpoint that tells the debugger a status. Page: nf-wdm-dbgbreakpointwithstatus. */
_IRQL_requires_max_(HIGH_LEVEL)
void DbgBreakPointWithStatus(ULONG Status)
{
    wsklab_breakpoint("DbgBreakPointWithStatus");
}

/* The compiler's breakpoint. */
_IRQL_requires_max_(HIGH_LEVEL)
void __debugbreak(void)
{
    wsklab_breakpoint("__debugbreak");
}
