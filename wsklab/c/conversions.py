"""C's conversions and arithmetic on values; known numbers are folded.

Python's ``+ - *`` agree with C's modulo the width of the type, so a whole sum is computed first and wrapped once. Division
truncates toward zero; what C leaves undefined stops the run. Nothing here is checked: the caller knows what C allows.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import replace

from wsklab.c import python as py
from wsklab.c.constant import promote, usual
from wsklab.c.support import divide, to_single, whole
from wsklab.c.types import INT, CType, Float, Int, Pointer
from wsklab.c.values import BIT, KEPT, MASK, UNKNOWN, Range, Value, is_bool, is_scalar, number, possible, settled, truth, unknown

_WIDEST = 1 << 128
_FOLD: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": divide, "%": lambda a, b: a - b * divide(a, b),
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[int | float, int | float], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def converted(value: int | float, target: CType) -> int | float:
    """A known number as `target` holds it."""
    if isinstance(target, Float):
        return float(value) if target.bytes == 8 else to_single(value)
    if isinstance(target, Int):
        return int(bool(value)) if is_bool(target) else target.wrap(whole(value))
    return whole(value) & MASK


def convert(v: Value, target: CType) -> Value:
    """`v` converted to `target`."""
    source = v.type
    if source is UNKNOWN or target is UNKNOWN or not is_scalar(target):
        return v
    if v.constant is not None:
        return number(target, v.at, converted(v.constant, target))
    if isinstance(target, Float):
        node = v.node if isinstance(source, Float) else py.call("float·", settled(v))
        return Value(target, v.at, node if source == target else _rounded(node, target))
    if isinstance(target, Pointer):
        if not isinstance(source, Int):
            return replace(v, type=target)
        return Value(target, v.at, settled(v) if possible(v)[0] >= 0 else py.binary(settled(v), "&", MASK))
    if is_bool(target) and not is_bool(source):
        return Value(target, v.at, truth(v), BIT, truth=True)
    if isinstance(source, Float):
        return Value(target, v.at, py.call("int·", v.node), (-_WIDEST, _WIDEST))
    if v.truth or (isinstance(source, Int) and target.size <= source.size):
        return replace(v, type=target, bits=None)
    return Value(target, v.at, settled(v), possible(v))


def _rounded(node: ast.expr, ctype: Float) -> ast.expr:
    return py.call("single·", node) if ctype.bytes == 4 else node


def promoted(v: Value) -> Value:
    """The integer promotions."""
    return v if unknown(v) else convert(v, INT if _is_small_field(v) else promote(v.type))


def _is_small_field(v: Value) -> bool:
    """Whether this is a bit-field whose values all fit into int: C promotes it to int, whatever its declared type."""
    return v.bits is not None and isinstance(v.type, Int) and v.type.bytes <= 4 and v.bits + (not v.type.signed) <= 32


def balanced(left: Value, right: Value) -> tuple[Value, Value, CType]:
    """The usual arithmetic conversions."""
    if unknown(left, right):
        return left, right, UNKNOWN
    left, right = (promoted(side) if _is_small_field(side) else side for side in (left, right))
    common = usual(left.type, right.type)
    return convert(left, common), convert(right, common), common


# Operators on operands of one type


def comparison(op: str, left: Value, right: Value) -> Value:
    """``left op right``; against zero it is the truth itself."""
    a, b = left.constant, right.constant
    if a is not None and b is not None:
        return number(INT, left.at, int(COMPARISONS[op](a, b)))
    if op in ("==", "!=") and b == 0:
        node = truth(left) if op == "!=" else py.negate(truth(left))
    else:
        node = py.compare(settled(left), op, settled(right))
    return Value(INT, left.at, node, BIT, truth=True)


def logical(op: str, left: Value, right: Value) -> Value:
    """``&&`` and ``||``."""
    if left.constant is not None:
        if bool(left.constant) == (op == "||"):
            return number(INT, left.at, int(op == "||"))
        if right.constant is not None:
            return number(INT, left.at, int(bool(right.constant)))
    return Value(INT, left.at, py.either(op, truth(left), truth(right)), BIT, truth=True)


def unary(op: str, v: Value) -> Value:
    """``-`` or ``~`` of a promoted operand."""
    ctype, known = v.type, v.constant
    if known is not None:
        return number(ctype, v.at, converted(-known if op == "-" else ~int(known), ctype))
    if op == "-":
        low, high = possible(v)
        return Value(ctype, v.at, ast.UnaryOp(ast.USub(), settled(v)), (-high, -low))
    if isinstance(ctype, Int) and not ctype.signed:
        return Value(ctype, v.at, py.binary(settled(v), "^", ctype.maximum))
    return Value(ctype, v.at, ast.UnaryOp(ast.Invert(), settled(v)))


def arithmetic(op: str, left: Value, right: Value, ctype: CType) -> Value:
    """``left op right`` on operands that already have the type `ctype` (the count of a shift keeps its own)."""
    folded = _folded(op, left.constant, right.constant, ctype)
    if folded is not None:
        return number(ctype, left.at, converted(folded, ctype))
    if isinstance(ctype, Float):
        node = py.call("divide_floats·", left.node, right.node) if op == "/" else py.binary(left.node, op, right.node)
        return Value(ctype, left.at, _rounded(node, ctype))
    assert isinstance(ctype, Int)
    if op in "+-*":
        node, span = _sum(op, left, right)
    elif op in "/%":
        node, span = _quotient(op, left, right, ctype)
    elif op in "&|^":
        node, span = py.binary(settled(left), op, settled(right)), _range(op, possible(left), possible(right))
    else:
        node, span = _shifted(op, left, right, ctype)
    return Value(ctype, left.at, node, span)


def _folded(op: str, a: int | float | None, b: int | float | None, ctype: CType) -> int | float | None:
    if a is None or b is None or (op in "/%" and (not b or (b == -1 and isinstance(ctype, Int) and a == ctype.minimum))):
        return None
    if isinstance(a, int) and isinstance(b, int):
        return None if op in ("<<", ">>") and not 0 <= b < ctype.size * 8 else _FOLD[op](a, b)
    return a / b if op == "/" else {"+": a + b, "-": a - b, "*": a * b}[op]


def _range(op: str, left: Range, right: Range) -> Range:
    """The range of ``left op right`` without wrapping, for all operators but ``/`` and ``%``; counts of shifts are in range."""
    (a, b), (c, d) = left, right
    if op == "+":
        return a + c, b + d
    if op == "-":
        return a - d, b - c
    if op in ("*", "<<", ">>"):
        results = [_FOLD[op](x, y) for x in left for y in right]
        return min(results), max(results)
    if op == "&" and (a >= 0 or c >= 0):
        return 0, min(b if a >= 0 else d, d if c >= 0 else b)
    bits = max((limit if limit >= 0 else ~limit).bit_length() for limit in (a, b, c, d))
    return 0 if a >= 0 and c >= 0 else -(1 << bits), (1 << bits) - 1


def _sum(op: str, left: Value, right: Value) -> tuple[ast.expr, Range]:
    left, right = (replace(v, node=settled(v), truth=False) if v.truth else v for v in (left, right))
    span = _range(op, left.span, right.span)
    if max(abs(span[0]), abs(span[1])) >= _WIDEST:
        left, right = (Value(v.type, v.at, settled(v), possible(v)) for v in (left, right))
        span = _range(op, left.span, right.span)
    known = right.constant
    return py.binary(left.node, op, known if isinstance(known, int) else right.node), span


def _quotient(op: str, left: Value, right: Value, ctype: Int) -> tuple[ast.expr, Range]:
    a, b = settled(left), settled(right)
    (low, high), (c, d) = possible(left), possible(right)
    if low >= 0 and c >= 0:
        if c == 0:
            b = py.choose(py.save(KEPT, b), py.name(KEPT), py.call("divided_by_zero·"))
        return py.binary(a, "//" if op == "/" else "%", b), (0, high if op == "/" else min(high, max(d - 1, 0)))
    return py.call("divide·" if op == "/" else "remainder·", a, b, py.constant(ctype.minimum)), (ctype.minimum, ctype.maximum)


def _shifted(op: str, left: Value, right: Value, ctype: Int) -> tuple[ast.expr, Range]:
    count, (low, high) = settled(right), possible(right)
    if low < 0 or high >= ctype.bits:
        fits = py.between(0, py.save(KEPT, count), "<=", py.constant(ctype.bits - 1))
        count = py.choose(fits, py.name(KEPT), py.call("shifted_too_far·", py.name(KEPT), py.constant(ctype.bits)))
    most = ctype.bits - 1
    counts = min(max(low, 0), most), min(max(high, 0), most)
    return py.binary(settled(left), op, count), _range(op, possible(left), counts)
