"""What can be looked at while C stands still: the locals of a call, after a stop or from step to step.

Values are text, as a debugger shows them; what has no value yet is ``??``. Looking changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from wsklab.c.body import FRAME
from wsklab.c.runtime import WIDE_RED_ZONE
from wsklab.c.types import Array, CType, Field, Record, sized
from wsklab.c.unit import Unit
from wsklab.machine import Machine, Stop, View, Where
from wsklab.machine.stops import place_of
from wsklab.machine.views import address_of, python_value
from wsklab.show.dump import dump_bytes, shown_value
from wsklab.words import translate


class Variable(NamedTuple):
    """A local of a C call: its value for Python (None if it has none yet), and as text."""

    name: str
    type: CType
    value: Any
    text: str


class Step(NamedTuple):
    """A line of C that is about to run, and the locals it finds, by name."""

    where: Where
    locals: dict[str, str]


def variables(machine: Machine, units: Iterable[Unit], where: Where, kept: dict[str, Any]) -> Iterator[Variable]:
    """The parameters and locals of the C call that has reached a place, in the order of their declarations.

    `kept` are the local variables of the Python function that it is.
    """
    bodies = (unit.checked.get(where.function) for unit in units if unit.name == where.file)
    body = next((body for body in bodies if body), None)
    for local in body.locals if body else ():
        raw, ctype = kept.get(local.python), sized(local.type, kept)
        address, size, data, states = None, ctype.size, b"", b""
        if local.offset is not None and FRAME in kept:
            address = kept[FRAME] + local.offset
        elif isinstance(ctype, Array) and raw is not None:
            address = raw + WIDE_RED_ZONE
        if address is not None:
            data, states = machine.memory.peek(address, size)
            if isinstance(ctype, Record | Array):
                view, array = View(machine, address, ctype), isinstance(ctype, Array)
                text = shown_value(machine, Field(local.name, ctype, 0), data, states) if array else repr(view)
                yield Variable(local.name, ctype, view, text)
                continue
            raw = None if 1 in states else int.from_bytes(data, "little", signed=getattr(ctype, "signed", False))
        elif isinstance(raw, int):
            data, states = (raw & ((1 << 8 * size) - 1)).to_bytes(size, "little"), b"\2" * size
        value = None if raw is None else python_value(machine, raw, ctype)
        text = "??" if raw is None else shown_value(machine, Field(local.name, ctype, 0), data, states) or str(raw)
        yield Variable(local.name, ctype, value, text)


class Looking:
    """What a lab shows of the C that it runs; a part of :class:`wsklab.Lab`."""

    machine: Machine
    drivers: list[Any]
    stopped: Stop | None
    language: str

    def locals(self, frame: int = 0) -> dict[str, Any]:
        """The locals of a C call that was under way when the machine stopped, by name; without those that have no value yet.

        Args:
            frame: which call, 0 is the innermost.
        """
        return {each.name: each.value for each in self._variables(frame) if each.value is not None}

    def look(self, frame: int = 0) -> str:
        """The same as text: each local with its type and value, as a debugger shows them."""
        rows = self._variables(frame)
        wide = [max((len(str(row[column])) for row in rows), default=0) for column in (0, 1)]
        lines = [f"  {row.name:<{wide[0]}}  {str(row.type):<{wide[1]}}  {row.text}" for row in rows]
        return "\n".join(
            [f"{self.stopped.stack[frame].function}  {self.stopped.stack[frame].where}" if self.stopped else "", *lines]
        )

    def hex_dump(self, address: object, size: int = 64) -> str:
        """Bytes from an address on, in hexadecimal and as characters; a structure is shown by ``lab.view(…).dump()``."""
        data, states = self.machine.memory.peek(address_of(address), size)
        return dump_bytes(data, address_of(address), states)

    @contextmanager
    def single_steps(self, most: int = 10_000) -> Iterator[list[Step]]:
        """Record each line of C that begins to run in the block, with the locals it finds; at most so many."""
        steps: list[Step] = []

        def trace(at: FrameType, event: str, argument: Any) -> Any:
            if at.f_code.co_filename not in self.machine.sources or len(steps) >= most:
                return None
            if event == "line":
                found = variables(self.machine, self._units(), place_of(at), at.f_locals)
                steps.append(Step(place_of(at), {each.name: each.text for each in found if each.name}))
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            yield steps
        finally:
            sys.settrace(before)

    def _units(self) -> list[Unit]:
        return [unit for driver in self.drivers for unit in driver.units]

    def _variables(self, frame: int) -> list[Variable]:
        stack = self.stopped.stack if self.stopped else ()
        if self.stopped is None or not 0 <= frame < len(stack):
            raise IndexError(translate("There are {count} C calls to look at.", self.language, count=len(stack)))
        kept = self.stopped.variables[frame] if frame < len(self.stopped.variables) else {}
        return [each for each in variables(self.machine, self._units(), stack[frame].where, kept) if each.name]
