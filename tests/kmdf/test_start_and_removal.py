"""The callbacks of start, power and removal in the order that the pages give, and what a failure of each leads to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab.machine import NotModelled
from wsklab.machine.status import name_of

NAMES = (
    "PrepareHardware", "D0Entry", "D0EntryPostInterruptsEnabled", "SelfManagedIoInit", "RelationsQuery", "SelfManagedIoSuspend",
    "D0ExitPreInterruptsDisabled", "D0Exit", "SelfManagedIoRestart", "ReleaseHardware", "SelfManagedIoFlush",
    "SelfManagedIoCleanup", "QueryRemove", "SurpriseRemoval",
)  # fmt: skip
SHORT = {
    "D0EntryPostInterruptsEnabled": "D0_ENTRY_POST_INTERRUPTS_ENABLED",
    "D0ExitPreInterruptsDisabled": "D0_EXIT_PRE_INTERRUPTS_DISABLED",
}
VOID = ("RelationsQuery", "SelfManagedIoFlush", "SelfManagedIoCleanup", "SurpriseRemoval")
PARAMETERS = {
    "PrepareHardware": "WDFCMRESLIST Raw, WDFCMRESLIST Translated",
    "ReleaseHardware": "WDFCMRESLIST Translated",
    "D0Entry": "WDF_POWER_DEVICE_STATE State",
    "D0EntryPostInterruptsEnabled": "WDF_POWER_DEVICE_STATE State",
    "D0Exit": "WDF_POWER_DEVICE_STATE State",
    "D0ExitPreInterruptsDisabled": "WDF_POWER_DEVICE_STATE State",
    "RelationsQuery": "DEVICE_RELATION_TYPE Type",
}
DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_READ Read;
EVT_WDF_IO_QUEUE_IO_STOP Stop;
PCSTR fails = "";
WDFDEVICE device;
WDFREQUEST held;
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length) { DbgPrint("Read "); held = Request; }
VOID Stop(WDFQUEUE Queue, WDFREQUEST Request, ULONG ActionFlags)
{
    DbgPrint("Stop ");
    WdfRequestComplete(Request, STATUS_CANCELLED);
}
FUNCTIONS
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_IO_QUEUE_CONFIG config;
    NTSTATUS status;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    SET
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoRead = Read;
    config.EvtIoStop = Stop;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}
""")


def callback(name: str, fails: str, does: str) -> str:
    parameters = PARAMETERS.get(name, "")
    shown = ', "(%d)", State' if "State" in parameters else ""
    tell = f'DbgPrint("{name} ");' if not shown else f'DbgPrint("{name}(%d) ", State);'
    end = "" if name in VOID else f" return {'STATUS_UNSUCCESSFUL' if name == fails else 'STATUS_SUCCESS'};"
    body = f"{tell} {does}{end}"
    return f"{'VOID' if name in VOID else 'NTSTATUS'} {name}(WDFDEVICE Device{', ' * bool(parameters)}{parameters}) {{ {body} }}"


def start(kit: Any, fails: str = "", **does: str) -> tuple[Any, Any]:
    """A driver with all callbacks: each tells its name; one `fails`."""
    text = DRIVER.replace("FUNCTIONS", "\n".join(callback(name, fails, does.get(name, "")) for name in NAMES))
    driver = kit.lab.load(text.replace("SET", " ".join(f"callbacks.EvtDevice{name} = {name};" for name in NAMES)), "driver.c")
    loaded = kit.lab.start_driver(driver)
    assert (loaded.status, loaded.device_status) == (0, 0)
    return driver, loaded


def said(kit: Any) -> str:
    """What the callbacks have said since the last time."""
    text = kit.lab.console
    kit.m.console.clear()
    return str(text)


UP = "PrepareHardware D0Entry(5) D0EntryPostInterruptsEnabled(5) "
DOWN = "D0ExitPreInterruptsDisabled(5) D0Exit(5) "


