"""WDFSPINLOCK, WDFCOLLECTION and WDFTIMER: what a driver keeps and guards its list of requests with, and calls back later with.

Facts: KMDF-AUX-01 to 12, KMDF-OBJ-28. Pages: using-framework-locks.md, framework-object-collections.md, using-timers.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from wsklab.kmdf.api import Accepts, commit, create, creation, getters, handle_of, wdf
from wsklab.kmdf.device import Device
from wsklab.kmdf.objects import Framework, Object
from wsklab.kmdf.target import delay_until
from wsklab.machine import DISPATCH_LEVEL, Thread, status

LEVEL_PASSIVE, MILLISECOND = 2, 10_000


class SpinLock(Object):
    """A spin lock: who holds it, and the IRQL to go back to."""

    KIND: ClassVar[str] = "WDFSPINLOCK"
    TYPE: ClassVar[int] = 0x1024
    holder: Thread | None = None
    irql = 0


class Collection(Object):
    """A list of objects, each with one reference of the collection's own."""

    KIND: ClassVar[str] = "WDFCOLLECTION"
    TYPE: ClassVar[int] = 0x100E

    def __init__(self, fw: Framework, parent: Object) -> None:
        super().__init__(fw, parent)
        self.items: list[Object] = []

    def on_destroy(self) -> None:
        """Facts: KMDF-OBJ-28, KMDF-AUX-11."""
        for item in self.items:
            item.release()

    def at(self, index: int) -> int:
        """The handle at an index, NULL out of range."""
        return handle_of(self.items[index]) if -1 <= index < len(self.items) and self.items else 0


class Timer(Object):
    """A timer: `routine` runs at DISPATCH_LEVEL, or at PASSIVE_LEVEL when its execution level says so."""

    KIND: ClassVar[str] = "WDFTIMER"
    TYPE: ClassVar[int] = 0x1028
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, parent: Object, routine: int, period: int, *, passive: bool) -> None:
        super().__init__(fw, parent)
        self.owner, self.routine, self.period, self.irql = parent, routine, period, 0 if passive else 2
        self.cancel: Callable[[], None] | None = None

    def arm(self, delay: int) -> None:
        """Let it fire after `delay` 100-ns units."""
        self.cancel = self.m.after(delay, self._fire, irql=self.irql, name="timer")

    def stop(self) -> int:
        """Take it back; whether it was armed."""
        cancel, self.cancel = self.cancel, None
        if cancel is not None:
            cancel()
        return int(cancel is not None)

    def _fire(self) -> None:
        self.cancel = None
        if self.period:
            self.arm(self.period * MILLISECOND)
        self.framework.run(self.routine, self.handle)

    def on_dispose(self) -> None:
        """Facts: KMDF-AUX-06."""
        self.stop()


@wdf()
def WdfSpinLockCreate(fw: Framework, attributes: int, out: int) -> int:
    """A spin lock."""
    return create(fw, attributes, out, lambda parent: SpinLock(fw, parent), name="SpinLock")


@wdf()
def WdfSpinLockAcquire(fw: Framework, lock: SpinLock) -> None:
    """Take the lock; from here on the IRQL is DISPATCH_LEVEL. Facts: KMDF-AUX-08."""
    if lock.holder is not None:
        fw.stop("kmdf-lock-recursive", lock)
    lock.holder, lock.irql, fw.m.irql = fw.m.thread, fw.m.irql, DISPATCH_LEVEL


@wdf()
def WdfSpinLockRelease(fw: Framework, lock: SpinLock) -> None:
    """Give the lock back and restore the IRQL. Facts: KMDF-AUX-08, 09."""
    if lock.holder is not fw.m.thread:
        fw.stop("kmdf-lock-not-held", lock)
    lock.holder, fw.m.irql = None, lock.irql


@wdf()
def WdfCollectionCreate(fw: Framework, attributes: int, out: int) -> int:
    """An empty collection."""
    return create(fw, attributes, out, lambda parent: Collection(fw, parent), name="Collection")


