"""C programs that must run, and pages that must be judged: tests/programs/README.md says which construct is held where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.c.standin import StandIn, finish
from wsklab.c.link import Image, link
from wsklab.c.unit import compile_unit
from wsklab.cli import main
from wsklab.driverlife import run_program
from wsklab.lab import Lab

PROGRAMS = Path(__file__).parent.parent / "programs"
PRELUDE = """void check(long long, long long, const char *, int); int variable(int count, ...);
#define CHECK(expected, expression) check(expected, expression, #expression, __LINE__)
#line 1
"""


def build(text: str, runtime: StandIn, name: str = "program.c", headers: Any = None) -> Image:
    return link([compile_unit(text, name, headers)], runtime)


def run(text: str, *arguments: Any, function: str = "f", **modelled: Any) -> Any:
    """The value of a function of a C text."""
    image = build(text, StandIn(modelled))
    return finish(image.functions[function].call(*arguments))


OUTPUTS = sorted(PROGRAMS.glob("*.out"))


@pytest.mark.parametrize("expected", OUTPUTS, ids=lambda path: path.stem)
def test_output(expected: Path) -> None:
    """Programs with an ordinary main, on the simulated machine: the whole output, and the exit status 0."""
    source = expected.with_suffix(".c")
    lab = Lab()
    driver = lab.load(source.read_text("utf-8"), source.name)
    assert (run_program(lab, driver, source.stem), lab.console) == (0, expected.read_text("utf-8"))


REPORTS = sorted(PROGRAMS.glob("*.txt"))


@pytest.mark.parametrize("expected", REPORTS, ids=lambda path: path.stem)
def test_report(expected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drivers of one file or of a folder's files, and pages: all that a person is told, and the exit status."""
    page, folder = expected.with_suffix(".md"), expected.with_suffix("")
    sources = sorted(folder.glob("*.c")) if folder.is_dir() else [expected.with_suffix(".c")]
    command = ["check", str(page)] if page.exists() else ["run", *map(str, sources)]
    status = main([*command[:1], "--lang", "en", *command[1:]])
    told = capsys.readouterr()
    assert f"{told.out}{told.err}exit status {status}\n" == expected.read_text("utf-8")


def test_the_table_of_constructs_names_every_program() -> None:
    named = set(re.findall(r"`(\w+)(?:\.c|\.md|/[\w/]*(?:\.c)?)`", (PROGRAMS / "README.md").read_text("utf-8")))
    there = {path.stem for path in PROGRAMS.iterdir() if path.suffix in ("", ".c", ".md")}
    assert named - {"NAME", "tests"} == there - {"README"}


FILES = sorted(path for path in PROGRAMS.glob("*.c") if "CHECK(" in path.read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_program(path: Path) -> None:
    checked: list[int] = []
    wrong: list[str] = []

    def check(expected: int, actual: int, text: int, line: int) -> None:
        checked.append(line)
        if expected != actual:
            wrong.append(f"{path.name}:{line}: {runtime.read_string(text)} is {actual}, not {expected}")

    runtime = StandIn({"check": check, "variable": lambda count, *values: sum(values)})
    source = path.read_text()
    image = build(PRELUDE + source, runtime, path.name)
    assert image.functions["main"].call() == 0
    assert wrong == []
    assert len(checked) >= source.count("CHECK(")
    assert runtime.frames == []
