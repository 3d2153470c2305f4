"""C's rules for statements and for the declarations between them, and the Python statements they become.

Every C loop is ``for __ in steps·``: the iterator is the step budget of the run. A jump out of several Python loops at once
(``continue`` inside a switch, ``goto``) sets ``jump·`` to its number and breaks; behind each loop that it has to leave stands
a test that passes it on. A block with labels is a loop over its parts: ``goto`` sets where to begin and continues that loop.
A jump into a statement (``goto`` into a block, a ``case`` inside a loop of its switch) begins with the part that is this
statement, and ``into·`` holds the number of the label until it is reached: conditions and first parts on the way give way to it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.body import FRAME, RESULT, LoopScope
from wsklab.c.bounds import counted
from wsklab.c.exceptions import guarded, leaves_by_name
from wsklab.c.expressions import Expressions
from wsklab.c.initialisers import initialised
from wsklab.c.labels import INTO, JUMP, LABELS, Level, entered, given, switch
from wsklab.c.parse import walk
from wsklab.c.python import Python, leaves
from wsklab.c.source import closest, place_of
from wsklab.c.types import Array, Record, Void, is_variable
from wsklab.c.values import Local, settled, truth, unknown


def _left() -> Python:
    """What statements without a function around them do where the page goes on elsewhere: they end."""
    return [ast.Return(py.constant(0))]


class Statements(Expressions):
    """Turns the statements of one function body into Python."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.levels: list[Level] = []
        self.blocks: list[tuple[int, int]] = []
        """The blocks around: how many levels and living variables in memory there were when each began."""
        self.jumps = 0
        self.passed_again: set[Any] = set()
        """Declarations without a value in loops, behind which the variable is not given one at once."""
        self.entered: dict[Any, int] = {}
        """Labels that are jumped to from outside of their block, each with its number; a case label is its own name."""

    def begin(self, node: Any) -> None:
        """Find the labels of the body that are jumped to from outside of their block."""
        self.entered = entered(node) if self.labels else {}

    def _inside(self, *nodes: Any) -> list[Any]:
        """The labels in some statements at which these are entered."""
        if not self.entered:
            return []
        keys = (part.name if isinstance(part, c_ast.Label) else part for node in nodes for part in walk(node))
        return [key for key in keys if isinstance(key, str | c_ast.Case | c_ast.Default) and key in self.entered]

    def block(self, nodes: list[Any] | None) -> Python:
        """Statements and declarations in a scope of their own."""
        return self.scope(lambda: self.items(nodes or []))

    def scope(self, emit: Callable[[], Python]) -> Python:
        """What is emitted in a scope of its own; what of it lies in memory is nobody's outside of it."""
        self.blocks.append((len(self.levels), known := len(self.alive)))
        with self.declarations.scope():
            result = emit()
        framed = [local for local in self.alive[known:] if local.offset is not None]
        begin = [self._lives(framed, is_open=True)] if framed else []
        end = [] if leaves(result) else self._end_of(self.alive[known:])
        del self.blocks[-1], self.alive[known:]
        return [*begin, *result, *end]

    def _end_of(self, variables: list[Local]) -> Python:
        """What ends the lives of variables in memory."""
        framed = [variable for variable in variables if variable.offset is not None]
        ended = [self._lives(framed, is_open=False)] if framed else []
        for variable in variables:
            if isinstance(variable.type, Array) and variable.type.held:
                self.changes_states()
                ended.append(ast.Expr(py.call("end·", py.name(variable.python), py.name(variable.type.held))))
        return ended

    def _lives(self, variables: list[Local], *, is_open: bool) -> ast.stmt:
        """Where the life of variables in the frame begins or ends."""
        self.changes_states()
        lives = tuple((variable.offset, variable.type.size) for variable in variables)
        return ast.Expr(py.call("scope·", py.name(FRAME), py.constant(lives), py.constant(int(is_open))))

    def items(self, nodes: list[Any]) -> Python:
        """Statements and declarations in the current scope; labels begin new parts."""
        parts, labels = self.split(nodes)
        if labels or any(level.kind in ("loop", "labels") for level in self.levels):
            self.passed_again.update(node for at, node in enumerate(nodes, 1) if not given(node, nodes[at:]))
        for label in labels:
            if not isinstance(label, str) and label not in self.entered:
                self.wrong(label, "misplaced-case", "This label stands in no switch.")
        if not labels:
            return self.sequence(nodes)
        self.jumps += 1
        level = Level("labels", labels=labels, begin=f"begin·{self.jumps}")
        return [self.where(level, labels, py.constant(0)), *self.parts(level, parts)]

    def split(self, nodes: list[Any]) -> tuple[list[list[Any]], dict[Any, int]]:
        """The parts of a block, which labels begin, and where each label is, also those deeper that are entered from outside."""
        parts: list[list[Any]] = [[]]
        labels: dict[Any, int] = {}
        left = nodes[::-1]
        while left:
            node = left.pop()
            if isinstance(node, LABELS):
                labels[node.name if isinstance(node, c_ast.Label) else node] = len(parts)
                parts.append([node] if node in self.entered or getattr(node, "name", None) in self.entered else [])
                left += [node.stmt] if isinstance(node, c_ast.Label) else (node.stmts or [])[::-1]
            elif deeper := self._inside(node):
                labels.update(dict.fromkeys(deeper, len(parts)))
                parts.append([node])
            else:
                parts[-1].append(node)
        return parts, labels

    def where(self, level: Level, labels: dict[Any, int], otherwise: ast.expr) -> ast.stmt:
        """Where a block begins: at its first part, or at the one on the way to the label that is jumped to."""
        numbers = {self.entered[key]: part for key, part in labels.items() if key in self.entered}
        if numbers:
            table = py.name(self.need(f"entries·{self.name}·{level.begin}", "given", numbers.get))
            otherwise = py.choose(py.name(INTO), ast.Call(table, [py.name(INTO)], []), otherwise)
        return ast.Assign([ast.Name(level.begin, py.STORE)], otherwise)

    def _unless_entered(self, condition: ast.expr, yes: list[Any], no: list[Any] | None = None) -> ast.expr:
        """A condition that does not count on the way to a label: then the truth is where the label is."""
        if yes and no:
            chosen = [py.constant(self.entered[key]) for key in yes]
            among = ast.Compare(py.name(INTO), [ast.In()], [ast.Tuple(chosen, py.LOAD)])
            return py.choose(py.name(INTO), among, condition)
        if yes:
            return py.either("||", py.name(INTO), condition)
        return py.either("&&", py.negate(py.name(INTO)), condition) if no else condition

    def sequence(self, nodes: list[Any]) -> Python:
        """Statements in order; what follows a jump is checked and left out."""
        result: Python = []
        for statements in [self.statement(node) for node in nodes if node is not None]:
            if not leaves(result):
                result += statements
        return result

    def parts(self, level: Level, parts: list[list[Any]]) -> Python:
        """The parts from number `begin` of the level on, each falling into the next."""
        self.levels.append(level)
        body: Python = []
        for number, part in enumerate(parts):
            # A label that is entered from outside stands first in its part: there the jump has arrived.
            arrived = [py.assign(INTO, 0)] if part and isinstance(part[0], LABELS) else []
            nodes = arrived + self.sequence(part[len(arrived) :])
            if nodes and (level.kind == "switch" or number < len(parts) - 1):
                nodes = [py.when(py.compare(py.name(level.begin), "<=", number), nodes)]
            body += nodes
        self.levels.pop()
        once = level.kind == "switch" and not any(isinstance(label, str) for label in level.labels)
        return self.python_loop(level, body if leaves(body) else [*body, ast.Break()], once=once)

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

    _do_Case = _do_Default = _do_Label

    def _do_Gap(self, node: Any) -> Python:
        return [ast.Expr(self.gap(node, "statement").node)]

    # Declarations

    def _do_DeclList(self, node: Any) -> Python:
        return [statement for declaration in node.decls for statement in self.statement(declaration)]

    def _do_Decl(self, node: Any) -> Python:
        symbol = self.declarations.declare(node)
        sizes, self.sizes = [ast.Expr(size) for size in self.sizes], []
        if symbol is not None and symbol.storage in ("static", "extern") and is_variable(symbol.type):
            self.wrong(node, "variable-array", "An array of variable length cannot be static.")
        if symbol is None or symbol.kind != "object" or symbol.storage == "extern":
            return [*sizes]
        if symbol.storage == "static":
            symbol.data = f"{self.name}.{symbol.name}"
            if any(known.name == symbol.data for known in self.statics):
                symbol.data += f".{symbol.place.line}"
            self.statics.append(replace(symbol, name=symbol.data))
            return []
        below = next((local.python for local in reversed(self.alive) if local.offset is None), FRAME)
        symbol.data = variable = self.add_local(symbol.name, symbol.type)
        if isinstance(symbol.type, Array) and symbol.type.held:
            if node.init is not None:
                self.wrong(node.init, "variable-array", "An array of variable length cannot be initialised.")
            self.changes_states()
            space = py.call("space·", py.name(below), py.name(symbol.type.held), py.constant(self.name))
            return [*sizes, py.assign(variable.python, space)]
        if node.init is not None:
            return [*sizes, *initialised(self, self.object_of(variable, place_of(node)), node.init)]
        opened = variable.offset is not None and self.levels and self.levels[-1].kind != "labels"
        return [*sizes, *(self.indeterminate(variable) if node in self.passed_again and not opened else [])]

    def indeterminate(self, variable: Local) -> Python:
        """A variable without a value, whatever it had in an earlier round."""
        if variable.offset is not None:
            return [self._lives([variable], is_open=True)]
        return [py.assign(variable.python, 0), ast.Delete([ast.Name(variable.python, ast.Del())])]

    _do_Typedef = _do_StaticAssert = _do_Decl

    # Branches and loops

    def _do_If(self, node: Any) -> Python:
        condition = self.scalar(node.cond)
        then = self._inner(node.iftrue)
        otherwise = self._inner(node.iffalse) if node.iffalse is not None else []
        entries = self._inside(node.iftrue), self._inside(node.iffalse)
        if condition.constant is not None and not any(entries):
            return then if condition.constant else otherwise
        return [py.when(self._unless_entered(truth(condition), *entries), then, otherwise)]

    def _do_While(self, node: Any) -> Python:
        return self._loop(node, None)

    _do_DoWhile = _do_While

    def _do_For(self, node: Any) -> Python:
        def emit() -> Python:
            first = self.statement(node.init) if node.init is not None else []
            if first and self._inside(node.stmt):
                first = [py.when(py.negate(py.name(INTO)), first)]
            return first + self._loop(node, node.next)

        return self.scope(emit)

    def _loop(self, node: Any, step: Any) -> Python:
        test_last = isinstance(node, c_ast.DoWhile)
        scope = LoopScope(node.cond, step, node.stmt)
        self.loops.append(scope)
        level, entries = Level("loop"), self._inside(node.stmt)
        test = self._stop_unless(node.cond, entries)
        counters = self.counters
        self.counters = counters | ({} if entries or step is None else counted(self, node))
        level.proceed = test if test_last else py.located(self.effect(step), place_of(step)) if step is not None else []
        self.levels.append(level)
        body = [] if test_last else [*test]
        body += self._inner(node.stmt)
        self.levels.pop()
        self.loops.pop()
        self.counters = counters
        if not leaves(body):
            body += level.proceed
        return self.before(scope) + self.python_loop(level, body or [ast.Pass()])

    def _stop_unless(self, condition: Any, entries: list[Any]) -> Python:
        """``if not condition: break``."""
        if condition is None:
            return []
        value = self.scalar(condition)
        if value.constant is not None and not (entries and not value.constant):
            return [] if value.constant else py.located([ast.Break()], value.at)
        return py.located([py.when(py.negate(self._unless_entered(truth(value), entries)), [ast.Break()])], value.at)

    def _do_Switch(self, node: Any) -> Python:
        return self.scope(lambda: switch(self, node))

    # Jumps

    def python_loop(self, level: Level, body: Python, *, once: bool = False) -> Python:
        """The loop of `level`, and behind it the tests that pass on the jumps that leave it."""
        budget: Python = [] if once else [ast.Expr(py.call("out_of_steps·"))]
        result: Python = [ast.For(ast.Name("__", py.STORE), py.name("once·" if once else "steps·"), body, budget, None)]
        for number, (target, arrive) in level.passing.items():
            onward: Python = [ast.Break()] if target is not self.levels[-1] else [py.assign(JUMP, 0), *arrive]
            result.append(py.when(py.compare(py.name(JUMP), "==", number), onward))
        return result

    def _jump(self, target: Level, arrive: Python) -> Python:
        """Leave all blocks and Python loops inside `target`, then do what `arrive` says."""
        around = self.levels.index(target)
        ended = next((self._end_of(self.alive[known:]) for levels, known in self.blocks if levels > around), [])
        inner = self.levels[around + 1 :]
        if not inner:
            return [*ended, *arrive]
        self.jumps += 1
        for level in inner:
            level.passing[self.jumps] = target, arrive
        return [*ended, py.assign(JUMP, self.jumps), ast.Break()]

    def _do_Goto(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if node.name in level.labels), None)
        if level is not None:
            into = [py.assign(INTO, self.entered[node.name])] if node.name in self.entered else []
            return self._jump(level, [*into, py.assign(level.begin, level.labels[node.name]), ast.Continue()])
        close = closest(node.name, self.labels)
        self.wrong(node, "undeclared-label", "There is no label {name}.", name=node.name, close=close)
        return _left()

    def _do_Continue(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if level.kind == "loop"), None)
        if level is None:
            self.wrong(node, "misplaced-continue", "continue stands in no loop.")
            return _left()
        return self._jump(level, [*level.proceed, ast.Continue()])

    def _do_Break(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if level.kind in ("loop", "switch")), None)
        if level is None:
            self.wrong(node, "misplaced-break", "break stands in no loop or switch.")
        return _left() if level is None else self._jump(level, [ast.Break()])

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

    # Exceptions

    def _do_Try(self, node: Any) -> Python:
        if not leaves_by_name(node.block):
            return guarded(self, node, self.block(node.block.block_items))
        self.levels.append(level := Level("try"))
        tried = self.block(node.block.block_items)
        self.levels.pop()
        return guarded(self, node, self.python_loop(level, [*tried, ast.Break()], once=True))

    def _do_Leave(self, node: Any) -> Python:
        level = next((level for level in reversed(self.levels) if level.kind == "try"), None)
        if level is None:
            self.wrong(node, "misplaced-leave", "__leave stands in no __try.")
            return []
        return self._jump(level, [ast.Break()])
