"""Bug check 0x10D with every parameter 1 that a machine without DMA can reach, and the verifier's registry values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab import Lab, Stop
from wsklab.kmdf.scene import LoadedDriver

MINUTE = 600_000_000
DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
WDFDEVICE device;
WDFQUEUE queue;
WDFREQUEST kept;
KEVENT never;
static void Wait(int Minutes)
{
    LARGE_INTEGER time;
    time.QuadPart = WDF_REL_TIMEOUT_IN_SEC(60 * Minutes);
    KeDelayExecutionThread(KernelMode, FALSE, &time);
}
static NTSTATUS AskForRemoval(PDEVICE_OBJECT Target)
{
    KEVENT done;
    IO_STATUS_BLOCK answer;
    PIRP irp;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Target, NULL, 0, NULL, &done, &answer);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    IoGetNextIrpStackLocation(irp)->MinorFunction = IRP_MN_QUERY_REMOVE_DEVICE;
    return IoCallDriver(Target, irp);
}
static void Ask(void) { DbgPrint("%08x ", AskForRemoval(WdfDeviceWdmGetDeviceObject(device))); }
NTSTATUS Prepare(WDFDEVICE Device, WDFCMRESLIST Raw, WDFCMRESLIST Translated) { device = Device; PREPARE return 0; }
NTSTATUS Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Previous) { ENTRY return 0; }
NTSTATUS Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Target) { EXIT return 0; }
NTSTATUS Connected(WDFDEVICE Device, WDF_POWER_DEVICE_STATE Previous) { CONNECTED return 0; }
NTSTATUS Suspend(WDFDEVICE Device) { SUSPEND return 0; }
NTSTATUS Init(WDFDEVICE Device) { return 0; }
NTSTATUS Restart(WDFDEVICE Device) { RESTART return 0; }
NTSTATUS MayGo(WDFDEVICE Device) { MAYGO return 0; }
VOID Gone(WDFDEVICE Device) { MAYGO }
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length) { READ WdfRequestComplete(Request, STATUS_SUCCESS); }
VOID Expired(WDFTIMER Timer) { EXPIRED }
VOID Finish(VOID) { WdfRequestComplete(kept, STATUS_SUCCESS); }
VOID StopQueue(VOID) { WdfIoQueueSTOPSynchronously(queue); DbgPrint("stopped "); }
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_IO_QUEUE_CONFIG config;
    WDF_TIMER_CONFIG timer;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFTIMER made;
    NTSTATUS status;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = Prepare;
    callbacks.EvtDeviceD0Entry = Entry;
    callbacks.EvtDeviceD0EntryPostInterruptsEnabled = Connected;
    callbacks.EvtDeviceD0Exit = Exit;
    callbacks.EvtDeviceSelfManagedIoInit = Init;
    callbacks.EvtDeviceSelfManagedIoSuspend = Suspend;
    callbacks.EvtDeviceSelfManagedIoRestart = Restart;
    callbacks.EvtDeviceQueryRemove = MayGo;
    callbacks.EvtDeviceSurpriseRemoval = Gone;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    INIT
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchSequential);
    config.EvtIoRead = Read;
    status = WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, &queue);
    if (!NT_SUCCESS(status)) return status;
    WDF_TIMER_CONFIG_INIT(&timer, Expired);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = device;
    status = WdfTimerCreate(&timer, &attributes, &made);
    if (NT_SUCCESS(status)) WdfTimerStart(made, WDF_REL_TIMEOUT_IN_MS(1));
    return status;
}
""")
MARKS = ["PREPARE", "ENTRY", "EXIT", "CONNECTED", "SUSPEND", "RESTART", "MAYGO", "READ", "EXPIRED", "INIT"]
NOT_PAGEABLE = "WdfDeviceInitSetPowerNotPageable(DeviceInit);"
KEEP = "kept = Request; return;"
FOR_EVER = "KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, NULL);"


