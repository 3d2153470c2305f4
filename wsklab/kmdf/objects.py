"""Framework objects: handles, the tree, references, deletion in two phases.

A driver only sees an object's *handle*: its address combined with a constant mask. Windows notices a NULL or wrong-kind handle
(KMDF-OBJ-23) but not one whose object is gone (KMDF-OBJ-24); we always do. Every object is born with one reference, which belongs
to its life; the tree holds none (KMDF-OBJ-01, 02). Deletion disposes children first; memory goes with the last reference
(KMDF-OBJ-07, 08, 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from wsklab.io.irp import MORE_PROCESSING_REQUIRED
from wsklab.kmdf.layout import Layout
from wsklab.machine import status

if TYPE_CHECKING:
    from wsklab.kmdf.device import Device, DeviceInit, Driver
    from wsklab.machine import Machine

HANDLE_MASK = 0xFFFF_FFFF_FFFF_FFF8
ALIVE, DISPOSED, DESTROYED = "alive", "disposed", "destroyed"
KINDS: dict[str, type[Object]] = {}
"""Every class of objects by its Python name, for the parameters of framework functions (`api.wdf`)."""


class Object:
    """One framework object: `KIND` names its handle type, `TYPE` is the framework's number for it (bug check parameter 3)."""

    KIND: ClassVar[str] = "WDFOBJECT"
    TYPE: ClassVar[int] = 0x1000
    # Cleanup of these must run at PASSIVE_LEVEL; above it a work item does it (KMDF-OBJ-13, 15).
    PASSIVE_DISPOSAL: ClassVar[bool] = False
    embedded = False

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls

    def __init__(self, fw: Framework, parent: Object | None = None) -> None:
        self.framework, self.m = fw, fw.m
        self.address = fw.m.allocate(64, kind="object", label=self.KIND)
        self.handle = self.address ^ HANDLE_MASK
        self.parent = parent
        self.children: dict[int, Object] = {}
        self.references = 1
        self.state = ALIVE
        self.deletable = True
        self.contexts: dict[int, int] = {}  # address by type record (KMDF-CTX-07)
        self.callbacks: list[list[int]] = []  # [cleanup, destroy] of each attribute set, 0 for none
        self.death = "deleted"
        if parent is not None:
            parent.children[self.handle] = self
        fw.live[self.handle] = self
        fw.handles[self.handle] = self.address

    def on_dispose(self) -> None:
        """What this kind does before its cleanup callbacks run."""

    def on_disposed(self) -> None:
        """What this kind does after they ran (an I/O target drains here, KMDF-TSS-12)."""

    def on_destroy(self) -> None:
        """Give back what the object holds; its memory goes next."""

    def release(self) -> None:
        """One reference less; the last one destroys, or stops when the object was never deleted. Facts: KMDF-OBJ-20."""
        self.references -= 1
        if self.references == 0:
            if self.state == ALIVE:
                self.framework.stop("kmdf-dereferenced-to-zero", self)
            self.framework.destroy(self)

    def delete(self) -> None:
        """Dispose the object and its descendants, then give up its own reference; a second call does nothing (KMDF-OBJ-16)."""
        if self.state == ALIVE and self.PASSIVE_DISPOSAL and self.m.irql > 0:
            self.m.after(0, self.delete, irql=0, name=f"delete {self.KIND}")
        elif self.state == ALIVE:
            self.dispose()
            self._leave_parent()
            self.give_up()

    def _leave_parent(self) -> None:
        if self.parent is not None:
            self.parent.children.pop(self.handle, None)
            self.parent = None

    def dispose(self) -> None:
        """First phase: descendants, then this object's own disposal and cleanup callbacks. Facts: KMDF-OBJ-07, 08, 10."""
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
        self.run_cleanup()
        self.on_disposed()

    def run_cleanup(self) -> None:
        """Call the cleanup callbacks, once each."""
        for entry in self.callbacks:
            cleanup, entry[0] = entry[0], 0
            if cleanup:
                self.framework.call(cleanup, self.handle)

    def give_up(self) -> None:
        """Second phase: the life reference of every descendant, then this object's own."""
        children, self.children = self.children, {}
        for child in children.values():
            child.parent = None
            child.give_up()
        self.release()


ObjectT = TypeVar("ObjectT", bound=Object)


