"""The parser: pycparser's, fed with our tokens, going on after mistakes.

Four things are added to pycparser: the headers' typedef names are in scope before the first token, ``...`` can be a gap, an
error names the token instead of a text, and one pass finds all mistakes (`wsklab.c.recover`).
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pycparser import c_ast
from pycparser.c_lexer import Token as CToken

from wsklab.c.around import SyntaxStop
from wsklab.c.holes import closing, function_at
from wsklab.c.recover import Recovering
from wsklab.c.source import LEFT_OUT_OF_FRAGMENT, place_of
from wsklab.c.tokens import RecordToken

Node = Any
"""A node of pycparser's tree (pycparser is untyped)."""


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


def walk(node: Node) -> Iterator[Node]:
    """All nodes at and below a node."""
    pending = [node]
    while pending:
        current = pending.pop()
        if current is not None:
            yield current
            pending += [child for _, child in current.children()]


def change(node: Node) -> tuple[str, Node]:
    """The variable that one node declares or assigns, and its value or what else changes it; an empty name if it does neither."""
    if isinstance(node, c_ast.Decl) and node.name:
        return node.name, node.init
    if isinstance(node, c_ast.Assignment) and isinstance(node.lvalue, c_ast.ID):
        return node.lvalue.name, node.rvalue if node.op == "=" else node
    steps = isinstance(node, c_ast.UnaryOp) and node.op in ("++", "--", "p++", "p--") and isinstance(node.expr, c_ast.ID)
    return (node.expr.name, node) if steps else ("", None)


def changed(*nodes: Node) -> set[str]:
    """Names of the variables that the nodes, and those below them, declare or assign."""
    return {change(part)[0] for node in nodes for part in walk(node)} - {""}


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