def load(
    lab: Lab, *, lower: Any = None, name: str = "driver", stop: str = "Stop", before: str = "VOID Read(", **parts: str
) -> tuple[Any, LoadedDriver]:
    """The driver with C in the places of that name, and the driver as loaded."""
    text = DRIVER.replace("QueueSTOP", f"Queue{stop}").replace("VOID Read(", before)
    for mark in MARKS:
        text = re.sub(rf"(?<=[{{;] ){mark}(?= )|(?<=    ){mark}(?=\n)", lambda _, mark=mark: parts.get(mark.lower(), ""), text)
    driver = lab.load(text, name=f"{name}.c")
    return driver, lab.start_driver(driver, lower=lower, name=name)


def stopped(does: Any) -> tuple[str, tuple[str, ...]]:
    """How the call stops the machine: the rule, and the bug check's parameters."""
    with pytest.raises(Stop) as caught:
        does()
    return caught.value.rule.id, caught.value.parameters


# Parameter 1 is 1: a power callback that does not return


@pytest.mark.parametrize(
    ("part", "wakes", "state"),
    [
        ("suspend", False, 0x831B),
        ("exit", False, 0x831D),
        ("entry", True, 0x8334),
        ("connected", True, 0x8336),
        ("restart", True, 0x832C),
    ],
)
@pytest.mark.parametrize("does", [FOR_EVER, "Wait(11);"])
def test_a_power_callback_has_ten_minutes(part: str, wakes: bool, state: int, does: str) -> None:
    """KMDF-VER-04: P2 leads to WDF_POWER_ROUTINE_TIMED_OUT_DATA; only callbacks between D0 and Dx are watched, not the start."""
    lab = Lab()
    driver, loaded = load(lab, init=NOT_PAGEABLE, **{part: f"if (Device == device && kept == (PVOID)1) {does}"})
    lab.run()
    if wakes:
        loaded.suspend()
    lab.machine.set_u64(driver.image.globals["kept"], 1)
    before = lab.machine.time
    with pytest.raises(Stop) as caught:
        loaded.resume() if wakes else loaded.suspend()
    data = lab.view(int(caught.value.parameters[1], 0), "WDF_POWER_ROUTINE_TIMED_OUT_DATA")
    assert (caught.value.rule.id, caught.value.bugcheck) == ("kmdf-power-timed-out", 0x10D)
    assert caught.value.parameters == ("0x1", f"{int(data):#018x}", "0", "0")
    assert (data.PowerState, data.PowerPolicyState, int(data.DeviceObject), int(data.Device)) == (
        state, 0, loaded.object, loaded.devices[0],
    )  # fmt: skip
    assert (int(data.TimedOutThread) != 0, lab.machine.time - before) == (True, 10 * MINUTE)


def test_nobody_watches_the_first_start_nor_a_pageable_device() -> None:
    """KMDF-VER-04: what ends within ten minutes, what happens at the start and what may touch paged memory is not reported."""
    lab = Lab()
    entry = "Wait(Previous == WdfPowerDeviceD3Final ? 11 : 9);"
    _, first = load(lab, init=NOT_PAGEABLE, entry=entry, exit="Wait(9);", suspend="Wait(9);")
    first.suspend()
    first.resume()
    lab.unload_driver(first)
    assert lab.machine.time // MINUTE == 11 + 9 + 9 + 9 + 9 + 9
    _, second = load(lab, init=NOT_PAGEABLE + "WdfDeviceInitSetPowerPageable(DeviceInit);", entry="Wait(11);", exit="Wait(11);")
    second.suspend()
    second.resume()
    lab.unload_driver(second)


def test_power_flags_of_the_device_object() -> None:
    """KMDF-VER-04: a function driver says them itself, a filter has those of the device below."""
    lab, flags = Lab(), []
    inrush, filters = "WdfDeviceInitSetPowerInrush(DeviceInit);", "WdfFdoInitSetFilter(DeviceInit);"
    for init in ("", NOT_PAGEABLE, inrush):
        _, function = load(lab, init=init)
        _, above = load(lab, lower=function, init=filters + NOT_PAGEABLE, name="filter")
        flags += [lab.view(driver.object, "DEVICE_OBJECT").Flags & 0x6000 for driver in (function, above)]
    assert flags == [0x2000, 0x2000, 0, 0, 0x4000, 0x4000]


