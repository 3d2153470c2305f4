"""The simulated network: hosts, who listens where, carrying segments and datagrams on virtual time, and scripted peers.

Rules: nothing overtakes within one direction of a connection; everything takes `delay` for one crossing; whatever is undecided
(a lost datagram, how bytes are cut) is asked of the machine's choice point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from wsklab.net.tcp import AF_INET, Address, End

if TYPE_CHECKING:
    from wsklab.machine import Machine

DELAY = 10_000  # how long one crossing takes unless told otherwise: 1 ms in 100-ns units
CONNECT_TIMEOUT = 210_000_000  # how long a connection request that nobody answers is tried: 21 s in 100-ns units

LOCAL = ("10.0.0.1", "fd00::1", "127.0.0.1", "::1")  # the addresses of the machine that runs the driver
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

CONNECTED, REFUSED, TIMED_OUT, UNREACHABLE = "connected", "refused", "timed out", "unreachable"  # how a connection request ends

SLOW = 10_000_000  # how long a slow peer takes before it reads: 1 s in 100-ns units


@dataclass(frozen=True)
class Behaviour:
    """What a scripted peer does by itself."""

    text: str
    answers: str = "connected"  # or "refused", "timed out", "unreachable": what a connection request gets
    acknowledges: bool = True  # whether arriving data is acknowledged
    on_data: str = ""  # "echo", "reset" or "read later": what arriving data leads to
    closes: bool = False  # whether it finishes its direction as soon as the connection stands


BEHAVIOURS = {
    "reads": Behaviour("reads everything, says nothing"),
    "echoes": Behaviour("sends back what it gets", on_data="echo"),
    "silent": Behaviour("never reads: nothing it gets is ever acknowledged", acknowledges=False),
    "slow": Behaviour("reads one second later", acknowledges=False, on_data="read later"),
    "resets": Behaviour("resets the connection when data comes", acknowledges=False, on_data="reset"),
    "closed": Behaviour("has finished sending at once, and still reads", closes=True),
    "has closed": Behaviour("the same as closed", closes=True),
    "refuses": Behaviour("refuses the connection", answers="refused"),
    "absent": Behaviour("does not answer connection requests", answers="timed out"),
    "unreachable": Behaviour("cannot be reached", answers="unreachable"),
}
"""The behaviours a peer can have."""


@dataclass(eq=False)
class Peer:
    """A scripted program at the other end of connections; its methods act on the newest. Raises ValueError."""

    network: Network
    address: Address  # where it waits for connections (or connects from)
    behaviour: str  # a key of BEHAVIOURS; may be changed at any time
    ends: list[End] = field(default_factory=list)  # its connections, oldest first
    _received: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        if self.behaviour not in BEHAVIOURS:
            raise ValueError(f"a peer is one of {', '.join(BEHAVIOURS)}, not {self.behaviour!r}")

    @property
    def received(self) -> bytes:
        """Every byte it got, over all its connections."""
        return bytes(self._received)

    @property
    def end(self) -> End:
        """The newest connection. Raises LookupError while there is none."""
        if not self.ends:
            raise LookupError(f"nobody has connected to {self.address} yet")
        return self.ends[-1]

    @property
    def finished(self) -> bool:
        """Whether the driver's side has finished sending on the newest connection."""
        return self.end.peer_closed

    @property
    def broken(self) -> bool:
        """Whether the newest connection was reset."""
        return self.end.broken is not None

    def send(self, content: bytes) -> None:
        """Send bytes to the driver's side."""
        self.end.send(lambda: content, len(content))

    def close(self) -> None:
        """Finish sending; go on reading."""
        self.end.finish()

    def reset(self) -> None:
        """Reset the connection."""
        self.end.abort()

    def read(self) -> None:
        """Acknowledge what was held back, and everything from now on."""
        for end in self.ends:
            end.acknowledges = True
            end.acknowledge()

    def connect(self, remote: Address) -> None:
        """Connect to the driver's side from a port of its own."""
        self.network.connect(self.address, remote, self, lambda outcome, end: self.connection_arrived(end) if end else None)

    def answers(self) -> str:
        """What a connection request gets."""
        return BEHAVIOURS[self.behaviour].answers

    def connection_arrived(self, end: End) -> None:
        """A connection stands."""
        end.owner = self
        end.acknowledges = BEHAVIOURS[self.behaviour].acknowledges
        self.ends.append(end)
        if end.received:
            self.data_arrived(end)
        if BEHAVIOURS[self.behaviour].closes:
            self.close()

    def data_arrived(self, end: End) -> None:
        """Take the bytes and do what the behaviour says."""
        content = bytes(end.received)
        end.received.clear()
        self._received += content
        action = BEHAVIOURS[self.behaviour].on_data
        if action == "echo":
            end.send(lambda: content, len(content))
        elif action == "reset":
            end.abort()
        elif action == "read later":
            self.network.machine.after(SLOW, end.acknowledge)

    def peer_finished(self, end: End) -> None:
        """The other side finished or reset: the peer's own direction stays open until `close`."""

    connection_broke = peer_finished


