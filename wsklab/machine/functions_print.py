"""DbgPrint and its kind: the kernel's printf formats, onto the machine's console.

The formats are those of the page "DbgPrint": no floating point, and the Unicode ones only at PASSIVE_LEVEL. Text goes to
`Machine.console` exactly as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from wsklab.machine.api import HIGH_LEVEL, PASSIVE_LEVEL, wdk
from wsklab.machine.functions_memory import c_string, counted
from wsklab.machine.machine import Machine

_CONVERSION = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(hh|h|ll|l|I64|I32|I|w|z|t|j)?([a-zA-Z%])|(%)")
_BITS = {"hh": 8, "h": 16, "l": 32, "ll": 64, "I64": 64, "I32": 32, "I": 64, "z": 64, "t": 64, "j": 64, "w": 32, "": 32}


def formatted(m: Machine, template: str, arguments: tuple[int | float, ...]) -> str:
    """`template` with its conversions filled from `arguments`, as the kernel's printf does it.

    Stops with ``print-bad-format`` for a conversion that the kernel does not know or that has no argument, and with
    ``print-at-raised-irql`` for a Unicode conversion above PASSIVE_LEVEL.
    """
    left = iter(arguments)
    return _CONVERSION.sub(lambda found: _converted(m, template, found, left), template)


def _wrong(m: Machine, template: str, what: str) -> NoReturn:
    m.stop("print-bad-format", format=repr(template), what=what)


def _take(m: Machine, template: str, left: Iterator[int | float]) -> int:
    value = next(left, None)
    if value is None:
        _wrong(m, template, "a conversion has no argument")
    return int(value)


def _converted(m: Machine, template: str, found: re.Match[str], left: Iterator[int | float]) -> str:
    flags, width, precision, size, kind, lone = found.groups()
    text = found.group()
    if lone or kind is None:
        _wrong(m, template, "a % without a conversion")
    if kind == "%":
        return "%"
    columns = _take(m, template, left) if width == "*" else int(width or 0)
    digits = _take(m, template, left) if precision == "*" else (int(precision) if precision else None)
    if "." in text and precision is None:
        digits = 0
    if columns < 0:
        flags, columns = flags + "-", -columns
    value = _take(m, template, left)
    if kind in "diouxX":
        return _number(value, flags, columns, digits, _BITS[size or ""], kind)
    if kind in "pP":
        return _padded(f"{value & (1 << 64) - 1:016X}", flags, columns)
    body = _text(m, template, value, digits, size or "", kind)
    return _padded(body, flags, columns)


def _number(value: int, flags: str, columns: int, digits: int | None, bits: int, kind: str) -> str:
    value &= (1 << bits) - 1
    sign = ""
    if kind in "di":
        if value >> (bits - 1):
            value, sign = (1 << bits) - value, "-"
        elif "+" in flags or " " in flags:
            sign = "+" if "+" in flags else " "
    body = format(value, {"o": "o", "x": "x", "X": "X"}.get(kind, "d"))
    if "#" in flags and value and kind in "xX":
        sign += "0" + kind
    body = body.rjust(digits, "0") if digits is not None else body
    if "0" in flags and "-" not in flags and digits is None:
        body = body.rjust(columns - len(sign), "0")
    return _padded(sign + body, flags.replace("0", ""), columns)


def _padded(body: str, flags: str, columns: int) -> str:
    return body.ljust(columns) if "-" in flags else body.rjust(columns)


def _text(m: Machine, template: str, value: int, digits: int | None, size: str, kind: str) -> str:
    wide = size in ("w", "l") if kind in "scZ" else kind in "SC" and size != "h"
    if kind not in "scSCZ":
        _wrong(m, template, "a conversion is not supported in the kernel")
    if wide and m.irql > PASSIVE_LEVEL:
        m.stop("print-at-raised-irql", format=repr(template))
    if kind in "cC":
        return chr(value & (0xFFFF if wide else 0xFF))
    if not value:
        return "(null)"
    content = counted(m, value) if kind == "Z" else c_string(m, value, 2 if wide else 1, digits)
    shown = content.decode("utf-16-le" if wide else "utf-8", "replace")
    return shown if digits is None else shown[:digits]


def _print(m: Machine, function: str, template: int, arguments: tuple[int | float, ...]) -> int:
    text = formatted(m, c_string(m, template).decode("utf-8", "replace"), arguments)
    m.console.append(text)
    if m.trace.on:
        m.trace.add("print", function, actor="driver", target="io", where=m.caller(), text=text)
    return 0


@wdk(irql=HIGH_LEVEL, quiet=True)
def DbgPrint(m: Machine, Format: int, *arguments: int | float) -> int:
    """Write formatted text to the debugger's console."""
    return _print(m, "DbgPrint", Format, arguments)


@wdk(irql=HIGH_LEVEL, quiet=True)
def DbgPrintEx(m: Machine, ComponentId: int, Level: int, Format: int, *arguments: int | float) -> int:
    """Write formatted text to the debugger's console; every component and level is shown."""
    return _print(m, "DbgPrintEx", Format, arguments)


@wdk(irql=HIGH_LEVEL, quiet=True)
def sprintf(m: Machine, buffer: int, template: int, *arguments: int | float) -> int:
    """Format into a buffer; returns the number of characters before the terminator."""
    content = formatted(m, c_string(m, template).decode("utf-8", "replace"), arguments).encode("utf-8", "replace")
    m.write(buffer, content + b"\0")
    return len(content)


@wdk(irql=HIGH_LEVEL, quiet=True)
def _snprintf(m: Machine, buffer: int, count: int, template: int, *arguments: int | float) -> int:
    """Format into a buffer of `count` characters; -1, and no terminator, when the text does not fit."""
    content = formatted(m, c_string(m, template).decode("utf-8", "replace"), arguments).encode("utf-8", "replace")
    m.write(buffer, (content + b"\0")[:count])
    return len(content) if len(content) <= count else -1
