"""What ``wdmthread.c``, ``wdmpool.c`` and parts of ``wdmke.c`` and ``wdmrtl.c`` hold: regions, priorities, memory, versions."""

from __future__ import annotations

import pytest

from wsklab import Lab
from wsklab.machine import Stop


def printed(body: str, before: str = "", **options: object) -> str:
    """What a C function prints; `before` stands in front of it."""
    lab = Lab(**options)  # type: ignore[arg-type]  # a test's choices
    lab.load(f"{before}\nVOID F(VOID)\n{{\n{body}\n}}\n").F()
    return lab.console


def stopped(body: str, before: str = "", **options: object) -> tuple[str, str]:
    """The rule that a C function breaks, and the explanation's sentence."""
    lab = Lab(**options)  # type: ignore[arg-type]  # a test's choices
    with pytest.raises(Stop) as found:
        lab.load(f"{before}\nVOID F(VOID)\n{{\n{body}\n}}\n").F()
        lab.run()
    return found.value.rule.id, found.value.rule.text.format_map(found.value.values)


REGIONS = """
    DbgPrint("%d%d ", KeAreApcsDisabled(), KeAreAllApcsDisabled());
    KeEnterCriticalRegion();
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    DbgPrint("%d%d ", KeAreApcsDisabled(), KeAreAllApcsDisabled());
    KeEnterGuardedRegion();
    DbgPrint("%d%d ", KeAreApcsDisabled(), KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    KeLeaveCriticalRegion();
    {
        KIRQL irql;
        KeRaiseIrql(APC_LEVEL, &irql);
        DbgPrint("%d%d ", KeAreApcsDisabled(), KeAreAllApcsDisabled());
        KeLowerIrql(irql);
    }
    DbgPrint("%d%d", KeAreApcsDisabled(), KeAreAllApcsDisabled());
"""


def test_regions_disable_apcs_and_nest() -> None:
    """nf-wdm-keareapcsdisabled, nf-wdm-keareallapcsdisabled."""
    assert printed(REGIONS) == "00 10 11 11 00"


def test_a_region_is_left_as_often_as_it_was_entered() -> None:
    assert stopped("KeEnterGuardedRegion(); KeLeaveCriticalRegion();") == (
        "region-not-entered",
        "KeLeaveCriticalRegion was called in a thread that is in no region that KeEnterCriticalRegion began.",
    )
    thread = "VOID Worker(PVOID Context) { KeEnterCriticalRegion(); }"
    start = "HANDLE thread; PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, Worker, NULL); ZwClose(thread);"
    assert stopped(start, thread) == (
        "thread-ended-in-region",
        "The thread Worker ended in 1 regions that it had entered and never left.",
    )


def test_priorities() -> None:
    """nf-wdm-kesetprioritythread, nf-ntddk-kesetbaseprioritythread: a base priority stays in the class of its process."""
    body = """
    PKTHREAD me = KeGetCurrentThread();
    DbgPrint("%d ", KeSetPriorityThread(me, LOW_REALTIME_PRIORITY));
    DbgPrint("%d ", KeQueryPriorityThread(me));
    DbgPrint("%d ", KeSetBasePriorityThread(me, 2));
    DbgPrint("%d ", KeQueryPriorityThread(me));
    DbgPrint("%d ", KeSetBasePriorityThread(me, 100));
    DbgPrint("%d", KeQueryPriorityThread(me));
    """
    assert printed(body) == "8 16 0 10 2 15"
    assert stopped("KeSetPriorityThread(KeGetCurrentThread(), LOW_PRIORITY);")[0] == "thread-priority"


def test_who_runs_where() -> None:
    body = """
    ULONG_PTR low, high, left = IoGetRemainingStackSize();
    IoGetStackLimits(&low, &high);
    DbgPrint("%Iu %d %d ", high - low, (ULONG_PTR)&low >= low && (ULONG_PTR)&low < high, left <= high - low && left > 0);
    DbgPrint("%u %u ", KeGetCurrentProcessorNumber(), (ULONG)KeQueryActiveProcessors());
    DbgPrint("%d ", PsIsSystemThread(PsGetCurrentThread()));
    DbgPrint("%p %d", PsGetCurrentProcessId(), PsGetCurrentThreadId() == PsGetThreadId(PsGetCurrentThread()));
    """
    assert printed(body) == "12288 1 1 0 1 1 0000000000000004 1"