def test_a_kept_request_holds_up_a_watched_device() -> None:
    """KMDF-VER-04, 08: without the verifier the watchdog ends it; with it a breakpoint comes first."""
    timed_out = "kmdf-power-timed-out"
    for verifier, rule, time in (("off", timed_out, 10), ("continue", timed_out, 10), ("stop", "kmdf-wait-for-queue", 1)):
        lab = Lab()
        lab.verifier = verifier
        _, loaded = load(lab, init=NOT_PAGEABLE, read=KEEP)
        lab.run()
        loaded.read(4)
        before = lab.machine.time
        assert stopped(loaded.suspend)[0] == rule
        assert (lab.machine.time - before) // MINUTE == time
        breaks = [event.time - before for event in lab.events if event.name == "verifier: kmdf-wait-for-queue"]
        assert breaks == ([minute * MINUTE for minute in range(1, 11)] if verifier == "continue" else [])


# Parameter 1 is 0xC: a second Plug and Play IRP


@pytest.mark.parametrize("part", ["prepare", "entry", "maygo"])
@pytest.mark.parametrize("surprise", [False, True])
def test_a_pnp_irp_while_one_is_pending(part: str, surprise: bool) -> None:
    """KMDF-VER-04: P2 is the device, P3 the IRP that came too early."""
    lab = Lab()

    def life() -> None:
        _, loaded = load(lab, **{part: "Ask();"})
        lab.unload_driver(loaded, surprise=surprise)

    rule, parameters = stopped(life)
    driver = next(iter(lab.drivers))
    irp = next(event.objects[0] for event in lab.events if event.kind == "hand-over")
    assert (rule, parameters) == ("kmdf-pnp-pending", ("0xC", f"{driver.variables['device']:#018x}", f"{irp:#018x}", "0"))


def test_a_pnp_irp_that_comes_alone() -> None:
    """KMDF-VER-04: no state changes then, and none of the other callbacks is one."""
    lab = Lab()
    _, loaded = load(lab, read="Ask();", suspend="Ask();")
    loaded.read(4)
    loaded.suspend()
    loaded.resume()
    lab.unload_driver(loaded)
    assert lab.console == "c0000010 c0000010 c0000010 "


# Parameter 1 is 0xD: two owners of the power policy

OWNER, NO_OWNER = (f"WdfDeviceInitSetPowerPolicyOwnership(DeviceInit, {owns});" for owns in ("TRUE", "FALSE"))
FILTER = "WdfFdoInitSetFilter(DeviceInit);"


@pytest.mark.parametrize(
    ("lower", "upper", "asked", "stops"),
    [
        ("", "", "upper", "lower"),
        ("", "", "lower", "upper"),
        ("", FILTER + OWNER, "lower", "upper"),
        (NO_OWNER, OWNER, "upper", ""),
        ("", FILTER, "upper", ""),
        ("", FILTER, "lower", ""),
        (NO_OWNER, NO_OWNER, "lower", ""),
        ("", NO_OWNER, "lower", ""),
    ],
)
def test_two_owners_of_the_power_policy(lower: str, upper: str, asked: str, stops: str) -> None:
    """KMDF-VER-04: the owner that has not asked gets the IRP; P2 is its DEVICE_OBJECT, P3 the IRP; with the verifier off too."""
    lab = Lab()
    lab.verifier = "off"
    drivers = {"lower": load(lab, name="lower", init=lower)[1]}
    drivers["upper"] = load(lab, lower=drivers["lower"], name="upper", init=upper)[1]
    if not stops:
        drivers[asked].suspend()
        drivers[asked].resume()
        return
    with pytest.raises(Stop) as caught:
        drivers[asked].suspend()
    stop = caught.value
    irp = lab.view(int(stop.parameters[2], 0), "IRP")
    next_location = lab.view(int(irp.Tail.Overlay.CurrentStackLocation) - 72, "IO_STACK_LOCATION")
    assert (stop.rule.id, stop.bugcheck, stop.where and stop.where.file) == ("kmdf-two-power-owners", 0x10D, f"{stops}.c")
    assert stop.parameters == ("0xD", f"{drivers[stops].object:#018x}", f"{int(irp):#018x}", "0")
    assert (next_location.MajorFunction, next_location.MinorFunction) == (0x16, 2)
    assert (next_location.Parameters.Power.Type, next_location.Parameters.Power.State.DeviceState) == (1, 4)


