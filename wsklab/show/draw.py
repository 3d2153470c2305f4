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
from wsklab.show.steps import Step, Steps
from wsklab.show.theme import IRP_COLOURS, stylesheet

WIDTH = 700
LEFT = 118  # width of the column with times, IRQL and C lines
DRIVER = LEFT + 20
TOP = 54
LINE = 15  # from one line of words to the next
BAR = 9
# x of the lanes beside the driver's, by their number; the first gap is the widest because the words of the calls stand there.
_PLACES = ((), (480.0,), (424.0, 620.0), (410.0, 536.0, 646.0), (380.0, 480.0, 568.0, 654.0))
_CALLS = ("call", "leaf", "callback", "callback-leaf", "entry", "entry-leaf")
_CODE = frozenset((*_CALLS, "entry-return", "return", "callback-return", "print"))
_WORDS = dict.fromkeys(_CODE, "m h") | {"return": "m h u", "callback-return": "m h u", "gap": "g h", "choice": "g h"}
_COLOURS = {"message": "t", "gap": "g", "choice": "g", "complete": "k", "stop": "x"}
_COLOURS |= dict.fromkeys(("callback", "callback-leaf", "callback-return"), "k")
_SHAPES = {"gap": "m-3.5 -3.5h7v7h-7z", "choice": "m0 -5l5 5-5 5-5-5z"}
_ids = itertools.count(1)


@dataclass
class _Strip:
    """What runs down the picture beside a lane: a pending IRP, or a function that has not returned yet."""

    what: int | str  # the IRP's address, the function's name
    lane: str
    place: int  # how many strips of its kind are beside the lane
    top: float


