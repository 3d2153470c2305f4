"""What a driver gets to see on either network: the same calls, the same statuses. The loopback network uses real sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wsklab.machine import Machine
from wsklab.net import Address, Peer
from wsklab.net.loopback import Loopback
from wsklab.net.network import FREE_PORTS, Network
from wsklab.wsk import scene
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import tables


def chosen(what: str) -> str:
    """The status that the table of chosen ones gives."""
    status: str = tables().chosen[what].status
    return status


@pytest.fixture(params=["simulated", "loopback"])
def both(request: pytest.FixtureRequest, make_driver: Any) -> Iterator[Any]:
    driver = make_driver()
    if request.param == "loopback":
        Loopback(driver.m)
    yield driver
    scene.network(driver.m).close()


def settle(driver: Any, until: Callable[[], object]) -> None:
    """Run until something is so; the tests say afterwards whether it is."""
    for _ in range(100):
        driver.run()
        if until():
            return


def local_of(m: Machine, address: int) -> Address:
    found = subsystem(m).sockets[address].local
    assert found
    return found


def test_bytes_go_and_come_back(both: Any) -> None:
    connection = scene.connected(both.m, "echoes")
    receive, buffer = both.receive(connection, 5, flags=2)  # WSK_FLAG_WAITALL
    send = both.send(connection, b"hello")
    settle(both, lambda: receive.result and send.result)
    assert (send.result, receive.result) == (("STATUS_SUCCESS", 5), ("STATUS_SUCCESS", 5))
    assert scene.content_of(both.m, buffer) == b"hello"


def test_a_megabyte_through_a_small_buffer(both: Any) -> None:
    connection = scene.connected(both.m, "echoes")
    content = bytes(range(256)) * 4_096
    send, got = both.send(connection, content), b""
    for _ in range(10_000):
        receive, buffer = both.receive(connection, 10_000)
        settle(both, lambda receive=receive: receive.result)
        got += scene.content_of(both.m, buffer, receive.result[1])
        if len(got) == len(content):
            break
    assert (send.result, got == content) == (("STATUS_SUCCESS", len(content)), True)


def test_the_end_of_the_stream_is_a_receive_without_bytes(both: Any) -> None:
    connection = scene.connected(both.m, "closed")
    receive, _ = both.receive(connection, 10)
    settle(both, lambda: receive.result)
    assert receive.result == ("STATUS_SUCCESS", 0)
    send = both.send(connection, b"the other direction is open")
    settle(both, lambda: send.result)
    assert send.result == ("STATUS_SUCCESS", 27)


def test_a_graceful_disconnect_leaves_the_other_direction_open(both: Any) -> None:
    connection = scene.connected(both.m)
    peer = scene.peer_of(both.m, connection)
    disconnect = both.call("WskDisconnect", connection, 0, 0)
    settle(both, lambda: disconnect.result and peer.finished)
    peer.send(b"later")
    receive, buffer = both.receive(connection, 5)
    settle(both, lambda: receive.result)
    assert (disconnect.result, receive.result) == (("STATUS_SUCCESS", 0), ("STATUS_SUCCESS", 5))
    assert scene.content_of(both.m, buffer) == b"later"


def test_a_reset_ends_what_is_queued_and_what_comes_after(both: Any) -> None:
    connection = scene.connected(both.m)
    receive, _ = both.receive(connection, 10)
    scene.peer_of(both.m, connection).reset()
    settle(both, lambda: receive.result)
    send = both.send(connection, b"too late")
    settle(both, lambda: send.result)
    assert (receive.result, send.result) == ((chosen("reset"), 0), (chosen("after a break"), 0))


def test_an_abortive_disconnect_resets_the_peer(both: Any) -> None:
    connection = scene.connected(both.m)
    peer = scene.peer_of(both.m, connection)
    disconnect = both.call("WskDisconnect", connection, 0, 1)
    settle(both, lambda: disconnect.result and peer.broken)
    assert (disconnect.result, peer.broken) == (("STATUS_SUCCESS", 0), True)


def test_closing_ends_what_is_pending(both: Any) -> None:
    connection = scene.connected(both.m, "silent")
    receive, _ = both.receive(connection, 10)
    close = both.close(connection)
    settle(both, lambda: close.result)
    assert (receive.result, close.result) == ((chosen("closed"), 0), ("STATUS_SUCCESS", 0))
    assert [call.times for call in both.completed] == [1, 1]


def connect(driver: Any, to: str) -> Any:
    """WskBind to any address of the family, then WskConnect."""
    with scene._scene(driver.m) as wsk:
        made = scene._socket(wsk, "connection", wsk.network.here, bind=False).address
    bind = driver.call("WskBind", made, scene.sockaddr(driver.m, "0.0.0.0:0"), 0)
    settle(driver, lambda: bind.result)
    assert bind.result == ("STATUS_SUCCESS", 0)
    call = driver.call("WskConnect", made, scene.sockaddr(driver.m, to), 0)
    settle(driver, lambda: call.result)
    return made, call


def test_a_refused_connection_can_be_asked_for_again(both: Any) -> None:
    network = scene.network(both.m)
    peer = network.peer(network.there, "refuses")
    made, call = connect(both, str(peer.address))
    assert call.result == (chosen("connect refused"), 0)
    port = local_of(both.m, made).port
    if not isinstance(network, Loopback):
        peer.behaviour = "reads"
    else:
        network.hand_on("listeners", peer.address, peer)
        peer = network.peer(str(peer.address))
    again = both.call("WskConnect", made, scene.sockaddr(both.m, str(peer.address)), 0)
    settle(both, lambda: again.result and peer.ends)
    assert (again.result, peer.end.remote.port) == (("STATUS_SUCCESS", 0), port)


def test_accepting(both: Any) -> None:
    listening = scene.listener(both.m)
    address = local_of(both.m, listening)
    storage = scene.sockaddr(both.m, "0.0.0.0:0"), scene.sockaddr(both.m, "0.0.0.0:0")
    accept = both.call("WskAccept", listening, 0, 0, 0, *storage)
    network = scene.network(both.m)
    peer = type(network.peer(network.there))(network, Address.parse(network.caller), "reads")
    peer.connect(address)
    settle(both, lambda: accept.result and peer.ends)
    assert accept.result and accept.result[0] == "STATUS_SUCCESS"
    ports = [int.from_bytes(both.m.read(place + 2, 2), "big") for place in storage]
    assert ports == [address.port, peer.end.local.port]
    send = both.send(accept.result[1], b"welcome")
    settle(both, lambda: peer.received)
    assert (send.result, peer.received) == (("STATUS_SUCCESS", 7), b"welcome")


@pytest.mark.parametrize("family", [2, 23])
def test_datagrams(both: Any, family: int) -> None:
    made = scene.datagram(both.m, family=family)
    network = scene.network(both.m)
    here = "127.0.0.1:0" if family == 2 else "[::1]:0"
    host = network.host(here if isinstance(network, Loopback) else "10.0.0.2" if family == 2 else "fd00::2")
    host.echoes = True
    there = host.address if host.address.port else host.address.at(7)
    remote = scene.sockaddr(both.m, str(there.at(1)))
    receive, buffer = both.receive_from(made, 3, remote)
    send = both.send_to(made, b"ping", str(there))
    settle(both, lambda: receive.result and send.result)
    assert (send.result, receive.result) == (("STATUS_SUCCESS", 4), ("STATUS_SUCCESS", 3))
    assert scene.content_of(both.m, buffer) == b"pin"
    assert int.from_bytes(both.m.read(remote + 2, 2), "big") == there.port
    assert host.datagrams == [(b"ping", str(local_of(both.m, made)), str(there))]


# Callbacks

RECEIVE, DISCONNECT, RECEIVE_FROM, ACCEPT = 0x40, 0x80, 0x100, 0x200


def reach(driver: Any, address: Address) -> Peer:
    """A peer that connects to the driver's side."""
    network = scene.network(driver.m)
    network.peer(network.there)  # so that the simulated network has its host
    peer = Peer(network, Address.parse(network.caller), "reads")
    peer.connect(address)
    return peer


