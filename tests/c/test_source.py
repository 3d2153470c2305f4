"""Places, carets and problems."""

from __future__ import annotations

import pytest

from wsklab.c.source import NOWHERE, CompileError, Place, Problem, Problems, Source, caret, place_of


@pytest.mark.parametrize(
    ("line", "column", "length", "expected"),
    [
        ("Irp = 1", 5, 1, "Irp = 1\n    ^"),
        ("Irp = 1", 1, 3, "Irp = 1\n^~~"),
        ("\tIrp", 2, 1, "\tIrp\n\t^"),
        ("要求 x", 4, 1, "要求 x\n     ^"),
        ("e\u0301 x", 4, 1, "e\u0301 x\n  ^"),
        ("short", 9, 1, "short\n        ^"),
        ("unknown column", 0, 1, "unknown column"),
        ("a\x1bb", 3, 1, "a·b\n  ^"),
        ("x" * 100 + "=" + "y" * 200, 101, 1, "…" + "x" * 79 + "=" + "y" * 80 + "…\n" + " " * 80 + "^"),
        ("=" + "y" * 200, 1, 1, "=" + "y" * 159 + "…\n^"),
    ],
)
def test_a_caret_stands_below_its_column(line: str, column: int, length: int, expected: str) -> None:
    assert caret(line, column, length) == expected


def test_lines_are_the_same_for_all_line_ends() -> None:
    assert Source("a.c", "one\r\ntwo\rthree\n").lines == ["one", "two", "three", ""]
    assert [Source("a.c", "one").line(n) for n in (0, 1, 2)] == ["", "one", ""]


def test_a_problem_is_place_sentence_line_caret_and_hint() -> None:
    problem = Problem(
        "undeclared",
        Place("send.c", 2, 3),
        "{name} is not declared.",
        {"name": "Irp"},
        hint="Declare {name}.",
        line_text="  Irp = 0;",
    )
    assert str(problem) == "send.c:2:3: error: Irp is not declared.\n    Irp = 0;\n    ^\n  Declare Irp."
    assert str(CompileError([problem])) == str(problem)
    error = CompileError([problem])
    assert (error.place, error.line, error.column, error.text) == (Place("send.c", 2, 3), 2, 3, "Irp is not declared.")


def test_problems_are_sorted_by_place_and_said_once() -> None:
    problems = Problems()
    problems.sources["a.c"] = Source("a.c", "one\ntwo")
    problems.error("second", Place("a.c", 2, 1), "Second.")
    problems.error("first", Place("a.c", 1, 1), "First.")
    problems.error("again", Place("a.c", 2, 1), "Said already.")
    problems.warning("careful", Place("a.c", 1, 2), "Careful.")
    with pytest.raises(CompileError) as raised:
        problems.check()
    assert [(p.id, p.line_text) for p in raised.value.problems] == [("first", "one"), ("careful", "one"), ("second", "two")]
    assert (raised.value.line, raised.value.text) == (1, "First.")
    assert [(p.id, p.severity) for p in problems.warnings] == [("careful", "warning")]


def test_collecting_ends_when_nobody_would_read_on() -> None:
    problems = Problems()
    for line in range(100):
        problems.error("many", Place("a.c", line, 1), "Many.")
    assert (len(problems.errors), problems.full) == (50, True)
    with pytest.raises(CompileError) as raised:
        problems.check()
    assert [str(problem) for problem in raised.value.problems[-2:]] == [
        "a.c:49:1: error: Many.",
        "a.c:49:1: error: There are 50 more errors.",
    ]


def test_what_has_no_place_is_nowhere() -> None:
    assert place_of(None) == NOWHERE
    assert place_of(Place("a.c", 1, 2)) == Place("a.c", 1, 2)
