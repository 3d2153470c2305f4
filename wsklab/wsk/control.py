"""WskControlSocket and WskControlClient: options, I/O controls and requests about the whole client.

Which there are, for whom, in which state, with which buffers and whether with an IRP stands in ``tables.toml``; here stands what
each does. A pending request reads its input and writes its output when it is carried out, not when it is called: a buffer on a
stack that has been left by then is found out (WSK-CTL-10, WSK-CTL-11). Facts WSK-CTL, WSK-CC, WSK-SOO, WSK-SAL, WSK-SQB-01.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf
from struct import pack, unpack
from typing import Any, NamedTuple

from wsklab.c.headers import headers
from wsklab.machine import PASSIVE_LEVEL, Machine, status
from wsklab.net import Address
from wsklab.wsk.client import Registration
from wsklab.wsk.events import DISABLE, INTERFACE, event_mask
from wsklab.wsk.sockets import SIZES, Socket, decode, encode
from wsklab.wsk.subsystem import FORBIDDEN, OPTIONAL, PROVIDER_VERSION, SETTING_UP, Refused, Request, operation, refuse
from wsklab.wsk.tables import tables

SET, GET, IOCTL, CLIENT = 0, 1, 2, 3  # WskSetOption, WskGetOption, WskIoctl; requests of WskControlClient

POSSIBLE = ("is refused", "is possible")
REDIRECTED = ("STATUS_SUCCESS", "STATUS_ACCESS_DENIED", "STATUS_INTEGER_OVERFLOW")
"""What SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS may get; no page says when (WSK-SMISC-03)."""


class Control(NamedTuple):
    """One control request."""

    call: Request
    owner: Any  # the socket or the registration
    name: str
    machine: Machine
    input: int  # address of the input
    size: int  # its size
    room: int  # size of the output buffer
    output: int  # its address
    returned: int  # OutputSizeReturned
    reads: bool = False  # whether an option is read

    def produce(self, content: bytes, too_small: int = status.BUFFER_OVERFLOW) -> int:
        """Write the output; a buffer that is too small is told how many bytes are needed (WSK-CC-05, WSK-SAL-02, WSK-GAP-03)."""
        if self.returned:
            exact = self.machine.choose("OutputSizeReturned", ("a SIZE_T", "a ULONG")) == "a SIZE_T"
            (self.machine.set_u64 if exact else self.machine.set_u32)(self.returned, len(content))
        if self.room < len(content):
            raise Refused(too_small)
        self.machine.write(self.output, content)
        return len(content)


@cache
def _codes() -> dict[tuple[int, int, int], str]:
    """What a number means: (SET, level, option), (IOCTL, 0, code) or (CLIENT, 0, code) → name."""
    constants, codes = headers().constants, {}
    for name, row in tables().controls.items():
        kind = {"SIO": IOCTL, "WSK": CLIENT}.get(name[:3], SET)
        codes[kind, constants[row.level] if kind == SET else 0, constants[name] & 0xFFFF_FFFF] = name
    return codes


def _name(m: Machine, kind: int, code: int, level: int = 0) -> str:
    """The name of a request. Raises NotModelled for one that stands in no table (WSK-SOO-06), Refused where it means nothing."""
    code &= 0xFFFF_FFFF
    found = _codes().get((SET if kind == GET else kind, level if kind in (SET, GET) else 0, code))
    if found is None and kind == CLIENT:
        raise refuse("bad argument")
    if found is None:
        names = (each for each, value in headers().constants.items() if each.startswith("SIO_") and value & 0xFFFF_FFFF == code)
        what = next(names, f"{code:#010x}") if kind == IOCTL else f"option {code:#x} of level {level:#x}"
        m.not_modelled(f"WskControlSocket with {what}")
    return found


def _irp_of_socket(m: Machine, _socket: int, kind: int, code: int, level: int, size: int, place: int, *_: int) -> str:
    name = _name(m, kind, code, level) if kind in (SET, GET, IOCTL) else ""
    if name == "SO_WSK_EVENT_CALLBACK" and size >= 16:  # WSK-SOE-03, WSK-SOE-04
        return OPTIONAL if m.u32(place + m.offset("WSK_EVENT_CALLBACK_CONTROL", "EventMask")) & DISABLE else FORBIDDEN
    return tables().controls[name].irp if name else OPTIONAL


def _irp_of_client(m: Machine, _client: int, code: int, *_: int) -> str:
    name = _codes().get((CLIENT, 0, code))
    return tables().controls[name].irp if name else OPTIONAL


@operation(SETTING_UP, irp=_irp_of_socket)
def WskControlSocket(
    call: Request, socket: Socket, RequestType: int, ControlCode: int, Level: int, InputSize: int, InputBuffer: int,
    OutputSize: int, OutputBuffer: int, OutputSizeReturned: int,
) -> None:  # fmt: skip
    """Set or get an option, or issue an I/O control. Facts: WSK-CTL-01 to 14, MIS-29, MIS-30."""
    if RequestType not in (SET, GET, IOCTL):
        raise refuse("bad argument")
    m, name = socket.machine, _name(socket.machine, RequestType, ControlCode, Level)
    row = tables().controls[name]
    if row.passive and m.irql > PASSIVE_LEVEL:
        m.too_high(f"WskControlSocket ({name})", PASSIVE_LEVEL)
    if row.categories and socket.category not in row.categories and not _perhaps(socket, row):
        raise refuse("wrong category of option")
    if RequestType == GET and not row.get:
        raise refuse("bad argument")
    _check_sizes(row, InputSize if RequestType != GET else row.input, OutputSize if RequestType != SET else row.output)
    if RequestType == SET and row.before_bind and socket.local:
        raise refuse("option after the bind")
    if row.step:
        socket.require(row.step, "fixed address before the bind" if name in FIXED else "wrong state")
    _serve(
        Control(call, socket, name, m, InputBuffer, InputSize, OutputSize, OutputBuffer, OutputSizeReturned, RequestType == GET)
    )


@operation(SETTING_UP, irp=_irp_of_client)
def WskControlClient(
    call: Request, client: Registration, ControlCode: int, InputSize: int, InputBuffer: int, OutputSize: int, OutputBuffer: int,
    OutputSizeReturned: int,
) -> None:  # fmt: skip
    """Ask something of the client object. Facts: WSK-CC-01 to 07, WSK-TLQ, WSK-TLC, WSK-SD, WSK-STE, WSK-TDI, MIS-30."""
    m = call.wsk.machine
    name = _name(m, CLIENT, ControlCode)
    _check_sizes(tables().controls[name], InputSize, OutputSize)
    _serve(Control(call, client, name, m, InputBuffer, InputSize, OutputSize, OutputBuffer, OutputSizeReturned))


def _perhaps(socket: Socket, row: Any) -> bool:
    """Whether a category has a request about which the pages leave that open: conditional accept (WSK-CAT-08)."""
    choose = socket.machine.choose
    return socket.category in row.perhaps and choose("conditional accept of a stream socket", POSSIBLE) == POSSIBLE[1]


def _check_sizes(row: Any, given: int, room: int) -> None:
    if given < row.input or room < row.output:
        raise Refused(getattr(status, row.too_small)) if row.too_small else refuse("wrong size of option buffer")


def _serve(c: Control) -> None:
    row, action = tables().controls[c.name], ACTIONS.get(c.name, _option)
    if row.answers:
        raise Refused(getattr(status, row.answers))

    def work() -> None:
        size = action(c)
        if size is not None:
            c.call.complete(0, size)

    c.call.begin(work, row.at_once)


def _option(c: Control) -> int:
    """A ULONG (WSK-SOO-04)."""
    if c.reads:
        return c.produce(c.owner.option(c.name).to_bytes(4, "little"))
    value = c.machine.u32(c.input)
    for callback in ("WskInspectEvent", "WskAbortEvent") if c.name == "SO_CONDITIONAL_ACCEPT" and value else ():
        c.owner.events.need(callback)
    c.owner.options[c.name] = value
    if (end := getattr(c.owner, "end", None)) and not end.answer:
        end.options_changed()
    return 0


# I/O controls and the special options. Each returns the bytes of output, or None when it completes the request by itself.

FIXED = {"SIO_WSK_SET_REMOTE_ADDRESS": "fixed_remote", "SIO_WSK_SET_SENDTO_ADDRESS": "fixed_destination"}
"""I/O controls that fix an address of a datagram socket, and the attribute they set."""


def _fix_address(c: Control) -> int:
    setattr(c.owner, FIXED[c.name], c.owner.read_address(c.input) if c.input else None)
    return 0


def _security(c: Control) -> int:
    """Use a cached descriptor for the bind, or tell the one in use as a cached copy of its own. Facts: WSK-SOO-01."""
    if c.reads:
        return _cache(c, c.owner.client, c.owner.descriptor)
    c.owner.descriptor = c.machine.u64(c.input)
    c.call.use_descriptor(c.owner.descriptor)
    return 0


def _silence(c: Control) -> int:
    """From now on nothing goes on the wire, and nothing comes from it. Facts: WSK-STSM-01 to 03."""
    end = c.owner.connected
    if not end.idle or c.owner.wsk.network.is_local(end.remote):
        raise refuse("wrong state")
    c.owner.enter(c.owner.require(c.name))
    end.broken = "silent"
    c.owner.fail_waiting("wrong state")
    return 0


def _tell_inspect_id(c: Control) -> int:
    """Facts: WSK-SQI-01, WSK-SQI-02."""
    if getattr(c.owner, "inspect_id", None) is None:
        raise Refused(status.INVALID_DEVICE_REQUEST)
    return c.produce(pack("<QQ", *c.owner.inspect_id))


def _tell_addresses(c: Control) -> int:
    """A SOCKET_ADDRESS_LIST, then the SOCKADDRs that it points to. Facts: WSK-SAL-01, WSK-SAL-02."""
    size, local = SIZES[c.owner.family], (Address(ip, 0) for ip in c.owner.wsk.network.local)
    found = [encode(address) for address in local if address.family == c.owner.family]
    places = c.output + 8 + 16 * len(found)
    entries = (pack("<QQ", places + number * size, size) for number in range(len(found)))
    return c.produce(pack("<Q", len(found)) + b"".join(entries) + b"".join(found))


def _sort_addresses(c: Control) -> int:
    """The addresses of a SOCKET_ADDRESS_LIST, the best destination first: by RFC 6724, in wsksort.c. Facts: WSK-CTL-12."""
    m, network = c.machine, c.owner.wsk.network
    rank_of = m.modelled("wsklab_destination_rank").function
    entries = [(m.u64(place), m.u32(place + 8)) for place in range(c.input + 8, c.input + 8 + 16 * m.i32(c.input), 16)]

    def rank(entry: tuple[int, int]) -> float:
        if (family := m.u16(entry[0])) not in SIZES:
            raise refuse("wrong family")
        there = decode(m, entry[0], family).unmapped()
        if not any(len(ip) == len(there.ip) for ip in network.local):
            return inf  # rule 1: there is no way
        pair = there.mapped().ip + network.route(there).mapped().ip
        return float(rank_of(m, *unpack(">4Q", pair)))

    return c.produce(pack("<Q", len(entries)) + b"".join(pack("<QQ", *entry) for entry in sorted(entries, key=rank)))


def _tell_redirection(c: Control) -> int:
    """What a filter has left with a redirected connection. Facts: WSK-SMISC-02."""
    if c.name not in c.owner.redirection:
        raise Refused(status.NOT_FOUND)
    return c.produce(c.owner.redirection[c.name], status.BUFFER_TOO_SMALL)


def _redirect(c: Control) -> int:
    """Tie the connection of a proxy to the one that was redirected, by a record that nobody looks into. Facts: WSK-SMISC-03."""
    c.machine.read(c.input, c.size)  # it must be there until now
    if refusal := getattr(status, c.machine.choose("redirect records", REDIRECTED).removeprefix("STATUS_")):
        raise Refused(refusal)
    return 0


def _watch(c: Control) -> None:
    """Wait for a change: of the family's addresses, or of the transports. Facts: WSK-SAL-03, WSK-TLC-01 to 04."""
    c.call.withdraw = bool  # a cancelled one is over, and `Subsystem.changed` passes it over
    c.call.wsk.watchers.setdefault(getattr(c.owner, "family", 0), []).append(c.call)


