/*
 * wdmke.h: the kernel's own objects: IRQL, spin locks, events, mutexes, semaphores, timers, DPCs, threads' waits, time.
 *
 * Rules: structures have the x64 layout of `facts/layouts.json`; what only changes an object is C, the rest is modelled in Python.
 * Follows the wdm.h pages nf-wdm-ke*, nc-wdm-kdeferred_routine and the guide "Kernel-mode driver architecture".
 */
#ifndef _WSKLAB_WDMKE_H_
#define _WSKLAB_WDMKE_H_

#include "ntdef.h"
#include "ntstatus.h"

/* Interrupt request levels of x64 ("Managing hardware priorities"). */
typedef UCHAR KIRQL, *PKIRQL;
typedef CCHAR KPRIORITY_SMALL;
typedef LONG KPRIORITY;
#define PASSIVE_LEVEL 0
#define LOW_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CMCI_LEVEL 5
#define CLOCK_LEVEL 13
#define IPI_LEVEL 14
#define DRS_LEVEL 14
#define POWER_LEVEL 14
#define PROFILE_LEVEL 15
#define HIGH_LEVEL 15

KIRQL KeGetCurrentIrql(void);
KIRQL KfRaiseIrql(KIRQL NewIrql);
FORCEINLINE void KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
    *OldIrql = KfRaiseIrql(NewIrql);
}
FORCEINLINE KIRQL KeRaiseIrqlToDpcLevel(void)
{
    return KfRaiseIrql(DISPATCH_LEVEL);
}
void KeLowerIrql(KIRQL NewIrql);
/*
 * What the inline functions of these headers say to the machine. wsklab_stop: a rule is broken; Values is a format such as
 * "count=%d;limit=%d" that fills the rule's texts. wsklab_written: whether memory was ever written. wsklab_nonpaged: a stop for an
 * object in paged pool. wsklab_initialize, wsklab_object: make a dispatcher object, and a stop when Object is none of that Kind.
 */
void wsklab_stop(PCSTR Rule, PVOID Object, PCSTR Values, ...);
BOOLEAN wsklab_written(const VOID *Memory, SIZE_T Size);
void wsklab_nonpaged(PVOID Object, PCSTR Function);
void wsklab_initialize(PVOID Object, UCHAR Type, SIZE_T Size, LONG State);
void wsklab_object(PVOID Object, PCSTR Function, PCSTR Kind);
/*
 * What the kernel functions in C ask the machine for. wsklab_not_modelled: the end of a run that needs something else.
 * wsklab_fails: whether a function fails now, by choice. wsklab_system_object: memory of the system, zeroed; when a function's name
 * is given, the driver has to give it back, which wsklab_give_back does. wsklab_is_there: whether an address can be used.
 * wsklab_in_application: whether this is an application's thread. wsklab_stack: this thread's stack: 0 its lowest address, 1 the
 * innermost frame, 2 its end. wsklab_breakpoint: a breakpoint exception. wsklab_entry: where the system keeps the object of a name, a
 * kind of names each, NULL at first. wsklab_delete: an object goes when nobody holds a reference. wsklab_start_thread: start a
 * system thread; its object.
 */
void wsklab_not_modelled(PCSTR What);
BOOLEAN wsklab_fails(PCSTR Function);
PVOID wsklab_system_object(SIZE_T Size, PCSTR What, PCSTR From);
void wsklab_give_back(PVOID Object, PCSTR From, PCSTR Function);
BOOLEAN wsklab_is_there(PVOID Address);
PVOID wsklab_pool(PCSTR Function, SIZE_T Size, ULONG Tag, BOOLEAN Paged, BOOLEAN Zero, BOOLEAN Fails);
BOOLEAN wsklab_in_application(void);
ULONG_PTR wsklab_stack(ULONG Which);
void wsklab_breakpoint(PCSTR Function);
PVOID *wsklab_entry(PCSTR Kind, PCUNICODE_STRING Name);
void wsklab_delete(PVOID Object);
struct _KTHREAD *wsklab_start_thread(PVOID Routine, PVOID Context);
/* Whether pageable code may run here is asserted. Facts: KRN-33, KRN-34. */
FORCEINLINE void wsklab_paged_code(void)
{
    if (KeGetCurrentIrql() >= DISPATCH_LEVEL) wsklab_stop("paged-code-at-dispatch", NULL, "");
}
#define PAGED_CODE() wsklab_paged_code()
#define PAGED_ASSERT(exp) ASSERT(exp)
#define PAGED_CODE_LOCKED()
#define ASSERT_IRQL_LESS_OR_EQUAL(x) ASSERT(KeGetCurrentIrql() <= (x))
#define ASSERT_IRQL_EQUAL(x) ASSERT(KeGetCurrentIrql() == (x))

