/*
 * wdmresource.c: locks with readers and writers that threads wait for: executive resources and push locks. Follows the wdm.h pages
 * nf-wdm-ex*resource*, nf-wdm-ex*pushlock* and "Introduction to ERESOURCE routines".
 *
 * A resource keeps its readers in OwnerTable, its writer in OwnerEntry, and who waits in SystemResourcesList. Whoever lets it go hands it
 * to the next: after a writer the readers that wait, after the last reader the writer that came first.
 */
#define WSKLAB_RESOURCE 0x4552
#define WSKLAB_EXCLUSIVE 0x80 /* in Flag, which the pages show */

typedef struct _WSKLAB_RESOURCE_WAIT {
    LIST_ENTRY Entry;
    ERESOURCE_THREAD Thread;
    BOOLEAN Exclusive;
    KEVENT Granted;
} WSKLAB_RESOURCE_WAIT, *PWSKLAB_RESOURCE_WAIT;

static BOOLEAN wsklab_is_resource(PERESOURCE Resource)
{
    return wsklab_written(&Resource->SpinLock, sizeof(KSPIN_LOCK)) && Resource->SpinLock == WSKLAB_RESOURCE;
}

static void wsklab_resource(PERESOURCE Resource, PCSTR Function)
{
    if (!wsklab_is_resource(Resource)) wsklab_stop("not-initialized", Resource, "function=%s;expected=ERESOURCE", Function);
}

/* To acquire or release one, normal kernel APCs have to be disabled. */
static void wsklab_apcs(PVOID Lock, PCSTR Function, PCSTR Code)
{
    if (!KeAreApcsDisabled()) wsklab_stop("apcs-not-disabled", Lock, "function=%s;code=%s", Function, Code);
}

/* The table's entry of a thread; with Add, a new one where there is none. */
static POWNER_ENTRY wsklab_reader(PERESOURCE Resource, ERESOURCE_THREAD Thread, BOOLEAN Add)
{
    POWNER_ENTRY table = Resource->OwnerTable, more;
    ULONG size = table ? table[0].TableSize : 1, i;
    for (i = 1; i < size; i++)
        if (table[i].OwnerThread == Thread) return &table[i];
    if (!Add) return NULL;
    for (i = 1; i < size; i++)
        if (table[i].OwnerThread == 0) break;
    if (i == size) {
        more = (POWNER_ENTRY)wsklab_system_object((size + 4) * sizeof(OWNER_ENTRY), "owner table of an ERESOURCE", NULL);
        if (table) {
            memmove(more, table, size * sizeof(OWNER_ENTRY));
            wsklab_system_free(table);
        }
        more[0].TableSize = size + 4;
        Resource->OwnerTable = table = more;
    }
    table[i].OwnerThread = Thread;
    return &table[i];
}

static BOOLEAN wsklab_is_writer(PERESOURCE Resource, ERESOURCE_THREAD Thread)
{
    return Resource->Flag & WSKLAB_EXCLUSIVE && Resource->OwnerEntry.OwnerThread == Thread;
}

static void wsklab_grant(PERESOURCE Resource, ERESOURCE_THREAD Thread, BOOLEAN Exclusive)
{
    POWNER_ENTRY owner = Exclusive ? &Resource->OwnerEntry : wsklab_reader(Resource, Thread, TRUE);
    if (Exclusive) Resource->Flag |= WSKLAB_EXCLUSIVE;
    if (owner->OwnerCount == 0) Resource->ActiveEntries++;
    owner->OwnerThread = Thread;
    owner->OwnerCount++;
    Resource->ActiveCount = 1;
}

/* The resource is free, or has readers only: let those in who wait, of one kind. */
static void wsklab_let_in(PERESOURCE Resource, BOOLEAN Exclusive)
{
    PLIST_ENTRY place = Resource->SystemResourcesList.Flink, next;
    for (; place != &Resource->SystemResourcesList; place = next) {
        PWSKLAB_RESOURCE_WAIT waiter = CONTAINING_RECORD(place, WSKLAB_RESOURCE_WAIT, Entry);
        next = place->Flink;
        if (waiter->Exclusive != Exclusive) continue;
        RemoveEntryList(place);
        if (Exclusive) Resource->NumberOfExclusiveWaiters--;
        else Resource->NumberOfSharedWaiters--;
        wsklab_grant(Resource, waiter->Thread, Exclusive);
        KeSetEvent(&waiter->Granted, 0, FALSE);
        if (Exclusive) return;
    }
}

