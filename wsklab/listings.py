"""The C listings of a page.

A page is a C file, Markdown with fenced blocks, a notebook, or plain text saved from a browser, where a listing is recognised by
its lines. A listing keeps the page's own line numbers: it is compiled with as many blank lines before it as the page has.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<mark>```+|~~~+)[ \t]*(?P<language>[\w+#.-]*)[^\n]*$")
_C_LANGUAGES = ("", "c", "cpp", "c++", "h")
_STARTS = re.compile(
    r"(//|/\*|#\s*(include|define|if|pragma)|typedef\b|static\b|(NTSTATUS|VOID|void|BOOLEAN|ULONG|PIRP)\b\s*\w*\s*(\(|$))"
)
_CODE = re.compile(r"(\s*$|\s+\S|//|/\*|\*|[{}#()]|.*[;{},(]\s*$|\w+\s*$|typedef\b|static\b|NTSTATUS\b|VOID\b|void\b)")


@dataclass(frozen=True)
class Listing:
    """One listing of a page: the line it begins on (from 1) and its text, exactly as it stands there."""

    line: int
    text: str
    whole: bool = False
    """Whether it has to compile as it stands: a file, not a part of a page."""

    @property
    def placed(self) -> str:
        """The text with blank lines before it, so that line numbers are the page's."""
        return "\n" * (self.line - 1) + self.text


@dataclass(frozen=True)
class Page:
    """A page: its listings, and its prose with the listings blanked out, line by line."""

    name: str
    listings: tuple[Listing, ...]
    prose: tuple[str, ...]


def read_page(path: Path) -> Page:
    """Read a page from a file. Raises OSError, and ValueError for a notebook that is no JSON."""
    text = path.read_text("utf-8-sig", errors="replace")
    if path.suffix.lower() in (".c", ".h", ".cpp"):
        return Page(path.name, (Listing(1, text, True),), ())
    if path.suffix.lower() == ".ipynb":
        text = _notebook_text(text)
    return page_of(text, path.name)


def page_of(text: str, name: str) -> Page:
    """The listings and the prose of a page's text."""
    lines = text.replace("\r\n", "\n").split("\n")
    spans = _fenced(lines) if any(map(_FENCE.match, map(str.strip, lines))) else _plain(lines)
    listings = tuple(Listing(start + 1, "\n".join(lines[start:end]) + "\n") for start, end in spans)
    inside = {number for start, end in spans for number in range(start, end)}
    return Page(name, listings, tuple("" if number in inside else line for number, line in enumerate(lines)))


def _fenced(lines: list[str]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start, mark, is_c = -1, "", False
    for number, line in enumerate(lines):
        found = _FENCE.match(line.strip())
        if start < 0 and found:
            start, mark, is_c = number + 1, found["mark"], found["language"].lower() in _C_LANGUAGES
        elif start >= 0 and line.strip() == mark:
            spans += [(start, number)] if is_c and start < number else []
            start = -1
    return spans


def _plain(lines: list[str]) -> list[tuple[int, int]]:
    """Runs of lines that look like C, from a line that can begin a listing to the last one that can end it."""
    spans: list[tuple[int, int]] = []
    for start, line in enumerate(lines):
        if not _STARTS.match(line) or (spans and start < spans[-1][1]):
            continue
        run = list(itertools.takewhile(_CODE.match, lines[start:]))
        while run and not run[-1].rstrip().endswith(("}", ";", "*/")):
            run.pop()
        if len(run) > 1 and any("{" in line or ";" in line for line in run):
            spans.append((start, start + len(run)))
    return spans


def _notebook_text(text: str) -> str:
    """A notebook as Markdown: prose as it is, ``%%c`` cells as fenced blocks."""
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"not a notebook: {error}") from error
    parts = []
    for cell in cells:
        source = "".join(cell.get("source", []))
        if cell.get("cell_type") == "markdown":
            parts.append(source)
        elif source.startswith("%%c"):
            parts.append("```c\n" + source.partition("\n")[2] + "\n```")
    return "\n\n".join(parts)
