"""Short ways to make Python syntax nodes, and the names that generated code uses.

Names of ours in generated code contain ``·``, which no C name can: they never clash with the names of the listing, which
are used as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from wsklab.c.source import Place
from wsklab.c.types import CType, Float, Int

Python = list[ast.stmt]
LOAD, STORE = ast.Load(), ast.Store()
_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, ">": ast.Gt, "<=": ast.LtE, ">=": ast.GtE,
    "in": ast.In, "not in": ast.NotIn, "is not": ast.IsNot,
}  # fmt: skip
_BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "//": ast.FloorDiv, "/": ast.Div, "%": ast.Mod,
    "&": ast.BitAnd, "|": ast.BitOr, "^": ast.BitXor, "<<": ast.LShift, ">>": ast.RShift,
}  # fmt: skip


def spelled(text: str) -> str:
    """A name as Python can have it: of all names of C it refuses four."""
    return f"{text}·" if text in ("None", "True", "False", "__debug__") else text


def name(text: str) -> ast.expr:
    """A name that is read."""
    return ast.Name(spelled(text), LOAD)


def constant(value: Any) -> ast.expr:
    """A constant."""
    return ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """A call of a function by name."""
    return ast.Call(name(function), list(arguments), [])


def binary(left: ast.expr, op: str, right: ast.expr | int) -> ast.expr:
    """``left op right``; adding nothing or multiplying by one is left out."""
    if isinstance(right, int):
        if right == (op == "*") and op in "+-*":
            return left
        if right < 0 and op in "+-":
            op, right = "-" if op == "+" else "+", -right
        right = constant(right)
    return ast.BinOp(left, _BINARY[op](), right)


def compare(left: ast.expr, op: str, right: ast.expr | int) -> ast.expr:
    """``left op right`` as a Python truth value."""
    return ast.Compare(left, [_COMPARE[op]()], [constant(right) if isinstance(right, int) else right])


def between(low: int | ast.expr, value: ast.expr, op: str, high: ast.expr) -> ast.expr:
    """``low <= value op high``."""
    return ast.Compare(constant(low) if isinstance(low, int) else low, [ast.LtE(), _COMPARE[op]()], [value, high])


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


def after(effect: ast.expr, value: ast.expr) -> ast.expr:
    """`effect`, whatever it gives, and after it `value`."""
    return ast.Subscript(ast.Tuple([effect, value], LOAD), constant(1), LOAD)


def assign(target: str, value: ast.expr | int) -> ast.stmt:
    """``target = value``."""
    return ast.Assign([ast.Name(target, STORE)], constant(value) if isinstance(value, int) else value)


def when(condition: ast.expr, body: Sequence[ast.stmt], otherwise: Sequence[ast.stmt] = ()) -> ast.stmt:
    """``if condition: body else: otherwise``."""
    return ast.If(condition, list(body) or [ast.Pass()], list(otherwise))


def leaves(nodes: Python) -> bool:
    """Whether the last Python statement surely leaves."""
    last = nodes[-1] if nodes else None
    if isinstance(last, ast.If):
        return bool(last.orelse) and leaves(last.body) and leaves(last.orelse)
    return isinstance(last, ast.Break | ast.Continue | ast.Return)


def located(nodes: Python, at: Place) -> Python:
    """The statements, with the C line and column."""
    for node in nodes:
        locate(node, at)
    return nodes


def locate(node: ast.AST, at: Place) -> None:
    """Give `node` and everything below it that has no place yet the C line and column."""
    attributes = node.__dict__
    if "lineno" in attributes:
        return
    if "lineno" in node._attributes:
        column = max(at.column - 1, 0)
        attributes.update(lineno=at.line or 1, end_lineno=at.line or 1, col_offset=column, end_col_offset=column + 1)
    for child in ast.iter_child_nodes(node):
        locate(child, at)


def kind(ctype: CType) -> str:
    """The short name of a scalar type in names of ours: ``i32``, ``u8``, ``f64``; pointers are ``u64``."""
    letter = "f" if isinstance(ctype, Float) else "i" if isinstance(ctype, Int) and ctype.signed else "u"
    return f"{letter}{ctype.size * 8}"
