"""C's conversions and the folding of constants, on typed trees.

Pure functions: they take checked expressions and give checked expressions. What a conversion has to complain about is
returned as a word (`pointer_trouble`), so that the caller can say where it happened.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from struct import pack, unpack

from wsklab.c import tree
from wsklab.c.constant import promote, usual
from wsklab.c.types import BOOL, INT, Array, CType, Float, Function, Int, Pointer, Record, Void

UNKNOWN = Int(4, True, "unknown", 3)
"""Type of an expression that was already complained about (compared by identity): no further problem is reported for it."""

_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}
COMPARISONS: dict[str, Callable[[int | float, int | float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def unknown(*expressions: tree.Expression) -> bool:
    """Whether one of the expressions was already complained about."""
    return any(e.type is UNKNOWN for e in expressions)


def is_scalar(ctype: CType) -> bool:
    """Arithmetic or pointer."""
    return isinstance(ctype, Int | Float | Pointer)


def is_arithmetic(ctype: CType) -> bool:
    """Integer or floating."""
    return isinstance(ctype, Int | Float)


def is_null(expression: tree.Expression) -> bool:
    """Whether this is a null pointer constant: 0, or 0 cast to ``void *``."""
    ctype = expression.type
    return (
        isinstance(expression, tree.Constant)
        and expression.value == 0
        and (isinstance(ctype, Int) or (isinstance(ctype, Pointer) and isinstance(ctype.to, Void)))
    )


def compatible(one: CType, other: CType) -> bool:
    """Whether objects of the two types look the same. Signedness of integers is not looked at, as in MSVC below /W4."""
    if isinstance(one, Int) and isinstance(other, Int):
        return one.bytes == other.bytes
    if isinstance(one, Pointer) and isinstance(other, Pointer):
        return compatible(one.to, other.to)
    if isinstance(one, Array) and isinstance(other, Array):
        return compatible(one.of, other.of) and (one.count == other.count or None in (one.count, other.count))
    if isinstance(one, Function) and isinstance(other, Function):
        return (
            compatible(one.returns, other.returns)
            and one.varargs == other.varargs
            and len(one.parameters) == len(other.parameters)
            and all(compatible(a.type, b.type) for a, b in zip(one.parameters, other.parameters, strict=True))
        )
    return one == other


def pointer_trouble(value: tree.Expression, target: CType) -> str | None:
    """What C says of `value` becoming `target` where it is assigned.

    Returns:
        None when all is well, ``"pointers"``, ``"from-int"`` or ``"to-int"`` for what compilers warn about, and
        ``"types"`` for what they refuse.
    """
    source = value.type
    if source is UNKNOWN or target is UNKNOWN or (is_arithmetic(source) and is_arithmetic(target)):
        return None
    if isinstance(target, Pointer):
        if isinstance(source, Pointer):
            either_void = isinstance(source.to, Void) or isinstance(target.to, Void)
            return None if either_void or compatible(source.to, target.to) else "pointers"
        if isinstance(source, Int):
            return None if is_null(value) else "from-int"
    if isinstance(source, Pointer) and isinstance(target, Int):
        return None if target.rank == 0 else "to-int"
    if isinstance(target, Record) and source == target:
        return None
    return "types"


def convert(value: tree.Expression, target: CType) -> tree.Expression:
    """`value` converted to `target`, folded when it is a constant. Nothing is checked."""
    source = value.type
    if source is UNKNOWN or target is UNKNOWN or isinstance(target, Record | Array | Function):
        return value
    if isinstance(value, tree.Constant) and is_scalar(target):
        return tree.Constant(target, value.at, converted(value.value, target))
    if source == target and not isinstance(source, Int):
        value.type = target  # another typedef name, or the same pointer
        return value
    if isinstance(source, Int) and isinstance(target, Int) and source == target and (source.rank == 0) == (target.rank == 0):
        return value
    return tree.Cast(target, value.at, value)


def converted(value: int | float, target: CType) -> int | float:
    """A number as `target` holds it."""
    if isinstance(target, Float):
        number = float(value)
        return number if target.bytes == 8 else float(unpack("<f", pack("<f", number))[0])
    if isinstance(target, Int):
        return int(bool(value)) if _is_bool(target) else target.wrap(int(value))
    return int(value) & 0xFFFF_FFFF_FFFF_FFFF


def _is_bool(ctype: Int) -> bool:
    return ctype.rank == BOOL.rank


def fold_binary(op: str, left: tree.Expression, right: tree.Expression, ctype: CType) -> tree.Expression:
    """``left op right`` on operands that already have the type `ctype` (the count of a shift keeps its own)."""
    if isinstance(left, tree.Constant) and isinstance(right, tree.Constant):
        a, b = left.value, right.value
        if isinstance(ctype, Float):
            if op in "+-*" or b:
                result = {"+": a + b, "-": a - b, "*": a * b}[op] if op in "+-*" else a / b
                return tree.Constant(ctype, left.at, converted(result, ctype))
        elif isinstance(ctype, Int) and isinstance(a, int) and isinstance(b, int):
            folded = _fold_integers(op, a, b, ctype)
            if folded is not None:
                return tree.Constant(ctype, left.at, folded)
    return tree.Binary(ctype, left.at, op, left, right)


def _fold_integers(op: str, a: int, b: int, ctype: Int) -> int | None:
    if op in "/%":
        if b == 0:
            return None
        quotient = abs(a) // abs(b) if (a < 0) == (b < 0) else -(abs(a) // abs(b))
        return ctype.wrap(quotient if op == "/" else a - b * quotient)
    if op in ("<<", ">>") and not 0 <= b < ctype.bits:
        return None
    return ctype.wrap(_ARITHMETIC[op](a, b))


def fold_comparison(op: str, left: tree.Expression, right: tree.Expression) -> tree.Expression:
    """``left op right`` on operands of one type."""
    if isinstance(left, tree.Constant) and isinstance(right, tree.Constant):
        return tree.Constant(INT, left.at, int(COMPARISONS[op](left.value, right.value)))
    return tree.Comparison(INT, left.at, op, left, right)


def fold_unary(op: str, operand: tree.Expression) -> tree.Expression:
    """``-`` or ``~`` of a promoted operand."""
    ctype = operand.type
    if isinstance(operand, tree.Constant):
        value = operand.value
        if isinstance(ctype, Int) and isinstance(value, int):
            return tree.Constant(ctype, operand.at, ctype.wrap(-value if op == "-" else ~value))
        return tree.Constant(ctype, operand.at, -value)
    return tree.Unary(ctype, operand.at, op, operand)


def promoted(value: tree.Expression) -> tree.Expression:
    """The integer promotions."""
    if value.type is UNKNOWN:
        return value
    return convert(value, INT if _is_small_field(value) else promote(value.type))


def _is_small_field(value: tree.Expression) -> bool:
    """Whether this is a bit-field whose values all fit into int: C promotes it to int, whatever its declared type."""
    field = value.target if isinstance(value, tree.Assign | tree.PostStep) else value
    if not isinstance(field, tree.Memory) or field.bit_width is None or not isinstance(field.type, Int):
        return False
    return field.type.bytes <= 4 and field.bit_width + (not field.type.signed) <= 32


def balanced(left: tree.Expression, right: tree.Expression) -> tuple[tree.Expression, tree.Expression, CType]:
    """The usual arithmetic conversions."""
    if unknown(left, right):
        return left, right, UNKNOWN
    left, right = (promoted(side) if _is_small_field(side) else side for side in (left, right))
    common = usual(left.type, right.type)
    return convert(left, common), convert(right, common), common


def decay(expression: tree.Expression) -> tree.Expression:
    """An array becomes the address of its first element, a function its address; anything else stays."""
    ctype = expression.type
    if isinstance(ctype, Array):
        address = address_of(expression)
        return retyped(address, Pointer(ctype.of))
    if isinstance(ctype, Function) and isinstance(expression, tree.FunctionAddress):
        return retyped(expression, Pointer(ctype))
    return expression


def address_of(expression: tree.Expression) -> tree.Expression:
    """The address of an object in memory; a record-typed or array-typed value is its own address."""
    if isinstance(expression, tree.Memory):
        return moved(expression.base, expression.offset, Pointer(expression.type))
    return expression


def moved(base: tree.Expression, offset: int, ctype: CType) -> tree.Expression:
    """`base` + `offset` bytes, of pointer type `ctype`; offsets are added up and constants folded."""
    if isinstance(base, tree.Offset):
        offset += base.bytes
        base = base.base
    if isinstance(base, tree.Constant):
        return tree.Constant(ctype, base.at, converted(base.value + offset, ctype))
    return tree.Offset(ctype, base.at, base, offset) if offset else retyped(base, ctype)


_ADDRESSES = tree.Constant | tree.Offset | tree.Element | tree.LocalAddress | tree.GlobalAddress | tree.StringAddress


def retyped(expression: tree.Expression, ctype: CType) -> tree.Expression:
    """The same address as another pointer type."""
    return (
        replace(expression, type=ctype)
        if isinstance(expression, _ADDRESSES | tree.FunctionAddress)
        else tree.Cast(ctype, expression.at, expression)
    )


def element(base: tree.Expression, index: tree.Expression, scale: int, ctype: CType) -> tree.Expression:
    """`base` + `index` * `scale` bytes, of pointer type `ctype`; a constant index is folded."""
    if isinstance(index, tree.Constant):
        return moved(base, int(index.value) * scale, ctype)
    return tree.Element(ctype, base.at, base, index, scale)


def member(base: tree.Expression, offset: int, ctype: CType, bit_offset: int = 0, bit_width: int | None = None) -> tree.Memory:
    """What lies `offset` bytes behind the address `base`."""
    if isinstance(base, tree.Offset):
        offset += base.bytes
        base = base.base
    return tree.Memory(ctype, base.at, base, offset, bit_offset, bit_width)


def string_array(data: bytes, ctype: CType) -> bytes:
    """The bytes of a string literal as an array of type `ctype` holds them: padded with zeros, or cut."""
    return data[: ctype.size].ljust(ctype.size, b"\0")


def is_string_for(ctype: CType, literal: CType) -> bool:
    """Whether an array of type `ctype` can be initialised by a string literal of type `literal`."""
    if not isinstance(ctype, Array) or not isinstance(literal, Array):
        return False
    return isinstance(ctype.of, Int) and isinstance(literal.of, Int) and ctype.of.bytes == literal.of.bytes


def is_pure(e: tree.Expression) -> bool:
    """Whether an address can be computed twice: it calls, loads and changes nothing."""
    if isinstance(e, tree.Offset):
        return is_pure(e.base)
    if isinstance(e, tree.Element):
        return is_pure(e.base) and is_pure(e.index)
    if isinstance(e, tree.Cast):
        return is_pure(e.operand)
    if isinstance(e, tree.Binary):
        return is_pure(e.left) and is_pure(e.right)
    return isinstance(e, tree.LocalValue | tree.LocalAddress | tree.GlobalAddress | tree.Constant)
