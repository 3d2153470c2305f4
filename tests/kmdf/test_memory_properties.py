"""References to memory objects balance, whatever a driver does with them: made in every way, formatted, sent, reused, deleted."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wsklab.kmdf import scene

from .conftest import Kit

REQUESTS = st.integers(0, 2)
ANY = st.integers(0, 1000)  # which of the memories that there are
KINDS = st.sampled_from(("created", "preallocated", "lookaside", "parented"))
# Whether, and which part of the 16 bytes a format names: two are too much, and the format fails.
PARTS = st.sampled_from((None, (0, 0), (4, 8), (15, 1), (8, 9), (17, 0)))
CODES = st.sampled_from((0x222000, 0x222001, 0x222002, 0x222003))  # METHOD_BUFFERED, IN_DIRECT, OUT_DIRECT, NEITHER
SIZE = 16


class References(RuleBasedStateMachine):
    """Three requests, as many memories as Hypothesis likes; what is expected is counted here and not asked of the engine."""

    @initialize()
    def start(self) -> None:
        self.kit = kit = Kit(trace=False)
        self.device = kit.device("a", answers="later", io_type="direct")
        self.targets = [kit.target(self.device), kit.target(self.device)]
        self.requests = [kit.request(self.targets[0]) for _ in range(3)]
        self.out: set[int] = set()  # requests that are sent
        self.held: dict[int, list[int]] = {request: [] for request in self.requests}  # memories that a format names
        self.formatted: dict[int, int] = {}  # for which target
        self.referenced: list[int] = []  # by the driver, once for each time
        self.parents: dict[int, int] = {}
        self.deleted: set[int] = set()
        self.cleaned: dict[int, int] = {}
        self.destroyed: dict[int, int] = {}
        self.done = kit.lab.routine(self.completed, "EVT_WDF_REQUEST_COMPLETION_ROUTINE").address
        cleanup = kit.lab.routine(self.cleanup, "EVT_WDF_OBJECT_CONTEXT_CLEANUP").address
        destroy = kit.lab.routine(self.destroy, "EVT_WDF_OBJECT_CONTEXT_DESTROY").address
        self.callbacks = {"EvtCleanupCallback": cleanup, "EvtDestroyCallback": destroy}
        list_ = kit.out()
        assert kit.wdk.WdfLookasideListCreate(0, SIZE, 512, kit.attributes(**self.callbacks), 0x41, list_) == 0
        self.lookaside = kit.m.u64(list_)

    def completed(self, request: int, target: int, params: Any, context: int) -> int:
        self.out.remove(int(request))
        return 0

    def cleanup(self, memory: int) -> int:
        self.cleaned[int(memory)] += 1
        assert self.destroyed[int(memory)] == 0
        return 0

    def destroy(self, memory: int) -> int:
        self.destroyed[int(memory)] += 1
        return 0

    def idle(self, request: int) -> int:
        """The handle of a request, 0 while it is out."""
        handle = self.requests[request]
        return 0 if handle in self.out else handle

    def alive(self, which: int) -> int:
        """The handle of a memory that is not deleted, 0 when there is none."""
        there = [memory for memory in self.cleaned if memory not in self.deleted]
        return there[which % len(there)] if there else 0

    @rule(kind=KINDS, parent=REQUESTS)
    def make(self, kind: str, parent: int) -> None:
        kit, out = self.kit, self.kit.out()
        parented = {"ParentObject": self.requests[parent]} if kind == "parented" else {}
        attributes = kit.attributes(**self.callbacks, **parented)
        if kind == "lookaside":
            status = kit.wdk.WdfMemoryCreateFromLookaside(self.lookaside, out)
        elif kind == "preallocated":
            status = kit.wdk.WdfMemoryCreatePreallocated(attributes, kit.m.allocate(SIZE, kind="native"), SIZE, out)
        else:
            status = kit.wdk.WdfMemoryCreate(attributes, 512, 0x41, SIZE, out, 0)
        assert status == 0
        memory = kit.m.u64(out)
        kit.m.write(int(kit.wdk.WdfMemoryGetBuffer(memory, 0)), bytes(SIZE))
        self.cleaned[memory] = self.destroyed[memory] = 0
        if parented:
            self.parents[memory] = self.requests[parent]

    def part(self, part: tuple[int, int] | None) -> int:
        return self.kit.offsets(*part) if part else 0

    def named(self, request: int, target: int, status: int, memories: list[int], parts: list[Any]) -> None:
        """What a format leaves: a reference for each memory; one whose part does not fit changes nothing. KMDF-FMT-07, 08."""
        fits = all(part is None or sum(part) <= SIZE for part in parts)
        assert (status >= 0) == fits
        if fits:
            self.held[request], self.formatted[request] = memories, target

    @precondition(lambda self: self.alive(0))
    @rule(request=REQUESTS, to=st.integers(0, 1), which=ANY, part=PARTS, write=st.booleans())
    def format_transfer(self, request: int, to: int, which: int, part: tuple[int, int] | None, write: bool) -> None:
        if handle := self.idle(request):
            memory, target = self.alive(which), self.targets[to]
            call = getattr(self.kit.wdk, f"WdfIoTargetFormatRequestFor{'Write' if write else 'Read'}")
            self.named(handle, target, call(target, handle, memory, self.part(part), 0), [memory], [part])

    @precondition(lambda self: self.alive(0))
    @rule(request=REQUESTS, to=st.integers(0, 1), code=CODES, first=ANY, second=ANY, parts=st.tuples(PARTS, PARTS))
    def format_ioctl(self, request: int, to: int, code: int, first: int, second: int, parts: Any) -> None:
        if handle := self.idle(request):
            memories, target = [self.alive(first), self.alive(second)], self.targets[to]
            offsets = [self.part(part) for part in parts]
            call = self.kit.wdk.WdfIoTargetFormatRequestForIoctl
            status = call(target, handle, code, memories[0], offsets[0], memories[1], offsets[1])
            self.named(handle, target, status, memories, parts)

    @rule(request=REQUESTS)
    def send(self, request: int) -> None:
        handle = self.idle(request)
        if handle in self.formatted:
            self.kit.wdk.WdfRequestSetCompletionRoutine(handle, self.done, 0)
            # The routine may run inside the call, so it counts as out before; one that was cancelled before is refused.
            self.out.add(handle)
            if not self.kit.wdk.WdfRequestSend(handle, self.formatted.pop(handle), 0):
                self.out.remove(handle)

    @precondition(lambda self: self.alive(0))
    @rule(request=st.none() | REQUESTS, which=ANY, part=PARTS)
    def send_and_wait(self, request: int | None, which: int, part: tuple[int, int] | None) -> None:
        """A synchronous sender gives its references back before it returns. Facts: KMDF-FMT-08, KMDF-SSY-12."""
        kit, handle = self.kit, 0 if request is None else self.idle(request)
        if handle or request is None:
            descriptor = kit.m.view(kit.m.new("WDF_MEMORY_DESCRIPTOR", kind="native"), "WDF_MEMORY_DESCRIPTOR")
            descriptor.Type = kit.wdk.WdfMemoryDescriptorTypeHandle
            descriptor.u.HandleType.Memory, descriptor.u.HandleType.Offsets = self.alive(which), self.part(part)
            kit.wdk.WdfIoTargetSendReadSynchronously(self.targets[0], handle, descriptor, 0, 0, 0)
            if handle:
                self.held[handle] = []
                self.formatted.pop(handle, None)

    @rule(request=REQUESTS)
    def cancel(self, request: int) -> None:
        self.kit.wdk.WdfRequestCancelSentRequest(self.requests[request])

    @rule(request=REQUESTS)
    def reuse(self, request: int) -> None:
        if handle := self.idle(request):
            params = self.kit.m.new("WDF_REQUEST_REUSE_PARAMS", kind="native")
            self.kit.m.set_u32(params, 24)
            assert self.kit.wdk.WdfRequestReuse(handle, params) == 0
            self.held[handle] = []
            self.formatted.pop(handle, None)

    @rule(request=REQUESTS)
    def delete_request(self, request: int) -> None:
        """Its format's references go, and so do the memories that are its children. Facts: KMDF-FMT-08, KMDF-OBJ-27."""
        if handle := self.idle(request):
            self.kit.wdk.WdfObjectDelete(handle)
            del self.held[handle]
            self.formatted.pop(handle, None)
            self.deleted |= {memory for memory, parent in self.parents.items() if parent == handle}
            self.requests[request] = made = scene.request(self.kit.m, self.targets[0])
            self.held[made] = []

    @precondition(lambda self: self.alive(0))
    @rule(which=ANY)
    def delete_memory(self, which: int) -> None:
        """Also while a request that names it is out: cleanup runs now, the buffer goes with the last name. Facts: KMDF-MEM-09."""
        memory = self.alive(which)
        self.deleted.add(memory)
        self.kit.wdk.WdfObjectDelete(memory)

    @precondition(lambda self: self.alive(0))
    @rule(which=ANY)
    def reference(self, which: int) -> None:
        self.referenced.append(self.alive(which))
        self.kit.wdk.WdfObjectReferenceActual(self.referenced[-1], 0, 1, 0)

    @precondition(lambda self: self.referenced)
    @rule()
    def dereference(self) -> None:
        self.kit.wdk.WdfObjectDereferenceActual(self.referenced.pop(0), 0, 1, 0)

    @rule(answers=st.sampled_from(("at once", "later", "error")), cancelable=st.booleans())
    def tell(self, answers: str, cancelable: bool) -> None:
        self.device.answers, self.device.cancelable = answers, cancelable

    @rule()
    def run_machine(self) -> None:
        self.kit.lab.run()

    @invariant()
    def references_are_those_that_were_taken(self) -> None:
        """KMDF-FMT-07, 08, KMDF-MEM-08, 09, KMDF-OBJ-10: one for life, one for each name in a format, and the driver's own."""
        names = [memory for memories in self.held.values() for memory in memories] + self.referenced
        for memory in self.cleaned:
            taken = names.count(memory) + (memory not in self.deleted)
            there: Any = self.kit.fw.live.get(memory)
            assert (there.references if there else 0) == taken
            assert (self.cleaned[memory], self.destroyed[memory]) == (int(memory in self.deleted), int(not taken))

    def teardown(self) -> None:
        """In the end each memory is what it was when it was made, cleanup and destroy run once, and nothing is left."""
        if not hasattr(self, "kit"):
            return
        self.kit.lab.run()
        assert not self.out
        for request in self.requests:
            self.kit.wdk.WdfObjectDelete(request)
            del self.held[request]
            self.deleted |= {memory for memory, parent in self.parents.items() if parent == request}
        while self.referenced:
            self.dereference()
        self.references_are_those_that_were_taken()
        while memory := self.alive(0):
            assert self.kit.fw.live[memory].references == 1
            self.delete_memory(0)
        self.kit.wdk.WdfObjectDelete(self.lookaside)
        assert set(self.cleaned.values()) | set(self.destroyed.values()) <= {1}
        assert not [block for block in self.kit.m.memory.blocks if block.live and block.kind in ("irp", "mdl", "pool")]


TestReferences = References.TestCase
TestReferences.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
