/*
 * wdflater.c: timers, DPCs and work items: callbacks that run later. A timer and a DPC run at DISPATCH_LEVEL, a passive timer
 * and a work item in a system thread; with AutomaticSerialization the callback lock of the parent device or queue is held then.
 * Facts: KMDF-AUX-01 to 07. Pages: using-timers.md, using-framework-work-items.md, the wdfdpc.h pages.
 */

static PFX_LATER FxLater(PVOID Handle, ULONG Type)
{
    return (PFX_LATER)wsklab_wdf(Handle, Type);
}

/* What the three look at first, in this order; each Config begins with its Size (KMDF-CTX-05, KMDF-AUX-01). */
static NTSTATUS FxCheckLater(PWDF_OBJECT_ATTRIBUTES Attributes, PULONG Config, ULONG Size, PVOID Out)
{
    if (Attributes == NULL || Attributes->ParentObject == NULL) return STATUS_WDF_PARENT_NOT_SPECIFIED;
    wsklab_wdf(Attributes->ParentObject, FX_TYPE_OBJECT);
    wsklab_given(Config, "Config");
    wsklab_given(Out, "the handle");
    return *Config == Size ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
}

static void FxEnter(PFX_LATER Later)
{
    Later->Running++;
    Later->Thread = KeGetCurrentThread();
    KeClearEvent(&Later->Idle);
}

static void FxLeave(PFX_LATER Later)
{
    Later->Thread = NULL;
    if (--Later->Running == 0 && !Later->Queued) KeSetEvent(&Later->Idle, 0, FALSE);
}

/* Wait until no callback runs or is about to. In the callback itself that would be for ever. */
static void FxFlush(PFX_LATER Later, PVOID Handle, PCSTR Function)
{
    if (Later->Running > 0 && Later->Thread == KeGetCurrentThread())
        wsklab_wdf_stop("kmdf-waits-for-itself", Handle, "function=%s", Function);
    KeWaitForSingleObject(&Later->Idle, Executive, KernelMode, FALSE, NULL);
}

/* The body of the system thread in which a work item or a passive timer runs; it holds a reference on the object. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_later_run(PVOID Handle)
{
    PFX_LATER later = FxLater(Handle, FX_TYPE_OBJECT);
    if (later->Queued) {
        later->Queued = FALSE;
        FxEnter(later);
        wsklab_wdf_wait_for(later->Lock, later->Callback, Handle);
        FxLeave(later);
    }
    wsklab_wdf_release(Handle);
}

static BOOLEAN FxQueueThread(PFX_LATER Later, PVOID Handle)
{
    if (Later->Queued) return FALSE;
    Later->Queued = TRUE;
    KeClearEvent(&Later->Idle);
    wsklab_wdf_hold(Handle);
    wsklab_wdf_thread(wsklab_later_run, Handle);
    return TRUE;
}

/* The DPC of timers and WDFDPCs. Facts: KMDF-AUX-02. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_later_dpc(PKDPC Dpc, PVOID Context, PVOID SystemArgument1, PVOID SystemArgument2)
{
    PFX_LATER later = FxLater(Context, FX_TYPE_OBJECT);
    if (later->Passive) {
        FxQueueThread(later, Context);
        return;
    }
    wsklab_wdf_hold(Context);
    FxEnter(later);
    wsklab_wdf_call(later->Lock, later->Callback, Context);
    FxLeave(later);
    wsklab_wdf_release(Context);
}

/* The object: its parent has to lead to a device, and to one of a fitting execution level when its lock is wanted. */
static NTSTATUS FxCreateLater(ULONG Type, PVOID Callback, BOOLEAN Automatic, BOOLEAN Passive, PWDF_OBJECT_ATTRIBUTES Attributes,
                              PVOID Out)
{
    ULONG takes = FX_TAKES_PARENT | (Type == FX_TYPE_TIMER ? FX_TAKES_LEVEL : 0);
    WDFOBJECT lock = NULL;
    PFX_LATER later;
    NTSTATUS status = wsklab_wdf_check(Attributes, takes);
    if (NT_SUCCESS(status)) status = wsklab_wdf_serialize(Attributes->ParentObject, Automatic, Passive, &lock);
    if (NT_SUCCESS(status)) status = wsklab_wdf_create(Type, takes, Attributes, NULL, Out);
    if (!NT_SUCCESS(status)) return status;
    later = FxLater(*(PVOID *)Out, Type);
    later->Callback = Callback;
    later->Lock = lock;
    later->Parent = Attributes->ParentObject;
    later->Passive = Passive;
    KeInitializeEvent(&later->Idle, NotificationEvent, TRUE);
    KeInitializeTimer(&later->Timer);
    KeInitializeDpc(&later->Dpc, wsklab_later_dpc, *(PVOID *)Out);
    return status;
}

