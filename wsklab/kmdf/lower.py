"""A scripted lower device: it does to the IRPs that it gets what a scene tells it to, and remembers what it saw.

It is a real device below a target: a DEVICE_OBJECT whose dispatch routine finds its stack location, reads the bytes where the
I/O type or the transfer method puts them, writes its answer there, marks pending, can be cancelled, and completes the IRP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wsklab.io import completion
from wsklab.io import device as io_device
from wsklab.io import irp as io_irp
from wsklab.kmdf import wdm
from wsklab.kmdf.layout import (
    METHOD_BUFFERED,
    METHOD_NEITHER,
    MJ_DEVICE_CONTROL,
    MJ_INTERNAL_DEVICE_CONTROL,
    MJ_READ,
    MJ_WRITE,
    Layout,
    major_name,
)
from wsklab.machine import Machine, status
from wsklab.machine.status import NTSTATUS

IO_TYPES = {"neither": 1, "buffered": 2, "direct": 3}
ANSWERS = ("at once", "later", "error", "never")
ME = "device"


@dataclass(slots=True)
class Received:
    """One IRP as the device saw it.

    Attributes:
        irp: address of the IRP.
        major: major function code; `name` is its name.
        code: I/O control code, 0 for reads and writes.
        length: bytes asked for by a read or write.
        input_length, output_length: of a control code.
        offset: ByteOffset of a read or write.
        content: the bytes that came down (write data, control input).
        arguments: the four Others arguments of an internal control code, as numbers.
        file_object: FileObject of the stack location.
        status, information: how it was completed; None while it is pending.
    """

    irp: int
    major: int
    name: str
    code: int = 0
    length: int = 0
    input_length: int = 0
    output_length: int = 0
    offset: int = 0
    content: bytes = b""
    arguments: tuple[int, int, int, int] = (0, 0, 0, 0)
    file_object: int = 0
    status: int | None = None
    information: int | None = None


class LowerDevice:
    """A device that can be told what to answer.

    Args:
        m: the machine.
        name: its name, also for opening it by name.
        answers: ``"at once"``, ``"later"`` (after `delay`), ``"error"`` (at once, with `status`) or ``"never"``; or a sequence
        of these, one per request, the last one for all further requests.
        status: the NTSTATUS to complete with; by default success, or STATUS_IO_DEVICE_ERROR for ``"error"``.
        information: bytes to report; by default what was transferred.
        data: what reads and control codes deliver, cut to the length asked for; empty means zeros of the whole length.
        stack_size: the stack locations that an IRP needs from here down.
        io_type: ``"buffered"``, ``"direct"`` or ``"neither"``: how reads and writes get their buffers.
        delay: of a later answer, in 100-ns units.
        cancelable: whether a pending request can be cancelled.

    All may be changed at any time; they hold for requests that arrive afterwards.
    """

    def __init__(
        self,
        m: Machine,
        name: str = "lower",
        *,
        answers: str | Sequence[str] = "at once",
        status: int | None = None,
        information: int | None = None,
        data: bytes = b"",
        stack_size: int = 1,
        io_type: str = "buffered",
        delay: int = 10_000,
        cancelable: bool = True,
    ) -> None:
        if io_type not in IO_TYPES:
            raise ValueError(f"io_type is one of {', '.join(IO_TYPES)}, not {io_type!r}")
        self.m, self.name, self.io_type = m, name, io_type
        self.answers, self.status, self.information, self.data = answers, status, information, data
        self.delay, self.cancelable = delay, cancelable
        self.received: list[Received] = []
        self.pending: dict[int, Received] = {}
        self._alarms: dict[int, Callable[[], None]] = {}
        self._layout = Layout(m)
        self.driver_object = io_device.make_driver(m, name, self._dispatch)
        self.object = io_device.make_device(m, self.driver_object, owner=ME, name=name, stack_size=stack_size)
        wdm.set_io_type(m, self.object, IO_TYPES[io_type])

    @property
    def address(self) -> int:
        """Address of the DEVICE_OBJECT."""
        return self.object

    def __repr__(self) -> str:
        return f"<lower device {self.name!r}: {len(self.received)} received, {len(self.pending)} pending>"

    def complete_all(self, value: int | None = None) -> int:
        """Complete every pending request now; how many there were."""
        waiting = list(self.pending)
        for irp in waiting:
            self._answer(irp, value)
        return len(waiting)

    # One request

    def _dispatch(self, device: int, irp: int) -> int:
        seen = self._look(irp)
        self.received.append(seen)
        answer = self._next_answer()
        if answer in ("at once", "error"):
            self.pending[irp] = seen
            wrong = status.IO_DEVICE_ERROR if answer == "error" and self.status is None else None
            return self._answer(irp, wrong)
        io_irp.mark_pending(self.m, irp, by=ME)
        self.pending[irp] = seen
        if self.cancelable:
            code = completion.cancel_code(self.m, self._cancelled, f"cancel routine of {self.name}")
            completion.set_cancel_routine(self.m, irp, code)
        if answer == "later":
            self._alarms[irp] = self.m.after(self.delay, lambda: self._later(irp, seen), name=self.name)
        return int(status.PENDING)

    def _next_answer(self) -> str:
        chosen = self.answers if isinstance(self.answers, str) else self.answers[min(len(self.received), len(self.answers)) - 1]
        if chosen not in ANSWERS:
            raise ValueError(f"a lower device answers {', '.join(map(repr, ANSWERS))}, not {chosen!r}")
        return chosen

    def _later(self, irp: int, seen: Received) -> None:
        self._alarms.pop(irp, None)
        if self.pending.get(irp) is seen:
            self._answer(irp, None)

    def _cancelled(self, irp: int) -> None:
        if irp in self.pending:
            self._alarms.pop(irp, lambda: None)()
            self._finish(irp, int(status.CANCELLED), 0)

    def _answer(self, irp: int, value: int | None) -> int:
        """Transfer and complete."""
        seen = self.pending[irp]
        value = value if value is not None else self.status if self.status is not None else 0
        moved = self._transfer(seen) if value >= 0 else 0
        self._finish(irp, value, moved if self.information is None else self.information)
        return value

    def _finish(self, irp: int, value: int, information: int) -> None:
        seen = self.pending.pop(irp)
        seen.status, seen.information = NTSTATUS(value), information
        completion.set_cancel_routine(self.m, irp, 0)
        if self.m.trace.on:
            text = str(seen.status)
            self.m.trace.add("message", "answer", actor=ME, target="framework", objects=(irp,), text=text, status=value)
        completion.complete(self.m, irp, value, information, by=ME)

    # Bytes

    def _look(self, irp: int) -> Received:
        m, lay = self.m, self._layout
        here = m.u64(irp + lay.irp_stack)
        major = m.u8(here + lay.sl_major)
        seen = Received(irp, major, major_name(major), file_object=m.u64(here + lay.sl_file))
        if major in (MJ_READ, MJ_WRITE):
            seen.length, seen.offset = m.u32(here + lay.sl_length), m.i64(here + lay.sl_byte_offset)
            if major == MJ_WRITE and seen.length:
                seen.content = m.read(self._buffer(irp), seen.length)
        elif major in (MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL):
            seen.code = m.u32(here + lay.sl_code)
            seen.arguments = self._arguments(here)
            seen.input_length, seen.output_length = m.u32(here + lay.sl_input_length), m.u32(here + lay.sl_output_length)
            if not self._takes_pointers(irp, seen) and seen.input_length:
                seen.content = m.read(self._input(irp, here, seen.code), seen.input_length)
        return seen

    def _arguments(self, here: int) -> tuple[int, int, int, int]:
        first, second, third, fourth = (self.m.u64(here + offset) for offset in self._layout.sl_arguments)
        return first, second, third, fourth

    def _takes_pointers(self, irp: int, seen: Received) -> bool:
        """Whether the internal request carries pointers in place of lengths (KMDF-FOT-02): no length is that large."""
        return seen.major == MJ_INTERNAL_DEVICE_CONTROL and (seen.arguments[0] >> 32 != 0 or seen.arguments[1] >> 32 != 0)

    def _buffer(self, irp: int) -> int:
        """Where a read or write has its data."""
        m, lay = self.m, self._layout
        if self.io_type == "buffered":
            return m.u64(irp + lay.irp_system_buffer)
        if self.io_type == "direct":
            return wdm.mapped(m, m.u64(irp + lay.irp_mdl))
        return m.u64(irp + lay.irp_user_buffer)

    def _input(self, irp: int, here: int, code: int) -> int:
        lay = self._layout
        return self.m.u64(here + lay.sl_type3) if code & 3 == METHOD_NEITHER else self.m.u64(irp + lay.irp_system_buffer)

    def _output(self, irp: int, code: int) -> int:
        m, lay, method = self.m, self._layout, code & 3
        if method == METHOD_BUFFERED:
            return m.u64(irp + lay.irp_system_buffer)
        return m.u64(irp + lay.irp_user_buffer) if method == METHOD_NEITHER else wdm.mapped(m, m.u64(irp + lay.irp_mdl))

    def _transfer(self, seen: Received) -> int:
        """Deliver data; how many bytes went either way."""
        if seen.major == MJ_WRITE:
            return seen.length
        if seen.major not in (MJ_READ, MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL) or self._takes_pointers(seen.irp, seen):
            return 0
        room = seen.length if seen.major == MJ_READ else seen.output_length
        # METHOD_IN_DIRECT: the second buffer carries data down, not up.
        if not room or (seen.major != MJ_READ and seen.code & 3 == 1):
            return 0
        content = self.data[:room] if self.data else bytes(room)
        place = self._buffer(seen.irp) if seen.major == MJ_READ else self._output(seen.irp, seen.code)
        self.m.write(place, content)
        return len(content)
