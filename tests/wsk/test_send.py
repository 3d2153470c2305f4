"""WskSend on connected and accepted sockets. Facts WSK-SEND, WSK-USE, WSK-STR."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine import Stop
from wsklab.wsk import scene
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
SUCCESS, PENDING = "STATUS_SUCCESS", "STATUS_PENDING"
DONE = (SUCCESS, 5)

# way, what the call returned, result before the call returned, result at the end. WSK-USE-05, WSK-SEND-06
WAYS = [
    ("pending", PENDING, None, DONE),
    ("inline", SUCCESS, DONE, DONE),
    ("early", PENDING, DONE, DONE),
]


@pytest.mark.parametrize("make", [scene.connected, scene.accepted])
@pytest.mark.parametrize(("way", "returned", "inside", "result"), WAYS)
def test_each_way_a_send_can_go(driver: Any, make: Any, way: str, returned: str, inside: Any, result: Any) -> None:
    socket = make(driver.m)
    driver.m.choices["WskSend"] = way
    call = driver.send(socket, b"hello")
    assert (call.returned, call.result) == (returned, inside)
    driver.run()
    assert (call.result, call.times, scene.peer_of(driver.m, socket).received) == (result, 1, b"hello")


# peer, result of a pending send. WSK-SEND-12, WSK-DEV-03, WSK-DEV-04
PEERS = [
    ("reads", DONE),
    ("echoes", DONE),
    ("slow", DONE),
    ("closed", DONE),  # a peer that has finished sending still reads
    ("resets", (CHOSEN["reset"].status, 0)),
    ("silent", None),  # nothing is buffered: not acknowledged, not complete (WSK-SEND-07)
]


@pytest.mark.parametrize(("peer", "result"), PEERS)
@pytest.mark.parametrize("way", ["pending", "inline", "early"])
def test_what_the_peer_makes_of_a_send(driver: Any, peer: str, result: Any, way: str) -> None:
    socket = scene.connected(driver.m, peer)
    driver.run()
    driver.m.choices["WskSend"] = way
    call = driver.send(socket, b"hello")
    driver.run()
    assert call.result == result


def test_a_failing_send_can_fail_inside_the_call(driver: Any) -> None:
    socket = scene.connected(driver.m, "resets")
    driver.m.choices["WskSend"] = "inline"
    call = driver.send(socket, b"hello")
    assert (call.returned, call.result) == (CHOSEN["reset"].status, (CHOSEN["reset"].status, 0))


def test_after_a_reset_the_socket_is_dead(driver: Any) -> None:
    socket = scene.connected(driver.m)
    scene.peer_of(driver.m, socket).reset()
    driver.run()
    call = driver.send(socket, b"hello")
    assert (call.returned, call.result) == ("STATUS_FILE_FORCED_CLOSED", ("STATUS_FILE_FORCED_CLOSED", 0))


def test_a_dead_transport_forces_the_socket_closed(driver: Any) -> None:
    """WSK-SEND-05, WSK-CTL-08: the IRP is completed all the same."""
    socket = scene.connected(driver.m)
    waiting = driver.receive(socket, 5)[0]
    scene.kill(driver.m, socket)
    call = driver.send(socket, b"hello")
    assert (call.returned, call.result) == ("STATUS_FILE_FORCED_CLOSED", ("STATUS_FILE_FORCED_CLOSED", 0))
    driver.run()
    assert waiting.result == ("STATUS_FILE_FORCED_CLOSED", 0)


def test_the_completion_routine_may_run_after_an_inline_return(driver: Any) -> None:
    """WSK-USE-03, WSK-GAP-01."""
    socket = scene.connected(driver.m)
    driver.m.choices.update({"WskSend": "inline", "inline completion": "after the return"})
    call = driver.send(socket, b"hello")
    assert (call.returned, call.result) == (SUCCESS, None)
    driver.run()
    assert call.result == DONE


@pytest.mark.parametrize(("level", "irql"), [("DISPATCH_LEVEL", 2), ("PASSIVE_LEVEL", 0)])
def test_the_irql_of_the_completion_is_a_choice(driver: Any, level: str, irql: int) -> None:
    """WSK-IRQL-04."""
    socket = scene.connected(driver.m)
    driver.m.choices["completion IRQL"] = level
    call = driver.send(socket, b"hello")
    driver.run()
    assert (call.result, call.irql) == (DONE, irql)


def test_a_chain_of_mdls_is_sent_whole(driver: Any) -> None:
    """WSK-STR-01."""
    socket = scene.connected(driver.m)
    buffer = scene.wsk_buf(driver.m, b"a chain of three", chain=3)
    view = driver.m.view(buffer, "WSK_BUF")
    view.Offset, view.Length = 2, 10
    call = driver.call("WskSend", socket, buffer, 0)
    driver.run()
    assert (call.result, scene.peer_of(driver.m, socket).received) == ((SUCCESS, 10), b"chain of t")


def test_the_wsk_buf_may_die_when_the_call_returns(driver: Any) -> None:
    """WSK-USE-19, WSK-USE-20."""
    socket = scene.connected(driver.m)
    buffer = scene.wsk_buf(driver.m, b"hello")
    call = driver.call("WskSend", socket, buffer, 0)
    driver.m.free(buffer)
    driver.run()
    assert call.result == DONE


def test_sends_go_out_in_call_order_and_complete_in_it(driver: Any) -> None:
    """WSK-SEND-10, WSK-USE-23."""
    socket = scene.connected(driver.m)
    calls = [driver.send(socket, word) for word in (b"one ", b"two ", b"three")]
    driver.run()
    assert scene.peer_of(driver.m, socket).received == b"one two three"
    assert driver.completed == calls


def test_an_unknown_flag_is_not_supported(driver: Any) -> None:
    """WSK-SEND-04; 2 is WSK_FLAG_NODELAY."""
    socket = scene.connected(driver.m)
    driver.m.choices["WskSend"] = "inline"
    assert driver.send(socket, b"x", flags=2).returned == SUCCESS
    refused = driver.send(socket, b"x", flags=8)
    assert (refused.returned, refused.result) == ("STATUS_NOT_SUPPORTED", ("STATUS_NOT_SUPPORTED", 0))


def test_a_send_of_nothing(driver: Any) -> None:
    """WSK-STR-01: no MDL when the length is 0."""
    socket = scene.connected(driver.m)
    call = driver.call("WskSend", socket, driver.m.new("WSK_BUF"), 0)
    driver.run()
    assert call.result == (SUCCESS, 0)


# WSK-STR-01 to WSK-STR-04: member changes and the rule they break
BUFFERS = [
    ({"Length": 6}, "wsk-buffer-length"),
    ({"Offset": 5, "Length": 1}, "wsk-buffer-offset"),
    ({"Offset": 1}, "wsk-buffer-length"),
    ({"Mdl": 0}, "wsk-buffer-no-mdl"),
]


@pytest.mark.parametrize(("changes", "rule"), BUFFERS)
def test_a_wsk_buf_that_does_not_fit_its_mdls(driver: Any, changes: dict[str, int], rule: str) -> None:
    socket = scene.connected(driver.m)
    buffer = scene.wsk_buf(driver.m, b"hello")
    for member, value in changes.items():
        setattr(driver.m.view(buffer, "WSK_BUF"), member, value)
    with pytest.raises(Stop) as stop:
        driver.call("WskSend", socket, buffer, 0)
    assert stop.value.rule.id == rule


def test_an_mdl_must_be_built_or_locked(driver: Any) -> None:
    """WSK-STR-03."""
    socket = scene.connected(driver.m)
    buffer = scene.wsk_buf(driver.m, b"hello")
    driver.m.view(driver.m.u64(buffer), "MDL").MdlFlags = 0
    with pytest.raises(Stop) as stop:
        driver.call("WskSend", socket, buffer, 0)
    assert stop.value.rule.id == "wsk-buffer-not-locked"


def test_the_buffer_must_live_until_the_send_completes(driver: Any) -> None:
    """WSK-SEND-08."""
    for moment in (0, 1):
        socket = scene.connected(driver.m, remote=f"10.0.0.2:{80 + moment}")
        buffer = scene.wsk_buf(driver.m, b"hello")
        memory = driver.m.view(driver.m.u64(buffer), "MDL").MappedSystemVa
        driver.call("WskSend", socket, buffer, 0)
        if moment:
            driver.run(1)
        driver.m.free(int(memory))
        with pytest.raises(Stop) as stop:
            driver.run()
        assert stop.value.rule.id == "wsk-buffer-freed"


def test_the_data_must_not_change_while_it_is_sent(driver: Any) -> None:
    """WSK-SEND-09."""
    socket = scene.connected(driver.m)
    buffer = scene.wsk_buf(driver.m, b"hello")
    driver.call("WskSend", socket, buffer, 0)
    driver.run(1)
    driver.m.write(int(driver.m.view(driver.m.u64(buffer), "MDL").MappedSystemVa), b"HELLO")
    with pytest.raises(Stop) as stop:
        driver.run()
    assert stop.value.rule.id == "wsk-buffer-changed"


def test_a_send_can_be_cancelled(driver: Any) -> None:
    """WSK-USE-26, WSK-USE-27, WSK-USE-29: before and after the bytes are on the wire."""
    from wsklab.io.completion import cancel

    socket = scene.connected(driver.m, "silent")
    late = driver.send(socket, b"late")
    driver.run()
    early = driver.send(socket, b"early")
    assert cancel(driver.m, early.irp) and cancel(driver.m, late.irp)
    assert (early.result, late.result) == (("STATUS_CANCELLED", 0), ("STATUS_CANCELLED", 0))
    driver.run()
    assert (scene.peer_of(driver.m, socket).received, early.times, late.times) == (b"late", 1, 1)


def test_the_run_of_a_pending_send_as_the_trace_tells_it(driver: Any) -> None:
    socket = scene.connected(driver.m)
    start = len(driver.m.trace)
    driver.send(socket, b"hello")
    driver.run()
    story = [
        (event.time, event.irql, event.kind, event.name, event.actor, event.target)
        for event in driver.m.trace.events[start:]
        if event.kind not in ("allocate", "free")
    ]
    assert story == [
        (0, 0, "call", "WskSend", "driver", "wsk"),
        (0, 0, "hand-over", "IRP", "driver", "wsk"),
        (0, 0, "message", "send", "wsk", "transport"),
        (0, 0, "return", "WskSend", "wsk", "driver"),
        (0, 2, "message", "data", "transport", "peer"),
        (10_000, 2, "message", "ACK", "peer", "transport"),
        (20_000, 2, "complete", "IRP", "wsk", None),
        (20_000, 2, "routine-returned", "routine", "driver", "wsk"),
    ]


@pytest.mark.parametrize("way", ["pending", "inline", "early"])
def test_an_irp_handed_down_by_somebody_else_travels_up(driver: Any, way: str) -> None:
    """WSK-USE-07 (c), WSK-USE-13: no completion routine needed, the maker gets it back."""
    from wsklab.io import irp as irps

    socket, ended = scene.connected(driver.m), []
    driver.m.choices["WskSend"] = way
    irp = irps.build(driver.m, 2, lambda irp, status, information: ended.append((status, information)), maker="app")
    irps.hand_over(driver.m, irp, "driver", by="app")
    driver.m.api("WskSend")(socket, scene.wsk_buf(driver.m, b"hello"), 0, irp)
    driver.run()
    assert ended == [(0, 5)]


def test_a_chain_that_leads_back_to_itself_holds_its_bytes_once() -> None:
    """A ring of MDLs with an endless length is a length that does not fit, and no endless walk (WSK-STR-04)."""
    from wsklab import Lab, Stop

    lab = Lab()
    buffer = lab.buffer(b"four")
    buffer.Mdl.Next = buffer.Mdl
    buffer.Length = (1 << 64) - 1
    driver = lab.load(
        "NTSTATUS Send(PWSK_SOCKET Socket, PWSK_BUF Buffer, PIRP Irp)"
        "{ return ((PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch)->WskSend(Socket, Buffer, 0, Irp); }"
    )
    irp = lab.wdk.IoAllocateIrp(1, False)
    lab.wdk.IoSetCompletionRoutine(irp, lab.routine(lambda device, irp, context: 0), None, True, True, True)
    with pytest.raises(Stop) as stop:
        driver.Send(lab.connected_socket(), buffer, irp)
    assert (stop.value.rule.id, stop.value.values["size"]) == ("wsk-buffer-length", 4)
