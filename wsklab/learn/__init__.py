"""Exercises: a start that fails, a goal, checks under every outcome, hints on demand.

>>> from wsklab.learn import exercise
>>> exercise("01").check(my_listing)        # doctest: +SKIP

Everything is kept in the running kernel; nothing is stored anywhere.
"""

from __future__ import annotations

from wsklab.learn.exercise import Check, Exercise, Play, Report, Scene
from wsklab.learn.exercises import EXERCISES

__all__ = ["EXERCISES", "Check", "Exercise", "Play", "Report", "Scene", "exercise"]


def exercise(name: str, language: str | None = None) -> Exercise:
    """The exercise with an id, speaking a language. Raises KeyError for an unknown id."""
    found = EXERCISES[name]
    found.language = language or found.language
    return found
