"""Known mistakes: what a parser's stop most probably means, in one sentence, with a hint.

The parser knows the token it could not take and sometimes the one it wanted. The rest is looking around: what stands before,
on which line, which bracket is open.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pycparser import c_lexer

from wsklab.c.source import NOWHERE, Place, Problem, Source, closest, place_of

FATAL = {"unexpected-end", "never-closed", "function-inside"}
"""Mistakes after which going on in the same function makes no sense."""
AS_IF_RIGHT = {"missing-semicolon"}
"""Mistakes after which parsing goes on as if the text were right."""
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
_STATEMENTS = {"IF", "ELSE", "WHILE", "DO", "FOR", "SWITCH", "CASE", "DEFAULT", "RETURN", "BREAK", "CONTINUE", "GOTO"}
_TYPE_WORDS = {
    "TYPEID", "VOID", "CHAR", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE", "SIGNED", "UNSIGNED", "_BOOL", "STRUCT", "UNION", "ENUM",
}  # fmt: skip
_CLOSERS = ("RPAREN", "RBRACKET", "RBRACE")
_BEFORE_A_STATEMENT = {"SEMI", "LBRACE", "RBRACE", "COLON", "RPAREN", "ELSE", "DO"}


class SyntaxStop(Exception):
    """The parser cannot go on.

    Attributes:
        index: of the token that does not fit.
        expected: the token type wanted, if there was just one.
        message, coord: pycparser's.
        reported: whether the collector of problems has it.
    """

    def __init__(self, index: int, expected: str | None, message: str, coord: Any = None) -> None:
        super().__init__(message)
        self.index, self.expected, self.message, self.coord = index, expected, message, coord
        self.reported = False


class _Around:
    """The tokens around a stop: `bad` does not fit, `kind` and `after` are the types of it and of the one before."""

    def __init__(
        self, tokens: Sequence[Any], stop: SyntaxStop, start: int, typedefs: Sequence[str], sources: Mapping[str, Source]
    ) -> None:
        self.tokens, self.start, self.typedefs, self.sources = tokens, start, typedefs, sources
        self.message, self.expected, self.coord = stop.message, stop.expected, stop.coord
        self.index = min(stop.index, len(tokens))
        self.bad: Any = tokens[self.index] if self.index < len(tokens) else None
        self.before: Any = tokens[self.index - 1] if self.index > 0 else None
        self.kind: str = self.bad.type if self.bad else ""
        self.after: str = self.before.type if self.before else ""
        self.place = _start(self.bad) if self.bad else self.end(self.before) if self.before else NOWHERE
        self.opened = self.unclosed()
        self.open: Any = None if self.opened is None else tokens[self.opened]

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


def explain(
    tokens: Sequence[Any], stop: SyntaxStop, start: int, typedefs: Sequence[str], sources: Mapping[str, Source]
) -> Problem:
    """What is probably wrong where the parser stopped.

    Args:
        tokens: all tokens of the unit.
        stop: where and why the parser stopped.
        start: index of the token that begins the external declaration.
        typedefs: the type names in scope, for suggestions.
        sources: the texts by name.
    """
    around = _Around(tokens, stop, start, typedefs, sources)
    for known in (_record_without_semicolon, _brackets, _unknown_type, _outside, _semicolon, _expected):
        if mistake := known(around):
            return mistake
    place = place_of(stop.coord) if stop.coord is not None else around.place
    # pycparser may have taken the token already before it found it wrong.
    taken = around.before is not None and _start(around.before) == place
    values = {"token": around.spelled(around.before if taken else around.bad), "message": stop.message}
    return _mistake("syntax", place, _SENTENCES.get(stop.message, "{message}."), **values)


def _mistake(id: str, place: Place, text: str, hint: str | None = None, **values: object) -> Problem:
    return Problem(id, place, text, values, hint=hint)


def _start(token: Any) -> Place:
    return Place(token.filename, token.lineno, token.column)


def _record_without_semicolon(a: _Around) -> Problem | None:
    """A record's closing brace with the next declaration right behind it in a later line."""
    tokens = a.tokens[a.start : a.index]
    if not tokens or tokens[0].type not in ("STRUCT", "UNION", "ENUM"):
        return None
    depth = 0
    for token, following in itertools.pairwise(tokens):
        depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        if token.type == "RBRACE" and depth == 0:
            declares = following.lineno > token.lineno and following.type in _TYPE_WORDS | {"STATIC", "EXTERN", "TYPEDEF"}
            text = "A semicolon is missing after {token}."
            return _mistake("missing-semicolon", a.end(token), text, token="}") if declares else None
    return None


