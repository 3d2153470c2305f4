"""WDFSPINLOCK, WDFWAITLOCK and WDFCOLLECTION: what a driver guards its own list of requests with.

Facts: KMDF-AUX-08 to 12, KMDF-OBJ-28. Pages: using-framework-locks.md, framework-object-collections.md.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

from wsklab.kmdf.attributes import PLAIN, commit, creation
from wsklab.kmdf.objects import Framework, framework
from wsklab.kmdf.objects import Object as _Object
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, Thread, Wait, status, wdk


class SpinLock(_Object):
    """A spin lock: who holds it, and the IRQL to go back to."""

    KIND: ClassVar[str] = "WDFSPINLOCK"
    TYPE: ClassVar[int] = 0x1024

    def __init__(self, fw: Framework, parent: _Object | None) -> None:
        super().__init__(fw, parent)
        self.holder: Thread | None = None
        self.irql = 0


class WaitLock(SpinLock):
    """A wait lock; the IRQL stays as it is."""

    KIND: ClassVar[str] = "WDFWAITLOCK"
    TYPE: ClassVar[int] = 0x1023


class Collection(_Object):
    """A list of objects, each with one reference of the collection's own."""

    KIND: ClassVar[str] = "WDFCOLLECTION"
    TYPE: ClassVar[int] = 0x100E

    def __init__(self, fw: Framework, parent: _Object | None) -> None:
        super().__init__(fw, parent)
        self.items: list[_Object] = []

    def on_destroy(self) -> None:
        """Facts: KMDF-OBJ-28, KMDF-AUX-11."""
        items, self.items = self.items, []
        for item in items:
            item.release()


def _create(m: Machine, attributes: int, out: int, name: str, kind: type[SpinLock] | type[Collection]) -> int:
    fw = framework(m)
    fw.required(out, name)
    m.set_u64(out, 0)
    answer, parent = creation(fw, attributes, PLAIN)
    if answer < 0:
        return answer
    made = kind(fw, parent)
    answer = commit(fw, made, attributes)
    if answer >= 0:
        m.set_u64(out, made.handle)
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfSpinLockCreate(m: Machine, SpinLockAttributes: int, SpinLock: int) -> int:
    """A spin lock."""
    return _create(m, SpinLockAttributes, SpinLock, "SpinLock", _SpinLock)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfSpinLockAcquire(m: Machine, SpinLock: int) -> None:
    """Take the lock; from here on the IRQL is DISPATCH_LEVEL. Facts: KMDF-AUX-08."""
    fw = framework(m)
    lock = fw.get(SpinLock, _SpinLock)
    if lock.holder is not None:
        fw.stop("kmdf-lock-recursive", lock)
    lock.holder, lock.irql, m.irql = m.thread, m.irql, DISPATCH_LEVEL


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfSpinLockRelease(m: Machine, SpinLock: int) -> None:
    """Give the lock back and restore the IRQL. Facts: KMDF-AUX-08, 09."""
    fw = framework(m)
    lock = fw.get(SpinLock, _SpinLock)
    _held(fw, lock)
    lock.holder, m.irql = None, lock.irql


def _held(fw: Framework, lock: SpinLock) -> None:
    if lock.holder is not fw.m.thread:
        fw.stop("kmdf-lock-not-held", lock)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfWaitLockCreate(m: Machine, LockAttributes: int, Lock: int) -> int:
    """A wait lock."""
    return _create(m, LockAttributes, Lock, "Lock", WaitLock)


@wdk(irql=DISPATCH_LEVEL, lane="framework", waits=True)
def WdfWaitLockAcquire(m: Machine, Lock: int, Timeout: int) -> Generator[Wait, Any, int]:
    """Take the lock, waiting at most Timeout (100-ns units; below zero relative, NULL for ever, zero only tries)."""
    fw = framework(m)
    lock = fw.get(Lock, WaitLock)
    timeout = m.i64(Timeout) if Timeout else None
    if m.irql > PASSIVE_LEVEL and timeout != 0:
        fw.stop("kmdf-passive-only", lock, function="WdfWaitLockAcquire")
    if lock.holder is m.thread:
        fw.stop("kmdf-lock-recursive", lock)
    if lock.holder is not None:
        deadline = None if timeout is None else m.time + max(-timeout, 0)
        if (yield Wait(lambda: lock.holder is None, deadline, ("WDFWAITLOCK", lock.address))):
            return status.TIMEOUT
    lock.holder = m.thread
    return 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfWaitLockRelease(m: Machine, Lock: int) -> None:
    """Give the lock back."""
    fw = framework(m)
    lock = fw.get(Lock, WaitLock)
    _held(fw, lock)
    lock.holder = None


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionCreate(m: Machine, CollectionAttributes: int, Collection: int) -> int:
    """An empty collection."""
    return _create(m, CollectionAttributes, Collection, "Collection", _Collection)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionGetCount(m: Machine, Collection: int) -> int:
    """How many objects are in."""
    return len(framework(m).get(Collection, _Collection).items)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionAdd(m: Machine, Collection: int, Object: int) -> int:
    """Add an object at the end; the collection references it. Facts: KMDF-AUX-10."""
    fw = framework(m)
    collection, item = fw.get(Collection, _Collection), fw.get(Object, _Object)
    if m.choose("WdfCollectionAdd", ("succeeds", "fails")) == "fails":
        return status.UNSUCCESSFUL
    item.reference()
    collection.items.append(item)
    return 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionRemove(m: Machine, Collection: int, Item: int) -> None:
    """Take an object out and drop the reference. Facts: KMDF-AUX-10, RULE-40."""
    fw = framework(m)
    collection, item = fw.get(Collection, _Collection), fw.get(Item, _Object)
    if item not in collection.items:
        fw.breakpoint("kmdf-collection-not-in", collection, what=f"{item.KIND} {item.handle:#018x}")
        return
    collection.items.remove(item)
    item.release()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionRemoveItem(m: Machine, Collection: int, Index: int) -> None:
    """Take out the object at an index; later ones move up. Facts: KMDF-AUX-10, 12."""
    fw = framework(m)
    collection = fw.get(Collection, _Collection)
    if Index >= len(collection.items):
        fw.breakpoint("kmdf-collection-not-in", collection, what=f"[{Index}]")
        return
    collection.items.pop(Index).release()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionGetItem(m: Machine, Collection: int, Index: int) -> int:
    """The object at an index, NULL out of range; no reference is taken. Facts: KMDF-AUX-10."""
    items = framework(m).get(Collection, _Collection).items
    return items[Index].handle if Index < len(items) else 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionGetFirstItem(m: Machine, Collection: int) -> int:
    """The first object, NULL when empty."""
    items = framework(m).get(Collection, _Collection).items
    return items[0].handle if items else 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfCollectionGetLastItem(m: Machine, Collection: int) -> int:
    """The last object, NULL when empty."""
    items = framework(m).get(Collection, _Collection).items
    return items[-1].handle if items else 0


# Parameters carry the names of Microsoft's pages; where they hide a class, it goes by this name.
_SpinLock, _Collection = SpinLock, Collection
