"""Ready-made sockets for lessons, exercises and tests, each in one line and made for no client.

A scene goes through the operations of a driver's calls without IRPs: no virtual time, no events but the birth of the socket. What
no address is given for lies where the network says; on the loopback network that is a free port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wsklab.io import mdl
from wsklab.machine import Machine
from wsklab.net import Address, Network, Peer
from wsklab.net.tcp import AF_INET, AF_INET6
from wsklab.wsk.buffers import take
from wsklab.wsk.client import make
from wsklab.wsk.connections import Connection
from wsklab.wsk.control import IOCTL, WskControlSocket
from wsklab.wsk.listening import Listening, WskAccept
from wsklab.wsk.sockets import SIZES, Socket, encode
from wsklab.wsk.subsystem import Subsystem, subsystem
from wsklab.wsk.tables import DEAD


def network(m: Machine) -> Network:
    """The machine's network: ``network(m).host("10.0.0.2")``, ``network(m).peer("10.0.0.2:80", "echoes")``."""
    return subsystem(m).network


def connected(m: Machine, peer: str = "reads", local: str = "", remote: str = "") -> int:
    """A socket that the driver has connected to a scripted peer, a behaviour of `wsklab.net.BEHAVIOURS`; returns its address.

    The next free port is taken when that of `local` is in use. Raises ValueError when the peer does not accept connections.
    """
    with _scene(m) as wsk:
        there = wsk.network.peer(remote or wsk.network.there, peer).address
        socket = _socket(wsk, "connection", local or wsk.network.here)
        assert isinstance(socket, Connection)
        socket.connect(there, True, lambda status: None)
        wsk.network.settle()
        if not socket.end or socket.end.answer:
            raise ValueError(f"a peer that {peer!r} describes cannot be connected to")
    return _born(m, socket)


def listener(m: Machine, local: str = "") -> int:
    """A bound listening socket."""
    with _scene(m) as wsk:
        socket = _socket(wsk, "listening", local or wsk.network.served)
    return _born(m, socket)


def accepted(m: Machine, peer: str = "reads", local: str = "", remote: str = "") -> int:
    """A socket that a listening socket accepted from a scripted peer; see `connected` for the arguments."""
    wsk = subsystem(m)
    network = wsk.network
    known = network.listeners.get(Address.parse(local or network.served))
    waiting = known.address if isinstance(known, Listening) else listener(m, local)
    served, caller = wsk.sockets[waiting].local, remote or network.caller
    assert served
    with _scene(m):
        network.host(caller)
        answers = _ask(WskAccept, m, waiting, 0, 0, 0, 0, 0)
        with network.instant():
            Peer(network, Address.parse(caller), peer).connect(served)
        network.settle()
    if not answers:
        raise ValueError(f"the driver itself is already waiting for connections at {served}")
    return _born(m, wsk.sockets[answers[0][1]])


def datagram(m: Machine, bound: bool = True, family: int = AF_INET, local: str = "") -> int:
    """A datagram socket, bound to `local` (by default port 5000 of the machine) unless told otherwise."""
    with _scene(m) as wsk:
        local = local or (wsk.network.here if family == AF_INET else wsk.network.here6)
        socket = _socket(wsk, "datagram", local, bound)
    return _born(m, socket)


def peer_of(m: Machine, socket: int) -> Peer:
    """The scripted peer at the other end of a connected or accepted socket. Raises LookupError when there is none."""
    connection = subsystem(m).sockets.get(socket)
    if isinstance(connection, Connection) and connection.end and not connection.end.answer:
        peer = connection.end.other.owner if connection.end.other else None
        if isinstance(peer, Peer):
            return peer
    raise LookupError(f"{socket:#x} is not connected to a scripted peer")


def kill(m: Machine, socket: int) -> None:
    """The transport under a socket goes away: from then on its functions fail with STATUS_FILE_FORCED_CLOSED (WSK-CTL-08)."""
    subsystem(m).sockets[socket].enter(DEAD)
    subsystem(m).sockets[socket].break_off()
    subsystem(m).sockets[socket].events.wake()


