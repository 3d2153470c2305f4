"""What generated code calls besides the functions of the listing: conversions, division, and what C leaves undefined."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from wsklab.c.python import kind
from wsklab.c.types import CHAR, INT, LLONG, SHORT, CType, Function, Int

if TYPE_CHECKING:
    from wsklab.c.runtime import Runtime

_SINGLE = Struct("<f")


class NoValue:
    """What a function gives that ended without its value: stops the run when it is used in any way."""

    def __init__(self, function: str, undefined: Callable[..., NoReturn]) -> None:
        """Remember which function it was."""
        self.function = function
        self.undefined = undefined

    def __repr__(self) -> str:
        """Show it without using it."""
        return f"(no value of {self.function})"

    def use(self, *_: Any) -> NoReturn:
        """Report the use."""
        self.undefined("no-return-value", function=self.function)


_USES = """bool int float index hash add radd sub rsub mul rmul floordiv rfloordiv mod rmod truediv rtruediv and rand or ror
xor rxor lshift rlshift rshift rrshift neg invert eq ne lt le gt ge"""
for _name in _USES.split():
    setattr(NoValue, f"__{_name}__", NoValue.use)


NOWHERE = 1 << 62
"""Element number of an address that is in no view."""


class NoViews:
    """For a runtime without views of its memory (``Runtime.views``): every access in a loop takes the long way."""

    n1 = n2 = n4 = n8 = 0
    s1 = s2 = s4 = s8 = i8 = u8 = i16 = u16 = i32 = u32 = i64 = u64 = ()
    written: ClassVar[dict[int, int]] = {1: 0, 2: 0, 4: 0, 8: 0}

    def near(self, size: int, address: int) -> int:
        """No address is in a view."""
        return NOWHERE


def divide(left: int, right: int) -> int:
    """C's quotient, which is cut toward zero. Raises ZeroDivisionError."""
    return left // right if (left < 0) == (right < 0) else -(-left // right)


def to_single(value: float) -> float:
    """`value` rounded to a C ``float``."""
    try:
        rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def divide_floats(left: float, right: float) -> float:
    """``left / right`` with the infinities that C gives."""
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def helpers(runtime: Runtime) -> dict[str, object]:
    """The names of ours in a namespace of generated code."""
    undefined = runtime.undefined

    def divided_by_zero() -> NoReturn:
        undefined("division-by-zero")

    def checked_divide(left: int, right: int) -> int:
        return divide(left, right) if right else divided_by_zero()

    def checked_remainder(left: int, right: int) -> int:
        return left - right * divide(left, right) if right else divided_by_zero()

    def shifted_too_far(count: int, bits: int) -> NoReturn:
        undefined("shift-too-far", count=count, bits=bits)

    def out_of_steps() -> NoReturn:
        undefined("step-budget")

    def no_value(function: str) -> NoValue:
        return NoValue(function, undefined)

    def call_waiting(address: int, prototype: Function, *arguments: Any) -> Generator[Any, Any, Any]:
        function, waits = runtime.indirect_waits(address, prototype)
        if waits:
            return (yield from function(*arguments))
        return function(*arguments)

    views = getattr(runtime, "views", None) or NoViews()
    return {
        "memory·": views,
        **{f"near·{size}": partial(views.near, size) for size in (1, 2, 4, 8)},
        **{f"written·{size}": views.written[size] for size in (1, 2, 4, 8)},
        "nowhere·": NOWHERE,
        "divide·": checked_divide,
        "remainder·": checked_remainder,
        "divided_by_zero·": divided_by_zero,
        "shifted_too_far·": shifted_too_far,
        "divide_floats·": divide_floats,
        "float·": float,
        "int·": int,
        "single·": to_single,
        "copy·": runtime.copy,
        "fill·": runtime.fill,
        "push·": runtime.push_frame,
        "pop·": runtime.pop_frame,
        "indirect·": runtime.indirect,
        "call·": call_waiting,
        "gap·": runtime.gap,
        "steps·": runtime.steps,
        "once·": (None,),
        "out_of_steps·": out_of_steps,
        "no_value·": no_value,
        **{f"wrap·{kind(ctype)}": ctype.wrap for ctype in (CHAR, SHORT, INT, LLONG)},
    }


def bit_store(runtime: Runtime, ctype: CType, bit_offset: int, bit_width: int) -> Callable[[int, int], None]:
    """A store function for a bit-field: (address of its unit, value) → None. The other bits of the unit stay."""
    own: Callable[..., Callable[[int, int], None]] | None = getattr(runtime, "store_bits", None)
    if own is not None:
        return own(ctype, bit_offset, bit_width)
    unit = Int(ctype.size, False)
    load, store = runtime.load(unit), runtime.store(unit)
    mask = ((1 << bit_width) - 1) << bit_offset
    keep = unit.maximum ^ mask

    def store_field(address: int, value: int) -> None:
        store(address, (int(load(address)) & keep) | (value << bit_offset & mask))

    return store_field
