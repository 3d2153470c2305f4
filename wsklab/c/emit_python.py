"""Short ways to make Python syntax nodes, and the names that generated code uses.

Names of ours in generated code contain ``·``, which no C name can: they never clash with the names of the listing, which
are used as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from wsklab.c.tree import At
from wsklab.c.types import CType, Float, Int

LOAD, STORE = ast.Load(), ast.Store()
_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, ">": ast.Gt, "<=": ast.LtE, ">=": ast.GtE,
    "in": ast.In, "not in": ast.NotIn, "is not": ast.IsNot,
}  # fmt: skip
_BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "//": ast.FloorDiv, "/": ast.Div, "%": ast.Mod,
    "&": ast.BitAnd, "|": ast.BitOr, "^": ast.BitXor, "<<": ast.LShift, ">>": ast.RShift,
}  # fmt: skip


def name(text: str) -> ast.expr:
    """A name that is read."""
    return ast.Name(text, LOAD)


def constant(value: Any) -> ast.expr:
    """A constant."""
    return ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """A call of a function by name."""
    return ast.Call(name(function), list(arguments), [])


def binary(left: ast.expr, op: str, right: ast.expr) -> ast.expr:
    """``left op right``."""
    return ast.BinOp(left, _BINARY[op](), right)


def compare(left: ast.expr, op: str, right: ast.expr) -> ast.expr:
    """``left op right`` as a Python truth value."""
    return ast.Compare(left, [_COMPARE[op]()], [right])


def between(low: int, value: ast.expr, high: int) -> ast.expr:
    """``low <= value <= high``."""
    return ast.Compare(constant(low), [ast.LtE(), ast.LtE()], [value, constant(high)])


def chain(low: ast.expr, value: ast.expr, end: ast.expr) -> ast.expr:
    """``low <= value < end``."""
    return ast.Compare(low, [ast.LtE(), ast.Lt()], [value, end])


def attribute(owner: str, attribute: str) -> ast.expr:
    """``owner.attribute``."""
    return ast.Attribute(name(owner), attribute, LOAD)


def subscript(value: ast.expr, index: ast.expr) -> ast.Subscript:
    """``value[index]``."""
    return ast.Subscript(value, index, LOAD)


def choose(condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    """``then if condition else otherwise``."""
    return ast.IfExp(condition, then, otherwise)


def save(target: str, value: ast.expr) -> ast.expr:
    """``(target := value)``."""
    return ast.NamedExpr(ast.Name(target, STORE), value)


def negate(condition: ast.expr) -> ast.expr:
    """``not condition``."""
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
        return condition.operand
    return ast.UnaryOp(ast.Not(), condition)


def either(op: str, left: ast.expr, right: ast.expr) -> ast.expr:
    """``left and right``, ``left or right``, for C's ``&&`` and ``||``."""
    return ast.BoolOp(ast.And() if op == "&&" else ast.Or(), [left, right])


def then(effect: ast.expr, value: ast.expr) -> ast.expr:
    """`effect`, which gives anything but None, and after it `value`."""
    return choose(compare(effect, "is not", constant(None)), value, value)


def after(effect: ast.expr, value: ast.expr) -> ast.expr:
    """`effect`, whatever it gives, and after it `value`."""
    return ast.Subscript(ast.Tuple([effect, value], LOAD), constant(1), LOAD)


def assign(target: str, value: ast.expr) -> ast.stmt:
    """``target = value``."""
    return ast.Assign([ast.Name(target, STORE)], value)


def when(condition: ast.expr, body: Sequence[ast.stmt], otherwise: Sequence[ast.stmt] = ()) -> ast.stmt:
    """``if condition: body else: otherwise``."""
    return ast.If(condition, list(body) or [ast.Pass()], list(otherwise))


def locate(node: ast.AST, at: At) -> None:
    """Give `node` and everything below it that has no place yet the C line and column."""
    attributes = node.__dict__
    if "lineno" in attributes:
        return
    if "lineno" in node._attributes:
        attributes["lineno"] = attributes["end_lineno"] = at.line or 1
        column = max(at.column - 1, 0)
        attributes["col_offset"], attributes["end_col_offset"] = column, column + 1
    for field in node._fields:
        value = attributes.get(field)
        if isinstance(value, ast.AST):
            locate(value, at)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    locate(item, at)


def kind(ctype: CType) -> str:
    """The short name of a scalar type in names of ours: ``i32``, ``u8``, ``f64``; pointers are ``u64``."""
    if isinstance(ctype, Float):
        return f"f{ctype.size * 8}"
    return f"{'i' if isinstance(ctype, Int) and ctype.signed else 'u'}{ctype.size * 8}"
