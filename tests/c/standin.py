"""A stand-in for the machine: enough memory and names to run compiled C, without kernels.

Memory is one bytearray without states; addresses start at `BASE` so that a forgotten wrap or a mixed-up offset shows.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Generator
from typing import Any, NoReturn

from wsklab.c.source import Place
from wsklab.c.support import NOWHERE
from wsklab.c.types import CType, Float, Function, Int

BASE = 0xFFFF_9A80_0000_0000


class Undefined(Exception):
    """What C leaves undefined was met."""


class NoViews:
    """A memory without views: every access in a loop takes the long way."""

    n1 = n2 = n4 = n8 = 0
    s1 = s2 = s4 = s8 = i8 = u8 = i16 = u16 = i32 = u32 = i64 = u64 = ()
    written = {1: 0, 2: 0, 4: 0, 8: 0}

    def run(self, size: int, address: int, length: int, stays: int) -> tuple[int, int, int]:
        return NOWHERE, 0, 0


class Raised(Exception):
    """An exception of C, which this machine never raises."""


class StandIn:
    """Fits the protocol `wsklab.c.runtime.Runtime`."""

    def __init__(self, modelled: dict[str, Callable[..., Any]] | None = None, steps: int = 1_000_000) -> None:
        self.memory = bytearray(1 << 20)
        self.next = 0x1000
        self.views = NoViews()
        self.steps: Any = itertools.repeat(None, steps)
        self.modelled = modelled or {}
        self.functions: list[Any] = []
        self.gaps: list[tuple[int, int, str]] = []
        self.frames: list[int] = []
        self.waiting_types: list[Function] = []
        self._strings: dict[bytes, int] = {}

    def _allocate(self, size: int) -> int:
        start = self.next
        self.next += -(-size // 16) * 16 + 16
        return BASE + start

    def load(self, ctype: CType) -> Callable[[int], Any]:
        reader = _format(ctype)

        def load(address: int) -> Any:
            assert BASE + 0x1000 <= address < BASE + len(self.memory), f"wild load at {address:#x}"
            return reader.unpack_from(self.memory, address - BASE)[0]

        return load

    def store(self, ctype: CType) -> Callable[[int, Any], None]:
        writer = _format(ctype)

        def store(address: int, value: Any) -> None:
            assert BASE + 0x1000 <= address < BASE + len(self.memory), f"wild store at {address:#x}"
            writer.pack_into(self.memory, address - BASE, value)

        return store

    def store_bits(self, ctype: CType, bit_offset: int, bit_width: int) -> Callable[[int, int], None]:
        unit = Int(ctype.size, False)
        load, store = self.load(unit), self.store(unit)
        mask = ((1 << bit_width) - 1) << bit_offset

        def store_field(address: int, value: int) -> None:
            store(address, (load(address) & (unit.maximum ^ mask)) | (value << bit_offset & mask))

        return store_field

    def copy(self, target: int, source: int, size: int) -> None:
        a, b = target - BASE, source - BASE
        self.memory[a : a + size] = self.memory[b : b + size]

    def fill(self, target: int, size: int) -> None:
        self.memory[target - BASE : target - BASE + size] = bytes(size)

    def push_frame(self, layout: bytes, function: str, align: int = 16) -> int:
        assert function and align >= 16
        size = len(layout)
        address = self._allocate(size)
        self.memory[address - BASE : address - BASE + size] = b"\xcc" * size
        self.frames.append(address)
        return address

    def pop_frame(self, address: int) -> None:
        assert self.frames.pop() == address
        self.next = address - BASE

    def cut_frames(self, address: int) -> None:
        while self.frames[-1] > address:
            self.pop_frame(self.frames[-1])

    def scope(self, frame: int, lives: tuple[tuple[int, int], ...], is_open: int) -> None:
        assert frame in self.frames

    def string(self, data: bytes) -> int:
        if data not in self._strings:
            address = self._strings[data] = self._allocate(len(data))
            self.memory[address - BASE : address - BASE + len(data)] = data
        return self._strings[data]

    def read_string(self, address: int) -> str:
        start = address - BASE
        return self.memory[start : self.memory.index(0, start)].decode()

    def allocate_global(self, name: str, ctype: CType) -> int:
        assert name
        address = self._allocate(ctype.size)
        self.fill(address, ctype.size)
        return address

    def seal(self, address: int, size: int) -> None:
        assert size

    def define_function(self, name: str, compiled: Any) -> int:
        self.functions.append(compiled)
        return BASE + 0x10_0000_0000 + 16 * len(self.functions)

    def _code(self, address: int) -> Any:
        index, rest = divmod(address - BASE - 0x10_0000_0000, 16)
        assert rest == 0 and 0 < index <= len(self.functions), f"call of {address:#x}"
        return self.functions[index - 1]

    def resolve(self, name: str, prototype: Function) -> tuple[Callable[..., Any], bool]:
        function = self.modelled[name]
        return function, bool(getattr(function, "waits", False))

    def address_of(self, name: str) -> int:
        class Modelled:
            call = staticmethod(self.modelled[name])
            waits = bool(getattr(self.modelled[name], "waits", False))

        return self.define_function(name, Modelled)

    def indirect(self, address: int, prototype: Function) -> Callable[..., Any]:
        return self._code(address).call  # type: ignore[no-any-return]

    def indirect_waits(self, address: int, prototype: Function) -> tuple[Callable[..., Any], bool]:
        code = self._code(address)
        return code.call, code.waits

    def may_wait(self, prototype: Function) -> bool:
        return any(prototype == other for other in self.waiting_types)

    raised = Raised

    def guard(self, asked: Callable[[int, int], Any]) -> object:
        return asked

    def unguard(self, guard: object) -> None:
        assert guard

    def gap(self, place: Place, kind: str) -> int:
        self.gaps.append((place.line, place.column, kind))
        return 0

    def undefined(self, what: str, **values: Any) -> NoReturn:
        raise Undefined(what, values)


def _format(ctype: CType) -> struct.Struct:
    if isinstance(ctype, Float):
        return struct.Struct("<f" if ctype.size == 4 else "<d")
    letter = {1: "b", 2: "h", 4: "i", 8: "q"}[ctype.size]
    return struct.Struct("<" + (letter if isinstance(ctype, Int) and ctype.signed else letter.upper()))


def finish(result: Any) -> Any:
    """Run a function that waits to its end, answering every wait at once."""
    if not isinstance(result, Generator):
        return result
    try:
        while True:
            next(result)
    except StopIteration as stop:
        return stop.value
