"""What compiled C needs of the machine it runs on.

The machine implements this structurally; nothing here imports it. Addresses are 64-bit ints, values are Python ints in the
range of their C type (or floats).
"""
# ruff: noqa: D102 - a comment above each group says what an implementation must do

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NoReturn, Protocol

from wsklab.c.source import Place
from wsklab.c.types import CType, Function

RED_ZONE = 16
"""Bytes around a local in memory that belong to nobody, so that an overrun is seen."""
WIDE_RED_ZONE = 64
"""Around an array there are as many as it has itself, but not more than these."""
MOST_LOCALS = 1 << 20
"""The locals of a function cannot take more bytes."""
MOST_TEXT = 1 << 28
"""An array that a string initialises cannot take more bytes."""
Value = int | float
GapKind = Literal["statement", "condition", "argument", "initialiser"]
"""What a ``...`` stands for: a statement, a condition (or a part of one), the arguments of a call, any other value."""


class Runtime(Protocol):
    """The machine, as compiled code sees it."""

    # Every loop iteration of compiled code takes one item; the end of the iterator is the end of the step budget.
    @property
    def steps(self) -> Iterable[None]: ...

    # Typed views of the memory and of its states, for array accesses in loops (`machine.memory`).
    views: Any

    # Checked access to one type: address to value, and address, value.
    def load(self, ctype: CType) -> Callable[[int], Value]: ...
    def store(self, ctype: CType) -> Callable[[int, Value], None]: ...
    def store_bits(self, ctype: CType, bit_offset: int, bit_width: int) -> Callable[[int, int], None]: ...

    # Copying a structure copies also whether its bytes were ever written; filling writes zeros.
    def copy(self, destination: int, source: int, size: int) -> None: ...
    def fill(self, destination: int, size: int) -> None: ...

    # Memory: the locals of a call (never-written bytes, at a multiple of `align`), what was pushed after them, the locals of a
    # block (offsets and sizes), read-only literals (equal ones may share), zeroed static variables.
    def push_frame(self, layout: bytes, function: str, align: int = 16) -> int: ...
    def pop_frame(self, address: int) -> None: ...
    def cut_frames(self, address: int) -> None: ...
    def scope(self, frame: int, lives: tuple[tuple[int, int], ...], is_open: int) -> None: ...
    def string(self, data: bytes) -> int: ...
    def allocate_global(self, name: str, ctype: CType) -> int: ...

    # Code addresses of a compiled and of a modelled function.
    def define_function(self, name: str, compiled: Any) -> int: ...
    def address_of(self, name: str) -> int: ...

    # A modelled function, or the one at an address, and whether it can wait (then it is a generator function).
    def resolve(self, name: str, prototype: Function) -> tuple[Callable[..., Any], bool]: ...
    def indirect_waits(self, address: int, prototype: Function) -> tuple[Callable[..., Any], bool]: ...

    # The function at an address for a call that cannot wait (stops the machine if there is none); whether any could wait.
    def indirect(self, address: int, prototype: Function) -> Callable[..., Any]: ...
    def may_wait(self, prototype: Function) -> bool: ...

    # Structured exception handling: what C raises, and the filters that are asked, innermost last.
    @property
    def raised(self) -> type[Exception]: ...

    def guard(self, asked: Callable[[int, int], Any]) -> Any: ...
    def unguard(self, guard: Any) -> None: ...

    # Say that a gap was reached, and with which value to go on; stop because of something that C leaves undefined.
    def gap(self, place: Place, kind: GapKind) -> int: ...
    def undefined(self, what: str, **values: object) -> NoReturn: ...
