/*
 * wdmex.c: kernel functions of the executive, written in C: rundown protection, lookaside lists, fast and guarded mutexes,
 * reader-writer spin locks, interlocked helpers.
 *
 * Threads switch at waits only, so what stands between two waits is atomic.
 */

/* Rundown protection: the count is kept times two; bit 0 says that the rundown has begun, and then the rest is the waiter's block. */
typedef struct _WSKLAB_RUNDOWN {
    ULONG_PTR Count;
    KEVENT Done;
} WSKLAB_RUNDOWN;

/* Make a rundown reference that can be acquired. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    wsklab_nonpaged(RunRef, "ExInitializeRundownProtection");
    RunRef->Count = 0;
}

static void wsklab_rundown(PEX_RUNDOWN_REF RunRef, PCSTR Function)
{
    if (!wsklab_written((PVOID)RunRef, sizeof(EX_RUNDOWN_REF)))
        wsklab_stop("not-initialized", RunRef, "function=%s;expected=EX_RUNDOWN_REF", Function);
}

/* Make a rundown reference that has run down ready for use again. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    wsklab_rundown(RunRef, "ExReInitializeRundownProtection");
    RunRef->Count = 0;
}

/* Keep an object alive; FALSE when its rundown has begun. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return ExAcquireRundownProtectionEx(RunRef, 1);
}

/* Keep an object alive several times at once; FALSE when its rundown has begun. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    wsklab_rundown(RunRef, "ExAcquireRundownProtection");
    if (RunRef->Count & 1) return FALSE;
    RunRef->Count += 2 * (ULONG_PTR)Count;
    return TRUE;
}

/* Give back what ExAcquireRundownProtection took. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExReleaseRundownProtectionEx(RunRef, 1);
}

/* Give back several references at once; the last one wakes who waits for the rundown. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    WSKLAB_RUNDOWN *waiter;
    wsklab_rundown(RunRef, "ExReleaseRundownProtection");
    waiter = (WSKLAB_RUNDOWN *)(RunRef->Count & ~(ULONG_PTR)1);
    if (!(RunRef->Count & 1)) {
        if (RunRef->Count < 2 * (ULONG_PTR)Count) wsklab_stop("reference-not-acquired", RunRef, "function=ExReleaseRundownProtection");
        RunRef->Count -= 2 * (ULONG_PTR)Count;
    } else {
        if (!waiter || waiter->Count < Count) wsklab_stop("reference-not-acquired", RunRef, "function=ExReleaseRundownProtection");
        waiter->Count -= Count;
        if (waiter->Count == 0) KeSetEvent(&waiter->Done, 0, FALSE);
    }
}

/* Let nobody in any more, and wait until the last reference is given back. */
_IRQL_requires_max_(APC_LEVEL)
void ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    WSKLAB_RUNDOWN waiter;
    wsklab_rundown(RunRef, "ExWaitForRundownProtectionRelease");
    if (RunRef->Count & 1) return;
    waiter.Count = RunRef->Count / 2;
    KeInitializeEvent(&waiter.Done, NotificationEvent, FALSE);
    RunRef->Count = (ULONG_PTR)&waiter | 1;
    if (waiter.Count) KeWaitForSingleObject(&waiter.Done, Executive, KernelMode, FALSE, NULL);
    RunRef->Count = 1;
}

/* Say that a rundown is over, so that every later acquisition fails. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    wsklab_rundown(RunRef, "ExRundownCompleted");
    RunRef->Count = 1;
}

/*
 * Lookaside lists. No entry is kept for later, as with Driver Verifier's special pool: each comes from the pool and goes back to
 * it, so that a use after the free is seen.
 */
static void wsklab_lookaside(GENERAL_LOOKASIDE *List, PVOID Lookaside, PCSTR Function)
{
    if (!wsklab_written(&List->Size, sizeof(ULONG)) || List->Future[1] != 'kooL')
        wsklab_stop("not-initialized", Lookaside, "function=%s;expected=LOOKASIDE_LIST", Function);
}

static PVOID wsklab_lookaside_take(GENERAL_LOOKASIDE *List, PVOID Lookaside, BOOLEAN Extended, PCSTR Function)
{
    PVOID entry;
    wsklab_lookaside(List, Lookaside, Function);
    List->TotalAllocates++;
    List->AllocateMisses++;
    if (Extended && List->AllocateEx)
        entry = List->AllocateEx(List->Type, List->Size, List->Tag, (PLOOKASIDE_LIST_EX)Lookaside);
    else if (!Extended && List->Allocate)
        entry = List->Allocate(List->Type, List->Size, List->Tag);
    else
        entry = ExAllocatePoolWithTag(List->Type, List->Size, List->Tag);
    if (!entry) List->TotalAllocates--;
    return entry;
}

