"""What holds whatever a driver and a device do: each accepted send completes exactly once, and references balance."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wsklab import Lab
from wsklab.kmdf import framework, scene
from wsklab.kmdf.lower import LowerDevice
from wsklab.kmdf.target import STOPPED

TIMEOUT, IGNORE_STATE = 1, 4


class Sends(RuleBasedStateMachine):
    """Two targets, three requests, three memories; the verifier goes on after its breakpoints, so refusals come back as FALSE."""

    @initialize()
    def start(self) -> None:
        self.lab = Lab(trace=False)
        self.m = m = self.lab.machine
        self.fw = framework(m)
        self.fw.verifier = "continue"
        self.devices = [
            scene.lower_device(m, "a", answers="later"),
            scene.lower_device(m, "b", stack_size=2, io_type="direct"),
        ]
        self.targets = [scene.io_target(m, device) for device in self.devices]
        self.requests = [scene.request(m, self.targets[0]) for _ in range(3)]
        self.memories = [scene.memory(m, 8) for _ in range(3)]
        self.accepted = dict.fromkeys(self.requests, 0)
        self.completed = dict.fromkeys(self.requests, 0)
        self.formatted_for: dict[int, int] = {}
        self.routine = self.lab.routine(self.done, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address

    def done(self, request: int, target: int, params: Any, context: int) -> int:
        self.completed[int(request)] += 1
        return 0

    def idle(self, request: int) -> bool:
        return self.accepted[request] == self.completed[request]

    @rule(request=st.integers(0, 2), to=st.integers(0, 1), memory=st.integers(0, 2), write=st.booleans())
    def format(self, request: int, to: int, memory: int, write: bool) -> None:
        handle = self.requests[request]
        if self.idle(handle):
            name = f"WdfIoTargetFormatRequestFor{'Write' if write else 'Read'}"
            assert getattr(self.lab.wdk, name)(self.targets[to], handle, self.memories[memory], 0, 0) == 0
            self.formatted_for[handle] = to

    @rule(request=st.integers(0, 2), to=st.integers(0, 1), flags=st.sampled_from((0, TIMEOUT, IGNORE_STATE)))
    def send(self, request: int, to: int, flags: int) -> None:
        handle = self.requests[request]
        # Sending to another target than the one formatted for is a mistake that the lower device pays for (KMDF-MIS-16).
        to = self.formatted_for.get(handle, to)
        if self.idle(handle):
            self.lab.wdk.WdfRequestSetCompletionRoutine(handle, self.routine, 0)
            options = self.m.allocate(16, kind="native", zero=True)
            self.m.set_u32(options, 16)
            self.m.set_u32(options + 4, flags)
            self.m.set_i64(options + 8, -5_000)
            before = self.completed[handle]
            # The routine may run inside the call, so the send is counted first and taken back when it was refused.
            self.accepted[handle] += 1
            if not self.lab.wdk.WdfRequestSend(handle, self.targets[to], options):
                self.accepted[handle] -= 1
                assert self.completed[handle] == before

    @rule(request=st.integers(0, 2))
    def cancel(self, request: int) -> None:
        self.lab.wdk.WdfRequestCancelSentRequest(self.requests[request])

    @rule(request=st.integers(0, 2))
    def reuse(self, request: int) -> None:
        handle = self.requests[request]
        if self.idle(handle):
            params = self.m.new("WDF_REQUEST_REUSE_PARAMS", kind="native")
            self.m.set_u32(params, 24)
            assert self.lab.wdk.WdfRequestReuse(handle, params) == 0

    @rule(request=st.integers(0, 2), to=st.integers(0, 1))
    def change_target(self, request: int, to: int) -> None:
        handle = self.requests[request]
        if self.idle(handle):
            assert self.lab.wdk.WdfRequestChangeTarget(handle, self.targets[to]) == 0

    @rule(request=st.integers(0, 2))
    def replace(self, request: int) -> None:
        handle = self.requests[request]
        if self.idle(handle):
            self.lab.wdk.WdfObjectDelete(handle)
            self.requests[request] = made = scene.request(self.m, self.targets[0])
            self.accepted[made] = self.completed[made] = 0

    @rule(to=st.integers(0, 1), state=st.sampled_from(("start", "stop", "purge")))
    def change_state(self, to: int, state: str) -> None:
        handle, wdk = self.targets[to], self.lab.wdk
        if state == "start":
            wdk.WdfIoTargetStart(handle)
        elif state == "stop":
            wdk.WdfIoTargetStop(handle, 3)
        else:
            wdk.WdfIoTargetPurge(handle, 2)

    @rule(
        request=st.integers(0, 2),
        to=st.integers(0, 1),
        memory=st.integers(0, 2),
        then=st.sampled_from(("start", "purge", "stop")),
    )
    def send_to_a_stopped_target(self, request: int, to: int, memory: int, then: str) -> None:
        """Steps that seldom meet by chance."""
        self.change_state(to, "stop")
        self.format(request, to, memory, False)
        self.send(request, to, 0)
        self.state_changes_lose_nothing()
        self.change_state(to, then)

    @rule(device=st.integers(0, 1), answers=st.sampled_from(("at once", "later", "error", "never")), cancelable=st.booleans())
    def tell(self, device: int, answers: str, cancelable: bool) -> None:
        told: LowerDevice = self.devices[device]
        told.answers, told.cancelable = answers, cancelable

    @precondition(lambda self: any(device.pending for device in self.devices))
    @rule(device=st.integers(0, 1))
    def answer(self, device: int) -> None:
        self.devices[device].complete_all()

    @rule()
    def run_machine(self) -> None:
        self.lab.run()

    @invariant()
    def every_accepted_send_completes_once(self) -> None:
        """KMDF-CPL-04."""
        for handle in self.requests:
            out = self.fw.live[handle].outstanding  # type: ignore[attr-defined]
            assert self.accepted[handle] - self.completed[handle] == (1 if out else 0)

    @invariant()
    def targets_count_what_is_out(self) -> None:
        """KMDF-STA-12, 15: no request is lost between the lists."""
        for handle in self.targets:
            target: Any = self.fw.live[handle]
            lists = [*target.pended, *target.sent, *target.ignored]
            assert target.io_count == len(lists) == len(set(lists))

    @invariant()
    def state_changes_lose_nothing(self) -> None:
        """KMDF-STA-01, 03, 04, KMDF-PND-04, 09: only a stopped target holds requests back, and what it sent is at its device."""
        for handle, device in zip(self.targets, self.devices, strict=True):
            target: Any = self.fw.live[handle]
            assert not target.pended or target.target_state == STOPPED
            assert {request.irp for request in (*target.sent.values(), *target.ignored.values())} == set(device.pending)

    @invariant()
    def references_balance(self) -> None:
        """KMDF-FMT-07, 08, KMDF-SND-14: one for life, one per format that names it; one while out."""
        for handle in self.memories:
            held = sum(
                self.fw.live[handle] in request.context.memories  # type: ignore[attr-defined]
                for request in map(self.fw.live.__getitem__, self.requests)
                if request.context  # type: ignore[attr-defined]
            )
            assert self.fw.live[handle].references == 1 + held
        for handle in self.requests:
            request: Any = self.fw.live[handle]
            assert request.references == (2 if request.outstanding else 1)

    def teardown(self) -> None:
        """In the end everything comes back, and nothing is left."""
        if not hasattr(self, "lab"):
            return
        for handle, device in zip(self.targets, self.devices, strict=True):
            self.lab.wdk.WdfIoTargetPurge(handle, 2)
            device.complete_all()
        self.lab.run()
        assert all(map(self.idle, self.requests))
        for handle in self.requests + self.memories:
            self.lab.wdk.WdfObjectDelete(handle)
        assert not [block for block in self.m.memory.blocks if block.live and block.kind in ("irp", "mdl", "pool")]


TestSends = Sends.TestCase
TestSends.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