def _tell_transports(c: Control) -> int:
    """Facts: WSK-TLQ-01 to 04, WSK-AF-07, WSK-STR-08."""
    wsk, known = c.call.wsk, c.call.wsk.transports
    rows = [(PROVIDER_VERSION, kind, protocol, family, INTERFACE) for family, kind, protocol in known]
    once = not c.output and len(set(known)) == len(known)
    if once and c.machine.choose("transport list", ("stays as it is", "grows after the first look")) != "stays as it is":
        known.append(known[0])  # another provider has the same
        wsk.changed(0)
    return c.produce(b"".join(pack("<HHIH2x16s", *row) for row in rows))


def _cache(c: Control, client: Registration | None, source: int) -> int:
    """Cache a copy of a descriptor and of its list: nothing that happens to the first one changes it (WSK-SD-01)."""
    m, size = c.machine, c.machine.sizeof("SECURITY_DESCRIPTOR")
    listed = m.u64(source + size - 8) if source and m.u16(source + 2) & m.constant("SE_DACL_PRESENT") else 0
    entries = m.read(listed, m.u16(listed + 2)) if listed else b""
    address = m.allocate(size + len(entries), "native", label="cached SECURITY_DESCRIPTOR", zero=True)
    if source:
        m.write(address, m.read(source, 4).ljust(size - 8, b"\0") + pack("<Q", address + size if listed else 0) + entries)
    c.call.wsk.descriptors[address] = client
    return c.produce(pack("<Q", address))


