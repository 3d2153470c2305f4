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
from importlib import resources
from pathlib import Path
from typing import Any

LOCALE = resources.files("wsklab").joinpath("locale")
LANGUAGES = ("en", *sorted(file.name.removesuffix(".po") for file in LOCALE.iterdir() if file.name.endswith(".po")))
"""Languages of the engine, the source language first; the others are those that have a catalogue."""

# A space stands between Japanese and Latin letters, so templates have one; it goes when a Japanese word was filled in.
_BEFORE_PARTICLE = re.compile("(?<=[\u3040-\u30ff\u4e00-\u9fff]) (?=[\u3041-\u309f])")
_ENTRY = re.compile(r'^((?:#.*\n)*)msgid ((?:".*"\s*)+)msgstr ((?:".*"\s*)+)', re.MULTILINE)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


class _Values(dict[str, Any]):
    """Values of a template; a placeholder without a value stays as it is, because a diagnostic must never fail."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def chosen_language(language: str | None = None) -> str:
    """The language to speak: the argument (``"ja"``, ``"fr_FR"``), else ``WSKLAB_LANG``, else a lesson's folder, else English."""
    code = language or os.environ.get("WSKLAB_LANG") or _of_the_folder() or "en"
    code = code.replace("-", "_").split("_")[0].lower()
    return code if code in LANGUAGES else "en"


def _of_the_folder() -> str:
    here = Path.cwd()
    return here.name if here.parent.name == "notebooks" else ""


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
    file = LOCALE.joinpath(f"{language}.po")
    return parse_po(file.read_text("utf-8")) if file.is_file() else {}


def parse_po(text: str) -> dict[str, str]:
    """Read a PO file: msgid → msgstr. The header, fuzzy, obsolete and empty entries are left out.

    Contexts and plurals are not used by this project and are refused (ValueError).
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("msg") and not line.startswith(("msgid ", "msgstr ")):
            raise ValueError(f"PO line {number}: {line.split()[0]} is not used here")
    found = ((_unquoted(key), _unquoted(words)) for comments, key, words in _ENTRY.findall(text) if "#, fuzzy" not in comments)
    return {key: words for key, words in found if key and words}


def _unquoted(lines: str) -> str:
    """The text of the strings of an entry: quotes off, escapes resolved."""
    quoted = "".join(line.strip()[1:-1] for line in lines.splitlines())
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), quoted)