def redirected(m: Machine, socket: int, context: bytes, records: bytes) -> None:
    """A filter has redirected the connection of a socket, and left a context and records with it (WSK-SMISC-02)."""
    found = zip(("CONTEXT", "RECORDS"), (context, records), strict=True)
    connection: Any = subsystem(m).sockets[socket]
    connection.redirection = {f"SIO_QUERY_WFP_CONNECTION_REDIRECT_{what}": content for what, content in found}


def transports(m: Machine, triples: list[tuple[int, int, int]]) -> None:
    """From now on there are these transports: family, socket type, protocol (WSK-TLC-02)."""
    subsystem(m).transports = list(triples)
    subsystem(m).changed(0)


def addresses(m: Machine, texts: list[str]) -> None:
    """From now on the machine has these addresses; whoever watches the list of a family that changes is told (WSK-SAL-03)."""
    network = subsystem(m).network
    before, network.local = network.local, [Address.parse(text).ip for text in texts]
    for family, size in ((AF_INET, 4), (AF_INET6, 16)):
        if [ip for ip in before if len(ip) == size] != [ip for ip in network.local if len(ip) == size]:
            subsystem(m).changed(family)


def _socket(wsk: Subsystem, category: str, local: str, bind: bool = True) -> Socket:
    address = Address.parse(local)
    kind, protocol = (2, 17) if category == "datagram" else (1, 6)  # SOCK_DGRAM, IPPROTO_UDP; SOCK_STREAM, IPPROTO_TCP
    socket = make(wsk, None, category, address.family, kind, protocol)
    if bind:
        taken = wsk.bound.get((protocol, address.family, address.port))
        socket.bind(address.at(0) if taken and category != "listening" else address)
        socket.enter(socket.require("WskBind"))
    return socket


@contextmanager
def _scene(m: Machine) -> Iterator[Subsystem]:
    with m.trace.paused():
        yield subsystem(m)


def _ask(function: Callable[..., int], m: Machine, *arguments: int) -> list[tuple[int, int]]:
    """Call a function without an IRP; a list that gets the status and the information when it completes."""
    answers: list[tuple[int, int]] = []
    with _scene(m):
        function(m, *arguments, 0, done=lambda status, information: answers.append((status, information)))
    return answers


def _born(m: Machine, socket: Socket) -> int:
    about = (socket.address,)
    m.trace.add("allocate", "WSK_SOCKET", actor="wsk", objects=about, category=socket.category, state=socket.state)
    return socket.address


def sockaddr(m: Machine, text: str) -> int:
    """A SOCKADDR in memory for ``"10.0.0.2:7"`` or ``"[fd00::2]:7"``; returns its address."""
    content = encode(Address.parse(text))
    pointer = m.allocate(len(content), "object", label="SOCKADDR_IN" if len(content) == 16 else "SOCKADDR_IN6")
    m.write(pointer, content)
    return pointer


def wsk_buf(m: Machine, content: bytes, chain: int = 1) -> int:
    """A WSK_BUF over `content`, spread over a chain of `chain` MDLs; returns its address."""
    head = 0
    size = -(-len(content) // max(chain, 1)) or 1
    for start in reversed(range(0, max(len(content), 1), size)):
        piece = content[start : start + size]
        memory = m.allocate(max(len(piece), 1), "object", label="buffer", zero=True)
        m.write(memory, piece)
        built = mdl.build(m, memory, len(piece), given=True)
        m.set_u64(built + m.offset("MDL", "Next"), head)
        head = built
    buffer = m.view(m.new("WSK_BUF"), "WSK_BUF")
    buffer.Mdl, buffer.Offset, buffer.Length = head, 0, len(content)
    return int(buffer)


def content_of(m: Machine, buffer: int, size: int | None = None) -> bytes:
    """The bytes behind a WSK_BUF, all of them or the first `size`."""
    return take(m, "content_of", buffer).read()[:size]


def control(m: Machine, socket: int, code: str | int, address: int | None) -> int:
    """Issue an I/O control that takes a SOCKADDR, or with None clears what it set; returns the final status.

    ``control(m, socket, "SIO_WSK_SET_REMOTE_ADDRESS", sockaddr(m, "10.0.0.2:7"))``
    """
    size = SIZES.get(m.u16(address), 28) if address else 0
    number = m.constant(code) if isinstance(code, str) else code
    return _ask(WskControlSocket, m, socket, IOCTL, number, 0, size, address or 0, 0, 0, 0)[0][0]
