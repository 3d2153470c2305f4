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

from wsklab.c.headers import Export

if TYPE_CHECKING:
    from wsklab.machine.machine import Machine

PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL, HIGH_LEVEL = 0, 1, 2, 15
IRQL_NAMES = {0: "PASSIVE_LEVEL", 1: "APC_LEVEL", 2: "DISPATCH_LEVEL", 15: "HIGH_LEVEL"}

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Modelled:
    """A modelled function."""

    name: str
    function: Callable[..., Any]  # machine first
    irql: int  # the highest at which it may be called
    waits: bool  # whether it is a generator function
    lane: str  # of the pictures: io, wsk, framework …
    prototype: str | None  # the function-pointer type of a dispatch table slot, None for a function of the headers
    quiet: bool  # left out of the trace because it says nothing (memory helpers)


MODELLED: dict[str, Modelled] = {}
"""Every modelled function by name."""


def wdk(
    *names: str, irql: int = DISPATCH_LEVEL, waits: bool = False, lane: str = "io", prototype: str | None = None,
    quiet: bool = False,
) -> Callable[[_F], _F]:  # fmt: skip
    """Declare a modelled function under its own name or under `names`. Raises ValueError when it is declared twice."""

    def declare(function: _F) -> _F:
        if waits != inspect.isgeneratorfunction(function):
            raise ValueError(f"{function.__name__}: a function that waits is a generator function, and the other way round")
        for name in names or (function.__name__,):
            if name in MODELLED:
                raise ValueError(f"{name} is modelled twice")
            MODELLED[name] = Modelled(name, function, irql, waits, lane, prototype, quiet)
        return function

    return declare


def quiet(*names: str) -> Callable[[_F], _F]:
    """Declare a function that may be called at every IRQL and says nothing in the trace."""
    return wdk(*names, irql=HIGH_LEVEL, quiet=True)


def written_in_c(export: Export, call: Callable[..., Any], waits: bool) -> Modelled:
    """A kernel function that our headers define in C, from its compiled code; what it calls itself stays out of the trace."""

    def plain(machine: Machine, *arguments: Any) -> Any:
        thread, before = machine.thread, machine.thread.inside
        thread.inside = True
        try:
            return call(*arguments)
        finally:  # an exception that the driver's __except takes
            thread.inside = before

    def waiting(machine: Machine, *arguments: Any) -> Any:
        thread, before = machine.thread, machine.thread.inside
        thread.inside = True
        try:
            return (yield from call(*arguments))
        finally:
            thread.inside = before

    function = waiting if waits else plain
    function.__doc__ = export.about
    return Modelled(export.name, function, export.irql, waits, export.lane, None, False)


def bind(machine: Machine, modelled: Modelled) -> Callable[..., Any]:
    """`modelled` as compiled C calls it: IRQL checked, traced when the trace is on."""
    function, limit, name, lane, quiet = modelled.function, modelled.irql, modelled.name, modelled.lane, modelled.quiet
    trace = machine.trace

    def enter(arguments: tuple[Any, ...]) -> None:
        objects, where = machine.objects_in(arguments), machine.caller()
        trace.add("call", name, actor="driver", target=lane, objects=objects, where=where, arguments=arguments)

    def leave(value: Any) -> Any:
        trace.add("return", name, actor=lane, target="driver", objects=machine.objects_in((value,)), value=value)
        return value

    def plain(*arguments: Any) -> Any:
        if machine.irql > limit:
            machine.too_high(name, limit)
        if quiet or not trace.on or machine.thread.inside:
            return function(machine, *arguments)
        enter(arguments)
        return leave(function(machine, *arguments))

    def waiting(*arguments: Any) -> Any:
        if machine.irql > limit:
            machine.too_high(name, limit)
        if quiet or not trace.on or machine.thread.inside:
            return (yield from function(machine, *arguments))
        enter(arguments)
        return leave((yield from function(machine, *arguments)))

    bound = waiting if modelled.waits else plain
    bound.__name__ = bound.__qualname__ = name
    bound.__doc__ = function.__doc__
    return bound
