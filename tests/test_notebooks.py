"""The lessons: each runs from top to bottom in each language, and the languages are the same lesson.

What may differ is text and comments. Headings, order and kinds of cells, tags, links, code and the identifiers in the text are
the same. The language's own code ("ja") may stand in code as a string.
"""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from .conftest import LANGUAGES, ROOT

LESSONS = sorted({path.name for path in (ROOT / "notebooks").glob("*/*.ipynb")})
BOTH = [(language, name) for name in LESSONS for language in LANGUAGES]
TRANSLATED = [(language, name) for language, name in BOTH if language != "en"]


def load(language: str, name: str) -> NotebookNode:
    return nbformat.read(ROOT / "notebooks" / language / name, as_version=4)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "name"), BOTH)
def test_lesson_runs_from_top_to_bottom(language: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSKLAB_LANG", language)
    folder = ROOT / "notebooks" / language
    NotebookClient(
        load(language, name), timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_exists_in_every_language(name: str) -> None:
    assert [language for language in LANGUAGES if not (ROOT / "notebooks" / language / name).is_file()] == []


@pytest.mark.parametrize(("language", "name"), BOTH)
def test_lesson_is_stored_without_outputs(language: str, name: str) -> None:
    kept = [
        number
        for number, cell in enumerate(load(language, name).cells, 1)
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None)
    ]
    assert kept == []


@pytest.mark.parametrize(("language", "name"), TRANSLATED)
def test_cells_are_the_same_but_for_words(language: str, name: str) -> None:
    source, translated = load("en", name), load(language, name)
    assert [skeleton(cell, language) for cell in translated.cells] == [skeleton(cell, "en") for cell in source.cells]


@pytest.mark.parametrize(("language", "name"), TRANSLATED)
def test_every_text_cell_is_translated(language: str, name: str) -> None:
    pairs = zip(load("en", name).cells, load(language, name).cells, strict=False)
    same = [
        number
        for number, (source, translated) in enumerate(pairs, 1)
        if source.cell_type == "markdown"
        and source.source == translated.source
        and re.search(r"[A-Za-z]{4,} [a-z]{3,}", source.source)
    ]
    assert same == []


def skeleton(cell: NotebookNode, language: str) -> tuple[object, ...]:
    """What of a cell must be the same in every language."""
    tags = tuple(sorted(cell.metadata.get("tags", [])))
    if cell.cell_type == "code":
        return "code", tags, code_without_comments(cell.source, language)
    text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
    headings = tuple(len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE))
    blocks = tuple(code_without_comments(block, language) for block in re.findall(r"```\w*\n(.*?)```", cell.source, re.DOTALL))
    return cell.cell_type, tags, headings, links(text, language), identifiers(text), blocks


def links(text: str, language: str) -> tuple[str, ...]:
    """Where a text's links lead, the language's part and the anchor (a translated heading) left out, in any order."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    microsoft = r"(?<=learn\.microsoft\.com/)[a-z]{2}-[a-z]{2}/"
    plain = [re.sub(rf"(?<=/){language}(?=/)", "*", re.sub(microsoft, "", target.partition("#")[0])) for target in targets]
    return tuple(sorted(plain))


def identifiers(text: str) -> tuple[str, ...]:
    """Code words of a text, each once, in any order."""
    return tuple(sorted(set(re.findall(r"`([^`\n]+)`", text))))


def code_without_comments(source: str, language: str) -> str:
    """Code as it is for the machine: C or Python without comments, spaces at line ends and the language's own code."""
    if source.startswith("%%c"):
        bare = re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL)
    else:
        bare = _python_without_comments(source)
    bare = re.sub(rf"([\"']){language}\1", '"*"', bare)
    return "\n".join(line.rstrip() for line in bare.splitlines() if line.strip())


def _python_without_comments(source: str) -> str:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return re.sub(r"(//|#)[^\n]*", "", source)  # C, or a shell line
    lines = source.splitlines()
    for token in reversed(tokens):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(lines)


def test_comparison_sees_code_and_ignores_comments() -> None:
    assert code_without_comments("x = 1  # one\n\ny = '#'", "en") == code_without_comments("x = 1  # 一\ny = '#'", "ja")
    assert code_without_comments("%%c a\nint a; // b\n/* c\n d */", "en") == "%%c a\nint a;"
    assert code_without_comments('Lab("ja")', "ja") == code_without_comments('Lab("en")', "en")
    assert code_without_comments("x = 1", "en") != code_without_comments("x = 2", "ja")


def test_seen_from_here(tmp_path: Path) -> None:
    assert links("[a](https://learn.microsoft.com/en-us/x) [b](../../docs/ja/start.md#z)", "ja") == (
        "../../docs/*/start.md",
        "https://learn.microsoft.com/x",
    )
    assert identifiers("`IoFreeIrp` and `IRP`, `IRP`") == ("IRP", "IoFreeIrp")
