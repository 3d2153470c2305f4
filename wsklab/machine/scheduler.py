"""Threads, deferred work and virtual time.

Nothing here uses an operating-system thread. A thread is a Python generator that yields a :class:`Wait`; a DPC, a timer or a
delivery on the network is a plain callable with a due time. One loop runs whatever is ready, and when nothing is ready it
moves the clock to the next due time. So every run can be repeated, also in a browser (design, decision 4).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wsklab.machine.exceptions import Guard
    from wsklab.machine.machine import Machine

TURNS = 1_000_000
"""Turns that a run without an end takes before the machine counts as never coming to rest."""
STATUS_SUCCESS = 0
STATUS_TIMEOUT = 0x102

Body = Generator["Wait", Any, Any]


@dataclass(slots=True)
class Wait:
    """What a thread waits for."""

    ready: Callable[[], bool]  # asked whenever something may have changed; the wait is over when it returns True
    deadline: int | None = None  # virtual time (100-ns units) at which it ends with STATUS_TIMEOUT, None for never
    why: tuple[Any, ...] = ()  # for the report of a hang, for example ("event", address)
    take: Callable[[], None] | None = None  # called once when satisfied, to consume what was waited for


@dataclass(slots=True, eq=False)
class Thread:
    """One thread of the machine.

    `object` is the address of its thread object, 0 when it has none; one that the driver started has a `start` routine.
    """

    name: str
    body: Body | None = None
    object: int = 0
    start: int = 0
    irql: int = 0
    waiting: Wait | None = None
    result: Any = None
    done: bool = False
    stack: Any = None
    frames: list[int] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)  # the exception handlers in force, innermost last
    raised: list[int] = field(default_factory=list)  # the IRQLs that KeRaiseIrql saved
    in_application: bool = False  # whether it is an application's: its request comes in
    inside: bool = False  # whether a kernel function that is written in C runs, whose own calls are nobody's business


class Outside(Protocol):
    """A real world outside the machine, which virtual time then follows; without one the clock jumps to what is due next."""

    def now(self) -> int:
        """The virtual time."""

    def sleep(self, due: int | None, deadline: int | None, waiting: bool) -> bool:
        """Sleep until `due` or until something comes in; False when the run should end instead.

        `deadline` is when it has to end, `waiting` whether it must not end before a thread is done.
        """


@dataclass(slots=True, order=True)
class Due:
    """Work at a virtual time; `work` is None when it has been taken back."""

    time: int
    order: int
    work: Callable[[], None] | None = field(compare=False)
    irql: int = field(compare=False)
    background: bool = field(compare=False)  # whether a run ends although it is still due


class Scheduler:
    """The loop. Due work comes in order of time; what is due together comes in order of arrival."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.outside: Outside | None = None
        self._due: list[Due] = []
        self._order = 0
        self._foreground = 0  # how many are due for which a run goes on
        self.threads: list[Thread] = []

    def at(self, time: int, work: Callable[[], None], irql: int, background: bool = False) -> Callable[[], None]:
        """Run `work` at virtual time `time` at an IRQL. Returns a function that takes it back.

        What is due in the `background` happens when time gets there for another reason; no run waits for it.
        """
        self._order += 1
        due = Due(time, self._order, work, irql, background)
        heapq.heappush(self._due, due)
        self._foreground += not background
        return lambda: self._done(due)

    def _done(self, due: Due) -> None:
        if due.work:
            due.work = None
            self._foreground -= not due.background

    @property
    def blocked(self) -> list[Thread]:
        """Threads that wait for something."""
        return [thread for thread in self.threads if not thread.done and thread.waiting is not None]

    @property
    def idle(self) -> bool:
        """Whether nothing is due, and no thread but those that run can go on or waits for a time."""
        timed = any(thread.waiting and thread.waiting.deadline is not None for thread in self.blocked)
        return not (self.outside or self._foreground or timed or any(self._can_run(thread) for thread in self.threads))

    def run(self, until: Thread | None = None, deadline: int | None = None) -> bool:
        """Run until nothing is left to do, `until` is done, or time would pass `deadline`; False if `until` is not done."""
        turns = itertools.count() if self.outside or deadline is not None else range(TURNS)
        for _ in turns:
            if (until is not None and until.done) or not self._step(deadline, until is not None):
                break
        else:
            self._machine.stop("never-idle", turns=TURNS, seconds=self._machine.time // 10_000_000)
        self.threads = [thread for thread in self.threads if not thread.done]
        return until is None or until.done

    def _step(self, deadline: int | None, waiting: bool) -> bool:
        machine = self._machine
        if self.outside:
            machine.time = self.outside.now()
        thread = next((thread for thread in self.threads if self._can_run(thread)), None)
        if thread is not None:
            # Round robin, so that a thread that never waits for long cannot starve the others.
            self.threads.remove(thread)
            self.threads.append(thread)
            self._resume(thread)
            return True
        moments = [thread.waiting.deadline for thread in self.blocked if thread.waiting and thread.waiting.deadline is not None]
        while self._due and self._due[0].work is None:
            heapq.heappop(self._due)
        if self._foreground or moments or deadline is not None:
            moments += [due.time for due in self._due[:1]]
        if self.outside:
            if not self.outside.sleep(min(moments, default=None), deadline, waiting):
                return False
        elif not moments or (deadline is not None and min(moments) > deadline):
            return False
        else:
            machine.time = max(machine.time, min(moments))
        if self._due and self._due[0].time <= machine.time:
            due = heapq.heappop(self._due)
            machine.system.irql = due.irql
            with machine.on_thread(machine.system):
                if work := due.work:
                    self._done(due)
                    work()
        return True

    def _can_run(self, thread: Thread) -> bool:
        wait = thread.waiting
        if thread.done or wait is None:  # one that is running called what runs the loop: a Python routine calling `lab.wdk`
            return not thread.done and not getattr(thread.body, "gi_running", False)
        return wait.ready() or (wait.deadline is not None and wait.deadline <= self._machine.time)

    def _resume(self, thread: Thread) -> None:
        wait, thread.waiting = thread.waiting, None
        status: int | None = None
        if wait is not None:
            status = STATUS_SUCCESS if wait.ready() else STATUS_TIMEOUT
            if status == STATUS_SUCCESS and wait.take:
                wait.take()
        with self._machine.on_thread(thread):
            try:
                assert thread.body is not None
                thread.waiting = thread.body.send(status)
            except StopIteration as finished:
                thread.done, thread.result = True, finished.value
