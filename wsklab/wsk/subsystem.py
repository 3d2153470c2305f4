"""The Winsock Kernel subsystem of one machine, and one operation asked of it. Facts WSK-OBJ-01 to 04, WSK-OBJ-09, WSK-OBJ-10,
WSK-OBJ-17 to 19, WSK-OBJ-24, WSK-CAT-01 to 05, WSK-USE-01 to 06, WSK-USE-16, WSK-USE-17, WSK-USE-21, WSK-USE-23, WSK-USE-25.

What a driver can see lies in real bytes: WSK_SOCKETs and the constant provider tables. What only the subsystem knows is Python.
Every function that takes an IRP is declared with `operation`: the `Request` takes the IRP, which from here on is completed
exactly once, whatever the call returns. How an outcome known inside the call is reported is asked of the choice point under the
function's own name: inline (the completion routine runs before the call returns the final status), pending (it runs later, from
a DPC; the call returns STATUS_PENDING) or early (before the call returns STATUS_PENDING, as if on another processor).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

from wsklab.c.headers import headers
from wsklab.c.types import Function, Pointer
from wsklab.io import irp as irps
from wsklab.io.completion import cancel_code, complete, set_cancel_routine
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, wdk
from wsklab.net import Address, Network, network_of
from wsklab.net.tcp import AF_INET, AF_INET6
from wsklab.wsk.buffers import Buffer, take
from wsklab.wsk.tables import CLOSING, chosen, tables

if TYPE_CHECKING:
    from wsklab.wsk.client import Registration
    from wsklab.wsk.sockets import Socket

PROVIDER_VERSION = 0x0100  # the one version of the interface that is provided: 1.0 (WSK-OBJ-12)

KINDS = ((1, 6), (2, 17), (3, 255))
"""The socket types and protocols that both families have from the start: stream and TCP, datagram and UDP, raw."""

INLINE, PENDING, EARLY = "inline", "pending", "early"
SETTING_UP, MOVING_DATA = (INLINE, PENDING, EARLY), (PENDING, INLINE, EARLY)
"""Ways of a call that sets something up, and of one that moves data; the first is the usual one."""

ORDERS = ("before the return", "after the return")
"""When the completion routine of an inline completion runs; no page says (WSK-USE-03, WSK-GAP-01)."""

ARGUMENTS = ("is read in the call", "must live until the end")

Done = Callable[[int, int], object]


class Subsystem:
    """The provider's side: what is registered, open, pending and bound on one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.network: Network = network_of(machine)
        self.ready: bool | None = None  # whether the provider is available; None until somebody asks
        self.registrations: dict[int, Registration] = {}  # by WSK_REGISTRATION, also ended ones
        self.clients: dict[int, Registration] = {}  # by WSK_CLIENT
        self.sockets: dict[int, Socket] = {}
        self.closed: dict[int, str] = {}  # sockets that are gone, by address, and the rule that a call on them breaks
        self.descriptors: dict[int, Registration | None] = {}  # cached security descriptors that nobody has released, and whose
        self.transports = [(family, *kind) for family in (AF_INET, AF_INET6) for kind in KINDS]
        self.watchers: dict[int, list[Request]] = {}  # who waits for a change: by family of its addresses, 0 of the transports
        self.lists: dict[int, list[int]] = {}  # results of WskGetAddressInfo: head → every block of the list
        self.requests: dict[int, Request] = {}  # pending, by IRP
        self.bound: dict[tuple[int, int, int], list[Socket]] = {}  # by protocol, family and port
        self.cancel_routine = cancel_code(machine, lambda irp: self.requests[irp].cancel(), "WSK cancel routine")
        self._tables: dict[str, int] = {}

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

    def client(self, function: str, address: int) -> Registration:
        """The registration behind a Client argument; a stop when its NPI is not captured. Facts: WSK-OBJ-07, WSK-REL-03."""
        registration = self.clients.get(address)
        if registration is None:
            self.machine.stop("wsk-not-a-client", function=function, address=f"{address:#018x}")
        if not registration.captures:
            self.machine.stop("wsk-npi-not-captured", objects=(registration.block,), function=function)
        return registration

    def socket(self, function: str, address: int) -> Socket:
        """The open socket at `address`, or the stop of the rule the call breaks. Facts: WSK-CLOSE-09, WSK-CAT-10."""
        socket, stop = self.sockets.get(address), self.machine.stop
        rule = self.closed.get(address) or ("wsk-call-after-close" if socket and socket.state == CLOSING else "")
        if rule:
            again = rule == "wsk-call-after-close" and function == "WskCloseSocket"
            stop("wsk-second-close" if again else rule, objects=(address,), function=function)
        if socket is None:
            stop("wsk-not-a-socket", objects=(address,), function=function, address=f"{address:#018x}")
        if function not in tables().categories[socket.category].slots:
            stop("wsk-wrong-dispatch", objects=(address,), function=function, category=socket.category)
        return socket

    def check_descriptor(self, function: str, address: int, optional: bool = False) -> int:
        """A security descriptor that the driver hands over; a stop when it is not a cached one (WSK-SOCK-07)."""
        if address not in self.descriptors and (address or not optional):
            shown = f"{address:#018x}"
            self.machine.stop("wsk-not-a-cached-descriptor", objects=(address,), function=function, address=shown)
        return address

    def changed(self, what: int) -> None:
        """Complete whatever waits for a change; what it was, each has to find out itself (WSK-TLC-02, WSK-SAL-03)."""
        for request in self.watchers.pop(what, ()):
            request.complete(0)


