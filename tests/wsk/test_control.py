"""I/O controls, special options, requests about the client. Facts WSK-CTL, WSK-CC, WSK-TLQ, WSK-TLC, WSK-SD, WSK-SAL."""

from __future__ import annotations

from struct import pack, unpack
from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from wsklab.io.completion import cancel
from wsklab.machine.status import name_of
from wsklab.wsk import check_unload, scene
from wsklab.wsk.sockets import decode
from wsklab.wsk.tables import tables

CHOSEN = tables().chosen
OK = ("STATUS_SUCCESS", 0)


def stored(driver: Any, content: bytes) -> int:
    place = driver.m.allocate(len(content))
    driver.m.write(place, content)
    return place


def asked(driver: Any, function: str, *arguments: int) -> str:
    """A control request without an IRP."""
    return name_of(driver.m.api(function)(*arguments, 0))


def ioctl(driver: Any, socket: int, name: str, *buffers: int, irp: bool = True) -> Any:
    buffers = (*buffers, 0, 0, 0, 0, 0)[:5]
    arguments = (socket, 2, driver.m.constant(name) & 0xFFFF_FFFF, 0, *buffers)
    return driver.call("WskControlSocket", *arguments) if irp else asked(driver, "WskControlSocket", *arguments)


def client(driver: Any, code: str, given: bytes = b"", room: int = 0) -> tuple[str, bytes, int]:
    """WskControlClient without an IRP: status, output, size returned."""
    m, size, output = driver.m, driver.m.allocate(8, zero=True), driver.m.allocate(room, zero=True) if room else 0
    place = stored(driver, given) if given else 0
    status = asked(driver, "WskControlClient", m.u64(driver.provider), m.constant(code), len(given), place, room, output, size)
    return status, m.read(output, room) if room else b"", m.u64(size)


# Transports


def test_the_list_of_transports(driver: Any) -> None:
    """WSK-TLQ-01 to 04, WSK-CC-05, WSK-AF-07, WSK-STR-08, WSK-GAP-03: first how many bytes, then the list."""
    driver.register()
    status, _, size = client(driver, "WSK_TRANSPORT_LIST_QUERY")
    assert (status, size) == ("STATUS_BUFFER_OVERFLOW", 6 * 28)
    status, content, _ = client(driver, "WSK_TRANSPORT_LIST_QUERY", room=size)
    rows = [unpack("<HHIH", content[place : place + 10]) for place in range(0, size, 28)]
    triples = [(family, kind, protocol) for family in (2, 23) for kind, protocol in ((1, 6), (2, 17), (3, 255))]
    assert (status, rows) == ("STATUS_SUCCESS", [(0x0100, kind, protocol, family) for family, kind, protocol in triples])
    scene.transports(driver.m, triples[:2])
    assert client(driver, "WSK_TRANSPORT_LIST_QUERY")[2] == 2 * 28


def test_a_change_of_the_transports_completes_the_watcher(driver: Any) -> None:
    """WSK-TLC-01, WSK-TLC-02, WSK-TLC-04; sockets of what is gone cannot be made (WSK-SOCK-13)."""
    address = driver.register()
    calls = [driver.call("WskControlClient", address, 3, 0, 0, 0, 0, 0) for _ in range(3)]
    assert [call.returned for call in calls] == ["STATUS_PENDING"] * 3
    cancel(driver.m, calls[2].irp)
    scene.transports(driver.m, [(2, 1, 6)])
    driver.run()
    assert [call.result for call in calls] == [OK, OK, ("STATUS_CANCELLED", 0)]
    made = driver.call("WskSocket", address, 23, 1, 6, 2, 0, 0, 0, 0, 0)
    assert made.result == (CHOSEN["no such transport"].status, 0)


def test_deregistering_cancels_the_watcher(driver: Any) -> None:
    """WSK-TLC-03, WSK-DER-05, WSK-DER-03."""
    call = driver.call("WskControlClient", driver.register(), 3, 0, 0, 0, 0, 0)
    driver.m.api("WskReleaseProviderNPI")(driver.block)
    thread = driver.m.start_thread(driver.m.api("WskDeregister")(driver.block), "deregister")
    driver.run()
    assert (call.result, thread.done) == (("STATUS_CANCELLED", 0), True)


