"""What the compiler knows of an index: how many elements there are, and which values the variable of a ``for`` can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.constant import usual
from wsklab.c.conversions import convert
from wsklab.c.tree import changed
from wsklab.c.types import Array, Int, is_variable
from wsklab.c.values import Local, Object, Range, Value, possible, type_range

if TYPE_CHECKING:
    from wsklab.c.expressions import Expressions


def elements(body: Expressions, x: Value | Object, named: bool, size: int) -> int:
    """How many elements of `size` bytes an array is known to have, 0 if that is not known.

    A member with one element, or with none, stands for more. A local pointer that is set only once, to an array, is that array.
    """
    ctype = x.type
    if isinstance(x, Object) and x.local is not None and x.local not in body.parameters:
        array = body.once.get(x.local.name, "")
        symbol = body.declarations.lookup(array)
        same = symbol is not None and body.declared[array] == bool(symbol.data)
        ctype = symbol.type if symbol is not None and same else ctype
    if not isinstance(ctype, Array) or is_variable(ctype) or ctype.of.size != size:
        return 0
    return ctype.count if ctype.count and (named or ctype.count > 1) else 0


_STEPS = {"++": 1, "p++": 1, "--": -1, "p--": -1}


def counted(body: Expressions, node: Any) -> dict[Local, Range]:
    """The ``i`` of ``for (i = 0; i < n; i++)`` and its values in the body, when nothing else changes it and it never wraps."""
    target, step = _step(body, node.next)
    symbol = body.declarations.lookup(target.name) if isinstance(target, c_ast.ID) else None
    local, test = symbol.data if symbol is not None else None, node.cond
    if not step or not isinstance(local, Local) or local.name in changed(node.cond, node.stmt):
        return {}
    while isinstance(test, c_ast.BinaryOp) and test.op == "&&":
        test = test.left
    ends = isinstance(test, c_ast.BinaryOp) and test.op in (("<", "<=") if step > 0 else (">", ">="))
    if not ends or not isinstance(test.left, c_ast.ID) or test.left.name != local.name:
        return {}
    with body.unevaluated():
        limit = body.value(test.right)
    if not isinstance(limit.type, Int) or not isinstance(local.type, Int):
        return {}
    first, low, high = _first(body, node.init, local.name), local.type.minimum, local.type.maximum
    begin = first if first is not None and low <= first <= high else low if step > 0 else high
    common = usual(local.type, limit.type)
    if low < 0 <= type_range(common)[0] and min(begin, step) < 0:
        return {}  # the comparison takes a negative number for a large one
    inside, limits = len(test.op) == 1, possible(convert(limit, common))
    span = (begin, limits[1] - inside) if step > 0 else (limits[0] + inside, begin)
    return {local: span} if low <= span[0] + min(step, 0) and span[1] + max(step, 0) <= high else {}


def _step(body: Expressions, node: Any) -> tuple[Any, int]:
    """What a step changes, and by how much."""
    if isinstance(node, c_ast.UnaryOp):
        return node.expr, _STEPS.get(node.op, 0)
    by = body.declarations.constant(node.rvalue) if isinstance(node, c_ast.Assignment) and node.op in ("+=", "-=") else None
    return (node.lvalue, by if node.op == "+=" else -by) if isinstance(by, int) else (None, 0)


def _first(body: Expressions, node: Any, name: str) -> int | None:
    """The constant with which a loop begins."""
    if isinstance(node, c_ast.DeclList):
        values = [declared.init for declared in node.decls if declared.name == name]
    else:
        parts = node.exprs if isinstance(node, c_ast.ExprList) else [node]
        assigned = [part for part in parts if isinstance(part, c_ast.Assignment) and part.op == "="]
        values = [part.rvalue for part in assigned if isinstance(part.lvalue, c_ast.ID) and part.lvalue.name == name]
    value = body.declarations.constant(values[-1]) if values and values[-1] is not None else None
    return value if isinstance(value, int) else None