/* A timer. Facts: KMDF-AUX-01. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfTimerCreate(PWDF_TIMER_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFTIMER *Timer)
{
    BOOLEAN passive = Attributes != NULL && Attributes->ExecutionLevel == WdfExecutionLevelPassive;
    NTSTATUS status = FxCheckLater(Attributes, (PULONG)Config, sizeof(WDF_TIMER_CONFIG), Timer);
    if (!NT_SUCCESS(status)) return status;
    if (Config->Period > MAXLONG) return STATUS_INVALID_PARAMETER;
    if (Config->TolerableDelay > 0 && Config->UseHighResolutionTimer) return STATUS_INVALID_PARAMETER;
    if (Config->Period > 0 && passive) return STATUS_NOT_SUPPORTED;
    status = FxCreateLater(FX_TYPE_TIMER, (PVOID)Config->EvtTimerFunc, Config->AutomaticSerialization, passive, Attributes,
                           Timer);
    if (!NT_SUCCESS(status)) return status;
    FxLater(*Timer, FX_TYPE_TIMER)->Period = Config->Period;
    wsklab_wdf_hold(Attributes->ParentObject);
    return status;
}

/* Start a timer, or start it anew: TRUE when it was running. Facts: KMDF-AUX-02, 03. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfTimerStart(WDFTIMER Timer, LONGLONG DueTime)
{
    PFX_LATER later = FxLater(Timer, FX_TYPE_TIMER);
    LARGE_INTEGER due;
    due.QuadPart = DueTime;
    return KeSetTimerEx(&later->Timer, due, (LONG)later->Period, &later->Dpc);
}

/* Stop a timer: TRUE when it was running. With Wait, the callback has returned afterwards. Facts: KMDF-AUX-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WdfTimerStop(WDFTIMER Timer, BOOLEAN Wait)
{
    PFX_LATER later = FxLater(Timer, FX_TYPE_TIMER);
    BOOLEAN stopped;
    if (Wait && FxTooHigh(Timer, "WdfTimerStop")) return FALSE;
    stopped = KeCancelTimer(&later->Timer);
    if (KeRemoveQueueDpc(&later->Dpc)) stopped = TRUE;
    if (Wait) FxFlush(later, Timer, "WdfTimerStop");
    return stopped;
}

/* The object a timer was created under. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFOBJECT WdfTimerGetParentObject(WDFTIMER Timer)
{
    return FxLater(Timer, FX_TYPE_TIMER)->Parent;
}

/* A timer is deleted: it no longer runs, and its parent may go. In its own callback at PASSIVE_LEVEL that is a deadlock. Facts:
   KMDF-AUX-05, 06. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_wdftimer_disposed(WDFTIMER Timer)
{
    PFX_LATER later = FxLater(Timer, FX_TYPE_TIMER);
    if (later->Running > 0 && later->Thread == KeGetCurrentThread())
        wsklab_wdf_stop("kmdf-waits-for-itself", Timer, "function=%s", "WdfObjectDelete");
    KeCancelTimer(&later->Timer);
    KeRemoveQueueDpc(&later->Dpc);
    wsklab_wdf_release(later->Parent);
}

/* A DPC. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDpcCreate(PWDF_DPC_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFDPC *Dpc)
{
    NTSTATUS status = FxCheckLater(Attributes, (PULONG)Config, sizeof(WDF_DPC_CONFIG), Dpc);
    if (!NT_SUCCESS(status)) return status;
    return FxCreateLater(FX_TYPE_DPC, (PVOID)Config->EvtDpcFunc, Config->AutomaticSerialization, FALSE, Attributes, Dpc);
}

/* Queue a DPC: FALSE when it is queued already. */
_IRQL_requires_max_(HIGH_LEVEL)
BOOLEAN WdfDpcEnqueue(WDFDPC Dpc)
{
    return KeInsertQueueDpc(&FxLater(Dpc, FX_TYPE_DPC)->Dpc, NULL, NULL);
}

