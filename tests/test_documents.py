"""The documents' own listings, loaded from the seeds exactly as they stand and run under every outcome of the issue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsklab import Lab
from wsklab.machine.status import name_of

Load = Callable[..., tuple[Lab, Any]]


@pytest.fixture
def send_data(seed: Any) -> Load:
    """Load seed 000 into a new lab."""

    def load(**choices: str) -> tuple[Lab, Any]:
        lab = Lab(choices=choices)
        return lab, lab.load(seed("000").listing, "send_data.c")

    return load


@pytest.fixture
def send_datagram(seed: Any) -> Load:
    """Load seed 003 into a new lab."""

    def load(**choices: str) -> tuple[Lab, Any]:
        lab = Lab(choices=choices)
        return lab, lab.load(seed("003").listing, "send_datagram.c")

    return load


def freed(lab: Lab) -> int:
    """How many IRPs were freed."""
    return sum(event.kind == "free" and event.name == "IRP" for event in lab.events)


def routine_results(lab: Lab) -> list[str]:
    """What the completion routines returned."""
    ends = [event for event in lab.events if event.kind == "callback-return" and event.target != "app"]
    return [name_of(event.data["value"]) for event in ends]


# Seed 000: sending over a connection-oriented socket


def test_the_listings_are_taken_whole(seed: Any) -> None:
    """The listing is the page's text to the letter, gaps included, and both gaps are seen."""
    for number, function in (("000", "SendData"), ("003", "SendDatagram")):
        listing = seed(number).listing
        assert listing in seed(number).text
        assert listing.count("...") == 2
        lab = Lab()
        driver = lab.load(listing, "page.c")
        assert function in driver.functions
        assert [place.line for place in driver.units[0].gaps] == [
            line for line, text in enumerate(listing.split("\n"), 1) if text.strip() == "..."
        ]


def test_send_that_completes_later(send_data: Load) -> None:
    """STATUS_PENDING first, then the whole byte count; the routine stops completion and the IRP is gone (WSK-SEND-05 to 07)."""
    lab, driver = send_data()
    socket = lab.connected_socket(peer="reads")
    assert repr(driver.SendData(socket, lab.buffer(b"Hello from the kernel"))) == "STATUS_PENDING"
    assert lab.irps() == ["-"]
    lab.run()
    assert lab.irps() == ["STATUS_SUCCESS, 21, IoFreeIrp"]
    assert routine_results(lab) == ["STATUS_MORE_PROCESSING_REQUIRED"]
    assert socket.received == b"Hello from the kernel"
    assert len(lab.gaps) == 1


def test_send_that_completes_inside_the_call(send_data: Load) -> None:
    """The routine has run when the call returns (WSK-USE-05)."""
    lab, driver = send_data(WskSend="inline")
    socket = lab.connected_socket()
    assert repr(driver.SendData(socket, lab.buffer(b"Hello"))) == "STATUS_SUCCESS"
    assert lab.irps() == ["STATUS_SUCCESS, 5, IoFreeIrp"]


def test_send_on_an_accepted_socket(send_data: Load) -> None:
    """An accepted socket is a connection-oriented socket like any other (WSK-CAT-09)."""
    lab, driver = send_data()
    socket = lab.accepted_socket()
    assert repr(driver.SendData(socket, lab.buffer(b"Hello", chain=2))) == "STATUS_PENDING"
    lab.run()
    assert lab.irps() == ["STATUS_SUCCESS, 5, IoFreeIrp"]
    assert socket.received == b"Hello"


def test_send_to_a_peer_that_resets(send_data: Load) -> None:
    """The IRP completes with an error, no bytes, and is freed all the same (WSK-USE-02)."""
    lab, driver = send_data()
    assert repr(driver.SendData(lab.connected_socket(peer="resets"), lab.buffer(b"Hello"))) == "STATUS_PENDING"
    lab.run()
    assert lab.irps() == ["STATUS_CONNECTION_RESET, 0, IoFreeIrp"]
    assert lab.gaps[0].line == 95 - 1 or len(lab.gaps) == 1


def test_send_to_a_peer_that_has_closed(send_data: Load) -> None:
    """A peer that finished its own direction can still be sent to (WSK-SEND-12)."""
    lab, driver = send_data()
    socket = lab.connected_socket(peer="closed")
    driver.SendData(socket, lab.buffer(b"Hello"))
    lab.run()
    assert lab.irps() == ["STATUS_SUCCESS, 5, IoFreeIrp"]


def test_send_without_an_irp(send_data: Load) -> None:
    """IoAllocateIrp returns NULL: nothing was handed over, so nothing completes (IRP-01)."""
    lab, driver = send_data(IoAllocateIrp="fails")
    assert repr(driver.SendData(lab.connected_socket(), lab.buffer(b"Hello"))) == "STATUS_INSUFFICIENT_RESOURCES"
    lab.run()
    assert lab.irps() == [] and freed(lab) == 0


