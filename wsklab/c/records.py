"""Members of structs and unions.

The arithmetic is `types.layout_record`; here are the declarators: unnamed members, bit-fields, alignment and packing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.types import INT, CType, Int, Record, has_size, is_variable, layout_record

if TYPE_CHECKING:
    from wsklab.c.declare import Declarations

Member = tuple[str, CType, int | None, int]
"""What `layout_record` wants of a member: name, type, bit width, alignment asked for."""


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
    pack = next((int(item.string) for item in node.attributes if isinstance(item, c_ast.Pragma)), 16)
    fields, size, align = layout_record(record.kind, members, pack)
    align = max(align, _alignment(declarations, [item for item in node.attributes if isinstance(item, c_ast.Alignas)]))
    record.finish(fields, -(-size // align) * align, align)


def _member(declarations: Declarations, node: Any) -> Member | None:
    ctype, name = declarations.type_of(node.type), node.name or ""
    if not name and node.bitsize is None:
        return ("", ctype, None, 0) if isinstance(ctype, Record) and ctype.complete else None
    if not has_size(ctype) or is_variable(ctype):
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
