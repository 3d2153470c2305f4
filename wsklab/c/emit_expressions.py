"""From typed expressions to Python expressions.

Every integer expression gives a value in range of its type. `Ranges` says where a result can leave its type; only there
code is added that wraps it. Addresses are left unwrapped while they are only used to load and store: memory refuses them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from wsklab.c import emit_python as py
from wsklab.c import tree
from wsklab.c.emit_arithmetic import Arithmetic, is_bool
from wsklab.c.emit_loops import Access, Hoists, access
from wsklab.c.ranges import Ranges
from wsklab.c.source import Place
from wsklab.c.types import Array, CType, Float, Function, Int, Pointer, Record

FRAME = "frame·"


@dataclass
class Needs:
    """What generated code wants to find in its namespace, besides functions and addresses by name.

    Attributes:
        loads, stores: scalar types by short name (``load·u32``).
        bits: bit-field stores: name → (type of the unit, bit offset, bit width).
        strings: name → content.
        prototypes: name → type of a call through a pointer.
        places: name → place of a gap.
    """

    loads: dict[str, CType] = field(default_factory=dict)
    stores: dict[str, CType] = field(default_factory=dict)
    bits: dict[str, tuple[CType, int, int]] = field(default_factory=dict)
    strings: dict[str, bytes] = field(default_factory=dict)
    prototypes: dict[str, Function] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def string(self, data: bytes) -> str:
        """The name of a string's address."""
        key = f"string·{data.hex()}"
        self.strings[key] = data
        return key

    def prototype(self, function: Function) -> str:
        """The name of a prototype."""
        key = f"prototype·{function.spelled()}"
        self.prototypes[key] = function
        return key


