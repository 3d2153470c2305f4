"""WskSendTo, WskReceiveFrom and the two fixed addresses. Facts WSK-STO, WSK-RFR, WSK-SRA, WSK-SSA."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.machine import Stop
from wsklab.wsk import scene
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
SUCCESS, PENDING = "STATUS_SUCCESS", "STATUS_PENDING"
REMOTE, DESTINATION = "SIO_WSK_SET_REMOTE_ADDRESS", "SIO_WSK_SET_SENDTO_ADDRESS"


def fix(driver: Any, socket: int, code: str, text: str | None) -> int:
    return scene.control(driver.m, socket, code, scene.sockaddr(driver.m, text) if text else None)


def hosts(driver: Any) -> dict[str, list[bytes]]:
    return {f"10.0.0.{n}": [d.content for d in scene.network(driver.m).host(f"10.0.0.{n}").datagrams] for n in (2, 3, 4)}


# Sending: fixed remote, fixed destination, given address → who gets it. WSK-STO-02, WSK-STO-03, WSK-SRA-03, WSK-SSA-02, 03
DESTINATIONS = [
    (None, None, "10.0.0.2:7", "10.0.0.2"),
    ("10.0.0.3:7", None, "", "10.0.0.3"),
    (None, "10.0.0.4:7", "", "10.0.0.4"),
    ("10.0.0.3:7", None, "10.0.0.2:7", "10.0.0.2"),
    (None, "10.0.0.4:7", "10.0.0.2:7", "10.0.0.2"),
]


@pytest.mark.parametrize(("remote", "destination", "given", "who"), DESTINATIONS)
@pytest.mark.parametrize(("way", "returned"), [("pending", PENDING), ("inline", SUCCESS), ("early", PENDING)])
def test_where_a_datagram_goes(
    driver: Any, remote: str | None, destination: str | None, given: str, who: str, way: str, returned: str
) -> None:
    for number in (2, 3, 4):
        scene.network(driver.m).host(f"10.0.0.{number}")
    socket = scene.datagram(driver.m)
    if remote:
        assert fix(driver, socket, REMOTE, remote) == 0
    if destination:
        assert fix(driver, socket, DESTINATION, destination) == 0
    driver.m.choices["WskSendTo"] = way
    call = driver.send_to(socket, b"hello", given)
    assert call.returned == returned
    driver.run()
    assert call.result == (SUCCESS, 5)
    assert hosts(driver) == {f"10.0.0.{n}": [b"hello"] if who == f"10.0.0.{n}" else [] for n in (2, 3, 4)}


def test_no_address_and_nothing_fixed(driver: Any) -> None:
    """WSK-STO-04."""
    socket = scene.datagram(driver.m)
    call = driver.send_to(socket, b"hello")
    name = CHOSEN["no destination"].status
    assert (call.returned, call.result) == (name, (name, 0))


@pytest.mark.parametrize("code", [REMOTE, DESTINATION])
def test_clearing_a_fixed_address(driver: Any, code: str) -> None:
    """WSK-SRA-02, WSK-SSA-01."""
    socket = scene.datagram(driver.m)
    assert (fix(driver, socket, code, "10.0.0.2:7"), fix(driver, socket, code, None)) == (0, 0)
    assert driver.send_to(socket, b"hello").returned == CHOSEN["no destination"].status


@pytest.mark.parametrize("code", [REMOTE, DESTINATION])
def test_a_fixed_address_before_the_bind_is_refused(driver: Any, code: str) -> None:
    """WSK-SRA-01, WSK-SSA-01; the socket stays as it was, and a bind makes it possible."""
    from wsklab.machine.status import name_of

    socket = scene.datagram(driver.m, bound=False)
    assert name_of(fix(driver, socket, code, "10.0.0.2:7")) == CHOSEN["fixed address before the bind"].status
    assert driver.call("WskBind", socket, scene.sockaddr(driver.m, "0.0.0.0:0"), 0).result == (SUCCESS, 0)
    assert fix(driver, socket, code, "10.0.0.2:7") == 0


@pytest.mark.parametrize(("answer", "who"), [("destination address", "10.0.0.4"), ("remote address", "10.0.0.3")])
def test_which_fixed_address_wins_is_a_choice(driver: Any, answer: str, who: str) -> None:
    """WSK-SSA-04."""
    scene.network(driver.m).host(who)
    socket = scene.datagram(driver.m)
    fix(driver, socket, REMOTE, "10.0.0.3:7")
    fix(driver, socket, DESTINATION, "10.0.0.4:7")
    driver.m.choices["both fixed addresses"] = answer
    driver.send_to(socket, b"hello")
    driver.run()
    assert hosts(driver)[who] == [b"hello"]


def test_an_unbound_socket_sends_and_receives_nothing(driver: Any) -> None:
    """WSK-BIND-06."""
    socket = scene.datagram(driver.m, bound=False)
    name = CHOSEN["wrong state"].status
    assert driver.send_to(socket, b"x", "10.0.0.2:7").returned == name
    assert driver.receive_from(socket, 5)[0].returned == name


@pytest.mark.parametrize(
    ("content", "to", "what"),
    [(bytes(65_508), "10.0.0.2:7", "oversize datagram"), (b"x", "255.255.255.255:7", "broadcast not allowed")],
)
def test_datagrams_that_are_refused(driver: Any, content: bytes, to: str, what: str) -> None:
    """WSK-STO-09, WSK-STO-10."""
    socket = scene.datagram(driver.m)
    assert driver.send_to(socket, content, to).returned == CHOSEN[what].status


def test_the_largest_datagram_goes(driver: Any) -> None:
    scene.network(driver.m).host("10.0.0.2")
    call = driver.send_to(scene.datagram(driver.m), bytes(65_507), "10.0.0.2:7")
    driver.run()
    assert call.result == (SUCCESS, 65_507)


def test_a_wrong_family_address_is_refused(driver: Any) -> None:
    """WSK-AF-01."""
    call = driver.send_to(scene.datagram(driver.m), b"x", "[fd00::2]:7")
    assert call.returned == CHOSEN["wrong family"].status


def test_a_lost_datagram_is_sent_all_the_same(driver: Any) -> None:
    """WSK-STO-07: the IRP tells that it was sent, not that it arrived."""
    scene.network(driver.m).host("10.0.0.2")
    driver.m.choices["datagram"] = "is lost"
    call = driver.send_to(scene.datagram(driver.m), b"x", "10.0.0.2:7")
    driver.run()
    assert (call.result, hosts(driver)["10.0.0.2"]) == ((SUCCESS, 1), [])


# Receiving: fixed remote, fixed destination → what is received from 10.0.0.2 and 10.0.0.3. WSK-RFR-11, WSK-SRA-03, WSK-SSA-02
RECEIVED = [
    (None, None, [b"from 2", b"from 3"]),
    ("10.0.0.2:7", None, [b"from 2"]),
    (None, "10.0.0.2:7", [b"from 2", b"from 3"]),
]


@pytest.mark.parametrize(("remote", "destination", "expected"), RECEIVED)
def test_what_a_fixed_address_does_to_receiving(
    driver: Any, remote: str | None, destination: str | None, expected: list[bytes]
) -> None:
    socket = scene.datagram(driver.m)
    fix(driver, socket, REMOTE, remote)
    fix(driver, socket, DESTINATION, destination)
    pairs = [driver.receive_from(socket, 100) for _ in range(2)]
    for number in (2, 3):
        scene.network(driver.m).host(f"10.0.0.{number}").send(b"from %d" % number, "10.0.0.1:5000")
    driver.run()
    assert [scene.content_of(driver.m, buffer, call.result[1]) for call, buffer in pairs if call.result] == expected


def test_replies_from_an_override_address_are_dropped_and_traced(driver: Any) -> None:
    """WSK-SRA-04."""
    network = scene.network(driver.m)
    network.host("10.0.0.3").echoes = True
    socket = scene.datagram(driver.m)
    fix(driver, socket, REMOTE, "10.0.0.2:7")
    call = driver.receive_from(socket, 100)[0]
    driver.send_to(socket, b"hello", "10.0.0.3:7")
    driver.run()
    dropped = [e.data for e in driver.m.trace if e.name == "dropped"]
    assert (hosts(driver)["10.0.0.3"], call.result) == ([b"hello"], None)
    assert [(d["bytes"], d["source"], d["reason"]) for d in dropped] == [
        (b"hello", "10.0.0.3:7", "the fixed remote address is another one")
    ]


def test_the_source_address_and_the_flags_of_a_datagram(driver: Any) -> None:
    """WSK-RFR-03, WSK-RFR-04, WSK-RFR-06, WSK-RFR-07: a longer datagram is cut and flagged."""
    m, socket = driver.m, scene.datagram(driver.m)
    place, length, flags = m.allocate(16), m.allocate(4), m.allocate(4)
    m.set_u32(length, 0)
    call, buffer = driver.receive_from(socket, 4, place, length, flags)
    scene.network(m).host("10.0.0.2").send(b"too long", "10.0.0.1:5000")
    driver.run()
    assert (call.result, scene.content_of(m, buffer, 4)) == ((SUCCESS, 4), b"too ")
    assert (m.read(place, 16), m.u32(length), m.u32(flags)) == (m.read(scene.sockaddr(m, "10.0.0.2:7"), 16), 0, 0x100)


@pytest.mark.parametrize(("answer", "result"), [("is kept", (SUCCESS, 5)), ("is dropped", None)])
def test_a_datagram_without_a_queued_receive(driver: Any, answer: str, result: Any) -> None:
    """WSK-RFR-12."""
    socket = scene.datagram(driver.m)
    driver.m.choices["datagram without a receive"] = answer
    scene.network(driver.m).host("10.0.0.2").send(b"hello", "10.0.0.1:5000")
    driver.run()
    call = driver.receive_from(socket, 100)[0]
    driver.run()
    assert call.result == result


def test_an_ipv6_source_overruns_a_sockaddr_in(driver: Any) -> None:
    """WSK-ACC-08, WSK-RFR-03: bytes are real."""
    socket = scene.datagram(driver.m, family=23)
    driver.receive_from(socket, 4, driver.m.allocate(16))
    scene.network(driver.m).host("fd00::2").send(b"x", "[fd00::1]:5000")
    with pytest.raises(Stop) as stop:
        driver.run()
    assert stop.value.rule.id == "overrun"


def test_a_dual_mode_socket_serves_both_families(driver: Any) -> None:
    """WSK-AF-06."""
    m, socket = driver.m, scene.datagram(driver.m, bound=False, family=23)
    value = m.allocate(4)
    m.set_u32(value, 0)
    option = driver.call("WskControlSocket", socket, 0, m.constant("IPV6_V6ONLY"), m.constant("IPPROTO_IPV6"), 4, value, 0, 0, 0)
    bound = driver.call("WskBind", socket, scene.sockaddr(m, "[::]:5000"), 0)
    assert (option.result, bound.result) == ((SUCCESS, 0), (SUCCESS, 0))
    place = m.allocate(28)
    call = driver.receive_from(socket, 9, place)[0]
    scene.network(m).host("10.0.0.2").send(b"v4", "10.0.0.1:5000")
    driver.run()
    assert (call.result, m.read(place, 28)) == ((SUCCESS, 2), m.read(scene.sockaddr(m, "[::ffff:10.0.0.2]:7"), 28))


def test_closing_ends_queued_receives(driver: Any) -> None:
    socket = scene.datagram(driver.m)
    call = driver.receive_from(socket, 4)[0]
    driver.close(socket)
    assert call.result == (CHOSEN["closed"].status, 0)
