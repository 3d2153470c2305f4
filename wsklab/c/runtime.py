"""What compiled C needs of the machine it runs on.

The machine implements this structurally; nothing here imports it. Addresses are 64-bit ints, values are Python ints in the
range of their C type (or floats).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NoReturn, Protocol

from wsklab.c.source import Place
from wsklab.c.types import CType, Function

Value = int | float


class Runtime(Protocol):
    """The machine, as compiled code sees it.

    Attributes:
        steps: every loop iteration of compiled code takes one item; the end of the iterator is the end of the step budget.
    """

    steps: Iterator[None]

    def load(self, ctype: CType) -> Callable[[int], Value]:
        """A checked load of one type: address to value."""

    def store(self, ctype: CType) -> Callable[[int, Value], None]:
        """A checked store of one type: address, value."""

    def copy(self, destination: int, source: int, size: int) -> None:
        """Copy `size` bytes of a structure; whether they were ever written travels with them."""

    def fill(self, destination: int, size: int) -> None:
        """Write `size` zero bytes."""

    def push_frame(self, size: int, function: str) -> int:
        """Memory for the locals of a call, `size` never-written bytes; its address."""

    def pop_frame(self, address: int) -> None:
        """Give a frame back."""

    def string(self, data: bytes) -> int:
        """Address of a read-only string literal; equal literals may share it."""

    def allocate_global(self, name: str, ctype: CType) -> int:
        """Zeroed memory for a variable of static storage."""

    def define_function(self, name: str, compiled: Any) -> int:
        """The code address of a compiled function."""

    def address_of(self, name: str) -> int:
        """The code address of a modelled function."""

    def resolve(self, name: str, prototype: Function) -> tuple[Callable[..., Any], bool]:
        """A modelled function and whether it can wait (then it is a generator function)."""

    def indirect(self, address: int, prototype: Function) -> Callable[..., Any]:
        """The function at `address`, for a call that cannot wait; stops the machine if there is none."""

    def indirect_waits(self, address: int, prototype: Function) -> tuple[Callable[..., Any], bool]:
        """The function at `address` and whether it can wait."""

    def may_wait(self, prototype: Function) -> bool:
        """Whether some modelled function that can be called through this prototype can wait."""

    def gap(self, place: Place, kind: Literal["statement", "condition", "argument", "initialiser"]) -> int:
        """Say that a gap was reached; the value to go on with."""

    def undefined(self, what: str, **values: object) -> NoReturn:
        """Stop: the C text did something that C leaves undefined."""