@pytest.mark.parametrize(("code", "given"), [("WSK_TDI_BEHAVIOR", pack("<I", 1)), ("WSK_TDI_DEVICENAME_MAPPING", bytes(16))])
def test_the_tdi_codes_are_accepted_and_ignored(driver: Any, code: str, given: bytes) -> None:
    """WSK-TDI-01, WSK-TDI-02, WSK-TDI-04."""
    driver.register()
    assert client(driver, code, given)[0] == "STATUS_SUCCESS"
    assert client(driver, code, given[:3])[0] == CHOSEN["wrong size of option buffer"].status
    driver.socket("datagram")
    assert client(driver, code, given)[0] == CHOSEN["sockets exist already"].status


def test_codes_that_take_no_irp_or_need_one(driver: Any) -> None:
    """WSK-CC-01, WSK-CC-02."""
    address = driver.register()
    assert rule_of(lambda: driver.call("WskControlClient", address, 2, 0, 0, 0, 0, 0)) == "wsk-irp-forbidden"
    assert rule_of(lambda: asked(driver, "WskControlClient", address, 3, 0, 0, 0, 0, 0)) == "wsk-no-irp"
    assert asked(driver, "WskControlClient", address, 99, 0, 0, 0, 0, 0) == CHOSEN["bad argument"].status


# Security descriptors


def cached(driver: Any) -> int:
    descriptor = stored(driver, b"\1" + bytes(39))
    status, content, _ = client(driver, "WSK_CACHE_SD", pack("<Q", descriptor), 8)
    assert status == "STATUS_SUCCESS"
    return int.from_bytes(content, "little")


def test_caching_and_releasing_a_descriptor(driver: Any) -> None:
    """WSK-SD-01 to 04, WSK-CLOSE-13."""
    driver.register()
    descriptor = cached(driver)
    socket = driver.socket("datagram", descriptor=descriptor)
    driver.close(socket)
    driver.m.api("WskReleaseProviderNPI")(driver.block)
    driver.m.start_thread(driver.m.api("WskDeregister")(driver.block), "deregister")
    driver.run()
    assert rule_of(lambda: check_unload(driver.m)) == "wsk-descriptor-not-released"
    driver.register()
    assert client(driver, "WSK_RELEASE_SD", pack("<Q", descriptor))[0] == "STATUS_SUCCESS"
    assert rule_of(lambda: client(driver, "WSK_RELEASE_SD", pack("<Q", descriptor))) == "wsk-not-a-cached-descriptor"


def test_a_descriptor_in_use_is_not_released(driver: Any) -> None:
    """WSK-SOCK-08, WSK-SC-08, WSK-SD-05."""
    driver.register()
    descriptor = cached(driver)
    driver.m.choices["WskSocket"] = "pending"
    driver.call("WskSocket", driver.m.u64(driver.provider), 2, 2, 17, 4, 0, 0, 0, 0, descriptor)
    assert rule_of(lambda: client(driver, "WSK_RELEASE_SD", pack("<Q", descriptor))) == "wsk-descriptor-in-use"


def test_a_descriptor_that_is_not_cached(driver: Any) -> None:
    """WSK-SOCK-07."""
    driver.register()
    assert (
        rule_of(lambda: driver.socket("datagram", descriptor=stored(driver, b"\1" + bytes(39)))) == "wsk-not-a-cached-descriptor"
    )


@pytest.mark.parametrize(("answer", "status"), [("granted", "STATUS_SUCCESS"), ("denied", "STATUS_ACCESS_DENIED")])
def test_a_descriptor_lets_addresses_be_shared(driver: Any, answer: str, status: str) -> None:
    """WSK-SHR-01, WSK-SHR-02, WSK-SOCK-06: the access check is a choice; without a descriptor it ends in STATUS_ACCESS_DENIED."""
    driver.register()
    driver.m.choices["access check"] = answer
    first = driver.socket("datagram", descriptor=cached(driver))
    assert driver.bind(first, "0.0.0.0:5000").result == OK
    assert driver.bind(driver.socket("datagram"), "10.0.0.1:5000").result == (status, 0)


