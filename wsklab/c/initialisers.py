"""C's rules for initialisers: braces, designators, strings, and what is left out.

An initialiser becomes a list of stores, each to a fixed offset in the object. What no store reaches is zero.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c import python as py
from wsklab.c.constant import element_count, literal
from wsklab.c.conversions import convert
from wsklab.c.declare import Symbol
from wsklab.c.operators import no_member
from wsklab.c.parse import Gap
from wsklab.c.python import Python
from wsklab.c.runtime import MOST_TEXT
from wsklab.c.source import place_of
from wsklab.c.types import UNKNOWN, Array, CType, Field, Int, Record, is_variable
from wsklab.c.values import Object, Value, comma, member, number, reach, settled, unknown

if TYPE_CHECKING:
    from wsklab.c.expressions import Expressions

Step = tuple[Object, Value] | ast.expr
"""A store, or what zeroes the whole object."""


def initialised(body: Expressions, x: Object, node: Any) -> Python:
    """The statements that give a new automatic variable its first value."""
    if not x.wide:
        value = scalar(body, node, x.type)
        return [] if unknown(value) else body.assignment(x, value, x.at)
    statements: Python = []
    for step in steps(body, x, node):
        more: Python = body.assignment(*step, step[1].at) if isinstance(step, tuple) else [ast.Expr(step)]
        statements += py.located(more, x.at)
    return statements


def steps(body: Expressions, x: Object, node: Any, *, zeroed: bool = False) -> list[Step]:
    """What initialises an object in memory; `zeroed` says it is zero already."""
    result: list[Step] = []
    filling = _Filling(body)
    listed = x.wide and isinstance(node, c_ast.InitList | Gap)
    if listed and not zeroed:
        result.append(py.call("fill·", reach(x.address), py.constant(x.type.size)))
    if isinstance(node, Gap) and listed:
        body.references.has_gap = True
    elif listed:
        filling.fill(Field("", x.type, 0), list(node.exprs), braced=True)
    else:
        filling.single(Field("", x.type, 0), node)
    for f, value in filling.stores:
        overwritten = any(other is not value and g.offset == f.offset for g, other in filling.stores)
        if not listed or value.constant != 0 or overwritten:
            target = member(x.address, f.offset, f.type, f.bit_offset, f.bit_width)
            result.append((replace(target, at=value.at), value))
    return result


def count(body: Expressions, of: CType, node: Any) -> int | None:
    """How many elements an initialiser gives to an array of unknown size; None if it gives none."""
    target, filling = Field("", Array(of, None), 0), _Filling(body)
    if isinstance(node, c_ast.InitList):
        return filling.fill(target, list(node.exprs), braced=True)
    text = filling.string(target.type, node)
    return text.type.count if text is not None and isinstance(text.type, Array) else None


def compound_literal(body: Expressions, node: Any) -> Object:
    """``(type){…}``: an unnamed object of the body."""
    ctype = body.declarations.type_of(node.type)
    if is_variable(ctype):
        body.wrong(node, "variable-array", "An array of variable length cannot be initialised.")
        ctype = Array(UNKNOWN, None)
    if isinstance(ctype, Array) and ctype.count is None:
        ctype = Array(ctype.of, element_count(body.declarations, ctype.of, node.init))
    where = place_of(node)
    if body.returns is None:
        symbol = f"{body.name}.literal{len(body.statics) + 1}"
        body.statics.append(Symbol(symbol, "object", ctype, where, "static", None, node))
        return body.static(symbol, ctype, where)
    x = body.object_of(body.add_local("", ctype, in_frame=True), where)
    address = x.address
    for step in reversed(steps(body, x, node.init)):
        address = comma(settled(body.assigned(*step, where)) if isinstance(step, tuple) else step, address)
    return Object(ctype, where, address)


def scalar(body: Expressions, node: Any, ctype: CType) -> Value:
    """The initial value of a scalar."""
    if not isinstance(node, c_ast.InitList):
        return body.assignable(node, ctype, node, "initialiser")
    if ctype is UNKNOWN:
        return body.unknown(node)
    if len(node.exprs) > 1:
        return body.wrong(node.exprs[1], "too-many-initialisers", "There are more values than members.")
    return scalar(body, node.exprs[0], ctype) if node.exprs else convert(number(ctype, place_of(node), 0), ctype)


@dataclass
class _Filling:
    """Collects the values that an initialiser puts into an object, each with the member or element it goes to."""

    body: Expressions
    stores: list[tuple[Field, Value]] = field(default_factory=list)

    def single(self, target: Field, node: Any) -> None:
        """An initialiser without braces (or a scalar with them)."""
        if isinstance(target.type, Array):
            text = self.string(target.type, node)
            value = text or self.body.value(node)
            if text is None and not unknown(value):
                value = self.body.wrong(node, "array-initialiser", "An array needs a list in braces.")
        else:
            value = scalar(self.body, node, target.type)
        if not unknown(value):
            self.stores.append((target, value))

    def string(self, ctype: CType, node: Any) -> Value | None:
        """The string literal that initialises a whole array, padded with zeros or cut; None if it is none."""
        if isinstance(node, c_ast.InitList) and len(node.exprs) == 1:
            node = node.exprs[0]
        data, given = literal(node) if isinstance(node, c_ast.Constant) else (0, ctype)
        if not isinstance(data, bytes) or not isinstance(given, Array) or not isinstance(ctype, Array):
            return None
        if not isinstance(ctype.of, Int) or ctype.of.size != given.of.size:
            return None
        if ctype.count is None:
            ctype = given
        if given.size - given.of.size > ctype.size:
            text = "The string is longer than the array ({size} bytes)."
            self.body.wrong(node, "string-too-long", text, size=ctype.size)
        if ctype.size > MOST_TEXT:
            text = "An array of {size} bytes is larger than any block of the machine."
            return self.body.wrong(node, "array-too-large", text, size=ctype.size)
        return self.body.read(self.body.string(data[: ctype.size].ljust(ctype.size, b"\0"), ctype, place_of(node)))

    def fill(self, target: Field, items: list[Any], *, braced: bool) -> int:
        """Initialise `target` from the items that belong to it, and take these out of the list; gives the parts reached."""
        text = self.string(target.type, items[0]) if braced and len(items) == 1 else None
        if text is not None:
            self.stores.append((target, text))
            return text.type.count or 0 if isinstance(text.type, Array) else 0
        position = most = 0
        # Without braces, a designator belongs to the list around.
        while items and (braced or not isinstance(items[0], c_ast.NamedInitializer)):
            part = _part_at(target, position)
            if isinstance(items[0], c_ast.NamedInitializer):
                position = self._designated(target, items.pop(0))
            elif part is not None:
                self._part(part, items)
            else:
                break
            position += 1
            most = max(most, position)
        if braced and items and not isinstance(items[0], Gap):
            self.body.wrong(items[0], "too-many-initialisers", "There are more values than members.")
        return most

    def _part(self, part: Field, items: list[Any]) -> None:
        """The next item goes to `part`, or to what is in it."""
        ctype, node = part.type, items[0]
        if not isinstance(ctype, Array | Record):
            self.single(part, items.pop(0))
        elif isinstance(node, c_ast.InitList):
            self.fill(part, list(items.pop(0).exprs), braced=True)
        elif isinstance(node, Gap):
            items.pop(0)
        elif self.string(ctype, node) if isinstance(ctype, Array) else self.body.type_of(node) == ctype:
            self.single(part, items.pop(0))
        else:
            self.fill(part, items, braced=False)

    def _designated(self, target: Field, item: Any) -> int:
        """One ``.name[2] = value``; gives the position in `target` of what it named."""
        part, position = target, 0
        for depth, designator in enumerate(item.name):
            found = self._designate(part, designator)
            if found is None:
                return position
            part, index = found
            position = index if depth == 0 else position
        self._part(part, [item.expr])
        return position

    def _designate(self, target: Field, designator: Any) -> tuple[Field, int] | None:
        ctype = target.type
        if isinstance(ctype, Array) and not isinstance(designator, c_ast.ID):
            index = self.body.declarations.required_constant(getattr(designator, "expr", designator), "an array index")
            if ctype.count is None or 0 <= index < ctype.count:
                return Field("", ctype.of, target.offset + index * ctype.of.size), index
            self.body.wrong(designator, "index-too-far", "The array has {count} elements.", count=ctype.count)
        elif isinstance(ctype, Record) and isinstance(designator, c_ast.ID):
            found = ctype.members.get(designator.name)
            if found is not None:
                index = next(i for i, f in enumerate(ctype.fields) if _holds(f, designator.name))
                return replace(found, offset=found.offset + target.offset), index
            no_member(self.body, designator, ctype)
        else:
            self.body.wrong(designator, "bad-designator", "This designator does not fit {type}.", type=ctype)
        return None


def _part_at(target: Field, position: int) -> Field | None:
    """The member or element at a position, None behind the last."""
    ctype = target.type
    if isinstance(ctype, Array):
        inside = ctype.count is None or position < ctype.count
        return Field("", ctype.of, target.offset + position * ctype.of.size) if inside else None
    assert isinstance(ctype, Record)
    members = ctype.fields[:1] if ctype.kind == "union" else ctype.fields
    if position >= len(members):
        return None
    return replace(members[position], offset=members[position].offset + target.offset)


def _holds(member: Field, name: str) -> bool:
    return member.name == name or (not member.name and isinstance(member.type, Record) and name in member.type.members)