def test_the_order_of_a_life(kit: Any) -> None:
    """KMDF-MCA-11, 12. Pages: power-up-sequence-for-a-function-or-filter-driver.md, a-user-unplugs-a-device.md."""
    _, loaded = start(kit)
    assert said(kit) == UP + "SelfManagedIoInit RelationsQuery "
    read = loaded.read(1)
    loaded.suspend()
    assert said(kit) == "Read SelfManagedIoSuspend Stop D0ExitPreInterruptsDisabled(4) D0Exit(4) "
    assert name_of(read.status) == "STATUS_CANCELLED"
    loaded.resume()
    assert said(kit) == "D0Entry(4) D0EntryPostInterruptsEnabled(4) SelfManagedIoRestart "
    kit.lab.unload_driver(loaded)
    assert said(kit) == "QueryRemove SelfManagedIoSuspend " + DOWN + "ReleaseHardware SelfManagedIoFlush SelfManagedIoCleanup "
    assert kit.fw.drivers == []


def test_an_asleep_device_is_removed(kit: Any) -> None:
    """What was done on the way down is not done again."""
    _, loaded = start(kit)
    loaded.suspend()
    said(kit)
    kit.lab.unload_driver(loaded)
    assert said(kit) == "QueryRemove ReleaseHardware SelfManagedIoFlush SelfManagedIoCleanup "


def test_a_device_is_unplugged(kit: Any) -> None:
    """Page: a-user-unplugs-a-device.md; nobody is asked."""
    _, loaded = start(kit)
    said(kit)
    kit.lab.unload_driver(loaded, surprise=True)
    assert (
        said(kit) == "SurpriseRemoval SelfManagedIoSuspend " + DOWN + "ReleaseHardware SelfManagedIoFlush SelfManagedIoCleanup "
    )


def test_a_device_refuses_to_go(kit: Any) -> None:
    _, loaded = start(kit, "QueryRemove")
    kit.lab.unload_driver(loaded)
    assert said(kit) == UP + "SelfManagedIoInit RelationsQuery QueryRemove "
    assert not loaded.read(1).done and len(kit.fw.drivers) == 1


@pytest.mark.parametrize(
    ("fails", "up", "down"),
    [
        ("PrepareHardware", "PrepareHardware ", "ReleaseHardware "),
        ("D0Entry", "PrepareHardware D0Entry(5) ", "ReleaseHardware "),
        ("D0EntryPostInterruptsEnabled", UP, DOWN + "ReleaseHardware "),
        (
            "SelfManagedIoInit",
            UP + "SelfManagedIoInit ",
            "SelfManagedIoSuspend " + DOWN + "ReleaseHardware SelfManagedIoFlush SelfManagedIoCleanup ",
        ),
    ],
)
def test_a_failed_start_is_undone(kit: Any, fails: str, up: str, down: str) -> None:
    """EvtDeviceReleaseHardware follows a failed EvtDevicePrepareHardware, EvtDeviceD0Exit no failed EvtDeviceD0Entry."""
    _, loaded = start(kit, fails)
    assert said(kit) == up
    assert [event.name for event in kit.lab.events if event.kind == "state" and event.name.endswith("failed")] == [
        f"EvtDevice{fails} failed"
    ]
    kit.lab.unload_driver(loaded)
    assert said(kit) == "QueryRemove " + down


def test_a_device_that_did_not_start_holds_its_requests(kit: Any) -> None:
    _, loaded = start(kit, "D0Entry")
    assert not loaded.read(1).done
    assert said(kit) == "PrepareHardware D0Entry(5) "


@pytest.mark.parametrize(
    "does", ["WdfRequestComplete(held, STATUS_CANCELLED);", "WdfIoQueuePurge(WdfDeviceGetDefaultQueue(Device), NULL, NULL);"]
)
def test_what_does_not_belong_into_the_surprise(make_kit: Any, does: str) -> None:
    """RULE-76: static analysis asks for self-managed I/O instead; strict mode sees it."""
    for strict in (False, True):
        kit = make_kit()
        kit.fw.strict = strict
        _, loaded = start(kit, SurpriseRemoval=does)
        loaded.read(1)
        if strict:
            with kit.stops("kmdf-in-surprise-removal"):
                kit.lab.unload_driver(loaded, surprise=True)
        else:
            kit.lab.unload_driver(loaded, surprise=True)
            assert kit.fw.drivers == []


