"""Device stacks, dispatch routines, work items, and what is left at unload. Facts: IRP-10, IRP-20, IRP-25, IRP-26, KRN-30."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from wsklab.io import completion, device, irp
from wsklab.io.unload import check_unload
from wsklab.machine import Machine, Wait
from wsklab.machine.code import Code

FAILED = 0xC000_0001 - (1 << 32)


def scripted(m: Machine, dispatch: Callable[[int, int], int], stack_size: int = 1) -> int:
    return device.make_device(m, device.make_driver(m, "scripted", dispatch), name="scripted", stack_size=stack_size)


def c_device(m: Machine, dispatch: Callable[[int, int], int]) -> int:
    """A device of the driver under test; its dispatch routine stands for a C function."""
    made = device.make_device(m, device.make_driver(m, "c"), owner="driver", name="c")
    code = m.define_code(Code("Dispatch", dispatch, False, is_driver=True))
    driver = m.u64(made + m.offset("DEVICE_OBJECT", "DriverObject"))
    m.set_u64(driver + m.offset("DRIVER_OBJECT", "MajorFunction") + 8 * 3, code)
    return made


def run(m: Machine, body: Generator[Wait, Any, Any]) -> Any:
    thread = m.start_thread(body, "test")
    m.run()
    return thread.result


def application_read(m: Machine, target: int) -> tuple[int, list[tuple[int, int, int]]]:
    finished: list[tuple[int, int, int]] = []
    packet = irp.build(m, 1, lambda *result: finished.append(result))
    m.set_u8(packet + 208, 3)
    return device.call_driver(m, target, packet, by="app"), finished


def test_an_own_irp_to_a_device_and_back(m: Machine, own: Any) -> None:
    """IRP-10: the location below names the device; the dispatch routine's status comes back."""
    seen: list[tuple[int, int]] = []

    def dispatch(target: int, packet: int) -> int:
        seen.append((target, m.u64(m.u64(packet + irp.layout().current) + irp.layout().device)))
        completion.complete(m, packet, 0, 16, by="device")
        return 0

    target = scripted(m, dispatch)
    own.arm()
    assert run(m, m.api("IoCallDriver")(target, own.irp)) == 0
    assert (seen, own.calls) == ([(target, target)], [(0, own.irp, 0x77)])


def test_a_major_function_that_is_not_set(m: Machine) -> None:
    status, finished = application_read(m, device.make_device(m, device.make_driver(m, "empty"), owner="driver"))
    assert status == 0xC000_0010 - (1 << 32)
    assert [result[1:] for result in finished] == [(status, 0)]


def test_stacks(m: Machine) -> None:
    """Attaching adds a location and finds the top."""
    below, above, top = (scripted(m, lambda target, packet: 0) for _ in range(3))
    assert m.api("IoAttachDeviceToDeviceStack")(above, below) == below
    assert m.api("IoAttachDeviceToDeviceStack")(top, below) == above
    assert m.api("IoGetAttachedDevice")(below) == top
    assert [m.view(one, "DEVICE_OBJECT").StackSize for one in (below, above, top)] == [1, 2, 3]
    m.api("IoDetachDevice")(above)
    assert m.api("IoGetAttachedDevice")(below) == above


@pytest.mark.parametrize(
    ("mark", "complete", "returned", "rule"),
    [
        (True, False, 0, "irp-marked-not-pending"),
        (False, False, irp.PENDING, "irp-pending-not-marked"),
        (False, False, 0, "irp-lost"),
        (False, True, irp.PENDING, "irp-pending-not-marked"),
        (True, False, irp.PENDING, None),
        (True, True, irp.PENDING, None),
        (False, True, 0, None),
    ],
)
def test_dispatch_routines(m: Machine, stops: Any, mark: bool, complete: bool, returned: int, rule: str | None) -> None:
    """IRP-25, IRP-26, BUG-33: what the routine did and what it returned have to agree."""

    def dispatch(target: int, packet: int) -> int:
        if mark:
            m.api("IoMarkIrpPending")(packet)
        if complete:
            m.api("IofCompleteRequest")(packet, 0)
        return returned

    target = c_device(m, dispatch)
    if rule:
        with stops(rule):
            application_read(m, target)
    else:
        assert application_read(m, target)[0] == returned


def test_making_and_deleting_devices(m: Machine) -> None:
    driver = device.make_driver(m, "c")
    place = m.allocate(8, "stack", zero=True)
    first, second = ((m.api("IoCreateDevice")(driver, 32, 0, 0x22, 0, 0, place), m.u64(place))[1] for _ in range(2))
    view = m.view(first, "DEVICE_OBJECT")
    assert int(view.DeviceExtension) == first + m.sizeof("DEVICE_OBJECT")
    listed = driver + m.offset("DRIVER_OBJECT", "DeviceObject")
    assert (m.u64(listed), int(m.view(second, "DEVICE_OBJECT").NextDevice)) == (second, first)
    m.api("IoDeleteDevice")(first)
    assert (m.u64(listed), int(m.view(second, "DEVICE_OBJECT").NextDevice)) == (second, 0)
    m.choices["IoCreateDevice"] = "fails"
    assert m.api("IoCreateDevice")(driver, 32, 0, 0x22, 0, 0, place) == 0xC000_009A - (1 << 32)


def test_work_items(m: Machine, stops: Any) -> None:
    """KRN-30, BUG-22: at PASSIVE_LEVEL in a thread of the system; not twice, not freed while queued."""
    target, seen = scripted(m, lambda device, packet: 0), list[tuple[int, int, int, str]]()
    routine = m.python_code(lambda device, context: seen.append((device, context, m.irql, m.thread.name)), "Work")
    item = m.api("IoAllocateWorkItem")(target)
    m.irql = 2
    m.api("IoQueueWorkItem")(item, routine, 1, 5)
    with stops("workitem-queued-twice"):
        m.api("IoQueueWorkItem")(item, routine, 1, 5)
    with stops("workitem-freed-queued"):
        m.api("IoFreeWorkItem")(item)
    with stops("timer-at-unload"):
        check_unload(m)
    m.irql = 0
    m.run()
    assert seen == [(target, 5, 0, "work item Work")]
    m.api("IoFreeWorkItem")(item)


def test_what_is_left_at_unload(m: Machine, own: Any, stops: Any) -> None:
    """BUG-16, BUG-26, MIS-54, MIS-59: the worst first."""
    buffer = m.api("ExAllocatePool2")(0x40, 10, 0x6B616557)
    one = m.api("IoAllocateMdl")(buffer, 10, 0, 0, 0)
    own.arm()
    irp.hand_over(m, own.irp, "wsk")
    with stops("irp-in-flight-at-unload"):
        check_unload(m)
    completion.complete(m, own.irp, 0, 0, by="wsk")
    with stops("irp-leaked"):
        check_unload(m)
    m.api("IoFreeIrp")(own.irp)
    with stops("mdl-leaked"):
        check_unload(m)
    m.api("IoFreeMdl")(one)
    with stops("pool-leaked") as stop:
        check_unload(m, "send")
    assert (stop[0].values["tag"], stop[0].values["count"], stop[0].values["size"]) == ("Weak", 1, 10)
    m.api("ExFreePoolWithTag")(buffer, 0x6B616557)
    check_unload(m)
