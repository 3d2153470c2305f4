"""The state of one function body on its way to Python, and the code that touches memory.

Array accesses inside loops are made without a function call: while a loop runs that does not assign `a`, the place of `a`
in the machine's memory does not move. It is looked up once before the loop (``run·4(a, …)``), and ``a[i]`` indexes typed
views of the memory and of its states directly. Whatever is not plainly right there (a wild pointer, a byte not written, an
odd address) goes to the checked load or store, which reports it. Of an array whose end is known the views end there too, so
that its bounds cost nothing; only where a view cannot be taken the index is compared with them.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.declare import Declarations, Symbol
from wsklab.c.parse import Gap, change, changed, walk
from wsklab.c.python import Python
from wsklab.c.runtime import RED_ZONE, WIDE_RED_ZONE, GapKind
from wsklab.c.source import Place, Problems, closest, place_of
from wsklab.c.types import INT, Array, CType, Float, Function, Int, Pointer, Record

from wsklab.c.values import (  # isort: skip
    NOTHING, UNKNOWN, Local, Object, Range, Value, is_scalar, number, possible, reach, settled, type_range,
)  # fmt: skip

FRAME, RESULT, REST, ARGUMENTS = "frame·", "result·", "rest·", "arguments·"
Waits = Callable[[str | None, Function], bool]
"""Whether a call by name, or through a pointer of a type, has to be waited for."""


def never(name: str | None, function: Function) -> bool:
    """No call waits."""
    return False


@dataclass
class References:
    """What a body refers to outside itself, and where first; the linker must know it.

    `calls` are functions called by name, `addresses` functions whose address is taken, `symbols` variables of static
    storage, `indirect` the types of calls through pointers.
    """

    calls: dict[str, Place] = field(default_factory=dict)
    addresses: dict[str, Place] = field(default_factory=dict)
    symbols: dict[str, Place] = field(default_factory=dict)
    indirect: list[Function] = field(default_factory=list)
    has_gap: bool = False


class LoopScope:
    """A C loop that is being emitted: what its text may change, and what is looked up before it begins."""

    def __init__(self, *parts: Any) -> None:
        self.changing = changed(*parts)
        self.calls = any(isinstance(node, c_ast.FuncCall | Gap) for part in parts for node in walk(part))
        self.changes_states = False  # whether what was written can become unwritten in it, by a copy or at the end of a block
        self.found: dict[str, tuple[str, int, Value, int, bool]] = {}
        """Python name → C local, size of an element, address of the array, number of its elements or 0, whether it is const."""
        self.views: set[str] = set()
        """Attributes of ``memory·`` that are in Python locals, because no call can make the memory grow."""


class Body:
    """One function body (or static initialiser): its variables, its problems, what it needs and refers to.

    `text` is the parser's tree of the whole, which says whose address is taken and who is called; `returns` what a ``return``
    must have (None for what is no function, and has no frame to keep things in); `waits` which calls have to be waited for.
    """

    def __init__(
        self, name: str, declarations: Declarations, problems: Problems, text: Any,
        returns: CType | None = None, waits: Waits = never,
    ) -> None:  # fmt: skip
        self.name, self.declarations, self.problems = name, declarations, problems
        self.returns, self.waits = returns, waits
        nodes = list(walk(text))
        self._taken = {node.name.name for node in nodes if isinstance(node, c_ast.FuncCall) and isinstance(node.name, c_ast.ID)}
        addressed = [node.expr for node in nodes if isinstance(node, c_ast.UnaryOp) and node.op == "&"]
        self._addressed = {node.name for node in addressed if isinstance(node, c_ast.ID)}
        values = [(name, value) for name, value in map(change, nodes) if value is not None]
        times = Counter(name for name, _ in values)
        self.once = {name: value.name for name, value in values if times[name] == 1 and isinstance(value, c_ast.ID)}
        """The locals that are set only once, to what another name stands for."""
        self.declared = Counter(node.name for node in nodes if isinstance(node, c_ast.Decl))
        """How often each name is declared."""
        self.returns_value = any(isinstance(node, c_ast.Return) for node in nodes)
        self.labels = [node.name for node in nodes if isinstance(node, c_ast.Label)]
        self.references = References()
        self.statics: list[Symbol] = []
        """Variables of static storage, under their names in the image."""
        self.locals: list[Local] = []
        self.parameters: list[Local] = []
        self.frame_size = 0
        self.needs: dict[str, tuple[Any, ...]] = {}
        """What generated code wants to find in its namespace: name → ("given", it) or how the runtime makes it."""
        self.loops: list[LoopScope] = []
        self.sizes: list[ast.expr] = []
        """What computes the sizes of arrays of variable length that the current declaration or expression names."""
        self.alive: list[Local] = []
        """The variables in memory that are in scope; of arrays of variable length the Python local has the stack space."""
        self.uses_stack = False  # whether there are such arrays
        self.uses_rest = False  # whether it looks at the arguments that came for ``...``
        self.known: dict[str, str] = {}
        """What the compiler's own functions stand for here: the Python local."""
        self.counters: dict[Local, Range] = {}
        """The locals that count the loops around, and which values they can have there."""
        self._temporaries = self._unevaluated = 0

    # Problems

    def wrong(self, node: Any, id: str, text: str, hint: str | None = None, **values: object) -> Value:
        """Report an error and go on with a value of unknown type."""
        self.problems.error(id, node, text, hint, **values)
        return self.unknown(node)

    @staticmethod
    def unknown(node: Any) -> Value:
        """A value about which nobody complains any more."""
        return number(UNKNOWN, place_of(node), 0)

    def suggestion(self, name: str) -> str | None:
        """What was probably meant by an unknown name."""
        if self.problems is not self.declarations.problems or self.problems.full or name in self.problems.assumed:
            return None  # nobody asks, or a check that reports to nobody; the headers may not be there yet
        from wsklab.c.headers import headers

        return closest(name, [*self.declarations.values(), *headers().macros])

    @contextmanager
    def unevaluated(self) -> Iterator[None]:
        """While in here, references do not count: the expression is not evaluated."""
        before, self.references = self.references, References()
        self._unevaluated += 1
        yield
        self._unevaluated -= 1
        self.references = before

    @contextmanager
    def knows(self, **names: str) -> Iterator[None]:
        """While in here, functions of the compiler stand for these Python locals."""
        before, self.known = self.known, self.known | names
        yield
        self.known = before

    # Variables and names

    def add_local(self, name: str, ctype: CType, *, in_frame: bool = False) -> Local:
        """A new variable of automatic storage; in the frame if its bytes matter."""
        variable = Local(name, ctype, self._python_name(name))
        if isinstance(ctype, Array) and ctype.held:
            self.uses_stack = True
        elif in_frame or isinstance(ctype, Array | Record) or name in self._addressed:
            align = max(ctype.align, 1)
            beside = max(min(ctype.size, WIDE_RED_ZONE), RED_ZONE) if isinstance(ctype, Array) else RED_ZONE
            variable.offset = -(-(self.frame_size + beside) // align) * align
            self.frame_size = variable.offset + ctype.size + beside - RED_ZONE
        if isinstance(ctype, Array) or variable.offset is not None:
            self.alive.append(variable)
        self.locals.append(variable)
        return variable

    def _python_name(self, name: str) -> str:
        """The C name, with ``·2`` behind it when Python cannot have it or another variable of the function has it."""
        candidate, count = name, 1
        while candidate in self._taken or not candidate or py.spelled(candidate) != candidate:
            count += 1
            candidate = f"{name or 'unnamed'}·{count}"
        self._taken.add(candidate)
        return candidate

    def temporary(self) -> str:
        """A fresh Python local for a value in between."""
        self._temporaries += 1
        return f"{self._temporaries}·"

    def twice(self, node: ast.expr) -> tuple[ast.expr, ast.expr]:
        """A value to be used in two places, computed by the first."""
        if isinstance(node, ast.Name | ast.Constant):
            return node, node
        kept = self.temporary()
        return py.save(kept, node), py.name(kept)

    def need(self, name: str, *what: Any) -> str:
        """Say what generated code will find under a name."""
        self.needs[name] = what
        return name

    @staticmethod
    def fixed(name: str, ctype: CType, where: Place, offset: int = 0) -> Object:
        """What lies at an address that never changes while a function runs."""
        return Object(ctype, where, Value(Pointer(ctype), where, py.name(name), offset=offset, root=""))

    def object_of(self, variable: Local, where: Place) -> Object:
        """The variable as an object."""
        if variable.offset is None and isinstance(variable.type, Array):
            address = Value(Pointer(variable.type), where, py.name(variable.python), offset=WIDE_RED_ZONE, root=variable.name)
            return Object(variable.type, where, address)
        if variable.offset is None:
            return Object(variable.type, where, NOTHING, variable)
        return self.fixed(FRAME, variable.type, where, variable.offset)

    def string(self, data: bytes, ctype: CType, where: Place) -> Object:
        """A string literal; `data` includes the final zero."""
        return self.fixed(self.need(f"string·{data.hex()}", "string", data), ctype, where)

    def static(self, symbol: str, ctype: CType, where: Place) -> Object:
        """A variable of static storage."""
        self.references.symbols.setdefault(symbol, where)
        return self.fixed(f"address·{symbol}", ctype, where)

    def gap(self, node: Any, kind: GapKind, target: CType = INT) -> Value:
        """A ``...`` where C has an expression."""
        self.references.has_gap = True
        where = place_of(node)
        value = py.call("gap·", py.name(self.need(f"place·{where}", "given", where)), py.constant(kind))
        value = py.call("float·", value) if isinstance(target, Float) else value
        return Value(target if is_scalar(target) else UNKNOWN, where, value)

    # Memory

    def read(self, x: Value | Object) -> Value:
        """The value of an object; a value stays what it is."""
        if isinstance(x, Value):
            return x
        if x.local is not None:
            span = self.counters.get(x.local) or type_range(x.type)
            return Value(x.type, x.at, py.name(x.local.python), span, root=x.local.name)
        if x.wide:
            return replace(x.address, type=x.type)
        load = self.need(f"load·{py.kind(x.type)}", "load", x.type)
        near = self._near(x)
        if near is not None:
            test, element, far = near
            return Value(x.type, x.at, py.choose(test, element, py.call(load, far)))
        unit = py.call(load, reach(x.address))
        if x.bit_width is None or not isinstance(x.type, Int):
            return Value(x.type, x.at, unit)
        node = _cut(x, py.binary(unit, ">>", py.constant(x.bit_offset)) if x.bit_offset else unit)
        span = type_range(x.type) if x.type.signed else (0, (1 << x.bit_width) - 1)
        return Value(x.type, x.at, node, span, bits=x.bit_width)

    def store(self, x: Object, value: ast.expr) -> ast.expr:
        """A store to memory, which gives None. The address is computed before the value."""
        address = reach(x.address)
        if x.wide:
            return self._copy(address, value, x.type)
        if x.bit_width is None:
            return py.call(self.need(f"store·{py.kind(x.type)}", "store", x.type), address, value)
        name = f"store·{py.kind(x.type)}·{x.bit_offset}·{x.bit_width}"
        return py.call(self.need(name, "store_bits", x.type, x.bit_offset, x.bit_width), address, value)

    def _copy(self, target: ast.expr, source: ast.expr, ctype: CType) -> ast.expr:
        self.changes_states()
        return py.call("copy·", target, source, py.constant(ctype.size))

    def changes_states(self) -> None:
        """The loops around cannot rely on that what is written stays so."""
        for loop in self.loops:
            loop.changes_states = True

    def assigned(self, x: Object, v: Value, where: Place) -> Value:
        """An assignment as an expression: its value is what was stored."""
        if x.local is not None:
            return Value(x.type, where, py.save(x.local.python, settled(v)), possible(v))
        if x.wide:
            first, again = self.twice(reach(x.address))
            copied = self._copy(first, settled(v), x.type)
            return Value(x.type, where, py.either("||", copied, again))
        first, again = py.save(kept := self.temporary(), settled(v)), py.name(kept)
        stored = self.store(x, first)
        return Value(x.type, where, py.either("||", stored, again if x.bit_width is None else _cut(x, again)), bits=x.bit_width)

    def assignment(self, x: Object, v: Value, where: Place) -> Python:
        """An assignment as a statement."""
        if x.local is not None:
            return py.located([py.assign(x.local.python, settled(v))], where)
        near = self._near(x)
        if near is None:
            return py.located([ast.Expr(self.store(x, settled(v)))], where)
        test, element, address = near
        value, first = settled(v), Python()
        if not isinstance(value, ast.Name | ast.Constant):
            first, value = [py.assign("v·", value)], py.name("v·")
        element.ctx = py.STORE
        far = py.call(self.need(f"store·{py.kind(x.type)}", "store", x.type), address, value)
        return py.located([*first, py.when(test, [ast.Assign([element], value)], [ast.Expr(far)])], where)

    # Arrays in loops

    def _near(self, x: Object) -> tuple[ast.expr, ast.Subscript, ast.expr] | None:
        """An element inside a loop that does not change where its array lies.

        Returns:
            The test whether the element can be taken from the views, the element there, its address for where it cannot.
        """
        item = x.address.element
        if item is None or x.bit_width is not None or not isinstance(x.type, Int | Pointer) or self._unevaluated:
            return None
        size = x.type.size
        home = None if item.scale % size else self._home(item.root)
        if home is None or not isinstance(item.base, ast.Name):
            return None
        array, length = Value(x.address.type, x.at, item.base, offset=x.address.offset), item.count * item.scale // size
        looked_up = f"{item.base.id}·{array.offset}·{size}·{length}{'·const' * x.type.const}"
        home.found[looked_up] = item.root, size, array, length, x.type.const
        index, again = self.twice(item.number)
        kept = py.save("o·", py.binary(py.name(looked_up), "+", py.binary(index, "*", item.scale // size)))
        begin: int | ast.expr = py.name(looked_up) if length else 0
        end, upwards = py.name(f"last·{looked_up}") if length else self._view(f"n{size}"), possible(item.index)[0] >= 0
        state = ast.Subscript(self._view(f"s{size}"), py.name("o·"), py.LOAD)
        written = py.compare(state, "in" if x.type.const else "==", py.name(f"{'sealed' if x.type.const else 'written'}·{size}"))
        if home.calls:
            inside = py.compare(kept, "<", end) if upwards else py.between(begin, kept, "<", end)
            test = py.either("&&", inside, written)
        else:
            # What was written when the loop began stays so: no call frees it. The rest is asked one by one.
            first, last = py.name(looked_up), py.name(f"end·{looked_up}")
            known = py.compare(kept, "<", last) if upwards else py.between(first, kept, "<", last)
            test = py.either("||", known, py.either("&&", py.between(begin, py.name("o·"), "<", end), written))
        element = ast.Subscript(self._view(py.kind(x.type)), py.name("o·"), py.LOAD)
        number = replace(item.index, node=again, span=possible(item.index), truth=False)
        checked = settled(self.bounded(number, item.count, item.allowed) if length else number)
        far = py.binary(py.binary(item.base, "+", py.binary(checked, "*", item.scale)), "+", array.offset)
        return test, element, far

    def bounded(self, index: Value, count: int, allowed: Range) -> Value:
        """The index of an array with `count` elements, compared with the `allowed` ones unless it surely is one of them."""
        (low, high), (first, last) = possible(index), allowed
        if first <= low and high <= last:
            return index
        number, again = self.twice(settled(index))
        inside, beyond = py.between(first, number, "<=", py.constant(last)), py.call("beyond·", again, py.constant(count))
        return Value(index.type, index.at, py.choose(inside, again, beyond), allowed)

    def _home(self, root: str) -> LoopScope | None:
        """The outermost loop around that does not change a local."""
        home = None
        for loop in reversed(self.loops):
            if root in loop.changing:
                break
            home = loop
        return home

    def _view(self, name: str) -> ast.expr:
        """A view of the memory, or its length: a Python local in loops without calls."""
        home = next((loop for loop in self.loops if not loop.calls), None)
        if home is None:
            return ast.Attribute(py.name("memory·"), name, py.LOAD)
        home.views.add(name)
        return py.name(f"{name}·")

    def before(self, loop: LoopScope) -> Python:
        """The look-ups before a loop; a pointer that has no value yet is found out when the loop uses it."""
        result: Python = []
        for name, (root, size, array, length, sealed) in loop.found.items():
            parts = [name, f"end·{name}", f"last·{name}"]
            stays = 0 if loop.calls or loop.changes_states else 1 + sealed
            run = py.call(f"run·{size}", reach(array), py.constant(length), py.constant(stays))
            found: ast.stmt = ast.Assign([ast.Tuple([ast.Name(part, py.STORE) for part in parts], py.STORE)], run)
            if root and root not in [parameter.name for parameter in self.parameters]:
                unset: Python = [py.assign(name, py.name("nowhere·")), *(py.assign(part, 0) for part in parts[1:])]
                nowhere = ast.ExceptHandler(py.name("UnboundLocalError"), None, unset)
                found = ast.Try([found], [nowhere], [], [])
            result.append(found)
        views = [py.assign(f"{view}·", ast.Attribute(py.name("memory·"), view, py.LOAD)) for view in sorted(loop.views)]
        return result + views


def _cut(x: Object, value: ast.expr) -> ast.expr:
    """`value` as the bit-field holds it."""
    assert isinstance(x.type, Int) and x.bit_width is not None
    cut = py.binary(value, "&", (1 << x.bit_width) - 1)
    sign = 1 << (x.bit_width - 1)
    return py.binary(py.binary(cut, "^", sign), "-", sign) if x.type.signed else cut
