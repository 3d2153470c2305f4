"""Known mistakes: what a parser's stop most probably means, in one sentence, with a hint.

The parser knows the token it could not take and sometimes the one it wanted. The rest is looking around: what stands before,
on which line, which bracket is open.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pycparser import c_lexer

from wsklab.c.source import NOWHERE, Place, place_of

if TYPE_CHECKING:
    from wsklab.c.parse import SyntaxStop

_TEXTS = {sign.tok_type: sign.literal for sign in c_lexer._fixed_tokens} | {"ID": "a name"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_STATEMENTS = {"IF", "ELSE", "WHILE", "DO", "FOR", "SWITCH", "CASE", "DEFAULT", "RETURN", "BREAK", "CONTINUE", "GOTO"}
_TYPE_WORDS = set(
    [
        "TYPEID",
        "VOID",
        "CHAR",
        "SHORT",
        "INT",
        "LONG",
        "FLOAT",
        "DOUBLE",
        "SIGNED",
        "UNSIGNED",
        "_BOOL",
        "STRUCT",
        "UNION",
        "ENUM",
    ]
)


@dataclass(frozen=True)
class Mistake:
    """An explained stop. `fatal`: going on in this function makes no sense; `as_if_right`: go on as if it were not there."""

    id: str
    place: Place
    text: str
    values: dict[str, object] = field(default_factory=dict)
    hint: str | None = None
    fatal: bool = False
    as_if_right: bool = False

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.text.format(**self.values)


class _Around:
    """The tokens around a stop."""

    def __init__(self, tokens: Sequence[Any], stop: SyntaxStop, typedefs: Sequence[str]) -> None:
        self.tokens = tokens
        self.stop = stop
        self.typedefs = typedefs
        self.index = min(stop.index, len(tokens))
        self.bad: Any = tokens[self.index] if self.index < len(tokens) else None
        self.before: Any = tokens[self.index - 1] if self.index > 0 else None

    @property
    def place(self) -> Place:
        """Place of the token that does not fit."""
        if self.bad is None:
            return _end(self.before) if self.before else NOWHERE
        return _start(self.bad)

    def starts_statement(self, index: int) -> bool:
        """Whether the token at `index` is the first of a statement or declaration."""
        return index <= 0 or self.tokens[index - 1].type in ("SEMI", "LBRACE", "RBRACE", "COLON", "RPAREN", "ELSE", "DO")

    def unclosed(self) -> Any:
        """The innermost bracket that is open where parsing stopped, if any."""
        stack: list[Any] = []
        for token in self.tokens[: self.index]:
            if token.value in _CLOSING:
                stack.append(token)
            elif stack and token.value == _CLOSING[stack[-1].value]:
                stack.pop()
        return stack[-1] if stack else None


def explain(tokens: Sequence[Any], stop: SyntaxStop, typedefs: Sequence[str]) -> Mistake:
    """What is probably wrong where the parser stopped.

    Args:
        tokens: all tokens of the unit.
        stop: where and why the parser stopped.
        typedefs: the type names in scope, for suggestions.
    """
    around = _Around(tokens, stop, typedefs)
    for known in _KNOWN:
        mistake = known(around)
        if mistake is not None:
            return mistake
    place = place_of(stop.coord) if stop.coord is not None else around.place
    return Mistake("syntax", place, "{message}.", {"message": stop.message or "This cannot stand here"})


def _end_of_file(around: _Around) -> Mistake | None:
    if around.bad is not None:
        return None
    bracket = around.unclosed()
    if bracket is None:
        return Mistake("unexpected-end", around.place, "The text ends too early.", fatal=True)
    return Mistake("never-closed", _start(bracket), "This {bracket} is never closed.", {"bracket": bracket.value}, fatal=True)


def _function_inside(around: _Around) -> Mistake | None:
    stop, bad, before = around.stop, around.bad, around.before
    if stop.expected != "SEMI" or bad.type != "LBRACE" or before is None or before.type != "RPAREN":
        return None
    depth, index = 0, around.index - 1
    while index > 0:
        depth += (around.tokens[index].type == "RPAREN") - (around.tokens[index].type == "LPAREN")
        if not depth:
            break
        index -= 1
    name = around.tokens[index - 1]
    return Mistake(
        "function-inside", _start(name), "{name} begins inside another function.", {"name": name.value},
        "A }} is missing at the end of the function above.", fatal=True,
    )  # fmt: skip


def _unknown_type(around: _Around) -> Mistake | None:
    stop, index = around.stop, around.index
    if around.bad.type == "ID" and stop.message == "Invalid declaration" or stop.message == "Missing type in declaration":
        return _not_a_type(around, around.bad)
    if stop.message in ("Invalid function definition", "Invalid declarator", "Invalid specifier list"):
        # `Foo Bar(` or `Foo *Bar(` at file level: the name the declaration begins with is no type.
        while index > 0 and not around.starts_statement(index):
            index -= 1
        while index < len(around.tokens) and around.tokens[index].type in ("STATIC", "EXTERN", "CONST", "INLINE"):
            index += 1
        return _not_a_type(around, around.tokens[index] if index < len(around.tokens) else around.bad)
    before = around.before
    if before is None or before.type != "ID" or around.bad.type not in ("ID", "TYPEID"):
        return None
    begins = stop.expected == "SEMI" and around.starts_statement(index - 1) and before.lineno == around.bad.lineno
    parameter = stop.expected in ("RPAREN", "SEMI") and around.tokens[index - 2].type in ("LPAREN", "COMMA")
    return _not_a_type(around, before) if begins or parameter else None


def _not_a_type(around: _Around, token: Any) -> Mistake | None:
    if token is None or token.type != "ID":
        return None
    values: dict[str, object] = {"name": token.value}
    hint = None
    for close in difflib.get_close_matches(token.value, around.typedefs, 1, 0.75):
        values["close"], hint = close, "Did you mean {close}?"
    return Mistake("unknown-type", _start(token), "{name} is not the name of a type.", values, hint)


def _else_alone(around: _Around) -> Mistake | None:
    if around.bad.type != "ELSE":
        return None
    if around.before is not None and around.before.type not in ("SEMI", "LBRACE", "RBRACE"):
        return _semicolon(around)
    return Mistake(
        "else-alone", around.place, "This else has no if before it.", {},
        "If several statements belong to the if, put them between {{ and }}.",
    )  # fmt: skip


def _statement_outside(around: _Around) -> Mistake | None:
    if around.bad.type in _STATEMENTS and around.unclosed() is None:
        return Mistake("statement-outside", around.place, "A statement cannot stand outside a function.", {},
                       "Perhaps the function above is closed by a }} too early.")  # fmt: skip
    return None


def _semicolon(around: _Around) -> Mistake | None:
    stop, bad, before = around.stop, around.bad, around.before
    if (stop.expected != "SEMI" and bad.type != "ELSE") or before is None:
        return None
    if bad.type == "COLON":
        text = "A statement ends with a semicolon, not with a colon."
        return Mistake("colon-for-semicolon", around.place, text, {}, "Write ; here.")
    if bad.lineno > before.lineno or bad.type in ("RBRACE", "ELSE") or bad.type in _STATEMENTS | _TYPE_WORDS | {"ID"}:
        return Mistake(
            "missing-semicolon", _end(before), "A semicolon is missing after {token}.", {"token": before.value}, as_if_right=True
        )
    if bad.type in ("RPAREN", "RBRACKET"):
        return Mistake("closed-twice", around.place, "This {token} closes nothing.", {"token": bad.value})
    return None


def _expected(around: _Around) -> Mistake | None:
    stop, bad = around.stop, around.bad
    if stop.expected is None:
        return None
    values: dict[str, object] = {"wanted": _TEXTS.get(stop.expected, stop.expected.lower()), "token": bad.value}
    bracket = around.unclosed()
    if stop.expected == "LPAREN" and around.before is not None and around.before.type in ("IF", "WHILE", "SWITCH", "FOR"):
        values["word"] = around.before.value
        return Mistake("missing-parenthesis", around.place, "After {word} comes a condition in parentheses.", values)
    if stop.expected in ("RPAREN", "RBRACKET", "RBRACE") and bracket is not None and bracket.lineno != bad.lineno:
        values["line"] = bracket.lineno
        hint = "It would close the one opened in line {line}."
        return Mistake("expected", around.place, "Here {wanted} was expected, not {token}.", values, hint)
    return Mistake("expected", around.place, "Here {wanted} was expected, not {token}.", values)


def _no_expression(around: _Around) -> Mistake | None:
    if around.stop.message != "Invalid expression":
        return None
    if around.bad.type in _TYPE_WORDS:
        text = "{token} is a type: it cannot stand for a value."
        return Mistake("type-as-value", around.place, text, {"token": around.bad.value})
    return Mistake("no-expression", around.place, "A value was expected here, not {token}.", {"token": around.bad.value})


_KNOWN = (
    _end_of_file, _function_inside, _unknown_type, _else_alone, _statement_outside, _semicolon, _expected, _no_expression,
)  # fmt: skip
"""In the order in which they are tried: the first that fits explains."""


def _start(token: Any) -> Place:
    return Place(token.filename, token.lineno, token.column)


def _end(token: Any) -> Place:
    return Place(token.filename, token.lineno, token.column + len(token.value))
