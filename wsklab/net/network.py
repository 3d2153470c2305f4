"""The simulated network: hosts, who listens where, and carrying segments and datagrams on virtual time.

Rules: nothing overtakes within one direction of a connection; everything takes `delay` for one crossing; whatever is undecided
(a lost datagram, how bytes are cut) is asked of the machine's choice point. Peers that a lesson scripts are in `peers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from wsklab.net.address import AF_INET, Address
from wsklab.net.peers import Host, Peer
from wsklab.net.tcp import End, Owner

if TYPE_CHECKING:
    from wsklab.machine import Machine

DELAY = 10_000
"""How long one crossing takes unless told otherwise: 1 ms in 100-ns units."""

CONNECT_TIMEOUT = 210_000_000
"""How long a connection request that nobody answers is tried: 21 s in 100-ns units."""

LOCAL = ("10.0.0.1", "fd00::1", "127.0.0.1", "::1")
"""The addresses of the machine that runs the driver."""

SERVICES = (("10.0.0.2:7", "echoes"), ("10.0.0.2:9", "reads"), ("[fd00::2]:7", "echoes"), ("[fd00::2]:9", "reads"))
"""Who is there from the start, so that a driver run from the command line finds somebody: echo and discard over TCP."""

DROPPED = {
    "lost": "lost on the way",
    "no socket": "no socket is bound to the port",
    "no host": "there is no such host",
    "filtered": "the fixed remote address is another one",
    "no receive": "no receive was queued",
    "full": "the receive buffer is full",
}
"""Why a datagram reaches nobody: key → the words that the trace carries."""

CONNECTED, REFUSED, TIMED_OUT, UNREACHABLE = "connected", "refused", "timed out", "unreachable"
"""How a connection request ends."""

Answer = Callable[[str, End | None], None]


class Listener(Protocol):
    """Whoever waits for connections at an address."""

    def answers(self) -> str:
        """CONNECTED, REFUSED, TIMED_OUT or UNREACHABLE: what a request gets."""

    def connection_arrived(self, end: End) -> None:
        """A connection stands; `end` is this side of it."""


class Receiver(Protocol):
    """Whoever gets the datagrams sent to a local address."""

    def datagram_arrived(self, content: bytes, source: Address) -> None:
        """A datagram from `source`."""


class Attempt:
    """A connection request under way."""

    def __init__(self, local: Address, remote: Address, owner: Owner, answer: Answer, who: str) -> None:
        self.local = local
        self.remote = remote
        self.who = who
        self.owner = owner
        self.answer: Answer | None = answer
        self.clear = 0
        self.forget: Callable[[], None] | None = None  # takes the time-out back

    def abandon(self) -> None:
        """Give it up: `answer` is never called."""
        self.answer = None
        if self.forget:
            self.forget()

    def end(self, outcome: str, end: End | None = None) -> None:
        """Report the outcome, once."""
        answer, self.answer = self.answer, None
        if answer:
            answer(outcome, end)
        elif end:
            end.abort()


class Network:
    """The network of one machine.

    Attributes:
        delay: time of one crossing, in 100-ns units.
        local: addresses of the machine itself, as bytes.
        hosts: the other hosts by address, as bytes.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.trace = machine.trace
        self.choose = machine.choose
        self.delay = DELAY
        self.local = [Address.parse(text).ip for text in LOCAL]
        self.hosts: dict[bytes, Host] = {}
        self.listeners: dict[Address, Listener] = {}
        self.receivers: dict[Address, Receiver] = {}
        self._instant = 0
        for text, behaviour in SERVICES:
            self.peer(text, behaviour)

    # Time

    def post(self, callback: Callable[[], None], label: str) -> None:
        """Call back soon, from a DPC."""
        self.machine.after(0, callback, name=label)

    @contextmanager
    def instant(self) -> Iterator[None]:
        """While this is open a crossing takes no time and happens inside the call that asks for it."""
        self._instant += 1
        try:
            yield
        finally:
            self._instant -= 1

    def carry(self, way: End | Attempt, callback: Callable[[], None], name: str, content: bytes = b"") -> None:
        """Let one segment cross: `callback` runs when it arrives. `way` is the direction, which keeps its order."""
        if self._instant:
            if self.trace.on:
                self.record(name, way, self.machine.time, content)
            callback()
            return
        now = self.machine.time
        way.clear = arrives = max(way.clear, now + self.delay)
        if self.trace.on:
            self.record(name, way, arrives, content)
        self.machine.after(arrives - now, callback, name=name)

    def record(self, name: str, way: End | Attempt, arrives: int, content: bytes) -> None:
        """Trace a segment that starts to cross."""
        driver = way.who == "driver"
        self.trace.add(
            "message", name, actor="transport" if driver else "peer", target="peer" if driver else "transport",
            bytes=content, length=len(content), source=str(way.local), destination=str(way.remote), arrives=arrives,
        )  # fmt: skip

    # Addresses

    def is_local(self, address: Address) -> bool:
        """Whether the address belongs to the machine itself."""
        return address.ip in self.local

    def route(self, address: Address) -> Address:
        """The local address (port 0) from which `address` is reached."""
        if self.is_local(address):
            return address.at(0)
        return next(found for found in map(Address, self.local, [0] * len(self.local)) if found.family == address.family)

    def host(self, text: str) -> Host:
        """The host at an address, for example ``"10.0.0.2"``; made when it is first named."""
        address = Address.parse(text)
        return self.hosts.setdefault(address.ip, Host(self, address))

    def peer(self, text: str, behaviour: str = "reads") -> Peer:
        """A scripted program that waits for connections at an address such as ``"10.0.0.2:80"``."""
        address = Address.parse(text)
        self.host(address.host)
        peer = Peer(self, address, behaviour)
        self.listeners[address] = peer
        return peer

    def find(self, table: dict[Address, Any], address: Address) -> Any:
        """The entry for an address: its own, or the wildcard's of its family, or a dual-mode one (WSK-AF-06)."""
        found = table.get(address)
        if found is None and self.is_local(address):
            found = table.get(Address.wildcard(address.family, address.port))
            if found is None and address.family == AF_INET:
                dual = table.get(Address(bytes(16), address.port))
                found = dual if getattr(dual, "dual_mode", False) else None
        return found

    # Connections

    def connect(self, local: Address, remote: Address, owner: Owner, answer: Answer, who: str = "driver") -> Attempt:
        """Ask for a connection; `answer(outcome, end)` is called when it is decided."""
        attempt = Attempt(local, remote, owner, answer, who)
        if not self.is_local(remote) and remote.ip not in self.hosts:
            attempt.forget = self.machine.after(CONNECT_TIMEOUT, lambda: attempt.end(TIMED_OUT), name="connect")
        else:
            self.carry(attempt, lambda: self._syn(attempt), "SYN")
        return attempt

    def _syn(self, attempt: Attempt) -> None:
        listener: Listener | None = self.find(self.listeners, attempt.remote)
        outcome = listener.answers() if listener else REFUSED
        back = End(self, attempt.remote, attempt.local, "driver" if self.is_local(attempt.remote) else "peer")
        if outcome == TIMED_OUT:
            attempt.forget = self.machine.after(CONNECT_TIMEOUT, lambda: attempt.end(TIMED_OUT), name="connect")
        elif listener is None or outcome != CONNECTED:
            self.carry(back, lambda: attempt.end(outcome), "RST")
        else:
            front = End(self, attempt.local, attempt.remote, attempt.who)
            front.owner = attempt.owner
            front.other, back.other = back, front
            self.carry(back, lambda: self._established(attempt, front, listener), "SYN ACK")

    def _established(self, attempt: Attempt, front: End, listener: Listener) -> None:
        self.carry(front, lambda: listener.connection_arrived(front.other), "ACK")
        attempt.end(CONNECTED, front)

    # Datagrams

    def send_datagram(self, source: Address, destination: Address, content: bytes) -> None:
        """Let one datagram cross. Broadcasts reach every other host of the family."""
        ours = self.is_local(source)
        if self.trace.on:
            self.trace.add(
                "message", "datagram", actor="transport" if ours else "peer", target="peer" if ours else "transport",
                bytes=content, length=len(content), source=str(source), destination=str(destination),
                arrives=self.machine.time + self.delay,
            )  # fmt: skip
        if self.choose("datagram", ("arrives", "is lost")) == "is lost":
            return self.drop(content, source, destination, "lost")
        self.machine.after(self.delay, lambda: self._deliver(source, destination, content), name="datagram")

    def _deliver(self, source: Address, destination: Address, content: bytes) -> None:
        if self.is_local(destination):
            receiver: Receiver | None = self.find(self.receivers, destination)
            if receiver is None:
                return self.drop(content, source, destination, "no socket")
            return receiver.datagram_arrived(content, source)
        if destination.is_broadcast:
            for host in self.hosts.values():
                host.datagram_arrived(content, source, destination)
            return
        host_there = self.hosts.get(destination.ip)
        if host_there is None:
            return self.drop(content, source, destination, "no host")
        host_there.datagram_arrived(content, source, destination)

    def drop(self, content: bytes, source: Address, destination: Address, why: str) -> None:
        """Trace a datagram that reaches nobody; `why` is a key of DROPPED."""
        if self.trace.on:
            self.trace.add(
                "message", "dropped", actor="transport", bytes=content, length=len(content),
                source=str(source), destination=str(destination), reason=DROPPED[why],
            )  # fmt: skip
