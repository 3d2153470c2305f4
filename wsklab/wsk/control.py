"""WskControlSocket: options and I/O controls. Facts WSK-CTL, WSK-SOO, WSK-SRA, WSK-SSA, WSK-SQB.

A pending control request reads its input and writes its output when it is carried out, not when it is called: a buffer on a
stack that has been left by then is found out (WSK-CTL-10, WSK-CTL-11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from wsklab.c.headers import headers
from wsklab.wsk.datagram import Datagram
from wsklab.wsk.sockets import SIZES, Socket
from wsklab.wsk.stream import Connection
from wsklab.wsk.subsystem import PENDING, SETTING_UP, Request, operation, refuse
from wsklab.wsk.tables import tables

SET, GET, IOCTL = 0, 1, 2
"""WskSetOption, WskGetOption, WskIoctl."""

BACKLOG = 65_536
"""The ideal send backlog of every connection, in bytes."""

NOT_YET = ("SO_WSK_EVENT_CALLBACK", "SO_WSK_SECURITY", "SO_CONDITIONAL_ACCEPT")
"""Options of sockets that are known and not modelled."""

FIXED = {"SIO_WSK_SET_REMOTE_ADDRESS": "fixed_remote", "SIO_WSK_SET_SENDTO_ADDRESS": "fixed_destination"}
"""I/O controls that fix an address of a datagram socket, and the attribute they set."""

BACKLOGS: dict[str, Callable[[Connection], int]] = {
    "SIO_WSK_QUERY_IDEAL_SEND_BACKLOG": lambda socket: BACKLOG,
    "SIO_WSK_QUERY_RECEIVE_BACKLOG": lambda socket: len(socket.connected.received),
}
"""I/O controls that tell a number of bytes about a connection. Every other one says its name."""

Action = Callable[[], int]
"""Carries a control request out; returns the bytes of output."""


class Arguments(NamedTuple):
    """The buffers of one control request."""

    input_size: int
    input: int
    output_size: int
    output: int


@operation(SETTING_UP)
def WskControlSocket(
    call: Request, Socket: Socket, RequestType: int, ControlCode: int, Level: int, InputSize: int, InputBuffer: int,
    OutputSize: int, OutputBuffer: int, OutputSizeReturned: int, Irp: int,
) -> None:  # fmt: skip
    """Set or get an option, or issue an I/O control. Facts: WSK-CTL-01 to 14."""
    if RequestType not in (SET, GET, IOCTL):
        raise refuse("bad argument")
    arguments = Arguments(InputSize, InputBuffer, OutputSize, OutputBuffer)
    if RequestType == IOCTL:
        action = _ioctl(Socket, ControlCode & 0xFFFF_FFFF, arguments)
    else:
        action = _option(Socket, RequestType == SET, ControlCode & 0xFFFF_FFFF, Level, arguments)
    if call.way == PENDING:
        call.wsk.machine.post(lambda: call.attempt(lambda: call.complete(0, action())), name="wsk")
    else:
        call.complete(0, action())


def _option(socket: Socket, setting: bool, code: int, level: int, a: Arguments) -> Action:
    constants, options, m = headers().constants, tables().options, socket.machine
    levels = {name: row.level for name, row in options.items()} | dict.fromkeys(NOT_YET, "SOL_SOCKET")
    fitting = [name for name, of in levels.items() if (constants[of], constants[name] & 0xFFFF_FFFF) == (level, code)]
    name = fitting[0] if fitting else f"option {code:#x} of level {level:#x}"
    if name not in options:
        m.not_modelled(f"WskControlSocket to {'set' if setting else 'get'} {name}")
    if socket.category not in options[name].categories:
        raise refuse("wrong category of option")
    if (a.input_size if setting else a.output_size) < 4:
        raise refuse("wrong size of option buffer")
    if setting and options[name].before_bind and socket.local:
        raise refuse("option after the bind")

    def carry_out() -> int:
        if setting:
            socket.options[name] = m.u32(a.input)
            return 0
        m.set_u32(a.output, socket.option(name))
        return 4

    return carry_out


def _ioctl(socket: Socket, code: int, a: Arguments) -> Action:
    names = (name for name, value in headers().constants.items() if name.startswith("SIO_") and value & 0xFFFF_FFFF == code)
    name = next(names, f"{code:#010x}")
    if name in FIXED:
        return _fixed_address(socket, name, a)
    if name not in BACKLOGS:
        socket.machine.not_modelled(f"WskControlSocket with {name}")
    if not isinstance(socket, Connection):
        raise refuse("wrong category of option")
    socket.require("WskGetRemoteAddress")  # connected, in the sense of WSK-GLA-06
    if a.output_size < 8:
        raise refuse("wrong size of option buffer")

    def carry_out() -> int:
        socket.machine.set_u64(a.output, BACKLOGS[name](socket))
        return 8

    return carry_out


def _fixed_address(socket: Socket, name: str, a: Arguments) -> Action:
    if not isinstance(socket, Datagram):
        raise refuse("wrong category of option")
    socket.require(name, "fixed address before the bind")
    if a.input and a.input_size < SIZES[socket.family]:
        raise refuse("wrong size of option buffer")

    def carry_out() -> int:
        setattr(socket, FIXED[name], socket.read_address(a.input) if a.input else None)
        return 0

    return carry_out
