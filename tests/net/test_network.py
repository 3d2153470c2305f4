"""The simulated network by itself: no machine, only a clock."""

import heapq
from collections.abc import Callable
from typing import Any

import pytest

from wsklab.net import DELAY, Address, End
from wsklab.net import Simulated as Network
from wsklab.net.tcp import ABORTED, RESET, SENT


class Clock:
    """As much of a machine as the network needs."""

    def __init__(self) -> None:
        self.time = 0
        self.trace = self
        self.on = False
        self.answers: dict[str, str] = {}
        self.due: list[tuple[int, int, Callable[[], None]]] = []
        self.events: list[dict[str, object]] = []

    def after(self, delay: int, callback: Callable[[], None], **_: object) -> None:
        heapq.heappush(self.due, (self.time + delay, self.count(), callback))

    def count(self) -> int:
        self.counter = getattr(self, "counter", 0) + 1
        return self.counter

    def choose(self, kind: str, options: tuple[str, ...]) -> str:
        return self.answers.get(kind, options[0])

    def add(self, kind: str, name: str, **data: object) -> None:
        self.events.append({"kind": kind, "name": name, **data})

    def run(self, until: int | None = None) -> None:
        while self.due and (until is None or self.due[0][0] <= until):
            self.time, _, callback = heapq.heappop(self.due)
            callback()


