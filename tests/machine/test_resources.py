"""What ``wdmresource.c`` and ``wdmextimer.c`` hold: executive resources, push locks, the system's timers, callback objects."""

from __future__ import annotations

import pytest

from wsklab import Lab
from wsklab.driverlife import start, unload
from wsklab.machine import Stop

SETUP = r"""
ERESOURCE Resource;
EX_PUSH_LOCK Push;
ULONG Seconds;

VOID Sleep(ULONG Count)
{
    LARGE_INTEGER time = { .QuadPart = -10000000LL * Count };
    KeDelayExecutionThread(KernelMode, FALSE, &time);
}

VOID Start(PKSTART_ROUTINE Routine, PCSTR Name)
{
    HANDLE thread;
    PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, Routine, (PVOID)Name);
    ZwClose(thread);
}

VOID Reader(PVOID Name)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Resource, TRUE);
    DbgPrint("%s reads ", (PCSTR)Name);
    Sleep(2);
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
}

VOID Writer(PVOID Name)
{
    ExEnterCriticalRegionAndAcquireResourceExclusive(&Resource);
    DbgPrint("%s writes ", (PCSTR)Name);
    Sleep(2);
    DbgPrint("%s wrote ", (PCSTR)Name);
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
}

VOID Starving(PVOID Name)
{
    KeEnterCriticalRegion();
    DbgPrint("%s %d%d%d ", (PCSTR)Name, ExAcquireResourceSharedLite(&Resource, FALSE),
             ExAcquireSharedWaitForExclusive(&Resource, FALSE), ExAcquireSharedStarveExclusive(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
}
"""


def printed(body: str, **options: object) -> str:
    """What a C function prints until the machine is idle."""
    lab = Lab(**options)  # type: ignore[arg-type]  # a test's choices
    lab.load(f"{SETUP}\nVOID F(VOID)\n{{\n{body}\n}}\n").F()
    lab.run()
    return lab.console


def stopped(body: str, setup: str = "") -> tuple[str, int | None]:
    """The rule that a C function breaks, and its bug check."""
    with pytest.raises(Stop) as found:
        printed(f"ExInitializeResourceLite(&Resource); ExInitializePushLock(&Push); {setup}\n{body}")
    return found.value.rule.id, found.value.bugcheck


def test_a_writer_waits_for_readers_and_later_readers_wait_for_it() -> None:
    """nf-wdm-exacquireresourcesharedlite, nf-wdm-exacquireresourceexclusivelite."""
    body = """
    ExInitializeResourceLite(&Resource);
    Start(Reader, "a"); Start(Reader, "b"); Sleep(1);
    Start(Writer, "c"); Start(Reader, "d"); Start(Starving, "e"); Sleep(10);
    DbgPrint("%u %x", Resource.ContentionCount, ExDeleteResourceLite(&Resource));
    """
    assert printed(body) == "a reads b reads e 001 c writes c wrote d reads 2 0"


def test_a_resource_can_be_acquired_again_by_who_holds_it() -> None:
    """nf-wdm-exisresourceacquiredsharedlite, nf-wdm-exconvertexclusivetosharedlite."""
    body = """
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    ExAcquireResourceSharedLite(&Resource, TRUE);
    DbgPrint("%d%u ", ExIsResourceAcquiredExclusiveLite(&Resource), ExIsResourceAcquiredSharedLite(&Resource));
    Start(Reader, "waiting");
    Sleep(1);
    ExConvertExclusiveToSharedLite(&Resource);
    Sleep(1);
    DbgPrint("%d%u ", ExIsResourceAcquiredExclusiveLite(&Resource), ExIsResourceAcquiredSharedLite(&Resource));
    ExReleaseResourceLite(&Resource); ExReleaseResourceLite(&Resource); ExReleaseResourceLite(&Resource);
    DbgPrint("%u %d ", ExIsResourceAcquiredSharedLite(&Resource), ExAcquireResourceExclusiveLite(&Resource, FALSE));
    Sleep(3);
    DbgPrint("%d", ExAcquireResourceExclusiveLite(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    ExReinitializeResourceLite(&Resource);
    """
    assert printed(body) == "13 waiting reads 03 0 0 1"


