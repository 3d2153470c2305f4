"""C's rules for calls: who is called, and with which arguments.

A call of a function known by name is direct, any other goes through an address. Records are passed by their address and
copied by the function called; a record that is returned is put where the first argument says, as x64 Windows does it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.body import at
from wsklab.c.conversions import convert, promoted
from wsklab.c.gaps import Gap
from wsklab.c.types import DOUBLE, SIZE_T, Float, Function, Pointer, Record
from wsklab.c.values import UNKNOWN, Value, number, reach, settled

if TYPE_CHECKING:
    from wsklab.c.expressions import Expressions


def call(body: Expressions, node: Any) -> Value:
    """A call expression."""
    name = node.name.name if isinstance(node.name, c_ast.ID) else None
    arguments = list(node.args.exprs) if node.args is not None else []
    if name == "offsetof":
        offset = body.declarations.constant(node)
        if offset is None:
            return body.wrong(node, "bad-offsetof", "offsetof needs a type and one of its members.")
        return number(SIZE_T, at(node), offset)
    symbol = body.declarations.lookup(name) if name else None
    if name and symbol is not None and isinstance(symbol.type, Function) and symbol.kind == "function":
        return _finish(body, node, name, symbol.type, arguments, None)
    if name and symbol is None:
        text = "The function {name} is not declared."
        target = body.wrong(node.name, "undeclared-function", text, body.suggestion(name), name=name)
    else:
        target = body.value(node.name)
    function = target.type.to if isinstance(target.type, Pointer) else None
    if isinstance(function, Function):
        return _finish(body, node, target.name, function, arguments, target)
    for argument in arguments:
        body.designator(argument)
    if target.type is UNKNOWN:
        return target
    return body.wrong(node, "not-a-function", "{type} cannot be called.", type=str(target.type))


def _finish(body: Expressions, node: Any, name: str, function: Function, given: list[Any], target: Value | None) -> Value:
    """The call; `target` is needed when there is no `name`."""
    label = name or _callee(node.name)
    _check_count(body, node, label, function, given)
    arguments = [_argument(body, label, function, index, argument) for index, argument in enumerate(given)]
    if given and isinstance(given[-1], Gap):
        # One gap stands for all that is left.
        arguments += [py.constant(0)] * (len(function.parameters) - len(arguments))
    if isinstance(function.returns, Record):
        arguments.insert(0, reach(body.object_of(body.add_local("", function.returns), at(node)).address))
    waits = body.waits(name or None, function)
    if name or target is None:
        body.references.calls.setdefault(name, at(node))
        called: ast.expr = ast.Call(py.name(name), arguments, [])
    else:
        body.references.indirect.append(function)
        pointer = settled(target), py.name(body.need(f"prototype·{function.spelled()}", "given", function))
        called = py.call("call·", *pointer, *arguments) if waits else ast.Call(py.call("indirect·", *pointer), arguments, [])
    return Value(function.returns, at(node), ast.YieldFrom(called) if waits else called)


def _argument(body: Expressions, label: str, function: Function, index: int, node: Any) -> ast.expr:
    if index < len(function.parameters):
        ctype = function.parameters[index].type
        return settled(body.assignable(node, ctype, node, f"argument {index + 1} of {label}"))
    value = body.value(node)
    if isinstance(value.type, Record):
        text = "{type} cannot be passed to ... of {name}."
        value = body.wrong(node, "record-in-varargs", text, "Pass its address, with &.", type=str(value.type), name=label)
    return settled(convert(value, DOUBLE) if isinstance(value.type, Float) else promoted(value))


def _check_count(body: Expressions, node: Any, label: str, function: Function, given: list[Any]) -> None:
    wanted, count = len(function.parameters), len(given)
    gap = bool(given) and isinstance(given[-1], Gap)
    too_many = count > wanted and not function.varargs and not (gap and count == wanted + 1)
    if not too_many and (count >= wanted or gap):
        return
    parameters = ", ".join(f"{p.type} {p.name}".strip() for p in function.parameters)
    hint = f"{label}({parameters}{', ...' if function.varargs else ''})"
    text, id = "{name} takes {wanted} arguments, not {count}.", "too-many-arguments" if too_many else "too-few-arguments"
    body.problems.error(id, node, text, hint, name=label, wanted=wanted, count=count)


def _callee(node: Any) -> str:
    """The called expression as a message names it."""
    if isinstance(node, c_ast.StructRef):
        return str(node.field.name)
    return str(node.name) if isinstance(node, c_ast.ID) else "the function"
