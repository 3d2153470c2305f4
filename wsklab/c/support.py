"""What generated code calls besides the functions of the listing: conversions, division, and what C leaves undefined."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, NoReturn

from wsklab.c.python import kind
from wsklab.c.runtime import MOST_LOCALS, WIDE_RED_ZONE
from wsklab.c.types import CHAR, DOUBLE, INT, LLONG, SHORT, ULLONG, Function

if TYPE_CHECKING:
    from wsklab.c.runtime import Runtime

_SINGLE = Struct("<f")
NOWHERE = 1 << 62
"""Element number of an address that is in no view of the memory."""


class NoValue:
    """What a function gives that ended without its value: stops the run when it is used in any way."""

    def __init__(self, undefined: Callable[..., NoReturn], function: str) -> None:
        self.function = function
        self.undefined = undefined

    def __repr__(self) -> str:
        return f"(no value of {self.function})"

    def use(self, *_: Any) -> NoReturn:
        """Report the use."""
        self.undefined("no-return-value", function=self.function)


_USES = """bool int float index hash add radd sub rsub mul rmul floordiv rfloordiv mod rmod truediv rtruediv and rand or ror
xor rxor lshift rlshift rshift rrshift neg invert eq ne lt le gt ge"""
for _name in _USES.split():
    setattr(NoValue, f"__{_name}__", NoValue.use)


def divide(left: int, right: int) -> int:
    """C's quotient, which is cut toward zero. Raises ZeroDivisionError."""
    return left // right if (left < 0) == (right < 0) else -(-left // right)


def whole(value: int | float) -> int:
    """`value` without its fraction; what no integer can hold becomes what an x64 processor makes of it."""
    return int(value) if math.isfinite(value) else -(1 << 63)


def to_single(value: float) -> float:
    """`value` rounded to a C ``float``."""
    try:
        rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def _divide_floats(left: float, right: float) -> float:
    """``left / right`` with the infinities that C gives."""
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def helpers(runtime: Runtime) -> dict[str, object]:
    """The names of ours in a namespace of generated code."""
    undefined, views = runtime.undefined, runtime.views
    divided_by_zero = partial(undefined, "division-by-zero")

    def quotient(left: int, right: int, lowest: int) -> int:
        if right == -1 and left == lowest:
            undefined("division-overflow", left=left)
        return divide(left, right) if right else divided_by_zero()

    store_number, store_float = runtime.store(ULLONG), runtime.store(DOUBLE)

    def slots(address: int, rest: tuple[Any, ...]) -> int:
        for place, value in zip(itertools.count(address, 8), rest):
            if isinstance(value, tuple) and value[1] in (1, 2, 4, 8):
                runtime.copy(place, *value)
            elif isinstance(value, float):
                store_float(place, value)
            else:
                store_number(place, (value[0] if isinstance(value, tuple) else value) & ULLONG.maximum)
        return address

    def space(below: int, size: int, function: str) -> int:
        runtime.cut_frames(below)
        if size > MOST_LOCALS:
            undefined("stack-overflow", function=function)
        return runtime.push_frame(bytes(WIDE_RED_ZONE) + b"\1" * size + bytes(WIDE_RED_ZONE), function)

    def call_waiting(address: int, prototype: Function, *arguments: Any) -> Generator[Any, Any, Any]:
        function, waits = runtime.indirect_waits(address, prototype)
        return (yield from function(*arguments)) if waits else function(*arguments)

    return {
        "memory·": views,
        **{f"run·{size}": partial(views.run, size) for size in (1, 2, 4, 8)},
        **{f"written·{size}": views.written[size] for size in (1, 2, 4, 8)},
        **{f"sealed·{size}": (views.written[size], 2 * views.written[size]) for size in (1, 2, 4, 8)},
        "nowhere·": NOWHERE,
        "divide·": quotient,
        "remainder·": lambda left, right, lowest: left - right * quotient(left, right, lowest),
        "divided_by_zero·": divided_by_zero,
        "shifted_too_far·": lambda count, bits: undefined("shift-too-far", count=count, bits=bits),
        "divide_floats·": _divide_floats,
        "float·": float,
        "int·": lambda value: int(value) if -(1 << 63) <= value < 1 << 64 else undefined("float-to-integer", value=value),
        "single·": to_single,
        "copy·": runtime.copy,
        "fill·": runtime.fill,
        "push·": runtime.push_frame,
        "pop·": runtime.pop_frame,
        "cut·": runtime.cut_frames,
        "space·": space,
        "end·": lambda space, size: runtime.scope(space, ((WIDE_RED_ZONE, size),), 0),
        "beyond·": lambda index, count: undefined("index-beyond-array", index=index, count=count),
        "length·": lambda count, size: count * size if count > 0 else undefined("array-length", count=count),
        "scope·": runtime.scope,
        "indirect·": runtime.indirect,
        "call·": call_waiting,
        "raised·": runtime.raised,
        "guard·": runtime.guard,
        "unguard·": runtime.unguard,
        "room·": lambda rest: b"\1" * 8 * len(rest) + bytes(16),
        "slots·": slots,
        "gap·": runtime.gap,
        "steps·": runtime.steps,
        "once·": (None,),
        "out_of_steps·": partial(undefined, "step-budget"),
        "no_value·": partial(NoValue, undefined),
        **{f"wrap·{kind(ctype)}": ctype.wrap for ctype in (CHAR, SHORT, INT, LLONG)},
    }
