"""Framework objects: the tree, references, deletion in two phases, attributes and contexts, and the functions of every kind.

Every object is born with one reference, which belongs to its life; the tree holds none (KMDF-OBJ-01, 02). Deletion disposes
children first; memory goes with the last reference (KMDF-OBJ-07, 08, 10).

Facts: KMDF-OBJ, KMDF-CTX. Pages: framework-object-life-cycle.md, framework-object-context-space.md.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

from wsklab.kmdf.core import HANDLE_MASK, KINDS, LEVEL_PASSIVE, OF_TYPE, Framework, wdf
from wsklab.kmdf.verifier import count
from wsklab.machine import DISPATCH_LEVEL, Wait, status
from wsklab.machine.scheduler import Thread

ALIVE, DISPOSED, DESTROYED = "alive", "disposed", "destroyed"
INHERIT, LEVEL_DISPATCH, SCOPE_DEVICE, SCOPE_NONE = 1, 3, 2, 4
DEFAULTS = {"level": LEVEL_DISPATCH, "scope": SCOPE_NONE}
PLAIN, ROOT = 1, 6
"""What most kinds of objects take in their attributes, and what those without a stated parent take."""


class Object:
    """One framework object: `KIND` names its handle type, `TYPE` is the framework's number for it (bug check parameter 3)."""

    KIND: ClassVar[str] = "WDFOBJECT"
    TYPE: ClassVar[int] = 0x1000
    PASSIVE_DISPOSAL: ClassVar[bool] = False  # cleanup at PASSIVE_LEVEL; above it a work item does it (KMDF-OBJ-13 to 15)
    STRUCTURE: ClassVar[str] = ""  # what lies at its address, for the functions that are written in C
    PLAIN_POINTER: ClassVar[str] = ""  # the parameter's name when C passes no handle: NULL is then 0x10D/4 (KMDF-OBJ-25)
    embedded = False

    def __init_subclass__(cls, kind: str = "", number: int = 0, passive: bool = False, structure: str = "") -> None:
        KINDS[cls.__name__] = cls
        if number:
            OF_TYPE[number] = cls
        cls.KIND, cls.TYPE, cls.STRUCTURE = kind or cls.KIND, number or cls.TYPE, structure or cls.STRUCTURE
        cls.PASSIVE_DISPOSAL = passive or cls.PASSIVE_DISPOSAL

    def __init__(self, fw: Framework, parent: Object | None = None) -> None:
        self.fw, self.m, self.parent = fw, fw.m, parent
        size = fw.m.sizeof(self.STRUCTURE) if self.STRUCTURE else 64
        self.address = fw.m.allocate(size, kind="object", label=self.KIND, zero=bool(self.STRUCTURE))
        self.handle = self.address ^ HANDLE_MASK
        self.children: dict[int, Object] = {}
        self.references, self.state, self.deletable, self.death = 1, ALIVE, True, "kmdf-stale-handle"
        self.contexts: dict[int, int] = {}  # address by the name of its type, which a driver's files share (KMDF-CTX-07)
        self.callbacks: list[tuple[int, int]] = []  # (cleanup, destroy) of each attribute set
        self.level = self.scope = INHERIT
        self.lock_owner: Thread | None = None  # who holds its callback lock, and the IRQL to go back to
        self.lock_irql = 0
        if parent is not None:
            parent.children[self.handle] = self
        fw.live[self.handle] = self
        fw.handles[self.handle] = self.address

    def _nothing(self) -> None:
        """What a kind does before and after its cleanup callbacks run, and before its memory goes; most do nothing."""

    on_dispose = on_disposed = on_destroy = _nothing

    def commit(self, attributes: int, out: int = 0, counts: bool = True) -> int:
        """Give a new object its callbacks, context and place in the tree, and the driver its handle. Facts: KMDF-OBJ-22."""
        if attributes:
            self.attribute(attributes)
            a = self.m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
            self.level, self.scope = a.ExecutionLevel, a.SynchronizationScope
        if self.parent is not None and self.parent.state != ALIVE:
            self._leave_parent()
            self.callbacks.clear()
            self.state = DISPOSED
            self.give_up()
            return int(status.DELETE_PENDING)
        if out:
            self.m.set_u64(out, self.handle)
        if counts:
            count(self)
        return 0

    def attribute(self, attributes: int) -> None:
        """The callbacks of these attributes, and one zero-filled context (KMDF-CTX-06, 07, 14)."""
        a = self.m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
        self.callbacks.append((int(a.EvtCleanupCallback), int(a.EvtDestroyCallback)))
        info, name = a.ContextTypeInfo, bytearray()
        if not info:
            return
        while info.ContextName and (byte := self.m.u8(int(info.ContextName) + len(name))):
            name.append(byte)
        size = max(a.ContextSizeOverride or info.ContextSize, 1)
        address = self.m.allocate(size, kind="object", label=name.decode() or "context", zero=True)
        self.contexts[int(info.ContextName) or int(info)] = address
        self.fw.by_context[address] = self

    def constraint(self, name: str) -> int:
        """Its execution ``"level"`` or synchronization ``"scope"``, inherited from its parents. Facts: KMDF-CON-14."""
        own = int(getattr(self, name))
        if own != INHERIT:
            return own
        return self.parent.constraint(name) if self.parent else DEFAULTS[name]

    def lock_holder(self) -> Object:
        """Whose callback lock serializes its callbacks when they are synchronized: here its own. Facts: KMDF-CON-14."""
        return self

    @property
    def callback_lock(self) -> Object | None:
        """Whose lock is held around its callbacks; None when they are not synchronized. Facts: KMDF-CON-14."""
        return None if self.constraint("scope") == SCOPE_NONE else self.lock_holder()

    @property
    def locked(self) -> bool:
        """Whether this thread holds its callback lock."""
        return self.lock_owner is self.m.thread

    @property
    def passive(self) -> bool:
        """Whether its execution level is passive."""
        return self.constraint("level") == LEVEL_PASSIVE

    @property
    def alive(self) -> bool:
        """Whether nobody has begun to delete it."""
        return self.state == ALIVE

    def keep(self) -> None:
        """From now on the driver cannot delete it. Facts: KMDF-OBJ-17."""
        self.deletable = False

    def reference(self) -> None:
        """One reference more. Facts: KMDF-OBJ-21."""
        self.references += 1

    def _lock(self, function: str) -> Object:
        if self.KIND not in ("WDFDEVICE", "WDFQUEUE"):
            self.fw.stop("kmdf-no-lock", self, function=function)
        return self.lock_holder()

    @wdf("WdfObjectAcquireLock")
    def acquire_lock(self) -> Generator[Wait, Any, None]:
        """Take the callback lock of a device or queue: a spin lock unless its level is passive. Facts: KMDF-AUX-09."""
        holder = self._lock("WdfObjectAcquireLock")
        if holder.lock_owner is self.m.thread:
            self.fw.stop("kmdf-lock-recursive", self, function="WdfObjectAcquireLock")
        if holder.lock_owner is not None:
            yield Wait(lambda: holder.lock_owner is None, None, (holder.KIND, holder.address))
        holder.lock_owner, holder.lock_irql = self.m.thread, self.m.irql
        if holder.constraint("level") != LEVEL_PASSIVE:
            self.m.irql = DISPATCH_LEVEL

    @wdf("WdfObjectReleaseLock")
    def release_lock(self) -> None:
        """Give the callback lock back, and the IRQL before. Facts: KMDF-AUX-09."""
        holder = self._lock("WdfObjectReleaseLock")
        if holder.lock_owner is not self.m.thread:
            self.fw.stop("kmdf-lock-not-owned", self, function="WdfObjectReleaseLock")
        holder.lock_owner, self.m.irql = None, holder.lock_irql

    def release(self) -> None:
        """One reference less; the last one destroys, or stops when the object was never deleted. Facts: KMDF-OBJ-20."""
        self.references -= 1
        if self.references == 0:
            if self.state == ALIVE:
                self.fw.stop("kmdf-dereferenced-to-zero", self)
            self._destroy()

    def delete(self) -> None:
        """Dispose the object and its descendants, then give up its own reference; a second call does nothing (KMDF-OBJ-16)."""
        if self.state == ALIVE and self.PASSIVE_DISPOSAL and self.m.irql > 0:
            self.m.after(0, self.delete, irql=0)
        elif self.state == ALIVE:
            self.dispose()
            self._leave_parent()
            self.give_up()

    def _leave_parent(self) -> None:
        if self.parent is not None:
            self.parent.children.pop(self.handle, None)
            self.parent = None

    def dispose(self) -> None:
        """First phase: descendants, then this object's own disposal and cleanup callbacks.

        Facts: KMDF-OBJ-07, 08, 10, KMDF-MIS-31, 34.
        """
        if self.state != ALIVE:
            return
        self.state = DISPOSED
        for child in list(self.children.values()):
            if child.PASSIVE_DISPOSAL and self.m.irql > 0:
                child._leave_parent()
                child.delete()
            else:
                child.dispose()
        self.on_dispose()
        for cleanup, _ in self.callbacks:
            if cleanup:
                self.fw.call(cleanup, self.handle)
        self.on_disposed()

    def give_up(self) -> None:
        """Second phase: the life reference of every descendant, then this object's own."""
        children, self.children = self.children, {}
        for child in children.values():
            child.parent = None
            child.give_up()
        self.release()

    def _destroy(self) -> None:
        """Last phase: destroy callbacks (which may still look at the context, KMDF-OBJ-11), then the memory."""
        fw = self.fw
        self._leave_parent()
        self.state = DESTROYED
        fw.live.pop(self.handle, None)
        for counted in fw.objects.values():  # by leak detection
            counted.discard(self)
        fw.dying[self.handle] = self
        self.on_destroy()
        for _, destroy in self.callbacks:
            if destroy:
                fw.call(destroy, self.handle)
        for context in self.contexts.values():
            fw.by_context.pop(context, None)
            self.m.free(context)
        del fw.dying[self.handle]
        fw.dead[self.handle] = (self.KIND, self.death)
        self.m.free(self.address)