class Datagram(NamedTuple):
    """A datagram a host got."""

    content: bytes
    source: str
    destination: str


@dataclass(eq=False)
class Host:
    """Another machine on the network: it keeps the datagrams it gets, and sends each one back when it echoes."""

    network: Network
    address: Address
    datagrams: list[Datagram] = field(default_factory=list)
    echoes: bool = False

    def send(self, content: bytes, to: str, port: int = 7) -> None:
        """Send a datagram to ``"10.0.0.1:5000"`` from one of its ports."""
        self.network.send_datagram(self.address.at(port), Address.parse(to), content)

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        """Keep it; send it back when the host echoes."""
        self.datagrams.append(Datagram(content, str(source), str(destination)))
        if self.echoes:
            self.network.send_datagram(self.address.at(destination.port), source, content)


class Network:
    """The network of one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.trace, self.choose = machine, machine.trace, machine.choose
        self.delay = DELAY  # of one crossing
        self.local = [Address.parse(text).ip for text in LOCAL]
        self.hosts: dict[bytes, Host] = {}  # the other hosts by address
        self.listeners: dict[Address, Any] = {}  # asked `answers()`, told `connection_arrived(end)`
        self.receivers: dict[Address, Any] = {}  # told `datagram_arrived(content, source, destination)`
        self._instant = 0
        for text, behaviour in SERVICES:
            self.peer(text, behaviour)

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
            self.machine.after(arrives - now, callback)

    def _tell(self, name: str, source: Address, destination: Address, content: bytes, **more: Any) -> None:
        """Trace something that starts to cross."""
        lanes = ("transport", "peer") if self.is_local(source) else ("peer", "transport")
        words = {"bytes": content, "length": len(content), "source": str(source), "destination": str(destination)}
        self.trace.add("message", name, **{"actor": lanes[0], "target": lanes[1], **words, **more})

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

    def connect(self, local: Address, remote: Address, owner: Any, answer: Callable[[str, End | None], object]) -> End:
        """Ask for a connection; `answer(outcome, end)` is called when it is decided. Returns the end that asks."""
        front = End(self, local, remote, owner, answer=answer)
        if not self.is_local(remote) and remote.ip not in self.hosts:
            self._expire(front)
        else:
            self.carry(front, lambda: self._asked(front), "SYN")
        return front

    def _expire(self, front: End) -> None:
        front.forget = self.machine.after(CONNECT_TIMEOUT, lambda: front.answered(TIMED_OUT))

    def _asked(self, front: End) -> None:
        listener = self.find(self.listeners, front.remote)
        outcome = listener.answers() if listener else REFUSED
        back = End(self, front.remote, front.local)
        if outcome == TIMED_OUT:
            self._expire(front)
        elif outcome != CONNECTED:
            self.carry(back, lambda: front.answered(outcome), "RST")
        else:
            front.other, back.other = back, front
            self.carry(back, lambda: self._established(front, listener), "SYN ACK")

    def _established(self, front: End, listener: Any) -> None:
        self.carry(front, lambda: listener.connection_arrived(front.other), "ACK")
        front.answered(CONNECTED, stands=True)

    def send_datagram(self, source: Address, destination: Address, content: bytes) -> None:
        """Let one datagram cross. Broadcasts reach every other host of the family."""
        if self.trace.on:
            self._tell("datagram", source, destination, content, arrives=self.machine.time + self.delay)
        if self.choose("datagram", ("arrives", "is lost")) == "is lost":
            return self.drop(content, source, destination, "lost")
        self.machine.after(self.delay, lambda: self._deliver(source, destination, content))

    def _deliver(self, source: Address, destination: Address, content: bytes) -> None:
        found: list[Any] = list(self.hosts.values()) if destination.is_broadcast else [self.hosts.get(destination.ip)]
        if self.is_local(destination):
            found = [self.find(self.receivers, destination)]
        for receiver in found:
            if receiver is None:
                self.drop(content, source, destination, "no socket" if self.is_local(destination) else "no host")
            else:
                receiver.datagram_arrived(content, source, destination)

    def drop(self, content: bytes, source: Address, destination: Address, why: str) -> None:
        """Trace a datagram that reaches nobody; `why` is a key of DROPPED."""
        if self.trace.on:
            self._tell("dropped", source, destination, content, actor="transport", target=None, reason=DROPPED[why])
