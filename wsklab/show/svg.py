"""Small helpers for writing SVG by hand: escaping, numbers, measuring and breaking text.

Nothing is measured by a browser here, so widths are estimates that err on the wide side: code is set in a monospaced face
(0.61 em a character), words are counted by kind of character, Chinese, Japanese and Korean characters as a full em.
"""

from __future__ import annotations

import unicodedata
from html import escape

MONO_EM = 0.61
_NARROW = frozenset("iljtfrI.,:;'|!()[]{} ")
_WIDE = frozenset("mwMW%@—…")
_NO_START = frozenset(" 、。，．）」』】：；？！ーっゃゅょッャュョ")  # never at the start of a line


def number(value: float) -> str:
    """A coordinate with at most one decimal, without a trailing zero."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def width(text: str, size: float = 12, mono: bool = False) -> float:
    """Estimated width in px of one line, set in `size` px."""
    return size * sum(_em(char, mono) for char in text)


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: two for a Japanese character."""
    return sum(1 + _is_full(char) for char in text)


def _is_full(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _em(char: str, mono: bool) -> float:
    if mono or _is_full(char):
        return 1.0 if _is_full(char) else MONO_EM
    if char in _NARROW or char in _WIDE:
        return 0.36 if char in _NARROW else 0.95
    return 0.7 if char.isupper() else 0.59


def wrap(text: str, room: float, size: float = 12, mono: bool = False, lines: int = 2, indent: str = "") -> list[str]:
    """Break a text into at most `lines` lines that fit into `room` px; what does not fit ends with an ellipsis.

    Breaks after spaces and opening brackets, and between characters of scripts that are written without spaces. `indent` starts
    every line after the first.
    """
    done = [""]
    for piece in _pieces(text):
        if not done[-1].strip() or width((done[-1] + piece).rstrip(), size, mono) <= room:
            done[-1] += piece
        else:
            done.append(indent + piece)
    done = [line.rstrip() for line in done]
    if len(done) > lines:
        done[lines - 1 :] = [" ".join(done[lines - 1 :])]
    return [shorten(each, room, size, mono) for each in done]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for char in text:
        if pieces and (char in _NO_START or not (pieces[-1][-1] in " (" or _is_full(char))):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def shorten(text: str, room: float, size: float = 12, mono: bool = False) -> str:
    """The text, cut with an ellipsis when it is wider than `room` px."""
    if width(text, size, mono) <= room:
        return text
    while text and width(text + "…", size, mono) > room:
        text = text[:-1]
    return text.rstrip(" ,(") + "…"


def text(x: float, y: float, words: str, css: str = "", anchor: str = "", code: bool = False) -> str:
    """A ``<text>`` element. In `code` the arguments of a call step back behind the name."""
    inside = escape(words, quote=False)
    goes_on = words.startswith("\u00a0") and "→" not in words[:4]  # the arguments of the line before
    if code and ("(" in words or goes_on):
        name, opening, rest = inside.partition("(") if "(" in words else ("", "", inside)
        arguments, bracket, result = rest.rpartition(")")
        inside = f'{name}<tspan class="u">{opening}{arguments}{bracket or result}</tspan>{result if bracket else ""}'
    classes = (f' class="{css}"' if css else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{number(x)}" y="{number(y)}"{classes}>{inside}</text>'


def rect(x: float, y: float, wide: float, high: float, css: str, radius: float = 0) -> str:
    """A ``<rect>`` element."""
    rounded = f' rx="{number(radius)}"' if radius else ""
    return f'<rect class="{css}" x="{number(x)}" y="{number(y)}" width="{number(wide)}" height="{number(high)}"{rounded}/>'


def path(data: str, css: str) -> str:
    """A ``<path>`` element."""
    return f'<path class="{css}" d="{data}"/>'


def arrow(start: float, end: float, y: float, css: str, open_head: bool = False) -> str:
    """A horizontal arrow with its head at `end`; returns get an open head and a dashed line."""
    step = 6 if end < start else -6
    back = f"{number(end + step)} {number(y - 4)}L{number(end)} {number(y)}L{number(end + step)} {number(y + 4)}"
    if open_head:
        return path(f"M{number(start)} {number(y)}H{number(end)}", css + " d") + path(f"M{back}", css)
    return path(f"M{number(start)} {number(y)}H{number(end + step)}", css) + path(f"M{back}z", css + " f")
