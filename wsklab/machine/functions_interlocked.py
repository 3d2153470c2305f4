"""Interlocked operations, made from one table, and the lists that carry their own lock.

Threads switch at waits only, so each of these is atomic. Facts: KRN-39 to KRN-41.
"""

from __future__ import annotations

from collections.abc import Callable

from wsklab.machine.api import DISPATCH_LEVEL, HIGH_LEVEL, wdk
from wsklab.machine.machine import Machine

_NEW_VALUES: dict[str, tuple[Callable[[int, int], int], bool]] = {
    # operation: (new value from old value and operand, whether the new value is returned instead of the old one)
    "Increment": (lambda old, _: old + 1, True),
    "Decrement": (lambda old, _: old - 1, True),
    "Add": (lambda old, operand: old + operand, True),
    "ExchangeAdd": (lambda old, operand: old + operand, False),
    "Exchange": (lambda _, operand: operand, False),
    "And": (lambda old, operand: old & operand, False),
    "Or": (lambda old, operand: old | operand, False),
    "Xor": (lambda old, operand: old ^ operand, False),
}
_WIDTHS = {"": 32, "64": 64, "16": 16}


def _wrapped(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _declare(operation: str, suffix: str) -> None:
    change, returns_new = _NEW_VALUES[operation]
    bits = _WIDTHS[suffix]
    load, store = f"i{bits}", f"set_i{bits}"
    unary = operation in ("Increment", "Decrement")

    def one(m: Machine, target: int) -> int:
        return two(m, target, 0)

    def two(m: Machine, target: int, operand: int) -> int:
        old: int = getattr(m, load)(target)
        new = _wrapped(change(old, operand), bits)
        getattr(m, store)(target, new)
        return new if returns_new else old

    function = one if unary else two
    function.__doc__ = f"{operation} a signed {bits}-bit value; returns the {'new' if returns_new else 'old'} value."
    wdk(irql=HIGH_LEVEL, quiet=True, name=f"Interlocked{operation}{suffix}")(function)


for _operation in _NEW_VALUES:
    for _suffix in ("", "64"):
        if (_operation, _suffix) != ("Xor", "64"):  # the headers have no such function
            _declare(_operation, _suffix)
_declare("Increment", "16")
_declare("Decrement", "16")


@wdk(irql=HIGH_LEVEL, quiet=True)
def InterlockedCompareExchange(m: Machine, Destination: int, ExChange: int, Comperand: int) -> int:
    """Store ExChange if the value equals Comperand; returns the old value."""
    old = m.i32(Destination)
    if old == Comperand:
        m.set_i32(Destination, ExChange)
    return old


@wdk(irql=HIGH_LEVEL, quiet=True)
def InterlockedCompareExchange64(m: Machine, Destination: int, ExChange: int, Comperand: int) -> int:
    """Store ExChange if the value equals Comperand; returns the old value."""
    old = m.i64(Destination)
    if old == Comperand:
        m.set_i64(Destination, ExChange)
    return old


@wdk(irql=HIGH_LEVEL, quiet=True)
def InterlockedCompareExchangePointer(m: Machine, Destination: int, ExChange: int, Comperand: int) -> int:
    """Store ExChange if the pointer equals Comperand; returns the old pointer."""
    old = m.u64(Destination)
    if old == Comperand:
        m.set_u64(Destination, ExChange)
    return old


@wdk(irql=HIGH_LEVEL, quiet=True)
def InterlockedExchangePointer(m: Machine, Target: int, Value: int) -> int:
    """Store a pointer; returns the old one."""
    old = m.u64(Target)
    m.set_u64(Target, Value)
    return old


def _bit(m: Machine, base: int, bit: int, *, on: bool) -> int:
    place, mask = base + 4 * (bit // 32), 1 << bit % 32
    old = m.u32(place)
    m.set_u32(place, old | mask if on else old & ~mask)
    return int(bool(old & mask))


@wdk(irql=HIGH_LEVEL, quiet=True)
def InterlockedBitTestAndSet(m: Machine, Base: int, Bit: int) -> int:
    """Set a bit; returns what it was."""
    return _bit(m, Base, Bit, on=True)


@wdk(irql=HIGH_LEVEL, quiet=True)
def InterlockedBitTestAndReset(m: Machine, Base: int, Bit: int) -> int:
    """Clear a bit; returns what it was."""
    return _bit(m, Base, Bit, on=False)


# Doubly linked lists: Flink at 0, Blink at 8 (KRN-39)


def _insert(m: Machine, entry: int, before: int, after: int) -> None:
    if m.u64(before) != after or m.u64(after + 8) != before:
        m.stop("list-corrupted", objects=(entry,), object=f"{before:#018x}", function="ExInterlockedInsertList")
    m.set_u64(entry, after)
    m.set_u64(entry + 8, before)
    m.set_u64(before, entry)
    m.set_u64(after + 8, entry)


@wdk(irql=DISPATCH_LEVEL, quiet=True)
def ExInterlockedInsertTailList(m: Machine, ListHead: int, ListEntry: int, Lock: int) -> int:
    """Put an entry at the end; returns the entry that was last, NULL for an empty list."""
    last = m.u64(ListHead + 8)
    _insert(m, ListEntry, last, ListHead)
    return 0 if last == ListHead else last


@wdk(irql=DISPATCH_LEVEL, quiet=True)
def ExInterlockedInsertHeadList(m: Machine, ListHead: int, ListEntry: int, Lock: int) -> int:
    """Put an entry in front; returns the entry that was first, NULL for an empty list."""
    first = m.u64(ListHead)
    _insert(m, ListEntry, ListHead, first)
    return 0 if first == ListHead else first


@wdk(irql=DISPATCH_LEVEL, quiet=True)
def ExInterlockedRemoveHeadList(m: Machine, ListHead: int, Lock: int) -> int:
    """Take the first entry, NULL when the list is empty."""
    first = m.u64(ListHead)
    if first == ListHead:
        return 0
    second = m.u64(first)
    m.set_u64(ListHead, second)
    m.set_u64(second + 8, ListHead)
    return first
