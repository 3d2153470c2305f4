"""What a driver says to the system and asks of it: DbgPrint, time, assertions and bug checks; and what inline functions ask.

The formats are those of the page "DbgPrint": no floating point, and the Unicode ones only at PASSIVE_LEVEL. Text goes to
`Machine.console` exactly as written.
"""

from __future__ import annotations

import re
from typing import NoReturn

from wsklab.machine.api import HIGH_LEVEL, PASSIVE_LEVEL, quiet, wdk
from wsklab.machine.functions_memory import c_string, c_text, counted
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.functions_sync import SYSTEM_TIME_AT_START
from wsklab.machine.machine import Machine

_CONVERSION = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(hh|h|ll|l|I64|I32|I|w|z|t|j)?([a-zA-Z%])|(%)")
_WIDEST = 10_000  # columns or digits of one conversion
_BITS = {"hh": 8, "h": 16, "ll": 64, "I64": 64, "I": 64, "z": 64, "t": 64, "j": 64}


def formatted(m: Machine, template: str, arguments: tuple[int | float, ...]) -> str:
    """`template` with its conversions filled from `arguments`, as the kernel's printf does it.

    Stops with ``print-bad-format`` for a conversion that the kernel does not know or that has no argument, and with
    ``print-at-raised-irql`` for a Unicode conversion above PASSIVE_LEVEL.
    """
    left = iter(arguments)

    def wrong(what: str) -> NoReturn:
        m.stop("print-bad-format", format=repr(template), what=what)

    def take() -> int:
        value = next(left, None)
        if value is None:
            wrong("a conversion has no argument")
        return int(value)

    def converted(found: re.Match[str]) -> str:
        flags, width, precision, size, kind, lone = found.groups()
        if lone:
            wrong("a % without a conversion")
        if kind == "%":
            return "%"
        columns = take() if width == "*" else int(width or 0)
        digits = take() if precision == "*" else int(precision or 0) if "." in found.group() else None
        if columns < 0:
            flags, columns = flags + "-", -columns
        columns, digits = min(columns, _WIDEST), digits and min(digits, _WIDEST)
        value = take()
        if kind in "diouxX":
            body = _number(value, flags, columns, digits, _BITS.get(size, 32), kind)
        elif kind in "pP":
            body = f"{value & (1 << 64) - 1:016X}"
        elif kind in "scSCZ":
            body = _text(m, template, value, digits, size or "", kind)
        else:
            wrong("a conversion is not supported in the kernel")
        return body.ljust(columns) if "-" in flags else body.rjust(columns)

    return _CONVERSION.sub(converted, template)


def _number(value: int, flags: str, columns: int, digits: int | None, bits: int, kind: str) -> str:
    value &= (1 << bits) - 1
    sign = ""
    if kind in "di":
        if value >> (bits - 1):
            value, sign = (1 << bits) - value, "-"
        elif "+" in flags or " " in flags:
            sign = "+" if "+" in flags else " "
    body = format(value, kind if kind in "oxX" else "d")
    if "#" in flags and value and kind in "xX":
        sign += "0" + kind
    if digits is None and "0" in flags and "-" not in flags:
        digits = columns - len(sign)
    return sign + body.rjust(digits or 0, "0")


def _text(m: Machine, template: str, value: int, digits: int | None, size: str, kind: str) -> str:
    wide = size in ("w", "l") if kind in "scZ" else size != "h"
    if wide and m.irql > PASSIVE_LEVEL:
        m.stop("print-at-raised-irql", format=repr(template))
    if kind in "cC":
        return chr(value & (0xFFFF if wide else 0xFF))
    if not value:
        return "(null)"
    content = counted(m, value) if kind == "Z" else c_string(m, value, 2 if wide else 1, digits)
    return content.decode("utf-16-le" if wide else "utf-8", "replace")[:digits]