def test_a_thread_has_the_id_that_its_creator_was_told() -> None:
    worker = """
    HANDLE Mine;
    VOID Worker(PVOID Context) { Mine = PsGetCurrentThreadId(); }
    """
    body = """
    HANDLE thread;
    CLIENT_ID id;
    LARGE_INTEGER moment = { .QuadPart = -1 };
    PsCreateSystemThread(&thread, 0, NULL, NULL, &id, Worker, NULL);
    ZwClose(thread);
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    DbgPrint("%d %d", id.UniqueThread == Mine, id.UniqueProcess == PsGetCurrentProcessId());
    """
    assert printed(body, worker) == "1 1"


def test_a_breakpoint_is_an_exception_that_a_handler_takes_or_nobody() -> None:
    """BUG-15, bug-check-0x7e--system-thread-exception-not-handled."""
    taken = '__try { DbgBreakPoint(); } __except (GetExceptionCode() == 0x80000003) { DbgPrint("%x", GetExceptionCode()); }'
    assert printed(taken) == "80000003"
    sentence = "{} raised a breakpoint exception (0x80000003), and nobody handles it: no debugger is connected."
    for call, name in (
        ("DbgBreakPoint()", "DbgBreakPoint"),
        ("KdBreakPoint()", "DbgBreakPoint"),
        ("__debugbreak()", "__debugbreak"),
        ("DbgBreakPointWithStatus(1)", "DbgBreakPointWithStatus"),
    ):
        assert stopped(f"{call};") == ("breakpoint", sentence.format(name))


def test_pool_that_is_charged_raises_when_there_is_none() -> None:
    """nf-wdm-exallocatepoolwithquotatag, nf-wdm-exallocatepoolquotazero."""
    body = """
    PUCHAR got;
    __try {
        got = %s;
        DbgPrint("%%d", got ? got[0] : -1);
        if (got) ExFreePool(got);
    } __except (1) {
        DbgPrint("%%x", GetExceptionCode());
    }
    """
    zero = body % "ExAllocatePoolQuotaZero(NonPagedPoolNx, 8, 'tseT')"
    tagged = "ExAllocatePoolWithQuotaTag(NonPagedPoolNx{}, 8, 'tseT')"
    assert printed(zero) == "0"
    assert printed(zero, choices={"ExAllocatePoolQuotaZero": "fails"}) == "c000009a"
    assert printed(body % tagged.format(""), choices={"ExAllocatePoolWithQuotaTag": "fails"}) == "c000009a"
    instead = tagged.format(" | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE")
    assert printed(body % instead, choices={"ExAllocatePoolWithQuotaTag": "fails"}) == "-1"


def test_pool_by_its_other_names() -> None:
    body = """
    POOL_EXTENDED_PARAMETER priority = { 0 };
    PVOID a = ExAllocatePool(NonPagedPoolNx, 16), b = ExAllocatePoolWithTagPriority(PagedPool, 16, 'tseT', LowPoolPriority), c;
    priority.Type = PoolExtendedParameterPriority;
    priority.Priority = HighPoolPriority;
    c = ExAllocatePool3(POOL_FLAG_NON_PAGED, 16, 'tseT', &priority, 1);
    DbgPrint("%d%d%d", a != NULL, b != NULL, c != NULL && *(PULONG)c == 0);
    ExFreePoolWithTag(a, 'enoN');
    ExFreePoolWithTag(b, 'tseT');
    ExFreePool2(c, 'tseT', NULL, 0);
    """
    assert printed(body) == "111"


def test_memory_of_the_memory_manager() -> None:
    """nf-wdm-mmallocatecontiguousmemory, nf-ntddk-mmgetphysicaladdress: neighbours in one space are so in the other."""
    body = """
    PHYSICAL_ADDRESS highest = { .QuadPart = -1 };
    PUCHAR block = MmAllocateContiguousMemory(8192, highest), other = MmAllocateNonCachedMemory(16);
    ULONGLONG first = MmGetPhysicalAddress(block).QuadPart;
    DbgPrint("%d %d ", MmGetPhysicalAddress(block + 5000).QuadPart == first + 5000, MmIsAddressValid(other));
    MmFreeContiguousMemory(block);
    MmFreeNonCachedMemory(other, 16);
    DbgPrint("%d %d %I64x", MmIsAddressValid(block), MmIsAddressValid(NULL), MmGetPhysicalAddress(block).QuadPart);
    """
    assert printed(body) == "1 1 0 0 0"
    assert (
        printed('DbgPrint("%p", MmAllocateNonCachedMemory(16));', choices={"MmAllocateNonCachedMemory": "fails"})
        == "0000000000000000"
    )
    wrong = "PVOID p = MmAllocateNonCachedMemory(16); MmFreeContiguousMemory(p);"
    assert stopped(wrong)[0] == "object-not-lent"
    assert stopped("PVOID p = MmAllocateNonCachedMemory(16); ExFreePool(p);")[0] == "pool-not-allocated"