@pytest.mark.parametrize(
    ("control", "listed", "status"),
    [
        (0, b"", "STATUS_SUCCESS"),  # no list: everybody may
        (4, pack("<BBHHH", 2, 0, 8, 0, 0), "STATUS_ACCESS_DENIED"),  # an empty list: nobody may
        (4, pack("<BBHHH", 2, 0, 28, 1, 0) + pack("<BBHI", 0, 0, 20, 1) + b"\1\1\0\0\0\0\0\5" + pack("<I", 18), "STATUS_SUCCESS"),
        (4, pack("<BBHHH", 2, 0, 28, 1, 0) + pack("<BBHI", 1, 0, 20, 1) + b"\1\1\0\0\0\0\0\5" + pack("<I", 18),
         "STATUS_ACCESS_DENIED"),
    ],
)  # fmt: skip
def test_the_list_of_the_first_sockets_descriptor_decides(driver: Any, control: int, listed: bytes, status: str) -> None:
    """WSK-SHR-02, WSK-SD-01: the cached copy counts, whatever becomes of the descriptor that was cached."""
    driver.register()
    acl = stored(driver, listed or b"\0")
    made = stored(driver, pack("<BBH4x", 1, 0, control) + bytes(24) + pack("<Q", acl if listed else 0))
    _, content, _ = client(driver, "WSK_CACHE_SD", pack("<Q", made), 8)
    driver.m.free(acl)
    driver.m.free(made)
    first = driver.socket("datagram", descriptor=unpack("<Q", content)[0])
    assert driver.bind(first, "0.0.0.0:5000").result == OK
    assert driver.bind(driver.socket("datagram"), "10.0.0.1:5000").result == (status, 0)


def test_the_security_option(driver: Any) -> None:
    """WSK-SOO-01, WSK-BIND-09, WSK-SD-03: set takes a cached descriptor, get makes another one."""
    driver.register()
    descriptor, socket = cached(driver), driver.socket("datagram")
    place = stored(driver, pack("<Q", descriptor))
    control = (0x4001, 0xFFFF)
    assert driver.call("WskControlSocket", socket, 0, *control, 8, place, 0, 0, 0).result == OK
    assert driver.call("WskControlSocket", socket, 1, *control, 0, 0, 8, place, 0).result == ("STATUS_SUCCESS", 8)
    copy = driver.m.u64(place)
    assert copy != descriptor
    driver.bind(socket, "10.0.0.1:5000")
    driver.m.choices["WskControlSocket"] = "inline"
    late = driver.call("WskControlSocket", socket, 0, *control, 8, place, 0, 0, 0)
    assert late.result == (CHOSEN["option after the bind"].status, 0)
    for each in (copy, descriptor):
        assert client(driver, "WSK_RELEASE_SD", pack("<Q", each))[0] == "STATUS_SUCCESS"


# Addresses of the machine


def test_the_list_of_addresses(driver: Any) -> None:
    """WSK-SAL-01, WSK-SAL-02."""
    socket, size = scene.datagram(driver.m), driver.m.allocate(8)
    assert ioctl(driver, socket, "SIO_ADDRESS_LIST_QUERY", 0, 0, 0, 0, size, irp=False) == "STATUS_BUFFER_OVERFLOW"
    room = driver.m.u64(size)
    place = driver.m.allocate(room)
    assert ioctl(driver, socket, "SIO_ADDRESS_LIST_QUERY", 0, 0, room, place, size, irp=False) == "STATUS_SUCCESS"
    view = driver.m.view(place, "SOCKET_ADDRESS_LIST")
    assert (room, view.iAddressCount, view.Address[0].iSockaddrLength) == (8 + 2 * 32, 2, 16)
    found = [driver.m.read(driver.m.u64(place + 8 + 16 * n), 16) for n in range(2)]
    assert found == [driver.m.read(scene.sockaddr(driver.m, text), 16) for text in ("10.0.0.1:0", "127.0.0.1:0")]


