"""The C listings of a page.

A page is a C file, Markdown with fenced blocks, a cell of a notebook, or plain text saved from a browser, where a listing is
recognised by its lines. A listing keeps the page's own line numbers: it is compiled with as many blank lines before it as the
page has.
"""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsklab.words import translate

_FENCE = re.compile(r"^(?P<mark>```+|~~~+)[ \t]*(?P<language>[\w+#.-]*)[^\n]*$")
_C_LANGUAGES = ("", "c", "cpp", "c++", "h")
_SIGNS = re.compile(r"[;{}][ \t]*(?:/[/*].*)?$|^[ \t]*(?:#[ \t]*\w|\w+[ \t]*\(.*\)[ \t]*$)", re.MULTILINE)
_CPLUSPLUS = re.compile(r"\w::~?\w|^\s*(?:class|template|namespace|using|public:|private:|try)\b", re.MULTILINE)
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
    folders: tuple[Path, ...] = ()
    """Where the files are that a listing of it includes."""
    defines: Mapping[str, str] = field(default_factory=dict)
    """Macros that its listings have beforehand, name to text."""


def read_text(path: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 as Windows' editors write it. Raises OSError, and ValueError when it is no text."""
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or data[1:2] == b"\0"
    text = data.decode("utf-16" if data[:1] in b"\xff\xfe" else "utf-16-le" if wide else "utf-8-sig", errors="replace")
    if "\0" in text:
        raise ValueError("it is not a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def unreadable(path: Path, error: OSError | ValueError, language: str) -> str:
    """What to tell of a file that :func:`read_text` or :func:`read_pages` refused."""
    why = (isinstance(error, OSError) and error.strerror) or translate(str(error), language)
    return translate("{path} cannot be read: {error}", language, path=path, error=why)


def read_pages(path: Path) -> list[Page]:
    """The page that a file is; of a notebook each cell. Raises OSError, and ValueError for what is no text or no notebook."""
    text = read_text(path)
    if path.suffix.lower() == ".ipynb":
        return [page for number, cell in enumerate(_cells(text), 1) if (page := _cell(cell, f"{path.name}[{number}]"))]
    whole = path.suffix.lower() in (".c", ".h", ".cpp")
    return [Page(path.name, (Listing(1, text, True),), (), (path.parent,)) if whole else page_of(text, path.name)]


def page_of(text: str, name: str) -> Page:
    """The listings and the prose of a page's text."""
    lines = text.split("\n")
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
            text = "\n".join(lines[start:number])
            spans += [(start, number)] if is_c and _SIGNS.search(text) and not _CPLUSPLUS.search(text) else []
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


def _cells(text: str) -> list[dict[str, Any]]:
    try:
        cells = json.loads(text)["cells"]
        return [{"type": cell["cell_type"], "text": "".join(cell["source"])} for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("it is not a notebook") from error


def _cell(cell: dict[str, Any], name: str) -> Page | None:
    """A cell of a notebook with prose, or with C behind its first line ``%%c``, as a page."""
    if cell["type"] == "markdown":
        return page_of(cell["text"], name)
    first, _, code = cell["text"].partition("\n")
    return Page(name, (Listing(2, code, True),), ()) if first.startswith("%%c") else None
