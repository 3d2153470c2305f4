"""Every WSK function with broken arguments: a documented status or a named rule, never a Python exception (WSK-GAP-14)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsklab.c.headers import headers
from wsklab.c.types import Function, Int, Pointer
from wsklab.machine import NotModelled, Stop
from wsklab.machine.api import MODELLED
from wsklab.rules import RULES
from wsklab.wsk import scene
from wsklab.wsk.client import SLOTS, UNMODELLED
from wsklab.wsk.tables import tables

FUNCTIONS = sorted(
    [name for name, row in MODELLED.items() if row.lane == "wsk" and name not in UNMODELLED]
    + [name for name, export in headers().exports.items() if export.lane == "wsk" and name[0].isupper()]
)
"""Every function of a dispatch table, of registration and of NMR, in Python and in C."""
NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    16,
    17,
    23,
    28,
    0x40,
    0x100,
    0x200,
    0xFFFF,
    0x1002,
    0x3002,
    0x4001,
    0x4002,
    0x80000040,
    2**32 - 1,
    2**63,
    2**64 - 1,
)


class World:
    """A machine with one of everything that an argument may be."""

    def __init__(self, driver: Any) -> None:
        self.driver, m = driver, driver.m
        self.m = m
        client = driver.register()
        freed, short = m.allocate(64, zero=True), m.allocate(3, zero=True)
        m.free(freed)
        stream, bound = driver.socket("stream"), driver.socket("connection")
        driver.bind(stream, "0.0.0.0:0")
        driver.bind(bound, "0.0.0.0:0")
        sockets = [scene.connected(m), scene.listener(m), scene.datagram(m), stream, bound]
        sockets += [driver.socket(category) for category in ("basic", "connection", "listening", "datagram", "stream")]
        closed = scene.datagram(m, local="127.0.0.1:5002")
        driver.close(closed)
        control = driver.event_control(0x40)
        place = m.allocate(64, zero=True)
        m.set_u64(place, control)
        self.owners = {
            "Socket": sockets,
            "ListenSocket": [sockets[1], stream],
            "Client": [client],
            "WskRegistration": [driver.block],
        }
        self.things = [
            client, driver.block, driver.provider, *sockets, closed, freed, short, m.allocate(64), place,
            scene.sockaddr(m, "10.0.0.2:80"), scene.sockaddr(m, "[fd00::2]:80"), scene.sockaddr(m, "127.0.0.1:0"),
            scene.wsk_buf(m, b"hello"), scene.wsk_buf(m, b""), control, control + 1, 0x1234, 0xFFFF_FFFF_FFFF_FFF0, 1 << 63,
        ]  # fmt: skip
        rows = [({"SIO": 2, "WSK": 3}.get(name[:3], 0), name, row.level) for name, row in tables().controls.items()]
        rows += [(1, name, level) for kind, name, level in rows if kind == 0]  # what is set can be asked for too
        self.sockets, self.requests = (
            sockets,
            [(kind, m.constant(name) & 0xFFFF_FFFF, m.constant(level)) for kind, name, level in rows],
        )

    def call(self, name: str, picks: list[int]) -> None:
        """Call a function; `picks` choose each argument by its name and type, mostly one that makes sense."""
        m, modelled = self.m, self.m.modelled(name)
        ctype: Any = m.headers.type(modelled.prototype) if modelled.prototype else m.headers.prototypes[name]
        prototype = ctype.to if isinstance(ctype, Pointer) else ctype
        assert isinstance(prototype, Function)
        kind, code, level = self.requests[picks[-1] % len(self.requests)]
        sensible = {"Flags": 0, "RequestType": kind, "ControlCode": code, "Level": level, "ControlInfoLength": 0, "InputSize": 16}
        arguments: list[int] = []
        for parameter, pick in zip(prototype.parameters, picks, strict=False):
            owners = self.owners.get(parameter.name)
            if owners and pick % 8:
                arguments.append(owners[pick // 8 % len(owners)])
            elif parameter.name in sensible and pick % 8:
                arguments.append(sensible[parameter.name])
            elif isinstance(parameter.type, Int) or not isinstance(parameter.type, Pointer):
                value = NUMBERS[pick % len(NUMBERS)]
                arguments.append(parameter.type.wrap(value) if isinstance(parameter.type, Int) else value % 5)
            else:
                values = [0, *self.things]
                arguments.append(values[pick % len(values)])
        if prototype.parameters[-1].name == "Irp" and picks[-2] % 4:
            self.driver.call(name, *arguments[:-1])
        elif prototype.parameters[-1].name == "Irp":
            m.api(name)(*arguments[:-1], 0 if picks[-2] % 8 else arguments[-1])
        elif modelled.waits:
            m.start_thread(m.api(name)(*arguments), name)
        else:
            m.api(name)(*arguments)


def survives(driver: Any, irql: int, action: Any) -> None:
    """Do something that may be refused or stopped."""
    try:
        with driver.m.at_irql(irql):
            action()
        driver.run()
    except Stop as stop:
        assert stop.rule.id in RULES
    except NotModelled as error:
        assert str(error)
    else:
        assert all(call.times <= 1 for call in driver.completed)


@settings(max_examples=1500, deadline=None)
@given(
    name=st.sampled_from(FUNCTIONS), picks=st.lists(st.integers(0, 2**16), min_size=14, max_size=14), irql=st.sampled_from([0, 2])
)
def test_broken_arguments(make_driver: Any, name: str, picks: list[int], irql: int) -> None:
    driver = make_driver(trace=False)
    world = World(driver)
    survives(driver, irql, lambda: world.call(name, picks))


BUFFERS = ("null", "short", "freed", "wild", "fits")


@pytest.mark.parametrize("buffer", BUFFERS)
@pytest.mark.parametrize("irp", [True, False])
def test_every_request_on_every_category_with_every_kind_of_buffer(make_driver: Any, buffer: str, irp: bool) -> None:
    """Each option is set and asked for, each I/O control issued, each request of the client made."""
    world = World(make_driver(trace=False))
    for number in range(len(world.requests)):
        for place in range(len(world.sockets)):
            driver = make_driver(trace=False)
            world = World(driver)
            m, (kind, code, level) = driver.m, world.requests[number]
            short, freed = m.allocate(2, zero=True), m.allocate(64, zero=True)
            m.free(freed)
            where = {"null": 0, "short": short, "freed": freed, "wild": 0x1234_5678, "fits": m.allocate(64, zero=True)}[buffer]
            rest = (64, where, 64, where, 0)
            if kind == 3:
                arguments: tuple[int, ...] = (m.u64(driver.provider), code, *rest)
            else:
                arguments = (world.sockets[place], kind, code, level, *rest)
            function = "WskControlClient" if kind == 3 else "WskControlSocket"
            survives(driver, 0, lambda f=function, a=arguments, d=driver: d.call(f, *a) if irp else d.m.api(f)(*a, 0))
            if kind == 3:
                break


def test_every_function_of_every_table_is_called() -> None:
    slots = {function for row in tables().categories.values() for function in row.slots.values()} | set(SLOTS)
    registration = {name for name in headers().prototypes if name.startswith(("WskRegister", "WskDeregister", "WskCapture"))}
    registration |= {
        name for name in headers().prototypes if name.startswith("Nmr") and "Client" in name and "Detach" not in name
    }
    assert (slots | registration) - set(UNMODELLED) <= set(FUNCTIONS)
    assert len(FUNCTIONS) == 34
