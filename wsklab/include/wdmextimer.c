/*
 * wdmextimer.c: timers and callback objects that the system allocates for a driver. Follows the wdm.h pages nf-wdm-ex*timer,
 * nc-wdm-ext_callback and nf-wdm-ex*callback.
 */

/* The KTIMER comes first, so that a thread can wait for it. Deleted: ExDeleteTimer was called; Running: the callback is under way. */
struct _EX_TIMER {
    KTIMER Timer;
    KDPC Dpc;
    KEVENT Idle;
    PEXT_CALLBACK Callback;
    PVOID Context;
    LONGLONG Period;
    ULONG Attributes;
    BOOLEAN Deleted;
    BOOLEAN Running;
    BOOLEAN Set;
    PEXT_DELETE_CALLBACK DeleteCallback;
    PVOID DeleteContext;
};

static void wsklab_ex_timer_gone(PEX_TIMER Timer, PCSTR Function)
{
    PEXT_DELETE_CALLBACK callback = Timer->DeleteCallback;
    PVOID context = Timer->DeleteContext;
    wsklab_give_back(Timer, "ExAllocateTimer", Function);
    if (callback) callback(context);
}

static void wsklab_ex_timer_expired(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    PEX_TIMER timer = (PEX_TIMER)Context;
    LARGE_INTEGER next;
    timer->Set = timer->Period != 0;
    if (timer->Period) {
        next.QuadPart = -timer->Period;
        KeSetTimer(&timer->Timer, next, &timer->Dpc);
        timer->Timer.Header.SignalState = 1; /* it has expired all the same */
    }
    timer->Running = TRUE;
    if (timer->Callback) timer->Callback(timer, timer->Context);
    timer->Running = FALSE;
    KeSetEvent(&timer->Idle, 0, FALSE);
    if (timer->Deleted) wsklab_ex_timer_gone(timer, "ExDeleteTimer");
}

static void wsklab_ex_timer(PEX_TIMER Timer, PCSTR Function)
{
    wsklab_object(Timer, Function, "timer");
    if (Timer->Deleted) wsklab_stop("ex-timer-misused", Timer, "function=%s;what=it has been deleted", Function);
}

/* A timer, not set; its callback runs at DISPATCH_LEVEL. NULL when there is no memory. Page: nf-wdm-exallocatetimer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PEX_TIMER ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    PEX_TIMER timer;
    if (Attributes & EX_TIMER_HIGH_RESOLUTION && Attributes & EX_TIMER_NO_WAKE)
        wsklab_stop("ex-timer-misused", NULL, "function=ExAllocateTimer;"
                    "what=EX_TIMER_HIGH_RESOLUTION and EX_TIMER_NO_WAKE exclude each other");
    if (wsklab_fails("ExAllocateTimer")) return NULL;
    timer = (PEX_TIMER)wsklab_system_object(sizeof(struct _EX_TIMER), "EX_TIMER", "ExAllocateTimer");
    KeInitializeTimerEx(&timer->Timer, Attributes & EX_TIMER_NOTIFICATION ? NotificationTimer : SynchronizationTimer);
    KeInitializeDpc(&timer->Dpc, wsklab_ex_timer_expired, timer);
    KeInitializeEvent(&timer->Idle, NotificationEvent, TRUE);
    timer->Callback = Callback;
    timer->Context = CallbackContext;
    timer->Attributes = Attributes;
    return timer;
}

/* Start a timer anew, with a period in 100-ns units or 0; TRUE when it was running. Page: nf-wdm-exsettimer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS Parameters)
{
    LARGE_INTEGER due = { .QuadPart = DueTime };
    BOOLEAN before;
    wsklab_ex_timer(Timer, "ExSetTimer");
    if (Timer->Attributes & EX_TIMER_HIGH_RESOLUTION && DueTime >= 0)
        wsklab_stop("ex-timer-misused", Timer, "function=ExSetTimer;what=a high-resolution timer needs a relative due time");
    if (Period > MAXLONG || Period < 0)
        wsklab_stop("ex-timer-misused", Timer, "function=ExSetTimer;what=the period is above MAXLONG");
    before = Timer->Set;
    Timer->Period = Period;
    Timer->Set = TRUE;
    KeSetTimer(&Timer->Timer, due, &Timer->Dpc);
    return before;
}

/* Stop a timer; TRUE when it was running. Page: nf-wdm-excanceltimer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ExCancelTimer(PEX_TIMER Timer, PEXT_CANCEL_PARAMETERS Parameters)
{
    BOOLEAN before;
    wsklab_ex_timer(Timer, "ExCancelTimer");
    before = Timer->Set;
    Timer->Period = 0;
    Timer->Set = FALSE;
    KeCancelTimer(&Timer->Timer);
    KeRemoveQueueDpc(&Timer->Dpc);
    return before;
}

/*
 * Delete a timer: Cancel stops it, Wait waits until its callback has returned. Without Cancel it goes when it has expired. TRUE when
 * it was cancelled. Page: nf-wdm-exdeletetimer.
 */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    BOOLEAN cancelled;
    wsklab_ex_timer(Timer, "ExDeleteTimer");
    if (Wait && !Cancel) wsklab_stop("ex-timer-misused", Timer, "function=ExDeleteTimer;what=Wait is TRUE and Cancel is FALSE");
    if (Wait && KeGetCurrentIrql() > APC_LEVEL)
        wsklab_stop("ex-timer-misused", Timer, "function=ExDeleteTimer;what=Wait is TRUE above APC_LEVEL");
    cancelled = Cancel && ExCancelTimer(Timer, NULL);
    if (Parameters) {
        Timer->DeleteCallback = Parameters->DeleteCallback;
        Timer->DeleteContext = Parameters->DeleteContext;
    }
    Timer->Period = 0;
    if (Timer->Set || Timer->Running) Timer->Deleted = TRUE;
    else wsklab_ex_timer_gone(Timer, "ExDeleteTimer");
    return cancelled;
}

