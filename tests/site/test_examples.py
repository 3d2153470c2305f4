"""The pages of the examples: each program has one in each language, with its files and with what the engine makes of them."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import pytest

from .conftest import FOLDERS, ROOT

sys.path.insert(0, str(ROOT / "docs" / "hooks"))

import lessons  # noqa: E402

import examples  # noqa: E402

PROGRAMS = sorted(path.stem for path in examples.EXAMPLES.glob("*.c"))


def test_what_is_kept_of_a_run_depends_on_every_file_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on the kernel functions that are written in C; not on what Python itself keeps."""
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    include = tmp_path / "wsklab" / "include"
    (include / "__pycache__").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("pcpp==1.30\n")
    (include / "wdmke.c").write_text("VOID KeStallExecutionProcessor(ULONG MicroSeconds);\n")
    first = lessons.engine_hash()
    (include / "__pycache__" / "headers.json").write_text("{}")
    second = lessons.engine_hash()
    (include / "wdmke.c").write_text("VOID KeStallExecutionProcessor(ULONG Microseconds);\n")
    assert first == second != lessons.engine_hash()


def page(built: Path, language: str, name: str) -> str:
    return (built / FOLDERS[language] / "examples" / name / "index.html").read_text("utf-8")


def blocks(text: str) -> list[str]:
    """What stands in the blocks of code of a page."""
    found = re.findall(r'<div class="highlight"><pre><code>(.*?)</code></pre></div>', text, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", block)) for block in found]


@pytest.mark.parametrize("language", FOLDERS)
def test_the_first_page_leads_to_every_program(built: Path, language: str) -> None:
    text = page(built, language, "").partition("<article")[2].partition("</article")[0]
    assert sorted(re.findall(r'<a href="(\w+)/">[^<]+</a>: <code>examples/\1\.c</code>', text)) == PROGRAMS


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_shown_as_it_is_with_what_the_engine_makes_of_it(
    built: Path, monkeypatch: pytest.MonkeyPatch, language: str, name: str
) -> None:
    monkeypatch.delenv("WSKLAB_LANG", raising=False)
    printed, picture = examples.run(examples.EXAMPLES / f"{name}.py", language)
    text = page(built, language, name)
    files = [(examples.EXAMPLES / f"{name}.{kind}").read_text("utf-8") for kind in ("py", "c")]
    assert blocks(text) == [printed, *files]
    # Pictures are numbered in the order in which they are drawn.
    shown, drawn = (re.sub(r"\bwl\d+", "wl", svg.replace("\r", "")) for svg in (text, picture))
    assert f'<div class="wsk-shown">{drawn}</div>' in shown
    assert f"examples/{name}.py picture.svg" in re.sub(r"<[^>]*>", "", text)
