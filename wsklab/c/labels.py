"""Where jumps go: what they can aim at; and what a walk over the statements tells of labels, and of values surely given.

A label is jumped to from outside of its block when a ``goto`` stands there. A case label is its own name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from wsklab.c.body import walk
from wsklab.c.python import Python

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
