"""Memory as a debugger shows it: a structure with offsets and names (``dt``), or bytes in hexadecimal (``db``).

Looking changes nothing and stops nothing: bytes that were never written show as ``??``, freed ones say so.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsklab.c.types import Array, CType, Field, Float, Int, Pointer, Record
from wsklab.machine import Machine
from wsklab.show.reading import status_name

_UNWRITTEN, _FREED = 1, 3  # states of a byte, see wsklab.machine.memory
_INLINE = 16  # a nested structure of at most so many bytes is shown with its members


def dump_structure(machine: Machine, address: int, ctype: CType) -> str:
    """The members of the structure at an address, one line each; a type without members shows as bytes.

    >>> print(dump_structure(lab.machine, int(irp), lab.machine.headers.type("IO_STATUS_BLOCK")))    # doctest: +SKIP
    IO_STATUS_BLOCK at 0xffff9a8000100830
      +0x000 Status           NTSTATUS           STATUS_SUCCESS
    """
    data, states = machine.memory.peek(address, ctype.size)
    freed = " (freed)" if states and set(states) <= {_FREED} else ""
    head = f"{ctype} at {address:#018x}, {ctype.size} bytes{freed}"
    if not isinstance(ctype, Record) or not ctype.fields:
        return head + "\n" + dump_bytes(data, address, states)
    rows = []
    for at, name, member in _members(ctype, 0, ""):
        span = slice(at, at + member.type.size)
        rows.append((at, name, str(member.type), shown_value(machine, member, data[span], states[span])))
    wide = max(len(row[1]) for row in rows), max(len(row[2]) for row in rows)
    lines = [f"  +0x{at:03x} {name:<{wide[0]}}  {kind:<{wide[1]}}  {value}".rstrip() for at, name, kind, value in rows]
    return "\n".join([head, *lines])


def _members(record: Record, base: int, prefix: str) -> Iterator[tuple[int, str, Field]]:
    """(offset, name, member) of every member; unnamed and small nested structures are opened."""
    for member in record.fields:
        at, name = base + member.offset, prefix + member.name
        if isinstance(member.type, Record) and (not member.name or member.type.size <= _INLINE):
            yield from _members(member.type, at, f"{name}." if member.name else prefix)
        else:
            yield at, name + (f":{member.bit_width}" if member.bit_width is not None else ""), member


def shown_value(machine: Machine, member: Field, data: bytes, states: bytes) -> str:
    """A scalar or array as a debugger shows it, empty for what has no short form; `states` as :meth:`Memory.peek`."""
    kind = member.type
    if not data or isinstance(kind, Record):
        return ""
    if _UNWRITTEN in states:
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
    code, block = machine.code.get(address), machine.memory.block_at(address)
    if code is not None or block is None:
        return f"{address:#018x} {code.name if code else ''}".rstrip()
    inside = f"+{address - block.address:#x}" if address != block.address else ""
    return f"{address:#018x} {block.label or block.kind}{inside}{'' if block.live else ' (freed)'}"


def _array(kind: Array, data: bytes) -> str:
    text = data.rstrip(b"\0").decode("latin-1")
    if kind.of.size == 1 and text.isascii() and text.isprintable() and data[0]:
        return f'"{text}"'
    shown = data[:16].hex(" ", kind.of.size if kind.of.size in (1, 2, 4, 8) else 1)
    return shown + (" …" if len(data) > 16 else "")


def dump_bytes(data: bytes, address: int = 0, states: bytes = b"") -> str:
    """Bytes from an address on as offsets, hexadecimal and characters, sixteen on a line; `states` as :meth:`Memory.peek`."""
    hidden = {place for place, state in enumerate(states) if state == _UNWRITTEN}
    pairs = ["??" if place in hidden else f"{byte:02x}" for place, byte in enumerate(data)]
    shown = ["?" if place in hidden else chr(byte) if 32 <= byte < 127 else "." for place, byte in enumerate(data)]
    lines = []
    for start in range(0, len(data), 16):
        halves = " ".join(pairs[start : start + 8]), " ".join(pairs[start + 8 : start + 16])
        lines.append(f"{address + start:016x}  {'-'.join(filter(None, halves)):<47}  {''.join(shown[start : start + 16])}")
    return "\n".join(lines)
