"""Words: the small PO reader, and that every template of the engine is in every catalogue."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from wsklab.words import chosen_language, parse_po, translate

LOCALE = Path(__file__).resolve().parent.parent / "wsklab" / "locale"
PO = r"""# A comment
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"

#: wsklab/show/steps.py
msgid "your driver"
msgstr "votre pilote"

#, fuzzy
msgid "guessed"
msgstr "deviné"

msgid "two "
"lines\n\"quoted\" \\n"
msgstr "deux "
"lignes\n« citées » \\n"

msgid "empty"
msgstr ""

#~ msgid "gone"
#~ msgstr "parti"
"""


def test_a_catalogue_is_read() -> None:
    assert parse_po(PO) == {"your driver": "votre pilote", 'two lines\n"quoted" \\n': "deux lignes\n« citées » \\n"}


def test_plurals_and_contexts_are_refused() -> None:
    with pytest.raises(ValueError, match="PO line 1: msgctxt is not used here"):
        parse_po('msgctxt "x"\nmsgid "a"\nmsgstr "b"\n')


def test_an_unknown_key_stays_english_and_a_missing_value_stays_visible() -> None:
    assert translate("No such {thing} here, {who}", "ja", thing="key") == "No such key here, {who}"


def test_doubled_braces_are_braces_and_what_is_no_template_is_left_alone() -> None:
    assert translate("A }} is missing.", "en") == "A } is missing."
    assert translate("struct { int x; }", "en") == "struct { int x; }"


def test_a_japanese_word_is_followed_by_its_particle_without_a_space() -> None:
    shown = [translate("handed over to {target}", "ja", target=target) for target in ("フレームワーク", "WSK")]
    assert shown == ["フレームワークに渡された", "WSK に渡された"]


def test_the_language_is_chosen_by_argument_then_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WSKLAB_LANG", raising=False)
    assert [chosen_language(code) for code in (None, "fr", "ja_JP.UTF-8", "FR-ca", "de")] == ["en", "fr", "ja", "fr", "en"]
    monkeypatch.setenv("WSKLAB_LANG", "ja")
    assert (chosen_language(), chosen_language("fr")) == ("ja", "fr")


@pytest.mark.parametrize("language", ("ja", "fr"))
def test_our_reader_reads_a_catalogue_as_babel_does(language: str) -> None:
    pofile = pytest.importorskip("babel.messages.pofile")
    with (LOCALE / f"{language}.po").open(encoding="utf-8") as file:
        theirs = {entry.id: entry.string for entry in pofile.read_po(file) if entry.id and entry.string and not entry.fuzzy}
    assert parse_po((LOCALE / f"{language}.po").read_text("utf-8")) == theirs


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    sys.path.insert(0, str(Path(__file__).parent))
    from words_keys import engine_keys

    return engine_keys()


@pytest.mark.parametrize("language", ("ja", "fr"))
def test_every_text_of_the_engine_is_translated_and_nothing_else(language: str, keys: dict[str, str]) -> None:
    known = parse_po((LOCALE / f"{language}.po").read_text("utf-8"))
    missing, stale = keys.keys() - known.keys(), known.keys() - keys.keys()
    assert ({key: keys[key] for key in missing}, stale) == ({}, set()), "run: python tests/words_keys.py"


@pytest.mark.parametrize("language", ("ja", "fr"))
def test_a_translation_keeps_the_placeholders_and_identifiers(language: str) -> None:
    known = parse_po((LOCALE / f"{language}.po").read_text("utf-8"))
    assert {key: text for key, text in known.items() if _fixed(key) != _fixed(text)} == {}


def _fixed(text: str) -> set[str]:
    """Placeholders, and what looks like a name of C or Windows: these are the same in every language."""
    names = re.findall(r"\b(?:[A-Z]{2,}_\w+|(?:Io|Ke|Wsk|Wdf|Mm|Ex|Ps|Ob|Rtl|Zw)[A-Z]\w+)\b", text, re.ASCII)
    return set(re.findall(r"\{\w+\}", text)) | set(names)
