"""The journey of requests through a stack: which driver has each IRP when, at which stack location, and what befalls it there.

Columns are the drivers from the application down, rows are moments. A bar stands beside whoever owns an IRP; an arrow down shows
the stack location that the receiver gets, an arrow up the status. A bar that goes on without an arrow is a pending request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

from wsklab.c.headers import headers
from wsklab.machine.trace import Event
from wsklab.show import Shown, svg
from wsklab.show.reading import LANES, irp_of, irql_name, microseconds, status_name
from wsklab.show.theme import IRP_COLOURS, stylesheet
from wsklab.words import chosen_language

WIDTH, LEFT, TOP, ROW = 700, 84, 40, 32
BEFALLS = ("IRP cancelled", "pended in a stopped target", "request timed out", "not sent")


@dataclass
class Row:
    """One moment: an IRP goes from a column to another one, or something befalls it in the one where it is (`source` is "")."""

    event: Event
    irp: int
    source: str
    target: str
    words: str
    down: bool = False


class Journey(Shown):
    """The picture: :attr:`svg` in notebooks, :attr:`text` everywhere else. `name` tells the driver of a device object."""

    shown_as = ("image/svg+xml", "svg")

    def __init__(self, events: Iterable[Event], name: Callable[[int], str], language: str | None = None) -> None:
        self.language, self.name = chosen_language(language), name
        self.rows: list[Row] = []
        self.numbers: dict[int, int] = {}  # IRP → number in order of appearance
        self.ended: dict[int, int] = {}  # IRP → how many rows there were when it was freed
        self._at: dict[int, list[str]] = {}  # IRP → the columns it went through, whoever has it last
        self._majors = {value: name[7:] for name, value in reversed(headers().constants.items()) if name.startswith("IRP_MJ_")}
        for event in events:
            self._take(event)

    def _who(self, lane: str | None) -> str:
        return self.say("application") if lane == "app" else self.say(LANES.get(lane or "", lane or ""))

    def _take(self, event: Event) -> None:
        irp = irp_of(event) or next((known for known in event.objects if known in self._at), 0)
        device = event.data.get("device", 0)
        if event.kind == "message" and device and event.target == "device":  # the framework is about to send
            self._at.setdefault(event.objects[1], [self.name(device)])
        elif event.kind == "hand-over":
            path = self._at.setdefault(irp, [self._who(event.actor)])
            target = self.name(device) if device else self._who(event.target)
            words = self.say("stack location {number} of {count}", number=event.data["location"], count=event.data["count"])
            major = f"{self._majors.get(event.data['function_code'], '')}, " if device else ""
            self._add(Row(event, irp, path[-1], target, major + words, down=True))
            path.append(target)
        elif irp in self._at:
            self._befalls(event, irp, self._at[irp], device)

    def _befalls(self, event: Event, irp: int, path: list[str], device: int) -> None:
        here, last = path[-1], self.rows[-1] if self.rows else None
        if event.kind == "complete":
            self._add(Row(event, irp, "", here, f"{status_name(event.data['status'])}, {event.data['information']}"))
        elif event.kind == "state" and event.name == "request back" and self.name(device) in path:
            del path[path.index(self.name(device)) + 1 :]
            self._up(event, irp, here, path[-1], last)
        elif event.kind == "state" and event.name in BEFALLS:
            what = self.say(event.name)
            by = event.name == "IRP cancelled"
            self._add(
                Row(event, irp, "", here, self.say("{what} by {who}", what=what, who=self._who(event.actor)) if by else what)
            )
        elif event.kind == "free" and event.objects[:1] == (irp,):
            if here != path[0]:
                self._up(event, irp, here, path[0], last)
            self.ended[irp] = len(self.rows)
            del self._at[irp]

    def _up(self, event: Event, irp: int, source: str, target: str, last: Row | None) -> None:
        """An IRP goes back up: the arrow carries the words of the completion before it."""
        if last and last.irp == irp and not last.source and last.event.kind == "complete":
            last.source, last.target = source, target
        else:
            self._add(Row(event, irp, source, target, ""))

    def _add(self, row: Row) -> None:
        self.numbers.setdefault(row.irp, len(self.numbers) + 1)
        self.rows.append(row)

    @property
    def columns(self) -> list[str]:
        """The columns: whoever gets an IRP stands to the right of whoever gave it."""
        depth = {name: 0 for row in self.rows for name in (row.source, row.target) if name}
        for _ in depth:
            for row in self.rows:
                if row.down and depth[row.source] < len(depth):
                    depth[row.target] = max(depth[row.target], depth[row.source] + 1)
        return sorted(depth, key=depth.__getitem__)

    @property
    def text(self) -> str:
        """The journeys as plain text, one line for each moment."""
        told = []
        for row in self.rows:
            who = " → ".join(filter(None, (row.source, row.target)))
            when = f"{microseconds(row.event.time)}, {irql_name(row.event.irql)}"
            told.append(f"{when}  IRP {self.numbers[row.irp]}  {who}: {row.words}")
        return "\n".join(told)

    def _beside(self, limit: int) -> dict[int, int]:
        """Where beside a line the bar of each IRP stands: no two under way at a time share a place, as long as there is room."""
        taken: dict[int, int] = {}  # until which row
        found: dict[int, int] = {}
        for index, row in enumerate(self.rows):
            if row.irp not in found:
                usual = (self.numbers[row.irp] - 1) % IRP_COLOURS
                place = next(each for each in (usual, *range(len(self.rows))) if taken.get(each, 0) <= index)
                found[row.irp], taken[place] = place % limit, self.ended.get(row.irp, len(self.rows))
        return found

    @property
    def svg(self) -> str:
        """The picture as one SVG element that carries its own style."""
        columns, high = self.columns, TOP + ROW * (len(self.rows) + 1)
        gap = (WIDTH - LEFT) / max(len(columns), 1)
        places = {name: LEFT + gap * (index + 0.3) for index, name in enumerate(columns)}
        drawn = [svg.path(f"M{svg.number(x)} {TOP - 8}V{high - 8}", "l") for x in places.values()]
        words = [svg.text(x, 22, svg.shorten(name, gap - 8, 12), "b", "middle") for name, x in places.items()]
        bars: dict[int, tuple[str, float]] = {}
        beside = self._beside(max(int(gap / 11) - 1, IRP_COLOURS))

        def bar(irp: int, column: str, since: float, until: float) -> None:
            css = f"i{beside[irp] % IRP_COLOURS + 1}"
            drawn.append(svg.rect(places[column] + 11 * beside[irp] + 4, since, 8, max(until - since, 5), css, 3))

        for index, row in enumerate(self.rows):
            y, aside = TOP + ROW * (index + 0.8), 11 * beside[row.irp] + 4
            column, since = bars.pop(row.irp, (row.source or row.target, y - 5))
            start, end = places[row.source or row.target] + aside, places[row.target] + aside
            right = end > start
            if row.source:
                bar(row.irp, column, since, y - 2 * (start == end))
                if start != end:  # else it goes on within one driver: the bar is interrupted
                    drawn.append(
                        svg.arrow(start + 8 * right, end + 8 * (not right), y, "c" if right else "k", open_head=not right)
                    )
                since = y
            bars[row.irp] = row.target, since
            words.append(svg.text(8, y + 3, microseconds(row.event.time), "s u"))
            shown = f"IRP {self.numbers[row.irp]}: {row.words}"
            place = min(start, end) + 12
            if start == end and place + svg.width(shown, 11) > WIDTH - 8:  # beside the last column there is no room
                words.append(svg.text(start - 6, y, shown, "s h", "end"))
            else:
                words.append(svg.text(place, y - 5 * (start != end), svg.shorten(shown, WIDTH - 8 - place, 11), "s h"))
        for irp, (column, since) in bars.items():  # gone, or still somewhere: pending
            bar(
                irp, column, since, TOP + ROW * (self.ended.get(irp, len(self.rows)) - 0.2) + (12 if irp not in self.ended else 6)
            )
        title = escape(self.say("Requests on their way"))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="wl" viewBox="0 0 {WIDTH} {high}" width="{WIDTH}" height="{high}" '
            f'style="max-width:100%;min-width:36rem;height:auto" lang="{self.language}" role="img" aria-label="{title}">'
            f"<title>{title}</title><desc>{escape(self.text)}</desc><style>{stylesheet()}</style>"
            f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{high - 1}" rx="8" fill="var(--bg)" stroke="var(--edge)"/>'
            + "".join(drawn + words)
            + "</svg>"
        )