def test_three_drivers_and_one_that_wakes() -> None:
    """KMDF-VER-04: a driver that owns nothing sleeps: the highest owner asks, the next one stops. No start or removal asks."""
    lab = Lab()
    low = load(lab, name="low")[1]
    middle = load(lab, lower=low, name="middle")[1]
    high = load(lab, lower=middle, name="high", init=FILTER)[1]
    rule, parameters = stopped(high.suspend)
    assert (rule, parameters[:2]) == ("kmdf-two-power-owners", ("0xD", f"{low.object:#018x}"))
    lab.stopped = None
    for loaded in (high, middle, low):
        lab.unload_driver(loaded)


def test_a_child_of_a_bus_driver_that_owns_the_power_policy() -> None:
    """KMDF-VER-04: a power IRP that reaches the child unasked stops the machine only while the verifier is on."""
    child = """
    PWDFDEVICE_INIT init = WdfPdoInitAllocate(Device);
    DECLARE_CONST_UNICODE_STRING(id, L"BUS\\\\Child");
    WDFDEVICE made;
    WdfPdoInitAssignDeviceID(init, &id);
    WdfPdoInitAddHardwareID(init, &id);
    WdfPdoInitAssignInstanceID(init, &id);
    OWNER
    if (NT_SUCCESS(WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &made))) WdfFdoAddStaticChild(Device, made);
    """
    for verifier, init, stops in (("stop", OWNER, True), ("off", OWNER, False), ("stop", "", False)):
        lab = Lab()
        lab.verifier = verifier
        owner = init.replace("DeviceInit,", "init,")
        bus = load(lab, name="bus", prepare=child.replace("OWNER", owner))[1]
        (pdo,) = bus.children
        function = load(lab, name="function", lower=pdo)[1]
        if stops:
            rule, parameters = stopped(function.suspend)
            assert (rule, parameters[:2]) == ("kmdf-two-power-owners", ("0xD", f"{pdo.object:#018x}"))
        else:
            function.suspend()
            function.resume()


SENDS = """
static VOID Done(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    DOES
    WdfRequestComplete(Request, STATUS_SUCCESS);
}
VOID SendKept(VOID)
{
    WdfRequestFormatRequestUsingCurrentType(kept);
    WdfRequestSetCompletionRoutine(kept, Done, NULL);
    WdfRequestSend(kept, WdfDeviceGetIoTarget(device), NULL);
}
VOID Read("""


def test_completion_routines_are_not_watched() -> None:
    """KMDF-CRT-17: what a completion routine does to the region that it is in is nobody's business; its IRQL is noticed."""
    for does, rule in (
        ("KeEnterCriticalRegion();", ""),
        ("KIRQL old; KeRaiseIrql(DISPATCH_LEVEL, &old);", "routine-changed-irql"),
    ):
        lab = Lab()
        before = SENDS.replace("DOES", does)
        driver, loaded = load(lab, before=before, read=KEEP, lower=lab.lower_device("disk", answers="at once"))
        answer = loaded.read(4)
        if rule:
            assert stopped(driver.SendKept)[0] == rule
        else:
            driver.SendKept()
            assert answer.status == 0


