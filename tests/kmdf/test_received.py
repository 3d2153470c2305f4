"""Requests that a queue presents: buffers, completing, sending on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab import Stop
from wsklab.kmdf import scene
from wsklab.machine.status import name_of

DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_DEFAULT Received;
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    NTSTATUS status;
    FILTER
    WdfDeviceInitSetIoType(DeviceInit, IO_TYPE);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, DISPATCH);
    config.EvtIoDefault = Received;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}
""")


class Loaded:
    """A driver whose EvtIoDefault is written in Python: ``handler(request)``."""

    def __init__(
        self, kit: Any, handler: Callable[[int], object], *, dispatch: str = "Parallel", io_type: str = "Buffered",
        filter: str = "",
        **lower: Any,
    ) -> None:  # fmt: skip
        self.kit = kit
        self.handled: list[int] = []

        def received(queue: int, request: int) -> int:
            self.handled.append(int(request))
            handler(int(request))
            return 0

        address = kit.lab.routine(received, "EVT_WDF_IO_QUEUE_IO_DEFAULT").address
        call = f"((PFN_WDF_IO_QUEUE_IO_DEFAULT){address:#x}ULL)(Queue, Request);"
        body = f"VOID Received(WDFQUEUE Queue, WDFREQUEST Request) {{ {call} }}"
        text = DRIVER.replace("DISPATCH", f"WdfIoQueueDispatch{dispatch}").replace("IO_TYPE", f"WdfDeviceIo{io_type}")
        text = text.replace("FILTER", "WdfFdoInitSetFilter(DeviceInit);" if filter else "") + body
        self.lower = kit.device(**lower)
        self.scene = scene.load_driver(kit.m, kit.lab.load(text).image, lower=self.lower)
        assert (self.scene.status, self.scene.device_status) == (0, 0)
        self.target = int(kit.wdk.WdfDeviceGetIoTarget(self.scene.devices[0]))

    def buffer(self, request: int, which: str, minimum: int = 0) -> tuple[str, bytes]:
        """The status of WdfRequestRetrieve…Buffer, and the bytes of the buffer."""
        kit = self.kit
        address, length = kit.out(), kit.out()
        answer = kit.m.api(f"WdfRequestRetrieve{which}Buffer")(request, minimum, address, length)
        return name_of(answer), kit.m.read(kit.m.u64(address), kit.m.u64(length)) if answer >= 0 else b""

    def memory(self, request: int, which: str) -> int:
        out = self.kit.out()
        assert self.kit.m.api(f"WdfRequestRetrieve{which}Memory")(request, out) == 0
        return int(self.kit.m.u64(out))

    def complete(self, request: int, status: int = 0, information: int | None = None) -> None:
        if information is None:
            self.kit.m.api("WdfRequestComplete")(request, status)
        else:
            self.kit.m.api("WdfRequestCompleteWithInformation")(request, status, information)


@pytest.mark.parametrize("io_type", ["Buffered", "Direct"])
def test_buffers_of_reads_and_writes(kit: Any, io_type: str) -> None:
    """KMDF-BUF-01, 02, 03, 04, KMDF-CMP-01, 12."""
    seen: list[Any] = []

    def handler(request: int) -> None:
        seen.append((driver.buffer(request, "Input"), driver.buffer(request, "Output", 4), driver.buffer(request, "Input", 5)))
        driver.complete(request, 0, 4)

    driver = Loaded(kit, handler, io_type=io_type)
    wrong = ("STATUS_INVALID_DEVICE_REQUEST", b"")
    assert driver.scene.write(b"abcd").done and driver.scene.read(4).data == bytes(4)
    assert seen == [
        (("STATUS_SUCCESS", b"abcd"), wrong, ("STATUS_BUFFER_TOO_SMALL", b"")),
        (wrong, ("STATUS_SUCCESS", bytes(4)), wrong),
    ]


