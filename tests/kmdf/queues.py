"""A control device whose queues and handlers are made in Python: every callback notes itself, and does what the test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsklab.kmdf import scene
from wsklab.machine.status import name_of

SEQUENTIAL, PARALLEL, MANUAL = 1, 2, 3
READ, WRITE, CREATE, CONTROL = 3, 4, 0, 0xE
PROTOTYPES = {
    "EvtIoDefault": "EVT_WDF_IO_QUEUE_IO_DEFAULT",
    "EvtIoRead": "EVT_WDF_IO_QUEUE_IO_READ",
    "EvtIoWrite": "EVT_WDF_IO_QUEUE_IO_WRITE",
    "EvtIoDeviceControl": "EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL",
    "EvtIoCanceledOnQueue": "EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE",
}


class Queues:
    """The device of the scene, and what an application asks of it."""

    def __init__(self, kit: Any) -> None:
        self.kit, self.m, self.wdk = kit, kit.m, kit.wdk
        kit.memory(1)
        self.device = kit.fw.scene
        self.log: list[tuple[Any, ...]] = []
        self.owned: list[int] = []

    def queue(self, dispatch: int = PARALLEL, *, default: bool = False, limit: int = 0, **members: Any) -> int:
        """A queue; handlers are Python functions of (queue, request, …) or None for one that keeps the request."""
        answer, handle = self.create(dispatch, default=default, limit=limit, **members)
        assert answer == "STATUS_SUCCESS"
        return handle

    def create(self, dispatch: int, *, default: bool = False, limit: int = 0, **members: Any) -> tuple[str, int]:
        config, out = self.m.new("WDF_IO_QUEUE_CONFIG", kind="native"), self.kit.out()
        view = self.m.view(config, "WDF_IO_QUEUE_CONFIG")
        view.Size, view.DispatchType, view.DefaultQueue = 96, dispatch, default
        view.PowerManaged, view.Settings.Parallel.NumberOfPresentedRequests = 2, limit or (0xFFFFFFFF if dispatch == 2 else 0)
        attributes = members.pop("attributes", 0)
        for name, value in members.items():
            setattr(view, name, self.callback(name, value) if name in PROTOTYPES else value)
        answer = self.wdk.WdfIoQueueCreate(self.device.handle, config, attributes, out)
        return name_of(answer), int(self.m.u64(out))

    def callback(self, name: str, does: Callable[..., Any] | None) -> int:
        def called(queue: int, request: int, *rest: int) -> int:
            self.log.append((name, *rest))
            self.owned.append(int(request))
            if does is not None:
                does(int(request))
            return 0

        return int(self.kit.lab.routine(called, PROTOTYPES[name]).address)

    def routine(self, does: Callable[..., Any], prototype: str) -> int:
        return int(self.kit.lab.routine(does, prototype).address)

    def read(self, length: int = 4) -> scene.AppRequest:
        return scene.AppRequest(self.m, self.device.object, READ, room=length)

    def write(self, content: bytes = b"data") -> scene.AppRequest:
        return scene.AppRequest(self.m, self.device.object, WRITE, content=content)

    def complete(self, request: int, status: int = 0) -> None:
        if request in self.owned:
            self.owned.remove(request)
        self.wdk.WdfRequestComplete(request, status)

    def counts(self, queue: int) -> tuple[int, int, int]:
        """State bits, requests in the queue, requests with the driver."""
        waiting, owned = self.kit.out(), self.kit.out()
        state = self.wdk.WdfIoQueueGetState(queue, waiting, owned)
        return int(state), self.m.u32(waiting), self.m.u32(owned)

    def retrieve(self, queue: int, function: str = "RetrieveNextRequest", *arguments: int) -> tuple[str, int]:
        out = self.kit.out()
        answer = getattr(self.wdk, f"WdfIoQueue{function}")(queue, *arguments, out)
        return name_of(answer), int(self.m.u64(out))