/* Assertions ("ASSERT macro"): a failed one is a call of RtlAssert. */
void RtlAssert(PVOID VoidFailedAssertion, PVOID VoidFileName, ULONG LineNumber, PSTR MutableMessage);
#define ASSERT(exp) ((void)((!(exp)) ? (RtlAssert((PVOID)#exp, (PVOID)__FILE__, __LINE__, NULL), 0) : 1))
#define ASSERTMSG(msg, exp) ((void)((!(exp)) ? (RtlAssert((PVOID)#exp, (PVOID)__FILE__, __LINE__, (PSTR)(msg)), 0) : 1))
#define NT_ASSERT(exp) ASSERT(exp)
#define NT_ASSERTMSG(msg, exp) ASSERTMSG(msg, exp)
#define NT_VERIFY(exp) ASSERT(exp)
#define NT_FRE_ASSERT(exp) ASSERT(exp)
#define NT_ANALYSIS_ASSUME(exp)
#define RTL_SOFT_ASSERT(exp) ASSERT(exp)
#define RTL_VERIFY(exp) ASSERT(exp)
#define WIN_ASSERT(exp) ASSERT(exp)

/* Spin locks. */
typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;
typedef struct _KSPIN_LOCK_QUEUE {
    struct _KSPIN_LOCK_QUEUE *volatile Next;
    PKSPIN_LOCK volatile Lock;
} KSPIN_LOCK_QUEUE, *PKSPIN_LOCK_QUEUE;
typedef struct _KLOCK_QUEUE_HANDLE {
    KSPIN_LOCK_QUEUE LockQueue;
    KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

void KeInitializeSpinLock(PKSPIN_LOCK SpinLock);
void KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql);
KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock);
void KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql);
void KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
void KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock);
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock);
KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock);
void KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql);
void KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle);
void KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle);
void KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle);
void KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle);

/* For the kernel functions in wdmke.c: note that a lock is held from now on, or no more, at an IRQL; whether it is held. */
void wsklab_locked(PKSPIN_LOCK SpinLock, BOOLEAN Held, KIRQL NewIrql);
BOOLEAN wsklab_is_locked(PKSPIN_LOCK SpinLock);

/* Dispatcher objects: what a thread can wait for. */
typedef struct _DISPATCHER_HEADER {
    union {
        struct {
            UCHAR Type;
            union {
                UCHAR TimerControlFlags;
                struct {
                    UCHAR Absolute : 1;
                    UCHAR Coalescable : 1;
                    UCHAR KeepShifting : 1;
                    UCHAR EncodedTolerableDelay : 5;
                };
                UCHAR Abandoned;
                BOOLEAN Signalling;
            };
            union {
                UCHAR ThreadControlFlags;
                struct {
                    UCHAR CpuThrottled : 1;
                    UCHAR CycleProfiling : 1;
                    UCHAR CounterProfiling : 1;
                    UCHAR Reserved : 5;
                };
                UCHAR Size;
                UCHAR Hand;
            };
            union {
                UCHAR TimerMiscFlags;
                struct {
                    UCHAR Index : 6;
                    UCHAR Inserted : 1;
                    volatile UCHAR Expired : 1;
                };
                BOOLEAN DebugActive;
                struct {
                    UCHAR ActiveDR7 : 1;
                    UCHAR Instrumented : 1;
                    UCHAR Reserved2 : 4;
                    UCHAR UmsScheduled : 1;
                    UCHAR UmsPrimary : 1;
                };
                BOOLEAN DpcActive;
            };
        };
        volatile LONG Lock;
    };
    LONG SignalState;
    LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;
    LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

typedef struct _KMUTANT {
    DISPATCHER_HEADER Header;
    LIST_ENTRY MutantListEntry;
    struct _KTHREAD *OwnerThread;
    BOOLEAN Abandoned;
    UCHAR ApcDisable;
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

typedef struct _KWAIT_BLOCK {
    LIST_ENTRY WaitListEntry;
    struct _KTHREAD *Thread;
    PVOID Object;
    struct _KWAIT_BLOCK *NextWaitBlock;
    USHORT WaitKey;
    UCHAR WaitType;
    volatile UCHAR BlockState;
    LONG SpareLong;
} KWAIT_BLOCK, *PKWAIT_BLOCK, *PRKWAIT_BLOCK;

/* Waiting. */
typedef enum _KWAIT_REASON {
    Executive,
    FreePage,
    PageIn,
    PoolAllocation,
    DelayExecution,
    Suspended,
    UserRequest,
    WrExecutive,
    WrFreePage,
    WrPageIn,
    WrPoolAllocation,
    WrDelayExecution,
    WrSuspended,
    WrUserRequest,
    WrEventPair,
    WrQueue,
    WrLpcReceive,
    WrLpcReply,
    WrVirtualMemory,
    WrPageOut,
    WrRendezvous
} KWAIT_REASON;
#define THREAD_WAIT_OBJECTS 3
#define MAXIMUM_WAIT_OBJECTS 64

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout);
#define KeWaitForMutexObject KeWaitForSingleObject
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON WaitReason,
                                  KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlockArray);
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval);