static void wsklab_lookaside_give(GENERAL_LOOKASIDE *List, PVOID Lookaside, PVOID Entry, BOOLEAN Extended, PCSTR Function)
{
    wsklab_lookaside(List, Lookaside, Function);
    List->TotalFrees++;
    List->FreeMisses++;
    if (Extended && List->FreeEx)
        List->FreeEx(Entry, (PLOOKASIDE_LIST_EX)Lookaside);
    else if (!Extended && List->Free)
        List->Free(Entry);
    else
        ExFreePoolWithTag(Entry, List->Tag);
}

static void wsklab_lookaside_make(GENERAL_LOOKASIDE *List, PVOID Allocate, PVOID Free, POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    memset(List, 0, sizeof(GENERAL_LOOKASIDE));
    List->Allocate = (PALLOCATE_FUNCTION)Allocate;
    List->Free = (PFREE_FUNCTION)Free;
    List->Type = Type;
    List->Size = (ULONG)Size;
    List->Tag = Tag;
    List->MaximumDepth = 256;
    List->Future[1] = 'kooL'; /* that it is initialised */
}

static void wsklab_lookaside_delete(GENERAL_LOOKASIDE *List, PVOID Lookaside, PCSTR Function)
{
    wsklab_lookaside(List, Lookaside, Function);
    if (List->TotalAllocates != List->TotalFrees)
        wsklab_stop("lookaside-entries-left", Lookaside, "function=%s;count=%u", Function, List->TotalAllocates - List->TotalFrees);
    List->Future[1] = 0;
}

/* Make a lookaside list of nonpaged entries, in nonpaged memory. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                     ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    wsklab_nonpaged(Lookaside, "ExInitializeNPagedLookasideList");
    wsklab_lookaside_make(&Lookaside->L, Allocate, Free, NonPagedPoolNx, Size, Tag);
}

/* End a lookaside list whose entries are all back. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    wsklab_lookaside_delete(&Lookaside->L, Lookaside, "ExDeleteNPagedLookasideList");
}

/* An entry of a lookaside list, uninitialised; NULL when there is no memory. Facts: KRN-46. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    return wsklab_lookaside_take(&Lookaside->L, Lookaside, FALSE, "ExAllocateFromNPagedLookasideList");
}

/* Give an entry back to its lookaside list. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    wsklab_lookaside_give(&Lookaside->L, Lookaside, Entry, FALSE, "ExFreeToNPagedLookasideList");
}

/* Make a lookaside list of paged entries. */
_IRQL_requires_max_(APC_LEVEL)
void ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                    ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    wsklab_nonpaged(Lookaside, "ExInitializePagedLookasideList");
    wsklab_lookaside_make(&Lookaside->L, Allocate, Free, PagedPool, Size, Tag);
}

/* End a lookaside list whose entries are all back. */
_IRQL_requires_max_(APC_LEVEL)
void ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    wsklab_lookaside_delete(&Lookaside->L, Lookaside, "ExDeletePagedLookasideList");
}

/* An entry of a lookaside list, uninitialised; NULL when there is no memory. Facts: KRN-46. */
_IRQL_requires_max_(APC_LEVEL)
PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    return wsklab_lookaside_take(&Lookaside->L, Lookaside, FALSE, "ExAllocateFromPagedLookasideList");
}

/* Give an entry back to its lookaside list. */
_IRQL_requires_max_(APC_LEVEL)
void ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    wsklab_lookaside_give(&Lookaside->L, Lookaside, Entry, FALSE, "ExFreeToPagedLookasideList");
}