class ExpressionEmitter(Arithmetic):
    """Emits the expressions of one function."""

    def __init__(self, function: tree.CheckedFunction, waits: Callable[[tree.Call], bool], needs: Needs) -> None:
        """Prepare for one function; `waits` says whether a call has to be waited for."""
        self.function = function
        self.waits = waits
        self.needs = needs
        self.ranges = Ranges()
        self.hoists = Hoists()
        self._temporaries = 0

    def temporary(self) -> str:
        """A fresh Python local for a value in between."""
        self._temporaries += 1
        return f"{self._temporaries}·"

    # The three ways to look at an expression

    def value(self, e: tree.Expression) -> ast.expr:
        """The value, in range of its type."""
        node = self.wrapped_address(e) if isinstance(e, tree.Offset | tree.Element) else self._emitter(e)(e)
        py.locate(node, e.at)
        return node

    def _emitter(self, e: tree.Expression) -> Callable[[tree.Expression], ast.expr]:
        method: Callable[[tree.Expression], ast.expr] = getattr(self, f"_{type(e).__name__}")
        return method

    def address(self, e: tree.Expression, offset: int = 0) -> ast.expr:
        """An address plus `offset` for a load or store, which refuses what is out of range."""
        if isinstance(e, tree.Offset):
            node = self.address(e.base, e.bytes + offset)
        elif isinstance(e, tree.LocalAddress):
            node = self._in_frame(e.variable.offset + offset)
        elif isinstance(e, tree.Element):
            node = py.binary(self.address(e.base, offset), "+" if e.scale > 0 else "-", self._scaled(e))
        elif isinstance(e, tree.Cast) and isinstance(e.operand.type, Pointer):
            return self.address(e.operand, offset)
        else:
            node = _plus(self.value(e), offset)
        py.locate(node, e.at)
        return node

    def condition(self, e: tree.Expression) -> ast.expr:
        """The truth of a value."""
        if isinstance(e, tree.Comparison):
            node = self.comparison(e)
        elif isinstance(e, tree.Not):
            node = py.negate(self.condition(e.operand))
        elif isinstance(e, tree.Logical):
            node = py.either(e.op, self.condition(e.left), self.condition(e.right))
        elif isinstance(e, tree.Cast) and isinstance(e.operand.type, Int | Pointer) and is_bool(e.type):
            node = self.condition(e.operand)
        else:
            return self.value(e)
        py.locate(node, e.at)
        return node

    # Names, constants, addresses

    def _Constant(self, e: tree.Constant) -> ast.expr:
        return py.constant(e.value)

    def _LocalValue(self, e: tree.LocalValue) -> ast.expr:
        if e.variable.in_frame:
            return self.load(e.type, self._in_frame(e.variable.offset))
        return py.name(e.variable.python)

    def _LocalAddress(self, e: tree.LocalAddress) -> ast.expr:
        return self._in_frame(e.variable.offset)

    def _GlobalAddress(self, e: tree.GlobalAddress) -> ast.expr:
        return py.name(f"address·{e.symbol}")

    def _FunctionAddress(self, e: tree.FunctionAddress) -> ast.expr:
        return py.name(f"address·{e.name}")

    def _StringAddress(self, e: tree.StringAddress) -> ast.expr:
        return py.name(self.needs.string(e.data))

    @staticmethod
    def _in_frame(offset: int) -> ast.expr:
        return _plus(py.name(FRAME), offset)

    def _scaled(self, e: tree.Element) -> ast.expr:
        index, scale = self.value(e.index), abs(e.scale)
        return index if scale == 1 else py.binary(index, "*", py.constant(scale))

    def _Memory(self, e: tree.Memory) -> ast.expr:
        if isinstance(e.type, Record | Array):
            return self.address(e.base, e.offset)
        item = access(e) if self.hoists.names else None
        if item is not None and item.key in self.hoists.names:
            return self._near_load(e, item)
        value = self.load(e.type, self.address(e.base, e.offset))
        if e.bit_width is None:
            return value
        return self.bit_field(e, value)

    def _near_load(self, e: tree.Memory, item: Access) -> ast.expr:
        test, again = self.near(item)
        return py.choose(test, self.hoists.element(item), self.load(e.type, self.element_address(item, again)))

    def near(self, item: Access) -> tuple[ast.expr, ast.expr]:
        """The test whether an element can be taken from the views, and its index once more, for where it cannot."""
        index = self.value(item.index)
        again = self.value(item.index)
        if not isinstance(index, ast.Name | ast.Constant):
            kept = self.temporary()
            index, again = py.save(kept, index), py.name(kept)
        lowest = self.ranges.of(item.index)[0]
        return self.hoists.near(item, index, lowest), again

    def _element(self, item: Access, index: ast.expr) -> ast.expr:
        scale = item.stride * item.size
        return py.binary(self.value(item.root), "+", index if scale == 1 else py.binary(index, "*", py.constant(scale)))

    def element_address(self, item: Access, index: ast.expr) -> ast.expr:
        """The address of an element, its index given."""
        return _plus(self._element(item, index), item.offset)

    def load(self, ctype: CType, address: ast.expr) -> ast.expr:
        """A checked load."""
        key = f"load·{py.kind(ctype)}"
        self.needs.loads[key] = ctype
        return py.call(key, address)

    # Assignment

    def store(self, target: tree.LocalValue | tree.Memory, value: Callable[[], ast.expr]) -> ast.expr:
        """A store to memory, which gives None. The address is computed before the value."""
        if isinstance(target, tree.LocalValue):
            address = self._in_frame(target.variable.offset)
        else:
            address = self.address(target.base, target.offset)
        if isinstance(target.type, Record | Array):
            return py.call("copy·", address, value(), py.constant(target.type.size))
        if isinstance(target, tree.Memory) and target.bit_width is not None:
            key = f"store·{py.kind(target.type)}·{target.bit_offset}·{target.bit_width}"
            self.needs.bits[key] = target.type, target.bit_offset, target.bit_width
        else:
            key = f"store·{py.kind(target.type)}"
            self.needs.stores[key] = target.type
        return py.call(key, address, value())

    def _Assign(self, e: tree.Assign) -> ast.expr:
        target = e.target
        if isinstance(target, tree.LocalValue) and not target.variable.in_frame:
            return py.save(target.variable.python, self.value(e.value))
        if isinstance(e.type, Record | Array):
            kept = self.temporary()
            copied = py.call("copy·", py.save(kept, self.value(target)), self.value(e.value), py.constant(e.type.size))
            return py.either("||", copied, py.name(kept))
        kept = self.temporary()
        stored = self.store(target, lambda: py.save(kept, self.value(e.value)))
        result: ast.expr = py.name(kept)
        if isinstance(target, tree.Memory) and target.bit_width is not None:
            result = self.cut_to_bits(target, result)
        return py.either("||", stored, result)

    def _PostStep(self, e: tree.PostStep) -> ast.expr:
        target = e.target
        e.old.slot.clear()
        if isinstance(target, tree.LocalValue) and not target.variable.in_frame:
            if isinstance(e.update, tree.Offset):  # a pointer: the old value is the new one less the step
                new = py.save(target.variable.python, _plus(py.name(target.variable.python), e.update.bytes))
                return _plus(new, -e.update.bytes)
            changed = py.save(target.variable.python, self.value(e.update))
            return py.then(changed, py.name(e.old.slot[0]))
        stored = self.store(target, lambda: self.value(e.update))
        return py.either("||", stored, py.name(e.old.slot[0]))

    def _Saved(self, e: tree.Saved) -> ast.expr:
        node = self.value(e.operand)
        e.slot[:] = [self.temporary()]
        return py.save(e.slot[0], node)

    def _Recalled(self, e: tree.Recalled) -> ast.expr:
        if not e.saved.slot or e.saved.slot[0] == "":
            return self._Saved(e.saved)
        return py.name(e.saved.slot[0])

    def _Fill(self, e: tree.Fill) -> ast.expr:
        return py.call("fill·", self.address(e.base), py.constant(e.size))

    # Control inside expressions

    def _Comma(self, e: tree.Comma) -> ast.expr:
        return py.after(self.value(e.first), self.value(e.second))

    def _Conditional(self, e: tree.Conditional) -> ast.expr:
        return py.choose(self.condition(e.condition), self.value(e.then), self.value(e.otherwise))

    def _Comparison(self, e: tree.Comparison) -> ast.expr:
        return py.choose(self.comparison(e), py.constant(1), py.constant(0))

    def _Not(self, e: tree.Not) -> ast.expr:
        return py.choose(self.condition(e.operand), py.constant(0), py.constant(1))

    def _Logical(self, e: tree.Logical) -> ast.expr:
        both = py.either(e.op, self.condition(e.left), self.condition(e.right))
        return py.choose(both, py.constant(1), py.constant(0))

    def comparison(self, e: tree.Comparison) -> ast.expr:
        """A comparison as a Python truth value; against zero it is the truth itself."""
        if e.op in ("==", "!=") and isinstance(e.right, tree.Constant) and e.right.value == 0:
            truth = self.condition(e.left)
            return truth if e.op == "!=" else py.negate(truth)
        return py.compare(self.value(e.left), e.op, self.value(e.right))

    # Calls and gaps

    def _Call(self, e: tree.Call) -> ast.expr:
        arguments = [self.value(argument) for argument in e.arguments]
        if e.result is not None:
            arguments.insert(0, self._in_frame(e.result.offset))
        waits = self.waits(e)
        if e.name is not None:
            called: ast.expr = ast.Call(py.name(e.name), arguments, [])
        else:
            assert e.address is not None
            prototype = py.name(self.needs.prototype(e.function))
            address = self.value(e.address)
            if waits:
                called = py.call("call·", address, prototype, *arguments)
            else:
                called = ast.Call(py.call("indirect·", address, prototype), arguments, [])
        return ast.YieldFrom(called) if waits else called

    def _Gap(self, e: tree.Gap) -> ast.expr:
        key = self.place(e.at)
        value = py.call("gap·", py.name(key), py.constant(e.kind))
        return py.call("float·", value) if isinstance(e.type, Float) else value

    def place(self, at: tree.At) -> str:
        """The name of a place of this function's file."""
        key = f"place·{self.function.file}:{at.line}:{at.column}"
        self.needs.places[key] = Place(self.function.file, at.line, at.column)
        return key


def _plus(node: ast.expr, offset: int) -> ast.expr:
    if not offset:
        return node
    return py.binary(node, "+" if offset > 0 else "-", py.constant(abs(offset)))
