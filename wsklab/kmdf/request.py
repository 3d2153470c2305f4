"""WDFREQUEST: one IRP and what the framework remembers about it, and the functions of a request's life.

Who made the IRP decides almost every rule (KMDF-WHO-02): QUEUE, presented by a queue; OWNED, made by the framework; DRIVER,
supplied by the driver. A request without an IRP counts as completed (KMDF-WHO-04). `outstanding` is the completion reference
count: whoever brings it to 0 runs the completion routine, once (KMDF-CPL-04). Short functions are C in include/wdfsent.c.
Facts: KMDF-WHO, KMDF-CRE, KMDF-CFI, KMDF-REU, KMDF-CHG, KMDF-GET.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, Given, Out, framework, wdf
from wsklab.kmdf.format import FormatContext
from wsklab.kmdf.objects import Object, creation
from wsklab.machine import Machine, View, status
from wsklab.machine.api import quiet
from wsklab.machine.functions_memory import c_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsklab.kmdf.device import Queue
    from wsklab.kmdf.target import IoTarget

QUEUE, OWNED, DRIVER = 0, 1, 2
SET_NEW_IRP, MUST_COMPLETE = 1, 2
COMPLETED = "kmdf-request-touched-after-completion"


class Request(Object, kind="WDFREQUEST", number=0x1008, structure="FX_REQUEST"):
    """One request: its IRP, the target it is out at or was last, the queue that presented it, what the last format left.

    `cancelled` is the sticky mark of WdfRequestCancelSentRequest (KMDF-CAN-04), `formatted` and `driver_owned` are marks of the
    verifier (KMDF-WHO-05 to 07), `next_formatted` is that of WdfRequestFormatRequestUsingCurrentType (KMDF-SAF-05). A synchronous
    sender waits until `waiting` has an element.
    """

    def __init__(self, fw: Framework, parent: Object | None, ownership: int = OWNED, irp: int = 0) -> None:
        super().__init__(fw, parent)
        self.irp, self.ownership, self.completed = irp, ownership, not irp
        self.cancelled = self.formatted = self.next_formatted = False
        self.has_timer = self.pended = self.irp_done = self.timed_out = self.from_irp = self.refused = False
        self.outstanding, self.routine = 0, (0, 0)
        self.context: FormatContext | None = None
        self.target: IoTarget | None = None
        self.stop_timer: Callable[[], None] = lambda: None
        self.waiting: list[bool] | None = None
        self.device: Any = None  # that it came for

    @property
    def driver_owned(self) -> bool:
        """Whether the driver owns it: the verifier's mark, which a send leaves alone. Facts: KMDF-WHO-05 to 07."""
        return bool(self.m.u8(self.address + self.m.offset("FX_REQUEST", "DriverOwned")))

    @property
    def queue(self) -> Queue | None:
        """The queue it is in or came from."""
        return cast("Queue | None", self.fw.live.get(self.m.u64(self.address + self.m.offset("FX_REQUEST", "Queue"))))

    @property
    def packet(self) -> View:
        """The IRP. Without one it is NULL, and a use of it is one of NULL, as on Windows (KMDF-SND-26)."""
        return self.m.view(self.irp, "IRP")

    def location(self, depth: int = 0) -> View:
        """The driver's own stack location (queue requests); the target will see the one below."""
        return wdm.location(self.m, self.irp, depth)

    @property
    def locations_left(self) -> int:
        """How many stack locations are left below the current one (KMDF-CHG-14)."""
        return int(self.packet.CurrentLocation) - 1

    @wdf("WdfRequestChangeTarget")
    def change_target(self, target: IoTarget) -> int:
        """Make sure that it can be sent to a target; un-formats it. Facts: KMDF-CHG-01 to 14, KMDF-CRE-06, KMDF-MUL-03."""
        if self.outstanding:
            self.fw.stop("kmdf-formatted-while-sent", self, irp=self.irp)
        if self.context is not None and self.irp:
            self.context.release()
            self.formatted = False
        if not target.stack_size:
            self.fw.relies("kmdf-closed-target-status", self, target=target.handle)
            return status.INVALID_DEVICE_STATE
        if self.irp and self.locations_left >= target.stack_size:
            return 0
        if self.irp and self.ownership != OWNED:
            return status.REQUEST_NOT_ACCEPTED
        if self.fw.fails():
            return status.INSUFFICIENT_RESOURCES
        self._replace_irp(io_irp.allocate(self.m, target.stack_size, maker=wdm.ME), OWNED)
        return 0

    def _replace_irp(self, irp: int, ownership: int) -> None:
        """Another IRP in place of the present one, which goes if it was the request's own. Facts: KMDF-CHG-07, KMDF-REU-11."""
        if self.irp and self.ownership == OWNED:
            io_irp.free(self.m, self.irp)
        self.irp, self.completed, self.ownership = irp, not irp, ownership

    @wdf("WdfRequestReuse")
    def reuse(self, reuse_params: Given) -> int:
        """Make a request fit for another use; a driver's own IRP is its driver's business. Facts: KMDF-REU-01 to 16, 18 to 20."""
        params = self.m.view(reuse_params, "WDF_REQUEST_REUSE_PARAMS")
        if params.Size != self.m.sizeof("WDF_REQUEST_REUSE_PARAMS") or params.Flags & ~(SET_NEW_IRP | MUST_COMPLETE):
            return status.INVALID_PARAMETER
        if params.Flags & MUST_COMPLETE:
            self.m.not_modelled("WdfRequestReuse with the must-complete flag")
        if self.outstanding:
            self.fw.breakpoint("kmdf-reused-while-sent", self, irp=self.irp)
        self.routine = (0, 0)
        if self.irp and self.context is not None:
            self.context.release()
        if params.Flags & SET_NEW_IRP:
            if self.ownership == QUEUE:
                return status.WDF_REQUEST_INVALID_STATE  # RULE-25
            if not self.from_irp:
                self.fw.relies("kmdf-new-irp-not-from-irp", self)
            self._replace_irp(int(params.NewIrp), DRIVER)
        if self.irp and self.ownership == OWNED:
            io_irp.reuse(self.m, self.irp, params.Status)
        elif self.irp and self.ownership == QUEUE:
            # Also when its sender has cancelled it (KMDF-MIS-09).
            self.packet.IoStatus.Status, self.packet.Cancel = params.Status, 0
        self.completed, self.cancelled = not self.irp, False
        return 0

    def begin_format(self, target: int, family: int) -> int:
        """What every format does first: the target check and a context of the family. Facts: KMDF-CHG-01, KMDF-FMT-13, 14."""
        answer = self.change_target(cast("IoTarget", self.fw.live[target]))
        if answer < 0:
            return answer
        if self.context is not None and self.context.family != family:
            self.context.free()
        if self.context is None:
            if self.fw.fails():
                return status.INSUFFICIENT_RESOURCES
            self.context = FormatContext(self, family)
        return 0

    def mark_formatted(self) -> None:
        """The next stack location has been filled by hand."""
        self.next_formatted = self.formatted = True

    def call_back(self, routine: int, context: int) -> None:
        """The completion routine for the next send, 0 for none. Facts: KMDF-CRT-01 to 06."""
        self.routine = (routine, context)

    def take_over(self) -> None:
        """The framework puts a routine of its own in the place of the driver's. Facts: KMDF-CRT-05, KMDF-SSY-10, 11."""
        self.routine = (self.fw.quiet_routine, 0)

    def unformat(self) -> None:
        """The format context goes. Facts: KMDF-SSY-02, 09."""
        if self.context is not None:
            self.context.free()

    @property
    def params(self) -> int:
        """The completion params, 0 when no format made any."""
        return self.context.params if self.context else 0

    @wdf("WdfRequestAllocateTimer")
    def allocate_timer(self) -> int:
        """Make the timer now, so that a send with a timeout cannot fail for lack of memory. Facts: KMDF-TMO-06 to 07."""
        self.has_timer = self.has_timer or not self.fw.fails()
        return 0 if self.has_timer else status.INSUFFICIENT_RESOURCES

    @wdf("WdfRequestCancelSentRequest")
    def cancel_sent(self) -> int:
        """Cancel a request out at a target; TRUE when a cancel routine was called.

        Who completes does not depend on that, and the mark stays. Facts: KMDF-CAN-01 to 14, 16, KMDF-TMO-03, KMDF-MIS-19, 22.
        """
        self.cancelled = True
        self.not_in_surprise("WdfRequestCancelSentRequest")
        if not self.outstanding or self.target is None:
            return 0
        self.outstanding += 1
        called = 1
        if self.pended:
            self.packet.Cancel = 1
            self.target.fail(self, status.CANCELLED)
        else:
            called = wdm.cancel(self.m, self.irp)
        self.outstanding -= 1
        if not self.outstanding:
            self.target.finish(self)
        return called

    def not_in_surprise(self, function: int | str) -> None:
        """Static analysis wants no completing or cancelling in EvtDeviceSurpriseRemoval. Facts: RULE-76."""
        if self.fw.strict and any(device.own.Surprised for device in self.fw.devices):
            name = function if isinstance(function, str) else c_text(self.m, function)
            self.fw.relies("kmdf-in-surprise-removal", self, function=name)

    def refuse(self, answer: int, rule: str = "", **values: str) -> int:
        """WdfRequestSend is about to return FALSE: the IRP's status says why. Facts: KMDF-SND-17, 27."""
        self.packet.IoStatus.Status, self.refused = answer, True
        self.fw.event("state", "not sent", self.address, self.irp, status=answer)
        if rule:
            self.fw.breakpoint(rule, self, **values)
        return 0

    def forget(self, device: int) -> None:
        """Pass it down and let go of it. Facts: KMDF-SAF-06 to 09."""
        irp = self.irp
        self.let_go("kmdf-request-touched-after-send-and-forget")
        self.fw.event("message", "send and forget", self.address, irp, target="device")
        wdm.call_driver(self.m, device, irp)
        self.gone()

    @property
    def has_routine(self) -> bool:
        """Whether the driver has set a completion routine for the next send."""
        return bool(self.routine[0])

    def arm(self, cancelled: int) -> int:
        """Let its IRP be cancelled: `cancelled` is called with the request then. FALSE when the IRP has been."""
        if self.packet.Cancel:
            return 0
        wdm.set_cancel(self.m, self.irp, lambda: self.m.call(cancelled, self.handle))
        return 1

    def disarm(self) -> None:
        """The IRP can no longer be cancelled."""
        wdm.set_cancel(self.m, self.irp, None)

    def let_go(self, death: str) -> None:
        """It is about to leave with its IRP; `death` is the rule that a later use breaks. Facts: KMDF-OBJ-27, KMDF-CMP-11."""
        self.death, own = death, self.m.view(self.address, "FX_REQUEST")
        self.fw.c("wsklab_request_leaves", self.handle)
        if not own.Reserved:
            self.dispose()
        memories = own.Memories
        held = sum(self.fw.get(int(memory), Object).references - 1 for memory in memories if memory)
        if held and death == COMPLETED:
            self.fw.stop("kmdf-memory-referenced", self, count=str(held), irp=self.irp)
        self.fw.c("wsklab_request_detached", self.handle)
        self.irp, self.completed = 0, True

    def finish(self, value: int, information: int | None = None) -> None:
        """Complete a received request, whoever has it. Facts: KMDF-CMP-01, KMDF-QUE-20."""
        irp = self.irp
        if self.context is not None:
            self.context.release()
        if value < 0 and self.device is not None and not self.location().MajorFunction:
            self.fw.c("wsklab_file_refused", self.handle)
        self.let_go(COMPLETED)
        wdm.complete(self.m, irp, value, information)
        self.gone()

    def gone(self) -> None:
        """It has left: its queue may present the next one, and its life ends. Facts: KMDF-CMP-12."""
        if not self.fw.c("wsklab_request_left", self.handle):
            self.give_up()

    def attach(self, irp: int) -> None:
        """One that was kept in reserve gets an IRP."""
        wdm.mark_pending(self.m, irp)
        own = self.m.view(self.address, "FX_REQUEST")
        own.Irp, own.Completed, self.irp, self.completed, self.cancelled, self.routine = irp, 0, irp, False, False, (0, 0)

    def drop(self) -> None:
        """It goes, and its IRP stays."""
        self.let_go("kmdf-stale-handle")
        self.give_up()

    def pass_down(self) -> None:
        """Pass a request that came for a filter on to the device below."""
        wdm.skip_location(self.m, self.irp)
        self.forget(self.device.lower)

    def on_dispose(self) -> None:
        """Facts: KMDF-FMT-08, RULE-23."""
        if self.outstanding and self.ownership != QUEUE:
            self.fw.breakpoint("kmdf-deleted-while-sent", self)
        elif self.context is not None:
            self.context.release()

    def on_destroy(self) -> None:
        """Facts: KMDF-CFI-02, KMDF-TMO-05."""
        self.unformat()
        self._replace_irp(0, DRIVER)