def test_a_change_of_the_addresses(driver: Any) -> None:
    """WSK-SAL-03: of the socket's own family."""
    socket = scene.datagram(driver.m)
    call = ioctl(driver, socket, "SIO_ADDRESS_LIST_CHANGE")
    scene.addresses(driver.m, ["10.0.0.1", "127.0.0.1", "fd00::7"])
    driver.run()
    assert (call.returned, call.result) == ("STATUS_PENDING", None)
    scene.addresses(driver.m, ["10.0.0.9", "127.0.0.1", "fd00::7"])
    driver.run()
    assert call.result == OK


@pytest.mark.parametrize("name", ["SIO_ADDRESS_LIST_QUERY", "SIO_ADDRESS_LIST_CHANGE"])
def test_address_lists_are_for_passive_level(driver: Any, name: str) -> None:
    """WSK-CTL-12."""
    socket = scene.datagram(driver.m)
    with driver.m.at_irql(2):
        assert rule_of(lambda: ioctl(driver, socket, name, irp=name.endswith("CHANGE"))) == "irql-too-high"


# Other I/O controls


def test_silent_mode(driver: Any) -> None:
    """WSK-STSM-01 to 03, WSK-SEND-13, WSK-DISC-10."""
    socket = scene.connected(driver.m)
    peer = scene.peer_of(driver.m, socket)
    waiting = driver.receive(socket, 5)[0]
    assert ioctl(driver, socket, "SIO_WSK_SET_TCP_SILENT_MODE").result == OK
    peer.send(b"lost")
    driver.run()
    refused = ("STATUS_INVALID_DEVICE_STATE", 0)
    calls = [driver.send(socket, b"x"), driver.call("WskDisconnect", socket, 0, 0), driver.receive(socket, 5)[0]]
    assert [call.result for call in (waiting, *calls)] == [refused] * 4
    driver.close(socket)
    driver.run()
    assert (peer.received, peer.broken) == (b"", False)


def test_silent_mode_has_conditions(driver: Any) -> None:
    """WSK-STSM-01, WSK-STSM-02: not while a send is pending."""
    socket = scene.connected(driver.m, "silent")
    driver.send(socket, b"x")
    assert ioctl(driver, socket, "SIO_WSK_SET_TCP_SILENT_MODE").result == (CHOSEN["wrong state"].status, 0)
    assert driver.send(socket, b"y").returned == "STATUS_PENDING"


def test_the_receive_backlog(driver: Any) -> None:
    """WSK-SQB-01, WSK-SQB-02."""
    socket, place = scene.connected(driver.m), driver.m.allocate(8)
    scene.peer_of(driver.m, socket).send(b"hello")
    driver.run()
    assert ioctl(driver, socket, "SIO_WSK_QUERY_RECEIVE_BACKLOG", 0, 0, 8, place).result == ("STATUS_SUCCESS", 8)
    assert driver.m.u64(place) == 5


def test_there_is_no_extension_interface(driver: Any) -> None:
    """WSK-SREX-01 to 03."""
    socket = scene.datagram(driver.m)
    assert ioctl(driver, socket, "SIO_WSK_REGISTER_EXTENSION", 24, stored(driver, bytes(24)), irp=False) == "STATUS_NOT_SUPPORTED"


def test_an_inspect_id_is_for_inspected_connections(driver: Any) -> None:
    """WSK-SQI-02."""
    place, size = driver.m.allocate(16), driver.m.allocate(8)
    for socket in (scene.connected(driver.m), scene.datagram(driver.m)):
        status = ioctl(driver, socket, "SIO_WSK_QUERY_INSPECT_ID", 0, 0, 16, place, size, irp=False)
        assert status == "STATUS_INVALID_DEVICE_REQUEST"


