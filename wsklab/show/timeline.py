"""The timeline: one run as one picture, with the same content as text.

>>> timeline(lab.trace.events, language="ja")       # doctest: +SKIP

The picture is a static SVG that needs no script; see :mod:`wsklab.show.steps` for what becomes a row and
:mod:`wsklab.show.draw` for how it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from wsklab.c.headers import headers
from wsklab.machine import Event, Machine
from wsklab.show import Shown
from wsklab.show.draw import Drawing
from wsklab.show.reading import Prototypes, Reading, irql_name, microseconds
from wsklab.show.steps import Step, Steps
from wsklab.words import chosen_language


class Timeline(Shown):
    """The picture of a run: :attr:`svg` in notebooks, :attr:`text` everywhere else."""

    shown_as = ("image/svg+xml", "svg")

    def __init__(self, steps: Steps, title: str = "") -> None:
        self.steps = steps
        self.title = title or steps.say("Timeline of the run")

    @cached_property
    def text(self) -> str:
        """The run as plain text, one line for each row of the picture."""
        lines: list[str] = []
        for step, changed in self.steps.walk():
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
        say = self.steps.say
        words = " ".join(filter(None, (step.text, step.side and f"({step.side})" if step.text else step.side)))
        if step.kind == "stop":
            words = say("STOP {id}: {title}", id=step.detail, title=step.text)
        elif step.goes:
            words = say("{who}: {what}", who=" → ".join(map(self.steps.lane, step.lanes)), what=words)
        if step.line:
            words += f"  [{say('line {line}', line=step.line)}]"
        return words.replace("→\u00a0", "→ ")


def timeline(
    events: Iterable[Event], language: str | None = None, *, title: str = "", noise: bool = False,
    machine: Machine | None = None, symbols: Mapping[int, str] | None = None, prototypes: Prototypes | None = None,
) -> Timeline:  # fmt: skip
    """The timeline of a stream of events.

    Args:
        events: the events of a run, or a part of them.
        language: language of the words, one of `wsklab.words.LANGUAGES`.
        title: what the picture is of, for readers who hear it.
        noise: also show helper calls such as RtlZeroMemory (:data:`wsklab.show.steps.NOISE`).
        machine: the machine of the run; it knows the names and prototypes of the driver's own functions.
        symbols, prototypes: names of addresses, and what finds a prototype by function name, when there is no machine.
    """
    codes = machine.code if machine else {}
    known = headers().prototypes | {code.name: code.prototype for code in codes.values() if code.prototype}
    symbols = symbols or {address: code.name for address, code in codes.items()}
    return Timeline(Steps(Reading(events, prototypes or known.get, symbols), chosen_language(language), noise), title)
