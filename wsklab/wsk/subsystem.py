"""The Winsock Kernel subsystem of one machine, and one operation asked of it. Facts WSK-OBJ-03, WSK-OBJ-04, WSK-OBJ-09,
WSK-USE-01 to WSK-USE-06.

What a driver can see lies in real bytes: WSK_SOCKETs and the constant provider tables with a code address in every slot. What
only the subsystem knows is Python.

Every function that takes an IRP is declared with `operation` and goes the same way: the `Request` takes the IRP (from here on
it is completed exactly once, whatever the call returns), the operation either knows its outcome inside the call or leaves it
open, and `run` turns that into what the call returns. How a known outcome is reported is asked of the choice point under the
function's own name:

========= ====================================================== =========================
choice    the completion routine runs                            the call returns
========= ====================================================== =========================
inline    before the call returns                                the final status
pending   later, from a DPC                                      STATUS_PENDING
early     before the call returns, as if on another processor    STATUS_PENDING
========= ====================================================== =========================

The setting-up calls answer inline by default, those that move data answer pending.
"""  # noqa: D205

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

from wsklab.io import irp as irps
from wsklab.io.completion import cancel_code, complete, set_cancel_routine
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, wdk
from wsklab.net import Network
from wsklab.wsk.buffers import Buffer, take
from wsklab.wsk.tables import CLOSING, chosen, tables

if TYPE_CHECKING:
    from wsklab.wsk.client import Registration
    from wsklab.wsk.sockets import Socket

PROVIDER_VERSION = 0x0100
"""The one version of the interface that is provided: 1.0 (WSK-OBJ-12)."""

INLINE, PENDING, EARLY = "inline", "pending", "early"
SETTING_UP, MOVING_DATA = (INLINE, PENDING, EARLY), (PENDING, INLINE, EARLY)
"""Ways of a call that sets something up, and of one that moves data; the first is the usual one."""

ORDERS = ("before the return", "after the return")
"""When the completion routine of an inline completion runs; no page says (WSK-USE-03, WSK-GAP-01)."""

STATUS_PENDING = 0x103

Done = Callable[[int, int], object]


class Subsystem:
    """The provider's side.

    Attributes:
        ready: whether the provider is available to clients; None until somebody asks.
        registrations: by address of the driver's WSK_REGISTRATION, also ended ones.
        clients: registrations by the opaque WSK_CLIENT.
        sockets, closed: open sockets by address, and the addresses of those that were closed.
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

    def _cancelled(self, irp: int) -> None:
        request = self.requests.get(irp)
        if request:
            request.cancel()


def subsystem(m: Machine) -> Subsystem:
    """The subsystem of a machine."""
    return m.model("wsk", lambda: Subsystem(m))


class Refused(Exception):
    """The call is refused with the status that is its argument; nothing has changed."""


def refuse(what: str) -> Refused:
    """A refusal with the status that the table of chosen ones gives for `what`."""
    return Refused(chosen(what))


class Request:
    """One operation under way. Making it takes the IRP.

    Attributes:
        name: the function that was called.
        irp: address of its IRP, 0 when a scene asked.
        way: inline, pending or early.
        group: whatever is pending on the same socket or client, this request among it.
        withdraw: how to take the operation back when the IRP is cancelled; None when nobody has said.
        buffer: the memory it uses, given free right before the completion.
        last: what is done right before the completion.
        over: whether it has been completed.
    """

    __slots__ = ("_done", "_inside", "_outcome", "buffer", "group", "irp", "last", "name", "over", "way", "withdraw", "wsk")

    def __init__(
        self, wsk: Subsystem, name: str, irp: int, ways: tuple[str, ...], group: dict[Request, None], done: Done | None
    ) -> None:
        self.wsk, self.name, self.irp, self.group = wsk, name, irp, group
        self.way = INLINE if done else wsk.machine.choose(name, ways)
        self.withdraw: Callable[[], object] | None = None
        self.last: Callable[[], object] | None = None
        self.buffer: Buffer | None = None
        self.over = False
        self._done = done
        self._inside = True
        self._outcome: tuple[int, int] | None = None
        if irp:
            irps.hand_over(wsk.machine, irp, "wsk", function=name)
            wsk.requests[irp] = self
        group[self] = None

    def run(self, operation: Callable[..., None], *arguments: Any) -> int:
        """Do the operation inside the call and say what the call returns."""
        self.attempt(operation, self, *arguments)
        self._inside = False
        if self._outcome is None or self.way != INLINE:
            self._mark_pending()
        if self._outcome is None:
            return STATUS_PENDING
        status, choose = self._outcome[0], self.wsk.machine.choose
        after = self.way == INLINE and not self._done and choose("inline completion", ORDERS) != ORDERS[0]
        if after or self.way == PENDING:
            self.wsk.machine.post(self._deliver, irql=self._level(), name="wsk")
        else:
            self._deliver()
        return status if self.way == INLINE else STATUS_PENDING

    def attempt(self, action: Callable[..., object], *arguments: Any) -> None:
        """Do something that may be refused, unless the request is over: a refusal is reported inline."""
        try:
            if not self.over:
                action(*arguments)
        except Refused as refusal:
            self.way = INLINE
            self.complete(refusal.args[0])

    def _mark_pending(self) -> None:
        if self.irp and not self.over:
            irps.mark_pending(self.wsk.machine, self.irp, by="wsk")
            if self.withdraw:
                set_cancel_routine(self.wsk.machine, self.irp, self.wsk.cancel_routine)

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
            machine.post(self._deliver, irql=level, name="wsk")
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


def slot_type(name: str) -> str:
    """The function-pointer type of the slot of a modelled function: PFN_WSK_SEND_TO of WskSendTo."""
    return "PFN_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def operation(ways: tuple[str, ...], *, flags: bool = False) -> Callable[[Callable[..., None]], Callable[..., int]]:
    """Declare a function of a dispatch table that takes an IRP.

    The Python function is called with the request and the arguments of the C call; the first of these, Socket or Client, is
    replaced by what stands behind the pointer. What it declares is called as from C, and by scenes with Irp 0 and a `done`
    that is told the status and the information.

    Args:
        ways: SETTING_UP or MOVING_DATA.
        flags: whether Flags may be anything but zero.
    """

    def declare(function: Callable[..., None]) -> Callable[..., int]:
        name, names = function.__name__, list(signature(function).parameters)[1:]
        zero = names.index("Flags") if "Flags" in names and not flags else None
        prototype = slot_type(name)

        @wraps(function)
        def called(m: Machine, *arguments: int, done: Done | None = None) -> int:
            if zero is not None and arguments[zero]:
                m.stop("wsk-flags-not-zero", function=name, flags=f"{arguments[zero]:#x}")
            wsk = subsystem(m)
            owner: Any = (wsk.client if names[0] == "Client" else wsk.socket)(name, arguments[0])
            if not arguments[-1] and done is None:
                m.stop("wsk-no-irp", function=name)
            request = Request(wsk, name, arguments[-1], ways, owner.group, done)
            owner.running.append(name)
            try:
                return request.run(function, owner, *arguments[1:])
            finally:
                owner.running.pop()

        wdk(lane="wsk", prototype=prototype)(called)
        return called

    return declare
