"""What ``wdmex.c`` and ``wdmke.c`` hold, run from C: rundown protection, lookaside lists, mutexes, reader-writer locks."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import Lab
from wsklab.machine import Stop


def stopped(text: str, function: str = "F", **options: Any) -> tuple[str, str]:
    """The rule that a C function breaks, and the function that the message names."""
    with pytest.raises(Stop) as found:
        getattr(Lab(**options).load(text), function)()
    return found.value.rule.id, found.value.values["function"]


RUNDOWN = """
EX_RUNDOWN_REF Ref;
VOID Worker(PVOID Context)
{
    LARGE_INTEGER second = { .QuadPart = -10000000 };
    KeDelayExecutionThread(KernelMode, FALSE, &second);
    ExReleaseRundownProtectionEx(&Ref, 2);
    DbgPrint("released ");
}
VOID F(VOID)
{
    HANDLE thread;
    ExInitializeRundownProtection(&Ref);
    if (!ExAcquireRundownProtectionEx(&Ref, 2)) return;
    PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, Worker, NULL);
    ZwClose(thread);
    ExWaitForRundownProtectionRelease(&Ref);
    DbgPrint("run down %u ", ExAcquireRundownProtection(&Ref));
    ExReInitializeRundownProtection(&Ref);
    DbgPrint("again %u", ExAcquireRundownProtection(&Ref));
}
VOID TooOften(VOID)
{
    ExInitializeRundownProtection(&Ref);
    ExReleaseRundownProtection(&Ref);
}
VOID Unmade(VOID)
{
    EX_RUNDOWN_REF local;
    ExAcquireRundownProtection(&local);
}
"""


def test_a_rundown_lets_nobody_in_and_waits_for_the_last_reference() -> None:
    lab = Lab()
    lab.load(RUNDOWN).F()
    assert (lab.console, lab.machine.time) == ("released run down 0 again 1", 10_000_000)


def test_what_rundown_protection_refuses() -> None:
    assert stopped(RUNDOWN, "TooOften") == ("reference-not-acquired", "ExReleaseRundownProtection")
    assert stopped(RUNDOWN, "Unmade") == ("not-initialized", "ExAcquireRundownProtection")


LOOKASIDE = """
NPAGED_LOOKASIDE_LIST List;
LOOKASIDE_LIST_EX Own;
PVOID Take(POOL_TYPE Type, SIZE_T Size, ULONG Tag, PLOOKASIDE_LIST_EX List)
{
    DbgPrint("take %Iu %d ", Size, List == &Own);
    return ExAllocatePoolWithTag(Type, Size, Tag);
}
VOID Give(PVOID Buffer, PLOOKASIDE_LIST_EX List) { DbgPrint("give "); ExFreePool(Buffer); }
ULONG F(VOID)
{
    ULONG *entry, value;
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 32, 'tseT', 0);
    entry = ExAllocateFromNPagedLookasideList(&List);
    if (!entry) return 0;
    *entry = 7;
    value = *entry;
    ExFreeToNPagedLookasideList(&List, entry);
    ExDeleteNPagedLookasideList(&List);
    return value;
}
VOID G(VOID)
{
    PVOID entry;
    if (!NT_SUCCESS(ExInitializeLookasideListEx(&Own, Take, Give, NonPagedPoolNx, 0, 48, 'tseT', 0))) return;
    entry = ExAllocateFromLookasideListEx(&Own);
    ExFreeToLookasideListEx(&Own, entry);
    ExDeleteLookasideListEx(&Own);
}
ULONG UseAfter(VOID)
{
    ULONG *entry;
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 32, 'tseT', 0);
    entry = ExAllocateFromNPagedLookasideList(&List);
    ExFreeToNPagedLookasideList(&List, entry);
    return *entry;
}
VOID Left(VOID)
{
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 32, 'tseT', 0);
    ExAllocateFromNPagedLookasideList(&List);
    ExDeleteNPagedLookasideList(&List);
}
"""


def test_a_lookaside_list_gives_entries_and_can_run_out_of_memory() -> None:
    """KRN-46."""
    assert Lab().load(LOOKASIDE).F() == 7
    assert Lab(choices={"ExAllocatePoolWithTag": "fails"}).load(LOOKASIDE).F() == 0


def test_routines_of_a_lookaside_list_are_callbacks_of_the_driver() -> None:
    lab = Lab()
    lab.load(LOOKASIDE).G()
    assert lab.console == "take 48 1 give "
    told = [event.name for event in lab.events if event.kind in ("call", "callback")]
    assert told == [
        "G", "ExInitializeLookasideListEx", "ExAllocateFromLookasideListEx", "Take", "ExAllocatePoolWithTag",
        "ExFreeToLookasideListEx", "Give", "ExFreePool", "ExDeleteLookasideListEx",
    ]  # fmt: skip


def test_what_a_lookaside_list_refuses() -> None:
    assert stopped(LOOKASIDE, "Left") == ("lookaside-entries-left", "ExDeleteNPagedLookasideList")
    with pytest.raises(Stop) as found:
        Lab().load(LOOKASIDE).UseAfter()
    assert found.value.rule.id == "use-after-free"


LOCKS = """
KGUARDED_MUTEX Mutex;
EX_SPIN_LOCK Lock;
VOID F(VOID)
{
    KIRQL one, other;
    KeInitializeGuardedMutex(&Mutex);
    KeAcquireGuardedMutex(&Mutex);
    DbgPrint("%u %u ", KeGetCurrentIrql(), KeTryToAcquireGuardedMutex(&Mutex));
    KeReleaseGuardedMutex(&Mutex);
    Lock = 0;
    one = ExAcquireSpinLockShared(&Lock);
    other = ExAcquireSpinLockShared(&Lock);
    DbgPrint("%u %u ", one, other);
    ExReleaseSpinLockShared(&Lock, other);
    ExReleaseSpinLockShared(&Lock, one);
    one = ExAcquireSpinLockExclusive(&Lock);
    ExReleaseSpinLockExclusive(&Lock, one);
    DbgPrint("%u", KeGetCurrentIrql());
}
VOID Upgrade(VOID) { Lock = 0; ExAcquireSpinLockShared(&Lock); ExAcquireSpinLockExclusive(&Lock); }
VOID Twice(VOID) { KeInitializeGuardedMutex(&Mutex); KeAcquireGuardedMutex(&Mutex); KeAcquireGuardedMutex(&Mutex); }
VOID Foreign(VOID) { KeInitializeGuardedMutex(&Mutex); KeReleaseGuardedMutex(&Mutex); }
"""


def test_guarded_mutexes_and_reader_writer_locks() -> None:
    lab = Lab()
    lab.load(LOCKS).F()
    assert lab.console == "0 0 0 2 0"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("Upgrade", ("spinlock-recursive", "ExAcquireSpinLockExclusive")),
        ("Twice", ("mutex-recursive", "KeAcquireGuardedMutex")),
        ("Foreign", ("mutex-not-owned", "KeReleaseGuardedMutex")),
    ],
)
def test_what_these_locks_refuse(function: str, expected: tuple[str, str]) -> None:
    assert stopped(LOCKS, function) == expected
