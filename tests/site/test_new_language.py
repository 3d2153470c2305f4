"""A language is added the way CONTRIBUTING.md says: a name, and its catalogues. The site is built in it and opened.

The language is a pseudo-language: English with accents on its letters, between brackets, with all that may not be translated left
alone. It goes by the code of Esperanto, one that the theme of the site knows; nothing else of the project has heard of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from playwright.sync_api import Browser

import kit

from .conftest import ROOT

pytestmark = pytest.mark.slow
CODE, NAME = "eo", "Pseŭdo"
PARTS = ("docs", "examples", "notebooks", "tools", "wsklab", "tests/programs")
FILES = ("kit.py", "mkdocs.yml", "requirements.txt", "pyproject.toml")
ACCENTS = str.maketrans("aceginorsuyACEGINORSUY", "áćéğíñóŕšúýÁĆÉĞÍÑÓŔŠÚÝ")
sys.path.insert(0, str(ROOT / "tools"))


def pseudo(message: str) -> str:
    """A message in the pseudo-language: what is the same in every language stays, all other words get accents."""
    from word_checks import fixed

    kept = sorted(set().union(*fixed(message).values()), key=len, reverse=True)
    # Code, links and the signs of Markdown are kept whole, so that no token is found inside a word.
    pattern = r"`+[^`]*`+|\]\([^)]*\)|<[^>]*>|\{[^{}]*\}|" + "|".join(
        rf"(?<!\w){re.escape(token)}s?(?!\w)" for token in kept or ["`"]
    )
    said = re.sub(rf"({pattern})|[A-Za-z]+", lambda found: found[1] or found[0].translate(ACCENTS), message)
    return f"⟦{said}⟧"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, the language added and translated."""
    clone = tmp_path_factory.mktemp("clone")
    for part in PARTS:
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for file in FILES:
        shutil.copy(ROOT / file, clone / file)
    with (clone / "docs" / "languages.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[{CODE}]\nname = "{NAME}"\n')
    return clone


def words(clone: Path, command: str) -> list[str]:
    """Run a command of the translations in the clone; it must end well."""
    done = subprocess.run([sys.executable, "tools/words.py", command], cwd=clone, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def translated(clone: Path) -> Path:
    """The clone with its catalogues filled in and everything made from them."""
    made = [line for line in words(clone, "update") if line.startswith(CODE)]
    assert [re.sub(r"\d+ messages; \d+", "N messages; N", line) for line in made] == [
        f"{CODE} {name:8}   0 % of N messages; N untranslated, 0 whose English has changed"
        for name in ("engine", "lessons", "pages")
    ]
    for name in (f"wsklab/locale/{CODE}.po", f"docs/locale/{CODE}/lessons.po", f"docs/locale/{CODE}/pages.po"):
        entries = polib.pofile(str(clone / name), wrapwidth=10**6)
        for entry in entries:
            entry.msgstr = pseudo(entry.msgid)
        (clone / name).write_text(str(entries), encoding="utf-8")
    before = {path.name for path in (clone / "notebooks").iterdir()}
    words(clone, "compile")
    assert {path.name for path in (clone / "notebooks").iterdir()} == before | {CODE}
    return clone


def test_nothing_is_wrong_with_the_pseudo_language(translated: Path) -> None:
    assert [line for line in words(translated, "report") if line.startswith(CODE) and " 100 %" not in line] == []


@pytest.fixture(scope="module")
def address(translated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site of that language alone, built and served."""
    site = tmp_path_factory.mktemp("pseudo") / CODE
    config = f"docs/mkdocs.{CODE}.yml"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", str(site)]
    # The kernels of the notebooks import the engine of the clone.
    env = {**os.environ, "PYTHONPATH": str(translated), "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=translated, env=env, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    with kit.bind(0, site.parent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield "http://{}:{}/{}/".format(*server.server_address[:2], CODE)
        server.shutdown()
        thread.join()


def test_its_site_is_built_and_opens_in_it(browser: Browser, address: str, translated: Path) -> None:
    page = browser.new_page()
    page.goto(address + "lessons/01_connection_send/", wait_until="networkidle")
    assert page.locator("html").get_attribute("lang") == CODE
    assert page.locator("h1").inner_text().rstrip("¶").strip() == pseudo("Sending data over a connection-oriented socket")
    listing = page.locator(".wsk-code").nth(1).inner_text()
    assert pseudo("Send one buffer on a connected socket.") in listing and "IoAllocateIrp(" in listing
    drawn = page.locator(".wsk-shown svg").first.evaluate("picture => picture.textContent")
    assert pseudo("your driver") in drawn and "WskSend" in drawn
    assert pseudo("Rule book") in page.locator(".md-nav--primary").first.evaluate("bar => bar.textContent")
    names = [one["name"] for one in tomllib.loads((translated / "docs" / "languages.toml").read_text("utf-8")).values()]
    page.locator(".md-header .md-select button").hover()
    assert page.locator(".md-select__link").all_inner_texts() == names
    assert names[-1] == NAME
    page.goto(address + "rules/irp/", wait_until="networkidle")
    assert "⟦" in page.locator("article h2").first.inner_text()
    page.close()
