"""The translations: `python3 kit.py words extract`, `update`, `compile` or `report`.

English is the source. What is translated lies in gettext catalogues, three per language:

    wsklab/locale/<language>.po          engine   what the engine says; it reads them itself when it runs
    docs/locale/<language>/lessons.po    lessons  text cells, and comments in code cells
    docs/locale/<language>/pages.po      pages    pages, comments in their code, navigation and words of the site

Two rules hold. Translated notebooks, pages and configurations are made from these and the English ones, and never written by
hand; what has no translation stays English there. And a translation whose English has changed is not used until somebody has
looked at it: `update` marks it as fuzzy and keeps the former English beside it.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polib
import texts
from engine_words import engine_keys

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "en"
CATALOGUES = ("engine", "lessons", "pages")
_NO_WRAPPING = 10**6
_ALIKE = 0.6  # from here on a changed message is taken for the one that has gone


@dataclass
class Message:
    """A message in English: the files it stands in, and what it is there."""

    places: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


class Project:
    """The sources, catalogues and translations under a folder, which is this clone, or a copy in a test."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.languages: dict[str, dict[str, Any]] = tomllib.loads((root / "docs" / "languages.toml").read_text("utf-8"))

    @property
    def translated(self) -> list[str]:
        """The languages beside English."""
        return [code for code in self.languages if code != SOURCE]

    def catalogue(self, name: str, language: str) -> Path:
        """Where a catalogue lies."""
        if name == "engine":
            return self.root / "wsklab" / "locale" / f"{language}.po"
        return self.root / "docs" / "locale" / language / f"{name}.po"

    def read(self, name: str, language: str) -> polib.POFile:
        """A catalogue; an empty one if there is none yet."""
        path = self.catalogue(name, language)
        if path.is_file():
            return polib.pofile(str(path), wrapwidth=_NO_WRAPPING)
        empty = polib.POFile(wrapwidth=_NO_WRAPPING)
        empty.header = f"wsklab: {name}, {self.languages[language]['name']}.\nTerms: docs/glossary.csv."
        empty.metadata = {
            "Project-Id-Version": "wsklab",
            "Language": language,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
        }
        return empty

    def sources(self, name: str) -> Iterator[tuple[Path, Callable[..., str]]]:
        """The English files behind a catalogue, each with what takes it apart."""
        if name == "lessons":
            yield from ((path, texts.notebook) for path in sorted((self.root / "notebooks" / SOURCE).glob("*.ipynb")))
        elif name == "pages":
            yield from ((path, texts.markdown) for path in sorted((self.root / "docs" / SOURCE).rglob("*.md")))
            yield self.root / "docs" / f"mkdocs.{SOURCE}.yml", texts.configuration

    def messages(self, name: str) -> dict[str, Message]:
        """Every message of a catalogue, in the order of its files."""
        found: dict[str, Message] = {}
        if name == "engine":
            return {key: Message([where]) for key, where in engine_keys().items()}
        for path, walk in self.sources(name):
            place = path.relative_to(self.root).as_posix()

            def remember(message: str, kind: str, place: str = place) -> str:
                known = found.setdefault(message, Message())
                known.places += [place] * (place not in known.places)
                known.kinds += [kind] * (kind not in known.kinds)
                return message

            walk(path.read_text("utf-8"), remember)
        return found

    def made(self, language: str) -> Iterator[tuple[Path, str]]:
        """Every file of a translation with what it must hold."""
        for name in CATALOGUES:
            known = {entry.msgid: entry.msgstr for entry in self.read(name, language) if entry.translated()}

            def say(message: str, kind: str, known: dict[str, str] = known) -> str:
                return known.get(message, message).replace(f"/docs/{SOURCE}/", f"/docs/{language}/")

            for path, walk in self.sources(name):
                place = path.relative_to(self.root).as_posix()
                note = f"made from {place} and the catalogue {name}.po: python3 kit.py words compile"
                target = self.root / place.replace(f"/{SOURCE}/", f"/{language}/").replace(f".{SOURCE}.", f".{language}.")
                english = path.read_text("utf-8")
                if walk is texts.configuration:
                    yield target, f"# {note}\n" + walk(english, say, language, self.languages[language].get("search"))
                elif walk is texts.notebook:
                    yield target, walk(english, say).replace('\n "metadata": {', f'\n "metadata": {{\n  "wsklab": "{note}",', 1)
                else:
                    yield target, walk(english, say).replace("---\n", f"---\n# {note}\n", 1)


