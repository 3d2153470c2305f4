"""The picture of a run on the home page and in the README: made by the engine, so that it never shows what it no longer draws.

A page says ``<!-- timeline -->`` where it wants it. ``python docs/hooks/picture.py`` writes the one of the README anew.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from wsklab import Lab

ROOT = Path(__file__).resolve().parents[2]
LISTING = ROOT / "tests" / "programs" / "send_data.c"
README_PICTURE = ROOT / "docs" / "assets" / "timeline.svg"
_MARK = "<!-- timeline -->"


def timeline(language: str) -> str:
    """The run that everything begins with, as SVG: one send on a connected socket, completed later."""
    lab = Lab(language=language)
    driver = lab.load(LISTING.read_text(encoding="utf-8"), name="send.c")
    driver.SendData(lab.connected_socket().socket, lab.buffer(b"hello"))
    lab.run()
    return str(lab.timeline().svg)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the picture where the page asks for it."""
    if _MARK not in html:
        return html
    return html.replace(_MARK, f'<div class="wsk-shown">{timeline(str(config.theme["language"]))}</div>')


if __name__ == "__main__":
    README_PICTURE.parent.mkdir(exist_ok=True)
    README_PICTURE.write_text(timeline("en") + "\n", encoding="utf-8")
