"""Known mistakes: what a parser's stop most probably means, in one sentence, with a hint.

The parser knows the token it could not take and sometimes the one it wanted. The rest is looking around: what stands before,
on which line, which bracket is open. Facts: WSK-GAP-16.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pycparser import c_lexer

from wsklab.c.source import NOWHERE, Place, Problem, Source, closest, place_of

FATAL = {"unexpected-end", "never-closed", "function-inside"}
"""Mistakes after which going on in the same function makes no sense."""
_TEXTS = {sign.tok_type: sign.literal for sign in c_lexer._fixed_tokens}
_WORD = re.compile(r"[^\W\d]\w*")
_SENTENCES = {
    "Invalid struct reference": "The name of a member was expected here, not {token}.",
    "Invalid declaration": "This is not a declaration.",
    "Invalid function definition": "This is not the definition of a function.",
    "Invalid declarator": "A name was expected here, not {token}.",
    "Expected identifier": "A name was expected here, not {token}.",
    "Invalid multiple types specified": "Two types stand side by side here.",
    "Missing type in declaration": "The type is missing in this declaration.",
    "": "{token} cannot stand here.",
}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPENING = {"LPAREN", "LBRACKET", "LBRACE"}
_VALUES = {"ID", "INT_CONST_DEC", "FLOAT_CONST", "CHAR_CONST", "STRING_LITERAL", "WSTRING_LITERAL"}
_STATEMENTS = {"IF", "ELSE", "WHILE", "DO", "FOR", "SWITCH", "CASE", "DEFAULT", "RETURN", "BREAK", "CONTINUE", "GOTO"}
_TYPE_WORDS = {
    "TYPEID", "VOID", "CHAR", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE", "SIGNED", "UNSIGNED", "_BOOL", "STRUCT", "UNION", "ENUM",
}  # fmt: skip
_NO_DECLARATION = ("Invalid declaration", "Missing type in declaration")
_RECORDS = ("STRUCT", "UNION", "ENUM")
_AFTER_A_STATEMENT = _STATEMENTS | _TYPE_WORDS | {"ID", "RBRACE"}
_BEFORE_A_STATEMENT = {"SEMI", "LBRACE", "RBRACE", "COLON", "RPAREN", "ELSE", "DO"}


class SyntaxStop(Exception):
    """The parser cannot take token `index`; `expected` is the type it wanted, if just one; `message`, `coord` are pycparser's.

    `repair` is what was meant, where that is clear: replace so many tokens from an index on by a sign.
    """

    def __init__(self, index: int, expected: str | None, message: str, coord: Any = None) -> None:
        super().__init__(message)
        self.index, self.expected, self.message, self.coord = index, expected, message, coord
        self.reported = self.fatal = False
        self.repair: tuple[int, int, str] | None = None


class _Around:
    """The tokens around a stop: `bad` does not fit, `kind` and `after` are the types of it and of the one before."""

    def __init__(
        self, tokens: Sequence[Any], stop: SyntaxStop, start: int, typedefs: Sequence[str], sources: Mapping[str, Source]
    ) -> None:
        self.tokens, self.start, self.typedefs, self.sources = tokens, start, typedefs, sources
        self.message, self.expected = stop.message, stop.expected
        self.index = min(stop.index, len(tokens))
        self.bad: Any = tokens[self.index] if self.index < len(tokens) else None
        self.before: Any = tokens[self.index - 1] if self.index > 0 else None
        self.kind: str = self.bad.type if self.bad else ""
        self.after: str = self.before.type if self.before else ""
        self.place = place_of_token(self.bad) if self.bad else self.end(self.before) if self.before else NOWHERE
        opened = self.unclosed()
        self.open: Any = None if opened is None else tokens[opened]
        in_list = bool(opened) and tokens[(opened or 0) - 1].type in ("ID", "RPAREN", "RBRACKET")
        self.ends = self.before is not None and (self.expected == "SEMI" or self.kind == "ELSE")
        self.wants_comma = self.expected == "RBRACE" or (self.expected == "RPAREN" and in_list)
        self.outside = opened is not None and not any(token.type == "LBRACE" for token in tokens[start:opened])
        self.following: str = tokens[self.index + 1].type if self.index + 1 < len(tokens) else ""
        self.opened_above = self.expected in ("RPAREN", "RBRACKET", "RBRACE") and self._lines_differ()

    def _lines_differ(self) -> bool:
        return bool(self.open and self.bad and self.open.lineno != self.bad.lineno)

    def spelled(self, token: Any) -> str:
        """The token as the text has it: the macro's name for what a macro became."""
        source = self.sources.get(token.filename)
        rest = source.line(token.lineno)[token.column - 1 :] if source else ""
        word = _WORD.match(rest)
        return word[0] if word and not rest.startswith(token.value) else str(token.value)

    def end(self, token: Any) -> Place:
        """The place behind a token."""
        return Place(token.filename, token.lineno, token.column + len(self.spelled(token)))

    def starts_statement(self, index: int) -> bool:
        """Whether the token at `index` is the first of a statement or declaration."""
        return index <= 0 or self.tokens[index - 1].type in _BEFORE_A_STATEMENT

    def unclosed(self) -> int | None:
        """Index of the innermost bracket that is open where parsing stopped, if any."""
        stack: list[int] = []
        for index, token in enumerate(self.tokens[: self.index]):
            if token.value in _CLOSING:
                stack.append(index)
            closed = [depth for depth, i in enumerate(stack) if _CLOSING[self.tokens[i].value] == token.value]
            if closed:
                del stack[closed[-1] :]
        return stack[-1] if stack else None

    def declaration_end(self) -> Any:
        """The end of a declaration with the next one right behind it in a later line."""
        tokens, depth = self.tokens[self.start : self.index], 0
        for token, following in itertools.pairwise(tokens):
            depth += (token.type in _OPENING) - (token.value in _CLOSING.values())
            ends = token.type == "RBRACE" if tokens[0].type in _RECORDS else token.type == "ID" and token is not tokens[0]
            if ends and depth == 0 and following.lineno > token.lineno:
                return token if following.type in _TYPE_WORDS | {"STATIC", "EXTERN", "TYPEDEF"} else None
        return None

    def semicolon_in_list(self) -> bool:
        """Whether a semicolon stands in a list of parameters or arguments that goes on behind it."""
        goes_on = self.following in _TYPE_WORDS | {"RPAREN", "COMMA", "ID"} if self.outside else self.following == "RPAREN"
        return self.kind == "SEMI" and self.expected == "RPAREN" and self.wants_comma and goes_on

    def function_inside(self) -> Any:
        """The name of a function that begins where a statement was expected."""
        if self.expected != "SEMI" or self.kind != "LBRACE" or self.after != "RPAREN":
            return None
        depth, index = 1, self.index - 1
        while index > 1 and depth:
            index -= 1
            depth += (self.tokens[index].type == "RPAREN") - (self.tokens[index].type == "LPAREN")
        return self.tokens[index - 1]

    def cast_to(self) -> Any:
        """The name in ``(NAME)value`` or ``(NAME *)``, which can only be a type."""
        index = self.index - 1
        if self.after == "RPAREN" and self.kind in _VALUES:
            index -= 1
        elif self.after != "TIMES" or self.kind != "RPAREN":
            return None
        while index > 1 and self.tokens[index].type == "TIMES":
            index -= 1
        kinds = [token.type for token in self.tokens[max(index - 2, 0) : index + 1]]
        return self.tokens[index] if kinds[1:] == ["LPAREN", "ID"] and kinds[0] not in ("ID", "IF", "WHILE", "SWITCH") else None

    def in_parameters(self) -> bool:
        """Whether the name before stands in a list of parameters where a type belongs."""
        at = self.tokens.index(self.open) if self.open is not None else 0
        while at > self.start and not self.starts_statement(at):
            at -= 1
        first = self.tokens[at].type in _TYPE_WORDS | {"STATIC", "EXTERN", "TYPEDEF", "CONST", "INLINE"}
        return first and self.tokens[self.index - 2].type in ("LPAREN", "COMMA", "CONST", "VOLATILE")

    def unknown_type(self) -> Any:
        """A name that stands where only a type can stand."""
        token, index = self.cast_to(), self.index
        if token is not None:
            return token
        in_list = self.kind == "TIMES" and self.expected == "RPAREN" and self.in_parameters()
        if self.after == "ID" and (in_list or (self.kind in ("ID", "TIMES") and self.message in _NO_DECLARATION)):
            token = self.before
        elif self.kind == "ID" and self.message in _NO_DECLARATION:
            token = self.bad
        elif self.message in ("Invalid function definition", "Invalid declarator", "Invalid specifier list"):
            # `Foo Bar(` or `Foo *Bar(` at file level: the name the declaration begins with is no type.
            while index > 0 and not self.starts_statement(index):
                index -= 1
            words = (token for token in self.tokens[index:] if token.type not in ("STATIC", "EXTERN", "CONST", "INLINE"))
            token = next(words, self.bad)
        elif self.after == "ID" and self.kind in ("ID", "TYPEID"):
            begins = self.expected == "SEMI" and self.starts_statement(index - 1) and self.before.lineno == self.bad.lineno
            parameter = self.expected in ("RPAREN", "SEMI") and self.in_parameters()
            token = self.before if begins or parameter else None
        return token if token is not None and token.type == "ID" else None