def update(entries: polib.POFile, messages: dict[str, Message], keep_order: bool) -> None:
    """Bring a catalogue in step with the messages.

    New ones are added, untranslated; changed ones keep their translation, marked as fuzzy; the ones that have gone go to the end,
    commented out.

    Args:
        entries: the catalogue.
        messages: what it must hold.
        keep_order: new ones come last, instead of where they stand in the text.
    """
    known = {entry.msgid: entry for entry in entries}
    gone = {key: entry for key, entry in known.items() if key not in messages and entry.msgstr}
    order = list(messages)
    if keep_order:
        order = [key for key in known if key in messages] + [key for key in messages if key not in known]
    entries.clear()
    for key in order:
        entry = known.get(key) or _changed(key, gone) or polib.POEntry(msgid=key)
        entry.obsolete = False
        entry.occurrences = [(place, "") for place in messages[key].places]
        entry.comment = ", ".join(messages[key].kinds)
        entries.append(entry)
    for entry in gone.values():
        entry.obsolete, entry.occurrences, entry.comment = True, [], ""
        entries.append(entry)


def _changed(message: str, gone: dict[str, polib.POEntry]) -> polib.POEntry | None:
    """An entry for a message that looks like a changed one: with the translation of the former."""
    for former in difflib.get_close_matches(message, gone, 1, _ALIKE):
        entry = gone.pop(former)
        entry.msgid, entry.previous_msgid, entry.flags = message, former, ["fuzzy"]
        return entry
    return None


# ---------------------------------------------------------------- commands


def _extract(project: Project) -> int:
    """Write the templates, for tools that start from them, into build/locale."""
    for name in CATALOGUES:
        template = polib.POFile(wrapwidth=_NO_WRAPPING)
        template.metadata = {"Project-Id-Version": "wsklab", "Content-Type": "text/plain; charset=UTF-8"}
        update(template, project.messages(name), keep_order=False)
        path = project.root / "build" / "locale" / f"{name}.pot"
        path.parent.mkdir(parents=True, exist_ok=True)
        template.save(str(path))
        print(f"{path.relative_to(project.root).as_posix()}: {len(template)} messages")
    return 0


def _update(project: Project) -> int:
    """Bring every catalogue in step with the English, and make the ones that a new language lacks."""
    for name in CATALOGUES:
        messages = project.messages(name)
        for language in project.translated:
            entries = project.read(name, language)
            update(entries, messages, keep_order=name == "engine")
            path = project.catalogue(name, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(entries), encoding="utf-8", newline="\n")
            print(_state(name, language, entries))
    return 0


def _compile(project: Project) -> int:
    """Make the notebooks, pages and configurations of every language."""
    for language in project.translated:
        for path, content in project.made(language):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.read_text("utf-8") != content:
                path.write_text(content, encoding="utf-8", newline="\n")
                print(path.relative_to(project.root).as_posix())
    return 0


def _report(project: Project) -> int:
    """Print how complete each catalogue is, and what is wrong in any; the status is 1 if something is."""
    from word_checks import everything_wrong

    for language in project.translated:
        for name in CATALOGUES:
            print(_state(name, language, project.read(name, language)))
    wrong = list(everything_wrong(project))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _state(name: str, language: str, entries: polib.POFile) -> str:
    live = len(entries) - len(entries.obsolete_entries())
    fuzzy, empty = len(entries.fuzzy_entries()), len(entries.untranslated_entries())
    share = 100 * (live - fuzzy - empty) // (live or 1)
    return f"{language} {name:8} {share:3} % of {live} messages; {empty} untranslated, {fuzzy} whose English has changed"


COMMANDS = {"extract": _extract, "update": _update, "compile": _compile, "report": _report}


def main() -> int:
    """Do what the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="kit.py words", description=(__doc__ or "").partition("\n\n")[2])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(title="commands", metavar="", required=True)
    for name, function in COMMANDS.items():
        one = commands.add_parser(name, help=(function.__doc__ or "").partition("\n")[0])
        one.set_defaults(run=function)
    status: int = parser.parse_args().run(Project())
    return status


if __name__ == "__main__":
    sys.exit(main())
