"""Words: the small PO reader, and how a language is chosen. What the catalogues must hold: tests/tools/test_translations.py."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wsklab.words import LANGUAGES, chosen_language, parse_po, translate

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


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_our_reader_reads_a_catalogue_as_babel_does(language: str) -> None:
    pofile = pytest.importorskip("babel.messages.pofile")
    with (LOCALE / f"{language}.po").open(encoding="utf-8") as file:
        theirs = {entry.id: entry.string for entry in pofile.read_po(file) if entry.id and entry.string and not entry.fuzzy}
    assert parse_po((LOCALE / f"{language}.po").read_text("utf-8")) == theirs


def test_the_languages_are_those_of_the_site() -> None:
    listed = tomllib.loads((LOCALE.parents[1] / "docs" / "languages.toml").read_text("utf-8"))
    assert sorted(LANGUAGES) == sorted(listed)
    assert LANGUAGES[0] == next(iter(listed)) == "en"