class _Known(NamedTuple):
    """A known mistake. `about` gives the token it is about, True for the one that does not fit; else it is another mistake."""

    id: str
    text: str
    about: Callable[[_Around], Any]
    hint: str | None = None
    repair: str | None = None  # what to put in the place of the token (behind it, if something is missing)


_KNOWN = (
    _Known("missing-semicolon", "A semicolon is missing after {token}.", _Around.declaration_end, repair=";"),
    _Known("missing-semicolon", "A semicolon is missing after {token}.",
           lambda a: a.bad is None and a.open is None and a.after in (*_VALUES, "RPAREN", "RBRACKET") and a.before, repair=";"),
    _Known("unexpected-end", "The text ends too early.", lambda a: a.bad is None and a.open is None),
    _Known("never-closed", "This {bracket} is never closed.", lambda a: a.bad is None and a.open),
    _Known("function-inside", "{name} begins inside another function.", _Around.function_inside,
           "A }} is missing at the end of the function above."),
    _Known("closed-twice", "This {token} closes nothing.", lambda a: a.kind == "RBRACE" and a.open is None),
    _Known("semicolon-before-body", "The body of a function follows its parameters without a semicolon.",
           lambda a: a.kind == "LBRACE" and a.open is None and a.after == "SEMI" and a.before, "Take this semicolon away."),
    _Known("unknown-type", "{name} is not the name of a type.", _Around.unknown_type),
    _Known("else-alone", "This else has no if before it.",
           lambda a: a.kind == "ELSE" and a.after in ("", "SEMI", "LBRACE", "RBRACE"),
           "If several statements belong to the if, put them between {{ and }}."),
    _Known("statement-outside", "A statement cannot stand outside a function.",
           lambda a: a.kind in _STATEMENTS - {"ELSE"} and a.open is None and a.after == "RPAREN",
           "Perhaps a {{ is missing before it."),
    _Known("statement-outside", "A statement cannot stand outside a function.",
           lambda a: a.kind in _STATEMENTS - {"ELSE"} and a.open is None,
           "Perhaps the function above is closed by a }} too early."),
    _Known("colon-for-semicolon", "A statement ends with a semicolon, not with a colon.",
           lambda a: a.ends and a.kind == "COLON", "Write ; here.", ";"),
    _Known("missing-semicolon", "A semicolon is missing after {token}.",
           lambda a: (a.ends and (a.bad.lineno > a.before.lineno or a.kind in _AFTER_A_STATEMENT) and a.before)
           or (a.after == "RETURN" and a.kind == "RBRACE" and a.before), repair=";"),
    _Known("trailing-comma", "A comma separates, and nothing follows this one.",
           lambda a: a.kind == "RPAREN" and a.after == "COMMA" and a.before, "Take this comma away.", ""),
    _Known("semicolon-in-list", "A semicolon cannot stand between these parentheses.",
           lambda a: a.semicolon_in_list() and a.following in ("RPAREN", "COMMA"), "Take this semicolon away.", ""),
    _Known("semicolon-in-list", "A semicolon cannot stand between these parentheses.", _Around.semicolon_in_list,
           "Write , here.", ","),
    _Known("missing-comma", "A comma is missing after {token}.",
           lambda a: a.wants_comma and a.kind in (_TYPE_WORDS if a.outside else _VALUES) and a.before, repair=","),
    _Known("closed-twice", "This {token} closes nothing.", lambda a: a.ends and a.kind in ("RPAREN", "RBRACKET")),
    _Known("type-as-value", "{token} is a type: it cannot stand for a value.",
           lambda a: a.message == "Invalid expression" and a.kind in _TYPE_WORDS),
    _Known("no-expression", "A value was expected here, not {token}.", lambda a: a.message == "Invalid expression"),
    _Known("syntax", "{token} cannot stand here.", lambda a: a.expected == "ID" and a.index == a.start),
    _Known("expected", "A name was expected here, not {token}.", lambda a: a.expected == "ID"),
    _Known("missing-parenthesis", "After {word} comes a condition in parentheses.",
           lambda a: a.expected == "LPAREN" and a.after in ("IF", "WHILE", "SWITCH", "FOR")),
    _Known("expected", "Here a comma or {wanted} was expected, not {token}.", lambda a: a.wants_comma),
    _Known("expected", "Here {wanted} was expected, not {token}.", lambda a: a.expected is not None),
)  # fmt: skip
"""In the order in which they are tried: the first that fits explains."""


