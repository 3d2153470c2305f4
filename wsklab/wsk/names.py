"""Name resolution, against the names that the network knows. Facts WSK-GAI, WSK-FAI, WSK-GNI.

The strings and the hints are read, and the result is written, when the answer comes: all must live until then (WSK-GAI-09).
"""

from __future__ import annotations

from collections.abc import Callable

from wsklab.machine import PASSIVE_LEVEL, Machine, status
from wsklab.machine.functions_memory import counted
from wsklab.net import Address
from wsklab.wsk.client import Registration
from wsklab.wsk.events import free, stored
from wsklab.wsk.sockets import SIZES, decode, encode
from wsklab.wsk.subsystem import MOVING_DATA, Refused, Request, declare, operation, refuse, subsystem
from wsklab.wsk.tables import tables

PASSIVE, CANONNAME, NUMERICHOST, NUMERICSERV = 1, 2, 4, 8  # AI_…
NI_NOFQDN, NI_NUMERICHOST, NI_NAMEREQD, NI_NUMERICSERV = 1, 2, 4, 8
STORAGE = 128  # bytes of a SOCKADDR_STORAGE


def _ask(call: Request, process: int, thread: int, work: Callable[[], None]) -> None:
    """Do `work` when the answer comes: in whose context does not matter, as nobody here refuses a name (WSK-GAP-05).

    A thread that impersonates may name neither process nor thread (WSK-GAI-07, WSK-GAI-08).
    """
    call.tells_status = True
    m = call.wsk.machine
    impersonates = m.thread.object and m.u64(m.thread.object + m.offset("WSKLAB_THREAD", "Token"))
    if (thread and not process) or (process and impersonates):
        raise Refused(status.INVALID_PARAMETER)
    call.withdraw = bool
    call.begin(work, irql=PASSIVE_LEVEL)  # so that strings and structures may lie in paged memory


@operation(MOVING_DATA, irql=PASSIVE_LEVEL)
def WskGetAddressInfo(
    call: Request, client: Registration, NodeName: int, ServiceName: int, Hints: int, Result: int, OwningProcess: int,
    OwningThread: int,
) -> None:  # fmt: skip
    """Find the addresses of a host and the port of a service. Facts: WSK-GAI-01 to 10."""
    m = call.wsk.machine

    def work() -> None:
        node, service = _text(m, NodeName), _text(m, ServiceName)
        if not (node or service):
            raise Refused(status.INVALID_PARAMETER)
        hints = [m.u32(Hints + 4 * number) if Hints else 0 for number in range(4)]  # flags, family, type, protocol
        port = _port(service, hints[0])
        found = [address.at(port) for address in _addresses(call, node, hints[0]) if hints[1] in (0, address.family)]
        if not found:
            raise refuse("no such name")
        m.set_u64(Result, _list(call, found, hints, node if hints[0] & CANONNAME else ""))
        call.complete(0)

    _ask(call, OwningProcess, OwningThread, work)


def _text(m: Machine, place: int) -> str:
    """A UNICODE_STRING argument, which has to end with a zero (WSK-GAI-03)."""
    content = counted(m, place) if place else b""
    if content and m.u16(m.u64(place + 8) + len(content)):
        raise Refused(status.INVALID_PARAMETER)
    return content.decode("utf-16-le", "replace")


def _port(service: str, flags: int) -> int:
    if service.isdecimal() and int(service) < 65536:
        return int(service)
    if service and (flags & NUMERICSERV or service.lower() not in tables().services):
        raise refuse("no such name")
    return tables().services[service.lower()] if service else 0


def _addresses(call: Request, node: str, flags: int) -> list[Address]:
    if not node:
        return [Address(bytes(16), 0), Address(bytes(4), 0)] if flags & PASSIVE else call.wsk.network.resolve("localhost")
    try:
        return [Address.parse(node if ":" not in node else f"[{node}]")]
    except ValueError:
        return [] if flags & NUMERICHOST else call.wsk.network.resolve(node)


def _list(call: Request, found: list[Address], hints: list[int], canonical: str) -> int:
    """The ADDRINFOEXW list in memory; its head, which WskFreeAddressInfo gets again (WSK-GAI-06)."""
    m = call.wsk.machine
    heads = [m.new("ADDRINFOEXW", "native") for _ in found]
    blocks = list(heads)
    for head, following, address in zip(heads, [*heads[1:], 0], found, strict=True):
        info, content = m.view(head, "ADDRINFOEXW"), encode(address)
        info.ai_family, info.ai_socktype, info.ai_protocol = address.family, hints[2], hints[3]
        info.ai_addr, info.ai_addrlen, info.ai_next = stored(m, content, "SOCKADDR"), len(content), following
        blocks.append(int(info.ai_addr))
    if canonical:
        blocks.append(stored(m, (canonical + "\0").encode("utf-16-le"), "ai_canonname"))
        m.view(heads[0], "ADDRINFOEXW").ai_canonname = blocks[-1]
    call.wsk.lists[heads[0]] = blocks
    return heads[0]


def WskFreeAddressInfo(m: Machine, Client: int, AddrInfo: int) -> None:
    """Free a list that WskGetAddressInfo returned, with all its addresses. Facts: WSK-FAI-01 to 03."""
    wsk = subsystem(m)
    wsk.client("WskFreeAddressInfo", Client)
    if AddrInfo not in wsk.lists:
        m.stop("wsk-not-address-info", objects=(AddrInfo,), address=f"{AddrInfo:#018x}")
    free(m, wsk.lists.pop(AddrInfo))


declare("WskFreeAddressInfo", WskFreeAddressInfo, PASSIVE_LEVEL)


@operation(MOVING_DATA, flags=True, irql=PASSIVE_LEVEL)
def WskGetNameInfo(
    call: Request, Client: Registration, SockAddr: int, SockAddrLength: int, NodeName: int, ServiceName: int, Flags: int,
    OwningProcess: int, OwningThread: int,
) -> None:  # fmt: skip
    """Find the name of an address and of its port. Facts: WSK-GNI-01 to 05."""
    m, network = call.wsk.machine, call.wsk.network

    def work() -> None:
        family = m.u16(SockAddr)
        if not (NodeName or ServiceName) or not SIZES.get(family, STORAGE + 1) <= SockAddrLength <= STORAGE:
            raise Refused(status.INVALID_PARAMETER)
        address = decode(m, SockAddr, family)
        name = "" if Flags & NI_NUMERICHOST else network.name_of(address)
        if not name and Flags & NI_NAMEREQD:
            raise refuse("no name for the address")
        name = name.split(".")[0] if Flags & NI_NOFQDN else name
        services = {} if Flags & NI_NUMERICSERV else {port: service for service, port in tables().services.items()}
        pairs = [(NodeName, name or str(address.at(0)).rpartition(":")[0].strip("[]")),
                 (ServiceName, services.get(address.port, str(address.port)))]  # fmt: skip
        stores = [(m.view(place, "UNICODE_STRING"), text.encode("utf-16-le")) for place, text in pairs if place]
        if any(string.MaximumLength < len(content) + 2 for string, content in stores):
            raise refuse("name does not fit")
        for string, content in stores:
            m.write(int(string.Buffer), content + b"\0\0")
            string.Length = len(content)
        call.complete(0)

    _ask(call, OwningProcess, OwningThread, work)