def _cache_descriptor(c: Control) -> int:
    """Facts: WSK-SD-01, WSK-SD-03."""
    descriptor = c.machine.u64(c.input)
    if c.machine.u8(descriptor) != headers().constants["SECURITY_DESCRIPTOR_REVISION"]:
        raise refuse("bad argument")
    return _cache(c, c.owner, descriptor)


def _release_descriptor(c: Control) -> int:
    """Facts: WSK-SD-02, WSK-SD-05, WSK-SOCK-08, WSK-SC-08."""
    m, wsk, address = c.machine, c.call.wsk, c.machine.u64(c.input)
    wsk.check_descriptor(c.call.name, address)
    users = [user.name for user in wsk.requests.values() if user.descriptor == address]
    if users:
        m.stop("wsk-descriptor-in-use", objects=(address,), function=users[0])
    del wsk.descriptors[address]
    m.free(address)
    return 0


def _before_sockets(c: Control) -> int:
    """What holds for all sockets; the TDI codes change nothing. Facts: WSK-STE-01 to 07, WSK-TDI-01, WSK-TDI-02, WSK-TDI-04."""
    m, known = c.machine, [row.flag for row in tables().events.values() if row.flag]
    mask = event_mask(m, c.input) if c.name == "WSK_SET_STATIC_EVENT_CALLBACKS" else m.u32(c.input) & 0
    if mask & ~sum(map(m.constant, known)):
        raise refuse("bad argument")
    if c.owner.created:
        raise refuse("sockets exist already")
    c.owner.static |= mask
    return 0


