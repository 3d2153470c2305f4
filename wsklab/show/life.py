"""The life of one object: allocated where, handed over where, completed, freed where.

A life is the events that mention the object's address; addresses are never used twice, so nothing else can slip in. Only the
stations of a life are told, not every call that passed the object along.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from wsklab.machine.trace import Event
from wsklab.show import Shown
from wsklab.show.reading import LANES, irql_name, microseconds, status_name
from wsklab.show.svg import cells
from wsklab.words import chosen_language, translate

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


class Station(NamedTuple):
    """One station of a life: when, at which IRQL, what happened, through which call, where in C."""

    time: str
    irql: str
    what: str
    call: str
    place: str


class Life(Shown):
    """The life of an object, a table in notebooks."""

    def __init__(self, events: Iterable[Event], address: int, language: str) -> None:
        self.language = language
        known = list(events)
        kind = next((event.name for event in known if event.kind == "allocate" and address in event.objects), "")
        self.name = f"{translate(kind, language)} {address:#018x}".strip()
        self.stations = [_station(event, known, language) for event in known if event.kind in STATIONS]

    @property
    def text(self) -> str:
        """The life as plain text, one line for each station."""
        lines = [self.say("The life of {object}:", object=self.name)]
        if not self.stations:
            lines.append("  " + self.say("nothing was recorded"))
        wide = [max(map(cells, column)) for column in zip(*self.stations, strict=True)]
        for station in self.stations:
            padded = (word + " " * (room - cells(word)) for word, room in zip(station, wide, strict=True))
            lines.append("  " + "  ".join(padded).rstrip())
        return "\n".join(lines)

    @property
    def html(self) -> str:
        """The life as a table."""
        heads = "".join(f'<th scope="col">{escape(self.say(head))}</th>' for head in HEADS)
        body = "".join("<tr>" + "".join(map(_cell, station._fields, station)) + "</tr>" for station in self.stations)
        caption = escape(self.say("The life of {object}:", object=self.name).rstrip(":：\u00a0\u202f "))
        return f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def life(events: Iterable[Event], address: int, language: str | None = None) -> Life:
    """The life of the object at an address, from the events that mention it in order (``trace.about(address)``)."""
    return Life(events, address, chosen_language(language))


def _cell(head: str, word: str) -> str:
    is_code = head in ("call", "place") and word
    return f"<td><code>{escape(word)}</code></td>" if is_code else f"<td>{escape(word)}</td>"


def _station(event: Event, events: list[Event], language: str) -> Station:
    status = event.data.get("status")
    value = event.data.get("value", status)
    what = translate(
        STATIONS[event.kind],
        language,
        target=translate(LANES.get(event.target or "", event.target or ""), language),
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
    last = None
    for other in events if event.kind in ("allocate", "hand-over", "free") else ():
        if other.seq >= event.seq:
            break
        if other.kind == "call":
            last = other
        elif other.kind == "return" and last is not None and other.name == last.name:
            last = None
    return last
