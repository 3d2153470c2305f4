"""The framework of one machine: handles, verifier, the way into the driver and back; and how framework functions are declared.

A driver only sees an object's *handle*: its address combined with a constant mask. Windows notices a NULL or wrong-kind handle
(KMDF-OBJ-23) but not one whose object is gone (KMDF-OBJ-24); we always do. `wdf` declares a function to the machine and does what
they all do first: handles become objects, pointers that must not be NULL are looked at (KMDF-OBJ-25).
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from wsklab.io.irp import MORE_PROCESSING_REQUIRED
from wsklab.kmdf.verifier import NO_LIMIT, TABLE, Parameters
from wsklab.machine import DISPATCH_LEVEL, Machine, Wait, wdk

if TYPE_CHECKING:
    from wsklab.kmdf.device import Device, Driver
    from wsklab.kmdf.objects import Object

LEVEL_PASSIVE = 2  # of WDF_EXECUTION_LEVEL
HANDLE_MASK = 0xFFFF_FFFF_FFFF_FFF8
OF_TYPE: dict[int, type[Object]] = {}  # by the framework's number, for functions that are written in C
KINDS: dict[str, type[Object]] = {}  # by Python name, for the parameters of framework functions
Given = int  # A pointer parameter that must not be NULL.
Out = int  # Where a new handle goes: must not be NULL, and is set to NULL first.

PLAIN_KINDS = ("int", "int | None", str(inspect.Parameter.empty))
_F = TypeVar("_F", bound=Callable[..., Any])
ObjectT = TypeVar("ObjectT", bound="Object")


class Framework:
    """The framework's state: every live object by handle, the driver, its devices, and what became of the dead."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.live: dict[int, Object] = {}
        self.dying: dict[int, Object] = {}
        self.dead: dict[int, tuple[str, str]] = {}
        self.handles: dict[int, int] = m.handles  # handle → address, for whoever shows objects
        self.by_context: dict[int, Object] = {}
        self.drivers: list[Driver] = []
        self.loading: frozenset[str] = frozenset()  # the C files of the driver that is being loaded
        self.devices: list[Device] = []
        self.scene: Device | None = None
        self.completion_address = m.python_code(self._completion, "framework completion routine")
        self.quiet_routine = m.python_code(lambda *arguments: 0, "framework routine of a synchronous send")
        # At a breakpoint of the verifier (KMDF-VER-01, 04): "stop" the run, "continue" as Windows does after it; or it is "off".
        self.verifier = "stop"
        self.parameters = m.model(Parameters, TABLE["values"])
        self.objects: defaultdict[Object, set[Object]] = defaultdict(set)  # of each driver, if they are counted
        self.watched: set[int] = set()  # callbacks of devices and queues that are compared before and after (KMDF-VER-05)
        self.members: dict[int, tuple[type[Object], Callable[[Any], Any]]] = {}  # see wsklab_ask
        self.strict = False  # whether what the documents forbid and only the framework's source grants ends the run as well

    @property
    def checking(self) -> bool:
        """Whether the verifier is on. Much is silent without it (KMDF-MIS-55)."""
        return self.verifier != "off"

    def get(self, handle: int, kind: type[ObjectT]) -> ObjectT:
        """The object behind a handle. Stops on NULL, unknown, wrong kind (0x10D/5) and on a handle whose object is gone."""
        found = self.live.get(handle)
        if isinstance(found, kind):
            return found
        if handle in self.dead or handle in self.dying:
            self.stop_dead(self.dead[handle][1] if handle in self.dead else self.dying[handle].death, handle)
        if not handle and kind.PLAIN_POINTER:
            self.m.stop("kmdf-null-parameter", name=kind.PLAIN_POINTER)
        rule = "kmdf-wrong-handle" if found or not handle else "kmdf-not-a-handle"
        objects, name = ((found.address,), found.KIND) if found else ((), "NULL")
        self.m.stop(rule, objects=objects, handle=_hex(handle), wanted=kind.KIND, wanted_type=hex(kind.TYPE), found=name)

    def running(self) -> Driver | None:
        """The driver whose C is running; the last one when none is. Each driver of a stack has a WDFDRIVER of its own."""
        place = self.m.caller() if self.drivers else None
        file = place.file if place else ""
        found = next((driver for driver in reversed(self.drivers) if file in driver.files), None)
        return found or (self.drivers[-1] if self.drivers and file not in self.loading else None)

    def default_parent(self) -> Object:
        """The WDFDRIVER (KMDF-OBJ-04, KMDF-MIS-32), else that of the scene. Stops when there is none yet (RULE-83)."""
        driver = self.running() or (self.scene.parent if self.scene else None)
        if driver is None:
            self.m.stop("kmdf-no-driver")
        return driver

    def stop(self, rule: str, obj: Object, **values: Any) -> NoReturn:
        """Stop with a rule about one object. Numbers among the values are addresses; the IRP's life is shown too."""
        irp = (int(str(values["irp"]), 0),) if values.get("irp") else ()
        shown = {name: _hex(value) if isinstance(value, int) else value for name, value in values.items()}
        shown |= {"kind": obj.KIND, "handle": _hex(obj.handle), "address": _hex(obj.address)}
        self.m.stop(rule, objects=(obj.address, *irp), **shown)

    def stop_dead(self, rule: str, handle: int) -> NoReturn:
        """Stop with a rule about a handle whose object is gone."""
        kind = self.dead[handle][0] if handle in self.dead else self.dying[handle].KIND
        self.m.stop(rule, objects=(handle ^ HANDLE_MASK,), kind=kind, handle=_hex(handle))

    def breakpoint(self, rule: str, obj: Object, **values: Any) -> None:
        """What the verifier does on most errors: break in, then go on. Without a debugger a machine ends there (KMDF-VER-04)."""
        if self.verifier == "stop":
            self.stop(rule, obj, **values)
        if self.verifier == "continue":
            self.event("state", f"verifier: {rule}", obj.address, rule=rule, **values)

    def relies(self, rule: str, obj: Object, **values: Any) -> None:
        """The driver relies on what only the framework's source grants, or breaks a rule of static analysis."""
        if self.strict:
            self.stop(rule, obj, **values)

    def fails(self, kind: str = "framework allocation") -> bool:
        """Whether an allocation fails: when enough have succeeded, else a choice of that kind. Facts: KMDF-VER-03, 07."""
        left = self.parameters["VerifierAllocateFailCount"] if self.checking else NO_LIMIT
        if left not in (0, NO_LIMIT):
            self.parameters["VerifierAllocateFailCount"] = left - 1
        return left == 0 or self.m.choose(kind, ("succeeds", "fails")) == "fails"

    def c(self, function: str, *arguments: int) -> int:
        """Call one of our own functions that are written in C; it stays out of the trace."""
        return int(self.m.modelled(function).function(self.m, *arguments) or 0)

    def c_waits(self, function: str, *arguments: int) -> Generator[Wait, Any, int]:
        """The same for one that may wait."""
        return int((yield from self.m.modelled(function).function(self.m, *arguments)) or 0)

    def event(self, kind: str, name: str, *objects: int, target: str | None = None, **data: Any) -> None:
        """One event in the trace."""
        if self.m.trace.on:
            self.m.trace.add(kind, name, actor="framework", target=target, objects=objects, **data)

    def watch(self, table: int, count: int) -> None:
        """Watch the callbacks of a table. Facts: KMDF-VER-05."""
        self.watched.update(self.m.u64(table + 8 * index) for index in range(count))

    def call(self, address: int, *arguments: int) -> int:
        """Call a driver's callback, which may not wait and returns at the IRQL it was called at."""
        before = self._state()
        value = self.m.call(address, *arguments, actor="framework")
        return self._compared(address, before, value)

    def call_waiting(self, address: int, *arguments: int) -> Generator[Wait, Any, int]:
        """The same for one that may wait."""
        before = self._state()
        value = yield from self.m.call_waiting(address, *arguments, actor="framework")
        return self._compared(address, before, value)

    def _state(self) -> tuple[int, bool]:
        """The IRQL, and whether the thread is in a critical or guarded region; above PASSIVE_LEVEL APCs are disabled anyway."""
        return self.m.irql, self.m.irql == 0 and self.m.thread.object != 0 and self.c("KeAreApcsDisabled") != 0

    def _compared(self, address: int, before: tuple[int, bool], value: int | None) -> int:
        """Stop when a callback has returned at another IRQL, or in another region if watched. Facts: KMDF-VER-05, KMDF-CRT-17."""
        m, after, watched = self.m, self._state(), address in self.watched
        if after == before or (after[0] == before[0] and not watched):
            return int(value or 0)
        rule = "kmdf-callback-changed-irql" if watched else "routine-changed-irql"
        rule, name = rule if after[0] != before[0] else "kmdf-callback-changed-region", m.code_at(address).name
        m.stop(rule, what=name, routine=name, address=_hex(address), thread=m.thread.name, before=before[0], after=after[0])

    def run(self, address: int, *arguments: int, lock: Object | None = None) -> None:
        """Call a driver's event callback, with the callback lock of an object held.

        One that may wait, or has to wait for the lock, goes on in a thread of its own when it runs at PASSIVE_LEVEL. Facts:
        KMDF-QUE-12.
        """
        if lock is not None and lock.constraint("level") != LEVEL_PASSIVE:  # a spin lock
            lock.lock_owner = self.m.thread
            with self.m.at_irql(DISPATCH_LEVEL):
                self.call(address, *arguments)
            lock.lock_owner = None
        elif self.m.irql > 0 or not (self.m.code_at(address).waits or lock):
            self.call(address, *arguments)
        else:
            thread = self.m.start_thread(self.serialized(lock, address, *arguments), self.m.code_at(address).name)
            self.m.scheduler._resume(thread)

    def serialized(self, lock: Object | None, address: int, *arguments: int) -> Generator[Wait, Any, None]:
        """Call a driver's callback at PASSIVE_LEVEL once the callback lock of an object is free, and hold that meanwhile."""
        if lock is not None:
            if lock.lock_owner is not None:
                yield Wait(lambda: lock.lock_owner is None, None, (lock.KIND, lock.address))
            lock.lock_owner = self.m.thread
        yield from self.call_waiting(address, *arguments)
        if lock is not None:
            lock.lock_owner = None

    def _completion(self, device: int, irp: int, context: int) -> int:
        """The WDM completion routine of every request that was sent: the IRP stays with the framework. Facts: KMDF-CPL-01."""
        request: Any = self.live[context]
        request.target.came_back(request)
        return MORE_PROCESSING_REQUIRED

    def dispatch(self, device: int, irp: int) -> int:
        """The dispatch routine of every framework device."""
        devices = [*self.devices, self.scene] if self.scene else self.devices
        return self.c("wsklab_device_dispatch", next(known for known in devices if known.object == device).handle, irp)


