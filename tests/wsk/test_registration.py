"""Registration, capturing, making sockets through the provider table.

Facts WSK-REG, WSK-CAP, WSK-REL, WSK-DER, WSK-SOCK, WSK-SC.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from wsklab.machine.status import name_of
from wsklab.wsk import check_unload, scene
from wsklab.wsk.tables import tables

CATEGORIES, CHOSEN = tables().categories, tables().chosen
NO_WAIT, INFINITE = 0, 0xFFFF_FFFF


class Client:
    """A registered client."""

    def __init__(self, driver: Any, version: int = 0x0100) -> None:
        self.driver, m = driver, driver.m
        self.m = m
        dispatch = m.new("WSK_CLIENT_DISPATCH")
        m.set_u16(dispatch, version)
        npi = m.new("WSK_CLIENT_NPI")
        m.set_u64(npi + 8, dispatch)
        self.block = m.allocate(24)
        self.provider = m.allocate(16)
        assert m.api("WskRegister")(npi, self.block) == 0
        self.npi = npi

    def wait(self, function: str, *arguments: int) -> Any:
        """Call a function that waits on a thread of its own; the thread."""
        return self.m.start_thread(self.m.api(function)(*arguments), function)

    def capture(self, timeout: int = NO_WAIT) -> Any:
        thread = self.wait("WskCaptureProviderNPI", self.block, timeout, self.provider)
        self.m.run()
        return name_of(thread.result) if thread.done else None

    def release(self) -> None:
        self.m.api("WskReleaseProviderNPI")(self.block)

    def deregister(self) -> Any:
        thread = self.wait("WskDeregister", self.block)
        self.m.run()
        return thread

    def socket(self, flags: int, kind: int, protocol: int, family: int = 2, context: int = 0) -> Any:
        client = self.m.u64(self.provider)
        return self.driver.call("WskSocket", client, family, kind, protocol, flags, context, 0, 0, 0, 0)


@pytest.fixture
def client(driver: Any) -> Client:
    return Client(driver)


# Life of a registration


def test_a_whole_life(client: Client) -> None:
    """WSK-OBJ-05, WSK-CAP-03, WSK-DER-02."""
    assert client.capture(INFINITE) == "STATUS_SUCCESS"
    client.release()
    assert client.deregister().done
    check_unload(client.m)


def test_the_provider_table_is_constant_and_in_slot_order(client: Client) -> None:
    """WSK-OBJ-09, WSK-OBJ-14."""
    client.capture()
    m, table = client.m, client.m.u64(client.provider + 8)
    names = [m.code_at(m.u64(table + 8 + 8 * slot)).name for slot in range(6)]
    assert (m.u16(table), names) == (
        0x0100,
        ["WskSocket", "WskSocketConnect", "WskControlClient", "WskGetAddressInfo", "WskFreeAddressInfo", "WskGetNameInfo"],
    )
    assert rule_of(lambda: m.set_u64(table + 8, 0)) == "read-only-write"


# provider, time-out in ms → result and how long it took in ms. WSK-CAP-02, WSK-CAP-04
CAPTURES = [
    ("ready", NO_WAIT, "STATUS_SUCCESS", 0),
    ("late", NO_WAIT, "STATUS_DEVICE_NOT_READY", None),
    ("late", 100, "STATUS_DEVICE_NOT_READY", 100),
    ("late", INFINITE, "STATUS_SUCCESS", 1000),
    ("never", 50, "STATUS_DEVICE_NOT_READY", 50),
]


@pytest.mark.parametrize(("provider", "timeout", "result", "took"), CAPTURES)
def test_capturing(driver: Any, provider: str, timeout: int, result: str, took: int | None) -> None:
    driver.m.choices["WSK provider"] = provider
    client = Client(driver)
    thread = client.wait("WskCaptureProviderNPI", client.block, timeout, client.provider)
    driver.m.scheduler.run(until=thread)
    assert (name_of(thread.result), driver.m.time) == (result, (took or 0) * 10_000)


@pytest.mark.parametrize(
    ("version", "result"), [(0x0100, "STATUS_SUCCESS"), (0x0101, "STATUS_NOINTERFACE"), (0x0200, "STATUS_NOINTERFACE")]
)
def test_versions(driver: Any, version: int, result: str) -> None:
    """WSK-CAP-05, WSK-REG-04, WSK-REG-08, WSK-QPC-02 to 04, WSK-OBJ-10: registering succeeds with every version."""
    client = Client(driver, version)
    assert client.capture() == result
    place = driver.m.allocate(4)
    assert driver.m.api("WskQueryProviderCharacteristics")(client.block, place) == 0
    assert (driver.m.u16(place), driver.m.u16(place + 2)) == (0x0100, 0x0100)


def test_a_capture_that_waits_is_not_for_dispatch_level(client: Client) -> None:
    """WSK-CAP-09."""
    with client.m.at_irql(2):
        assert list(client.m.api("WskCaptureProviderNPI")(client.block, NO_WAIT, client.provider)) == []
        assert rule_of(lambda: list(client.m.api("WskCaptureProviderNPI")(client.block, 1, client.provider))) == "irql-too-high"


def test_deregistering_ends_waiting_captures(driver: Any) -> None:
    """WSK-CAP-07, WSK-CAP-08."""
    driver.m.choices["WSK provider"] = "never"
    client = Client(driver)
    assert client.capture(INFINITE) is None
    waiting = driver.m.scheduler.blocked[0]
    assert client.deregister().done
    assert (name_of(waiting.result), client.capture()) == ("STATUS_DEVICE_NOT_READY", "STATUS_DEVICE_NOT_READY")


def test_deregister_waits_for_captures_and_sockets(client: Client) -> None:
    """WSK-DER-02, WSK-DER-04, WSK-OBJ-06: the sockets work on after the release."""
    client.capture()
    socket = client.socket(4, 2, 17).result[1]
    thread = client.deregister()
    assert thread.waiting.why == ("WskDeregister", "1 captured NPI", "open sockets:", socket)
    client.release()
    assert client.driver.call("WskBind", socket, scene.sockaddr(client.m, "0.0.0.0:0"), 0).result == ("STATUS_SUCCESS", 0)
    assert rule_of(client.m.hang) == "hang"
    client.driver.close(socket)
    client.m.run()
    assert thread.done


def test_registration_rules(client: Client) -> None:
    """WSK-REG-02, WSK-REG-06, WSK-REL-02, WSK-DER-06, WSK-DER-10."""
    m, api = client.m, client.m.api
    assert rule_of(lambda: api("WskRegister")(client.npi, client.block)) == "wsk-registered-twice"
    assert rule_of(lambda: api("WskReleaseProviderNPI")(client.block)) == "wsk-released-too-often"
    assert rule_of(lambda: api("WskReleaseProviderNPI")(client.npi)) == "wsk-not-registered"
    assert rule_of(lambda: check_unload(m)) == "wsk-not-deregistered"
    client.deregister()
    assert rule_of(lambda: list(api("WskDeregister")(client.block))) == "wsk-deregistered-twice"


def test_the_registration_block_is_not_the_drivers(client: Client) -> None:
    """WSK-REG-03, WSK-OBJ-16."""
    client.m.set_u64(client.block + 8, 0)
    assert rule_of(lambda: client.m.api("WskReleaseProviderNPI")(client.block)) == "wsk-registration-written"


def test_a_reserved_member_must_be_zero(client: Client) -> None:
    client.m.set_u16(client.m.u64(client.npi + 8) + 2, 1)
    assert rule_of(lambda: client.m.api("WskRegister")(client.npi, client.m.allocate(24))) == "wsk-reserved-not-zero"


def test_several_registrations_are_independent(driver: Any) -> None:
    """WSK-REG-05, WSK-CAP-06."""
    first, second = Client(driver), Client(driver)
    assert (first.capture(), second.capture()) == ("STATUS_SUCCESS", "STATUS_SUCCESS")
    assert driver.m.u64(first.provider) != driver.m.u64(second.provider)
    first.release()
    assert first.deregister().done and not second.deregister().done


def test_provider_functions_need_a_captured_npi(client: Client) -> None:
    """WSK-REL-03, WSK-OBJ-07."""
    client.capture()
    client.release()
    assert rule_of(lambda: client.socket(4, 2, 17)) == "wsk-npi-not-captured"
    client.m.set_u64(client.provider, 0x1234)
    assert rule_of(lambda: client.socket(4, 2, 17)) == "wsk-not-a-client"


# Making sockets


@pytest.mark.parametrize(
    ("category", "flags", "kind", "protocol"),
    [
        ("basic", 0, 1, 6),
        ("basic", 0, 3, 99),
        ("listening", 1, 1, 6),
        ("connection", 2, 1, 6),
        ("datagram", 4, 2, 17),
        ("datagram", 4, 3, 1),
        ("stream", 8, 1, 6),
    ],
)
@pytest.mark.parametrize("way", ["inline", "pending", "early"])
def test_each_category_has_its_own_table(client: Client, category: str, flags: int, kind: int, protocol: int, way: str) -> None:
    """WSK-OBJ-03, WSK-OBJ-04, WSK-CAT-01, WSK-CAT-02, WSK-SOCK-10."""
    client.capture()
    client.m.choices["WskSocket"] = way
    call = client.socket(flags, kind, protocol)
    client.m.run()
    status, socket = call.result
    row = CATEGORIES[category]
    table = client.m.u64(socket)
    members = client.m.headers.record(row.table).members
    names = {member: client.m.code_at(client.m.u64(table + members[member].offset)).name for member in row.slots}
    assert (status, names) == ("STATUS_SUCCESS", row.slots)


@pytest.mark.parametrize(
    ("flags", "kind", "protocol", "context", "what"),
    [
        (1, 1, 0, 0, "protocol 0"),
        (1, 2, 17, 0, "no such transport"),
        (4, 1, 6, 0, "no such transport"),
        (3, 1, 6, 0, "bad argument"),
        (0, 1, 6, 1, "bad argument"),
    ],
)
def test_sockets_that_cannot_be_made(client: Client, flags: int, kind: int, protocol: int, context: int, what: str) -> None:
    """WSK-AF-02, WSK-AF-05, WSK-SOCK-03, WSK-SOCK-04; the IRP is completed, Information is no socket."""
    client.capture()
    call = client.socket(flags, kind, protocol, context=context)
    assert (call.returned, call.result) == (CHOSEN[what].status, (CHOSEN[what].status, 0))


@pytest.mark.parametrize("way", ["inline", "pending", "early"])
@pytest.mark.parametrize(("peer", "status"), [("reads", "STATUS_SUCCESS"), ("refuses", CHOSEN["connect refused"].status)])
def test_socket_connect(client: Client, peer: str, status: str, way: str) -> None:
    """WSK-SC-02, WSK-SC-04: on failure there is no socket and nothing to close."""
    client.capture()
    m = client.m
    script = scene.network(m).peer("10.0.0.2:80", peer)
    m.choices["WskSocketConnect"] = way
    addresses = scene.sockaddr(m, "0.0.0.0:0"), scene.sockaddr(m, "10.0.0.2:80")
    call = client.driver.call("WskSocketConnect", m.u64(client.provider), 1, 6, *addresses, 0, 0, 0, 0, 0, 0)
    m.run()
    assert (call.result[0], call.times) == (status, 1)
    if call.result[1]:
        client.driver.send(call.result[1], b"hello")
        m.run()
        assert script.received == b"hello"
        client.driver.close(call.result[1])
    client.release()
    assert client.deregister().done
