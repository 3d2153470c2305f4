"""Literals and integer constant expressions.

The same arithmetic serves array sizes, enumerators, case labels, bit-field widths, ``sizeof`` and ``offsetof``, header
constants and ``#if``. Values are Python ints that are always in the range of their C type.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.types import (
    CHAR,
    DOUBLE,
    FLOAT,
    INT,
    LLONG,
    LONG,
    SHORT,
    SIZE_T,
    UCHAR,
    UINT,
    ULLONG,
    ULONG,
    USHORT,
    Array,
    CType,
    Float,
    Function,
    Int,
    Pointer,
    Record,
)  # fmt: skip

if TYPE_CHECKING:
    from wsklab.c.declare import Declarations

Typed = tuple[int, CType]


class NotConstant(ValueError):
    """The expression is not an integer constant expression."""


# Literals

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([a-zA-Z]\w*)?$")
_SIZED = {"8": (CHAR, UCHAR), "16": (SHORT, USHORT), "32": (INT, UINT), "64": (LLONG, ULLONG)}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|([^\\])", re.DOTALL)
_SIMPLE = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}


def integer_literal(text: str) -> tuple[int, Int]:
    """Value and type of an integer constant: the first type of the list for its base and suffix that holds it.

    Raises:
        ValueError: it is not an integer constant, or no type holds it.
    """
    match = _INTEGER.match(text)
    if not match:
        raise ValueError(f"{text} is not an integer constant")
    digits, suffix = match[1].lower(), (match[2] or "").lower()
    octal = len(digits) > 1 and digits.isdigit() and digits[0] == "0"
    value = int(digits, 8) if octal else int(digits, 0)
    unsigned = "u" in suffix
    if "i" in suffix:
        ctype = _SIZED[suffix.split("i")[1]][unsigned]
        return ctype.wrap(value), ctype
    longs = suffix.count("l")
    choices = {0: (INT, UINT, LONG, ULONG, LLONG, ULLONG), 1: (LONG, ULONG, LLONG, ULLONG), 2: (LLONG, ULLONG)}[longs]
    decimal = digits.isdigit() and not octal
    for ctype in choices:
        if unsigned <= (not ctype.signed) and (ctype.signed or unsigned or not decimal) and value <= ctype.maximum:
            return value, ctype
    if value <= ULLONG.maximum:
        return value, ULLONG
    raise ValueError(f"{text} does not fit into 64 bits")


def float_literal(text: str) -> tuple[float, Float]:
    """Value and type of a floating constant."""
    return float(text.rstrip("fFlL")), FLOAT if text[-1] in "fF" else DOUBLE


def character_literal(text: str) -> tuple[int, Int]:
    """Value and type of a character constant; of several characters the first is the most significant byte."""
    prefix, inside = text[:-1].split("'", 1)
    codes = _codes(inside)
    if prefix in ("L", "u"):
        return codes[0] & 0xFFFF, USHORT
    if prefix == "U":
        return codes[0], UINT
    data = _encoded(inside)
    return (CHAR.wrap(data[0]) if len(data) == 1 else INT.wrap(int.from_bytes(data[:4], "big"))), INT


def string_literal(text: str) -> tuple[bytes, Int]:
    """Bytes (with the final zero) and element type of a string constant, adjacent parts joined."""
    wide = text[0] in "LuU" and not text.startswith("u8")
    parts = [part[1:-1] for part in re.findall(r'"(?:[^"\\]|\\.)*"', text, re.DOTALL)]
    if not wide:
        return b"".join(map(_encoded, parts)) + b"\0", CHAR
    data = b"".join(chr(code).encode("utf-16-le", "surrogatepass") for part in parts for code in _codes(part))
    return data + b"\0\0", USHORT


def literal(node: Any) -> tuple[int | float | bytes, CType]:
    """Value and type of a pycparser ``Constant``; bytes and an array type for a string."""
    text = node.value
    if '"' in text and text[-1] == '"':
        data, element = string_literal(text)
        return data, Array(element, len(data) // element.size)
    if text[-1] == "'":
        return character_literal(text)
    if node.type in ("float", "double", "long double"):
        return float_literal(text)
    return integer_literal(text)


def _codes(inside: str) -> list[int]:
    return [_code(match) for match in _ESCAPE.finditer(inside)]


def _code(match: re.Match[str]) -> int:
    hexadecimal, octal, short, long, simple, plain = match.groups()
    if plain is not None:
        return ord(plain)
    if simple is not None:
        return _SIMPLE.get(simple, ord(simple))
    return int(octal, 8) if octal else int(hexadecimal or short or long, 16)


def _encoded(inside: str) -> bytes:
    """UTF-8 of the characters; numeric escapes are bytes."""
    data = bytearray()
    for match in _ESCAPE.finditer(inside):
        code = _code(match)
        if match[1] or match[2]:
            data.append(code & 0xFF)
        else:
            data += chr(code).encode("utf-8", "surrogatepass")
    return bytes(data)


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
    return ULONG if signed.rank == 4 else ULLONG


def convert(value: float, ctype: CType) -> int:
    """`value` as an integer or pointer of type `ctype`, wrapped as C does it."""
    if isinstance(ctype, Int):
        return int(bool(value)) if ctype.name == "_Bool" else ctype.wrap(int(value))
    return int(value) & 0xFFFF_FFFF_FFFF_FFFF


# Constant expressions


def _divide(left: int, right: int) -> int:
    if not right:
        raise NotConstant("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divide, "%": lambda a, b: a - b * _divide(a, b),
    "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Evaluator:
    """Evaluates constant expressions over `declarations`. Methods raise `NotConstant`."""

    def __init__(self, declarations: Declarations) -> None:
        """Evaluate with the names and types of `declarations`."""
        self.declarations = declarations

    def value(self, node: Any) -> Typed:
        """Value and type of an expression node."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise NotConstant(type(node).__name__)
        result: Typed = method(node)
        return result

    def _Constant(self, node: Any) -> Typed:
        value, ctype = literal(node)
        if not isinstance(value, int):
            raise NotConstant(node.value)
        return value, ctype

    def _ID(self, node: Any) -> Typed:
        symbol = self.declarations.lookup(node.name)
        if symbol is None or symbol.value is None:
            raise NotConstant(node.name)
        return symbol.value, symbol.type

    def _Cast(self, node: Any) -> Typed:
        ctype = self.declarations.type_of(node.to_type)
        if isinstance(node.expr, c_ast.Constant):
            number, _ = literal(node.expr)
            if isinstance(number, float):
                return convert(number, ctype), ctype
        value, _ = self.value(node.expr)
        if not isinstance(ctype, (Int, Pointer)):
            raise NotConstant("cast")
        return convert(value, ctype), ctype

    def _TernaryOp(self, node: Any) -> Typed:
        chosen = node.iftrue if self.value(node.cond)[0] else node.iffalse
        value, ctype = self.value(chosen)
        try:
            other = self.value(node.iffalse if chosen is node.iftrue else node.iftrue)[1]
        except NotConstant:
            return value, ctype
        common = usual(ctype, other) if isinstance(ctype, Int) and isinstance(other, Int) else ctype
        return convert(value, common), common

    def _UnaryOp(self, node: Any) -> Typed:
        if node.op == "sizeof":
            return self.type_of(node.expr).size, SIZE_T
        if node.op in ("_Alignof", "__alignof"):
            return self.declarations.type_of(node.expr).align, SIZE_T
        if node.op == "&":
            address, ctype = self._address(node.expr)
            return address, Pointer(ctype)
        value, ctype = self.value(node.expr)
        if node.op == "!":
            return int(not value), INT
        ctype = promote(ctype)
        if node.op not in ("-", "+", "~") or not isinstance(ctype, Int):
            raise NotConstant(node.op)
        return ctype.wrap({"-": -value, "+": value, "~": ~value}[node.op]), ctype

    def _BinaryOp(self, node: Any) -> Typed:
        left, left_type = self.value(node.left)
        if node.op in ("&&", "||"):
            decided = bool(left) == (node.op == "||")
            return (int(bool(left)) if decided else int(bool(self.value(node.right)[0]))), INT
        right, right_type = self.value(node.right)
        if node.op in ("<<", ">>"):
            ctype = promote(left_type)
            if not isinstance(ctype, Int) or not 0 <= right < ctype.bits:
                raise NotConstant("shift")
            return ctype.wrap(left << right if node.op == "<<" else left >> right), ctype
        if not isinstance(left_type, Int) or not isinstance(right_type, Int):
            return self._pointers(node.op, left, left_type, right, right_type)
        common = usual(left_type, right_type)
        left, right = convert(left, common), convert(right, common)
        if node.op in _COMPARISONS:
            return int(_COMPARISONS[node.op](left, right)), INT
        return convert(_ARITHMETIC[node.op](left, right), common), common

    def _pointers(self, op: str, left: int, left_type: CType, right: int, right_type: CType) -> Typed:
        if op in _COMPARISONS:
            return int(_COMPARISONS[op](left, right)), INT
        if op == "-" and isinstance(left_type, Pointer) and isinstance(right_type, Pointer):
            return (left - right) // left_type.to.size, LLONG
        if op in "+-" and isinstance(left_type, Pointer) and isinstance(right_type, Int):
            step = right * left_type.to.size
            return convert(left + step if op == "+" else left - step, left_type), left_type
        raise NotConstant(op)

    def _FuncCall(self, node: Any) -> Typed:
        if not isinstance(node.name, c_ast.ID) or node.name.name != "offsetof":
            raise NotConstant("call")
        record, designator = node.args.exprs
        return self._member(self.declarations.type_of(record), designator)[0], SIZE_T

    def _member(self, ctype: CType, designator: Any) -> tuple[int, CType]:
        """Offset and type of an offsetof designator in `ctype`."""
        if isinstance(designator, c_ast.ID):
            return self._field(ctype, designator.name)
        if isinstance(designator, c_ast.ArrayRef):
            offset, array = self._member(ctype, designator.name)
            if not isinstance(array, Array):
                raise NotConstant("index")
            return offset + self.value(designator.subscript)[0] * array.of.size, array.of
        offset, inner = self._member(ctype, designator.name)
        more, inner = self._field(inner, designator.field.name)
        return offset + more, inner

    def _field(self, ctype: CType, name: str) -> tuple[int, CType]:
        if not isinstance(ctype, Record) or name not in ctype.members:
            raise NotConstant(name)
        return ctype.members[name].offset, ctype.members[name].type

    def _address(self, node: Any) -> Typed:
        """Address and type of an lvalue at a constant address, as in ``&((T *)0)->m``."""
        if isinstance(node, c_ast.StructRef):
            base, ctype = self.value(node.name) if node.type == "->" else self._address(node.name)
            if node.type == "->" and isinstance(ctype, Pointer):
                ctype = ctype.to
            offset, member = self._field(ctype, node.field.name)
            return base + offset, member
        if isinstance(node, c_ast.ArrayRef):
            base, ctype = self._decayed(node.name)
            return base + self.value(node.subscript)[0] * ctype.size, ctype
        if isinstance(node, c_ast.UnaryOp) and node.op == "*":
            return self._decayed(node.expr)
        raise NotConstant("address")

    def _decayed(self, node: Any) -> Typed:
        """The address that an array or pointer expression stands for, and the type there."""
        try:
            base, ctype = self._address(node)
        except NotConstant:
            base, ctype = self.value(node)
        if isinstance(ctype, (Array, Pointer)):
            return base, ctype.of if isinstance(ctype, Array) else ctype.to
        raise NotConstant("not a pointer")

    def type_of(self, node: Any) -> CType:
        """Type of the operand of sizeof: a type name or an expression."""
        if isinstance(node, c_ast.Typename):
            return self.declarations.type_of(node)
        ctype = self.declarations.expression_type(node)
        if ctype is None:
            raise NotConstant("type unknown")
        return ctype

    def simple_type(self, node: Any) -> CType | None:
        """Type of an expression made of names, members, ``*``, ``&``, indices, casts and constants; None for others."""
        if isinstance(node, c_ast.ID):
            symbol = self.declarations.lookup(node.name)
            return symbol.type if symbol else None
        if isinstance(node, c_ast.Constant):
            return literal(node)[1]
        if isinstance(node, c_ast.Cast):
            return self.declarations.type_of(node.to_type)
        if isinstance(node, c_ast.StructRef):
            base = self.simple_type(node.name)
            record = _pointed(base) if node.type == "->" else base
            member = record.members.get(node.field.name) if isinstance(record, Record) else None
            return member.type if member else None
        if isinstance(node, c_ast.ArrayRef) or (isinstance(node, c_ast.UnaryOp) and node.op == "*"):
            return _pointed(self.simple_type(node.name if isinstance(node, c_ast.ArrayRef) else node.expr))
        if isinstance(node, c_ast.UnaryOp) and node.op == "&":
            inner = self.simple_type(node.expr)
            return Pointer(inner) if inner else None
        if isinstance(node, c_ast.FuncCall):
            function = self.simple_type(node.name)
            function = _pointed(function) if isinstance(function, Pointer) else function
            return function.returns if isinstance(function, Function) else None
        try:
            return self.value(node)[1]
        except NotConstant:
            return None


def _pointed(ctype: CType | None) -> CType | None:
    if isinstance(ctype, Pointer):
        return ctype.to
    return ctype.of if isinstance(ctype, Array) else None


class IfEvaluator(Evaluator):
    """Evaluates ``#if``: every number has 64 bits, every name that is left is 0."""

    def _Constant(self, node: Any) -> Typed:
        value, ctype = super()._Constant(node)
        return value, ULLONG if isinstance(ctype, Int) and not ctype.signed else LLONG

    def _ID(self, node: Any) -> Typed:
        return 0, LLONG
