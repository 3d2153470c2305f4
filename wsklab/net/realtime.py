"""A machine that follows the clock: it sleeps in an asyncio event loop until work is due or something comes in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from socket import socket
from typing import Any

from wsklab.machine import Machine, Wait
from wsklab.machine.scheduler import Body

TICKS = 10_000_000  # 100-ns units of virtual time in a second
QUIET = TICKS // 20  # a machine that nobody waits for is idle when nothing has come in for this long
FOREVER = 1 << 62


class RealTime:
    """The event loop of one machine. What comes in is queued with the scheduler, so C never runs inside the event loop."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.loop = asyncio.SelectorEventLoop()
        self._sockets: set[socket] = set()  # open ones, from which something may come in
        self.full: set[Any] = set()  # ends of connections that read no more until the driver takes what has arrived
        self._limit = FOREVER  # when serving or waiting ends
        self._serving = False
        self._start = time.monotonic() - machine.time / TICKS
        self._came = False
        machine.scheduler.outside = self

    def now(self) -> int:
        """Virtual time, which follows the clock."""
        return max(self.machine.time, int((time.monotonic() - self._start) * TICKS))

    def serve(self, seconds: float | None = None) -> None:
        """From now on a machine without work waits for what comes in, for so many seconds or until `stop`."""
        self._serving, self._limit = True, FOREVER if seconds is None else self.now() + int(seconds * TICKS)

    def stop(self, patience: float = 0) -> None:
        """End serving; what a thread still waits for may take `patience` more seconds. A signal handler may call this."""
        self._serving, self._limit = False, self.now() + int(patience * TICKS)
        self.loop.call_soon_threadsafe(self.loop.stop)

    def sleep(self, due: int | None, deadline: int | None, waiting: bool) -> bool:
        """Sleep until `due` or until something comes in; False when the run should end."""
        now = self.machine.time
        if due is not None and due <= now:
            return True
        end = self._limit if deadline is None else min(deadline, self._limit)
        if due is None and deadline is None and not waiting and not (self._serving and self._sockets):
            end = min(end, now + QUIET)
        came = self._listen((end if due is None else min(due, end)) - now)
        self.machine.time = self.now()
        return came or self.machine.time < end

    def _listen(self, delay: int) -> bool:
        """Let the event loop run until something comes in, at most for `delay`."""
        self._came = False
        self.full -= {end for end in self.full if end.read_on()}
        timer = self.loop.call_later(max(delay, 0) / TICKS, self.loop.stop) if delay < FOREVER // 2 else None
        outer = asyncio._get_running_loop()  # a notebook's, which waits for this cell as for any other
        asyncio._set_running_loop(None)
        try:
            self.loop.run_forever()
        finally:
            asyncio._set_running_loop(outer)
            if timer:
                timer.cancel()
        return self._came

    def came(self, work: Callable[[], None]) -> None:
        """Something came in: the machine does `work` next."""
        self._came = True
        self.loop.stop()
        self.machine.after(0, work)

    def client(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine, a client of the driver for example, while the machine runs; returns its result."""
        task = self.loop.create_task(coroutine)
        task.add_done_callback(lambda _: self.came(lambda: None))

        def body() -> Body:
            yield Wait(task.done, why=("a Python program",))

        self.machine.steps.refill()
        self.machine.scheduler.run(until=self.machine.start_thread(body(), "client"))
        return task.result()