_hex = "{:#018x}".format


def framework(m: Machine) -> Framework:
    """The framework of this machine, made at first use."""
    return m.model(Framework, m)


def wdf(name: str = "", irql: int = DISPATCH_LEVEL, *, text: str = "") -> Callable[[_F], _F]:
    """Declare a framework function under its C `name` (by default the Python one); its parameters say what they are.

    `self` and a parameter annotated with a class of objects arrive as that object (NULL as None if ``| None``), `Given` and `Out`
    are checked, `fw` is no parameter of C's. `text` is the docstring of a function with several names.
    """

    def declare(function: _F) -> _F:
        known = name or function.__name__
        parameters = list(inspect.signature(function).parameters.values())
        with_framework = parameters[:1] != [] and parameters[0].name == "fw"
        kinds = [str(parameter.annotation) for parameter in parameters[with_framework:]]
        if kinds and parameters[0].name == "self":
            kinds[0] = function.__qualname__.split(".")[0]
        special = [(index, kind) for index, kind in enumerate(kinds) if kind not in PLAIN_KINDS]

        def arguments(m: Machine, values: tuple[int, ...]) -> list[Any]:
            fw, found = framework(m), list[Any](values)
            for index, kind in special:
                found[index] = _argument(fw, known, index, kind, values[index])
            return [fw, *found] if with_framework else found

        def plain(m: Machine, *values: int) -> Any:
            return function(*arguments(m, values))

        def waiting(m: Machine, *values: int) -> Any:
            return (yield from function(*arguments(m, values)))

        waits = inspect.isgeneratorfunction(function)
        declared = waiting if waits else plain
        declared.__doc__ = text or function.__doc__
        wdk(known, irql=irql, waits=waits, lane="framework")(declared)
        return function

    return declare


def _argument(fw: Framework, function: str, index: int, kind: str, value: int) -> Any:
    """What a function gets for the value of a parameter of that kind. Facts: KMDF-OBJ-23, 25."""
    if kind not in ("Given", "Out"):
        wanted, _, optional = kind.partition(" | ")
        return None if optional and not value else fw.get(value, KINDS[wanted])
    if not value:
        fw.m.stop("kmdf-null-parameter", name=fw.m.headers.prototypes[function].parameters[index].name)
    if kind == "Out":
        fw.m.set_u64(value, 0)
    return value