/* Callback objects, by name: their routines in order of registration. */
typedef struct _WSKLAB_CALLBACK {
    LIST_ENTRY Routines;
    BOOLEAN Several;
} WSKLAB_CALLBACK, *PWSKLAB_CALLBACK;
typedef struct _WSKLAB_REGISTERED {
    LIST_ENTRY Entry;
    PWSKLAB_CALLBACK Callback;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
} WSKLAB_REGISTERED, *PWSKLAB_REGISTERED;

static BOOLEAN wsklab_is_systems(PCUNICODE_STRING Name)
{
    PCWSTR names[] = { L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState", L"\\Callback\\ProcessorAdd" };
    UNICODE_STRING known;
    ULONG i;
    for (i = 0; i < RTL_NUMBER_OF(names); i++) {
        RtlInitUnicodeString(&known, names[i]);
        if (RtlEqualUnicodeString(Name, &known, TRUE)) return TRUE;
    }
    return FALSE;
}

/* Open a callback object by its name, or with Create make it. Page: nf-wdm-excreatecallback. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
                          BOOLEAN AllowMultipleCallbacks)
{
    PVOID *place;
    PWSKLAB_CALLBACK made;
    BOOLEAN systems;
    *CallbackObject = NULL;
    if (!ObjectAttributes->ObjectName) return STATUS_UNSUCCESSFUL;
    systems = wsklab_is_systems(ObjectAttributes->ObjectName);
    place = wsklab_entry("callback", ObjectAttributes->ObjectName);
    if (*place) {
        ObReferenceObject(*place);
    } else {
        if (!Create && !systems) return STATUS_OBJECT_NAME_NOT_FOUND;
        if (wsklab_fails("ExCreateCallback")) return STATUS_INSUFFICIENT_RESOURCES;
        made = (PWSKLAB_CALLBACK)wsklab_new_object(sizeof(WSKLAB_CALLBACK), "callback object", place);
        InitializeListHead(&made->Routines);
        made->Several = systems || AllowMultipleCallbacks;
    }
    *CallbackObject = (PCALLBACK_OBJECT)*place;
    return STATUS_SUCCESS;
}

/* Have a routine called; NULL when the object has one and allows no more. Page: nf-wdm-exregistercallback. */
_IRQL_requires_max_(APC_LEVEL)
PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction, PVOID CallbackContext)
{
    PWSKLAB_CALLBACK callback = (PWSKLAB_CALLBACK)CallbackObject;
    PWSKLAB_REGISTERED made;
    if (!callback->Several && !IsListEmpty(&callback->Routines)) return NULL;
    if (wsklab_fails("ExRegisterCallback")) return NULL;
    made = (PWSKLAB_REGISTERED)wsklab_system_object(sizeof(WSKLAB_REGISTERED), "callback registration", "ExRegisterCallback");
    made->Callback = callback;
    made->Function = CallbackFunction;
    made->Context = CallbackContext;
    InsertTailList(&callback->Routines, &made->Entry);
    ObReferenceObject(callback);
    return made;
}

/* Have a routine called no more. Page: nf-wdm-exunregistercallback. */
_IRQL_requires_max_(APC_LEVEL)
void ExUnregisterCallback(PVOID CallbackRegistration)
{
    PWSKLAB_REGISTERED registered = (PWSKLAB_REGISTERED)CallbackRegistration;
    PWSKLAB_CALLBACK callback = registered->Callback;
    RemoveEntryList(&registered->Entry);
    wsklab_give_back(registered, "ExRegisterCallback", "ExUnregisterCallback");
    ObDereferenceObject(callback);
}

/* Call the routines of a callback object, at the caller's IRQL. Page: nf-wdm-exnotifycallback. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2)
{
    PWSKLAB_CALLBACK callback = (PWSKLAB_CALLBACK)CallbackObject;
    PLIST_ENTRY place, next;
    for (place = callback->Routines.Flink; place != &callback->Routines; place = next) {
        PWSKLAB_REGISTERED registered = CONTAINING_RECORD(place, WSKLAB_REGISTERED, Entry);
        next = place->Flink;
        registered->Function(registered->Context, Argument1, Argument2);
    }
}
