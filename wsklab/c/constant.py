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

from wsklab.c import types
from wsklab.c.types import DOUBLE, FLOAT, INT, LLONG, ULLONG, Array, CType, Function, Int, Pointer, Record

if TYPE_CHECKING:
    from wsklab.c.declare import Declarations

Typed = tuple[int, CType]
Known = tuple[int | float | None, CType]
"""Value and type of an expression whose value need not be constant."""


class NotConstant(ValueError):
    """The expression is not an integer constant expression."""


# Literals

INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uU]?(?:[lL]{1,2}|[iI](?:8|16|32|64))?|[lL]{1,2}[uU])$")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|([^\\])", re.DOTALL)
_SIMPLE = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
_BY_LONGS = (INT, types.UINT, types.LONG, types.ULONG, LLONG, ULLONG)
_SIZED = {"8": (types.CHAR, types.UCHAR), "16": (types.SHORT, types.USHORT), "32": (INT, types.UINT), "64": (LLONG, ULLONG)}


def integer_literal(text: str) -> tuple[int, Int]:
    """Value and type of an integer constant: the first type of the list for its base and suffix that holds it.

    Raises:
        ValueError: it is not an integer constant, or no type holds it.
    """
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
        return float(text.rstrip("fFlL")), FLOAT if text[-1] in "fF" else DOUBLE
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
    return b"".join(
        bytes([code & 0xFF]) if is_byte else chr(code).encode("utf-8", "surrogatepass") for code, is_byte in _codes(inside)
    )


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
    """Evaluates constant expressions over the names and types of `declarations`. Methods raise `NotConstant`."""

    def __init__(self, declarations: Declarations) -> None:
        self.declarations = declarations

    def value(self, node: Any) -> Typed:
        """Value and type of an expression node."""
        value, ctype = self.known(node)
        if not isinstance(value, int):
            raise NotConstant("the value is not constant")
        return value, ctype

    def known(self, node: Any) -> Known:
        """Type of an expression node and, if it is constant, its value."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise NotConstant(type(node).__name__)
        found: Known = method(node)
        return found

    def _Constant(self, node: Any) -> Known:
        value, ctype = literal(node)
        return None if isinstance(value, bytes) else value, ctype

    def _ID(self, node: Any) -> Known:
        symbol = self.declarations.lookup(node.name)
        if symbol is None:
            raise NotConstant(node.name)
        return symbol.value, symbol.type

    def _Cast(self, node: Any) -> Known:
        ctype = self.declarations.type_of(node.to_type)
        try:
            value = self.known(node.expr)[0]
        except NotConstant:
            value = None
        return (None if value is None or not isinstance(ctype, (Int, Pointer)) else convert(value, ctype)), ctype

    def _TernaryOp(self, node: Any) -> Known:
        chosen, other = (node.iftrue, node.iffalse) if self.value(node.cond)[0] else (node.iffalse, node.iftrue)
        value, ctype = self.value(chosen)
        try:
            common = usual(ctype, self.value(other)[1])
        except NotConstant:
            return value, ctype
        return (convert(value, common), common) if isinstance(common, Int) and isinstance(ctype, Int) else (value, ctype)

    def _UnaryOp(self, node: Any) -> Known:
        if node.op == "sizeof":
            return self.type_of(node.expr).size, types.SIZE_T
        if node.op in ("_Alignof", "__alignof"):
            return self.declarations.type_of(node.expr).align, types.SIZE_T
        if node.op == "*":
            return None, self._address(node)[1]
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

    def _BinaryOp(self, node: Any) -> Known:
        left, left_type = self.value(node.left)
        if node.op in ("&&", "||"):
            decided = bool(left) == (node.op == "||")
            return int(bool(left if decided else self.value(node.right)[0])), INT
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

    def _pointers(self, op: str, left: int, left_type: CType, right: int, right_type: CType) -> Known:
        if op in _COMPARISONS:
            return int(_COMPARISONS[op](left, right)), INT
        if op == "-" and isinstance(left_type, Pointer) and isinstance(right_type, Pointer):
            return (left - right) // left_type.to.size, LLONG
        if op in "+-" and isinstance(left_type, Pointer) and isinstance(right_type, Int):
            return convert(_ARITHMETIC[op](left, right * left_type.to.size), left_type), left_type
        raise NotConstant(op)

    def _FuncCall(self, node: Any) -> Known:
        if isinstance(node.name, c_ast.ID) and node.name.name == "offsetof":
            record, designator = node.args.exprs
            return self._address(designator, self.declarations.type_of(record))[0], types.SIZE_T
        function = self.known(node.name)[1]
        function = function.to if isinstance(function, Pointer) else function
        if not isinstance(function, Function):
            raise NotConstant("call")
        return None, function.returns

    def _StructRef(self, node: Any) -> Known:
        return None, self._address(node)[1]

    _ArrayRef = _StructRef

    def _address(self, node: Any, within: CType | None = None) -> tuple[int | None, CType]:
        """Type of an lvalue and, if it is constant, its address; `within` is what an offsetof designator starts from."""
        if isinstance(node, c_ast.StructRef):
            base, ctype = self._pointed(node.name) if node.type == "->" else self._address(node.name, within)
            offset, member = _field(ctype, node.field.name)
            return _plus(base, offset), member
        if isinstance(node, c_ast.ArrayRef):
            base, ctype = self._pointed(node.name, within)
            index = self.known(node.subscript)[0] if base is not None else None
            return _plus(base, index * ctype.size if isinstance(index, int) else None), ctype
        if isinstance(node, c_ast.UnaryOp) and node.op == "*":
            return self._pointed(node.expr)
        if within is not None:
            return _field(within, node.name)
        return None, self.known(node)[1]

    def _pointed(self, node: Any, within: CType | None = None) -> tuple[int | None, CType]:
        """The address that an array or pointer expression stands for, and the type there."""
        address, ctype = self._address(node, within)
        if isinstance(ctype, Array):
            return address, ctype.of
        if not isinstance(ctype, Pointer):
            raise NotConstant("not a pointer")
        value = self.known(node)[0] if within is None else None
        return (value if isinstance(value, int) else None), ctype.to

    def type_of(self, node: Any) -> CType:
        """Type of the operand of sizeof: a type name or an expression."""
        ctype = self.declarations.type_of(node) if isinstance(node, c_ast.Typename) else self.declarations.expression_type(node)
        if ctype is None:
            raise NotConstant("type unknown")
        return ctype

    def simple_type(self, node: Any) -> CType | None:
        """Type of an expression made of names, members, ``*``, ``&``, indices, calls, casts and constants; None for others."""
        try:
            return self.known(node)[1]
        except NotConstant:
            return None


def _field(ctype: CType, name: str) -> tuple[int, CType]:
    if not isinstance(ctype, Record) or name not in ctype.members:
        raise NotConstant(name)
    return ctype.members[name].offset, ctype.members[name].type


def _plus(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


class IfEvaluator(Evaluator):
    """Evaluates ``#if``: every number has 64 bits, every name that is left is 0."""

    def _Constant(self, node: Any) -> Known:
        value, ctype = super()._Constant(node)
        return value, ULLONG if isinstance(ctype, Int) and not ctype.signed else LLONG

    def _ID(self, node: Any) -> Known:
        return 0, LLONG
