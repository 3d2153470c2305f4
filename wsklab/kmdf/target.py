"""WDFIOTARGET: where requests are sent, its states, its lists, and the way down and back.

A target keeps requests on three lists, oldest first: pended (held while stopped), sent, and sent regardless of the state
(KMDF-STA-12). `submit` is the framework's SubmitLocked: the order of its checks is KMDF-SND-08 to 17, the states are `ON_SEND`.
`finish` is the way back: exactly one party reaches it per accepted send (KMDF-CPL-04).

Facts: KMDF-TGT, KMDF-STA, KMDF-SND, KMDF-CPL, KMDF-PND, KMDF-TSS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wsklab.kmdf import wdm
from wsklab.kmdf.layout import SL_INVOKE_ALL, TYPE_NO_FORMAT, major_name
from wsklab.kmdf.objects import Framework, Object
from wsklab.kmdf.request import QUEUE, Request
from wsklab.machine import status
from wsklab.machine.functions_sync import SYSTEM_TIME_AT_START

if TYPE_CHECKING:
    from wsklab.kmdf.device import Device

STARTED, STOPPED, CLOSED_FOR_QUERY_REMOVE, CLOSED, DELETED, PURGED = range(1, 7)
STATES = ("Undefined", "Started", "Stopped", "ClosedForQueryRemove", "Closed", "Deleted", "Purged")
TIMEOUT, SYNCHRONOUS, IGNORE_STATE, FORGET = 1, 2, 4, 8

SEND, PEND, REFUSE = "sent now", "pended", "refused"
# What a send meets in each state: without options, with IGNORE_TARGET_STATE, with it while removal drains (KMDF-STA-01, 08).
ON_SEND = {
    STARTED: (SEND, SEND, SEND),
    STOPPED: (PEND, SEND, SEND),
    CLOSED_FOR_QUERY_REMOVE: (REFUSE, REFUSE, SEND),
    CLOSED: (REFUSE, REFUSE, SEND),
    DELETED: (REFUSE, REFUSE, SEND),
    PURGED: (REFUSE, SEND, SEND),
}


class IoTarget(Object):
    """One I/O target. `stack_size` 0 means closed or never opened (KMDF-TGT-08)."""

    KIND: ClassVar[str] = "WDFIOTARGET"
    TYPE: ClassVar[int] = 0x1200
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, parent: Object, device: Device) -> None:
        super().__init__(fw, parent)
        self.device = device
        self.target_device = self.file_object = self.stack_size = self.io_type = self.io_count = 0
        self.target_state = STARTED
        self.removing = False
        self.pended: dict[int, Request] = {}
        self.sent: dict[int, Request] = {}
        self.ignored: dict[int, Request] = {}
        self.opened_by_name = ""

    def attach(self, device_object: int) -> None:
        """Remember the device below and what its flags say. Facts: KMDF-TGT-07."""
        self.target_device = device_object
        self.stack_size = self.m.u8(device_object + self.framework.layout.device_stack_size)
        self.io_type = wdm.io_type(self.m, device_object)

    def set_state(self, state: int) -> None:
        """Change the state and say so in the trace."""
        self.target_state = state
        self.framework.event("state", f"I/O target {STATES[state]}", self.address, state=STATES[state])

    # Down

    def submit(self, request: Request, flags: int, timeout: int) -> tuple[int, bool]:
        """Take a request for sending: (status, whether it is to go down now). Facts: KMDF-SND-08 to 17, KMDF-PND-03."""
        fw, timed = self.framework, bool(timeout) and not flags & SYNCHRONOUS
        if request.outstanding:
            fw.stop("kmdf-request-already-sent", request, irp=request.irp, target=self.handle)
        if fw.checking and not self._passes(request):
            return status.REQUEST_NOT_ACCEPTED, False
        if timed and not request.has_timer:
            if fw.fails():
                return status.INSUFFICIENT_RESOURCES, False
            request.has_timer = True
        action = ON_SEND[self.target_state][0 if not flags & IGNORE_STATE else 2 if self.removing else 1]
        if action == REFUSE:
            return status.INVALID_DEVICE_STATE, False
        if request.cancelled or (action == PEND and self.m.u8(request.irp + request.layout.irp_cancel)):
            return status.CANCELLED, False
        self._accept(request, self.pended if action == PEND else self.ignored if flags & IGNORE_STATE else self.sent)
        if timed:
            self._start_timer(request, timeout)
        return 0, action == SEND

    def _passes(self, request: Request) -> bool:
        """The verifier's tests. Facts: KMDF-SND-10, RULE-08, 14."""
        left = request.locations_left if request.irp else 0
        if not request.formatted and not request.next_formatted:
            self.framework.breakpoint("kmdf-request-unformatted", request, target=self.handle)
            return False
        if left < self.stack_size:
            values = {"left": str(left), "needed": str(self.stack_size), "target": self.handle}
            self.framework.breakpoint("kmdf-too-few-stack-locations", request, **values)
        return left >= self.stack_size

    def _accept(self, request: Request, where: dict[int, Request]) -> None:
        """Bookkeeping of an accepted send. Facts: KMDF-SND-14, 16."""
        request.target = self
        request.irp_done = request.timed_out = False
        request.references += 1
        request.outstanding = 1
        self.io_count += 1
        where[request.handle] = request
        request.pended = where is self.pended
        if request.pended:
            self.framework.event("state", "pended in a stopped target", request.address, self.address)
            if request.ownership == QUEUE:
                # Whoever made this IRP may cancel it while it waits here (KMDF-PND-02).
                wdm.set_cancel(self.m, request.irp, lambda: self.fail_pended(request, status.CANCELLED))

    def send_down(self, request: Request) -> None:
        """Install the WDM completion routine and pass the IRP to the device below. Facts: KMDF-SND-16, 18, KMDF-FMT-10."""
        m, lay, irp = self.m, request.layout, request.irp
        wdm.rearm(m, irp)
        location = request.next_location
        m.set_u64(location + lay.sl_routine, self.framework.completion_address)
        m.set_u64(location + lay.sl_context, request.handle)
        m.set_u8(location + lay.sl_control, SL_INVOKE_ALL)
        if m.trace.on:
            name = major_name(m.u8(location + lay.sl_major))
            self.framework.event("message", name, request.address, irp, self.address, target="device", text=name)
        wdm.call_driver(m, self.target_device, irp)

    def _start_timer(self, request: Request, timeout: int) -> None:
        """Facts: KMDF-TMO-01."""

        def expired() -> None:
            request.stop_timer = None
            if request.outstanding and not request.irp_done:
                self.time_out(request)

        request.stop_timer = self.m.after(delay_until(self.framework, timeout), expired, irql=2, name="request timer")

    def time_out(self, request: Request) -> None:
        """The time of a request is over: it is cancelled like any other. Facts: KMDF-TMO-02, 03, KMDF-SYN-03."""
        self.framework.event("state", "request timed out", request.address)
        request.timed_out = True
        request.cancel_sent()

    # Back

    def completion_routine(self, request: Request) -> None:
        """The IRP came back: the WDM completion routine of the framework. Facts: KMDF-CPL-01, 02."""
        pending = self.m.u8(request.irp + request.layout.irp_pending_returned)
        if request.ownership == QUEUE and request.waiting is None and pending:
            wdm.mark_pending(self.m, request.irp)
        self._settle(request)

    def _settle(self, request: Request) -> None:
        """Stop the timer; the last party that holds a count finishes. Facts: KMDF-CPL-03, 04."""
        request.irp_done = True
        _stop_timer(request)
        request.outstanding -= 1
        if not request.outstanding:
            self.finish(request)

    def cancel_irp(self, request: Request) -> int:
        """Cancel what this target holds or has sent. Facts: KMDF-CAN-02, 11, KMDF-PND-02."""
        if request.pended:
            self.fail_pended(request, status.CANCELLED)
            return 1
        return wdm.cancel(self.m, request.irp)

    def fail_pended(self, request: Request, value: int) -> None:
        """End a request that never went down. Facts: KMDF-PND-02, 05, 09."""
        self._no_longer_pended(request)
        request.set_status(value)
        self.m.set_u64(request.irp + request.layout.irp_information, 0)
        self._settle(request)

    def _no_longer_pended(self, request: Request) -> None:
        self.pended.pop(request.handle, None)
        request.pended = False
        if request.ownership == QUEUE:
            wdm.clear_cancel(self.m, request.irp)

    def finish(self, request: Request) -> None:
        """Give the request back to the driver. Facts: KMDF-CPL-05 to 10, KMDF-CRT-02, 13, 14."""
        for requests in (self.pended, self.sent, self.ignored):
            requests.pop(request.handle, None)
        if request.timed_out and self.m.i32(request.irp + request.layout.irp_status) == status.CANCELLED:
            request.set_status(status.IO_TIMEOUT)
        request.formatted = False
        if request.context is not None:
            request.context.completed(request)
        waiting, request.waiting = request.waiting, None
        self._call_routine(request)
        if waiting is not None:
            waiting.append(True)
        self.io_count -= 1
        request.release()
        if self.removing and not self.sent and not self.ignored:
            self._removed()

    def _call_routine(self, request: Request) -> None:
        """Facts: KMDF-CRT-02, 07, 10, 12."""
        fw, m, lay = self.framework, self.m, request.layout
        routine, context = request.routine, request.routine_context
        request.routine = request.routine_context = 0
        if routine and request.context is not None and request.context.active:
            fw.call(routine, request.handle, self.handle, request.context.params, context)
        elif routine:
            params = m.allocate(lay.cp_size, kind="object", label="WDF_REQUEST_COMPLETION_PARAMS", zero=True)
            m.set_u32(params + lay.cp_type, TYPE_NO_FORMAT)
            m.set_i32(params + lay.cp_status, m.i32(request.irp + lay.irp_status))
            m.set_u64(params + lay.cp_information, m.u64(request.irp + lay.irp_information))
            fw.call(routine, request.handle, self.handle, params, context)
            m.free(params)

    # States

    def start(self) -> int:
        """Facts: KMDF-STA-05, KMDF-TSS-01, KMDF-PND-04, 05."""
        if self.target_state == DELETED:
            return int(status.INVALID_DEVICE_STATE)
        self.set_state(STARTED)
        for request in list(self.pended.values()):
            _stop_timer(request)
            if self.target_state != STARTED:
                self.fail_pended(request, status.INVALID_DEVICE_STATE)
            else:
                self._no_longer_pended(request)
                self.sent[request.handle] = request
                self.send_down(request)
        return 0

    def fail_all_pended(self) -> None:
        """Facts: KMDF-PND-09, 10."""
        for request in list(self.pended.values()):
            self.fail_pended(request, status.WDF_DEVICE_REMOVED_NOT_SENT)

    def cancel_all(self, requests: dict[int, Request]) -> None:
        """Cancel sent requests, oldest first. Facts: KMDF-STA-14, KMDF-CAN-13."""
        for request in list(requests.values()):
            request.cancel_sent()

    def close(self, state: int) -> None:
        """Fail what is pended, cancel what is out; the last one back clears the device pointers.

        Facts: KMDF-IOT-09, 12, KMDF-STA-07, 08.
        """
        if self.target_state not in (DELETED, state):
            self.set_state(state)
        self.removing = True
        self.fail_all_pended()
        self.cancel_all(self.sent)
        self.cancel_all(self.ignored)
        if self.removing and not self.sent and not self.ignored:
            self._removed()

    def _removed(self) -> None:
        self.removing = False
        self.target_device = self.file_object = self.stack_size = self.io_type = 0

    def on_disposed(self) -> None:
        """Facts: KMDF-STA-07, KMDF-STA-15, KMDF-TSS-11, 12."""
        self.close(DELETED)


class RemoteTarget(IoTarget):
    """A target made by WdfIoTargetCreate: opened and closed by the driver."""

    TYPE: ClassVar[int] = 0x1201


def _stop_timer(request: Request) -> None:
    if request.stop_timer is not None:
        request.stop_timer()
        request.stop_timer = None


def delay_until(fw: Framework, timeout: int) -> int:
    """The delay in 100-ns units that a Timeout means: below zero relative, above zero a date since 1601. Facts: KMDF-OPT-05."""
    return -timeout if timeout < 0 else max(0, timeout - SYSTEM_TIME_AT_START - fw.m.time)
