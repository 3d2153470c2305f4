"""Name resolution. Facts WSK-GAI, WSK-FAI, WSK-GNI."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from wsklab.wsk import check_unload, scene
from wsklab.wsk.tables import CHOSEN as WHICH
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen


def text(driver: Any, words: str, ends: bool = True) -> int:
    """A UNICODE_STRING."""
    m, content = driver.m, words.encode("utf-16-le")
    place = m.new("UNICODE_STRING")
    string = m.view(place, "UNICODE_STRING")
    string.Length, string.MaximumLength, string.Buffer = len(content), len(content) + 2, m.allocate(len(content) + 2)
    m.write(int(string.Buffer), content + (b"\0\0" if ends else b"x\0"))
    return place


class Resolver:
    """A registered client that resolves names."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.m, self.client = driver, driver.m, driver.register()
        self.result = self.m.allocate(8, zero=True)

    def ask(self, node: str, service: str = "", **hints: int) -> Any:
        m, place = self.m, 0
        if hints:
            place = m.new("ADDRINFOEXW")
            for name, value in hints.items():
                setattr(m.view(place, "ADDRINFOEXW"), f"ai_{name}", value)
        names = [text(self.driver, each) if each else 0 for each in (node, service)]
        call = self.driver.call("WskGetAddressInfo", self.client, *names, 0, 0, place, self.result, 0, 0)
        self.driver.run()
        return call

    def found(self, node: str, service: str = "", **hints: int) -> list[tuple[int, bytes, int, int]]:
        """The list: family, SOCKADDR, type, protocol."""
        call = self.ask(node, service, **hints)
        assert call.result == ("STATUS_SUCCESS", 0)
        rows, place = [], self.m.u64(self.result)
        while place:
            info = self.m.view(place, "ADDRINFOEXW")
            rows.append((info.ai_family, self.m.read(int(info.ai_addr), info.ai_addrlen), info.ai_socktype, info.ai_protocol))
            place = int(info.ai_next)
        self.m.api("WskFreeAddressInfo")(self.client, self.m.u64(self.result))
        return rows

    def name(self, address: str, flags: int = 0, room: int = 64, length: int = 0) -> Any:
        """WskGetNameInfo: the call, and both texts when it succeeded."""
        m, places = self.m, []
        for _ in range(2):
            string = m.view(m.new("UNICODE_STRING"), "UNICODE_STRING")
            string.MaximumLength, string.Buffer = room, m.allocate(room)
            places.append(string)
        size = length or (28 if "[" in address else 16)
        call = self.driver.call("WskGetNameInfo", self.client, scene.sockaddr(m, address), size, *map(int, places), flags, 0, 0)
        self.driver.run()
        if call.result[0] != "STATUS_SUCCESS":
            return call.result
        return tuple(m.read(int(string.Buffer), string.Length + 2).decode("utf-16-le") for string in places)


@pytest.fixture
def resolver(driver: Any) -> Resolver:
    return Resolver(driver)


def sockaddr(resolver: Resolver, address: str) -> bytes:
    size = 28 if "[" in address else 16
    return resolver.m.read(scene.sockaddr(resolver.m, address), size)


@pytest.mark.parametrize("way", ["inline", "pending", "early"])
def test_a_host_and_a_service_by_name(resolver: Resolver, way: str) -> None:
    """WSK-GAI-01, WSK-GAI-02, WSK-GAI-04 to 06."""
    resolver.m.choices["WskGetAddressInfo"] = way
    assert resolver.found("peer.lab.example", "http") == [
        (23, sockaddr(resolver, "[fd00::2]:80"), 0, 0),
        (2, sockaddr(resolver, "10.0.0.2:80"), 0, 0),
    ]


def test_hints_choose(resolver: Resolver) -> None:
    assert resolver.found("localhost", "7", family=2, socktype=1, protocol=6) == [(2, sockaddr(resolver, "127.0.0.1:7"), 1, 6)]
    assert resolver.found("10.0.0.7", flags=4) == [(2, sockaddr(resolver, "10.0.0.7:0"), 0, 0)]
    assert [row[1] for row in resolver.found("", "80", flags=1)] == [
        sockaddr(resolver, "[::]:80"),
        sockaddr(resolver, "0.0.0.0:80"),
    ]


