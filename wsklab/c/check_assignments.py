"""C's rules for assignment, compound assignment, ``++`` and ``--``.

The object on the left is named twice when it is read and stored; its address is computed once, or twice where that costs less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsklab.c.check_context import at
from wsklab.c.conversions import UNKNOWN, convert, is_pure, unknown
from wsklab.c.tree import Assign, Constant, Expression, LocalValue, Memory, PostStep, Recalled, Saved
from wsklab.c.types import INT, Array

if TYPE_CHECKING:
    from wsklab.c.check_expressions import Expressions


class Assignments:
    """Checks assignments."""

    def __init__(self, expressions: Expressions) -> None:
        """Work for `expressions`."""
        self.expressions = expressions

    def assign(self, node: Any) -> Expression:
        """``=``, ``+=`` and the like."""
        target = self.expressions.designator(node.lvalue)
        if node.op == "=":
            value = self.expressions.assigned(node.rvalue, target.type, node, "assignment")
            return self._store(target, value, node)
        value = self.expressions.value(node.rvalue)
        if not isinstance(target, LocalValue | Memory):
            return self._store(target, value, node)
        stored, current = self._twice(target)
        result = self.expressions.operators.binary(node.op[:-1], current, value, node)
        return self._store(stored, self.expressions.convert_assigned(result, target.type, node, f"{node.op}"), node)

    def _store(self, target: Expression, value: Expression, node: Any) -> Expression:
        if unknown(target, value):
            return Constant(UNKNOWN, at(node), 0)
        if not isinstance(target, LocalValue | Memory) or isinstance(target.type, Array):
            return self.expressions.wrong(
                node, "not-assignable", "The left side of {op} cannot be assigned to.", op=getattr(node, "op", "=")
            )
        return Assign(target.type, at(node), target, value)

    def _twice(self, target: LocalValue | Memory) -> tuple[LocalValue | Memory, LocalValue | Memory]:
        """The object to store to and the same object to read, its address computed once, by the first."""
        if isinstance(target, LocalValue):
            return target, LocalValue(target.type, target.at, target.variable)
        first: Expression = target.base
        again: Expression = target.base
        if not is_pure(target.base):
            first = Saved(target.base.type, target.at, target.base)
            again = Recalled(target.base.type, target.at, first)
        rest = (target.offset, target.bit_offset, target.bit_width)
        return Memory(target.type, target.at, first, *rest), Memory(target.type, target.at, again, *rest)

    def step(self, node: Any, op: str) -> Expression:
        """``++x`` and ``--x``; `op` is the sign."""
        target = self.expressions.designator(node.expr)
        if not isinstance(target, LocalValue | Memory):
            return self._store(target, target, node)
        stored, current = self._twice(target)
        result = self.expressions.operators.binary(op, current, Constant(INT, at(node), 1), node)
        return self._store(stored, convert(result, target.type), node)

    def post_step(self, node: Any, op: str) -> Expression:
        """``x++`` and ``x--``; `op` is the sign."""
        target = self.expressions.designator(node.expr)
        if not isinstance(target, LocalValue | Memory):
            return self._store(target, target, node)
        stored, current = self._twice(target)
        old = Saved(target.type, at(node), current)
        result = self.expressions.operators.binary(op, Recalled(target.type, at(node), old), Constant(INT, at(node), 1), node)
        if unknown(result):
            return result
        return PostStep(target.type, at(node), stored, old, convert(result, target.type))
