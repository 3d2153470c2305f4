"""Queues: creation, dispatch, retrieval, forwarding, states, cancellation; written in C (wdfio.c, wdfrequest.c)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.queues import CONTROL, CREATE, MANUAL, PARALLEL, READ, SEQUENTIAL, WRITE, Queues
from wsklab import Stop
from wsklab.machine.status import name_of

ACCEPTS, DISPATCHES, EMPTY, NONE_OUT = 1, 2, 4, 8
CANCELLED = -0x3FFFFEE0


@pytest.fixture
def queues(kit: Any) -> Queues:
    return Queues(kit)


@pytest.mark.parametrize(
    ("dispatch", "members", "expected"),
    [
        (PARALLEL, {"EvtIoDefault": None, "Size": 95}, "STATUS_INFO_LENGTH_MISMATCH"),
        (4, {"EvtIoDefault": None}, "STATUS_INVALID_PARAMETER"),
        (PARALLEL, {}, "STATUS_WDF_NO_CALLBACK"),
        (MANUAL, {"EvtIoRead": None}, "STATUS_INVALID_PARAMETER"),
        (SEQUENTIAL, {"EvtIoRead": None, "limit": 1}, "STATUS_INVALID_PARAMETER"),
        (MANUAL, {}, "STATUS_SUCCESS"),
    ],
)
def test_what_creation_refuses(queues: Queues, dispatch: int, members: dict[str, Any], expected: str) -> None:
    """KMDF-QUE-01."""
    assert queues.create(dispatch, **members)[0] == expected


def test_one_default_queue_and_it_cannot_be_deleted(queues: Queues) -> None:
    """KMDF-QUE-01, KMDF-OBJ-17, 18."""
    first = queues.queue(default=True, EvtIoDefault=None)
    assert queues.create(PARALLEL, default=True, EvtIoDefault=None)[0] == "STATUS_UNSUCCESSFUL"
    with queues.kit.stops("kmdf-not-deletable"):
        queues.wdk.WdfObjectDelete(first)


def test_the_handler_of_the_type_then_the_default_one(queues: Queues) -> None:
    """KMDF-QUE-05, 11."""
    queues.queue(default=True, EvtIoRead=queues.complete, EvtIoDefault=queues.complete)
    queues.read(6)
    queues.write()
    assert queues.log == [("EvtIoRead", 6), ("EvtIoDefault",)]


def test_no_handler_for_the_type(queues: Queues) -> None:
    """KMDF-QUE-05."""
    queues.queue(default=True, EvtIoRead=None)
    assert name_of(queues.write().status) == "STATUS_INVALID_DEVICE_REQUEST"


@pytest.mark.parametrize("zero", [False, True])
def test_zero_length(queues: Queues, zero: bool) -> None:
    """KMDF-QUE-06."""
    queues.queue(default=True, EvtIoRead=None, AllowZeroLengthRequests=zero)
    assert (queues.read(0).status, queues.log) == ((None, [("EvtIoRead", 0)]) if zero else (0, []))


def test_a_limited_parallel_queue(queues: Queues) -> None:
    """KMDF-QUE-09, 10."""
    queue = queues.queue(default=True, limit=2, EvtIoRead=None)
    asked = [queues.read() for _ in range(4)]
    assert queues.counts(queue) == (ACCEPTS | DISPATCHES, 2, 2)
    queues.complete(queues.owned[0])
    assert (queues.counts(queue)[1:], [each.done for each in asked]) == ((1, 2), [True, False, False, False])


def test_a_queue_for_each_type(queues: Queues) -> None:
    """KMDF-QUE-05: what has no queue of its own goes to the default queue."""
    queues.device.own.Started = 0
    default = queues.queue(default=True, EvtIoDefault=None)
    writes = queues.queue(SEQUENTIAL, EvtIoWrite=None)
    configure = queues.wdk.WdfDeviceConfigureRequestDispatching
    assert name_of(configure(queues.device.handle, writes, 5)) == "STATUS_INVALID_PARAMETER"
    assert name_of(configure(queues.device.handle, writes, WRITE)) == "STATUS_SUCCESS"
    queues.kit.fw.verifier = "continue"
    answers = [configure(queues.device.handle, queue, kind) for queue, kind in ((writes, READ), (default, READ), (writes, WRITE))]
    assert [name_of(each) for each in answers] == ["STATUS_INVALID_DEVICE_REQUEST"] * 2 + ["STATUS_WDF_BUSY"]
    queues.wdk.WdfControlFinishInitializing(queues.device.handle)
    queues.read()
    queues.write()
    assert (queues.counts(default)[2], queues.counts(writes)[2]) == (1, 1)
    assert name_of(configure(queues.device.handle, writes, CREATE)) == "STATUS_INVALID_DEVICE_STATE"
    queues.kit.fw.verifier = "stop"
    queues.device.own.Started = 0
    with queues.kit.stops("kmdf-dispatching"):
        configure(queues.device.handle, writes, CONTROL)


def test_retrieving(queues: Queues) -> None:
    """KMDF-QUE-14."""
    parallel, manual = queues.queue(EvtIoRead=None), queues.queue(MANUAL, default=True)
    assert queues.retrieve(parallel) == ("STATUS_INVALID_DEVICE_STATE", 0)
    assert queues.retrieve(manual) == ("STATUS_NO_MORE_ENTRIES", 0)
    answer = queues.read()
    queues.wdk.WdfIoQueueStop(manual, 0, 0)
    assert queues.retrieve(manual) == ("STATUS_WDF_PAUSED", 0)
    queues.wdk.WdfIoQueueStart(manual)
    status, request = queues.retrieve(manual)
    assert (status, queues.counts(manual)[1:]) == ("STATUS_SUCCESS", (0, 1))
    queues.complete(request)
    assert answer.status == 0


def test_a_found_request_is_referenced_and_not_owned(queues: Queues) -> None:
    """KMDF-QUE-15, RULE-33, RULE-79."""
    manual = queues.queue(MANUAL, default=True)
    queues.read(1)
    queues.read(2)
    find = ("FindRequest", 0, 0, 0)
    status, first = queues.retrieve(manual, *find)
    assert (status, queues.kit.fw.live[first].references) == ("STATUS_SUCCESS", 2)
    with queues.kit.stops("kmdf-completed-not-owned"):
        queues.wdk.WdfRequestComplete(first, 0)
    _, second = queues.retrieve(manual, "FindRequest", first, 0, 0)
    assert queues.retrieve(manual, "FindRequest", second, 0, 0) == ("STATUS_NO_MORE_ENTRIES", 0)
    assert queues.retrieve(manual, "RetrieveFoundRequest", second) == ("STATUS_SUCCESS", second)
    assert queues.retrieve(manual, "RetrieveFoundRequest", second) == ("STATUS_NOT_FOUND", 0)
    assert queues.retrieve(manual, "FindRequest", second, 0, 0) == ("STATUS_NOT_FOUND", 0)
    queues.wdk.WdfObjectDereferenceActual(second, 0, 0, 0)
    queues.complete(second)
    assert second not in queues.kit.fw.live
    with queues.kit.stops("kmdf-not-manual"):
        queues.retrieve(queues.queue(EvtIoRead=None), *find)
    with queues.kit.stops("kmdf-wrong-queue"):
        queues.retrieve(queues.queue(EvtIoRead=None), "RetrieveFoundRequest", first)


def test_the_parameters_of_a_found_request(queues: Queues) -> None:
    """KMDF-QUE-15, KMDF-GET-07."""
    manual, params = queues.queue(MANUAL, default=True), queues.m.new("WDF_REQUEST_PARAMETERS", kind="native")
    view = queues.m.view(params, "WDF_REQUEST_PARAMETERS")
    view.Size = queues.m.sizeof("WDF_REQUEST_PARAMETERS")
    queues.read(7)
    assert queues.retrieve(manual, "FindRequest", 0, 0, params)[0] == "STATUS_SUCCESS"
    assert (view.Type, view.Parameters.Read.Length) == (READ, 7)


def test_forwarding(queues: Queues) -> None:
    """KMDF-QUE-08, 16: a sequential queue goes on; the destination presents or keeps it."""
    manual = queues.queue(MANUAL)
    first = queues.queue(SEQUENTIAL, default=True, EvtIoRead=None)
    asked = [queues.read(), queues.read()]
    forward = queues.wdk.WdfRequestForwardToIoQueue
    request = queues.owned[0]
    assert (forward(request, manual), queues.counts(manual)[1:], queues.counts(first)[1:]) == (0, (1, 0), (0, 1))
    assert queues.retrieve(manual) == ("STATUS_SUCCESS", request)
    queues.complete(request, 0)
    assert [each.done for each in asked] == [True, False]


def test_what_forwarding_refuses(queues: Queues) -> None:
    """KMDF-QUE-16, RULE-30."""
    manual = queues.queue(MANUAL)
    first = queues.queue(default=True, EvtIoRead=None)
    queues.read()
    (request,) = queues.owned
    forward = queues.wdk.WdfRequestForwardToIoQueue
    queues.wdk.WdfIoQueueDrain(manual, 0, 0)
    assert (name_of(forward(request, manual)), queues.counts(first)[2]) == ("STATUS_WDF_BUSY", 1)
    queues.wdk.WdfIoQueueStart(manual)
    with queues.kit.stops("kmdf-wrong-queue"):
        forward(request, first)
    queues.wdk.WdfRequestMarkCancelable(request, queues.routine(lambda request: 0, "EVT_WDF_REQUEST_CANCEL"))
    with queues.kit.stops("kmdf-still-cancelable"):
        forward(request, manual)
    queues.wdk.WdfRequestUnmarkCancelable(request)
    forward(request, manual)
    with queues.kit.stops("kmdf-not-driver-owned"):
        forward(request, first)
    options = queues.m.new("WDF_REQUEST_FORWARD_OPTIONS", kind="native")
    to_parent = queues.wdk.WdfRequestForwardToParentDeviceIoQueue
    assert name_of(to_parent(request, first, options)) == "STATUS_INFO_LENGTH_MISMATCH"
    queues.m.set_u32(options, 8)
    with queues.kit.stops("kmdf-wrong-queue"):
        to_parent(request, first, options)


def test_requeue_goes_to_the_head_of_a_manual_queue(queues: Queues) -> None:
    """KMDF-QUE-17."""
    manual = queues.queue(MANUAL, default=True)
    queues.read()
    queues.read()
    _, first = queues.retrieve(manual)
    assert (queues.wdk.WdfRequestRequeue(first), queues.retrieve(manual)) == (0, ("STATUS_SUCCESS", first))


def test_requeue_is_for_manual_queues(queues: Queues) -> None:
    """KMDF-QUE-17, RULE-30."""
    queues.queue(default=True, EvtIoRead=None)
    queues.read()
    with queues.kit.stops("kmdf-wrong-queue"):
        queues.wdk.WdfRequestRequeue(queues.owned[0])


def test_ready_notify(queues: Queues) -> None:
    """KMDF-QUE-09: once for each time that the queue stops being empty."""
    manual, seen = queues.queue(MANUAL, default=True), []
    routine = queues.routine(lambda queue, context: seen.append(context) or 0, "EVT_WDF_IO_QUEUE_STATE")
    assert queues.wdk.WdfIoQueueReadyNotify(manual, routine, 7) == 0
    queues.read()
    queues.read()
    assert seen == [7]
    queues.retrieve(manual)
    queues.retrieve(manual)
    queues.read()
    assert seen == [7, 7]
    with queues.kit.stops("kmdf-ready-notify"):
        queues.wdk.WdfIoQueueReadyNotify(manual, routine, 7)
    with queues.kit.stops("kmdf-ready-notify"):
        queues.wdk.WdfIoQueueReadyNotify(manual, 0, 0)
    queues.wdk.WdfIoQueueStop(manual, 0, 0)
    assert queues.wdk.WdfIoQueueReadyNotify(manual, 0, 0) == 0


def test_stop_and_start(queues: Queues) -> None:
    """KMDF-QUE-18, 21, 24: a stopped queue accepts; the callback comes when the driver has none left."""
    queue, seen = queues.queue(default=True, EvtIoRead=None), []
    stopped = queues.routine(lambda queue, context: seen.append(context) or 0, "EVT_WDF_IO_QUEUE_STATE")
    queues.read()
    queues.wdk.WdfIoQueueStop(queue, stopped, 3)
    queues.read()
    assert (seen, queues.counts(queue)) == ([], (ACCEPTS, 1, 1))
    with pytest.raises(Stop) as caught:
        queues.wdk.WdfIoQueueStop(queue, stopped, 3)
    queues.kit.lab.stopped = None
    data = queues.kit.lab.view(int(caught.value.parameters[1], 0), "WDF_QUEUE_FATAL_ERROR_DATA")
    assert (caught.value.rule.id, caught.value.parameters) == ("kmdf-queue-state", ("0xA", f"{int(data):#018x}", "0", "0"))
    assert (int(data.Queue), int(data.Request), data.Status) == (queue, 0, -0x3FFFFFF0)
    queues.complete(queues.owned[0])
    assert (seen, queues.counts(queue)) == ([3], (ACCEPTS | NONE_OUT, 1, 0))
    queues.wdk.WdfIoQueueStart(queue)
    assert queues.counts(queue) == (ACCEPTS | DISPATCHES | EMPTY, 0, 1)


def test_drain(queues: Queues) -> None:
    """KMDF-QUE-07, 18: delivers the rest, refuses what is new."""
    queue, seen = queues.queue(SEQUENTIAL, default=True, EvtIoRead=None), []
    asked = [queues.read(), queues.read()]
    drained = queues.routine(lambda queue, context: seen.append(1) or 0, "EVT_WDF_IO_QUEUE_STATE")
    queues.wdk.WdfIoQueueDrain(queue, drained, 0)
    assert name_of(queues.read().status) == "STATUS_INVALID_DEVICE_STATE"
    queues.complete(queues.owned[0])
    assert (seen, asked[1].done) == ([], False)
    queues.complete(queues.owned[0])
    assert (seen, queues.counts(queue)) == ([1], (DISPATCHES | EMPTY | NONE_OUT, 0, 0))


def test_purge_cancels_what_waits_and_what_is_cancelable(queues: Queues) -> None:
    """KMDF-QUE-18, 19, KMDF-MCA-03."""
    queue, seen = queues.queue(default=True, limit=2, EvtIoRead=None), []
    asked = [queues.read() for _ in range(3)]
    cancel = queues.routine(lambda request: queues.complete(int(request), CANCELLED) or 0, "EVT_WDF_REQUEST_CANCEL")
    marked, kept = queues.owned
    assert queues.wdk.WdfRequestMarkCancelableEx(marked, cancel) == 0
    queues.wdk.WdfIoQueuePurge(queue, queues.routine(lambda q, c: seen.append(1) or 0, "EVT_WDF_IO_QUEUE_STATE"), 0)
    assert ([name_of(each.status) if each.done else "" for each in asked], seen) == (
        ["STATUS_CANCELLED", "", "STATUS_CANCELLED"],
        [],
    )
    assert name_of(queues.wdk.WdfRequestMarkCancelableEx(kept, cancel)) == "STATUS_CANCELLED"
    queues.complete(kept)
    assert seen == [1]


def test_a_full_purge_ends_what_is_requeued(queues: Queues) -> None:
    """KMDF-QUE-17, 22: the call succeeds, the request is cancelled."""
    manual = queues.queue(MANUAL, default=True)
    answer = queues.read()
    _, request = queues.retrieve(manual)
    queues.wdk.WdfIoQueuePurge(manual, 0, 0)
    assert (queues.wdk.WdfRequestRequeue(request), name_of(answer.status)) == (0, "STATUS_CANCELLED")


@pytest.mark.parametrize("how", ["Stop", "Drain", "Purge", "StopAndPurge"])
def test_the_synchronous_forms_wait_for_the_driver(queues: Queues, how: str) -> None:
    """KMDF-QUE-21, 23."""
    queue = queues.queue(default=True, EvtIoRead=None)
    answer = queues.read()
    queues.m.after(50, lambda: queues.complete(queues.owned[0]))
    getattr(queues.wdk, f"WdfIoQueue{how}Synchronously")(queue)
    assert (answer.done, queues.m.time) == (True, 50)


def test_a_synchronous_stop_needs_passive_level(queues: Queues) -> None:
    """KMDF-VER-06, KMDF-QUE-23."""
    queue = queues.queue(default=True, EvtIoRead=None)
    with queues.kit.stops("irql-too-high"), queues.m.at_irql(2):
        next(queues.m.api("WdfIoQueueStopSynchronously")(queue))


@pytest.mark.parametrize("seen", [False, True])
def test_cancelled_in_the_queue(queues: Queues, seen: bool) -> None:
    """KMDF-QUE-20: EvtIoCanceledOnQueue gets requests that the driver has seen before, with ownership."""
    manual = queues.queue(
        MANUAL, default=True, EvtIoCanceledOnQueue=lambda request: queues.wdk.WdfRequestCompleteWithInformation(request, -1, 3)
    )
    answer = queues.read()
    if seen:
        queues.wdk.WdfRequestRequeue(queues.retrieve(manual)[1])
    assert answer.cancel()
    assert (answer.status, answer.information) == ((-1, 3) if seen else (CANCELLED, 0))


def test_mark_and_unmark(queues: Queues) -> None:
    """KMDF-MCA-01, 06, 08."""
    queues.queue(default=True, EvtIoRead=None)
    answer, wdk = queues.read(), queues.wdk
    (request,), cancelled = queues.owned, []
    routine = queues.routine(lambda request: cancelled.append(int(request)) or 0, "EVT_WDF_REQUEST_CANCEL")
    wdk.WdfRequestMarkCancelable(request, routine)
    assert (wdk.WdfRequestUnmarkCancelable(request), answer.cancel()) == (0, False)
    assert (wdk.WdfRequestIsCanceled(request), cancelled) == (True, [])
    assert name_of(wdk.WdfRequestMarkCancelableEx(request, routine)) == "STATUS_CANCELLED"
    wdk.WdfRequestMarkCancelable(request, routine)
    assert cancelled == [request]
    assert name_of(wdk.WdfRequestUnmarkCancelable(request)) == "STATUS_CANCELLED"
    queues.complete(request, CANCELLED)
    assert name_of(answer.status) == "STATUS_CANCELLED"


def test_the_cancel_callback_owns_the_request(queues: Queues) -> None:
    """KMDF-MCA-06."""
    queues.queue(default=True, EvtIoRead=None)
    answer = queues.read()
    (request,) = queues.owned
    routine = queues.routine(lambda request: queues.complete(int(request), CANCELLED) or 0, "EVT_WDF_REQUEST_CANCEL")
    queues.wdk.WdfRequestMarkCancelable(request, routine)
    assert (answer.cancel(), name_of(answer.status)) == (True, "STATUS_CANCELLED")


@pytest.mark.parametrize(
    ("rule", "calls"),
    [
        ("kmdf-still-cancelable", ["MarkCancelable", "MarkCancelable"]),
        ("kmdf-still-cancelable", ["MarkCancelable", "IsCanceled"]),
        ("kmdf-still-cancelable", ["MarkCancelable", "Complete"]),
        ("kmdf-not-cancelable", ["UnmarkCancelable"]),
        ("kmdf-stop-acknowledged", ["StopAcknowledge"]),
    ],
)
def test_misuse_of_an_owned_request(queues: Queues, rule: str, calls: list[str]) -> None:
    """KMDF-MCA-04, 08, 14, KMDF-CMP-04, RULE-05, 31, 32, 51, 52, 54."""
    queues.queue(default=True, EvtIoRead=None)
    queues.read()
    routine = queues.routine(lambda request: 0, "EVT_WDF_REQUEST_CANCEL")
    arguments = {"MarkCancelable": (routine,), "Complete": (0,), "StopAcknowledge": (0,)}
    for name in calls[:-1]:
        getattr(queues.wdk, f"WdfRequest{name}")(queues.owned[0], *arguments.get(name, ()))
    with queues.kit.stops(rule):
        getattr(queues.wdk, f"WdfRequest{calls[-1]}")(queues.owned[0], *arguments.get(calls[-1], ()))


def test_a_request_of_the_drivers_own_has_no_queue(queues: Queues) -> None:
    """KMDF-MCA-01, 02, RULE-31; a NULL callback is 0x10D/4."""
    request, routine = queues.kit.request(queues.kit.target()), queues.routine(lambda request: 0, "EVT_WDF_REQUEST_CANCEL")
    with queues.kit.stops("kmdf-no-queue"):
        queues.wdk.WdfRequestMarkCancelable(request, routine)
    with queues.kit.stops("kmdf-null-parameter", "0x4"):
        queues.wdk.WdfRequestMarkCancelable(request, 0)
    queues.kit.fw.verifier = "continue"
    assert name_of(queues.wdk.WdfRequestMarkCancelableEx(request, routine)) == "STATUS_INVALID_DEVICE_REQUEST"


def test_without_the_verifier_unmarking_a_request_never_marked_reads_as_cancelled(queues: Queues) -> None:
    """KMDF-MCA-05."""
    queues.kit.fw.verifier = "off"
    queues.queue(default=True, EvtIoRead=None)
    queues.read()
    assert name_of(queues.wdk.WdfRequestUnmarkCancelable(queues.owned[0])) == "STATUS_CANCELLED"


def test_a_passive_queue_delivers_in_a_system_thread(queues: Queues) -> None:
    """KMDF-QUE-13."""
    levels: list[int] = []
    queues.queue(
        default=True, EvtIoRead=lambda request: levels.append(queues.m.irql), attributes=queues.kit.attributes(ExecutionLevel=2)
    )
    with queues.m.at_irql(2):
        queues.read()
    assert levels == []
    queues.kit.lab.run()
    assert levels == [0]


def test_a_synchronized_queue_runs_its_callbacks_at_dispatch_level_one_after_the_other(queues: Queues) -> None:
    """KMDF-CON-14, KMDF-QUE-13: with a scope the callback lock, a spin lock, is held."""
    levels: list[int] = []

    def handler(request: int) -> None:
        levels.append(queues.m.irql)
        if len(levels) == 1:
            queues.read()
            levels.append(-1)

    queues.queue(default=True, EvtIoRead=handler, attributes=queues.kit.attributes(SynchronizationScope=3))
    queues.read()
    queues.kit.lab.run()
    assert levels == [2, -1, 2]


def test_a_deleted_queue_cancels_what_waits(queues: Queues) -> None:
    """RULE-42."""
    manual = queues.queue(MANUAL)
    queues.queue(default=True, EvtIoRead=lambda request: queues.wdk.WdfRequestForwardToIoQueue(request, manual))
    answer = queues.read()
    queues.wdk.WdfObjectDelete(manual)
    assert name_of(answer.status) == "STATUS_CANCELLED"
