"""Preprocessing tokens: the text cut into words, numbers, strings and signs, each with its place.

pcpp can work with any lexer that has ply's few methods; this one is faster than pcpp's own, keeps columns, knows all number
suffixes, prefixes of strings and `...`. Nothing is an error here: a text inside ``#if 0`` may hold anything, so odd
characters become tokens that the parser's reader refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Self

from wsklab.c.source import Place

BLANK, NEWLINE, JOINED = "CPP_WS", "CPP_NEWLINE", "CPP_LINECONT"
WORD, NUMBER, STRING, CHARACTER = "CPP_ID", "CPP_INTEGER", "CPP_STRING", "CPP_CHAR"
PRAGMA, OPEN_COMMENT = "PRAGMA", "OPEN_COMMENT"

# Documents carry no-break and ideographic spaces, zero-width spaces and byte order marks into their listings.
_SPACES = " \t\f\v\r\u00a0\u3000\u200b\ufeff"
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
    | (?P<SIGN>         \.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|[-+*/%&|^~!<>=?:;,.(){{}}\[\]\#] )
    | (?P<ODD>          . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGN_TYPES = {"##": "CPP_DPOUND", "#": "CPP_POUND", "...": "CPP_ELLIPSIS"}


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
