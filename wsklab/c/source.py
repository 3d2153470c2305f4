"""Source texts, places in them, and problems found there.

Every phase of the front end reports through one `Problems` collector and goes on where it can, so that a learner sees all
mistakes of a listing at once. A problem carries data; the sentence is an English template that is filled in (and
translated) at the edge. The machine's stops use the same caret printer.
"""

from __future__ import annotations

import difflib
import itertools
import math
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any, Literal

Severity = Literal["error", "warning"]

MOST_PROBLEMS = 50
"""After so many errors nobody reads on: the rest is counted."""
MOST_LEFT_OUT = 200
"""A listing may leave out so many names; more are errors."""
_WORDS = re.compile(r"\w+")
MISTAKES: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("mistakes.toml").read_text("utf-8"))
"""Tables of known mistakes, which say themselves what they are for."""
_IDS: dict[str, list[str]] = MISTAKES["ids"]
LEFT_OUT = frozenset(_IDS["left_out"])
"""What a documentation listing may leave to its reader to supply."""
LEFT_OUT_OF_FRAGMENT = LEFT_OUT | set(_IDS["left_out_of_fragment"])
"""The same for statements without a function around them."""


@dataclass(frozen=True)
class Place:
    """A place in a source file. Lines and columns count from 1; column 0 means unknown."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")


NOWHERE = Place("", 0, 0)


def place_of(where: Any) -> Place:
    """The place of a pycparser node or coordinate (or of a `Place` itself); `NOWHERE` if it has none."""
    if isinstance(where, Place):
        return where
    coord = getattr(where, "coord", where)
    return Place(coord.file or "", coord.line or 0, coord.column or 0) if hasattr(coord, "line") else NOWHERE


@dataclass
class Source:
    """One named source text."""

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Line `number` (from 1), empty if there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


_SHOWN = 160  # characters of a line
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def caret(line: str, column: int, length: int = 1) -> str:
    """`line` with a caret under `column` (from 1; 0 gives the line alone). Tabs and wide characters keep their width.

    Of a line that no terminal shows whole, the part around the column is given.
    """
    line = _UNSEEN.sub("\N{MIDDLE DOT}", line.rstrip())
    if (start := max(0, column - _SHOWN // 2)) + _SHOWN < len(line):
        line = line[: start + _SHOWN] + "…"
    if start and len(line) > _SHOWN:
        line, column = "…" + line[start:], column - start + 1
    if column <= 0:
        return line
    before = line[: column - 1].ljust(column - 1)
    blank = "".join("\t" if c == "\t" else " " * _width(c) for c in before)
    return f"{line}\n{blank}^{'~' * (length - 1)}"


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def closest(name: str, known: Iterable[str]) -> str | None:
    """The closest of the known names: another letter case first, then a similar spelling."""
    names = list(known)
    if (meant := str(MISTAKES["instead"].get(name))) in names:
        return meant
    same = [other for other in names if other.lower() == name.lower()]
    similar = [other for other in names if abs(len(other) - len(name)) < 4 or name.startswith(other)]
    near = same or difflib.get_close_matches(name, similar, 1, 0.75)
    return near[0] if near else None


def surely(name: str, close: object) -> bool:
    """Whether `name` is a slip for the name `close`, and not a name of its own: capitals, a prefix left out, one letter."""
    other = str(close or name)
    if other.lower() == name.lower() or (len(name) > 9 and re.fullmatch(f"(Wsk|Wdf){re.escape(name)}", other)):
        return other != name and (not other.isupper() or "_" in other)
    first = os.path.commonprefix((name, other))
    rests = name[len(first) :], other[len(first) :]
    last = os.path.commonprefix([rest[::-1] for rest in rests])[::-1]
    ours, theirs = (rest.removesuffix(last) for rest in rests)
    # One letter, but no capital: those tell one function from another (RtlStringCbCatA). Or two letters in the wrong order.
    one = max(len(ours), len(theirs)) == 1 and (f"{ours}{theirs}".islower() or (ours + theirs)[0] in (first[-1:], last[-1:]))
    skipped = name[0].islower() and not ours and len(theirs) < 3 and min(len(first), len(last)) > 3
    return len(name) > 7 and other != name[1:] and (one or skipped or (len(ours) == 2 and ours == theirs[::-1]))


@dataclass
class Lost:
    """The names that stand in a hole, and the lines where nothing is said about them, because the hole may declare them."""

    names: set[str]
    file: str = ""  # empty if the rest of the text is left out
    first: int = 0
    last: float = math.inf

    def explains(self, id: str, place: Place, values: dict[str, object]) -> bool:
        """Whether a problem may be there only because of the hole."""
        words = _WORDS.findall(f"{values.get('name')} {values.get('type')}") if id in LEFT_OUT or id in _IDS["after_hole"] else ()
        if not self.file and id in _IDS["at_end"]:
            return True
        near = not self.file or (place.file == self.file and self.first <= place.line <= self.last)
        return near and (not self.names.isdisjoint(words) or (id in _IDS["beside_hole"] and self.last < math.inf))


@dataclass(frozen=True)
class Problem:
    """Something wrong, or worth a warning, in a source text.

    `text` and `hint` are English templates filled with `values`; `line_text` is the source line of `place`.
    """

    id: str
    place: Place
    text: str
    values: dict[str, object] = field(default_factory=dict)
    severity: Severity = "error"
    hint: str | None = None
    line_text: str = ""

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.text.format(**self.values)

    def __str__(self) -> str:
        """Place, sentence, line with caret, hint."""
        parts = [f"{self.place}: {self.severity}: {self.message}"]
        if self.line_text.strip():
            parts += ["  " + part for part in caret(self.line_text, self.place.column).split("\n")]
        if self.hint:
            parts.append("  " + self.hint.format(**self.values))
        return "\n".join(parts)


class CompileError(Exception):
    """A source text that cannot be compiled: `problems`, warnings too, and place and English sentence of the first error.

    `unit` is what was made of it, if it could be read to its end.
    """

    def __init__(self, problems: list[Problem], unit: Any = None) -> None:
        super().__init__(problems)
        self.problems, self.unit = problems, unit
        first = next(problem for problem in problems if problem.severity == "error")
        self.place, self.text = first.place, first.message
        self.line, self.column = self.place.line, self.place.column

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Problems:
    """Collects the problems of one unit; knows the source lines they are in and the typedef names of its structures.

    A unit that is part of a page may leave things out (`left_out`, ids of problems): the names are kept in `assumed`.
    """

    def __init__(self, left_out: Collection[str] = ()) -> None:
        self.left_out = left_out
        self.assumed: dict[str, Place] = {}
        self.sources: dict[str, Source] = {}
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.typedef_of: Callable[[str], str] = str
        self.lost: list[Lost] = []
        self.more = 0
        """How many errors came when the collector was full."""

    @property
    def full(self) -> bool:
        """Whether enough errors were collected: further ones are only counted."""
        return len(self.errors) >= MOST_PROBLEMS

    def told(self, place: Place) -> bool:
        """Whether there is an error in the same line."""
        return any((place.file, place.line) == (known.place.file, known.place.line) for known in self.errors)

    def lose(self, tokens: Sequence[Any], external: Any, *, whole: bool) -> None:
        """Keep the names in tokens that are left out, which belong to an `external` declaration or are the `whole` of it."""
        names, inside = set(), 0  # in the block of a function that is left out, all is its own
        for before, token in itertools.pairwise([external, *tokens] if not self.full else ()):
            if token.type == "LBRACE":
                inside += inside > 0 or (whole and before.type == "RPAREN")
            elif token.type == "RBRACE":
                inside -= inside > 0
            elif token.type in ("ID", "TYPEID") and not inside:
                names.add(token.value)
        self.lost += [Lost(names, external.filename, external.lineno)] if names else []

    def lose_text(self, text: str, place: Place = NOWHERE) -> None:
        """Keep the words of a line that is left out, or of the rest of the text, if there is no `place`."""
        self.lost.append(Lost(set(_WORDS.findall(text)), place.file, place.line))

    def error(self, id: str, where: Any, text: str, hint: str | None = None, **values: object) -> None:
        """Report an error at a node, coordinate or place; the second one at the same place is dropped.

        A value `close` is the name that was probably meant, which makes the hint.
        """
        if self.full:
            self.more += 1
            return
        problem = self._problem(id, where, text, hint, "error", values)
        if self.lost and any(lost.explains(id, problem.place, values) for lost in self.lost):
            return
        if self.assumes(id, values):
            if "·" not in (name := str(values.get("name", "·"))):
                self.assumed.setdefault(name, problem.place)
        elif all(problem.place != known.place for known in self.errors):
            self.errors.append(problem)

    def adopt(self, found: Problem) -> None:
        """Report an error that was found somewhere else."""
        self.error(found.id, found.place, found.text, found.hint, **found.values)

    def assumes(self, id: str, values: dict[str, object]) -> bool:
        """Whether the page leaves this to its reader: what is no slip for a name that is there."""
        name = str(values.get("name"))
        new = name not in self.assumed and (len(self.assumed) >= MOST_LEFT_OUT or surely(name, values.get("close")))
        return id in self.left_out and not new

    def warning(self, id: str, where: Any, text: str, hint: str | None = None, **values: object) -> None:
        """Report a warning at a node, coordinate or place."""
        problem = self._problem(id, where, text, hint, "warning", values)
        if problem not in self.warnings:
            self.warnings.append(problem)

    def _problem(self, id: str, where: Any, text: str, hint: Any, severity: Severity, values: dict[str, object]) -> Problem:
        place = place_of(where)
        source = self.sources.get(place.file)
        hint = "Did you mean {close}?" if values.get("close") else hint
        values = {name: self._readable(value) for name, value in values.items()}
        return Problem(id, place, text, values, severity, hint, source.line(place.line) if source else "")

    def _readable(self, value: object) -> object:
        """A type as its reader calls it: by the typedef name of a structure if there is one."""
        if value is None or isinstance(value, int):
            return value
        return re.sub(r"\b(?:struct|union|enum) \w+", lambda match: self.typedef_of(match[0]), str(value))

    def check(self, unit: Any = None) -> None:
        """Raise `CompileError` if there are errors: with the warnings, by file as they were met, and by line."""
        if self.errors:
            places = {problem.place for problem in self.errors}
            found = self.errors + [warning for warning in self.warnings if warning.place not in places]
            files = list(dict.fromkeys(problem.place.file for problem in found))
            found.sort(key=lambda p: (files.index(p.place.file), p.place.line, p.place.column))
            if self.more:
                found.append(Problem("more", found[-1].place, "There are {count} more errors.", {"count": self.more}))
            raise CompileError(found, unit)
