"""The boundary that sockets use, one suite for both networks: connections, datagrams, peers, addresses that are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wsklab.machine import Machine
from wsklab.net import Address, Network, network_of
from wsklab.net.loopback import Loopback
from wsklab.net.network import CONNECTED, IN_USE, REFUSED, UNREACHABLE
from wsklab.net.tcp import ABORTED, SENT, End


class Owner:
    """A socket of the driver: it listens, connects and gets datagrams, and keeps what it is told."""

    dual_mode = False

    def __init__(self, network: Network) -> None:
        self.network = network
        self.log: list[Any] = []
        self.end: End | None = None

    def option(self, name: str) -> int:
        return 0

    def answers(self) -> str:
        return CONNECTED

    def connection_arrived(self, end: End) -> None:
        self.log.append("accepted")
        self.connected(CONNECTED, end)

    def connected(self, outcome: str, end: Any) -> None:
        self.log.append(outcome)
        if end:
            self.end, end.owner = end, self

    def data_arrived(self, end: End) -> None:
        self.log.append(end.take())

    def peer_finished(self, end: End) -> None:
        self.log.append("finished")

    def connection_broke(self, end: End) -> None:
        self.log.append("broke")

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        self.log.append((content, source, destination))


@pytest.fixture(params=["simulated", "loopback"])
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    machine = Machine(trace=False)
    if request.param == "loopback":
        Loopback(machine)
    yield network_of(machine)
    network_of(machine).close()


def run(network: Network, until: Callable[[], object] = lambda: True) -> None:
    """Let the machine become idle; again, on a machine so busy that what was sent is not there yet."""
    for _ in range(100):
        network.machine.run()
        if until():
            return


def opened(network: Network, table: str, owner: Owner, at: str = "") -> Address:
    """A free address of the machine, opened for `owner`."""
    for port in range(50_000, 60_000):
        address = Address.parse(at or network.here).at(port)
        if not network.open(table, address, owner):
            return address
    raise AssertionError("no port is free")


def connect(network: Network, behaviour: Any = "reads") -> tuple[Owner, Any]:
    peer, owner = network.peer(network.there, behaviour), Owner(network)
    network.connect(opened(network, "callers", owner), peer.address, owner, owner.connected)
    run(network, lambda: owner.log and (peer.ends or owner.log != [CONNECTED]))
    return owner, peer


def test_a_connection_carries_bytes_in_order(network: Network) -> None:
    owner, peer = connect(network, "echoes")
    outcomes: list[str] = []
    assert owner.end
    for content in (b"one, ", b"two, ", b"three"):
        owner.end.send(lambda content=content: content, len(content), outcomes.append)  # type: ignore[misc]
    run(network, lambda: b"".join(owner.log[1:]) == b"one, two, three")
    assert (owner.log[0], b"".join(owner.log[1:]), peer.received, outcomes) == (
        CONNECTED, b"one, two, three", b"one, two, three", [SENT] * 3,
    )  # fmt: skip


def test_the_bytes_are_read_when_they_go_out(network: Network) -> None:
    owner, peer = connect(network)
    content = [b"before"]
    assert owner.end
    owner.end.send(lambda: content[0], 5)
    content[0] = b"after"
    run(network, lambda: peer.received)
    assert peer.received == b"after"


def test_more_bytes_than_any_buffer_holds(network: Network) -> None:
    owner, peer = connect(network)
    content, outcomes = bytes(range(256)) * 16_384, []  # 4 MB
    assert owner.end
    owner.end.send(lambda: content, len(content), outcomes.append)
    owner.end.finish(outcomes.append)
    run(network, lambda: peer.finished)
    assert peer.received == content
    assert outcomes == [SENT, SENT]


def test_a_socket_that_does_not_take_what_arrives_slows_the_peer_and_loses_nothing(network: Network) -> None:
    owner, peer = connect(network)
    owner.data_arrived = lambda end: None  # type: ignore[method-assign]
    content = bytes(range(256)) * 2_048  # 512 kB
    peer.send(content)
    peer.close()
    run(network, lambda: owner.end and owner.end.received)
    taken = b""
    assert owner.end
    while len(taken) < len(content):
        taken += owner.end.take(100_000)
        run(network)
    assert (taken == content, owner.end.peer_closed) == (True, True)


def test_each_direction_is_closed_by_itself(network: Network) -> None:
    owner, peer = connect(network)
    assert owner.end
    owner.end.finish()
    run(network, lambda: peer.finished)
    peer.send(b"still here")
    peer.close()
    run(network, lambda: owner.log[-1] == "finished")
    assert owner.log == [CONNECTED, b"still here", "finished"]
    assert (owner.end.broken, peer.broken) == (None, False)


def test_a_reset_reaches_the_other_side(network: Network) -> None:
    owner, peer = connect(network)
    peer.reset()
    run(network, lambda: len(owner.log) > 1)
    outcomes: list[str] = []
    assert owner.end
    owner.end.send(lambda: b"x", 1, outcomes.append)
    assert (owner.log, outcomes) == ([CONNECTED, "broke"], ["reset"])


def test_an_abort_ends_what_is_under_way_and_resets_the_peer(network: Network) -> None:
    owner, peer = connect(network, "silent")
    outcomes: list[str] = []
    assert owner.end
    owner.end.send(lambda: bytes(20_000_000), 20_000_000, outcomes.append)
    run(network)
    owner.end.abort()
    peer.read()
    run(network, lambda: peer.broken)
    assert (outcomes, peer.broken) == ([ABORTED], True)


OUTCOMES = [
    ("reads", b"hello", [CONNECTED]),
    ("echoes", b"hello", [CONNECTED, b"hello"]),
    ("slow", b"hello", [CONNECTED]),
    ("closed", b"hello", [CONNECTED, "finished"]),
    ("refuses", b"", [REFUSED]),
    (lambda content: content.upper(), b"hello", [CONNECTED, b"HELLO"]),
]


@pytest.mark.parametrize(("behaviour", "received", "told"), OUTCOMES, ids=lambda value: str(value)[:12])
def test_what_each_behaviour_leads_to(network: Network, behaviour: Any, received: bytes, told: list[Any]) -> None:
    owner, peer = connect(network, behaviour)
    if owner.end:
        owner.end.send(lambda: b"hello", 5)
    run(network, lambda: (peer.received, owner.log) == (received, told))
    assert (peer.received, owner.log) == (received, told)


def test_a_peer_that_resets_when_data_comes(network: Network) -> None:
    owner, _ = connect(network, "resets")
    assert owner.end
    owner.end.send(lambda: b"hello", 5)
    run(network, lambda: owner.log[-1] == "broke")
    assert owner.log == [CONNECTED, "broke"]


def test_a_page_is_served(network: Network) -> None:
    owner, _ = connect(network, "serves a page")
    assert owner.end
    owner.end.send(lambda: b"GET / HTTP/1.0\r\n", 16)
    owner.end.send(lambda: b"\r\n", 2)
    run(network, lambda: owner.log[-1] == "finished")
    head, _, body = b"".join(owner.log[1:-1]).partition(b"\r\n\r\n")
    assert (head.splitlines()[0], body) == (b"HTTP/1.0 200 OK", b"Hello from a server.")


@pytest.mark.parametrize("place", ["here", "here6"])
def test_a_listener_is_reached_by_peers_of_its_family(network: Network, place: str) -> None:
    owner = Owner(network)
    address = opened(network, "listeners", owner, getattr(network, place))
    peer = network.peer("127.0.0.1:0" if isinstance(network, Loopback) else "10.0.0.2:90", "echoes")
    caller = network.caller if place == "here" else "[::1]:0" if isinstance(network, Loopback) else "[fd00::2]:5000"
    peer = type(peer)(network, Address.parse(caller), "reads")
    peer.connect(address)
    run(network, lambda: owner.log)
    peer.send(b"hello")
    run(network, lambda: owner.log[-1] == b"hello")
    assert owner.log == ["accepted", CONNECTED, b"hello"]
    assert owner.end and owner.end.local == address


def test_an_address_is_free_again_when_its_owner_gives_it_up(network: Network) -> None:
    owner, heir = Owner(network), Owner(network)
    address = opened(network, "listeners", owner)
    assert network.open("listeners", address, heir) == ""
    network.hand_on("listeners", address, owner, heir)
    assert network.listeners[address] is heir
    network.hand_on("listeners", address, heir)
    assert address not in network.listeners
    assert network.open("listeners", address, owner) == ""


def test_where_nobody_listens(network: Network) -> None:
    owner = Owner(network)
    address = opened(network, "listeners", owner)
    network.hand_on("listeners", address, owner)
    network.connect(network.route(address), address, owner, owner.connected)
    run(network, lambda: owner.log)
    assert owner.log == [REFUSED]


def test_an_abandoned_request_tells_nobody(network: Network) -> None:
    owner, peer = Owner(network), network.peer(network.there)
    network.connect(opened(network, "callers", owner), peer.address, owner, owner.connected).abandon()
    run(network)
    assert owner.log == []


def test_datagrams_go_both_ways(network: Network) -> None:
    owner = Owner(network)
    local = opened(network, "receivers", owner)
    host = network.host("127.0.0.1:0" if isinstance(network, Loopback) else "10.0.0.2")
    host.echoes = True
    there = host.address if host.address.port else host.address.at(7)
    network.send_datagram(local, there, b"ping")
    run(network, lambda: owner.log)
    assert host.datagrams == [(b"ping", str(local), str(there))]
    assert owner.log == [(b"ping", there, local)]


def test_the_name_table(network: Network) -> None:
    network.names = {"server.test": [Address.parse("10.0.0.2"), Address.parse("fd00::2")]}
    assert [str(address) for address in network.resolve("Server.TEST")] == ["10.0.0.2:0", "[fd00::2]:0"]
    assert (network.name_of(Address.parse("10.0.0.2:80")), network.name_of(Address.parse("10.0.0.3"))) == ("server.test", "")
    assert network.resolve("nobody.invalid") == []


# What only the loopback network does


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    network = Loopback(Machine(trace=False))
    yield network
    network.close()


def test_a_port_of_another_program(loopback: Loopback) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address.parse(f"127.0.0.1:{other.getsockname()[1]}")
        assert loopback.open("listeners", address, Owner(loopback)) == IN_USE


@pytest.mark.parametrize("text", ["10.0.0.2:80", "127.0.0.2:80", "[fd00::2]:80"])
def test_nothing_but_the_two_addresses_is_reached(loopback: Loopback, text: str) -> None:
    owner = Owner(loopback)
    loopback.connect(Address.parse(loopback.here), Address.parse(text), owner, owner.connected)
    run(loopback, lambda: owner.log)
    assert owner.log == [UNREACHABLE]


def test_a_peer_that_no_real_socket_can_be(loopback: Loopback) -> None:
    with pytest.raises(ValueError, match="does not answer connection requests exists on the simulated network only"):
        loopback.peer(loopback.there, "absent")


def test_everything_is_closed_at_the_end(loopback: Loopback) -> None:
    owner, peer = connect(loopback)
    real = [end.socket for end in (owner.end, *peer.ends)]
    loopback.close()
    assert [each.fileno() for each in real] == [-1, -1]
