"""Literals and integer constant expressions.

Array sizes, enumerators, case labels, bit-field widths, header constants and ``#if`` have the value that the typed check folds
the expression to. Values are Python ints that are always in the range of their C type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c import types
from wsklab.c.source import Problem, Problems
from wsklab.c.types import DOUBLE, FLOAT, INT, LLONG, ULLONG, Array, CType, Int

if TYPE_CHECKING:
    from wsklab.c.declare import Declarations
    from wsklab.c.expressions import Expressions

Typed = tuple[int, CType]

# Literals

INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uU]?(?:[lL]{1,2}|[iI](?:8|16|32|64))?|[lL]{1,2}[uU])$")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|([^\\])", re.DOTALL)
_SIMPLE = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
_BY_LONGS = (INT, types.UINT, types.LONG, types.ULONG, LLONG, ULLONG)
_SIZED = {"8": (types.CHAR, types.UCHAR), "16": (types.SHORT, types.USHORT), "32": (INT, types.UINT), "64": (LLONG, ULLONG)}


def integer_literal(text: str) -> tuple[int, Int]:
    """Value and type of an integer constant, the first for its base and suffix that holds it. Raises ValueError if none."""
    match = INTEGER.match(text)
    if not match:
        raise ValueError(f"{text} is not an integer constant")
    digits, suffix = match[1].lower(), match[2].lower()
    octal = len(digits) > 1 and digits.isdigit() and digits[0] == "0"
    value = int(digits, 8 if octal else 0)
    unsigned = "u" in suffix
    if "i" in suffix:
        ctype = _SIZED[suffix.split("i")[1]][unsigned]
        return ctype.wrap(value), ctype
    decimal = digits.isdigit() and not octal
    for ctype in _BY_LONGS[2 * suffix.count("l") :]:
        if (not ctype.signed or not unsigned) and (ctype.signed or unsigned or not decimal) and value <= ctype.maximum:
            return value, ctype
    if value <= ULLONG.maximum:
        return value, ULLONG
    raise ValueError(f"{text} does not fit into 64 bits")


def character_literal(text: str) -> tuple[int, Int]:
    """Value and type of a character constant; of several characters the first is the most significant byte."""
    prefix, inside = text[:-1].split("'", 1)
    if prefix in ("L", "u", "U"):
        code = _codes(inside)[0][0]
        return (code, types.UINT) if prefix == "U" else (code & 0xFFFF, types.USHORT)
    data = _encoded(inside)
    return (types.CHAR.wrap(data[0]) if len(data) == 1 else INT.wrap(int.from_bytes(data[:4], "big"))), INT


def string_literal(text: str) -> tuple[bytes, Int]:
    """Bytes (with the final zero) and element type of a string constant, adjacent parts joined."""
    parts = [part[1:-1] for part in re.findall(r'"(?:[^"\\]|\\.)*"', text, re.DOTALL)]
    if text[0] == '"' or text.startswith("u8"):
        return b"".join(map(_encoded, parts)) + b"\0", types.CHAR
    data = b"".join(chr(code).encode("utf-16-le", "surrogatepass") for part in parts for code, _ in _codes(part))
    return data + b"\0\0", types.USHORT


def literal(node: Any) -> tuple[int | float | bytes, CType]:
    """Value and type of a pycparser ``Constant``; bytes and an array type for a string."""
    text = node.value
    if '"' in text and text[-1] == '"':
        data, element = string_literal(text)
        return data, Array(element, len(data) // element.size)
    if text[-1] == "'":
        return character_literal(text)
    if node.type in ("float", "double", "long double"):
        number = text.rstrip("fFlL")
        return float.fromhex(number) if number[:2] in ("0x", "0X") else float(number), FLOAT if text[-1] in "fF" else DOUBLE
    return integer_literal(text)


def _codes(inside: str) -> list[tuple[int, bool]]:
    """The characters between quotation marks, and of each whether it is written as the number of a byte."""
    found = []
    for hexadecimal, octal, short, long, simple, plain in ESCAPE.findall(inside):
        if plain or simple:
            found.append((ord(plain) if plain else _SIMPLE.get(simple, ord(simple)), False))
        else:
            found.append((int(octal, 8) if octal else int(hexadecimal or short or long, 16), bool(hexadecimal or octal)))
    return found


def _encoded(inside: str) -> bytes:
    """UTF-8 of the characters; numeric escapes are bytes."""
    codes = _codes(inside)
    return b"".join(bytes([code & 0xFF]) if byte else chr(code).encode("utf-8", "surrogatepass") for code, byte in codes)


# Conversions


def promote(ctype: CType) -> CType:
    """The integer promotions: what is narrower than int becomes int."""
    return INT if isinstance(ctype, Int) and ctype.rank < 3 else ctype


def usual(left: CType, right: CType) -> CType:
    """The usual arithmetic conversions of two arithmetic types."""
    for ctype in (DOUBLE, FLOAT):
        if ctype in (left, right):
            return ctype
    left, right = promote(left), promote(right)
    if not isinstance(left, Int) or not isinstance(right, Int):
        return left if isinstance(right, Int) else right
    if left.signed == right.signed:
        return left if left.rank >= right.rank else right
    signed, unsigned = (left, right) if left.signed else (right, left)
    if unsigned.rank >= signed.rank:
        return unsigned
    if signed.bytes > unsigned.bytes:
        return signed
    return types.ULONG if signed.rank == 4 else ULLONG


# Constant expressions


def evaluate(declarations: Declarations, node: Any) -> Typed:
    """Value and type of an integer constant expression. Raises ValueError with a sentence if it is none."""
    expressions = _expressions(declarations, node)
    found = expressions.value(node)
    if expressions.problems.errors:
        first = expressions.problems.errors[0]
        raise ValueError(first.message, first)
    if isinstance(found.constant, int):
        return found.constant, found.type
    divides = isinstance(node, c_ast.BinaryOp) and node.op in ("/", "%")
    divided = divides and expressions.value(node.right).constant == 0
    raise ValueError("division by zero" if divided else "the value is not constant")


def complaints(declarations: Declarations, node: Any) -> list[Problem]:
    """What is wrong in an expression of which `evaluate` knows no value."""
    expressions = _expressions(declarations, node)
    expressions.value(node)
    return expressions.problems.errors


def element_count(declarations: Declarations, element: CType, init: Any) -> int | None:
    """Number of elements that an initialiser gives to an array of unknown size; None if it gives none."""
    from wsklab.c.initialisers import count

    return count(_expressions(declarations, init), element, init)


def _expressions(declarations: Declarations, node: Any) -> Expressions:
    """A check that reports to nobody."""
    from wsklab.c.expressions import Expressions

    return Expressions("", declarations, Problems(), node)
