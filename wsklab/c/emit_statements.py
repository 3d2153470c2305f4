"""From typed statements to Python statements.

Every C loop is ``for __ in steps·``: the iterator is the step budget of the run. A jump out of several Python loops at once
(``continue`` inside a switch, ``goto``) sets ``jump·`` to its number and breaks; behind each loop that it has to leave stands
a test that passes it on. A block with labels is a loop over its parts: ``goto`` sets where to begin and continues that loop.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from wsklab.c import emit_python as py
from wsklab.c import tree
from wsklab.c.emit_expressions import ExpressionEmitter
from wsklab.c.emit_loops import Access, access, counted
from wsklab.c.types import Array, Int, Record

_JUMP = "jump·"
_LONG = 16  # tests in a switch
Python = list[ast.stmt]


@dataclass(eq=False)
class _Level:
    """One enclosing construct that jumps can aim at; `python_loop` says whether Python's ``break`` leaves it."""

    kind: str  # "loop", "switch" or "labels"
    python_loop: bool = True
    proceed: Callable[[], Python] = list
    """For a loop: the statements that ``continue`` stands for, when nothing has to be left first."""
    labels: dict[str, int] = field(default_factory=dict)
    begin: str = ""
    passing: dict[int, tuple[_Level, Callable[[], Python]]] = field(default_factory=dict)
    """Jumps that leave this loop by ``break``, by number: where they go and what they do there."""


