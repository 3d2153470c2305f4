"""What stands around the token that the parser could not take: what rows of the known mistakes ask, and what was meant there."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pycparser import c_lexer

from wsklab.c.holes import OPENING, closes_more, open_brackets, opening, outdented, unopened
from wsklab.c.source import MISTAKES, NOWHERE, Place, Source
from wsklab.c.tokens import Meant

_WORD = re.compile(r"[^\W\d]\w*")
GROUPS: dict[str, set[str]] = {name: set(kinds) for name, kinds in MISTAKES["groups"].items()}
"""Kinds of tokens by the name that the rows call them."""
GROUPS["word"] = set(c_lexer._keyword_map.values())
_VALUES, _TYPE_WORDS, _STATEMENTS = GROUPS["value"], GROUPS["type"], GROUPS["statement"]
_KEYWORDS: tuple[str, ...] = tuple(word for word in c_lexer._keyword_map if word.islower() and word[0] != "_")
_NO_DECLARATION = ("Invalid declaration", "Missing type in declaration")
_RECORDS = ("STRUCT", "UNION", "ENUM")
_BEFORE_A_NAME = {*_TYPE_WORDS, "TIMES", "ID", "STATIC", "EXTERN", "INLINE", "CONST"}
_BEGINS_DECLARATION = {*_TYPE_WORDS, "STATIC", "EXTERN", "TYPEDEF", "CONST", "INLINE"}
_AFTER_A_STATEMENT = _STATEMENTS | _TYPE_WORDS | {"ELSE", "ID", "RBRACE"}
_BEFORE_A_STATEMENT = {"SEMI", "LBRACE", "RBRACE", "COLON", "RPAREN", "ELSE", "DO"}
Repair = tuple[int, int, str]
"""Replace so many tokens from an index on by words."""


class SyntaxStop(Exception):
    """The parser cannot take token `index`; `expected` is the type it wanted, if just one; `message`, `coord` are pycparser's.

    `repair` is what was meant, where that is clear; `changed` is the index of the first token that was changed; `above` is the
    index of the last brace of the function above.
    """

    def __init__(self, index: int, expected: str | None, message: str, coord: Any = None) -> None:
        super().__init__(message)
        self.index, self.expected, self.message, self.coord = index, expected, message, coord
        self.repair: Repair | None = None
        self.changed: int | None = None
        self.above = 0


class Around:
    """The tokens around a stop: `bad` does not fit, `kind` and `after` are the types of it and of the one before."""

    def __init__(
        self, tokens: Sequence[Any], stop: SyntaxStop, start: int, typedefs: Sequence[str], sources: Mapping[str, Source]
    ) -> None:
        self.tokens, self.start, self.typedefs, self.sources = tokens, start, typedefs, sources
        self.message, self.expected, self.above = stop.message, stop.expected, stop.above
        self.index = min(stop.index, len(tokens))
        self.bad: Any = tokens[self.index] if self.index < len(tokens) else None
        self.before: Any = tokens[self.index - 1] if self.index > 0 else None
        self.kind: str = self.bad.type if self.bad else ""
        self.after: str = self.before.type if self.before else ""
        self.place = place_of_token(self.bad) if self.bad else self.end(self.before) if self.before else NOWHERE
        self.opened = opened = next(iter(open_brackets(tokens, start, self.index)[-1:]), None)
        self.open: Any = None if opened is None else tokens[opened]
        self.at_start = self.index == start
        self.begins_statement = self.starts_statement(self.index)
        self.wants_name = self.expected == "SEMI" or self.message in GROUPS["nameless"]
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
        source = self.sources.get(token.filename) if not isinstance(token, Meant) else None
        rest = source.line(token.lineno)[token.column - 1 :] if source else ""
        word = _WORD.match(rest)
        return word[0] if word and not rest.startswith(token.value) else str(token.value)

    def end(self, token: Any) -> Place:
        """The place behind a token."""
        return Place(token.filename, token.lineno, token.column + len(self.spelled(token)))

    def index_of(self, token: Any) -> int:
        """The index of one of the tokens."""
        return next(index for index, each in enumerate(self.tokens) if each is token)

    def look(self, name: str) -> Any:
        """What a row of the table names."""
        found = getattr(self, name)
        return found() if callable(found) else found

    def kinds(self) -> dict[str, str]:
        """What a row can compare."""
        kinds = {"bad": self.kind, "before": self.after, "next": self.following, "said": self.message}
        kinds |= {"open": self.open.type if self.open else "", "expected": self.expected or ""}
        return kinds | {"first": self.first().type if self.tokens else ""}

    def starts_statement(self, index: int) -> bool:
        """Whether the token at `index` is the first of a statement or declaration."""
        return index <= 0 or self.tokens[index - 1].type in _BEFORE_A_STATEMENT

    def _begin(self, index: int, start: int) -> int:
        """The index, from `start` on, of the first token of the statement or declaration around the token at `index`."""
        while index > start and not self.starts_statement(index):
            index -= 1
        return index

    def declaration_end(self) -> Any:
        """The end of a declaration with the next one right behind it in a later line."""
        tokens, depth = self.tokens[self.start : self.index], 0
        for token, following in itertools.pairwise(tokens):
            depth += (token.type in OPENING.values()) - (token.type in OPENING)
            ends = token.type == "RBRACE" if tokens[0].type in _RECORDS else token.type == "ID" and token is not tokens[0]
            if ends and depth == 0 and following.lineno > token.lineno:
                return token if following.type in _TYPE_WORDS | {"STATIC", "EXTERN", "TYPEDEF"} else None
        return None

    def semicolon_in_list(self) -> bool:
        """Whether a semicolon stands in a list of parameters or arguments that goes on behind it."""
        goes_on = self.following in _TYPE_WORDS | {"RPAREN", "COMMA", "ID"} if self.outside else self.following == "RPAREN"
        return self.kind == "SEMI" and self.expected == "RPAREN" and self.wants_comma and goes_on

    def _called(self) -> int:
        """The index of the name before the parentheses that a brace follows where a statement was expected, else 0."""
        if self.expected != "SEMI" or self.kind != "LBRACE" or self.after != "RPAREN":
            return 0
        opened = opening(self.tokens, self.index - 1, "RPAREN")
        return opened - 1 if opened else 0

    def _function_begins(self) -> int:
        """The index where the function begins that stands where a statement was expected, else 0."""
        index = named = self._called()
        while index and self.tokens[index - 1].type in _BEFORE_A_NAME:
            index -= 1
        return index if index < named else 0

    def function_inside(self) -> Any:
        """The name of a function that begins where a statement was expected."""
        return self._function_begins() and self.tokens[self._called()]

    def nested_function(self) -> Any:
        """The same, if the function around goes on behind it."""
        return self._function_begins() and closes_more(self.tokens, self.index) and self.function_inside()

    def outdented(self) -> Any:
        """The brace whose } is missing by the indentation, where a brace is missing."""
        missing = (self.bad is None and self.open is not None) or (self.function_inside() and not self.nested_function())
        found = outdented(self.tokens, self.start, self.index) if missing else None
        return found and self.tokens[found[0]]

    def first(self) -> Any:
        """The token with which the statement begins."""
        return self.tokens[self._begin(max(self.index - 1, self.start), self.start)]

    def _words(self) -> list[Any]:
        """The names around the mistake that may be words of another language, or misspelt ones of C."""
        called = [self.tokens[self._called()]] if self._called() else []
        near = [*called, self.before, self.bad, self.first()] if self.tokens else []
        return [token for token in near if token is not None and token.type == "ID"]

    def _foreign(self, table: str) -> Any:
        pair = self.before if self.pair() in MISTAKES[table] else None
        return next((token for token in self._words() if token.value in MISTAKES[table]), pair)

    def foreign_operator(self) -> Any:
        """An operator of another language."""
        return self._foreign("operators")

    def foreign_word(self) -> Any:
        """A word of another language."""
        return self._foreign("languages")

    def foreign_spelling(self, token: Any) -> str:
        """That word or operator, which can be two tokens."""
        return str(token.value) if token.type == "ID" else self.pair()

    def misspelt_word(self) -> Any:
        """A name that is nearly a word of C, and begins a statement."""
        first = self.first() if self.tokens else None
        return first if first is not None and first in self._words() and keyword(first.value) else None

    def pair(self) -> str:
        """The token before and the one that does not fit, if nothing stands between them."""
        if self.before is None or self.bad is None or self.before.lineno != self.bad.lineno:
            return ""
        beside = self.before.column + len(self.before.value) == self.bad.column
        return f"{self.before.value}{self.bad.value}" if beside else ""

    def in_for(self) -> bool:
        """Whether the innermost open bracket is that of a for."""
        return self.opened is not None and bool(self.tokens[self.opened - 1].type == "FOR")

    def unended(self) -> Any:
        """The last token of a statement, if the next one begins behind it."""
        next_line = self.ends and self.bad is not None and self.bad.lineno > self.before.lineno
        ends = self.ends and self.after not in {"SEMI", "LBRACE", *_TYPE_WORDS} and (next_line or self.kind in _AFTER_A_STATEMENT)
        return (ends or (self.after, self.kind) == ("RETURN", "RBRACE")) and self.before

    def value_unlisted(self) -> Any:
        """What stands in a list before another value or parameter."""
        return self.wants_comma and self.kind in (_TYPE_WORDS if self.outside else _VALUES) and self.before

    def if_semicolon(self) -> Any:
        """The semicolon behind the condition of an if that has a block and an else."""
        behind_block = self.kind == "ELSE" and self.after == "RBRACE"
        block = opening(self.tokens, self.index - 1, "RBRACE", self.start) if behind_block else None
        before = self.tokens[block - 2 : block] if block else []
        return [token.type for token in before] == ["RPAREN", "SEMI"] and before[1]

    def goes_on(self) -> Any:
        """The first token of a statement that belongs to the function above: more braces are closed behind it."""
        first = self.tokens[self.start]
        following = self.tokens[self.start + 1].type if self.start + 1 < len(self.tokens) else "ID"
        begins = first.type in {"ELSE", *_STATEMENTS} or (first.type == "ID" and following not in ("ID", "TYPEID", "TIMES"))
        outside = (self.open is None or self.outside) and begins and 0 < self.above < self.start
        return first if outside and closes_more(self.tokens, self.start) else None

    def unopened(self) -> Any:
        """The last token before a brace that is missing in the function above, by its indentation."""
        if not self.above or not (self.goes_on() or (self.kind == "RBRACE" and self.open is None)):
            return None
        found = unopened(self.tokens, opening(self.tokens, self.above, "RBRACE") or 0, self.above + 1)
        return None if found is None else self.tokens[found]

    def name_unlisted(self) -> Any:
        """A name that another one follows in a list of declared names."""
        lists = self.ends and self.after in _VALUES and self.kind == "ID" and self.bad.lineno == self.before.lineno
        named = lists and self.following in ("SEMI", "COMMA", "EQUALS", "ID") and self.first().type in _TYPE_WORDS
        return self.before if named else None

    def body_missing(self) -> bool:
        """Whether a function's body begins here without its brace."""
        return self.open is None and self.after == "RPAREN" and self.kind != "LBRACE" and closes_more(self.tokens, self.index)

    def out_of_macro(self) -> Any:
        """A semicolon or equals sign that a macro brings along."""
        token = self.before if self.kind != "SEMI" and self.after in ("SEMI", "EQUALS") else self.bad
        return token is not None and token.type in ("SEMI", "EQUALS") and self.spelled(token) != token.value and token

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
        at = self.opened or 0
        if self.tokens[at - 1].type == "RPAREN":  # of a pointer to a function, for example
            at = opening(self.tokens, at - 1, "RPAREN") or at
        declares = self.tokens[self._begin(at, self.start)].type in _BEGINS_DECLARATION
        return declares and self.tokens[self.index - 2].type in ("LPAREN", "COMMA", "CONST", "VOLATILE")

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
            specifiers, declaration = ("STATIC", "EXTERN", "CONST", "INLINE"), self.tokens[self._begin(index, 0) :]
            token = next((token for token in declaration if token.type not in specifiers), self.bad)
        elif self.after == "ID" and self.kind in ("ID", "TYPEID"):
            begins = self.expected == "SEMI" and self.starts_statement(index - 1) and self.before.lineno == self.bad.lineno
            parameter = self.expected in ("RPAREN", "SEMI") and self.in_parameters()
            token = self.before if begins or parameter else None
        return token if token is not None and token.type == "ID" else None

    # What was meant, where a row names one of these.

    def close_outdented(self) -> Repair:
        """A brace that is closed where the indentation ends."""
        found = outdented(self.tokens, self.start, self.index)
        return (found[1] if found else self.index), 0, "}"

    def close_all(self) -> Repair | None:
        """All braces closed at the end of the text."""
        opened = open_brackets(self.tokens, self.start, len(self.tokens))
        return (len(self.tokens), 0, "} " * len(opened)) if self.open.type == "LBRACE" else None

    def close_before_function(self) -> Repair | None:
        """All braces closed before the function that begins here."""
        first = self._function_begins()
        opened = [index for index in open_brackets(self.tokens, self.start, first) if self.tokens[index].type == "LBRACE"]
        return (first, 0, "} " * len(opened)) if opened else None

    def open_again(self) -> Repair:
        """The function above without its last brace."""
        return self.above, 1, ""

    def use_operator(self) -> Repair:
        """C's operator for one of another language."""
        token = self.foreign_operator()
        spelled = self.foreign_spelling(token)
        return self.index_of(token), 1 + (spelled == self.pair()), MISTAKES["operators"][spelled]

    def use_keyword(self) -> Repair:
        """The word of C for a misspelt one."""
        token = self.misspelt_word()
        return self.index_of(token), 1, keyword(token.value) or ""

    def rename(self) -> Repair:
        """A name that is no word of C."""
        return self.index, 1, f"{self.bad.value}·"


def keyword(name: str) -> str | None:
    """The word of C that is meant by a misspelt one."""
    if name.lower() in _KEYWORDS:
        return name.lower()
    swapped = (word for word in _KEYWORDS if sorted(word) == sorted(name))
    near = difflib.get_close_matches(name, _KEYWORDS, 1, 0.8 if len(name) > 4 else 0.87)
    return next(swapped, near[0] if near else None)


def place_of_token(token: Any) -> Place:
    """Where a token begins."""
    return Place(token.filename, token.lineno, token.column)
