"""The parser: pycparser's, fed with our tokens, going on after mistakes.

Three things are added to pycparser: the headers' typedef names are in scope before the first token, an error names the
token instead of a text, and parsing resumes at the next statement or declaration so that one pass finds several mistakes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from pycparser import c_ast, c_parser
from pycparser.c_lexer import Token as CToken

from wsklab.c.gaps import GapParser
from wsklab.c.mistakes import Mistake, explain
from wsklab.c.reader import RecordToken
from wsklab.c.records import Layout
from wsklab.c.source import Problems

Node = Any
"""A node of pycparser's tree (pycparser is untyped)."""


class SyntaxStop(Exception):
    """The parser cannot go on.

    `index` is that of the token, `expected` the token type wanted if there was just one, `start` where the external
    declaration begins, `message` and `coord` are pycparser's.
    """

    def __init__(self, index: int, expected: str | None, message: str, coord: Any = None) -> None:
        """Stop at token `index`."""
        super().__init__(message)
        self.index = index
        self.expected = expected
        self.message = message
        self.coord = coord
        self.reported = False
        self.start = 0


class _Feed:
    """Where pycparser expects its lexer: hands out tokens that exist already."""

    def __init__(self, error_func: Any = None, *, dialect: str = "legacy") -> None:
        self.filename = ""
        self.tokens: Iterator[CToken] = iter(())

    def token(self) -> CToken | None:
        return next(self.tokens, None)


@dataclass(frozen=True)
class External:
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


class Parser(GapParser):
    """Parses token lists.

    Args:
        problems: where mistakes go.
        typedefs: typedef names in scope from the start, each to True.
    """

    def __init__(self, problems: Problems, typedefs: Mapping[str, bool] | None = None) -> None:
        """Make a parser; it can parse several token lists, one after the other."""
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
        token = self._peek()
        if token is None or token.type != token_type:
            self._stop(token_type, "")
        return self._advance()

    def _advance(self) -> CToken:
        if self._peek() is None:
            self._stop(None, "")
        return super()._advance()

    def _parse_block_item(self) -> Any:
        start = self._mark()
        scopes = len(self._scope_stack)
        try:
            return super()._parse_block_item()
        except SyntaxStop as stop:
            mistake = self._report(stop)
            if mistake.fatal or self.problems.full:
                raise
            del self._scope_stack[scopes:]
            self._typedef_checked_token = None
            if not mistake.as_if_right or self._mark() == start:
                self._skip_statement()
            return []

    def _parse_struct_or_union_specifier(self) -> Any:
        token = self._peek()
        node = super()._parse_struct_or_union_specifier()
        if isinstance(token, RecordToken) and node.decls is not None:
            node.attributes = [Layout(token.pack, token.align, node.coord)]
        return node

    def _explain(self, stop: SyntaxStop) -> Mistake:
        stop.start = self._external_start
        typedefs = [name for scope in self._scope_stack for name, is_type in scope.items() if is_type]
        return explain(self.tokens, stop, typedefs, self.problems.sources)

    def _report(self, stop: SyntaxStop) -> Mistake:
        mistake = self._explain(stop)
        if not stop.reported:
            self.problems.error(mistake.id, mistake.place, mistake.text, mistake.hint, **mistake.values)
            stop.reported = True
        return mistake

    def _skip_statement(self) -> None:
        """Go behind the next semicolon of this block, or before its end."""
        depth = 0
        while (token := self._peek()) is not None:
            if token.type == "RBRACE" and depth == 0:
                return
            self._advance()
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
            if depth == 0 and token.type in ("SEMI", "RBRACE"):
                return

    def _skip_declaration(self, start: int, stopped: int) -> None:
        """Go behind the external declaration that begins at `start`."""
        depth = 0
        for token in self.tokens[start:stopped]:
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        self._reset(max(stopped, start))
        while self._peek() is not None:
            token = self._advance()
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
            if depth <= 0 and token.type in ("SEMI", "RBRACE"):
                self._accept("SEMI")
                return


def is_prototype(node: Node) -> bool:
    """Whether a declaration node declares a function."""
    return isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl)