ACTIONS: dict[str, Callable[[Control], int | None]] = {
    "SO_WSK_EVENT_CALLBACK": lambda c: c.owner.events.control(c.call, c.input),
    "SO_WSK_SECURITY": _security,
    **dict.fromkeys(FIXED, _fix_address),
    # Bytes to keep outstanding, and bytes that wait (WSK-SQB-02).
    "SIO_WSK_QUERY_IDEAL_SEND_BACKLOG": lambda c: c.produce(pack("<Q", c.owner.backlog)),
    "SIO_WSK_QUERY_RECEIVE_BACKLOG": lambda c: c.produce(pack("<Q", len(c.owner.connected.received))),
    "SIO_WSK_QUERY_INSPECT_ID": _tell_inspect_id,
    "SIO_WSK_SET_TCP_SILENT_MODE": _silence,
    "SIO_ADDRESS_LIST_QUERY": _tell_addresses,
    "SIO_ADDRESS_LIST_SORT": _sort_addresses,
    **dict.fromkeys((f"SIO_QUERY_WFP_CONNECTION_REDIRECT_{what}" for what in ("CONTEXT", "RECORDS")), _tell_redirection),
    "SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS": _redirect,
    "SIO_LOOPBACK_FAST_PATH": lambda c: c.machine.u8(c.input) * 0,  # taken note of, and without effect (WSK-SMISC-01)
    **dict.fromkeys(("SIO_ADDRESS_LIST_CHANGE", "WSK_TRANSPORT_LIST_CHANGE"), _watch),
    "WSK_TRANSPORT_LIST_QUERY": _tell_transports,
    "WSK_CACHE_SD": _cache_descriptor,
    "WSK_RELEASE_SD": _release_descriptor,
    **dict.fromkeys(("WSK_SET_STATIC_EVENT_CALLBACKS", "WSK_TDI_DEVICENAME_MAPPING", "WSK_TDI_BEHAVIOR"), _before_sockets),
}
"""What each request does; an option that does not stand here is a ULONG that is kept."""
