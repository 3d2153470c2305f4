"""Functions of the client level: making sockets. Facts WSK-SOCK, WSK-SC."""

from __future__ import annotations

from wsklab.machine import Machine, wdk
from wsklab.net import Address
from wsklab.net.address import AF_INET, AF_INET6
from wsklab.wsk import sockaddr
from wsklab.wsk.datagram import Datagram
from wsklab.wsk.listening import Listening
from wsklab.wsk.registration import Registration, registration_of
from wsklab.wsk.request import SETTING_UP, Refused, Request, refuse
from wsklab.wsk.sockets import Socket
from wsklab.wsk.states import CATEGORIES
from wsklab.wsk.stream import Connection, connect
from wsklab.wsk.subsystem import Subsystem, subsystem

MAKERS: dict[str, type[Socket]] = {
    "basic": Socket,
    "listening": Listening,
    "datagram": Datagram,
    "connection": Connection,
}
"""Category → what keeps a socket of it."""


@wdk(lane="wsk", prototype="PFN_WSK_SOCKET")
def WskSocket(
    m: Machine, Client: int, AddressFamily: int, SocketType: int, Protocol: int, Flags: int, SocketContext: int, Dispatch: int,
    OwningProcess: int, OwningThread: int, SecurityDescriptor: int, Irp: int,
) -> int:  # fmt: skip
    """Create a socket. Facts: WSK-SOCK-01 to 13."""
    client = registration_of(m, "WskSocket", Client)
    request = _request(m, "WskSocket", client, Irp)
    return request.run(_create, client, AddressFamily, SocketType, Protocol, Flags, SocketContext or Dispatch)


def _request(m: Machine, name: str, client: Registration, irp: int) -> Request:
    request = subsystem(m).request(name, irp, SETTING_UP)
    request.start(client.group)
    return request


def _create(request: Request, client: Registration, family: int, kind: int, protocol: int, flags: int, callbacks: int) -> None:
    m = request.wsk.machine
    if flags == m.constant("WSK_FLAG_STREAM_SOCKET"):
        m.not_modelled("WskSocket with WSK_FLAG_STREAM_SOCKET")
    category = next((name for name, row in CATEGORIES.items() if m.constant(row.flag) == flags), None)
    if category is None or (category == "basic" and callbacks):
        raise refuse("bad argument")
    request.complete(0, make(request.wsk, client, category, family, kind, protocol).address)


def make(wsk: Subsystem, client: Registration | None, category: str, family: int, kind: int, protocol: int) -> Socket:
    """A new socket. Raises Refused when no transport fits (WSK-AF-02, WSK-AF-05)."""
    m = wsk.machine
    pairs = [(m.constant(kind), None if name is None else m.constant(name)) for kind, name in CATEGORIES[category].kinds]
    if not any(pair in pairs for pair in ((kind, protocol), (kind, None))) or family not in (AF_INET, AF_INET6):
        known = any(kind == allowed for allowed, _ in pairs)
        raise refuse("protocol 0" if known and not protocol else "no such transport")
    return MAKERS[category](wsk, client, family, kind, protocol)


@wdk(lane="wsk", prototype="PFN_WSK_SOCKET_CONNECT")
def WskSocketConnect(
    m: Machine, Client: int, SocketType: int, Protocol: int, LocalAddress: int, RemoteAddress: int, Flags: int,
    SocketContext: int, Dispatch: int, OwningProcess: int, OwningThread: int, SecurityDescriptor: int, Irp: int,
) -> int:  # fmt: skip
    """Create, bind and connect a connection-oriented socket. Facts: WSK-SC-01 to 08, WSK-AF-04."""
    subsystem(m).check_flags("WskSocketConnect", Flags)
    client = registration_of(m, "WskSocketConnect", Client)
    family = m.u16(LocalAddress)
    request = _request(m, "WskSocketConnect", client, Irp)
    return request.run(_socket_connect, client, family, SocketType, Protocol, LocalAddress, RemoteAddress)


def _socket_connect(
    request: Request, client: Registration, family: int, kind: int, protocol: int, local: int, remote: int
) -> None:
    m = request.wsk.machine
    socket = make(request.wsk, client, "connection", family, kind, protocol)
    assert isinstance(socket, Connection)
    try:
        here, there = socket.read_address(local), sockaddr.read(m, remote, family)
        if there is None:
            raise refuse("wrong family")
        socket.bind(here)
    except Refused:
        discard(socket)
        raise
    start_connection(request, socket, there)


def start_connection(request: Request, socket: Connection, remote: Address) -> None:
    """Connect a bound socket for a request that delivers the socket, or nothing when it fails (WSK-SC-04)."""
    socket.enter("connecting")

    def finish(status: int, information: int) -> None:
        if status == 0:
            request.complete(0, socket.address)
        else:
            discard(socket)
            request.complete(status)

    step = Request(request.wsk, request.name, 0, SETTING_UP, finish)
    step.way = request.way
    step.run(connect, socket, remote)

    def withdraw() -> None:
        step.over = True
        discard(socket)

    request.withdraw = withdraw


def discard(socket: Socket) -> None:
    """Throw away a socket that nobody has seen."""
    socket.shut()
    socket.vanish()
