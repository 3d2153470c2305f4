"""From typed arithmetic to Python arithmetic: numbers that do not grow become numbers that wrap.

Python's ``+ - *`` agree with C's modulo the width of the type, so a whole sum is computed first and wrapped once, where its
range says that it can leave the type. Division truncates toward zero; what C leaves undefined stops the run.
"""

from __future__ import annotations

import ast

from wsklab.c import emit_python as py
from wsklab.c.ranges import POINTER, Range, Ranges, exact
from wsklab.c.tree import Binary, Cast, Constant, Distance, Element, Expression, Memory, Offset, Unary
from wsklab.c.types import BOOL, CType, Float, Int, Pointer

_VALUE = "t·"
"""Python local that holds a result while it is compared with the limits of its type."""

_WIDEST = 1 << 128


class Arithmetic:
    """The arithmetic part of the expression emitter."""

    ranges: Ranges

    def value(self, e: Expression) -> ast.expr:
        """The value, in range of its type."""
        raise NotImplementedError

    def condition(self, e: Expression) -> ast.expr:
        """The truth of a value."""
        raise NotImplementedError

    def address(self, e: Expression, offset: int = 0) -> ast.expr:
        """An address that need not be in range."""
        raise NotImplementedError

    # Wrapping

    @staticmethod
    def wrap(node: ast.expr, values: Range, ctype: Int) -> ast.expr:
        """`node`, whose values are `values`, reduced to the type."""
        low, high = ctype.minimum, ctype.maximum
        if low <= values[0] and values[1] <= high:
            return node
        if not ctype.signed:
            return py.binary(node, "&", py.constant(high))
        kept = py.save(_VALUE, node)
        if low <= values[0]:
            fits = py.compare(kept, "<=", py.constant(high))
        elif values[1] <= high:
            fits = py.compare(kept, ">=", py.constant(low))
        else:
            fits = py.between(low, kept, high)
        return py.choose(fits, py.name(_VALUE), py.call(f"wrap·{py.kind(ctype)}", py.name(_VALUE)))

    def unwrapped(self, e: Expression) -> tuple[ast.expr, Range]:
        """A value that agrees with `e` modulo the width of its type, and the range it has."""
        if isinstance(e, Binary) and e.op in "+-*" and isinstance(e.type, Int):
            left, a = self.unwrapped(e.left)
            right, b = self.unwrapped(e.right)
            values = exact(e.op, a, b, POINTER)
            if max(abs(values[0]), abs(values[1])) < _WIDEST:
                node = py.binary(left, e.op, right)
                py.locate(node, e.at)
                return node, values
        elif isinstance(e, Cast) and isinstance(e.type, Int) and isinstance(e.operand.type, Int):
            inner = e.operand.type
            if e.type.bytes <= inner.bytes and not is_bool(e.type):
                return self.unwrapped(e.operand)
        return self.value(e), self.ranges.of(e)

    def wrapped_address(self, e: Offset | Element) -> ast.expr:
        """An address that is stored or compared: it must be a 64-bit number."""
        node = self.address(e)
        down = e.bytes < 0 if isinstance(e, Offset) else (e.scale < 0 or self.ranges.of(e.index)[0] < 0)
        if isinstance(e, Offset) and isinstance(e.base, Element):
            down = True
        # Upwards no address of ours comes near the end of the address space.
        return py.binary(node, "&", py.constant(POINTER[1])) if down else node

    # Operators

    def _Binary(self, e: Binary) -> ast.expr:
        ctype = e.type
        if isinstance(ctype, Float):
            return self._floating(e, ctype)
        assert isinstance(ctype, Int)
        if e.op in "+-*":
            return self.wrap(*self._whole_sum(e), ctype)
        if e.op in "/%":
            return self._division(e, ctype)
        if e.op in ("<<", ">>"):
            return self._shift(e, ctype)
        return py.binary(self.value(e.left), e.op, self.value(e.right))

    def _whole_sum(self, e: Binary) -> tuple[ast.expr, Range]:
        left, a = self.unwrapped(e.left)
        right, b = self.unwrapped(e.right)
        if isinstance(e.right, Constant) and isinstance(e.right.value, int) and e.right.value < 0 and e.op in "+-":
            op = "-" if e.op == "+" else "+"
            right = py.constant(-e.right.value)
            return py.binary(left, op, right), exact(e.op, a, b, POINTER)
        return py.binary(left, e.op, right), exact(e.op, a, b, POINTER)

    def _floating(self, e: Binary, ctype: Float) -> ast.expr:
        left, right = self.value(e.left), self.value(e.right)
        node = py.call("divide_floats·", left, right) if e.op == "/" else py.binary(left, e.op, right)
        return _rounded(node, ctype)

    def _division(self, e: Binary, ctype: Int) -> ast.expr:
        left, right = self.value(e.left), self.value(e.right)
        (a, _), (c, d) = self.ranges.of(e.left), self.ranges.of(e.right)
        if a >= 0 and c >= 0:
            if c == 0:
                right = py.choose(py.save(_VALUE, right), py.name(_VALUE), py.call("divided_by_zero·"))
            return py.binary(left, "//" if e.op == "/" else "%", right)
        node = py.call("divide·" if e.op == "/" else "remainder·", left, right)
        if e.op == "/" and ctype.signed and c <= -1 <= d and a == ctype.minimum:
            return self.wrap(node, (a, -a), ctype)
        return node

    def _shift(self, e: Binary, ctype: Int) -> ast.expr:
        left, count = self.value(e.left), self.value(e.right)
        low, high = self.ranges.of(e.right)
        if low < 0 or high >= ctype.bits:
            fits = py.between(0, py.save(_VALUE, count), ctype.bits - 1)
            count = py.choose(fits, py.name(_VALUE), py.call("shifted_too_far·", py.name(_VALUE), py.constant(ctype.bits)))
        node = py.binary(left, e.op, count)
        if e.op == ">>":
            return node
        counts = max(low, 0), min(high, ctype.bits - 1)
        return self.wrap(node, exact("<<", self.ranges.of(e.left), counts, POINTER), ctype)

    def _Unary(self, e: Unary) -> ast.expr:
        operand = self.value(e.operand)
        ctype = e.type
        if isinstance(ctype, Float):
            return ast.UnaryOp(ast.USub(), operand)
        assert isinstance(ctype, Int)
        if e.op == "~":
            if ctype.signed:
                return ast.UnaryOp(ast.Invert(), operand)
            return py.binary(operand, "^", py.constant(ctype.maximum))
        low, high = self.ranges.of(e.operand)
        return self.wrap(ast.UnaryOp(ast.USub(), operand), (-high, -low), ctype)

    def _Distance(self, e: Distance) -> ast.expr:
        node = py.binary(self.address(e.left), "-", self.address(e.right))
        if e.scale > 1:
            return py.binary(node, "//", py.constant(e.scale))
        assert isinstance(e.type, Int)
        return self.wrap(node, (-POINTER[1], POINTER[1]), e.type)

    # Conversions

    def _Cast(self, e: Cast) -> ast.expr:
        target, source = e.type, e.operand.type
        if isinstance(target, Float):
            value = self.value(e.operand)
            return _rounded(value if isinstance(source, Float) else py.call("float·", value), target)
        if isinstance(target, Int):
            if is_bool(target):
                return py.choose(self.condition(e.operand), py.constant(1), py.constant(0))
            return self._to_integer(e, target, source)
        if isinstance(target, Pointer) and isinstance(source, Int):
            low, _ = self.ranges.of(e.operand)
            value = self.value(e.operand)
            return value if low >= 0 else py.binary(value, "&", py.constant(POINTER[1]))
        return self.value(e.operand)

    def _to_integer(self, e: Cast, target: Int, source: CType) -> ast.expr:
        if isinstance(source, Float):
            return self.wrap(py.call("int·", self.value(e.operand)), (-_WIDEST, _WIDEST), target)
        if isinstance(source, Int) and target.bytes <= source.bytes:
            return self.wrap(*self.unwrapped(e.operand), target)
        return self.wrap(self.value(e.operand), self.ranges.of(e.operand), target)

    # Bit-fields

    def bit_field(self, e: Memory, unit: ast.expr) -> ast.expr:
        """The field's value, out of the value of its unit."""
        assert isinstance(e.type, Int) and e.bit_width is not None
        if e.bit_offset:
            unit = py.binary(unit, ">>", py.constant(e.bit_offset))
        if not e.type.signed and e.bit_offset + e.bit_width == e.type.bits:
            return unit
        return self.cut_to_bits(e, unit)

    def cut_to_bits(self, e: Memory, value: ast.expr) -> ast.expr:
        """`value` as the bit-field holds it."""
        assert isinstance(e.type, Int) and e.bit_width is not None
        cut = py.binary(value, "&", py.constant((1 << e.bit_width) - 1))
        if not e.type.signed:
            return cut
        sign = py.constant(1 << (e.bit_width - 1))
        return py.binary(py.binary(cut, "^", sign), "-", sign)


def _rounded(node: ast.expr, ctype: Float) -> ast.expr:
    return py.call("single·", node) if ctype.bytes == 4 else node


def is_bool(ctype: CType) -> bool:
    """Whether the type is ``_Bool``, to which everything but zero converts as one."""
    return isinstance(ctype, Int) and ctype.rank == BOOL.rank
