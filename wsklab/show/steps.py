"""From the stream of events to the steps of a picture: what is worth a row, in which words.

A call whose return follows with nothing to see in between becomes one step (``IoAllocateIrp(1, FALSE) → IRP 1``). Helpers that
say nothing about the flow (:data:`NOISE`) are left out unless asked for. The steps carry everything that the drawing and
the text alternative need, so both always say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wsklab.machine.trace import Event
from wsklab.show.reading import LANES, Reading, byte_count, excerpt, irp_of, status_name
from wsklab.words import translate

_NOISE = """
    RtlZeroMemory RtlCopyMemory RtlMoveMemory RtlFillMemory RtlEqualMemory RtlCompareMemory memcpy memmove memset
    InitializeListHead IsListEmpty InsertTailList InsertHeadList RemoveEntryList RemoveHeadList KeGetCurrentIrql
    MmGetMdlByteCount MmGetMdlByteOffset MmGetMdlVirtualAddress IoGetCurrentIrpStackLocation IoGetNextIrpStackLocation
    InterlockedIncrement InterlockedDecrement InterlockedExchange InterlockedCompareExchange DbgPrint DbgPrintEx KdPrint
    RtlInitUnicodeString KeQuerySystemTime
"""
NOISE = frozenset(_NOISE.split())
"""Calls that are left out of a timeline unless ``noise=True``: they move bytes about and say nothing about the flow."""

MOST_STEPS = 120
"""A longer run shows its beginning and its end, and says how many rows are left out between them."""

_SILENT = frozenset(("allocate", "free", "hand-over", "routine-returned"))
_STATES = frozenset(("IRP cancelled", "pended in a stopped target", "request timed out", "not sent"))
_BYTES = ("send", "receive", "data", "datagram", "dropped")  # messages whose bytes say enough
_ORDER = ("driver", "provider", "transport", "device", "peer")
_SIGNS = {"gap": "“...” reached", "choice": "choice: {what}", "wait": "waits for {what}", "wake": "goes on"}


@dataclass
class Step:
    """One row of a timeline."""

    kind: str  # call, leaf (a call with its result), callback, callback-leaf, entry, entry-leaf, return, callback-return,
    #            entry-return, message, complete, gap, print, choice, wait, wake, state, stop or omitted
    text: str  # the words of the row
    time: int
    irql: int
    thread: str
    source: str | None = None  # columns of the arrow, None when there is none
    target: str | None = None
    line: int = 0  # C line that caused it, 0 for none
    side: str = ""  # words beside the provider's lane (a completion)
    detail: str = ""  # further words of a stop
    name: str = ""
    lanes: tuple[str, str] = ("", "")  # who did it to whom, where both are known
    good: bool = True  # whether a completion was a success
    starts: list[tuple[int, str]] = field(default_factory=list)  # IRPs handed over here, each with its holder's column
    ends: list[int] = field(default_factory=list)  # IRPs completed here

    @property
    def goes(self) -> bool:
        """Whether it is an arrow from one column to another."""
        return bool(self.source and self.target and self.source != self.target)


def column(actor: str | None) -> str | None:
    """The column of a lane: the I/O manager shares one with WSK or the framework."""
    return "provider" if actor in ("io", "wsk", "framework") else actor


class Steps:
    """The steps of a run, in words of a language, and the columns they need; with `noise` also the calls in :data:`NOISE`."""

    def __init__(self, reading: Reading, language: str, noise: bool = False) -> None:
        self.reading, self.language = reading, language
        self.steps: list[Step] = []
        self._columns: dict[str, set[str]] = {"driver": {"driver"}}
        self._starts: list[tuple[int, str]] = []
        events = [event for event in reading.events if noise or not _is_noise(event)]
        place = 0
        while place < len(events):
            place += self._take(events, place)
        if self._starts and self.steps:  # handed over in the very last call
            self.steps[-1].starts += self._starts
        self.columns = [name for name in _ORDER if name in self._columns]
        if len(self.steps) > MOST_STEPS:
            self._shorten(MOST_STEPS * 2 // 3, MOST_STEPS // 3)

    def _shorten(self, first: int, last: int) -> None:
        middle = self.steps[first:-last]
        words, end = self.say("… {count} more rows …", count=len(middle)), middle[-1]
        ends = [irp for step in middle for irp in step.ends]
        self.steps[first:-last] = [Step("omitted", words, end.time, end.irql, end.thread, ends=ends)]

    def walk(self) -> Iterator[tuple[Step, bool]]:
        """Each step with whether the time, IRQL or thread changed before it."""
        before: tuple[int, int, str] | None = None
        for step in self.steps:
            now = (step.time, step.irql, step.thread)
            yield step, now != before
            before = now

    def heading(self, name: str) -> str:
        """The heading of a column in the reader's language."""
        lanes = self._columns[name]
        return self.lane(next((lane for lane in ("framework", "wsk", "io") if lane in lanes), name))

    def subheading(self, name: str) -> str:
        """What else shares a column, "" when nothing does."""
        return self.lane("io") if len(self._columns[name]) > 1 and "io" in self._columns[name] else ""

    def lane(self, actor: str) -> str:
        """The name of a lane in the reader's language."""
        return self.say(LANES.get(actor, actor))

    def say(self, key: str, **values: Any) -> str:
        """A text in the reader's language."""
        return translate(key, self.language, **values)

    def _take(self, events: list[Event], place: int) -> int:
        """Turn the event at `place` (and those folded into it) into a step; how many events that used up."""
        event, used = events[place], 1
        if event.kind in ("call", "callback"):
            used = _leaf_length(events, place)
            self._add(event, self._call(event, events[place + used - 1] if used > 1 else None))
            for silent in events[place + 1 : place + used - 1]:
                self._silent(silent, self.steps[-1])
        elif event.kind in _SILENT:
            self._silent(event, self.steps[-1] if self.steps else None)
        else:
            self._add(event, _MAKERS.get(event.kind, Steps._sign)(self, event))
        return used

    def _add(self, event: Event, step: Step) -> None:
        step.starts += self._starts
        self._starts = []
        # A completion and the routine that it calls are one moment, and so are a device's answer and the completion.
        last = self.steps[-1] if self.steps else None
        if last and last.kind == "complete" and step.kind == "callback" and last.time == step.time and not step.side:
            step.side, step.ends, step.good = last.side, last.ends, last.good
            self.steps.pop()
        if last and step.kind == "complete" and last.name == "answer" and last.time == step.time:
            last.side, last.ends, last.good = step.side, step.ends, step.good
            return
        for actor in (event.actor, event.target or ""):
            name = column(actor)
            if name in _ORDER:
                self._columns.setdefault(name, set()).add(actor)
        self.steps.append(step)

    # One kind of event each

    def _step(
        self, event: Event, kind: str, text: str, source: str | None = None, target: str | None = None, **more: Any
    ) -> Step:
        more["line"] = event.where.line if event.where else 0
        more["lanes"] = event.actor, event.target or ""
        return Step(kind, text, event.time, event.irql, event.thread, column(source), column(target), name=event.name, **more)

    def _call(self, event: Event, returned: Event | None) -> Step:
        result = self.reading.result(returned) if returned else ""
        text = self.reading.call(event) + (f" →\u00a0{result}" if result else "")
        kind, source = ("entry", None) if event.actor == "app" else (event.kind, event.actor)
        if returned:
            kind = "leaf" if kind == "call" else f"{kind}-leaf"
        return self._step(event, kind, text, source, event.target)

    def _return(self, event: Event) -> Step:
        result = self.reading.result(event)
        if event.target == "app":
            return self._step(event, "entry-return", " → ".join(filter(None, (event.name, result))), "driver")
        text = result or self.say("{function} returns", function=event.name)
        step = self._step(event, event.kind, text, event.actor, event.target)
        step.line = 0 if event.kind == "return" else step.line
        return step

    def _message(self, event: Event) -> Step:
        return self._step(event, "message", "", event.actor, event.target or event.actor, side=self._carried(event))

    def _carried(self, event: Event) -> str:
        """The words of a message: its kind where that says something, how many bytes, the first of them, where to."""
        count = byte_count(event)
        if count is None or event.target == "device":
            return self.say(event.name)
        words = [event.name] if event.name not in _BYTES else []
        if count or not words:
            words += [self.say("{count} bytes", count=count), excerpt(event)]
        if event.name == "dropped":
            return self.say("{what} dropped: {reason}", what=words[0], reason=self.say(str(event.data.get("reason", ""))))
        if event.name == "datagram":
            end = event.data.get("destination") if event.actor == "transport" else event.data.get("source")
            words.insert(1, f"{'→' if event.actor == 'transport' else '←'} {end}")
        return " ".join(filter(None, words))

    def _complete(self, event: Event) -> Step:
        irp, status, information = irp_of(event), event.data["status"], event.data["information"]
        words = f"{self.reading.irp_name(irp)}: {status_name(status)}"
        if 0 < information < 1 << 32:
            words += f", {information}"
        return self._step(event, "complete", "", side=words, ends=[irp], good=status == 0)

    def _sign(self, event: Event) -> Step:
        """What goes nowhere: a gap, a choice, a wait, a state."""
        what = f"{event.name}: {event.data['answer']}" if event.kind == "choice" else event.name
        return self._step(event, event.kind, self.say(_SIGNS.get(event.kind, event.name), what=what), event.actor)

    def _print(self, event: Event) -> Step:
        return self._step(event, "print", f"“{event.data['text'].rstrip()}”", event.actor)

    def _stop(self, event: Event) -> Step:
        return self._step(event, "stop", self.say(event.data["title"]), event.actor, detail=event.name)

    def _silent(self, event: Event, step: Step | None) -> None:
        """A hand-over starts a bar at the step that caused it, or is an arrow of its own between two others."""
        irp = irp_of(event)
        holder = column(event.target) or "provider"
        if event.kind != "hand-over" or not irp or holder == "driver":
            return  # a request that came to the driver: its bar starts when the driver hands it on
        call = next((known for known in reversed(self.steps) if known.kind in ("call", "leaf")), None)
        if event.actor == "driver" and call:
            call.starts.append((irp, holder))
        elif step and step.kind == "message" and (step.source, step.target) == (column(event.actor), holder):
            step.starts.append((irp, holder))  # the framework's own words for the same arrow
            step.side = f"{self.reading.irp_name(irp)}: {step.side}"
        elif event.actor in LANES and holder != column(event.actor):
            words = " ".join(filter(None, (self.reading.irp_name(irp), str(event.data.get("major", "")))))
            self._add(event, self._step(event, "message", "", event.actor, holder, side=words, starts=[(irp, holder)]))
        else:
            self._starts.append((irp, holder))


_MAKERS: dict[str, Callable[[Steps, Event], Step]] = {
    "return": Steps._return,
    "callback-return": Steps._return,
    "message": Steps._message,
    "complete": Steps._complete,
    "print": Steps._print,
    "stop": Steps._stop,
}


def _is_noise(event: Event) -> bool:
    if event.kind == "state":
        return event.name not in _STATES and not event.name.startswith("verifier: ")
    return event.kind in ("call", "return") and event.name in NOISE


def _leaf_length(events: list[Event], place: int) -> int:
    """How many events a call takes when nothing visible happens before its return, else 1."""
    first = events[place]
    ending = "return" if first.kind == "call" else "callback-return"
    for length, event in enumerate(events[place + 1 :], 2):
        if event.kind == ending and event.name == first.name:
            return length if (event.time, event.irql) == (first.time, first.irql) else 1
        if event.kind not in _SILENT or (event.kind == "hand-over" and event.actor != "driver"):
            return 1
    return 1
