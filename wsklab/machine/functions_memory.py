"""Blocks of bytes, and the text of strings. What is simple (strings, lists, interlocked operations) is C, in ``include/``.

Copies carry the state of every byte along, so copying padding that nobody wrote is no mistake, and reading it later is.
Facts: KRN-39 to KRN-42.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from wsklab.machine.api import quiet
from wsklab.machine.machine import Machine
from wsklab.machine.stops import frames


@quiet("memset")
def fill(m: Machine, target: int, value: int, size: int) -> int:
    """Fill `size` bytes with a value; returns the target."""
    if size:
        m.memory.fill(target, value & 0xFF, size)
    return target


@quiet("RtlZeroMemory", "RtlSecureZeroMemory")
def zero(m: Machine, target: int, size: int) -> int:
    """Fill `size` bytes with 0; returns the target."""
    return fill(m, target, 0, size)


@quiet("memmove", "RtlMoveMemory")
def move(m: Machine, target: int, source: int, size: int) -> int:
    """Copy `size` bytes; the areas may overlap. Returns the target."""
    if size:
        m.memory.copy(target, source, size)
    return target


def _copy(m: Machine, function: str, target: int, source: int, size: int) -> int:
    if size and target < source + size and source < target + size:
        m.stop("memory-areas-overlap", function=function, source=f"{source:#018x}", target=f"{target:#018x}", size=size)
    return move(m, target, source, size)


@quiet()
def memcpy(m: Machine, target: int, source: int, size: int) -> int:
    """Copy `size` bytes between areas that do not overlap; returns the target."""
    return _copy(m, "memcpy", target, source, size)


@quiet()
def RtlCopyMemory(m: Machine, Destination: int, Source: int, Length: int) -> None:
    """Copy Length bytes between areas that do not overlap."""
    _copy(m, "RtlCopyMemory", Destination, Source, Length)


@quiet()
def RtlCompareMemory(m: Machine, Source1: int, Source2: int, Length: int) -> int:
    """The number of bytes that agree before the first difference."""
    pairs = zip(m.read(Source1, Length), m.read(Source2, Length), strict=True)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), Length)


@quiet()
def memcmp(m: Machine, first: int, second: int, size: int) -> int:
    """Below, equal to or above 0, as the first difference says."""
    one, other = m.read(first, size), m.read(second, size)
    return (one > other) - (one < other)


@quiet()
def RtlUpcaseUnicodeChar(m: Machine, SourceCharacter: int) -> int:
    """The capital letter of a UTF-16 unit, the unit itself where there is none."""
    capital = chr(SourceCharacter).upper()
    return ord(capital) if len(capital) == 1 and ord(capital) < 0x10000 else SourceCharacter


@quiet()
def RtlDowncaseUnicodeChar(m: Machine, SourceCharacter: int) -> int:
    """The small letter of a UTF-16 unit, the unit itself where there is none."""
    small = chr(SourceCharacter).lower()
    return ord(small) if len(small) == 1 and ord(small) < 0x10000 else SourceCharacter


@quiet()
def wsklab_list_corrupted(m: Machine, Entry: int, Neighbour: int) -> NoReturn:
    """What the list functions of the headers call when neighbours do not point at each other. Facts: BUG-11, KRN-39."""
    calls = (frame.f_code.co_name for frame in frames(sys._getframe(1)))
    function = next((name for name in calls if name.endswith("List")), "")
    m.stop("list-corrupted", objects=(Entry,), object=f"{Neighbour:#018x}", function=function)


def c_string(m: Machine, address: int, width: int = 1, limit: int | None = None) -> bytes:
    """The bytes of a string up to its terminator, at most `limit` characters of `width` bytes."""
    load = m.u8 if width == 1 else m.u16
    content = bytearray()
    while limit is None or len(content) < limit * width:
        character = load(address + len(content))
        if not character:
            break
        content += character.to_bytes(width, "little")
    return bytes(content)


def c_text(m: Machine, address: int) -> str:
    """A string of bytes as text."""
    return c_string(m, address).decode("utf-8", "replace")


def counted(m: Machine, string: int) -> bytes:
    """The bytes of a UNICODE_STRING, ANSI_STRING or STRING."""
    length = m.u16(string)
    return m.read(m.u64(string + 8), length) if length else b""


def text_of(m: Machine, string: int) -> str:
    """The text of a UNICODE_STRING, "" for NULL."""
    return counted(m, string).decode("utf-16-le", "replace") if string else ""
