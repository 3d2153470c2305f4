"""The Winsock Kernel subsystem of one machine, and one operation asked of it. Facts WSK-OBJ, WSK-CAT, WSK-USE-01 to 06.

What a driver can see lies in real bytes: WSK_SOCKETs and the constant provider tables. What only the subsystem knows is Python.
Every function that takes an IRP is declared with `operation`: the `Request` takes the IRP, which from here on is completed
exactly once, whatever the call returns. How an outcome known inside the call is reported is asked of the choice point under the
function's own name: inline (the completion routine runs before the call returns the final status), pending (it runs later, from
a DPC; the call returns STATUS_PENDING) or early (before the call returns STATUS_PENDING, as if on another processor).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

from wsklab.io import irp as irps
from wsklab.io.completion import cancel_code, complete, set_cancel_routine
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, wdk
from wsklab.net import Network, network_of
from wsklab.wsk.buffers import Buffer, take
from wsklab.wsk.tables import CLOSING, chosen, tables

if TYPE_CHECKING:
    from wsklab.wsk.client import Registration
    from wsklab.wsk.sockets import Socket

PROVIDER_VERSION = 0x0100  # the one version of the interface that is provided: 1.0 (WSK-OBJ-12)

INLINE, PENDING, EARLY = "inline", "pending", "early"
SETTING_UP, MOVING_DATA = (INLINE, PENDING, EARLY), (PENDING, INLINE, EARLY)
"""Ways of a call that sets something up, and of one that moves data; the first is the usual one."""

ORDERS = ("before the return", "after the return")
"""When the completion routine of an inline completion runs; no page says (WSK-USE-03, WSK-GAP-01)."""

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
        self.closed: set[int] = set()  # addresses of sockets that were closed
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
        if address in self.closed or (socket and socket.state == CLOSING):
            rule = "wsk-second-close" if function == "WskCloseSocket" else "wsk-call-after-close"
            stop(rule, objects=(address,), function=function)
        if socket is None:
            stop("wsk-not-a-socket", objects=(address,), function=function, address=f"{address:#018x}")
        if function not in tables().categories[socket.category].slots:
            stop("wsk-wrong-dispatch", objects=(address,), function=function, category=socket.category)
        return socket


def subsystem(m: Machine) -> Subsystem:
    """The subsystem of a machine."""
    return m.model(Subsystem, m)


class Refused(Exception):
    """The call is refused with the status that is its argument; nothing has changed."""


def refuse(what: str) -> Refused:
    """A refusal with the status that the table of chosen ones gives for `what`."""
    return Refused(chosen(what))


class Request:
    """One operation under way. Making it takes the IRP; 0 when a scene asks, which `done` then tells the outcome."""

    def __init__(
        self, wsk: Subsystem, name: str, irp: int, ways: tuple[str, ...], group: dict[Request, None], done: Done | None
    ) -> None:
        self.wsk, self.name, self.irp = wsk, name, irp
        self.way = INLINE if done else wsk.machine.choose(name, ways)
        self.at_once = self.way != PENDING  # whether the operation should try to be over inside the call
        self.group = group  # whatever is pending on the same socket or client, this request among it
        self.withdraw: Callable[[], object] | None = None  # takes the operation back when the IRP is cancelled
        self.last: Callable[[], object] | None = None  # done right before the completion
        self.buffer: Buffer | None = None  # the memory it uses until then
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
        after = self.way == INLINE and not self._done and choose("inline completion", ORDERS) != ORDERS[0]
        if after or self.way == PENDING:
            self.wsk.machine.after(0, self._deliver, irql=self._level())
        else:
            self._deliver()
        return status if self.way == INLINE else irps.PENDING

    def attempt(self, action: Callable[..., object], *arguments: Any) -> None:
        """Do something that may be refused, unless the request is over: a refusal is reported inline."""
        try:
            if not self.over:
                action(*arguments)
        except Refused as refusal:
            self.way = INLINE
            self.complete(refusal.args[0])

    def take(self, pointer: int) -> Buffer:
        """The memory that a WSK_BUF describes; the request uses it until it completes."""
        self.buffer = take(self.wsk.machine, self.name, pointer)
        self.buffer.hold()
        return self.buffer

    def complete(self, status: int, information: int = 0) -> None:
        """The outcome is known. Later than the call this completes the IRP; inside it, `run` does."""
        if self._outcome is not None or self.over:
            return
        self._outcome = (status, information)
        if self._inside:
            return
        machine = self.wsk.machine
        level = machine.irql if self._done else self._level()
        if level < machine.irql:
            machine.after(0, self._deliver, irql=level)
        else:
            with machine.at_irql(level):
                self._deliver()

    def fail(self, what: str) -> None:
        """Complete with the chosen status for `what`."""
        self.complete(chosen(what))

    def end_now(self, what: str) -> None:
        """Complete at once: with the outcome that was about to be reported, or with the chosen status for `what`."""
        self._outcome = self._outcome or (chosen(what), 0)
        self._deliver()

    def cancel(self) -> None:
        """IoCancelIrp was called on the IRP (WSK-USE-26)."""
        if not self.over and self._outcome is None and self.withdraw:
            self.withdraw()
            self.fail("cancelled")

    def _level(self) -> int:
        level = self.wsk.machine.choose("completion IRQL", ("DISPATCH_LEVEL", "PASSIVE_LEVEL"))
        return DISPATCH_LEVEL if level == "DISPATCH_LEVEL" else PASSIVE_LEVEL

    def _deliver(self) -> None:
        if self.over or self._outcome is None:
            return
        self.over = True
        self.group.pop(self, None)
        if self.last:
            self.last()
        if self.buffer:
            self.buffer.release()
        if self._done:
            self._done(*self._outcome)
        elif self.irp:
            del self.wsk.requests[self.irp]
            complete(self.wsk.machine, self.irp, *self._outcome, by="wsk", function=self.name)


def declare(name: str, function: Callable[..., Any]) -> None:
    """Declare the function of a slot: the prototype of WskSendTo is PFN_WSK_SEND_TO."""
    wdk(name, lane="wsk", prototype="PFN_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())(function)


def _needs_irp(m: Machine, request: int, code: int) -> bool:
    """Whether a control request is one of the modelled I/O controls; these need an IRP (WSK-SRA-01, WSK-SSA-01, WSK-SQB-01)."""
    names = ("SET_REMOTE_ADDRESS", "SET_SENDTO_ADDRESS", "QUERY_IDEAL_SEND_BACKLOG", "QUERY_RECEIVE_BACKLOG")
    return request == 2 and any((m.constant(f"SIO_WSK_{name}") ^ code) & 0xFFFF_FFFF == 0 for name in names)


def operation(ways: tuple[str, ...], *, flags: bool = False) -> Callable[[Callable[..., None]], Callable[..., int]]:
    """Declare a function of a dispatch table that takes an IRP.

    The Python function is called with the request and the arguments of the C call; the first of these, Socket or Client, is
    replaced by what stands behind the pointer. What is declared is called as from C, or by a scene with Irp 0 and a `done`.

    Args:
        ways: SETTING_UP or MOVING_DATA.
        flags: whether Flags may be anything but zero.
    """

    def wrap(function: Callable[..., None]) -> Callable[..., int]:
        name, names = function.__name__, list(signature(function).parameters)[1:]
        zero = names.index("Flags") if "Flags" in names and not flags else None

        @wraps(function)
        def called(m: Machine, *arguments: int, done: Done | None = None) -> int:
            if zero is not None and arguments[zero]:
                m.stop("wsk-flags-not-zero", function=name, flags=f"{arguments[zero]:#x}")
            wsk = subsystem(m)
            owner: Any = (wsk.client if names[0] == "Client" else wsk.socket)(name, arguments[0])
            if not arguments[-1] and done is None:
                if name == "WskControlSocket" and not _needs_irp(m, *arguments[1:3]):  # WSK-CTL-01: some even forbid one
                    m.not_modelled("WskControlSocket without an IRP")
                m.stop("wsk-no-irp", function=name)
            request = Request(wsk, name, arguments[-1], ways, owner.group, done)
            owner.running.append(name)
            try:
                return request.run(function, owner, *arguments[1:])
            finally:
                owner.running.pop()

        declare(name, called)
        return called

    return wrap
