"""The simulated network: hosts, who listens where, and carrying segments and datagrams on virtual time.

Rules: nothing overtakes within one direction of a connection; everything takes `delay` for one crossing; whatever is undecided
(a lost datagram, how bytes are cut) is asked of the machine's choice point. Peers that a lesson scripts are in `peers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    """Whoever waits for connections at an address: which of the four ends a request gets, and that a connection stands."""

    def answers(self) -> str: ...  # noqa: D102
    def connection_arrived(self, end: End) -> None: ...  # noqa: D102


@dataclass(slots=True, eq=False)
class Attempt:
    """A connection request under way: its own end, who is told the outcome, and how to take the time-out back."""

    front: End
    answer: Answer | None
    forget: Callable[[], None] | None = None

    def abandon(self) -> None:
        """Give it up: `answer` is never called."""
        self.answer = None
        if self.forget:
            self.forget()

    def end(self, outcome: str) -> None:
        """Report the outcome, once."""
        answer, self.answer = self.answer, None
        if answer:
            answer(outcome, self.front if outcome == CONNECTED else None)
        elif outcome == CONNECTED:
            self.front.abort()


class Network:
    """The network of one machine.

    Attributes:
        delay: time of one crossing, in 100-ns units.
        local: addresses of the machine itself, as bytes.
        hosts: the other hosts by address, as bytes.
        listeners: who waits for connections, by address.
        receivers: who gets the datagrams sent to a local address, by address.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.trace = machine.trace
        self.choose = machine.choose
        self.delay = DELAY
        self.local = [Address.parse(text).ip for text in LOCAL]
        self.hosts: dict[bytes, Host] = {}
        self.listeners: dict[Address, Listener] = {}
        self.receivers: dict[Address, Any] = {}
        self._instant = 0
        for text, behaviour in SERVICES:
            self.peer(text, behaviour)

    # Time

    @contextmanager
    def instant(self, wanted: bool = True) -> Iterator[None]:
        """While this is open, and `wanted`, a crossing takes no time and happens inside the call that asks for it."""
        self._instant += wanted
        try:
            yield
        finally:
            self._instant -= wanted

    def carry(self, way: End, callback: Callable[[], None], name: str, content: bytes = b"") -> None:
        """Let one segment cross: `callback` runs when it arrives. `way` is the direction, which keeps its order."""
        now = arrives = self.machine.time
        if not self._instant:
            way.clear = arrives = max(way.clear, now + self.delay)
        if self.trace.on:
            self._tell(name, way.local, way.remote, content, arrives=arrives)
        if self._instant:
            callback()
        else:
            self.machine.after(arrives - now, callback, name=name)

    def _tell(self, name: str, source: Address, destination: Address, content: bytes, **more: Any) -> None:
        """Trace something that starts to cross."""
        lanes = ("transport", "peer") if self.is_local(source) else ("peer", "transport")
        words = {"bytes": content, "length": len(content), "source": str(source), "destination": str(destination)}
        self.trace.add("message", name, **{"actor": lanes[0], "target": lanes[1], **words, **more})

    # Addresses

    def is_local(self, address: Address) -> bool:
        """Whether the address belongs to the machine itself."""
        return address.ip in self.local

    def route(self, address: Address) -> Address:
        """The local address (port 0) from which `address` is reached."""
        if self.is_local(address):
            return address.at(0)
        return next(Address(ip, 0) for ip in self.local if len(ip) == len(address.ip))

    def host(self, text: str) -> Host:
        """The host at an address, for example ``"10.0.0.2"``; made when it is first named."""
        address = Address.parse(text)
        return self.hosts.setdefault(address.ip, Host(self, address.at(0)))

    def peer(self, text: str, behaviour: str = "reads") -> Peer:
        """A scripted program that waits for connections at an address such as ``"10.0.0.2:80"``."""
        self.host(text)
        address = Address.parse(text)
        peer = self.listeners[address] = Peer(self, address, behaviour)
        return peer

    def find(self, table: dict[Address, Any], address: Address) -> Any:
        """The entry for an address: its own, or the wildcard's of its family, or a dual-mode one (WSK-AF-06)."""
        found = table.get(address)
        if found is None and self.is_local(address):
            found = table.get(Address(bytes(len(address.ip)), address.port))
            if found is None and address.family == AF_INET:
                dual = table.get(Address(bytes(16), address.port))
                found = dual if getattr(dual, "dual_mode", False) else None
        return found

    # Connections

    def connect(self, local: Address, remote: Address, owner: Owner, answer: Answer) -> Attempt:
        """Ask for a connection; `answer(outcome, end)` is called when it is decided."""
        attempt = Attempt(End(self, local, remote, owner), answer)
        if not self.is_local(remote) and remote.ip not in self.hosts:
            self._expire(attempt)
        else:
            self.carry(attempt.front, lambda: self._asked(attempt), "SYN")
        return attempt

    def _expire(self, attempt: Attempt) -> None:
        attempt.forget = self.machine.after(CONNECT_TIMEOUT, lambda: attempt.end(TIMED_OUT), name="connect")

    def _asked(self, attempt: Attempt) -> None:
        front = attempt.front
        listener: Listener | None = self.find(self.listeners, front.remote)
        outcome = listener.answers() if listener else REFUSED
        back = End(self, front.remote, front.local)
        if outcome == TIMED_OUT:
            self._expire(attempt)
        elif listener is None or outcome != CONNECTED:
            self.carry(back, lambda: attempt.end(outcome), "RST")
        else:
            front.other, back.other = back, front
            self.carry(back, lambda: self._established(attempt, listener), "SYN ACK")

    def _established(self, attempt: Attempt, listener: Listener) -> None:
        self.carry(attempt.front, lambda: listener.connection_arrived(attempt.front.other), "ACK")
        attempt.end(CONNECTED)

    # Datagrams

    def send_datagram(self, source: Address, destination: Address, content: bytes) -> None:
        """Let one datagram cross. Broadcasts reach every other host of the family."""
        if self.trace.on:
            self._tell("datagram", source, destination, content, arrives=self.machine.time + self.delay)
        if self.choose("datagram", ("arrives", "is lost")) == "is lost":
            return self.drop(content, source, destination, "lost")
        self.machine.after(self.delay, lambda: self._deliver(source, destination, content), name="datagram")

    def _deliver(self, source: Address, destination: Address, content: bytes) -> None:
        if self.is_local(destination):
            found, missing = [self.find(self.receivers, destination)], "no socket"
        elif destination.is_broadcast:
            found, missing = list(self.hosts.values()), "no host"
        else:
            found, missing = [self.hosts.get(destination.ip)], "no host"
        for receiver in found:
            if receiver is None:
                self.drop(content, source, destination, missing)
            else:
                receiver.datagram_arrived(content, source, destination)

    def drop(self, content: bytes, source: Address, destination: Address, why: str) -> None:
        """Trace a datagram that reaches nobody; `why` is a key of DROPPED."""
        if self.trace.on:
            self._tell("dropped", source, destination, content, actor="transport", target=None, reason=DROPPED[why])
