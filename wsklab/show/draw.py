"""Draws the steps of a run as one static SVG.

Layout, from left to right: a column tinted by IRQL with virtual times and C lines; the driver's lane; a wide gap where the
words of calls and callbacks stand; the provider's lane (WSK or the framework, with the I/O manager); then transport, lower
device and peer. A pending IRP is a bar beside the lane of whoever holds it. Every row owns its own strip of the picture and
words in it are measured and broken before they are placed, so no text can overlap another.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from html import escape

from wsklab.show import svg
from wsklab.show.reading import irql_name, microseconds, short_address
from wsklab.show.steps import Step, Steps, walk
from wsklab.show.theme import IRP_COLOURS, stylesheet
from wsklab.words import translate

WIDTH = 700
LEFT = 118  # width of the column with times, IRQL and C lines
DRIVER = LEFT + 20
TOP = 54
LINE = 15  # from one line of words to the next
BAR = 9
_CALLS = ("call", "leaf", "callback", "callback-leaf", "entry", "entry-leaf")
_CODE = frozenset((*_CALLS, "entry-return", "return", "callback-return", "print"))
_ids = itertools.count(1)


@dataclass
class _Bar:
    """A pending IRP beside its holder's lane, while it is being drawn."""

    irp: int
    lane: str
    slot: int
    top: float
    first: bool


@dataclass
class _Active:
    """A function that has not returned yet: a bar on the lane where it runs."""

    lane: str
    name: str
    top: float
    depth: int


