"""A driver in Python: makes IRPs, calls the functions the way C does, and notes how each IRP was completed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsklab.io import irp as irps
from wsklab.machine import Machine, Stop
from wsklab.machine.code import Code
from wsklab.machine.status import name_of
from wsklab.net import Address, Peer
from wsklab.wsk import scene
from wsklab.wsk.events import INTERFACE

MORE_PROCESSING_REQUIRED = irps.MORE_PROCESSING_REQUIRED


def rule_of(action: Callable[[], object]) -> str:
    """The rule that an action breaks."""
    with pytest.raises(Stop) as stop:
        action()
    return stop.value.rule.id


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

    # A client with callbacks

    def register(self) -> int:
        """Register a client and capture the provider; the WSK_CLIENT."""
        m = self.m
        dispatch, npi = m.new("WSK_CLIENT_DISPATCH"), m.new("WSK_CLIENT_NPI")
        m.set_u16(dispatch, 0x0100)
        m.set_u64(npi + 8, dispatch)
        self.block, self.provider = m.allocate(24), m.allocate(16)
        assert m.api("WskRegister")(npi, self.block) == 0
        capture = m.start_thread(m.api("WskCaptureProviderNPI")(self.block, 0, self.provider), "capture")
        m.scheduler.run(until=capture)
        assert capture.result == 0
        return m.u64(self.provider)

    def callbacks(self, record: str, **functions: Callable[..., int]) -> int:
        """A client's dispatch table of Python functions."""
        table = self.m.new(record)
        for name, function in functions.items():
            code = Code(name, function, False, None, True)
            self.m.set_u64(table + self.m.offset(record, name), self.m.define_code(code))
        return table

    def socket(self, category: str, context: int = 0, dispatch: int = 0, family: int = 2, descriptor: int = 0) -> int:
        """A socket of the registered client."""
        flags, kind, protocol = {
            "basic": (0, 1, 6),
            "listening": (1, 1, 6),
            "connection": (2, 1, 6),
            "datagram": (4, 2, 17),
            "stream": (8, 1, 6),
        }[category]
        client = self.m.u64(self.provider)
        made = self.call("WskSocket", client, family, kind, protocol, flags, context, dispatch, 0, 0, descriptor)
        self.run()
        assert made.result and made.result[0] == "STATUS_SUCCESS", made
        return made.result[1]

    def bind(self, socket: int, text: str) -> Call:
        call = self.call("WskBind", socket, scene.sockaddr(self.m, text), 0)
        self.run()
        return call

    def event_control(self, mask: int, interface: bytes = INTERFACE) -> int:
        """A WSK_EVENT_CALLBACK_CONTROL."""
        npi = self.m.allocate(16)
        self.m.write(npi, interface)
        control = self.m.allocate(16)
        self.m.set_u64(control, npi)
        self.m.set_u32(control + 8, mask)
        return control

    def switch(self, socket: int, mask: int, irp: bool = False) -> Any:
        """SO_WSK_EVENT_CALLBACK: the status, or with an IRP the call."""
        m, arguments = self.m, (0, 0x4002, 0xFFFF, 16, self.event_control(mask), 0, 0, 0)
        if irp:
            return self.call("WskControlSocket", socket, *arguments)
        return name_of(m.api("WskControlSocket")(socket, *arguments, 0))

    def for_all(self, mask: int) -> str:
        """WSK_SET_STATIC_EVENT_CALLBACKS."""
        arguments = (self.m.u64(self.provider), 7, 16, self.event_control(mask), 0, 0, 0, 0)
        return name_of(self.m.api("WskControlClient")(*arguments))

    def peer(self, here: str, there: str = "10.0.0.2:5000", behaviour: str = "reads") -> Peer:
        """A peer that connects to the driver's side."""
        network = scene.network(self.m)
        network.host(there)
        peer = Peer(network, Address.parse(there), behaviour)
        peer.connect(Address.parse(here))
        return peer

    def indicated(self, head: int, record: str = "WSK_DATA_INDICATION") -> list[bytes]:
        """The bytes of each indication of a list, read through its chains."""
        found, m = [], self.m
        while head:
            node = m.view(head, record)
            found.append(scene.content_of(m, head + m.offset(record, "Buffer")))
            head = int(node.Next)
        return found


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture(scope="module")
def make_driver() -> type[Driver]:
    return Driver
