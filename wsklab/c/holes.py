"""What is left out after a mistake that nobody can put right: the smallest thing around it.

That is what stands between the parentheses around the mistake (a condition, a list of arguments or parameters); where this does
not help, the whole statement, member or external declaration. A `Hole` stands in its place, which the parser reads as a gap,
and the rest of the file is parsed and checked as if nothing had been there. The names in a hole are kept (`Problems.lose`), so
that nobody complains that they are declared nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from wsklab.c.source import MISTAKES
from wsklab.c.tokens import Hole

_GROUPS: dict[str, list[str]] = MISTAKES["groups"]
TESTED = frozenset(_GROUPS["tested"])
"""After these words comes something in parentheses."""
OPENING = {"RPAREN": "LPAREN", "RBRACE": "LBRACE", "RBRACKET": "LBRACKET"}
"""The bracket that opens what each closes."""
_BODY_AFTER = {"RPAREN", "ELSE", "DO", "SEMI", "LBRACE", "RBRACE", "COLON"}
"""Behind these a brace opens a block; else it is a list, or the members of a structure, and a semicolon follows."""
_BEGINS = {*_GROUPS["statement"], *_GROUPS["type"], "TYPEDEF", "STATIC", "EXTERN"}
"""At the beginning of a line these words begin something new."""


def open_brackets(tokens: Sequence[Any], start: int, end: int) -> list[int]:
    """The brackets that are opened from `start` on and still open at `end`, outermost first."""
    stack: list[int] = []
    for index in range(start, end):
        kind = tokens[index].type
        if kind in OPENING.values():
            stack.append(index)
        elif kind in OPENING:
            closed = [depth for depth, at in enumerate(stack) if tokens[at].type == OPENING[kind]]
            if closed:
                del stack[closed[-1] :]
    return stack


def opening(tokens: Sequence[Any], closed: int, kind: str, start: int = 0) -> int | None:
    """The index, from `start` on, of the bracket that one of this `kind` closes at `closed`."""
    depth = 1
    for index in range(closed - 1, start - 1, -1):
        depth += (tokens[index].type == kind) - (tokens[index].type == OPENING[kind])
        if not depth:
            return index
    return None


def closing(tokens: Sequence[Any], at: int, depth: int = 0, stops: Collection[str] = ()) -> int | None:
    """The index, from `at` on, of what closes the outermost of `depth` open parentheses; None if one of `stops` comes before."""
    for index in range(at, len(tokens)):
        kind = tokens[index].type
        depth += (kind == "LPAREN") - (kind == "RPAREN")
        if kind in stops or not depth:
            return None if depth else index
    return None


def function_at(tokens: Sequence[Any], index: int) -> bool:
    """Whether the declaration that begins at `index` is the definition of a function."""
    for at in range(index, len(tokens)):
        if tokens[at].type in ("SEMI", "LBRACE", "EQUALS"):
            return bool(at > index and (tokens[at - 1].type, tokens[at].type) == ("RPAREN", "LBRACE"))
    return False


def closes_more(tokens: Sequence[Any], index: int) -> bool:
    """Whether from `index` on more braces are closed than opened before the next function begins."""
    depth = 0
    for at in range(index, len(tokens)):
        depth += (tokens[at].type == "LBRACE") - (tokens[at].type == "RBRACE")
        begins = at > index and tokens[at].type in _BEGINS - TESTED and tokens[at - 1].type in ("SEMI", "RBRACE")
        if depth < 0 or (not depth and begins and function_at(tokens, at)):
            return bool(depth < 0)
    return False


def _braces(tokens: Sequence[Any], start: int, end: int) -> Iterator[tuple[int, int, int, list[int]]]:
    """Each } that begins a line: its index, that of its {, the column where the line of that begins, and those further out."""
    stack: list[tuple[int, int]] = []
    column = 0
    for index in range(start, end):
        token = tokens[index]
        first = index == start or token.lineno > tokens[index - 1].lineno
        column = token.column if first else column
        if token.type == "LBRACE":
            stack.append((index, column))
        elif token.type == "RBRACE" and stack:
            opened, indentation = stack.pop()
            if first:
                yield index, opened, indentation, [outer for _, outer in stack]


def outdented(tokens: Sequence[Any], start: int, end: int) -> tuple[int, int] | None:
    """A brace that is never closed, by the indentation: its index, and that of the } of an outer one, which closes it."""
    for at, opened, column, outer in _braces(tokens, start, end):
        if tokens[at].column < column and tokens[at].column in outer:
            return opened, at
    return None


def unopened(tokens: Sequence[Any], start: int, end: int) -> int | None:
    """The index behind which a { is missing, by the indentation: where a line ends above a } that is indented as it is."""
    for at, opened, column, _ in _braces(tokens, start, end):
        for index in range(at - 1, opened, -1) if tokens[at].column > column else ():
            begins = tokens[index].lineno > tokens[index - 1].lineno
            if begins and tokens[index].column == tokens[at].column:
                line = tokens[index].lineno
                last = max(other for other in range(index, at) if tokens[other].lineno == line)
                if tokens[last].type in ("RPAREN", "ELSE", "DO"):
                    return last
    return None


def hole(tokens: Sequence[Any], start: int, at: int, *, outside: bool) -> tuple[int, int]:
    """Which tokens to leave out, from the first up to the second index.

    `start` is where the statement, member or external declaration (if `outside`) begins, `at` is the token that does not fit.
    """
    stack = open_brackets(tokens, start, at)
    opened = next((index for index in stack if tokens[index].type == "LPAREN"), None)
    if opened is not None:
        depth = sum(tokens[index].type == "LPAREN" for index in stack)
        closed = closing(tokens, at, depth, {"LBRACE", "RBRACE", *(() if tokens[opened - 1].type == "FOR" else ("SEMI",))})
        if closed and not any(isinstance(token, Hole) for token in tokens[opened:closed]):
            return opened + 1, closed
    elif tokens[at - 1].type in TESTED and at > start:
        line = tokens[at - 1].lineno
        ends = (k for k in range(at, len(tokens)) if tokens[k].lineno != line or tokens[k].type in ("LBRACE", "SEMI"))
        return at, next(ends, len(tokens))
    braces = [tokens[index - 1].type in _BODY_AFTER for index in stack if tokens[index].type == "LBRACE"]
    end = next(_ends(tokens, at, braces, outside=outside, column=tokens[start].column), len(tokens))
    return start, max(end, start + 1)


def _ends(tokens: Sequence[Any], at: int, braces: list[bool], *, outside: bool, column: int) -> Iterator[int]:
    """Where what surrounds the token `at` can end; of each open brace `braces` says whether a block is in it.

    An external declaration does not end before what is indented deeper than its `column`.
    """
    for index in range(at, len(tokens)):
        kind, before = tokens[index].type, tokens[index - 1]
        new_line = index > at and tokens[index].lineno > before.lineno and (not outside or tokens[index].column <= column)
        if not braces and new_line and kind in _BEGINS:
            yield index
        if kind == "LBRACE":
            braces.append(before.type in _BODY_AFTER)
        elif kind == "RBRACE" and not braces and not outside:
            yield index
        elif (kind == "RBRACE" and braces and braces.pop() and not braces) or (kind == "SEMI" and not braces):
            is_else = index + 1 < len(tokens) and tokens[index + 1].type == "ELSE"
            yield index + 1 + is_else
