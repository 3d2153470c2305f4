"""C's rules for expressions: from the parser's tree to the typed tree.

`Expressions.value` gives what an expression is worth (arrays and functions already turned into pointers),
`Expressions.designator` gives the object itself, for ``&``, ``sizeof`` and assignment. A mistake is reported once: the
expression then has the type `UNKNOWN`, about which nobody complains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pycparser import c_ast

from wsklab.c import tree
from wsklab.c.check_context import Body, at
from wsklab.c.constant import literal
from wsklab.c.conversions import (
    UNKNOWN,
    address_of,
    convert,
    decay,
    element,
    fold_unary,
    is_scalar,
    member,
    pointer_trouble,
    promoted,
    retyped,
    unknown,
)  # fmt: skip
from wsklab.c.gaps import Gap as GapNode
from wsklab.c.types import CHAR, INT, SIZE_T, VOID, Array, CType, Float, Function, Int, Pointer, Record, Void

_PTRDIFF = Int(8, True, "long long", 5)


class Expressions:
    """Checks the expressions of one function body."""

    def __init__(self, body: Body) -> None:
        """Check for `body`."""
        self.body = body
        self._unevaluated = 0
        from wsklab.c.check_assignments import Assignments
        from wsklab.c.check_calls import Calls
        from wsklab.c.check_initialisers import Initialisers
        from wsklab.c.check_operators import Operators

        self.operators = Operators(self)
        self.assignments = Assignments(self)
        self.calls = Calls(self)
        self.initialisers = Initialisers(self)

    # The two ways to look at an expression

    def value(self, node: Any) -> tree.Expression:
        """The value of `node`; arrays and functions are pointers."""
        return decay(self.designator(node))

    def scalar(self, node: Any, kind: str = "argument") -> tree.Expression:
        """The value of `node` where C wants a truth value or a number to switch on."""
        value = self._with_gap(node, kind)
        if not is_scalar(value.type):
            return self.wrong(node, "not-scalar", "A number or pointer is needed here; this is {type}.", type=str(value.type))
        return value

    def assigned(self, node: Any, target: CType, place: Any, what: str, kind: str = "argument") -> tree.Expression:
        """The value of `node` converted as if by assignment to `target`; `what` says where, for the message."""
        value = self._with_gap(node, kind, target)
        return self.convert_assigned(value, target, place, what)

    def convert_assigned(self, value: tree.Expression, target: CType, place: Any, what: str) -> tree.Expression:
        """`value` converted as if by assignment, with the warnings a C compiler gives."""
        trouble = pointer_trouble(value, target)
        if trouble is None:
            return convert(value, target)
        names = {"source": str(value.type), "target": str(target), "what": what}
        if trouble == "types":
            return self.wrong(place, "incompatible-types", "{what}: {source} cannot become {target}.", **names)
        text = {
            "pointers": "{what}: {source} and {target} point to different things.",
            "from-int": "{what}: the number of type {source} becomes the pointer {target} without a cast.",
            "to-int": "{what}: the pointer {source} becomes the number {target} without a cast.",
        }[trouble]
        self.body.problems.warning(f"pointer-{trouble}" if trouble != "pointers" else "pointer-types", place, text, **names)
        return convert(value, target)

    def effect(self, node: Any) -> tree.Expression:
        """An expression whose value nobody uses: ``x++`` is the cheaper ``++x``."""
        if isinstance(node, c_ast.UnaryOp) and node.op in ("p++", "p--"):
            return self.assignments.step(node, node.op[1])
        if isinstance(node, c_ast.ExprList):
            parts = [self.effect(part) for part in node.exprs]
            result = parts[0]
            for part in parts[1:]:
                result = tree.Comma(part.type, at(node), result, part)
            return result
        return self.value(node)

    def type_of(self, node: Any) -> CType:
        """The type of an expression that is not evaluated (``sizeof``)."""
        with self.unevaluated():
            return self.designator(node).type

    @contextmanager
    def unevaluated(self) -> Iterator[None]:
        """While in here, taking an address does not put a local into the frame and names do not count as used."""
        self._unevaluated += 1
        with self.body.forgetting():
            yield
        self._unevaluated -= 1

    def designator(self, node: Any) -> tree.Expression:
        """The object or function that `node` designates, or its value."""
        check: Callable[[Any], tree.Expression] | None = getattr(self, f"_{type(node).__name__}", None)
        if check is None:
            return self.wrong(node, "not-supported", "This expression ({what}) is not supported.", what=type(node).__name__)
        return check(node)

    def wrong(self, node: Any, id: str, text: str, hint: str | None = None, **values: object) -> tree.Expression:
        """Report an error and go on with a value of unknown type."""
        self.body.problems.error(id, node, text, hint, **values)
        return tree.Constant(UNKNOWN, at(node), 0)

    def _with_gap(self, node: Any, kind: str, target: CType = INT) -> tree.Expression:
        if isinstance(node, GapNode):
            self.body.has_gap = True
            return tree.Gap(target if is_scalar(target) else UNKNOWN, at(node), kind)
        return self.value(node)

    # Names and literals

    def _Gap(self, node: Any) -> tree.Expression:
        return self._with_gap(node, "argument")

    def _Constant(self, node: Any) -> tree.Expression:
        value, ctype = literal(node)
        if isinstance(value, bytes):
            return tree.StringAddress(ctype, at(node), value)
        return tree.Constant(ctype, at(node), value)

    def _ID(self, node: Any) -> tree.Expression:
        name, where = node.name, at(node)
        symbol = self.body.declarations.lookup(name)
        if symbol is None and name in ("__func__", "__FUNCTION__"):
            text = self.body.name.encode() + b"\0"
            return tree.StringAddress(Array(CHAR, len(text)), where, text)
        if symbol is None or symbol.kind == "typedef":
            return self.wrong(node, "undeclared", "{name} is not declared.", self.body.suggestion(name), name=name)
        if symbol.kind == "constant":
            return tree.Constant(symbol.type, where, symbol.value or 0)
        if symbol.kind == "function":
            self.body.addresses.setdefault(name, where)
            return tree.FunctionAddress(symbol.type, where, name)
        if isinstance(symbol.data, tree.Local):
            return self.local(symbol.data, where)
        symbol_name = symbol.data or name
        self.body.symbols.setdefault(symbol_name, where)
        return tree.Memory(symbol.type, where, tree.GlobalAddress(Pointer(symbol.type), where, symbol_name), 0)

    def local(self, variable: tree.Local, where: tree.At) -> tree.Expression:
        """The variable as an object."""
        if isinstance(variable.type, Array | Record):
            return tree.Memory(variable.type, where, tree.LocalAddress(Pointer(variable.type), where, variable), 0)
        return tree.LocalValue(variable.type, where, variable)

    # Members, elements, addresses

    def _StructRef(self, node: Any) -> tree.Expression:
        name = node.field.name
        if node.type == "->":
            base = self.value(node.name)
            record = base.type.to if isinstance(base.type, Pointer) else None
        else:
            whole = self.designator(node.name)
            base, record = address_of(whole), whole.type
        if unknown(base) or record is UNKNOWN:
            return tree.Constant(UNKNOWN, at(node), 0)
        if not isinstance(record, Record):
            other = base.type.to if isinstance(base.type, Pointer) and node.type == "." else base.type
            pointed = record.to if isinstance(record, Pointer) else None
            hint = None
            if node.type == "." and isinstance(pointed, Record):
                hint = "It is a pointer: write -> instead of ."
            elif node.type == "->" and isinstance(other, Record):
                hint = "It is not a pointer: write . instead of ->"
            return self.wrong(node, "not-a-structure", "{type} has no members.", hint, type=str(record or other))
        if not record.complete:
            return self.wrong(node, "incomplete-type", "The members of {type} are not known.", type=str(record))
        field = record.members.get(name)
        if field is None:
            hint = self.body.closest(name, record.members)
            return self.wrong(node.field, "no-such-member", "{type} has no member {name}.", hint, type=str(record), name=name)
        return member(base, field.offset, field.type, field.bit_offset, field.bit_width)

    def _ArrayRef(self, node: Any) -> tree.Expression:
        base, index = self.value(node.name), self.value(node.subscript)
        if isinstance(index.type, Pointer):
            base, index = index, base
        if unknown(base, index):
            return tree.Constant(UNKNOWN, at(node), 0)
        if not isinstance(base.type, Pointer) or not isinstance(index.type, Int):
            return self.wrong(node, "not-an-array", "{type} cannot be indexed.", type=str(base.type))
        size = self.pointed_size(base.type, node)
        if size is None:
            return tree.Constant(UNKNOWN, at(node), 0)
        return member(element(base, index, size, base.type), 0, base.type.to)

    def pointed_size(self, pointer: Pointer, node: Any) -> int | None:
        """Size in bytes of what is pointed to; None (and a problem) when it has none."""
        try:
            return pointer.to.size
        except TypeError:
            hint = "Cast it to PUCHAR to count in bytes." if isinstance(pointer.to, Void) else None
            self.wrong(node, "unknown-size", "The size of {type} is not known.", hint, type=str(pointer.to))
            return None

    def _address(self, node: Any) -> tree.Expression:
        target = self.designator(node.expr)
        where = at(node)
        if isinstance(target, tree.Memory):
            if target.bit_width is not None:
                return self.wrong(node, "address-of-bit-field", "A bit-field has no address.")
            return address_of(target)
        if isinstance(target, tree.LocalValue):
            if not self._unevaluated:
                target.variable.in_frame = True
            return tree.LocalAddress(Pointer(target.type), where, target.variable)
        if isinstance(target, tree.FunctionAddress | tree.StringAddress):
            return retyped(target, Pointer(target.type))
        if isinstance(target.type, Pointer) and isinstance(target.type.to, Function):
            return target  # &*f
        if unknown(target):
            return target
        return self.wrong(node, "no-address", "This value has no address.")

    def _dereference(self, node: Any) -> tree.Expression:
        pointer = self.value(node.expr)
        if unknown(pointer):
            return pointer
        if not isinstance(pointer.type, Pointer):
            return self.wrong(node, "not-a-pointer", "{type} is not a pointer.", type=str(pointer.type))
        if isinstance(pointer.type.to, Function):
            return pointer
        return member(pointer, 0, pointer.type.to)

    # Operators

    def _UnaryOp(self, node: Any) -> tree.Expression:
        op = node.op
        if op == "&":
            return self._address(node)
        if op == "*":
            return self._dereference(node)
        if op in ("sizeof", "_Alignof"):
            return self._sizeof(node)
        if op in ("++", "--"):
            return self.assignments.step(node, op[0])
        if op in ("p++", "p--"):
            return self.assignments.post_step(node, op[1])
        operand = self.value(node.expr)
        if unknown(operand):
            return operand
        if op == "!":
            return self._not(node, operand)
        wanted = Int if op == "~" else (Int, Float)
        if not isinstance(operand.type, wanted):
            return self.wrong(node, "bad-operand", "{op} does not work on {type}.", op=op, type=str(operand.type))
        operand = promoted(operand)
        return operand if op == "+" else fold_unary(op, operand)

    def _not(self, node: Any, operand: tree.Expression) -> tree.Expression:
        if not is_scalar(operand.type):
            return self.wrong(node, "bad-operand", "{op} does not work on {type}.", op="!", type=str(operand.type))
        if isinstance(operand, tree.Constant):
            return tree.Constant(INT, operand.at, int(not operand.value))
        return tree.Not(INT, at(node), operand)

    def _sizeof(self, node: Any) -> tree.Expression:
        inner = node.expr
        ctype = self.body.declarations.type_of(inner) if isinstance(inner, c_ast.Typename) else self.type_of(inner)
        try:
            return tree.Constant(SIZE_T, at(node), ctype.align if node.op == "_Alignof" else ctype.size)
        except TypeError:
            return self.wrong(node, "unknown-size", "The size of {type} is not known.", type=str(ctype))

    def _BinaryOp(self, node: Any) -> tree.Expression:
        op = node.op
        if op in ("&&", "||"):
            left, right = self.scalar(node.left, "condition"), self.scalar(node.right, "condition")
            return self.operators.logical(op, left, right)
        return self.operators.binary(op, self.value(node.left), self.value(node.right), node)

    def _TernaryOp(self, node: Any) -> tree.Expression:
        condition = self.scalar(node.cond, "condition")
        then, otherwise = self.value(node.iftrue), self.value(node.iffalse)
        ctype = self.operators.common(then, otherwise, node)
        if ctype is UNKNOWN:
            return tree.Constant(UNKNOWN, at(node), 0)
        then, otherwise = convert(then, ctype), convert(otherwise, ctype)
        if isinstance(condition, tree.Constant):
            return then if condition.value else otherwise
        return tree.Conditional(ctype, at(node), condition, then, otherwise)

    def _ExprList(self, node: Any) -> tree.Expression:
        result = self.effect(node.exprs[0])
        for part in node.exprs[1:-1]:
            following = self.effect(part)
            result = tree.Comma(following.type, at(node), result, following)
        last = self.value(node.exprs[-1])
        return tree.Comma(last.type, at(node), result, last) if len(node.exprs) > 1 else last

    def _Cast(self, node: Any) -> tree.Expression:
        target = self.body.declarations.type_of(node.to_type)
        value = self._with_gap(node.expr, "argument", target)
        if unknown(value):
            return value
        if isinstance(target, Void):
            return tree.Comma(VOID, at(node), value, tree.Constant(VOID, at(node), 0))
        if isinstance(target, Record) and value.type == target:
            return value
        floating = isinstance(value.type, Float) and isinstance(target, Pointer)
        if not is_scalar(target) or not is_scalar(value.type) or floating:
            names = {"source": str(value.type), "target": str(target)}
            return self.wrong(node, "bad-cast", "{source} cannot be cast to {target}.", **names)
        if isinstance(target, Pointer) and isinstance(value.type, Pointer):
            return retyped(value, target)
        result = convert(value, target)
        if result is value:
            return value
        result.at = at(node) if not isinstance(value, tree.Constant) else result.at
        return result

    # What has its own module

    def _Assignment(self, node: Any) -> tree.Expression:
        return self.assignments.assign(node)

    def _FuncCall(self, node: Any) -> tree.Expression:
        return self.calls.call(node)

    def _CompoundLiteral(self, node: Any) -> tree.Expression:
        return self.initialisers.compound_literal(node)

    def _InitList(self, node: Any) -> tree.Expression:
        return self.wrong(node, "misplaced-braces", "A list in braces is not a value.")