MAPPED = """
    UCHAR *buffer = ExAllocatePool2(POOL_FLAG_PAGED, 16, 'tseT'), *mapped;
    PMDL mdl = IoAllocateMdl(buffer, 16, FALSE, FALSE, NULL);
    MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
    mapped = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    mapped[3] = 7;
    %s
    MmUnmapLockedPages(mapped, mdl);
    DbgPrint("%%d %%d", buffer[3], mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    %s
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    ExFreePool(buffer);
"""


def test_locked_pages_are_mapped_once() -> None:
    """nf-wdm-mmmaplockedpagesspecifycache, nf-wdm-mmunmaplockedpages."""
    assert printed(MAPPED % ("", "")) == "7 0"
    again = "MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);"
    assert stopped(MAPPED % (again, ""))[0] == "mdl-mapped-again"
    assert stopped(MAPPED % ("", "MmUnmapLockedPages(mapped, mdl);"))[0] == "mdl-not-mapped"


def test_versions_are_compared_one_number_after_the_other() -> None:
    """nf-wdm-rtlverifyversioninfo; the system is 10.0.19041."""
    body = """
    RTL_OSVERSIONINFOEXW wanted = { 0 };
    ULONGLONG mask = 0;
    VER_SET_CONDITION(mask, VER_MAJORVERSION, VER_GREATER_EQUAL);
    VER_SET_CONDITION(mask, VER_MINORVERSION, VER_GREATER_EQUAL);
    wanted.dwMajorVersion = 6;
    wanted.dwMinorVersion = 3;
    DbgPrint("%x ", RtlVerifyVersionInfo(&wanted, VER_MAJORVERSION | VER_MINORVERSION, mask));
    wanted.dwMajorVersion = 10;
    DbgPrint("%x ", RtlVerifyVersionInfo(&wanted, VER_MAJORVERSION | VER_MINORVERSION, mask));
    wanted.dwMinorVersion = 0;
    DbgPrint("%x ", RtlVerifyVersionInfo(&wanted, VER_MAJORVERSION | VER_MINORVERSION, mask));
    VER_SET_CONDITION(mask, VER_BUILDNUMBER, VER_LESS);
    wanted.dwBuildNumber = 19041;
    DbgPrint("%x ", RtlVerifyVersionInfo(&wanted, VER_MAJORVERSION | VER_BUILDNUMBER, mask));
    DbgPrint("%x ", RtlVerifyVersionInfo(&wanted, 0, mask));
    DbgPrint("%d%d%d ", RtlIsNtDdiVersionAvailable(NTDDI_WIN7), RtlIsNtDdiVersionAvailable(NTDDI_WIN10),
             RtlIsNtDdiVersionAvailable(NTDDI_WIN10_CO));
    DbgPrint("%d%d%d", IoIsWdmVersionAvailable(1, 0x30), IoIsWdmVersionAvailable(6, 0), IoIsWdmVersionAvailable(6, 1));
    """
    assert printed(body) == "0 c0000059 0 c0000059 c000000d 110 110"


def test_hashes_random_numbers_and_errors() -> None:
    """nf-wdm-rtlhashunicodestring: x65599; nf-ntifs-rtlrandomex: the same seed gives the same numbers."""
    body = """
    UNICODE_STRING text = RTL_CONSTANT_STRING(L"ab"), capitals = RTL_CONSTANT_STRING(L"AB");
    ULONG one, other, seed = 1, again = 1, i;
    RtlHashUnicodeString(&text, FALSE, HASH_STRING_ALGORITHM_DEFAULT, &one);
    RtlHashUnicodeString(&capitals, TRUE, HASH_STRING_ALGORITHM_X65599, &other);
    DbgPrint("%u %u ", one, other);
    RtlHashUnicodeString(&text, TRUE, HASH_STRING_ALGORITHM_DEFAULT, &one);
    DbgPrint("%d %x ", one == other, RtlHashUnicodeString(&text, TRUE, HASH_STRING_ALGORITHM_INVALID, &one));
    for (i = 0; i < 3; i++) DbgPrint("%d", RtlRandomEx(&seed) == RtlRandom(&again) && seed < MAXLONG && seed != 1);
    DbgPrint(" %u %u %u %u", RtlNtStatusToDosError(STATUS_CANCELLED), RtlNtStatusToDosError(STATUS_INVALID_PARAMETER),
             RtlNtStatusToDosErrorNoTeb((NTSTATUS)0xC0070005), RtlNtStatusToDosError((NTSTATUS)0xE0001234));
    """
    assert printed(body) == f"{97 * 65599 + 98} {65 * 65599 + 66} 1 c000000d 111 995 87 5 317"