# Parameter 1 is 0xE and 0xF: what a callback leaves behind

ENTER = "KeEnterCriticalRegion();"
RAISE = "{ KIRQL before; KeRaiseIrql(DISPATCH_LEVEL, &before); }"


@pytest.mark.parametrize("part", ["prepare", "entry", "connected", "read"])
@pytest.mark.parametrize("enter", [ENTER, "KeEnterGuardedRegion();"])
def test_a_callback_leaves_a_region_entered(part: str, enter: str) -> None:
    """KMDF-VER-05: P2 is the callback."""
    lab = Lab()

    def life() -> None:
        load(lab, **{part: enter})[1].read(4)

    rule, parameters = stopped(life)
    name = {"prepare": "Prepare", "entry": "Entry", "connected": "Connected", "read": "Read"}[part]
    address = lab.drivers[0].image.functions[name].address
    assert (rule, parameters) == ("kmdf-callback-changed-region", ("0xF", f"{address:#018x}", "0", "0"))


@pytest.mark.parametrize("part", ["entry", "read"])
def test_a_callback_leaves_another_irql(part: str) -> None:
    """KMDF-VER-05: P2 and P3 are the IRQL before and after. Without the verifier Windows ends in 0xC8 sooner or later."""
    for options, rule, parameters in (
        (1, "kmdf-callback-changed-irql", ("0xE", "0", "2", "0")),
        (0, "routine-changed-irql", ("2", "0", "0", "0")),
    ):
        lab = Lab()
        lab.wdf_parameters["EnhancedVerifierOptions"] = options
        assert stopped(lambda lab=lab: load(lab, **{part: RAISE})[1].read(4)) == (rule, parameters)


@pytest.mark.parametrize("part", ["prepare", "read"])
@pytest.mark.parametrize(
    ("verifier", "options", "does", "reported"),
    [
        ("stop", None, ENTER, True),
        ("stop", None, f"{ENTER} KeLeaveCriticalRegion();", False),
        ("stop", 0, ENTER, False),
        ("stop", 2, ENTER, False),
        ("off", None, ENTER, False),
        ("off", 1, ENTER, True),
    ],
)
def test_when_regions_are_looked_at(part: str, verifier: str, options: int | None, does: str, reported: bool) -> None:
    """KMDF-VER-05: the option stands for itself; as long as nobody has set it, it goes with the verifier."""
    lab = Lab()
    lab.verifier = verifier
    if options is not None:
        lab.wdf_parameters["EnhancedVerifierOptions"] = options

    def life() -> None:
        _, loaded = load(lab, **{part: does})
        assert loaded.read(4).status == 0
        lab.unload_driver(loaded)

    if reported:
        assert stopped(life)[0] == "kmdf-callback-changed-region"
    else:
        life()


def test_callbacks_of_other_objects_are_not_watched() -> None:
    """KMDF-VER-05: a timer's callback is no device's or queue's; a raised IRQL is found all the same."""
    lab = Lab()
    assert stopped(lambda: (load(lab, expired=RAISE.replace("DISPATCH", "HIGH")), lab.run())) == (
        "routine-changed-irql", ("15", "2", "0", "0"),
    )  # fmt: skip


# Parameter 1 is 0x10: a function that is missing

MISSING = 'DbgPrint("%08x ", WdfDriverErrorReportApiMissing(WdfGetDriver(), EXTENSION, 457, STATUS));'


@pytest.mark.parametrize(
    ("extension", "returns_status", "verifier", "name"),
    [("NULL", "FALSE", "off", "KMDF"), ("NULL", "TRUE", "stop", "KMDF"), ('L"MyExtension"', "FALSE", "continue", "MyExtension")],
)
def test_a_missing_function(extension: str, returns_status: str, verifier: str, name: str) -> None:
    """KMDF-VER-04: P2 is the driver's name, P3 the extension's, P4 the function's index."""
    lab = Lab()
    lab.verifier = verifier
    with pytest.raises(Stop) as caught:
        load(lab, name="mine", prepare=MISSING.replace("EXTENSION", extension).replace("STATUS", returns_status))
    stop = caught.value
    assert (stop.rule.id, stop.rule.source, stop.bugcheck) == ("kmdf-api-missing", "Windows", 0x10D)
    assert (stop.parameters[0], stop.parameters[3]) == ("0x10", "0x1c9")
    assert lab.machine.read(int(stop.parameters[2], 0), 2 * len(name) + 2).decode("utf-16-le") == name + "\0"
    assert (stop.values["driver"], stop.values["extension"]) == ("mine.sys", name)