/* Events, semaphores, mutexes. */
void KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
LONG KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
LONG KeResetEvent(PRKEVENT Event);
void KeClearEvent(PRKEVENT Event);
LONG KeReadStateEvent(PRKEVENT Event);
void KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit);
LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait);
LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore);
void KeInitializeMutex(PRKMUTEX Mutex, ULONG Level);
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait);
LONG KeReadStateMutex(PRKMUTEX Mutex);

/* Deferred procedure calls. */
typedef enum _KDPC_IMPORTANCE { LowImportance, MediumImportance, HighImportance, MediumHighImportance } KDPC_IMPORTANCE;
typedef void KDEFERRED_ROUTINE(struct _KDPC *Dpc, PVOID DeferredContext, PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;
typedef struct _KDPC {
    UCHAR Type;
    UCHAR Importance;
    volatile USHORT Number;
    LIST_ENTRY DpcListEntry;
    PKDEFERRED_ROUTINE DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    PVOID DpcData;
} KDPC, *PKDPC, *PRKDPC;

/* For wdmke.c: queue a DPC, and take back one that is queued, or a timer that runs. */
BOOLEAN wsklab_insert_dpc(PRKDPC Dpc, PVOID First, PVOID Second);
BOOLEAN wsklab_take_back(PVOID Due);
void KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext);
void KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext);
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2);
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc);
void KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance);
void KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number);
void KeFlushQueuedDpcs(void);

/* Timers. */
typedef struct _KTIMER {
    DISPATCHER_HEADER Header;
    ULARGE_INTEGER DueTime;
    LIST_ENTRY TimerListEntry;
    struct _KDPC *Dpc;
    ULONG Processor;
    ULONG Period;
} KTIMER, *PKTIMER, *PRKTIMER;

void KeInitializeTimer(PKTIMER Timer);
void KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type);
BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc);
BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc);
BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay, PKDPC Dpc);
BOOLEAN KeCancelTimer(PKTIMER Timer);
BOOLEAN KeReadStateTimer(PKTIMER Timer);

/* Time: 100-nanosecond units since boot or since 1601. */
ULONGLONG KeQueryInterruptTime(void);
/* System time (100 ns since 1601) at virtual time 0: 2025-01-01, so that every run shows the same times. */
#define WSKLAB_TIME_AT_START 133801632000000000
FORCEINLINE void KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = WSKLAB_TIME_AT_START + KeQueryInterruptTime();
}
FORCEINLINE void KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    KeQuerySystemTime(CurrentTime);
}
FORCEINLINE void KeQueryTickCount(PLARGE_INTEGER CurrentCount)
{
    CurrentCount->QuadPart = (LONGLONG)(KeQueryInterruptTime() / KeQueryTimeIncrement());
}
FORCEINLINE ULONG KeQueryTimeIncrement(void)
{
    return 156250; /* 15.625 ms */
}
ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);
FORCEINLINE ULONGLONG KeQueryUnbiasedInterruptTime(void)
{
    return KeQueryInterruptTime();
}
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency);
void KeStallExecutionProcessor(ULONG MicroSeconds);

