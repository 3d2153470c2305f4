"""Colours and type of all pictures, light and dark, in one table.

One SVG must read well in three places: inline on the site (Material sets ``data-md-color-scheme``), as an image in JupyterLab
(only ``prefers-color-scheme`` reaches inside), and inline in a widget in JupyterLab (``data-jp-theme-light`` on the page).
So every picture carries its colours as CSS custom properties under all three selectors (facts/site.md, section 4).
Rule: every text colour has a contrast of at least 4.5 on every ground it is used on, every mark at least 3; a test computes it.
"""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "bg": ("#ffffff", "#171b22"),  # the card
    "edge": ("#d5dbe1", "#343c48"),  # its border and fine rules
    "ink": ("#1c2128", "#e6e9ee"),  # words
    "mut": ("#57606a", "#a5afbb"),  # secondary words
    "lane": ("#b3bcc6", "#4a5462"),  # lane lines
    "call": ("#0b57a4", "#85bdff"),  # calls and their returns
    "back": ("#7a35a8", "#d2a8ff"),  # callbacks into the driver
    "data": ("#08665d", "#5ed3c3"),  # bytes
    "gap": ("#6b5300", "#e3c55c"),  # gaps and choices
    "stop": ("#a8201a", "#ff9d94"),  # a broken rule
    "stopbg": ("#fdecea", "#3b1715"),
    "irp1": ("#b35900", "#f0883e"),  # pending IRPs
    "irp2": ("#8a3ffc", "#a78bfa"),
    "irp3": ("#00749e", "#38bdf8"),
    "irp4": ("#4d7c0f", "#84cc16"),
    "q0": ("#eef3f7", "#1e2732"),  # IRQL grounds: PASSIVE_LEVEL …
    "q1": ("#fbf3cf", "#35301a"),  # APC_LEVEL
    "q2": ("#fde6d3", "#422a19"),  # DISPATCH_LEVEL
    "q3": ("#f9d7dc", "#4a2029"),  # device levels
}
"""name → (light, dark)."""

TEXT_ON = (
    [(text, "bg") for text in ("ink", "mut", "call", "back", "data", "gap", "stop")]
    + [(text, ground) for text in ("ink", "mut") for ground in ("q0", "q1", "q2", "q3")]
    + [("stop", "stopbg"), ("ink", "stopbg")]
)
"""Which words stand on which ground."""

MARKS = ("irp1", "irp2", "irp3", "irp4", "call", "back", "data", "gap", "stop")
"""Marks that carry meaning on the card."""

IRP_COLOURS = 4

SANS = "system-ui,-apple-system,'Segoe UI','Noto Sans','Hiragino Sans','Yu Gothic UI','Noto Sans CJK JP',sans-serif"
MONO = "ui-monospace,'Cascadia Mono',Consolas,Menlo,'DejaVu Sans Mono','Noto Sans Mono CJK JP',monospace"

_RULES = (
    f".wl text{{font:12px {SANS};fill:var(--ink)}}"
    f".wl .m{{font:11.5px {MONO}}}"
    ".wl text.s{font-size:11px}.wl .b{font-weight:600}.wl .u,.wl .u tspan{fill:var(--mut)}"
    ".wl .h{paint-order:stroke;stroke:var(--bg);stroke-width:4px;stroke-linejoin:round}"
    ".wl path,.wl line{fill:none;stroke-width:1.4}"
    ".wl .l{stroke:var(--lane);stroke-width:1}.wl .e{stroke:var(--edge);stroke-width:1}"
    ".wl .f{stroke:none;fill:currentColor}.wl .d{stroke-dasharray:4 3}"
    + "".join(
        f".wl .{short}{{color:var(--{name});stroke:var(--{name})}}.wl text.{short}{{fill:var(--{name});stroke:none}}"
        for short, name in (("c", "call"), ("k", "back"), ("t", "data"), ("g", "gap"), ("x", "stop"))
    )
    + "".join(f".wl .i{n}{{fill:var(--irp{n});color:var(--irp{n})}}" for n in range(1, IRP_COLOURS + 1))
    + "".join(f".wl .q{n}{{fill:var(--q{n})}}" for n in range(4))
    + ".wl .r{fill:var(--bg);stroke:var(--lane)}.wl rect.r.c{stroke:var(--call)}"
    ".wl .w{stroke:var(--bg);stroke-width:1.8}.wl .z{fill:var(--stopbg);stroke:var(--stop)}.wl .v{stroke-width:3}"
    + "@media(forced-colors:active){.wl{forced-color-adjust:none}}"
)


def _properties(which: int) -> str:
    return ";".join(f"--{name}:{pair[which]}" for name, pair in COLOURS.items())


def stylesheet() -> str:
    """The CSS that every picture carries; scoped to ``.wl`` because an inline ``<style>`` applies to the whole page."""
    dark = _properties(1)
    return (
        f".wl{{{_properties(0)}}}"
        f"@media(prefers-color-scheme:dark){{.wl:root{{{dark}}}}}"
        f"[data-md-color-scheme=slate] .wl,[data-jp-theme-light=false] .wl{{{dark}}}"
        "div:has(>.wl){overflow-x:auto}" + _RULES
    )


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two ``#rrggbb`` colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
