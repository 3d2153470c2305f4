"""Pictures of real runs: every scene of every exercise, in every language."""

from __future__ import annotations

import pytest
from runs import overlaps

from wsklab.lab import Lab
from wsklab.learn import EXERCISES
from wsklab.learn.exercise import Play, Scene
from wsklab.machine import Stop
from wsklab.show.timeline import timeline
from wsklab.words import LANGUAGES

PLAYS = [(name, code, scene) for name in EXERCISES for code in ("start", "solution") for scene in EXERCISES[name].scenes]


@pytest.mark.parametrize(("name", "code", "scene"), PLAYS, ids=lambda value: getattr(value, "label", value))
def test_words_overlap_nowhere(name: str, code: str, scene: Scene) -> None:
    lab = Lab(choices=dict(scene.choices))
    play = Play(scene, lab, lab.load(getattr(EXERCISES[name], code), "exercise.c"))
    try:
        scene.play(play)
    except Stop as stop:
        assert stop.rule.id in lab.timeline().text
    for language in LANGUAGES:
        picture = timeline(lab.events, language, machine=lab.machine)
        assert overlaps(picture.svg) == []
        assert len(picture.svg.encode()) < 25_000
