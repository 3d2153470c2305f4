"""The parser: pycparser's, fed with our tokens, going on after mistakes.

Three things are added to pycparser: the headers' typedef names are in scope before the first token, an error names the
token instead of a text, and parsing resumes at the next statement or declaration so that one pass finds several mistakes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from pycparser import c_parser
from pycparser.c_lexer import Token as CToken
from pycparser.c_parser import Coord

from wsklab.c.gaps import GapParser
from wsklab.c.mistakes import AS_IF_RIGHT, FATAL, SyntaxStop, explain
from wsklab.c.source import Problem, Problems
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


class External(NamedTuple):
    """One external declaration: its nodes and the tokens it was read from."""

    nodes: list[Node]
    tokens: list[CToken]


@dataclass(slots=True)
class RecordCoord(Coord):  # type: ignore[misc]
    """Where a struct or union stands, with the packing in force in bytes."""

    pack: int = 16


@contextmanager
def deep_recursion(limit: int = 6000) -> Iterator[None]:
    """Let Python recurse deeper: the phases walk the tree, and the reader has bounded how deep it can be."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, limit))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class Parser(GapParser):
    """Parses token lists, one after the other; `typedefs` are in scope from the start, each to True."""

    def __init__(self, problems: Problems, typedefs: Mapping[str, bool] | None = None) -> None:
        super().__init__(lexer=_Feed)
        self.problems = problems
        self.typedefs = dict(typedefs or {})
        self.gaps = []
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

    def _parse_struct_or_union_specifier(self) -> Any:
        token = self._peek()
        node = super()._parse_struct_or_union_specifier()
        if isinstance(token, RecordToken):
            node.coord = RecordCoord(node.coord.file, node.coord.line, node.coord.column, token.pack)
        return node

    def _parse_attribute_specifier_sequence(self) -> Any:
        """Behind ``struct`` stands also the alignment that ``__declspec`` asks for."""
        asked = []
        while self._peek_type() == "_ALIGNAS" and isinstance(self.tokens[self._mark() - 1], RecordToken):
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
