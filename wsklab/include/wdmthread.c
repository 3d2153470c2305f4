/*
 * wdmthread.c: what a thread is in: critical and guarded regions, its priority, its process, its stack. Follows the wdm.h,
 * ntddk.h and ntifs.h pages nf-wdm-ke*region, nf-ntddk-ps*, and "Critical regions and guarded regions".
 *
 * No APC is ever delivered here; what counts is whether a thread that needs them disabled has them disabled (KeAreApcsDisabled).
 */

/*
 * A thread object: what follows its header is zero when the thread is made. Priorities count from that of a system thread; Token
 * is NULL when it does not impersonate (wdmse.c).
 */
typedef struct _WSKLAB_THREAD {
    DISPATCHER_HEADER Header;
    struct _WSKLAB_TOKEN *Token;
    SECURITY_IMPERSONATION_LEVEL Level;
    BOOLEAN CopyOnOpen, EffectiveOnly;
    LONG Critical;
    LONG Guarded;
    LONG Priority;
    LONG Increment;
    KAFFINITY Affinity;
} WSKLAB_THREAD, *PWSKLAB_THREAD;
#define WSKLAB_SYSTEM_PRIORITY 8
#define WSKLAB_SYSTEM_PROCESS 4

static PWSKLAB_THREAD wsklab_thread(PKTHREAD Thread, PCSTR Function)
{
    wsklab_object(Thread, Function, "thread");
    return (PWSKLAB_THREAD)Thread;
}

static void wsklab_leave(PLONG Count, PCSTR Function, PCSTR Entered)
{
    if (*Count == 0) wsklab_stop("region-not-entered", KeGetCurrentThread(), "function=%s;entered=%s", Function, Entered);
    --*Count;
}

/* Disable normal kernel APCs in this thread, once more. Page: nf-ntddk-keentercriticalregion. */
_IRQL_requires_max_(APC_LEVEL)
void KeEnterCriticalRegion(void)
{
    ((PWSKLAB_THREAD)KeGetCurrentThread())->Critical++;
}

/* Leave a critical region that this thread has entered. Page: nf-ntddk-keleavecriticalregion. */
_IRQL_requires_max_(APC_LEVEL)
void KeLeaveCriticalRegion(void)
{
    wsklab_leave(&((PWSKLAB_THREAD)KeGetCurrentThread())->Critical, "KeLeaveCriticalRegion", "KeEnterCriticalRegion");
}

/* Disable all kernel APCs in this thread, once more. Page: nf-wdm-keenterguardedregion. */
_IRQL_requires_max_(APC_LEVEL)
void KeEnterGuardedRegion(void)
{
    ((PWSKLAB_THREAD)KeGetCurrentThread())->Guarded++;
}

/* Leave a guarded region that this thread has entered. Page: nf-wdm-keleaveguardedregion. */
_IRQL_requires_max_(APC_LEVEL)
void KeLeaveGuardedRegion(void)
{
    wsklab_leave(&((PWSKLAB_THREAD)KeGetCurrentThread())->Guarded, "KeLeaveGuardedRegion", "KeEnterGuardedRegion");
}

/* Whether this thread is in a critical or a guarded region, or at a raised IRQL. Page: nf-wdm-keareapcsdisabled. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeAreApcsDisabled(void)
{
    return KeAreAllApcsDisabled() || ((PWSKLAB_THREAD)KeGetCurrentThread())->Critical != 0;
}

/* Whether this thread is in a guarded region, or at a raised IRQL. Page: nf-wdm-keareallapcsdisabled. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN KeAreAllApcsDisabled(void)
{
    return KeGetCurrentIrql() >= APC_LEVEL || ((PWSKLAB_THREAD)KeGetCurrentThread())->Guarded != 0;
}

/* Set a thread's priority; returns the one before. Threads take turns here whatever it is. Page: nf-wdm-kesetprioritythread. */
_IRQL_requires_max_(PASSIVE_LEVEL)
KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    PWSKLAB_THREAD thread = wsklab_thread(Thread, "KeSetPriorityThread");
    KPRIORITY before = thread->Priority + WSKLAB_SYSTEM_PRIORITY;
    if (Priority <= LOW_PRIORITY || Priority > HIGH_PRIORITY)
        wsklab_stop("thread-priority", Thread, "function=KeSetPriorityThread;priority=%d", Priority);
    thread->Priority = Priority - WSKLAB_SYSTEM_PRIORITY;
    return before;
}

/* A thread's priority: 8 for a system thread that nobody changed. Page: nf-wdm-kequeryprioritythread. */
_IRQL_requires_max_(PASSIVE_LEVEL)
KPRIORITY KeQueryPriorityThread(PKTHREAD Thread)
{
    return wsklab_thread(Thread, "KeQueryPriorityThread")->Priority + WSKLAB_SYSTEM_PRIORITY;
}

