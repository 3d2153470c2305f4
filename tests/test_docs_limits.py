"""The tables of the page "How the lab works" hold what the engine holds; the hook that makes them is asked, no site is built."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from wsklab import Lab
from wsklab.machine.api import MODELLED
from wsklab.machine.choices import KINDS
from wsklab.words import LANGUAGES
from wsklab.wsk.tables import tables

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs" / "hooks"))
pytest.importorskip("mkdocs")

import choice_kinds  # noqa: E402
import limits  # noqa: E402

ALLOCATION, SETTING_UP, MOVING_DATA = ("succeeds", "fails"), ("inline", "pending", "early"), ("pending", "inline", "early")


def cells(table: str) -> list[list[str]]:
    """The rows of a Markdown table below its head, without the style of what is code."""
    rows = re.sub(r'\{style="[^"]*"\}', "", table).splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chosen_status_stands_on_the_page(language: str) -> None:
    shown = [(row[1], row[2], row[4]) for row in cells(limits.chosen(language))]
    assert shown == [
        (f"`{row.status}`", row.other and f"`{row.other}`", "<br>".join(f"`{fact}`" for fact in row.facts))
        for row in tables().chosen.values()
    ]


def test_english_says_the_cases_and_reasons_as_the_table_does() -> None:
    assert [(row[0], row[3]) for row in cells(limits.chosen("en"))] == [
        (case, row.reason) for case, row in tables().chosen.items()
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_choice_stands_on_the_page_with_its_answers(language: str) -> None:
    rows = cells(limits.choices(language))
    for kind, options in choice_kinds.kinds().items():
        (row,) = (row for row in rows if f"`{kind}`" in row[0])
        assert [answer.split("`")[1] for answer in row[1].split(" · ")] == list(options)


def test_kinds_are_read_wherever_they_are_said() -> None:
    """As a literal, as an argument of the function that asks, as its default, as the name of a decorated function."""
    kinds = choice_kinds.kinds()
    assert {kind: kinds[kind] for kind in ("datagram", "ExAllocatePoolZero", "framework allocation", "WskSend", "WskBind")} == {
        "datagram": ("arrives", "is lost", "arrives twice", "arrives late"),
        "ExAllocatePoolZero": ALLOCATION,
        "framework allocation": ALLOCATION,
        "WskSend": MOVING_DATA,
        "WskBind": SETTING_UP,
    }


def test_what_a_run_asks_is_among_the_kinds() -> None:
    lab = Lab(choices={"WskSend": "inline"})
    driver = lab.load((ROOT / "tests" / "programs" / "send_data.c").read_text("utf-8"))
    driver.SendData(lab.connected_socket(), lab.buffer(b"hello"))
    lab.run()
    asked = {(kind, options) for kind, options, _ in lab.choices.taken}
    assert asked and asked <= set(choice_kinds.kinds().items())


@pytest.mark.parametrize("source", ["def f(m, kind): m.choose(kind, ('a', 'b'))\n", "def f(m): m.choose('kind', answers())\n"])
def test_a_question_that_cannot_be_read_is_an_error(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asks.py").write_text(source)
    monkeypatch.setattr(choice_kinds, "ENGINE", tmp_path)
    with pytest.raises(ValueError, match=r"asks\.py:1: which kind of choice"):
        choice_kinds.kinds()


def test_a_lesson_that_fixes_a_kind_is_named_with_the_answer() -> None:
    (row,) = (row for row in cells(limits.choices("en")) if "`WskSend`" in row[0])
    assert '[lesson 01](lessons/01_connection_send.ipynb): `"WskSend": "inline"`' in row[2].split("<br>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_function_stands_under_its_lane_or_under_not_modelled(language: str) -> None:
    listed = [text.split(", ") for text in re.findall(r"<p><code>(.*?)</code></p>", limits.modelled(language))]
    places = {name: [place for place, names in enumerate(listed) if name in names] for name in MODELLED}
    lanes = {"wsk": [0], "framework": [1], "io": [2]}
    for name, function in MODELLED.items():
        expected = [4] if name in limits.UNMODELLED else [] if name.startswith("wsklab_") else lanes[function.lane]
        assert (name, places[name]) == (name, expected)
    codes = [("SIO_WSK_SET_TCP_SILENT_MODE" in names, "SIO_FIND_ROUTE" in names) for names in listed[5:]]
    assert codes == [(False, True), (False, False)]


def test_the_choice_point_knows_every_kind_that_is_asked() -> None:
    assert set(choice_kinds.kinds()) == KINDS
