"""Peers that a lesson scripts in one line, and the hosts they live on.

``BEHAVIOURS`` tells what each kind of peer does; everything else a lesson wants, it does itself: ``peer.send(b"…")``,
``peer.close()``, ``peer.reset()``, ``peer.read()``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from wsklab.net.address import Address
from wsklab.net.tcp import End

if TYPE_CHECKING:
    from wsklab.net.network import Network

SLOW = 10_000_000
"""How long a slow peer takes before it reads: 1 s in 100-ns units."""


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


class Peer:
    """A scripted program at the other end of connections. Raises ValueError for an unknown behaviour.

    Attributes:
        address: where it waits for connections (or connects from).
        behaviour: a key of BEHAVIOURS; may be changed at any time.
        ends: its connections, oldest first; the methods act on the newest.
    """

    def __init__(self, network: Network, address: Address, behaviour: str) -> None:
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"a peer is one of {', '.join(BEHAVIOURS)}, not {behaviour!r}")
        self.network = network
        self.address = address
        self.behaviour = behaviour
        self._received = bytearray()
        self.ends: list[End] = []

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

    # What a lesson makes it do

    def send(self, content: bytes) -> None:
        """Send bytes to the driver's side."""
        self.end.send(lambda: content, len(content), _ignore)

    def close(self) -> None:
        """Finish sending; go on reading."""
        self.end.finish(_ignore)

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

    # What the network tells it

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
            end.send(lambda: content, len(content), _ignore)
        elif action == "reset":
            end.abort()
        elif action == "read later":
            self.network.machine.after(SLOW, end.acknowledge, name="reads")

    def peer_finished(self, end: End) -> None:
        """The driver's side sends nothing more; the peer's own direction stays open until `close`."""

    def connection_broke(self, end: End) -> None:
        """The driver's side reset the connection."""


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


def _ignore(outcome: str) -> None:
    pass
