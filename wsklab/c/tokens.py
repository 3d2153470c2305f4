"""Tokens: the text cut into words, numbers, strings and signs for the preprocessor, and what comes back read for the parser.

pcpp can work with any lexer that has ply's few methods; this one is faster than pcpp's own, keeps columns, knows all number
suffixes, prefixes of strings and `...`. Nothing is an error there: a text inside ``#if 0`` may hold anything.

The `Reader` ends what the Microsoft compiler writes beyond standard C. Calling conventions, SAL annotations and ``__declspec``
have no meaning for the lab and are dropped; ``__int64`` and ``__forceinline`` become standard words; ``#pragma pack`` travels
on the ``struct`` and ``union`` tokens. Words that would need support (``__asm``) and characters that no C text has are problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from pycparser import c_lexer
from pycparser.c_lexer import Token as CToken

from wsklab.c.constant import ESCAPE, INTEGER, integer_literal
from wsklab.c.source import Place, Problems

BLANK, NEWLINE, JOINED = "CPP_WS", "CPP_NEWLINE", "CPP_LINECONT"
WORD, NUMBER, STRING, CHARACTER = "CPP_ID", "CPP_INTEGER", "CPP_STRING", "CPP_CHAR"
PRAGMA, OPEN_COMMENT = "PRAGMA", "OPEN_COMMENT"

# Documents carry no-break and ideographic spaces, zero-width spaces and byte order marks into their listings.
_SPACES = " \t\f\v\r\u00a0\u2000-\u200b\u202f\u2060\u3000\ufeff"
_PATTERN = re.compile(
    rf"""
      (?P<CPP_WS>       [{_SPACES}]+ )
    | (?P<CPP_NEWLINE>  \n )
    | (?P<CPP_ID>       (?!(?:L|u8|u|U)["'])[^\W\d][\w$]* | \$[\w$]* )
    | (?P<CPP_COMMENT1> /\*.*?\*/ )
    | (?P<CPP_COMMENT2> //(?:\\\n|[^\n])* )
    | (?P<OPEN_COMMENT> /\*.* )
    | (?P<CPP_STRING>   (?:L|u8|u|U)?"(?:[^"\\\n]|\\.)*" )
    | (?P<CPP_CHAR>     (?:L|u8|u|U)?'(?:[^'\\\n]|\\.)*' )
    | (?P<CPP_INTEGER>  0[xX](?:[pP][+-]|[\w.])+ | \.?[0-9](?:[eE][+-]|[\w.])* )
    | (?P<CPP_LINECONT> \\[ \t\r]*\n )
    | (?P<SIGN>         \.\.\.|…|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|[-+*/%&|^~!<>=?:;,.(){{}}\[\]\#] )
    | (?P<ODD>          . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGN_TYPES = {"##": "CPP_DPOUND", "#": "CPP_POUND", "...": "CPP_ELLIPSIS", "…": "CPP_ELLIPSIS"}


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
DEEPEST_NESTING = 200
"""Brackets may nest this deep; the phases after the parser recurse over the tree."""

_REPLACED = {
    "__int64": ("LONG", "LONG"), "_int64": ("LONG", "LONG"), "__int32": ("INT",), "__int16": ("SHORT",), "__int8": ("CHAR",),
    "__forceinline": ("INLINE",), "__inline": ("INLINE",), "_inline": ("INLINE",), "__inline__": ("INLINE",),
    "__const": ("CONST",), "__volatile": ("VOLATILE",), "__alignof": ("_ALIGNOF",), "static_assert": ("_STATIC_ASSERT",),
}  # fmt: skip
_DROPPED = re.compile(
    "__?(?:cdecl|stdcall|fastcall)$|__(?:vectorcall|thiscall|pascal|unaligned|ptr64|ptr32|sptr|uptr|w64|restrict|extension__"
    "|nullterminated)$"
)
_DROPPED_WITH_PARENTHESES = {"__declspec", "_declspec", "__attribute__", "__pragma", "_Pragma", "__annotation"}
# Names that begin with an underscore and a capital belong to the implementation, so this catches no name of a driver's own.
_ANNOTATION = re.compile(r"_[A-Z]\w*_$|__drv_\w+$|__(?:deref_)?(?:in|out|inout)(?:_\w+)?$|__(?:checkReturn|callback|success)$")
_UNSUPPORTED = {"__asm", "_asm", "asm", "__asm__"}
# Structured exception handling; the pages also write the words without underscores, where they can be no names.
_GUARDS = re.compile("(?:__?)?(try|except|finally|leave)$")
_BESIDE_GUARDS = {"try": (";{})", "{"), "except": ("}", "("), "finally": ("}", "{"), "leave": (";{})", ";")}
_FLOAT = re.compile(
    r"(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+"
    r"|0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFlL]?$"
)
_PREFIX_TYPES = {"": "", "L": "W", "u8": "U8", "u": "U16", "U": "U32"}
_PACK = re.compile(r"pragma\s+pack\s*\(\s*(?:(push|pop)\b\s*,?\s*)?(?:[A-Za-z_]\w*\s*,?\s*)?([0-9]+)?\s*\)")
_TYPOGRAPHIC = dict(zip("“”„«»‘’–—；，（）", '"""""\'\'--;,()', strict=True))


@dataclass(slots=True)
class RecordToken(CToken):  # type: ignore[misc]
    """A ``struct`` or ``union`` token, with the packing in force in bytes."""

    pack: int = 16


class Reader:
    """Converts the tokens of one unit."""

    def __init__(self, tokens: list[Token], problems: Problems) -> None:
        self.tokens = tokens
        self.problems = problems
        self.result: list[CToken] = []
        self._index = 0
        self._packs = [16]
        self._open: list[Token] = []
        self.mended = 0
        """Problems that leave no hole in the text: it is clear what was meant."""

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
        kind = _KEYWORDS.get(word)
        if kind in ("STRUCT", "UNION"):
            self.result.append(RecordToken(kind, word, int(position), position.column, position.file, self._packs[-1]))
        elif word in _REPLACED:
            for kind in _REPLACED[word]:
                self._put(kind, token, _SPELLINGS[kind])
        elif word in _DROPPED_WITH_PARENTHESES:
            self._declspec(token, self._parenthesised())
            if word == "__annotation":  # stands for a value that nobody looks at
                self._put("INT_CONST_DEC", token, "0")
        elif (guard := _GUARDS.match(word)) and (word[0] == "_" or self._stands_like(guard[1])):
            self._put(f"__{guard[1].upper()}", token)
        elif word in _UNSUPPORTED:
            self._error("not-supported", token, "{word} is not supported yet.", word=word)
        elif kind is None and word[0] == "_" and _ANNOTATION.match(word):
            self._parenthesised()
        elif word[0] != "_" or not _DROPPED.match(word):
            self._put(kind or "ID", token)

    def _stands_like(self, word: str) -> bool:
        """Whether the word just passed stands where the word of exception handling would."""
        before, after = _BESIDE_GUARDS[word]
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
        return []

    def _declspec(self, token: Token, inside: list[Token]) -> None:
        if token.value.endswith("declspec") and [t.value for t in inside[:2]] == ["align", "("]:
            self._put("_ALIGNAS", token, "_Alignas")
            for part in inside[1:]:
                (self._number if part.type == NUMBER else self._sign)(part)

    def _number(self, token: Token) -> None:
        text = token.value
        if _FLOAT.match(text):
            self._put("FLOAT_CONST", token)
        elif not INTEGER.match(text):
            self._error("bad-number", token, "{number} is not a number.", number=text)
        elif re.match(r"0[0-7]*[89]", text):
            self._error("bad-number", token, "{number} begins with 0 and is octal: it cannot hold 8 or 9.", number=text)
        else:
            self._put("INT_CONST_DEC", token)
            try:
                integer_literal(text)
            except ValueError:
                self._error("bad-number", token, "{number} does not fit into 64 bits.", number=text)

    def _string(self, token: Token) -> None:
        self._put(_PREFIX_TYPES[token.value.split('"', 1)[0]] + "STRING_LITERAL", token)

    def _character(self, token: Token) -> None:
        prefix, inside = token.value[:-1].split("'", 1)
        count = len(ESCAPE.findall(inside))
        if count == 0:
            self._error("empty-character", token, "A character constant cannot be empty.", "Write '\\0' for the character zero.")
        elif count > (1 if prefix else 4):
            self._error("long-character", token, "{constant} is too long for a character constant.",
                        "A string is written between double quotation marks.", constant=token.value)  # fmt: skip
        self._put(_PREFIX_TYPES[prefix] + "CHAR_CONST", token)

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
        if token.value == "(" and not token.own and self._comma_missing(token.lineno, before := self.tokens[self._index - 2]):
            place = before.position.place
            place = replace(place, column=place.column + len(before.value))
            self.problems.error("missing-comma", place, "A comma is missing after {token}.", token=before.value)
            self.mended += 1
            self._put("COMMA", before, ",")
        if token.value in "([{":
            self._open.append(token)
            if len(self._open) == DEEPEST_NESTING:
                self._error("nested-too-deeply", token, "Brackets are nested more than {most} deep here.", most=DEEPEST_NESTING)
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

    def _odd(self, token: Token) -> None:
        sign = token.value
        if sign in "\"'":
            text = (
                "This string is not closed on its line." if sign == '"' else "This character constant is not closed on its line."
            )
            self._error("open-string" if sign == '"' else "open-character", token, text)
            line = int(token.position)
            while self._index < len(self.tokens) and int(self.tokens[self._index].position) == line:
                self._index += 1
        elif sign in _TYPOGRAPHIC:
            text = "{sign} is not a character of C."
            right = _TYPOGRAPHIC[sign]
            self._error("odd-character", token, text, "Write {right} instead.", sign=sign, right=right)
            if right in SIGNS:
                self.mended += 1
                self._sign(Token(right, right, token.position))
        else:
            sign = sign if sign.isprintable() else repr(sign)[1:-1]
            self._error("odd-character", token, "{sign} cannot stand here.", sign=sign)
