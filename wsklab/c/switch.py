"""A switch: a jump into the parts that its labels begin.

The value selects a part in a table. When a label stands inside a statement of the switch, the table says also which it is.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.conversions import converted, promoted
from wsklab.c.labels import INTO, LABELS, Level, cases_in
from wsklab.c.python import Python
from wsklab.c.types import Int
from wsklab.c.values import Value, settled

if TYPE_CHECKING:
    from wsklab.c.statements import Statements


def switch(body: Statements, node: Any) -> Python:
    """The statements of a ``switch``, in its scope."""
    selected = body.scalar(node.cond)
    if not isinstance(selected.type, Int):
        text = "switch needs an integer, not {type}."
        selected = body.wrong(node.cond, "switch-on-no-integer", text, type=selected.type)
    selected = promoted(selected)
    body.jumps += 1
    nodes = node.stmt.block_items or [] if isinstance(node.stmt, c_ast.Compound) else [node.stmt]
    direct = {part for part in nodes if isinstance(part, LABELS)}
    cases = [part for part in nodes for part in cases_in(part)]
    for case in cases:
        if case not in direct:
            body.entered[case] = len(body.entered) + 1
    parts, labels = body.split(nodes)
    level = Level("switch", labels=labels, begin=f"switch·{body.jumps}")
    # What stands before the first label: its scope is the switch, it is never reached.
    known = len(body.locals)
    body.sequence(parts[0])
    unset = [each for local in body.locals[known:] if local.offset is None for each in body.indeterminate(local)]
    statements = body.parts(level, [[], *parts[1:]])
    begin = _begin(body, level, selected, cases, len(parts))
    return [*(unset if body.levels else []), begin, *statements]


def _begin(body: Statements, level: Level, selected: Value, cases: list[Any], end: int) -> ast.stmt:
    """What says where a switch begins, `end` for behind it."""
    table: dict[int, Any] = {}
    default: Any = (end, 0)
    for case in cases:
        target = level.labels[case], body.entered.get(case, 0)
        if isinstance(case, c_ast.Default):
            if default[0] < end:
                body.wrong(case, "duplicate-case", "The case {value} appears twice.", value="default")
            default = target
            continue
        value = int(converted(body.declarations.required_constant(case.expr, "a case label"), selected.type))
        if value in table:
            body.wrong(case, "duplicate-case", "The case {value} appears twice.", value=value)
        table[value] = target
    deep = any(case in body.entered for case in cases)
    if not deep:
        table, default = {value: part for value, (part, _) in table.items()}, default[0]
    where = py.name(body.need(f"table·{body.name}·{level.begin}", "given", table.get))
    found: ast.expr = ast.Call(where, [settled(selected), py.constant(default)], [])
    if not deep:
        return body.where(level, level.labels, found)
    both = ast.Tuple([ast.Name(level.begin, py.STORE), ast.Name(INTO, py.STORE)], py.STORE)
    here: ast.stmt = ast.Assign([both], found)
    outside = {key: part for key, part in level.labels.items() if isinstance(key, str) and key in body.entered}
    return py.when(py.name(INTO), [body.where(level, outside, py.constant(0))], [here]) if outside else here
