"""Tokens: the text cut into words, numbers, strings and signs for the preprocessor, and what comes back read for the parser.

pcpp can work with any lexer that has ply's few methods; this one is faster than pcpp's own, keeps columns, knows all number
suffixes, prefixes of strings and `...`. Nothing is an error there: a text inside ``#if 0`` may hold anything.

The `Reader` ends what the Microsoft compiler writes beyond standard C. Calling conventions, SAL annotations and ``__declspec``
have no meaning for the lab and are dropped; ``__int64`` and ``__forceinline`` become standard words; ``#pragma pack`` travels
on the ``struct`` and ``union`` tokens. Words that would need support (``__asm``) and characters that no C text has are problems.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Self

from pycparser import c_lexer
from pycparser.c_lexer import Token as CToken

from wsklab.c.constant import ESCAPE, INTEGER, integer_literal
from wsklab.c.source import Place, Problems

BLANK, NEWLINE, JOINED = "CPP_WS", "CPP_NEWLINE", "CPP_LINECONT"
WORD, NUMBER, STRING, CHARACTER = "CPP_ID", "CPP_INTEGER", "CPP_STRING", "CPP_CHAR"
PRAGMA, OPEN_COMMENT = "PRAGMA", "OPEN_COMMENT"

_TABLE: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("tokens.toml").read_text("utf-8"))
_SIGN_TYPES: dict[str, str] = _TABLE["signs"]
_PATTERN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _TABLE["patterns"].items()), re.DOTALL)


class Position(int):
    """A line number that remembers its column and file (all from 1).

    pcpp copies the line number of a macro's name to all tokens of its expansion; the rest travels with it.
    """

    column: int
    file: str

    def __new__(cls, line: int, column: int = 0, file: str = "") -> Self:  # noqa: D102
        self = super().__new__(cls, line)
        self.column, self.file = column, file
        return self

    @property
    def place(self) -> Place:
        """The same as a `Place`."""
        return Place(self.file, int(self), self.column)


class Token:
    """One preprocessing token, with the attributes pcpp works on.

    `lineno` is where the token counts as being (pcpp sets it to the macro's name in an expansion); `own` is where it is
    written, None for tokens out of a macro's body.
    """

    __slots__ = ("type", "value", "lineno", "lexpos", "source", "expanded_from", "own")
    expanded_from: list[str]

    def __init__(self, type: str, value: str, position: Position) -> None:
        self.type, self.value, self.lineno = type, value, position
        self.lexpos, self.source = 0, position.file
        self.own: Position | None = position

    def __copy__(self) -> Token:
        """A copy that is expanded on its own: pcpp notes on each token which macros it came through."""
        new = Token(self.type, self.value, self.lineno)
        new.source, new.own = self.source, self.own
        expanded = getattr(self, "expanded_from", None)
        if expanded is not None:
            new.expanded_from = list(expanded)
        return new

    @property
    def position(self) -> Position:
        """Where a reader would point: the token itself if written in the text, else the macro's name."""
        return self.own or self.lineno


def tokenize(text: str, file: str = "") -> Iterator[Token]:
    """Yield the tokens of `text`. Line ends must be ``\\n``."""
    line, line_start = 1, 0
    for match in _PATTERN.finditer(text):
        kind, value, start = match.lastgroup or "ODD", match.group(), match.start()
        position = Position(line, start - line_start + 1, file)
        if "\n" in value:
            line += value.count("\n")
            line_start = start + value.rindex("\n") + 1
        if kind == "SIGN":
            kind = _SIGN_TYPES.get(value, value)
        elif kind == JOINED:
            value = value[1:-1]
        elif kind == STRING and "\\\n" in value:
            value = value.replace("\\\n", "")
        yield Token(kind, value, position)


# For the parser

_KEYWORDS: dict[str, str] = c_lexer._keyword_map
_SPELLINGS = {kind: word for word, kind in _KEYWORDS.items()}
SIGNS: dict[str, str] = {"…": "ELLIPSIS", **{sign.literal: sign.tok_type for sign in c_lexer._fixed_tokens}}
KINDS = {**_KEYWORDS, **SIGNS}
"""What the parser calls each word and sign of C."""
DEEPEST_NESTING = 200
"""Brackets may nest this deep; the phases after the parser recurse over the tree."""

_WITH_PARENTHESES, _UNSUPPORTED = _TABLE["words"]["dropped_with_parentheses"], _TABLE["words"]["unsupported"]
_REPLACED: dict[str, list[str]] = _TABLE["replaced"]
_TYPOGRAPHIC: dict[str, str] = _TABLE["typographic"]
_DROPPED, _ANNOTATION, _GUARDS, _FLOAT, _PACK = map(re.compile, _TABLE["expressions"].values())


@dataclass(slots=True)
class RecordToken(CToken):  # type: ignore[misc]
    """A ``struct`` or ``union`` token, with the packing in force in bytes."""

    pack: int = 16


class Meant(CToken):  # type: ignore[misc]
    """A token that the text does not have: it was meant."""


class Hole(Meant):
    """Stands for what could not be understood: a ``...``."""


class Reader:
    """Converts the tokens of one unit."""

    def __init__(self, tokens: list[Token], problems: Problems) -> None:
        self.tokens = tokens
        self.problems = problems
        self.result: list[CToken] = []
        self._index = 0
        self._packs = [16]
        self._open: list[Token] = []

    def read(self) -> list[CToken]:
        """All tokens for the parser."""
        actions: dict[str, Callable[[Token], None]] = {
            WORD: self._word, NUMBER: self._number, STRING: self._string, CHARACTER: self._character,
            PRAGMA: self._pragma,
        }  # fmt: skip
        while self._index < len(self.tokens):
            token = self.tokens[self._index]
            self._index += 1
            actions.get(token.type, self._sign)(token)
        return self.result

    def _put(self, kind: str, token: Token, value: str = "") -> None:
        position = token.position
        self.result.append(CToken(kind, value or token.value, int(position), position.column, position.file))

    def _error(self, id: str, token: Token, text: str, hint: str | None = None, **values: object) -> None:
        self.problems.error(id, token.position.place, text, hint, **values)

    def _word(self, token: Token) -> None:
        word, position = token.value, token.position
        if not word.isascii() and (plain := unicodedata.normalize("NFKC", word)).isascii():
            self._odd(token, plain)
            return
        kind = _KEYWORDS.get(word)
        if kind in ("STRUCT", "UNION"):
            self.result.append(RecordToken(kind, word, int(position), position.column, position.file, self._packs[-1]))
        elif word in _REPLACED:
            for kind in _REPLACED[word]:
                self._put(kind, token, _SPELLINGS[kind])
        elif word in _WITH_PARENTHESES:
            self._declspec(token, self._parenthesised())
            if word == "__annotation":  # stands for a value that nobody looks at
                self._put("INT_CONST_DEC", token, "0")
        elif (guard := _GUARDS.match(word)) and (word[0] == "_" or self._stands_like(guard[1])):
            self._put(f"__{guard[1].upper()}", token)
        elif word in _UNSUPPORTED:
            self._error("not-supported", token, "{word} is not supported yet.", word=word)
            self._rest_of_block()
            self._hole(token)
        elif kind is None and word[0] == "_" and _ANNOTATION.match(word):
            self._parenthesised()
        elif word[0] != "_" or not _DROPPED.match(word):
            self._put(kind or "ID", token)

    def _stands_like(self, word: str) -> bool:
        """Whether the word just passed stands where the word of exception handling would."""
        before, after = _TABLE["beside_guards"][word]
        around = [self.tokens[k].value if 0 <= k < len(self.tokens) else "" for k in (self._index - 2, self._index)]
        return around[0] != "" and around[0] in before and around[1] == after

    def _parenthesised(self) -> list[Token]:
        """Pass over ``( … )`` if it comes next; the tokens inside."""
        start, depth = self._index, 0
        if start >= len(self.tokens) or self.tokens[start].value != "(":
            return []
        while self._index < len(self.tokens):
            value = self.tokens[self._index].value
            depth += (value == "(") - (value == ")")
            self._index += 1
            if not depth:
                return self.tokens[start + 1 : self._index - 1]
        self._error("parenthesis-open", self.tokens[start], "This ( is never closed.")
        self._index = start + 1
        self._hole(self.tokens[start])
        return []

    def _rest_of_block(self) -> None:
        """Pass over a block in braces if it comes next, else over the rest of the line."""
        depth = 0
        while self._index < len(self.tokens) and (depth or self.tokens[self._index].value == "{"):
            depth += (self.tokens[self._index].value == "{") - (self.tokens[self._index].value == "}")
            self._index += 1
            if not depth:
                return
        self._rest_of_line()

    def _declspec(self, token: Token, inside: list[Token]) -> None:
        if token.value.endswith("declspec") and [t.value for t in inside[:2]] == ["align", "("]:
            self._put("_ALIGNAS", token, "_Alignas")
            for part in inside[1:]:
                (self._number if part.type == NUMBER else self._sign)(part)

    def _number(self, token: Token) -> None:
        text = token.value
        if _FLOAT.match(text):
            self._put("FLOAT_CONST", token)
            return
        wrong = "{number} is not a number." if not INTEGER.match(text) else ""
        if not wrong and re.match(r"0[0-7]*[89]", text):
            wrong = "{number} begins with 0 and is octal: it cannot hold 8 or 9."
        with suppress(ValueError):
            integer_literal("0" if wrong else text)
            self._put("INT_CONST_DEC", token, "0" if wrong else "")
            if wrong:
                self._error("bad-number", token, wrong, number=text)
            return
        self._error("bad-number", token, "{number} does not fit into 64 bits.", number=text)
        self._put("INT_CONST_DEC", token, "0")

    def _string(self, token: Token) -> None:
        self._put(_TABLE["prefixes"][token.value.split('"', 1)[0]] + "STRING_LITERAL", token)

    def _character(self, token: Token) -> None:
        prefix, inside = token.value[:-1].split("'", 1)
        count = len(ESCAPE.findall(inside))
        if count == 0:
            self._error("empty-character", token, "A character constant cannot be empty.", "Write '\\0' for the character zero.")
        elif count > (1 if prefix else 4):
            self._error("long-character", token, "{constant} is too long for a character constant.",
                        "A string is written between double quotation marks.", constant=token.value)  # fmt: skip
            self._hole(token)
            return
        self._put(_TABLE["prefixes"][prefix] + "CHAR_CONST", token, "" if count else "'?'")

    def _pragma(self, token: Token) -> None:
        match = _PACK.match(token.value)
        operation, number = match.groups() if match else ("other", None)
        if operation == "push":
            self._packs.append(self._packs[-1])
        elif operation == "pop" and len(self._packs) > 1:
            self._packs.pop()
        if number or operation is None:
            self._packs[-1] = int(number or 16)

    def _sign(self, token: Token) -> None:
        kind = SIGNS.get(token.value)
        if kind is None:
            self._odd(token)
            return
        after = self.tokens[self._index] if self._index < len(self.tokens) else token
        if token.value == "*" and after.value == "/" and _beside(token, after):
            self._error("comment-end", token, "This ends no comment.", "A comment ends with the first */ in it.")
            self._index += 1
            self._hole(token)
            return
        if token.value == "(" and not token.own and self._comma_missing(token.lineno, before := self.tokens[self._index - 2]):
            place = before.position.place
            place = replace(place, column=place.column + len(before.value))
            self.problems.error("missing-comma", place, "A comma is missing after {token}.", token=before.value)
            self._put("COMMA", before, ",")
        if token.value in "([{":
            self._open.append(token)
            if len(self._open) == DEEPEST_NESTING:
                self._error("nested-too-deeply", token, "Brackets are nested more than {most} deep here.", most=DEEPEST_NESTING)
                self.problems.check()
        elif token.value in ")]}" and self._open:
            self._open.pop()
        if kind == "PERIOD" and self.result and self.result[-1].type == "ELLIPSIS":
            return
        self._put(kind, token)
        if [last.type for last in self.result[-2:]] == ["PERIOD"] * 2:  # dots below each other stand for ``...``
            self.result[-2:] = [replace(self.result[-2], type="ELLIPSIS", value="...")]

    def _comma_missing(self, macro: Position, before: Token) -> bool:
        """Whether the macro of a value in parentheses, like NULL, stands right behind a name of the text in a list."""
        name = before.own if before.type == WORD and before.value not in _KEYWORDS else None
        after = next((token.value for token in self.tokens[self._index : self._index + 40] if token.own), "")
        return name is not None and (name, name.column) < (macro, macro.column) and after in (",", ")")

    def _odd(self, token: Token, right: str = "") -> None:
        """A character that no C text has; `right` is what was meant, if that is a word."""
        sign = token.value
        if sign in "\"'":
            self._open_text(token)
            return
        if not right:
            right = _TYPOGRAPHIC.get(sign) or (plain if (plain := unicodedata.normalize("NFKC", sign)).isascii() else "")
        text = "{sign} is not a character of C."
        if unicodedata.east_asian_width(sign[0]) == "F":
            text = "{sign} is written in full width."
        if right.strip() and right != sign:
            self._error("odd-character", token, text, "Write {right} instead.", sign=sign, right=right)
        else:
            sign = sign if sign.isprintable() else repr(sign)[1:-1]
            self._error("odd-character", token, "{sign} cannot stand here.", sign=sign)
        if right == '"':
            self._text_between(token)
        elif right in SIGNS:
            self._sign(Token(right, right, token.position))
        elif right.isalnum():
            (self._number if right.isdigit() else self._word)(Token(NUMBER, right, token.position))
        else:
            self._hole(token)

    def _rest_of_line(self, *ends: str) -> list[Token]:
        """Pass over the tokens up to one of `ends` (with it) or the end of the line."""
        line, start = int(self.tokens[self._index - 1].position), self._index
        while self._index < len(self.tokens) and int(self.tokens[self._index].position) == line:
            self._index += 1
            if self.tokens[self._index - 1].value in ends:
                break
        return self.tokens[start : self._index]

    def _text_between(self, token: Token) -> None:
        """A string between quotation marks of a word processor."""
        self._rest_of_line(*"“”„«»")
        self._put("STRING_LITERAL", token, '""')

    def _open_text(self, token: Token) -> None:
        """A string or character constant without its end: that was meant before the signs with which the line ends."""
        string = token.value == '"'
        text = "This string is not closed on its line." if string else "This character constant is not closed on its line."
        self._error("open-string" if string else "open-character", token, text)
        rest = self._rest_of_line()
        kept = len(rest)
        while kept and rest[kept - 1].value in (")", "}", ";", "{"):
            kept -= 1
        self._index -= len(rest) - kept
        self._put("STRING_LITERAL" if string else "CHAR_CONST", token, '""' if string else "'?'")

    def _hole(self, token: Token) -> None:
        """Leave something out."""
        position = token.position
        self.result.append(Hole("ELLIPSIS", "...", int(position), position.column, position.file))


def _beside(token: Token, after: Token) -> bool:
    """Whether a token of the text stands right behind another one."""
    first, second = token.own, after.own
    return first is not None and second is not None and first == second and first.column + len(token.value) == second.column