static BOOLEAN wsklab_acquire(PERESOURCE Resource, BOOLEAN Exclusive, BOOLEAN Able, BOOLEAN Wait)
{
    WSKLAB_RESOURCE_WAIT waiter;
    ERESOURCE_THREAD me = (ERESOURCE_THREAD)KeGetCurrentThread();
    if (Able) {
        wsklab_grant(Resource, me, Exclusive);
        return TRUE;
    }
    if (!Wait) return FALSE;
    Resource->ContentionCount++;
    if (Exclusive) Resource->NumberOfExclusiveWaiters++;
    else Resource->NumberOfSharedWaiters++;
    waiter.Thread = me;
    waiter.Exclusive = Exclusive;
    KeInitializeEvent(&waiter.Granted, SynchronizationEvent, FALSE);
    InsertTailList(&Resource->SystemResourcesList, &waiter.Entry);
    KeWaitForSingleObject(&waiter.Granted, Executive, KernelMode, FALSE, NULL);
    return TRUE;
}

/* A reader: Passes says whether it need not wait behind writers, Holds whether it need not when it is one already. */
static BOOLEAN wsklab_shared(PERESOURCE Resource, BOOLEAN Wait, BOOLEAN Passes, BOOLEAN Holds, PCSTR Function)
{
    ERESOURCE_THREAD me = (ERESOURCE_THREAD)KeGetCurrentThread();
    BOOLEAN exclusive, behind;
    wsklab_resource(Resource, Function);
    wsklab_apcs(Resource, Function, "0x37");
    exclusive = (Resource->Flag & WSKLAB_EXCLUSIVE) != 0;
    if (wsklab_is_writer(Resource, me)) return wsklab_acquire(Resource, TRUE, TRUE, Wait);
    behind = !Passes && Resource->NumberOfExclusiveWaiters != 0 && !(Holds && wsklab_reader(Resource, me, FALSE));
    return wsklab_acquire(Resource, FALSE, !exclusive && !behind, Wait);
}

/* Make a resource, free, in nonpaged memory. Page: nf-wdm-exinitializeresourcelite. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS ExInitializeResourceLite(PERESOURCE Resource)
{
    wsklab_nonpaged(Resource, "ExInitializeResourceLite");
    if (wsklab_is_resource(Resource) && Resource->SystemResourcesList.Flink != NULL)
        wsklab_stop("resource-initialized-again", Resource, "function=ExInitializeResourceLite");
    memset(Resource, 0, sizeof(ERESOURCE));
    InitializeListHead(&Resource->SystemResourcesList);
    Resource->SpinLock = WSKLAB_RESOURCE;
    return STATUS_SUCCESS;
}

static void wsklab_resource_ends(PERESOURCE Resource, PCSTR Function)
{
    wsklab_resource(Resource, Function);
    if (Resource->ActiveEntries || !IsListEmpty(&Resource->SystemResourcesList))
        wsklab_stop("resource-deleted-in-use", Resource, "function=%s", Function);
    if (Resource->OwnerTable) wsklab_system_free(Resource->OwnerTable);
    Resource->SpinLock = 0;
}

/* Make a resource that nobody holds new. Page: nf-wdm-exreinitializeresourcelite. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource)
{
    wsklab_resource_ends(Resource, "ExReinitializeResourceLite");
    return ExInitializeResourceLite(Resource);
}

/* End a resource that nobody holds or waits for. Page: nf-wdm-exdeleteresourcelite. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
    wsklab_resource_ends(Resource, "ExDeleteResourceLite");
    return STATUS_SUCCESS;
}

/* Be one of the readers; behind a writer that waits, unless one holds it already. Page: nf-wdm-exacquireresourcesharedlite. */
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return wsklab_shared(Resource, Wait, FALSE, TRUE, "ExAcquireResourceSharedLite");
}

/* Be one of the readers, before every writer that waits. Page: nf-wdm-exacquiresharedstarveexclusive. */
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return wsklab_shared(Resource, Wait, TRUE, TRUE, "ExAcquireSharedStarveExclusive");
}

/* Be one of the readers, behind every writer that waits, even when one is a reader. Page: nf-wdm-exacquiresharedwaitforexclusive. */
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return wsklab_shared(Resource, Wait, FALSE, FALSE, "ExAcquireSharedWaitForExclusive");
}

