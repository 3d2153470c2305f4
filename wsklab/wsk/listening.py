"""Listening sockets and accepting. Facts WSK-ACC, WSK-BIND-05, WSK-CAT-06, WSK-CAT-09.

A bound listening socket takes every connection that comes; those that no queued accept is waiting for stay in line.
"""

from __future__ import annotations

from collections import deque

from wsklab.machine import Machine, wdk
from wsklab.net import End
from wsklab.net.network import CONNECTED
from wsklab.wsk import sockaddr
from wsklab.wsk.request import SETTING_UP, Request
from wsklab.wsk.sockets import Socket, call
from wsklab.wsk.stream import Connection
from wsklab.wsk.subsystem import subsystem

Addresses = tuple[int, int]


class Listening(Socket):
    """A listening socket.

    Attributes:
        line: connections that nobody has accepted yet, oldest first.
        accepts: queued accepts with where they want the addresses stored, oldest first.
    """

    category = "listening"

    def bound(self) -> None:
        """Binding starts listening (WSK-BIND-05)."""
        self.line: deque[End] = deque()
        self.accepts: deque[tuple[Request, Addresses]] = deque()
        assert self.local
        self.wsk.network.listeners.setdefault(self.local, self)

    def unbound(self, heir: Socket | None) -> None:
        """Stop listening."""
        listeners = self.wsk.network.listeners
        if self.local and listeners.get(self.local) is self:
            del listeners[self.local]
            if isinstance(heir, Listening):
                listeners[self.local] = heir

    def answers(self) -> str:
        """Every connection request is taken; conditional accept is not modelled."""
        return CONNECTED

    def connection_arrived(self, end: End) -> None:
        """A connection stands: give it to the oldest queued accept, or keep it in line."""
        self.line.append(end)
        self.serve()

    def serve(self) -> None:
        """Match connections in line with queued accepts; those that broke in line are forgotten."""
        while self.line and self.accepts:
            end = self.line.popleft()
            if not end.broken:
                request, places = self.accepts.popleft()
                accepted(request, self, end, places)

    def break_off(self) -> None:
        """Reset what stands in line; connections already accepted live on (WSK-ACC-12)."""
        if self.local:
            while self.line:
                self.line.popleft().abort()
            while self.accepts:
                self.accepts.popleft()[0].fail(self.why("after a break"))


@wdk(lane="wsk", prototype="PFN_WSK_ACCEPT")
def WskAccept(
    m: Machine, ListenSocket: int, Flags: int, AcceptSocketContext: int, AcceptSocketDispatch: int,
    LocalAddress: int, RemoteAddress: int, Irp: int,
) -> int:  # fmt: skip
    """Accept a connection: one that stands in line, or the next that comes. Facts: WSK-ACC-01 to 12."""
    subsystem(m).check_flags("WskAccept", Flags)
    return call(m, "WskAccept", ListenSocket, Irp, SETTING_UP, accept, (LocalAddress, RemoteAddress))


def accept(request: Request, socket: Listening, places: Addresses) -> None:
    """Queue an accept."""
    socket.require("WskAccept")
    entry = (request, places)
    socket.accepts.append(entry)
    request.withdraw = lambda: socket.accepts.remove(entry)
    socket.serve()


def accepted(request: Request, listener: Listening, end: End, places: Addresses) -> None:
    """Make the socket of an accepted connection and complete the accept with it (WSK-ACC-03, WSK-CAT-09)."""
    socket = Connection(listener.wsk, listener.client, listener.family, listener.kind, listener.protocol)
    m = listener.wsk.machine
    passed_on = {(m.constant("SOL_SOCKET"), m.constant(name)) for name in ("SO_KEEPALIVE", "SO_RCVBUF")}
    socket.options.update({key: value for key, value in listener.options.items() if key in passed_on})
    socket.attach(end)

    def store() -> None:
        sockaddr.write(m, places[0], end.local, listener.family)
        sockaddr.write(m, places[1], end.remote, listener.family)

    request.last = store  # the buffers are written when the request completes, and must live until then (WSK-ACC-07)
    request.complete(0, socket.address)
