"""A driver in Python: makes IRPs, calls the functions the way C does, and notes how each IRP was completed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsklab.io import irp as irps
from wsklab.machine import Machine
from wsklab.machine.status import name_of
from wsklab.wsk import scene

MORE_PROCESSING_REQUIRED = irps.MORE_PROCESSING_REQUIRED


class Call:
    """One call: what it returned by name, and (status name, information) once its IRP was completed."""

    def __init__(self, returned: str = "", result: tuple[str, int] | None = None) -> None:
        self.returned = returned
        self.result = result
        self.times = 0
        self.irql = -1
        self.irp = 0

    def __repr__(self) -> str:
        return f"{self.returned} {self.result}"


class Driver:
    """A machine with a driver in Python on it."""

    def __init__(self, **options: Any) -> None:
        self.m = Machine(**options)
        self.completed: list[Call] = []
        self.then: Callable[[Call], None] = lambda call: None

    def call(self, function: str, *arguments: int) -> Call:
        """Call `function` with an IRP of our own as its last argument."""
        m, call = self.m, Call()

        def routine(device: int, irp: int, context: int) -> int:
            o = irps.layout()
            call.result = (name_of(m.i32(irp + o.status)), m.u64(irp + o.information))
            call.times += 1
            call.irql = m.irql
            irps.free(m, irp)
            self.completed.append(call)
            self.then(call)
            return MORE_PROCESSING_REQUIRED

        call.irp = irps.allocate(m, 1)
        irps.set_routine(m, call.irp, m.python_code(routine, "routine"), 0)
        call.returned = name_of(m.api(function)(*arguments, call.irp))
        return call

    def run(self, milliseconds: int | None = None) -> None:
        self.m.run(None if milliseconds is None else self.m.time + milliseconds * 10_000)

    def send(self, socket: int, content: bytes, flags: int = 0) -> Call:
        return self.call("WskSend", socket, scene.wsk_buf(self.m, content), flags)

    def receive(self, socket: int, size: int, flags: int = 0) -> tuple[Call, int]:
        buffer = scene.wsk_buf(self.m, bytes(size))
        return self.call("WskReceive", socket, buffer, flags), buffer

    def send_to(self, socket: int, content: bytes, to: str = "") -> Call:
        pointer = scene.sockaddr(self.m, to) if to else 0
        return self.call("WskSendTo", socket, scene.wsk_buf(self.m, content), 0, pointer, 0, 0)

    def receive_from(self, socket: int, size: int, remote: int = 0, length: int = 0, flags: int = 0) -> tuple[Call, int]:
        buffer = scene.wsk_buf(self.m, bytes(size))
        return self.call("WskReceiveFrom", socket, buffer, 0, remote, length, 0, flags), buffer

    def close(self, socket: int) -> Call:
        return self.call("WskCloseSocket", socket)


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture(scope="module")
def make_driver() -> type[Driver]:
    return Driver
