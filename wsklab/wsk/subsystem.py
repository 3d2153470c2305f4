"""The Winsock Kernel subsystem of one machine: its clients, its sockets, its dispatch tables.

What a driver can see lies in real bytes: WSK_SOCKETs and the constant provider tables with a code address in every slot. What
only the subsystem knows is Python. Facts WSK-OBJ-03, WSK-OBJ-04, WSK-OBJ-09, WSK-CAT-01, WSK-CAT-02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from wsklab.io.completion import cancel_code
from wsklab.machine import Machine
from wsklab.net import Network
from wsklab.wsk.request import Done, Request
from wsklab.wsk.states import CATEGORIES, CLOSING, DEAD

if TYPE_CHECKING:
    from wsklab.wsk.registration import Registration
    from wsklab.wsk.sockets import Socket

PROVIDER_VERSION = 0x0100
"""The one version of the interface that is provided: 1.0 (WSK-OBJ-12)."""


class Subsystem:
    """The provider's side.

    Attributes:
        machine: the machine it belongs to.
        network: what carries the bytes.
        ready: whether the provider is available to clients.
        registrations: by address of the driver's WSK_REGISTRATION, also ended ones.
        clients: registrations by the opaque WSK_CLIENT.
        sockets: open sockets by address.
        requests: pending requests by IRP.
        bound: sockets by protocol, family and port.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.network: Network = machine.model("net", lambda: Network(machine))
        self.ready: bool | None = None
        self.registrations: dict[int, Registration] = {}
        self.clients: dict[int, Registration] = {}
        self.sockets: dict[int, Socket] = {}
        self.closed: set[int] = set()
        self.requests: dict[int, Request] = {}
        self.bound: dict[tuple[int, int, int], list[Socket]] = {}
        self.cancel_routine = cancel_code(machine, self._cancelled, "WSK cancel routine")
        self._tables: dict[str, int] = {}

    # Tables

    def table(self, record: str, slots: dict[str, str]) -> int:
        """The address of the constant dispatch table `record`, with the code of `slots` (member → modelled function)."""
        if record not in self._tables:
            m = self.machine
            layout = m.headers.record(record)
            address = m.allocate(layout.size, "native", label=record, zero=True)
            for member, function in slots.items():
                m.set_u64(address + layout.members[member].offset, m.slot(function))
            if "Version" in layout.members:
                m.set_u16(address + layout.members["Version"].offset, PROVIDER_VERSION)
            m.seal(address, layout.size)
            self._tables[record] = address
        return self._tables[record]

    # Sockets

    def socket(self, function: str, address: int) -> Socket:
        """The open socket at `address`, or the stop of the rule the call breaks. Facts: WSK-CLOSE-09, WSK-CAT-10."""
        socket = self.sockets.get(address)
        if socket is None or socket.state == CLOSING:
            self._no_socket(function, address)
        if function not in CATEGORIES[socket.category].slots:
            self.machine.stop("wsk-wrong-dispatch", objects=(address,), function=function, category=socket.category)
        return socket

    def _no_socket(self, function: str, address: int) -> NoReturn:
        if address in self.closed or address in self.sockets:
            rule = "wsk-second-close" if function == "WskCloseSocket" else "wsk-call-after-close"
            self.machine.stop(rule, objects=(address,), function=function)
        self.machine.stop("wsk-not-a-socket", objects=(address,), function=function, address=f"{address:#018x}")

    def request(self, name: str, irp: int, ways: tuple[str, ...], done: Done | None = None) -> Request:
        """A request for `name`; a stop when it has neither an IRP nor, from a scene, a `done`."""
        if not irp and done is None:
            self.machine.stop("wsk-no-irp", function=name)
        return Request(self, name, irp, ways, done)

    def check_flags(self, function: str, flags: int) -> None:
        """Stop unless the flags of a function that has none are zero."""
        if flags:
            self.machine.stop("wsk-flags-not-zero", function=function, flags=f"{flags:#x}")

    def kill(self, socket: Socket) -> None:
        """The transport under a socket goes away: from now on every call but the close is refused (WSK-CTL-08)."""
        socket.enter(DEAD)
        socket.break_off()

    def _cancelled(self, irp: int) -> None:
        request = self.requests.get(irp)
        if request:
            request.cancel()


def subsystem(m: Machine) -> Subsystem:
    """The subsystem of a machine."""
    return m.model("wsk", lambda: Subsystem(m))
