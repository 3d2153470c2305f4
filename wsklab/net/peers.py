"""Who else is on a network: scripted peers at the other end of connections, and hosts that get datagrams.

They use a network as the sockets of the driver do, so on the loopback network they are real programs' sockets.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from wsklab.net.tcp import Address, End

if TYPE_CHECKING:
    from wsklab.net.network import Network

SLOW = 10_000_000  # how long a slow peer takes before it reads: 1 s in 100-ns units

PAGE = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\nHello from a server."


@dataclass(frozen=True)
class Behaviour:
    """What a scripted peer does by itself; ``tables.toml`` says what the members mean."""

    text: str
    answers: str = "connected"
    acknowledges: bool = True
    on_data: str = ""  # also "answer": what its function returns
    closes: bool = False


TABLES: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("tables.toml").read_text("utf-8"))
BEHAVIOURS = {name: Behaviour(**row) for name, row in TABLES["behaviours"].items()}
"""The behaviours a peer can have."""


@dataclass(eq=False)
class Peer:
    """A scripted program at the other end of connections; its methods act on the newest. Raises ValueError."""

    network: Network
    address: Address  # where it waits for connections (or connects from)
    behaviour: str | Callable[[bytes], bytes]  # a key of BEHAVIOURS, or what it answers; may be changed at any time
    ends: list[End] = field(default_factory=list)  # its connections, oldest first
    asking: End | None = None  # its newest connection request
    _received: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        if not callable(self.behaviour) and self.behaviour not in BEHAVIOURS:
            raise ValueError(f"a peer is one of {', '.join(BEHAVIOURS)}, not {self.behaviour!r}")

    @property
    def conduct(self) -> Behaviour:
        """What it does by itself."""
        if callable(self.behaviour):
            return Behaviour("answers what its function returns", on_data="answer")
        return BEHAVIOURS[self.behaviour]

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

    def vanish(self) -> None:
        """Its machine is gone, on the simulated network: nothing comes from it any more, and nothing reaches it."""
        self.end.vanish()

    def option(self, name: str) -> int:
        """A socket option: nothing that it sends is delayed."""
        return int(name == "TCP_NODELAY")

    def read(self) -> None:
        """Acknowledge what was held back, and everything from now on."""
        for end in self.ends:
            end.acknowledges = True
            end.acknowledge()

    def connect(self, remote: Address) -> None:
        """Connect to the driver's side from a port of its own."""

        def answered(_outcome: str, end: End | None) -> None:
            if end:
                self.connection_arrived(end)

        self.asking = self.network.connect(self.address, remote, self, answered)

    def give_up(self) -> None:
        """Take the newest connection request back while nobody has answered it."""
        if self.asking:
            self.asking.abandon()

    def answers(self) -> str:
        """What a connection request gets."""
        return self.conduct.answers

    def connection_arrived(self, end: End) -> None:
        """A connection stands."""
        end.owner = self
        end.acknowledges = self.conduct.acknowledges
        self.ends.append(end)
        if end.received:
            self.data_arrived(end)
        if self.conduct.closes:
            self.close()

    def data_arrived(self, end: End) -> None:
        """Take the bytes and do what the behaviour says."""
        action = self.conduct.on_data
        if action == "page" and b"\r\n\r\n" not in end.received:
            return
        content = end.take()
        self._received += content
        answer = PAGE if action == "page" else content if action == "echo" else b""
        if callable(self.behaviour):
            answer = self.behaviour(content)
        if answer:
            end.send(lambda: answer, len(answer))
        if action == "page":
            end.finish()
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
    delay: int | None = None  # of a crossing to or from it in 100-ns units, None for the network's
    bandwidth: int = 0  # in bytes per second, 0 for no limit

    def send(self, content: bytes, to: str, port: int = 0) -> None:
        """Send a datagram to ``"10.0.0.1:5000"`` from one of its ports, by default its own or 7."""
        self.network.send_datagram(self.address.at(port or self.address.port or 7), Address.parse(to), content)

    def datagram_arrived(self, content: bytes, source: Address, destination: Address) -> None:
        """Keep it; send it back when the host echoes."""
        self.datagrams.append(Datagram(content, str(source), str(destination)))
        if self.echoes:
            self.network.send_datagram(self.address.at(destination.port), source, content)
