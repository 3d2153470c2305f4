"""C's rules for initialisers: braces, designators, strings, and what is left out.

An initialiser becomes a list of stores, each to a fixed offset in the object. What no store reaches is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.check_context import StaticLocal, at
from wsklab.c.constant import literal
from wsklab.c.conversions import convert, is_string_for, member, string_array, unknown
from wsklab.c.gaps import Gap as GapNode
from wsklab.c.source import place_of
from wsklab.c.tree import Assign, At, Comma, Constant, Expression, Fill, GlobalAddress, LocalAddress, LocalValue, StringAddress
from wsklab.c.types import VOID, Array, CType, Field, Pointer, Record

if TYPE_CHECKING:
    from wsklab.c.check_expressions import Expressions


@dataclass
class _Store:
    """One value that an initialiser puts into the object."""

    field: Field
    value: Expression


class Initialisers:
    """Checks initialisers."""

    def __init__(self, expressions: Expressions) -> None:
        """Work for `expressions`."""
        self.expressions = expressions
        self.body = expressions.body

    def steps(self, base: Expression, ctype: CType, node: Any, where: At, *, zeroed: bool = False) -> list[Expression]:
        """The effects that initialise the object of type `ctype` at the address `base`; `zeroed` says it is zero already."""
        whole = Field("", ctype, 0)
        if isinstance(ctype, Array | Record) and isinstance(node, GapNode):
            self.body.has_gap = True
            return [] if zeroed else [Fill(VOID, where, base, ctype.size)]
        if not isinstance(node, c_ast.InitList) or not isinstance(ctype, Array | Record):
            return [self._assign(base, store, where) for store in self._single(whole, node)]
        stores: list[_Store] = []
        self._list(whole, _Items(node), stores, braced=True)
        steps: list[Expression] = [] if zeroed else [Fill(VOID, where, base, ctype.size)]
        for store in stores:
            if isinstance(store.value, Constant) and not store.value.value:
                overwritten = any(other is not store and other.field.offset == store.field.offset for other in stores)
                if not overwritten:
                    continue
            steps.append(self._assign(base, store, where))
        return steps

    def compound_literal(self, node: Any) -> Expression:
        """``(type){…}``: an unnamed object of the body."""
        ctype = self.body.declarations.type_of(node.type)
        if isinstance(ctype, Array) and ctype.count is None:
            ctype = Array(ctype.of, count_of(node.init))
        where = at(node)
        if self.body.is_static:
            symbol = f"{self.body.name}.literal{len(self.body.statics) + 1}"
            self.body.statics.append(StaticLocal(symbol, ctype, place_of(node), node))
            self.body.symbols[symbol] = where
            return member(GlobalAddress(Pointer(ctype), where, symbol), 0, ctype)
        variable = self.body.add_local("", ctype, where, in_frame=True)
        base = LocalAddress(Pointer(ctype), where, variable)
        if not isinstance(ctype, Array | Record):
            target = LocalValue(ctype, where, variable)
            initial = self._scalar(node.init, ctype)
            return member(Comma(base.type, where, Assign(ctype, where, target, initial), base), 0, ctype)
        address: Expression = base
        for step in reversed(self.steps(LocalAddress(base.type, where, variable), ctype, node.init, where)):
            address = Comma(base.type, where, step, address)
        return member(address, 0, ctype)

    def scalar(self, node: Any, ctype: CType) -> Expression:
        """The initial value of a scalar variable."""
        return self._scalar(node, ctype)

    def _assign(self, base: Expression, store: _Store, where: At) -> Expression:
        f = store.field
        target = member(base, f.offset, f.type, f.bit_offset, f.bit_width)
        target.at = store.value.at
        return Assign(f.type, store.value.at, target, store.value)

    def _single(self, field: Field, node: Any) -> list[_Store]:
        """An initialiser without braces (or a scalar with them)."""
        ctype = field.type
        if isinstance(ctype, Array):
            text = self._string_for(ctype, node)
            if text is None:
                self.expressions.wrong(node, "array-initialiser", "An array needs a list in braces.")
                return []
            return [_Store(field, text)]
        value = self._scalar(node, ctype)
        return [] if unknown(value) else [_Store(field, value)]

    def _scalar(self, node: Any, ctype: CType) -> Expression:
        if isinstance(node, c_ast.InitList):
            if not node.exprs:
                return convert(Constant(ctype, at(node), 0), ctype)
            if len(node.exprs) > 1:
                return self.expressions.wrong(node.exprs[1], "too-many-initialisers", "There are more values than members.")
            return self._scalar(node.exprs[0], ctype)
        return self.expressions.assigned(node, ctype, node, "initialiser", "initialiser")

    def _string_for(self, ctype: Array, node: Any) -> Expression | None:
        if isinstance(node, c_ast.InitList) and len(node.exprs) == 1:
            node = node.exprs[0]
        if not isinstance(node, c_ast.Constant) or node.type not in ("string", "wstring") and '"' not in node.value:
            return None
        data, literal_type = literal(node)
        if not isinstance(data, bytes) or not is_string_for(ctype, literal_type):
            return None
        assert isinstance(literal_type, Array)
        if ctype.count is not None and literal_type.size - literal_type.of.size > ctype.size:
            self.expressions.wrong(
                node, "string-too-long", "The string is longer than the array ({size} bytes).", size=ctype.size
            )
        return StringAddress(ctype, at(node), string_array(data, ctype))

    def _list(self, field: Field, items: _Items, stores: list[_Store], *, braced: bool) -> None:
        """Initialise `field` from the items, as far as they belong to it."""
        ctype = field.type
        if isinstance(ctype, Array) and braced and items.count == 1 and not items.designated:
            text = self._string_for(ctype, items.node)
            if text is not None:
                items.index = 1
                stores.append(_Store(field, text))
                return
        parts = _parts(field)
        position = 0
        while not items.done:
            if items.designated:
                if not braced:
                    return  # the designator belongs to the list around
                position = self._designated(field, items, stores)
                continue
            part = parts(position)
            if part is None:
                break
            position += 1
            self._part(part, items, stores)
        if braced and not items.done:
            self.expressions.wrong(items.node.exprs[items.index], "too-many-initialisers", "There are more values than members.")

    def _part(self, part: Field, items: _Items, stores: list[_Store]) -> None:
        node = items.take()
        ctype = part.type
        if isinstance(node, c_ast.InitList):
            if isinstance(ctype, Array | Record):
                self._list(part, _Items(node), stores, braced=True)
            else:
                self._keep(stores, self._single(part, node))
        elif not isinstance(ctype, Array | Record) or isinstance(node, GapNode):
            if not isinstance(ctype, Array | Record):
                self._keep(stores, self._single(part, node))
        elif (
            isinstance(ctype, Array)
            and self._string_for(ctype, node) is not None
            or isinstance(ctype, Record)
            and self.expressions.type_of(node) == ctype
        ):
            self._keep(stores, self._single(part, node))
        else:
            items.index -= 1
            self._list(part, items, stores, braced=False)

    @staticmethod
    def _keep(stores: list[_Store], more: list[_Store]) -> None:
        stores.extend(more)

    def _designated(self, field: Field, items: _Items, stores: list[_Store]) -> int:
        """One ``.name[2] = value``; gives the position in `field` after it."""
        item = items.take()
        part, position = field, 0
        for depth, designator in enumerate(item.name):
            found = self._designate(part, designator)
            if found is None:
                return position + 1
            part, index = found
            position = index if depth == 0 else position
        inner = c_ast.InitList([item.expr], item.coord)
        self._part(part, _Items(inner), stores)
        return position + 1

    def _designate(self, field: Field, designator: Any) -> tuple[Field, int] | None:
        ctype = field.type
        if isinstance(ctype, Array) and not isinstance(designator, c_ast.ID):
            index = self.body.declarations.required_constant(getattr(designator, "expr", designator), "an array index")
            if ctype.count is not None and not 0 <= index < ctype.count:
                self.expressions.wrong(designator, "index-too-far", "The array has {count} elements.", count=ctype.count)
                return None
            return Field("", ctype.of, field.offset + index * ctype.of.size), index
        if isinstance(ctype, Record) and isinstance(designator, c_ast.ID):
            found = ctype.members.get(designator.name)
            if found is not None:
                index = next(i for i, f in enumerate(ctype.fields) if _holds(f, designator.name))
                return _shifted(found, field.offset), index
            hint = self.body.closest(designator.name, ctype.members)
            values = {"type": str(ctype), "name": designator.name}
            self.expressions.wrong(designator, "no-such-member", "{type} has no member {name}.", hint, **values)
            return None
        self.expressions.wrong(designator, "bad-designator", "This designator does not fit {type}.", type=str(ctype))
        return None


class _Items:
    """The values of one list in braces, taken one after the other."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.index = 0
        self.count = len(node.exprs)

    @property
    def done(self) -> bool:
        return self.index >= self.count

    @property
    def designated(self) -> bool:
        return self.index < self.count and isinstance(self.node.exprs[self.index], c_ast.NamedInitializer)

    def take(self) -> Any:
        self.index += 1
        return self.node.exprs[self.index - 1]


def _parts(field: Field) -> Any:
    """A function from a position to the member or element there, None behind the last."""
    ctype = field.type
    if isinstance(ctype, Array):
        of, count = ctype.of, ctype.count

        def part_of_array(position: int) -> Field | None:
            if count is not None and position >= count:
                return None
            return Field("", of, field.offset + position * of.size)

        return part_of_array
    assert isinstance(ctype, Record)
    members = ctype.fields[:1] if ctype.kind == "union" else ctype.fields

    def part_of_record(position: int) -> Field | None:
        return _shifted(members[position], field.offset) if position < len(members) else None

    return part_of_record


def _shifted(field: Field, offset: int) -> Field:
    return Field(field.name, field.type, field.offset + offset, field.bit_offset, field.bit_width)


def _holds(field: Field, name: str) -> bool:
    return field.name == name or (not field.name and isinstance(field.type, Record) and name in field.type.members)


def count_of(node: Any) -> int:
    """Number of elements that a list in braces gives an array of unknown length (without designators)."""
    return len(node.exprs)
