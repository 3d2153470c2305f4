"""Colours and type of all pictures, light and dark: ``colours.toml``, ``picture.css`` and ``panel.css`` beside this module.

One SVG must read well in three places: inline on the site (Material sets ``data-md-color-scheme``), as an image in JupyterLab
(only ``prefers-color-scheme`` reaches inside), and inline in a widget in JupyterLab (``data-jp-theme-light`` on the page).
So every picture carries its colours as CSS custom properties under all three selectors (facts/site.md, section 4).
"""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources

COLOURS: dict[str, tuple[str, str]] = tomllib.loads(resources.files(__package__).joinpath("colours.toml").read_text("utf-8"))
"""name → (light, dark)."""

IRP_COLOURS = 4


@functools.cache
def stylesheet(name: str = "picture") -> str:
    """The rules of ``picture.css`` or ``panel.css`` on one line, colours filled in."""
    text = re.sub(r"(?s)/\*.*?\*/", "", resources.files(__package__).joinpath(f"{name}.css").read_text("utf-8"))
    for which, word in enumerate(("LIGHT", "DARK")):
        text = text.replace(word, ";".join(f"--{name}:{pair[which]}" for name, pair in COLOURS.items()))
    return "".join(map(str.strip, text.splitlines()))