class StatementEmitter:
    """Emits the statements of one function."""

    def __init__(self, expressions: ExpressionEmitter) -> None:
        """Use `expressions` for what stands inside the statements."""
        self.expressions = expressions
        self.levels: list[_Level] = []
        self.jumps = 0
        self._switches = 0

    def statement(self, s: tree.Statement) -> Python:
        """The Python statements for one C statement, located."""
        method: Callable[[tree.Statement], Python] = getattr(self, f"_{type(s).__name__}")
        return self._at(method(s), s.at)

    def sequence(self, items: list[tree.Statement]) -> Python:
        """Statements in order, without labels; what follows a jump is left out."""
        result: Python = []
        for item in items:
            result += self.statement(item)
            if leaves(result):
                break
        return result

    @staticmethod
    def _at(nodes: Python, at: tree.At) -> Python:
        for node in nodes:
            py.locate(node, at)
        return nodes

    # Expressions as statements

    def _Evaluate(self, s: tree.Evaluate) -> Python:
        return self.effect(s.expression)

    def effect(self, e: tree.Expression) -> Python:
        """An expression for its effect."""
        emitter = self.expressions
        if isinstance(e, tree.Comma):
            return self.effect(e.first) + self.effect(e.second)
        if isinstance(e, tree.Constant | tree.LocalValue):
            return []  # UNREFERENCED_PARAMETER: no read
        if isinstance(e, tree.Assign):
            if isinstance(e.target, tree.LocalValue) and not e.target.variable.in_frame:
                return self._at([py.assign(e.target.variable.python, emitter.value(e.value))], e.at)
            item = access(e.target) if emitter.hoists.names else None
            if item is not None and item.key in emitter.hoists.names:
                return self._at(self._near_store(e, item), e.at)
            return self._at([ast.Expr(emitter.store(e.target, lambda: emitter.value(e.value)))], e.at)
        if isinstance(e, tree.Memory) and isinstance(e.type, Record | Array):
            return []
        return self._at([ast.Expr(emitter.value(e))], e.at)

    def _near_store(self, e: tree.Assign, item: Access) -> Python:
        emitter = self.expressions
        value = emitter.value(e.value)
        first: Python = []
        if not isinstance(value, ast.Name | ast.Constant):
            first, value = [py.assign("v·", value)], py.name("v·")
        test, index = emitter.near(item)
        near = emitter.hoists.element(item)
        near.ctx = py.STORE
        key = f"store·{py.kind(e.type)}"
        emitter.needs.stores[key] = e.type
        far = ast.Expr(py.call(key, emitter.element_address(item, index), value))
        return [*first, py.when(test, [ast.Assign([near], value)], [far])]

    # Blocks and goto

    def _Block(self, s: tree.Block) -> Python:
        if not any(isinstance(item, tree.Label) for item in s.items):
            return self.sequence(s.items)
        self.jumps += 1
        level = _Level("labels", begin=f"begin·{self.jumps}")
        parts: list[list[tree.Statement]] = [[]]
        for item in s.items:
            if isinstance(item, tree.Label):
                level.labels[item.name] = len(parts)
                parts.append([])
            else:
                parts[-1].append(item)
        self.levels.append(level)
        body: Python = []
        for number, part in enumerate(parts):
            nodes = self.sequence(part)
            if nodes and number < len(parts) - 1:
                nodes = [py.when(py.compare(py.name(level.begin), "<=", py.constant(number)), nodes)]
            body += nodes
        self.levels.pop()
        if not leaves(body):
            body.append(ast.Break())
        return [py.assign(level.begin, py.constant(0)), *self._python_loop(level, body)]

    def _Goto(self, s: tree.Goto) -> Python:
        level = next(level for level in reversed(self.levels) if s.label in level.labels)

        def arrive() -> Python:
            return [py.assign(level.begin, py.constant(level.labels[s.label])), ast.Continue()]

        return self._jump(level, arrive)

    def _jump(self, target: _Level, arrive: Callable[[], Python]) -> Python:
        """Leave all Python loops inside `target`, then do what `arrive` says."""
        inner = [level for level in self.levels[self.levels.index(target) + 1 :] if level.python_loop]
        if not inner:
            return arrive()
        self.jumps += 1
        number = self.jumps
        for level in inner:
            level.passing[number] = target, arrive
        return [py.assign(_JUMP, py.constant(number)), ast.Break()]

    def _python_loop(self, level: _Level, body: Python, *, once: bool = False) -> Python:
        """The loop of `level`, and behind it the tests that pass on the jumps that leave it."""
        budget: Python = [] if once else [ast.Expr(py.call("out_of_steps·"))]
        result: Python = [ast.For(ast.Name("__", py.STORE), py.name("once·" if once else "steps·"), body, budget, None)]
        for number, (target, arrive) in level.passing.items():
            inner = [other for other in self.levels[self.levels.index(target) + 1 :] if other.python_loop]
            if inner:
                onward: Python = [ast.Break()]
            else:
                onward = [py.assign(_JUMP, py.constant(0)), *arrive()]
            result.append(py.when(py.compare(py.name(_JUMP), "==", py.constant(number)), onward))
        return result

    # Branches and loops

    def _If(self, s: tree.If) -> Python:
        if isinstance(s.condition, tree.Constant):
            chosen = s.then if s.condition.value else s.otherwise
            return self.statement(chosen) if chosen is not None else []
        condition = self.expressions.condition(s.condition)
        then = self.statement(s.then)
        otherwise = self.statement(s.otherwise) if s.otherwise is not None else []
        return [py.when(condition, then, otherwise)]

    def _Loop(self, s: tree.Loop) -> Python:
        emitter = self.expressions
        hoisted, views = emitter.hoists.enter(s)
        before = [node for item in hoisted for node in self._look_up(item)]
        before += [py.assign(f"{view}·", py.attribute("memory·", view)) for view in sorted(views)]
        counter = counted(s)
        if counter is not None and isinstance(counter.type, Int):
            emitter.ranges.limit(counter, (counter.type.minimum, counter.type.maximum - 1))
        level = _Level("loop")
        level.proceed = lambda: self._next_round(s)
        body = [] if s.test_last else self._stop_unless(s.condition)
        self.levels.append(level)
        body += self.statement(s.body)
        self.levels.pop()
        if not leaves(body):
            if s.test_last:
                body += self._stop_unless(s.condition)
            elif s.step is not None:
                body += self.effect(s.step)
        emitter.hoists.leave(hoisted, views)
        return before + self._python_loop(level, body or [ast.Pass()])

    def _look_up(self, item: Access) -> Python:
        """``a·0·4 = near·4(a)``; a pointer that has no value yet is found out when the loop uses it."""
        emitter = self.expressions
        name = emitter.hoists.names[item.key]
        address = emitter.address(item.root, item.offset)
        found: Python = [py.assign(name, py.call(f"near·{item.size}", address))]
        root = item.root
        if not isinstance(root, tree.LocalValue) or root.variable in emitter.function.parameters:
            return found
        unset = ast.ExceptHandler(py.name("UnboundLocalError"), None, [py.assign(name, py.name("nowhere·"))])
        return [ast.Try(found, [unset], [], [])]

    def _stop_unless(self, condition: tree.Expression | None) -> Python:
        """``if not condition: break``."""
        if condition is None or (isinstance(condition, tree.Constant) and condition.value):
            return []
        if isinstance(condition, tree.Constant):
            return self._at([ast.Break()], condition.at)
        return self._at([py.when(py.negate(self.expressions.condition(condition)), [ast.Break()])], condition.at)

    def _next_round(self, s: tree.Loop) -> Python:
        """What ``continue`` does, standing directly in the Python loop."""
        if s.test_last:
            return [*self._stop_unless(s.condition), ast.Continue()]
        return [*(self.effect(s.step) if s.step is not None else []), ast.Continue()]

    def _Continue(self, s: tree.Continue) -> Python:
        level = next(level for level in reversed(self.levels) if level.kind == "loop")
        return self._jump(level, level.proceed)

    def _Break(self, s: tree.Break) -> Python:
        level = next(level for level in reversed(self.levels) if level.kind in ("loop", "switch"))
        return self._jump(level, lambda: [ast.Break()])

    def _Return(self, s: tree.Return) -> Python:
        if s.value is None:
            return [ast.Return(None)]
        if isinstance(s.value.type, Record):
            size = py.constant(s.value.type.size)
            copied = ast.Expr(py.call("copy·", py.name("result·"), self.expressions.value(s.value), size))
            return [copied, ast.Return(py.name("result·"))]
        return [ast.Return(self.expressions.value(s.value))]

    # Switch

    def _Switch(self, s: tree.Switch) -> Python:
        self._switches += 1
        selector = f"switch·{self._switches}"
        cases = [tree.Case(case.labels, case.default, tree.Block(case.body.at, _opened(case.body.items))) for case in s.cases]
        runs = _runs(cases)
        level = _Level("switch", len(runs) > _LONG or any(_breaks_early(case.body.items) for case in cases))
        self.levels.append(level)
        chain: Python = []
        # From the last test to the first; the cases around `default` are what is left when every test has failed.
        for run in sorted(runs, key=lambda run: not any(case.default for case in run)):
            body = self._run(run, selector, level)
            if any(case.default for case in run):
                chain = body
            elif len(runs) > _LONG:  # no else: Python's compiler would nest as deep as there are cases
                chain = [py.when(_is_one_of(selector, _labels(run)), body if leaves(body) else [*body, ast.Break()]), *chain]
            else:
                chain = [py.when(_is_one_of(selector, _labels(run)), body, chain)]
        self.levels.pop()
        first = self._at([py.assign(selector, self.expressions.value(s.selector))], s.at)
        if not level.python_loop:
            return first + chain
        return first + self._python_loop(level, chain if leaves(chain) else [*chain, ast.Break()], once=True)

    def _run(self, run: list[tree.Case], selector: str, level: _Level) -> Python:
        """Cases that fall into each other. Whoever enters at one of them goes through all that follow."""
        result: Python = []
        start = next((index for index, case in enumerate(run) if case.default), len(run))
        for index, case in enumerate(run):
            items = case.body.items
            if not level.python_loop and items and isinstance(items[-1], tree.Break):
                items = items[:-1]
            body = self.statement(tree.Block(case.body.at, items))
            if index < len(run) - 1 and body:
                if index < start:
                    entered = _is_one_of(selector, _labels(run[: index + 1]))
                else:
                    entered = _is_one_of(selector, _labels(run[index + 1 :]), inside=False)
                body = self._at([py.when(entered, body)], case.body.at)
            result += body
        return result


