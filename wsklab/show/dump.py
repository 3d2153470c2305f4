"""Memory as a debugger shows it: a structure with offsets and names (``dt``), or bytes in hexadecimal (``db``).

Looking changes nothing and stops nothing: bytes that were never written show as ``??``, freed ones say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wsklab.c.types import Array, CType, Field, Float, Int, Pointer, Record
from wsklab.show.reading import status_name

if TYPE_CHECKING:
    from wsklab.machine import Machine

_UNWRITTEN, _FREED = 1, 3  # states of a byte, see wsklab.machine.memory
_INLINE = 16  # a nested structure of at most so many bytes is shown with its members


def dump_structure(machine: Machine, address: int, ctype: CType) -> str:
    """The members of the structure at an address, one line each.

    Args:
        machine: where it lies.
        address: its address.
        ctype: its type; a type without members shows as bytes.

    >>> print(dump_structure(lab.machine, int(irp), lab.machine.headers.type("IO_STATUS_BLOCK")))    # doctest: +SKIP
    IO_STATUS_BLOCK at 0xffff9a8000100830
      +0x000 Status           NTSTATUS           STATUS_SUCCESS
    """
    data, states = machine.memory.peek(address, ctype.size)
    freed = " (freed)" if states and set(states) <= {_FREED} else ""
    head = f"{ctype} at {address:#018x}, {ctype.size} bytes{freed}"
    if not isinstance(ctype, Record) or not ctype.fields:
        return head + "\n" + dump_bytes(data, address, states)
    rows = list(_rows(machine, ctype, data, states, 0, ""))
    wide = max(len(row[1]) for row in rows), max(len(row[2]) for row in rows)
    return "\n".join(
        [head] + [f"  +0x{at:03x} {name:<{wide[0]}}  {kind:<{wide[1]}}  {value}".rstrip() for at, name, kind, value in rows]
    )


def _rows(
    machine: Machine, record: Record, data: bytes, states: bytes, base: int, prefix: str
) -> Iterator[tuple[int, str, str, str]]:
    """(offset, name, type, value) of every member; unnamed and small nested structures are opened."""
    for member in record.fields:
        at = base + member.offset
        kind = member.type
        if isinstance(kind, Record) and (not member.name or kind.size <= _INLINE):
            inner = prefix if not member.name else f"{prefix}{member.name}."
            yield from _rows(machine, kind, data, states, at, inner)
            continue
        name = prefix + member.name + (f":{member.bit_width}" if member.bit_width is not None else "")
        size = kind.size
        yield at, name, str(kind), _value(machine, member, data[at : at + size], states[at : at + size])


def _value(machine: Machine, member: Field, data: bytes, states: bytes) -> str:
    kind = member.type
    if not data or isinstance(kind, Record):
        return ""
    if any(state == _UNWRITTEN for state in states):
        return "??"
    if isinstance(kind, Array):
        return _array(kind, data)
    if isinstance(kind, Float):
        return ""
    number = int.from_bytes(data, "little", signed=isinstance(kind, Int) and kind.signed)
    if member.bit_width is not None:
        number = number >> member.bit_offset & ((1 << member.bit_width) - 1)
    if isinstance(kind, Pointer):
        return _pointer(machine, number)
    if kind.alias == "NTSTATUS":
        return status_name(number)
    if kind.alias == "BOOLEAN":
        return {0: "FALSE", 1: "TRUE"}.get(number, f"{number:#x}")
    return str(number) if -10 < number < 10 else f"{number} ({number & ((1 << 8 * len(data)) - 1):#x})"


def _pointer(machine: Machine, address: int) -> str:
    """An address with what it points to: a function's name or the object's type."""
    if not address:
        return "NULL"
    code = machine.code.get(address)
    if code is not None:
        return f"{address:#018x} {code.name}"
    block = machine.memory.block_at(address)
    if block is None:
        return f"{address:#018x}"
    inside = f"+{address - block.address:#x}" if address != block.address else ""
    return f"{address:#018x} {block.label or block.kind}{inside}{'' if block.live else ' (freed)'}"


def _array(kind: Array, data: bytes) -> str:
    if kind.of.size == 1 and data.rstrip(b"\0").isascii() and data.rstrip(b"\0").decode("latin-1").isprintable() and data[0]:
        return f'"{data.rstrip(bytes(1)).decode("ascii")}"'
    shown = data[:16].hex(" ", kind.of.size if kind.of.size in (1, 2, 4, 8) else 1)
    return shown + (" …" if len(data) > 16 else "")


def dump_bytes(data: bytes, address: int = 0, states: bytes = b"") -> str:
    """Bytes as offsets, hexadecimal and characters, sixteen on a line.

    Args:
        data: the bytes.
        address: address of the first one.
        states: the state of each byte, as :meth:`Memory.peek` gives it; bytes never written show as ``??``.
    """
    lines = []
    for start in range(0, len(data), 16):
        hidden = [place < len(states) and states[place] == _UNWRITTEN for place in range(start, start + 16)]
        chunk = data[start : start + 16]
        pairs = ["??" if hide else f"{byte:02x}" for byte, hide in zip(chunk, hidden, strict=False)]
        shown = "".join(
            "?" if hide else chr(byte) if 32 <= byte < 127 else "." for byte, hide in zip(chunk, hidden, strict=False)
        )
        middle = " ".join(pairs[:8]) + ("-" if len(pairs) > 8 else "") + " ".join(pairs[8:])
        lines.append(f"{address + start:016x}  {middle:<47}  {shown}")
    return "\n".join(lines)
