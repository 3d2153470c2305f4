"""Whatever is called in whatever order: every IRP completes exactly once, bytes arrive once and in order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wsklab.wsk import scene

WAYS = ("pending", "inline", "early")
FUNCTIONS = ("WskSend", "WskReceive", "WskDisconnect", "WskCloseSocket", "WskSendTo", "WskReceiveFrom")

steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.binary(max_size=9)),
        st.tuples(st.just("receive"), st.integers(1, 9), st.sampled_from([0, 2])),
        st.tuples(st.just("peer sends"), st.binary(min_size=1, max_size=9)),
        st.tuples(st.sampled_from(["peer closes", "peer resets", "peer reads", "run", "tick", "disconnect", "abort"])),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
    ),
    max_size=12,
)
ways = st.fixed_dictionaries({name: st.sampled_from(WAYS) for name in FUNCTIONS[:4]})
extras = st.fixed_dictionaries(
    {
        "TCP segments": st.sampled_from(["one", "two"]),
        "completion IRQL": st.sampled_from(["DISPATCH_LEVEL", "PASSIVE_LEVEL"]),
        "inline completion": st.sampled_from(["before the return", "after the return"]),
    }
)


def play(driver: Any, socket: int, peer: Any, plan: Any) -> tuple[list[Any], bytes, bytes, bytes]:
    """Play a plan; the calls made, what was asked to be sent, what the peer sent, what was received."""
    from wsklab.io.completion import cancel

    calls: list[Any] = []
    receives: list[Any] = []
    asked = peer_sent = b""
    for name, *arguments in plan:
        if name == "send":
            call = driver.send(socket, arguments[0])
            calls.append(call)
            # A send that fails inside the call because the peer resets has reached the peer.
            asked += arguments[0] if call.returned in ("STATUS_SUCCESS", "STATUS_PENDING", "STATUS_CONNECTION_RESET") else b""
        elif name == "receive":
            receives.append(driver.receive(socket, *arguments))
            calls.append(receives[-1][0])
        elif name == "peer sends":
            peer_sent += b"" if peer.end.closed else arguments[0]
            if not peer.end.closed:
                peer.send(arguments[0])
        elif name in ("disconnect", "abort"):
            calls.append(driver.call("WskDisconnect", socket, 0, int(name == "abort")))
        elif name == "cancel":
            open_calls = [call for call in calls if not call.times]
            if arguments[0] < len(open_calls):
                cancel(driver.m, open_calls[arguments[0]].irp)
        elif name in ("run", "tick"):
            driver.run(None if name == "run" else 1)
        elif not (name == "peer closes" and peer.end.closed):
            {"peer closes": peer.close, "peer resets": peer.reset, "peer reads": peer.read}[name]()
    calls.append(driver.close(socket))
    driver.run()
    got = b"".join(scene.content_of(driver.m, buffer, call.result[1]) for call, buffer in receives if call.result)
    return calls, asked, peer_sent, got


@settings(max_examples=200, deadline=None)
@given(plan=steps, choices=st.tuples(ways, extras), behaviour=st.sampled_from(["reads", "silent", "slow", "echoes", "resets"]))
def test_any_sequence_on_a_connection(make_driver: Any, plan: Any, choices: Any, behaviour: str) -> None:
    driver = make_driver(choices={**choices[0], **choices[1]}, trace=False)
    socket = scene.connected(driver.m, behaviour)
    peer = scene.peer_of(driver.m, socket)
    calls, asked, peer_sent, got = play(driver, socket, peer, plan)
    assert [call.times for call in calls] == [1] * len(calls)
    assert asked.startswith(peer.received) or "cancel" in repr(plan)
    if behaviour != "echoes":
        assert peer_sent.startswith(got)
    assert not driver.m.block_at(socket).live


datagram_steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.binary(max_size=9)),
        st.tuples(st.just("receive"), st.integers(0, 9)),
        st.tuples(st.just("host sends"), st.binary(max_size=9)),
        st.tuples(st.sampled_from(["run", "tick"])),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(plan=datagram_steps, way=st.sampled_from(WAYS), lost=st.sampled_from(["arrives", "is lost"]))
def test_any_sequence_on_a_datagram_socket(make_driver: Any, plan: Any, way: str, lost: str) -> None:
    driver = make_driver(choices={"WskSendTo": way, "WskReceiveFrom": way, "datagram": lost}, trace=False)
    socket = scene.datagram(driver.m)
    host = scene.network(driver.m).host("10.0.0.2")
    calls, sent, came, pairs = [], [], [], []
    for name, *arguments in plan:
        if name == "send":
            calls.append(driver.send_to(socket, arguments[0], "10.0.0.2:7"))
            sent.append(arguments[0])
        elif name == "receive":
            pairs.append((arguments[0], *driver.receive_from(socket, arguments[0])))
        elif name == "host sends":
            host.send(arguments[0], "10.0.0.1:5000")
            came.append(arguments[0])
        else:
            driver.run(None if name == "run" else 1)
    driver.run()
    calls += [call for _, call, _ in pairs] + [driver.close(socket)]
    driver.run()
    assert [call.times for call in calls] == [1] * len(calls)
    arrived = lost == "arrives"
    assert [d.content for d in host.datagrams] == (sent if arrived else [])
    got = [scene.content_of(driver.m, buffer, call.result[1]) for _, call, buffer in pairs if call.result[0] == "STATUS_SUCCESS"]
    expected = [content[:size] for content, (size, _, _) in zip(came, pairs, strict=False)] if arrived else []
    assert got == expected
