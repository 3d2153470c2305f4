"""How a run ends early: a broken rule, or something the engine does not model.

A :class:`Stop` carries data only: which rule, which values, which objects, and the C calls that were under way. The wording is
made at the edge (``wsklab.rules.report``). The places come from the Python frames of the compiled C functions, so that running
code pays nothing for them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
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


class NotModelled(Exception):
    """The code needs something that the engine knows by name only. Not the code's fault; nothing is made up instead.

    Attributes:
        what: name of the function, control code or mode.
        where: the place in C that asked for it, None when Python did.
    """

    def __init__(self, what: str, where: Where | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what} is not modelled yet"


class Stop(Exception):
    """The machine stopped because a rule was broken.

    Attributes:
        rule: the rule.
        values: what fills the ``{names}`` of its texts.
        objects: addresses of the objects involved, the most important first.
        stack: the C calls under way, innermost first.
        lives: for each of `objects`, the events of its life.
    """

    def __init__(
        self,
        rule: Rule,
        values: dict[str, Any],
        objects: tuple[int, ...] = (),
        stack: tuple[CFrame, ...] = (),
        lives: dict[int, tuple[Event, ...]] | None = None,
        sources: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(rule.id)
        self.rule = rule
        self.values = values
        self.objects = objects
        self.stack = stack
        self.lives = lives or {}
        self.sources = sources or {}
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
        return tuple(_filled(parameter, self.values) for parameter in self.rule.parameters)

    def report(self, language: str | None = None) -> str:
        """The whole explanation as text, in a language (``en``, ``ja``, ``fr``)."""
        from wsklab.rules.report import report

        return report(self, language or self.language)

    def __str__(self) -> str:
        return self.report()

    def _render_traceback_(self) -> list[str]:
        # IPython shows this instead of a Python traceback: a fault in C is not a fault in Python.
        return self.report().splitlines()


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _filled(template: str, values: dict[str, Any]) -> str:
    return template.format_map(_Missing(values))


def c_stack(sources: dict[str, list[str]], frame: FrameType | None = None) -> tuple[CFrame, ...]:
    """The C calls under way, innermost first, found in the Python frames from `frame` outwards."""
    found: list[CFrame] = []
    frame = frame or sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_filename in sources and code.co_name != "<module>":
            names = code.co_varnames[: code.co_argcount]
            arguments = {name: frame.f_locals[name] for name in names if name in frame.f_locals}
            found.append(CFrame(code.co_name, place_of(frame), arguments))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)


def place_of(frame: FrameType) -> Where:
    """The place in C that a compiled function has reached; columns come from the code's position table."""
    code = frame.f_code
    index = frame.f_lasti // 2
    line, column = frame.f_lineno, 0
    for number, (start, _, first, _) in enumerate(code.co_positions()):
        if number == index:
            line, column = start or line, (first + 1) if first is not None else 0
            break
    return Where(code.co_filename, line, column, code.co_name)


def c_caller(sources: dict[str, list[str]]) -> Where | None:
    """The innermost place in C, or None when no C code is running."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename in sources:
            return place_of(frame)
        frame = frame.f_back
    return None