/* Be the writer; a reader has to let go first. Page: nf-wdm-exacquireresourceexclusivelite. */
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    PCSTR function = "ExAcquireResourceExclusiveLite";
    ERESOURCE_THREAD me = (ERESOURCE_THREAD)KeGetCurrentThread();
    wsklab_resource(Resource, function);
    wsklab_apcs(Resource, function, "0x37");
    if (Wait && wsklab_reader(Resource, me, FALSE)) wsklab_stop("resource-shared-already", Resource, "function=%s", function);
    return wsklab_acquire(Resource, TRUE, Resource->ActiveEntries == 0 || wsklab_is_writer(Resource, me), Wait);
}

static void wsklab_let_go(PERESOURCE Resource, PCSTR Function)
{
    ERESOURCE_THREAD me = (ERESOURCE_THREAD)KeGetCurrentThread();
    BOOLEAN writer = wsklab_is_writer(Resource, me);
    POWNER_ENTRY owner = writer ? &Resource->OwnerEntry : wsklab_reader(Resource, me, FALSE);
    if (!owner)
        wsklab_stop("resource-not-owned", Resource, "function=%s;thread=%p;table=%p", Function, (PVOID)me, Resource->OwnerTable);
    if (--owner->OwnerCount) return;
    owner->OwnerThread = 0;
    if (writer) Resource->Flag &= ~WSKLAB_EXCLUSIVE;
    if (--Resource->ActiveEntries) return;
    Resource->ActiveCount = 0;
    if (writer ? Resource->NumberOfSharedWaiters == 0 : Resource->NumberOfExclusiveWaiters != 0) wsklab_let_in(Resource, TRUE);
    else wsklab_let_in(Resource, FALSE);
}

/* Let a resource go that this thread holds, once. Page: nf-wdm-exreleaseresourcelite. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExReleaseResourceLite(PERESOURCE Resource)
{
    wsklab_resource(Resource, "ExReleaseResourceLite");
    wsklab_apcs(Resource, "ExReleaseResourceLite", "0x38");
    wsklab_let_go(Resource, "ExReleaseResourceLite");
}

/* The writer becomes a reader, and the readers that wait come in. Page: nf-wdm-exconvertexclusivetosharedlite. */
_IRQL_requires_max_(APC_LEVEL)
void ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    ERESOURCE_THREAD me = (ERESOURCE_THREAD)KeGetCurrentThread();
    PCSTR function = "ExConvertExclusiveToSharedLite";
    wsklab_resource(Resource, function);
    if (!wsklab_is_writer(Resource, me))
        wsklab_stop("resource-not-owned", Resource, "function=%s;thread=%p;table=%p", function, (PVOID)me, Resource->OwnerTable);
    wsklab_reader(Resource, me, TRUE)->OwnerCount = Resource->OwnerEntry.OwnerCount;
    Resource->OwnerEntry.OwnerThread = 0;
    Resource->OwnerEntry.OwnerCount = 0;
    Resource->Flag &= ~WSKLAB_EXCLUSIVE;
    wsklab_let_in(Resource, FALSE);
}

/* Whether this thread is the writer. Page: nf-wdm-exisresourceacquiredexclusivelite. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    wsklab_resource(Resource, "ExIsResourceAcquiredExclusiveLite");
    return wsklab_is_writer(Resource, (ERESOURCE_THREAD)KeGetCurrentThread());
}

/* How often this thread holds the resource, as reader or writer. Page: nf-wdm-exisresourceacquiredsharedlite. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    ERESOURCE_THREAD me = (ERESOURCE_THREAD)KeGetCurrentThread();
    POWNER_ENTRY owner;
    wsklab_resource(Resource, "ExIsResourceAcquiredSharedLite");
    owner = wsklab_is_writer(Resource, me) ? &Resource->OwnerEntry : wsklab_reader(Resource, me, FALSE);
    return owner ? owner->OwnerCount : 0;
}

/* Enter a critical region and be the writer. Page: nf-wdm-exentercriticalregionandacquireresourceexclusive. */
_IRQL_requires_max_(APC_LEVEL)
PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Resource, TRUE);
    return NULL;
}

/* Enter a critical region and be a reader. */
_IRQL_requires_max_(APC_LEVEL)
PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(Resource, TRUE);
    return NULL;
}

/* Let a resource go and leave the critical region. Page: nf-wdm-exreleaseresourceandleavecriticalregion. */
_IRQL_requires_max_(APC_LEVEL)
void ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}

/*
 * Push locks: the word is the address of this while the lock is held or somebody waits, else 0. Holders is -1 for a writer. Whoever
 * waits is let in as with resources, but no thread can hold one twice.
 */
typedef struct _WSKLAB_PUSH_LOCK {
    LONG Holders;
    LIST_ENTRY Waiting;
    PKTHREAD Writer;
} WSKLAB_PUSH_LOCK, *PWSKLAB_PUSH_LOCK;

