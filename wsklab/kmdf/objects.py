"""Framework objects: handles, the tree, references, deletion in two phases.

An object is a block of pool (so that its life is in the trace) and an `Object` that knows its kind, parent, children, references,
contexts and callbacks. A driver only ever sees the *handle*: the address combined with a constant mask. Rules that hold here:

* A handle is looked up before anything else; a NULL, foreign or wrong-kind handle is bug check 0x10D/5 (KMDF-OBJ-23). Windows
  does not notice a handle whose object is gone (KMDF-OBJ-24); we always do.
* Every object is born with one reference, which belongs to its life; the tree holds no references (KMDF-OBJ-01, 02).
* Deletion disposes children first, then the object; memory goes when the last reference goes (KMDF-OBJ-07, 08, 10).

Facts: KMDF-OBJ, KMDF-VER. Pages: framework-object-life-cycle.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from wsklab.io.irp import MORE_PROCESSING_REQUIRED
from wsklab.kmdf.layout import Layout
from wsklab.machine import status

if TYPE_CHECKING:
    from wsklab.kmdf.device import Device, DeviceInit
    from wsklab.kmdf.driver import Driver
    from wsklab.machine import Machine

HANDLE_MASK = 0xFFFF_FFFF_FFFF_FFF8
ALIVE, DISPOSING, DISPOSED, DESTROYED = "alive", "disposing", "disposed", "destroyed"


class Object:
    """One framework object. Subclasses add what their kind does; `KIND` is the name of the handle type."""

    KIND: ClassVar[str] = "WDFOBJECT"
    # The framework's number for the kind, shown as bug check parameter 3 of a wrong handle.
    TYPE: ClassVar[int] = 0x1000
    # Kinds whose cleanup must run at PASSIVE_LEVEL are handed to a work item when deleted above it (KMDF-OBJ-13, 15).
    PASSIVE_DISPOSAL: ClassVar[bool] = False

    def __init__(self, framework: Framework, parent: Object | None = None) -> None:
        self.framework = framework
        self.m: Machine = framework.m
        self.address = framework.m.allocate(64, kind="object", label=self.KIND)
        self.handle = self.address ^ HANDLE_MASK
        self.parent: Object | None = None
        self.children: dict[int, Object] = {}
        self.references = 1
        self.state = ALIVE
        self.deletable = True
        self.contexts: dict[int, Context] = {}
        self.callbacks: list[Callbacks] = []
        self.death = "deleted"
        if parent is not None:
            self.parent = parent
            parent.children[self.handle] = self
        framework.live[self.handle] = self
        framework.handles[self.handle] = self.address

    def on_dispose(self) -> None:
        """What this kind does before its cleanup callbacks run."""

    def on_disposed(self) -> None:
        """What this kind does after its cleanup callbacks ran (an I/O target drains here, KMDF-TSS-12)."""

    def on_destroy(self) -> None:
        """Give back what the object holds; its memory goes next."""

    def reference(self) -> None:
        """One more reference."""
        self.references += 1

    def release(self) -> None:
        """One reference less; the last one destroys. Facts: KMDF-OBJ-20."""
        self.references -= 1
        if self.references > 0:
            return
        if self.state == ALIVE:
            self.framework.stop("kmdf-dereferenced-to-zero", self)
        self.framework.destroy(self)

    def delete(self) -> None:
        """Dispose the object and its descendants, then give up its own reference. A second call does nothing (KMDF-OBJ-16)."""
        if self.state != ALIVE:
            return
        if self.PASSIVE_DISPOSAL and self.m.irql > 0:
            self.m.after(0, self._delete_now, irql=0, name=f"delete {self.KIND}")
            return
        self._delete_now()

    def _delete_now(self) -> None:
        if self.state != ALIVE:
            return
        self.dispose()
        if self.parent is not None:
            self.parent.children.pop(self.handle, None)
            self.parent = None
        self.give_up()

    def dispose(self) -> None:
        """First phase: descendants, then this object's own disposal and cleanup callbacks. Facts: KMDF-OBJ-07, 08, 10."""
        if self.state != ALIVE:
            return
        self.state = DISPOSING
        for child in list(self.children.values()):
            if child.PASSIVE_DISPOSAL and self.m.irql > 0:
                child.parent = None
                self.children.pop(child.handle, None)
                self.m.after(0, child._delete_now, irql=0, name=f"delete {child.KIND}")
            else:
                child.dispose()
        self.on_dispose()
        self.run_cleanup()
        self.on_disposed()
        self.state = DISPOSED

    def run_cleanup(self) -> None:
        """Call the cleanup callbacks, once each."""
        for entry in self.callbacks:
            cleanup, entry.cleanup = entry.cleanup, 0
            if cleanup:
                self.framework.call(cleanup, self.handle)

    def give_up(self) -> None:
        """Second phase: the life reference of every descendant, then this object's own."""
        children, self.children = self.children, {}
        for child in children.values():
            child.parent = None
            child.give_up()
        self.release()


