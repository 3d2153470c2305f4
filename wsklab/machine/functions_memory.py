"""Memory and string helpers of the run-time library, and interlocked operations.

Copies carry the state of every byte along, so copying padding that nobody wrote is no mistake, and reading it later is. The
machine has one processor that switches threads only at waits, so every operation here is atomic. Facts: KRN-39 to KRN-42.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsklab.machine.api import DISPATCH_LEVEL, HIGH_LEVEL, PASSIVE_LEVEL, wdk
from wsklab.machine.machine import Machine

_quiet = wdk(irql=HIGH_LEVEL, quiet=True)


def _named(name: str) -> Callable[[Any], Any]:
    return wdk(irql=HIGH_LEVEL, quiet=True, name=name)


def _both(*names: str) -> Callable[[Any], Any]:
    """Declare one function under several names."""

    def declare(function: Any) -> Any:
        for name in names:
            _named(name)(function)
        return function

    return declare


# Blocks of bytes


@_quiet
def memset(m: Machine, target: int, value: int, size: int) -> int:
    """Fill `size` bytes with a value; returns the target."""
    if size:
        m.write(target, bytes([value & 0xFF]) * size)
    return target


@_quiet
def RtlFillMemory(m: Machine, Destination: int, Length: int, Fill: int) -> None:
    """Fill Length bytes with Fill."""
    memset(m, Destination, Fill, Length)


@_both("RtlZeroMemory", "RtlSecureZeroMemory")
def zero_memory(m: Machine, target: int, size: int) -> int:
    """Fill `size` bytes with 0."""
    return int(memset(m, target, 0, size))


def _copy(m: Machine, function: str, target: int, source: int, size: int) -> int:
    if size and target < source + size and source < target + size:
        m.stop("memory-areas-overlap", function=function, source=f"{source:#018x}", target=f"{target:#018x}", size=size)
    return int(memmove(m, target, source, size))


@_quiet
def memcpy(m: Machine, target: int, source: int, size: int) -> int:
    """Copy `size` bytes between areas that do not overlap; returns the target."""
    return _copy(m, "memcpy", target, source, size)


@_quiet
def RtlCopyMemory(m: Machine, Destination: int, Source: int, Length: int) -> None:
    """Copy Length bytes between areas that do not overlap."""
    _copy(m, "RtlCopyMemory", Destination, Source, Length)


@_both("memmove", "RtlMoveMemory")
def memmove(m: Machine, target: int, source: int, size: int) -> int:
    """Copy `size` bytes; the areas may overlap. Returns the target."""
    if size:
        m.memory.copy(target, source, size)
    return target


def _same(m: Machine, first: int, second: int, size: int) -> int:
    """How many bytes agree before the first difference."""
    for index, (one, other) in enumerate(zip(m.read(first, size), m.read(second, size), strict=True)):
        if one != other:
            return index
    return size


@_quiet
def RtlCompareMemory(m: Machine, Source1: int, Source2: int, Length: int) -> int:
    """The number of bytes that agree before the first difference."""
    return _same(m, Source1, Source2, Length)


@_quiet
def RtlEqualMemory(m: Machine, Destination: int, Source: int, Length: int) -> int:
    """Whether Length bytes agree."""
    return int(_same(m, Destination, Source, Length) == Length)


@_quiet
def memcmp(m: Machine, first: int, second: int, size: int) -> int:
    """Below, equal to or above 0, as the first difference says."""
    one, other = m.read(first, size), m.read(second, size)
    return (one > other) - (one < other)


# Zero-terminated strings


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


@_quiet
def strlen(m: Machine, text: int) -> int:
    """Characters before the terminator."""
    return len(c_string(m, text))


@_quiet
def wcslen(m: Machine, text: int) -> int:
    """UTF-16 units before the terminator."""
    return len(c_string(m, text, 2)) // 2


@_quiet
def strnlen(m: Machine, text: int, limit: int) -> int:
    """Characters before the terminator, at most `limit`."""
    return len(c_string(m, text, 1, limit))


@_quiet
def strcpy(m: Machine, target: int, source: int) -> int:
    """Copy a string with its terminator; returns the target."""
    m.write(target, c_string(m, source) + b"\0")
    return target


@_quiet
def wcscpy(m: Machine, target: int, source: int) -> int:
    """Copy a UTF-16 string with its terminator; returns the target."""
    m.write(target, c_string(m, source, 2) + b"\0\0")
    return target


@_quiet
def strncpy(m: Machine, target: int, source: int, count: int) -> int:
    """Copy at most `count` characters and fill the rest with zeros; returns the target."""
    m.write(target, c_string(m, source, 1, count).ljust(count, b"\0"))
    return target


@_quiet
def strcat(m: Machine, target: int, source: int) -> int:
    """Append a string; returns the target."""
    m.write(target + len(c_string(m, target)), c_string(m, source) + b"\0")
    return target


def _compared(one: bytes, other: bytes) -> int:
    return (one > other) - (one < other)


@_quiet
def strcmp(m: Machine, first: int, second: int) -> int:
    """Below, equal to or above 0."""
    return _compared(c_string(m, first), c_string(m, second))


@_quiet
def strncmp(m: Machine, first: int, second: int, count: int) -> int:
    """Like strcmp, looking at `count` characters at most."""
    return _compared(c_string(m, first, 1, count), c_string(m, second, 1, count))


@_both("_stricmp")
def stricmp(m: Machine, first: int, second: int) -> int:
    """Like strcmp, small and capital letters alike."""
    return _compared(c_string(m, first).lower(), c_string(m, second).lower())


@_quiet
def wcscmp(m: Machine, first: int, second: int) -> int:
    """Like strcmp for UTF-16 strings."""
    one, other = (c_string(m, text, 2).decode("utf-16-le", "replace") for text in (first, second))
    return (one > other) - (one < other)


def _found(text: int, position: int) -> int:
    return text + position if position >= 0 else 0


@_quiet
def strchr(m: Machine, text: int, character: int) -> int:
    """The first place of a character, NULL when it is not there."""
    return _found(text, (c_string(m, text) + b"\0").find(character & 0xFF))


@_quiet
def strstr(m: Machine, text: int, wanted: int) -> int:
    """The first place of a string in another, NULL when it is not there."""
    return _found(text, c_string(m, text).find(c_string(m, wanted)))


# Counted strings: Length and MaximumLength in bytes, Buffer at offset 8


def counted(m: Machine, string: int) -> bytes:
    """The bytes of a UNICODE_STRING, ANSI_STRING or STRING."""
    length = m.u16(string)
    return m.read(m.u64(string + 8), length) if length else b""


def _initialize(m: Machine, target: int, source: int, width: int) -> None:
    length = len(c_string(m, source, width)) if source else 0
    m.set_u16(target, length)
    m.set_u16(target + 2, length + width if source else 0)
    m.set_u64(target + 8, source)


@_quiet
def RtlInitUnicodeString(m: Machine, DestinationString: int, SourceString: int) -> None:
    """Let a UNICODE_STRING describe a zero-terminated string; NULL gives an empty one."""
    _initialize(m, DestinationString, SourceString, 2)


@_both("RtlInitAnsiString", "RtlInitString")
def init_ansi_string(m: Machine, target: int, source: int) -> None:
    """Let an ANSI_STRING describe a zero-terminated string; NULL gives an empty one."""
    _initialize(m, target, source, 1)


@_quiet
def RtlCopyUnicodeString(m: Machine, DestinationString: int, SourceString: int) -> None:
    """Copy as much as fits into the destination's buffer."""
    content = counted(m, SourceString)[: m.u16(DestinationString + 2)] if SourceString else b""
    m.set_u16(DestinationString, len(content))
    if content:
        m.write(m.u64(DestinationString + 8), content)


