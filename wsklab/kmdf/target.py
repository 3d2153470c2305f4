"""WDFIOTARGET: where requests are sent, its states, its lists, and the way down and back.

A target keeps requests on three lists, oldest first: pended (held while stopped), sent, and sent regardless of the state
(KMDF-STA-12). Exactly one party reaches `finish`, the way back, per accepted send (KMDF-CPL-04).

Facts: KMDF-TGT, KMDF-STA, KMDF-SND, KMDF-CPL, KMDF-PND, KMDF-TSS, KMDF-IOT.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from wsklab.kmdf import wdm
from wsklab.kmdf.application import find
from wsklab.kmdf.core import Framework
from wsklab.kmdf.format import COMPLETION_PARAMS, TYPE_NO_FORMAT
from wsklab.kmdf.memory import Borrowed, Memory
from wsklab.kmdf.objects import Object
from wsklab.kmdf.private import Private
from wsklab.kmdf.request import QUEUE, Request
from wsklab.machine import Wait, status
from wsklab.machine.functions_memory import text_of
from wsklab.machine.functions_sync import deadline_of

STARTED, STOPPED, CLOSED_FOR_QUERY_REMOVE, CLOSED, DELETED, PURGED = range(1, 7)
STATES = ("Undefined", "Started", "Stopped", "ClosedForQueryRemove", "Closed", "Deleted", "Purged")
TIMEOUT, SYNCHRONOUS, IGNORE_STATE, FORGET, ALL_FLAGS = 1, 2, 4, 8, 0xF
BY_NAME, REOPEN = 2, 3
CALLBACKS = ("EvtIoTargetQueryRemove", "EvtIoTargetRemoveCanceled", "EvtIoTargetRemoveComplete")
Waiting = Generator[Wait, Any, None]

SEND, PEND, REFUSE = "sent now", "pended", "refused"
# What a send meets in each state: without options, with IGNORE_TARGET_STATE, with it while removal drains (KMDF-STA-01, 08,
# KMDF-MIS-45).
ON_SEND = {
    STARTED: (SEND, SEND, SEND),
    STOPPED: (PEND, SEND, SEND),
    CLOSED_FOR_QUERY_REMOVE: (REFUSE, REFUSE, SEND),
    CLOSED: (REFUSE, REFUSE, SEND),
    DELETED: (REFUSE, REFUSE, SEND),
    PURGED: (REFUSE, SEND, SEND),
}


class IoTarget(Object, kind="WDFIOTARGET", number=0x1200, passive=True):
    """One I/O target. `stack_size` 0 means closed or never opened, also when it is Started (KMDF-TGT-08, KMDF-MIS-46)."""

    remote = False

    def __init__(self, fw: Framework, parent: Object) -> None:
        super().__init__(fw, parent)
        self.device: Any = parent
        while self.device.KIND != "WDFDEVICE":
            self.device = self.device.parent
        self.target_state, self.removing, self.draining = STARTED, False, 0
        self.target_device = self.file_object = self.file_handle = self.stack_size = self.io_type = self.io_count = 0
        self.pended, self.sent, self.ignored = (dict[int, Request]() for _ in range(3))

    def attach(self, device_object: int) -> None:
        """Remember the device below and what its flags say. Facts: KMDF-TGT-07."""
        self.target_device = device_object
        self.stack_size = self.m.view(device_object, "DEVICE_OBJECT").StackSize
        self.io_type = wdm.io_type(self.m, device_object)

    @property
    def physical_device(self) -> int:
        """The device at the bottom of the stack behind it, 0 when closed."""
        return wdm.bottom(self.m, self.target_device) if self.target_device else 0

    def memory_over(self, buffer: int, size: int, mdl: int) -> Memory:
        """A memory object over the buffer (of the MDL) that a memory descriptor names. Facts: KMDF-SSY-14."""
        return Borrowed(self.fw, None, buffer, size, mdl)

    def own_request(self) -> Request:
        """The request of a synchronous sender that brings none. Facts: KMDF-SSY-05."""
        return Request(self.fw, None)

    def _set_state(self, state: int) -> None:
        self.target_state = state
        self.fw.event("state", f"I/O target {STATES[state]}", self.address, state=STATES[state])

    def submit(self, request: Request, flags: int, timeout: int) -> tuple[int, bool]:
        """Take a request for sending: (status, whether it goes down). Facts: KMDF-SND-08 to 17, KMDF-STA-11, KMDF-PND-03."""
        timed = bool(timeout) and not flags & SYNCHRONOUS
        if request.outstanding:
            self.fw.stop("kmdf-request-already-sent", request, irp=request.irp, target=self.handle)
        if self.fw.checking and not self._passes(request):
            return status.REQUEST_NOT_ACCEPTED, False
        if timed and request.allocate_timer() < 0:
            return status.INSUFFICIENT_RESOURCES, False
        action = ON_SEND[self.target_state][0 if not flags & IGNORE_STATE else 2 if self.removing else 1]
        if action == REFUSE:
            if self.target_state == PURGED:
                self.fw.relies("kmdf-purged-target-refuses", request, target=self.handle)
            return status.INVALID_DEVICE_STATE, False
        if request.cancelled or (action == PEND and request.packet.Cancel):
            return status.CANCELLED, False
        self._accept(request, self.pended if action == PEND else self.ignored if flags & IGNORE_STATE else self.sent)
        if timed:  # below zero relative, above zero a date (KMDF-OPT-05, KMDF-TMO-01, KMDF-TMO-09, KMDF-MIS-26)
            delay = deadline_of(self.m, timeout) - self.m.time
            request.stop_timer = self.m.after(delay, lambda: self.time_out(request), irql=2)
        return 0, action == SEND

    def _passes(self, request: Request) -> bool:
        """The verifier's tests. Facts: KMDF-SND-10, RULE-08, 14."""
        left = request.locations_left if request.irp else 0
        if not request.formatted:
            self.fw.breakpoint("kmdf-request-unformatted", request, target=self.handle)
        elif left < self.stack_size:
            values = {"left": str(left), "needed": str(self.stack_size), "target": self.handle}
            self.fw.breakpoint("kmdf-too-few-stack-locations", request, **values)
        return request.formatted and left >= self.stack_size

    def _accept(self, request: Request, where: dict[int, Request]) -> None:
        """Bookkeeping of an accepted send. Facts: KMDF-SND-14, 16."""
        request.target, request.outstanding, request.irp_done, request.timed_out = self, 1, False, False
        request.references += 1
        self.io_count += 1
        where[request.handle] = request
        request.pended = where is self.pended
        if request.pended:
            self.fw.event("state", "pended in a stopped target", request.address, request.irp, self.address)
            if request.ownership == QUEUE:
                # Whoever made this IRP may cancel it while it waits here (KMDF-PND-02).
                wdm.set_cancel(self.m, request.irp, lambda: self.fail(request, status.CANCELLED))

    def send_down(self, request: Request) -> None:
        """Install the WDM completion routine and pass the IRP down. Facts: KMDF-SND-16, 18, KMDF-FMT-10, KMDF-TSS-10."""
        irp, below = request.irp, request.location(1)
        wdm.rearm(self.m, irp)
        below.CompletionRoutine, below.Context, below.Control = self.fw.completion_address, request.handle, 0xE0
        name = wdm.major_name(below.MajorFunction)
        self.fw.event("message", name, request.address, irp, self.address, target="device", text=name, device=self.device.object)
        wdm.call_driver(self.m, self.target_device, irp)

    def time_out(self, request: Request) -> None:
        """The time of a request is over: it is cancelled like any other. Facts: KMDF-TMO-02 to 04, KMDF-SYN-03, KMDF-PND-06."""
        if request.outstanding and not request.irp_done:
            self.fw.event("state", "request timed out", request.address, request.irp)
            request.timed_out = True
            request.cancel_sent()

    def came_back(self, request: Request) -> None:
        """The IRP came back: the WDM completion routine of the framework. Facts: KMDF-CPL-01, 02."""
        self.fw.event("state", "request back", request.address, request.irp, device=self.device.object)
        if request.ownership == QUEUE and request.waiting is None and request.packet.PendingReturned:
            wdm.mark_pending(self.m, request.irp)
        self._settle(request)

    def _settle(self, request: Request) -> None:
        """Stop the timer; the last party that holds a count finishes. Facts: KMDF-CPL-03, 04."""
        request.irp_done = True
        request.stop_timer()
        request.outstanding -= 1
        if not request.outstanding:
            self.finish(request)

    def fail(self, request: Request, value: int) -> None:
        """End a request that never went down. Facts: KMDF-PND-02, 05, 09."""
        self._no_longer_pended(request)
        request.packet.IoStatus.Status, request.packet.IoStatus.Information = value, 0
        self._settle(request)

    def _no_longer_pended(self, request: Request) -> None:
        self.pended.pop(request.handle, None)
        request.pended = False
        if request.ownership == QUEUE:
            wdm.set_cancel(self.m, request.irp, None)

    def finish(self, request: Request) -> None:
        """Give the request back to the driver. Facts: KMDF-CPL-05 to 10, KMDF-CRT-02, 13 to 15, KMDF-MUL-06, 11, KMDF-MIS-25."""
        for requests in (self.pended, self.sent, self.ignored):
            requests.pop(request.handle, None)
        if request.timed_out and request.packet.IoStatus.Status == status.CANCELLED:
            request.packet.IoStatus.Status = status.IO_TIMEOUT
        request.formatted = False
        if request.context is not None:
            request.context.completed()
        waiting, request.waiting = request.waiting, None
        self._call_routine(request)
        if waiting is not None:
            waiting.append(True)
        self.io_count -= 1
        request.release()
        self._removed_when_empty()

    def _call_routine(self, request: Request) -> None:
        """Facts: KMDF-CRT-02, 07 to 10, 12, 18."""
        (routine, context), request.routine = request.routine, (0, 0)
        if routine and request.context is not None and request.context.active:
            self.fw.call(routine, request.handle, self.handle, request.context.params, context)
        elif routine:
            params = self.m.view(self.m.new(COMPLETION_PARAMS), COMPLETION_PARAMS)
            params.Type, outcome = TYPE_NO_FORMAT, request.packet.IoStatus
            params.IoStatus.Status, params.IoStatus.Information = outcome.Status, outcome.Information
            self.fw.call(routine, request.handle, self.handle, int(params), context)
            self.m.free(int(params))

    def start(self) -> int:
        """Send again; what was pended goes down, untimed. Facts: KMDF-STA-05, KMDF-TSS-01, KMDF-PND-04, 05, KMDF-MIS-27."""
        if self.target_state == DELETED:
            return int(status.INVALID_DEVICE_STATE)
        self._set_state(STARTED)
        for request in list(self.pended.values()):
            request.stop_timer()
            if self.target_state != STARTED:
                self.fail(request, status.INVALID_DEVICE_STATE)
            else:
                self._no_longer_pended(request)
                self.sent[request.handle] = request
                self.send_down(request)
        return 0

    def become(self, state: int) -> None:
        """Another state for what is started, stopped or purged; others stay. Facts: KMDF-STA-03, 04."""
        if self.target_state in (STARTED, STOPPED, PURGED) and self.target_state != state:
            self._set_state(state)

    def drained(self, ignored: int = False) -> Waiting:
        """Wait until the last completion routine has returned. Facts: KMDF-CPL-06, KMDF-STA-12, KMDF-TSS-03."""

        def done() -> bool:
            return self.io_count <= len(self.pended) + (0 if ignored else len(self.ignored))

        if not done():
            self.draining += 1
            yield Wait(done, None, ("WDFIOTARGET", self.address))
            self.draining -= 1

    def settled(self) -> Waiting:
        """Wait until nobody waits any more for what was sent. Facts: KMDF-STA-06."""
        if self.draining:
            yield Wait(lambda: not self.draining, None, ("WDFIOTARGET", self.address))

    def fail_pended(self) -> None:
        """Facts: KMDF-PND-09, 10."""
        for request in [*self.pended.values()]:
            self.fail(request, status.WDF_DEVICE_REMOVED_NOT_SENT)

    def cancel_all(self, *more: Request) -> None:
        """Cancel what is sent, oldest first. Facts: KMDF-STA-14."""
        for request in (*self.sent.values(), *more):
            request.cancel_sent()

    def end(self, state: int) -> None:
        """Fail what is pended, cancel what is out; the last one back clears the device pointers. Facts: KMDF-STA-07, 08."""
        if self.target_state not in (DELETED, state):
            self._set_state(state)
        self.removing = True
        self.fail_pended()
        self.cancel_all(*self.ignored.values())
        self._removed_when_empty()

    def _removed_when_empty(self) -> None:
        if self.removing and not self.sent and not self.ignored:
            self.removing = False
            self.target_device = self.file_object = self.stack_size = self.io_type = 0

    def on_disposed(self) -> None:
        """Facts: KMDF-STA-07, KMDF-STA-15, KMDF-TSS-11, 12."""
        self.end(DELETED)


