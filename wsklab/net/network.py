"""What the simulated and the loopback network have in common: the boundary that sockets and peers use.

A socket opens an address in one of three tables (`listeners`, `receivers`, `callers`), asks for connections, sends datagrams, and
is told what arrives. Nothing here knows how bytes travel: `simulated.py` moves them on virtual time, `loopback.py` through real
sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from wsklab.net.capture import Capture
from wsklab.net.peers import TABLES, Host, Peer
from wsklab.net.tcp import AF_INET, Address, End

if TYPE_CHECKING:
    from wsklab.machine import Machine

FREE_PORTS = range(49_152, 65_536)  # for sockets bound to port 0

LOCAL = ("10.0.0.1", "fd00::1", "127.0.0.1", "::1")  # the addresses of the machine that runs the driver

NAMES: dict[str, list[str]] = TABLES["names"]
DROPPED: dict[str, str] = TABLES["dropped"]

CONNECTED, REFUSED, TIMED_OUT, UNREACHABLE = "connected", "refused", "timed out", "unreachable"  # how a connection request ends

IN_USE, NOT_ALLOWED = "port in use", "port not allowed"  # why an address cannot be opened


class Network:
    """The network of one machine."""

    addresses: tuple[str, ...] = LOCAL
    delay = 0  # of a crossing in 100-ns units
    # Where a scene puts a socket of the driver (of either family), one that listens, a peer, and a peer that connects
    here, here6, served, there, caller = "10.0.0.1:5000", "[fd00::1]:5000", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.2:5000"

    def __init__(self, machine: Machine) -> None:
        self.machine, self.trace, self.choose = machine, machine.trace, machine.choose
        self.hosts: dict[bytes, Host] = {}  # the other hosts by address
        # Asked `answers()` or, when `conditional`, `inspect(end, answer)`; told `connection_arrived(end)`.
        self.listeners: dict[Address, Any] = {}
        self.receivers: dict[Address, Any] = {}  # told `datagram_arrived(content, source, destination)`
        self.callers: dict[Address, Any] = {}  # bound sockets that connect
        self.local = [Address.parse(text).ip for text in self.addresses]
        self.names = {name: [Address.parse(text) for text in texts] for name, texts in NAMES.items()}
        self.capture: Capture | None = None
        self._ports = cycle(FREE_PORTS)
        self._instant = 0

    def close(self) -> None:
        """Close the capture file."""
        if self.capture:
            self.capture.close()

    def now(self) -> int:
        """Virtual time."""
        return self.machine.time

    # Addresses and names

    def free_ports(self) -> Iterator[int]:
        """The ports for a socket that asks for none, each machine's first one after the one it took last."""
        return islice(self._ports, len(FREE_PORTS))

    def is_local(self, address: Address) -> bool:
        """Whether the address belongs to the machine itself."""
        return address.ip in self.local

    def route(self, address: Address) -> Address:
        """The local address (port 0) from which `address` is reached."""
        if self.is_local(address):
            return address.at(0)
        return next(Address(ip, 0) for ip in self.local if len(ip) == len(address.ip))

    def resolve(self, name: str) -> list[Address]:
        """The addresses of a host by name (port 0), none when nobody knows it."""
        return self.names.get(name.lower(), [])

    def name_of(self, address: Address) -> str:
        """The full name of a host by address, "" when nobody knows it."""
        return next((name for name, known in self.names.items() if address.at(0) in known), "")

    # Who is there

    def host(self, text: str) -> Host:
        """The host at an address, for example ``"10.0.0.2"``; made when it is first named."""
        address = Address.parse(text)
        return self.hosts.setdefault(address.ip, Host(self, address.at(0)))

    def peer(self, text: str, behaviour: str | Callable[[bytes], bytes] = "reads") -> Peer:
        """A scripted program that waits for connections at an address such as ``"10.0.0.2:80"``.

        Args:
            text: the address and port.
            behaviour: one of BEHAVIOURS, or a function from the bytes that arrived to the bytes that are sent back.
        """
        raise NotImplementedError

    def open(self, table: str, address: Address, owner: Any, alone: bool = False) -> str:
        """Let `owner` have an address; "" or why it cannot: IN_USE, NOT_ALLOWED. A second owner waits to inherit it.

        `alone`: the port was not asked for, so one that anybody else may still have is in use.
        """
        getattr(self, table).setdefault(address, owner)
        return ""

    def move(self, before: str, after: str, address: Address, owner: Any) -> str:
        """Move what `owner` has at an address to another table; "" or why that cannot be."""
        self.hand_on(before, address, owner)
        return self.open(after, address, owner)

    def hand_on(self, table: str, address: Address, owner: Any, heir: Any = None) -> None:
        """`owner` gives the address up; `heir` has it from now on, if there is one."""
        known: dict[Address, Any] = getattr(self, table)
        if known.get(address) is owner:
            if heir:
                known[address] = heir
            else:
                del known[address]
                self.closed(table, address)

    def closed(self, table: str, address: Address) -> None:
        """Nobody has the address any more."""

    def find(self, table: dict[Address, Any], address: Address) -> Any:
        """The entry for an address: its own, or the wildcard's of its family, or a dual-mode one (WSK-AF-06)."""
        found = table.get(address)
        if found is None and self.is_local(address):
            found = table.get(Address(bytes(len(address.ip)), address.port))
            if found is None and address.family == AF_INET:
                dual = table.get(Address(bytes(16), address.port))
                found = dual if getattr(dual, "dual_mode", False) else None
        return found

    # Bytes

    @contextmanager
    def instant(self, wanted: bool = True) -> Iterator[None]:
        """While this is open, and `wanted`, what can be over inside the call that asks for it is over inside that call."""
        self._instant += wanted
        try:
            yield
        finally:
            self._instant -= wanted

    def connect(
        self, local: Address, remote: Address, owner: Any, answer: Callable[[str, Any], object], first: bytes = b""
    ) -> End:  # fmt: skip
        """Ask for a connection; `answer(outcome, end)` is called when it is decided. Returns the end that asks.

        `first` may go out with the request (TCP Fast Open, RFC 7413); the end's `early` is how much of it does.
        """
        raise NotImplementedError

    def settle(self) -> None:
        """Let everything arrive that a scene has set going."""

    def send_datagram(self, source: Address, destination: Address, content: bytes) -> None:
        """Let one datagram go."""
        raise NotImplementedError

    def drop(self, content: bytes, source: Address, destination: Address, why: str) -> None:
        """Trace a datagram that reaches nobody; `why` is a key of DROPPED."""
        self.tell("dropped", source, destination, content, actor="transport", target=None, reason=DROPPED[why])

    def tell(self, name: str, source: Address, destination: Address, content: bytes = b"", **more: Any) -> None:
        """Trace something that starts to cross."""
        if self.trace.on:
            lanes = ("transport", "peer") if self.is_local(source) else ("peer", "transport")
            words = {"bytes": content, "length": len(content), "source": str(source), "destination": str(destination)}
            self.trace.add("message", name, **{"actor": lanes[0], "target": lanes[1], **words, **more})
