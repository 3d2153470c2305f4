"""What a rule is.

A rule is one thing that driver code must not do. It is data: the engine refers to ids only, and the rule book on the site,
the tests' list and the diagnostics are made from the tables in this package (design, decision 7).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: short name, for example ``irp-freed-twice``.
        title: what happened, in a few words.
        text: what happened, a sentence; ``{names}`` are filled from the values given at the stop.
        advice: what to do about it, a sentence.
        bugcheck: the bug check code Windows would show, None when it would show nothing.
        parameters: the bug check's parameters, as text; ``{names}`` are filled.
        page: the documentation page, file name without extension.
        facts: ids of the facts it follows.
        static: names of the rules of Static Driver Verifier that it stands for.
        source: who would report it: Windows, Driver Verifier, KMDF verifier, Static Driver Verifier, the
            documentation (strict mode), or ours.
    """

    id: str
    title: str
    text: str
    advice: str
    bugcheck: int | None = None
    parameters: tuple[str, ...] = ()
    page: str = ""
    facts: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    source: str = "Windows"


BUGCHECKS = {
    0x0A: "IRQL_NOT_LESS_OR_EQUAL",
    0x0F: "SPIN_LOCK_ALREADY_OWNED",
    0x18: "REFERENCE_BY_POINTER",
    0x19: "BAD_POOL_HEADER",
    0x1A: "MEMORY_MANAGEMENT",
    0x1E: "KMODE_EXCEPTION_NOT_HANDLED",
    0x20: "KERNEL_APC_PENDING_DURING_EXIT",
    0x35: "NO_MORE_IRP_STACK_LOCATIONS",
    0x44: "MULTIPLE_IRP_COMPLETE_REQUESTS",
    0x48: "CANCEL_STATE_IN_COMPLETED_IRP",
    0x4E: "PFN_LIST_CORRUPT",
    0x50: "PAGE_FAULT_IN_NONPAGED_AREA",
    0x76: "PROCESS_HAS_LOCKED_PAGES",
    0x7E: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
    0x7F: "UNEXPECTED_KERNEL_MODE_TRAP",
    0x93: "INVALID_KERNEL_HANDLE",
    0x9F: "DRIVER_POWER_STATE_FAILURE",
    0xB8: "ATTEMPTED_SWITCH_FROM_DPC",
    0xBE: "ATTEMPTED_WRITE_TO_READONLY_MEMORY",
    0xC1: "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION",
    0xC2: "BAD_POOL_CALLER",
    0xC4: "DRIVER_VERIFIER_DETECTED_VIOLATION",
    0xC5: "DRIVER_CORRUPTED_EXPOOL",
    0xC8: "IRQL_UNEXPECTED_VALUE",
    0xC9: "DRIVER_VERIFIER_IOMANAGER_VIOLATION",
    0xCB: "DRIVER_LEFT_LOCKED_PAGES_IN_PROCESS",
    0xCC: "PAGE_FAULT_IN_FREED_SPECIAL_POOL",
    0xCE: "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS",
    0xD1: "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
    0xD5: "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL",
    0xD6: "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
    0xE4: "WORKER_INVALID",
    0xFC: "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY",
    0x10D: "WDF_VIOLATION",
    0x126: "NETIO_INVALID_POOL_CALLER",
    0x133: "DPC_WATCHDOG_VIOLATION",
    0x139: "KERNEL_SECURITY_CHECK_FAILURE",
}
"""Names of the bug checks that rules mention."""
