"""What compiled C needs of the machine: memory, stack frames, names, calls through pointers, gaps.

It fits the protocol in ``wsklab.c.runtime`` by structure; the front end never imports the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from wsklab.c.link import link_export
from wsklab.c.types import CType, Float, Function, Int, Pointer, Record, Void
from wsklab.machine.api import MODELLED, Modelled, written_in_c
from wsklab.machine.code import KERNEL_STACK, Code
from wsklab.machine.exceptions import Guard, Raised, raise_exception
from wsklab.machine.machine import Machine
from wsklab.machine.memory import OUT_OF_SCOPE, UNWRITTEN
from wsklab.machine.stops import Stop
from wsklab.machine.trace import Where

_EXCEPTIONS = {"division-by-zero": 0xC0000094, "division-overflow": 0xC0000095}
"""What a processor refuses: STATUS_INTEGER_DIVIDE_BY_ZERO, STATUS_INTEGER_OVERFLOW."""


class CRuntime:
    """The machine as one linked image sees it."""

    def __init__(self, machine: Machine, is_driver: bool = True) -> None:
        self.machine, self.is_driver = machine, is_driver
        self.steps = machine.steps
        self.memory = machine.memory
        self.views = self.memory.views
        self.load, self.store, self.copy = self.memory.load, self.memory.store, self.memory.copy
        self.address_of, self.seal = machine.slot, machine.seal
        self._fitting: dict[tuple[int, int], Function] = {}  # prototypes with which a code address was called already
        self._strings: dict[bytes, int] = {}

    # Memory

    def store_bits(self, ctype: CType, bit_offset: int, bit_width: int) -> Callable[[int, int], None]:
        """Store function of a bit-field: the other bits of its unit stay, and count as zero while nobody has written them."""
        load, store, size = self.load(ctype), self.store(ctype), ctype.size
        mask = (1 << bit_width) - 1 << bit_offset
        wrap = ctype.wrap if isinstance(ctype, Int) else int

        def store_field(address: int, value: int) -> None:
            fresh = self.memory.peek(address, size)[1] == bytes([UNWRITTEN]) * size
            store(address, wrap((0 if fresh else load(address)) & ~mask | value << bit_offset & mask))

        return store_field

    def fill(self, target: int, size: int) -> None:
        """Zero initialisation."""
        self.memory.write(target, bytes(size))

    def string(self, content: bytes) -> int:
        """The address of a string literal, terminator included; the same text has one address."""
        known = self._strings.get(content)
        if known is None:
            known = self._strings[content] = self.memory.map(len(content), "global", label="string literal").address
            self.memory.write(known, content)
            self.seal(known, len(content))
        return known

    def allocate_global(self, name: str, ctype: CType) -> int:
        """A zeroed object with static storage."""
        address = self.memory.map(max(ctype.size, 1), "global", label=name, align=max(16, ctype.align)).address
        self.memory.write(address, bytes(ctype.size))
        return address

    def push_frame(self, layout: bytes, function: str, align: int = 16) -> int:
        """Stack space for the locals of one call that live in memory, a byte of `layout` each: 1 where a variable lies, else 0.

        Nothing in it is written yet, and the bytes between the variables are nobody's.
        """
        size, thread = len(layout), self.machine.thread
        if not thread.frames:
            thread.stack = block = self.memory.map(KERNEL_STACK, "stack", label=f"stack of {thread.name}")
            self.memory.mark(block.address, block.size, OUT_OF_SCOPE)
            thread.frames.append(block.end)
        address = (thread.frames[-1] - size) & -align
        if address < thread.stack.address:
            self.machine.stop("stack-overflow", function=function)
        self.memory.set_states(address, layout)  # 0 and 1 are the states of bytes that are nobody's and not written yet
        thread.frames.append(address)
        return address

    def pop_frame(self, address: int) -> None:
        """Give stack space back; from now on a pointer into it is stale."""
        frames = self.machine.thread.frames
        if isinstance(sys.exc_info()[1], Stop):
            return  # so that a person can look at the locals
        if frames and frames[-1] == address:
            frames.pop()
            self.memory.mark(address, frames[-1] - address, OUT_OF_SCOPE)

    def cut_frames(self, address: int) -> None:
        """Give back what was pushed after the frame at an address."""
        frames, running = self.machine.thread.frames, not isinstance(sys.exc_info()[1], Stop)
        while running and frames[-1] < address:
            self.pop_frame(frames[-1])

    def scope(self, frame: int, lives: tuple[tuple[int, int], ...], is_open: int) -> None:
        """A block begins or ends in which locals of a frame live, by offset and size."""
        for offset, size in lives:
            self.memory.mark(frame + offset, size, UNWRITTEN if is_open else OUT_OF_SCOPE)

    # Code

    def define_function(self, name: str, compiled: Any) -> int:
        """Give a compiled function its code address."""
        place = Where(compiled.place.file, compiled.place.line, compiled.place.column, name)
        return self.machine.define_code(Code(name, compiled.call, compiled.waits, compiled.type, self.is_driver, place))

    def resolve(self, name: str, prototype: Function) -> tuple[Callable[..., Any], bool]:
        """The modelled function a name stands for, and whether it can wait.

        What the headers declare and nobody models says its name and place when it is called. Raises KeyError for other names.
        """
        if name in MODELLED or name in self.machine.headers.exports:
            return self.machine.api(name), self.machine.modelled(name).waits
        if name not in self.machine.headers.prototypes:
            raise KeyError(name)
        return lambda *arguments: self.machine.not_modelled(name), False

    def indirect(self, address: int, prototype: Function) -> Callable[..., Any]:
        """The function behind a pointer, for a caller that cannot wait."""
        call, waits = self.indirect_waits(address, prototype)
        return (lambda *arguments: self.machine.call(address, *arguments)) if waits else call

    def indirect_waits(self, address: int, prototype: Function) -> tuple[Callable[..., Any], bool]:
        """The function behind a pointer, and whether its call has to be waited for."""
        code = self.machine.code_at(address)
        if self._fitting.get((address, id(prototype))) is not prototype:
            self._check_call(code, prototype)
            self._fitting[address, id(prototype)] = prototype
        if code.is_driver and not self.is_driver:  # the kernel calls a routine of the driver
            return partial(self.machine.call_waiting, address), True
        return code.call, code.waits

    def _check_call(self, code: Code, prototype: Function) -> None:
        """Stop when a function is called through a pointer to another kind of function: other arguments in number or kind."""
        known, given = code.prototype, prototype.parameters
        if known is None:
            return
        if len(known.parameters) != len(given) or known.varargs != prototype.varargs:
            counts = [f"{len(each.parameters)}{', ...' if each.varargs else ''}" for each in (known, prototype)]
            self.machine.stop("wrong-prototype", function=code.name, expected=counts[0], given=counts[1])
        for number, (wanted, passed) in enumerate(zip(known.parameters, given, strict=True), 1):
            if _differ(wanted.type, passed.type):
                kinds: dict[str, Any] = {"expected": wanted.type, "given": passed.type}
                self.machine.stop("wrong-prototype-type", function=code.name, number=number, **kinds)
        if not isinstance(prototype.returns, Void) and _differ(prototype.returns, known.returns):
            values: dict[str, Any] = {"expected": known.returns, "given": prototype.returns}
            self.machine.stop("wrong-prototype-result", function=code.name, **values)

    def may_wait(self, prototype: Function) -> bool:
        """Whether a modelled function behind a pointer of this type can wait."""
        named = {modelled.prototype for modelled in MODELLED.values() if modelled.waits and modelled.prototype}
        pointers = [self.machine.headers.type(name) for name in named]
        return any(isinstance(pointer, Pointer) and pointer.to == prototype for pointer in pointers)

    # Structured exception handling

    raised = Raised

    def guard(self, asked: Callable[[int, int], Any]) -> Guard:
        """The filter of an ``__except`` whose block begins."""
        guards = self.machine.thread.guards
        guards.append(guard := Guard(asked, guards))
        return guard

    def unguard(self, guard: Guard) -> None:
        """The block was left."""
        guard.among.remove(guard)

    # Reports

    def gap(self, place: Any, kind: str) -> int:
        """A ``...`` of the listing was reached. As a condition it is answered by the choice point."""
        machine = self.machine
        value = int(kind == "condition" and machine.choose("gap condition", ("false", "true")) == "true")
        machine.trace.add("gap", kind, actor="driver", where=Where(place.file, place.line, place.column), value=value)
        return value

    def undefined(self, what: str, **values: Any) -> NoReturn:
        """C leaves the behaviour open here; the machine stops instead of guessing."""
        if what in _EXCEPTIONS:
            raise_exception(self.machine, _EXCEPTIONS[what])
        if what == "step-budget":
            values["steps"] = self.machine.steps.budget
        self.machine.stop(what, **values)


def _differ(wanted: CType, passed: CType) -> bool:
    """Whether what is wanted is not what is passed: of another kind, or more bytes than the others give a meaning to."""
    kinds = any(isinstance(wanted, kind) != isinstance(passed, kind) for kind in (Float, Record, Void))
    return kinds or (not isinstance(wanted, Void) and wanted.size > passed.size)


def kernel_functions(machine: Machine, name: str) -> dict[str, Modelled]:
    """The kernel function that the headers define in C under a name, and those that it calls, compiled for a machine."""
    exports, image = machine.headers.exports, link_export(name, machine.headers.unit, CRuntime(machine, is_driver=False))
    found = {each: compiled for each, compiled in image.functions.items() if each in exports}
    return {each: written_in_c(exports[each], compiled.call, compiled.waits) for each, compiled in found.items()}
