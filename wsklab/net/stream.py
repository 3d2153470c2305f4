"""One end of a connection over a real socket, read and written as the event loop says that it can be.

A peer that does not acknowledge does not read: its socket is left alone, and the system's own buffers fill up.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from struct import pack
from typing import TYPE_CHECKING

from wsklab.net.tcp import ABORTED, SENT, End, Transfer

if TYPE_CHECKING:
    from wsklab.net.loopback import Loopback

PIECE = 65_536  # the most bytes read at once
OPTIONS = {"SO_KEEPALIVE": (socket.SOL_SOCKET, socket.SO_KEEPALIVE), "TCP_NODELAY": (socket.IPPROTO_TCP, socket.TCP_NODELAY)}
"""Options of a connection that the system's sockets have too."""
WINDOW = 4 * PIECE  # the bytes that are read ahead of the driver


@dataclass(eq=False)
class SocketEnd(End):
    """One end of a connection over a real socket."""

    network: Loopback
    socket: socket.socket = field(kw_only=True)
    _rest: memoryview | None = None  # of the transfer that the system has taken in part
    _finished: bool = False
    hidden: bool = False  # the other end's view of the connection is traced and captured

    def answered(self, outcome: str, stands: bool = False) -> None:
        """Report the outcome of a connection request, once."""
        self.network.loop.remove_writer(self.socket)
        if not stands:
            self.network.shut(self.socket)
        elif self.answer:
            self.stands()
        super().answered(outcome, stands)

    def abandon(self) -> None:
        """Give a connection request up."""
        super().abandon()
        self.network.shut(self.socket)

    def stands(self) -> None:
        """The connection stands: read from now on."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.network.loop.add_reader(self.socket, self._readable)

    def options_changed(self) -> None:
        """Give the real socket what the driver has set; until it sets TCP_NODELAY, nothing is delayed here."""
        for name, place in OPTIONS.items():
            if name in self.owner.options and self.socket.fileno() >= 0:
                self.socket.setsockopt(*place, int(self.owner.option(name) != 0))

    def read_on(self) -> bool:
        """Read on when the driver has taken enough; whether it has."""
        room = len(self.received) < WINDOW
        if room and not self.peer_closed and not self.broken:
            self.network.loop.add_reader(self.socket, self._readable)
        return room

    def _readable(self) -> None:
        """Called by the event loop. A peer that does not read is told that it could."""
        if self.acknowledges:
            self._read()
        else:
            self.network.loop.remove_reader(self.socket)
            self.network.came(lambda: self.owner.data_arrived(self))

    def acknowledge(self) -> None:
        """Read what was left standing."""
        if not self.broken:
            self._read()
            self.network.loop.add_reader(self.socket, self._readable)

    def _read(self) -> None:
        network = self.network
        try:
            content = self.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            network.loop.remove_reader(self.socket)
            return network.came(self._was_reset)
        if not content:
            network.loop.remove_reader(self.socket)
            return network.came(self._peer_finished)
        self.received += content
        if len(self.received) >= WINDOW:
            network.loop.remove_reader(self.socket)
            network.full.add(self)
        network.came(partial(self._arrived, content))

    def _arrived(self, content: bytes) -> None:
        self.network.crossed(self, "data", content, inward=True)
        if self.owner and self.received and not self.broken:
            self.owner.data_arrived(self)

    def _peer_finished(self) -> None:
        self.network.crossed(self, "FIN", inward=True)
        self.peer_closed = True
        self._shut_when_over()
        if self.owner and not self.broken:
            self.owner.peer_finished(self)

    def _was_reset(self) -> None:
        if not self.broken:
            self.network.crossed(self, "RST", inward=True)
            self.network.shut(self.socket)
            self.was_reset()
            if self.other and self.other.dropped:
                self.other.dropped()

    def _shut_when_over(self) -> None:
        if self.peer_closed and self._finished:
            self.network.shut(self.socket)

    def abort(self) -> None:
        """Break the connection: closing without lingering makes the system send a reset."""
        if not self.broken:
            self.network.crossed(self, "RST")
            if self.socket.fileno() >= 0:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            self.network.shut(self.socket)
            self.fail(ABORTED)

    def withdraw(self, transfer: Transfer) -> None:
        """Take back a transfer, unless some of it has gone out already."""
        if self._rest is None or self._asked[0] is not transfer:
            super().withdraw(transfer)

    def transmit(self) -> None:
        """Give the system what is asked for, as far as it takes it."""
        while self._asked and not self.broken:
            transfer = self._asked[0]
            try:
                if transfer.final:
                    self.socket.shutdown(socket.SHUT_WR)
                elif not self._pushed(transfer.read):
                    return
            except OSError:
                return self._was_reset()
            self.network.crossed(self, "FIN" if transfer.final else "data", transfer.content)
            self._asked.popleft()
            self._finished = transfer.final
            self._shut_when_over()
            transfer.done(SENT)

    def _pushed(self, read: Callable[[], bytes]) -> bool:
        """Whether all bytes of the first transfer are with the system; if not, go on when it takes more."""
        if self._rest is None:
            self._asked[0].content = read()
            self._rest = memoryview(self._asked[0].content)
        try:
            while self._rest:
                self._rest = self._rest[self.socket.send(self._rest) :]
        except BlockingIOError:
            self.network.loop.add_writer(self.socket, self._writable)
            return False
        self._rest = None
        return True

    def _writable(self) -> None:
        self.network.loop.remove_writer(self.socket)
        self.network.came(self.transmit)