class SelfTarget(IoTarget, number=0x1205):
    """A device as a target of its own requests, which its queues get. Facts: KMDF-TGT-06."""

    def __init__(self, fw: Framework, parent: Object) -> None:
        super().__init__(fw, parent)
        self.deletable = False
        self.attach(self.device.object)

    def send_down(self, request: Request) -> None:
        """To the device's queues, past its other callbacks and past the devices above it."""
        self.device.own.FromSelf = 1
        super().send_down(request)


class UsbTarget(Private, IoTarget):
    """The device below as a USB device, or one of its pipes: the functions are C in ``include/wdfusb*.c``."""

    def __init__(self, fw: Framework, parent: Object) -> None:
        super().__init__(fw, parent)
        self.attach(self.device.lower)


for _kind, _number, _structure in (("WDFUSBDEVICE", 0x1202, "FX_USB_DEVICE"), ("WDFUSBPIPE", 0x1203, "FX_USB_PIPE")):
    type(_kind, (UsbTarget,), {"__doc__": f"A {_kind}."}, kind=_kind, number=_number, structure=_structure)


class RemoteTarget(IoTarget, number=0x1201):
    """A target made by WdfIoTargetCreate: opened and closed by the driver.

    `name` and `told` (the removal callbacks) are those of the last open by name or with a file; `watched` is the bottom of the
    device stack whose removal is told to it, 0 for none (KMDF-IOT-11, 12, 14).
    """

    def __init__(self, fw: Framework, parent: Object) -> None:
        super().__init__(fw, parent)
        self.remote = True
        self.name, self.opening, self.watched, self.told = "", False, 0, tuple[int, ...]((0, 0, 0))

    def open(self, params: int = 0) -> Generator[Wait, Any, int]:
        """Put a device behind it: one that is given, or the one of a name; without `params` as the last time."""
        if self.target_state == DELETED or self.target_device or self.opening:
            return int(status.INVALID_DEVICE_STATE)
        given = self.m.view(params, "WDF_IO_TARGET_OPEN_PARAMS")
        kind = given.Type if params else REOPEN
        if kind != REOPEN:
            self.told = tuple(int(getattr(given, name)) for name in CALLBACKS)
            self.name = text_of(self.m, int(given.TargetDeviceName)) if kind == BY_NAME else ""
        device, file = int(given.TargetDeviceObject) if not self.name else 0, int(given.TargetFileObject) if not self.name else 0
        if self.name:
            try:
                found, _ = find(self.m, self.name)
            except ValueError:
                return int(status.OBJECT_NAME_NOT_FOUND)
            self.opening = True
            answer, device, file = yield from wdm.open_file(self.m, found)
            self.opening = False
            if answer < 0:
                return answer
            self.file_handle = 0xFFFF_FFFF_8000_0000 | self.address & 0xFFFF_FFFC
        self.attach(device)
        self.file_object, self.watched = file, wdm.bottom(self.m, device) if file else 0
        return self.start()

    def close(self, state: int) -> Waiting:
        """Cancel what is out, wait for it, let the device go. Facts: KMDF-IOT-08, 09, 12."""
        file = self._take_file()
        self.watched = self.watched if state == CLOSED_FOR_QUERY_REMOVE else 0
        self.end(state)
        yield from self._shut(file)

    def _take_file(self) -> tuple[int, int] | None:
        taken = (self.target_device, self.file_object) if self.file_handle else None
        self.file_handle = 0
        return taken

    def _shut(self, file: tuple[int, int] | None) -> Waiting:
        yield from self.drained(ignored=True)
        if file:
            yield from wdm.close_file(self.m, *file)

    def on_disposed(self) -> None:
        """Facts: KMDF-STA-07, 15, KMDF-IOT-15."""
        file = self._take_file()
        super().on_disposed()
        if file:
            self.m.start_thread(self._shut(file), "close of a target's file")


def removal(fw: Framework, bottom: int, event: int) -> Generator[Wait, Any, bool]:
    """Tell the targets that are open to a device stack what becomes of it: 0 query remove, 1 remove cancelled, 2 removed.

    A callback does all itself; without one the framework closes and reopens. False when one refuses. Facts: KMDF-IOT-11 to 14.
    """
    for target in [obj for obj in fw.live.values() if isinstance(obj, RemoteTarget) and obj.watched == bottom]:
        if target.told[event]:
            answer = yield from fw.m.call_waiting(target.told[event], target.handle, actor="framework")
            if event == 0 and answer < 0:
                return False
        elif event != 1:
            yield from target.close(CLOSED if event else CLOSED_FOR_QUERY_REMOVE)
        elif target.name:
            yield from target.open()
    return True