/* Asynchronous procedure calls: the record only; the routines are not for drivers. */
typedef struct _KAPC {
    UCHAR Type;
    UCHAR SpareByte0;
    UCHAR Size;
    UCHAR SpareByte1;
    ULONG SpareLong0;
    struct _KTHREAD *Thread;
    LIST_ENTRY ApcListEntry;
    PVOID KernelRoutine;
    PVOID RundownRoutine;
    PVOID NormalRoutine;
    PVOID NormalContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    CCHAR ApcStateIndex;
    KPROCESSOR_MODE ApcMode;
    BOOLEAN Inserted;
} KAPC, *PKAPC, *PRKAPC;

void KeEnterCriticalRegion(void);
void KeLeaveCriticalRegion(void);
void KeEnterGuardedRegion(void);
void KeLeaveGuardedRegion(void);
BOOLEAN KeAreApcsDisabled(void);
BOOLEAN KeAreAllApcsDisabled(void);

/* Threads and processors. */
#define LOW_PRIORITY 0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY 31
#define MAXIMUM_PRIORITY 32
PKTHREAD KeGetCurrentThread(void);
KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority);
LONG KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment);
KPRIORITY KeQueryPriorityThread(PKTHREAD Thread);
ULONG KeGetCurrentProcessorNumber(void);
#define KeGetCurrentProcessorIndex() KeGetCurrentProcessorNumberEx(NULL)
ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber);
ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors);
ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber);
ULONG KeQueryMaximumProcessorCount(void);
ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber);
KAFFINITY KeQueryActiveProcessors(void);
KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity);
void KeRevertToUserAffinityThreadEx(KAFFINITY Affinity);
#define ALL_PROCESSOR_GROUPS 0xffff
#define KeMemoryBarrier() ((void)0)
#define KeFlushIoBuffers(Mdl, ReadOperation, DmaOperation) ((void)0)
#define YieldProcessor() ((void)0)
#define PreFetchCacheLine(Level, Address) ((void)(Address))
#define PrefetchForWrite(Address) ((void)(Address))
#define MemoryBarrier() ((void)0)
#define _ReadWriteBarrier() ((void)0)

/* Device queues. */
typedef struct _KDEVICE_QUEUE {
    CSHORT Type;
    CSHORT Size;
    LIST_ENTRY DeviceListHead;
    KSPIN_LOCK Lock;
    union {
        BOOLEAN Busy;
        struct {
            LONG64 Reserved : 8;
            LONG64 Hint : 56;
        };
    };
} KDEVICE_QUEUE, *PKDEVICE_QUEUE, *PRKDEVICE_QUEUE;

typedef struct _KDEVICE_QUEUE_ENTRY {
    LIST_ENTRY DeviceListEntry;
    ULONG SortKey;
    BOOLEAN Inserted;
} KDEVICE_QUEUE_ENTRY, *PKDEVICE_QUEUE_ENTRY, *PRKDEVICE_QUEUE_ENTRY;

void KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue);
BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry);
BOOLEAN KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey);
PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue);
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey);
BOOLEAN KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry);

/* Stopping the machine. */
typedef enum _KBUGCHECK_BUFFER_DUMP_STATE {
    BufferEmpty,
    BufferInserted,
    BufferStarted,
    BufferFinished,
    BufferIncomplete
} KBUGCHECK_BUFFER_DUMP_STATE;
FORCEINLINE void KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}
void KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
                  ULONG_PTR BugCheckParameter4);
#define __fastfail(Code) KeBugCheckEx(0x139, (Code), 0, 0, 0) /* KERNEL_SECURITY_CHECK_FAILURE */
#define RtlFailFast(Code) __fastfail(Code)
#define FAST_FAIL_CORRUPT_LIST_ENTRY 3
#define FAST_FAIL_INVALID_ARG 5
#define FAST_FAIL_FATAL_APP_EXIT 7
#define FAST_FAIL_INVALID_REFERENCE_COUNT 14
#define DbgRaiseAssertionFailure() RtlAssert((PVOID)"DbgRaiseAssertionFailure()", (PVOID)__FILE__, __LINE__, NULL)
void DbgBreakPoint(void);
void DbgBreakPointWithStatus(ULONG Status);
void __debugbreak(void);

#endif
