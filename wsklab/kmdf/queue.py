"""WDFQUEUE: how a received IRP becomes a request in the driver's hands.

An IRP that arrives is wrapped, marked pending and put at the end of the queue; `pump` presents requests as the dispatch type
allows. A sequential queue presents the next one when the driver no longer owns the last: sending it to a target does not count
(KMDF-QUE-08). Requeue, forward, stop, purge, drain and cancel callbacks are not modelled yet; the machine says their names.

Facts: KMDF-QUE. Pages: managing-i-o-queues.md, request-handlers.md.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

from wsklab.kmdf import wdm
from wsklab.kmdf.attributes import BOTH, commit, creation
from wsklab.kmdf.layout import MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL, MJ_READ, MJ_WRITE
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.objects import Object as _Object
from wsklab.kmdf.request import QUEUE, Request
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, status, wdk

if TYPE_CHECKING:
    from wsklab.kmdf.device import Device

SEQUENTIAL, PARALLEL, MANUAL = 1, 2, 3
HANDLERS = {
    MJ_READ: "EvtIoRead",
    MJ_WRITE: "EvtIoWrite",
    MJ_DEVICE_CONTROL: "EvtIoDeviceControl",
    MJ_INTERNAL_DEVICE_CONTROL: "EvtIoInternalDeviceControl",
}
ALL_HANDLERS = ("EvtIoDefault", *HANDLERS.values())


class Queue(_Object):
    """One queue. `waiting` holds requests not presented yet, `owned` those in the driver's hands."""

    KIND: ClassVar[str] = "WDFQUEUE"
    TYPE: ClassVar[int] = 0x1003
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(
        self, fw: Framework, parent: _Object, device: Device, dispatch: int, limit: int, handlers: dict[str, int]
    ) -> None:
        super().__init__(fw, parent)
        self.device, self.dispatch, self.limit, self.handlers = device, dispatch, limit, handlers
        self.zero_length = False
        self.waiting: deque[Request] = deque()
        self.owned: dict[int, Request] = {}
        self.pumping = False

    def arrived(self, irp: int) -> int:
        """An IRP for this queue. Always STATUS_PENDING. Facts: KMDF-QUE-04, 06, KMDF-OBJ-06."""
        m, lay = self.m, self.framework.layout
        wdm.mark_pending(m, irp)
        request = Request(self.framework, None, QUEUE, irp)
        request.deletable = False
        request.queue = self
        here = request.current_location
        if m.u8(here + lay.sl_major) in (MJ_READ, MJ_WRITE) and not m.u32(here + lay.sl_length) and not self.zero_length:
            self.finish_unseen(request, status.SUCCESS)
            return int(status.PENDING)
        if self.device.request_attributes:
            commit(self.framework, request, self.device.request_attributes)
        self.waiting.append(request)
        wdm.set_cancel(self.m, irp, lambda: self._cancelled(request))
        self.pump()
        return int(status.PENDING)

    def _cancelled(self, request: Request) -> None:
        """A request that was never presented is completed by the framework. Facts: KMDF-QUE-20."""
        if request in self.waiting:
            self.waiting.remove(request)
            self.finish_unseen(request, status.CANCELLED)

    def finish_unseen(self, request: Request, value: int) -> None:
        """Complete a request that the driver never saw."""
        irp = request.irp
        request.irp, request.completed, request.death = 0, True, "completed"
        wdm.complete(self.m, irp, value, 0)
        request.delete()

    @property
    def ready(self) -> bool:
        """Whether another request may be presented. Facts: KMDF-QUE-08, 09."""
        if not self.waiting or self.dispatch == MANUAL or not self.device.started:
            return False
        return not self.owned if self.dispatch == SEQUENTIAL else len(self.owned) < self.limit

    def pump(self) -> None:
        """Present what may be presented; a completion inside a handler does not recurse. Facts: KMDF-QUE-10."""
        if self.pumping:
            return
        self.pumping = True
        try:
            while self.ready:
                self.present(self.take())
        finally:
            self.pumping = False

    def take(self) -> Request:
        """The next request passes into the driver's hands."""
        request = self.waiting.popleft()
        wdm.clear_cancel(self.m, request.irp)
        request.driver_owned = True
        self.owned[request.handle] = request
        return request

    def present(self, request: Request) -> None:
        """Call the handler for a request. Facts: KMDF-QUE-05, 11."""
        m, lay, here = self.m, self.framework.layout, request.current_location
        major = m.u8(here + lay.sl_major)
        handler = self.handlers.get(HANDLERS.get(major, ""), 0)
        if handler and major in (MJ_READ, MJ_WRITE):
            self.framework.run(handler, self.handle, request.handle, m.u32(here + lay.sl_length))
        elif handler:
            lengths = m.u32(here + lay.sl_output_length), m.u32(here + lay.sl_input_length)
            self.framework.run(handler, self.handle, request.handle, *lengths, m.u32(here + lay.sl_code))
        elif self.handlers.get("EvtIoDefault"):
            self.framework.run(self.handlers["EvtIoDefault"], self.handle, request.handle)
        else:
            del self.owned[request.handle]
            self.finish_unseen(request, status.INVALID_DEVICE_REQUEST)

    def returned(self, request: Request) -> None:
        """The driver no longer owns a request."""
        self.owned.pop(request.handle, None)
        self.pump()

    def on_disposed(self) -> None:
        """Requests never presented are cancelled; one still in the driver's hands would hang the removal. Facts: RULE-42."""
        while self.waiting:
            request = self.waiting.popleft()
            wdm.clear_cancel(self.m, request.irp)
            self.finish_unseen(request, status.CANCELLED)
        if self.owned:
            self.framework.stop("kmdf-request-never-completed", next(iter(self.owned.values())), count=str(len(self.owned)))


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoQueueCreate(m: Machine, Device: int, Config: int, QueueAttributes: int, Queue: int) -> int:
    """A queue of a device. Facts: KMDF-QUE-01, 02, KMDF-OBJ-05."""
    from wsklab.kmdf.device import Device as _Device

    fw = framework(m)
    device = fw.get(Device, _Device)
    fw.required(Config, "Config")
    if Queue:
        m.set_u64(Queue, 0)
    answer, parent = creation(fw, QueueAttributes, BOTH, device)
    if answer < 0 or parent is None:
        return answer
    config = m.view(Config, "WDF_IO_QUEUE_CONFIG")
    handlers = {name: int(getattr(config, name)) for name in ALL_HANDLERS}
    refused = _refused(m, device, config.Size, config.DefaultQueue, config.DispatchType, any(handlers.values()), Queue)
    if refused:
        return refused
    limit = config.Settings.Parallel.NumberOfPresentedRequests
    if config.DispatchType != PARALLEL and limit:
        return status.INVALID_PARAMETER
    if config.DefaultQueue and device.default_queue is not None:
        return status.UNSUCCESSFUL
    queue = _Queue(fw, parent, device, config.DispatchType, limit, handlers)
    queue.zero_length = bool(config.AllowZeroLengthRequests)
    answer = commit(fw, queue, QueueAttributes)
    if answer < 0:
        return answer
    if config.DefaultQueue:
        device.default_queue, queue.deletable = queue, False
    if Queue:
        m.set_u64(Queue, queue.handle)
    return 0


