"""Clients of the subsystem: registration, capturing the provider, making sockets, and the end.

Facts WSK-REG, WSK-CAP, WSK-REL, WSK-QPC, WSK-DER, WSK-SOCK, WSK-SC, WSK-OBJ-05 to 08, WSK-OBJ-13 to 16, WSK-CEV-01, WSK-CEV-02.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, Wait, status, wdk
from wsklab.machine.scheduler import Body
from wsklab.wsk.connections import Connection
from wsklab.wsk.datagrams import Datagram
from wsklab.wsk.listening import Listening, Stream
from wsklab.wsk.sockets import Socket
from wsklab.wsk.subsystem import PROVIDER_VERSION, SETTING_UP, Refused, Request, Subsystem, declare, operation, refuse, subsystem
from wsklab.wsk.tables import tables

NO_WAIT, INFINITE = 0, 0xFFFF_FFFF
MILLISECOND = 10_000
LATE = 1000 * MILLISECOND  # when a provider that is late becomes ready: 1 s in 100-ns units

SLOTS = ("WskSocket", "WskSocketConnect", "WskControlClient", "WskGetAddressInfo", "WskFreeAddressInfo", "WskGetNameInfo")
"""The table that a client gets with the provider."""

UNMODELLED = ("WskSendEx", "WskReceiveEx")
"""Functions in slots of the tables that are reserved for the system (WSK-CAT-01): calling one says so."""

MAKERS: dict[str, type[Socket]] = {maker.category: maker for maker in (Socket, Listening, Datagram, Connection, Stream)}
"""Category → what keeps a socket of it."""


@dataclass(eq=False)
class Registration:
    """One registration."""

    block: int  # address of the driver's WSK_REGISTRATION
    dispatch: int  # Dispatch of its WSK_CLIENT_NPI
    client: int  # the opaque WSK_CLIENT
    captures: int = 0  # successful ones not yet released
    sockets: dict[int, Socket] = field(default_factory=dict)  # open ones by address
    group: dict[Request, None] = field(default_factory=dict)  # its pending client-level requests
    running: list[str] = field(default_factory=list)  # client-level functions that have not returned
    static: int = 0  # the event flags that every new socket has for ever (WSK-STE-04)
    created: bool = False  # whether a socket has been made for it
    state: str = "registered"  # then deregistering, then ended

    def holding(self) -> tuple[Any, ...]:
        """What still keeps WskDeregister waiting, for a report: words and addresses (WSK-DER-02, WSK-DER-03, WSK-USE-31)."""
        found: list[Any] = [f"{self.captures} captured NPI"] if self.captures else []
        if self.sockets:
            found += ["open sockets:", *self.sockets]
        if self.group:
            found.append(", ".join(request.name for request in self.group))
        return tuple(found)


def _find(m: Machine, function: str, block: int) -> Registration:
    registration = subsystem(m).registrations.get(block)
    if registration is None:
        m.stop("wsk-not-registered", objects=(block,), function=function)
    if m.u64(block + m.offset("WSK_REGISTRATION", "ReservedRegistrationContext")) != registration.client:
        m.stop("wsk-registration-written", objects=(block,), function=function)
    return registration


@wdk(irql=PASSIVE_LEVEL, lane="wsk")
def WskRegister(m: Machine, WskClientNpi: int, WskRegistration: int) -> int:
    """Register a client. The block then belongs to the subsystem. Facts: WSK-REG-01 to 08, WSK-OBJ-13."""
    wsk = subsystem(m)
    known = wsk.registrations.get(WskRegistration)
    if known and known.state != "ended":
        m.stop("wsk-registered-twice", objects=(WskRegistration,), function="WskRegister")
    m.u64(WskClientNpi + m.offset("WSK_CLIENT_NPI", "ClientContext"))  # read, as the provider does: it must be there
    dispatch = m.u64(WskClientNpi + m.offset("WSK_CLIENT_NPI", "Dispatch"))
    m.u16(dispatch + m.offset("WSK_CLIENT_DISPATCH", "Version"))
    reserved = m.u16(dispatch + m.offset("WSK_CLIENT_DISPATCH", "Reserved"))
    if reserved:
        m.stop("wsk-reserved-not-zero", objects=(dispatch,), function="WskRegister", value=reserved)
    client = m.allocate(16, "native", label="WSK_CLIENT", zero=True)
    for member, value in (("State", 1), ("Context", client), ("Lock", 0)):
        m.set_u64(WskRegistration + m.offset("WSK_REGISTRATION", f"ReservedRegistration{member}"), value)
    wsk.registrations[WskRegistration] = wsk.clients[client] = Registration(WskRegistration, dispatch, client)
    return status.SUCCESS


@wdk(irql=DISPATCH_LEVEL, waits=True, lane="wsk")
def WskCaptureProviderNPI(m: Machine, WskRegistration: int, WaitTimeout: int, WskProviderNpi: int) -> Body:
    """Capture the provider, waiting at most `WaitTimeout` milliseconds for it. Facts: WSK-CAP-01 to 11."""
    if WaitTimeout != NO_WAIT and m.irql > PASSIVE_LEVEL:
        m.too_high("WskCaptureProviderNPI", PASSIVE_LEVEL)
    wsk = subsystem(m)
    registration = _find(m, "WskCaptureProviderNPI", WskRegistration)
    if not _ready(wsk) and registration.state == "registered" and WaitTimeout != NO_WAIT:
        yield Wait(
            ready=lambda: bool(wsk.ready) or registration.state != "registered",
            deadline=None if WaitTimeout == INFINITE else m.time + WaitTimeout * MILLISECOND,
            why=("WskCaptureProviderNPI", WskRegistration),
        )
    if not wsk.ready or registration.state != "registered":
        return status.DEVICE_NOT_READY
    wanted = m.u16(registration.dispatch + m.offset("WSK_CLIENT_DISPATCH", "Version"))
    if wanted >> 8 != PROVIDER_VERSION >> 8 or wanted > PROVIDER_VERSION:
        return status.NOINTERFACE
    registration.captures += 1
    table = wsk.table("WSK_PROVIDER_DISPATCH", dict(zip(SLOTS, SLOTS, strict=True)))
    m.set_u64(WskProviderNpi + m.offset("WSK_PROVIDER_NPI", "Client"), registration.client)
    m.set_u64(WskProviderNpi + m.offset("WSK_PROVIDER_NPI", "Dispatch"), table)
    return status.SUCCESS


def _ready(wsk: Subsystem) -> bool:
    """Whether the provider is available; decided when somebody first asks."""
    if wsk.ready is None:
        answer = wsk.machine.choose("WSK provider", ("ready", "late", "never"))
        wsk.ready = answer == "ready"
        if answer == "late":
            wsk.machine.after(LATE, lambda: setattr(wsk, "ready", True))
    return wsk.ready


@wdk(irql=DISPATCH_LEVEL, lane="wsk")
def WskReleaseProviderNPI(m: Machine, WskRegistration: int) -> None:
    """Give one capture back. Sockets go on working. Facts: WSK-REL-01 to 03, WSK-OBJ-06."""
    registration = _find(m, "WskReleaseProviderNPI", WskRegistration)
    if not registration.captures:
        m.stop("wsk-released-too-often", objects=(WskRegistration,), function="WskReleaseProviderNPI")
    registration.captures -= 1


@wdk(irql=DISPATCH_LEVEL, lane="wsk")
def WskQueryProviderCharacteristics(m: Machine, WskRegistration: int, WskProviderCharacteristics: int) -> int:
    """Tell which versions the provider supports. Facts: WSK-QPC-01 to 04."""
    registration = _find(m, "WskQueryProviderCharacteristics", WskRegistration)
    if not _ready(subsystem(m)) or registration.state != "registered":
        return status.DEVICE_NOT_READY
    for member in ("HighestVersion", "LowestVersion"):
        m.set_u16(WskProviderCharacteristics + m.offset("WSK_PROVIDER_CHARACTERISTICS", member), PROVIDER_VERSION)
    return status.SUCCESS


@wdk(irql=PASSIVE_LEVEL, waits=True, lane="wsk")
def WskDeregister(m: Machine, WskRegistration: int) -> Body:
    """End a registration: returns when nothing of the client is left. It closes nothing. Facts: WSK-DER-01 to 10."""
    registration = _find(m, "WskDeregister", WskRegistration)
    if registration.state != "registered":
        m.stop("wsk-deregistered-twice", objects=(WskRegistration,), function="WskDeregister")
    registration.state = "deregistering"
    for request in list(registration.group):
        if request.name == "WskControlClient":  # WSK-DER-05, WSK-TLC-03
            request.cancel()

    def ready() -> bool:
        # What is left is told anew each time, so that a hang names what is open then.
        left = registration.holding()
        wait.why = ("WskDeregister", *left)
        return not left

    wait = Wait(ready)
    if not ready():
        yield wait
    registration.state = "ended"


def check_unload(m: Machine) -> None:
    """Stop when the driver is unloaded with a registration left. Facts: WSK-DER-06, WSK-DER-10."""
    wsk = subsystem(m)
    for registration in wsk.registrations.values():
        if registration.state != "ended":
            m.stop("wsk-not-deregistered", objects=(registration.block,), function="Unload")
    for rule, left in (("wsk-descriptor-not-released", wsk.descriptors), ("wsk-address-info-not-freed", wsk.lists)):
        if left:
            m.stop(rule, objects=tuple(left)[:8], count=len(left))


@operation(SETTING_UP, flags=True)
def WskSocket(
    call: Request, client: Registration, AddressFamily: int, SocketType: int, Protocol: int, Flags: int, SocketContext: int,
    Dispatch: int, SecurityDescriptor: int,
) -> None:  # fmt: skip
    """Create a socket. Facts: WSK-SOCK-01 to 13."""
    constant = call.wsk.machine.constant
    category = next((name for name, row in tables().categories.items() if constant(row.flag) == Flags), "")
    if not category or (category == "basic" and (SocketContext or Dispatch)):
        raise refuse("bad argument")
    call.use_descriptor(SecurityDescriptor)
    socket = make(call.wsk, client, category, AddressFamily, SocketType, Protocol)
    socket.descriptor, socket.events.context, socket.events.table = SecurityDescriptor, SocketContext, Dispatch
    call.complete(0, socket.address)


def make(wsk: Subsystem, client: Registration | None, category: str, family: int, kind: int, protocol: int) -> Socket:
    """A new socket. Raises Refused when no transport fits (WSK-AF-02, WSK-AF-05)."""
    constant = wsk.machine.constant
    fitting = [name for known, name in tables().categories[category].kinds if constant(known) == kind]
    there = {(of, known) for of, known, _ in wsk.transports}
    if (family, kind) not in there or not any(name == "" or constant(name) == protocol for name in fitting):
        raise refuse("protocol 0" if fitting and not protocol else "no such transport")
    return MAKERS[category](wsk, client, family, kind, protocol)


@operation(SETTING_UP)
def WskSocketConnect(
    call: Request, client: Registration, SocketType: int, Protocol: int, LocalAddress: int, RemoteAddress: int,
    SocketContext: int, Dispatch: int, SecurityDescriptor: int,
) -> None:  # fmt: skip
    """Create, bind and connect a connection-oriented socket. Facts: WSK-SC-01 to 08, WSK-AF-04."""
    call.use_descriptor(SecurityDescriptor)
    socket = make(call.wsk, client, "connection", call.wsk.machine.u16(LocalAddress), SocketType, Protocol)
    assert isinstance(socket, Connection)
    socket.descriptor, socket.events.context, socket.events.table = SecurityDescriptor, SocketContext, Dispatch

    def ended(outcome: int) -> None:
        if outcome:
            socket.discard()
        call.complete(outcome, 0 if outcome else socket.address)

    try:
        here, there = socket.read_address(LocalAddress), call.use_address(RemoteAddress, socket.read_address(RemoteAddress))
        socket.bind(here)
    except Refused:
        socket.discard()
        raise
    call.withdraw = socket.discard
    socket.connect(there, call.at_once, ended)


for _name in UNMODELLED:
    declare(_name, lambda m, *arguments, name=_name: m.not_modelled(name))
