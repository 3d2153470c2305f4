"""What an exercise is: a start, a goal, scenes to play, checks to hold, hints.

Two rules hold. An exercise is never passed by one lucky run: every check is asked in every scene, and the scenes are the outcomes
that the lesson lists. And the start must fail while the solution passes; a test proves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Any, NamedTuple

from wsklab.lab import Driver, Lab
from wsklab.machine import NotModelled, Stop
from wsklab.show import Shown
from wsklab.words import chosen_language


@dataclass
class Play:
    """One scene after it was played."""

    scene: Scene
    lab: Lab
    driver: Any  # the reader's code, loaded into that lab; the reader's functions are its attributes
    values: dict[str, Any] = field(default_factory=dict)  # what the scene kept for the checks
    fault: Stop | str | None = None  # why the play ended early: a broken rule, or another complaint in words

    def number(self, name: str) -> int:
        """The value of a global variable of the reader's code. Raises KeyError when there is none."""
        return int(self.driver.variables[name])

    def left(self, *kinds: str) -> list[int]:
        """The live blocks of these kinds that the driver allocated."""
        events = [event for event in self.lab.events if event.kind == "allocate" and event.where and event.objects]
        blocks = filter(None, (self.lab.machine.block_at(event.objects[0]) for event in events))
        return [block.address for block in blocks if block.live and block.kind in kinds]

    def unfreed_irps(self) -> list[int]:
        """IRPs of the driver that were completed and not freed; one that is still pending is nobody's fault."""
        back = {event.data["irp"] for event in self.lab.events if event.kind == "complete"}
        return [irp for irp in back if (block := self.lab.machine.block_at(irp)) is not None and block.live]


class Scene(NamedTuple):
    """One outcome under which the reader's code is run."""

    label: str  # the outcome, in a few English words (translated when shown)
    play: Callable[[Play], None]  # sets the scene, calls the reader's code and lets time pass; fills play.values
    choices: Mapping[str, str] = {}  # answers of the choice point that make this outcome


class Check(NamedTuple):
    """Something that must hold in every scene."""

    text: str  # what must hold, an English sentence (translated when shown)
    holds: Callable[[Play], bool]  # asked after each scene
    scenes: tuple[str, ...] = ()  # labels of the scenes in which it is asked; empty means all


RUNS = Check("The code runs to its end and breaks no rule.", lambda play: play.fault is None)
"""The first check of every exercise. Where it fails, the other checks of that scene are not asked."""


class Finding(NamedTuple):
    """A check with the labels of the scenes in which it does not hold (empty when it holds)."""

    check: Check
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What an examination found: all checks, and (scene, words) of each run that ended early. True when everything holds."""

    exercise: Exercise
    findings: tuple[Finding, ...]
    faults: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return not self.faults and not any(finding.failed for finding in self.findings)

    @property
    def text(self) -> str:
        """The report in the reader's language: what is still wrong first, then what already holds."""
        say, count = self.exercise.say, len(self.findings)
        if self:
            return say("Well done: all {count} checks hold in every outcome.", count=count)
        wrong = [finding for finding in self.findings if finding.failed]
        lines = [say("Not yet: {wrong} of {count} checks do not hold.", wrong=len(wrong), count=count)]
        for finding in wrong:
            lines += [f"✗ {say(finding.check.text)}", "    " + self._where(finding)]
        lines += [f"✓ {say(finding.check.text)}" for finding in self.findings if not finding.failed]
        for label, fault in self.faults[:1]:
            lines += ["", say("What stopped the run when: {scene}", scene=say(label))]
            lines += [f"    {line}".rstrip() for line in fault.splitlines()]
        return "\n".join([*lines, "", say("A hint: {call}", call="task.hint()")])

    def _where(self, finding: Finding) -> str:
        say = self.exercise.say
        if len(finding.check.scenes or self.exercise.scenes) == len(finding.failed) > 1:
            return say("not in any outcome yet")
        return say("not when: {scenes}", scenes=" · ".join(map(say, finding.failed)))


@dataclass(repr=False)
class Exercise(Shown):
    """One exercise. A notebook shows its goal and what will be checked. Its texts are English keys, translated when shown."""

    id: str  # number of the lesson, for example "01"
    goal: str  # what the reader is to reach
    scenes: tuple[Scene, ...]  # the outcomes under which the code is run
    checks: tuple[Check, ...]  # what must hold, the most basic first
    hints: tuple[str, ...]  # shown one after another
    language: str | None = None
    done: bool = False  # whether it was solved in this session
    _hinted: int = 0

    def __post_init__(self) -> None:
        folder = resources.files(__package__)
        self.start = folder.joinpath(f"exercise_{self.id}_start.c").read_text("utf-8")  # at least one check fails on it
        self.solution = folder.joinpath(f"exercise_{self.id}_solution.c").read_text("utf-8")  # passes all checks

    @property
    def text(self) -> str:
        """The goal and what will be checked."""
        goal = self.say("Exercise {id}: {goal}", id=self.id, goal=self.say(self.goal))
        return "\n".join([goal, self.say("What is checked, in every outcome:"), *(f"- {self.say(c.text)}" for c in self.checks)])

    @property
    def html(self) -> str:
        """The same as :attr:`text`."""
        goal, checked, *items = map(escape, self.text.splitlines())
        listed = "".join(f"<li>{item[2:]}</li>" for item in items)
        return f"<p><strong>{goal}</strong></p><p>{checked}</p><ul>{listed}</ul>"

    def check(self, code: Driver | str) -> None:
        """Run the code (the listing, as the C cell bound it, or its text) under every outcome and print what is still wrong."""
        print(self.examine(code).text)

    def examine(self, code: Driver | str) -> Report:
        """Run the code under every outcome; like :meth:`check` without printing."""
        if not isinstance(code, str):
            self.language = self.language or code.lab.language
        plays = [self._play(scene, code) for scene in self.scenes]
        findings = tuple(Finding(check, tuple(_failed(check, plays))) for check in self.checks)
        told = [(play.scene.label, play.fault) for play in plays if play.fault is not None]
        faults = [(label, fault if isinstance(fault, str) else fault.report(self.language)) for label, fault in told]
        report = Report(self, findings, tuple(faults))
        self.done = self.done or bool(report)
        return report

    def hint(self) -> None:
        """Print the next hint; after the last one, the last again."""
        count = len(self.hints)
        self._hinted = min(self._hinted + 1, count)
        hint = self.say(self.hints[self._hinted - 1])
        print(self.say("Hint {number} of {count}: {hint}", number=self._hinted, count=count, hint=hint))

    def _play(self, scene: Scene, code: Driver | str) -> Play:
        lab = Lab(language=chosen_language(self.language), choices=dict(scene.choices))
        play = Play(scene, lab, lab.load(code, f"exercise_{self.id}.c"))
        try:
            scene.play(play)
        except Stop as stop:
            play.fault = stop
        except (NotModelled, KeyError, AttributeError) as error:
            play.fault = str(error) or type(error).__name__
        return play


def _failed(check: Check, plays: list[Play]) -> list[str]:
    """Labels of the scenes in which a check does not hold; when it could be asked in none of its scenes, all of them."""
    asked = [play for play in plays if not check.scenes or play.scene.label in check.scenes]
    ended = [play for play in asked if play.fault is None or check is RUNS]
    return [play.scene.label for play in (ended or asked) if not ended or not _holds(check, play)]


def _holds(check: Check, play: Play) -> bool:
    try:
        return check.holds(play)
    except (KeyError, AttributeError):  # the reader removed or renamed something that the check looks at
        return False