class Socket:
    """The driver's side of a connection: keeps what it is told."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.end: End | None = None

    def option(self, name: str) -> int:
        return 0

    def connected(self, outcome: str, end: End | None) -> None:
        self.log.append(outcome)
        self.end = end

    def data_arrived(self, end: End) -> None:
        self.log.append(f"data {bytes(end.received).decode()}")
        end.received.clear()

    def peer_finished(self, end: End) -> None:
        self.log.append("finished")

    def connection_broke(self, end: End) -> None:
        self.log.append("broke")


LOCAL = Address.parse("10.0.0.1:5000")
REMOTE = "10.0.0.2:80"


def connect(behaviour: Any = "reads", path: str = "usual") -> tuple[Clock, Network, Socket]:
    clock = Clock()
    clock.answers["path"] = path
    network = Network(clock)  # type: ignore[arg-type]
    network.peer(REMOTE, behaviour)
    socket = Socket()
    network.connect(LOCAL, Address.parse(REMOTE), socket, socket.connected)
    clock.run()
    return clock, network, socket


@pytest.mark.parametrize("text", ["10.0.0.1:5000", "[fd00::1]:80", "0.0.0.0:0", "[::]:7", "[fe80::1%3]:9"])
def test_an_address_reads_back_as_it_is_written(text: str) -> None:
    assert str(Address.parse(text)) == text


def test_an_ipv4_address_in_ipv6_form() -> None:
    mapped = LOCAL.mapped()
    assert (str(mapped), mapped.unmapped()) == ("[::ffff:10.0.0.1]:5000", LOCAL)


@pytest.mark.parametrize("text", ["10.0.0.1:70000", "10.0.0:1", "nobody"])
def test_a_wrong_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Address.parse(text)


def test_a_connection_takes_two_crossings() -> None:
    clock, _, socket = connect()
    assert (socket.log, clock.time) == (["connected"], 3 * DELAY)  # the third crossing is the peer's ACK


def test_what_is_sent_is_read_when_it_goes_out_and_done_when_acknowledged() -> None:
    clock, network, socket = connect()
    start, content, log = clock.time, [b"before"], []
    assert socket.end
    socket.end.send(lambda: content[0], 5, lambda outcome: log.append((outcome, clock.time - start)))
    content[0] = b"after"
    clock.run()
    assert (network.listeners[Address.parse(REMOTE)].received, log) == (b"after", [(SENT, 2 * DELAY)])  # type: ignore[attr-defined]


def test_at_once_delivers_and_acknowledges_inside_the_call() -> None:
    clock, network, socket = connect()
    log: list[str] = []
    assert socket.end
    socket.end.send(lambda: b"x", 1, log.append, at_once=True)
    assert (network.listeners[Address.parse(REMOTE)].received, log) == (b"x", [SENT])  # type: ignore[attr-defined]


def test_at_once_never_overtakes() -> None:
    clock, network, socket = connect()
    log: list[str] = []
    assert socket.end
    socket.end.send(lambda: b"1", 1, log.append)
    socket.end.send(lambda: b"2", 1, log.append, at_once=True)
    assert log == []
    clock.run()
    assert (network.listeners[Address.parse(REMOTE)].received, log) == (b"12", [SENT, SENT])  # type: ignore[attr-defined]


OUTCOMES = [
    ("reads", [SENT], ["connected"]),
    ("echoes", [SENT], ["connected", "data hello"]),
    ("silent", [], ["connected"]),
    ("slow", [SENT], ["connected"]),
    ("resets", [RESET], ["connected", "broke"]),
    ("closed", [SENT], ["connected", "finished"]),
    ("refuses", [], ["refused"]),
    ("unreachable", [], ["unreachable"]),
    ("absent", [], ["timed out"]),
]


@pytest.mark.parametrize(("behaviour", "sent", "told"), OUTCOMES)
def test_what_each_behaviour_leads_to(behaviour: str, sent: list[str], told: list[str]) -> None:
    clock, _, socket = connect(behaviour)
    log: list[str] = []
    if socket.end:
        socket.end.send(lambda: b"hello", 5, log.append)
    clock.run()
    assert (log, socket.log) == (sent, told)


def test_an_unknown_behaviour_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="reads, echoes, silent"):
        Network(Clock()).peer(REMOTE, "helpful")  # type: ignore[arg-type]


def test_a_silent_peer_can_be_made_to_read() -> None:
    clock, network, socket = connect("silent")
    log: list[str] = []
    assert socket.end
    socket.end.send(lambda: b"hello", 5, log.append)
    clock.run()
    network.listeners[Address.parse(REMOTE)].read()  # type: ignore[attr-defined]
    clock.run()
    assert log == [SENT]


def test_aborting_ends_everything_under_way_in_order() -> None:
    clock, network, socket = connect("silent")
    log: list[tuple[int, str]] = []
    assert socket.end
    for number in range(3):
        socket.end.send(lambda: b"x", 1, lambda outcome, number=number: log.append((number, outcome)))  # type: ignore[misc]
    clock.run()
    socket.end.abort()
    clock.run()
    assert log == [(0, ABORTED), (1, ABORTED), (2, ABORTED)]
    assert network.listeners[Address.parse(REMOTE)].broken  # type: ignore[attr-defined]


def test_finishing_lets_everything_before_it_arrive_first() -> None:
    clock, network, socket = connect()
    log: list[str] = []
    assert socket.end
    socket.end.send(lambda: b"last", 4, log.append)
    socket.end.finish(lambda outcome: log.append("finished " + outcome))
    clock.run()
    peer = network.listeners[Address.parse(REMOTE)]
    assert (log, peer.received, peer.finished) == ([SENT, "finished sent"], b"last", True)  # type: ignore[attr-defined]


def test_bytes_may_arrive_in_two_segments() -> None:
    clock, network, socket = connect()
    clock.answers["TCP segments"] = "two"
    network.listeners[Address.parse(REMOTE)].send(b"abcd")  # type: ignore[attr-defined]
    clock.run()
    assert socket.log == ["connected", "data ab", "data cd"]


def test_an_abandoned_connection_request_leaves_no_connection() -> None:
    clock, network, socket = Clock(), None, Socket()
    network = Network(clock)  # type: ignore[arg-type]
    peer = network.peer(REMOTE)
    network.connect(LOCAL, Address.parse(REMOTE), socket, socket.connected).abandon()
    clock.run()
    assert (socket.log, peer.broken) == ([], True)


class Bound:
    """A bound datagram socket."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        self.got.append((content, str(source)))


def test_datagrams_reach_hosts_and_wildcard_sockets() -> None:
    clock = Clock()
    network = Network(clock)  # type: ignore[arg-type]
    bound, host = Bound(), network.host("10.0.0.2")
    host.echoes = True
    network.receivers[Address.parse("0.0.0.0:5000")] = bound
    network.send_datagram(LOCAL, Address.parse("10.0.0.2:7"), b"ping")
    clock.run()
    assert host.datagrams == [(b"ping", "10.0.0.1:5000", "10.0.0.2:7")]
    assert bound.got == [(b"ping", "10.0.0.2:7")]


