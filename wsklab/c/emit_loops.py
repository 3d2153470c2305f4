"""Array accesses inside loops: the checked load of ``a[i]`` without a function call.

While a loop runs that does not assign `a`, the place of `a` in the machine's memory does not move: it is looked up once
before the loop (``near·4(a)``), and the access indexes typed views of the memory and of its states directly. Whatever is
not plainly right there (a wild pointer, a byte not written, an odd address) goes to the checked load, which reports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wsklab.c import emit_python as py
from wsklab.c import tree
from wsklab.c.types import Int, Pointer

Root = tree.LocalValue | tree.LocalAddress | tree.GlobalAddress


@dataclass(frozen=True)
class Access:
    """An element of an array: `index` * `stride` elements of `size` bytes behind `offset` bytes behind the root."""

    root: Root
    offset: int
    index: tree.Expression
    stride: int
    size: int
    kind: str

    @property
    def key(self) -> tuple[object, int, int]:
        """What is looked up once per loop."""
        root = self.root
        return (root.symbol if isinstance(root, tree.GlobalAddress) else root.variable), self.offset, self.size


def access(e: tree.Expression) -> Access | None:
    """The array access that a memory node is, if it is one."""
    if not isinstance(e, tree.Memory) or e.bit_width is not None or not isinstance(e.type, Int | Pointer):
        return None
    base, offset = _without_offset(e.base, e.offset)
    if not isinstance(base, tree.Element) or base.scale <= 0 or base.scale % e.type.size:
        return None
    root, offset = _without_offset(base.base, offset)
    movable = isinstance(root, tree.LocalValue) and root.variable.in_frame
    if isinstance(root, Root) and not movable:
        return Access(root, offset, base.index, base.scale // e.type.size, e.type.size, py.kind(e.type))
    return None


def _without_offset(e: tree.Expression, offset: int) -> tuple[tree.Expression, int]:
    while True:
        if isinstance(e, tree.Offset):
            offset += e.bytes
            e = e.base
        elif isinstance(e, tree.Cast) and isinstance(e.operand.type, Pointer) and isinstance(e.type, Pointer):
            e = e.operand
        else:
            return e, offset


_NO_NODES = ("type", "at", "function")


def nodes(root: Any) -> Iterator[Any]:
    """All typed nodes at and below a node, or in a list of nodes."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, tree.Expression | tree.Statement | tree.Case):
            yield node
            pending += [value for name, value in vars(node).items() if name not in _NO_NODES]


def assigned(root: Any) -> set[tree.Local]:
    """The locals that are assigned by name at or below a node."""
    targets = [node.target for node in nodes(root) if isinstance(node, tree.Assign | tree.PostStep)]
    return {target.variable for target in targets if isinstance(target, tree.LocalValue)}


class Hoists:
    """What is looked up before the loops that are being emitted, by access key."""

    def __init__(self) -> None:
        """Nothing, outside of loops."""
        self.names: dict[tuple[object, int, int], str] = {}
        self.views: set[str] = set()
        """Attributes of ``memory·`` that are in Python locals, because no call can make the memory grow."""

    def enter(self, loop: tree.Loop) -> tuple[list[Access], set[str]]:
        """What to look up before `loop`.

        Returns:
            The accesses of arrays that the loop does not assign and that no outer loop looked up, and the views to keep in
            locals.
        """
        changing = assigned(loop)
        found: dict[tuple[object, int, int], Access] = {}
        views: set[str] = set()
        calls = False
        for node in nodes(loop):
            calls = calls or isinstance(node, tree.Call | tree.Gap)
            item = access(node)
            if item is None:
                continue
            views |= {item.kind, f"n{item.size}", f"s{item.size}"}
            if item.key not in self.names and not (isinstance(item.root, tree.LocalValue) and item.root.variable in changing):
                found[item.key] = item
        for key, item in found.items():
            self.names[key] = _name(item)
        views = set() if calls or not (found or self.names) else views - self.views
        self.views |= views
        return list(found.values()), views

    def leave(self, accesses: list[Access], views: set[str]) -> None:
        """Forget what was looked up for a loop."""
        self.views -= views
        for item in accesses:
            del self.names[item.key]

    def view(self, name: str) -> ast.expr:
        """One view, or its length."""
        return py.name(f"{name}·") if name in self.views else py.attribute("memory·", name)

    def near(self, item: Access, index: ast.expr, lowest: int) -> ast.expr:
        """The test that ``o·``, the element's number in the views, is inside of them and its bytes are written."""
        if item.stride != 1:
            index = py.binary(index, "*", py.constant(item.stride))
        kept = py.save("o·", py.binary(py.name(self.names[item.key]), "+", index))
        end = self.view(f"n{item.size}")
        inside = py.compare(kept, "<", end) if lowest >= 0 else py.chain(py.constant(0), kept, end)
        state = py.subscript(self.view(f"s{item.size}"), py.name("o·"))
        return py.either("&&", inside, py.compare(state, "==", py.name(f"written·{item.size}")))

    def element(self, item: Access) -> ast.Subscript:
        """The element in the view of its kind."""
        return py.subscript(self.view(item.kind), py.name("o·"))


def _name(item: Access) -> str:
    root = item.root
    text = root.symbol if isinstance(root, tree.GlobalAddress) else root.variable.python
    return f"{text}·{item.offset}·{item.size}"


def counted(loop: tree.Loop) -> tree.LocalValue | None:
    """The ``i`` that ``for (…; i < n; i++)`` adds one to, as read by the step, when it cannot be at its largest value there."""
    step = loop.step
    if not isinstance(step, tree.Assign) or not isinstance(step.target, tree.LocalValue) or step.target.variable.in_frame:
        return None
    variable, value = step.target.variable, step.value
    while isinstance(value, tree.Cast):
        value = value.operand
    left, right = getattr(value, "left", None), getattr(value, "right", None)
    while isinstance(left, tree.Cast):
        left = left.operand
    adds_one = getattr(value, "op", "") == "+" and isinstance(right, tree.Constant) and right.value == 1
    if not adds_one or not isinstance(left, tree.LocalValue) or left.variable is not variable:
        return None
    if variable in assigned(loop.condition) | assigned(loop.body):
        return None
    return left if any(_is_below(test, variable) for test in _conjuncts(loop.condition)) else None


def _conjuncts(e: tree.Expression | None) -> Iterator[tree.Expression]:
    if isinstance(e, tree.Logical) and e.op == "&&":
        yield from _conjuncts(e.left)
        yield from _conjuncts(e.right)
    elif e is not None:
        yield e


def _is_below(e: tree.Expression, variable: tree.Local) -> bool:
    """Whether the test says that the variable is below some value of its own type."""
    return isinstance(e, tree.Comparison) and e.op == "<" and isinstance(e.left, tree.LocalValue) and e.left.variable is variable
