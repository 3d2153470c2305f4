"""What always holds for IRPs, whatever is done in whatever order (Hypothesis).

* Every IRP that was handed over is completed exactly once per hand-over, and its routine runs exactly once (WSK-USE-02).
* A call that breaks a rule changes neither the bytes of the IRP nor who has it.
* The table of actions decides: an action is refused exactly when the table names a rule.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import wsklab.io  # noqa: F401
from tests.io.who import holder, is_free
from wsklab.io import completion, irp
from wsklab.machine import Machine, Stop

STATUSES = [0, 0x103 + 1, irp.CANCELLED, 0xC000_0001 - (1 << 32)]
ACTIONS = ["allocate", "arm", "send", "complete", "reuse", "cancel", "free", "mark", "io-complete"]


class Model:
    """A few IRPs and, beside them, what must have happened."""

    def __init__(self) -> None:
        self.m = Machine(trace=False)
        self.irps: list[int] = []
        self.sent: dict[int, int] = {}
        self.routines: dict[int, int] = {}
        self.alive: set[int] = set()
        self.code = self.m.python_code(self._completed, "Completed")

    def _completed(self, device: int, packet: int, context: int) -> int:
        self.routines[packet] = self.routines.get(packet, 0) + 1
        return irp.MORE_PROCESSING_REQUIRED

    def act(self, action: str, which: int, status: int) -> None:
        m = self.m
        if action == "allocate" or not self.irps:
            self.irps.append(m.api("IoAllocateIrp")(1 + which % 3, 0))
            self.alive.add(self.irps[-1])
            return
        packet = self.irps[which % len(self.irps)]
        calls: dict[str, Any] = {
            "arm": lambda: m.api("IoSetCompletionRoutine")(packet, self.code, 0, 1, 1, 1),
            "send": lambda: self._send(packet),
            "complete": lambda: completion.complete(m, packet, status, which, by="wsk"),
            "reuse": lambda: m.api("IoReuseIrp")(packet, status),
            "cancel": lambda: m.api("IoCancelIrp")(packet),
            "free": lambda: self._free(packet),
            "mark": lambda: m.api("IoMarkIrpPending")(packet),
            "io-complete": lambda: m.api("IofCompleteRequest")(packet, 0),
        }
        before = m.memory.peek(packet, 208 + 3 * 72), holder(m, packet), is_free(m, packet)
        try:
            calls[action]()
        except Stop:
            after = m.memory.peek(packet, 208 + 3 * 72), holder(m, packet), is_free(m, packet)
            assert after == before

    def _send(self, packet: int) -> None:
        irp.hand_over(self.m, packet, "wsk")
        self.sent[packet] = self.sent.get(packet, 0) + 1

    def _free(self, packet: int) -> None:
        self.m.api("IoFreeIrp")(packet)
        self.alive.remove(packet)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5), st.sampled_from(STATUSES)), max_size=60))
def test_each_irp_handed_over_is_completed_once(steps: list[tuple[str, int, int]]) -> None:
    model = Model()
    for step in steps:
        model.act(*step)
    m = model.m
    for packet in model.irps:
        under_way = holder(m, packet) == "wsk"
        assert model.routines.get(packet, 0) == model.sent.get(packet, 0) - under_way
        if under_way:
            completion.complete(m, packet, 0, 0, by="wsk")
        assert model.routines.get(packet, 0) == model.sent.get(packet, 0)
        assert (packet in model.alive) == (holder(m, packet) is not None)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.booleans()), min_size=4, max_size=4),
    st.sampled_from(STATUSES),
)
def test_completion_of_a_stack_visits_whom_the_flags_ask_for(
    depth: int, drivers: list[tuple[bool, int, bool]], status: int
) -> None:
    """IRP-11, IRP-14, IRP-20, IRP-22: from the bottom up, each routine whose flags fit, and the pending mark travels along."""
    m, o, seen, expected = Machine(trace=False), irp.layout(), list[int](), list[int]()
    finished: list[tuple[int, int, int, int]] = []
    packet = irp.build(m, depth, lambda *result: finished.append((*result, m.u8(packet + o.pending))))

    def passed_on(device: int, packet: int, context: int) -> int:
        seen.append(context)
        if m.u8(packet + o.pending):
            irp.mark_pending(m, packet, by=str(holder(m, packet)))
        return 0

    irp.hand_over(m, packet, "level 0", by="app")
    for level in range(1, depth):
        has_routine, flags, _ = drivers[level]
        if has_routine:
            code = m.python_code(passed_on, f"R{level}")
            irp.set_routine(m, packet, code, level, bool(flags & 1), bool(flags & 2), bool(flags & 4), by=f"level {level - 1}")
            if flags & (1 if status >= 0 else 2):
                expected.insert(0, level)
        irp.hand_over(m, packet, f"level {level}", by=f"level {level - 1}")
    marked = drivers[0][2]
    if marked:
        irp.mark_pending(m, packet, by=f"level {depth - 1}")
    completion.complete(m, packet, status, 5, by=f"level {depth - 1}")
    assert (seen, finished) == (expected, [(packet, status, 5, int(marked))])
