"""What can be wrong with a translation, found by comparing it with its English. The tests hold that nothing is found.

Three kinds of comparison: a message with its translation (`message_wrong`), a catalogue with what the sources say
(`catalogue_wrong`), and the files in a clone with what is made from catalogues (`files_wrong`, `structure`).

A line of the glossary (docs/glossary.csv) holds for every message that has its English term; forms of a translation that have
nothing in common stand there with a slash between. Where the same English word means something else, or a name is no name, the
translator says so beside the message, in a line of the catalogue: ``# may differ: complete (an IRP), STOP``.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
import texts
from words import CATALOGUES, SOURCE, Message, Project

_EXEMPT = re.compile(r"^may differ: (.+)$", re.MULTILINE)
_CODE = re.compile(r"(`+)(.+?)\1")
_LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?:[^>\s]+)>")
_QUOTED = re.compile(r"\"[^\"]*\"")
_MICROSOFT = re.compile(r"(?<=learn\.microsoft\.com/)[a-z]{2}-[a-z]{2}/")
_MARKS = re.compile(r"\{(?:\w+| ?[.:#][^{}]*)\}|</?[a-z!][^>]*>|^(?:#+|>|\||-|\d+\.) ")  # placeholders, attributes, HTML, blocks
# A name of C, Python or Windows in running text: with an underscore, with a capital or a digit inside, all in capitals, a flag.
_NAME = re.compile(
    r"(?<![A-Za-z0-9_.])(?:__\w+|[A-Za-z]\w*_\w+|[A-Z][a-z0-9]*[A-Z]\w*|[a-z]+[A-Z]\w*|[A-Za-z]+\d\w*|0x[0-9A-Fa-f]+|--[a-z][a-z-]+)",
    re.ASCII,
)
_UNITS = {"kB", "MB", "GB"}  # French has octets
_ENDINGS = {"noun": "(?:e|s|es)?", "verb": "(?:e|s|es|ed|ing)?", "": "e?"}
"""What an English word of the glossary may end with, by its column ``word``."""
_NUMBER = re.compile(r"(?<![A-Za-z0-9_])\d+(?:[.,\u00a0\u202f]\d+)*(?![A-Za-z0-9_])", re.ASCII)


def fixed(text: str) -> dict[str, set[str]]:
    """What of a message is the same in every language, by what it is. Where a link leads inside a page may differ: a heading's
    anchor is made of its words."""
    code = {found[1] for found in _CODE.findall(text)}
    rest = _CODE.sub(" ", text)
    links = {_MICROSOFT.sub("", page or address).partition("#")[0] for page, address in _LINK.findall(rest)}
    rest = _LINK.sub("] ", rest)
    marks = set(_MARKS.findall(rest))
    rest = _MARKS.sub(" ", rest)
    names = {name[:-1] if name[:-1].isupper() and name[-1] == "s" else name for name in _NAME.findall(rest)}
    numbers = {_plain(number) for number in _NUMBER.findall(rest)}
    return {"code": code, "link": links, "mark": marks, "name": names - _UNITS, "number": numbers}


def _plain(number: str) -> str:
    """A number without the signs between thousands, with a point before its fraction."""
    return re.sub(r"[,.\u00a0\u202f](?=\d{3}\b)", "", number).replace(",", ".")


def may_differ(entry: polib.POEntry) -> list[str]:
    """Terms and names that the translator has declared to be none in this message."""
    return [name for names in _EXEMPT.findall(entry.tcomment) for name in names.split(", ")]


def message_wrong(entry: polib.POEntry) -> Iterator[str]:
    """What a translation lacks or has changed of the code, links, placeholders, names and numbers in the message.

    A translation may have numbers and abbreviations that the message has in words ("the second machine"), but no code, link or
    name of its own.
    """
    ours, theirs = fixed(entry.msgid), fixed(entry.msgstr)
    anywhere = set().union(*theirs.values())
    for kind, tokens in ours.items():
        for token in sorted(tokens - (anywhere if kind in {"name", "number"} else theirs[kind]) - {*may_differ(entry)}):
            yield f"the {kind} {token} is missing"
    for kind in ("code", "link", "mark", "name"):
        for token in sorted(theirs[kind] - set().union(*ours.values())):
            if kind != "name" or "_" in token or not token.isupper():
                yield f"the {kind} {token} is not in the English"
    if "\n" in entry.msgstr and "\n" not in entry.msgid:
        yield "it has a line break"


@dataclass(frozen=True)
class Term:
    """A line of the glossary in one language: how the term is found in an English message, and in a translation."""

    name: str
    english: re.Pattern[str]
    stem: re.Pattern[str]
    wording: str


def glossary(project: Project, language: str) -> list[Term]:
    """The glossary's terms, longest first; none for a language that it has no column for."""
    with (project.root / "docs" / "glossary.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get(language)]
    terms = []
    for row in rows:
        english, wordings = (re.sub(r" *\(.*?\)", "", row[code]) for code in (SOURCE, language))
        words = [re.escape(word.removesuffix("e")).replace(r"\-", "-?") + _ENDINGS[row["word"]] for word in english.split()]
        forms = [r"\w*\W*".join(map(re.escape, map(_stem, _folded(form).split()))) for form in wordings.split(" / ")]
        pattern = re.compile(rf"\b{'[ -]'.join(words)}\b", re.IGNORECASE)
        terms.append(Term(row["term"], pattern, re.compile("|".join(forms)), row[language]))
    return sorted(terms, key=lambda term: -len(term.english.pattern))


def _folded(text: str) -> str:
    """Small letters without accents, one form of the apostrophe: what inflection leaves of a word is then easier to find."""
    split = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", split))


def _stem(word: str) -> str:
    """What all forms of a word have in common: without the kana of a Japanese verb, without the end of a longer word."""
    if re.search("[\u3040-\u30ff\u4e00-\u9fff]", word):
        return re.sub("[\u3041-\u309f]+$", "", word)
    return word[: -len(word) // 3] if len(word) > 5 else word


def terms_wrong(entry: polib.POEntry, terms: list[Term]) -> Iterator[str]:
    """Terms of the glossary that a translation says in another way."""
    message, translation = entry.msgid, _folded(entry.msgstr)
    for pattern in (_CODE, _LINK, _MARKS, _NAME, _QUOTED):
        message = pattern.sub(" ", message)
    for term in terms:
        message, found = term.english.subn(" ", message)  # the pool of a paged pool is not looked for again
        if found and term.name not in may_differ(entry) and not term.stem.search(translation):
            yield f"{term.name!r} is {term.wording!r} in the glossary; if it means something else here: # may differ: {term.name}"


def catalogue_wrong(entries: polib.POFile, messages: dict[str, Message], terms: list[Term]) -> Iterator[str]:
    """What is wrong in a catalogue, each with the beginning of its message."""
    live = {entry.msgid: entry for entry in entries if not entry.obsolete}
    for message, times in Counter(entry.msgid for entry in entries).items():
        if times > 1:
            yield f"{message[:60]!r}: stands there {times} times"
    for message in messages.keys() - live.keys():
        yield f"{message[:60]!r}: is not in the catalogue; run: python3 kit.py words update"
    for message, entry in live.items():
        if message not in messages:
            wrong = ["nothing says it any more; run: python3 kit.py words update"]
        elif entry.fuzzy:
            wrong = ["its English has changed: look at the translation, then delete the line with “fuzzy”"]
        elif not entry.msgstr:
            wrong = ["is not translated"]
        else:
            wrong = [*message_wrong(entry), *terms_wrong(entry, terms)]
        yield from (f"{message[:60]!r}: {what}" for what in wrong)


def structure(path: Path) -> list[object]:
    """What of a notebook or page is the same in every language: cells, blocks, code without its comments."""

    def blocks(text: str) -> list[object]:
        found: list[object] = []
        for token, kind in texts.blocks(re.sub(r"\A---\n.*?^---\n", "", text, flags=re.MULTILINE | re.DOTALL)):
            fence = texts.code(token.content, token.info, lambda message, kind: "") if kind == "fence" else token.markup
            found.append((token.type, token.tag, fence))
        return found

    if path.suffix == ".md":
        return blocks(path.read_text("utf-8"))
    cells = json.loads(path.read_text("utf-8"))["cells"]
    for cell in cells:
        source = "".join(cell.pop("source"))
        code = texts.code(source, "python", lambda message, kind: "")
        cell["structure"] = blocks(source) if cell["cell_type"] == "markdown" else code
    return list(cells)


def files_wrong(project: Project, language: str) -> Iterator[str]:
    """Files that are not what the catalogues make of the English, and files that nothing makes."""
    made = dict(project.made(language))
    for path, content in made.items():
        place = path.relative_to(project.root).as_posix()
        if not path.is_file() or path.read_text("utf-8") != content:
            yield f"{place}: is not what its catalogue makes of the English; run: python3 kit.py words compile"
        english = project.root / place.replace(f"/{language}/", f"/{SOURCE}/")
        if path.is_file() and path.suffix != ".yml" and structure(path) != structure(english):
            yield f"{place}: its cells, headings or code are not those of the English"
    for folder in ("notebooks", "docs"):
        for path in sorted((project.root / folder / language).rglob("*.*")):
            if path not in made and path.suffix in {".ipynb", ".md"} and ".ipynb_checkpoints" not in path.parts:
                yield f"{path.relative_to(project.root).as_posix()}: is made from nothing; delete it"


def everything_wrong(project: Project) -> Iterator[str]:
    """All that is wrong with any translation, one line each."""
    for language in project.translated:
        terms = glossary(project, language)
        for name in CATALOGUES:
            place = project.catalogue(name, language).relative_to(project.root).as_posix()
            wrong = catalogue_wrong(project.read(name, language), project.messages(name), terms)
            yield from (f"{place}: {what}" for what in wrong)
        yield from files_wrong(project, language)
