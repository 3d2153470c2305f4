"""The page "The lab from Python": every listing runs as it stands, in order, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from wsklab.words import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
LISTINGS = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
ADDRESS = re.compile(r"\b(?:0x)?ffff[0-9a-f]{12}\b")


def listings(language: str) -> list[tuple[str, str]]:
    return LISTINGS.findall((ROOT / "docs" / language / "python.md").read_text("utf-8"))


def test_every_listing_prints_what_stands_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WSKLAB_LANG", raising=False)
    names: dict[str, Any] = {}
    for listing, expected in listings("en"):
        exec(listing, names)
        printed = capsys.readouterr().out
        assert ADDRESS.sub("ADDRESS", printed).splitlines() == ADDRESS.sub("ADDRESS", expected).splitlines(), listing
    shown = "lab.start_driver lab.open lab.pnp lab.strict lab.journey suspend() resume() lab.look lab.locals lab.hex_dump"
    code = "\n".join(listing for listing, _ in listings("en"))
    assert [name for name in [*shown.split(), "lab.single_steps", "lab.capture"] if name not in code] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translated_pages_show_the_same_listings(language: str) -> None:
    assert listings(language) == listings("en")
