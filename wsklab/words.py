"""The engine's words in the reader's language.

English is the source: a key is the English template itself, with ``{name}`` placeholders. The other languages are gettext
catalogues (``locale/<language>.po``), read here by a small reader because the engine's runtime needs no gettext tools.
Two rules: a text that has no translation appears in English, never as an error; identifiers, status names and numbers are
never translated. A test holds that every template the engine can show is in every catalogue (design, decision 10).
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "ja", "fr")
"""Languages of the engine, the source language first."""

# A space stands between Japanese and Latin letters, so templates have one; it goes when a Japanese word was filled in.
_BEFORE_PARTICLE = re.compile("(?<=[\u3040-\u30ff\u4e00-\u9fff]) (?=[\u3041-\u309f])")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


class _Values(dict[str, Any]):
    """Values of a template; a placeholder without a value stays as it is, because a diagnostic must never fail."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def chosen_language(language: str | None = None) -> str:
    """The language to speak: the argument (``"ja"``, ``"fr_FR"``), else ``WSKLAB_LANG``, else a lesson's folder, else English."""
    here = Path.cwd()
    lesson = here.name if here.parent.name == "notebooks" else ""
    code = (language or os.environ.get("WSKLAB_LANG") or lesson or "en").replace("-", "_").split("_")[0].lower()
    return code if code in LANGUAGES else "en"


def translate(key: str, language: str | None = None, **values: Any) -> str:
    """The text for an English key (a template, ``{{`` stands for a brace) with its placeholders filled; see `chosen_language`."""
    language = chosen_language(language)
    text = catalogue(language).get(key, key)
    try:
        text = text.format_map(_Values(values))
    except (ValueError, AttributeError, IndexError, TypeError):  # not a template after all, C code for instance
        return text
    return _BEFORE_PARTICLE.sub("", text) if language == "ja" else text


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """All translations of a language by English key; empty for a language without a catalogue, as English is."""
    file = resources.files("wsklab").joinpath("locale", f"{language}.po")
    return parse_po(file.read_text("utf-8")) if file.is_file() else {}


def parse_po(text: str) -> dict[str, str]:
    """Read a PO file: msgid → msgstr. The header, fuzzy, obsolete and empty entries are left out.

    Contexts and plurals are not used by this project and are refused (ValueError).
    """
    entries = (entry for fuzzy, entry in _entries(text) if not fuzzy)
    return {entry["msgid"]: entry["msgstr"] for entry in entries if entry.get("msgid") and entry["msgstr"]}


def _entries(text: str) -> Iterator[tuple[bool, dict[str, str]]]:
    """(fuzzy, keyword → text) for each entry; a comment or a msgid after a msgstr starts the next one."""
    fuzzy, entry, field = False, dict[str, str](), ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        starts = line.startswith(("#", "msgid"))
        if starts and "msgstr" in entry:
            yield fuzzy, entry
            fuzzy, entry, field = False, {}, ""
        if line.startswith("#,"):
            fuzzy = fuzzy or "fuzzy" in line
        elif line.startswith("#") or not line:
            continue
        elif line.startswith('"'):
            entry[field] += _unquoted(line)
        else:
            field, _, quoted = line.partition(" ")
            if field not in ("msgid", "msgstr"):
                raise ValueError(f"PO line {number}: {field} is not used here")
            entry[field] = _unquoted(quoted.strip())
    if "msgstr" in entry:
        yield fuzzy, entry


def _unquoted(quoted: str) -> str:
    """The text of one PO string: quotes off, escapes resolved."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), quoted[1:-1])
