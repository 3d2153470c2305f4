"""C's rules for expressions: from the parser's tree to values, with all that C complains about.

`Expressions.value` gives what an expression is worth (arrays and functions already turned into pointers),
`Expressions.designator` gives the object itself, for ``&``, ``sizeof`` and assignment. A mistake is reported once: the
expression then has the type `UNKNOWN`, about which nobody complains.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pycparser import c_ast

from wsklab.c import operators
from wsklab.c import python as py
from wsklab.c.body import Body
from wsklab.c.bounds import elements
from wsklab.c.constant import literal
from wsklab.c.conversions import convert, logical, promoted, unary
from wsklab.c.initialisers import compound_literal
from wsklab.c.parse import Gap
from wsklab.c.python import Python
from wsklab.c.runtime import RED_ZONE, GapKind
from wsklab.c.source import place_of

from wsklab.c.types import (  # isort: skip
    CHAR, INT, SIZE_T, VOID, Array, CType, Float, Function, Int, Pointer, Record, Void, compatible, constant, same_type,
)  # fmt: skip

from wsklab.c.values import (  # isort: skip
    BIT, NOTHING, UNKNOWN, Local, Object, Value, comma, element, is_pure, is_scalar, member, number, pointer_trouble,
    possible, settled, truth, unknown,
)  # fmt: skip

Operand = Value | Object
_STEPS = ("++", "--", "p++", "p--")
_POINTER_TROUBLE = {
    "pointer-types": "{what}: {source} and {target} point to different things.",
    "pointer-from-int": "{what}: the number of type {source} becomes the pointer {target} without a cast.",
    "const-discarded": "{what}: what {source} points to is const, what {target} points to can be changed.",
    "pointer-to-int": "{what}: the pointer {source} becomes the number {target} without a cast.",
}


class Expressions(Body):
    """Turns the expressions of one function body into values."""

    # The ways to look at an expression

    def value(self, node: Any, kind: GapKind = "initialiser", target: CType = INT) -> Value:
        """The value of `node`; arrays and functions are pointers. A gap is of this `kind`, and has the type of the `target`."""
        return self._decayed(self.gap(node, kind, target) if isinstance(node, Gap) else self.designator(node))

    def _decayed(self, x: Operand) -> Value:
        if isinstance(x.type, Array | Function):
            return replace(self.read(x), type=Pointer(x.type.of if isinstance(x.type, Array) else x.type))
        return self.read(x)

    def scalar(self, node: Any) -> Value:
        """The value of `node` where C wants a truth value or a number to switch on."""
        value = self.value(node, "condition")
        if isinstance(node, c_ast.Assignment) and node.op == "=" and self.declarations.constant(node.rvalue) is not None:
            self.problems.warning("assigned-condition", node, "= assigns a value here; == compares.")
        if not is_scalar(value.type):
            return self.wrong(node, "not-scalar", "A number or pointer is needed here; this is {type}.", type=value.type)
        return value

    def assignable(self, node: Any, target: CType, place: Any, what: str, kind: GapKind = "initialiser") -> Value:
        """The value of `node` converted as if by assignment to `target`; `what` says where, for the message."""
        return self.convert_assigned(self.value(node, kind, target), target, place, what)

    def convert_assigned(self, value: Value, target: CType, place: Any, what: str) -> Value:
        """`value` converted as if by assignment, with the warnings a C compiler gives."""
        trouble = pointer_trouble(value, target)
        names: dict[str, Any] = {"source": value.type, "target": target, "what": what}
        numbers = isinstance(target, Pointer) and isinstance(target.to, Int) and isinstance(value.type, Int)
        fits = numbers or (isinstance(target, Pointer) and compatible(target.to, value.type))
        through = fits and what == "assignment" and not isinstance(value.type, Record)
        hint = "Perhaps & is missing before the value." if fits else None
        hint = "Perhaps * is missing before the left side." if through else hint
        if trouble == "incompatible-types":
            return self.wrong(place, "incompatible-types", "{what}: {source} cannot become {target}.", hint, **names)
        if trouble is not None:
            self.problems.warning(trouble, place, _POINTER_TROUBLE[trouble], hint, **names)
        return convert(value, target)

    def variable_array(self, element: CType, size: Any) -> CType:
        """An array with as many elements as `size` is worth when its declaration is reached."""
        count = self.value(size)
        if not isinstance(count.type, Int):
            count = self.wrong(size, "bad-operand", "{op} does not work on {type}.", op="[ ]", type=count.type)
        one = py.name(element.held) if isinstance(element, Array) and element.held else py.constant(element.size)
        held = self.temporary()
        self.sizes.append(py.save(held, py.call("length·", settled(count), one)))
        return Array(element, None, held=held)

    def after_sizes(self, value: Value) -> Value:
        """The value, computed after the sizes that its type names."""
        while self.sizes:
            value = comma(self.sizes.pop(), value)
        return value

    def effect(self, node: Any) -> Python:
        """An expression for its effect, as statements: ``x++`` is the cheaper ``++x``."""
        where = place_of(node)
        if isinstance(node, c_ast.ExprList):
            return [statement for part in node.exprs for statement in self.effect(part)]
        if isinstance(node, c_ast.Assignment) or (isinstance(node, c_ast.UnaryOp) and node.op in _STEPS):
            target, value = self._change(node)
            return [] if unknown(value) else self.assignment(target, value, where)
        if isinstance(node, c_ast.Cast) and not isinstance(node.expr, Gap):
            self.type_of(node)
            return self.effect(node.expr)
        x = self.designator(node)
        if isinstance(x, Object) and (x.local is not None or x.wide):
            return []  # UNREFERENCED_PARAMETER: no read
        value = self.read(x)
        return [] if value.constant is not None else py.located([ast.Expr(settled(value))], where)

    def type_of(self, node: Any) -> CType:
        """The type of an expression that is not evaluated (``sizeof``)."""
        with self.unevaluated():
            return self.designator(node).type

    def designator(self, node: Any) -> Operand:
        """The object or function that `node` designates, or its value."""
        check: Callable[[Any], Operand] | None = getattr(self, f"_{type(node).__name__}", None)
        if check is None:
            return self.wrong(node, "not-supported", "This expression ({what}) is not supported.", what=type(node).__name__)
        return check(node)

    # Names and literals

    def _Gap(self, node: Any) -> Operand:
        return self.gap(node, "initialiser")

    def _Constant(self, node: Any) -> Operand:
        value, ctype = literal(node)
        return self.string(value, ctype, place_of(node)) if isinstance(value, bytes) else number(ctype, place_of(node), value)

    def _ID(self, node: Any) -> Operand:
        name, where = node.name, place_of(node)
        symbol = self.declarations.lookup(name)
        if symbol is None and name in ("__func__", "__FUNCTION__"):
            text = self.name.encode() + b"\0"
            return self.string(text, Array(CHAR, len(text)), where)
        if symbol is None or symbol.kind == "typedef":
            return self.wrong(node, "undeclared", "{name} is not declared.", name=name, close=self.suggestion(name))
        if symbol.kind == "constant":
            return number(symbol.type, where, symbol.value or 0)
        if symbol.kind == "function":
            self.references.addresses.setdefault(name, where)
            return Value(symbol.type, where, py.name(f"address·{name}"), name=name)
        if isinstance(symbol.data, Local):
            return self.object_of(symbol.data, where)
        return self.static(symbol.data or name, symbol.type, where)

    # Members, elements, addresses

    def _StructRef(self, node: Any) -> Operand:
        x = self.value(node.name) if node.type == "->" else self.designator(node.name)
        pointed = x.type.to if isinstance(x.type, Pointer) else None
        record = pointed if node.type == "->" else x.type
        if unknown(x) or record is UNKNOWN:
            return self.unknown(node)
        if not isinstance(record, Record):
            hint = None
            if node.type == "." and isinstance(pointed, Record):
                hint = "It is a pointer: write -> instead of ."
            elif node.type == "->" and isinstance(x.type, Record):
                hint = "It is not a pointer: write . instead of -> here."
            return self.wrong(node, "not-a-structure", "{type} has no members.", hint, type=record or x.type)
        if not record.complete:
            return self.wrong(node, "incomplete-type", "The members of {type} are not known.", type=record)
        field = record.members.get(node.field.name)
        if field is None:
            return operators.no_member(self, node.field, record)
        ctype = constant(field.type) if record.const else field.type
        return member(self.read(x), field.offset, ctype, field.bit_offset, field.bit_width)

    def _ArrayRef(self, node: Any, behind: int | None = None) -> Operand:
        """An element, which may be the one `behind` the last where only its address is taken, as that of an inner array."""
        inner = isinstance(node.name, c_ast.ArrayRef)
        x, index = self._ArrayRef(node.name, behind or 0) if inner else self.designator(node.name), self.value(node.subscript)
        base = self._decayed(x)
        if isinstance(index.type, Pointer):
            base, index = index, base
        if unknown(base, index):
            return self.unknown(node)
        if not isinstance(base.type, Pointer) or not isinstance(index.type, Int):
            return self.wrong(node, "not-an-array", "{type} cannot be indexed.", type=base.type)
        size, named = operators.pointed_size(self, base.type, node), isinstance(node.name, c_ast.ID)
        if size is None:
            return self.unknown(node)
        checked, count, allowed = index, 0, (0, 0)
        if isinstance(size, int) and not self._unevaluated and (count := elements(self, x, named, size)):
            # The bytes right beside a variable are nobody's, which memory tells better.
            beside = RED_ZONE // max(size, 1) if named else 0
            behind = int(isinstance(base.type.to, Array)) if behind is None else behind
            allowed = -beside, count + max(beside, behind) - 1
            checked = self.bounded(index, count, allowed)
        made = element(base, checked, size, base.type)
        if made.element is not None and made.element is not base.element:
            made.element = replace(made.element, index=index, number=settled(index), count=count, allowed=allowed)
        return member(made, 0, base.type.to)

    def _address(self, node: Any) -> Operand:
        inner = node.expr
        x = self._ArrayRef(inner, 1) if isinstance(inner, c_ast.ArrayRef) else self.designator(inner)
        if isinstance(x, Object):
            if x.bit_width is not None:
                return self.wrong(node, "address-of-bit-field", "A bit-field has no address.")
            return replace(x.address, type=Pointer(x.type))
        if isinstance(x.type, Function):
            return replace(x, type=Pointer(x.type))
        if unknown(x) or (isinstance(x.type, Pointer) and isinstance(x.type.to, Function)):
            return x  # &*f
        return self.wrong(node, "no-address", "This value has no address.")

    def _dereference(self, node: Any) -> Operand:
        added = node.expr if isinstance(node.expr, c_ast.BinaryOp) and node.expr.op == "+" else None
        if added is not None and isinstance(added.left, c_ast.ID) and isinstance(self.type_of(added.left), Array):
            return self._ArrayRef(c_ast.ArrayRef(added.left, added.right, added.coord))
        pointer = self.value(node.expr)
        if unknown(pointer):
            return pointer
        if not isinstance(pointer.type, Pointer):
            return self.wrong(node, "not-a-pointer", "{type} is not a pointer.", type=pointer.type)
        if isinstance(pointer.type.to, Void):
            return self.wrong(node, "unknown-size", "The size of {type} is not known.", type=pointer.type.to)
        return pointer if isinstance(pointer.type.to, Function) else member(pointer, 0, pointer.type.to)

    # Operators

    def _UnaryOp(self, node: Any) -> Operand:
        op = node.op
        if op in ("&", "*"):
            return self._address(node) if op == "&" else self._dereference(node)
        if op in ("sizeof", "_Alignof"):
            return self._sizeof(node)
        if op in _STEPS:
            return self._changed(node) if op in ("++", "--") else self._post_step(node)
        operand = self.scalar(node.expr) if op == "!" else self.value(node.expr)
        if unknown(operand):
            return operand
        if op != "!" and not isinstance(operand.type, Int if op == "~" else Int | Float):
            return self.wrong(node, "bad-operand", "{op} does not work on {type}.", op=op, type=operand.type)
        if op != "!":
            return promoted(operand) if op == "+" else unary(op, promoted(operand))
        if operand.constant is not None:
            return number(INT, operand.at, int(not operand.constant))
        return Value(INT, place_of(node), py.negate(truth(operand)), BIT, truth=True)

    def _sizeof(self, node: Any) -> Operand:
        inner = node.expr
        ctype = self.declarations.type_of(inner) if isinstance(inner, c_ast.Typename) else self.type_of(inner)
        if isinstance(ctype, Array) and ctype.held and node.op == "sizeof":
            return self.after_sizes(Value(SIZE_T, place_of(node), py.name(ctype.held)))
        try:
            return number(SIZE_T, place_of(node), ctype.align if node.op == "_Alignof" else ctype.size)
        except TypeError:
            return self.wrong(node, "unknown-size", "The size of {type} is not known.", type=ctype)

    def _BinaryOp(self, node: Any) -> Operand:
        if node.op in ("&&", "||"):
            return logical(node.op, self.scalar(node.left), self.scalar(node.right))
        return operators.binary(self, node.op, self.value(node.left), self.value(node.right), node)

    def _TernaryOp(self, node: Any) -> Operand:
        condition = self.scalar(node.cond)
        then, otherwise = self.value(node.iftrue), self.value(node.iffalse)
        ctype = operators.common(self, then, otherwise, node)
        if ctype is UNKNOWN:
            return self.unknown(node)
        then, otherwise = convert(then, ctype), convert(otherwise, ctype)
        if condition.constant is not None:
            return then if condition.constant else otherwise
        (a, b), (c, d) = possible(then), possible(otherwise)
        chosen = py.choose(truth(condition), settled(then), settled(otherwise))
        return Value(ctype, place_of(node), chosen, (min(a, c), max(b, d)))

    def _GenericSelection(self, node: Any) -> Operand:
        with self.unevaluated():
            wanted = self.value(node.expr).type
        default = None
        for choice in node.associations:
            if choice.type is None:
                default = choice.expr
            elif same_type(self.declarations.type_of(choice.type), wanted):
                return self.designator(choice.expr)
        if default is None:
            return self.wrong(node, "no-generic-type", "_Generic names nothing for {type}.", type=wanted)
        return self.designator(default)

    def _ExprList(self, node: Any) -> Operand:
        *parts, result = map(self.value, node.exprs)
        for part in reversed(parts):
            result = comma(settled(part), result)
        return result

    def _Cast(self, node: Any) -> Operand:
        target = self.declarations.type_of(node.to_type)
        value = self.value(node.expr, "initialiser", target)
        if unknown(value) or (isinstance(target, Record) and value.type == target):
            return value
        if target is UNKNOWN:
            return replace(value, type=UNKNOWN)
        if isinstance(target, Void):
            return Value(VOID, place_of(node), settled(value))
        floating = isinstance(value.type, Float) and isinstance(target, Pointer)
        if not is_scalar(target) or not is_scalar(value.type) or floating:
            names: dict[str, Any] = {"source": value.type, "target": target}
            return self.wrong(node, "bad-cast", "{source} cannot be cast to {target}.", **names)
        result = self.after_sizes(convert(value, target))
        return result if value.constant is not None or result is value else replace(result, at=place_of(node))

    # Assignment

    def _changed(self, node: Any) -> Value:
        """``=``, ``+=``, ``++x`` and the like as an expression."""
        target, value = self._change(node)
        return self.unknown(node) if unknown(value) else self.assigned(target, value, place_of(node))

    _Assignment = _changed

    def _change(self, node: Any) -> tuple[Object, Value]:
        """What an assignment or step stores, and where."""
        stepped = isinstance(node, c_ast.UnaryOp)
        target = self._target(node.expr if stepped else node.lvalue, node)
        if node.op == "=":
            return target, self.assignable(node.rvalue, target.type, node, "assignment")
        value = number(INT, place_of(node), 1) if stepped else self.value(node.rvalue)
        stored, current = self._stored_and_read(target)
        result = operators.binary(self, node.op[-1] if stepped else node.op[:-1], current, value, node)
        return stored, convert(result, target.type) if stepped else self.convert_assigned(result, target.type, node, node.op)

    def _target(self, node: Any, change: Any) -> Object:
        """The object that an assignment or step changes; one of unknown type if there is none."""
        x = self.designator(node)
        if isinstance(x, Object) and not isinstance(x.type, Array):
            if x.type.const:
                self.wrong(change, "const-assigned", "The left side of {op} is const: it cannot be changed.", op=change.op)
            return x
        if isinstance(x.type, Array):
            hint = "Copy into it instead, member by member or with RtlCopyMemory."
            self.wrong(change, "not-assignable", "An array is no value that can be assigned to.", hint)
        elif not unknown(x):
            self.wrong(change, "not-assignable", "The left side of {op} cannot be assigned to.", op=change.op)
        return Object(UNKNOWN, x.at, NOTHING, Local("", UNKNOWN, "unknown·"))

    def _stored_and_read(self, x: Object) -> tuple[Object, Value]:
        """The object to store to, and its value; the address is computed once, by whichever comes first."""
        item = x.address.element
        if is_pure(x.address.node if item is None or not self.loops else item.number):
            return x, self.read(x)
        first, again = self.twice(x.address.node)
        stored = replace(x, address=replace(x.address, node=first, element=None))
        return stored, self.read(replace(x, address=replace(x.address, node=again, element=None)))

    def _post_step(self, node: Any) -> Value:
        """``x++`` and ``x--``: stores the new value and is the old one."""
        stored, current = self._stored_and_read(self._target(node.expr, node))
        if isinstance(current.type, Pointer) and stored.local is not None:
            # The old pointer is the new one less the step, which joins the constant part of the address.
            stepped = operators.binary(self, node.op[1], current, number(INT, place_of(node), 1), node)
            return replace(self.assigned(stored, stepped, place_of(node)), offset=current.offset - stepped.offset)
        kept, where = self.temporary(), place_of(node)
        old = Value(current.type, where, py.save(kept, settled(current)), possible(current), bits=current.bits)
        result = convert(operators.binary(self, node.op[1], old, number(INT, where, 1), node), stored.type)
        both = py.after(settled(self.assigned(stored, result, where)), py.name(kept))
        return Value(stored.type, where, both, possible(current), bits=current.bits)

    # What has its own module

    def _FuncCall(self, node: Any) -> Operand:
        return operators.call(self, node)

    def _CompoundLiteral(self, node: Any) -> Operand:
        return compound_literal(self, node)

    def _Compound(self, node: Any) -> Operand:
        return self.wrong(node, "gcc-extension", "A block with a value, ({{ … }}), is an extension of GCC.")

    def _InitList(self, node: Any) -> Operand:
        return self.wrong(node, "misplaced-braces", "A list in braces is not a value.")
