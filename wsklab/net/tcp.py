"""Transport addresses, and the end of a connection that both networks share. Facts WSK-AF-01, WSK-AF-08.

Two rules hold. The bytes of a transfer are read when they go out, not when the transfer is asked for: nothing is buffered on
the sending side (WSK-SEND-07). A transfer is over when everything of it has arrived (on the loopback network: when the system
has taken it), or when the connection breaks; its `done` is called exactly once, in the order of the transfers (WSK-SEND-10).

What is asked for stands in a queue. Closing one direction is a transfer without bytes that goes through the same queue, so that
everything before it arrives first (WSK-DISC-02).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsklab.net.network import Network

AF_INET, AF_INET6 = 2, 23
_MAPPED = bytes(10) + b"\xff\xff"

SENT, RESET, ABORTED, GONE = "sent", "reset", "aborted", "gone"
"""How a transfer ends: acknowledged; the peer reset the connection; this side aborted it; the peer no longer answers."""


@dataclass(frozen=True, slots=True)
class Address:
    """A transport address, a value: 4 or 16 bytes in network order, port (0 for "any"), IPv6 scope id (0 for none)."""

    ip: bytes
    port: int
    scope: int = 0

    @staticmethod
    def parse(text: str) -> Address:
        """The address written as ``10.0.0.1:5000``, ``[fd00::1]:5000`` or without a port. Raises ValueError."""
        ip, port = text, "0"
        if text.startswith("["):
            ip, _, port = text[1:].partition("]")
            port = port.removeprefix(":") or "0"
        elif text.count(":") == 1:
            ip, port = text.split(":")
        ip, _, scope = ip.partition("%")
        if not 0 <= int(port) <= 65535:
            raise ValueError(f"a port is a number from 0 to 65535, not {port}")
        return Address(ip_address(ip).packed, int(port), int(scope or 0))

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return AF_INET if len(self.ip) == 4 else AF_INET6

    @property
    def is_wildcard(self) -> bool:
        """Whether the address is the unspecified one."""
        return not any(self.ip)

    @property
    def is_broadcast(self) -> bool:
        """Whether this is the limited IPv4 broadcast address."""
        return self.ip == b"\xff\xff\xff\xff"

    def at(self, port: int) -> Address:
        """The same address with another port."""
        return Address(self.ip, port, self.scope)

    def mapped(self) -> Address:
        """An IPv4 address as an IPv6 socket sees it: ``::ffff:10.0.0.1``."""
        return Address(_MAPPED + self.ip, self.port) if len(self.ip) == 4 else self

    def unmapped(self) -> Address:
        """The IPv4 address behind ``::ffff:…``, or the address itself."""
        return Address(self.ip[12:], self.port) if len(self.ip) == 16 and self.ip.startswith(_MAPPED) else self

    def __str__(self) -> str:
        if len(self.ip) == 4:
            return f"{ip_address(self.ip)}:{self.port}"
        behind = self.unmapped()
        host = ip_address(self.ip) if behind is self else f"::ffff:{ip_address(behind.ip)}"
        return f"[{host}%{self.scope}]:{self.port}" if self.scope else f"[{host}]:{self.port}"


@dataclass(slots=True, eq=False)
class Transfer:
    """Some bytes on their way, or (`final`) the end of a direction."""

    read: Callable[[], bytes]
    length: int
    done: Callable[[str], object]
    final: bool = False
    push: bool = False  # whether it goes out without delay, and everything before it
    content: bytes = b""


@dataclass(eq=False)
class End:
    """One end of a connection; a network says with a subclass how the bytes go.

    Its owner, a socket or a scripted peer, is told by `data_arrived(end)` that `received` has grown, by `peer_finished(end)`
    that no more will come, and by `connection_broke(end)` that the other side reset the connection.
    """

    network: Network
    local: Address
    remote: Address
    owner: Any = None
    received: bytearray = field(default_factory=bytearray)  # what has arrived and the owner has not taken yet
    peer_closed: bool = False  # the other side has finished sending
    closed: bool = False  # this side has asked to finish sending
    broken: str | None = None  # or RESET, ABORTED, GONE
    early: bytes = b""  # what went out with the connection request
    acknowledges: bool = True  # a scripted peer may hold back that it got something
    answer: Callable[[str, Any], object] | None = None  # while the connection is asked for: who is told the outcome
    forget: Callable[[], object] | None = None  # takes back what waits for the outcome
    dropped: Callable[[], object] | None = None  # told when the request is given up, by a listener that inspects it
    other: Any = None  # the other end, None for a program outside of this machine
    _asked: deque[Transfer] = field(default_factory=deque)
    _on_wire: deque[Transfer] = field(default_factory=deque)

    def abandon(self) -> None:
        """Give a connection request up: `answer` is never called."""
        self.answer = None
        if self.forget:
            self.forget()

    def answered(self, outcome: str, stands: bool = False) -> None:
        """Report the outcome of a connection request, once."""
        answer, self.answer = self.answer, None
        if self.forget:
            self.forget()
        if self.dropped and not stands:
            self.dropped()
        if answer:
            answer(outcome, self if stands else None)
        elif stands:
            self.abort()

    @property
    def idle(self) -> bool:
        """Whether nothing of this direction is under way."""
        return not self._asked and not self._on_wire

    def take(self, count: int | None = None) -> bytes:
        """Take the first `count` bytes of what has arrived, or all of it."""
        if count is None:  # the usual case, and without a second copy
            content = bytes(self.received)
            self.received.clear()
            return content
        content = bytes(self.received[:count])
        del self.received[: len(content)]
        return content

    def send(
        self, read: Callable[[], bytes], length: int, done: Callable[[str], object] = bool, at_once: bool = False,
        final: bool = False, push: bool = False,
    ) -> Transfer:  # fmt: skip
        """Ask for `length` bytes to be sent, which `read` returns when they go out; `done` gets SENT, RESET, ABORTED or GONE.

        `at_once` delivers and acknowledges before returning, when nothing sent earlier is still under way.
        """
        transfer = Transfer(read, length, done, final, push)
        if self.broken:
            done(self.broken)
            return transfer
        at_once = at_once and self.idle
        self._asked.append(transfer)
        if at_once:
            with self.network.instant():
                self.transmit()
        else:
            self.network.machine.after(0, self.transmit)
        return transfer

    def finish(self, done: Callable[[str], object] = bool, at_once: bool = False) -> None:
        """Close this direction after everything asked for before; the others as for `send`."""
        self.closed = True
        self.send(bytes, 0, done, at_once, final=True)

    def withdraw(self, transfer: Transfer) -> None:
        """Take back a transfer, unless some of it has gone out already."""
        if transfer in self._asked:
            self._asked.remove(transfer)

    def transmit(self) -> None:
        """Let go out what is asked for."""
        raise NotImplementedError

    def acknowledge(self) -> None:
        """Acknowledge what was held back so far."""

    def abort(self) -> None:
        """Break the connection from this side: nothing more is sent, the other side is reset."""
        raise NotImplementedError

    def was_reset(self, how: str = RESET) -> None:
        """The other side broke the connection, or is GONE."""
        if not self.broken:
            self.broken = how
            # The owner hears of it first: whoever is told that a transfer failed may ask for the next one.
            if self.owner:
                self.owner.connection_broke(self)
            self.fail(how)

    def options_changed(self) -> None:
        """The owner has set an option, or is only now the owner."""

    def vanish(self) -> None:
        """This side is gone without a word. Raises ValueError where sides are real programs."""
        raise ValueError("a peer vanishes on the simulated network only")

    def fail(self, outcome: str) -> None:
        """End everything under way."""
        self.broken = outcome
        ended = [*self._on_wire, *self._asked]
        self._on_wire.clear()
        self._asked.clear()
        for transfer in ended:
            transfer.done(outcome)
