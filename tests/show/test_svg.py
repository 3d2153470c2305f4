"""Measuring and breaking words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsklab.show.svg import arrow, number, shorten, text, width, wrap


def test_numbers_are_short() -> None:
    assert [number(value) for value in (1.0, 1.25, 0.04, 12.5, 100.0)] == ["1", "1.2", "0", "12.5", "100"]


def test_a_japanese_character_is_a_full_em() -> None:
    assert width("完了ルーチン", 12) == 72
    assert round(width("IoFreeIrp", 12, mono=True), 2) == round(9 * 0.61 * 12, 2)


def test_words_break_after_spaces_and_between_japanese_characters() -> None:
    assert wrap("WskSend(Socket, Buffer, 0)", 130, 12, True, 3, "  ") == ["WskSend(Socket,", "  Buffer, 0)"]
    assert wrap("完了ルーチン。", 40, 12, lines=4) == ["完了", "ルーチ", "ン。"]


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    assert shorten("STATUS_SUCCESS", 60, 12, mono=True) == "STATUS_…"


def test_words_are_escaped() -> None:
    assert text(1, 2, "a<b & c") == '<text x="1" y="2">a&lt;b &amp; c</text>'


def test_an_arrow_of_a_return_is_dashed_and_open() -> None:
    assert arrow(10, 50, 5, "c", open_head=True) == '<path class="c d" d="M10 5H50"/><path class="c" d="M44 1L50 5L44 9"/>'


@given(st.text(alphabet="abcW_ (),完了、ン", max_size=60), st.integers(40, 300), st.booleans())
def test_every_line_fits(words: str, room: int, mono: bool) -> None:
    assert [line for line in wrap(words, room, 12, mono, 3) if width(line, 12, mono) > room] == []
