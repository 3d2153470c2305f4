"""``switch``: a chain of tests over the cases, as a Python loop that runs once where a ``break`` stands in the middle."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.body import at
from wsklab.c.conversions import promoted
from wsklab.c.python import At, Python, leaves
from wsklab.c.statements import Level, Statements
from wsklab.c.types import CType, Int
from wsklab.c.values import settled

_LONG = 16  # tests in a switch


@dataclass
class _Case:
    """The statements after one or more labels, up to the next label."""

    at: At
    labels: list[int] = field(default_factory=list)
    default: bool = False
    items: list[Any] = field(default_factory=list)


def switch(body: Statements, node: Any) -> Python:
    """A switch statement."""
    selected = body.scalar(node.cond)
    if not isinstance(selected.type, Int):
        text = "switch needs an integer, not {type}."
        selected = body.wrong(node.cond, "switch-on-no-integer", text, type=str(selected.type))
    selected = promoted(selected)
    body.jumps += 1
    selector = f"switch·{body.jumps}"
    first = py.located([py.assign(selector, settled(selected))], at(node))
    with body.declarations.scope():
        cases = _cases(body, node, selected.type)
        runs = _runs(cases)
        endings = {id(_ending(case.items)) for case in cases}
        early = any(_breaks(item, endings) for case in cases for item in case.items)
        level = Level("switch", len(runs) > _LONG or early)
        level.silent = set() if level.python_loop else endings
        body.levels.append(level)
        chain = _chain(body, runs, selector)
        body.levels.pop()
    if not level.python_loop:
        return first + chain
    return first + body.python_loop(level, chain if leaves(chain) else [*chain, ast.Break()], once=True)


def _cases(body: Statements, node: Any, ctype: CType) -> list[_Case]:
    cases: list[_Case] = []
    seen: set[int] = set()
    open_labels = False
    for item in node.stmt.block_items or [] if isinstance(node.stmt, c_ast.Compound) else [node.stmt]:
        if not isinstance(item, c_ast.Case | c_ast.Default):
            # A declaration before the first label: its scope is the switch, its initialiser is never reached.
            body.statement(item)
            continue
        if not open_labels:
            cases.append(_Case(at(item)))
        case = cases[-1]
        if isinstance(item, c_ast.Default):
            case.default = True
        else:
            case.labels.append(_label(body, item, ctype, seen))
        case.items = item.stmts or []
        open_labels = not item.stmts
    return cases


def _label(body: Statements, item: Any, ctype: CType, seen: set[int]) -> int:
    value = body.declarations.required_constant(item.expr, "a case label")
    if isinstance(ctype, Int):
        value = ctype.wrap(value)
    if value in seen:
        body.wrong(item, "duplicate-case", "The case {value} appears twice.", value=value)
    seen.add(value)
    return value


def _chain(body: Statements, runs: list[list[_Case]], selector: str) -> Python:
    """The tests. The cases around `default` are what is left when every test has failed."""
    tested: list[tuple[ast.expr, Python]] = []
    chain: Python = []
    for run in runs:
        nodes = _run(body, run, selector)
        if any(case.default for case in run):
            chain = nodes
        else:
            tested.append((_is_one_of(selector, run), nodes))
    for test, nodes in reversed(tested):
        if len(runs) > _LONG:  # no else: Python's compiler would nest as deep as there are cases
            chain = [py.when(test, nodes if leaves(nodes) else [*nodes, ast.Break()]), *chain]
        else:
            chain = [py.when(test, nodes, chain)]
    return chain


def _run(body: Statements, run: list[_Case], selector: str) -> Python:
    """Cases that fall into each other. Whoever enters at one of them goes through all that follow."""
    result: Python = []
    start = next((index for index, case in enumerate(run) if case.default), len(run))
    for index, case in enumerate(run):
        nodes = body.items(case.items)
        if index < len(run) - 1 and nodes:
            inside = index < start
            entered = _is_one_of(selector, run[: index + 1] if inside else run[index + 1 :], inside=inside)
            nodes = [py.when(entered, nodes)]
        result += py.located(nodes, case.at)
    return result


def _is_one_of(selector: str, cases: list[_Case], *, inside: bool = True) -> ast.expr:
    labels = [value for case in cases for value in case.labels]
    if len(labels) == 1:
        return py.compare(py.name(selector), "==" if inside else "!=", labels[0])
    return py.compare(py.name(selector), "in" if inside else "not in", py.constant(frozenset(labels)))


def _runs(cases: list[_Case]) -> list[list[_Case]]:
    """The cases in groups: inside a group each may fall into the next."""
    runs: list[list[_Case]] = []
    open_run = False
    for case in cases:
        if not open_run:
            runs.append([])
        runs[-1].append(case)
        open_run = not _jumps_away(case.items)
    return runs


def _jumps_away(items: list[Any] | None) -> bool:
    """Whether control surely does not reach the end of the statements."""
    if not items or any(isinstance(item, c_ast.Label) for item in items):
        return False
    last = items[-1]
    if isinstance(last, c_ast.Compound):
        return _jumps_away(last.block_items)
    if isinstance(last, c_ast.If):
        return last.iffalse is not None and _jumps_away([last.iftrue]) and _jumps_away([last.iffalse])
    return isinstance(last, c_ast.Break | c_ast.Continue | c_ast.Goto | c_ast.Return)


def _ending(items: list[Any] | None) -> Any:
    """The ``break`` at the very end of a case."""
    last = items[-1] if items else None
    if isinstance(last, c_ast.Compound):
        return _ending(last.block_items)
    return last if isinstance(last, c_ast.Break) else None


def _breaks(node: Any, endings: set[int]) -> bool:
    """Whether a ``break`` of this switch stands anywhere but at the end of a case."""
    if isinstance(node, c_ast.For | c_ast.While | c_ast.DoWhile | c_ast.Switch):
        return False
    if isinstance(node, c_ast.Break):
        return id(node) not in endings
    return any(_breaks(child, endings) for _, child in node.children())