def test_a_missing_function_that_returns_a_status() -> None:
    """KMDF-VER-04: the caller gets STATUS_PROCEDURE_NOT_FOUND when nobody verifies; WDF_IS_FUNCTION_AVAILABLE avoids all that."""
    lab = Lab()
    lab.verifier = "off"
    asks = MISSING.replace("EXTENSION", "NULL").replace("STATUS", "TRUE")
    load(lab, prepare=asks + 'DbgPrint("%d", WDF_IS_FUNCTION_AVAILABLE(WdfDeviceSetDeviceInterfaceStateEx));')
    assert lab.console == "c000007a 1"


# The values of the registry


def test_the_values_and_what_they_are_at_first() -> None:
    """KMDF-VER-01 to 03: a lab has the verifier on, with everything that has no limit to be chosen."""
    assert Lab().wdf_parameters == {
        "VerifyOn": "VerifierOn", "DbgWaitForSignalTimeoutInSec": 60, "EnhancedVerifierOptions": "VerifierOn",
        "VerifierAllocateFailCount": 0xFFFFFFFF, "ObjectLeakDetectionLimit": 0xFFFFFFFF,
        "ObjectsForLeakDetection": "WDFREQUEST WDFMEMORY WDFWORKITEM WDFKEY WDFSTRING WDFOBJECT WDFDEVICE",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("VerifierOn", "VerifierOn: lab.verifier says it"),
        ("DbgBreakOnError", "DbgBreakOnError: lab.verifier says it"),
        ("TrackHandles", "TrackHandles: the kit keeps the life of every object (lab.life)"),
        ("VerboseOn", "VerboseOn: the kit keeps no log of the framework; the trace holds everything"),
        ("VerifyDownLevel", "VerifyDownLevel: drivers are built for the newest version of the framework here"),
        ("Nonsense", "Nonsense: no value of this name is known"),
    ],
)
def test_values_that_a_lab_refuses(name: str, said: str) -> None:
    """KMDF-VER-02, 03."""
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        Lab().wdf_parameters[name] = 1


@pytest.mark.parametrize(("verifier", "verify", "checked"), [("stop", 0, 0), ("off", 1, 1), ("off", None, 0), ("stop", None, 1)])
def test_wdfverify_follows_the_verifier_or_its_own_value(verifier: str, verify: int | None, checked: int) -> None:
    """KMDF-VER-02, 03."""
    lab = Lab()
    lab.verifier = verifier
    if verify is not None:
        lab.wdf_parameters["VerifyOn"] = verify
    load(lab, prepare='int i = 0; WDFVERIFY(++i); DbgPrint("%d", i);')
    assert lab.console == str(checked)


CREATE = """
{
    WDFSTRING string; int i;
    for (i = 0; NT_SUCCESS(WdfStringCreate(NULL, WDF_NO_OBJECT_ATTRIBUTES, &string)) && i < 100; i++) { }
    DbgPrint("%d", i);
}
"""


@pytest.mark.parametrize(("verifier", "printed"), [("stop", "8"), ("off", "100")])
def test_only_so_many_allocations_succeed(verifier: str, printed: str) -> None:
    """KMDF-VER-03, 07: of those that the kit's framework makes."""
    lab = Lab()
    lab.verifier = verifier
    _, loaded = load(lab, read=f"WdfRequestComplete(Request, 0); {CREATE} return;")
    lab.run()
    lab.wdf_parameters["VerifierAllocateFailCount"] = 8
    loaded.read(4)
    assert lab.console == printed