def listening(driver: Any, category: str = "listening", **callbacks: Any) -> Address:
    """A socket of a client with callbacks, bound and listening; its address."""
    table = driver.callbacks("WSK_CLIENT_LISTEN_DISPATCH", **callbacks) if callbacks else 0
    driver.made = driver.socket(category, 0x11, table)
    driver.bind(driver.made, scene.network(driver.m).served)
    return local_of(driver.m, driver.made)


def test_accept_receive_and_disconnect_events(both: Any) -> None:
    """WskReceiveEvent takes three of five bytes; WskReceive takes the rest, and then indications go on."""
    told: list[Any] = []

    def accepted(context: int, flags: int, local: int, remote: int, socket: int, out_context: int, out_table: int) -> int:
        told.append("accept")
        both.m.set_u64(out_context, socket)
        both.m.set_u64(out_table, connection)
        return 0

    def received(context: int, flags: int, head: int, length: int, taken: int) -> int:
        told.append(b"".join(both.indicated(head)))
        if told[-1] == b"hello":
            both.m.set_u64(taken, 3)
            told.append(context)
        return 0

    def disconnected(context: int, flags: int) -> int:
        told.append("disconnect")
        return 0

    both.register()
    connection = both.callbacks("WSK_CLIENT_CONNECTION_DISPATCH", WskReceiveEvent=received, WskDisconnectEvent=disconnected)
    assert both.for_all(ACCEPT | RECEIVE | DISCONNECT) == "STATUS_SUCCESS"
    peer = reach(both, listening(both, WskAcceptEvent=accepted))
    settle(both, lambda: peer.ends)
    peer.send(b"hello")
    settle(both, lambda: len(told) == 3)
    assert told[:2] == ["accept", b"hello"]
    receive, buffer = both.receive(told[2], 10)
    settle(both, lambda: receive.result)
    assert (receive.result, scene.content_of(both.m, buffer, 2)) == (("STATUS_SUCCESS", 2), b"lo")
    peer.send(b"again")
    peer.close()
    settle(both, lambda: told[-1] == "disconnect")
    assert told[3:] == [b"again", "disconnect"]