@pytest.mark.parametrize("method", range(4))
@pytest.mark.parametrize("internal", [False, True])
def test_buffers_of_control_codes(kit: Any, method: int, internal: bool) -> None:
    """KMDF-BUF-05, 06."""
    seen: list[Any] = []

    def handler(request: int) -> None:
        seen.extend((driver.buffer(request, "Input"), driver.buffer(request, "Output")))
        driver.complete(request)

    driver = Loaded(kit, handler)
    driver.scene.ioctl(0x222000 | method, b"in", 3, internal=internal)
    expected = [("STATUS_SUCCESS", b"in"), ("STATUS_SUCCESS", b"in\0" if method == 0 else bytes(3))]
    if method == 3 and not internal:
        expected = [("STATUS_INVALID_DEVICE_REQUEST", b"")] * 2
    assert seen == expected


def test_a_zero_length_transfer_is_completed_by_the_framework(kit: Any) -> None:
    """KMDF-QUE-06."""
    driver = Loaded(kit, lambda request: None)
    answer = driver.scene.read(0)
    assert (answer.status, driver.handled) == (0, [])


def test_a_sequential_queue_waits_for_completion(kit: Any) -> None:
    """KMDF-QUE-08, 10, KMDF-MIS-49: sending to a target does not count as giving back."""
    driver = Loaded(kit, lambda request: forward(driver, request), dispatch="Sequential", answers="later", data=b"abc")
    asked = [driver.scene.read(3) for _ in range(3)]
    assert (len(driver.handled), [one.done for one in asked]) == (1, [False] * 3)
    kit.lab.run()
    assert [(one.status, one.data) for one in asked] == [(0, b"abc")] * 3
    assert len(driver.handled) == 3


def test_a_waiting_request_can_be_cancelled(kit: Any) -> None:
    """KMDF-QUE-20: one that was never presented is completed by the framework."""
    driver = Loaded(kit, lambda request: None, dispatch="Sequential")
    driver.scene.read(3)
    second = driver.scene.read(3)
    assert second.cancel()
    assert (name_of(second.status), len(driver.handled)) == ("STATUS_CANCELLED", 1)