class Context:
    """One typed context: `address` of its memory, `type_info` the record that names it (KMDF-CTX-07)."""

    __slots__ = ("address", "size", "type_info")

    def __init__(self, address: int, size: int, type_info: int) -> None:
        self.address, self.size, self.type_info = address, size, type_info


class Callbacks:
    """Cleanup and destroy callback of one attribute set; 0 where there is none."""

    __slots__ = ("cleanup", "destroy")

    def __init__(self, cleanup: int, destroy: int) -> None:
        self.cleanup, self.destroy = cleanup, destroy


ObjectT = TypeVar("ObjectT", bound=Object)


class Framework:
    """The framework of one machine: its objects, its verifier, its driver.

    Attributes:
        verifier: ``"stop"`` (a verifier breakpoint ends the run with a report), ``"continue"`` (the breakpoint is put in the
        trace and the framework goes on as it does on Windows) or ``"off"``.
    """

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.live: dict[int, Object] = {}
        self.dying: dict[int, Object] = {}
        self.dead: dict[int, tuple[str, str]] = {}
        self.by_context: dict[int, Object] = {}
        self.handles: dict[int, int] = m.model("handles", dict)
        self.layout = Layout(m)
        self.driver: Driver | None = None
        self.driver_object = 0
        self.devices: list[Device] = []
        self.scene: Device | None = None
        self.inits: dict[int, DeviceInit] = {}
        self.completion_address = m.python_code(self._completion, "framework completion routine")
        self._verifier = "stop"

    def _completion(self, device: int, irp: int, context: int) -> int:
        """The WDM completion routine of every request that was sent. Facts: KMDF-CPL-01."""
        request: Any = self.live[context]
        request.target.completion_routine(request)
        return MORE_PROCESSING_REQUIRED

    def dispatch(self, device: int, irp: int) -> int:
        """The dispatch routine of every framework device: finds the device that an IRP is for."""
        devices = [*self.devices, self.scene] if self.scene else self.devices
        return next(known for known in devices if known.object == device).dispatch(irp)

    def new_init(self, lower: int) -> int:
        """A WDFDEVICE_INIT; returns what the driver sees of it."""
        from wsklab.kmdf.device import DeviceInit

        init = DeviceInit(self, lower)
        self.inits[init.handle] = init
        return init.handle

    def drop_init(self, init: DeviceInit) -> None:
        """A WDFDEVICE_INIT was used or given back."""
        self.inits.pop(init.handle, None)
        init.delete()

    @property
    def verifier(self) -> str:
        """``"stop"``, ``"continue"`` or ``"off"``; True and False may be assigned for the first and the last."""
        return self._verifier

    @verifier.setter
    def verifier(self, mode: str | bool) -> None:
        mode = {True: "stop", False: "off"}.get(mode, mode) if isinstance(mode, bool) else mode
        if mode not in ("stop", "continue", "off"):
            raise ValueError(f"verifier is 'stop', 'continue' or 'off', not {mode!r}")
        self._verifier = str(mode)

    @property
    def checking(self) -> bool:
        """Whether the verifier is on."""
        return self._verifier != "off"

    def get(self, handle: int, kind: type[ObjectT]) -> ObjectT:
        """The object behind a handle. Stops on NULL, unknown, wrong kind (0x10D/5) and on a handle whose object is gone."""
        found = self.live.get(handle)
        if isinstance(found, kind):
            return found
        self._bad_handle(handle, kind)

    def get_or_none(self, handle: int, kind: type[ObjectT]) -> ObjectT | None:
        """Like `get`, but NULL is None."""
        return self.get(handle, kind) if handle else None

    def _bad_handle(self, handle: int, kind: type[Object]) -> NoReturn:
        """Facts: KMDF-OBJ-23, 24, RULE-11, 37."""
        wanted = kind.KIND
        if handle in self.dead or handle in self.dying:
            was, death = self.dead.get(handle) or (self.dying[handle].KIND, "destroying")
            rule = {
                ("WDFREQUEST", "completed"): "kmdf-request-touched-after-completion",
                ("WDFREQUEST", "forgotten"): "kmdf-request-touched-after-send-and-forget",
            }.get((was, death), "kmdf-stale-handle")
            self.stop_dead(rule, handle)
        found = self.live.get(handle)
        self.m.stop(
            "kmdf-wrong-handle" if found or not handle else "kmdf-not-a-handle",
            objects=(found.address,) if found else (),
            handle=_hex(handle),
            wanted=wanted,
            wanted_type=f"{kind.TYPE:#x}",
            found=found.KIND if found else "NULL",
        )

    def required(self, pointer: int, name: str) -> None:
        """A pointer argument that must not be NULL: bug check 0x10D/4. Facts: KMDF-OBJ-25."""
        if not pointer:
            self.m.stop("kmdf-null-parameter", name=name)

    def stop(self, rule: str, obj: Object, **values: object) -> NoReturn:
        """Stop with a rule about one object."""
        self.m.stop(rule, objects=(obj.address, *_addresses(values)), kind=obj.KIND, handle=_hex(obj.handle), **_shown(values))

    def stop_dead(self, rule: str, handle: int) -> NoReturn:
        """Stop with a rule about a handle whose object is gone."""
        kind = self.dead[handle][0] if handle in self.dead else self.dying[handle].KIND
        self.m.stop(rule, objects=(handle ^ HANDLE_MASK,), kind=kind, handle=_hex(handle))

    def breakpoint(self, rule: str, obj: Object, **values: Any) -> None:
        """What the framework's verifier does on most errors: trace and break in, then go on (KMDF-VER-04).

        A machine without a debugger cannot go on from a breakpoint: in mode "stop" the run ends here. Off: nothing.
        """
        if self._verifier == "stop":
            self.stop(rule, obj, **values)
        if self._verifier == "continue" and self.m.trace.on:
            self.m.trace.add("state", f"verifier: {rule}", actor="framework", objects=(obj.address,), rule=rule, **values)

    def call(self, address: int, *arguments: int) -> int:
        """Call a driver's callback from the framework."""
        return int(self.m.call(address, *arguments, actor="framework") or 0)

    def run(self, address: int, *arguments: int) -> None:
        """Call a driver's event callback that may wait when it runs at PASSIVE_LEVEL; it then goes on in a thread of its own."""
        code = self.m.code_at(address)
        if not code.waits or self.m.irql > 0:
            self.call(address, *arguments)
            return
        thread = self.m.start_thread(self.m.call_waiting(address, *arguments, actor="framework"), code.name)
        self.m.scheduler._resume(thread)

    def event(self, kind: str, name: str, *objects: int, target: str | None = None, **data: Any) -> None:
        """One line in the trace; callers in hot paths test ``m.trace.on`` first."""
        if self.m.trace.on:
            self.m.trace.add(kind, name, actor="framework", target=target, objects=objects, **data)

    def adopt(self, obj: Object) -> int:
        """STATUS_DELETE_PENDING, and the new object freed, when its parent is being torn down. Facts: KMDF-OBJ-22."""
        if obj.parent is None or obj.parent.state == ALIVE:
            return status.SUCCESS
        obj.parent.children.pop(obj.handle, None)
        obj.parent = None
        obj.callbacks.clear()
        obj.state = DISPOSED
        obj.give_up()
        return int(status.DELETE_PENDING)

    def destroy(self, obj: Object) -> None:
        """Last phase: destroy callbacks (which may still look at the context, KMDF-OBJ-11), then the memory."""
        obj.run_cleanup()
        if obj.parent is not None:
            obj.parent.children.pop(obj.handle, None)
        obj.state = DESTROYED
        self.live.pop(obj.handle, None)
        self.dying[obj.handle] = obj
        obj.on_destroy()
        for entry in obj.callbacks:
            if entry.destroy:
                self.call(entry.destroy, obj.handle)
        for context in obj.contexts.values():
            self.by_context.pop(context.address, None)
            self.m.free(context.address)
        del self.dying[obj.handle]
        self.dead[obj.handle] = (obj.KIND, obj.death)
        self.m.free(obj.address)

    def default_parent(self) -> Object:
        """The WDFDRIVER (KMDF-OBJ-04), else that of the scene. Stops when there is none yet (RULE-83)."""
        if self.driver is not None:
            return self.driver
        if self.scene is None or self.scene.parent is None:
            self.m.stop("kmdf-no-driver")
        return self.scene.parent


def _hex(value: int) -> str:
    return f"{value:#018x}"


def _shown(values: dict[str, object]) -> dict[str, object]:
    """Numbers among a rule's values are addresses, counts come as text."""
    return {name: _hex(value) if isinstance(value, int) else value for name, value in values.items()}


def _addresses(values: dict[str, object]) -> tuple[int, ...]:
    """The IRP among a rule's values, whose life is shown too."""
    irp = values.get("irp")
    return (irp,) if isinstance(irp, int) and irp else ()


def framework(m: Machine) -> Framework:
    """The framework of this machine, made at first use."""
    return m.model("kmdf", _make(m))


def _make(m: Machine) -> Callable[[], Framework]:
    return lambda: Framework(m)
