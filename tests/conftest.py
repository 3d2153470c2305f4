"""What every test may use: the seed documents and the folders of the project.

The seeds are pages of Microsoft's documentation. They are not ours and are never copied into the project: they lie in
``../shared/seeds`` beside the clone. Where that folder is absent (a plain clone), tests that need it are skipped and say so.
``WSKLAB_SHARED`` names another place for the ``shared`` folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = tuple(tomllib.loads((ROOT / "docs" / "languages.toml").read_text("utf-8")))

# The page around a listing ends here; the listing itself is taken as it stands, comments and "..." and all.
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Seed:
    """One seed document: its file name, its whole text and the C listings in it (untouched), in the order of the page."""

    name: str
    text: str
    listings: tuple[str, ...]

    @property
    def listing(self) -> str:
        """The only listing of the page.

        Raises:
            AssertionError: the page has none, or more than one.
        """
        assert len(self.listings) == 1, f"{self.name} has {len(self.listings)} listings"
        return self.listings[0]


def _listings(text: str) -> tuple[str, ...]:
    """The C listings of a page: fenced blocks, or (a page saved as plain text) from the first code line to the last."""
    fenced = tuple(match.group(1) for match in _FENCE.finditer(text))
    if fenced:
        return fenced
    lines = text.splitlines(keepends=True)
    code = [number for number, line in enumerate(lines) if re.match(r"(//|/\*|[{}]|  \S|NTSTATUS\b)", line)]
    return ("".join(lines[code[0] : code[-1] + 1]),) if code else ()


def shared_folder() -> Path:
    """Where ``shared`` is expected: ``$WSKLAB_SHARED``, or beside the clone."""
    return Path(os.environ.get("WSKLAB_SHARED") or ROOT.parent / "shared")


def load_seed(number: str) -> Seed:
    """Read the seed document whose file name starts with `number` ("000").

    Raises:
        pytest.skip.Exception: there is no folder of seeds beside this clone.
        AssertionError: the folder is there, but not that seed, or there are several.
    """
    folder = shared_folder() / "seeds"
    if not folder.is_dir():
        pytest.skip(f"the seed documents are not beside this clone (looked in {folder}); this test reads seed {number}")
    found = sorted(folder.glob(f"{number}_*"))
    assert len(found) == 1, f"seed {number}: expected one file in {folder}, found {[path.name for path in found]}"
    text = found[0].read_text(encoding="utf-8")
    return Seed(found[0].name, text, _listings(text))


@pytest.fixture(scope="session")
def seed() -> Callable[[str], Seed]:
    """``seed("000")`` is that seed document; ``seed("000").listing`` its C text exactly as in the file."""
    return load_seed


@pytest.fixture(scope="session")
def facts() -> Callable[[str], str]:
    """``facts("layouts.json")`` is the text of that file of facts; skipped, and said so, where the folder is absent."""

    def read(name: str) -> str:
        folder = shared_folder() / "facts"
        if not folder.is_dir():
            pytest.skip(f"the fact files are not beside this clone (looked in {folder}); this test reads {name}")
        return (folder / name).read_text(encoding="utf-8")

    return read


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the project."""
    return ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--accept`` writes the expected texts of tests/stops anew."""
    parser.addoption("--accept", action="store_true", help="write the expected texts of tests/stops anew")
