"""WskControlSocket: options and I/O controls, as tables. Facts WSK-CTL, WSK-SOO, WSK-SRA, WSK-SSA, WSK-SQB.

A pending control request reads its input and writes its output when it is carried out, not when it is called: a buffer on a
stack that has been left by then is found out (WSK-CTL-10, WSK-CTL-11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from wsklab.c.headers import headers
from wsklab.machine import Machine, wdk
from wsklab.wsk import sockaddr
from wsklab.wsk.datagram import Datagram
from wsklab.wsk.request import PENDING, SETTING_UP, Request, refuse
from wsklab.wsk.sockets import Socket, call
from wsklab.wsk.stream import Connection

SET, GET, IOCTL = 0, 1, 2
"""WskSetOption, WskGetOption, WskIoctl."""

BACKLOG = 65_536
"""The ideal send backlog of every connection, in bytes."""

_ALL: Final = ("listening", "datagram", "connection")


@dataclass(frozen=True)
class Option:
    """An option whose value is a ULONG.

    Attributes:
        level: SOL_SOCKET or a protocol, by header name.
        categories: sockets that have it.
        before_bind: whether it can be set only before the bind (WSK-BIND-09).
        default: its value until it is set.
    """

    level: str
    categories: tuple[str, ...]
    before_bind: bool = False
    default: int = 0


OPTIONS: Final = {
    "SO_BROADCAST": Option("SOL_SOCKET", ("datagram",)),
    "SO_EXCLUSIVEADDRUSE": Option("SOL_SOCKET", _ALL, before_bind=True),
    "SO_REUSEADDR": Option("SOL_SOCKET", _ALL, before_bind=True),
    "SO_KEEPALIVE": Option("SOL_SOCKET", ("listening", "connection")),
    "SO_RCVBUF": Option("SOL_SOCKET", _ALL, default=65_536),
    "IPV6_V6ONLY": Option("IPPROTO_IPV6", _ALL, before_bind=True, default=1),
}
"""Options that are modelled. SO_KEEPALIVE is stored and changes nothing."""

NOT_YET: Final = ("SO_WSK_EVENT_CALLBACK", "SO_WSK_SECURITY", "SO_CONDITIONAL_ACCEPT")
"""Options that are known and not modelled."""


@dataclass(slots=True)
class Arguments:
    """The buffers of one control request."""

    machine: Machine
    input_size: int
    input: int
    output_size: int
    output: int

    def put(self, size: int, value: int) -> int:
        """Store an integer of `size` bytes as the output; returns the size."""
        (self.machine.set_u32 if size == 4 else self.machine.set_u64)(self.output, value)
        return size


Action = Callable[[], int]
"""Carries a control request out; returns the bytes of output."""


# Options


@cache
def _option_names() -> dict[tuple[int, int], str]:
    constants = headers().constants
    levels = {name: row.level for name, row in OPTIONS.items()} | dict.fromkeys(NOT_YET, "SOL_SOCKET")
    return {(constants[level], constants[name] & 0xFFFF_FFFF): name for name, level in levels.items()}


def _option(socket: Socket, kind: int, code: int, level: int, a: Arguments) -> Action:
    name = _option_names().get((level, code))
    if name not in OPTIONS:
        what = "set" if kind == SET else "get"
        a.machine.not_modelled(f"WskControlSocket to {what} {name or f'option {code:#x} of level {level:#x}'}")
    row = OPTIONS[name]
    if socket.category not in row.categories:
        raise refuse("wrong category of option")
    if (a.input_size if kind == SET else a.output_size) < 4:
        raise refuse("wrong size of option buffer")
    if kind == GET:
        return lambda: a.put(4, socket.options.get((level, code), row.default))
    if row.before_bind and socket.local:
        raise refuse("option after the bind")

    def store() -> int:
        socket.options[level, code] = a.machine.u32(a.input)
        return 0

    return store


# I/O controls


def _fixed_address(attribute: str, step: str) -> Callable[[Socket, Arguments], Action]:
    def prepare(socket: Socket, a: Arguments) -> Action:
        if not isinstance(socket, Datagram):
            raise refuse("wrong category of option")
        socket.require(step, "fixed address before the bind")
        if a.input and a.input_size < sockaddr.SIZES[socket.family]:
            raise refuse("wrong size of option buffer")

        def store() -> int:
            setattr(socket, attribute, socket.read_address(a.input) if a.input else None)
            return 0

        return store

    return prepare


def _backlog(value: Callable[[Connection], int]) -> Callable[[Socket, Arguments], Action]:
    def prepare(socket: Socket, a: Arguments) -> Action:
        if not isinstance(socket, Connection):
            raise refuse("wrong category of option")
        socket.require("WskGetRemoteAddress")  # connected, in the sense of WSK-GLA-06
        if a.output_size < 8:
            raise refuse("wrong size of option buffer")
        return lambda: a.put(8, value(socket))

    return prepare


IOCTLS: Final[dict[str, Callable[[Socket, Arguments], Action]]] = {
    "SIO_WSK_SET_REMOTE_ADDRESS": _fixed_address("fixed_remote", "SIO_WSK_SET_REMOTE_ADDRESS"),
    "SIO_WSK_SET_SENDTO_ADDRESS": _fixed_address("fixed_destination", "SIO_WSK_SET_SENDTO_ADDRESS"),
    "SIO_WSK_QUERY_IDEAL_SEND_BACKLOG": _backlog(lambda socket: BACKLOG),
    "SIO_WSK_QUERY_RECEIVE_BACKLOG": _backlog(lambda socket: len(socket.end.received) if socket.end else 0),
}
"""I/O controls that are modelled; every other one says its name."""


@cache
def _ioctl_names() -> dict[int, str]:
    return {value & 0xFFFF_FFFF: name for name, value in headers().constants.items() if name.startswith("SIO_")}


# The call


@wdk(lane="wsk", prototype="PFN_WSK_CONTROL_SOCKET")
def WskControlSocket(
    m: Machine, Socket: int, RequestType: int, ControlCode: int, Level: int, InputSize: int, InputBuffer: int, OutputSize: int,
    OutputBuffer: int, OutputSizeReturned: int, Irp: int,
) -> int:  # fmt: skip
    """Set or get an option, or issue an I/O control. Facts: WSK-CTL-01 to 14."""
    arguments = Arguments(m, InputSize, InputBuffer, OutputSize, OutputBuffer)
    return call(m, "WskControlSocket", Socket, Irp, SETTING_UP, control, RequestType, ControlCode, Level, arguments)


def control(request: Request, socket: Socket, kind: int, code: int, level: int, a: Arguments) -> None:
    """Check a control request and carry it out: inside the call, or later when it is to pend."""
    if kind not in (SET, GET, IOCTL):
        raise refuse("bad argument")
    code &= 0xFFFF_FFFF
    action: Any
    if kind == IOCTL:
        name = _ioctl_names().get(code, f"{code:#010x}")
        if name not in IOCTLS:
            a.machine.not_modelled(f"WskControlSocket with {name}")
        action = IOCTLS[name](socket, a)
    else:
        action = _option(socket, kind, code, level, a)
    if request.way != PENDING:
        return request.complete(0, action())

    def later() -> None:
        if not request.over:
            request.perform(action)

    a.machine.post(later, name="wsk")
