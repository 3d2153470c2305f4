"""Array accesses inside loops: the checked load of ``a[i]`` without a function call.

While a loop runs that does not assign `a`, the place of `a` in the machine's memory does not move: it is looked up once
before the loop (``near·4(a)``), and the access indexes typed views of the memory and of its states directly. Whatever is
not plainly right there (a wild pointer, a byte not written, an odd address) goes to the checked load, which reports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from wsklab.c import emit_python as py
from wsklab.c.tree import (
    Assign,
    Case,
    Cast,
    Comparison,
    Constant,
    Element,
    Expression,
    GlobalAddress,
    Local,
    LocalAddress,
    LocalValue,
    Logical,
    Loop,
    Memory,
    Offset,
    PostStep,
    Statement,
)
from wsklab.c.types import Array, Int, Pointer, Record

Root = LocalValue | LocalAddress | GlobalAddress


@dataclass(frozen=True)
class Access:
    """An element of an array: `index` * `stride` elements of `size` bytes behind `offset` bytes behind the root."""

    root: Root
    offset: int
    index: Expression
    stride: int
    size: int

    @property
    def key(self) -> tuple[object, int, int]:
        """What is looked up once per loop."""
        root = self.root
        return (root.symbol if isinstance(root, GlobalAddress) else root.variable), self.offset, self.size


def access(e: Expression) -> Access | None:
    """The array access that a memory node is, if it is one."""
    if not isinstance(e, Memory) or e.bit_width is not None or isinstance(e.type, Record | Array):
        return None
    base, offset = _without_offset(e.base, e.offset)
    if not isinstance(base, Element) or base.scale <= 0 or base.scale % e.type.size:
        return None
    root, offset = _without_offset(base.base, offset)
    if isinstance(root, LocalAddress | GlobalAddress) or (isinstance(root, LocalValue) and not root.variable.in_frame):
        return Access(root, offset, base.index, base.scale // e.type.size, e.type.size)
    return None


def _without_offset(e: Expression, offset: int) -> tuple[Expression, int]:
    while True:
        if isinstance(e, Offset):
            e, offset = e.base, offset + e.bytes
        elif isinstance(e, Cast) and isinstance(e.operand.type, Pointer) and isinstance(e.type, Pointer):
            e = e.operand
        else:
            return e, offset


@cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(
        name for base in cls.__mro__ for name in getattr(base, "__slots__", ()) if name not in ("type", "at", "function")
    )


def nodes(tree: Any) -> Iterator[Any]:
    """All typed nodes of a tree."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, Expression | Statement | Case):
            yield node
            pending += [getattr(node, name) for name in _names(type(node))]


def assigned(tree: Any) -> set[Local]:
    """The locals that the tree assigns by name."""
    targets = [node.target for node in nodes(tree) if isinstance(node, Assign | PostStep)]
    return {target.variable for target in targets if isinstance(target, LocalValue)}


class Hoists:
    """What is looked up before the loops that are being emitted, by access key."""

    def __init__(self) -> None:
        """Nothing, outside of loops."""
        self.names: dict[tuple[object, int, int], str] = {}

    def enter(self, loop: Loop) -> list[Access]:
        """The accesses to look up before `loop`: those of arrays that it does not assign and that no outer loop looked up."""
        changing = assigned(loop)
        found: dict[tuple[object, int, int], Access] = {}
        for node in nodes(loop):
            item = access(node)
            if item is None or item.key in self.names or item.key in found:
                continue
            if not (isinstance(item.root, LocalValue) and item.root.variable in changing):
                found[item.key] = item
        for key, item in found.items():
            self.names[key] = _name(item)
        return list(found.values())

    def leave(self, accesses: list[Access]) -> None:
        """Forget what was looked up for a loop."""
        for item in accesses:
            del self.names[item.key]


def _name(item: Access) -> str:
    root = item.root
    text = root.symbol if isinstance(root, GlobalAddress) else root.variable.python
    return f"{text}·{item.offset}·{item.size}"


def position(item: Access, name: str, index: ast.expr, lowest: int) -> ast.expr:
    """The test that ``o·``, the element's number in the views, is inside of them and its bytes are written."""
    if item.stride != 1:
        index = py.binary(index, "*", py.constant(item.stride))
    kept = py.save("o·", py.binary(py.name(name), "+", index))
    end = py.attribute("memory·", f"n{item.size}")
    inside = py.compare(kept, "<", end) if lowest >= 0 else py.chain(py.constant(0), kept, end)
    state = py.subscript(py.attribute("memory·", f"s{item.size}"), py.name("o·"))
    return py.either("&&", inside, py.compare(state, "==", py.name(f"written·{item.size}")))


def view(item: Access, kind: str) -> ast.Subscript:
    """The element in the view of its kind."""
    return py.subscript(py.attribute("memory·", kind), py.name("o·"))


def counted(loop: Loop) -> LocalValue | None:
    """The ``i`` that ``for (…; i < n; i++)`` adds one to, as read by the step, when it cannot be at its largest value there."""
    step = loop.step
    if not isinstance(step, Assign) or not isinstance(step.target, LocalValue) or step.target.variable.in_frame:
        return None
    variable, value = step.target.variable, step.value
    while isinstance(value, Cast):
        value = value.operand
    left, right = getattr(value, "left", None), getattr(value, "right", None)
    while isinstance(left, Cast):
        left = left.operand
    adds_one = getattr(value, "op", "") == "+" and isinstance(right, Constant) and right.value == 1
    if not adds_one or not isinstance(left, LocalValue) or left.variable is not variable or not isinstance(variable.type, Int):
        return None
    if variable in assigned(loop.condition) | assigned(loop.body):
        return None
    return left if any(_is_below(test, variable) for test in _conjuncts(loop.condition)) else None


def _conjuncts(e: Expression | None) -> Iterator[Expression]:
    if isinstance(e, Logical) and e.op == "&&":
        yield from _conjuncts(e.left)
        yield from _conjuncts(e.right)
    elif e is not None:
        yield e


def _is_below(e: Expression, variable: Local) -> bool:
    """Whether the test says that the variable is below some value of its own type."""
    return isinstance(e, Comparison) and e.op == "<" and isinstance(e.left, LocalValue) and e.left.variable is variable
