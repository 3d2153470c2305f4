"""Facts of the kernel that a few lines show: what completion says, who unloads, which bug checks stand behind the rules."""

from __future__ import annotations

import pytest

from tests.wsk.test_mistakes import EVENT, INLINE, PRELUDE, WAIT
from wsklab import Lab, Stop
from wsklab.driverlife import start, unload
from wsklab.machine import Machine
from wsklab.rules import rules


def rule_of(text: str, choices: dict[str, str] | None = None) -> str:
    lab = Lab(choices=choices)
    with pytest.raises(Stop) as stop:
        lab.load(text).Run(lab.connected_socket(), lab.buffer(b"bytes"))
        lab.run()
    return stop.value.rule.id


@pytest.mark.parametrize(("flags", "shown"), [("0", "00000000 5"), ("0x80", "c00000bb 0")])
def test_what_a_completed_irp_says(flags: str, shown: str) -> None:
    """IRP-27: the final status; a count of bytes, zero on failure."""
    lab = Lab()
    text = f"{EVENT} PIRP Irp = Make(Signal, &Done); CONNECTION->WskSend(Socket, Buffer, {flags}, Irp); {WAIT}"
    text += 'DbgPrint("%08x %Iu", Irp->IoStatus.Status, Irp->IoStatus.Information); IoFreeIrp(Irp);'
    lab.load(f"{PRELUDE}void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer) {{ {text} }}").Run(
        lab.connected_socket(), lab.buffer(b"bytes")
    )
    assert lab.console == shown


def test_a_call_under_a_lock_can_come_back_for_the_lock() -> None:
    """KRN-38: the call completes inline, and its completion routine wants the lock that the caller holds."""
    text = (
        PRELUDE
        + """
    static KSPIN_LOCK Lock;
    static NTSTATUS Locked(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
    {
        KIRQL Irql;
        KeAcquireSpinLock(&Lock, &Irql);
        KeReleaseSpinLock(&Lock, Irql);
        IoFreeIrp(Irp);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer)
    {
        KIRQL Irql;
        KeInitializeSpinLock(&Lock);
        KeAcquireSpinLock(&Lock, &Irql);
        CONNECTION->WskSend(Socket, Buffer, 0, Make(Locked, NULL));
        KeReleaseSpinLock(&Lock, Irql);
    }
    """
    )
    assert rule_of(text, INLINE) == "spinlock-recursive"
    lab = Lab(choices={"WskSend": "pending"})
    lab.load(text).Run(lab.connected_socket(), lab.buffer(b"bytes"))
    lab.run()
    assert lab.irps() == ["STATUS_SUCCESS, 5, IoFreeIrp"]


@pytest.mark.parametrize(("depth", "stops"), [(20, False), (2000, True)])
def test_a_kernel_stack_is_small(depth: int, stops: bool) -> None:
    """KRN-43: three pages; a bounded recursion fits."""
    code = Lab().load("#include <ntddk.h>\nULONG Sum(ULONG n) { return n ? n + Sum(n - 1) : 0; }")
    if stops:
        with pytest.raises(Stop) as stop:
            code.Sum(depth)
        assert stop.value.rule.id == "stack-overflow"
    else:
        assert code.Sum(depth) == depth * (depth + 1) // 2


DRIVER = """
#include <ntddk.h>
static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    DbgPrint("unload at %d", KeGetCurrentIrql());
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = ROUTINE;
    return STATUS;
}
"""


@pytest.mark.parametrize(
    ("routine", "status", "unloaded", "shown"),
    [
        ("Unload", "STATUS_SUCCESS", True, "unload at 0"),
        ("NULL", "STATUS_SUCCESS", False, ""),
        ("Unload", "STATUS_UNSUCCESSFUL", True, ""),
    ],
)
def test_who_is_unloaded(routine: str, status: str, unloaded: bool, shown: str) -> None:
    """KRN-44: a driver whose DriverEntry succeeded and that has a routine for it; DriverEntry's failure is an end of its own."""
    lab = Lab()
    text = DRIVER.replace("ROUTINE", routine).replace("STATUS;", status + ";")
    assert (unload(lab, start(lab, lab.load(text), "driver")), lab.console) == (unloaded, shown)


# rule: the bug check and its first parameter, as the pages have them
BUG_CHECKS = {
    "mark-pending-own-irp": (0x19, "0x20"), "mdl-freed-locked": (0xCB, "0"), "mdl-not-built": (0x1A, "0x1236"),
    "mdl-bad-buffer": (0x1A, "0x1240"), "bad-call": (0xFC, "{address}"), "read-only-write": (0xBE, "{address}"),
}  # fmt: skip


def test_the_bug_checks_behind_rules() -> None:
    """BUG-09, BUG-17, BUG-18, BUG-23, BUG-24."""
    shown = {id: (rules()[id].bugcheck, rules()[id].parameters[0]) for id in BUG_CHECKS}
    assert shown == BUG_CHECKS


def test_bug_checks_that_no_rule_has() -> None:
    """BUG-07, BUG-34: one is not used any more, the other is an id in live dumps; a driver may name both."""
    names = {"INCONSISTENT_IRP": 0x2A, "WINSOCK_DETECTED_HUNG_CLOSESOCKET_LIVEDUMP": 0x156}
    assert {name: Machine().constant(name) for name in names} == names
    assert not {rule.bugcheck for rule in rules().values()} & set(names.values())


def test_a_work_item_needs_a_device() -> None:
    """KRN-31: a driver that has none cannot allocate one, and runs a thread of its own."""
    text = PRELUDE + "void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer) { IoAllocateWorkItem(NULL); }"
    assert rule_of(text) == "null-dereference"


def test_no_irp_of_ours_keeps_a_driver_loaded() -> None:
    """KRN-45: WSK has the driver's IRP, Unload is called all the same, and afterwards its routine would be gone."""
    text = (
        PRELUDE
        + """
    static VOID Unload(PDRIVER_OBJECT DriverObject) { DbgPrint("unload"); }
    NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
    {
        DriverObject->DriverUnload = Unload;
        return STATUS_SUCCESS;
    }
    void Receive(PWSK_SOCKET Socket, PWSK_BUF Buffer) { CONNECTION->WskReceive(Socket, Buffer, 0, Make(Free, NULL)); }
    """
    )
    lab = Lab()
    driver = lab.load(text)
    started = start(lab, driver, "driver")
    driver.Receive(lab.connected_socket(), lab.buffer(b"bytes"))
    with pytest.raises(Stop) as stop:
        unload(lab, started)
    assert (lab.console, stop.value.rule.id) == ("unload", "irp-in-flight-at-unload")


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        ("ExAllocatePool2(POOL_FLAG_PAGED, 1, 'kaml')", "pool-at-wrong-irql"),
        ("PsTerminateSystemThread(0)", "irql-too-high"),
        ("ZwClose(NULL)", "irql-too-high"),
        ("KeSetEvent(&Done, 0, TRUE)", "event-set-with-wait"),
    ],
)
def test_what_the_verifier_calls_rules_of_irql(call: str, rule: str) -> None:
    """BUG-30: 0xC4, or the bug check of what follows from it."""
    text = PRELUDE + f"void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer) {{ {EVENT} KIRQL Irql; KeRaiseIrql(2, &Irql); {call}; }}"
    assert (rule_of(text), rules()[rule].bugcheck) == (rule, 0xC4)
