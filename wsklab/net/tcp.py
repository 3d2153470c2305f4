"""A connection: two ends, each a byte stream towards the other.

Two rules hold. The bytes of a transfer are read when they go out, not when the transfer is asked for: nothing is buffered on
the sending side (WSK-SEND-07). A transfer is over when the other end has acknowledged all of it, or when the connection
breaks; its `done` is called exactly once, in the order of the transfers (WSK-SEND-10).

Each direction is a queue: asked for → on the wire → acknowledged. Closing one direction is a transfer without bytes that goes
through the same queue, so that everything before it arrives first (WSK-DISC-02).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from wsklab.net.address import Address

if TYPE_CHECKING:
    from wsklab.net.network import Network

SENT, RESET, ABORTED = "sent", "reset", "aborted"
"""How a transfer ends: acknowledged; the peer reset the connection; this side aborted it."""

Done = Callable[[str], object]


class Owner(Protocol):
    """Whoever holds an end, a socket or a scripted peer: `end.received` has grown, no more will come, the other side reset."""

    def data_arrived(self, end: End) -> None: ...  # noqa: D102
    def peer_finished(self, end: End) -> None: ...  # noqa: D102
    def connection_broke(self, end: End) -> None: ...  # noqa: D102


@dataclass(slots=True, eq=False)
class Transfer:
    """Some bytes on their way, or (`final`) the end of a direction."""

    read: Callable[[], bytes]
    length: int
    done: Done
    final: bool = False
    content: bytes = b""


class End:
    """One end of a connection.

    Attributes:
        ours: whether it is on the machine that runs the driver.
        owner: who is told what happens, None while nobody has taken the end.
        received: bytes that have arrived and that the owner has not taken yet.
        peer_closed, closed: the other side has finished sending; this side has asked to.
        broken: None, RESET or ABORTED.
        acknowledges: whether what arrives is acknowledged; a scripted peer may hold that back.
        clear: when the last segment of this direction arrives: nothing overtakes it.
    """

    def __init__(self, network: Network, local: Address, remote: Address, owner: Owner | None = None) -> None:
        self.network = network
        self.local, self.remote = local, remote
        self.ours = network.is_local(local)
        self.owner = owner
        self.other: End = self
        self.received = bytearray()
        self.peer_closed = self.closed = False
        self.broken: str | None = None
        self.acknowledges = True
        self.clear = 0
        self._asked: deque[Transfer] = deque()
        self._on_wire: deque[Transfer] = deque()
        self._held: list[Transfer] = []

    @property
    def idle(self) -> bool:
        """Whether nothing of this direction is under way."""
        return not self._asked and not self._on_wire

    def send(self, read: Callable[[], bytes], length: int, done: Done, *, at_once: bool = False, final: bool = False) -> Transfer:
        """Ask for bytes to be sent.

        Args:
            read: called when the bytes go out; returns them.
            length: how many there will be.
            done: called with SENT, RESET or ABORTED.
            at_once: deliver and acknowledge before returning, when nothing sent earlier is still under way.
            final: see :meth:`finish`.
        """
        transfer = Transfer(read, length, done, final)
        if self.broken:
            done(self.broken)
            return transfer
        at_once = at_once and self.idle
        self._asked.append(transfer)
        if at_once:
            with self.network.instant():
                self._transmit()
        elif len(self._asked) == 1:
            self.network.machine.after(0, self._transmit, name="transmit")
        return transfer

    def finish(self, done: Done, *, at_once: bool = False) -> None:
        """Close this direction after everything asked for before; `done` as for `send`."""
        self.closed = True
        self.send(bytes, 0, done, at_once=at_once, final=True)

    def withdraw(self, transfer: Transfer) -> None:
        """Take back a transfer, unless it is on the wire already."""
        if transfer in self._asked:
            self._asked.remove(transfer)

    def acknowledge(self) -> None:
        """Acknowledge what was held back so far."""
        held, self._held = self._held, []
        for transfer in held:
            self.network.carry(self, partial(self.other._acknowledged, transfer), "ACK")

    def abort(self) -> None:
        """Break the connection from this side: nothing more is sent, the other side is reset."""
        if not self.broken:
            self._fail(ABORTED)
            self.network.carry(self, self.other._reset, "RST")

    def _transmit(self) -> None:
        while self._asked and not self.broken:
            transfer = self._asked[0]
            transfer.content = transfer.read()
            self._asked.popleft()
            self._on_wire.append(transfer)
            name = "FIN" if transfer.final else "data"
            self.network.carry(self, partial(self._arrive, transfer), name, transfer.content)

    def _arrive(self, transfer: Transfer) -> None:
        other = self.other
        if self.broken or other.broken:
            return
        if other.acknowledges:
            self.network.carry(other, partial(self._acknowledged, transfer), "ACK")
        else:
            other._held.append(transfer)
        if transfer.final:
            other.peer_closed = True
            if other.owner:
                other.owner.peer_finished(other)
        elif transfer.length:
            other._receive(transfer.content)

    def _receive(self, content: bytes) -> None:
        """Hand the bytes up, in one segment or, so that nobody relies on message boundaries, in two (WSK-RECV-14)."""
        pieces = [content]
        if self.ours and len(content) > 1 and self.network.choose("TCP segments", ("one", "two")) == "two":
            pieces = [content[: len(content) // 2], content[len(content) // 2 :]]
        for piece in pieces:
            self.received += piece
            if self.owner and not self.broken:
                self.owner.data_arrived(self)

    def _acknowledged(self, transfer: Transfer) -> None:
        if not self.broken and self._on_wire and self._on_wire[0] is transfer:
            self._on_wire.popleft()
            transfer.done(SENT)

    def _reset(self) -> None:
        if not self.broken:
            self.broken = RESET
            # The owner hears of it first: whoever is told that a transfer failed may ask for the next one.
            if self.owner:
                self.owner.connection_broke(self)
            self._fail(RESET)

    def _fail(self, outcome: str) -> None:
        self.broken = outcome
        ended = [*self._on_wire, *self._asked]
        self._on_wire.clear()
        self._asked.clear()
        for transfer in ended:
            transfer.done(outcome)
