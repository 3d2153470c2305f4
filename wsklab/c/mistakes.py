"""Known mistakes: what a parser's stop most probably means, in one sentence, with a hint.

The parser knows the token it could not take and sometimes the one it wanted. The rest is looking around: what stands before,
on which line, which bracket is open.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pycparser import c_lexer

from wsklab.c.source import NOWHERE, Place, Source, place_of

if TYPE_CHECKING:
    from wsklab.c.parse import SyntaxStop

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

    def __init__(self, tokens: Sequence[Any], stop: SyntaxStop, typedefs: Sequence[str], sources: Mapping[str, Source]) -> None:
        self.tokens = tokens
        self.stop = stop
        self.typedefs = typedefs
        self.sources = sources
        self.index = min(stop.index, len(tokens))
        self.bad: Any = tokens[self.index] if self.index < len(tokens) else None
        self.before: Any = tokens[self.index - 1] if self.index > 0 else None

    @property
    def place(self) -> Place:
        """Place of the token that does not fit."""
        if self.bad is None:
            return self.end(self.before) if self.before else NOWHERE
        return _start(self.bad)

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
        return index <= 0 or self.tokens[index - 1].type in ("SEMI", "LBRACE", "RBRACE", "COLON", "RPAREN", "ELSE", "DO")

    def in_list(self, bracket: Any) -> bool:
        """Whether an open parenthesis belongs to a list of arguments or parameters."""
        index = next((i for i, token in enumerate(self.tokens) if token is bracket), 0)
        return index > 0 and self.tokens[index - 1].type in ("ID", "RPAREN", "RBRACKET")

    def unclosed(self) -> Any:
        """The innermost bracket that is open where parsing stopped, if any."""
        stack: list[Any] = []
        for token in self.tokens[: self.index]:
            if token.value in _CLOSING:
                stack.append(token)
            for depth in range(len(stack) - 1, -1, -1):
                if token.value == _CLOSING[stack[depth].value]:
                    del stack[depth:]
                    break
        return stack[-1] if stack else None


def explain(tokens: Sequence[Any], stop: SyntaxStop, typedefs: Sequence[str], sources: Mapping[str, Source]) -> Mistake:
    """What is probably wrong where the parser stopped.

    Args:
        tokens: all tokens of the unit.
        stop: where and why the parser stopped.
        typedefs: the type names in scope, for suggestions.
        sources: the texts by name.
    """
    around = _Around(tokens, stop, typedefs, sources)
    for known in _KNOWN:
        mistake = known(around)
        if mistake is not None:
            return mistake
    place = place_of(stop.coord) if stop.coord is not None else around.place
    # pycparser may have taken the token already before it found it wrong.
    taken = around.before is not None and _start(around.before) == place
    values: dict[str, object] = {"token": around.spelled(around.before if taken else around.bad), "message": stop.message}
    return Mistake("syntax", place, _SENTENCES.get(stop.message, "{message}."), values)


def _record_without_semicolon(around: _Around) -> Mistake | None:
    """A record's closing brace with the next declaration right behind it in a later line."""
    depth = 0
    tokens = around.tokens[around.stop.start : around.index]
    if not tokens or tokens[0].type not in ("STRUCT", "UNION", "ENUM"):
        return None
    for token, following in itertools.pairwise(tokens):
        depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        if token.type == "RBRACE" and depth == 0:
            if following.lineno > token.lineno and following.type in _TYPE_WORDS | {"STATIC", "EXTERN", "TYPEDEF"}:
                return Mistake("missing-semicolon", around.end(token), "A semicolon is missing after {token}.", {"token": "}"})
            return None
    return None


def _brace_outside(around: _Around) -> Mistake | None:
    if around.bad.type not in ("LBRACE", "RBRACE") or around.unclosed() is not None:
        return None
    if around.bad.type == "RBRACE":
        return Mistake("closed-twice", around.place, "This {token} closes nothing.", {"token": "}"})
    if around.before is not None and around.before.type == "SEMI":
        text = "The body of a function follows its parameters without a semicolon."
        return Mistake("semicolon-before-body", _start(around.before), text, {}, "Take this semicolon away.")
    return None


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
    same = [name for name in around.typedefs if name.lower() == token.value.lower()]
    for close in same[:1] or difflib.get_close_matches(token.value, around.typedefs, 1, 0.75):
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
        opened = around.before is not None and around.before.type == "RPAREN"
        hint = "Perhaps a {{ is missing before it." if opened else "Perhaps the function above is closed by a }} too early."
        return Mistake("statement-outside", around.place, "A statement cannot stand outside a function.", {}, hint)
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
            "missing-semicolon", around.end(before), "A semicolon is missing after {token}.", {"token": around.spelled(before)},
            as_if_right=True,
        )  # fmt: skip
    if bad.type in ("RPAREN", "RBRACKET"):
        return Mistake("closed-twice", around.place, "This {token} closes nothing.", {"token": bad.value})
    return None


def _expected(around: _Around) -> Mistake | None:
    stop, bad = around.stop, around.bad
    if stop.expected is None:
        return None
    if stop.expected == "ID":
        return Mistake("expected", around.place, "A name was expected here, not {token}.", {"token": around.spelled(bad)})
    bracket = around.unclosed()
    text, wanted = "Here {wanted} was expected, not {token}.", _TEXTS.get(stop.expected, stop.expected.lower())
    if stop.expected == "RBRACE" or (stop.expected == "RPAREN" and around.in_list(bracket)):
        text = "Here a comma or {wanted} was expected, not {token}."
    values: dict[str, object] = {"wanted": wanted, "token": around.spelled(bad)}
    if stop.expected == "LPAREN" and around.before is not None and around.before.type in ("IF", "WHILE", "SWITCH", "FOR"):
        values["word"] = around.before.value
        return Mistake("missing-parenthesis", around.place, "After {word} comes a condition in parentheses.", values)
    if stop.expected in ("RPAREN", "RBRACKET", "RBRACE") and bracket is not None and bracket.lineno != bad.lineno:
        values["line"] = bracket.lineno
        hint = "It would close the one opened in line {line}."
        return Mistake("expected", around.place, text, values, hint)
    return Mistake("expected", around.place, text, values)


def _no_expression(around: _Around) -> Mistake | None:
    if around.stop.message != "Invalid expression":
        return None
    if around.bad.type in _TYPE_WORDS:
        text = "{token} is a type: it cannot stand for a value."
        return Mistake("type-as-value", around.place, text, {"token": around.spelled(around.bad)})
    text = "A value was expected here, not {token}."
    return Mistake("no-expression", around.place, text, {"token": around.spelled(around.bad)})


_KNOWN = (
    _record_without_semicolon, _end_of_file, _function_inside, _brace_outside, _unknown_type, _else_alone, _statement_outside,
    _semicolon, _expected, _no_expression,
)  # fmt: skip
"""In the order in which they are tried: the first that fits explains."""


def _start(token: Any) -> Place:
    return Place(token.filename, token.lineno, token.column)