def _labels(cases: list[tree.Case]) -> list[int]:
    return [value for case in cases for value in case.labels]


def _is_one_of(selector: str, labels: list[int], *, inside: bool = True) -> ast.expr:
    if len(labels) == 1:
        return py.compare(py.name(selector), "==" if inside else "!=", py.constant(labels[0]))
    return py.compare(py.name(selector), "in" if inside else "not in", py.constant(frozenset(labels)))


def _opened(items: list[tree.Statement]) -> list[tree.Statement]:
    """The statements of a case, with a block at their end opened: ``case 1: { …; break; }``."""
    while items and isinstance(items[-1], tree.Block):
        items = [*items[:-1], *items[-1].items]
    return items


def _runs(cases: list[tree.Case]) -> list[list[tree.Case]]:
    """The cases in groups: inside a group each may fall into the next."""
    runs: list[list[tree.Case]] = []
    open_run = False
    for case in cases:
        if not open_run:
            runs.append([])
        runs[-1].append(case)
        open_run = not _jumps_away(case.body)
    return runs


def _jumps_away(s: tree.Statement) -> bool:
    """Whether control surely does not reach the end of the statement."""
    if isinstance(s, tree.Break | tree.Continue | tree.Goto | tree.Return):
        return True
    if isinstance(s, tree.Block):
        return bool(s.items) and not any(isinstance(item, tree.Label) for item in s.items) and _jumps_away(s.items[-1])
    if isinstance(s, tree.If):
        return s.otherwise is not None and _jumps_away(s.then) and _jumps_away(s.otherwise)
    return False


def _breaks_early(items: list[tree.Statement]) -> bool:
    """Whether a ``break`` of this switch stands anywhere but at the end of the case."""
    last = [] if items and isinstance(items[-1], tree.Break) else items[-1:]
    return any(_breaks(item) for item in [*items[:-1], *last])


def _breaks(s: tree.Statement | None) -> bool:
    if isinstance(s, tree.Block):
        return any(_breaks(item) for item in s.items)
    return isinstance(s, tree.Break) or (isinstance(s, tree.If) and (_breaks(s.then) or _breaks(s.otherwise)))


def leaves(nodes: Python) -> bool:
    """Whether the last Python statement surely leaves."""
    if not nodes:
        return False
    last = nodes[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and leaves(last.body) and leaves(last.orelse)
    return isinstance(last, ast.Break | ast.Continue | ast.Return | ast.Raise)
