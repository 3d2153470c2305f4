"""What holds whatever an application and a driver do to queues: every request is completed exactly once, owners are unique."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.kmdf.conftest import Kit
from tests.kmdf.queues import MANUAL, PARALLEL, SEQUENTIAL, Queues
from wsklab.kmdf.scene import AppRequest

CANCELLED = -0x3FFFFEE0
AT_MOST = 6


class Requests(RuleBasedStateMachine):
    """A sequential default queue, a parallel and a manual one. The driver keeps what it gets until a rule does something with it.

    The driver is correct: it touches only what it owns and unmarks before it completes. `owned` is what it believes to have;
    the framework's counts have to agree, and each application request has to end once, by whoever was first.
    """

    @initialize()
    def start(self) -> None:
        self.queues = queues = Queues(Kit(trace=False))
        self.wdk = queues.wdk
        self.owned = queues.owned
        self.marked: set[int] = set()
        self.asked: list[AppRequest] = []
        self.cancelled = queues.routine(self.cancel_callback, "EVT_WDF_REQUEST_CANCEL")
        ended = {"EvtIoCanceledOnQueue": lambda request: queues.complete(request, CANCELLED)}
        self.all = [
            queues.queue(SEQUENTIAL, default=True, EvtIoRead=None, **ended),
            queues.queue(PARALLEL, limit=2, EvtIoDefault=None),
            queues.queue(MANUAL, **ended),
        ]

    def cancel_callback(self, request: int) -> int:
        self.marked.discard(int(request))
        self.queues.complete(int(request), CANCELLED)
        return 0

    def mine(self, number: int) -> int:
        """A request that the driver owns and that is not marked cancelable, 0 when there is none."""
        free = [request for request in self.owned if request not in self.marked]
        return free[number % len(free)] if free else 0

    @rule()
    def read(self) -> None:
        if len(self.asked) < AT_MOST:
            self.asked.append(self.queues.read())

    @rule(number=st.integers(0, 9))
    def cancel(self, number: int) -> None:
        if self.asked:
            self.asked[number % len(self.asked)].cancel()

    @rule(number=st.integers(0, 9))
    def complete(self, number: int) -> None:
        if request := self.mine(number):
            self.queues.complete(request)

    @rule(number=st.integers(0, 9), to=st.integers(0, 2))
    def forward(self, number: int, to: int) -> None:
        request = self.mine(number)
        if request and int(self.wdk.WdfRequestGetIoQueue(request)) != self.all[to]:
            self.owned.remove(request)
            if self.wdk.WdfRequestForwardToIoQueue(request, self.all[to]) < 0:
                self.owned.append(request)

    @rule(number=st.integers(0, 9))
    def requeue(self, number: int) -> None:
        request = self.mine(number)
        if request and int(self.wdk.WdfRequestGetIoQueue(request)) == self.all[2]:
            self.owned.remove(request)
            assert self.wdk.WdfRequestRequeue(request) == 0

    @rule(which=st.sampled_from((0, 2)))
    def retrieve(self, which: int) -> None:
        answer, request = self.queues.retrieve(self.all[which])
        assert (answer == "STATUS_SUCCESS") == (request != 0)
        if request:
            assert request not in self.owned
            self.owned.append(request)

    @rule(number=st.integers(0, 9), tells=st.booleans())
    def mark(self, number: int, tells: bool) -> None:
        if request := self.mine(number):
            self.marked.add(request)
            if not tells:
                self.wdk.WdfRequestMarkCancelable(request, self.cancelled)
            elif self.wdk.WdfRequestMarkCancelableEx(request, self.cancelled) < 0:
                self.marked.discard(request)

    @rule(number=st.integers(0, 9))
    def unmark(self, number: int) -> None:
        if self.marked:
            request = sorted(self.marked)[number % len(self.marked)]
            assert self.wdk.WdfRequestUnmarkCancelable(request) == 0  # the callback has not run, or it would not be marked
            self.marked.discard(request)

    @rule(which=st.integers(0, 2), change=st.sampled_from(("Start", "Stop", "Drain", "Purge", "StopAndPurge")))
    def change(self, which: int, change: str) -> None:
        getattr(self.wdk, f"WdfIoQueue{change}")(self.all[which], *() if change == "Start" else (0, 0))

    @invariant()
    def counts_agree(self) -> None:
        if not hasattr(self, "all"):
            return
        counts = [self.queues.counts(queue) for queue in self.all]
        waiting, owned = sum(each[1] for each in counts), sum(each[2] for each in counts)
        assert (owned, len(self.owned)) == (len(self.owned), len(set(self.owned)))
        assert waiting + owned == sum(not answer.done for answer in self.asked)

    def teardown(self) -> None:
        if not hasattr(self, "all"):
            return
        for queue in self.all:
            self.wdk.WdfIoQueuePurge(queue, 0, 0)
        while request := self.mine(0):
            self.queues.complete(request)
        assert (self.owned, [answer.done for answer in self.asked]) == ([], [True] * len(self.asked))
        live: list[Any] = [obj for obj in self.queues.kit.fw.live.values() if obj.KIND == "WDFREQUEST"]
        assert live == []


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