/* Make a lookaside list of entries of any pool type, with routines that know the list. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate, PFREE_FUNCTION_EX Free,
                                     POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    if (Flags & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL && Flags & EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
        return STATUS_INVALID_PARAMETER_5;
    wsklab_nonpaged(Lookaside, "ExInitializeLookasideListEx");
    wsklab_lookaside_make(&Lookaside->L, Allocate, Free, PoolType, Size, Tag);
    return STATUS_SUCCESS;
}

/* End a lookaside list whose entries are all back. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    wsklab_lookaside_delete(&Lookaside->L, Lookaside, "ExDeleteLookasideListEx");
}

/* Give the entries that a list keeps for later back to the pool; this one keeps none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    UNREFERENCED_PARAMETER(Lookaside);
}

/* An entry of a lookaside list, uninitialised; NULL when there is no memory. Facts: KRN-46. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    return wsklab_lookaside_take(&Lookaside->L, Lookaside, TRUE, "ExAllocateFromLookasideListEx");
}

/* Give an entry back to its lookaside list. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
    wsklab_lookaside_give(&Lookaside->L, Lookaside, Entry, TRUE, "ExFreeToLookasideListEx");
}

/* Fast mutexes. The unsafe forms leave the IRQL alone; guarded mutexes are fast mutexes that leave it alone too. */
static BOOLEAN wsklab_mutex_try(PFAST_MUTEX Mutex, PCSTR Function, PCSTR Kind)
{
    if (!wsklab_written(&Mutex->Count, sizeof(LONG)) || Mutex->Count < 0 || Mutex->Count > 1)
        wsklab_stop("not-initialized", Mutex, "function=%s;expected=%s", Function, Kind);
    if (Mutex->Count == 0) return FALSE;
    Mutex->Count = 0;
    Mutex->Owner = KeGetCurrentThread();
    return TRUE;
}

static void wsklab_mutex_take(PFAST_MUTEX Mutex, PCSTR Function, PCSTR Kind)
{
    while (!wsklab_mutex_try(Mutex, Function, Kind)) {
        if (Mutex->Owner == KeGetCurrentThread()) wsklab_stop("mutex-recursive", Mutex, "function=%s", Function);
        KeWaitForSingleObject(&Mutex->Event, Executive, KernelMode, FALSE, NULL);
    }
}

static void wsklab_mutex_give(PFAST_MUTEX Mutex, PCSTR Function)
{
    if (!wsklab_written(&Mutex->Count, sizeof(LONG)) || Mutex->Count != 0 || Mutex->Owner != KeGetCurrentThread())
        wsklab_stop("mutex-not-owned", Mutex, "function=%s", Function);
    Mutex->Owner = NULL;
    Mutex->Count = 1;
    KeSetEvent(&Mutex->Event, 0, FALSE);
}

/* Make a fast mutex, free, in nonpaged memory. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    wsklab_nonpaged(FastMutex, "ExInitializeFastMutex");
    memset(FastMutex, 0, sizeof(FAST_MUTEX));
    FastMutex->Count = 1;
    KeInitializeEvent(&FastMutex->Event, SynchronizationEvent, FALSE);
}

/* Wait for a fast mutex and raise to APC_LEVEL. Facts: BUG-31. */
_IRQL_requires_max_(APC_LEVEL)
void ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    wsklab_mutex_take(FastMutex, "ExAcquireFastMutex", "FAST_MUTEX");
    FastMutex->OldIrql = KfRaiseIrql(APC_LEVEL);
}

/* Give a fast mutex back and return to the IRQL before. */
_IRQL_requires_max_(APC_LEVEL)
void ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL before = (KIRQL)FastMutex->OldIrql;
    wsklab_mutex_give(FastMutex, "ExReleaseFastMutex");
    KeLowerIrql(before);
}

/* Take a fast mutex and raise to APC_LEVEL if it is free; TRUE when taken. */
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    if (!wsklab_mutex_try(FastMutex, "ExTryToAcquireFastMutex", "FAST_MUTEX")) return FALSE;
    FastMutex->OldIrql = KfRaiseIrql(APC_LEVEL);
    return TRUE;
}

/* Wait for a fast mutex, at APC_LEVEL or in a critical region. */
_IRQL_requires_max_(APC_LEVEL)
void ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    wsklab_mutex_take(FastMutex, "ExAcquireFastMutexUnsafe", "FAST_MUTEX");
}

/* Give a fast mutex back that ExAcquireFastMutexUnsafe took. */
_IRQL_requires_max_(APC_LEVEL)
void ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    wsklab_mutex_give(FastMutex, "ExReleaseFastMutexUnsafe");
}

/* Make a guarded mutex, free, in nonpaged memory. */
_IRQL_requires_max_(APC_LEVEL)
void KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    ExInitializeFastMutex(Mutex);
}

/* Wait for a guarded mutex. */
_IRQL_requires_max_(APC_LEVEL)
void KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    wsklab_mutex_take(Mutex, "KeAcquireGuardedMutex", "KGUARDED_MUTEX");
}

/* Give a guarded mutex back. */
_IRQL_requires_max_(APC_LEVEL)
void KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    wsklab_mutex_give(Mutex, "KeReleaseGuardedMutex");
}

/* Take a guarded mutex if it is free; TRUE when taken. */
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    return wsklab_mutex_try(Mutex, "KeTryToAcquireGuardedMutex", "KGUARDED_MUTEX");
}

