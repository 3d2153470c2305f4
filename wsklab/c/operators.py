"""C's rules for operators with two operands, for ``? :``, and for calls.

A call of a function known by name is direct, any other goes through an address. Records are passed by their address and
copied by the function called; a record that is returned is put where the first argument says, as x64 Windows does it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.body import Body
from wsklab.c.conversions import COMPARISONS, arithmetic, balanced, comparison, convert, promoted, unary
from wsklab.c.formats import check_format
from wsklab.c.parse import Gap
from wsklab.c.source import closest, place_of
from wsklab.c.types import DOUBLE, SIZE_T, VOID, Array, CType, Float, Function, Int, Parameter, Pointer, Record, Void, compatible

from wsklab.c.values import (  # isort: skip
    MASK, UNKNOWN, Value, element, is_null, is_scalar, number, pointer_trouble, reach, settled, unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from wsklab.c.expressions import Expressions

_PTRDIFF = Int(8, True, "long long", 5)
INTRINSICS = {
    "wsklab_arguments": ("no-varargs", "{name} has no ... whose arguments va_start could find."),
    "_exception_code": ("misplaced-intrinsic", "GetExceptionCode has a meaning only in the filter and the block of an __except."),
    "_exception_info": ("misplaced-intrinsic", "GetExceptionInformation has a meaning only in the filter of an __except."),
    "_abnormal_termination": ("misplaced-intrinsic", "AbnormalTermination has a meaning only in the block of a __finally."),
}
"""Functions that the compiler itself knows, where they have a meaning: and what is said elsewhere."""
_BAD = "{op} does not work on {left} and {right}."


def binary(body: Body, op: str, left: Value, right: Value, node: Any) -> Value:
    """``left op right``, except ``&&`` and ``||``."""
    if unknown(left, right):
        return body.unknown(node)
    pointers = isinstance(left.type, Pointer) or isinstance(right.type, Pointer)
    if op in COMPARISONS and is_scalar(left.type) and is_scalar(right.type):
        return _compare_pointers(body, op, left, right, node) if pointers else comparison(op, *balanced(left, right)[:2])
    result = _pointer_arithmetic(body, op, left, right, node) if pointers and op in "+-" else None
    if result is not None:
        return result
    allowed = Int | Float if op in "+-*/" else Int
    if not isinstance(left.type, allowed) or not isinstance(right.type, allowed):
        return body.wrong(node, "bad-operands", _BAD, op=op, left=left.type, right=right.type)
    if op in ("<<", ">>"):
        left = promoted(left)
        return arithmetic(op, left, promoted(right), left.type)
    return arithmetic(op, *balanced(left, right))


def _compare_pointers(body: Body, op: str, left: Value, right: Value, node: Any) -> Value:
    for one, other in ((left, right), (right, left)):
        if isinstance(one.type, Pointer) and pointer_trouble(other, one.type) not in (None, "const-discarded"):
            names: dict[str, Any] = {"left": left.type, "right": right.type, "op": op}
            body.problems.warning("pointer-comparison", node, "{op} compares {left} with {right}.", **names)
            break
    return comparison(op, convert(left, Pointer(VOID)), convert(right, Pointer(VOID)))


def _pointer_arithmetic(body: Body, op: str, left: Value, right: Value, node: Any) -> Value | None:
    if isinstance(left.type, Pointer) and isinstance(right.type, Pointer):
        size = pointed_size(body, left.type, node)
        if op != "-" or not compatible(left.type, right.type):
            return None
        node = py.binary(reach(left), "-", reach(right))
        if isinstance(size, str):
            return Value(_PTRDIFF, left.at, py.binary(node, "//", py.name(size)))
        most = MASK // (size or 1)
        return Value(_PTRDIFF, left.at, py.binary(node, "//", size) if size and size > 1 else node, (-most, most))
    if op == "+" and isinstance(right.type, Pointer):
        left, right = right, left
    if not isinstance(right.type, Int) or not isinstance(left.type, Pointer):
        return None
    size = pointed_size(body, left.type, node)
    if isinstance(size, str) and op == "-":
        right = unary("-", convert(right, _PTRDIFF))
    elif isinstance(size, int) and op == "-":
        size = -size
    return body.unknown(node) if size is None else element(left, right, size, left.type)


def common(body: Body, one: Value, other: Value, node: Any) -> CType:
    """The type of ``? :`` with these two values."""
    a, b = one.type, other.type
    if unknown(one, other):
        return UNKNOWN
    if isinstance(a, Int | Float) and isinstance(b, Int | Float):
        return balanced(one, other)[2]
    if isinstance(a, Void) or isinstance(b, Void):
        return VOID
    if isinstance(a, Record) and a == b:
        return a
    if isinstance(a, Pointer) and pointer_trouble(other, a) != "incompatible-types":
        return b if isinstance(b, Pointer) and isinstance(b.to, Void) and not is_null(other) else a
    if isinstance(b, Pointer) and pointer_trouble(one, b) != "incompatible-types":
        return b
    return body.wrong(node, "bad-operands", _BAD, op="? :", left=a, right=b).type


def pointed_size(body: Body, pointer: Pointer, node: Any) -> int | str | None:
    """Size in bytes of what is pointed to, or the Python local that holds it; None (and a problem) when it has none."""
    if isinstance(pointer.to, Array) and pointer.to.held:
        return pointer.to.held
    try:
        return pointer.to.size
    except TypeError:
        hint = "Cast it to PUCHAR to count in bytes." if isinstance(pointer.to, Void) else None
        body.wrong(node, "unknown-size", "The size of {type} is not known.", hint, type=pointer.to)
        return None


def no_member(body: Body, node: Any, record: Record) -> Value:
    """Report that a record has no member of this name."""
    close, name = closest(node.name, record.members), node.name
    return body.wrong(node, "no-such-member", "{type} has no member {name}.", type=record, name=name, close=close)


# Calls


def call(body: Expressions, node: Any) -> Value:
    """A call expression."""
    name = node.name.name if isinstance(node.name, c_ast.ID) else None
    arguments = list(node.args.exprs) if node.args is not None else []
    if name == "offsetof":
        offset = body.value(c_ast.UnaryOp("&", _member_at_zero(*node.args.exprs), node.coord)).constant
        if offset is None:
            return body.wrong(node, "bad-offsetof", "offsetof needs a type and one of its members.")
        return number(SIZE_T, place_of(node), offset)
    symbol = body.declarations.lookup(name) if name else None
    if name in INTRINSICS and symbol is not None and isinstance(symbol.type, Function):
        if name not in body.known:
            return body.wrong(node, *INTRINSICS[name], name=body.name)
        body.uses_rest |= name == "wsklab_arguments"
        return Value(symbol.type.returns, place_of(node), py.name(body.known[name]))
    if name and symbol is not None and isinstance(symbol.type, Function) and symbol.kind == "function":
        return _finish(body, node, name, symbol.type, arguments, None)
    if name and symbol is None and name.startswith("__builtin_"):
        return body.wrong(node.name, "gcc-extension", "{name} is an extension of GCC.", name=name)
    if name and symbol is None:
        text = "The function {name} is not declared."
        target = body.wrong(node.name, "undeclared-function", text, name=name, close=body.suggestion(name))
    else:
        target = body.value(node.name)
    function = target.type.to if isinstance(target.type, Pointer) else None
    if isinstance(function, Function):
        # A cast calls it through a pointer of another type, which is looked at when the call is made.
        known = body.declarations.lookup(target.name)
        name = target.name if known is not None and compatible(known.type, function, exact=True) else ""
        return _finish(body, node, name, function, arguments, target)
    for argument in arguments:
        body.designator(argument)
    if target.type is UNKNOWN:
        return target
    return body.wrong(node, "not-a-function", "{type} cannot be called.", type=target.type)


def _finish(body: Expressions, node: Any, name: str, function: Function, given: list[Any], target: Value | None) -> Value:
    """The call; `target` is needed when there is no `name`."""
    if function.unprototyped and given:
        # Nothing is known of its parameters: the call goes by the address, where the function says what it takes.
        with body.unevaluated():
            types = [promoted(body.value(argument)).type for argument in given]
        parameters = tuple(Parameter("", DOUBLE if isinstance(ctype, Float) else ctype) for ctype in types)
        function = Function(function.returns, parameters)
        if name:
            body.references.addresses.setdefault(name, place_of(node))
            target, name = Value(Pointer(function), place_of(node), py.name(f"address·{name}")), ""
    named = node.name.field if isinstance(node.name, c_ast.StructRef) else node.name
    label = name or (str(named.name) if isinstance(named, c_ast.ID) else "the function")
    _check_count(body, node, label, function, given)
    if given and isinstance(given[-1], Gap) and len(given) > len(function.parameters) and not function.varargs:
        given = given[:-1]  # nothing is left for it to fill
    arguments = [_argument(body, label, function, index, argument) for index, argument in enumerate(given)]
    check_format(body, label, function, given)
    if given and getattr(given[-1], "op", "") == "sizeof" and isinstance(measured := given[-1].expr, c_ast.ID):
        same = any(isinstance(argument, c_ast.ID) and argument.name == measured.name for argument in given[:-1])
        if same and isinstance(body.designator(measured).type, Pointer):
            text = "sizeof gives the size of the pointer {name} here, not of what it points to."
            body.problems.warning("sizeof-pointer", given[-1], text, "Write sizeof(*{name}).", name=measured.name)
    if given and isinstance(given[-1], Gap):
        # One gap stands for all that is left.
        arguments += [py.constant(0)] * (len(function.parameters) - len(arguments))
    if isinstance(function.returns, Record):
        arguments.insert(0, reach(body.object_of(body.add_local("", function.returns), place_of(node)).address))
    waits = body.waits(name or None, function)
    if name or target is None:
        body.references.calls.setdefault(name, place_of(node))
        called: ast.expr = ast.Call(py.name(name), arguments, [])
    else:
        body.references.indirect.append(function)
        pointer = settled(target), py.name(body.need(f"prototype·{function.spelled()}", "given", function))
        called = py.call("call·", *pointer, *arguments) if waits else ast.Call(py.call("indirect·", *pointer), arguments, [])
    return Value(function.returns, place_of(node), ast.YieldFrom(called) if waits else called)


def _argument(body: Expressions, label: str, function: Function, index: int, node: Any) -> ast.expr:
    if index < len(function.parameters):
        ctype = function.parameters[index].type
        return settled(body.assignable(node, ctype, node, f"argument {index + 1} of {label}", "argument"))
    value = body.value(node, "argument")
    parent = body.declarations.parent
    if isinstance(value.type, Record) and not (parent and parent.lookup(label)):
        return ast.Tuple([settled(value), py.constant(value.type.size)], py.LOAD)  # what it is then, va_arg knows
    if isinstance(value.type, Record):
        text = "{type} cannot be passed to ... of {name}."
        value = body.wrong(node, "record-in-varargs", text, "Pass its address, with &.", type=value.type, name=label)
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


def _member_at_zero(record: Any, designator: Any) -> Any:
    """``((record *)0)->designator``."""
    if isinstance(designator, c_ast.ID):
        pointer = c_ast.Typename(None, [], None, c_ast.PtrDecl([], record.type), record.coord)
        zero = c_ast.Cast(pointer, c_ast.Constant("int", "0", record.coord), record.coord)
        return c_ast.StructRef(zero, "->", designator, designator.coord)
    inner = _member_at_zero(record, designator.name)
    if isinstance(designator, c_ast.ArrayRef):
        return c_ast.ArrayRef(inner, designator.subscript, designator.coord)
    return c_ast.StructRef(inner, ".", designator.field, designator.coord)