KINDS["Object"] = OF_TYPE[Object.TYPE] = Object


def handle_of(obj: Object | None) -> int:
    """The handle of an object, NULL for none."""
    return obj.handle if obj else 0


def first(*checks: tuple[Any, int]) -> int:
    """The status of the first check that something is wrong, 0 when nothing is."""
    return next((value for wrong, value in checks if wrong and value), 0)


def creation(fw: Framework, attributes: int, takes: int = PLAIN, default: Object | None = None) -> tuple[int, Object]:
    """Status and parent of a new object: the stated one, else `default`, else the WDFDRIVER. Facts: KMDF-OBJ-04, 05."""
    answer = fw.c("wsklab_wdf_check", attributes, takes)
    parent = parent_in(fw, attributes) if answer >= 0 else 0
    return answer, fw.get(parent, Object) if parent else default or fw.default_parent()


def parent_in(fw: Framework, attributes: int) -> int:
    """The parent that attributes state, 0 for none."""
    return int(fw.m.view(attributes, "WDF_OBJECT_ATTRIBUTES").ParentObject) if attributes else 0


@wdf()
def WdfObjectGetTypedContextWorker(fw: Framework, handle: int, type_info: int) -> int:
    """The context of that type, NULL when the object has none. Facts: KMDF-CTX-07, KMDF-OBJ-11."""
    name = fw.m.u64(type_info + fw.m.offset("WDF_OBJECT_CONTEXT_TYPE_INFO", "ContextName"))
    return (fw.dying.get(handle) or fw.get(handle, Object)).contexts.get(name or type_info, 0)


@wdf()
def WdfObjectContextGetObject(fw: Framework, context: int) -> int:
    """The object a context belongs to. Facts: KMDF-CTX-13."""
    if context not in fw.by_context:
        fw.m.stop("kmdf-not-a-context", address=f"{context:#018x}")
    return fw.by_context[context].handle
