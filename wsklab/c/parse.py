"""The parser: pycparser's, fed with our tokens, going on after mistakes.

Four things are added to pycparser: the headers' typedef names are in scope before the first token, ``...`` can be a gap, an
error names the token instead of a text, and parsing resumes at the next statement or declaration so that one pass finds several
mistakes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from pycparser import c_ast, c_parser
from pycparser.c_lexer import Token as CToken

from wsklab.c.mistakes import AS_IF_RIGHT, FATAL, SyntaxStop, explain
from wsklab.c.source import Place, Problem, Problems, place_of
from wsklab.c.tokens import RecordToken

Node = Any
"""A node of pycparser's tree (pycparser is untyped)."""


class _Feed:
    """Where pycparser expects its lexer: hands out tokens that exist already."""

    filename = ""

    def __init__(self, error_func: Any = None, *, dialect: str = "legacy") -> None:
        self.tokens: Iterator[CToken] = iter(())

    def token(self) -> CToken | None:
        return next(self.tokens, None)


class Gap(c_ast.EllipsisParam):  # type: ignore[misc]
    """Stands in the tree where ``...`` stands in the text: for a statement, or for any value.

    As the last argument of a call it fills all remaining parameters. The check says what it stands for (`GapKind`).
    """


class External(NamedTuple):
    """One external declaration: its nodes and the tokens it was read from."""

    nodes: list[Node]
    tokens: list[CToken]