# Seed 003: sending over a datagram socket


def contents(lab: Lab, host: str) -> list[bytes]:
    """The datagrams a host got."""
    return [datagram.content for datagram in lab.host(host).datagrams]


def test_datagram_to_a_given_address(send_datagram: Load) -> None:
    """RemoteAddress given (WSK-STO-01, 06)."""
    lab, driver = send_datagram()
    lab.host("10.0.0.2")
    status = driver.SendDatagram(lab.datagram_socket(), lab.buffer(b"Hello"), lab.sockaddr("10.0.0.2:7"))
    assert repr(status) == "STATUS_PENDING"
    lab.run()
    assert lab.irps() == ["STATUS_SUCCESS, 5, IoFreeIrp"]
    assert contents(lab, "10.0.0.2") == [b"Hello"]


@pytest.mark.parametrize("fix", ["set_remote_address", "set_sendto_address"])
def test_datagram_to_a_fixed_address(send_datagram: Load, fix: str) -> None:
    """NULL goes to the fixed address; a given address wins; after clearing NULL fails again (WSK-STO-02, 03, SRA-02, SSA-03)."""
    lab, driver = send_datagram()
    lab.host("10.0.0.2"), lab.host("10.0.0.3")
    socket = lab.datagram_socket()
    assert getattr(lab, fix)(socket, "10.0.0.2:7") == 0
    driver.SendDatagram(socket, lab.buffer(b"to the fixed one"), None)
    driver.SendDatagram(socket, lab.buffer(b"to the given one"), lab.sockaddr("10.0.0.3:7"))
    lab.run()
    assert contents(lab, "10.0.0.2") == [b"to the fixed one"]
    assert contents(lab, "10.0.0.3") == [b"to the given one"]
    assert getattr(lab, fix)(socket, None) == 0
    assert driver.SendDatagram(socket, lab.buffer(b"nowhere"), None) < 0
    lab.run()
    assert contents(lab, "10.0.0.2") == [b"to the fixed one"]


def test_datagram_to_nowhere(send_datagram: Load) -> None:
    """NULL with nothing fixed fails, and the IRP completes once with the same status (WSK-STO-04 leaves the number open)."""
    lab, driver = send_datagram()
    status = driver.SendDatagram(lab.datagram_socket(), lab.buffer(b"Hello"), None)
    lab.run()
    assert status < 0
    assert lab.irps() == [f"{name_of(status)}, 0, IoFreeIrp"]


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        (None, [b"from 2", b"from 3"]),
        ("set_remote_address", [b"from 2"]),
        ("set_sendto_address", [b"from 2", b"from 3"]),
    ],
)
def test_what_a_fixed_address_does_to_receiving(fix: str | None, expected: list[bytes]) -> None:
    """A fixed remote address filters what comes in, a fixed destination does not (WSK-SRA-03, 04, WSK-SSA-02, WSK-RFR-11)."""
    lab = Lab()
    socket = lab.datagram_socket()
    arrived = lab.receive_datagrams(socket)
    if fix:
        assert getattr(lab, fix)(socket, "10.0.0.2:7") == 0
    lab.host("10.0.0.2").send(b"from 2", "10.0.0.1:5000", port=7)
    lab.host("10.0.0.3").send(b"from 3", "10.0.0.1:5000", port=7)
    lab.run()
    assert arrived == expected


def test_the_reply_from_an_override_address_is_dropped(send_datagram: Load) -> None:
    """Sent elsewhere although a remote address is fixed: the datagram goes out, the reply is discarded (WSK-SRA-04)."""
    lab, driver = send_datagram()
    socket = lab.datagram_socket()
    arrived = lab.receive_datagrams(socket)
    lab.host("10.0.0.3").echoes = True
    lab.set_remote_address(socket, "10.0.0.2:7")
    driver.SendDatagram(socket, lab.buffer(b"ping"), lab.sockaddr("10.0.0.3:7"))
    lab.run()
    assert contents(lab, "10.0.0.3") == [b"ping"]
    assert arrived == []
    assert [event.name for event in lab.events if event.kind == "message"][-1] == "dropped"


@pytest.mark.parametrize("fix", ["set_remote_address", "set_sendto_address"])
def test_a_fixed_address_before_the_bind_is_refused(fix: str) -> None:
    """Both control codes come after the bind (WSK-SRA-01, WSK-SSA-01)."""
    lab = Lab()
    assert getattr(lab, fix)(lab.datagram_socket(bound=False), "10.0.0.2:7") < 0