@wdf()
def WdfCollectionAdd(fw: Framework, collection: Collection, item: Object) -> int:
    """Add an object at the end; the collection references it. Facts: KMDF-AUX-10."""
    if fw.fails("WdfCollectionAdd"):
        return status.UNSUCCESSFUL
    item.references += 1
    collection.items.append(item)
    return 0


@wdf()
def WdfCollectionRemove(fw: Framework, collection: Collection, item: Object) -> None:
    """Take an object out and drop the reference. Facts: KMDF-AUX-10, RULE-40."""
    if item not in collection.items:
        fw.breakpoint("kmdf-collection-not-in", collection, what=f"{item.KIND} {item.handle:#018x}")
        return
    collection.items.remove(item)
    item.release()


@wdf()
def WdfCollectionRemoveItem(fw: Framework, collection: Collection, index: int) -> None:
    """Take out the object at an index; later ones move up. Facts: KMDF-AUX-10, 12."""
    if index >= len(collection.items):
        fw.breakpoint("kmdf-collection-not-in", collection, what=f"[{index}]")
        return
    collection.items.pop(index).release()


@wdf()
def WdfCollectionGetItem(fw: Framework, collection: Collection, index: int) -> int:
    """The object at an index, NULL out of range; no reference is taken. Facts: KMDF-AUX-10."""
    return collection.at(index)


@wdf()
def WdfTimerCreate(fw: Framework, config: int, attributes: int, out: int) -> int:
    """A timer under a parent that leads to a device. Facts: KMDF-AUX-01, 02."""
    fw.required(config, "Config")
    fw.required(out, "Timer")
    fw.m.set_u64(out, 0)
    answer, parent = creation(fw, attributes, Accepts("required", False, True))
    given = fw.m.view(config, "WDF_TIMER_CONFIG")
    passive = answer >= 0 and fw.m.view(attributes, "WDF_OBJECT_ATTRIBUTES").ExecutionLevel == LEVEL_PASSIVE
    above: Object | None = parent
    while above is not None and not isinstance(above, Device):
        above = above.parent
    checks = (
        (answer < 0, answer),
        (given.Size != fw.m.sizeof("WDF_TIMER_CONFIG"), status.INFO_LENGTH_MISMATCH),
        (given.Period > 0x7FFF_FFFF, status.INVALID_PARAMETER),
        (passive and given.Period != 0, status.NOT_SUPPORTED),
        (above is None, status.INVALID_DEVICE_REQUEST),
        (passive and bool(given.AutomaticSerialization), status.WDF_INCOMPATIBLE_EXECUTION_LEVEL),
    )
    refused = next((value for wrong, value in checks if wrong), 0)
    if refused:
        return refused
    return commit(fw, Timer(fw, parent, int(given.EvtTimerFunc), given.Period, passive=passive), attributes, out)


@wdf()
def WdfTimerStart(fw: Framework, timer: Timer, due: int) -> int:
    """Arm the timer; TRUE when it was armed already. Facts: KMDF-AUX-03."""
    before = timer.stop()
    timer.arm(delay_until(fw, due))
    return before


@wdf()
def WdfTimerStop(fw: Framework, timer: Timer, wait: int) -> int:
    """Disarm the timer; TRUE when it was armed. Facts: KMDF-AUX-04."""
    return timer.stop()


getters("Timer", {"WdfTimerGetParentObject": ("The timer's parent. Facts: KMDF-AUX-06.", lambda timer: timer.owner.handle)})
getters("Collection", {
    "WdfCollectionGetCount": ("How many objects are in.", lambda collection: len(collection.items)),
    "WdfCollectionGetFirstItem": ("The first object, NULL when empty.", lambda collection: collection.at(0)),
    "WdfCollectionGetLastItem": ("The last object, NULL when empty.", lambda collection: collection.at(-1)),
})  # fmt: skip
