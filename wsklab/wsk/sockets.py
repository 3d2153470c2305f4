"""What all socket categories have in common: the WSK_SOCKET in memory, the state, the local address, the calls under way.

A step that the tables of states do not allow raises `Refused` and changes nothing. SOCKADDRs are read and written byte for byte
at the size of the family's structure, so a buffer that is too small for IPv6 shows itself as the overrun it is.
Facts WSK-OBJ-03, WSK-OBJ-04, WSK-AF-09, WSK-BIND, WSK-SHR-03, WSK-AF-01, WSK-AF-06, WSK-GLA, WSK-CLOSE.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from wsklab.machine import Machine
from wsklab.machine import status as ntstatus
from wsklab.net import Address
from wsklab.net.tcp import AF_INET, AF_INET6
from wsklab.wsk.buffers import Buffer
from wsklab.wsk.events import Events
from wsklab.wsk.subsystem import SETTING_UP, Refused, Request, Subsystem, operation, refuse
from wsklab.wsk.tables import CHECK, CLOSING, DEAD, DEFAULT, DENIED, EXCLUSIVE, REUSE, SUCCESS, chosen, second_bind, tables

if TYPE_CHECKING:
    from wsklab.wsk.client import Registration

SIZES = {AF_INET: 16, AF_INET6: 28}  # size in bytes of the SOCKADDR of a family


def encode(address: Address) -> bytes:
    """The SOCKADDR of an address: the family in the machine's byte order, the port in the network's (MIS-25)."""
    head = address.family.to_bytes(2, "little") + address.port.to_bytes(2, "big")
    if address.family == AF_INET:
        return head + address.ip + bytes(8)
    return head + bytes(4) + address.ip + address.scope.to_bytes(4, "little")


def decode(m: Machine, pointer: int, family: int) -> Address:
    """The address in the SOCKADDR_IN or SOCKADDR_IN6 at `pointer`; sin_zero need not be set, sin6_flowinfo says nothing."""
    port = int.from_bytes(m.read(pointer + 2, 2), "big")
    if family == AF_INET:
        return Address(m.read(pointer + 4, 4), port)
    return Address(m.read(pointer + 8, 16), port, m.u32(pointer + 24))


Waiting = tuple[Request, Callable[..., bool | None]]
"""A queued accept or receive, and what it does with something that has arrived; False when it waits for more."""


class Socket:
    """One open socket, of the category basic unless a subclass says otherwise."""

    category = "basic"
    reached_by = ""
    descriptor = 0  # its cached security descriptor

    def __init__(self, wsk: Subsystem, client: Registration | None, family: int, kind: int, protocol: int) -> None:
        self.wsk, self.client, self.machine = wsk, client, wsk.machine  # no client: a scene's socket
        self.family, self.kind, self.protocol = family, kind, protocol
        self.state = next(iter(tables().states[self.category]))
        self.local: Address | None = None  # from the bind on
        self.options: dict[str, int] = {}  # those that were set, by name
        self.group: dict[Request, None] = {}  # its pending requests, oldest first
        self.running: list[str] = []  # functions that have been called on it and have not returned
        self.arrived: deque[tuple[Any, ...]] = deque()  # connections or datagrams nobody has taken, as arguments of `give`
        self.waiting: deque[Waiting] = deque()  # queued accepts or receives, oldest first
        row = tables().categories[self.category]
        self.events = Events(self, client.static if client else 0)
        self.address = self.machine.new("WSK_SOCKET")
        self.machine.set_u64(self.address, wsk.table(row.table, row.slots))
        self.machine.seal(self.address, 8)
        wsk.sockets[self.address] = self
        if client:
            client.sockets[self.address], client.created = self, True

    def enter(self, state: str) -> None:
        """Change the state."""
        if state != self.state:
            self.state = state
            self.machine.trace.add("state", state, actor="wsk", objects=(self.address,), category=self.category)

    def require(self, step: str, what: str = "wrong state") -> str:
        """The state that `step` leads to. Raises Refused when the step is not legal now."""
        after = tables().states[self.category].get(self.state, {}).get(step)
        if after is None:
            raise refuse("after a break" if self.state in (DEAD, "broken") else what)
        return after

    @property
    def is_open(self) -> bool:
        """Whether WskCloseSocket has not been called yet."""
        return self.state != CLOSING and self.address in self.wsk.sockets

    def next_event(self) -> Callable[[int], None] | None:
        """What a callback has to be told now: a function of the flags; None when there is nothing (WSK-EV-08)."""
        names = [name for name, row in tables().events.items() if row.dead and self.category in row.categories]
        return next(filter(None, map(self.events.told, names if self.state == DEAD else ())), None)

    def why(self, otherwise: str) -> str:
        """What ends a pending request: the close, the loss of the transport, or `otherwise`."""
        return {CLOSING: "closed", DEAD: "after a break"}.get(self.state, otherwise)

    def option(self, name: str) -> int:
        """The value of an option, its default until it is set."""
        value: int = self.options.get(name, tables().options[name].default)
        return value

    @property
    def dual_mode(self) -> bool:
        """Whether an IPv6 socket serves IPv4 too (WSK-AF-06)."""
        return self.family == AF_INET6 and not self.option("IPV6_V6ONLY")

    def read_address(self, pointer: int) -> Address:
        """The SOCKADDR argument at `pointer`. Raises Refused when its family is not the socket's."""
        m = self.machine
        if m.u16(pointer) != self.family:
            raise refuse("wrong family")
        address = decode(m, pointer, self.family)
        return address.unmapped() if self.dual_mode else address

    def tell(self, pointer: int, address: Address) -> None:
        """Store an address where a SOCKADDR argument says; NULL asks for nothing."""
        if pointer:
            self.machine.write(pointer, encode(address.mapped() if self.family == AF_INET6 else address))

    def source(self, destination: Address) -> Address:
        """The local address that `destination` sees; a wildcard is decided by the route (WSK-AF-08)."""
        assert self.local
        return self.wsk.network.route(destination).at(self.local.port) if self.local.is_wildcard else self.local

    def bind(self, wanted: Address) -> None:
        """Take a local address, a free port when it has none. Raises Refused on a conflict (WSK-BIND-04)."""
        if not wanted.is_wildcard and not self.wsk.network.is_local(wanted):
            raise refuse("not a local address")
        ports = (port for port in self.wsk.network.free_ports() if not self.wsk.bound.get((self.protocol, self.family, port)))
        problem = "port in use"
        for port in (wanted.port,) if wanted.port else ports:
            self._check_sharing(address := wanted.at(port))
            if not (problem := self.wsk.network.open(self.reached_by, address, self, alone=not wanted.port)):
                self.wsk.bound.setdefault((self.protocol, self.family, port), []).append(self)
                self.local = address
                return
        raise refuse(problem)

    def _check_sharing(self, address: Address) -> None:
        for other in self.wsk.bound.get((self.protocol, self.family, address.port), ()):
            if other.local and (address.is_wildcard or other.local.is_wildcard or other.local.ip == address.ip):
                result = second_bind((self._sharing(), address.is_wildcard), (other._sharing(), other.local.is_wildcard))
                if result == CHECK:
                    result = SUCCESS if other.may_be_shared() else DENIED
                if result != SUCCESS:
                    raise Refused(getattr(ntstatus, result))

    def may_be_shared(self) -> bool:
        """Whether the descriptor lets the system in; which right it has to grant for that, no page says. Facts: WSK-SHR-02."""
        m = self.machine
        granted = self.descriptor and m.modelled("wsklab_grants").function(m, self.descriptor)
        return bool(granted) and m.choose("access check", ("granted", "denied")) == "granted"

    def _sharing(self) -> str:
        if self.option("SO_EXCLUSIVEADDRUSE"):
            return EXCLUSIVE
        return REUSE if self.option("SO_REUSEADDR") else DEFAULT

    def tell_of_send(self, buffer: Buffer) -> None:
        """Trace that bytes go to the transport."""
        if (trace := self.machine.trace).on:
            objects = (self.address, *buffer.objects())
            trace.add("message", "send", actor="wsk", target="transport", objects=objects, length=buffer.length)

    def queue(self, call: Request, give: Callable[..., bool | None]) -> None:
        """Queue an accept or a receive; it can be cancelled from now on."""
        entry = (call, give)
        self.waiting.append(entry)
        call.withdraw = lambda: self.waiting.remove(entry)
        self.serve()

    def serve(self) -> None:
        """Match what has arrived with what waits for it."""
        while self.arrived and self.waiting:
            self.waiting.popleft()[1](*self.arrived.popleft())

    def fail_waiting(self, what: str) -> None:
        """Complete everything queued with the chosen status for `what`."""
        while self.waiting:
            self.waiting.popleft()[0].fail(what)

    def break_off(self) -> None:
        """Drop connections and whatever waits."""
        self.arrived.clear()
        self.fail_waiting(self.why("after a break"))

    def shut(self) -> None:
        """Give up everything the socket holds; another one bound to the same address inherits what arrives there."""
        self.break_off()
        holders = self.wsk.bound.get((self.protocol, self.family, self.local.port), []) if self.local else []
        if self.local and self in holders:
            holders.remove(self)
            heirs = (other for other in holders if other.local == self.local and type(other) is type(self))
            self.wsk.network.hand_on(self.reached_by, self.local, self, next(heirs, None))

    def discard(self) -> None:
        """Close a socket that the driver never got, or did not want."""
        self.enter(CLOSING)
        self.shut()
        for pending in list(self.group):
            pending.end_now("closed")
        self.vanish()

    def vanish(self) -> None:
        """The close is over: the WSK_SOCKET is gone (WSK-CLOSE-10)."""
        del self.wsk.sockets[self.address]
        self.wsk.closed.setdefault(self.address, "wsk-call-after-close")
        if self.client:
            self.client.sockets.pop(self.address, None)
        self.machine.free(self.address)