/* Wait for a guarded mutex, in a guarded region. */
_IRQL_requires_max_(APC_LEVEL)
void KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    wsklab_mutex_take(Mutex, "KeAcquireGuardedMutexUnsafe", "KGUARDED_MUTEX");
}

/* Give a guarded mutex back that KeAcquireGuardedMutexUnsafe took. */
_IRQL_requires_max_(APC_LEVEL)
void KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    wsklab_mutex_give(Mutex, "KeReleaseGuardedMutexUnsafe");
}

/*
 * Reader-writer spin locks: -1 when held by a writer, else the number of readers. One processor, so a lock that is taken can never
 * become free while somebody spins.
 */
static void wsklab_rw_take(PEX_SPIN_LOCK Lock, BOOLEAN Exclusive, PCSTR Function)
{
    if (!wsklab_written(Lock, sizeof(LONG))) wsklab_stop("spinlock-not-initialized", Lock, "function=%s", Function);
    if (*Lock < 0 || (Exclusive && *Lock > 0)) wsklab_stop("spinlock-recursive", Lock, "function=%s;holder=%s", Function,
                                                           *Lock < 0 ? "ExAcquireSpinLockExclusive" : "ExAcquireSpinLockShared");
    *Lock = Exclusive ? -1 : *Lock + 1;
}

static void wsklab_rw_give(PEX_SPIN_LOCK Lock, BOOLEAN Exclusive, PCSTR Function)
{
    if (!wsklab_written(Lock, sizeof(LONG)) || (Exclusive ? *Lock != -1 : *Lock <= 0))
        wsklab_stop("spinlock-not-held", Lock, "function=%s", Function);
    *Lock = Exclusive ? 0 : *Lock - 1;
}

/* Raise to DISPATCH_LEVEL and take a reader-writer lock for writing; returns the IRQL before. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    wsklab_rw_take(SpinLock, TRUE, "ExAcquireSpinLockExclusive");
    return KfRaiseIrql(DISPATCH_LEVEL);
}

/* Release a reader-writer lock held for writing. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    wsklab_rw_give(SpinLock, TRUE, "ExReleaseSpinLockExclusive");
    KeLowerIrql(OldIrql);
}

/* Raise to DISPATCH_LEVEL and take a reader-writer lock for reading; returns the IRQL before. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    wsklab_rw_take(SpinLock, FALSE, "ExAcquireSpinLockShared");
    return KfRaiseIrql(DISPATCH_LEVEL);
}

/* Release a reader-writer lock held for reading. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    wsklab_rw_give(SpinLock, FALSE, "ExReleaseSpinLockShared");
    KeLowerIrql(OldIrql);
}

/* Take a reader-writer lock for writing, at DISPATCH_LEVEL. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    wsklab_rw_take(SpinLock, TRUE, "ExAcquireSpinLockExclusiveAtDpcLevel");
}

/* Release a reader-writer lock held for writing, at DISPATCH_LEVEL. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    wsklab_rw_give(SpinLock, TRUE, "ExReleaseSpinLockExclusiveFromDpcLevel");
}

/* Take a reader-writer lock for reading, at DISPATCH_LEVEL. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    wsklab_rw_take(SpinLock, FALSE, "ExAcquireSpinLockSharedAtDpcLevel");
}

/* Release a reader-writer lock held for reading, at DISPATCH_LEVEL. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    wsklab_rw_give(SpinLock, FALSE, "ExReleaseSpinLockSharedFromDpcLevel");
}

/* Take the first entry of a singly linked list, NULL when it is empty. */
_IRQL_requires_max_(HIGH_LEVEL)
PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    return PopEntryList(ListHead);
}

/* Put an entry first into a singly linked list; returns the first one before. */
_IRQL_requires_max_(HIGH_LEVEL)
PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    PushEntryList(ListHead, ListEntry);
    return ListEntry->Next;
}

/* Add to a 64-bit number; returns the value before. */
_IRQL_requires_max_(HIGH_LEVEL)
LARGE_INTEGER ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment, PKSPIN_LOCK Lock)
{
    LARGE_INTEGER before = *Addend;
    Addend->QuadPart += Increment.QuadPart;
    return before;
}

/* Add to a number; returns the value before. */
_IRQL_requires_max_(HIGH_LEVEL)
ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    ULONG before = *Addend;
    *Addend = before + Increment;
    return before;
}

/* Add to a 64-bit statistic. */
_IRQL_requires_max_(HIGH_LEVEL)
void ExInterlockedAddLargeStatistic(PLARGE_INTEGER Addend, ULONG Increment)
{
    Addend->QuadPart += Increment;
}
