"""Ready-made sockets for lessons, exercises and tests, each in one line.

A scene goes through the same operations as a driver's calls, only without IRPs, so that a lesson about one call starts with the
trace of that call. It takes no virtual time and leaves no events but the birth of the socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wsklab.io import mdl
from wsklab.machine import Machine
from wsklab.net import Address, Network, Peer
from wsklab.net.address import AF_INET
from wsklab.wsk import sockaddr as sockaddrs
from wsklab.wsk import sockets
from wsklab.wsk.client import make, start_connection
from wsklab.wsk.control import IOCTL, Arguments
from wsklab.wsk.control import control as control_operation
from wsklab.wsk.listening import Listening, accept
from wsklab.wsk.request import SETTING_UP, Request
from wsklab.wsk.stream import Connection
from wsklab.wsk.subsystem import Subsystem, subsystem

SOCK_STREAM, SOCK_DGRAM, IPPROTO_TCP, IPPROTO_UDP = 1, 2, 6, 17


def network(m: Machine) -> Network:
    """The simulated network: ``network(m).host("10.0.0.2")``, ``network(m).peer("10.0.0.2:80", "echoes")``."""
    return subsystem(m).network


# Sockets


def connected(m: Machine, peer: str = "reads", local: str = "10.0.0.1:5000", remote: str = "10.0.0.2:80", client: int = 0) -> int:
    """A socket that the driver has connected to a scripted peer.

    Args:
        m: the machine.
        peer: a behaviour of `wsklab.net.BEHAVIOURS`.
        local: its local address; the next free port is taken when that one is in use.
        remote: where the peer waits.
        client: the WSK_CLIENT it is made for, 0 for none: then WskDeregister does not wait for it.

    Returns:
        The address of the WSK_SOCKET.

    Raises:
        ValueError: the peer does not accept connections.
    """
    with _scene(m) as wsk:
        wsk.network.peer(remote, peer)
        socket = _socket(wsk, "connection", local, client)
        assert isinstance(socket, Connection)
        answers: list[int] = []
        request = Request(wsk, "scene", 0, SETTING_UP, lambda status, information: answers.append(status))
        request.run(start_connection, socket, Address.parse(remote))
        if answers != [0]:
            raise ValueError(f"a peer that {peer!r} describes cannot be connected to")
    return _born(m, socket)


def listener(m: Machine, local: str = "10.0.0.1:80", client: int = 0) -> int:
    """A bound listening socket."""
    with _scene(m) as wsk:
        socket = _socket(wsk, "listening", local, client)
        socket.enter("listening")
    return _born(m, socket)


def accepted(m: Machine, peer: str = "reads", local: str = "10.0.0.1:80", remote: str = "10.0.0.2:5000", client: int = 0) -> int:
    """A socket that a listening socket accepted from a scripted peer; see `connected` for the arguments."""
    wsk = subsystem(m)
    known = wsk.network.listeners.get(Address.parse(local))
    waiting = known.address if isinstance(known, Listening) else listener(m, local, client)
    there = Address.parse(remote)
    with _scene(m):
        answers: list[int] = []
        script = Peer(wsk.network, there, peer)
        wsk.network.host(remote)
        done = lambda status, information: answers.append(information)  # noqa: E731
        sockets.call(m, "WskAccept", waiting, 0, SETTING_UP, accept, (0, 0), done=done)
        with wsk.network.instant():
            script.connect(Address.parse(local))
        if not answers:
            raise ValueError(f"the driver itself is already waiting for connections at {local}")
        socket = wsk.sockets[answers[0]]
    return _born(m, socket)


def datagram(m: Machine, bound: bool = True, family: int = AF_INET, local: str = "", client: int = 0) -> int:
    """A datagram socket, bound to `local` (by default port 5000 of the machine) unless told otherwise."""
    local = local or ("10.0.0.1:5000" if family == AF_INET else "[fd00::1]:5000")
    with _scene(m) as wsk:
        socket = _socket(wsk, "datagram", local, client, bind=bound)
        if bound:
            socket.enter("bound")
    return _born(m, socket)


def peer_of(m: Machine, socket: int) -> Peer:
    """The scripted peer at the other end of a connected or accepted socket. Raises LookupError when there is none."""
    connection = subsystem(m).sockets.get(socket)
    if isinstance(connection, Connection) and connection.end and isinstance(connection.end.other.owner, Peer):
        return connection.end.other.owner
    raise LookupError(f"{socket:#x} is not connected to a scripted peer")


def kill(m: Machine, socket: int) -> None:
    """Let the transport under a socket go away: from then on its functions fail with STATUS_FILE_FORCED_CLOSED."""
    wsk = subsystem(m)
    wsk.kill(wsk.sockets[socket])


def _socket(wsk: Subsystem, category: str, local: str, client: int, bind: bool = True) -> sockets.Socket:
    address = Address.parse(local)
    kind, protocol = (SOCK_DGRAM, IPPROTO_UDP) if category == "datagram" else (SOCK_STREAM, IPPROTO_TCP)
    socket = make(wsk, wsk.clients.get(client), category, address.family, kind, protocol)
    if bind:
        taken = wsk.bound.get((protocol, address.family, address.port))
        socket.bind(address.at(0) if taken and category == "connection" else address)
    return socket


@contextmanager
def _scene(m: Machine) -> Iterator[Subsystem]:
    before, m.trace.on = m.trace.on, False
    try:
        yield subsystem(m)
    finally:
        m.trace.on = before


def _born(m: Machine, socket: sockets.Socket) -> int:
    if m.trace.on:
        m.trace.add(
            "allocate", "WSK_SOCKET", actor="wsk", objects=(socket.address,), category=socket.category, state=socket.state
        )
    return socket.address


# Arguments


def sockaddr(m: Machine, text: str) -> int:
    """A SOCKADDR in memory for ``"10.0.0.2:7"`` or ``"[fd00::2]:7"``; returns its address."""
    content = sockaddrs.encode(Address.parse(text))
    pointer = m.allocate(len(content), "object", label="SOCKADDR_IN" if len(content) == 16 else "SOCKADDR_IN6")
    m.write(pointer, content)
    return pointer


def wsk_buf(m: Machine, content: bytes, chain: int = 1) -> int:
    """A WSK_BUF over `content`, spread over a chain of `chain` MDLs; returns its address."""
    head = 0
    size = -(-len(content) // chain) or 1
    pieces = [content[start : start + size] for start in range(0, max(len(content), 1), size)]
    for piece in reversed(pieces):
        head = _mdl(m, piece, head)
    buffer = m.view(m.new("WSK_BUF"), "WSK_BUF")
    buffer.Mdl, buffer.Offset, buffer.Length = head, 0, len(content)
    return int(buffer)


def _mdl(m: Machine, content: bytes, following: int) -> int:
    memory = m.allocate(max(len(content), 1), "object", label="buffer", zero=True)
    m.write(memory, content)
    built = mdl.build(m, memory, len(content), given=True)
    m.set_u64(built + m.offset("MDL", "Next"), following)
    return built


def content_of(m: Machine, buffer: int, size: int | None = None) -> bytes:
    """The bytes behind a WSK_BUF, all of them or the first `size`."""
    from wsklab.wsk.buffers import take

    return take(m, "content_of", buffer).read()[:size]


# Calls without an IRP


def control(m: Machine, socket: int, code: str | int, address: int | None) -> int:
    """Issue an I/O control that takes a SOCKADDR, or with None clears what it set; returns the final status.

    ``control(m, socket, "SIO_WSK_SET_REMOTE_ADDRESS", sockaddr(m, "10.0.0.2:7"))``
    """
    size = 0
    if address:
        size = 16 if m.u16(address) == AF_INET else 28
    arguments = Arguments(m, size, address or 0, 0, 0)
    number = m.constant(code) if isinstance(code, str) else code
    return _status(m, "WskControlSocket", socket, control_operation, IOCTL, number, 0, arguments)


def close(m: Machine, socket: int) -> int:
    """Close a socket; returns the final status."""
    answers: list[int] = []
    with _scene(m):
        sockets.close(m, socket, 0, done=lambda status, information: answers.append(status))
    return answers[0]


def _status(m: Machine, name: str, socket: int, operation: Callable[..., None], *arguments: Any) -> int:
    answers: list[int] = []
    with _scene(m):
        done = lambda status, information: answers.append(status)  # noqa: E731
        sockets.call(m, name, socket, 0, SETTING_UP, operation, *arguments, done=done)
    return answers[0]