def subsystem(m: Machine) -> Subsystem:
    """The subsystem of a machine."""
    return m.model(Subsystem, m)


class Refused(Exception):
    """The call is refused with the status that is its argument, or with the chosen one for it; nothing has changed."""


def refuse(what: str) -> Refused:
    """A refusal with the status that the table of chosen ones gives for `what`."""
    return Refused(what)


class Request:
    """One operation under way. Making it takes the IRP.

    There is none when a scene asks, which `done` then tells the outcome, or when a control request goes without: it is over
    when the call returns.
    """

    def __init__(
        self, wsk: Subsystem, name: str, irp: int, ways: tuple[str, ...], group: dict[Request, None], done: Done | None
    ) -> None:
        self.wsk, self.name, self.irp = wsk, name, irp
        self.way = wsk.machine.choose(name, ways) if irp and not done else INLINE
        self.at_once = self.way != PENDING  # whether the operation should try to be over inside the call
        self.group = group  # whatever is pending on the same socket or client, this request among it
        self.withdraw: Callable[[], object] | None = None  # takes the operation back when the IRP is cancelled
        self.last: Callable[[], object] | None = None  # done right before the completion
        self.buffers: list[Buffer] = []  # the memory it uses until then
        self.descriptor = 0  # the cached security descriptor it uses until then
        self.tells_status = False  # whether Information is the status too, as for name resolution (WSK-GAI-05)
        self.over = False
        self._done, self._inside = done, True
        self._outcome: tuple[int, int] | None = None
        if irp:
            irps.hand_over(wsk.machine, irp, "wsk", function=name)
            wsk.requests[irp] = self
        group[self] = None

    def run(self, operation: Callable[..., None], *arguments: Any) -> int:
        """Do the operation inside the call and say what the call returns."""
        self.attempt(operation, self, *arguments)
        self._inside = False
        if self.irp and not self.over and (self._outcome is None or self.way != INLINE):
            irps.mark_pending(self.wsk.machine, self.irp, by="wsk")
            if self.withdraw:
                set_cancel_routine(self.wsk.machine, self.irp, self.wsk.cancel_routine)
        if self._outcome is None:
            return irps.PENDING
        status, choose = self._outcome[0], self.wsk.machine.choose
        after = self.way == INLINE and self.irp and choose("inline completion", ORDERS) != ORDERS[0]
        if after or self.way == PENDING:
            self.wsk.machine.after(0, self._deliver, irql=self._level())
        else:
            self._deliver()
        return status if self.way == INLINE else irps.PENDING

    def attempt(self, action: Callable[..., object], *arguments: Any) -> None:
        """Do something that may be refused, unless the request is over: a refusal is reported inline."""
        try:
            if not self.over and self._outcome is None:
                action(*arguments)
        except Refused as refusal:
            self.way = INLINE
            self.fail(refusal.args[0])

    def begin(self, action: Callable[[], object], at_once: bool = False, irql: int = DISPATCH_LEVEL) -> None:
        """Do something that may be refused: inside the call, or soon after it at `irql`."""
        if self.at_once or at_once:
            action()
        else:
            self.wsk.machine.after(0, lambda: self.attempt(action), irql=irql)

    def take(self, pointer: int) -> Buffer:
        """The memory that a WSK_BUF describes; the request uses it until it completes."""
        self.buffers.append(take(self.wsk.machine, self.name, pointer))
        self.buffers[-1].hold()
        return self.buffers[-1]

    def use_address(self, pointer: int, address: Address) -> Address:
        """An address argument that was read; whether it must live until the request is over, no page says (WSK-BIND-11)."""
        machine = self.wsk.machine
        if self.way == PENDING and machine.choose("address argument", ARGUMENTS) != ARGUMENTS[0]:
            self.last = lambda: machine.read(pointer, 16)
        return address

    def use_descriptor(self, address: int) -> int:
        """A cached security descriptor that must not be released before the request is over (WSK-SD-05)."""
        self.descriptor = self.wsk.check_descriptor(self.name, address, optional=True)
        return address

    def complete(self, status: int, information: int = 0) -> None:
        """The outcome is known. Later than the call this completes the IRP; inside it, `run` does."""
        if self._outcome is not None or self.over:
            return
        self._outcome = (status, status & 0xFFFF_FFFF if self.tells_status else information)
        if self._inside:
            return
        machine = self.wsk.machine
        level = machine.irql if self._done else self._level()
        if level < machine.irql:
            machine.after(0, self._deliver, irql=level)
        else:
            with machine.at_irql(level):
                self._deliver()

    def fail(self, what: int | str) -> None:
        """Complete with a status, or with the chosen one for `what`."""
        self.complete(chosen(self.wsk.machine, what) if isinstance(what, str) else what)

    def end_now(self, what: str) -> None:
        """Complete at once: with the outcome that was about to be reported, or with the chosen status for `what`."""
        self._outcome = self._outcome or (chosen(self.wsk.machine, what), 0)
        self._deliver()

    def cancel(self) -> None:
        """IoCancelIrp was called on the IRP (WSK-USE-26)."""
        if not self.over and self._outcome is None and self.withdraw:
            self.withdraw()
            self.fail("cancelled")

    @property
    def decided(self) -> bool:
        """Whether its outcome is known and its call has returned."""
        return self._outcome is not None and not self._inside

    def _level(self) -> int:
        level = self.wsk.machine.choose("completion IRQL", ("DISPATCH_LEVEL", "PASSIVE_LEVEL"))
        return DISPATCH_LEVEL if level == "DISPATCH_LEVEL" else PASSIVE_LEVEL

    def _deliver(self) -> None:
        if self.over or self._outcome is None:
            return
        # What was asked for earlier in the same way and is decided too completes first: bytes keep their order (WSK-RECV-11).
        while (first := next((each for each in self.group if each.name == self.name), self)) is not self and first.decided:
            first._deliver()
        if self.over:  # a completion routine has closed the socket
            return
        self.over = True
        self.group.pop(self, None)
        if self.last:
            self.last()
        for buffer in self.buffers:
            buffer.release()
        if self._done:
            self._done(*self._outcome)
        elif self.irp:
            del self.wsk.requests[self.irp]
            complete(self.wsk.machine, self.irp, *self._outcome, by="wsk", function=self.name)


