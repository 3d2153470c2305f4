"""The parser: pycparser's, fed with our tokens, going on after mistakes.

Four things are added to pycparser: the headers' typedef names are in scope before the first token, ``...`` can be a gap, an
error names the token instead of a text, and parsing resumes at the next statement or declaration so that one pass finds several
mistakes.
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from pycparser import c_ast, c_parser
from pycparser.c_lexer import Token as CToken

from wsklab.c.mistakes import FATAL, SyntaxStop, explain
from wsklab.c.source import LEFT_OUT_OF_FRAGMENT, Place, Problem, Problems, place_of
from wsklab.c.tokens import SIGNS, RecordToken

Node = Any
"""A node of pycparser's tree (pycparser is untyped)."""


class _NoLexer:
    """Stands where pycparser expects its lexer: our tokens exist already."""

    filename = ""

    def __init__(self, error_func: Any = None, *, dialect: str = "legacy") -> None:
        pass

    def token(self) -> None:
        return None


class Gap(c_ast.EllipsisParam):  # type: ignore[misc]
    """Stands in the tree where ``...`` stands in the text: for a statement, or for any value.

    As the last argument of a call it fills all remaining parameters. The check says what it stands for (`GapKind`).
    """


class Try(c_ast.Node):  # type: ignore[misc]
    """``__try`` with its `handler`; `filter` is what ``__except`` asks, None for ``__finally``."""

    __slots__ = ("block", "filter", "handler", "coord")
    attr_names = ()

    def __init__(self, block: Node, filter: Node, handler: Node, coord: Any) -> None:
        self.block, self.filter, self.handler, self.coord = block, filter, handler, coord

    def children(self) -> tuple[tuple[str, Node], ...]:
        """The parts that are there, under their names."""
        parts = {"block": self.block, "filter": self.filter, "handler": self.handler}
        return tuple((name, part) for name, part in parts.items() if part is not None)


class Leave(c_ast.EmptyStatement):  # type: ignore[misc]
    """``__leave``: to the end of the ``__try`` around."""


class External(NamedTuple):
    """One external declaration: its nodes and the tokens it was read from."""

    nodes: list[Node]
    tokens: list[CToken]


@contextmanager
def deep_recursion(limit: int = 6000) -> Iterator[None]:
    """Let Python recurse deeper: the phases walk the tree, and the reader has bounded how deep it can be.

    Meanwhile nobody looks for garbage: the trees are large, and all of them live.
    """
    before, collects = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(before, limit))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        if collects:
            gc.enable()