def explain(
    tokens: Sequence[Any], stop: SyntaxStop, start: int, typedefs: Sequence[str], sources: Mapping[str, Source]
) -> Problem:
    """What is probably wrong where the parser stopped, in the external declaration that begins at token `start`."""
    a = _Around(tokens, stop, start, typedefs, sources)
    values: dict[str, object] = {"message": stop.message}
    for known in _KNOWN:
        if about := known.about(a):
            token = a.bad if about is True else about
            missing = known.id.startswith("missing-") and about is not True
            place = a.place if about is True else a.end(token) if missing else place_of_token(token)
            if known.repair is not None and token is not None:
                at = next(number for number, each in enumerate(tokens) if each is token)
                stop.repair = at + missing, int(not missing), known.repair
            if token is not None:
                wanted = _TEXTS.get(a.expected or "", (a.expected or "").lower())
                values = {"token": a.spelled(token), "name": token.value, "bracket": token.value, "wanted": wanted}
                values |= {"word": a.before and a.before.value, "line": a.open and a.open.lineno}
            if known.id == "unknown-type":
                values["close"] = closest(token.value, typedefs)
            opened = "It would close the one opened in line {line}." if known.id == "expected" and a.opened_above else None
            return Problem(known.id, place, known.text, values, hint=known.hint or opened)
    place = place_of(stop.coord) if stop.coord is not None else a.place
    # pycparser may have taken the token already before it found it wrong.
    taken = a.before is not None and place_of_token(a.before) == place
    values["token"] = a.spelled(a.before if taken else a.bad)
    return Problem("syntax", place, _SENTENCES.get(stop.message, "{message}."), values)


def place_of_token(token: Any) -> Place:
    """Where a token begins."""
    return Place(token.filename, token.lineno, token.column)