@pytest.mark.parametrize(
    ("node", "service", "hints"),
    [
        ("nobody", "", {}),
        ("peer.lab.example", "", {"flags": 4}),
        ("localhost", "nothing", {}),
        ("localhost", "http", {"flags": 8}),
    ],
)
def test_what_nobody_knows(resolver: Resolver, node: str, service: str, hints: dict[str, int]) -> None:
    """WSK-GAI-04, WSK-GAI-05: Information is the status."""
    assert resolver.ask(node, service, **hints).result == ("STATUS_NO_MATCH", 0xC0000272)


def test_newer_systems_have_another_status_for_it(make_driver: Any) -> None:
    """The page says STATUS_NO_MATCH; Windows 10 is reported to say STATUS_NOT_FOUND."""
    resolver = Resolver(make_driver(choices={"status that no page names": WHICH[1]}))
    assert resolver.ask("nobody.lab.example").result[0] == "STATUS_NOT_FOUND"


def test_arguments_that_do_not_fit(resolver: Resolver) -> None:
    """WSK-GAI-03, WSK-GAI-08, WSK-GNI-02."""
    invalid = ("STATUS_INVALID_PARAMETER", 0xC000000D)
    assert resolver.ask("").result == invalid
    d, m = resolver.driver, resolver.m
    open_end = d.call("WskGetAddressInfo", resolver.client, text(d, "x", ends=False), 0, 0, 0, 0, resolver.result, 0, 0)
    thread = d.call("WskGetAddressInfo", resolver.client, text(d, "x"), 0, 0, 0, 0, resolver.result, 0, 1)
    nothing = d.call("WskGetNameInfo", resolver.client, scene.sockaddr(m, "10.0.0.2:80"), 16, 0, 0, 0, 0, 0)
    d.run()
    assert [call.result for call in (open_end, thread, nothing)] == [invalid] * 3
    assert resolver.name("10.0.0.2:80", length=129) == resolver.name("10.0.0.2:80", length=8) == invalid


@pytest.mark.parametrize(("process", "thread"), [(1, 0), (1, 1), (0, 0)])
def test_a_thread_that_impersonates_names_no_process(resolver: Resolver, process: int, thread: int) -> None:
    """WSK-GAI-07, WSK-GAI-08, WSK-GNI-05: while it impersonates; afterwards it may."""
    m, api = resolver.m, resolver.m.api
    mine, me = api("PsGetCurrentProcess")(), api("PsGetCurrentThread")()
    token = api("PsReferencePrimaryToken")(mine)
    assert api("PsImpersonateClient")(me, token, 0, 0, 2) == 0
    arguments = (resolver.client, text(resolver.driver, "localhost"), 0, 0, 0, 0, resolver.result, process * mine, thread * me)
    first = resolver.driver.call("WskGetAddressInfo", *arguments)
    resolver.driver.run()
    known = "STATUS_INVALID_PARAMETER" if process else "STATUS_SUCCESS"
    assert first.result == (known, m.constant(known) & 0xFFFF_FFFF)
    api("PsRevertToSelf")()
    second = resolver.driver.call("WskGetAddressInfo", *arguments)
    resolver.driver.run()
    assert second.result == ("STATUS_SUCCESS", 0)


def test_freeing_the_list(resolver: Resolver) -> None:
    """WSK-FAI-01 to 03, WSK-GAI-06, WSK-CONN-08: addresses taken out of it are gone with it."""
    resolver.ask("localhost")
    head = resolver.m.u64(resolver.result)
    address = int(resolver.m.view(head, "ADDRINFOEXW").ai_addr)
    following = int(resolver.m.view(head, "ADDRINFOEXW").ai_next)
    free = resolver.m.api("WskFreeAddressInfo")
    assert rule_of(lambda: free(resolver.client, following)) == "wsk-not-address-info"
    free(resolver.client, head)
    assert rule_of(lambda: resolver.m.u16(address)) == "use-after-free"
    assert rule_of(lambda: free(resolver.client, head)) == "wsk-not-address-info"