def test_less_used_codes(driver: Any) -> None:
    """WSK-SMISC-01, WSK-SMISC-02."""
    driver.register()
    socket = driver.socket("connection")
    assert ioctl(driver, socket, "SIO_LOOPBACK_FAST_PATH", 1, stored(driver, b"\1")).result == OK
    assert ioctl(driver, socket, "SIO_LOOPBACK_FAST_PATH").result == ("STATUS_INVALID_BUFFER_SIZE", 0)
    late = ioctl(driver, scene.connected(driver.m), "SIO_LOOPBACK_FAST_PATH", 1, stored(driver, b"\1"))
    assert late.result == (CHOSEN["wrong state"].status, 0)


# Redirected connections


def test_what_a_filter_has_left_with_a_connection(driver: Any) -> None:
    """WSK-SMISC-02: nothing with a connection that was not redirected; too small a buffer is an error that tells the size."""
    driver.register()
    socket, place, size = scene.connected(driver.m), stored(driver, bytes(16)), stored(driver, bytes(8))
    for name in ("CONTEXT", "RECORDS"):
        assert ioctl(driver, socket, f"SIO_QUERY_WFP_CONNECTION_REDIRECT_{name}").result == ("STATUS_NOT_FOUND", 0)
    scene.redirected(driver.m, socket, b"context", b"the records")
    short = ioctl(driver, socket, "SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS", 0, 0, 4, place, size)
    driver.run()
    assert (short.result, driver.m.u64(size)) == (("STATUS_BUFFER_TOO_SMALL", 0), 11)
    whole = [
        ioctl(driver, socket, f"SIO_QUERY_WFP_CONNECTION_REDIRECT_{name}", 0, 0, 16, place) for name in ("CONTEXT", "RECORDS")
    ]
    driver.run()
    assert [call.result for call in whole] == [("STATUS_SUCCESS", 7), ("STATUS_SUCCESS", 11)]
    assert driver.m.read(place, 11) == b"the records"


@pytest.mark.parametrize("answer", ["STATUS_SUCCESS", "STATUS_ACCESS_DENIED", "STATUS_INTEGER_OVERFLOW"])
def test_a_redirect_record_is_tied_to_a_proxys_connection(driver: Any, answer: str) -> None:
    """WSK-SMISC-03: on a socket that is not connected yet; each documented status is possible; an IRP is needed."""
    driver.register()
    socket, record = driver.socket("connection"), stored(driver, b"the records")
    driver.m.choices["redirect records"] = answer
    call = ioctl(driver, socket, "SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS", 11, record)
    driver.run()
    assert call.result == (answer, 0)
    code = "SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS"
    assert rule_of(lambda: ioctl(driver, socket, code, 11, record, irp=False)) == "wsk-no-irp"
    with driver.m.at_irql(2):
        assert rule_of(lambda: ioctl(driver, socket, code, 11, record)) == "irql-too-high"


def test_a_redirect_record_that_is_freed_too_early(driver: Any) -> None:
    """WSK-SMISC-03, WSK-CTL-10: the buffer must live until the IRP completes."""
    driver.register()
    socket, record = driver.socket("connection"), stored(driver, b"the records")
    driver.m.choices["WskControlSocket"] = "pending"
    ioctl(driver, socket, "SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS", 11, record)
    driver.m.free(record)
    assert rule_of(driver.run) == "use-after-free"


# Sorting addresses

ALL = ["fd00::2", "10.0.0.9", "2001:db8::1", "169.254.1.1", "fe80::5", "::1", "2002:a00:1::1", "2001::1", "127.0.0.1", "fec0::1"]


def address_list(driver: Any, texts: list[str]) -> int:
    entries = b"".join(pack("<QQ", scene.sockaddr(driver.m, f"[{text}]:1" if ":" in text else f"{text}:1"), 28) for text in texts)
    return stored(driver, pack("<Q", len(texts)) + entries)


def listed(driver: Any, place: int) -> list[str]:
    m, found = driver.m, []
    for number in range(m.u64(place)):
        at = m.u64(place + 8 + 16 * number)
        found.append(str(decode(m, at, m.u16(at)).at(0)).rpartition(":")[0].strip("[]"))
    return found


