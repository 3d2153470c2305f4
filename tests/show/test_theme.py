"""Colours hold WCAG AA in light and dark."""

from __future__ import annotations

import pytest

from wsklab.show.theme import COLOURS, MARKS, TEXT_ON, contrast, stylesheet


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