def _prototype(name: str) -> str:
    """The type of the slot of a function: that of WskSendTo is PFN_WSK_SEND_TO."""
    return "PFN_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def declare(name: str, function: Callable[..., Any], irql: int = DISPATCH_LEVEL) -> None:
    """Declare the function of a slot, with the highest IRQL at which it may be called (WSK-IRQL-01)."""
    wdk(name, lane="wsk", prototype=_prototype(name), irql=irql)(function)


@cache
def parameters(name: str) -> list[str]:
    """The names of the parameters in the prototype of a slot (WSK-GAP-09)."""
    slot = headers().type(_prototype(name))
    assert isinstance(slot, Pointer) and isinstance(slot.to, Function)
    return [parameter.name or "" for parameter in slot.to.parameters]


REQUIRED, OPTIONAL, FORBIDDEN = "required", "optional", "forbidden"
"""Whether a call takes an IRP; for control requests it depends on the request (WSK-CTL-01, WSK-CC-01)."""


def operation(
    ways: tuple[str, ...], *, flags: bool = False, irql: int = DISPATCH_LEVEL, irp: Callable[..., str] = lambda *_: REQUIRED
) -> Callable[[Callable[..., None]], Callable[..., int]]:
    """Declare a function of a dispatch table that takes an IRP.

    The Python function is called with the request, with what stands behind the Socket or Client that comes first in C, and with
    those arguments of the C call that it names. What is declared is called as from C, or by a scene with Irp 0 and a `done`.

    Args:
        ways: SETTING_UP or MOVING_DATA.
        flags: whether Flags may be anything but zero.
        irql: the highest at which it may be called.
        irp: told the machine and the arguments, says whether the call takes an IRP; a stop when it does not fit the request.
    """

    def wrap(function: Callable[..., None]) -> Callable[..., int]:
        name, wanted = function.__name__, list(signature(function).parameters)[2:]

        @wraps(function)
        def called(m: Machine, *arguments: int, done: Done | None = None) -> int:
            given = dict(zip(parameters(name), arguments, strict=False))
            if not flags and given.get("Flags"):
                m.stop("wsk-flags-not-zero", function=name, flags=f"{given['Flags']:#x}")
            wsk = subsystem(m)
            owner: Any = (wsk.client if "Client" in given else wsk.socket)(name, arguments[0])
            needed = irp(m, *arguments) if done is None else OPTIONAL
            if needed != OPTIONAL and bool(arguments[-1]) != (needed == REQUIRED):
                m.stop("wsk-no-irp" if needed == REQUIRED else "wsk-irp-forbidden", objects=(arguments[0],), function=name)
            request = Request(wsk, name, arguments[-1], ways, owner.group, done)
            owner.running.append(name)
            try:
                return request.run(function, owner, *(given[each] for each in wanted))
            finally:
                owner.running.pop()

        declare(name, called, irql)
        return called

    return wrap