@pytest.mark.parametrize(
    ("local", "order"),
    [
        # Which wins over which: scope, label, precedence, smaller scope, longest common prefix (RFC 6724, rules 2, 5, 6, 8, 9).
        (["10.0.0.1", "fd00::1", "127.0.0.1", "::1"],
         ["::1", "127.0.0.1", "10.0.0.9", "fd00::2", "2001:db8::1", "2002:a00:1::1", "2001::1", "169.254.1.1", "fe80::5",
          "fec0::1"]),
        (["2001:db8::9", "10.0.0.1"],
         ["2001:db8::1", "10.0.0.9", "2002:a00:1::1", "2001::1", "fd00::2", "fe80::5", "127.0.0.1", "169.254.1.1", "::1",
          "fec0::1"]),
        (["10.0.0.1"],  # rule 1: without an IPv6 address of its own the machine reaches IPv4 only
         ["10.0.0.9", "127.0.0.1", "169.254.1.1", "fd00::2", "2001:db8::1", "fe80::5", "::1", "2002:a00:1::1", "2001::1",
          "fec0::1"]),
    ],
)  # fmt: skip
def test_addresses_are_sorted(driver: Any, local: list[str], order: list[str]) -> None:
    """WSK-CTL-12, WSK-CTL-03: by RFC 6724, which the pages leave to the transport; with an IRP or without, also in place."""
    driver.register()
    scene.addresses(driver.m, local)
    socket, source, out = (
        driver.socket("datagram", family=23),
        address_list(driver, ALL),
        stored(driver, bytes(8 + 16 * len(ALL))),
    )
    room = 8 + 16 * len(ALL)
    call = ioctl(driver, socket, "SIO_ADDRESS_LIST_SORT", room, source, room, out)
    driver.run()
    assert (call.result, listed(driver, out)) == (("STATUS_SUCCESS", room), order)
    assert ioctl(driver, socket, "SIO_ADDRESS_LIST_SORT", room, source, room, source, irp=False) == "STATUS_SUCCESS"
    assert listed(driver, source) == order


def test_sorting_too_small_or_too_high(driver: Any) -> None:
    """WSK-CTL-12, WSK-SAL-02."""
    driver.register()
    socket, source, size = driver.socket("datagram"), address_list(driver, ["10.0.0.9"] * 2), stored(driver, bytes(8))
    arguments = (socket, "SIO_ADDRESS_LIST_SORT", 40, source, 24, source, size)
    assert ioctl(driver, *arguments, irp=False) == "STATUS_BUFFER_OVERFLOW"
    assert driver.m.u64(size) == 40
    with driver.m.at_irql(2):
        assert rule_of(lambda: ioctl(driver, *arguments, irp=False)) == "irql-too-high"
    driver.m.set_u16(driver.m.u64(source + 8), 99)
    assert ioctl(driver, *arguments, irp=False) == CHOSEN["wrong family"].status


# Datagrams


def messages(driver: Any, *contents: bytes) -> int:
    m, following = driver.m, 0
    for content in reversed(contents):
        buffer, node = scene.wsk_buf(m, content), m.new("WSK_BUF_LIST")
        m.set_u64(node, following)
        m.memory.copy(node + m.offset("WSK_BUF_LIST", "Buffer"), buffer, m.sizeof("WSK_BUF"))
        following = node
    return following


@pytest.mark.parametrize("way", ["inline", "pending", "early"])
def test_several_messages_at_once(driver: Any, way: str) -> None:
    """WSK-SMSG-01 to 04."""
    socket, host = scene.datagram(driver.m), scene.network(driver.m).host("10.0.0.2")
    driver.m.choices["WskSendMessages"] = way
    to = scene.sockaddr(driver.m, "10.0.0.2:7")
    call = driver.call("WskSendMessages", socket, messages(driver, b"a", b"", b"ccc"), 0, to, 0, 0)
    driver.run()
    assert (call.result, [datagram.content for datagram in host.datagrams]) == (("STATUS_SUCCESS", 4), [b"a", b"", b"ccc"])


