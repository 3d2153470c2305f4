"""Clients of the subsystem: registration, capturing the provider, and the end.

Facts WSK-REG, WSK-CAP, WSK-REL, WSK-QPC, WSK-DER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, Wait, status, wdk
from wsklab.machine.scheduler import Body
from wsklab.wsk.request import Request
from wsklab.wsk.states import CLOSING
from wsklab.wsk.subsystem import PROVIDER_VERSION, Subsystem, subsystem

if TYPE_CHECKING:
    from wsklab.wsk.sockets import Socket

NO_WAIT, INFINITE = 0, 0xFFFF_FFFF
MILLISECOND = 10_000
LATE = 1000 * MILLISECOND
"""When a provider that is late becomes ready: 1 s in 100-ns units."""

_SLOTS = {
    name: name
    for name in ("WskSocket", "WskSocketConnect", "WskControlClient", "WskGetAddressInfo", "WskFreeAddressInfo", "WskGetNameInfo")
}


class Registration:
    """One registration.

    Attributes:
        block: address of the driver's WSK_REGISTRATION.
        context, dispatch: ClientContext and Dispatch of its WSK_CLIENT_NPI.
        client: the opaque WSK_CLIENT.
        captures: successful captures not yet released.
        sockets: its open sockets by address.
        group: its pending client-level requests.
        state: registered, deregistering or ended.
    """

    def __init__(self, wsk: Subsystem, block: int, context: int, dispatch: int) -> None:
        self.block = block
        self.context = context
        self.dispatch = dispatch
        self.client = wsk.machine.allocate(16, "native", label="WSK_CLIENT", zero=True)
        self.captures = 0
        self.sockets: dict[int, Socket] = {}
        self.group: dict[Request, None] = {}
        self.state = "registered"

    def holding(self) -> tuple[Any, ...]:
        """What still keeps WskDeregister waiting, for a report: words and socket addresses (WSK-DER-02, WSK-DER-03)."""
        found: list[Any] = []
        if self.captures:
            found.append(f"{self.captures} captured NPI")
        if self.sockets:
            found += ["open sockets:", *self.sockets]
        if self.group:
            found.append(", ".join(request.name for request in self.group))
        return tuple(found)


def _find(m: Machine, function: str, block: int) -> Registration:
    registration = subsystem(m).registrations.get(block)
    if registration is None:
        m.stop("wsk-not-registered", objects=(block,), function=function)
    return registration


@wdk(irql=PASSIVE_LEVEL, lane="wsk")
def WskRegister(m: Machine, WskClientNpi: int, WskRegistration: int) -> int:
    """Register a client. The block then belongs to the subsystem. Facts: WSK-REG-01 to 08, WSK-OBJ-13."""
    wsk = subsystem(m)
    known = wsk.registrations.get(WskRegistration)
    if known and known.state != "ended":
        m.stop("wsk-registered-twice", objects=(WskRegistration,), function="WskRegister")
    context = m.u64(WskClientNpi + m.offset("WSK_CLIENT_NPI", "ClientContext"))
    dispatch = m.u64(WskClientNpi + m.offset("WSK_CLIENT_NPI", "Dispatch"))
    m.u16(dispatch + m.offset("WSK_CLIENT_DISPATCH", "Version"))
    reserved = m.u16(dispatch + m.offset("WSK_CLIENT_DISPATCH", "Reserved"))
    if reserved:
        m.stop("wsk-reserved-not-zero", objects=(dispatch,), function="WskRegister", value=reserved)
    registration = Registration(wsk, WskRegistration, context, dispatch)
    m.set_u64(WskRegistration + m.offset("WSK_REGISTRATION", "ReservedRegistrationState"), 1)
    m.set_u64(WskRegistration + m.offset("WSK_REGISTRATION", "ReservedRegistrationContext"), registration.client)
    m.set_u64(WskRegistration + m.offset("WSK_REGISTRATION", "ReservedRegistrationLock"), 0)
    wsk.registrations[WskRegistration] = registration
    wsk.clients[registration.client] = registration
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
    m.set_u64(WskProviderNpi + m.offset("WSK_PROVIDER_NPI", "Client"), registration.client)
    m.set_u64(WskProviderNpi + m.offset("WSK_PROVIDER_NPI", "Dispatch"), wsk.table("WSK_PROVIDER_DISPATCH", _SLOTS))
    return status.SUCCESS


def _ready(wsk: Subsystem) -> bool:
    """Whether the provider is available; decided when somebody first asks."""
    if wsk.ready is None:
        answer = wsk.machine.choose("WSK provider", ("ready", "late", "never"))
        wsk.ready = answer == "ready"
        if answer == "late":
            wsk.machine.after(LATE, lambda: setattr(wsk, "ready", True), name="WSK provider")
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
    wait = Wait(ready=lambda: False)

    def ready() -> bool:
        # What is left is told anew each time, so that a hang names what is open then.
        left = registration.holding()
        wait.why = ("WskDeregister", *left)
        return not left

    wait.ready = ready
    if not ready():
        yield wait
    registration.state = "ended"


def registration_of(m: Machine, function: str, client: int) -> Registration:
    """The registration behind a Client argument; a stop when its NPI is not captured. Facts: WSK-OBJ-07, WSK-REL-03."""
    registration = subsystem(m).clients.get(client)
    if registration is None:
        m.stop("wsk-not-a-client", function=function, address=f"{client:#018x}")
    if not registration.captures:
        m.stop("wsk-npi-not-captured", objects=(registration.block,), function=function)
    return registration


def check_unload(m: Machine) -> None:
    """Stop when the driver is unloaded with a registration left. Facts: WSK-DER-06, WSK-DER-10."""
    for registration in subsystem(m).registrations.values():
        if registration.state != "ended":
            m.stop("wsk-not-deregistered", objects=(registration.block,), function="Unload")


def left_open(m: Machine) -> list[int]:
    """Addresses of the sockets that are open and not being closed."""
    return [address for address, socket in subsystem(m).sockets.items() if socket.state != CLOSING]