/* Set a thread's priority relative to its process, in its class; returns the increment before. Page: nf-ntddk-kesetbaseprioritythread. */
_IRQL_requires_max_(PASSIVE_LEVEL)
LONG KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment)
{
    PWSKLAB_THREAD thread = wsklab_thread(Thread, "KeSetBasePriorityThread");
    LONG before = thread->Increment, base = WSKLAB_SYSTEM_PRIORITY + Increment;
    if (base <= LOW_PRIORITY) base = LOW_PRIORITY + 1;
    if (base >= LOW_REALTIME_PRIORITY) base = LOW_REALTIME_PRIORITY - 1;
    thread->Priority = thread->Increment = base - WSKLAB_SYSTEM_PRIORITY;
    return before;
}

/* Let this thread run on some processors only; returns the set before, 0 for none. There is one processor. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    PWSKLAB_THREAD thread = (PWSKLAB_THREAD)KeGetCurrentThread();
    KAFFINITY before = thread->Affinity;
    thread->Affinity = Affinity;
    return before;
}

/* Go back to the processors of before. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    ((PWSKLAB_THREAD)KeGetCurrentThread())->Affinity = Affinity;
}

/* The number of the processor that runs this code. */
_IRQL_requires_max_(HIGH_LEVEL)
ULONG KeGetCurrentProcessorNumber(void)
{
    return 0;
}

/* The set of processors, of which there is one. */
_IRQL_requires_max_(DISPATCH_LEVEL)
KAFFINITY KeQueryActiveProcessors(void)
{
    return 1;
}

/* 100-ns units since the machine started, with the performance counter of the same moment. */
_IRQL_requires_max_(HIGH_LEVEL)
ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    *QpcTimeStamp = (ULONG64)KeQueryPerformanceCounter(NULL).QuadPart;
    return KeQueryInterruptTime();
}

/* The id of a thread, a multiple of 4 that no other thread has. */
_IRQL_requires_max_(DISPATCH_LEVEL)
HANDLE PsGetThreadId(PETHREAD Thread)
{
    wsklab_object(Thread, "PsGetThreadId", "thread");
    return (HANDLE)(((ULONG_PTR)Thread >> 4 & 0x3FFFFFFF) << 2);
}

/* The id of this thread. */
_IRQL_requires_max_(HIGH_LEVEL)
HANDLE PsGetCurrentThreadId(void)
{
    return PsGetThreadId(PsGetCurrentThread());
}

/* The object of the one process. */
_IRQL_requires_max_(HIGH_LEVEL)
PEPROCESS PsGetCurrentProcess(void)
{
    PVOID *place = wsklab_entry("process", NULL);
    if (!*place) *place = wsklab_system_object(64, "process System", NULL);
    return (PEPROCESS)*place;
}

/* The object of the one process. */
_IRQL_requires_max_(HIGH_LEVEL)
PEPROCESS IoGetCurrentProcess(void)
{
    return PsGetCurrentProcess();
}

/* The id of the process in whose thread this code runs: that of an application while its request comes in, else the system's. */
_IRQL_requires_max_(HIGH_LEVEL)
HANDLE PsGetCurrentProcessId(void)
{
    return (HANDLE)(wsklab_in_application() ? FX_APPLICATION_PROCESS : WSKLAB_SYSTEM_PROCESS);
}

/* Whether a thread is one of the system's, as every thread is that runs a driver's code but one whose request comes in. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN PsIsSystemThread(PETHREAD Thread)
{
    wsklab_object(Thread, "PsIsSystemThread", "thread");
    return Thread != PsGetCurrentThread() || !wsklab_in_application();
}

/* The process that an application's request came from; 0 for a request of the system. Page: nf-ntifs-iogetrequestorprocessid. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG IoGetRequestorProcessId(PIRP Irp)
{
    return Irp->RequestorMode == UserMode ? FX_APPLICATION_PROCESS : 0;
}

/* Whether the application is a 32-bit one, which none is. Page: nf-wdm-iois32bitprocess. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN IoIs32bitProcess(PIRP Irp)
{
    return FALSE;
}

/* The bounds of this thread's stack. Facts: KRN-43. */
_IRQL_requires_max_(HIGH_LEVEL)
void IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
    *LowLimit = wsklab_stack(0);
    *HighLimit = wsklab_stack(2);
}

/* The bytes that are left on this thread's stack. Facts: KRN-43. */
_IRQL_requires_max_(HIGH_LEVEL)
ULONG_PTR IoGetRemainingStackSize(void)
{
    return wsklab_stack(1) - wsklab_stack(0);
}

/* Where this thread's stack begins, at its high end. */
_IRQL_requires_max_(APC_LEVEL)
PVOID IoGetInitialStack(void)
{
    return (PVOID)wsklab_stack(2);
}
