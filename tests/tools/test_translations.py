"""The translations of this clone are whole and right, and each check fails on a copy that is damaged."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from word_checks import everything_wrong, fixed, glossary, message_wrong, terms_wrong
from words import COMMANDS, Project, update

ROOT = Path(__file__).resolve().parents[2]
SEND = "A driver that has a connected socket"


@pytest.fixture
def copy(tmp_path: Path) -> Project:
    """A copy of all that translations are made of, in which something is then damaged. Only Japanese is checked in it."""
    for part in ("docs", "notebooks", "wsklab/locale"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("hooks", "theme", ".ipynb_checkpoints"))
    project = Project(tmp_path)
    del project.languages["fr"]
    return project


def edit(project: Project, name: str, start: str, old: str, new: str) -> None:
    """Change the translation of the message that starts so; then make the files anew, so that they are not to blame."""
    entries = project.read(name, "ja")
    (entry,) = (entry for entry in entries if entry.msgid.startswith(start) and not entry.obsolete)
    assert old in entry.msgstr
    entry.msgstr = entry.msgstr.replace(old, new)
    project.catalogue(name, "ja").write_text(str(entries), "utf-8")
    COMMANDS["compile"](project)


def test_nothing_is_wrong_with_any_translation() -> None:
    assert "\n".join(everything_wrong(Project())) == "", "python3 kit.py words report says the same"


def test_catalogues_of_lessons_and_pages_are_in_step(copy: Project) -> None:
    before = {path: path.read_text("utf-8") for path in sorted((copy.root / "docs" / "locale").rglob("*.po"))}
    assert COMMANDS["update"](copy) == 0
    assert {path: path.read_text("utf-8") for path in sorted((copy.root / "docs" / "locale").rglob("*.po"))} == before


@pytest.mark.parametrize(
    ("name", "start", "old", "new", "wrong"),
    [
        pytest.param(
            "lessons",
            SEND,
            "`STATUS_MORE_PROCESSING_REQUIRED`",
            "`STATUS_SUCCESS`",
            ["the code STATUS_MORE_PROCESSING_REQUIRED is missing", "the code STATUS_SUCCESS is not in the English"],
            id="status",
        ),
        pytest.param(
            "lessons",
            "What SendData hands over",
            "SendData",
            "SendDate",
            ["the name SendData is missing", "the name SendDate is not in the English"],
            id="identifier in a comment",
        ),
        pytest.param("pages", "You need Python 3.11", "3.11", "3.12", ["the number 3.11 is missing"], id="number"),
        pytest.param(
            "pages",
            "The first run makes",
            "--port",
            "--prot",
            ["the code python3 kit.py --port 8080 is missing", "the code python3 kit.py --prot 8080 is not in the English"],
            id="flag",
        ),
        pytest.param(
            "pages",
            "[Start](start.md)",
            "(start.md)",
            "(index.md)",
            ["the link start.md is missing", "the link index.md is not in the English"],
            id="link",
        ),
        pytest.param(
            "pages",
            "[Start](start.md)",
            "{ .md-button }",
            "{ .md-buttom }",
            ["the mark { .md-button } is missing", "the mark { .md-buttom } is not in the English"],
            id="attribute",
        ),
        pytest.param(
            "engine",
            "handed over to {target}",
            "{target}",
            "{goal}",
            ["the mark {target} is missing", "the mark {goal} is not in the English"],
            id="placeholder",
        ),
        pytest.param(
            "lessons",
            SEND,
            "完了ルーチン",
            "終了ルーチン",
            [
                "'completion routine' is '完了ルーチン' in the glossary; if it means something else here: "
                "# may differ: completion routine"
            ],
            id="term",
        ),
        pytest.param("lessons", SEND, "", "", [], id="no damage"),
    ],
)
def test_a_damaged_message_is_named(copy: Project, name: str, start: str, old: str, new: str, wrong: list[str]) -> None:
    edit(copy, name, start, old, new)
    place = copy.catalogue(name, "ja").relative_to(copy.root).as_posix()
    (message,) = (message for message in copy.messages(name) if message.startswith(start))
    assert list(everything_wrong(copy)) == [f"{place}: {message[:60]!r}: {what}" for what in wrong]


def test_a_translation_that_adds_a_heading_is_named_twice(copy: Project) -> None:
    edit(copy, "lessons", "Welcome", "ようこそ", "ようこそ\n## 追加")
    assert list(everything_wrong(copy)) == [
        "docs/locale/ja/lessons.po: 'Welcome': it has a line break",
        "notebooks/ja/00_welcome.ipynb: its cells, headings or code are not those of the English",
    ]


def test_the_languages_are_listed_nowhere_else() -> None:
    listing = re.compile(r"""(["'])ja\1.*(["'])fr\2|(["'])fr\3.*(["'])ja\4""")
    sources = [path for part in ("wsklab", "tools", "docs/hooks") for path in sorted((ROOT / part).rglob("*.py"))]
    found = {
        f"{path.relative_to(ROOT).as_posix()}:{number}": line.strip()
        for path in [ROOT / "kit.py", *sources, *sorted((ROOT / "docs/theme").rglob("*.js"))]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if listing.search(line)
    }
    assert found == {}


def test_a_message_that_stands_there_twice_is_named(copy: Project) -> None:
    path = copy.catalogue("engine", "ja")
    path.write_text(path.read_text("utf-8") + '\nmsgid "your driver"\nmsgstr "ドライバー"\n', "utf-8")
    assert list(everything_wrong(copy)) == ["wsklab/locale/ja.po: 'your driver': stands there 2 times"]


def test_an_untranslated_message_is_named_and_stays_english(copy: Project) -> None:
    edit(copy, "pages", "Read and look", "読む", "")
    assert list(everything_wrong(copy)) == ["docs/locale/ja/pages.po: 'Read and look': is not translated"]
    assert "## Read and look\n" in (copy.root / "docs/ja/start.md").read_text("utf-8")


def test_a_message_whose_english_has_changed_is_named_until_somebody_has_looked(copy: Project) -> None:
    page = copy.root / "docs" / "en" / "start.md"
    page.write_text(page.read_text("utf-8").replace("3.11 or newer", "3.12 or newer"))
    (former,) = (message for message in Project().messages("pages") if message.startswith("You need Python 3.11 or newer"))
    changed = former.replace("3.11", "3.12")
    pages = "docs/locale/ja/pages.po"
    stale = "docs/ja/start.md: is not what its catalogue makes of the English; run: python3 kit.py words compile"
    assert list(everything_wrong(copy)) == [
        f"{pages}: {changed[:60]!r}: is not in the catalogue; run: python3 kit.py words update",
        f"{pages}: {former[:60]!r}: nothing says it any more; run: python3 kit.py words update",
        stale,
    ]
    COMMANDS["update"](copy)
    fuzzy = f"{pages}: {changed[:60]!r}: its English has changed: look at the translation, then delete the line with “fuzzy”"
    assert list(everything_wrong(copy)) == [fuzzy, stale]
    (entry,) = copy.read("pages", "ja").fuzzy_entries()
    assert (entry.msgid, entry.previous_msgid, "3.11" in entry.msgstr) == (changed, former, True)
    COMMANDS["compile"](copy)
    assert list(everything_wrong(copy)) == [fuzzy]
    assert changed in (copy.root / "docs/ja/start.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "also"),
    [
        ("docs/ja/start.md", "3.11 以降", "3.10 以降", ""),
        ("docs/ja/start.md", "## 読む", "### 読む", "its cells, headings or code are not those of the English"),
        ("docs/mkdocs.ja.yml", "はじめかた", "始め方", ""),
        (
            "notebooks/ja/01_connection_send.ipynb",
            "lab.run()",
            "lab.ran()",
            "its cells, headings or code are not those of the English",
        ),
    ],
)
def test_a_made_file_that_was_edited_is_named(copy: Project, file: str, old: str, new: str, also: str) -> None:
    path = copy.root / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    wrong = ["is not what its catalogue makes of the English; run: python3 kit.py words compile", *([also] if also else [])]
    assert list(everything_wrong(copy)) == [f"{file}: {what}" for what in wrong]


def test_a_file_that_is_made_from_nothing_is_named(copy: Project) -> None:
    (copy.root / "docs/ja/old.md").write_text("# 古い\n", "utf-8")
    (copy.root / "notebooks/ja/09_old.ipynb").write_text("{}")
    assert list(everything_wrong(copy)) == [
        "notebooks/ja/09_old.ipynb: is made from nothing; delete it",
        "docs/ja/old.md: is made from nothing; delete it",
    ]


def test_an_english_page_that_has_gone_takes_its_translation_along(copy: Project) -> None:
    (copy.root / "docs/en/design.md").unlink()
    COMMANDS["update"](copy)
    assert list(everything_wrong(copy)) == ["docs/ja/design.md: is made from nothing; delete it"]
    assert '#~ msgid "The design of wsklab"' in copy.catalogue("pages", "ja").read_text("utf-8")


def test_what_is_the_same_in_every_language() -> None:
    said = (
        "Call `IoFreeIrp` on 2 IRPs, 16,000 or 1.5 times, with --lang or WSK_FLAG_X at 0x1F, see [b](../x.md#there), "
        "[c](https://learn.microsoft.com/en-us/y) and {what} in an x64 kernel."
    )
    assert fixed(said) == {
        "code": {"IoFreeIrp"},
        "link": {"../x.md", "https://learn.microsoft.com/y"},
        "mark": {"{what}"},
        "name": {"IRP", "--lang", "WSK_FLAG_X", "0x1F", "x64"},
        "number": {"2", "16000", "1.5"},
    }
    assert fixed("16\u202f000, 1,5") == fixed("16,000 1.5") == fixed("16\u00a0000 und 1.5")


@pytest.mark.parametrize(
    ("language", "message", "translation", "found"),
    [
        ("ja", "Complete the request.", "要求を完了してください。", True),
        ("ja", "Complete the request.", "要求を終わらせてください。", False),
        ("fr", "The lower device completes it.", "Le périphérique inférieur l’achève.", True),
        ("fr", "The lower device completes it.", "Le périphérique inférieur le termine.", False),
        ("fr", "It is handed over.", "Il est remis.", True),
        ("fr", "in non-paged pool", "en pool non paginé", True),
        ("fr", "in the nonpaged pool", "dans la réserve non paginée", False),
    ],
)
def test_a_term_is_found_in_its_forms(language: str, message: str, translation: str, found: bool) -> None:
    entry = polib.POEntry(msgid=message, msgstr=translation)
    assert (list(terms_wrong(entry, glossary(Project(), language))) == []) == found


def test_an_exception_is_said_in_the_catalogue() -> None:
    entry = polib.POEntry(msgid="Complete the text STOP", msgstr="Complétez le texte ARRÊT")
    terms = glossary(Project(), "fr")
    assert [*message_wrong(entry), *terms_wrong(entry, terms)] == [
        "the name STOP is missing",
        "'complete (an IRP)' is 'achever' in the glossary; if it means something else here: # may differ: complete (an IRP)",
    ]
    entry.tcomment = "A note.\nmay differ: complete (an IRP), STOP"
    assert [*message_wrong(entry), *terms_wrong(entry, terms)] == []


def test_a_term_has_one_line_in_the_glossary() -> None:
    english = [term.english.pattern for term in glossary(Project(), "ja")]
    assert sorted(english) == sorted(set(english))


def test_an_update_of_the_engines_catalogue_leaves_the_order_alone() -> None:
    entries = polib.pofile('msgid "b"\nmsgstr "B"\n\nmsgid "gone for ever"\nmsgstr "G"\n\nmsgid "a"\nmsgstr "A"\n')
    messages = Project().messages("pages")
    chosen = {key: messages["Home"] for key in ("a", "new one", "b")}
    update(entries, chosen, keep_order=True)
    assert [(entry.msgid, entry.msgstr, bool(entry.obsolete)) for entry in entries] == [
        ("b", "B", False),
        ("a", "A", False),
        ("new one", "", False),
        ("gone for ever", "G", True),
    ]
    update(entries, {"gone for ever": messages["Home"], **chosen}, keep_order=False)
    assert [(entry.msgid, entry.msgstr, bool(entry.obsolete)) for entry in entries] == [
        ("gone for ever", "G", False),
        ("a", "A", False),
        ("new one", "", False),
        ("b", "B", False),
    ]


def test_the_commands_of_kit(tmp_path: Path) -> None:
    def words(command: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "tools/words.py", command], cwd=ROOT, capture_output=True, encoding="utf-8")
        return done.returncode, done.stdout

    lessons = len(Project().messages("lessons"))
    status, said = words("extract")
    assert (status, f"build/locale/lessons.pot: {lessons} messages" in said.splitlines()) == (0, True)
    assert len(polib.pofile(str(ROOT / "build/locale/lessons.pot"))) == lessons
    status, said = words("report")
    whole = f"ja lessons  100 % of {lessons} messages; 0 untranslated, 0 whose English has changed"
    assert (status, whole in said.splitlines()) == (0, True)
    assert words("compile") == (0, "")


def test_a_link_between_folders_of_a_language_stays_in_it(copy: Project) -> None:
    page = copy.root / "docs/en/start.md"
    page.write_text(page.read_text("utf-8") + "\nSee [how](../../docs/en/start.md) it starts.\n", "utf-8")
    made = {path.name: text for path, text in copy.made("ja")}
    assert "See [how](../../docs/ja/start.md) it starts.\n" in made["start.md"]
