"""What all socket categories have in common: the WSK_SOCKET in memory, the state, the local address, the calls under way.

A socket's state changes through `step` only, which asks the tables in `states.py`; a step that is not legal raises `Refused` and
changes nothing. Facts WSK-OBJ-04, WSK-CLOSE-04 to WSK-CLOSE-10, WSK-BIND-04, WSK-SHR-03.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsklab.machine import Machine
from wsklab.machine import status as ntstatus
from wsklab.net import Address
from wsklab.net.address import AF_INET6
from wsklab.wsk import sockaddr
from wsklab.wsk.request import Done, Refused, Request, refuse
from wsklab.wsk.sharing import DEFAULT, EXCLUSIVE, REUSE, SUCCESS, second_bind
from wsklab.wsk.states import CATEGORIES, CLOSING, DEAD, first_state, next_state
from wsklab.wsk.subsystem import Subsystem, subsystem

if TYPE_CHECKING:
    from wsklab.wsk.registration import Registration

FIRST_FREE_PORT = 49152
"""Where the ports begin that are given to sockets bound to port 0."""


class Socket:
    """One open socket.

    Attributes:
        wsk: the subsystem.
        client: the registration it was made for, None for a scene's socket.
        category, family, kind, protocol: what it was created as.
        state: see `states.py`.
        address: of its WSK_SOCKET.
        local: its local transport address, None before the bind.
        options: values set with WskSetOption by (level, code).
        group: its pending requests, oldest first.
        running: the functions that have been called on it and have not returned.
    """

    category = "basic"

    def __init__(self, wsk: Subsystem, client: Registration | None, family: int, kind: int, protocol: int) -> None:
        self.wsk = wsk
        self.client = client
        self.family = family
        self.kind = kind
        self.protocol = protocol
        self.state = first_state(self.category)
        self.local: Address | None = None
        self.options: dict[tuple[int, int], int] = {}
        self.group: dict[Request, None] = {}
        self.running: list[str] = []
        category = CATEGORIES[self.category]
        m = wsk.machine
        self.address = m.new("WSK_SOCKET", label="WSK_SOCKET")
        m.set_u64(self.address, wsk.table(category.table, category.slots))
        m.seal(self.address, 8)
        wsk.sockets[self.address] = self
        if client:
            client.sockets[self.address] = self

    # State

    def enter(self, state: str) -> None:
        """Change the state."""
        if state != self.state:
            self.state = state
            trace = self.wsk.machine.trace
            if trace.on:
                trace.add("state", state, actor="wsk", objects=(self.address,), category=self.category)

    def require(self, step: str, what: str = "wrong state") -> str:
        """The state that `step` leads to. Raises Refused when the step is not legal now."""
        after = next_state(self.category, self.state, step)
        if after is None:
            raise refuse("after a break" if self.state in (DEAD, "broken") else what)
        return after

    def why(self, otherwise: str) -> str:
        """What ends a pending request: the close, the loss of the transport, or `otherwise`."""
        return {CLOSING: "closed", DEAD: "after a break"}.get(self.state, otherwise)

    # Addresses

    @property
    def dual_mode(self) -> bool:
        """Whether an IPv6 socket serves IPv4 too (WSK-AF-06)."""
        m = self.wsk.machine
        key = (m.constant("IPPROTO_IPV6"), m.constant("IPV6_V6ONLY"))
        return self.family == AF_INET6 and self.options.get(key, 1) == 0

    def read_address(self, pointer: int) -> Address:
        """The SOCKADDR argument at `pointer`. Raises Refused when its family is not the socket's."""
        address = sockaddr.read(self.wsk.machine, pointer, self.family)
        if address is None:
            raise refuse("wrong family")
        return address.unmapped() if self.dual_mode else address

    def bind(self, wanted: Address) -> None:
        """Take a local address, a free port when it has none. Raises Refused on a conflict (WSK-BIND-04)."""
        if not wanted.is_wildcard and not self.wsk.network.is_local(wanted):
            raise refuse("not a local address")
        port = wanted.port or self._free_port()
        address = wanted.at(port)
        holders = self.wsk.bound.setdefault((self.protocol, self.family, port), [])
        for other in holders:
            if other.local and (address.is_wildcard or other.local.is_wildcard or other.local.ip == address.ip):
                result = second_bind((self._sharing(), address.is_wildcard), (other._sharing(), other.local.is_wildcard))
                if result != SUCCESS:
                    raise Refused(getattr(ntstatus, result))
        holders.append(self)
        self.local = address
        self.bound()

    def _sharing(self) -> str:
        m = self.wsk.machine
        level = m.constant("SOL_SOCKET")
        if self.options.get((level, m.constant("SO_EXCLUSIVEADDRUSE") & 0xFFFF_FFFF)):
            return EXCLUSIVE
        return REUSE if self.options.get((level, m.constant("SO_REUSEADDR"))) else DEFAULT

    def _free_port(self) -> int:
        port = FIRST_FREE_PORT
        while self.wsk.bound.get((self.protocol, self.family, port)):
            port += 1
        return port

    # The end

    def shut(self) -> None:
        """Give up everything the socket holds; its pending requests are completed by the caller."""
        self.break_off()
        if self.local:
            holders = self.wsk.bound.get((self.protocol, self.family, self.local.port), [])
            if self in holders:
                holders.remove(self)
                self.unbound(next((other for other in holders if other.local == self.local), None))

    def vanish(self) -> None:
        """The close is over: the WSK_SOCKET is gone (WSK-CLOSE-10)."""
        del self.wsk.sockets[self.address]
        self.wsk.closed.add(self.address)
        if self.client:
            self.client.sockets.pop(self.address, None)
        self.wsk.machine.free(self.address)

    # What categories add

    def bound(self) -> None:
        """The socket has got its local address."""

    def unbound(self, heir: Socket | None) -> None:
        """The socket gives its local address back; `heir` is another one bound to the same."""

    def break_off(self) -> None:
        """Drop connections and whatever waits."""


Operation = Callable[..., None]


def call(
    m: Machine, name: str, address: int, irp: int, ways: tuple[str, ...], operation: Operation, *arguments: Any,
    done: Done | None = None,
) -> int:  # fmt: skip
    """One call of a socket function: check the socket, take the IRP, do the operation, say what the call returns.

    Args:
        m: the machine.
        name: the function.
        address: its Socket argument.
        irp: its Irp argument.
        ways: SETTING_UP or MOVING_DATA.
        operation: called as ``operation(request, socket, *arguments)``.
        arguments: passed on.
        done: told the status and information instead of an IRP, for scenes.
    """
    wsk = subsystem(m)
    socket = wsk.socket(name, address)
    request = wsk.request(name, irp, ways, done)
    request.start(socket.group)
    socket.running.append(name)
    try:
        return request.run(operation, socket, *arguments)
    finally:
        socket.running.pop()


def close(m: Machine, address: int, irp: int, done: Done | None = None) -> int:
    """Close a socket: complete everything pending, then the close itself. Facts: WSK-CLOSE-01 to WSK-CLOSE-11."""
    wsk = subsystem(m)
    socket = wsk.socket("WskCloseSocket", address)
    if socket.running:
        m.stop("wsk-close-while-call-runs", objects=(address,), function="WskCloseSocket", running=", ".join(socket.running))
    request = wsk.request("WskCloseSocket", irp, ("inline", "pending", "early"), done)
    request.start({})
    request.last = socket.vanish
    return request.run(_close, socket)


def _close(request: Request, socket: Socket) -> None:
    socket.enter(CLOSING)
    socket.shut()
    for pending in list(socket.group):
        pending.end_now("closed")
    request.complete(0)
