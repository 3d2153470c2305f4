"""The exercise that a lesson shows is the one that is checked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from wsklab.learn import EXERCISES
from wsklab.words import LANGUAGES

ROOT = Path(__file__).parents[2]


def bare(code: str) -> str:
    """C without comments and without white space at line ends."""
    return "\n".join(line.rstrip() for line in re.sub(r"//[^\n]*", "", code).splitlines() if line.strip())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EXERCISES)
def test_the_lesson_starts_where_the_exercise_starts(name: str, language: str) -> None:
    (notebook,) = (ROOT / "notebooks" / language).glob(f"{name}_*.ipynb")
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(notebook.read_text("utf-8"))["cells"]}
    start = cells["exercise-start"].partition("\n")[2]
    assert bare(start) == bare(EXERCISES[name].start)
    assert f'exercise("{name}")' in cells["exercise-goal"]
    assert cells["exercise-check"] == f"task.check({cells['exercise-start'].split()[1]})"
