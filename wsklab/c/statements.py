"""C's rules for statements and for the declarations between them, and the Python statements they become.

Every C loop is ``for __ in steps·``: the iterator is the step budget of the run. A jump out of several Python loops at once
(``continue`` inside a switch, ``goto``) sets ``jump·`` to its number and breaks; behind each loop that it has to leave stands
a test that passes it on. A block with labels is a loop over its parts: ``goto`` sets where to begin and continues that loop.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.body import RESULT, LoopScope, changed
from wsklab.c.constant import promote, usual
from wsklab.c.conversions import converted, promoted
from wsklab.c.expressions import Expressions
from wsklab.c.initialisers import initialised
from wsklab.c.python import Python, leaves
from wsklab.c.source import closest, place_of
from wsklab.c.types import Int, Record, Void
from wsklab.c.values import Local, Value, settled, truth, unknown

_JUMP = "jump·"


@dataclass(eq=False)
class Level:
    """One enclosing construct that jumps can aim at.

    All are Python loops. `proceed` is what ``continue`` does before the next round, `begin` the name of the number of the
    part to begin with. `passing` are the jumps that leave the loop by ``break``, by number: where they go, what they do there.
    """

    kind: str  # "loop", "switch" or "labels"
    proceed: Python = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    begin: str = ""
    passing: dict[int, tuple[Level, Python]] = field(default_factory=dict)


class Statements(Expressions):
    """Turns the statements of one function body into Python."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.levels: list[Level] = []
        self.jumps = 0

    def block(self, nodes: list[Any] | None) -> Python:
        """Statements and declarations in a scope of their own."""
        with self.declarations.scope():
            return self.items(nodes or [])

    def items(self, nodes: list[Any]) -> Python:
        """Statements and declarations in the current scope; labels begin new parts."""
        parts: list[list[Any]] = [[]]
        labels: dict[str, int] = {}
        for node in nodes:
            while isinstance(node, c_ast.Label):
                labels[node.name] = len(parts)
                parts.append([])
                node = node.stmt
            parts[-1].append(node)
        if not labels:
            return self._sequence(nodes)
        self.jumps += 1
        level = Level("labels", labels=labels, begin=f"begin·{self.jumps}")
        return [py.assign(level.begin, 0), *self._parts(level, parts)]

    def _sequence(self, nodes: list[Any]) -> Python:
        """Statements in order; what follows a jump is checked and left out."""
        result: Python = []
        for statements in [self.statement(node) for node in nodes if node is not None]:
            if not leaves(result):
                result += statements
        return result

    def _parts(self, level: Level, parts: list[list[Any]]) -> Python:
        """The parts from number `begin` of the level on, each falling into the next."""
        self.levels.append(level)
        body: Python = []
        for number, part in enumerate(parts):
            nodes = self._sequence(part)
            if nodes and (level.kind == "switch" or number < len(parts) - 1):
                nodes = [py.when(py.compare(py.name(level.begin), "<=", number), nodes)]
            body += nodes
        self.levels.pop()
        return self.python_loop(level, body if leaves(body) else [*body, ast.Break()], once=level.kind == "switch")

    def statement(self, node: Any) -> Python:
        """The Python statements for one C statement, located."""
        emit: Callable[[Any], Python] | None = getattr(self, f"_do_{type(node).__name__}", None)
        return py.located(emit(node) if emit is not None else self.effect(node), place_of(node))

    def _inner(self, node: Any) -> Python:
        """The statement under an ``if`` or a loop."""
        return self.block(node.block_items if isinstance(node, c_ast.Compound) else [node])

    def _do_Compound(self, node: Any) -> Python:
        return self.block(node.block_items)

    def _do_EmptyStatement(self, node: Any) -> Python:
        return []

    _do_Pragma = _do_EmptyStatement

    def _do_Label(self, node: Any) -> Python:
        return self.items([node])

    def _do_Gap(self, node: Any) -> Python:
        return [ast.Expr(self.gap(node, "statement").node)]

    # Declarations

    def _do_DeclList(self, node: Any) -> Python:
        return [statement for declaration in node.decls for statement in self.statement(declaration)]

    def _do_Decl(self, node: Any) -> Python:
        symbol = self.declarations.declare(node)
        if symbol is None or symbol.kind != "object" or symbol.storage == "extern":
            return []
        if symbol.storage == "static":
            symbol.data = f"{self.name}.{symbol.name}"
            if any(known.name == symbol.data for known in self.statics):
                symbol.data += f".{symbol.place.line}"
            self.statics.append(replace(symbol, name=symbol.data))
            return []
        symbol.data = variable = self.add_local(symbol.name, symbol.type)
        return [] if node.init is None else initialised(self, self.object_of(variable, place_of(node)), node.init)

    _do_Typedef = _do_StaticAssert = _do_Decl

    # Branches and loops

    def _do_If(self, node: Any) -> Python:
        condition = self.scalar(node.cond)
        then = self._inner(node.iftrue)
        otherwise = self._inner(node.iffalse) if node.iffalse is not None else []
        if condition.constant is not None:
            return then if condition.constant else otherwise
        return [py.when(truth(condition), then, otherwise)]

    def _do_While(self, node: Any) -> Python:
        return self._loop(node, None)

    _do_DoWhile = _do_While

    def _do_For(self, node: Any) -> Python:
        with self.declarations.scope():
            first = self.statement(node.init) if node.init is not None else []
            return first + self._loop(node, node.next)

    def _loop(self, node: Any, step: Any) -> Python:
        test_last = isinstance(node, c_ast.DoWhile)
        scope = LoopScope(node.cond, step, node.stmt)
        self.loops.append(scope)
        level = Level("loop")
        test = self._stop_unless(node.cond)
        self.counter = self._counted(node)
        level.proceed = test if test_last else py.located(self.effect(step), place_of(step)) if step is not None else []
        self.counter = None
        self.levels.append(level)
        body = [] if test_last else [*test]
        body += self._inner(node.stmt)
        self.levels.pop()
        self.loops.pop()
        if not leaves(body):
            body += level.proceed
        return self.before(scope) + self.python_loop(level, body or [ast.Pass()])

    def _stop_unless(self, condition: Any) -> Python:
        """``if not condition: break``."""
        if condition is None:
            return []
        value = self.scalar(condition)
        if value.constant is not None:
            return [] if value.constant else py.located([ast.Break()], value.at)
        return py.located([py.when(py.negate(truth(value)), [ast.Break()])], value.at)

    def _counted(self, node: Any) -> Local | None:
        """The ``i`` of ``for (…; i < n; i++)``, when it cannot be at the largest value of its type in the step."""
        step = node.next if isinstance(node, c_ast.For) else None
        target = step.expr if isinstance(step, c_ast.UnaryOp) and step.op in ("++", "p++") else None
        symbol = self.declarations.lookup(target.name) if isinstance(target, c_ast.ID) else None
        local = symbol.data if symbol is not None else None
        if not isinstance(local, Local) or local.name in changed(node.cond, node.stmt) or promote(local.type) != local.type:
            return None
        test = node.cond
        while isinstance(test, c_ast.BinaryOp) and test.op == "&&":
            test = test.left
        if not isinstance(test, c_ast.BinaryOp) or test.op != "<" or not isinstance(test.left, c_ast.ID):
            return None
        other = self.type_of(test.right) if test.left.name == local.name else None
        return local if isinstance(other, Int) and usual(local.type, other) == local.type else None

    # Jumps

    def python_loop(self, level: Level, body: Python, *, once: bool = False) -> Python:
        """The loop of `level`, and behind it the tests that pass on the jumps that leave it."""
        budget: Python = [] if once else [ast.Expr(py.call("out_of_steps·"))]
        result: Python = [ast.For(ast.Name("__", py.STORE), py.name("once·" if once else "steps·"), body, budget, None)]
        for number, (target, arrive) in level.passing.items():
            onward: Python = [ast.Break()] if target is not self.levels[-1] else [py.assign(_JUMP, 0), *arrive]
            result.append(py.when(py.compare(py.name(_JUMP), "==", number), onward))
        return result

    def _jump(self, target: Level, arrive: Python) -> Python:
        """Leave all Python loops inside `target`, then do what `arrive` says."""
        inner = self.levels[self.levels.index(target) + 1 :]
        if not inner:
            return arrive
        self.jumps += 1
        for level in inner:
            level.passing[self.jumps] = target, arrive
        return [py.assign(_JUMP, self.jumps), ast.Break()]

    def _do_Goto(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if node.name in level.labels), None)
        if level is not None:
            return self._jump(level, [py.assign(level.begin, level.labels[node.name]), ast.Continue()])
        if node.name in self.labels:
            text = "goto {name}: jumping into a block that does not enclose the goto is not supported."
            self.wrong(node, "goto-into-block", text, name=node.name)
        else:
            close = closest(node.name, self.labels)
            self.wrong(node, "undeclared-label", "There is no label {name}.", name=node.name, close=close)
        return []

    def _do_Continue(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if level.kind == "loop"), None)
        if level is None:
            self.wrong(node, "misplaced-continue", "continue stands in no loop.")
            return []
        return self._jump(level, [*level.proceed, ast.Continue()])

    def _do_Break(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if level.kind != "labels"), None)
        if level is None:
            self.wrong(node, "misplaced-break", "break stands in no loop or switch.")
        return [] if level is None else self._jump(level, [ast.Break()])

    def _do_Return(self, node: Any) -> Python:
        wanted = self.returns
        assert wanted is not None
        if isinstance(wanted, Void):
            value = self.value(node.expr) if node.expr is not None else None
            if value is not None and not isinstance(value.type, Void) and not unknown(value):
                text = "{name} returns void: a value cannot be returned."
                self.wrong(node, "value-returned-from-void", text, name=self.name)
            return [*([] if value is None else [ast.Expr(settled(value))]), ast.Return(None)]
        if node.expr is None:
            text = "{name} must return a value of type {type}."
            self.wrong(node, "missing-return-value", text, name=self.name, type=wanted)
            return []
        returned = settled(self.assignable(node.expr, wanted, node.expr, "return value"))
        if not isinstance(wanted, Record):
            return [ast.Return(returned)]
        copied = py.call("copy·", py.name(RESULT), returned, py.constant(wanted.size))
        return [ast.Expr(copied), ast.Return(py.name(RESULT))]

    # Switch: a jump into the parts that its labels begin

    def _do_Switch(self, node: Any) -> Python:
        selected = self.scalar(node.cond)
        if not isinstance(selected.type, Int):
            text = "switch needs an integer, not {type}."
            selected = self.wrong(node.cond, "switch-on-no-integer", text, type=selected.type)
        selected = promoted(selected)
        self.jumps += 1
        level = Level("switch", begin=f"switch·{self.jumps}")
        table: dict[int, int] = {}
        default, parts = None, [Python()]
        with self.declarations.scope():
            for item in node.stmt.block_items or [] if isinstance(node.stmt, c_ast.Compound) else [node.stmt]:
                if not isinstance(item, c_ast.Case | c_ast.Default):
                    # A declaration before the first label: its scope is the switch, its initialiser is never reached.
                    self.statement(item)
                    continue
                if isinstance(item, c_ast.Default):
                    default = len(parts)
                else:
                    self._add_case(item, table, selected, len(parts))
                parts.append(item.stmts or [])
            statements = self._parts(level, parts)
        where = py.name(self.need(f"table·{self.name}·{level.begin}", "given", table.get))
        begin = ast.Call(where, [settled(selected), py.constant(default or len(parts))], [])
        return [py.assign(level.begin, begin), *statements]

    def _add_case(self, item: Any, table: dict[int, int], selected: Value, part: int) -> None:
        value = self.declarations.required_constant(item.expr, "a case label")
        value = int(converted(value, selected.type))
        if value in table:
            self.wrong(item, "duplicate-case", "The case {value} appears twice.", value=value)
        table[value] = part

    def _do_Case(self, node: Any) -> Python:
        self.wrong(node, "not-supported", "A case label inside another statement of the switch is not supported.")
        return []

    _do_Default = _do_Case
