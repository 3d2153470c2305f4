"""Where jumps go: labels, and the switch, which is a jump into the parts that its labels begin.

A label is jumped to from outside of its block when a ``goto`` stands there. A case label is its own name.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.conversions import converted, promoted
from wsklab.c.parse import walk
from wsklab.c.python import Python
from wsklab.c.types import Int
from wsklab.c.values import Value, settled

if TYPE_CHECKING:
    from wsklab.c.statements import Statements

LABELS = c_ast.Label | c_ast.Case | c_ast.Default
JUMP, INTO = "jump·", "into·"


@dataclass(eq=False)
class Level:
    """One enclosing construct that jumps can aim at.

    All are Python loops. `proceed` is what ``continue`` does before the next round, `begin` the name of the number of the
    part to begin with. `passing` are the jumps that leave the loop by ``break``, by number: where they go, what they do there.
    """

    kind: str  # "loop", "switch", "labels" or "try"
    proceed: Python = field(default_factory=list)
    labels: dict[Any, int] = field(default_factory=dict)
    begin: str = ""
    passing: dict[int, tuple[Level, Python]] = field(default_factory=dict)


def entered(body: Any) -> dict[Any, int]:
    """The labels of a body that are jumped to from outside of their block, each with its number."""
    found: dict[Any, int] = {}
    gotos = Counter(part.name for part in walk(body) if isinstance(part, c_ast.Goto))
    seen: set[Any] = set()
    for kind in (c_ast.Compound, c_ast.Label):  # a label that stands in no block is a block of its own
        for block in (part for part in walk(body) if isinstance(part, kind)):
            inside = Counter(part.name for part in walk(block) if isinstance(part, c_ast.Goto))
            for label in _direct(block):
                if label not in seen and inside[label] < gotos[label]:
                    found[label] = len(found) + 1
                seen.add(label)
    return found


def _direct(block: Any) -> Iterator[Any]:
    """The names of the labels that begin parts of a block."""
    left = list(block.block_items or []) if isinstance(block, c_ast.Compound) else [block]
    while left:
        node = left.pop()
        if isinstance(node, c_ast.Label):
            yield node.name
        left += [node.stmt] if isinstance(node, c_ast.Label) else node.stmts or [] if isinstance(node, LABELS) else []


def cases_in(node: Any) -> Iterator[Any]:
    """The case labels in a statement that belong to the switch around it."""
    if isinstance(node, c_ast.Case | c_ast.Default):
        yield node
    if node is not None and not isinstance(node, c_ast.Switch):
        for _, child in node.children():
            yield from cases_in(child)


def given(declaration: Any, following: list[Any]) -> bool:
    """Whether a variable has a value before it can be read: from its declaration, or from the first statement that names it."""
    if not isinstance(declaration, c_ast.Decl) or declaration.init is not None:
        return True
    for node in following:
        if isinstance(node, LABELS):
            return False
        if _names(node, declaration.name):
            first = node.init if isinstance(node, c_ast.For) else node
            assigns = isinstance(first, c_ast.Assignment) and first.op == "=" and isinstance(first.lvalue, c_ast.ID)
            return assigns and first.lvalue.name == declaration.name and not _names(first.rvalue, declaration.name)
    return True


def _names(node: Any, name: str) -> bool:
    return any(isinstance(part, c_ast.ID) and part.name == name for part in walk(node))


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
    known: set[int] = set()
    default: Any = (end, 0)
    for case in cases:
        target = level.labels[case], body.entered.get(case, 0)
        if isinstance(case, c_ast.Default):
            if default[0] < end:
                body.wrong(case, "duplicate-case", "The case {value} appears twice.", value="default")
            default = target
            continue
        value = int(converted(body.declarations.required_constant(case.expr, "a case label"), selected.type))
        if body.declarations.constant(case.expr) is None:  # of what is wrong or left out, nobody knows the value
            table.setdefault(value, target)
            continue
        if value in known:
            body.wrong(case, "duplicate-case", "The case {value} appears twice.", value=value)
        known.add(value)
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