def _filled(m: Machine, template: int, arguments: tuple[int | float, ...]) -> str:
    return formatted(m, c_text(m, template), arguments)


@quiet()
def DbgPrint(m: Machine, Format: int, *arguments: int | float, function: str = "DbgPrint") -> int:
    """Write formatted text to the debugger's console."""
    m.console.append(_filled(m, Format, arguments))
    m.trace.add("print", function, actor="driver", target="io", here=True, text=m.console[-1])
    return 0


@quiet()
def DbgPrintEx(m: Machine, ComponentId: int, Level: int, Format: int, *arguments: int | float) -> int:
    """Write formatted text to the debugger's console; every component and level is shown."""
    return DbgPrint(m, Format, *arguments, function="DbgPrintEx")


@quiet()
def sprintf(m: Machine, buffer: int, template: int, *arguments: int | float) -> int:
    """Format into a buffer; returns the number of characters before the terminator."""
    content = _filled(m, template, arguments).encode("utf-8", "replace")
    m.write(buffer, content + b"\0")
    return len(content)


@quiet()
def _snprintf(m: Machine, buffer: int, count: int, template: int, *arguments: int | float) -> int:
    """Format into a buffer of `count` characters; -1, and no terminator, when the text does not fit."""
    content = _filled(m, template, arguments).encode("utf-8", "replace")
    m.write(buffer, (content + b"\0")[:count])
    return len(content) if len(content) <= count else -1


# Time, assertions, bug checks


@quiet()
def KeQuerySystemTime(m: Machine, CurrentTime: int) -> None:
    """Store the system time: 100-ns units since 1601. Every run starts on 2025-01-01."""
    m.set_i64(CurrentTime, SYSTEM_TIME_AT_START + m.time)


@quiet()
def KeQueryInterruptTime(m: Machine) -> int:
    """100-ns units since the machine started."""
    return m.time


@wdk(irql=HIGH_LEVEL)
def KeStallExecutionProcessor(m: Machine, MicroSeconds: int) -> None:
    """Keep the processor busy; virtual time goes on."""
    m.time += 10 * MicroSeconds


@quiet()
def RtlAssert(m: Machine, VoidFailedAssertion: int, VoidFileName: int, LineNumber: int, MutableMessage: int) -> NoReturn:
    """An ASSERT that failed. Facts: BUG-15."""
    message = f" ({c_text(m, MutableMessage)})" if MutableMessage else ""
    m.stop("assertion-failed", condition=c_text(m, VoidFailedAssertion) + message)


@wdk(irql=HIGH_LEVEL)
def KeBugCheckEx(m: Machine, code: int, *parameters: int) -> NoReturn:
    """Stop the system."""
    m.stop("bug-check", code=f"{code:#x}", values=", ".join(f"{value & (1 << 64) - 1:#x}" for value in parameters))


def named_values(m: Machine, template: int, arguments: tuple[int | float, ...]) -> dict[str, str]:
    """The values that fill a rule's texts, from a format like ``count=%d;limit=%d``."""
    return dict(part.split("=", 1) for part in _filled(m, template, arguments).split(";") if part)


@quiet()
def wsklab_stop(m: Machine, Rule: int, Object: int, Values: int, *arguments: int | float) -> NoReturn:
    """Stop because an inline function found a rule broken; Values is like ``count=%d;limit=%d``."""
    values = named_values(m, Values, arguments)
    m.stop(c_text(m, Rule), objects=(Object,), **{"object": f"{Object:#018x}", **values})


@quiet()
def wsklab_written(m: Machine, Memory: int, Size: int) -> int:
    """Whether every byte was written since it was allocated."""
    return int(b"\x01" not in m.memory.peek(Memory, Size)[1])


@quiet()
def wsklab_nonpaged(m: Machine, Object: int, Function: int) -> None:
    """Stop when an object that has to be in nonpaged memory is in paged pool."""
    refuse_paged(m, Object, c_text(m, Function))