class Parser(c_parser.CParser):  # type: ignore[misc]
    """Parses token lists, one after the other; `typedefs` are in scope from the start, each to True."""

    def __init__(self, problems: Problems, typedefs: Mapping[str, bool] | None = None) -> None:
        super().__init__(lexer=_NoLexer)
        self.problems = problems
        self.typedefs = dict(typedefs or {})
        self.gaps: list[Place] = []
        self.tokens: list[CToken] = []
        self.assumed: dict[str, Place] = {}
        """Unknown names that were taken for types."""
        self.skipped = False
        """Whether something was passed over that could not be understood."""
        self.outlines = False
        """Whether the bodies of functions are passed over."""

    def unit(self, tokens: list[CToken]) -> list[External]:
        """Parse a translation unit. Mistakes are reported; what could be read is returned."""
        self._start(tokens)
        externals = []
        while self._peek() is not None and not self.problems.full:
            start, gaps = self._mark(), len(self.gaps)
            self._external_start = start
            try:
                nodes = self._parse_external_declaration()
            except SyntaxStop as stop:
                if not self._mended(stop, start, gaps, 2):
                    self._skip_declaration(start, max(stop.index, start))
            else:
                externals.append(External(nodes, self.tokens[start : self._mark()]))
        return externals

    def assume(self, name: str, place: Place) -> None:
        """Take a name for a type from now on."""
        self.typedefs[name] = True
        self.assumed[name] = place

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
        self._scope_stack = [self.typedefs, {}]
        self._start_at(0)

    def _start_at(self, mark: int) -> None:
        self._tokens = c_parser._TokenStream(self.clex.token)
        self._tokens._buffer = [*self.tokens, *[None] * 4]  # we look up to four tokens ahead
        self._reset(mark)
        self._typedef_checked_token = None

    # Errors: pycparser's methods, under its names.

    def _stop(self, expected: str | None, message: str, coord: Any = None) -> NoReturn:
        raise SyntaxStop(self._mark(), expected, message, coord)

    def _parse_error(self, msg: str, coord: Any) -> NoReturn:
        self._stop(None, msg, coord if not isinstance(coord, str) else None)

    def _expect(self, token_type: str) -> CToken:
        if token_type == "ID" and self._peek_type() == "TYPEID" and self.tokens[self._mark() - 1].type == "GOTO":
            return self._advance()
        if self._peek_type() == "ELLIPSIS" and token_type == "RBRACKET":
            text = "A range of elements, [a ... b], is an extension of GCC."
            self.problems.error("gcc-extension", self._tok_coord(self._peek()), text)
            while self._peek_type() not in (token_type, "SEMI", None):
                self._advance()
        if self._peek_type() != token_type:
            self._stop(token_type, "")
        return self._advance()

    def _advance(self) -> CToken:
        if self._peek() is None:
            self._stop(None, "")
        return super()._advance()

    def _parse_block_item(self) -> Any:
        start, scopes, gaps = self._mark(), len(self._scope_stack), len(self.gaps)
        if [self._peek_type(1), self._peek_type(2)] == ["TYPEID", "COLON"]:
            self._peek().type = "ID"  # a label may be called like a type
        while True:
            try:
                if self._peek_type() == "ID" and self._declares_pointer():
                    self._stop(None, "Invalid declaration")
                return super()._parse_block_item()
            except SyntaxStop as stop:
                if self._mended(stop, start, gaps, scopes):
                    continue
                if stop.fatal or self.problems.full:
                    raise
                self._skip(in_block=True)
                return []

    def _declares_pointer(self) -> bool:
        """Whether a name, asterisks, another name and the rest of a declaration come next, and the first is no variable here."""
        stars = next(number for number in itertools.count(2) if self._peek_type(number) != "TIMES")
        name, after = self._peek_type(stars), self._peek_type(stars + 1)
        known = any(self._peek().value in scope for scope in self._scope_stack)
        return stars > 2 and name == "ID" and after in ("SEMI", "EQUALS", "COMMA", "LBRACKET") and not known

    def _mended(self, stop: SyntaxStop, start: int, gaps: int, scopes: int) -> bool:
        """Report a mistake; if it is clear what was meant, put that in its place and go back to `start`."""
        mistake, known = self._explain(stop), len(self.problems.errors)
        del self._scope_stack[scopes:]
        if not stop.reported:
            self.problems.error(mistake.id, mistake.place, mistake.text, mistake.hint, **mistake.values)
        unknown_type = mistake.id == "unknown-type" and str(mistake.values["name"]) not in self.typedefs
        mended = not self.problems.full and (unknown_type or (stop.repair is not None and len(self.problems.errors) > known))
        stop.reported, stop.fatal, self.skipped = True, mistake.id in FATAL, self.skipped or not mended
        if mended:
            place = mistake.place
            if unknown_type:
                self.assume(str(mistake.values["name"]), place)
            elif stop.repair:
                at, removed, sign = stop.repair
                put = [CToken(SIGNS[sign], sign, place.line, place.column, place.file)] if sign else []
                self.tokens[at : at + removed] = put
            del self.gaps[gaps:]
            self._start_at(start)
        return mended

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

    # Gaps: ``...`` where a statement or an expression begins, so that prototypes keep theirs. Those among declarations have
    # nothing to run: only their place is kept.

    def _at_gap(self) -> bool:
        return bool(self._peek_type() == "ELLIPSIS")

    def _take_gap(self) -> Gap:
        coord = self._tok_coord(self._advance())
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
        return (tok is None and self._at_gap()) or bool(super()._starts_expression(tok))

    def _starts_statement(self) -> bool:
        return self._at_gap() or self._peek_type() in ("__TRY", "__LEAVE") or bool(super()._starts_statement())

    def _parse_external_declaration(self) -> Any:
        if self._gap_alone():
            return []
        fragment = self.problems.left_out and self._at_statement()
        return [self._fragment()] if fragment else super()._parse_external_declaration()

    # Fragments: what stands in a page without a function around it becomes the body of one that returns anything.

    def _at_statement(self) -> bool:
        """Whether a statement begins here, where C allows none."""
        kind, after = self._peek_type(), self._peek_type(2)
        if kind == "ID" and after == "LPAREN":
            return self._behind_parentheses() != "LBRACE"
        if kind == "ID":
            return after not in ("ID", "TYPEID", "TIMES", None) or self._declares_pointer() is False and after == "TIMES"
        return kind != "SEMI" and not self._starts_declaration() and self._starts_statement()

    def _behind_parentheses(self) -> str | None:
        """The type of the token behind the parentheses that are opened by the next token but one."""
        depth = 0
        for number in itertools.count(self._mark() + 1):
            kind = self.tokens[number].type if number < len(self.tokens) else None
            depth += (kind == "LPAREN") - (kind == "RPAREN")
            if kind is None or not depth:
                return self.tokens[number + 1].type if number + 1 < len(self.tokens) else None
        return None

    def _fragment(self) -> Node:
        self.problems.left_out = LEFT_OUT_OF_FRAGMENT
        coord, items = self._tok_coord(self._peek()), []
        self.assume("result·", place_of(coord))
        self._push_scope()
        while self._peek_type() not in ("RBRACE", None) and not self._at_function():
            item = self._parse_block_item()
            items += item if isinstance(item, list) else [item]
        self._pop_scope()
        name = f"fragment·{coord.line}"
        returns = c_ast.TypeDecl(name, [], None, c_ast.IdentifierType(["result·"], coord), coord)
        declaration = c_ast.Decl(name, [], [], [], [], c_ast.FuncDecl(None, returns, coord), None, None, coord)
        return c_ast.FuncDef(declaration, None, c_ast.Compound(items, coord), coord)

    def _at_function(self) -> bool:
        """Whether the definition of a function begins here."""
        before = ""
        for token in itertools.islice(self.tokens, self._mark(), None if self._starts_declaration() else self._mark()):
            if token.type in ("SEMI", "LBRACE", "EQUALS"):
                return (before, token.type) == ("RPAREN", "LBRACE")
            before = token.type
        return False

    def _parse_struct_declaration(self) -> Any:
        return None if self._gap_alone() else super()._parse_struct_declaration()

    def _parse_statement(self) -> Any:
        if self._peek_type() not in ("__TRY", "__LEAVE"):
            return self._gap_alone() or super()._parse_statement()
        coord = self._tok_coord(self._peek())
        if self._accept("__LEAVE"):
            self._expect("SEMI")
            return Leave(coord)
        self._advance()
        block, asked = self._parse_compound_statement(), None
        if not self._accept("__FINALLY"):
            self._expect("__EXCEPT")
            self._expect("LPAREN")
            asked = self._parse_expression()
            self._expect("RPAREN")
        return Try(block, asked, self._parse_compound_statement(), coord)

    def _parse_compound_statement(self, *, new_scope: bool = True) -> Any:
        if not self.outlines:
            return super()._parse_compound_statement(new_scope=new_scope)
        coord = self._tok_coord(self._expect("LBRACE"))
        self._skip(1, in_block=True)
        return c_ast.Compound(None, coord)

    def _parse_enumerator(self) -> Any:
        # A pragma among the enumerators is what every reader of the tree already passes over.
        return c_ast.Pragma("...", self._take_gap().coord) if self._at_gap() else super()._parse_enumerator()

    def _parse_primary_expression(self) -> Any:
        return self._take_gap() if self._at_gap() else super()._parse_primary_expression()

    def _parse_parameter_type_list(self) -> Any:
        if not self._at_gap():
            return super()._parse_parameter_type_list()
        coord = self._tok_coord(self._advance())
        return c_ast.ParamList([c_ast.EllipsisParam(coord)], coord)

    def _parse_identifier_list(self) -> Any:
        names = [self._parse_identifier()]
        while self._accept("COMMA"):
            dots = self._accept("ELLIPSIS")
            names.append(c_ast.EllipsisParam(self._tok_coord(dots)) if dots else self._parse_identifier())
        return c_ast.ParamList(names, names[0].coord)

    def _parse_iteration_statement(self) -> Any:
        if [self._peek_type(k) for k in (1, 3, 4)] != ["FOR", "ELLIPSIS", "RPAREN"]:
            return super()._parse_iteration_statement()
        coord = self._tok_coord(self._advance())
        self._advance()
        condition = self._take_gap()
        self._expect("RPAREN")
        return c_ast.For(None, condition, None, self._parse_pragmacomp_or_statement(), coord)
