"""Gaps: the ``...`` of the documents where C allows a statement, a condition or a value.

Listings leave out what every driver does in its own way and print ``...`` there. The parser puts a `Gap` into the tree in
its stead; the machine says so when a run reaches one, and goes on. Prototypes keep their ``...``, because the parser asks
for a gap only where a statement or an expression begins. Gaps among declarations have nothing to run: only their place is kept.
"""

from __future__ import annotations

from typing import Any, Literal

from pycparser import c_ast
from pycparser.c_parser import CParser

from wsklab.c.source import Place, place_of

Kind = Literal["statement", "condition", "argument", "initialiser"]


class Gap(c_ast.EllipsisParam):  # type: ignore[misc]
    """Stands in the tree where ``...`` stands in the text.

    `kind` is ``"statement"``, ``"condition"`` (of if, while, do, for, switch, or a part of one), ``"argument"`` (fills all
    remaining parameters of the call) or ``"initialiser"`` (any other value). `number` counts the gaps of the unit from 0.
    """

    __slots__ = attr_names = ("kind", "number")

    def __init__(self, kind: Kind, number: int, coord: Any) -> None:
        super().__init__(coord)
        self.kind = kind
        self.number = number


class GapParser(CParser):  # type: ignore[misc]
    """pycparser's parser that accepts ``...`` (and three dots on lines of their own) as a gap."""

    gaps: list[Place]

    def _at_gap(self) -> bool:
        return self._peek_type() == "ELLIPSIS" or [self._peek_type(k) for k in (1, 2, 3)] == ["PERIOD"] * 3

    def _take_gap(self, kind: Kind) -> Gap:
        coord = self._tok_coord(self._peek())
        if self._accept("ELLIPSIS") is None:
            while self._accept("PERIOD"):
                pass
        self.gaps.append(place_of(coord))
        return Gap(kind, len(self.gaps) - 1, coord)

    def _gap_alone(self) -> Gap | None:
        """A gap that is a statement or a declaration, with its semicolon."""
        if not self._at_gap():
            return None
        gap = self._take_gap("statement")
        self._accept("SEMI")
        return gap

    def _starts_expression(self, tok: Any = None) -> bool:
        return (tok is None and self._peek_type() == "ELLIPSIS") or bool(super()._starts_expression(tok))

    def _starts_statement(self) -> bool:
        return self._at_gap() or bool(super()._starts_statement())

    def _parse_external_declaration(self) -> Any:
        return [] if self._gap_alone() else super()._parse_external_declaration()

    def _parse_struct_declaration(self) -> Any:
        return None if self._gap_alone() else super()._parse_struct_declaration()

    def _parse_statement(self) -> Any:
        return self._gap_alone() or super()._parse_statement()

    def _parse_enumerator(self) -> Any:
        # A pragma among the enumerators is what every reader of the tree already passes over.
        return c_ast.Pragma("...", self._take_gap("statement").coord) if self._at_gap() else super()._parse_enumerator()

    def _parse_primary_expression(self) -> Any:
        return self._take_gap("initialiser") if self._peek_type() == "ELLIPSIS" else super()._parse_primary_expression()

    def _parse_parameter_type_list(self) -> Any:
        if self._peek_type() != "ELLIPSIS":
            return super()._parse_parameter_type_list()
        coord = self._tok_coord(self._advance())
        return c_ast.ParamList([c_ast.EllipsisParam(coord)], coord)

    def _parse_selection_statement(self) -> Any:
        return _with_condition(super()._parse_selection_statement())

    def _parse_iteration_statement(self) -> Any:
        if [self._peek_type(k) for k in (1, 3, 4)] != ["FOR", "ELLIPSIS", "RPAREN"]:
            return _with_condition(super()._parse_iteration_statement())
        coord = self._tok_coord(self._advance())
        self._advance()
        condition = self._take_gap("condition")
        self._expect("RPAREN")
        return c_ast.For(None, condition, None, self._parse_pragmacomp_or_statement(), coord)

    def _parse_argument_expression_list(self) -> Any:
        arguments = super()._parse_argument_expression_list()
        for argument in arguments.exprs:
            if isinstance(argument, Gap):
                argument.kind = "argument"
        return arguments


def _with_condition(statement: Any) -> Any:
    """Call the gaps of a statement's condition so, through ``&&``, ``||`` and ``!``."""
    pending = [statement.cond]
    while pending:
        node = pending.pop()
        if isinstance(node, Gap):
            node.kind = "condition"
        elif isinstance(node, c_ast.BinaryOp) and node.op in ("&&", "||"):
            pending += [node.left, node.right]
        elif isinstance(node, c_ast.UnaryOp) and node.op == "!":
            pending.append(node.expr)
    return statement