def test_the_list_of_messages_must_live(driver: Any) -> None:
    """WSK-SMSG-05."""
    socket, nodes = scene.datagram(driver.m), messages(driver, b"a")
    driver.call("WskSendMessages", socket, nodes, 0, scene.sockaddr(driver.m, "10.0.0.2:7"), 0, 0)
    driver.m.free(nodes)
    assert rule_of(driver.run) == "use-after-free"


def packet_info(driver: Any, socket: int, family: int = 2) -> None:
    option, level = (("IP_PKTINFO", "IPPROTO_IP"), ("IPV6_PKTINFO", "IPPROTO_IPV6"))[family == 23]
    place = stored(driver, pack("<I", 1))
    code, of = driver.m.constant(option), driver.m.constant(level)
    assert driver.call("WskControlSocket", socket, 0, code, of, 4, place, 0, 0, 0).result == OK


@pytest.mark.parametrize("family", [2, 23])
def test_control_information_tells_the_destination(driver: Any, family: int) -> None:
    """WSK-RFR-04, WSK-CTL-03: a CMSGHDR, as the option asks for it."""
    m, here = driver.m, "10.0.0.1:5000" if family == 2 else "[fd00::1]:5000"
    socket = scene.datagram(m, family=family)
    packet_info(driver, socket, family)
    length, control, flags = m.allocate(4), m.allocate(64), m.allocate(4)
    m.set_u32(length, 64)
    call = driver.call("WskReceiveFrom", socket, scene.wsk_buf(m, bytes(9)), 0, 0, length, control, flags)
    scene.network(m).host("10.0.0.2" if family == 2 else "fd00::2").send(b"hello", here)
    driver.run()
    size = 24 if family == 2 else 40
    expected = pack("<QiI", 16 + (8 if family == 2 else 20), 0 if family == 2 else 41, 19)
    address = m.read(scene.sockaddr(m, here) + (4 if family == 2 else 8), 4 if family == 2 else 16)
    assert (call.result, m.u32(length), m.u32(flags)) == (("STATUS_SUCCESS", 5), size, 0)
    assert m.read(control, size) == (expected + address + pack("<I", 1)).ljust(size, b"\0")


def test_truncated_data_and_control_information(driver: Any) -> None:
    """WSK-RFR-06, WSK-RFR-07."""
    m, socket = driver.m, scene.datagram(driver.m)
    packet_info(driver, socket)
    length, control, flags = m.allocate(4), m.allocate(8), m.allocate(4)
    m.set_u32(length, 8)
    call = driver.call("WskReceiveFrom", socket, scene.wsk_buf(m, bytes(2)), 0, 0, length, control, flags)
    scene.network(m).host("10.0.0.2").send(b"hello", "255.255.255.255:5000")
    driver.run()
    assert (call.result, m.u32(length), m.u32(flags)) == (("STATUS_SUCCESS", 2), 8, 0x100 | 0x200 | 0x400)


def test_control_information_chooses_the_source(driver: Any) -> None:
    """WSK-STO-05, WSK-STO-08."""
    m, host = driver.m, scene.network(driver.m).host("10.0.0.2")
    socket = scene.datagram(m, local="0.0.0.0:5000")
    control = stored(driver, pack("<QiI4sI", 24, 0, 19, bytes([127, 0, 0, 1]), 0))
    call = driver.call("WskSendTo", socket, scene.wsk_buf(m, b"x"), 0, scene.sockaddr(m, "10.0.0.2:7"), 24, control)
    driver.run()
    assert (call.result, host.datagrams[0].source) == (("STATUS_SUCCESS", 1), "127.0.0.1:5000")
    driver.call("WskSendTo", socket, scene.wsk_buf(m, b"x"), 0, scene.sockaddr(m, "10.0.0.2:7"), 24, control)
    m.free(control)
    assert rule_of(driver.run) == "use-after-free"