class Parser(Recovering):
    """Parses token lists, one after the other; `typedefs` are in scope from the start, each to True."""

    outlines = False
    """Whether the bodies of functions are passed over."""

    def unit(self, tokens: list[CToken]) -> list[External]:
        """Parse a translation unit. Mistakes are reported; what could be read is returned."""
        self._start(tokens)
        externals: list[External] = []
        while self._peek() is not None:
            start, lost = self._mark(), len(self.problems.lost)
            self._external_start = start
            try:
                nodes = self._whole(self._parse_external_declaration)
            except SyntaxStop as stop:  # what was changed belongs to a declaration before
                while stop.changed is not None and start > stop.changed:
                    start -= len(externals.pop().tokens)
                self._start_at(start)
                continue
            externals.append(External(nodes, self.tokens[start : self._mark()]))
            if nodes and isinstance(nodes[0], c_ast.FuncDef):
                self._function_end = self._mark() - 1
                for each in self.problems.lost[lost:]:
                    each.last = self.tokens[self._mark() - 1].lineno
        return externals

    def expression(self, tokens: list[CToken]) -> Node:
        """Parse one conditional expression. Raises ValueError with a sentence and a `Problem` if that is no such thing."""
        return self._only(tokens, self._parse_constant_expression)

    def type_name(self, tokens: list[CToken]) -> Node:
        """Parse a type name as in a cast. Raises ValueError with a sentence and a `Problem` if that is no such thing."""
        return self._only(tokens, self._parse_type_name)

    def _only(self, tokens: list[CToken], parse: Any) -> Node:
        self._start(tokens)
        try:
            node = parse()
            if self._peek() is not None:
                self._stop(None, "")
        except SyntaxStop as stop:
            mistake = self._explain(stop)
            raise ValueError(mistake.message, mistake) from None
        return node

    def _start(self, tokens: list[CToken]) -> None:
        self.tokens = tokens
        self._external_start = 0
        self._scope_stack = [self.typedefs, {}]
        self._start_at(0)

    # pycparser's methods, under its names.

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
        return self._whole(self._block_item)

    def _block_item(self) -> Any:
        if self._peek_type() in ("RBRACE", None):  # so it is since something was put right
            return []
        if [self._peek_type(1), self._peek_type(2)] == ["TYPEID", "COLON"]:
            self._peek().type = "ID"  # a label may be called like a type
        if self._peek_type() == "ID" and self._declares_pointer():
            self._stop(None, "Invalid declaration")
        return super()._parse_block_item()

    def _declares_pointer(self) -> bool:
        """Whether a name, asterisks, another name and the rest of a declaration come next, and the first is no variable here."""
        stars = next(number for number in itertools.count(2) if self._peek_type(number) != "TIMES")
        name, after = self._peek_type(stars), self._peek_type(stars + 1)
        known = any(self._peek().value in scope for scope in self._scope_stack)
        return stars > 2 and name == "ID" and after in ("SEMI", "EQUALS", "COMMA", "LBRACKET") and not known

    def _parse_attribute_specifier_sequence(self) -> Any:
        """Behind ``struct`` stand also the packing in force and the alignment that ``__declspec`` asks for."""
        word, asked = self.tokens[self._mark() - 1], []
        if isinstance(word, RecordToken):
            asked.append(c_ast.Pragma(str(word.pack), self._tok_coord(word)))
            while self._peek_type() == "_ALIGNAS":
                asked.append(self._parse_alignment_specifier())
        return asked + super()._parse_attribute_specifier_sequence()

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
        part = "include-not-found" in self.problems.left_out
        fragment = part and (self._at_statement() or self._computes())
        return [self._fragment()] if fragment else super()._parse_external_declaration()

    # Fragments: what stands in a page without a function around it becomes the body of one that returns anything.

    def _at_statement(self) -> bool:
        """Whether a statement begins here, where C allows none."""
        kind, after = self._peek_type(), self._peek_type(2)
        if kind == "ID" and after == "LPAREN":
            closed = closing(self.tokens, self._mark() + 1)
            return closed is None or [token.type for token in self.tokens[closed + 1 : closed + 2]] != ["LBRACE"]
        if kind == "ID":
            return after not in ("ID", "TYPEID", "TIMES", None) or self._declares_pointer() is False and after == "TIMES"
        return kind != "SEMI" and not self._starts_declaration() and self._starts_statement()

    def _computes(self) -> bool:
        """Whether a declaration begins here whose initial value has to be computed, as only that of a local can be."""
        if not self._starts_declaration():
            return False
        kinds = (token.type for token in itertools.islice(self.tokens, self._mark(), None))
        declared = itertools.takewhile(lambda kind: kind not in ("SEMI", "LBRACE"), kinds)
        after = list(itertools.dropwhile(lambda kind: kind != "EQUALS", declared))
        return "ARROW" in after or ("ID", "LPAREN") in itertools.pairwise(after)

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
        return bool(self._starts_declaration()) and function_at(self.tokens, self._mark())

    def _parse_function_definition(self, spec: Any, decl: Any) -> Any:
        arguments = getattr(decl, "args", None)
        old_style = arguments is not None and all(isinstance(parameter, c_ast.ID) for parameter in arguments.params)
        if isinstance(decl, c_ast.FuncDecl) and self._peek_type() != "LBRACE" and not old_style:
            self._stop("LBRACE", "")
        return super()._parse_function_definition(spec, decl)

    def _parse_function_decl(self, base_decl: Any) -> Any:
        """A list of parameters; in the next line, what has no types is none: a macro in parentheses follows a mistake."""
        start, declared = self._mark(), None
        next_line = len(self._scope_stack) > 2 and self._peek().lineno > self.tokens[start - 1].lineno
        returned = isinstance(base_decl, c_ast.FuncDecl) and isinstance(base_decl.type, c_ast.TypeDecl)
        if not returned:  # no function returns one
            try:
                declared = super()._parse_function_decl(base_decl)
            except SyntaxStop:
                if not next_line:
                    raise
        untyped = declared is None or isinstance(declared.args and declared.args.params[0], c_ast.ID)
        if declared is None or (next_line and untyped):
            self._reset(start)
            self._stop("SEMI", "")
        return declared

    def _parse_struct_declaration(self) -> Any:
        return self._whole(self._member)

    def _member(self) -> Any:
        ends = self._peek_type() in ("RBRACE", None) or self._gap_alone()
        return None if ends else super()._parse_struct_declaration()

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
        coord, depth = self._tok_coord(self._expect("LBRACE")), 1
        while depth:
            kind = self._advance().type
            depth += (kind == "LBRACE") - (kind == "RBRACE")
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
