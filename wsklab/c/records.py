"""Members of structs and unions, and the number of elements that an initialiser gives to an array.

The arithmetic is `types.layout_record`; here are the declarators: unnamed members, bit-fields, alignment and packing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.constant import literal
from wsklab.c.types import INT, Array, CType, Function, Int, Record, Void, layout_record

if TYPE_CHECKING:
    from wsklab.c.declare import Declarations


class Layout(c_ast.Node):  # type: ignore[misc]
    """Packing in force and alignment asked for (0 for none) of a struct or union, in bytes.

    It hangs in the ``attributes`` of the record's node, which the dialect of C that we read does not use.
    """

    __slots__ = ("pack", "align", "coord", "__weakref__")
    attr_names = ("pack", "align")

    def __init__(self, pack: int, align: int, coord: Any = None) -> None:
        """Bytes, both."""
        self.pack = pack
        self.align = align
        self.coord = coord

    def children(self) -> tuple[()]:
        """No children."""
        return ()


class Members:
    """Completes one record."""

    def __init__(self, declarations: Declarations, record: Record) -> None:
        """Prepare to complete `record`."""
        self.declarations = declarations
        self.problems = declarations.problems
        self.record = record
        self.members: list[tuple[str, CType, int | None, int]] = []

    def complete(self, node: Any, layout: Layout) -> None:
        """Lay the record out as its node says."""
        for member in node.decls:
            if isinstance(member, c_ast.StaticAssert):
                self.declarations.declare(member)
            elif isinstance(member, c_ast.Decl):
                self._member(member)
        fields, size, align = layout_record(self.record.kind, self.members, layout.pack)
        if layout.align > align:
            align = layout.align
            size = -(-size // align) * align
        self.record.finish(fields, size, align)

    def _member(self, node: Any) -> None:
        ctype = self.declarations.type_of(node.type)
        name = node.name or ""
        if not name and node.bitsize is None:
            if isinstance(ctype, Record) and ctype.complete:
                self.members.append(("", ctype, None, 0))
            return
        if isinstance(ctype, (Void, Function)) or (isinstance(ctype, Record) and not ctype.complete):
            self.problems.error("member-without-size", node, "The member {name} cannot be {type}: it has no size.",
                                "Perhaps a pointer to it is meant.", name=name, type=ctype)  # fmt: skip
            ctype = INT
        if name and any(name == known[0] for known in self.members):
            self.problems.error("member-twice", node, "There are two members named {name}.", name=name)
            return
        self.members.append((name, ctype, self._width(node, ctype), self._alignment(node)))

    def _width(self, node: Any, ctype: CType) -> int | None:
        if node.bitsize is None:
            return None
        width = self.declarations.required_constant(node.bitsize, "the width of a bit-field")
        if not isinstance(ctype, Int) or not 0 <= width <= ctype.bits:
            self.problems.error("bit-field", node, "{type} has no bit-field of {width} bits.", type=ctype, width=width)
            return 1
        return width

    def _alignment(self, node: Any) -> int:
        asked = [0]
        for item in node.align or ():
            operand = item.alignment
            if isinstance(operand, c_ast.Typename):
                asked.append(self.declarations.type_of(operand).align)
            else:
                asked.append(self.declarations.required_constant(operand, "an alignment"))
        return max(asked)


def element_count(declarations: Declarations, element: CType, init: Any) -> int | None:
    """Number of elements that an initialiser gives to an array of unknown size; None if it gives none."""
    if isinstance(init, c_ast.Constant) and init.type == "string":
        text = literal(init)[0]
        return len(text) // element.size if isinstance(text, bytes) else None
    if not isinstance(init, c_ast.InitList):
        return None
    only = init.exprs[0] if len(init.exprs) == 1 else None
    if isinstance(element, Int) and isinstance(only, c_ast.Constant) and only.type == "string":
        return element_count(declarations, element, only)
    most = index = plain = 0
    per_element = _scalars(element)
    for item in init.exprs:
        if isinstance(item, c_ast.NamedInitializer):
            if isinstance(item.name[0], c_ast.ArrayDesignator):
                index = declarations.required_constant(item.name[0].expr, "an array index")
                plain = 0
            item = item.expr
        whole = isinstance(item, (c_ast.InitList, c_ast.CompoundLiteral)) or per_element == 1
        if whole or isinstance(declarations.expression_type(item), Record):
            index, plain = index + 1, 0
        else:
            # Braces left out: as many plain values as the element has members make one element.
            index += plain % per_element == 0
            plain += 1
        most = max(most, index)
    return most


def _scalars(ctype: CType) -> int:
    """How many plain values initialise one object of this type when inner braces are left out."""
    if isinstance(ctype, Array):
        return _scalars(ctype.of) * (ctype.count or 0) or 1
    if isinstance(ctype, Record) and ctype.fields:
        inner = [_scalars(member.type) for member in ctype.fields]
        return sum(inner) if ctype.kind == "struct" else inner[0]
    return 1
