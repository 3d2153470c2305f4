"""Every function of the kernel with broken arguments: a result or a named rule, never a Python exception.

Facts: BUG-01, BUG-03, BUG-15, WSK-GAP-14.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import wsklab.lab  # noqa: F401 - importing it declares the modelled functions
from wsklab.c.headers import headers
from wsklab.c.types import Int, Pointer, Record
from wsklab.io import device, irp, mdl
from wsklab.machine import Machine, NotModelled, Stop
from wsklab.machine.api import MODELLED
from wsklab.rules import RULES

KERNEL = sorted(
    name
    for name, lane in {
        **{name: row.lane for name, row in MODELLED.items()},
        **{n: e.lane for n, e in headers().exports.items()},
    }.items()
    if lane == "io" and name[0].isupper() and name in headers().prototypes
)
"""The functions of section 3 of the facts, in Python and in C: their names begin with a capital, the C library's do not."""
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 64, 0xFF, 0x103, 0x1000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


class World:
    """A machine with one of everything that an argument may be."""

    def __init__(self) -> None:
        self.m = m = Machine(trace=False)
        api = m.api
        freed, short, fresh = m.allocate(64, zero=True), m.allocate(3, zero=True), m.allocate(256)
        m.free(freed)
        packet, sent, event, timer, dpc = irp.allocate(m, 2), irp.build(m, 2), m.new("KEVENT"), m.new("KTIMER"), m.new("KDPC")
        api("KeInitializeEvent")(event, 0, 0)
        api("KeInitializeTimer")(timer)
        code = m.python_code(lambda *_: 0, "Routine")
        api("KeInitializeDpc")(dpc, code, 0)
        target = device.make_device(m, device.make_driver(m, "below", lambda _device, _irp: 0))
        head, text, zero = m.new("LIST_ENTRY"), m.new("UNICODE_STRING"), m.allocate(512, zero=True)
        m.set_u64(head, head)
        m.set_u64(head + 8, head)
        m.write(text, b"\x04\0\x08\0\0\0\0\0")
        m.set_u64(text + 8, zero)
        memory = m.allocate(64, zero=True)
        item = api("IoAllocateWorkItem")(target)
        built = mdl.build(m, memory, 64, given=True)
        self.things = [
            packet, sent, event, timer, dpc, code, target, head, text, zero, memory, item, built, fresh, short, freed, memory + 1,
            api("PsGetCurrentThread")(), api("PsGetCurrentProcess")(), 0x1234, 0xFFFF_FFFF_FFFF_FFF0, 1 << 63,
        ]  # fmt: skip

    def call(self, name: str, picks: list[int]) -> None:
        """Call a function; `picks` choose each argument by its type."""
        m, prototype = self.m, headers().prototypes[name]
        arguments = [m.allocate(prototype.returns.size)] if isinstance(prototype.returns, Record) else []
        for parameter, pick in zip(prototype.parameters, picks, strict=False):
            if isinstance(parameter.type, Int):
                arguments.append(parameter.type.wrap(NUMBERS[pick % len(NUMBERS)]))
            else:
                values = [0, *self.things] if isinstance(parameter.type, Pointer) else list(NUMBERS)
                arguments.append(values[pick % len(values)])
        if m.modelled(name).waits:
            m.start_thread(m.api(name)(*arguments), name)
        else:
            m.api(name)(*arguments)


def tried(name: str, picks: list[int], irql: int) -> None:
    world = World()
    try:
        with world.m.at_irql(irql):
            world.call(name, picks)
        world.m.run(world.m.time + 10_000_000)
    except Stop as stop:
        assert stop.rule.id in RULES
    except NotModelled as error:
        assert str(error)


@settings(max_examples=1500, deadline=None)
@given(
    name=st.sampled_from(KERNEL), picks=st.lists(st.integers(0, 2**16), min_size=12, max_size=12), irql=st.sampled_from([0, 2])
)
def test_broken_arguments(name: str, picks: list[int], irql: int) -> None:
    tried(name, picks, irql)


def test_every_function_gets_the_plainest_mistakes() -> None:
    """All NULL, all wild, all freed, all too short."""
    for name in KERNEL:
        for pick in (0, 20, 16, 15):
            tried(name, [pick] * 12, 0)


def test_what_is_called() -> None:
    assert {"IoAllocateIrp", "IoMakeAssociatedIrp", "KeSetTimer", "ExInterlockedInsertTailList", "IoAcquireRemoveLockEx"} & set(
        KERNEL
    )
    assert len(KERNEL) > 250
