"""WskReceive, WskDisconnect and WskCloseSocket. Facts WSK-RECV, WSK-DISC, WSK-CLOSE."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.io.completion import cancel
from wsklab.machine import Stop
from wsklab.wsk import scene
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
SUCCESS, PENDING = "STATUS_SUCCESS", "STATUS_PENDING"
WAITALL, DRAIN, ABORTIVE = 2, 4, 1


def received(driver: Any, pair: Any) -> bytes | None:
    call, buffer = pair
    return scene.content_of(driver.m, buffer, call.result[1]) if call.result else None


# Receiving


def test_a_receive_waits_for_data_and_takes_what_there_is(driver: Any) -> None:
    """WSK-RECV-02."""
    socket = scene.connected(driver.m)
    first = driver.receive(socket, 100)
    assert (first[0].returned, first[0].result) == (PENDING, None)
    scene.peer_of(driver.m, socket).send(b"hello")
    driver.run()
    assert (first[0].result, received(driver, first)) == ((SUCCESS, 5), b"hello")


def test_queued_receives_are_filled_in_call_order(driver: Any) -> None:
    """WSK-RECV-11, WSK-RECV-14: a stream has no message boundaries."""
    socket = scene.connected(driver.m)
    pairs = [driver.receive(socket, size) for size in (3, 4, 100)]
    scene.peer_of(driver.m, socket).send(b"abcdefghij")
    driver.run()
    assert [received(driver, pair) for pair in pairs] == [b"abc", b"defg", b"hij"]


def test_one_send_can_arrive_in_two_pieces(driver: Any) -> None:
    """WSK-RECV-14."""
    socket = scene.connected(driver.m)
    driver.m.choices["TCP segments"] = "two"
    pairs = [driver.receive(socket, 100), driver.receive(socket, 100)]
    scene.peer_of(driver.m, socket).send(b"abcdef")
    driver.run()
    assert [received(driver, pair) for pair in pairs] == [b"abc", b"def"]


def test_data_that_came_before_the_receive_is_there(driver: Any) -> None:
    socket = scene.accepted(driver.m)
    scene.peer_of(driver.m, socket).send(b"early bird")
    driver.run()
    driver.m.choices["WskReceive"] = "inline"
    pair = driver.receive(socket, 5)
    assert (pair[0].returned, received(driver, pair)) == (SUCCESS, b"early")


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"ab", b"c", b"def")])
def test_waitall_fills_the_buffer(driver: Any, pieces: tuple[bytes, ...]) -> None:
    """WSK-RECV-04."""
    socket = scene.connected(driver.m)
    pair = driver.receive(socket, 6, WAITALL)
    for piece in pieces:
        assert pair[0].result is None
        scene.peer_of(driver.m, socket).send(piece)
        driver.run()
    assert received(driver, pair) == b"abcdef"


def test_waitall_ends_with_what_there_is_when_the_peer_finishes(driver: Any) -> None:
    """WSK-RECV-04."""
    socket = scene.connected(driver.m)
    pair = driver.receive(socket, 6, WAITALL)
    scene.peer_of(driver.m, socket).send(b"ab")
    scene.peer_of(driver.m, socket).close()
    driver.run()
    assert received(driver, pair) == b"ab"


def test_drain_discards_until_the_peer_finishes(driver: Any) -> None:
    """WSK-RECV-05, WSK-RECV-09."""
    socket = scene.connected(driver.m)
    call = driver.receive(socket, 0, DRAIN)[0]
    scene.peer_of(driver.m, socket).send(b"ignored")
    driver.run()
    assert call.result is None
    scene.peer_of(driver.m, socket).close()
    driver.run()
    assert call.result == (SUCCESS, 0)


@pytest.mark.parametrize(
    ("size", "flags", "status"),
    [(1, DRAIN, "bad argument"), (0, DRAIN | WAITALL, "bad argument"), (1, 8, "unknown flag")],
)
def test_flags_that_a_receive_refuses(driver: Any, size: int, flags: int, status: str) -> None:
    """WSK-RECV-05, WSK-RECV-06; the call is over and the next one works."""
    socket = scene.connected(driver.m)
    name = CHOSEN[status].status
    call = driver.receive(socket, size, flags)[0]
    assert (call.returned, call.result) == (name, (name, 0))
    assert driver.receive(socket, 1)[0].returned == PENDING


def test_success_with_no_bytes_is_the_end_of_the_stream(driver: Any) -> None:
    """WSK-RECV-03, WSK-RECV-12: all outstanding receives complete, and later ones too."""
    socket = scene.connected(driver.m)
    calls = [driver.receive(socket, 5)[0], driver.receive(socket, 5)[0]]
    scene.peer_of(driver.m, socket).close()
    driver.run()
    calls.append(driver.receive(socket, 5)[0])
    driver.run()
    assert [call.result for call in calls] == [(SUCCESS, 0)] * 3


def test_a_reset_fails_queued_receives(driver: Any) -> None:
    """WSK-RECV-13."""
    socket = scene.connected(driver.m)
    call = driver.receive(socket, 5)[0]
    scene.peer_of(driver.m, socket).reset()
    driver.run()
    assert call.result == (CHOSEN["reset"].status, 0)


def test_a_cancelled_receive_takes_no_bytes(driver: Any) -> None:
    """WSK-USE-26."""
    socket = scene.connected(driver.m)
    first, second = driver.receive(socket, 5), driver.receive(socket, 5)
    assert cancel(driver.m, first[0].irp)
    scene.peer_of(driver.m, socket).send(b"hello")
    driver.run()
    assert (first[0].result, received(driver, second)) == (("STATUS_CANCELLED", 0), b"hello")


def test_the_echo_of_a_send_comes_back(driver: Any) -> None:
    socket = scene.connected(driver.m, "echoes")
    pair = driver.receive(socket, 100)
    driver.send(socket, b"hello")
    driver.run()
    assert received(driver, pair) == b"hello"


# Disconnecting


def test_a_graceful_disconnect_sends_everything_first(driver: Any) -> None:
    """WSK-DISC-02, WSK-DISC-05: with a final buffer; receiving still works."""
    socket = scene.connected(driver.m)
    peer = scene.peer_of(driver.m, socket)
    sent = driver.send(socket, b"first ")
    call = driver.call("WskDisconnect", socket, scene.wsk_buf(driver.m, b"last"), 0)
    driver.run()
    assert (sent.result, call.result, peer.received, peer.finished) == ((SUCCESS, 6), (SUCCESS, 0), b"first last", True)
    pair = driver.receive(socket, 100)
    peer.send(b"still here")
    driver.run()
    assert received(driver, pair) == b"still here"


def test_after_a_graceful_disconnect_nothing_can_be_sent(driver: Any) -> None:
    """WSK-SEND-12."""
    socket = scene.connected(driver.m)
    driver.call("WskDisconnect", socket, 0, 0)
    call = driver.send(socket, b"x")
    assert call.returned == CHOSEN["wrong state"].status


def test_a_stuck_graceful_disconnect_is_ended_by_an_abortive_one(driver: Any) -> None:
    """WSK-DISC-06, WSK-DISC-07, WSK-DISC-03."""
    socket = scene.connected(driver.m, "silent")
    sent, waiting = driver.send(socket, b"x"), driver.receive(socket, 5)[0]
    stuck = driver.call("WskDisconnect", socket, 0, 0)
    driver.run()
    assert stuck.result is None
    driver.m.choices["WskDisconnect"] = "inline"
    call = driver.call("WskDisconnect", socket, 0, ABORTIVE)
    assert call.result == (SUCCESS, 0)
    driver.run()
    aborted = (CHOSEN["aborted"].status, 0)
    assert (sent.result, waiting.result, stuck.result) == (aborted, aborted, aborted)
    assert scene.peer_of(driver.m, socket).broken


def test_an_abortive_disconnect_takes_no_buffer(driver: Any) -> None:
    """WSK-DISC-04; the refused call leaves the socket as it was."""
    socket = scene.connected(driver.m)
    call = driver.call("WskDisconnect", socket, scene.wsk_buf(driver.m, b"x"), ABORTIVE)
    assert call.returned == CHOSEN["bad argument"].status
    driver.send(socket, b"fine")
    driver.run()
    assert scene.peer_of(driver.m, socket).received == b"fine"


# Closing


@pytest.mark.parametrize("way", ["inline", "pending", "early"])
def test_a_close_completes_everything_pending_before_itself(driver: Any, way: str) -> None:
    """WSK-CLOSE-05, WSK-CLOSE-07."""
    socket = scene.connected(driver.m, "silent")
    calls = [driver.send(socket, b"x"), driver.receive(socket, 5)[0], driver.receive(socket, 5)[0]]
    driver.m.choices["WskCloseSocket"] = way
    calls.append(driver.close(socket))
    driver.run()
    closed = (CHOSEN["closed"].status, 0)
    assert [call.result for call in calls] == [closed, closed, closed, (SUCCESS, 0)]
    assert driver.completed[-1] is calls[-1]
    assert not driver.m.block_at(socket).live


def test_a_close_is_abortive_unless_both_sides_are_done(driver: Any) -> None:
    """WSK-CLOSE-11."""
    for graceful in (False, True):
        socket = scene.connected(driver.m, remote=f"10.0.0.2:{80 + graceful}")
        peer = scene.peer_of(driver.m, socket)
        if graceful:
            driver.call("WskDisconnect", socket, 0, 0)
            peer.close()
            driver.run()
        driver.close(socket)
        driver.run()
        assert peer.broken != graceful


def test_an_accepted_socket_lives_on_when_its_listener_is_closed(driver: Any) -> None:
    """WSK-ACC-12."""
    listener = scene.listener(driver.m)
    socket = scene.accepted(driver.m)
    queued = driver.call("WskAccept", listener, 0, 0, 0, 0, 0)
    driver.close(listener)
    driver.send(socket, b"alive")
    driver.run()
    assert (queued.result, scene.peer_of(driver.m, socket).received) == ((CHOSEN["closed"].status, 0), b"alive")


def test_the_socket_is_gone_after_the_close(driver: Any) -> None:
    """WSK-CLOSE-10: its dispatch pointer is freed memory."""
    socket = scene.connected(driver.m)
    driver.close(socket)
    with pytest.raises(Stop) as stop:
        driver.m.u64(socket)
    assert stop.value.rule.id == "use-after-free"


def test_a_cancelled_waitall_receive_takes_no_bytes(driver: Any) -> None:
    """What had arrived for it goes to the next receive, in order (WSK-RECV-04, WSK-RECV-11)."""
    socket = scene.connected(driver.m)
    peer = scene.peer_of(driver.m, socket)
    first, second = scene.wsk_buf(driver.m, bytes(2)), scene.wsk_buf(driver.m, bytes(2))
    waiting = driver.call("WskReceive", socket, first, driver.m.constant("WSK_FLAG_WAITALL"))
    peer.send(b"a")
    driver.run()
    cancel(driver.m, waiting.irp)
    driver.run()
    peer.send(b"b")
    driver.run()
    call = driver.call("WskReceive", socket, second, 0)
    driver.run()
    assert waiting.result == ("STATUS_CANCELLED", 0)
    assert scene.content_of(driver.m, second, call.result[1]) == b"ab"


def test_receives_complete_in_order_whatever_way_each_takes(driver: Any) -> None:
    """WSK-RECV-11: the first is decided and completes from a DPC, the second inside its call."""
    socket = scene.connected(driver.m)
    scene.peer_of(driver.m, socket).send(b"abcd")
    driver.run()
    driver.m.choices.once("WskReceive", "pending", "early")
    calls = [driver.receive(socket, 2)[0] for _ in range(2)]
    assert driver.completed == calls
    driver.run()
    assert [call.times for call in calls] == [1, 1]


def test_a_close_between_two_completions_of_one_moment(driver: Any) -> None:
    """WSK-CLOSE-05: what is decided completes as decided, once."""
    socket = scene.connected(driver.m)
    calls = [driver.receive(socket, 2)[0] for _ in range(2)]
    driver.then = lambda call: driver.close(socket) if call is calls[0] else None
    driver.m.choices.once("completion IRQL", "PASSIVE_LEVEL", "DISPATCH_LEVEL")
    scene.peer_of(driver.m, socket).send(b"abcd")
    driver.run()
    assert driver.completed[:2] == calls
    assert [(call.result, call.times) for call in calls] == [((SUCCESS, 2), 1)] * 2
