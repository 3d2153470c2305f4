"""What the compiler knows of an index: how many elements there are, and which values the variable of a ``for`` can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.constant import usual
from wsklab.c.conversions import convert
from wsklab.c.parse import change, changed
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


_WAYS = {"++": 1, "p++": 1, "+=": 1, "--": -1, "p--": -1, "-=": -1}


def counted(body: Expressions, node: Any) -> dict[Local, Range]:
    """The ``i`` of ``for (i = 0; i < n; i++)`` and its values in the body, when nothing else changes it and it never wraps."""
    name, test, constant = change(node.next)[0], node.cond, body.declarations.constant
    symbol = body.declarations.lookup(name)
    local = symbol.data if symbol is not None else None
    by = constant(node.next.rvalue) if isinstance(node.next, c_ast.Assignment) else 1
    step = _WAYS.get(getattr(node.next, "op", ""), 0) * (by or 0)
    if not step or not isinstance(local, Local) or name in changed(node.cond, node.stmt):
        return {}
    while isinstance(test, c_ast.BinaryOp) and test.op == "&&":
        test = test.left
    ends = isinstance(test, c_ast.BinaryOp) and test.op in (("<", "<=") if step > 0 else (">", ">="))
    if not ends or not isinstance(test.left, c_ast.ID) or test.left.name != name:
        return {}
    with body.unevaluated():
        limit = body.value(test.right)
    if not isinstance(limit.type, Int) or not isinstance(local.type, Int):
        return {}
    low, high, common = local.type.minimum, local.type.maximum, usual(local.type, limit.type)
    parts = getattr(node.init, "decls", None) or getattr(node.init, "exprs", None) or [node.init]
    begins = [constant(change(part)[1]) for part in parts if change(part)[0] == name and change(part)[1]]
    first = begins[-1] if begins and begins[-1] is not None else low - 1
    begin = first if low <= first <= high else low if step > 0 else high
    if low < 0 <= type_range(common)[0] and min(begin, step) < 0:
        return {}  # the comparison takes a negative number for a large one
    inside, limits = len(test.op) == 1, possible(convert(limit, common))
    span = (begin, limits[1] - inside) if step > 0 else (limits[0] + inside, begin)
    return {local: span} if low <= span[0] + min(step, 0) and span[1] + max(step, 0) <= high else {}
