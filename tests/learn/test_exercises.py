"""Every exercise fails at its start, passes with its solution, and says what is still wrong."""

from __future__ import annotations

import pytest

from wsklab.learn import EXERCISES, Exercise, exercise
from wsklab.learn.exercise import Report

IDS = tuple(EXERCISES)


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Exercise:
    """An exercise in English, with nothing done in it yet."""
    found = exercise(request.param, "en")
    found.done, found._hinted = False, 0
    return found


def wrong(report: Report) -> dict[str, tuple[str, ...]]:
    return {finding.check.text: finding.failed for finding in report.findings if finding.failed}


@pytest.mark.parametrize("fresh", IDS, indirect=True)
def test_the_solution_passes_in_every_outcome(fresh: Exercise) -> None:
    report = fresh.examine(fresh.solution)
    assert (wrong(report), report.faults, fresh.done) == ({}, (), True)


@pytest.mark.parametrize("fresh", IDS, indirect=True)
def test_the_start_does_not_pass(fresh: Exercise) -> None:
    assert not fresh.examine(fresh.start)
    assert not fresh.done


def test_a_report_lists_what_is_wrong_first() -> None:
    assert exercise("01", "en").examine(EXERCISES["01"].start).text.split("\n") == [
        "Not yet: 3 of 6 checks do not hold.",
        "✗ BytesSent is what IoStatus.Information said, and does not count a failed send.",
        "    not when: the send completes inside the call · the send completes later · the socket was accepted"
        " · the peer has closed",
        "✗ The memory of the send is freed.",
        "    not in any outcome yet",
        "✗ The MDL is freed.",
        "    not in any outcome yet",
        "✓ The code runs to its end and breaks no rule.",
        "✓ The IRP is freed.",
        "✓ SendHello says STATUS_INSUFFICIENT_RESOURCES when there is no IRP.",
        "",
        "A hint: task.hint()",
    ]


def test_one_lucky_run_is_not_enough() -> None:
    # Frees the send only where it succeeded: right in four outcomes of six.
    listing = EXERCISES["01"].solution.replace(
        "  // The send is over, well or badly: nobody needs its memory any more.\n",
        "  if (Irp->IoStatus.Status == STATUS_SUCCESS)\n",
    )
    assert wrong(exercise("01", "en").examine(listing)) == {
        "The memory of the send is freed.": ("the peer resets the connection",),
        "The MDL is freed.": ("the peer resets the connection",),
    }


def test_a_broken_rule_is_explained_once() -> None:
    listing = EXERCISES["01"].solution.replace("  IoFreeIrp(Irp);\n", "  IoFreeIrp(Irp);\n  IoFreeIrp(Irp);\n")
    report = exercise("01", "en").examine(listing)
    every = tuple(scene.label for scene in EXERCISES["01"].scenes)
    assert wrong(report) == {"The code runs to its end and breaks no rule.": every[:-1]}
    assert report.text.count("STOP irp-freed-twice") == 1


def test_hints_come_one_after_another(capsys: pytest.CaptureFixture[str]) -> None:
    found = exercise("01", "en")
    found._hinted = 0
    for _ in range(4):
        found.hint()
    assert [line[:12] for line in capsys.readouterr().out.splitlines()] == [
        "Hint 1 of 3:",
        "Hint 2 of 3:",
        "Hint 3 of 3:",
        "Hint 3 of 3:",
    ]


def test_a_notebook_shows_the_goal_and_what_is_checked() -> None:
    shown = exercise("02", "fr")._repr_mimebundle_()
    assert shown["text/plain"].split("\n")[1:3] == [
        "Ce qui est vérifié, dans tous les cas\u00a0:",
        "- Le code va jusqu'au bout et n'enfreint aucune règle.",
    ]
    assert shown["text/html"].count("<li>") == 5
