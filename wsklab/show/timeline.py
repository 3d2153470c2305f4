"""The timeline: one run as one picture, with the same content as text.

>>> timeline(lab.trace.events, language="ja")       # doctest: +SKIP

The picture is a static SVG that needs no script; see :mod:`wsklab.show.steps` for what becomes a row and
:mod:`wsklab.show.draw` for how it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wsklab.show.draw import Drawing
from wsklab.show.reading import Prototypes, Reading, header_prototype, irql_name, microseconds
from wsklab.show.steps import Step, Steps, walk
from wsklab.words import chosen_language, translate

if TYPE_CHECKING:
    from wsklab.c.types import Function
    from wsklab.machine import Machine
    from wsklab.machine.trace import Event


class Timeline:
    """The picture of a run. Notebooks show :attr:`svg`, everything else :attr:`text`."""

    def __init__(self, steps: Steps, title: str = "") -> None:
        self.steps = steps
        self.title = title or translate("Timeline of the run", steps.language)

    @cached_property
    def text(self) -> str:
        """The run as plain text, one line for each row of the picture."""
        lines: list[str] = []
        for step, changed in walk(self.steps.steps):
            if changed:
                lines.append(f"{microseconds(step.time)}, {irql_name(step.irql)}")
            lines.append("  " + self._line(step))
        return "\n".join(lines)

    @cached_property
    def svg(self) -> str:
        """The picture as one SVG element that carries its own style."""
        return self.draw()

    def draw(self, style: bool = True) -> str:
        """A new copy of the picture with ids of its own; without `style` beside another picture that carries the CSS."""
        return Drawing(self.steps, self.title, self.text).svg(style)

    def _line(self, step: Step) -> str:
        language = self.steps.language
        words = " ".join(filter(None, (step.text, step.side and f"({step.side})" if step.text else step.side)))
        if step.kind == "stop":
            words = translate("STOP {id}: {title}", language, id=step.detail, title=step.text)
        elif step.source and step.target and step.source != step.target:
            words = translate("{who}: {what}", language, who=" → ".join(map(self.steps.lane, step.lanes)), what=words)
        if step.line:
            words += f"  [{translate('line {line}', language, line=step.line)}]"
        return words.replace("→\u00a0", "→ ")

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def timeline(
    events: Iterable[Event],
    language: str | None = None,
    *,
    title: str = "",
    noise: bool = False,
    machine: Machine | None = None,
    symbols: Mapping[int, str] | None = None,
    prototypes: Prototypes | None = None,
) -> Timeline:
    """The timeline of a stream of events.

    Args:
        events: the events of a run, or a part of them.
        language: language of the words (``en``, ``ja``, ``fr``).
        title: what the picture is of, for readers who hear it.
        noise: also show helper calls such as RtlZeroMemory (:data:`wsklab.show.steps.NOISE`).
        machine: the machine of the run; it knows the names and prototypes of the driver's own functions.
        symbols: names of addresses, mostly of C functions, when there is no machine.
        prototypes: finds a prototype by function name, when there is no machine; by default the headers are asked.
    """
    if machine is not None:
        symbols = {address: code.name for address, code in machine.code.items()} | dict(symbols or {})
        prototypes = prototypes or _prototypes_of(machine)
    reading = Reading(events, prototypes, symbols)
    return Timeline(Steps(reading, chosen_language(language), noise), title)


def _prototypes_of(machine: Machine) -> Prototypes:
    own = {code.name: code.prototype for code in machine.code.values() if code.is_driver and code.prototype}

    def find(name: str) -> Function | None:
        return own.get(name) or header_prototype(name)

    return find