# Leak detection

OBJECTS = """
{
    WDFMEMORY memory; WDFSTRING string; WDFSPINLOCK lock; WDFREQUEST request; WDFREQUEST around; WDFOBJECT object; int i;
    for (i = 0; i < COUNT; i++) { MAKE }
}
"""
MAKES = {
    "memory": "WdfMemoryCreate(NULL, NonPagedPoolNx, 0, 8, &memory, NULL);",
    "string": "WdfStringCreate(NULL, NULL, &string);",
    "object": "WdfObjectCreate(NULL, &object);",
    "lock": "WdfSpinLockCreate(NULL, &lock);",
    "request": "WdfRequestCreate(NULL, WdfDeviceGetIoTarget(device), &request);",
    "around": "WdfRequestCreateFromIrp(NULL, IoAllocateIrp(1, FALSE), FALSE, &around);",
    "freed with it": "WdfRequestCreateFromIrp(NULL, IoAllocateIrp(1, FALSE), TRUE, &around);",
    "gone": "WdfObjectCreate(NULL, &object); WdfObjectDelete(object);",
}


def objects(make: str, count: int) -> str:
    return OBJECTS.replace("COUNT", str(count)).replace("MAKE", MAKES[make])


@pytest.mark.parametrize(
    ("make", "counted"),
    [
        ("memory", True), ("string", True), ("object", True), ("around", True), ("freed with it", False), ("lock", False),
        ("request", False), ("gone", False),
    ],
)  # fmt: skip
def test_what_leak_detection_counts(make: str, counted: bool) -> None:
    """RULE-44: the device and nine more are ten; of requests only those around the driver's own IRP; what is gone is gone."""
    for count in (8, 9):
        lab = Lab()
        lab.wdf_parameters["ObjectLeakDetectionLimit"] = 10
        _, loaded = load(lab, read=f"WdfRequestComplete(Request, 0); {objects(make, count)} return;")
        if counted and count == 9:
            with pytest.raises(Stop) as caught:
                loaded.read(4)
            stop = caught.value
            assert (stop.rule.id, stop.bugcheck, stop.values["count"], stop.values["limit"], stop.values["devices"]) == (
                "kmdf-too-many-objects", None, "10", "10", "1",
            )  # fmt: skip
        else:
            assert loaded.read(4).status == 0


def test_leak_detection_scales_and_breaks_once() -> None:
    """RULE-44: the limit holds for each device; after one breakpoint nobody looks again; other types can be counted."""
    lab = Lab()
    lab.verifier = "continue"
    lab.wdf_parameters["ObjectLeakDetectionLimit"] = 10
    lab.wdf_parameters["ObjectsForLeakDetection"] = "WDFSPINLOCK"
    control = """
    WDFDEVICE made; PWDFDEVICE_INIT init; DECLARE_CONST_UNICODE_STRING(sddl, L"D:P");
    init = WdfControlDeviceInitAllocate(WdfGetDriver(), &sddl); WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &made);
    """
    _, loaded = load(lab, prepare=control, suspend=objects("lock", 17))
    loaded.suspend()
    assert [event for event in lab.events if event.name == "verifier: kmdf-too-many-objects"] == []
    for _ in range(3):
        loaded.resume()
        loaded.suspend()
    breaks = [event for event in lab.events if event.name == "verifier: kmdf-too-many-objects"]
    assert [(event.data["count"], event.data["limit"], event.data["devices"]) for event in breaks] == [("20", "10", "2")]


@pytest.mark.parametrize(("verifier", "limit"), [("off", 10), ("stop", 0xFFFFFFFF)])
def test_leak_detection_is_off(verifier: str, limit: int) -> None:
    """RULE-44: by default, and without the verifier."""
    lab = Lab()
    lab.verifier, lab.wdf_parameters["ObjectLeakDetectionLimit"] = verifier, limit
    assert load(lab, read=objects("memory", 50))[1].read(4).status == 0


