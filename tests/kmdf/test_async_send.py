"""examples/async_send.c, our driver for "Sending I/O Requests Asynchronously" (seed 004): everything the page tells of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wsklab.driverlife import start, unload
from wsklab.kmdf import scene
from wsklab.machine.status import name_of

SOURCE = (Path(__file__).parents[2] / "examples" / "async_send.c").read_text("utf-8")
MS = 10_000


class Driver:
    """The example's functions over one lower device, without its DriverEntry."""

    def __init__(self, kit: Any, **device: Any) -> None:
        self.kit = kit
        self.c = kit.lab.load(SOURCE, "async_send.c")
        self.device = kit.device(**device)
        self.target = kit.target(self.device)
        self.request = kit.request(self.target)

    @property
    def result(self) -> tuple[int, int, str, int, int]:
        """LastResult: completions, request type, status, Information, length."""
        view = self.c.variables["LastResult"]
        return view.Completions, view.Type, name_of(view.Status), view.Information, view.Length


@pytest.fixture
def driver(kit: Any) -> Driver:
    return Driver(kit, data=b"data from below", answers="later")


def test_the_whole_driver(kit: Any) -> None:
    """DriverEntry to unload: one request of each kind, and an application's read that is passed on."""
    started = start(kit.lab, kit.lab.load(SOURCE, "async_send.c"), "async_send")
    lower = started.framework.lower
    assert (started.status, started.framework.device_status) == (0, 0)
    assert [(seen.name, seen.code & 3 if seen.code else None) for seen in lower.received] == [
        ("IRP_MJ_READ", None),
        ("IRP_MJ_WRITE", None),
        ("IRP_MJ_DEVICE_CONTROL", 0),
        ("IRP_MJ_INTERNAL_DEVICE_CONTROL", 2),
        ("IRP_MJ_INTERNAL_DEVICE_CONTROL", 3),
    ]
    assert lower.received[1].content == b"b" * 16
    assert kit.lab.console.splitlines() == [
        "completed: type 3, status 0x00000000, 26 bytes",
        "completed: type 4, status 0x00000000, 16 bytes",
        "completed: type 14, status 0x00000000, 26 bytes",
        "completed: type 15, status 0x00000000, 26 bytes",
        "completed: type 28, status 0x00000000, 0 bytes",
    ]
    answer = started.framework.read(9)
    kit.lab.run()
    assert (answer.status, answer.data) == (0, b"data from")
    unload(kit.lab, started)
    assert kit.fw.live == {}


def test_the_five_ways_to_format(driver: Driver) -> None:
    """KMDF-CPP-01 to 04: each completion shows its own kind of parameters."""
    kit, t, r = driver.kit, driver.target, driver.request
    given, wanted = kit.memory(b"0123456789"), kit.memory(10)
    seen = []
    for send in (
        lambda: driver.c.SendRead(t, r, wanted),
        lambda: driver.c.SendWrite(t, r, given, 4, 3),
        lambda: driver.c.SendIoctl(t, r, given, wanted),
        lambda: driver.c.SendInternalIoctl(t, r, given, wanted),
        lambda: driver.c.SendInternalIoctlOthers(t, r, given, wanted, 0),
    ):
        assert name_of(send()) == "STATUS_PENDING"
        kit.lab.run()
        seen.append(driver.result)
    assert seen == [
        (1, 3, "STATUS_SUCCESS", 10, 10),
        (2, 4, "STATUS_SUCCESS", 3, 3),
        (3, 0xE, "STATUS_SUCCESS", 10, 10),
        (4, 0xF, "STATUS_SUCCESS", 10, 10),
        (5, 0x1C, "STATUS_SUCCESS", 0, 0),
    ]
    assert [one.content for one in driver.device.received] == [b"", b"456", b"0123456789", b"0123456789", b""]
    assert kit.content(wanted) == b"data from "


@pytest.mark.parametrize(
    ("answers", "at_once", "outcome"),
    [
        ("at once", 1, "STATUS_SUCCESS"),
        ("later", 0, "STATUS_SUCCESS"),
        ("error", 1, "STATUS_IO_DEVICE_ERROR"),
        ("never", 0, None),
    ],
)
def test_what_the_device_answers(kit: Any, answers: str, at_once: int, outcome: str | None) -> None:
    """KMDF-SND-18, 20, KMDF-MIS-02: the send says PENDING, the completion routine says the rest."""
    driver = Driver(kit, answers=answers)
    assert name_of(driver.c.SendRead(driver.target, driver.request, kit.memory(4))) == "STATUS_PENDING"
    assert driver.result[0] == at_once
    kit.lab.run()
    assert driver.result[:1] == (1 if outcome else 0,)
    assert outcome is None or driver.result[2] == outcome