@pytest.mark.parametrize(
    ("body", "rule", "bugcheck"),
    [
        ("ExAcquireResourceSharedLite(&Resource, TRUE);", "apcs-not-disabled", 0xC4),
        ("ExEnterCriticalRegionAndAcquireResourceShared(&Resource); KeLeaveCriticalRegion(); ExReleaseResourceLite(&Resource);",
         "apcs-not-disabled", 0xC4),
        ("ExEnterCriticalRegionAndAcquireResourceShared(&Resource); ExAcquireResourceExclusiveLite(&Resource, TRUE);",
         "resource-shared-already", 0xC4),
        ("KeEnterCriticalRegion(); ExReleaseResourceLite(&Resource);", "resource-not-owned", 0xE3),
        ("ExEnterCriticalRegionAndAcquireResourceShared(&Resource); ExConvertExclusiveToSharedLite(&Resource);",
         "resource-not-owned", 0xE3),
        ("ExEnterCriticalRegionAndAcquireResourceShared(&Resource); ExDeleteResourceLite(&Resource);",
         "resource-deleted-in-use", None),
        ("ExInitializeResourceLite(&Resource);", "resource-initialized-again", 0xC4),
        ("ExDeleteResourceLite(&Resource); KeEnterCriticalRegion(); ExAcquireResourceSharedLite(&Resource, TRUE);",
         "not-initialized", None),
        ("KIRQL irql; KeRaiseIrql(DISPATCH_LEVEL, &irql); ExAcquireResourceSharedLite(&Resource, FALSE);", "irql-too-high", 0xC4),
        ("ExAcquirePushLockShared(&Push);", "apcs-not-disabled", 0xC4),
        ("KeEnterCriticalRegion(); ExAcquirePushLockExclusive(&Push); ExAcquirePushLockShared(&Push);",
         "push-lock-recursive", None),
        ("KeEnterCriticalRegion(); ExReleasePushLockShared(&Push);", "reference-not-acquired", None),
        ("KeEnterCriticalRegion(); ExAcquirePushLockShared(&Push); ExReleasePushLockExclusive(&Push);",
         "reference-not-acquired", None),
        ("ExSetTimer(ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION), 1, 0, NULL);", "ex-timer-misused", None),
        ("ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE);", "ex-timer-misused", None),
        ("ExDeleteTimer(ExAllocateTimer(NULL, NULL, 0), FALSE, TRUE, NULL);", "ex-timer-misused", None),
        ("PEX_TIMER t = ExAllocateTimer(NULL, NULL, 0); ExDeleteTimer(t, TRUE, FALSE, NULL); ExCancelTimer(t, NULL);",
         "use-after-free", 0xD5),
    ],
)  # fmt: skip
def test_what_is_refused(body: str, rule: str, bugcheck: int | None) -> None:
    """bug-check-0xc4--driver-verifier-detected-violation, bug-check-0xe3--resource-not-owned."""
    assert stopped(body) == (rule, bugcheck)


PUSHING = """
VOID Sharing(PVOID Name)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&Push);
    DbgPrint("%s in ", (PCSTR)Name);
    Sleep(1);
    DbgPrint("%s out ", (PCSTR)Name);
    ExReleasePushLockShared(&Push);
    KeLeaveCriticalRegion();
}
VOID Alone(PVOID Name)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Push);
    DbgPrint("%s in ", (PCSTR)Name);
    Sleep(1);
    DbgPrint("%s out ", (PCSTR)Name);
    ExReleasePushLockExclusive(&Push);
    KeLeaveCriticalRegion();
}
VOID F(VOID)
{
    ExInitializePushLock(&Push);
    Start(Sharing, "a"); Start(Sharing, "b"); Start(Alone, "c"); Start(Sharing, "d"); Start(Alone, "e");
    Sleep(9);
    DbgPrint("%d", Push == 0);
}
"""


def test_push_locks_have_readers_or_a_writer() -> None:
    """nf-wdm-exacquirepushlockexclusive, nf-wdm-exacquirepushlockshared."""
    lab = Lab()
    lab.load(SETUP + PUSHING).F()
    assert lab.console == "a in b in a out b out c in c out d in d out e in e out 1"


TIMERS = r"""
PEX_TIMER Timer;
ULONG Ticks;
VOID Tick(PEX_TIMER Which, PVOID Context)
{
    DbgPrint("tick %u at %u ", ++*(PULONG)Context, KeGetCurrentIrql());
    if (Ticks == 3) ExCancelTimer(Which, NULL);
}
VOID Gone(PVOID Context) { DbgPrint("%s ", (PCSTR)Context); }
VOID F(VOID)
{
    EXT_DELETE_PARAMETERS end;
    LARGE_INTEGER long_ = { .QuadPart = -100000000 };
    Timer = ExAllocateTimer(Tick, &Ticks, EX_TIMER_NOTIFICATION);
    DbgPrint("%d", ExSetTimer(Timer, -10000000, 5000000, NULL));
    DbgPrint("%d ", ExSetTimer(Timer, -10000000, 5000000, NULL));
    KeWaitForSingleObject(Timer, Executive, KernelMode, FALSE, NULL);
    DbgPrint("waited ");
    KeDelayExecutionThread(KernelMode, FALSE, &long_);
    DbgPrint("%d %d ", ExCancelTimer(Timer, NULL), ExSetTimer(Timer, -10000000, 0, NULL));
    ExInitializeDeleteTimerParameters(&end);
    end.DeleteCallback = Gone;
    end.DeleteContext = "gone";
    DbgPrint("%d", ExDeleteTimer(Timer, TRUE, TRUE, &end));
}
"""