def test_every_driver_has_its_own_count() -> None:
    """RULE-44."""
    lab = Lab()
    lab.wdf_parameters["ObjectLeakDetectionLimit"] = 10
    lower = load(lab, name="lower", read=objects("memory", 8))[1]
    upper = load(lab, name="upper", lower=lower, read=objects("memory", 8))[1]
    assert (lower.read(4).status, upper.read(4).status) == (0, 0)


# Waits for a queue


def kept(verifier: str, seconds: int | None = None, stop: str = "Stop") -> tuple[Lab, Any]:
    """A driver that keeps a request, and the lab that it is in."""
    lab = Lab()
    lab.verifier = verifier
    if seconds is not None:
        lab.wdf_parameters["DbgWaitForSignalTimeoutInSec"] = seconds
    driver, loaded = load(lab, read=KEEP, stop=stop)
    lab.run()
    loaded.read(4)
    return lab, driver


@pytest.mark.parametrize("stop", ["Stop", "Purge", "Drain", "StopAndPurge"])
@pytest.mark.parametrize(("seconds", "after"), [(None, 60), (5, 5)])
def test_a_wait_for_a_queue_breaks_in(stop: str, seconds: int | None, after: int) -> None:
    """KMDF-VER-08: after 60 seconds, or as many as the registry says."""
    lab, driver = kept("stop", seconds, stop)
    before = lab.machine.time
    with pytest.raises(Stop) as caught:
        driver.StopQueue()
    told = {name: caught.value.values[name] for name in ("function", "seconds", "count", "waiting")}
    assert (caught.value.rule.id, caught.value.bugcheck) == ("kmdf-wait-for-queue", None)
    assert told == {"function": f"WdfIoQueue{stop}Synchronously", "seconds": str(after), "count": "1", "waiting": "0"}
    assert lab.machine.time - before == after * 10_000_000


@pytest.mark.parametrize(("verifier", "seconds", "breaks"), [("off", None, 0), ("stop", 0, 0), ("continue", None, 1)])
def test_a_wait_that_nothing_ends_hangs(verifier: str, seconds: int | None, breaks: int) -> None:
    """KMDF-VER-08: without the verifier, without a time, or after the breakpoint at which nothing else will happen."""
    lab, driver = kept(verifier, seconds)
    assert stopped(driver.StopQueue)[0] == "hang"
    assert len([event for event in lab.events if event.name == "verifier: kmdf-wait-for-queue"]) == breaks


@pytest.mark.parametrize(("after", "verifier", "breaks"), [(150, "continue", [60, 120]), (59, "stop", []), (150, "off", [])])
def test_a_wait_that_ends(after: int, verifier: str, breaks: list[int]) -> None:
    """KMDF-VER-08: a breakpoint every 60 seconds; none when the driver answers earlier."""
    lab, driver = kept(verifier)
    machine, before = lab.machine, lab.machine.time
    machine.after(after * 10_000_000, lambda: machine.call(driver.Finish.address))
    driver.StopQueue()
    found = [(event.time - before) // 10_000_000 for event in lab.events if event.name == "verifier: kmdf-wait-for-queue"]
    assert (lab.console, found) == ("stopped ", breaks)


def test_the_device_waits_for_its_queues() -> None:
    """KMDF-VER-08, RULE-42: while the device goes to sleep too; when nothing else will happen a rule about the request."""
    for answered, rule in ((True, "kmdf-wait-for-queue"), (False, "kmdf-power-blocked")):
        lab = Lab()
        driver, loaded = load(lab, read=KEEP)
        lab.run()
        loaded.read(4)
        if answered:
            lab.machine.after(90 * 10_000_000, lambda lab=lab, driver=driver: lab.machine.call(driver.Finish.address))
        before = lab.machine.time
        assert stopped(loaded.suspend)[0] == rule
        assert lab.machine.time - before == MINUTE
