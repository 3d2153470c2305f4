"""From preprocessing tokens to the parser's tokens: what the Microsoft compiler writes beyond standard C ends here.

Calling conventions, SAL annotations and ``__declspec`` have no meaning for the lab and are dropped; ``__int64`` and
``__forceinline`` become standard words; alignment and ``#pragma pack`` travel on the ``struct`` and ``union`` tokens. Words
that would need support (``__try``) and characters that no C text has are problems with their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pycparser import c_lexer
from pycparser.c_lexer import Token as CToken

from wsklab.c import tokens as pp
from wsklab.c.constant import ESCAPE, INTEGER
from wsklab.c.source import Problems

_KEYWORDS: dict[str, str] = c_lexer._keyword_map
_SPELLINGS = {kind: word for word, kind in _KEYWORDS.items()}
_SIGNS: dict[str, str] = {sign.literal: sign.tok_type for sign in c_lexer._fixed_tokens}
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
_UNSUPPORTED = {"__try", "__except", "__finally", "__leave", "_try", "_except", "_finally", "__asm", "_asm", "asm", "__asm__"}
_FLOAT = re.compile(r"(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)[fFlL]?$")
_PREFIX_TYPES = {"": "", "L": "W", "u8": "U8", "u": "U16", "U": "U32"}
_PACK = re.compile(r"pragma\s+pack\s*\(\s*(?:(push|pop)\b\s*,?\s*)?(?:[A-Za-z_]\w*\s*,?\s*)?([0-9]+)?\s*\)")
_TYPOGRAPHIC = dict(zip("“”„«»‘’–—；，（）", '"""""\'\'--;,()', strict=True))


@dataclass(slots=True)
class RecordToken(CToken):  # type: ignore[misc]
    """A ``struct`` or ``union`` token, with the packing in force and the alignment asked for (0 for none), in bytes."""

    pack: int = 16
    align: int = 0


class Reader:
    """Converts the tokens of one unit."""

    def __init__(self, tokens: list[pp.Token], problems: Problems) -> None:
        self.tokens = tokens
        self.problems = problems
        self.result: list[CToken] = []
        self._index = 0
        self._packs = [16]
        self._open: list[pp.Token] = []

    def read(self) -> list[CToken]:
        """All tokens for the parser."""
        actions: dict[str, Callable[[pp.Token], None]] = {
            pp.WORD: self._word, pp.NUMBER: self._number, pp.STRING: self._string, pp.CHARACTER: self._character,
            pp.PRAGMA: self._pragma,
        }  # fmt: skip
        while self._index < len(self.tokens):
            token = self.tokens[self._index]
            self._index += 1
            actions.get(token.type, self._sign)(token)
        return self.result

    def _put(self, kind: str, token: pp.Token, value: str = "") -> None:
        position = token.position
        self.result.append(CToken(kind, value or token.value, int(position), position.column, position.file))

    def _error(self, id: str, token: pp.Token, text: str, hint: str | None = None, **values: object) -> None:
        self.problems.error(id, token.position.place, text, hint, **values)

    def _word(self, token: pp.Token) -> None:
        word, position = token.value, token.position
        kind = _KEYWORDS.get(word)
        if kind in ("STRUCT", "UNION"):
            align = self._alignment_after_tag()
            self.result.append(RecordToken(kind, word, int(position), position.column, position.file, self._packs[-1], align))
        elif word in _REPLACED:
            for kind in _REPLACED[word]:
                self._put(kind, token, _SPELLINGS[kind])
        elif word in _DROPPED_WITH_PARENTHESES:
            self._declspec(token, self._parenthesised())
        elif word in _UNSUPPORTED:
            self._error("not-supported", token, "{word} is not supported yet.", word=word)
        elif kind is None and word[0] == "_" and _ANNOTATION.match(word):
            self._parenthesised()
        elif word[0] != "_" or not _DROPPED.match(word):
            self._put(kind or "ID", token)

    def _parenthesised(self) -> list[pp.Token]:
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

    def _declspec(self, token: pp.Token, inside: list[pp.Token]) -> None:
        if token.value.endswith("declspec") and [t.value for t in inside[:2]] == ["align", "("]:
            self._put("_ALIGNAS", token, "_Alignas")
            for part in inside[1:]:
                (self._number if part.type == pp.NUMBER else self._sign)(part)

    def _alignment_after_tag(self) -> int:
        """Alignment in ``struct __declspec(align(16)) NAME``; 0 without."""
        words = [token.value for token in self.tokens[self._index : self._index + 5]]
        if len(words) < 5 or words[0].lstrip("_") != "declspec" or words[1:4] != ["(", "align", "("]:
            return 0
        self._index += 1
        self._parenthesised()
        return int(words[4], 0) if INTEGER.match(words[4]) else 0

    def _number(self, token: pp.Token) -> None:
        text = token.value
        if re.match(r"0[0-7]*[89]", text) and INTEGER.match(text):
            self._error("bad-number", token, "{number} begins with 0 and is octal: it cannot hold 8 or 9.", number=text)
        elif INTEGER.match(text):
            self._put("INT_CONST_DEC", token)
        elif _FLOAT.match(text):
            self._put("FLOAT_CONST", token)
        else:
            self._error("bad-number", token, "{number} is not a number.", number=text)

    def _string(self, token: pp.Token) -> None:
        self._put(_PREFIX_TYPES[token.value.split('"', 1)[0]] + "STRING_LITERAL", token)

    def _character(self, token: pp.Token) -> None:
        prefix, inside = token.value[:-1].split("'", 1)
        count = len(ESCAPE.findall(inside))
        if count == 0:
            self._error("empty-character", token, "A character constant cannot be empty.", "Write '\\0' for the character zero.")
        elif count > (1 if prefix else 4):
            self._error("long-character", token, "{constant} is too long for a character constant.",
                        "A string is written between double quotation marks.", constant=token.value)  # fmt: skip
        self._put(_PREFIX_TYPES[prefix] + "CHAR_CONST", token)

    def _pragma(self, token: pp.Token) -> None:
        match = _PACK.match(token.value)
        operation, number = match.groups() if match else ("other", None)
        if operation == "push":
            self._packs.append(self._packs[-1])
        elif operation == "pop" and len(self._packs) > 1:
            self._packs.pop()
        if number or operation is None:
            self._packs[-1] = int(number or 16)

    def _sign(self, token: pp.Token) -> None:
        kind = _SIGNS.get(token.value)
        if kind is None:
            self._odd(token)
            return
        if token.value in "([{":
            self._open.append(token)
            if len(self._open) == DEEPEST_NESTING:
                self._error("nested-too-deeply", token, "Brackets are nested more than {most} deep here.", most=DEEPEST_NESTING)
        elif token.value in ")]}" and self._open:
            self._open.pop()
        self._put(kind, token)

    def _odd(self, token: pp.Token) -> None:
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
            self._error("odd-character", token, text, "Write {right} instead.", sign=sign, right=_TYPOGRAPHIC[sign])
        else:
            sign = sign if sign.isprintable() else repr(sign)[1:-1]
            self._error("odd-character", token, "{sign} cannot stand here.", sign=sign)
