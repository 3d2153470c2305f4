"""How a modelled function is declared, and how it is bound to a machine.

A modelled function is a plain Python function whose first parameter is the machine and whose other parameters are those of the
C prototype. Its prototype stands in the headers only. ``@wdk`` says the highest IRQL at which it may be called, whether it can
wait (then it is a generator function), and which lane of the pictures it belongs to.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from wsklab.machine.machine import Machine

PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL, HIGH_LEVEL = 0, 1, 2, 15
IRQL_NAMES = {0: "PASSIVE_LEVEL", 1: "APC_LEVEL", 2: "DISPATCH_LEVEL", 15: "HIGH_LEVEL"}

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Modelled:
    """A modelled function.

    Attributes:
        name: the C name.
        function: the Python function, machine first.
        irql: highest IRQL at which it may be called.
        waits: whether it is a generator function.
        lane: lane of the pictures: io, wsk, framework …
        prototype: name of the function-pointer type of a dispatch table slot, None for a function of the headers.
        quiet: left out of the trace because it says nothing (string and memory helpers).
    """

    name: str
    function: Callable[..., Any]
    irql: int
    waits: bool
    lane: str
    prototype: str | None
    quiet: bool


MODELLED: dict[str, Modelled] = {}
"""Every modelled function by name."""


def wdk(
    *,
    irql: int = DISPATCH_LEVEL,
    waits: bool = False,
    lane: str = "io",
    prototype: str | None = None,
    quiet: bool = False,
    name: str | None = None,
) -> Callable[[_F], _F]:
    """Declare a modelled function under its own name (or `name`). Raises ValueError when it is declared twice."""

    def declare(function: _F) -> _F:
        known = name or function.__name__
        if known in MODELLED:
            raise ValueError(f"{known} is modelled twice")
        if waits != inspect.isgeneratorfunction(function):
            raise ValueError(f"{known}: a function that waits is a generator function, and the other way round")
        MODELLED[known] = Modelled(known, function, irql, waits, lane, prototype, quiet)
        return function

    return declare


def bind(machine: Machine, modelled: Modelled) -> Callable[..., Any]:
    """`modelled` as compiled C calls it: IRQL checked, traced when the trace is on."""
    function, limit, name = modelled.function, modelled.irql, modelled.name
    trace = machine.trace

    def plain(*arguments: Any) -> Any:
        if machine.irql > limit:
            machine.too_high(name, limit)
        if trace.on and not modelled.quiet:
            _enter(machine, modelled, arguments)
            value = function(machine, *arguments)
            _leave(machine, modelled, arguments, value)
            return value
        return function(machine, *arguments)

    def waiting(*arguments: Any) -> Any:
        if machine.irql > limit:
            machine.too_high(name, limit)
        if trace.on and not modelled.quiet:
            _enter(machine, modelled, arguments)
            value = yield from function(machine, *arguments)
            _leave(machine, modelled, arguments, value)
            return value
        return (yield from function(machine, *arguments))

    bound = waiting if modelled.waits else plain
    bound.__name__ = bound.__qualname__ = name
    bound.__doc__ = function.__doc__
    return bound


def _enter(machine: Machine, modelled: Modelled, arguments: tuple[Any, ...]) -> None:
    machine.trace.add(
        "call",
        modelled.name,
        actor="driver",
        target=modelled.lane,
        objects=machine.objects_in(arguments),
        where=machine.caller(),
        arguments=arguments,
    )


def _leave(machine: Machine, modelled: Modelled, arguments: tuple[Any, ...], value: Any) -> None:
    machine.trace.add(
        "return",
        modelled.name,
        actor=modelled.lane,
        target="driver",
        objects=machine.objects_in((value,)),
        value=value,
    )
