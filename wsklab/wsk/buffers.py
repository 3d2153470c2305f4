"""WSK_BUF: a piece of an MDL chain. Facts WSK-STR-01 to 04, WSK-USE-19, WSK-USE-20.

The WSK_BUF is read when the call is made and never looked at again; the MDLs and the memory behind them are read or written
when the data moves, and must still be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from wsklab.c.headers import headers
from wsklab.io.mdl import mdls
from wsklab.machine import Machine, Stop

_BUILT = 0x0001 | 0x0002 | 0x0004
"""MDL_MAPPED_TO_SYSTEM_VA, MDL_PAGES_LOCKED, MDL_SOURCE_IS_NONPAGED_POOL: one of them says that the pages stay."""


class _Offsets(NamedTuple):
    mdl: int
    offset: int
    length: int
    next: int
    flags: int
    address: int
    start: int
    byte_offset: int
    size: int


@cache
def _offsets() -> _Offsets:
    buf, mdl = headers().record("WSK_BUF").members, headers().record("MDL").members
    names = ("Next", "MdlFlags", "MappedSystemVa", "StartVa", "ByteOffset", "ByteCount")
    return _Offsets(*(buf[name].offset for name in ("Mdl", "Offset", "Length")), *(mdl[name].offset for name in names))


@dataclass(slots=True)
class Buffer:
    """What a WSK_BUF described at the time of the call.

    Attributes:
        function: the call, for messages.
        length: bytes.
        pieces: (MDL, address, bytes) of each part of the chain, in order.
    """

    machine: Machine
    function: str
    length: int
    pieces: list[tuple[int, int, int]]

    def objects(self) -> tuple[int, ...]:
        """The MDLs and the blocks of memory behind them, so that their lives tell of the send."""
        blocks = [self.machine.block_at(address) for _, address, _ in self.pieces]
        return (*(mdl for mdl, _, _ in self.pieces), *(block.address for block in blocks if block))

    def hold(self) -> None:
        """Note that the MDLs are in use, so that freeing one meanwhile is seen at once (MIS-19)."""
        users = mdls(self.machine).users
        for mdl, _, _ in self.pieces:
            users[mdl] = "wsk"

    def release(self) -> None:
        """The MDLs are the driver's again."""
        users = mdls(self.machine).users
        for mdl, _, _ in self.pieces:
            users.pop(mdl, None)

    def read(self) -> bytes:
        """The bytes as they are now."""
        if len(self.pieces) == 1:
            mdl, address, size = self.pieces[0]
            try:
                return self.machine.memory.read(address, size)
            except Stop:
                self._check(mdl, address)
                raise
        return b"".join(Buffer(self.machine, self.function, size, [(mdl, at, size)]).read() for mdl, at, size in self.pieces)

    def write(self, content: bytes, at: int = 0) -> None:
        """Store bytes from position `at` on."""
        for mdl, address, size in self.pieces:
            part, skip = content[: max(size - at, 0)], at
            at = max(at - size, 0)
            if part:
                self._check(mdl, address + skip)
                self.machine.write(address + skip, part)
                content = content[len(part) :]

    def check_unchanged(self, sent: bytes) -> None:
        """Stop when the bytes are no longer those that went out, or are gone (WSK-SEND-08, WSK-SEND-09)."""
        if self.length and self.read() != sent:
            self.machine.stop("wsk-buffer-changed", objects=(self.pieces[0][0],), function=self.function)

    def _check(self, mdl: int, address: int) -> None:
        for part in (mdl, address):
            block = self.machine.block_at(part)
            if block and not block.live:
                self.machine.stop("wsk-buffer-freed", objects=(block.address,), function=self.function)


def take(m: Machine, function: str, pointer: int) -> Buffer:
    """Read and check the WSK_BUF at `pointer`; a stop when it does not describe what its MDLs hold."""
    o = _offsets()
    mdl, offset, length = m.u64(pointer + o.mdl), m.u32(pointer + o.offset), m.u64(pointer + o.length)
    if not mdl:
        if length:
            m.stop("wsk-buffer-no-mdl", objects=(pointer,), function=function, length=length)
        return Buffer(m, function, 0, [])
    pieces: list[tuple[int, int, int]] = []
    left, skip, size, head = length, offset, 0, mdl
    while mdl:
        count, flags = m.u32(mdl + o.size), m.u16(mdl + o.flags)
        if not flags & _BUILT:
            m.stop("wsk-buffer-not-locked", objects=(mdl,), function=function)
        if mdl == head and offset >= count and (offset or length):
            m.stop("wsk-buffer-offset", objects=(mdl,), function=function, offset=offset, size=count)
        size += count
        part = min(count - skip, left)
        if part:
            start = m.u64(mdl + o.address) if flags & 5 else m.u64(mdl + o.start) + m.u32(mdl + o.byte_offset)
            pieces.append((mdl, start + skip, part))
        left, skip = left - part, 0
        if not left:
            break
        mdl = m.u64(mdl + o.next)
    if left:
        m.stop("wsk-buffer-length", objects=(head,), function=function, length=length, offset=offset, size=size)
    return Buffer(m, function, length, pieces)
