"""Colours hold WCAG AA in light and dark."""

from __future__ import annotations

import pytest

from wsklab.show.theme import COLOURS, stylesheet

# Which words stand on which ground.
TEXT_ON = (
    [(text, "bg") for text in ("ink", "mut", "call", "back", "data", "gap", "stop")]
    + [(text, ground) for text in ("ink", "mut") for ground in ("q0", "q1", "q2", "q3")]
    + [("stop", "stopbg"), ("ink", "stopbg")]
)
# Marks that carry meaning on the card.
MARKS = ("irp1", "irp2", "irp3", "irp4", "call", "back", "data", "gap", "stop")


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two ``#rrggbb`` colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_the_one_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("scheme", (0, 1), ids=("light", "dark"))
def test_words_have_a_contrast_of_four_and_a_half(scheme: int) -> None:
    pairs = {(word, ground): contrast(COLOURS[word][scheme], COLOURS[ground][scheme]) for word, ground in TEXT_ON}
    assert {pair: ratio for pair, ratio in pairs.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", (0, 1), ids=("light", "dark"))
def test_marks_and_labels_of_irps_are_seen(scheme: int) -> None:
    # The labels of pending IRPs are words in the colour of their bar, so they too need 4.5.
    ratios = {mark: contrast(COLOURS[mark][scheme], COLOURS["bg"][scheme]) for mark in MARKS}
    assert {mark: ratio for mark, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_three_places_where_dark_is_said() -> None:
    css = stylesheet()
    assert "@media(prefers-color-scheme:dark){.wl:root{" in css
    assert "[data-md-color-scheme=slate] .wl,[data-jp-theme-light=false] .wl{" in css