class Drawing:
    """One picture. Make it, then ask for :meth:`svg`.

    Args:
        steps: what to draw.
        title: the picture's title, for screen readers.
        description: its text alternative.
    """

    def __init__(self, steps: Steps, title: str, description: str) -> None:
        self.steps = steps
        self.title = title
        self.description = description
        self.lanes = _positions(steps.columns)
        self.ground: list[str] = []  # tints and lanes, under everything
        self.marks: list[str] = []
        self.words: list[str] = []
        self.y = float(TOP if any(map(steps.subheading, steps.columns)) else TOP - 8)
        self._bars: list[_Bar] = []
        self._active: list[_Active] = []
        self._seen: set[int] = set()
        self._band: tuple[int, float] | None = None

    def svg(self, style: bool = True) -> str:
        """The picture as one ``<svg>`` element; without `style` when a neighbour on the page already carries the CSS."""
        for step, changed in walk(self.steps.steps):
            if changed:
                self._header(step)
            self._row(step)
        self._finish()
        name = f"wl{next(_ids)}"
        height = svg.number(self.y + 10)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="wl" '
            f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'style="max-width:100%;min-width:36rem;height:auto" lang="{self.steps.language}" '
            f'role="img" aria-labelledby="{name}t {name}d">'
            f'<title id="{name}t">{escape(self.title, quote=False)}</title>'
            f'<desc id="{name}d">{escape(self.description, quote=False)}</desc>'
            + (f"<style>{stylesheet()}</style>" if style else "")
            + f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{svg.number(self.y + 9)}" rx="8" fill="var(--bg)" '
            + 'stroke="var(--edge)"/>'
            + "".join(self.ground + self.marks + self.words)
            + "</svg>"
        )

    # The frame

    def _finish(self) -> None:
        self._end_band()
        for active in list(self._active):
            self._close(active)
        for bar in list(self._bars):
            self._end_bar(bar, self.y, open_end=True)
        heads: list[str] = []
        for name, x in self.lanes.items():
            self.ground.append(svg.path(f"M{svg.number(x)} 34V{svg.number(self.y)}", "l"))
            heads.append(self._head(name, x))
        self.words += heads

    def _head(self, name: str, x: float) -> str:
        words = self.steps.heading(name)
        half = svg.width(words) * 0.54 + 9
        x = min(max(x, half + 8), WIDTH - half - 8)
        pill = svg.rect(x - half, 11, 2 * half, 23, "q0", 11.5) + svg.text(x, 27, words, "b", "middle")
        shared = self.steps.subheading(name)
        return pill + (svg.text(x, 46, shared, "s u h", "middle") if shared else "")

    def _header(self, step: Step) -> None:
        """A line with the time and the IRQL, wherever one of them or the thread changes."""
        if self._band is None or self._band[0] != step.irql:
            self._end_band()
            self._band = (step.irql, self.y)
        self.marks.append(svg.path(f"M8 {svg.number(self.y + 0.5)}H{WIDTH - 8}", "e"))
        ground = self.y + 14
        self.words.append(svg.text(14, ground, microseconds(step.time), "s b"))
        self.words.append(svg.text(LEFT - 6, ground, irql_name(step.irql), "s u", "end"))
        self.y += 18

    def _end_band(self) -> None:
        if self._band is not None:
            irql, top = self._band
            self.ground.append(svg.rect(8, top, LEFT - 8, self.y - top, f"q{min(irql, 3)}"))

    # The rows

    def _row(self, step: Step) -> None:
        top = self.y
        if step.kind == "stop":
            self._stop(step)
            return
        left = self._left_words(step)
        lines = max(len(left), 1 if step.side or step.kind == "choice" else 0)
        arrow = step.source and step.target and step.source != step.target or step.kind.startswith("entry")
        y = top + LINE * max(lines, 1) + (7 if arrow else -4)
        x = self._words_x()
        for place, line in enumerate(left):
            self.words.append(svg.text(x, top + 15 + LINE * place, line, _words_css(step), code=_is_code(step)))
        if step.line:
            words = translate("line {line}", self.steps.language, line=step.line)
            self.words.append(svg.text(LEFT - 6, top + 15, words, "s u", "end"))
        self._mark(step, y)
        if step.kind == "omitted":  # whoever ran before may have returned in between
            for active in list(self._active):
                self._close(active)
        if step.kind.endswith("return"):
            self._returned(step, y)
        self._hold(step, y)
        if step.kind in ("call", "callback", "entry"):
            depth = sum(active.lane == step.target for active in self._active)
            self._active.append(_Active(step.target or "driver", step.name, y, depth))
        self.y = y + (8 if arrow else 12)

    def _words_x(self) -> float:
        depth = sum(active.lane == "driver" for active in self._active)
        return DRIVER + 10 + 5 * max(depth - 1, 0)

    def _left_words(self, step: Step) -> list[str]:
        if not step.text or (step.kind in ("choice", "state") and step.source != "driver"):
            return []
        right = self.lanes.get("provider", self.lanes.get("device", WIDTH)) - 12
        lines = 3 if step.kind in _CALLS else 2
        mono = _is_code(step)
        indent = "  " if mono else ""
        words = step.text.replace("IRP ", "IRP\u00a0")  # a name is not broken
        return svg.wrap(words, right - self._words_x(), 11.5 if mono else 12, mono, lines, indent.replace(" ", "\u00a0"))

    def _mark(self, step: Step, y: float) -> None:
        """The arrow of a step, or the small sign of a step that goes nowhere."""
        css = _colour(step)
        if step.kind.startswith("entry"):
            ends = (LEFT + 1.0, DRIVER - 4.0)
            start, end = ends if step.kind != "entry-return" else ends[::-1]
            self.marks.append(svg.arrow(start, end, y, css, open_head=step.kind == "entry-return"))
        elif step.source and step.target and step.source != step.target:
            start, end = self._edge(step.source, step.target), self._edge(step.target, step.source)
            self.marks.append(svg.arrow(start, end, y, css, open_head=step.kind.endswith("return")))
        elif step.source in self.lanes and step.kind != "complete":
            x = svg.number(self.lanes[step.source])
            at = f"M{x} {svg.number(y)}"
            shape = {"gap": "m-3.5 -3.5h7v7h-7z", "choice": "m0 -5l5 5-5 5-5-5z"}.get(step.kind, "m0 -4a4 4 0 1 1-.1 0z")
            self.marks.append(svg.path(at + shape, css + " f"))
            if step.text and step.kind in ("choice", "state") and step.source != "driver":
                self._beside(step.source, step.text, y + 4, css)
        if step.side:
            lane = step.source if step.source in self.lanes and step.source != "driver" else "provider"
            if step.kind == "message" and step.target in self.lanes:
                lane = min(lane, step.target, key=lambda name: self.lanes.get(name, 0))
            self._beside(lane, step.side, y + 4 if step.kind != "message" else y - 7, _side_colour(step))

    def _beside(self, lane: str, words: str, y: float, css: str) -> None:
        slots = [bar.slot + 1 for bar in self._bars if bar.lane == lane]
        x = self.lanes.get(lane, DRIVER) + 10 + 13 * max(slots, default=0)
        room = WIDTH - 14 - x
        if room < 60:  # words beside the last lane end at it instead
            words = svg.shorten(words, x - 10 - DRIVER, 11)
            self.words.append(svg.text(x - 18, y, words, f"s h {css}", "end"))
            return
        self.words.append(svg.text(x, y, svg.shorten(words, room, 11), f"s h {css}"))

    def _edge(self, lane: str, other: str) -> float:
        """Where an arrow touches a lane: beside the bar of a running function."""
        depth = sum(active.lane == lane for active in self._active)
        side = 1 if self.lanes[other] > self.lanes[lane] else -1
        if not depth:
            return self.lanes[lane] + side
        return self.lanes[lane] + (4 + (5 * (depth - 1) if side > 0 else 0)) * side

    def _returned(self, step: Step, y: float) -> None:
        lane = step.source or "driver"
        for active in reversed(self._active):
            if active.lane == lane and active.name == step.name:
                self._active.remove(active)
                self._running(active, y)
                return

    def _close(self, active: _Active) -> None:
        self._active.remove(active)
        self._running(active, self.y)

    def _running(self, active: _Active, bottom: float) -> None:
        x = self.lanes.get(active.lane, DRIVER) - 4 + 5 * active.depth
        css = "r" if active.lane != "driver" else "r c"
        self.marks.insert(0, svg.rect(x, active.top, 8, max(bottom - active.top, 3), css, 2))

    # Pending IRPs

    def _hold(self, step: Step, y: float) -> None:
        for irp in step.ends:
            for bar in [bar for bar in self._bars if bar.irp == irp]:
                self._end_bar(bar, y, good=step.good)
        for irp, lane in step.starts:
            for bar in [bar for bar in self._bars if bar.irp == irp]:
                self._end_bar(bar, y, moved=True)
            taken = {bar.slot for bar in self._bars if bar.lane == lane}
            slot = next(place for place in itertools.count() if place not in taken)
            self._bars.append(_Bar(irp, lane, slot, y, irp not in self._seen))
            if irp not in self._seen:
                self._seen.add(irp)
                if not step.side:
                    self._beside(lane, self._label(irp), y + 4, self._irp_css(irp))

    def _label(self, irp: int) -> str:
        return f"{self.steps.reading.irp_name(irp)}  {short_address(irp)}"

    def _irp_css(self, irp: int) -> str:
        return f"i{(self.steps.reading.irps.get(irp, 1) - 1) % IRP_COLOURS + 1}"

    def _end_bar(self, bar: _Bar, y: float, good: bool = True, moved: bool = False, open_end: bool = False) -> None:
        self._bars.remove(bar)
        x = self.lanes.get(bar.lane, DRIVER) + 6 + 13 * bar.slot
        css = self._irp_css(bar.irp)
        self.marks.append(svg.rect(x, bar.top, BAR, max(y - bar.top, 6), css, 3))
        if moved or open_end:
            return
        middle, sign = x + BAR / 2, "l2.2 2.4 4-4.6" if good else "l4.4 4.4m0-4.4l-4.4 4.4"
        self.marks.append(f'<circle class="{css}" cx="{svg.number(middle)}" cy="{svg.number(y)}" r="6.5"/>')
        start = f"M{svg.number(middle - (3 if good else 2.2))} {svg.number(y - (0 if good else 2.2))}"
        self.marks.append(svg.path(start + sign, "w"))

    def _stop(self, step: Step) -> None:
        x, room = DRIVER + 8, WIDTH - DRIVER - 44
        lines = svg.wrap(step.text, room - 16, 13, False, 2)
        high = 12 + 16 * (len(lines) + bool(step.detail))
        top = self.y + 4
        self.marks.append(f'<rect class="z" x="{x}" y="{svg.number(top)}" width="{room + 28}" height="{high}" rx="6"/>')
        self.marks.append(svg.path(f"M{DRIVER - 6} {svg.number(top + high / 2 - 6)}l12 12m0-12l-12 12", "x v"))
        for place, line in enumerate(lines):
            self.words.append(svg.text(x + 12, top + 18 + 16 * place, line, "x b"))
        if step.detail:
            self.words.append(svg.text(x + 12, top + 18 + 16 * len(lines), step.detail, "m s"))
        if step.line:
            words = translate("line {line}", self.steps.language, line=step.line)
            self.words.append(svg.text(LEFT - 6, top + 18, words, "s u", "end"))
        self.y = top + high + 6


def _positions(columns: list[str]) -> dict[str, float]:
    """x of every lane; the gap beside the driver is the widest because the words of the calls stand there."""
    others = columns[1:]
    places = {0: [], 1: [480.0], 2: [424.0, 620.0], 3: [410.0, 536.0, 646.0], 4: [380.0, 480.0, 568.0, 654.0]}[len(others)]
    return {"driver": float(DRIVER), **dict(zip(others, places, strict=True))}


def _is_code(step: Step) -> bool:
    return step.kind in _CODE


def _words_css(step: Step) -> str:
    if step.kind in ("gap", "choice"):
        return "g h"
    if step.kind in ("return", "callback-return"):
        return "m h u"
    return "m h" if _is_code(step) else "h"


def _colour(step: Step) -> str:
    if step.kind.startswith("callback"):
        return "k"
    return {"message": "t", "gap": "g", "choice": "g", "complete": "k", "stop": "x"}.get(step.kind, "c")


def _side_colour(step: Step) -> str:
    if not step.good:
        return "x"
    return "t" if step.kind == "message" else ""