@wdk(irql=PASSIVE_LEVEL, quiet=True)
def RtlAppendUnicodeToString(m: Machine, Destination: int, Source: int) -> int:
    """Append a zero-terminated string; STATUS_BUFFER_TOO_SMALL when it does not fit."""
    added, length = c_string(m, Source, 2) if Source else b"", m.u16(Destination)
    if length + len(added) > m.u16(Destination + 2):
        return 0xC000_0023 - (1 << 32)
    m.write(m.u64(Destination + 8) + length, added)
    m.set_u16(Destination, length + len(added))
    return 0


@wdk(irql=PASSIVE_LEVEL, quiet=True)
def RtlEqualUnicodeString(m: Machine, String1: int, String2: int, CaseInSensitive: int) -> int:
    """Whether two counted strings agree."""
    return int(RtlCompareUnicodeString(m, String1, String2, CaseInSensitive) == 0)


@wdk(irql=PASSIVE_LEVEL, quiet=True)
def RtlCompareUnicodeString(m: Machine, String1: int, String2: int, CaseInSensitive: int) -> int:
    """Below, equal to or above 0."""
    one, other = (counted(m, string).decode("utf-16-le", "replace") for string in (String1, String2))
    if CaseInSensitive:
        one, other = one.upper(), other.upper()
    return (one > other) - (one < other)


# Singly linked lists with an interlocked head: first entry at 8, depth in the low 16 bits of the first word (KRN-41)


@_both("InitializeSListHead", "ExInitializeSListHead")
def initialize_slist(m: Machine, head: int) -> None:
    """Make an empty list; the head is 16-byte aligned."""
    m.write(head, bytes(16))


def _slist(m: Machine, head: int, first: int, change: int) -> None:
    m.set_u64(head + 8, first)
    m.set_u64(head, m.u64(head) + change)


@_quiet
def InterlockedPushEntrySList(m: Machine, ListHead: int, ListEntry: int) -> int:
    """Put an entry in front; returns the entry that was first, or NULL. Facts: KRN-41, KRN-42."""
    before = m.u64(ListHead + 8)
    m.set_u64(ListEntry, before)
    _slist(m, ListHead, ListEntry, 1)
    return before


@_quiet
def InterlockedPopEntrySList(m: Machine, ListHead: int) -> int:
    """Take the first entry, NULL when there is none. Facts: KRN-41."""
    first = m.u64(ListHead + 8)
    if first:
        _slist(m, ListHead, m.u64(first), -1)
    return first


@_both("InterlockedFlushSList", "ExInterlockedFlushSList")
def flush_slist(m: Machine, head: int) -> int:
    """Take all entries; returns the first. Facts: KRN-41."""
    first = m.u64(head + 8)
    m.write(head, bytes(16))
    return first


@wdk(irql=DISPATCH_LEVEL, quiet=True)
def ExInterlockedPushEntrySList(m: Machine, ListHead: int, ListEntry: int, Lock: int) -> int:
    """Like InterlockedPushEntrySList; the lock is not used on x64."""
    return int(InterlockedPushEntrySList(m, ListHead, ListEntry))


@wdk(irql=DISPATCH_LEVEL, quiet=True)
def ExInterlockedPopEntrySList(m: Machine, ListHead: int, Lock: int) -> int:
    """Like InterlockedPopEntrySList; the lock is not used on x64."""
    return int(InterlockedPopEntrySList(m, ListHead))


@_both("QueryDepthSList", "ExQueryDepthSList")
def slist_depth(m: Machine, head: int) -> int:
    """How many entries are in the list."""
    return m.u64(head) & 0xFFFF
