"""C's rules for statements and for the declarations between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pycparser import c_ast

from wsklab.c import tree
from wsklab.c.check_context import Body, StaticLocal, at
from wsklab.c.check_expressions import Expressions
from wsklab.c.conversions import promoted, unknown
from wsklab.c.declare import Symbol
from wsklab.c.source import place_of
from wsklab.c.types import INT, Array, CType, Int, Pointer, Record, Void


class Statements:
    """Checks the statements of one function body."""

    def __init__(self, body: Body) -> None:
        """Check for `body`."""
        self.body = body
        self.expressions = Expressions(body)
        self._labels: list[set[str]] = []
        self._loops = 0
        self._breakable = 0

    def block(self, nodes: list[Any] | None, where: Any) -> tree.Block:
        """A list of statements and declarations in a scope of its own."""
        with self.body.declarations.scope():
            return self.items(nodes, where)

    def items(self, nodes: list[Any] | None, where: Any) -> tree.Block:
        """A list of statements and declarations in the current scope."""
        nodes = nodes or []
        self._labels.append(set(_labels(nodes)))
        result: list[tree.Statement] = []
        for node in nodes:
            result += self.statement(node)
        self._labels.pop()
        return tree.Block(at(where), result)

    def statement(self, node: Any) -> list[tree.Statement]:
        """The statements that `node` becomes."""
        check: Callable[[Any], list[tree.Statement]] | None = getattr(self, f"_{type(node).__name__}", None)
        if check is not None:
            return check(node)
        return [tree.Evaluate(at(node), self.expressions.effect(node))]

    def _inner(self, node: Any) -> tree.Block:
        """The statement under an ``if`` or a loop, as a block."""
        if isinstance(node, c_ast.Compound):
            return self.block(node.block_items, node)
        return self.block([node], node) if node is not None else tree.Block(at(node), [])

    def _Compound(self, node: Any) -> list[tree.Statement]:
        return [self.block(node.block_items, node)]

    def _EmptyStatement(self, node: Any) -> list[tree.Statement]:
        return []

    def _Pragma(self, node: Any) -> list[tree.Statement]:
        return []

    def _StaticAssert(self, node: Any) -> list[tree.Statement]:
        value = self.body.declarations.required_constant(node.cond, "a static assertion")
        if not value:
            self.expressions.wrong(node, "static-assertion", "The static assertion is false.")
        return []

    def _Gap(self, node: Any) -> list[tree.Statement]:
        self.body.has_gap = True
        return [tree.Evaluate(at(node), tree.Gap(INT, at(node), node.kind))]

    # Declarations

    def _DeclList(self, node: Any) -> list[tree.Statement]:
        return [statement for declaration in node.decls for statement in self.statement(declaration)]

    def _Typedef(self, node: Any) -> list[tree.Statement]:
        self.body.declarations.declare(node)
        return []

    def _Decl(self, node: Any) -> list[tree.Statement]:
        symbol = self.body.declarations.declare(node)
        if symbol is None or symbol.kind != "object":
            return []
        if symbol.storage == "extern":
            return []
        if symbol.storage == "static":
            symbol.data = f"{self.body.name}.{symbol.name}"
            if any(known.symbol == symbol.data for known in self.body.statics):
                symbol.data += f".{place_of(node).line}"
            self.body.statics.append(StaticLocal(symbol.data, symbol.type, place_of(node), node))
            return []
        return self._automatic(node, symbol)

    def _automatic(self, node: Any, symbol: Symbol) -> list[tree.Statement]:
        ctype, where = symbol.type, at(node)
        if not self._has_size(ctype):
            self.expressions.wrong(node, "unknown-size", "The size of {type} is not known.", type=str(ctype))
            symbol.type = ctype = INT
        wide = isinstance(ctype, Array | Record)
        variable = self.body.add_local(symbol.name, ctype, where, in_frame=wide)
        symbol.data = variable
        if node.init is None:
            return []
        if not wide:
            value = self.expressions.initialisers.scalar(node.init, ctype)
            if unknown(value):
                return []
            return [tree.Evaluate(where, tree.Assign(ctype, where, tree.LocalValue(ctype, where, variable), value))]
        base = tree.LocalAddress(Pointer(ctype), where, variable)
        return [tree.Evaluate(step.at, step) for step in self.expressions.initialisers.steps(base, ctype, node.init, where)]

    @staticmethod
    def _has_size(ctype: CType) -> bool:
        try:
            return ctype.size >= 0 and not (isinstance(ctype, Array) and ctype.count is None)
        except TypeError:
            return False

    # Branches and loops

    def _condition(self, node: Any) -> tree.Expression:
        return self.expressions.scalar(node, "condition")

    def _If(self, node: Any) -> list[tree.Statement]:
        condition = self._condition(node.cond)
        otherwise = self._inner(node.iffalse) if node.iffalse is not None else None
        return [tree.If(at(node), condition, self._inner(node.iftrue), otherwise)]

    def _body_of_loop(self, node: Any) -> tree.Block:
        self._loops += 1
        self._breakable += 1
        body = self._inner(node)
        self._loops -= 1
        self._breakable -= 1
        return body

    def _While(self, node: Any) -> list[tree.Statement]:
        return [tree.Loop(at(node), self._condition(node.cond), None, self._body_of_loop(node.stmt))]

    def _DoWhile(self, node: Any) -> list[tree.Statement]:
        body = self._body_of_loop(node.stmt)
        return [tree.Loop(at(node), self._condition(node.cond), None, body, test_last=True)]

    def _For(self, node: Any) -> list[tree.Statement]:
        with self.body.declarations.scope():
            first = self.statement(node.init) if node.init is not None else []
            condition = self._condition(node.cond) if node.cond is not None else None
            step = self.expressions.effect(node.next) if node.next is not None else None
            loop = tree.Loop(at(node), condition, step, self._body_of_loop(node.stmt))
        return [tree.Block(at(node), [*first, loop])] if first else [loop]

    def _Break(self, node: Any) -> list[tree.Statement]:
        if not self._breakable:
            self.expressions.wrong(node, "misplaced-break", "break stands in no loop or switch.")
        return [tree.Break(at(node))]

    def _Continue(self, node: Any) -> list[tree.Statement]:
        if not self._loops:
            self.expressions.wrong(node, "misplaced-continue", "continue stands in no loop.")
        return [tree.Continue(at(node))]

    def _Return(self, node: Any) -> list[tree.Statement]:
        where, wanted = at(node), self.body.returns
        if isinstance(wanted, Void):
            if node.expr is None:
                return [tree.Return(where, None)]
            value = self.expressions.value(node.expr)
            if not isinstance(value.type, Void) and not unknown(value):
                text = "{name} returns void: a value cannot be returned."
                self.expressions.wrong(node, "value-returned-from-void", text, name=self.body.name)
            return [tree.Evaluate(where, value), tree.Return(where, None)]
        if node.expr is None:
            text = "{name} must return a value of type {type}."
            values = {"name": self.body.name, "type": str(wanted)}
            self.expressions.wrong(node, "missing-return-value", text, **values)
            return [tree.Return(where, None)]
        return [tree.Return(where, self.expressions.assigned(node.expr, wanted, node.expr, "return value"))]

    # Switch and goto

    def _Switch(self, node: Any) -> list[tree.Statement]:
        selector = self._condition(node.cond)
        if not isinstance(selector.type, Int):
            self.expressions.wrong(
                node.cond, "switch-on-no-integer", "switch needs an integer, not {type}.", type=str(selector.type)
            )
        selector = promoted(selector) if isinstance(selector.type, Int) else selector
        self._breakable += 1
        cases = self._cases(node, selector.type)
        self._breakable -= 1
        return [tree.Switch(at(node), selector, cases)]

    def _cases(self, node: Any, ctype: CType) -> list[tree.Case]:
        cases: list[tree.Case] = []
        seen: set[int] = set()
        open_labels = False
        with self.body.declarations.scope():
            for item in node.stmt.block_items or [] if isinstance(node.stmt, c_ast.Compound) else [node.stmt]:
                if not isinstance(item, c_ast.Case | c_ast.Default):
                    # A declaration before the first label: its scope is the switch, its initialiser is never reached.
                    self.statement(item)
                    continue
                if not open_labels:
                    cases.append(tree.Case([], False, tree.Block(at(item), [])))
                case = cases[-1]
                if isinstance(item, c_ast.Default):
                    case.default = True
                else:
                    case.labels.append(self._label_value(item, ctype, seen))
                if item.stmts:
                    case.body = self.items(item.stmts, item)
                open_labels = not item.stmts
        return cases

    def _label_value(self, item: Any, ctype: CType, seen: set[int]) -> int:
        value = self.body.declarations.required_constant(item.expr, "a case label")
        if isinstance(ctype, Int):
            value = ctype.wrap(value)
        if value in seen:
            self.expressions.wrong(item, "duplicate-case", "The case {value} appears twice.", value=value)
        seen.add(value)
        return value

    def _Case(self, node: Any) -> list[tree.Statement]:
        text = "A case label inside another statement of the switch is not supported."
        self.expressions.wrong(node, "not-supported", text)
        return []

    _Default = _Case

    def _Label(self, node: Any) -> list[tree.Statement]:
        rest = self.statement(node.stmt) if node.stmt is not None else []
        return [tree.Label(at(node), node.name), *rest]

    def _Goto(self, node: Any) -> list[tree.Statement]:
        if not any(node.name in labels for labels in self._labels):
            known = node.name in self.all_labels
            if known:
                text = "goto {name}: jumping into a block that does not enclose the goto is not supported."
                self.expressions.wrong(node, "goto-into-block", text, name=node.name)
            else:
                hint = self.body.closest(node.name, self.all_labels)
                self.expressions.wrong(node, "undeclared-label", "There is no label {name}.", hint, name=node.name)
        return [tree.Goto(at(node), node.name)]

    all_labels: frozenset[str] = frozenset()

    def find_labels(self, node: Any) -> None:
        """Remember every label of the body, to tell a wrong jump from a wrong name."""
        found: list[str] = []
        pending = [node]
        while pending:
            current = pending.pop()
            if isinstance(current, c_ast.Label):
                found.append(current.name)
            pending += [child for _, child in current.children()]
        for name in sorted({name for name in found if found.count(name) > 1}):
            self.expressions.wrong(node, "duplicate-label", "The label {name} appears twice.", name=name)
        self.all_labels = frozenset(found)


def _labels(nodes: list[Any]) -> list[str]:
    """Names of the labels directly in a list of statements."""
    names: list[str] = []
    for node in nodes:
        while isinstance(node, c_ast.Label):
            names.append(node.name)
            node = node.stmt
    return names
