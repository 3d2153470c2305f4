"""C's rules for calls: who is called, and with which arguments.

A call of a function known by name is direct, any other goes through an address. Records are passed by their address and
copied by the function called; a record that is returned is put where the caller says (`Call.result`), as x64 Windows does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.check_context import at
from wsklab.c.conversions import UNKNOWN, convert, promoted
from wsklab.c.gaps import Gap as GapNode
from wsklab.c.tree import Call, Constant, Expression, FunctionAddress
from wsklab.c.types import DOUBLE, SIZE_T, Float, Function, Pointer, Record

if TYPE_CHECKING:
    from wsklab.c.check_expressions import Expressions


class Calls:
    """Checks calls."""

    def __init__(self, expressions: Expressions) -> None:
        """Work for `expressions`."""
        self.expressions = expressions
        self.body = expressions.body

    def call(self, node: Any) -> Expression:
        """A call expression."""
        name = node.name.name if isinstance(node.name, c_ast.ID) else None
        arguments = list(node.args.exprs) if node.args is not None else []
        if name == "offsetof":
            return self._offsetof(node)
        symbol = self.body.declarations.lookup(name) if name else None
        if name and symbol is None:
            return self._undeclared(node, name, arguments)
        if name and symbol is not None and symbol.kind == "function" and isinstance(symbol.type, Function):
            self.body.calls.setdefault(name, at(node))
            return self._finish(node, name, None, symbol.type, arguments)
        target = self.expressions.value(node.name)
        if isinstance(target, FunctionAddress):
            function = target.type.to if isinstance(target.type, Pointer) else target.type
            assert isinstance(function, Function)
            self.body.calls.setdefault(target.name, at(node))
            return self._finish(node, target.name, None, function, arguments)
        if isinstance(target.type, Pointer) and isinstance(target.type.to, Function):
            self.body.indirect.append(target.type.to)
            return self._finish(node, None, target, target.type.to, arguments)
        for argument in arguments:
            self.expressions.designator(argument)
        if target.type is UNKNOWN:
            return target
        return self.expressions.wrong(node, "not-a-function", "{type} cannot be called.", type=str(target.type))

    def _undeclared(self, node: Any, name: str, arguments: list[Any]) -> Expression:
        hint = self.body.suggestion(name)
        result = self.expressions.wrong(node.name, "undeclared-function", "The function {name} is not declared.", hint, name=name)
        for argument in arguments:
            self.expressions.designator(argument)
        return result

    def _offsetof(self, node: Any) -> Expression:
        value = self.body.declarations.constant(node)
        if value is None:
            return self.expressions.wrong(node, "bad-offsetof", "offsetof needs a type and one of its members.")
        return Constant(SIZE_T, at(node), value)

    def _finish(
        self, node: Any, name: str | None, address: Expression | None, function: Function, given: list[Any]
    ) -> Expression:
        label = name or _callee(node.name)
        self._check_count(node, label, function, given)
        arguments: list[Expression] = []
        for index, argument in enumerate(given):
            if index < len(function.parameters):
                parameter = function.parameters[index]
                what = f"argument {index + 1} of {label}"
                arguments.append(self.expressions.assigned(argument, parameter.type, argument, what))
            else:
                arguments.append(self._extra(argument, label))
        if given and isinstance(given[-1], GapNode):
            # One gap stands for all that is left.
            missing = function.parameters[len(arguments) :]
            arguments += [Constant(p.type, at(given[-1]), 0) for p in missing]
        result = None
        if isinstance(function.returns, Record):
            result = self.body.add_local("", function.returns, at(node), in_frame=True)
        return Call(function.returns, at(node), name, address, function, arguments, result)

    def _extra(self, argument: Any, label: str) -> Expression:
        value = self.expressions.value(argument)
        if isinstance(value.type, Record):
            text = "{type} cannot be passed to ... of {name}."
            names = {"type": str(value.type), "name": label}
            return self.expressions.wrong(argument, "record-in-varargs", text, "Pass its address, with &.", **names)
        return convert(value, DOUBLE) if isinstance(value.type, Float) else promoted(value)

    def _check_count(self, node: Any, label: str, function: Function, given: list[Any]) -> None:
        wanted, count = len(function.parameters), len(given)
        gap = bool(given) and isinstance(given[-1], GapNode)
        if count > wanted and not function.varargs and not (gap and count == wanted + 1):
            word = "too-many-arguments"
        elif count < wanted and not gap:
            word = "too-few-arguments"
        else:
            return
        text = "{name} takes {wanted} arguments, not {count}."
        parameters = ", ".join(f"{p.type} {p.name}".strip() for p in function.parameters)
        hint = f"{label}({parameters}{', ...' if function.varargs else ''})"
        self.body.problems.error(word, node, text, hint, name=label, wanted=wanted, count=count)


def _callee(node: Any) -> str:
    """The called expression as a message names it."""
    if isinstance(node, c_ast.StructRef):
        return str(node.field.name)
    return str(node.name) if isinstance(node, c_ast.ID) else "the function"