@quiet()
def wsklab_request_not_over(m: Machine, Request: int) -> None:
    """Stop when a request has been completed and is gone: somebody completes it once more. Facts: RULE-01."""
    fw = framework(m)
    if fw.dead.get(Request) == ("WDFREQUEST", COMPLETED):
        fw.stop_dead("kmdf-double-completion", Request)


@wdf()
def WdfRequestCreate(fw: Framework, attributes: int, target: IoTarget | None, out: Out) -> int:
    """A request of the driver's own; with a target it has an IRP of that target's stack size. Facts: KMDF-CRE-01 to 09."""
    answer, parent = creation(fw, attributes)
    if answer < 0 or fw.fails("WdfRequestCreate"):
        return answer if answer < 0 else status.INSUFFICIENT_RESOURCES
    request = Request(fw, parent)
    answer = request.change_target(target) if target else 0
    if answer < 0:
        request.delete()
    return answer if answer < 0 else request.commit(attributes, out, counts=False)


@wdf()
def WdfRequestCreateFromIrp(fw: Framework, attributes: int, irp: Given, frees: int, out: Out) -> int:
    """A request around an IRP of the driver's. Facts: KMDF-CFI-01 to 04."""
    answer, parent = creation(fw, attributes)
    if answer < 0 or fw.fails():
        return answer if answer < 0 else status.INSUFFICIENT_RESOURCES
    request = Request(fw, parent, OWNED if frees else DRIVER, irp)
    request.from_irp = True
    return request.commit(attributes, out, counts=not frees)
