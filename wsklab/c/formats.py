"""Formats of the printf family: whether the arguments are what a literal format prints. The kernel's conversions are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.parse import Gap
from wsklab.c.types import UNKNOWN, CType, Float, Function, Int, Pointer, Record, Void

if TYPE_CHECKING:
    from wsklab.c.expressions import Expressions

_CONVERSION = re.compile(r"%[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?(hh|h|ll|l|I64|I32|I|j|z|t|w|L)?([A-Za-z%])")
_LONG = {"ll", "I64", "I", "j", "z", "t"}
_KINDS = {"p": "%p", "Z": "%wZ", "s": "%s", "S": "%ws"}
_KINDS |= dict.fromkeys("diuxXocC", "integer") | dict.fromkeys("eEfgGaA", "float")


def check_format(body: Expressions, label: str, function: Function, given: list[Any]) -> None:
    """Warn about arguments that do not fit the literal format of a call."""
    at = len(function.parameters) - 1
    literal = given[at] if function.varargs and 0 <= at < len(given) else None
    text = literal.value if isinstance(literal, c_ast.Constant) else ""
    arguments = given[at + 1 :]
    named = at >= 0 and function.parameters[at].name.lower().endswith("format")
    if not named or not text.startswith('"') or "%!" in text or any(isinstance(argument, Gap) for argument in arguments):
        return
    wanted = list(_wanted(text))
    if len(wanted) != len(arguments):
        said = "The format of {name} wants {wanted} arguments, not {count}."
        body.problems.warning("format-arguments", literal, said, name=label, wanted=len(wanted), count=len(arguments))
    for (conversion, kind), argument in zip(wanted, arguments, strict=False):
        with body.unevaluated():
            ctype = body.value(argument).type
        right = _right(ctype)
        pointer = "any pointer" in right and kind.startswith("%")
        if kind and ctype is not UNKNOWN and kind not in right and not pointer:
            said, hint = "{conversion} does not print {type}.", "Write {right} instead."
            body.problems.warning("format-type", argument, said, hint, conversion=conversion, type=ctype, right=right[0])


def _wanted(text: str) -> Iterator[tuple[str, str]]:
    """Each conversion with the kind of its argument, and the numbers that its asterisks ask for."""
    for found in _CONVERSION.finditer(text):
        width, precision, size, letter = found.groups()
        yield from [(found[0], "integer")] * [width, precision].count("*")
        kind = _KINDS.get(letter, "")
        if letter != "%":
            kind = "%ws" if kind == "%s" and size in ("w", "l") else kind
            yield found[0], "long integer" if kind == "integer" and size in _LONG else kind


def _right(ctype: CType) -> tuple[str, ...]:
    """How a value is printed, and the other kinds that take it."""
    if isinstance(ctype, Int):
        sign = "d" if ctype.signed else "u"
        return (f"%ll{sign}", "long integer", "%p") if ctype.size == 8 else (f"%{sign}", "integer")
    if isinstance(ctype, Float):
        return "%f", "float"
    to = ctype.to if isinstance(ctype, Pointer) else None
    if isinstance(to, Int) and to.size < 4:
        return ("%s" if to.size == 1 else "%ws"), "%p"
    if isinstance(to, Record):
        return ("%wZ" if "UNICODE_STRING" in str(to) else "%Z" if "STRING" in str(to) else "%p"), "%wZ", "%p"
    return "%p", "any pointer" if isinstance(to, Void) else "%p"
