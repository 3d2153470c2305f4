"""From checked functions to Python code: one Python function per C function, compiled under the C file's name.

Line and column of every instruction are those of the C text, so that tracebacks, profilers and debuggers show C.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType

from wsklab.c import emit_python as py
from wsklab.c.emit_expressions import FRAME, ExpressionEmitter, Needs
from wsklab.c.emit_loops import assigned
from wsklab.c.emit_statements import StatementEmitter, leaves
from wsklab.c.tree import Call, CheckedFunction
from wsklab.c.types import Array, Record, Void

RESULT = "result·"
"""Python name of the first argument of a function that returns a record: where to put it."""


@dataclass(frozen=True)
class Emitted:
    """Compiled code of some functions; running it defines them in a namespace that has what `needs` says."""

    code: CodeType
    needs: Needs


def emit(functions: Iterable[CheckedFunction], file: str, waits: Callable[[Call], bool]) -> Emitted:
    """Compile functions of one file.

    Args:
        functions: what to compile.
        file: name of the C file, as tracebacks will show it.
        waits: whether a call has to be waited for; a function with such a call becomes a generator function.

    Returns:
        The code, and what its namespace must hold.
    """
    needs = Needs()
    definitions: list[ast.stmt] = [definition(function, waits, needs) for function in functions]
    module = ast.Module(definitions, [])
    return Emitted(compile(module, file, "exec", dont_inherit=True), needs)


def definition(function: CheckedFunction, waits: Callable[[Call], bool], needs: Needs) -> ast.stmt:
    """One function as a Python function definition."""
    expressions = ExpressionEmitter(function, waits, needs)
    statements = StatementEmitter(expressions)
    body = _unassigned(function) + _arguments_into_frame(function, expressions)
    main = statements.statement(function.body)
    if statements.jumps:
        body.append(py.assign("jump·", py.constant(0)))
    body += main
    if not leaves(body):
        body += _end(function)
    if function.frame_size:
        push = py.assign(FRAME, py.call("push·", py.constant(function.frame_size), py.constant(function.name)))
        pop: ast.stmt = ast.Expr(py.call("pop·", py.name(FRAME)))
        body = [push, ast.Try(body, [], [], [pop])]
    arguments = [ast.arg(parameter.python) for parameter in function.parameters]
    if isinstance(function.type.returns, Record):
        arguments.insert(0, ast.arg(RESULT))
    rest = ast.arg("rest·") if function.type.varargs else None
    signature = ast.arguments(posonlyargs=[], args=arguments, vararg=rest, kwonlyargs=[], kw_defaults=[], defaults=[])
    node = ast.FunctionDef(function.name, signature, body or [ast.Pass()], [], None)
    py.locate(node, function.at)
    return node


def _unassigned(function: CheckedFunction) -> list[ast.stmt]:
    """Declares the locals that no statement assigns: without ``name: 0`` Python would look for a global of that name."""
    set_somewhere = assigned(function.body) | set(function.parameters)
    names = [v.python for v in function.locals if not v.in_frame and v not in set_somewhere]
    return [ast.AnnAssign(ast.Name(name, py.STORE), py.constant(0), None, 1) for name in names]


def _arguments_into_frame(function: CheckedFunction, expressions: ExpressionEmitter) -> list[ast.stmt]:
    result: list[ast.stmt] = []
    for parameter in function.parameters:
        if not parameter.in_frame:
            continue
        address = py.binary(py.name(FRAME), "+", py.constant(parameter.offset))
        value = py.name(parameter.python)
        if isinstance(parameter.type, Record | Array):
            copied = py.call("copy·", address, value, py.constant(parameter.type.size))
        else:
            key = f"store·{py.kind(parameter.type)}"
            expressions.needs.stores[key] = parameter.type
            copied = py.call(key, address, value)
        result.append(ast.Expr(copied))
    return result


def _end(function: CheckedFunction) -> list[ast.stmt]:
    """What stands behind the last statement: C lets a function end without a value if nobody uses it."""
    if isinstance(function.type.returns, Void):
        return []
    if isinstance(function.type.returns, Record):
        return [ast.Return(py.name(RESULT))]
    if function.has_gap or function.name == "main":
        # The value was left out of the listing together with the rest; zero is what a gap gives everywhere.
        return [ast.Return(py.constant(0))]
    return [ast.Return(py.call("no_value·", py.constant(function.name)))]