@pytest.mark.parametrize(
    ("destination", "reason"),
    [("10.0.0.9:7", "there is no such host"), ("10.0.0.1:9", "no socket is bound to the port")],
)
def test_a_datagram_to_nobody_is_traced_with_the_reason(destination: str, reason: str) -> None:
    clock = Clock()
    clock.on = True
    network = Network(clock)  # type: ignore[arg-type]
    network.send_datagram(LOCAL, Address.parse(destination), b"ping")
    clock.run()
    assert [event.get("reason") for event in clock.events] == [None, reason]


def test_a_lost_datagram() -> None:
    clock = Clock()
    clock.answers["datagram"] = "is lost"
    network = Network(clock)  # type: ignore[arg-type]
    host = network.host("10.0.0.2")
    network.send_datagram(LOCAL, Address.parse("10.0.0.2:7"), b"ping")
    clock.run()
    assert host.datagrams == []


# Conditions


def timed(clock: Clock, network: Network, socket: Socket, content: bytes) -> int:
    """How long the peer's bytes take to the driver's side, in 100-ns units."""
    start, log = clock.time, len(socket.log)
    arrived: list[int] = []
    socket.data_arrived = lambda end: arrived.append(clock.time - start)  # type: ignore[method-assign]
    network.listeners[Address.parse(REMOTE)].send(content)
    clock.run()
    assert len(socket.log) == log
    return arrived[-1]


PATHS = [("usual", DELAY), ("long", DELAY + 5_000_000), ("narrow", DELAY + 1_000_000), ("lossy", DELAY + 3_000_000)]


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_the_path_of_a_connection_is_a_choice(path: str, expected: int) -> None:
    """1,000 bytes: 1 ms, half a second more, a tenth of a second more at 10 kB/s, 300 ms until the lost segment comes again."""
    clock, network, socket = connect(path=path)
    assert timed(clock, network, socket, bytes(1_000)) == expected


def test_latency_and_bandwidth_of_the_network_and_of_one_host() -> None:
    clock, network, socket = connect()
    network.delay, network.bandwidth = 50_000, 100_000
    assert timed(clock, network, socket, bytes(1_000)) == 50_000 + 100_000
    host = network.host("10.0.0.2")
    host.delay, host.bandwidth = 20_000, 50_000
    assert timed(clock, network, socket, bytes(1_000)) == 20_000 + 200_000


def test_nothing_overtakes_within_a_connection_where_the_bandwidth_is_small() -> None:
    clock, network, socket = connect(path="narrow")
    peer = network.listeners[Address.parse(REMOTE)]
    for content in (bytes(1_000), b"2", b"3"):
        peer.send(content)
    clock.run()
    assert socket.log[1:] == ["data " + bytes(1_000).decode(), "data 2", "data 3"]


@pytest.mark.parametrize(
    ("fate", "copies", "order"),
    [
        ("arrives", 1, [b"1", b"2"]),
        ("is lost", 0, [b"2"]),
        ("arrives twice", 2, [b"1", b"1", b"2"]),
        ("arrives late", 1, [b"2", b"1"]),
    ],
)
def test_what_becomes_of_a_datagram_is_a_choice(fate: str, copies: int, order: list[bytes]) -> None:
    clock = Clock()
    network = Network(clock)  # type: ignore[arg-type]
    host = network.host("10.0.0.2")
    clock.answers["datagram"] = fate
    network.send_datagram(LOCAL, Address.parse("10.0.0.2:7"), b"1")
    clock.answers["datagram"] = "arrives"
    clock.after(2 * DELAY, lambda: network.send_datagram(LOCAL, Address.parse("10.0.0.2:7"), b"2"))
    clock.run()
    assert [datagram.content for datagram in host.datagrams] == order
    assert [datagram.content for datagram in host.datagrams].count(b"1") == copies


def test_bytes_may_arrive_in_many_segments() -> None:
    clock, network, socket = connect()
    clock.answers["TCP segments"] = "many"
    network.listeners[Address.parse(REMOTE)].send(b"abcdefghijklmnopq")
    clock.run()
    assert socket.log[1:] == ["data abc", "data def", "data ghi", "data jkl", "data mno", "data pq"]


def test_a_peer_is_a_function_of_what_it_gets() -> None:
    clock, _, socket = connect(lambda content: content[::-1])
    assert socket.end
    socket.end.send(lambda: b"abc", 3)
    clock.run()
    assert socket.log == ["connected", "data cba"]
