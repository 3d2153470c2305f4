"""One operation asked of the subsystem, from the call to the completion of its IRP. Facts WSK-USE-01 to WSK-USE-06.

Every function that takes an IRP goes the same way: `start` takes the IRP (from here on it is completed exactly once, whatever
the call returns), the operation either knows its outcome inside the call or leaves it open, and `answer` turns that into what
the call returns. How a known outcome is reported is asked of the choice point under the function's own name:

========= ====================================================== =========================
choice    the completion routine runs                            the call returns
========= ====================================================== =========================
inline    before the call returns                                the final status
pending   later, from a DPC                                      STATUS_PENDING
early     before the call returns, as if on another processor    STATUS_PENDING
========= ====================================================== =========================

The setting-up calls answer inline by default, those that move data answer pending.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsklab.io import irp as irps
from wsklab.io.completion import complete, set_cancel_routine
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL
from wsklab.wsk.chosen import chosen

if TYPE_CHECKING:
    from wsklab.wsk.buffers import Buffer
    from wsklab.wsk.subsystem import Subsystem

INLINE, PENDING, EARLY = "inline", "pending", "early"
SETTING_UP = (INLINE, PENDING, EARLY)
"""Ways of a call that sets something up; the first is the usual one."""
MOVING_DATA = (PENDING, INLINE, EARLY)
"""Ways of a call that moves data; the first is the usual one."""

ORDERS = ("before the return", "after the return")
"""When the completion routine of an inline completion runs; no page says (WSK-USE-03, WSK-GAP-01)."""

STATUS_PENDING = 0x103

Done = Callable[[int, int], None]


class Refused(Exception):
    """The call is refused with a status; nothing has changed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def refuse(what: str) -> Refused:
    """A refusal with the status that the table of chosen ones gives for `what`."""
    return Refused(chosen(what))


class Request:
    """One operation under way.

    Attributes:
        wsk: the subsystem.
        name: the function that was called.
        irp: address of its IRP, 0 when a scene asked.
        way: inline, pending or early.
        withdraw: how to take the operation back when the IRP is cancelled; None when nobody has said.
        buffer: the memory it uses, given free right before the completion.
        last: what is done right before the completion.
        group: whatever is pending on the same socket or client, this request among it.
        over: whether it has been completed.
    """

    __slots__ = ("_done", "_inside", "_outcome", "buffer", "group", "irp", "last", "name", "over", "way", "withdraw", "wsk")

    def __init__(self, wsk: Subsystem, name: str, irp: int, ways: tuple[str, ...], done: Done | None = None) -> None:
        self.wsk = wsk
        self.name = name
        self.irp = irp
        self.way = INLINE if done else wsk.machine.choose(name, ways)
        self.withdraw: Callable[[], object] | None = None
        self.last: Callable[[], None] | None = None
        self.buffer: Buffer | None = None
        self.group: dict[Request, None] = {}
        self.over = False
        self._done = done
        self._inside = True
        self._outcome: tuple[int, int] | None = None

    def start(self, group: dict[Request, None]) -> None:
        """Take the IRP; `group` holds whatever is pending on the same socket or client."""
        if self.irp:
            irps.hand_over(self.wsk.machine, self.irp, "wsk", function=self.name)
            self.wsk.requests[self.irp] = self
        self.group = group
        group[self] = None

    def run(self, operation: Callable[..., None], *arguments: Any) -> int:
        """Do the operation inside the call and say what the call returns."""
        try:
            operation(self, *arguments)
        except Refused as refusal:
            self.way = INLINE
            self._outcome = (refusal.status, 0)
        return self._answer()

    def _answer(self) -> int:
        self._inside = False
        machine = self.wsk.machine
        if self._outcome is None:
            self._mark_pending()
            return STATUS_PENDING
        status, information = self._outcome
        if self.way == PENDING:
            self._mark_pending()
            machine.post(lambda: self._deliver(status, information), irql=self._level(), name="wsk")
            return STATUS_PENDING
        if self.way == INLINE and not self._done and machine.choose("inline completion", ORDERS) != ORDERS[0]:
            machine.post(lambda: self._deliver(status, information), irql=self._level(), name="wsk")
            return status
        if self.way == EARLY:
            self._mark_pending()
        self._deliver(status, information)
        return status if self.way == INLINE else STATUS_PENDING

    def _mark_pending(self) -> None:
        if self.irp and not self.over:
            irps.mark_pending(self.wsk.machine, self.irp, by="wsk")
            if self.withdraw:
                set_cancel_routine(self.wsk.machine, self.irp, self.wsk.cancel_routine)

    def uses(self, buffer: Buffer) -> None:
        """The request uses this memory until it completes."""
        self.buffer = buffer
        buffer.hold()

    def complete(self, status: int, information: int = 0) -> None:
        """The outcome is known. Later than the call this completes the IRP; inside it, `run` does."""
        if self._outcome is not None or self.over:
            return
        self._outcome = (status, information)
        if self._inside:
            return
        machine = self.wsk.machine
        level = machine.irql if self._done else self._level()
        if level == machine.irql:
            self._deliver(status, information)
        elif level > machine.irql:
            with machine.at_irql(level):
                self._deliver(status, information)
        else:
            machine.post(lambda: self._deliver(status, information), irql=level, name="wsk")

    def perform(self, action: Callable[[], int]) -> None:
        """Do something that may be refused, and complete with the information it returns."""
        try:
            information = action()
        except Refused as refusal:
            return self.complete(refusal.status)
        self.complete(0, information)

    def fail(self, what: str) -> None:
        """Complete with the chosen status for `what`."""
        self.complete(chosen(what))

    def _level(self) -> int:
        level = self.wsk.machine.choose("completion IRQL", ("DISPATCH_LEVEL", "PASSIVE_LEVEL"))
        return DISPATCH_LEVEL if level == "DISPATCH_LEVEL" else PASSIVE_LEVEL

    def _deliver(self, status: int, information: int) -> None:
        if self.over:
            return
        self.over = True
        self.group.pop(self, None)
        if self.last:
            self.last()
        if self.buffer:
            self.buffer.release()
        if self._done:
            self._done(status, information)
        elif self.irp:
            del self.wsk.requests[self.irp]
            complete(self.wsk.machine, self.irp, status, information, by="wsk", function=self.name)

    def end_now(self, what: str) -> None:
        """Complete at once: with the outcome that was about to be reported, or with the chosen status for `what`."""
        status, information = self._outcome or (chosen(what), 0)
        self._deliver(status, information)

    def cancel(self) -> None:
        """IoCancelIrp was called on the IRP (WSK-USE-26)."""
        if not self.over and self._outcome is None and self.withdraw:
            self.withdraw()
            self.fail("cancelled")