def forward(driver: Loaded, request: int, flags: int | None = None) -> bool:
    """Send a received request on as it is, and complete it when it is back."""
    kit = driver.kit

    def completed(request: int, target: int, params: Any, context: int) -> None:
        assert (params.Type, params.Parameters.Read.Length) == (0xFF, 0)
        driver.complete(int(request), params.IoStatus.Status, params.IoStatus.Information)

    routine = kit.lab.routine(completed, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address
    kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
    kit.m.api("WdfRequestSetCompletionRoutine")(request, routine, 0)
    return bool(kit.wdk.WdfRequestSend(request, driver.target, kit.options(flags) if flags is not None else 0))


@pytest.mark.parametrize("answers", ["at once", "later", "error"])
def test_forward(kit: Any, answers: str) -> None:
    """KMDF-FCU-01, 03, KMDF-CRT-12, 16: the same IRP goes down; the lower device writes into the application's buffer."""
    driver = Loaded(kit, lambda request: forward(driver, request), answers=answers, data=b"abc")
    answer = driver.scene.read(4)
    kit.lab.run()
    assert (name_of(answer.status), answer.data) == (
        ("STATUS_IO_DEVICE_ERROR", b"") if answers == "error" else ("STATUS_SUCCESS", b"abc")
    )
    assert driver.lower.received[0].length == 4


def test_the_application_cancels_a_forwarded_request(kit: Any) -> None:
    """KMDF-CAN-17: it is the same IRP, so the lower device gets the cancel."""
    driver = Loaded(kit, lambda request: forward(driver, request), answers="never")
    answer = driver.scene.read(4)
    assert answer.cancel()
    assert name_of(answer.status) == "STATUS_CANCELLED"


def test_a_received_request_needs_a_routine(kit: Any) -> None:
    """KMDF-SND-06, RULE-16; KMDF-SND-20: after FALSE the driver completes it."""
    kit.fw.verifier = "continue"

    def handler(request: int) -> None:
        kit.m.api("WdfRequestFormatRequestUsingCurrentType")(request)
        assert not kit.wdk.WdfRequestSend(request, driver.target, 0)
        driver.complete(request, kit.m.api("WdfRequestGetStatus")(request))

    driver = Loaded(kit, handler)
    assert name_of(driver.scene.read(4).status) == "STATUS_INVALID_DEVICE_REQUEST"
    kit.fw.verifier = "stop"
    with kit.stops("kmdf-no-completion-routine"):
        driver.scene.read(4)


def test_send_and_forget(kit: Any) -> None:
    """KMDF-SAF-04, 06, 14, KMDF-MIS-44: the handle is gone, the application gets its answer."""

    def handler(request: int) -> None:
        assert kit.wdk.WdfRequestSend(request, driver.target, kit.options(8))

    driver = Loaded(kit, handler, answers="later", data=b"abc", dispatch="Sequential")
    answer = [driver.scene.read(4) for _ in range(2)]
    assert len(driver.lower.received) == 2
    kit.lab.run()
    assert [one.data for one in answer] == [b"abc"] * 2
    with kit.stops("kmdf-request-touched-after-send-and-forget"):
        kit.wdk.WdfRequestGetStatus(driver.handled[0])


def test_send_and_forget_refused(kit: Any) -> None:
    """KMDF-SAF-01, 02, KMDF-SND-05, RULE-18, 19."""
    seen: list[str] = []
    kit.fw.verifier = "continue"

    def handler(request: int) -> None:
        assert kit.read(driver.target, request, driver.memory(request, "Output")) == "STATUS_SUCCESS"
        assert not kit.wdk.WdfRequestSend(request, driver.target, kit.options(8))
        seen.append(kit.status(request))
        driver.complete(request, 0, 0)

    driver = Loaded(kit, handler)
    driver.scene.read(4)
    own = kit.request(driver.target)
    assert not kit.wdk.WdfRequestSend(own, driver.target, kit.options(8))
    assert [*seen, kit.status(own)] == ["STATUS_INVALID_DEVICE_REQUEST", "STATUS_INVALID_DEVICE_STATE"]


def test_completing_with_a_reference_on_the_memory_left(kit: Any) -> None:
    """KMDF-CMP-11, KMDF-OBJ-26, RULE-06, KMDF-MIS-10: 0x10D/3, and what would have helped."""
    requests: list[int] = []

    def handler(request: int) -> None:
        own = kit.request(driver.target)
        assert kit.read(driver.target, own, driver.memory(request, "Output")) == "STATUS_SUCCESS"
        assert kit.wdk.WdfRequestSend(own, driver.target, 0)
        if requests:
            with kit.stops("kmdf-memory-referenced", "0x3", f"{request:#018x}", "1"):
                driver.complete(request, 0, 3)
        else:
            assert kit.reuse(own) == "STATUS_SUCCESS"
            driver.complete(request, 0, 3)
        requests.append(request)

    driver = Loaded(kit, handler, data=b"abc")
    assert driver.scene.read(4).data == b"abc"
    driver.scene.read(4)


def test_embedded_memory(kit: Any) -> None:
    """KMDF-BUF-08, 10: the same handle each time, not deletable; input of a write is read-only."""
    seen: list[object] = []

    def handler(request: int) -> None:
        memory, again = driver.memory(request, "Input"), driver.memory(request, "Input")
        seen.append(memory == again)
        seen.append(name_of(kit.wdk.WdfMemoryCopyFromBuffer(memory, 0, kit.m.allocate(1, zero=True), 1)))
        driver.complete(request, 0, 4)

    driver = Loaded(kit, handler)
    driver.scene.write(b"abcd")
    assert seen == [True, "STATUS_ACCESS_VIOLATION"]


def test_completed_twice_and_touched_afterwards(kit: Any) -> None:
    """RULE-01, 11, 48, 49: the handle is gone; with a reference of its own the verifier still sees the second one."""

    def handler(request: int) -> None:
        kit.m.api("WdfObjectReferenceActual")(request, 0, 0, 0)
        driver.complete(request)
        with kit.stops("kmdf-double-completion"):
            driver.complete(request)
        kit.m.api("WdfObjectDereferenceActual")(request, 0, 0, 0)
        with kit.stops("kmdf-double-completion"):
            driver.complete(request)
        with kit.stops("kmdf-request-touched-after-completion"):
            kit.wdk.WdfRequestGetStatus(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done


def test_the_irp_of_a_completed_request(make_kit: Any) -> None:
    """KMDF-GET-10, RULE-27: the verifier breaks in and hands out NULL."""
    kit = make_kit()
    found: list[int] = []

    def handler(request: int) -> None:
        found.append(int(kit.wdk.WdfRequestWdmGetIrp(request)))
        kit.m.api("WdfObjectReferenceActual")(request, 0, 0, 0)
        driver.complete(request)
        with kit.stops("kmdf-request-touched-after-completion"):
            kit.wdk.WdfRequestWdmGetIrp(request)
        kit.fw.verifier = "continue"
        found.append(int(kit.wdk.WdfRequestWdmGetIrp(request)))
        kit.m.api("WdfObjectDereferenceActual")(request, 0, 0, 0)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done
    assert found[0] and not found[1]


def test_the_end_of_a_request_in_order(kit: Any) -> None:
    """KMDF-CMP-10, 12, 13: cleanup while there are buffers, the IRP goes up, the queue presents the next, then it is deleted."""
    log: list[Any] = []

    def handler(request: int) -> None:
        number = len(driver.handled)
        log.append(f"presented {number}")
        attributes = kit.attributes(ContextTypeInfo=kit.context_type())
        view = kit.m.view(attributes, "WDF_OBJECT_ATTRIBUTES")

        def cleanup(request: Any) -> None:
            log.append((f"cleanup {number}", driver.buffer(int(request), "Output")[0], [answer.done for answer in answers]))

        def destroy(request: Any) -> None:
            log.append(f"destroyed {number}")

        view.EvtCleanupCallback = kit.lab.routine(cleanup, "EVT_WDF_OBJECT_CONTEXT_CLEANUP").address
        view.EvtDestroyCallback = kit.lab.routine(destroy, "EVT_WDF_OBJECT_CONTEXT_DESTROY").address
        assert kit.wdk.WdfObjectAllocateContext(request, attributes, 0) == 0

    answers: list[Any] = []
    driver = Loaded(kit, handler, dispatch="Sequential")
    answers += [driver.scene.read(4), driver.scene.read(4)]
    driver.complete(driver.handled[0])
    assert log == ["presented 1", ("cleanup 1", "STATUS_SUCCESS", [False, False]), "presented 2", "destroyed 1"]
    assert [answer.done for answer in answers] == [True, False]
    driver.complete(driver.handled[1])


def test_a_received_request_takes_no_other_irp(kit: Any) -> None:
    """KMDF-REU-07, 08, RULE-25: refused, and the routine is gone all the same."""

    def handler(request: int) -> None:
        kit.set_routine(request)
        assert kit.reuse(request, flags=1) == "STATUS_WDF_REQUEST_INVALID_STATE"
        assert kit.fw.live[request].routine == (0, 0)
        driver.complete(request)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done


def test_a_request_passed_on_is_formatted_for_one_send(make_kit: Any) -> None:
    """KMDF-CPL-08, 09, RULE-08: WdfRequestFormatRequestUsingCurrentType counts once too; asked for from the routine itself."""
    kit = make_kit()
    kit.fw.verifier = "continue"
    seen: list[Any] = []

    def completed(request: int, target: int, params: Any, context: int) -> None:
        kit.set_routine(request)
        seen.append((kit.send(request, driver.target), kit.status(request)))
        kit.wdk.WdfRequestFormatRequestUsingCurrentType(request)
        log = kit.set_routine(request)
        seen.append((kit.send(request, driver.target), log))
        driver.complete(request)

    def handler(request: int) -> None:
        kit.wdk.WdfRequestFormatRequestUsingCurrentType(request)
        routine = kit.lab.routine(completed, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address
        kit.wdk.WdfRequestSetCompletionRoutine(request, routine, 0)
        assert kit.send(request, driver.target)

    driver = Loaded(kit, handler)
    assert driver.scene.read(4).done
    assert seen == [(False, "STATUS_REQUEST_NOT_ACCEPTED"), (True, [("STATUS_SUCCESS", 4)])]


def test_completed_while_a_target_has_it(kit: Any) -> None:
    """RULE-03, KMDF-CMP-16, 17."""

    def handler(request: int) -> None:
        forward(driver, request)
        with kit.stops("kmdf-completed-while-sent", f"{kit.fw.live[request].irp:#018x}"):
            driver.complete(request)

    driver = Loaded(kit, handler, answers="never")
    driver.scene.read(4)


def test_a_request_of_ones_own_is_never_completed(make_kit: Any) -> None:
    """KMDF-CMP-15, KMDF-CRE-11, RULE-04, 56: ignored by the verifier, 0x10D/7 without it."""
    kit = make_kit()
    request = kit.request(kit.target())
    with kit.stops("kmdf-completed-driver-created"):
        kit.wdk.WdfRequestComplete(request, 0)
    kit.fw.verifier = "continue"
    kit.wdk.WdfRequestComplete(request, 0)
    assert request in kit.fw.live
    kit.fw.verifier = "off"
    with kit.stops("kmdf-dereferenced-to-zero", "0x7", f"{request:#018x}"):
        kit.wdk.WdfRequestComplete(request, 0)


@pytest.mark.parametrize(
    ("ask", "allowed"), [("read", 4), ("write", 4), ("ioctl", 3), ("ioctl without output", None), ("internal ioctl", None)]
)
def test_more_information_than_the_buffer_holds(kit: Any, ask: str, allowed: int | None) -> None:
    """KMDF-CMP-05, 06, RULE-07: success only, and only where the length is known."""
    log: list[str] = []

    def handler(request: int) -> None:
        if allowed is None:
            driver.complete(request, 0, 99)
        else:
            with pytest.raises(Stop) as caught:
                driver.complete(request, 0, allowed + 1)
            kit.lab.stopped, parameters = None, caught.value.parameters
            data = kit.lab.view(int(parameters[2], 0), "WDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH_DATA")
            assert parameters == ("0x6", "0x4", f"{int(data):#018x}", "0")
            assert (int(data.Request), data.OutputBufferLength, data.Information) == (request, allowed, allowed + 1)
            assert int(data.Irp) == kit.wdk.WdfRequestWdmGetIrp(request)
            assert data.MajorFunction == {"read": 3, "write": 4, "ioctl": 14}[ask]
            driver.complete(request, -0x3FFFFFFF, allowed)
        log.append("completed")

    driver = Loaded(kit, handler)
    {
        "read": lambda: driver.scene.read(4),
        "write": lambda: driver.scene.write(b"abcd"),
        "ioctl": lambda: driver.scene.ioctl(0x222000, b"ab", 3),
        "ioctl without output": lambda: driver.scene.ioctl(0x222003, b"ab", 0),
        "internal ioctl": lambda: driver.scene.ioctl(0x222003, b"ab", 3, internal=True),
    }[ask]()
    assert log == ["completed"]


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("STATUS_WDF_DEVICE_REMOVED_NOT_SENT", "STATUS_INVALID_DEVICE_REQUEST"),
        ("STATUS_WDF_BUSY", "STATUS_DEVICE_BUSY"),
        ("STATUS_WDF_QUEUED", "STATUS_INVALID_DEVICE_REQUEST"),
        ("STATUS_CANCELLED", "STATUS_CANCELLED"),
    ],
)
def test_statuses_of_the_framework_are_translated(kit: Any, given: str, seen: str) -> None:
    """KMDF-CMP-08, 09, KMDF-MIS-35."""
    driver = Loaded(kit, lambda request: driver.complete(request, getattr(kit.wdk, given), 0))
    assert name_of(driver.scene.read(4).status) == seen


def test_what_is_never_completed_hangs_the_removal(kit: Any) -> None:
    """RULE-42, 46, KMDF-MIS-54."""
    driver = Loaded(kit, lambda request: None)
    driver.scene.read(4)
    with kit.stops("kmdf-request-never-completed"):
        scene.unload_driver(kit.m, driver.scene)


def test_parameters_of_a_received_request(kit: Any) -> None:
    """KMDF-GET-07, 08, 09, KMDF-CRE-04, RULE-27."""
    seen: list[Any] = []

    def handler(request: int) -> None:
        params = kit.m.new("WDF_REQUEST_PARAMETERS", kind="native")
        kit.m.set_u16(params, 40)
        kit.wdk.WdfRequestGetParameters(request, params)
        view = kit.m.view(params, "WDF_REQUEST_PARAMETERS")
        control = view.Parameters.DeviceIoControl
        seen.append((view.Type, control.IoControlCode, control.InputBufferLength, control.OutputBufferLength))
        seen.append(int(control.Type3InputBuffer))
        driver.complete(request)

    driver = Loaded(kit, handler)
    driver.scene.ioctl(0x222003, b"ab", 3)
    assert seen == [(0xE, 0x222003, 2, 3), 0]
    own = kit.request(driver.target)
    with kit.stops("kmdf-request-parameters"):
        driver.buffer(own, "Input")


def test_a_filter_without_a_queue_for_it_passes_on(kit: Any) -> None:
    """KMDF-QUE-05, KMDF-DEV-05, 08: its I/O type and one location more than below."""
    driver = Loaded(kit, lambda request: forward(driver, request), filter="yes", io_type="Direct", stack_size=2)
    device = kit.fw.devices[0]
    assert (device.io_type, kit.m.view(device.object, "DEVICE_OBJECT").StackSize) == (2, 3)


def test_formatting_with_current_type_needs_a_location(kit: Any) -> None:
    """KMDF-FCU-02, KMDF-CRE-04, RULE-15."""
    with kit.stops("kmdf-no-irp", "0x6", "0x2"):
        kit.wdk.WdfRequestFormatRequestUsingCurrentType(kit.request())
    request = kit.request(kit.target())
    irp = f"{int(kit.wdk.WdfRequestWdmGetIrp(request)):#018x}"
    with kit.stops("kmdf-no-stack-location", "0x6", "0x1", irp, "0"):
        kit.wdk.WdfRequestFormatRequestUsingCurrentType(request)


def test_send_and_forget_misused(kit: Any) -> None:
    """KMDF-SAF-02, 07, 09, 12, RULE-18, 20."""

    def handler(request: int) -> None:
        if len(driver.handled) == 1:
            assert kit.write(driver.target, request) == "STATUS_SUCCESS"
            with kit.stops("kmdf-forget-formatted"):
                kit.send(request, driver.target, 8)
        elif len(driver.handled) == 2:
            with kit.stops("kmdf-forget-with-routine"):
                forward(driver, request, 8)
        else:
            target = kit.target(driver.lower, opened=False)
            with kit.stops("kmdf-irp-sent-to-nowhere"):
                kit.send(request, target, 8)
        driver.complete(request, 0, 0)

    driver = Loaded(kit, handler)
    for _ in range(3):
        assert driver.scene.read(4).done


def test_completed_while_in_a_queue(kit: Any) -> None:
    """KMDF-CMP-03, RULE-02: a request that waits in a queue is not the driver's."""
    driver = Loaded(kit, lambda request: None, dispatch="Sequential")
    driver.scene.read(4)
    driver.scene.read(4)
    (queue,) = (known for known in kit.fw.live.values() if known.KIND == "WDFQUEUE")
    waiting = kit.m.view(int(kit.m.view(queue.address, "FX_QUEUE").Waiting.Flink), "FX_REQUEST")
    with kit.stops("kmdf-completed-not-owned"):
        driver.complete(int(waiting.Handle))


def test_the_sender_cancels_what_is_pended_in_a_stopped_target(kit: Any) -> None:
    """KMDF-PND-02, 03: the IRP is cancelable while a stopped target holds it."""
    driver = Loaded(kit, lambda request: forward(driver, request))
    kit.wdk.WdfIoTargetStop(driver.target, 3)
    answer = driver.scene.read(4)
    assert (answer.done, answer.cancel(), name_of(answer.status)) == (False, True, "STATUS_CANCELLED")
    again = driver.scene.read(4)
    kit.wdk.WdfIoTargetStart(driver.target)
    assert name_of(again.status) == "STATUS_SUCCESS"
