"""How a run ends early: a broken rule, or something the engine does not model.

A :class:`Stop` carries data only: which rule, which values, which objects, and the C calls that were under way. The wording is
made at the edge (``wsklab.rules.report``). The places come from the Python frames of the compiled C functions, so that running
code pays nothing for them.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from types import FrameType
from typing import Any

from wsklab.machine.trace import Event, Where
from wsklab.rules import Rule


@dataclass(frozen=True, slots=True)
class CFrame:
    """One C call that was under way: function name, the place it had reached, its arguments by name."""

    function: str
    where: Where
    arguments: dict[str, Any] = field(default_factory=dict)


class Told(Exception):
    """An error that is no fault of Python's: IPython shows its text instead of a Python traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


class NotModelled(Told):
    """The code needs `what` (a function, control code or mode), which the engine knows by name only; `where` it asked for it.

    Not the code's fault; nothing is made up instead.
    """

    def __init__(self, what: str, where: Where | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is not modelled yet" if self.where else f"{self.what} is not modelled yet"


class Stop(Told):
    """The machine stopped because a rule was broken.

    `values` fill the ``{names}`` of the rule's texts; `objects` are the addresses of the objects involved, the most important
    first, and `lives` the events of each; `stack` holds the C calls under way, innermost first, `variables` what they keep.
    """

    def __init__(
        self, rule: Rule, values: dict[str, Any], objects: tuple[int, ...] = (), stack: tuple[CFrame, ...] = (),
        lives: dict[int, tuple[Event, ...]] | None = None, sources: dict[str, list[str]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(rule.id)
        self.rule, self.values, self.objects, self.stack = rule, values, objects, stack
        self.lives, self.sources = lives or {}, sources or {}
        self.variables = c_variables(self.sources, frames(sys._getframe(1)))  # Python's locals of each call of the stack
        self.language = "en"

    @property
    def where(self) -> Where | None:
        """The innermost place in C, None when Python broke the rule."""
        return self.stack[0].where if self.stack else None

    @property
    def bugcheck(self) -> int | None:
        """The bug check code Windows would show."""
        return self.rule.bugcheck

    @property
    def parameters(self) -> tuple[str, ...]:
        """The bug check's parameters as text."""
        values = defaultdict(lambda: "?", self.values)
        return tuple(parameter.format_map(values) for parameter in self.rule.parameters)

    def report(self, language: str | None = None) -> str:
        """The whole explanation as text, in a language of `wsklab.words.LANGUAGES`."""
        from wsklab.rules.report import report

        return report(self, language or self.language)

    def __str__(self) -> str:
        return self.report()


def c_stack(sources: dict[str, list[str]], among: Iterable[tuple[FrameType, int]] = ()) -> tuple[CFrame, ...]:
    """The C calls under way, innermost first; or those among some frames, with the lines that they have reached."""
    found: list[CFrame] = []
    for at, line in among or ((frame, 0) for frame in frames(sys._getframe(1))):
        code = at.f_code
        if code.co_filename in sources and code.co_name != "<module>":
            names, values = code.co_varnames[: code.co_argcount], at.f_locals
            arguments = {name: values[name] for name in names if name in values and "·" not in name}
            where = place_of(at)
            found.append(CFrame(where.function, where._replace(line=line or where.line), arguments))
    return tuple(found)


def c_variables(sources: dict[str, list[str]], among: Iterable[FrameType]) -> list[dict[str, Any]]:
    """Python's local variables of the C calls among some frames."""
    calls = (at for at in among if at.f_code.co_filename in sources and at.f_code.co_name != "<module>")
    return [dict(at.f_locals) for at in calls]


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The Python frames from `frame` outwards."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def place_of(frame: FrameType) -> Where:
    """The place in C that a compiled function has reached; columns come from the code's position table."""
    code = frame.f_code
    line, _, column, _ = next(islice(code.co_positions(), max(frame.f_lasti, 0) // 2, None))
    function = code.co_name.split("·")[0]  # what the compiler adds to it is a part of the function
    return Where(code.co_filename, line or frame.f_lineno, 0 if column is None else column + 1, function)


def c_caller(sources: dict[str, list[str]]) -> Where | None:
    """The innermost place in C, or None when no C code is running."""
    return next((place_of(frame) for frame in frames(sys._getframe(2)) if frame.f_code.co_filename in sources), None)
