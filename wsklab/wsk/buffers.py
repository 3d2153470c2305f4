"""WSK_BUF: a piece of an MDL chain. Facts WSK-STR-01 to 04, WSK-USE-19, WSK-USE-20.

The WSK_BUF is read when the call is made and never looked at again; the MDLs and the memory behind them are read or written
when the data moves, and must still be there.
"""

from __future__ import annotations

from dataclasses import dataclass

from wsklab.io.mdl import LOCKED, MAPPED, NONPAGED, Mdls, fields
from wsklab.machine import Machine, Stop


@dataclass(slots=True)
class Buffer:
    """What a WSK_BUF described at the time of the call: so many bytes, in pieces of (MDL, address, bytes), for a function."""

    machine: Machine
    function: str
    length: int
    pieces: list[tuple[int, int, int]]
    sent: bytes = b""  # what `read` found last

    def objects(self) -> tuple[int, ...]:
        """The MDLs and the blocks of memory behind them, so that their lives tell of the send."""
        blocks = [self.machine.block_at(address) for _, address, _ in self.pieces]
        return (*(mdl for mdl, _, _ in self.pieces), *(block.address for block in blocks if block))

    def hold(self) -> None:
        """Note that the MDLs are in use, so that freeing one meanwhile is seen at once (MIS-19)."""
        self.machine.model(Mdls).users.update((mdl, "wsk") for mdl, _, _ in self.pieces)

    def release(self) -> None:
        """The MDLs are the driver's again."""
        for mdl, _, _ in self.pieces:
            self.machine.model(Mdls).users.pop(mdl, None)

    def read(self) -> bytes:
        """The bytes as they are now."""
        try:
            self.sent = b"".join([self.machine.read(address, size) for _, address, size in self.pieces])
        except Stop:
            self._check()
            raise
        return self.sent

    def check_unchanged(self) -> None:
        """Stop when the bytes are no longer those that went out, or are gone (WSK-SEND-08, WSK-SEND-09)."""
        before = self.sent
        if self.length and self.read() != before:
            self.machine.stop("wsk-buffer-changed", objects=(self.pieces[0][0],), function=self.function)

    def write(self, content: bytes) -> None:
        """Store bytes from the start on."""
        self._check()
        for _, address, size in self.pieces:
            if content:
                self.machine.write(address, content[:size])
            content = content[size:]

    def _check(self) -> None:
        for mdl, address, _ in self.pieces:
            for block in (self.machine.block_at(mdl), self.machine.block_at(address)):
                if block and not block.live:
                    self.machine.stop("wsk-buffer-freed", objects=(block.address,), function=self.function)


def take(m: Machine, function: str, pointer: int) -> Buffer:
    """Read and check the WSK_BUF at `pointer`; a stop when it does not describe what its MDLs hold."""
    at = m.offset
    mdl, length = m.u64(pointer + at("WSK_BUF", "Mdl")), m.u64(pointer + at("WSK_BUF", "Length"))
    offset = m.u32(pointer + at("WSK_BUF", "Offset"))
    if not mdl and length:
        m.stop("wsk-buffer-no-mdl", objects=(pointer,), function=function, length=length)
    pieces: list[tuple[int, int, int]] = []
    left, skip, size, head = length, offset, 0, mdl
    seen: set[int] = set()
    while mdl and mdl not in seen:  # a chain that leads back to itself holds no more than its MDLs once
        seen.add(mdl)
        known = fields(m, mdl)
        count = known.count
        if not known.flags & (MAPPED | LOCKED | NONPAGED):
            m.stop("wsk-buffer-not-locked", objects=(mdl,), function=function)
        if mdl == head and offset >= count and (offset or length):
            m.stop("wsk-buffer-offset", objects=(mdl,), function=function, offset=offset, size=count)
        size += count
        part = min(count - skip, left)
        if part:
            pieces.append((mdl, known.address + skip, part))
        left, skip = left - part, 0
        if not left:
            break
        mdl = known.next
    if left:
        m.stop("wsk-buffer-length", objects=(head,), function=function, length=length, offset=offset, size=size)
    return Buffer(m, function, length, pieces)
