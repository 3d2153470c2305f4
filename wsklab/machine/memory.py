"""One address space, byte for byte, with a state for every byte.

Everything the simulated machine holds (pool, IRPs, stacks, images, tables) lies in one growing arena. Three rules hold:
an address is never handed out twice, so a stale pointer is always recognised; every block has an unmapped gap behind it,
so an overrun is seen at the access; every byte knows whether it was written, so a read of garbage is seen too.

Follows the special pool of Driver Verifier (facts BUG-10, BUG-35).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, NoReturn

from wsklab.c.types import CType, Float, Int
from wsklab.machine.stops import NotModelled

BASE = 0xFFFF_9A80_0000_0000
"""First address of the arena, in the kernel half of the address space."""

UNMAPPED, UNWRITTEN, WRITTEN, FREED, READ_ONLY, OUT_OF_SCOPE = range(6)
"""States of a byte."""
_RULES = {
    UNWRITTEN: "uninitialised-read", FREED: "use-after-free", READ_ONLY: "read-only-write", OUT_OF_SCOPE: "use-after-scope",
}  # fmt: skip
_OUT = bytes(range(8, 16))
"""The states of bytes whose page is out, in the order of the states above."""
_PAGING = (bytes.maketrans(_OUT, bytes(range(8))), bytes.maketrans(bytes(range(8)), _OUT))

_LEAD = 1 << 20  # never mapped, so that a pointer somewhat below the first block cannot alias the end of the arena
_GAP = 128  # bytes between blocks, so that what lies before one is not taken for the end of the other
LARGEST_BLOCK = 1 << 28  # bytes; larger ones are refused, because the arena lies in the memory of this Python
_GROWTH = 1 << 20
PAGE_SIZE = 4096


@dataclass(slots=True)
class Block:
    """One allocation. `kind` is what it is (pool, irp, mdl, object, code, stack, global, native), `label` its type."""

    address: int
    size: int
    kind: str
    tag: int = 0
    label: str = ""
    live: bool = True
    paged: bool = False
    locks: int = 0  # how many MDLs keep its pages in memory

    @property
    def end(self) -> int:
        """The first address behind the block."""
        return self.address + self.size


class Views:
    """The arena as arrays of numbers, for compiled loops: element numbers instead of addresses, no call per access.

    ``i32`` and its kind are the bytes, ``s4`` and its kind the states, ``n4`` and its kind the numbers of elements. They are made
    anew whenever the arena grows; compiled code looks them up at the start of each loop.
    """

    written: ClassVar[dict[int, int]] = {size: int.from_bytes(b"\2" * size, "little") for size in (1, 2, 4, 8)}
    _NOWHERE = 1 << 62

    def __init__(self, data: bytearray, state: bytearray) -> None:
        self.pairs: dict[str, list[Any]] = {}  # for each struct format of a scalar: states and values as they now are
        self.renew(data, state)

    def renew(self, data: bytearray, state: bytearray) -> None:
        """Look at the grown arena."""
        self._size, self._states = len(data), state
        self._open: list[Any] = [memoryview(data), memoryview(state)]
        for size, letter in ((1, "b"), (2, "h"), (4, "i"), (8, "q")):
            signed, unsigned = (self._open[0].cast(code) for code in (letter, letter.upper()))
            states = self._open[1].cast(letter.upper())
            self._open += [signed, unsigned, states]
            bits = size * 8
            self.__dict__.update({f"i{bits}": signed, f"u{bits}": unsigned, f"s{size}": states, f"n{size}": len(states)})
            for code, values in ((letter, signed), (letter.upper(), unsigned)):
                self.pairs.setdefault(code, [])[:] = states, values
        for code, size in (("f", 4), ("d", 8)):
            self._open.append(values := self._open[0].cast(code))
            self.pairs.setdefault(code, [])[:] = getattr(self, f"s{size}"), values

    def release(self) -> None:
        """Let go of the arena so that it can grow."""
        for view in reversed(self._open):
            view.release()

    def run(self, size: int, address: int, length: int, stays: int) -> tuple[int, int, int]:
        """The element number of an aligned address, and the two ends of the array there that has `length` elements (or 0).

        The first end is that of what is written (not farther than a page), if it `stays` so: 1, or 2 with what is read-only.
        Elsewhere nothing is inside.
        """
        offset = address - BASE
        if not 0 <= offset < self._size or offset % size:
            return self._NOWHERE, 0, 0
        most = min(length * size or PAGE_SIZE, PAGE_SIZE)
        written = _RUNS[stays - 1].match(self._states, offset, offset + most) if stays else None
        return offset // size, written.end() // size if written else 0, offset // size + length


_RUNS = re.compile(b"\2+"), re.compile(b"[\2\4]+")
Fault = Callable[[str, int, int, str], NoReturn]
"""Called as fault(rule id, address, size in bytes, "read" | "write"); it never returns."""


class Memory:
    """The arena. `fault` is called for every access that the hardware, the verifier or C forbids."""

    def __init__(self, fault: Fault) -> None:
        self.data = bytearray(_LEAD)
        self.state = bytearray(_LEAD)
        self.views = Views(self.data, self.state)
        self.blocks: list[Block] = []
        self.paged: dict[int, Block] = {}  # the live blocks whose pages may be out
        self._starts: list[int] = []
        self._next = _LEAD
        self._fault = fault
        self._loads: dict[str, Callable[[int], int]] = {}
        self._stores: dict[str, Callable[[int, int], None]] = {}

    # Blocks

    def map(self, size: int, kind: str, *, tag: int = 0, label: str = "", align: int = 16) -> Block:
        """A new block of `size` bytes, none of them written yet. Blocks of a page or more are page aligned (KRN-15)."""
        if size > LARGEST_BLOCK:
            raise NotModelled(f"a block of {size} bytes")
        align = PAGE_SIZE if size >= PAGE_SIZE and kind == "pool" else align
        start = -(-self._next // align) * align
        self._next = start + size + _GAP
        missing = self._next + _GAP - len(self.data)
        if missing > 0:
            self.views.release()
            more = bytes(-(-max(missing, _GROWTH) // 8) * 8)
            self.data += more
            self.state += more
            self.views.renew(self.data, self.state)
        self.state[start : start + size] = bytes([UNWRITTEN]) * size
        block = Block(BASE + start, size, kind, tag, label)
        self.blocks.append(block)
        self._starts.append(block.address)
        return block

    def release(self, block: Block) -> None:
        """End a block's life; any later access to it is a use after free."""
        block.live = False
        self.paged.pop(block.address, None)
        self.mark(block.address, block.size, FREED)

    def make_paged(self, block: Block) -> None:
        """Let the pages of a block go out when `page` says so."""
        block.paged, self.paged[block.address] = True, block

    def page(self, *, out: bool) -> None:
        """Page all pageable memory out, or in again, as Driver Verifier forces it at every change of IRQL (BUG-35)."""
        for block in self.paged.values():
            if not block.locks or not out:
                start = block.address - BASE
                self.state[start : start + block.size] = self.state[start : start + block.size].translate(_PAGING[out])

    def block_at(self, address: int) -> Block | None:
        """The block, live or dead, that holds `address`."""
        block = self.nearest(address)
        return block if block is not None and block.address <= address < block.address + max(block.size, 1) else None

    def nearest(self, address: int) -> Block | None:
        """The last block that starts at or below `address`: whose end an overrun has passed."""
        index = bisect_right(self._starts, address) - 1
        return self.blocks[index] if index >= 0 else None

    def blamed(self, address: int) -> Block | None:
        """The block whose end, or whose start, an access at `address` has missed: the nearer one of the two around it."""
        index = bisect_right(self._starts, address)
        before = self.blocks[index - 1] if index else None
        after = self.blocks[index] if index < len(self.blocks) else None
        if after is None or after.address - address > _GAP // 2:
            return before
        return before if before is not None and address - before.end < after.address - address else after

    def mark(self, address: int, size: int, state: int) -> None:
        """Set the state of `size` bytes."""
        self.set_states(address, bytes([state]) * size)

    def set_states(self, address: int, states: bytes) -> None:
        """Set the states of bytes, one by one."""
        offset = address - BASE
        self.state[offset : offset + len(states)] = states

    # Access, checked

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes, all of them live and written."""
        offset = address - BASE
        states = self.state[offset : offset + size]
        # Comparing is many times faster than translating, and almost everything that is read has been written.
        if len(states) != size or (states != b"\2" * size and states.translate(None, b"\2\4")):
            self._refuse(address, size, "read")
        return bytes(self.data[offset : offset + size])

    def write(self, address: int, content: bytes | bytearray) -> None:
        """Write bytes that are all live and not read-only."""
        size = len(content)
        offset = address - BASE
        states, written = self.state[offset : offset + size], b"\2" * size
        if states != written:
            if states != b"\1" * size and (len(states) != size or states.translate(None, b"\1\2")):
                self._refuse(address, size, "write")
            self.state[offset : offset + size] = written
        self.data[offset : offset + size] = content

    def fill(self, address: int, value: int, size: int) -> None:
        """Write `size` bytes of one value."""
        if size > len(self.data):
            self._refuse(address, size, "write")
        self.write(address, bytes([value]) * size)

    def copy(self, target: int, source: int, size: int) -> None:
        """Copy bytes together with their states, as a structure assignment does: padding may stay unwritten."""
        start = source - BASE
        states = self.state[start : start + size]
        if len(states) != size or states.translate(None, b"\1\2\4"):
            self._refuse(source, size, "read", allow_unwritten=True)
        content = bytes(self.data[start : start + size])
        self.write(target, content)
        offset = target - BASE
        self.state[offset : offset + size] = states.replace(b"\4", b"\2")

    def peek(self, address: int, size: int) -> tuple[bytes, bytes]:
        """Bytes and states without any check, for dumps."""
        offset = address - BASE
        if offset < 0 or offset > len(self.data):
            return b"", b""
        return bytes(self.data[offset : offset + size]), bytes(self.state[offset : offset + size])

    def load(self, ctype: CType) -> Callable[[int], Any]:
        """A checked load function for a scalar type: address → value."""
        code, size = _format(ctype)
        if code in self._loads:
            return self._loads[code]
        pair, whole, odd, shift = self.views.pairs[code[1:]], Views.written[size], size - 1, size.bit_length() - 1
        unpack = Struct(code).unpack

        def load(address: int) -> Any:
            offset = address - BASE
            if offset >= 0 and not offset & odd:
                try:  # the quick way for what is aligned, and written or a constant
                    if (states := pair[0][number := offset >> shift]) == whole or states == 2 * whole:
                        return pair[1][number]
                except IndexError:
                    pass
            return unpack(self.read(address, size))[0]

        self._loads[code] = load
        return load

    def store(self, ctype: CType) -> Callable[[int, Any], None]:
        """A checked store function for a scalar type: (address, value) → None."""
        code, size = _format(ctype)
        if code in self._stores:
            return self._stores[code]
        pair, whole, odd, shift = self.views.pairs[code[1:]], Views.written[size], size - 1, size.bit_length() - 1
        pack = Struct(code).pack

        def store(address: int, value: Any) -> None:
            offset = address - BASE
            if offset >= 0 and not offset & odd:
                try:
                    if pair[0][number := offset >> shift] == whole:
                        pair[1][number] = value
                        return
                except IndexError:
                    pass
            self.write(address, pack(value))

        self._stores[code] = store
        return store

    # What went wrong

    def _refuse(self, address: int, size: int, access: str, *, allow_unwritten: bool = False) -> NoReturn:
        good = {WRITTEN, READ_ONLY} if access == "read" else {WRITTEN, UNWRITTEN}
        if allow_unwritten:
            good.add(UNWRITTEN)
        for byte in range(address, address + size):
            rule = self._rule(byte, access, good)
            if rule:
                self._fault(rule, byte, size, access)
        raise AssertionError("a refused access must have a reason")

    def _rule(self, address: int, access: str, good: set[int]) -> str | None:
        if address < 0x10000:
            return "null-dereference"
        offset = address - BASE
        state = self.state[offset] if 0 <= offset < len(self.state) else UNMAPPED
        if state in good:
            return None
        if state in _OUT:
            return "paged-memory-at-dispatch"
        if state == UNMAPPED:
            block = self.blamed(address)
            if block is not None and block.kind == "stack" and address < block.end:
                return "local-overrun"
            far = block is None or address - block.end > PAGE_SIZE
            if block is not None and address < block.address:
                return "underrun" if block.live else "use-after-free"
            return "wild-pointer" if block is None or far else "overrun" if block.live else "use-after-free"
        return _RULES[state]


def _format(ctype: CType) -> tuple[str, int]:
    """The struct format and the size in bytes of a scalar type."""
    if isinstance(ctype, Float):
        return ("<f" if ctype.size == 4 else "<d"), ctype.size
    letter = {1: "b", 2: "h", 4: "i", 8: "q"}[ctype.size]
    return "<" + (letter if isinstance(ctype, Int) and ctype.signed else letter.upper()), ctype.size
