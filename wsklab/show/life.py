"""The life of one object: allocated where, handed over where, completed, freed where.

A life is the events that mention the object's address; addresses are never used twice, so nothing else can slip in. Only the
stations of a life are told, not every call that passed the object along.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from wsklab.show.reading import irql_name, microseconds, status_name
from wsklab.show.svg import cells
from wsklab.words import chosen_language, translate

if TYPE_CHECKING:
    from wsklab.machine.trace import Event

STATIONS = {
    "allocate": "allocated",
    "hand-over": "handed over to {target}",
    "callback": "given to {name}",
    "complete": "completed with {status}",
    "routine-returned": "{name} returned {value}",
    "free": "freed",
    "state": "{name}",
    "stop": "the machine stopped here: {title}",
}
"""What is told of each kind of event, as English templates."""

HEADS = ("time", "IRQL", "what happened", "through", "where")
"""Headings of the table, English keys."""

_LANES = {"wsk": "WSK", "framework": "framework", "io": "I/O manager", "device": "lower device", "driver": "your driver"}


@dataclass(frozen=True)
class Station:
    """One station of a life: when, at which IRQL, what happened, through which call, where in C."""

    time: str
    irql: str
    what: str
    call: str
    place: str


class Life:
    """The life of an object. Notebooks show a table, everything else :attr:`text`."""

    def __init__(self, events: Iterable[Event], address: int, language: str) -> None:
        self.address = address
        self.language = language
        known = list(events)
        self.kind = next((event.name for event in known if event.kind == "allocate" and address in event.objects), "")
        self.stations = [_station(event, known, language) for event in known if event.kind in STATIONS]

    @property
    def name(self) -> str:
        """What the object is, with its address."""
        return f"{self.kind} {self.address:#018x}".strip()

    @property
    def text(self) -> str:
        """The life as plain text, one line for each station."""
        head = translate("The life of {object}:", self.language, object=self.name)
        if not self.stations:
            return head + "\n  " + translate("nothing was recorded", self.language)
        wide = [max(map(cells, columns)) for columns in zip(*map(_columns, self.stations), strict=True)]
        lines = []
        for station in self.stations:
            columns = _columns(station)
            padded = (word + " " * (room - cells(word)) for word, room in zip(columns, wide, strict=True))
            lines.append("  " + "  ".join(padded).rstrip())
        return "\n".join([head, *lines])

    @property
    def html(self) -> str:
        """The life as a table."""
        heads = [translate(head, self.language) for head in HEADS]
        row = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{_cell(word, place)}</td>" for place, word in enumerate(_columns(station))) + "</tr>"
            for station in self.stations
        )
        caption = translate("The life of {object}:", self.language, object=self.name).rstrip(":：\u00a0\u202f ")
        return f"<table><caption>{escape(caption)}</caption><thead><tr>{row}</tr></thead><tbody>{body}</tbody></table>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def life(events: Iterable[Event], address: int, language: str | None = None) -> Life:
    """The life of the object at an address, from the events that mention it.

    Args:
        events: the events that mention it, in order (``trace.about(address)``).
        address: the object's address.
        language: language of the words.
    """
    return Life(events, address, chosen_language(language))


def _columns(station: Station) -> tuple[str, ...]:
    return (station.time, station.irql, station.what, station.call, station.place)


def _cell(word: str, place: int) -> str:
    return f"<code>{escape(word)}</code>" if place in (3, 4) and word else escape(word)


def _station(event: Event, events: list[Event], language: str) -> Station:
    status = event.data.get("status")
    value = event.data.get("value", status)
    what = translate(
        STATIONS[event.kind],
        language,
        target=translate(_LANES.get(event.target or "", event.target or ""), language),
        name=event.name,
        status="" if status is None else status_name(status),
        value=status_name(value) if isinstance(value, int) else value,
        title=translate(str(event.data.get("title", event.name)), language),
    )
    call = _call_around(event, events)
    where = event.where or (call.where if call else None)
    place = f"{where.file}:{where.line}" if where else ""
    return Station(microseconds(event.time), irql_name(event.irql), what, call.name if call else "", place)


def _call_around(event: Event, events: list[Event]) -> Event | None:
    """The driver's call that was under way: the last one that mentions the object and has not returned by then."""
    if event.kind not in ("allocate", "hand-over", "free"):
        return None
    last = None
    for other in events:
        if other.seq >= event.seq:
            break
        if other.kind == "call":
            last = other
        elif other.kind == "return" and last is not None and other.name == last.name:
            last = None
    return last
