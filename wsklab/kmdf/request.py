"""WDFREQUEST: one IRP and what the framework remembers about it.

Who made the IRP decides almost every rule (KMDF-WHO-02): QUEUE, presented by a queue and the only kind that may be completed;
OWNED, made for the request by the framework; DRIVER, supplied by the driver. A request without an IRP counts as completed
(KMDF-WHO-04). `outstanding` is the completion reference count: 1 while the request is out at a target; whoever brings it to 0
runs the completion routine, once (KMDF-CPL-04).

Facts: KMDF-WHO, KMDF-CRE, KMDF-REU, KMDF-CHG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wsklab.kmdf import wdm
from wsklab.kmdf.objects import Framework, Object
from wsklab.machine import status

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsklab.kmdf.format import FormatContext
    from wsklab.kmdf.memory import RequestMemory
    from wsklab.kmdf.queue import Queue
    from wsklab.kmdf.target import IoTarget

QUEUE, OWNED, DRIVER = 0, 1, 2


class Request(Object):
    """One request.

    Attributes:
        irp: address of the IRP, 0 while there is none; `ownership` says who made it.
        cancelled: the sticky mark of WdfRequestCancelSentRequest (KMDF-CAN-04).
        target: the target it is out at, or was last.
        context: the format context, None when no WdfIoTargetFormat* call ever made one.
        formatted, driver_owned: marks of the verifier (KMDF-WHO-06).
        next_formatted: a WdfRequestFormat* call filled the next stack location (KMDF-SAF-05).
    """

    KIND: ClassVar[str] = "WDFREQUEST"
    TYPE: ClassVar[int] = 0x1008

    def __init__(self, fw: Framework, parent: Object | None, ownership: int = OWNED, irp: int = 0) -> None:
        super().__init__(fw, parent)
        self.layout = fw.layout
        self.irp, self.ownership, self.completed = irp, ownership, not irp
        self.cancelled = self.formatted = self.driver_owned = self.next_formatted = self.has_timer = False
        self.outstanding = self.routine = self.routine_context = 0
        self.context: FormatContext | None = None
        # While out at a target
        self.target: IoTarget | None = None
        self.pended = self.irp_done = self.ignores_state = self.timed_out = False
        self.stop_timer: Callable[[], None] | None = None
        self.waiting: list[bool] | None = None  # a synchronous sender waits until this has an element
        # Presented by a queue
        self.queue: Queue | None = None
        self.memories: dict[str, RequestMemory] = {}

    @property
    def current_location(self) -> int:
        """Address of the driver's own stack location (queue requests)."""
        return self.m.u64(self.irp + self.layout.irp_stack)

    @property
    def next_location(self) -> int:
        """Address of the stack location that the target will see."""
        return self.current_location - self.layout.sl_size

    @property
    def locations_left(self) -> int:
        """How many stack locations are left below the current one (KMDF-CHG-14)."""
        return self.m.u8(self.irp + self.layout.irp_current) - 1

    @property
    def has_current_location(self) -> bool:
        """Whether the driver has a stack location of its own (KMDF-CRE-03)."""
        return bool(self.irp) and self.locations_left < self.m.u8(self.irp + self.layout.irp_stack_count)

    def set_status(self, value: int) -> None:
        """Write the IRP's status; without an IRP this is a write through NULL, as on Windows (KMDF-SND-26)."""
        self.m.set_i32(self.irp + self.layout.irp_status, value)

    def target_check(self, target: IoTarget) -> int:
        """WdfRequestChangeTarget, and the first step of every format call. Facts: KMDF-CHG-01 to 10, KMDF-CRE-06, KMDF-TGT-08."""
        if self.outstanding:
            self.framework.stop("kmdf-formatted-while-sent", self, irp=self.irp)
        if self.context is not None and self.irp:
            self.context.release(self)
            self.formatted = False
        if not target.stack_size:
            return status.INVALID_DEVICE_STATE
        if self.irp and self.locations_left >= target.stack_size:
            return 0
        if self.irp and self.ownership != OWNED:
            return status.REQUEST_NOT_ACCEPTED
        if self.framework.fails():
            return status.INSUFFICIENT_RESOURCES
        self.replace_irp(wdm.allocate_irp(self.m, target.stack_size), OWNED)
        return 0

    def replace_irp(self, irp: int, ownership: int) -> None:
        """Another IRP in place of the present one, which goes if it was the request's own. Facts: KMDF-CHG-07, KMDF-REU-11."""
        if self.irp and self.ownership == OWNED:
            wdm.free_irp(self.m, self.irp)
        self.irp, self.ownership, self.completed = irp, ownership, not irp

    def reinitialise(self, value: int) -> None:
        """Reset the IRP for another use; a driver's own is its driver's business. Facts: KMDF-REU-07, 10, 12."""
        if self.ownership == OWNED:
            wdm.reuse_irp(self.m, self.irp, value)
        elif self.ownership == QUEUE:
            self.set_status(value)
            self.m.set_u8(self.irp + self.layout.irp_cancel, 0)

    def cancel_sent(self) -> int:
        """The one way a request out at a target is cancelled; TRUE when a cancel routine was called.

        Facts: KMDF-CAN-01 to 07, 13, KMDF-TMO-03.
        """
        self.cancelled = True
        if not self.outstanding or self.target is None:
            return 0
        self.outstanding += 1
        called = self.target.cancel_irp(self)
        self.outstanding -= 1
        if not self.outstanding:
            self.target.finish(self)
        return called

    def on_dispose(self) -> None:
        """Facts: KMDF-FMT-08, RULE-23."""
        if self.outstanding and self.ownership != QUEUE:
            self.framework.breakpoint("kmdf-deleted-while-sent", self)
        elif self.context is not None:
            self.context.release(self)

    def on_destroy(self) -> None:
        """Facts: KMDF-CFI-02, KMDF-TMO-05."""
        if self.context is not None:
            self.context.free(self)
        self.replace_irp(0, DRIVER)
