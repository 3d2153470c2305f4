"""Ways through the parser's tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pycparser import c_ast


def walk(node: Any) -> Iterator[Any]:
    """All parser nodes at and below a node."""
    pending = [node]
    while pending:
        current = pending.pop()
        if current is not None:
            yield current
            pending += [child for _, child in current.children()]


def changes(*nodes: Any) -> Iterator[tuple[str, Any]]:
    """Names of the locals that the parser nodes assign or declare, each with its value or with what changes it."""
    for node in (part for root in nodes for part in walk(root)):
        if isinstance(node, c_ast.Decl) and node.name:
            yield node.name, node.init
        elif isinstance(node, c_ast.Assignment) and isinstance(node.lvalue, c_ast.ID):
            yield node.lvalue.name, node.rvalue if node.op == "=" else node
        elif isinstance(node, c_ast.UnaryOp) and node.op in ("++", "--", "p++", "p--") and isinstance(node.expr, c_ast.ID):
            yield node.expr.name, node


def changed(*nodes: Any) -> set[str]:
    """Names of the locals that the parser nodes assign or declare."""
    return {name for name, _ in changes(*nodes)}
