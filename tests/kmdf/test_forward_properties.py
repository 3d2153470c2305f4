"""What holds of received requests whatever happens below: each is completed exactly once, whoever wins the race for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wsklab import Lab
from wsklab.io.irp import Irps
from wsklab.kmdf import framework

FILTER = (Path(__file__).parents[2] / "examples" / "forward_filter.c").read_text("utf-8")
COMPILED: list[Any] = []


class Forwards(RuleBasedStateMachine):
    """An application over the filter example over a device that answers or not, can be cancelled or not."""

    @initialize(io_type=st.sampled_from(("buffered", "direct", "neither")))
    def start(self, io_type: str) -> None:
        self.lab = Lab(trace=False)
        self.device = self.lab.lower_device("disk", answers="later", io_type=io_type, data=b"abcdefgh")
        driver = self.lab.load(COMPILED[0] if COMPILED else FILTER, "forward_filter.c")
        COMPILED[:] = [driver]
        self.loaded = self.lab.start_driver(driver, lower=self.device)
        self.target = self.lab.wdk.WdfDeviceGetIoTarget(self.loaded.devices[0])
        self.counts = driver.GetFilterContext(self.loaded.devices[0])
        self.asked: list[Any] = []
        self.ended: dict[int, int] = {}

    @rule(length=st.integers(1, 8))
    def read(self, length: int) -> None:
        self._watch(self.loaded.read(length))

    @rule(content=st.binary(min_size=1, max_size=8))
    def write(self, content: bytes) -> None:
        self._watch(self.loaded.write(content))

    @rule(code=st.sampled_from((0x222000, 0x222001, 0x222002, 0x222003)))
    def ioctl(self, code: int) -> None:
        self._watch(self.loaded.ioctl(code, b"in", 4))

    def _watch(self, request: Any) -> None:
        """Count how often a request that is still under way ends."""
        place = len(self.asked)
        self.asked.append(request)
        self.ended[place] = int(request.done)
        if not request.done:
            finished = request._finished

            def counted(irp: int, status: int, information: int) -> None:
                self.ended[place] += 1
                finished(irp, status, information)

            self.lab.machine.model(Irps).packets[request.irp].finished = counted

    @precondition(lambda self: getattr(self, "asked", None))
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        data.draw(st.sampled_from(self.asked)).cancel()

    @rule(what=st.sampled_from(("Start", "Stop", "Purge")))
    def change_state(self, what: str) -> None:
        leave = {"Start": (), "Stop": (3,), "Purge": (2,)}[what]
        getattr(self.lab.wdk, f"WdfIoTarget{what}")(self.target, *leave)

    @rule(length=st.integers(1, 8), then=st.sampled_from(("Start", "Purge", "Stop")), cancelable=st.booleans())
    def cancel_what_was_pended(self, length: int, then: str, cancelable: bool) -> None:
        """Steps that seldom meet by chance: cancelled after a stopped target held it back."""
        self.tell("never", cancelable)
        self.change_state("Stop")
        self.read(length)
        self.change_state(then)
        self.asked[-1].cancel()

    @rule(answers=st.sampled_from(("at once", "later", "error", "never")), cancelable=st.booleans())
    def tell(self, answers: str, cancelable: bool) -> None:
        self.device.answers, self.device.cancelable = answers, cancelable

    @rule()
    def answer(self) -> None:
        self.device.complete_all()

    @rule()
    def run_machine(self) -> None:
        self.lab.run()

    @invariant()
    def nobody_is_completed_twice(self) -> None:
        """KMDF-CPL-04, KMDF-MIS-04: cancellation and completion never both win."""
        for place, request in enumerate(getattr(self, "asked", ())):
            assert self.ended[place] == int(request.done)

    @invariant()
    def whoever_is_not_done_is_somewhere(self) -> None:
        """KMDF-STA-12, KMDF-PND-02: pended in the target, or out at the device; no state change loses one."""
        if not hasattr(self, "asked"):
            return
        target: Any = framework(self.lab.machine).live[int(self.target)]
        under_way = sum(not request.done for request in self.asked)
        assert under_way == len(target.pended) + len(self.device.pending)
        assert target.io_count == len(target.pended) + len(target.sent) == under_way
        assert self.counts.Forwarded + self.counts.NotSent == len(self.asked)

    def teardown(self) -> None:
        """In the end everybody has got an answer, and nothing is left."""
        if not hasattr(self, "lab"):
            return
        self.lab.wdk.WdfIoTargetPurge(self.target, 2)
        self.device.complete_all()
        self.lab.run()
        assert all(request.done for request in self.asked)
        self.lab.unload_driver(self.loaded)
        assert not [block for block in self.lab.machine.memory.blocks if block.live and block.kind in ("irp", "mdl", "pool")]


TestForwards = Forwards.TestCase
TestForwards.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
