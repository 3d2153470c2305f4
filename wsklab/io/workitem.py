"""Work items: a routine of the driver, run once at PASSIVE_LEVEL in a system thread. Facts: KRN-30, KRN-31, BUG-22."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from wsklab.machine import PASSIVE_LEVEL, Machine, Wait, wdk


@dataclass(slots=True)
class WorkItems:
    """Queued work items with the routine each will call, and the device or driver object of each allocated one."""

    queued: dict[int, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)


def _owner(m: Machine, item: int, function: str) -> int:
    owner = m.model(WorkItems).owners.get(item)
    if owner is None:
        m.u64(item)  # freed ones and NULL stop here
        m.refuse("not-initialized", item, function, expected="IO_WORKITEM")
    return owner


@wdk()
def IoAllocateWorkItem(m: Machine, DeviceObject: int) -> int:
    """A work item of a device object; NULL on failure. Facts: KRN-30."""
    if m.choose("IoAllocateWorkItem", ("succeeds", "fails")) == "fails":
        return 0
    item = m.allocate(64, "object", label="work item", zero=True)
    m.u16(DeviceObject)  # it needs a driver or device object; NULL stops here
    m.model(WorkItems).owners[item] = DeviceObject
    return item


@wdk()
def IoFreeWorkItem(m: Machine, IoWorkItem: int) -> None:
    """Free a work item that is not queued; allowed in its own routine. Facts: KRN-30, BUG-22."""
    if IoWorkItem in m.model(WorkItems).queued:
        m.refuse("workitem-freed-queued", IoWorkItem, "IoFreeWorkItem")
    _owner(m, IoWorkItem, "IoFreeWorkItem")
    del m.model(WorkItems).owners[IoWorkItem]
    m.free(IoWorkItem)


@wdk()
def IoQueueWorkItem(m: Machine, IoWorkItem: int, WorkerRoutine: int, QueueType: int, Context: int) -> None:
    """Run WorkerRoutine(DeviceObject, Context) soon in a system thread. Facts: KRN-30."""
    device, queued, name = _owner(m, IoWorkItem, "IoQueueWorkItem"), m.model(WorkItems).queued, m.code_at(WorkerRoutine).name
    if IoWorkItem in queued:
        m.refuse("workitem-queued-twice", IoWorkItem, "IoQueueWorkItem")
    queued[IoWorkItem] = WorkerRoutine

    def body() -> Generator[Wait, Any, None]:
        del queued[IoWorkItem]
        yield from m.call_waiting(WorkerRoutine, device, Context)
        if m.irql != PASSIVE_LEVEL:
            m.stop("routine-changed-irql", what=name, before=PASSIVE_LEVEL, after=m.irql)

    m.start_thread(body(), f"work item {name}")


def check_work_items(m: Machine) -> None:
    """At unload: stop when a work item is still queued (KRN-30, BUG-16)."""
    for item, routine in m.model(WorkItems).queued.items():
        m.stop("timer-at-unload", objects=(item,), what="work item", object=f"{item:#018x}", routine=f"{routine:#018x}")
