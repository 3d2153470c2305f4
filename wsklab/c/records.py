"""Members of structs and unions, and the number of elements that an initialiser gives to an array.

The arithmetic is `types.layout_record`; here are the declarators: unnamed members, bit-fields, alignment and packing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.constant import literal
from wsklab.c.types import INT, Array, CType, Function, Int, Record, Void, layout_record

if TYPE_CHECKING:
    from wsklab.c.declare import Declarations

Member = tuple[str, CType, int | None, int]
"""What `layout_record` wants of a member: name, type, bit width, alignment asked for."""


def has_size(ctype: CType) -> bool:
    """Whether there can be an object of this type."""
    return not isinstance(ctype, (Void, Function)) and (not isinstance(ctype, Record) or ctype.complete)


def complete(declarations: Declarations, record: Record, node: Any) -> None:
    """Lay `record` out as its node says."""
    members: list[Member] = []
    for item in node.decls:
        if isinstance(item, c_ast.StaticAssert):
            declarations.declare(item)
        elif isinstance(item, c_ast.Decl) and (member := _member(declarations, item)):
            if member[0] and any(member[0] == known[0] for known in members):
                declarations.problems.error("member-twice", item, "There are two members named {name}.", name=item.name)
            else:
                members.append(member)
    fields, size, align = layout_record(record.kind, members, getattr(node.coord, "pack", 16))
    align = max(align, _alignment(declarations, [item for item in node.attributes if isinstance(item, c_ast.Alignas)]))
    record.finish(fields, -(-size // align) * align, align)


def _member(declarations: Declarations, node: Any) -> Member | None:
    ctype, name = declarations.type_of(node.type), node.name or ""
    if not name and node.bitsize is None:
        return ("", ctype, None, 0) if isinstance(ctype, Record) and ctype.complete else None
    if not has_size(ctype):
        text, hint = "The member {name} cannot be {type}: it has no size.", "Perhaps a pointer to it is meant."
        declarations.problems.error("member-without-size", node, text, hint, name=name, type=ctype)
        ctype = INT
    width = None
    if node.bitsize is not None:
        width = declarations.required_constant(node.bitsize, "the width of a bit-field")
        if not isinstance(ctype, Int) or not 0 <= width <= ctype.bits:
            text = "{type} has no bit-field of {width} bits."
            declarations.problems.error("bit-field", node, text, type=ctype, width=width)
            width = 1
    return name, ctype, width, _alignment(declarations, node.align or ())


def _alignment(declarations: Declarations, asked: Iterable[Any]) -> int:
    """The largest alignment that is asked for, 0 for none."""
    most = 0
    for operand in (item.alignment for item in asked):
        typed = isinstance(operand, c_ast.Typename)
        here = declarations.type_of(operand).align if typed else declarations.required_constant(operand, "an alignment")
        most = max(most, here)
    return most


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
                index, plain = declarations.required_constant(item.name[0].expr, "an array index"), 0
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