def test_a_timer_of_the_system_ticks_until_it_is_cancelled() -> None:
    """nf-wdm-exsettimer, nf-wdm-excanceltimer, nf-wdm-exdeletetimer: the period is in 100-ns units."""
    lab = Lab()
    lab.load(TIMERS).F()
    assert lab.console == "01 waited tick 1 at 2 tick 2 at 2 tick 3 at 2 0 0 gone 1"
    assert Lab(choices={"ExAllocateTimer": "fails"}).wdk.ExAllocateTimer(0, 0, 0) == 0


CALLBACKS = r"""
PCALLBACK_OBJECT Object, Again, None;
VOID Told(PVOID Context, PVOID First, PVOID Second) { DbgPrint("%s %d %d ", (PCSTR)Context, (int)First, (int)Second); }
VOID F(VOID)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Callback\\Mine"), other = RTL_CONSTANT_STRING(L"\\Callback\\Other");
    UNICODE_STRING power = RTL_CONSTANT_STRING(L"\\Callback\\PowerState");
    OBJECT_ATTRIBUTES attributes;
    PVOID one, two;
    InitializeObjectAttributes(&attributes, NULL, 0, NULL, NULL);
    DbgPrint("%x ", ExCreateCallback(&Object, &attributes, TRUE, TRUE));
    InitializeObjectAttributes(&attributes, &other, OBJ_CASE_INSENSITIVE, NULL, NULL);
    DbgPrint("%x ", ExCreateCallback(&None, &attributes, FALSE, TRUE));
    InitializeObjectAttributes(&attributes, &power, OBJ_CASE_INSENSITIVE, NULL, NULL);
    DbgPrint("%x ", ExCreateCallback(&None, &attributes, FALSE, TRUE));
    ObDereferenceObject(None);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    DbgPrint("%x ", ExCreateCallback(&Object, &attributes, TRUE, MANY));
    DbgPrint("%x %d\n", ExCreateCallback(&Again, &attributes, FALSE, FALSE), Again == Object);
    one = ExRegisterCallback(Object, Told, "one");
    two = ExRegisterCallback(Object, Told, "two");
    ExNotifyCallback(Object, (PVOID)3, (PVOID)4);
    ExUnregisterCallback(one);
    ExNotifyCallback(Object, (PVOID)5, (PVOID)6);
    if (two) ExUnregisterCallback(two);
    ObDereferenceObject(Again);
    ObDereferenceObject(Object);
}
"""


def test_callback_objects_call_their_routines_in_order_of_registration() -> None:
    """nf-wdm-excreatecallback, nf-wdm-exregistercallback, nf-wdm-exnotifycallback."""
    lab = Lab()
    lab.load(CALLBACKS.replace("MANY", "TRUE")).F()
    assert lab.console == "c0000001 c0000034 0 0 0 1\none 3 4 two 3 4 two 5 6 "
    lab = Lab()
    lab.load(CALLBACKS.replace("MANY", "FALSE")).F()
    assert lab.console == "c0000001 c0000034 0 0 0 1\none 3 4 "


LEAVING = r"""
#include <ntddk.h>
VOID Unload(PDRIVER_OBJECT DriverObject) { }
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = Unload;
    BODY
    return STATUS_SUCCESS;
}
"""


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("ExAllocateTimer(NULL, NULL, 0);", "object-not-returned"),
        ("MmAllocateNonCachedMemory(16);", "object-not-returned"),
        ("HANDLE h; ZwCreateEvent(&h, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);", "handle-leaked"),
        ("ObReferenceObject(DriverObject);", "object-reference-leaked"),
    ],
)
def test_what_a_driver_leaves_behind_is_named_at_unload(body: str, rule: str) -> None:
    lab = Lab()
    loaded = start(lab, lab.load(LEAVING.replace("BODY", body)), "leaving")
    with pytest.raises(Stop) as found:
        unload(lab, loaded)
    assert found.value.rule.id == rule