class Framework:
    """The framework of one machine: its objects, its verifier, its driver."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.layout = Layout(m)
        self.live: dict[int, Object] = {}
        self.dying: dict[int, Object] = {}
        self.dead: dict[int, tuple[str, str]] = {}
        self.handles: dict[int, int] = m.model("handles", dict)  # handle → address, for whoever shows objects
        self.by_context: dict[int, Object] = {}
        self.driver: Driver | None = None
        self.driver_object = 0
        self.devices: list[Device] = []
        self.scene: Device | None = None
        self.inits: dict[int, DeviceInit] = {}
        self.completion_address = m.python_code(self._completion, "framework completion routine")
        self._verifier = "stop"

    @property
    def verifier(self) -> str:
        """What a breakpoint of the framework's verifier does (KMDF-VER-04).

        ``"stop"`` ends the run with a report, ``"continue"`` puts it in the trace and goes on as Windows does after it, ``"off"``
        switches the verifier off. True and False may be assigned for the first and the last.
        """
        return self._verifier

    @verifier.setter
    def verifier(self, mode: str | bool) -> None:
        mode = {True: "stop", False: "off"}.get(mode, str(mode)) if isinstance(mode, bool) else mode
        if mode not in ("stop", "continue", "off"):
            raise ValueError(f"verifier is 'stop', 'continue' or 'off', not {mode!r}")
        self._verifier = mode

    @property
    def checking(self) -> bool:
        """Whether the verifier is on."""
        return self._verifier != "off"

    # Handles

    def get(self, handle: int, kind: type[ObjectT]) -> ObjectT:
        """The object behind a handle. Stops on NULL, unknown, wrong kind (0x10D/5) and on a handle whose object is gone."""
        found = self.live.get(handle)
        if isinstance(found, kind):
            return found
        if handle in self.dead or handle in self.dying:
            endings = {
                "completed": "kmdf-request-touched-after-completion",
                "forgotten": "kmdf-request-touched-after-send-and-forget",
            }
            self.stop_dead(endings.get(self.dead.get(handle, ("", ""))[1], "kmdf-stale-handle"), handle)
        rule = "kmdf-wrong-handle" if found or not handle else "kmdf-not-a-handle"
        objects, name = ((found.address,), found.KIND) if found else ((), "NULL")
        values = {"wanted": kind.KIND, "wanted_type": f"{kind.TYPE:#x}", "found": name}
        self.m.stop(rule, objects=objects, handle=_hex(handle), **values)

    def required(self, pointer: int, name: str) -> None:
        """A pointer argument that must not be NULL: bug check 0x10D/4. Facts: KMDF-OBJ-25."""
        if not pointer:
            self.m.stop("kmdf-null-parameter", name=name)

    def default_parent(self) -> Object:
        """The WDFDRIVER (KMDF-OBJ-04), else that of the scene. Stops when there is none yet (RULE-83)."""
        driver = self.driver or (self.scene.parent if self.scene else None)
        if driver is None:
            self.m.stop("kmdf-no-driver")
        return driver

    # Rules

    def stop(self, rule: str, obj: Object, **values: Any) -> NoReturn:
        """Stop with a rule about one object. Numbers among the values are addresses; the IRP's life is shown too."""
        irp = (values["irp"],) if values.get("irp") else ()
        shown = {name: _hex(value) if isinstance(value, int) else value for name, value in values.items()}
        self.m.stop(rule, objects=(obj.address, *irp), kind=obj.KIND, handle=_hex(obj.handle), **shown)

    def stop_dead(self, rule: str, handle: int) -> NoReturn:
        """Stop with a rule about a handle whose object is gone."""
        kind = self.dead[handle][0] if handle in self.dead else self.dying[handle].KIND
        self.m.stop(rule, objects=(handle ^ HANDLE_MASK,), kind=kind, handle=_hex(handle))

    def breakpoint(self, rule: str, obj: Object, **values: Any) -> None:
        """What the verifier does on most errors: break in, then go on. Without a debugger a machine ends there (KMDF-VER-04)."""
        if self._verifier == "stop":
            self.stop(rule, obj, **values)
        if self._verifier == "continue":
            self.event("state", f"verifier: {rule}", obj.address, rule=rule, **values)

    def fails(self, kind: str = "framework allocation") -> bool:
        """Whether an allocation fails: a choice of that kind."""
        return self.m.choose(kind, ("succeeds", "fails")) == "fails"

    def event(self, kind: str, name: str, *objects: int, target: str | None = None, **data: Any) -> None:
        """One event in the trace."""
        if self.m.trace.on:
            self.m.trace.add(kind, name, actor="framework", target=target, objects=objects, **data)

    # Calling the driver, and being called by the I/O manager

    def call(self, address: int, *arguments: int) -> int:
        """Call a driver's callback, which may not wait."""
        return int(self.m.call(address, *arguments, actor="framework") or 0)

    def run(self, address: int, *arguments: int) -> None:
        """Call a driver's event callback that may wait when it runs at PASSIVE_LEVEL; it then goes on in a thread of its own."""
        code = self.m.code_at(address)
        if not code.waits or self.m.irql > 0:
            self.call(address, *arguments)
            return
        thread = self.m.start_thread(self.m.call_waiting(address, *arguments, actor="framework"), code.name)
        self.m.scheduler._resume(thread)

    def _completion(self, device: int, irp: int, context: int) -> int:
        """The WDM completion routine of every request that was sent: the IRP stays with the framework. Facts: KMDF-CPL-01."""
        request: Any = self.live[context]
        request.target.completion_routine(request)
        return MORE_PROCESSING_REQUIRED

    def dispatch(self, device: int, irp: int) -> int:
        """The dispatch routine of every framework device."""
        devices = [*self.devices, self.scene] if self.scene else self.devices
        return next(known for known in devices if known.object == device).dispatch(irp)

    # The end of an object

    def adopt(self, obj: Object) -> int:
        """STATUS_DELETE_PENDING, and the new object freed, when its parent is being torn down. Facts: KMDF-OBJ-22."""
        if obj.parent is None or obj.parent.state == ALIVE:
            return 0
        obj._leave_parent()
        obj.callbacks.clear()
        obj.state = DISPOSED
        obj.give_up()
        return int(status.DELETE_PENDING)

    def destroy(self, obj: Object) -> None:
        """Last phase: destroy callbacks (which may still look at the context, KMDF-OBJ-11), then the memory."""
        obj.run_cleanup()
        obj._leave_parent()
        obj.state = DESTROYED
        self.live.pop(obj.handle, None)
        self.dying[obj.handle] = obj
        obj.on_destroy()
        for _, destroy in obj.callbacks:
            if destroy:
                self.call(destroy, obj.handle)
        for context in obj.contexts.values():
            self.by_context.pop(context, None)
            self.m.free(context)
        del self.dying[obj.handle]
        self.dead[obj.handle] = (obj.KIND, obj.death)
        self.m.free(obj.address)


KINDS["Object"] = Object


def _hex(value: int) -> str:
    return f"{value:#018x}"


def framework(m: Machine) -> Framework:
    """The framework of this machine, made at first use."""
    return m.model("kmdf", lambda: Framework(m))