@operation(SETTING_UP)
def WskBind(call: Request, Socket: Socket, LocalAddress: int) -> None:
    """Give a socket its local address; a listening socket listens from then on. Facts: WSK-BIND-01 to 12."""
    after = Socket.require("WskBind", "second bind")
    Socket.bind(call.use_address(LocalAddress, Socket.read_address(LocalAddress)))
    Socket.enter(after)
    call.complete(0)


@operation(SETTING_UP)
def WskCloseSocket(call: Request, Socket: Socket) -> None:
    """Close a socket: everything pending completes first, then the close. Facts: WSK-CLOSE-01 to 16, WSK-GAP-04, MIS-47."""
    if others := Socket.running[:-1]:
        names = ", ".join(others)
        Socket.machine.stop("wsk-close-while-call-runs", objects=(Socket.address,), function=call.name, running=names)
    Socket.events.check_released()
    Socket.enter(CLOSING)
    Socket.shut()
    for pending in [request for request in Socket.group if request is not call]:
        pending.end_now("closed")
    call.last = Socket.vanish
    # The page allows a failure, a sample says there is none; the socket is gone all the same (WSK-CLOSE-09, WSK-GAP-04).
    outcome = Socket.machine.choose("outcome of a close", ("success", "failure"))
    ended = 0 if outcome == "success" else chosen(Socket.machine, "failed close")
    if Socket.events.running:  # WSK-CLOSE-06
        Socket.events.after.append(partial(call.complete, ended))
    else:
        call.complete(ended)


@operation(SETTING_UP)
def WskGetLocalAddress(call: Request, Socket: Socket, LocalAddress: int) -> None:
    """Tell the local address of a bound socket. Facts: WSK-GLA-01 to 07."""
    Socket.require("WskGetLocalAddress")
    address = Socket.local
    assert address
    # The buffer is written when the request completes, and must live until then (WSK-GLA-05).
    call.last = lambda: Socket.tell(LocalAddress, address)
    call.complete(0)
