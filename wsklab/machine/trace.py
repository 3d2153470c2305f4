"""The one stream of what happened.

Every call, callback, allocation, hand-over, completion, message, wait and stop is one small event. Pictures, object lives,
diagnostics, exercises and tests all read this list; nothing keeps a log of its own (design, decision 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Where(NamedTuple):
    """A place in C source: file name, line and column (both from 1), and the function around it."""

    file: str
    line: int
    column: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    seq: int  # position in the stream, from 0
    time: int  # virtual time in 100-ns units
    thread: str
    irql: int
    kind: str  # call return callback callback-return allocate free hand-over complete routine-returned message gap print choice
    #            wait wake state stop
    name: str  # the function, object kind or state it is about
    actor: str  # who did it: driver, wsk, framework, io, transport, device, peer, app
    target: str | None = None  # whom it was done to, where there is somebody
    objects: tuple[int, ...] = ()  # addresses of the objects involved
    where: Where | None = None  # the place in C that caused it, when C did
    data: dict[str, Any] = field(default_factory=dict)


class Trace:
    """The events of one machine. With `on` False nothing is recorded and nothing is paid for."""

    def __init__(self, now: Callable[[], tuple[int, str, int]], here: Callable[[], Where | None], on: bool = True) -> None:
        self.events: list[Event] = []
        self.on = on
        self._now, self._here = now, here

    def add(
        self, kind: str, name: str, *, actor: str, target: str | None = None, objects: tuple[int, ...] = (),
        where: Where | None = None, here: bool = False, **data: Any,
    ) -> None:  # fmt: skip
        """Record one event at the current time, thread and IRQL; `here` asks for the place in C that is running."""
        if self.on:
            where = self._here() if here else where
            self.events.append(Event(len(self.events), *self._now(), kind, name, actor, target, objects, where, data))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record nothing in the block."""
        before, self.on = self.on, False
        try:
            yield
        finally:
            self.on = before

    def about(self, address: int) -> Iterator[Event]:
        """The events that mention an object: its life, since addresses are never reused."""
        return (event for event in self.events if address in event.objects)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)
