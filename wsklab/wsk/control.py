"""WskControlSocket: options and I/O controls. Facts WSK-CTL, WSK-SOO, WSK-SRA, WSK-SSA, WSK-SQB.

A pending control request reads its input and writes its output when it is carried out, not when it is called: a buffer on a
stack that has been left by then is found out (WSK-CTL-10, WSK-CTL-11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsklab.c.headers import headers
from wsklab.wsk.sockets import SIZES, Socket
from wsklab.wsk.subsystem import SETTING_UP, Request, operation, refuse
from wsklab.wsk.tables import tables
from wsklab.wsk.transports import Connection, Datagram

SET, GET, IOCTL = 0, 1, 2  # WskSetOption, WskGetOption, WskIoctl

BACKLOG = 65_536  # the ideal send backlog of every connection, in bytes

NOT_YET = ("SO_WSK_EVENT_CALLBACK", "SO_WSK_SECURITY", "SO_CONDITIONAL_ACCEPT")
"""Options of sockets that are known and not modelled."""

FIXED = {"SIO_WSK_SET_REMOTE_ADDRESS": "fixed_remote", "SIO_WSK_SET_SENDTO_ADDRESS": "fixed_destination"}
"""I/O controls that fix an address of a datagram socket, and the attribute they set."""

BACKLOGS: dict[str, Callable[[Any], int]] = {
    "SIO_WSK_QUERY_IDEAL_SEND_BACKLOG": lambda socket: BACKLOG,
    "SIO_WSK_QUERY_RECEIVE_BACKLOG": lambda socket: len(socket.connected.received),
}
"""I/O controls that tell a number of bytes about a connection. Every other one says its name."""

Action = Callable[[], int]  # carries a control request out; returns the bytes of output


@operation(SETTING_UP)
def WskControlSocket(
    call: Request, Socket: Socket, RequestType: int, ControlCode: int, Level: int, InputSize: int, InputBuffer: int,
    OutputSize: int, OutputBuffer: int, OutputSizeReturned: int, Irp: int,
) -> None:  # fmt: skip
    """Set or get an option, or issue an I/O control. Facts: WSK-CTL-01 to 14."""
    given, wanted = (InputSize, InputBuffer), (OutputSize, OutputBuffer)
    code = ControlCode & 0xFFFF_FFFF
    if RequestType == IOCTL:
        action = _ioctl(Socket, code, given, wanted)
    elif RequestType in (SET, GET):
        action = _option(Socket, RequestType == SET, code, Level, *(given if RequestType == SET else wanted))
    else:
        raise refuse("bad argument")
    if call.at_once:
        call.complete(0, action())
    else:
        call.wsk.machine.after(0, lambda: call.attempt(lambda: call.complete(0, action())))


def _option(socket: Socket, setting: bool, code: int, level: int, size: int, place: int) -> Action:
    constants, options, m = headers().constants, tables().options, socket.machine
    levels = {name: row.level for name, row in options.items()} | dict.fromkeys(NOT_YET, "SOL_SOCKET")
    fitting = [name for name, of in levels.items() if (constants[of], constants[name] & 0xFFFF_FFFF) == (level, code)]
    name = fitting[0] if fitting else f"option {code:#x} of level {level:#x}"
    if name not in options:
        m.not_modelled(f"WskControlSocket to {'set' if setting else 'get'} {name}")
    if socket.category not in options[name].categories:
        raise refuse("wrong category of option")
    if size < 4:
        raise refuse("wrong size of option buffer")
    if setting and options[name].before_bind and socket.local:
        raise refuse("option after the bind")

    def carry_out() -> int:
        if setting:
            socket.options[name] = m.u32(place)
            return 0
        m.set_u32(place, socket.option(name))
        return 4

    return carry_out


def _ioctl(socket: Socket, code: int, given: tuple[int, int], wanted: tuple[int, int]) -> Action:
    names = (name for name, value in headers().constants.items() if name.startswith("SIO_") and value & 0xFFFF_FFFF == code)
    name = next(names, f"{code:#010x}")
    fixes = name in FIXED
    if not fixes and name not in BACKLOGS:
        socket.machine.not_modelled(f"WskControlSocket with {name}")
    if not isinstance(socket, Datagram if fixes else Connection):
        raise refuse("wrong category of option")
    if fixes:
        socket.require(name, "fixed address before the bind")
    else:
        socket.require("WskGetRemoteAddress")  # connected, in the sense of WSK-GLA-06
    if (given[1] and given[0] < SIZES[socket.family]) if fixes else wanted[0] < 8:
        raise refuse("wrong size of option buffer")

    def fix_address() -> int:
        setattr(socket, FIXED[name], socket.read_address(given[1]) if given[1] else None)
        return 0

    def tell_backlog() -> int:
        socket.machine.set_u64(wanted[1], BACKLOGS[name](socket))
        return 8

    return fix_address if fixes else tell_backlog