@contextmanager
def deep_recursion(limit: int = 6000) -> Iterator[None]:
    """Let Python recurse deeper: the phases walk the tree, and the reader has bounded how deep it can be."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, limit))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class Parser(c_parser.CParser):  # type: ignore[misc]
    """Parses token lists, one after the other; `typedefs` are in scope from the start, each to True."""

    def __init__(self, problems: Problems, typedefs: Mapping[str, bool] | None = None) -> None:
        super().__init__(lexer=_Feed)
        self.problems = problems
        self.typedefs = dict(typedefs or {})
        self.gaps: list[Place] = []
        self.tokens: list[CToken] = []

    def unit(self, tokens: list[CToken]) -> list[External]:
        """Parse a translation unit. Mistakes are reported; what could be read is returned."""
        self._start(tokens)
        externals = []
        while self._peek() is not None and not self.problems.full:
            start = self._external_start = self._mark()
            try:
                nodes = self._parse_external_declaration()
            except SyntaxStop as stop:
                self._report(stop)
                self._skip_declaration(start, max(stop.index, start))
                del self._scope_stack[2:]
            else:
                externals.append(External(nodes, self.tokens[start : self._mark()]))
        return externals

    def expression(self, tokens: list[CToken]) -> Node:
        """Parse one conditional expression. Raises ValueError with a sentence if that is not what the tokens are."""
        return self._only(tokens, self._parse_constant_expression)

    def type_name(self, tokens: list[CToken]) -> Node:
        """Parse a type name as in a cast. Raises ValueError with a sentence if that is not what the tokens are."""
        return self._only(tokens, self._parse_type_name)

    def _only(self, tokens: list[CToken], parse: Any) -> Node:
        self._start(tokens)
        try:
            node = parse()
            if self._peek() is not None:
                self._stop(None, "")
        except SyntaxStop as stop:
            raise ValueError(self._explain(stop).message) from None
        return node

    def _start(self, tokens: list[CToken]) -> None:
        self.tokens = tokens
        self._external_start = 0
        self.clex.tokens = iter(tokens)
        self._tokens = c_parser._TokenStream(self.clex.token)
        self._scope_stack = [self.typedefs, {}]
        self._typedef_checked_token = None

    # Errors: pycparser's methods, under its names.

    def _stop(self, expected: str | None, message: str, coord: Any = None) -> NoReturn:
        raise SyntaxStop(self._mark(), expected, message, coord)

    def _parse_error(self, msg: str, coord: Any) -> NoReturn:
        self._stop(None, msg, coord if not isinstance(coord, str) else None)

    def _expect(self, token_type: str) -> CToken:
        if self._peek_type() != token_type:
            self._stop(token_type, "")
        return self._advance()

    def _advance(self) -> CToken:
        if self._peek() is None:
            self._stop(None, "")
        return super()._advance()

    def _parse_block_item(self) -> Any:
        start, scopes = self._mark(), len(self._scope_stack)
        try:
            return super()._parse_block_item()
        except SyntaxStop as stop:
            mistake = self._report(stop)
            if mistake.id in FATAL or self.problems.full:
                raise
            del self._scope_stack[scopes:]
            self._typedef_checked_token = None
            if mistake.id not in AS_IF_RIGHT or self._mark() == start:
                self._skip(in_block=True)
            return []

    def _parse_attribute_specifier_sequence(self) -> Any:
        """Behind ``struct`` stand also the packing in force and the alignment that ``__declspec`` asks for."""
        word, asked = self.tokens[self._mark() - 1], []
        if isinstance(word, RecordToken):
            asked.append(c_ast.Pragma(str(word.pack), self._tok_coord(word)))
            while self._peek_type() == "_ALIGNAS":
                asked.append(self._parse_alignment_specifier())
        return asked + super()._parse_attribute_specifier_sequence()

    def _explain(self, stop: SyntaxStop) -> Problem:
        typedefs = [name for scope in self._scope_stack for name, is_type in scope.items() if is_type]
        return explain(self.tokens, stop, self._external_start, typedefs, self.problems.sources)

    def _report(self, stop: SyntaxStop) -> Problem:
        mistake = self._explain(stop)
        if not stop.reported:
            self.problems.error(mistake.id, mistake.place, mistake.text, mistake.hint, **mistake.values)
            stop.reported = True
        return mistake

    def _skip(self, depth: int = 0, *, in_block: bool) -> None:
        """Go behind the end of a statement or declaration, `depth` braces deep in it, but not out of the block around."""
        while (kind := self._peek_type()) is not None and (depth or not in_block or kind != "RBRACE"):
            self._advance()
            depth += (kind == "LBRACE") - (kind == "RBRACE")
            if depth <= 0 and kind in ("SEMI", "RBRACE"):
                return

    def _skip_declaration(self, start: int, stopped: int) -> None:
        """Go behind the external declaration that begins at `start`."""
        passed = [token.type for token in self.tokens[start:stopped]]
        self._reset(stopped)
        self._skip(passed.count("LBRACE") - passed.count("RBRACE"), in_block=False)
        self._accept("SEMI")

    # Gaps: ``...`` (and three dots on lines of their own) where a statement or an expression begins, so that prototypes keep
    # theirs. Those among declarations have nothing to run: only their place is kept.

    def _at_gap(self) -> bool:
        return self._peek_type() == "ELLIPSIS" or [self._peek_type(k) for k in (1, 2, 3)] == ["PERIOD"] * 3

    def _take_gap(self) -> Gap:
        coord = self._tok_coord(self._peek())
        if self._accept("ELLIPSIS") is None:
            while self._accept("PERIOD"):
                pass
        self.gaps.append(place_of(coord))
        return Gap(coord)

    def _gap_alone(self) -> Gap | None:
        """A gap that is a statement or a declaration, with its semicolon."""
        if not self._at_gap():
            return None
        gap = self._take_gap()
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
        return c_ast.Pragma("...", self._take_gap().coord) if self._at_gap() else super()._parse_enumerator()

    def _parse_primary_expression(self) -> Any:
        return self._take_gap() if self._peek_type() == "ELLIPSIS" else super()._parse_primary_expression()

    def _parse_parameter_type_list(self) -> Any:
        if self._peek_type() != "ELLIPSIS":
            return super()._parse_parameter_type_list()
        coord = self._tok_coord(self._advance())
        return c_ast.ParamList([c_ast.EllipsisParam(coord)], coord)

    def _parse_iteration_statement(self) -> Any:
        if [self._peek_type(k) for k in (1, 3, 4)] != ["FOR", "ELLIPSIS", "RPAREN"]:
            return super()._parse_iteration_statement()
        coord = self._tok_coord(self._advance())
        self._advance()
        condition = self._take_gap()
        self._expect("RPAREN")
        return c_ast.For(None, condition, None, self._parse_pragmacomp_or_statement(), coord)
