"""C's rules for operators with two operands, and for ``? :``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsklab.c.check_context import at
from wsklab.c.conversions import (
    COMPARISONS,
    UNKNOWN,
    balanced,
    compatible,
    convert,
    element,
    fold_binary,
    fold_comparison,
    is_arithmetic,
    is_null,
    is_scalar,
    pointer_trouble,
    promoted,
    unknown,
)  # fmt: skip
from wsklab.c.tree import Constant, Distance, Expression, Logical
from wsklab.c.types import INT, VOID, CType, Float, Int, Pointer, Record, Void

if TYPE_CHECKING:
    from wsklab.c.check_expressions import Expressions

_PTRDIFF = Int(8, True, "long long", 5)


class Operators:
    """Checks binary operators."""

    def __init__(self, expressions: Expressions) -> None:
        """Work for `expressions`."""
        self.expressions = expressions
        self.wrong = expressions.wrong

    def logical(self, op: str, left: Expression, right: Expression) -> Expression:
        """``&&`` and ``||``."""
        if isinstance(left, Constant):
            if bool(left.value) == (op == "||"):
                return Constant(INT, left.at, int(op == "||"))
            if isinstance(right, Constant):
                return Constant(INT, left.at, int(bool(right.value)))
        return Logical(INT, left.at, op, left, right)

    def binary(self, op: str, left: Expression, right: Expression, node: Any) -> Expression:
        """``left op right``."""
        if unknown(left, right):
            return Constant(UNKNOWN, at(node), 0)
        pointers = isinstance(left.type, Pointer), isinstance(right.type, Pointer)
        if op in COMPARISONS and is_scalar(left.type) and is_scalar(right.type):
            if any(pointers):
                return self._compare_pointers(op, left, right, node)
            left, right, _ = balanced(left, right)
            return fold_comparison(op, left, right)
        if any(pointers) and op in "+-":
            result = self._pointer_arithmetic(op, left, right, node)
            if result is not None:
                return result
        whole = op not in "+-*/"
        allowed = (Int,) if whole else (Int, Float)
        if not isinstance(left.type, allowed) or not isinstance(right.type, allowed):
            types = {"left": str(left.type), "right": str(right.type)}
            return self.wrong(node, "bad-operands", "{op} does not work on {left} and {right}.", op=op, **types)
        if op in ("<<", ">>"):
            left, right = promoted(left), promoted(right)
            return fold_binary(op, left, right, left.type)
        left, right, common = balanced(left, right)
        return fold_binary(op, left, right, common)

    def _compare_pointers(self, op: str, left: Expression, right: Expression, node: Any) -> Expression:
        for one, other in ((left, right), (right, left)):
            if isinstance(one.type, Pointer) and pointer_trouble(other, one.type):
                names = {"left": str(left.type), "right": str(right.type), "op": op}
                text = "{op} compares {left} with {right}."
                self.expressions.body.problems.warning("pointer-comparison", node, text, **names)
                break
        word = Pointer(VOID)
        return fold_comparison(op, convert(left, word), convert(right, word))

    def _pointer_arithmetic(self, op: str, left: Expression, right: Expression, node: Any) -> Expression | None:
        if isinstance(left.type, Pointer) and isinstance(right.type, Pointer):
            size = self.expressions.pointed_size(left.type, node)
            if op == "-" and compatible(left.type, right.type):
                return Distance(_PTRDIFF, at(node), left, right, size or 1)
            return None
        if isinstance(right.type, Pointer):
            if op == "-":
                return None
            left, right = right, left
        if not isinstance(right.type, Int) or not isinstance(left.type, Pointer):
            return None
        size = self.expressions.pointed_size(left.type, node)
        if size is None:
            return Constant(UNKNOWN, at(node), 0)
        return element(left, right, size if op == "+" else -size, left.type)

    def common(self, one: Expression, other: Expression, node: Any) -> CType:
        """The type of ``? :`` with these two values."""
        a, b = one.type, other.type
        if unknown(one, other):
            return UNKNOWN
        if is_arithmetic(a) and is_arithmetic(b):
            return balanced(one, other)[2]
        if isinstance(a, Void) or isinstance(b, Void):
            return VOID
        if isinstance(a, Record) and a == b:
            return a
        if isinstance(a, Pointer) and pointer_trouble(other, a) != "types":
            return b if isinstance(b, Pointer) and (isinstance(b.to, Void) and not is_null(other)) else a
        if isinstance(b, Pointer) and pointer_trouble(one, b) != "types":
            return b
        self.wrong(node, "bad-operands", "{op} does not work on {left} and {right}.", op="? :", left=str(a), right=str(b))
        return UNKNOWN