def _refused(m: Machine, device: Device, size: int, default: bool, dispatch: int, handled: bool, out: int) -> int:
    """Facts: KMDF-QUE-01."""
    if size != m.sizeof("WDF_IO_QUEUE_CONFIG"):
        return int(status.INFO_LENGTH_MISMATCH)
    if not default and not out:
        return int(status.INVALID_PARAMETER_4)
    if default and device.started and device.pnp:
        return int(status.INVALID_DEVICE_STATE)
    if not SEQUENTIAL <= dispatch <= MANUAL:
        return int(status.INVALID_PARAMETER)
    if dispatch != MANUAL and not handled:
        return int(status.WDF_NO_CALLBACK)
    return int(status.INVALID_PARAMETER) if dispatch == MANUAL and handled else 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoQueueGetDevice(m: Machine, Queue: int) -> int:
    """The device a queue belongs to."""
    return framework(m).get(Queue, _Queue).device.handle


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfIoQueueRetrieveNextRequest(m: Machine, Queue: int, OutRequest: int) -> int:
    """Take the next request from a manual or sequential queue. Facts: KMDF-QUE-14."""
    fw = framework(m)
    queue = fw.get(Queue, _Queue)
    fw.required(OutRequest, "OutRequest")
    m.set_u64(OutRequest, 0)
    if queue.dispatch == PARALLEL:
        return status.INVALID_DEVICE_STATE
    if not queue.device.started:
        return status.WDF_PAUSED
    if not queue.waiting:
        return status.NO_MORE_ENTRIES
    m.set_u64(OutRequest, queue.take().handle)
    return 0


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDeviceConfigureRequestDispatching(m: Machine, Device: int, Queue: int, RequestType: int) -> int:
    """Route one request type to a queue. Facts: KMDF-OBJ-17."""
    from wsklab.kmdf.device import Device as _Device

    fw = framework(m)
    device, queue = fw.get(Device, _Device), fw.get(Queue, _Queue)
    if RequestType not in HANDLERS:
        return status.INVALID_PARAMETER
    if RequestType in device.queues:
        return status.WDF_BUSY
    device.queues[RequestType] = queue
    queue.deletable = False
    return 0


_Queue = Queue
# Parameters carry the names of Microsoft's pages; where they hide a class, it goes by this name.