@pytest.mark.parametrize(
    ("answers", "outcome", "time"),
    [("at once", "STATUS_SUCCESS", 0), ("later", "STATUS_SUCCESS", MS), ("never", "STATUS_IO_TIMEOUT", 50 * MS)],
)
def test_synchronously(kit: Any, answers: str, outcome: str, time: int) -> None:
    """KMDF-SYN-01, 03, 04."""
    driver = Driver(kit, answers=answers, delay=MS)
    assert name_of(driver.c.SendReadSynchronously(driver.target, driver.request, kit.memory(4), 50)) == outcome
    assert kit.m.time == time


@pytest.mark.parametrize(
    ("answers", "cancelable", "line", "outcome"),
    [
        ("never", True, "cancel delivered", "STATUS_CANCELLED"),
        ("later", True, "cancel delivered", "STATUS_CANCELLED"),
        ("later", False, "cancel came too late, or the device does not listen", "STATUS_SUCCESS"),
        ("at once", True, "cancel came too late, or the device does not listen", "STATUS_SUCCESS"),
    ],
)
def test_cancelled_after_sending(kit: Any, answers: str, cancelable: bool, line: str, outcome: str) -> None:
    """KMDF-CAN-02, 05, 07, KMDF-MIS-19, 20."""
    driver = Driver(kit, answers=answers, cancelable=cancelable)
    driver.c.SendReadAndCancel(driver.target, driver.request, kit.memory(4))
    assert line in kit.lab.console.splitlines()
    kit.lab.run()
    assert (driver.result[0], driver.result[2]) == (1, outcome)


def test_one_request_to_two_devices(driver: Driver) -> None:
    """KMDF-CHG-12, KMDF-MUL-01, 02, 04: ChangeTarget before the second send; the second device is deeper."""
    kit = driver.kit
    second = kit.device("second", stack_size=3, io_type="direct")
    answer = driver.c.SendToTwoDevices(driver.target, kit.target(second), driver.request, kit.memory(b"twice"))
    assert name_of(answer) == "STATUS_PENDING"
    kit.lab.run()
    assert [one.content for one in driver.device.received + second.received] == [b"twice", b"twice"]
    assert (driver.result[0], kit.lab.console) == (2, "visited 2 devices\n")


def test_the_second_device_refuses(driver: Driver) -> None:
    """WdfRequestSend returns FALSE in the completion routine of the first send."""
    kit = driver.kit
    target = kit.target(kit.device("second"))
    kit.wdk.WdfIoTargetPurge(target, 2)
    driver.c.SendToTwoDevices(driver.target, target, driver.request, kit.memory(b"once"))
    kit.lab.run()
    assert kit.lab.console == "the second device was not reached: 0xC0000184\n"


def test_send_returns_false(driver: Driver) -> None:
    """KMDF-SND-17, 20: the status of the request says why, and no completion routine runs."""
    kit = driver.kit
    kit.wdk.WdfIoTargetPurge(driver.target, 2)
    answer = driver.c.SendRead(driver.target, driver.request, kit.memory(4))
    kit.lab.run()
    assert (name_of(answer), driver.result[0]) == ("STATUS_INVALID_DEVICE_STATE", 0)


def test_a_forwarded_request_that_is_refused_is_completed(kit: Any) -> None:
    """KMDF-MIS-03: the application gets its answer also when WdfRequestSend returns FALSE."""
    loaded = scene.load_driver(kit.m, kit.lab.load(SOURCE, "async_send.c").image)
    kit.lab.run()
    kit.wdk.WdfIoTargetPurge(kit.wdk.WdfDeviceGetIoTarget(loaded.devices[0]), 2)
    assert name_of(loaded.read(4).status) == "STATUS_INVALID_DEVICE_STATE"


@pytest.mark.parametrize("kind", ["WdfMemoryCreate", "WdfRequestCreate", "WdfDeviceCreate"])
def test_a_failed_allocation_unloads_cleanly(make_kit: Any, kind: str) -> None:
    """KMDF-CRE-12: what was made before the failure goes with its parents."""
    kit = make_kit(choices={kind: "fails"})
    started = start(kit.lab, kit.lab.load(SOURCE, "async_send.c"), "async_send")
    assert (started.status, name_of(started.framework.device_status)) == (0, "STATUS_INSUFFICIENT_RESOURCES")
    unload(kit.lab, started)
    assert kit.fw.live == {}
