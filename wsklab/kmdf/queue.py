"""WDFQUEUE: how a received IRP becomes a request in the driver's hands.

An IRP that arrives is wrapped, marked pending and put at the end of the queue; `pump` presents requests as the dispatch type
allows. A sequential queue presents the next one when the driver no longer owns the last: sending it to a target does not count
(KMDF-QUE-08). Requeue, forward, stop, purge, drain and cancel callbacks are not modelled yet; the machine says their names.

Facts: KMDF-QUE. Pages: managing-i-o-queues.md, request-handlers.md.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from wsklab.kmdf import wdm
from wsklab.kmdf.core import Framework, Given, Out, table, wdf
from wsklab.kmdf.objects import Object, creation
from wsklab.kmdf.request import QUEUE, Request
from wsklab.kmdf.wdm import MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL, MJ_READ, MJ_WRITE, TRANSFERS
from wsklab.machine import status

if TYPE_CHECKING:
    from wsklab.kmdf.device import Device

SEQUENTIAL, PARALLEL, MANUAL = 1, 2, 3
HANDLERS = {
    MJ_READ: "EvtIoRead",
    MJ_WRITE: "EvtIoWrite",
    MJ_DEVICE_CONTROL: "EvtIoDeviceControl",
    MJ_INTERNAL_DEVICE_CONTROL: "EvtIoInternalDeviceControl",
}


class Queue(Object):
    """One queue. `waiting` holds requests not presented yet, `owned` those in the driver's hands."""

    KIND: ClassVar[str] = "WDFQUEUE"
    TYPE: ClassVar[int] = 0x1003
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, parent: Object, device: Device, config: Any, handlers: dict[str, int]) -> None:
        super().__init__(fw, parent)
        self.device, self.dispatch, self.handlers = device, config.DispatchType, handlers
        self.limit = config.Settings.Parallel.NumberOfPresentedRequests if self.dispatch == PARALLEL else 1
        self.zero_length = bool(config.AllowZeroLengthRequests)
        self.waiting: deque[Request] = deque()
        self.owned: dict[int, Request] = {}
        self.pumping = False

    def arrived(self, irp: int) -> int:
        """An IRP for this queue. Always STATUS_PENDING. Facts: KMDF-QUE-04, 06, KMDF-OBJ-06."""
        wdm.mark_pending(self.m, irp)
        request = Request(self.fw, None, QUEUE, irp)
        request.deletable, request.queue, here = False, self, request.here
        if here.MajorFunction in TRANSFERS and not here.Parameters.Read.Length and not self.zero_length:
            self._finish(request, status.SUCCESS)
        else:
            request.commit(self.device.request_attributes)
            self.waiting.append(request)
            wdm.set_cancel(self.m, irp, lambda: self._cancelled(request))
            self.pump()
        return int(status.PENDING)

    def _cancelled(self, request: Request) -> None:
        """A request that was never presented is completed by the framework. Facts: KMDF-QUE-20."""
        self.waiting.remove(request)
        self._finish(request, status.CANCELLED)

    def _finish(self, request: Request, value: int) -> None:
        """Complete a request that the driver never saw."""
        irp = request.irp
        request.irp, request.completed, request.death = 0, True, "completed"
        wdm.complete(self.m, irp, value, 0)
        request.delete()

    def pump(self) -> None:
        """Present what may be presented; a completion inside a handler does not recurse. Facts: KMDF-QUE-08 to 10."""
        if self.pumping or self.dispatch == MANUAL:
            return
        self.pumping = True
        try:
            while self.waiting and self.device.started and len(self.owned) < self.limit:
                self._present(self.take())
        finally:
            self.pumping = False

    def take(self) -> Request:
        """The next request passes into the driver's hands."""
        request = self.waiting.popleft()
        wdm.set_cancel(self.m, request.irp, None)
        request.driver_owned = True
        self.owned[request.handle] = request
        return request

    def _present(self, request: Request) -> None:
        """Call the handler for a request. Facts: KMDF-QUE-05, 11."""
        here, control = request.here, request.here.Parameters.DeviceIoControl
        handler = self.handlers.get(HANDLERS.get(here.MajorFunction, ""), 0)
        if handler and here.MajorFunction in TRANSFERS:
            self.fw.run(handler, self.handle, request.handle, here.Parameters.Read.Length)
        elif handler:
            values = (control.OutputBufferLength, control.InputBufferLength, control.IoControlCode)
            self.fw.run(handler, self.handle, request.handle, *values)
        elif self.handlers["EvtIoDefault"]:
            self.fw.run(self.handlers["EvtIoDefault"], self.handle, request.handle)
        else:
            del self.owned[request.handle]
            self._finish(request, status.INVALID_DEVICE_REQUEST)

    @wdf("WdfIoQueueRetrieveNextRequest")
    def retrieve(self, out: Out) -> int:
        """Take the next request from a manual or sequential queue. Facts: KMDF-QUE-14."""
        if self.dispatch == PARALLEL:
            return status.INVALID_DEVICE_STATE
        if not self.device.started or not self.waiting:
            return status.NO_MORE_ENTRIES if self.device.started else status.WDF_PAUSED
        self.m.set_u64(out, self.take().handle)
        return 0

    def returned(self, request: Request) -> None:
        """The driver no longer owns a request."""
        self.owned.pop(request.handle, None)
        self.pump()

    def on_disposed(self) -> None:
        """Requests never presented are cancelled; one still in the driver's hands would hang the removal. Facts: RULE-42."""
        while self.waiting:
            request = self.waiting.popleft()
            wdm.set_cancel(self.m, request.irp, None)
            self._finish(request, status.CANCELLED)
        if self.owned:
            self.fw.stop("kmdf-request-never-completed", next(iter(self.owned.values())), count=str(len(self.owned)))


