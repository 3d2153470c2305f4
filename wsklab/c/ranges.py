"""Which values an expression can have: so that results are wrapped to their type only where they can leave it."""

from __future__ import annotations

from wsklab.c import tree
from wsklab.c.types import Int

Range = tuple[int, int]
POINTER: Range = (0, 0xFFFF_FFFF_FFFF_FFFF)
BIT: Range = (0, 1)


class Ranges:
    """Computes and remembers ranges (smallest value, largest value) of integer and pointer expressions."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[int, Range] = {}

    def of(self, expression: tree.Expression) -> Range:
        """The range of an expression's value, once it is in range of its type."""
        known = self._known.get(id(expression))
        if known is None:
            known = self._known[id(expression)] = self._compute(expression)
        return known

    def limit(self, expression: tree.Expression, values: Range) -> None:
        """Say that an expression has a smaller range than can be seen from it."""
        self._known[id(expression)] = values

    def _compute(self, e: tree.Expression) -> Range:
        whole = type_range(e)
        if isinstance(e, tree.Constant):
            return (int(e.value), int(e.value))
        if isinstance(e, tree.Comparison | tree.Not | tree.Logical):
            return BIT
        if isinstance(e, tree.Binary) and isinstance(e.type, Int):
            return within(self.exact(e), whole)
        if isinstance(e, tree.Cast) and isinstance(e.type, Int) and isinstance(e.operand.type, Int):
            return within(self.of(e.operand), whole)
        if isinstance(e, tree.Conditional):
            (a, b), (c, d) = self.of(e.then), self.of(e.otherwise)
            return min(a, c), max(b, d)
        if isinstance(e, tree.Comma):
            return self.of(e.second)
        if isinstance(e, tree.Recalled):
            return self.of(e.saved.operand)
        if isinstance(e, tree.Saved):
            return self.of(e.operand)
        if isinstance(e, tree.Assign) and not isinstance(e.target, tree.Memory):
            return self.of(e.value)
        if isinstance(e, tree.Memory) and e.bit_width is not None and isinstance(e.type, Int) and not e.type.signed:
            return 0, (1 << e.bit_width) - 1
        return whole

    def exact(self, e: tree.Binary) -> Range:
        """The range of the mathematical result, before it is wrapped."""
        (a, b), (c, d) = self.of(e.left), self.of(e.right)
        return exact(e.op, (a, b), (c, d), type_range(e))


def exact(op: str, left: Range, right: Range, whole: Range) -> Range:
    """The range of ``left op right`` without wrapping; `whole` when nothing better is known."""
    (a, b), (c, d) = left, right
    if op == "+":
        return a + c, b + d
    if op == "-":
        return a - d, b - c
    if op == "*":
        products = (a * c, a * d, b * c, b * d)
        return min(products), max(products)
    if op == "&" and (a >= 0 or c >= 0):
        return 0, min(b if a >= 0 else d, d if c >= 0 else b)
    if op in "|^" and a >= 0 and c >= 0:
        return 0, (1 << max(b, d).bit_length()) - 1
    if op == "/" and a >= 0 and c >= 0:
        return 0, b
    if op == "%" and a >= 0 and c >= 0:
        return 0, min(b, max(d - 1, 0))
    if op == ">>" and c >= 0:
        return (a >> d if a >= 0 else a >> c), (b >> c if b >= 0 else b >> d)
    if op == "<<" and c >= 0 and d < 64:
        return min(a << c, a << d), max(b << c, b << d)
    return whole


def within(inner: Range, whole: Range) -> Range:
    """`inner` when it fits into `whole`, otherwise `whole`."""
    return inner if whole[0] <= inner[0] and inner[1] <= whole[1] else whole


def type_range(e: tree.Expression) -> Range:
    """All values of the expression's type."""
    return (e.type.minimum, e.type.maximum) if isinstance(e.type, Int) else POINTER
