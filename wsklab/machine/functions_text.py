"""What formats text: DbgPrint, trace messages and the printf family, whose buffers and va_lists are C (wdmrtl.h, stdio.h).

The formats are those of the page "DbgPrint": no floating point in the kernel's own functions, and the Unicode ones only at
PASSIVE_LEVEL. Text goes to `Machine.console` exactly as written.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from wsklab.machine.api import PASSIVE_LEVEL, quiet
from wsklab.machine.functions_memory import c_string, c_text, counted
from wsklab.machine.machine import Machine
from wsklab.machine.memory import UNMAPPED
from wsklab.machine.status import name_of

_CONVERSION = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(hh|h|ll|l|L|I64|I32|I|w|z|t|j)?([a-zA-Z%])|%!(\w+)!|(%)")
_WIDEST = 10_000  # columns or digits of one conversion
_BITS = {"hh": 8, "h": 16, "ll": 64, "I64": 64, "I": 64, "z": 64, "t": 64, "j": 64}


def formatted(
    m: Machine, template: str, arguments: Iterable[int | float], *, wide: bool = False, floats: bool = False, trace: bool = False
) -> str:
    """`template` with its conversions filled from `arguments`, as the kernel's printf does it.

    A `wide` template's ``%s`` is a wide string; `floats` allows floating point, `trace` the ``%!STATUS!`` of trace messages.
    Stops with ``print-bad-format`` for a conversion that the function does not know or that has no argument, and with
    ``print-at-raised-irql`` for a Unicode conversion above PASSIVE_LEVEL.
    """
    left = iter(arguments)

    def wrong(what: str) -> NoReturn:
        m.stop("print-bad-format", format=repr(template), what=what)

    def take() -> int | float:
        value = next(left, None)
        if value is None:
            wrong("a conversion has no argument")
        return value

    def converted(found: re.Match[str]) -> str:
        flags, width, precision, size, kind, name, lone = found.groups()
        if lone or (name and not trace):
            wrong("a % without a conversion")
        if name:
            return _trace_word(m, name, take)
        if kind == "%":
            return "%"
        columns = int(take()) if width == "*" else int(width or 0)
        digits = int(take()) if precision == "*" else int(precision or 0) if "." in found.group() else None
        if columns < 0:
            flags, columns = flags + "-", -columns
        columns, digits = min(columns, _WIDEST), digits and min(digits, _WIDEST)
        if kind in "diouxX":
            body = _number(int(take()), flags, columns, digits, _BITS.get(size, 32), kind)
        elif kind in "pP":
            body = f"{int(take()) & (1 << 64) - 1:016X}"
        elif kind in "scSCZ":
            is_wide = size in ("w", "l") or (size != "h" and kind != "Z" and (kind in "SC") != wide)
            body = _text(m, template, int(take()), digits, kind, wide=is_wide)
        elif kind in "eEfFgG" and floats:
            return f"%{flags}{columns or ''}{'' if digits is None else f'.{digits}'}{kind}" % _as_float(take())
        else:
            wrong("a conversion is not supported in the kernel")
        return body.ljust(columns) if "-" in flags else body.rjust(columns)

    return _CONVERSION.sub(converted, template)


def _as_float(value: int | float) -> float:
    """An argument that is a double, from its slot of a va_list if it is a number of 64 bits."""
    return value if isinstance(value, float) else float(struct.unpack("<d", struct.pack("<Q", value & (1 << 64) - 1))[0])


def _trace_word(m: Machine, name: str, take: Callable[[], int | float]) -> str:
    """A conversion of the trace preprocessor: some stand for the place, the others take a number."""
    where = m.caller()
    if name in ("FUNC", "LINE", "FILE"):
        return str({"FUNC": where.function, "LINE": where.line, "FILE": where.file}[name]) if where else ""
    value = int(take()) & 0xFFFF_FFFF
    return f"0x{value:08x}({name_of(value)})" if name in ("STATUS", "NTSTATUS") else f"0x{value:08x}"


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


def _text(m: Machine, template: str, value: int, digits: int | None, kind: str, *, wide: bool) -> str:
    if wide and m.irql > PASSIVE_LEVEL:
        m.stop("print-at-raised-irql", format=repr(template))
    if kind in "cC":
        return chr(value & (0xFFFF if wide else 0xFF))
    if not value:
        return "(null)"
    content = counted(m, value) if kind == "Z" else c_string(m, value, 2 if wide else 1, digits)
    return content.decode("utf-16-le" if wide else "utf-8", "replace")[:digits]


def _slots(m: Machine, arguments: int) -> Iterator[int]:
    """The arguments of a va_list as numbers of 64 bits, up to the last one that was passed."""
    while m.memory.peek(arguments, 1)[1] != bytes([UNMAPPED]):
        yield m.u64(arguments)
        arguments += 8


def _print(m: Machine, function: str, text: str) -> int:
    m.console.append(text)
    m.trace.add("print", function, actor="driver", target="io", here=True, text=text)
    return len(text)


@quiet()
def DbgPrint(m: Machine, Format: int, *arguments: int | float) -> int:
    """Write formatted text to the debugger's console."""
    return _print(m, "DbgPrint", formatted(m, c_text(m, Format), arguments)) * 0


@quiet()
def DbgPrintEx(m: Machine, ComponentId: int, Level: int, Format: int, *arguments: int | float) -> int:
    """Write formatted text to the debugger's console; every component and level is shown."""
    return _print(m, "DbgPrintEx", formatted(m, c_text(m, Format), arguments)) * 0


@quiet()
def vDbgPrintEx(m: Machine, ComponentId: int, Level: int, Format: int, arglist: int) -> int:
    """Write formatted text to the debugger's console, from a va_list."""
    return _print(m, "vDbgPrintEx", formatted(m, c_text(m, Format), _slots(m, arglist))) * 0


@quiet()
def wsklab_trace_message(m: Machine, Format: int, *arguments: int | float) -> None:
    """A trace message: a line on the console."""
    _print(m, "DoTraceMessage", formatted(m, c_text(m, Format), arguments, trace=True) + "\n")


@quiet()
def printf(m: Machine, format: int, *arguments: int | float) -> int:
    """Write formatted text to the console, from a program with a main."""
    return _print(m, "printf", formatted(m, c_text(m, format), arguments, floats=True))


@quiet()
def vprintf(m: Machine, format: int, arguments: int) -> int:
    """Write formatted text to the console, from a va_list."""
    return _print(m, "vprintf", formatted(m, c_text(m, format), _slots(m, arguments), floats=True))


@quiet()
def wsklab_write(m: Machine, Data: int, Size: int) -> None:
    """Write bytes to the console."""
    m.console.append(m.read(Data, Size).decode("utf-8", "replace") if Size else "")


@quiet()
def wsklab_format(m: Machine, Buffer: int, Count: int, Width: int, Format: int, arguments: int, Floats: int) -> int:
    """Format into a buffer of Count characters of Width bytes; the terminator is written if there is room for it.

    Returns the number of characters of the whole text.
    """
    template = c_string(m, Format, Width).decode("utf-16-le" if Width == 2 else "utf-8", "replace")
    text = formatted(m, template, _slots(m, arguments), wide=Width == 2, floats=bool(Floats))
    content = text.encode("utf-16-le" if Width == 2 else "utf-8", "replace")
    if Count:
        m.write(Buffer, (content + bytes(Width))[: Count * Width])
    return len(content) // Width