static BOOLEAN wsklab_push_free(PWSKLAB_PUSH_LOCK Held, BOOLEAN Exclusive)
{
    return Exclusive ? Held->Holders == 0 : Held->Holders >= 0;
}

static void wsklab_push(PEX_PUSH_LOCK Lock, BOOLEAN Exclusive, PCSTR Function)
{
    PWSKLAB_PUSH_LOCK held;
    WSKLAB_RESOURCE_WAIT waiter;
    if (!wsklab_written(Lock, sizeof(EX_PUSH_LOCK)))
        wsklab_stop("not-initialized", Lock, "function=%s;expected=EX_PUSH_LOCK", Function);
    wsklab_apcs(Lock, Function, "0xEA");
    held = (PWSKLAB_PUSH_LOCK)*Lock;
    if (!held) {
        held = (PWSKLAB_PUSH_LOCK)wsklab_system_object(sizeof(WSKLAB_PUSH_LOCK), "holders of a push lock", NULL);
        InitializeListHead(&held->Waiting);
        *Lock = (EX_PUSH_LOCK)held;
    }
    if (held->Writer == KeGetCurrentThread()) wsklab_stop("push-lock-recursive", Lock, "function=%s", Function);
    if (wsklab_push_free(held, Exclusive) && IsListEmpty(&held->Waiting)) {
        held->Holders += Exclusive ? -1 : 1;
    } else { /* whoever lets go counts this thread in */
        waiter.Exclusive = Exclusive;
        KeInitializeEvent(&waiter.Granted, SynchronizationEvent, FALSE);
        InsertTailList(&held->Waiting, &waiter.Entry);
        KeWaitForSingleObject(&waiter.Granted, Executive, KernelMode, FALSE, NULL);
    }
    held->Writer = Exclusive ? KeGetCurrentThread() : NULL;
}

static void wsklab_pull(PEX_PUSH_LOCK Lock, BOOLEAN Exclusive, PCSTR Function)
{
    PWSKLAB_PUSH_LOCK held;
    PWSKLAB_RESOURCE_WAIT waiter;
    if (!wsklab_written(Lock, sizeof(EX_PUSH_LOCK)) || *Lock == 0 ||
        (Exclusive ? ((PWSKLAB_PUSH_LOCK)*Lock)->Writer != KeGetCurrentThread() : ((PWSKLAB_PUSH_LOCK)*Lock)->Holders <= 0))
        wsklab_stop("reference-not-acquired", Lock, "function=%s", Function);
    wsklab_apcs(Lock, Function, "0xEB");
    held = (PWSKLAB_PUSH_LOCK)*Lock;
    held->Holders += Exclusive ? 1 : -1;
    held->Writer = NULL;
    while (!IsListEmpty(&held->Waiting)) {
        waiter = CONTAINING_RECORD(held->Waiting.Flink, WSKLAB_RESOURCE_WAIT, Entry);
        if (!wsklab_push_free(held, waiter->Exclusive)) return;
        RemoveEntryList(&waiter->Entry);
        held->Holders += waiter->Exclusive ? -1 : 1;
        KeSetEvent(&waiter->Granted, 0, FALSE);
    }
    if (held->Holders) return;
    *Lock = 0;
    wsklab_system_free(held);
}

/* Make a push lock, free; it can be in paged memory. Page: nf-wdm-exinitializepushlock. */
_IRQL_requires_max_(APC_LEVEL)
void ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    *PushLock = 0;
}

/* Be the writer. Page: nf-wdm-exacquirepushlockexclusive. */
_IRQL_requires_max_(APC_LEVEL)
void ExAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    wsklab_push(PushLock, TRUE, "ExAcquirePushLockExclusive");
}

/* The writer lets go. Page: nf-wdm-exreleasepushlockexclusive. */
_IRQL_requires_max_(APC_LEVEL)
void ExReleasePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    wsklab_pull(PushLock, TRUE, "ExReleasePushLockExclusive");
}

/* Be one of the readers. Page: nf-wdm-exacquirepushlockshared. */
_IRQL_requires_max_(APC_LEVEL)
void ExAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
    wsklab_push(PushLock, FALSE, "ExAcquirePushLockShared");
}

/* One reader lets go. Page: nf-wdm-exreleasepushlockshared. */
_IRQL_requires_max_(APC_LEVEL)
void ExReleasePushLockShared(PEX_PUSH_LOCK PushLock)
{
    wsklab_pull(PushLock, FALSE, "ExReleasePushLockShared");
}
