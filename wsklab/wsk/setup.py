"""Binding, asking for addresses, closing. Facts WSK-BIND, WSK-GLA, WSK-CLOSE."""

from __future__ import annotations

from wsklab.machine import Machine, wdk
from wsklab.net import Address
from wsklab.wsk import sockaddr, sockets
from wsklab.wsk.request import SETTING_UP, Request
from wsklab.wsk.stream import Connection
from wsklab.wsk.subsystem import subsystem


@wdk(lane="wsk", prototype="PFN_WSK_BIND")
def WskBind(m: Machine, Socket: int, LocalAddress: int, Flags: int, Irp: int) -> int:
    """Give a socket its local address; a listening socket listens from then on. Facts: WSK-BIND-01 to 12."""
    subsystem(m).check_flags("WskBind", Flags)
    return sockets.call(m, "WskBind", Socket, Irp, SETTING_UP, bind, LocalAddress)


def bind(request: Request, socket: sockets.Socket, pointer: int) -> None:
    """Bind to the SOCKADDR at `pointer`."""
    after = socket.require("WskBind", "second bind")
    socket.bind(socket.read_address(pointer))
    socket.enter(after)
    request.complete(0)


@wdk(lane="wsk", prototype="PFN_WSK_GET_LOCAL_ADDRESS")
def WskGetLocalAddress(m: Machine, Socket: int, LocalAddress: int, Irp: int) -> int:
    """Tell the local address of a bound socket. Facts: WSK-GLA-01 to 07."""
    return sockets.call(m, "WskGetLocalAddress", Socket, Irp, SETTING_UP, _local, LocalAddress)


def _local(request: Request, socket: sockets.Socket, pointer: int) -> None:
    socket.require("WskGetLocalAddress")
    assert socket.local
    _tell(request, socket, pointer, socket.local)


@wdk(lane="wsk", prototype="PFN_WSK_GET_REMOTE_ADDRESS")
def WskGetRemoteAddress(m: Machine, Socket: int, RemoteAddress: int, Irp: int) -> int:
    """Tell the peer's address of a connected socket. Facts: WSK-GLA-01 to 07."""
    return sockets.call(m, "WskGetRemoteAddress", Socket, Irp, SETTING_UP, _remote, RemoteAddress)


def _remote(request: Request, socket: Connection, pointer: int) -> None:
    socket.require("WskGetRemoteAddress")
    assert socket.remote
    _tell(request, socket, pointer, socket.remote)


def _tell(request: Request, socket: sockets.Socket, pointer: int, address: Address) -> None:
    # The buffer is written when the request completes, and must live until then (WSK-GLA-05).
    request.last = lambda: sockaddr.write(socket.wsk.machine, pointer, address, socket.family)
    request.complete(0)


@wdk(lane="wsk", prototype="PFN_WSK_CLOSE_SOCKET")
def WskCloseSocket(m: Machine, Socket: int, Irp: int) -> int:
    """Close a socket: everything pending completes first, then the close. Facts: WSK-CLOSE-01 to 16."""
    return sockets.close(m, Socket, Irp)
