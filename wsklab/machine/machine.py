"""One simulated x64 Windows kernel: memory, IRQL, threads, virtual time, code addresses, choices and trace.

The machine knows no IRPs, sockets or requests; packages above it register modelled functions (``wsklab.machine.api``) and keep
their state with :meth:`Machine.model`. Two rules hold: whatever the documents leave open goes through :meth:`Machine.choose`,
and whatever happens goes to :attr:`Machine.trace`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, NoReturn, TypeVar, cast

from wsklab.c.headers import Headers, headers
from wsklab.c.types import CType, Function, Int, Pointer
from wsklab.machine.api import DISPATCH_LEVEL, IRQL_NAMES, MODELLED, PASSIVE_LEVEL, Modelled, bind
from wsklab.machine.choices import Choices
from wsklab.machine.code import STEPS, Code, Exited, Steps, offset_of
from wsklab.machine.exceptions import ACCESS_VIOLATION, USER_END, raise_exception
from wsklab.machine.memory import READ_ONLY, Memory
from wsklab.machine.scheduler import Body, Scheduler, Thread, Wait
from wsklab.machine.stops import CFrame, NotModelled, Stop, c_caller, c_stack
from wsklab.machine.trace import Trace, Where
from wsklab.machine.views import View
from wsklab.rules import rules

_T = TypeVar("_T")


class Machine:
    """One machine, with the mode of its choice point (see :class:`~wsklab.machine.choices.Choices`).

    `trace` says whether events are recorded, `steps` how many loop iterations are allowed between two entries from Python.
    """

    def __init__(self, choices: str | dict[str, str] | None = None, trace: bool = True, steps: int = STEPS) -> None:
        self.headers: Headers = headers()
        self.memory = Memory(self._fault)
        self.choices = Choices(choices)
        self.time = 0
        self._irql = PASSIVE_LEVEL
        self.main = Thread("main")
        self.system = Thread("system")  # the arbitrary thread in which due work runs
        self.thread = self.main
        self.trace = Trace(lambda: (self.time, self.thread.name, self.irql), self.caller, trace)
        self.scheduler = Scheduler(self)
        self.steps = Steps(steps)
        self.code: dict[int, Code] = {}
        self.sources: dict[str, list[str]] = {}
        self.console: list[str] = []
        self._models: dict[type, Any] = {}
        self.handles: dict[int, int] = {}  # numbers that stand for an object → its address
        self._returned: Code | None = None
        self._library: dict[str, Modelled] = {}  # the kernel functions of the headers that were asked for
        self._bound: dict[str, Callable[..., Any]] = {}
        self._slots: dict[str, int] = {}
        self.load, self.store, self.read, self.write = self.memory.load, self.memory.store, self.memory.read, self.memory.write
        self.block_at = self.memory.block_at
        for letter, bits in product("ui", (8, 16, 32, 64)):
            ctype = Int(bits // 8, letter == "i")
            self.__dict__.update({f"{letter}{bits}": self.load(ctype), f"set_{letter}{bits}": self.store(ctype)})

    # Scalars, bound above: address → value, and (address, value) → None
    u8: Callable[[int], int]
    u16: Callable[[int], int]
    u32: Callable[[int], int]
    u64: Callable[[int], int]
    i32: Callable[[int], int]
    i64: Callable[[int], int]
    set_u8: Callable[[int, int], None]
    set_u16: Callable[[int, int], None]
    set_u32: Callable[[int, int], None]
    set_u64: Callable[[int, int], None]
    set_i32: Callable[[int, int], None]
    set_i64: Callable[[int, int], None]

    @property
    def irql(self) -> int:
        """The current IRQL. At DISPATCH_LEVEL and above pageable memory is out (KRN-33)."""
        return self._irql

    @irql.setter
    def irql(self, level: int) -> None:
        if self.memory.paged and (level >= DISPATCH_LEVEL) != (self._irql >= DISPATCH_LEVEL):
            self.memory.page(out=level >= DISPATCH_LEVEL)
        self._irql = level

    # Memory

    def allocate(self, size: int, kind: str = "pool", *, tag: int = 0, label: str = "", zero: bool = False) -> int:
        """A new guarded block of `size` bytes; returns its address. Unless `zero`, its bytes count as never written."""
        block = self.memory.map(size, kind, tag=tag, label=label or kind)
        if zero:
            self.memory.write(block.address, bytes(size))
        if kind in ("pool", "irp", "mdl", "object"):
            about = (block.address,)
            self.trace.add("allocate", block.label, actor="io", objects=about, here=True, size=size, memory=kind, tag=tag)
        return block.address

    def new(self, record: str, kind: str = "object", label: str = "") -> int:
        """A zeroed structure by its header name; returns its address."""
        return self.allocate(self.headers.record(record).size, kind, label=label or record, zero=True)

    def free(self, address: int) -> None:
        """End the life of a block. Raises ValueError when `address` is not the start of a live block."""
        block = self.memory.block_at(address)
        if block is None or block.address != address or not block.live:
            raise ValueError(f"{address:#x} is not the start of a live block")
        self.memory.release(block)
        self.trace.add("free", block.label, actor="io", objects=(address,), here=True, memory=block.kind)

    def seal(self, address: int, size: int) -> None:
        """Make written bytes read-only (a constant table)."""
        self.memory.mark(address, size, READ_ONLY)

    offset = staticmethod(offset_of)

    def sizeof(self, name: str) -> int:
        """Size in bytes of a type of the headers."""
        return self.headers.type(name).size

    def constant(self, name: str) -> int:
        """A constant of the headers."""
        return self.headers.constants[name]

    def view(self, address: int, record: str) -> View:
        """The structure at an address, by its header name."""
        ctype = self.headers.type(record)
        return View(self, int(address), ctype.to if isinstance(ctype, Pointer) else ctype)

    # Code

    def define_code(self, code: Code) -> int:
        """Give a function an address."""
        address = self.memory.map(16, "code", label=code.name).address
        self.code[address] = code
        return address

    def python_code(self, function: Callable[..., Any], name: str) -> int:
        """A code address for a Python callable, for completion routines of providers and the like."""
        return self.define_code(Code(name, function, False))

    def api(self, name: str) -> Callable[..., Any]:
        """A modelled function bound to this machine. Raises KeyError when it is not modelled."""
        bound = self._bound.get(name)
        if bound is None:
            bound = self._bound[name] = bind(self, self.modelled(name))
        return bound

    def modelled(self, name: str) -> Modelled:
        """A modelled function, in Python or in the headers' C. Raises KeyError when there is none."""
        if name in MODELLED:
            return MODELLED[name]
        if name not in self._library and name in self.headers.exports:
            from wsklab.machine.cruntime import kernel_functions  # which knows this module

            self._library = kernel_functions(self, name) | self._library
        return self._library[name]

    def slot(self, name: str) -> int:
        """The code address of a modelled function, for dispatch tables and function pointers."""
        if name not in self._slots:
            modelled = self.modelled(name)
            prototype: CType | None = self.headers.prototypes.get(name)
            if modelled.prototype:
                pointer = self.headers.type(modelled.prototype)
                prototype = pointer.to if isinstance(pointer, Pointer) else pointer
            known = prototype if isinstance(prototype, Function) else None
            self._slots[name] = self.define_code(Code(name, self.api(name), modelled.waits, known))
        return self._slots[name]

    def code_at(self, address: int) -> Code:
        """What stands at a code address; a stop when it is not the start of a function."""
        code = self.code.get(address)
        if code is None:
            self.stop("bad-call", objects=(address,), address=f"{address:#018x}")
        return code

    def call(self, address: int, *arguments: Any, actor: str = "io", target: str = "driver") -> Any:
        """Call the code at an address from Python, as the kernel calls a routine of the driver.

        The routine runs on the current thread at the current IRQL and may not wait: a wait that is not satisfied at once
        breaks the rule ``wait-in-callback`` (KRN-26, WSK-EV-04).
        """
        name = self.code_at(address).name
        try:
            return self.drive(self.call_waiting(address, *arguments, actor=actor, target=target), name)
        except RecursionError:  # here or in one of the calls around it is room enough to say so
            self.stop("stack-overflow", function=name)

    def call_waiting(self, address: int, *arguments: Any, actor: str = "io", target: str = "driver") -> Body:
        """Like :meth:`call`, from code that may wait: ``value = yield from m.call_waiting(…)``."""
        code = self.code_at(address)
        told, thread, inside = self.trace.on and code.is_driver, self.thread, self.thread.inside
        if told:
            objects = self.objects_in(arguments)
            self.trace.add("callback", code.name, actor=actor, target=target, objects=objects, arguments=arguments)
        thread.inside = not code.is_driver and (inside or code.place is not None)  # our own C has a place too
        try:
            value = (yield from code.call(*arguments)) if code.waits else code.call(*arguments)
        finally:
            thread.inside = inside
        if code.is_driver:
            self._returned = code
        if told:
            self.trace.add("callback-return", code.name, actor=target, target=actor, value=value)
        return value

    def drive(self, body: Body, name: str) -> Any:
        """Run a generator that may not wait to its end; `name` is what is told when it waits after all."""
        status = None
        while True:
            try:
                wait = body.send(status)
            except StopIteration as finished:
                return finished.value
            if not wait.ready():
                self.stop("wait-in-callback", function=name, why=self.waits_for(wait))
            if wait.take:
                wait.take()
            status = 0

    # Time, threads, IRQL

    @contextmanager
    def at_irql(self, level: int) -> Iterator[None]:
        """Raise or lower the IRQL for the block."""
        before, self.irql = self.irql, level
        try:
            yield
        finally:
            self.irql = before

    @contextmanager
    def on_thread(self, thread: Thread) -> Iterator[None]:
        """Run the block on a thread, at that thread's IRQL."""
        before, self.thread.irql = self.thread, self.irql
        self.thread, self.irql = thread, thread.irql
        try:
            yield
        finally:
            thread.irql = self.irql
            self.thread, self.irql = before, before.irql

    def after(
        self, delay: int, work: Callable[[], None], *, irql: int = 2, background: bool = False
    ) -> Callable[[], None]:  # fmt: skip
        """Run a plain Python callable `delay` 100-ns units from now, at an IRQL. Returns a function that takes it back."""
        return self.scheduler.at(self.time + max(delay, 0), work, irql, background)

    def start_thread(self, body: Body, name: str) -> Thread:
        """A new system thread, which runs when the scheduler comes to it."""
        self.scheduler.threads.append(thread := Thread(name, body))
        return thread

    def run(self, deadline: int | None = None) -> None:
        """Run until nothing is left to do, or virtual time would pass `deadline` (100-ns units)."""
        self.steps.refill()
        self.scheduler.run(deadline=deadline)

    def run_function(self, code: Code, *arguments: Any) -> Any:
        """Call driver code from Python on the main thread; if it can wait, the machine runs until it returns."""
        self.steps.refill()
        try:
            if not code.waits:
                return code.call(*arguments)
            thread = self.start_thread(code.call(*arguments), "main")
            thread.irql = self.irql
            if not self.scheduler.run(until=thread):
                self.hang()
        except Exited as ended:
            return ended.status
        return thread.result

    def hang(self) -> NoReturn:
        """Stop because nothing can ever go on; every waiting thread is named."""
        blocked = self.scheduler.blocked
        names = ", ".join(f"{thread.name} ({self.waits_for(thread.waiting)})" for thread in blocked)
        objects = tuple(part for thread in blocked if thread.waiting for part in thread.waiting.why if isinstance(part, int))
        self.stop("hang", objects=objects, threads=names or "-")

    def waits_for(self, wait: Wait | None) -> str:
        """What a wait is for, in words and addresses."""
        why = wait.why if wait else ()
        return " ".join(f"{part:#018x}" if isinstance(part, int) and part > 0xFFFF else str(part) for part in why)

    # Choices, models, stops

    def choose(self, kind: str, options: tuple[str, ...]) -> str:
        """The answer to something the documents leave open; the first option is the usual one."""
        answer = self.choices.choose(kind, options)
        if answer != options[0]:
            self.trace.add("choice", kind, actor="io", answer=answer, options=options)
        return answer

    def model(self, kind: type[_T], *arguments: Any) -> _T:
        """The state of a class that a package keeps with this machine; made, with `arguments`, at the first call."""
        if kind not in self._models:
            self._models[kind] = kind(*arguments)
        return cast(_T, self._models[kind])

    def caller(self) -> Where | None:
        """The place in C that is running, None when Python is."""
        return c_caller(self.sources)

    def objects_in(self, values: tuple[Any, ...]) -> tuple[int, ...]:
        """The addresses of known blocks among some values; a framework handle stands for its object."""
        numbers = (self.handles.get(value, value) for value in values if isinstance(value, int) and value > 0xFFFF)
        return tuple(number for number in numbers if self.memory.block_at(number))

    def stop(self, rule: str, *, objects: tuple[int, ...] = (), **values: Any) -> NoReturn:
        """Stop the machine: a rule is broken. `values` fill the rule's texts; `objects` are shown with their lives.

        When no C is running, the place shown is the routine whose result broke the rule, else where the object was born
        if the rule is about that, else the last place that C had reached.
        """
        stack = c_stack(self.sources)
        if not stack:
            place = self._blamed(rule, objects, values.get("routine"))
            stack = (CFrame(place.function, place),) if place else ()
        values.setdefault("irql", self.irql)
        values.setdefault("irql_name", IRQL_NAMES.get(self.irql, str(self.irql)))
        values.setdefault("ip", self._address_of(stack[0].where.function) if stack else "0")
        if objects:
            values.setdefault("object", self.name_of(objects[0]))
        lives = {address: tuple(self.trace.about(address)) for address in objects}
        where = stack[0].where if stack else None
        self.trace.add("stop", rule, actor="driver", objects=objects, where=where, title=rules()[rule].title)
        raise Stop(rules()[rule], values, objects, stack, lives, self.sources)

    def refuse(self, rule: str, place: int, function: str, /, **values: Any) -> NoReturn:
        """Stop because `function` must not be called for the object at `place`; the texts know that as object, irp or mdl."""
        values = dict.fromkeys(("object", "irp", "mdl"), f"{place:#018x}") | values
        self.stop(rule, objects=(place,), function=function, **values)

    def _address_of(self, function: str | None) -> str:
        """Where a C function of a driver begins, as bug checks show it."""
        return next((f"{at:#018x}" for at, code in self.code.items() if code.is_driver and code.name == function), "0")

    def _blamed(self, rule: str, objects: tuple[int, ...], routine: str | None) -> Where | None:
        if self._returned and routine == self._returned.name:
            return self._returned.place
        if objects and rules()[rule].at_birth:
            return next((event.where for event in self.trace.about(objects[0]) if event.where), None)
        return next((event.where for event in reversed(self.trace.events) if event.where), None)

    def too_high(self, function: str, limit: int) -> NoReturn:
        """Stop because `function` was called above its highest IRQL."""
        self.stop("irql-too-high", function=function, allowed=IRQL_NAMES[limit])

    def not_modelled(self, what: str) -> NoReturn:
        """End the run because the code needs something the engine does not model."""
        raise NotModelled(what, self.caller())

    def name_of(self, address: int) -> str:
        """How an object is called in messages: its type and address, the same in every language."""
        block = self.memory.block_at(address) or self.memory.nearest(address)
        return f"{block.label} {block.address:#018x}" if block else f"{address:#018x}"

    def _fault(self, rule: str, address: int, size: int, access: str) -> NoReturn:
        block = self.memory.block_at(address) or self.memory.blamed(address)
        if rule in ("null-dereference", "wild-pointer") and address < USER_END and self.irql < DISPATCH_LEVEL:
            # A page of user space that is not there raises; one of the system's own stops it, whoever is on guard.
            raise_exception(self, ACCESS_VIOLATION, int(access != "read"), address)
        frames = self.thread.frames
        if rule == "use-after-scope" and frames and frames[-1] <= address < frames[0]:
            rule = "use-after-block"  # the function still runs
        known = block is not None and rule not in ("null-dereference", "wild-pointer")
        if rule in ("null-dereference", "wild-pointer") and self.irql >= 2:
            rule += "-at-dispatch"
        objects, distance = (block.address,) if block and known else (), address - block.end + 1 if block else 0
        distance = block.address - address if block and address < block.address else distance
        code = int(access != "read")  # 0x50 counts otherwise than the rest: a write is 2 (BUG-03)
        self.stop(rule, objects=objects, address=f"{address:#018x}", size=size, access=access,
                  access_code=code, page_code=2 * code, distance=distance,
                  page_kind="0xF" if address < 1 << 47 else "0x2" if address >> 47 == 0x1_FFFF else "0x4")  # fmt: skip