def _brackets(a: _Around) -> Problem | None:
    """The end of the file, a function in a function, braces outside of functions."""
    if a.bad is None and a.open is None:
        return _mistake("unexpected-end", a.place, "The text ends too early.")
    if a.bad is None:
        return _mistake("never-closed", _start(a.open), "This {bracket} is never closed.", bracket=a.open.value)
    if a.expected == "SEMI" and a.kind == "LBRACE" and a.after == "RPAREN":
        depth, index = 1, a.index - 1
        while index > 1 and depth:
            index -= 1
            depth += (a.tokens[index].type == "RPAREN") - (a.tokens[index].type == "LPAREN")
        name, hint = a.tokens[index - 1], "A }} is missing at the end of the function above."
        return _mistake("function-inside", _start(name), "{name} begins inside another function.", hint, name=name.value)
    if a.kind == "RBRACE" and a.open is None:
        return _mistake("closed-twice", a.place, "This {token} closes nothing.", token="}")
    if a.kind == "LBRACE" and a.open is None and a.after == "SEMI":
        text = "The body of a function follows its parameters without a semicolon."
        return _mistake("semicolon-before-body", _start(a.before), text, "Take this semicolon away.")
    return None


def _unknown_type(a: _Around) -> Problem | None:
    token, index = None, a.index
    if (a.kind == "ID" and a.message == "Invalid declaration") or a.message == "Missing type in declaration":
        token = a.bad
    elif a.message in ("Invalid function definition", "Invalid declarator", "Invalid specifier list"):
        # `Foo Bar(` or `Foo *Bar(` at file level: the name the declaration begins with is no type.
        while index > 0 and not a.starts_statement(index):
            index -= 1
        words = (token for token in a.tokens[index:] if token.type not in ("STATIC", "EXTERN", "CONST", "INLINE"))
        token = next(words, a.bad)
    elif a.after == "ID" and a.kind in ("ID", "TYPEID"):
        begins = a.expected == "SEMI" and a.starts_statement(index - 1) and a.before.lineno == a.bad.lineno
        parameter = a.expected in ("RPAREN", "SEMI") and a.tokens[index - 2].type in ("LPAREN", "COMMA")
        token = a.before if begins or parameter else None
    if token is None or token.type != "ID":
        return None
    hint = closest(token.value, a.typedefs)
    values = {"name": token.value, **(hint.values if hint else {})}
    return _mistake("unknown-type", _start(token), "{name} is not the name of a type.", hint, **values)


def _outside(a: _Around) -> Problem | None:
    """An else without its if, a statement outside of functions."""
    if a.kind == "ELSE" and a.after in ("", "SEMI", "LBRACE", "RBRACE"):
        hint = "If several statements belong to the if, put them between {{ and }}."
        return _mistake("else-alone", a.place, "This else has no if before it.", hint)
    if a.kind in _STATEMENTS - {"ELSE"} and a.open is None:
        missing, early = "Perhaps a {{ is missing before it.", "Perhaps the function above is closed by a }} too early."
        text = "A statement cannot stand outside a function."
        return _mistake("statement-outside", a.place, text, missing if a.after == "RPAREN" else early)
    return None


def _semicolon(a: _Around) -> Problem | None:
    if (a.expected != "SEMI" and a.kind != "ELSE") or a.before is None:
        return None
    if a.kind == "COLON":
        text = "A statement ends with a semicolon, not with a colon."
        return _mistake("colon-for-semicolon", a.place, text, "Write ; here.")
    if a.bad.lineno > a.before.lineno or a.kind in _STATEMENTS | _TYPE_WORDS | {"ID", "RBRACE"}:
        text = "A semicolon is missing after {token}."
        return _mistake("missing-semicolon", a.end(a.before), text, token=a.spelled(a.before))
    if a.kind in ("RPAREN", "RBRACKET"):
        return _mistake("closed-twice", a.place, "This {token} closes nothing.", token=a.bad.value)
    return None


def _expected(a: _Around) -> Problem | None:
    """The one token that was wanted, or a value."""
    token, hint = a.spelled(a.bad), None
    if a.message == "Invalid expression" and a.kind in _TYPE_WORDS:
        return _mistake("type-as-value", a.place, "{token} is a type: it cannot stand for a value.", token=token)
    if a.message == "Invalid expression":
        return _mistake("no-expression", a.place, "A value was expected here, not {token}.", token=token)
    if a.expected == "ID":
        return _mistake("expected", a.place, "A name was expected here, not {token}.", token=token)
    if a.expected is None:
        return None
    if a.expected == "LPAREN" and a.after in ("IF", "WHILE", "SWITCH", "FOR"):
        text = "After {word} comes a condition in parentheses."
        return _mistake("missing-parenthesis", a.place, text, word=a.before.value)
    values: dict[str, object] = {"wanted": _TEXTS.get(a.expected, a.expected.lower()), "token": token}
    if a.open is not None and a.expected in _CLOSERS and a.open.lineno != a.bad.lineno:
        values["line"], hint = a.open.lineno, "It would close the one opened in line {line}."
    in_list = bool(a.opened) and a.tokens[(a.opened or 0) - 1].type in ("ID", "RPAREN", "RBRACKET")
    if a.expected == "RBRACE" or (a.expected == "RPAREN" and in_list):
        return _mistake("expected", a.place, "Here a comma or {wanted} was expected, not {token}.", hint, **values)
    return _mistake("expected", a.place, "Here {wanted} was expected, not {token}.", hint, **values)
