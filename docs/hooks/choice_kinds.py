"""Every question that the engine can ask of its choice point, read from its sources: kind → options, the usual answer first.

A kind stands where it is asked, as in ``choose("datagram", ("arrives", "is lost"))``. Where it is a parameter, the calls of that
function say what it stands for; in a decorator it is the name of the decorated function; C asks with ``wsklab_fails("…")``. Two
rules: nothing is imported but the constants that options are made of, and a question that cannot be read this way is an error,
never left out.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import wsklab
from wsklab.io.irp import OUTCOMES

ENGINE = Path(wsklab.__path__[0])
Function = ast.FunctionDef | ast.AsyncFunctionDef
Part = ast.expr | str | tuple[str, ...] | None  # an argument of choose(): what it is, or the expression that is not read yet


def kinds() -> dict[str, tuple[str, ...]]:
    """All kinds with their options. Raises ValueError at a question that cannot be read, with its place."""
    found: dict[str, tuple[str, ...]] = {}
    # The C front end knows nothing of choices; a function named `choose` there builds a conditional expression.
    sources = [_Source(path) for path in sorted(ENGINE.rglob("*.py")) if path.relative_to(ENGINE).parts[0] != "c"]
    for source in sources:
        for call in source.calls("choose"):
            around = source.functions_around(call)
            if not around or around[0].name not in ("choose", "wsklab_fails"):  # these only pass the question on
                found.update(_asked(sources, source, call, call.args[0], call.args[1]))
    for path in sorted(ENGINE.glob("include/*.c")):  # what a kernel function that is written in C asks
        found.update((kind, OUTCOMES) for kind in re.findall(r'\bwsklab_fails\("(\w+)"\)', path.read_text("utf-8")))
    return found


known = cache(kinds)
"""The same, read once: a build asks for each language."""


class _Source:
    """A module of the engine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text("utf-8"))
        self.above = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def calls(self, name: str) -> Iterator[ast.Call]:
        """The calls of a function, a method or a class of that name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and name == getattr(node.func, "attr", getattr(node.func, "id", "")):
                yield node

    def functions_around(self, node: ast.AST) -> list[Function]:
        """The functions in whose bodies a node stands, innermost first; a decorator stands outside of what it decorates."""
        found, inside = [], node
        while outside := self.above.get(inside):
            if isinstance(outside, Function) and inside not in outside.decorator_list:
                found.append(outside)
            inside = outside
        return found

    def read(self, part: Part) -> Part:
        """The text or the tuple of texts that an expression means, or the expression itself."""
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            return part.value
        if isinstance(part, ast.Tuple):
            texts = [self.read(element) for element in part.elts]
            return tuple(text for text in texts if isinstance(text, str)) if all(isinstance(t, str) for t in texts) else part
        if isinstance(part, ast.Name) and part.id.isupper():  # a constant of the module
            module = ".".join(("wsklab", *self.path.relative_to(ENGINE).with_suffix("").parts))
            value: Part = getattr(importlib.import_module(module), part.id)
            return value
        return part


def _asked(sources: list[_Source], source: _Source, call: ast.Call, *parts: Part) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The (kind, options) that one question stands for; `call` is where its `parts` were written."""
    kind, options = map(source.read, parts)
    decorated = source.above[call]
    if isinstance(kind, ast.expr) and isinstance(decorated, Function) and call in decorated.decorator_list:
        kind = decorated.name
    if isinstance(kind, str) and isinstance(options, tuple):
        yield kind, options
        return
    unread = {part.id for part in (kind, options) if isinstance(part, ast.Name)}
    for function in source.functions_around(call):
        names = [argument.arg for argument in function.args.args]
        if not unread.intersection(names):
            continue
        owner = source.above[function]
        name = owner.name if function.name == "__init__" and isinstance(owner, ast.ClassDef) else function.name
        bound = isinstance(owner, ast.ClassDef)  # self is not written
        callers = [(other, call) for other in sources if other.path.parent == source.path.parent for call in other.calls(name)]
        for other, caller in callers:
            given = [_given(part, caller, function, names, bound) for part in (kind, options)]
            yield from _asked(sources, other, caller, *given)
        if callers:
            return
    raise ValueError(f"{source.path}:{call.lineno}: which kind of choice is asked here, or its options, cannot be read")


def _given(part: Part, caller: ast.Call, function: Function, names: list[str], bound: bool) -> Part:
    """What a call gives for a parameter, or the parameter's default; anything else as it is."""
    if not isinstance(part, ast.Name) or part.id not in names:
        return part
    index = names.index(part.id)
    written = dict(enumerate(caller.args, start=int(bound)))
    defaults = dict(zip(range(len(names))[::-1], function.args.defaults[::-1], strict=False))
    keywords = {keyword.arg: keyword.value for keyword in caller.keywords}
    return written.get(index) or keywords.get(part.id) or defaults.get(index)