@wdf()
def WdfIoQueueCreate(fw: Framework, device: Device, config: Given, attributes: int, out: int) -> int:
    """A queue of a device. Facts: KMDF-QUE-01, 02, KMDF-OBJ-05."""
    answer, parent = creation(fw, attributes, ("parent", "scope", "level"), device)
    given = fw.m.view(config, "WDF_IO_QUEUE_CONFIG")
    handlers = {name: int(getattr(given, name)) for name in ("EvtIoDefault", *HANDLERS.values())}
    answer = answer or _validate(device, given, any(handlers.values()), out)
    if answer < 0:
        return answer
    queue = Queue(fw, parent, device, given, handlers)
    if given.DefaultQueue:
        device.default_queue, queue.deletable = queue, False
    return queue.commit(attributes, out)


def _validate(device: Device, config: Any, handled: bool, out: int) -> int:
    """Facts: KMDF-QUE-01."""
    kind, default = config.DispatchType, bool(config.DefaultQueue)
    checks = (
        (config.Size != device.m.sizeof("WDF_IO_QUEUE_CONFIG"), status.INFO_LENGTH_MISMATCH),
        (not default and not out, status.INVALID_PARAMETER_4),
        (default and device.started and device.pnp, status.INVALID_DEVICE_STATE),
        (not SEQUENTIAL <= kind <= MANUAL, status.INVALID_PARAMETER),
        (kind != MANUAL and not handled, status.WDF_NO_CALLBACK),
        (kind == MANUAL and handled, status.INVALID_PARAMETER),
        (kind != PARALLEL and config.Settings.Parallel.NumberOfPresentedRequests != 0, status.INVALID_PARAMETER),
        (default and device.default_queue is not None, status.UNSUCCESSFUL),
    )
    return next((value for wrong, value in checks if wrong), 0)


table("Queue", {"WdfIoQueueGetDevice": ("The device a queue belongs to.", lambda queue: queue.device.handle)})