@pytest.mark.parametrize(("action", "later"), [(1, None), (0, None), (2, 1), (2, 0)])
def test_conditional_accept(both: Any, action: int, later: int | None) -> None:
    """Accept and reject, at once and later; on the loopback network the system has answered the client before."""
    ids: list[int] = []

    def inspect(context: int, local: int, remote: int, inspect_id: int) -> int:
        ids.append(copy := both.m.allocate(16))
        both.m.memory.copy(copy, inspect_id, 16)
        return action

    both.register()
    table = both.callbacks("WSK_CLIENT_LISTEN_DISPATCH", WskInspectEvent=inspect, WskAbortEvent=lambda *_: 0)
    made, on = both.socket("listening", 0x11, table), both.m.allocate(4)
    both.m.set_u32(on, 1)
    assert both.call("WskControlSocket", made, 0, 0x3002, 0xFFFF, 4, on, 0, 0, 0).result == ("STATUS_SUCCESS", 0)
    both.bind(made, scene.network(both.m).served)
    accept = both.call("WskAccept", made, 0, 0, 0, 0, 0)
    peer = reach(both, local_of(both.m, made))
    for _ in range(100):
        both.run(20)
        if ids:
            break
    if later is not None:
        both.call("WskInspectComplete", made, ids[0], later)
    wanted = bool(later if later is not None else action)
    for _ in range(100):
        both.run(20)
        if accept.result or (peer.ends and peer.broken):
            break
    assert (accept.result is not None, bool(peer.ends) and not peer.broken) == (wanted, wanted)


def test_a_stream_socket_listens(both: Any) -> None:
    both.register()
    address = listening(both, "stream")
    listen = both.call("WskListen", both.made)
    settle(both, lambda: listen.result)
    accept = both.call("WskAccept", both.made, 0, 0, 0, 0, 0)
    peer = reach(both, address)
    settle(both, lambda: accept.result)
    send = both.send(accept.result[1], b"hello")
    settle(both, lambda: peer.received)
    assert (listen.result, send.result, peer.received) == (("STATUS_SUCCESS", 0), ("STATUS_SUCCESS", 5), b"hello")


def test_datagrams_are_indicated(both: Any) -> None:
    told: list[list[bytes]] = []

    def received(context: int, flags: int, head: int) -> int:
        told.append(both.indicated(head, "WSK_DATAGRAM_INDICATION"))
        return 0

    both.register()
    table = both.callbacks("WSK_CLIENT_DATAGRAM_DISPATCH", WskReceiveFromEvent=received)
    network = scene.network(both.m)
    made = both.socket("datagram", 0x11, table)
    both.bind(made, network.here)
    assert both.switch(made, RECEIVE_FROM) == "STATUS_SUCCESS"
    host = network.host("127.0.0.1:0" if isinstance(network, Loopback) else "10.0.0.2")
    for content in (b"one", b"two"):
        host.send(content, str(local_of(both.m, made)))
    settle(both, lambda: sum(told, []) == [b"one", b"two"])
    assert sum(told, []) == [b"one", b"two"]