/* Take a queued DPC back: TRUE when it was queued. With Wait, its callback has returned afterwards. */
_IRQL_requires_max_(HIGH_LEVEL)
BOOLEAN WdfDpcCancel(WDFDPC Dpc, BOOLEAN Wait)
{
    PFX_LATER later = FxLater(Dpc, FX_TYPE_DPC);
    BOOLEAN cancelled;
    if (Wait && FxTooHigh(Dpc, "WdfDpcCancel")) return FALSE;
    cancelled = KeRemoveQueueDpc(&later->Dpc);
    if (Wait) FxFlush(later, Dpc, "WdfDpcCancel");
    return cancelled;
}

/* The object a DPC was created under. */
_IRQL_requires_max_(HIGH_LEVEL)
WDFOBJECT WdfDpcGetParentObject(WDFDPC Dpc)
{
    return FxLater(Dpc, FX_TYPE_DPC)->Parent;
}

/* The KDPC inside a DPC object. */
_IRQL_requires_max_(HIGH_LEVEL)
PKDPC WdfDpcWdmGetDpc(WDFDPC Dpc)
{
    return &FxLater(Dpc, FX_TYPE_DPC)->Dpc;
}

/* A DPC is deleted: it no longer runs. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_wdfdpc_disposed(WDFDPC Dpc)
{
    KeRemoveQueueDpc(&FxLater(Dpc, FX_TYPE_DPC)->Dpc);
}

/* A work item. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfWorkItemCreate(PWDF_WORKITEM_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFWORKITEM *WorkItem)
{
    NTSTATUS status = FxCheckLater(Attributes, (PULONG)Config, sizeof(WDF_WORKITEM_CONFIG), WorkItem);
    if (!NT_SUCCESS(status)) return status;
    if (Config->EvtWorkItemFunc == NULL) return STATUS_INVALID_PARAMETER;
    return FxCreateLater(FX_TYPE_WORKITEM, (PVOID)Config->EvtWorkItemFunc, Config->AutomaticSerialization, TRUE, Attributes,
                         WorkItem);
}

/* Run a work item's callback soon in a system thread, once however often it is asked for meanwhile. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfWorkItemEnqueue(WDFWORKITEM WorkItem)
{
    FxQueueThread(FxLater(WorkItem, FX_TYPE_WORKITEM), WorkItem);
}

/* The object a work item was created under. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFOBJECT WdfWorkItemGetParentObject(WDFWORKITEM WorkItem)
{
    return FxLater(WorkItem, FX_TYPE_WORKITEM)->Parent;
}

/* Wait until a work item's callback has returned. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfWorkItemFlush(WDFWORKITEM WorkItem)
{
    FxFlush(FxLater(WorkItem, FX_TYPE_WORKITEM), WorkItem, "WdfWorkItemFlush");
}

/* A work item is deleted: a callback that was asked for still runs before that. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_wdfworkitem_disposed(WDFWORKITEM WorkItem)
{
    PFX_LATER later = FxLater(WorkItem, FX_TYPE_WORKITEM);
    if (!later->Queued) return;
    later->Queued = FALSE;
    wsklab_wdf_call(later->Lock, later->Callback, WorkItem);
}