def test_a_list_that_is_left(resolver: Resolver) -> None:
    """WSK-FAI-02: only with the NPI captured, and before the end."""
    resolver.ask("localhost")
    resolver.m.api("WskReleaseProviderNPI")(resolver.driver.block)
    free = resolver.m.api("WskFreeAddressInfo")
    assert rule_of(lambda: free(resolver.client, resolver.m.u64(resolver.result))) == "wsk-npi-not-captured"
    resolver.m.start_thread(resolver.m.api("WskDeregister")(resolver.driver.block), "deregister")
    resolver.driver.run()
    assert rule_of(lambda: check_unload(resolver.m)) == "wsk-address-info-not-freed"


def test_strings_and_structures_may_lie_in_paged_pool(resolver: Resolver) -> None:
    """WskGetAddressInfo is for PASSIVE_LEVEL (WSK-GAI-01); no page asks for memory that is not paged."""
    d, m = resolver.driver, resolver.m
    place, result = (m.api("ExAllocatePool2")(0x100, size, 0x656D614E) for size in (16, 8))  # POOL_FLAG_PAGED
    m.memory.copy(place, text(d, "localhost"), 16)
    call = d.call("WskGetAddressInfo", resolver.client, place, 0, 0, 0, 0, result, 0, 0)
    d.run()
    assert (call.returned, call.result) == ("STATUS_PENDING", ("STATUS_SUCCESS", 0))
    m.api("WskFreeAddressInfo")(resolver.client, m.u64(result))


def test_the_strings_must_live_until_the_answer(resolver: Resolver) -> None:
    """WSK-GAI-09."""
    d, name = resolver.driver, text(resolver.driver, "localhost")
    d.call("WskGetAddressInfo", resolver.client, name, 0, 0, 0, 0, resolver.result, 0, 0)
    resolver.m.free(name)
    assert rule_of(d.run) == "use-after-free"


# (address, flags) → the two texts
NAMES = [
    ("10.0.0.2:80", 0, ("peer.lab.example", "http")),
    ("[fd00::2]:8080", 0, ("peer.lab.example", "8080")),
    ("10.0.0.2:80", 1, ("peer", "http")),
    ("10.0.0.2:80", 2 | 8, ("10.0.0.2", "80")),
    ("10.0.0.77:7", 0, ("10.0.0.77", "echo")),
]


@pytest.mark.parametrize(("address", "flags", "texts"), NAMES)
def test_the_name_of_an_address(resolver: Resolver, address: str, flags: int, texts: tuple[str, str]) -> None:
    """WSK-GNI-01 to 04: with the zero at the end."""
    assert resolver.name(address, flags) == (texts[0] + "\0", texts[1] + "\0")


def test_a_name_that_is_required_or_does_not_fit(resolver: Resolver) -> None:
    """WSK-GNI-02, WSK-GNI-03, WSK-GNI-05."""
    missing, small = CHOSEN["no name for the address"].status, CHOSEN["name does not fit"].status
    assert resolver.name("10.0.0.77:7", 4) == (missing, 0xC0000272)
    assert resolver.name("10.0.0.2:7", room=32) == (small, 0xC0000023)
    assert resolver.name("10.0.0.2:7", room=34)[0] == "peer.lab.example\0"


def test_only_at_passive_level(resolver: Resolver) -> None:
    """WSK-GAI-01, WSK-FAI-01, WSK-GNI-01."""
    for function in ("WskGetAddressInfo", "WskGetNameInfo", "WskFreeAddressInfo"):
        with resolver.m.at_irql(2):
            assert rule_of(lambda function=function: resolver.m.api(function)(*[0] * 10)) == "irql-too-high"
