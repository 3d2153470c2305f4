"""Bind, connect, accept, addresses, options. Facts WSK-BIND, WSK-CONN, WSK-ACC, WSK-GLA, WSK-SHR, WSK-CTL, WSK-SOO."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine import NotModelled, Stop
from wsklab.machine.status import name_of
from wsklab.wsk import scene
from wsklab.wsk.client import make
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import CHECK, DEFAULT, DENIED, EXCLUSIVE, IN_USE, REUSE, SUCCESS, chosen, second_bind, tables

CHOSEN = tables().chosen
OK = ("STATUS_SUCCESS", 0)
TCP, UDP = (1, 6), (2, 17)


def new(driver: Any, category: str, family: int = 2) -> int:
    kind, protocol = UDP if category == "datagram" else TCP
    return make(subsystem(driver.m), None, category, family, kind, protocol).address


def bind(driver: Any, socket: int, text: str) -> Any:
    return driver.call("WskBind", socket, scene.sockaddr(driver.m, text), 0).result


def local(driver: Any, socket: int, size: int = 16) -> bytes:
    place = driver.m.allocate(size)
    assert driver.call("WskGetLocalAddress", socket, place).result == OK
    return driver.m.read(place, size)


def written(driver: Any, text: str) -> bytes:
    return driver.m.read(scene.sockaddr(driver.m, text), 28 if "[" in text else 16)


# Binding


@pytest.mark.parametrize("category", ["listening", "datagram", "connection"])
def test_bind_gives_the_address_and_a_second_bind_is_refused(driver: Any, category: str) -> None:
    """WSK-BIND-02, WSK-BIND-11, WSK-GLA-02."""
    socket = new(driver, category)
    assert bind(driver, socket, "10.0.0.1:5000") == OK
    assert bind(driver, socket, "10.0.0.1:5001") == (CHOSEN["second bind"].status, 0)
    assert local(driver, socket) == written(driver, "10.0.0.1:5000")


def test_port_zero_gets_a_free_port(driver: Any) -> None:
    """WSK-BIND-12."""
    sockets = [new(driver, "connection") for _ in range(2)]
    for socket in sockets:
        assert bind(driver, socket, "0.0.0.0:0") == OK
    assert [local(driver, socket) for socket in sockets] == [written(driver, f"0.0.0.0:{port}") for port in (49152, 49153)]


@pytest.mark.parametrize(("text", "what"), [("10.0.0.77:5000", "not a local address"), ("[fd00::1]:5000", "wrong family")])
def test_addresses_that_cannot_be_bound(driver: Any, text: str, what: str) -> None:
    """WSK-BIND-02; the refused call leaves the socket unbound."""
    socket = new(driver, "datagram")
    assert bind(driver, socket, text) == (CHOSEN[what].status, 0)
    assert bind(driver, socket, "10.0.0.1:5000") == OK


@pytest.mark.parametrize("way", ["pending", "early"])
def test_a_bind_can_pend(driver: Any, way: str) -> None:
    """WSK-BIND-03, WSK-USE-02."""
    driver.m.choices["WskBind"] = way
    call = driver.call("WskBind", new(driver, "datagram"), scene.sockaddr(driver.m, "10.0.0.1:5000"), 0)
    assert call.returned == "STATUS_PENDING"
    driver.run()
    assert (call.result, call.times) == (OK, 1)


# The matrix of WSK-SHR, row by row: second socket, then what it gets over default, REUSE and EXCLUSIVE, wildcard and specific
MATRIX = [
    ((DEFAULT, True), [IN_USE, SUCCESS, IN_USE, SUCCESS, IN_USE, SUCCESS]),
    ((DEFAULT, False), [CHECK, IN_USE, CHECK, DENIED, DENIED, IN_USE]),
    ((REUSE, True), [DENIED, SUCCESS, SUCCESS, SUCCESS, DENIED, SUCCESS]),
    ((REUSE, False), [CHECK, DENIED, SUCCESS, SUCCESS, DENIED, DENIED]),
    ((EXCLUSIVE, True), [IN_USE] * 6),
    ((EXCLUSIVE, False), [CHECK, IN_USE, CHECK, IN_USE, DENIED, IN_USE]),
]


@pytest.mark.parametrize(("second", "row"), MATRIX)
def test_the_sharing_matrix(second: Any, row: list[str]) -> None:
    """WSK-SHR-01."""
    firsts = [(option, wild) for option in (DEFAULT, REUSE, EXCLUSIVE) for wild in (True, False)]
    assert [second_bind(second, first) for first in firsts] == row


def test_sharing_through_the_calls(driver: Any) -> None:
    """WSK-SHR-02 to 05, WSK-BIND-04: without a descriptor an access check ends in ACCESS_DENIED."""
    assert bind(driver, new(driver, "datagram"), "10.0.0.1:5000") == OK
    assert bind(driver, new(driver, "datagram"), "10.0.0.1:5000") == ("STATUS_ADDRESS_ALREADY_EXISTS", 0)
    assert bind(driver, new(driver, "datagram"), "127.0.0.1:5000") == OK
    assert bind(driver, new(driver, "datagram"), "0.0.0.0:5000") == OK
    first = new(driver, "datagram")
    assert bind(driver, first, "0.0.0.0:6000") == OK
    assert bind(driver, new(driver, "datagram"), "10.0.0.1:6000") == ("STATUS_ACCESS_DENIED", 0)
    driver.close(first)
    assert bind(driver, new(driver, "datagram"), "10.0.0.1:6000") == OK


# Connecting


@pytest.mark.parametrize("way", ["inline", "pending", "early"])
@pytest.mark.parametrize(
    ("peer", "result"),
    [
        ("reads", OK),
        ("refuses", (CHOSEN["connect refused"].status, 0)),
        ("unreachable", (CHOSEN["connect unreachable"].status, 0)),
        ("absent", (CHOSEN["connect timed out"].status, 0)),
    ],
)
def test_what_a_connect_can_end_in(driver: Any, peer: str, result: Any, way: str) -> None:
    """WSK-CONN-03, WSK-CONN-06."""
    scene.network(driver.m).peer("10.0.0.2:80", peer)
    socket = new(driver, "connection")
    bind(driver, socket, "0.0.0.0:0")
    driver.m.choices["WskConnect"] = way
    call = driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:80"), 0)
    driver.run()
    assert (call.result, call.times) == (result, 1)


def test_an_unknown_host_times_out_and_the_socket_can_try_again(driver: Any) -> None:
    """WSK-CONN-07: our choice."""
    socket = new(driver, "connection")
    bind(driver, socket, "0.0.0.0:0")
    call = driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.9:80"), 0)
    driver.run()
    assert (call.result, driver.m.time) == ((CHOSEN["connect timed out"].status, 0), 210_000_000)
    scene.network(driver.m).peer("10.0.0.9:80")
    assert driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.9:80"), 0).result == OK


def test_an_unbound_socket_cannot_connect(driver: Any) -> None:
    """WSK-CONN-02."""
    scene.network(driver.m).peer("10.0.0.2:80")
    call = driver.call("WskConnect", new(driver, "connection"), scene.sockaddr(driver.m, "10.0.0.2:80"), 0)
    assert call.result == (CHOSEN["wrong state"].status, 0)


def test_a_wildcard_bound_socket_gets_its_address_at_connect_time(driver: Any) -> None:
    """WSK-AF-08, WSK-AF-09, WSK-GLA-03."""
    scene.network(driver.m).peer("10.0.0.2:80")
    socket = new(driver, "connection")
    bind(driver, socket, "0.0.0.0:4000")
    assert local(driver, socket) == written(driver, "0.0.0.0:4000")
    place = driver.m.allocate(16)
    refused = driver.call("WskGetRemoteAddress", socket, place)
    assert refused.result == ("STATUS_INVALID_DEVICE_STATE", 0)
    assert driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:80"), 0).result == OK
    assert driver.call("WskGetRemoteAddress", socket, place).result == OK
    assert (local(driver, socket), driver.m.read(place, 16)) == (written(driver, "10.0.0.1:4000"), written(driver, "10.0.0.2:80"))


def test_closing_during_a_connect_ends_it(driver: Any) -> None:
    peer = scene.network(driver.m).peer("10.0.0.2:80")
    socket = new(driver, "connection")
    bind(driver, socket, "0.0.0.0:0")
    driver.m.choices["WskConnect"] = "pending"
    call = driver.call("WskConnect", socket, scene.sockaddr(driver.m, "10.0.0.2:80"), 0)
    driver.close(socket)
    driver.run()
    assert (call.result, peer.broken) == ((CHOSEN["closed"].status, 0), True)


# Accepting


@pytest.mark.parametrize("family", [2, 23])
def test_an_accept_waits_for_a_connection_and_stores_both_addresses(driver: Any, family: int) -> None:
    """WSK-ACC-04, WSK-ACC-07, WSK-CAT-09."""
    m = driver.m
    size, here, there = (16, "10.0.0.1:80", "10.0.0.2:5000") if family == 2 else (28, "[fd00::1]:80", "[fd00::2]:5000")
    listener = scene.listener(m, here)
    places = m.allocate(size), m.allocate(size)
    call = driver.call("WskAccept", listener, 0, 0, 0, *places)
    assert call.returned == "STATUS_PENDING"
    connect_from(driver, there, here)
    status, socket = call.result
    assert [m.read(place, size) for place in places] == [written(driver, here), written(driver, there)]
    assert (status, driver.m.u64(socket)) == ("STATUS_SUCCESS", subsystem(m).table("WSK_PROVIDER_CONNECTION_DISPATCH", {}))
    assert local(driver, socket, size) == written(driver, here)


def connect_from(driver: Any, there: str, here: str) -> None:
    from wsklab.net import Address, Peer

    network = scene.network(driver.m)
    Peer(network, Address.parse(there), "reads").connect(Address.parse(here))
    network.host(there)
    driver.run()


def test_a_connection_in_line_is_accepted_at_once(driver: Any) -> None:
    """WSK-ACC-03."""
    listener = scene.listener(driver.m)
    connect_from(driver, "10.0.0.2:5000", "10.0.0.1:80")
    call = driver.call("WskAccept", listener, 0, 0, 0, 0, 0)
    assert (call.returned, call.result[0]) == ("STATUS_SUCCESS", "STATUS_SUCCESS")


def test_a_listener_must_be_bound(driver: Any) -> None:
    """WSK-ACC-02."""
    call = driver.call("WskAccept", new(driver, "listening"), 0, 0, 0, 0, 0)
    assert call.result == (CHOSEN["wrong state"].status, 0)


def test_a_sockaddr_is_too_small_for_ipv6(driver: Any) -> None:
    """WSK-ACC-08."""
    listener = scene.listener(driver.m, "[fd00::1]:80")
    driver.call("WskAccept", listener, 0, 0, 0, 0, driver.m.allocate(16))
    with pytest.raises(Stop) as stop:
        connect_from(driver, "[fd00::2]:5000", "[fd00::1]:80")
    assert stop.value.rule.id == "overrun"


def test_two_sockets_of_one_driver_talk_to_each_other(driver: Any) -> None:
    listener = scene.listener(driver.m, "127.0.0.1:80")
    accept = driver.call("WskAccept", listener, 0, 0, 0, 0, 0)
    socket = new(driver, "connection")
    bind(driver, socket, "127.0.0.1:0")
    assert driver.call("WskConnect", socket, scene.sockaddr(driver.m, "127.0.0.1:80"), 0).result == OK
    driver.run()
    call, buffer = driver.receive(accept.result[1], 5)
    driver.send(socket, b"hello")
    driver.run()
    assert scene.content_of(driver.m, buffer, call.result[1]) == b"hello"


# Options


def option(driver: Any, socket: int, name: str, value: int | None, level: str = "SOL_SOCKET", size: int = 4) -> Any:
    """Set an option, or get it when `value` is None."""
    m, place = driver.m, driver.m.allocate(4)
    if value is not None:
        m.set_u32(place, value)
    code, kind = m.constant(name) & 0xFFFF_FFFF, 1 if value is None else 0
    sizes = (0, 0, size, place, 0) if value is None else (size, place, 0, 0, 0)
    result = driver.call("WskControlSocket", socket, kind, code, m.constant(level), *sizes).result
    return m.u32(place) if value is None and result[0] == "STATUS_SUCCESS" else result


@pytest.mark.parametrize(
    ("name", "category", "default"),
    [
        ("SO_BROADCAST", "datagram", 0),
        ("SO_REUSEADDR", "listening", 0),
        ("SO_KEEPALIVE", "connection", 0),
        ("SO_RCVBUF", "datagram", 65536),
    ],
)
def test_options_are_stored(driver: Any, name: str, category: str, default: int) -> None:
    """WSK-SOO-04, WSK-SHR-04, WSK-CTL-05."""
    socket = new(driver, category)
    assert option(driver, socket, name, None) == default
    assert option(driver, socket, name, 1) == OK
    assert option(driver, socket, name, None) == 1


@pytest.mark.parametrize(
    ("name", "category", "size", "what"),
    [
        ("SO_BROADCAST", "connection", 4, "wrong category of option"),
        ("SO_BROADCAST", "datagram", 2, "wrong size of option buffer"),
    ],
)
def test_options_that_are_refused(driver: Any, name: str, category: str, size: int, what: str) -> None:
    assert option(driver, new(driver, category), name, 1, size=size) == (CHOSEN[what].status, 0)


@pytest.mark.parametrize("name", ["SO_EXCLUSIVEADDRUSE", "SO_REUSEADDR"])
def test_sharing_options_come_before_the_bind(driver: Any, name: str) -> None:
    """WSK-BIND-09."""
    socket = new(driver, "datagram")
    bind(driver, socket, "10.0.0.1:5000")
    assert option(driver, socket, name, 1) == (CHOSEN["option after the bind"].status, 0)


def test_broadcast_reaches_every_host_once_it_is_allowed(driver: Any) -> None:
    """WSK-STO-09."""
    hosts = [scene.network(driver.m).host(f"10.0.0.{n}") for n in (2, 3)]
    socket = scene.datagram(driver.m)
    assert option(driver, socket, "SO_BROADCAST", 1) == OK
    driver.send_to(socket, b"all", "255.255.255.255:7")
    driver.run()
    assert [[d.content for d in host.datagrams] for host in hosts] == [[b"all"], [b"all"]]


@pytest.mark.parametrize(("code", "value"), [("SIO_WSK_QUERY_IDEAL_SEND_BACKLOG", 65536), ("SIO_WSK_QUERY_RECEIVE_BACKLOG", 5)])
def test_backlogs(driver: Any, code: str, value: int) -> None:
    """WSK-SQB-01, WSK-SQB-02."""
    socket = scene.connected(driver.m)
    scene.peer_of(driver.m, socket).send(b"hello")
    driver.run()
    place = driver.m.allocate(8)
    call = driver.call("WskControlSocket", socket, 2, driver.m.constant(code), 0, 0, 0, 8, place, 0)
    assert (call.result, driver.m.u64(place)) == (("STATUS_SUCCESS", 8), value)


def test_a_pending_control_request_reads_its_input_later(driver: Any) -> None:
    """WSK-CTL-10, WSK-CTL-11: the input must live until the IRP completes."""
    m, socket = driver.m, new(driver, "datagram")
    m.choices["WskControlSocket"] = "pending"
    place = m.allocate(4)
    m.set_u32(place, 1)
    driver.call("WskControlSocket", socket, 0, m.constant("SO_BROADCAST"), m.constant("SOL_SOCKET"), 4, place, 0, 0, 0)
    m.free(place)
    with pytest.raises(Stop) as stop:
        driver.run()
    assert stop.value.rule.id == "use-after-free"


@pytest.mark.parametrize(("kind", "code", "level"), [(0, 0x1008, 0xFFFF), (2, 0x48000003, 0), (1, 12345, 6)])
def test_what_is_not_modelled_says_its_name(driver: Any, kind: int, code: int, level: int) -> None:
    """WSK-SOO-06: SO_TYPE is no option of WSK."""
    with pytest.raises(NotModelled, match="WskControlSocket"):
        driver.call("WskControlSocket", scene.connected(driver.m), kind, code, level, 0, 0, 0, 0, 0)


def test_every_chosen_status_exists(driver: Any) -> None:
    """WSK-GAP-13, WSK-GAP-14: the usual one, and by choice the other one where no page and no general rule names one."""
    m = driver.m
    assert {what: name_of(chosen(m, what)) for what in CHOSEN} == {what: row.status for what, row in CHOSEN.items()}
    m.choices["status that no page names"] = "another one"
    assert {what: name_of(chosen(m, what)) for what in CHOSEN} == {what: row.other or row.status for what, row in CHOSEN.items()}
    assert all(row.other != row.status for row in CHOSEN.values())