# What only real sockets can do


@pytest.fixture
def loopback(make_driver: Any) -> Iterator[Any]:
    driver = make_driver()
    Loopback(driver.m)
    yield driver
    scene.network(driver.m).close()


@pytest.mark.parametrize(
    ("local", "status"),
    [
        ("127.0.0.1:{port}", "STATUS_ADDRESS_ALREADY_EXISTS"),
        ("0.0.0.0:{port}", "STATUS_ADDRESS_ALREADY_EXISTS"),
        ("10.0.0.1:80", "STATUS_INVALID_ADDRESS_COMPONENT"),
        ("127.0.0.2:80", "STATUS_INVALID_ADDRESS_COMPONENT"),
    ],
)
def test_addresses_that_cannot_be_had(loopback: Any, local: str, status: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, scene._scene(loopback.m) as wsk:
        made = scene._socket(wsk, "listening", "127.0.0.1:0", bind=False).address
        wanted = local.format(port=other.getsockname()[1])
        bind = loopback.call("WskBind", made, scene.sockaddr(loopback.m, wanted), 0)
        settle(loopback, lambda: bind.result)
    assert bind.result == (status, 0)


@pytest.mark.parametrize(
    ("local", "reached"), [("0.0.0.0:0", ["127.0.0.1"]), ("[::]:0", ["::1"]), ("dual", ["::1", "127.0.0.1"])]
)
def test_a_wildcard_is_bound_to_the_loopback_addresses(loopback: Any, local: str, reached: list[str]) -> None:
    told: list[Address] = []
    scene.network(loopback.m).announce = lambda kind, address: told.append(address)
    with scene._scene(loopback.m) as wsk:
        made = scene._socket(wsk, "listening", "[::]:0" if local == "dual" else local, bind=False)
    if local == "dual":
        made.options["IPV6_V6ONLY"] = 0
    bind = loopback.call("WskBind", made.address, scene.sockaddr(loopback.m, "[::]:0" if local == "dual" else local), 0)
    settle(loopback, lambda: bind.result)
    assert bind.result == ("STATUS_SUCCESS", 0)
    assert [str(address) for address in told] == [str(Address.parse(ip).at(made.local.port)) for ip in reached]
    for host in reached:
        accept = loopback.call("WskAccept", made.address, 0, 0, 0, 0, 0)
        with socket.create_connection((host, made.local.port), timeout=10):
            settle(loopback, lambda accept=accept: accept.result)
        assert accept.result[0] == "STATUS_SUCCESS"
    close = loopback.close(made.address)
    settle(loopback, lambda: close.result)
    # Not asked by connecting: another program may have been given the port by now.
    assert scene.network(loopback.m)._bound == {}


def test_a_host_that_is_not_this_machine_is_unreachable(loopback: Any) -> None:
    assert connect(loopback, "10.0.0.2:80")[1].result == (chosen("connect unreachable"), 0)


def test_nothing_is_sent_to_another_machine(loopback: Any) -> None:
    made = scene.datagram(loopback.m)
    send = loopback.send_to(made, b"ping", "10.0.0.2:7")
    settle(loopback, lambda: send.result)
    assert send.result == ("STATUS_SUCCESS", 4)
    reasons = [event.data["reason"] for event in loopback.m.trace if event.name == "dropped"]
    assert reasons == ["there is no such host"]


def test_two_machines_do_not_get_the_same_port(make_driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system would let two sockets that do not listen yet share a port; the second could never listen."""
    drivers = [make_driver(), make_driver()]
    monkeypatch.setattr(Network, "free_ports", lambda network: iter(FREE_PORTS))
    for driver in drivers:
        Loopback(driver.m)
        driver.register()
        listening(driver, "stream")
    for driver in drivers:
        assert driver.call("WskListen", driver.made).result == ("STATUS_SUCCESS", 0)
    for driver in drivers:
        scene.network(driver.m).close()