@pytest.mark.parametrize("name", ["QueryStop", "UsageNotification"])
def test_callbacks_that_nothing_here_calls(kit: Any, name: str) -> None:
    init, callbacks = kit.new_device_init(), kit.m.new("WDF_PNPPOWER_EVENT_CALLBACKS", kind="native")
    setattr(kit.m.view(callbacks, "WDF_PNPPOWER_EVENT_CALLBACKS"), f"EvtDevice{name}", 1)
    with pytest.raises(NotModelled, match=name):
        kit.wdk.WdfDeviceInitSetPnpPowerEventCallbacks(init, callbacks)


IDLE = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
WDFDEVICE device;
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    INIT
    return WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
}
NTSTATUS Idle(int Wrong)
{
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS settings;
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_INIT(&settings, Wrong == 3 ? IdleCanWakeFromS0 : IdleCannotWakeFromS0);
    if (Wrong == 1) settings.Size--;
    if (Wrong == 2) settings.DxState = PowerDeviceD0;
    if (Wrong == 3) settings.PowerUpIdleDeviceOnSystemWake = WdfTrue;
    return WdfDeviceAssignS0IdleSettings(device, &settings);
}
NTSTATUS Wake(int Wrong)
{
    WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS settings;
    WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS_INIT(&settings);
    if (Wrong == 1) settings.Size--;
    if (Wrong == 2) settings.Enabled = 9;
    return WdfDeviceAssignSxWakeSettings(device, &settings);
}
NTSTATUS StopIdle(void) { return WdfDeviceStopIdle(device, TRUE); }
VOID ResumeIdle(void) { WdfDeviceResumeIdle(device); }
NTSTATUS StopIdleHigh(void)
{
    KIRQL irql;
    NTSTATUS status;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    status = WdfDeviceStopIdle(device, FALSE);
    if (NT_SUCCESS(status)) status = WdfDeviceStopIdle(device, TRUE);
    KeLowerIrql(irql);
    return status;
}
""")


def idle(kit: Any, init: str = "") -> tuple[Any, Any]:
    driver = kit.lab.load(IDLE.replace("INIT\n", init + "\n"), "idle.c")
    return driver, kit.lab.start_driver(driver)


def test_idle_and_wake_settings_are_checked(kit: Any) -> None:
    """Pages: WdfDeviceAssignS0IdleSettings, WdfDeviceAssignSxWakeSettings."""
    driver, _ = idle(kit)
    wrong = ["STATUS_SUCCESS", "STATUS_INFO_LENGTH_MISMATCH", "STATUS_INVALID_PARAMETER"]
    assert [name_of(driver.Idle(number)) for number in range(4)] == [*wrong, "STATUS_INVALID_PARAMETER"]
    assert [name_of(driver.Wake(number)) for number in range(3)] == wrong


@pytest.mark.parametrize(
    ("init", "expected"),
    [
        ("WdfFdoInitSetFilter(DeviceInit);", "STATUS_INVALID_DEVICE_REQUEST"),
        ("WdfFdoInitSetFilter(DeviceInit); WdfDeviceInitSetPowerPolicyOwnership(DeviceInit, TRUE);", "STATUS_SUCCESS"),
        ("WdfDeviceInitSetPowerPolicyOwnership(DeviceInit, FALSE);", "STATUS_INVALID_DEVICE_REQUEST"),
    ],
)
def test_who_owns_the_power_policy(kit: Any, init: str, expected: str) -> None:
    driver, _ = idle(kit, init)
    assert [name_of(answer) for answer in (driver.Idle(0), driver.Wake(0), driver.StopIdle())] == [expected] * 3


def test_a_device_is_kept_awake(make_kit: Any) -> None:
    """Page: supporting-idle-power-down.md."""
    kit = make_kit()
    driver, loaded = idle(kit)
    assert name_of(driver.StopIdle()) == "STATUS_SUCCESS"
    driver.ResumeIdle()
    with kit.stops("kmdf-idle-unbalanced"):
        driver.ResumeIdle()
    loaded.suspend()
    assert name_of(driver.StopIdle()) == "STATUS_POWER_STATE_INVALID"
    kit = make_kit()
    driver, _ = idle(kit)
    with kit.stops("kmdf-passive-only"):
        driver.StopIdleHigh()
