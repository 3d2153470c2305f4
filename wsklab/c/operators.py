"""C's rules for operators with two operands, and for ``? :``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsklab.c.conversions import COMPARISONS, arithmetic, balanced, comparison, convert, promoted
from wsklab.c.source import closest
from wsklab.c.types import VOID, CType, Float, Int, Pointer, Record, Void
from wsklab.c.values import UNKNOWN, Value, compatible, distance, element, is_null, is_scalar, pointer_trouble, unknown

if TYPE_CHECKING:
    from wsklab.c.body import Body

_PTRDIFF = Int(8, True, "long long", 5)
_BAD = "{op} does not work on {left} and {right}."


def binary(body: Body, op: str, left: Value, right: Value, node: Any) -> Value:
    """``left op right``, except ``&&`` and ``||``."""
    if unknown(left, right):
        return body.unknown(node)
    pointers = isinstance(left.type, Pointer) or isinstance(right.type, Pointer)
    if op in COMPARISONS and is_scalar(left.type) and is_scalar(right.type):
        return _compare_pointers(body, op, left, right, node) if pointers else comparison(op, *balanced(left, right)[:2])
    result = _pointer_arithmetic(body, op, left, right, node) if pointers and op in "+-" else None
    if result is not None:
        return result
    allowed = Int | Float if op in "+-*/" else Int
    if not isinstance(left.type, allowed) or not isinstance(right.type, allowed):
        return body.wrong(node, "bad-operands", _BAD, op=op, left=str(left.type), right=str(right.type))
    if op in ("<<", ">>"):
        left = promoted(left)
        return arithmetic(op, left, promoted(right), left.type)
    return arithmetic(op, *balanced(left, right))


def _compare_pointers(body: Body, op: str, left: Value, right: Value, node: Any) -> Value:
    for one, other in ((left, right), (right, left)):
        if isinstance(one.type, Pointer) and pointer_trouble(other, one.type):
            names = {"left": str(left.type), "right": str(right.type), "op": op}
            body.problems.warning("pointer-comparison", node, "{op} compares {left} with {right}.", **names)
            break
    return comparison(op, convert(left, Pointer(VOID)), convert(right, Pointer(VOID)))


def _pointer_arithmetic(body: Body, op: str, left: Value, right: Value, node: Any) -> Value | None:
    if isinstance(left.type, Pointer) and isinstance(right.type, Pointer):
        size = pointed_size(body, left.type, node)
        return distance(left, right, size or 1, _PTRDIFF) if op == "-" and compatible(left.type, right.type) else None
    if op == "+" and isinstance(right.type, Pointer):
        left, right = right, left
    if not isinstance(right.type, Int) or not isinstance(left.type, Pointer):
        return None
    size = pointed_size(body, left.type, node)
    return body.unknown(node) if size is None else element(left, right, size if op == "+" else -size, left.type)


def common(body: Body, one: Value, other: Value, node: Any) -> CType:
    """The type of ``? :`` with these two values."""
    a, b = one.type, other.type
    if unknown(one, other):
        return UNKNOWN
    if isinstance(a, Int | Float) and isinstance(b, Int | Float):
        return balanced(one, other)[2]
    if isinstance(a, Void) or isinstance(b, Void):
        return VOID
    if isinstance(a, Record) and a == b:
        return a
    if isinstance(a, Pointer) and pointer_trouble(other, a) != "types":
        return b if isinstance(b, Pointer) and isinstance(b.to, Void) and not is_null(other) else a
    if isinstance(b, Pointer) and pointer_trouble(one, b) != "types":
        return b
    return body.wrong(node, "bad-operands", _BAD, op="? :", left=str(a), right=str(b)).type


def pointed_size(body: Body, pointer: Pointer, node: Any) -> int | None:
    """Size in bytes of what is pointed to; None (and a problem) when it has none."""
    try:
        return pointer.to.size
    except TypeError:
        hint = "Cast it to PUCHAR to count in bytes." if isinstance(pointer.to, Void) else None
        body.wrong(node, "unknown-size", "The size of {type} is not known.", hint, type=str(pointer.to))
        return None


def no_member(body: Body, node: Any, record: Record) -> Value:
    """Report that a record has no member of this name."""
    hint, name = closest(node.name, record.members), node.name
    return body.wrong(node, "no-such-member", "{type} has no member {name}.", hint, type=str(record), name=name)