class Drawing:
    """One picture with its title and its text alternative. Make it, then ask for :meth:`svg`."""

    def __init__(self, steps: Steps, title: str, description: str) -> None:
        self.steps, self.title, self.description = steps, title, description
        others = steps.columns[1:]
        self.lanes = {"driver": float(DRIVER), **dict(zip(others, _PLACES[len(others)], strict=True))}
        self.ground: list[str] = []  # tints and lanes, under everything
        self.marks: list[str] = []
        self.words: list[str] = []
        self.y = float(TOP if any(map(steps.subheading, steps.columns)) else TOP - 8)
        self._bars: list[_Strip] = []
        self._active: list[_Strip] = []
        self._seen: set[int] = set()
        self._band: tuple[int, float] | None = None

    def svg(self, style: bool = True) -> str:
        """The picture as one ``<svg>`` element; without `style` when a neighbour on the page already carries the CSS."""
        for step, changed in self.steps.walk():
            if changed:
                self._header(step)
            if step.kind == "stop":
                self._stop(step)
            else:
                self._row(step)
        self._finish()
        name, height = f"wl{next(_ids)}", svg.number(self.y + 10)
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
        self._close(self._active, self.y)
        for bar in list(self._bars):
            self._end_bar(bar, self.y)
        for name, x in self.lanes.items():
            self.ground.append(svg.path(f"M{svg.number(x)} 34V{svg.number(self.y)}", "l"))
            self._head(name, x)

    def _head(self, name: str, x: float) -> None:
        words, shared = self.steps.heading(name), self.steps.subheading(name)
        half = svg.width(words) * 0.54 + 9
        x = min(max(x, half + 8), WIDTH - half - 8)
        self.words.append(svg.rect(x - half, 11, 2 * half, 23, "q0", 11.5) + svg.text(x, 27, words, "b", "middle"))
        if shared:
            self.words.append(svg.text(x, 46, shared, "s u h", "middle"))

    def _header(self, step: Step) -> None:
        """A line with the time and the IRQL, wherever one of them or the thread changes."""
        if self._band is None or self._band[0] != step.irql:
            self._end_band()
            self._band = (step.irql, self.y)
        self.marks.append(svg.path(f"M8 {svg.number(self.y + 0.5)}H{WIDTH - 8}", "e"))
        self.words.append(svg.text(14, self.y + 14, microseconds(step.time), "s b"))
        self.words.append(svg.text(LEFT - 6, self.y + 14, irql_name(step.irql), "s u", "end"))
        self.y += 18

    def _end_band(self) -> None:
        if self._band is not None:
            irql, top = self._band
            self.ground.append(svg.rect(8, top, LEFT - 8, self.y - top, f"q{min(irql, 3)}"))

    def _c_line(self, step: Step, y: float) -> None:
        if step.line:
            self.words.append(svg.text(LEFT - 6, y, self.steps.say("line {line}", line=step.line), "s u", "end"))

    # The rows

    def _row(self, step: Step) -> None:
        is_arrow = step.goes or step.kind.startswith("entry")
        left = self._left_words(step)
        y = self.y + LINE * max(len(left), 1) + (7 if is_arrow else -4)
        for place, line in enumerate(left):
            at, css = self.y + 15 + LINE * place, _WORDS.get(step.kind, "h")
            self.words.append(svg.text(self._words_x(), at, line, css, code=step.kind in _CODE))
        self._c_line(step, self.y + 15)
        self._mark(step, y)
        self._side(step, y)
        if step.kind == "omitted":  # whoever ran before may have returned in between
            self._close(self._active, self.y)
        if step.kind.endswith("return"):
            ended = (step.source or "driver", step.name)
            self._close([active for active in self._active if (active.lane, active.what) == ended][-1:], y)
        self._hold(step, y)
        if step.kind in ("call", "callback", "entry"):
            lane = step.target or "driver"
            self._active.append(_Strip(step.name, lane, self._depth(lane), y))
        self.y = y + (8 if is_arrow else 12)

    def _depth(self, lane: str) -> int:
        return sum(active.lane == lane for active in self._active)

    def _words_x(self) -> float:
        return DRIVER + 10 + 5 * max(self._depth("driver") - 1, 0)

    def _left_words(self, step: Step) -> list[str]:
        if not step.text or _is_far(step):
            return []
        room = self.lanes.get("provider", self.lanes.get("device", WIDTH)) - 12 - self._words_x()
        mono = step.kind in _CODE
        words = step.text.replace("IRP ", "IRP\u00a0")  # a name is not broken
        return svg.wrap(words, room, 11.5 if mono else 12, mono, 3 if step.kind in _CALLS else 2, "\u00a0\u00a0" if mono else "")

    def _mark(self, step: Step, y: float) -> None:
        """The arrow of a step, or the small sign of a step that goes nowhere."""
        css, back = _COLOURS.get(step.kind, "c"), step.kind.endswith("return")
        if step.kind.startswith("entry"):
            ends = (DRIVER - 4.0, LEFT + 1.0) if back else (LEFT + 1.0, DRIVER - 4.0)
            self.marks.append(svg.arrow(*ends, y, css, open_head=back))
        elif step.goes and step.source and step.target:
            start, end = self._edge(step.source, step.target), self._edge(step.target, step.source)
            self.marks.append(svg.arrow(start, end, y, css, open_head=back))
        elif step.source in self.lanes and step.kind != "complete":
            at = f"M{svg.number(self.lanes[step.source])} {svg.number(y)}"
            self.marks.append(svg.path(at + _SHAPES.get(step.kind, "m0 -4a4 4 0 1 1-.1 0z"), css + " f"))
            if step.text and _is_far(step):
                self._beside(step.source, step.text, y + 4, css)

    def _side(self, step: Step, y: float) -> None:
        """The words beside the provider's lane, or beside the lane where a message comes from or goes to."""
        if not step.side:
            return
        is_message = step.kind == "message"
        lane = step.source if step.source in self.lanes and step.source != "driver" else "provider"
        if is_message and step.target in self.lanes:
            lane = min(lane, step.target, key=lambda name: self.lanes.get(name, 0))
        self._beside(lane, step.side, y - 7 if is_message else y + 4, "x" if not step.good else "t" if is_message else "")

    def _beside(self, lane: str, words: str, y: float, css: str) -> None:
        slots = [bar.place + 1 for bar in self._bars if bar.lane == lane]
        x = self.lanes.get(lane, DRIVER) + 10 + 13 * max(slots, default=0)
        room = WIDTH - 14 - x
        if room < 60:  # words beside the last lane end at it instead
            self.words.append(svg.text(x - 18, y, svg.shorten(words, x - 10 - DRIVER, 11), f"s h {css}", "end"))
        else:
            self.words.append(svg.text(x, y, svg.shorten(words, room, 11), f"s h {css}"))

    def _edge(self, lane: str, other: str) -> float:
        """Where an arrow touches a lane: beside the bar of a running function."""
        depth = self._depth(lane)
        side = 1 if self.lanes[other] > self.lanes[lane] else -1
        beside = 4 + (5 * (depth - 1) if side > 0 else 0) if depth else 1
        return self.lanes[lane] + beside * side

    def _close(self, ended: list[_Strip], bottom: float) -> None:
        """Draw the bars of functions that run no longer."""
        for active in list(ended):
            self._active.remove(active)
            x = self.lanes.get(active.lane, DRIVER) - 4 + 5 * active.place
            css = "r c" if active.lane == "driver" else "r"
            self.marks.insert(0, svg.rect(x, active.top, 8, max(bottom - active.top, 3), css, 2))

    # Pending IRPs

    def _hold(self, step: Step, y: float) -> None:
        for bar in [bar for irp in step.ends for bar in self._bars if bar.what == irp]:
            self._end_bar(bar, y, ("l2.2 2.4 4-4.6", 3, 0) if step.good else ("l4.4 4.4m0-4.4l-4.4 4.4", 2.2, 2.2))
        for irp, lane in step.starts:
            for bar in [bar for bar in self._bars if bar.what == irp]:
                self._end_bar(bar, y)
            taken = {bar.place for bar in self._bars if bar.lane == lane}
            self._bars.append(_Strip(irp, lane, next(place for place in itertools.count() if place not in taken), y))
            if irp not in self._seen and not step.side:
                self._beside(lane, f"{self.steps.reading.irp_name(irp)}  {short_address(irp)}", y + 4, self._irp_css(irp))
            self._seen.add(irp)

    def _irp_css(self, irp: int | str) -> str:
        return f"i{(self.steps.reading.irps.get(int(irp), 1) - 1) % IRP_COLOURS + 1}"

    def _end_bar(self, bar: _Strip, y: float, sign: tuple[str, float, float] | None = None) -> None:
        """Draw a bar down to `y`; with the sign of its end (path, how far left, how far up) when it is completed there."""
        self._bars.remove(bar)
        x, css = self.lanes.get(bar.lane, DRIVER) + 6 + 13 * bar.place, self._irp_css(bar.what)
        self.marks.append(svg.rect(x, bar.top, BAR, max(y - bar.top, 6), css, 3))
        if sign:
            shape, left, up = sign
            middle = x + BAR / 2
            self.marks.append(f'<circle class="{css}" cx="{svg.number(middle)}" cy="{svg.number(y)}" r="6.5"/>')
            self.marks.append(svg.path(f"M{svg.number(middle - left)} {svg.number(y - up)}{shape}", "w"))

    def _stop(self, step: Step) -> None:
        x, room = DRIVER + 8, WIDTH - DRIVER - 44
        lines = [(line, "x b") for line in svg.wrap(step.text, room - 16, 13, False, 2)] + [(step.detail, "m s")]
        high, top = 12 + 16 * len(lines), self.y + 4
        self.marks.append(f'<rect class="z" x="{x}" y="{svg.number(top)}" width="{room + 28}" height="{high}" rx="6"/>')
        self.marks.append(svg.path(f"M{DRIVER - 6} {svg.number(top + high / 2 - 6)}l12 12m0-12l-12 12", "x v"))
        for place, (line, css) in enumerate(lines):
            self.words.append(svg.text(x + 12, top + 18 + 16 * place, line, css))
        self._c_line(step, top + 18)
        self.y = top + high + 6


def _is_far(step: Step) -> bool:
    """Whether the words of a step stand beside another lane than the driver's."""
    return step.kind in ("choice", "state") and step.source != "driver"
