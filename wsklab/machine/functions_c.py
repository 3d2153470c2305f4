"""What a program with a ``main`` calls besides the functions that drivers have too; the rest of it is C (stdio.h, stdlib.h)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NoReturn

from wsklab.machine.api import quiet
from wsklab.machine.code import Exited
from wsklab.machine.machine import Machine


@quiet()
def exit(m: Machine, status: int) -> NoReturn:
    """End the program with an exit status."""
    raise Exited(status)


@quiet()
def wsklab_size(m: Machine, Block: int) -> int:
    """The size in bytes of the block that begins at an address, 0 if none does."""
    block = m.block_at(Block)
    return block.size if block is not None and block.address == Block else 0


def _declare(name: str) -> None:
    function: Callable[..., float] = getattr(math, name)

    def called(m: Machine, *numbers: float) -> float:
        try:
            return float(function(*numbers))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    called.__doc__ = f"The C library's {name}."
    quiet(name)(called)


for _name in ("sin", "cos", "tan", "atan", "atan2", "exp", "log", "log10", "pow", "sqrt", "floor", "ceil", "fmod", "fabs"):
    _declare(_name)
