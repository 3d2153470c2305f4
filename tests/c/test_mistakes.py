"""Small C programs that are wrong as people write them, with all that is said about them in each language.

``pytest tests/c/test_mistakes.py --accept`` writes the texts anew; read the difference before committing it.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from wsklab.c.source import CompileError
from wsklab.c.unit import compile_all, compile_unit
from wsklab.rules.report import compile_problems
from wsklab.words import LANGUAGES

FOLDER = Path(__file__).resolve().parents[1] / "mistakes"
PROGRAMS = sorted(FOLDER.glob("*.c"))


def said(path: Path, language: str) -> str:
    """All that is said about a program."""
    try:
        problems = compile_unit(path.read_text("utf-8"), path.name).warnings
    except CompileError as error:
        problems = error.problems
    return compile_problems(problems, language)


@functools.cache
def expected(language: str) -> dict[str, str]:
    """The texts by program."""
    text = (FOLDER / f"messages.{language}.txt").read_text("utf-8")
    return dict(re.findall(r"^# (\S+\.c)\n(.*?)\n(?=^# |\Z)", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_text_for_each_program(language: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--accept"):
        texts = "".join(f"# {path.name}\n{said(path, language)}\n" for path in PROGRAMS)
        (FOLDER / f"messages.{language}.txt").write_text(texts, "utf-8")
    assert list(expected(language)) == [path.name for path in PROGRAMS]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_what_is_said(path: Path, language: str) -> None:
    assert said(path, language) == expected(language)[path.name]


def test_the_mistakes_of_all_files_come_together() -> None:
    texts = {"a.c": "int f(void) { return x; }\n", "b.c": "int g(void) { return 1; }\n", "c.c": "int h(void)\n{ return 1 }\n"}
    with pytest.raises(CompileError) as raised:
        compile_all(functools.partial(compile_unit, text, name) for name, text in texts.items())
    assert [(str(problem.place), problem.message) for problem in raised.value.problems] == [
        ("a.c:1:22", "x is not declared."),
        ("c.c:2:11", "A semicolon is missing after 1."),
    ]


def together(**texts: str) -> list[tuple[str, str]]:
    """What is said of several files, which are to become one program."""
    with pytest.raises(CompileError) as raised:
        compile_all(functools.partial(compile_unit, text, f"{name}.c") for name, text in texts.items())
    return [(str(problem.place), problem.message) for problem in raised.value.problems]


def test_what_the_linker_misses_comes_with_the_mistakes_of_the_files() -> None:
    assert together(
        a="int nowhere(int n); extern int absent; int twice; int f(void) { return nowhere(1) + absent + x; }",
        b='static int own(void) { return 1; }\nint twice; int g(void) { DbgPrint("%d", own()); return strlen(""); }',
        c="int own(void); int f(int n);\nint h(void) { return own() + f(1); }",
    ) == [
        ("a.c:1:94", "x is not declared."),
        ("b.c:2:5", "twice is defined twice; the first time at a.c:1:44."),
        ("a.c:1:72", "The function nowhere is declared but defined nowhere."),
        ("a.c:1:85", "The variable absent is declared but defined nowhere."),
        ("c.c:2:22", "The function own is declared but defined nowhere."),
        ("c.c:1:20", "f is declared as int (int) here, but as int (void) in line 1 of a.c."),
    ]


def test_the_linker_misses_nothing_that_stands_in_a_hole() -> None:
    user = "int g(void); int h(void); extern int kept; int f(void) { return g() + h() + kept; }"
    mistaken = "int g(void) { return 1; }\nint kept = = 2;\n"
    assert together(user=user, mistaken=mistaken) == [
        ("mistaken.c:2:12", "A value was expected here, not =."),
        ("user.c:1:71", "The function h is declared but defined nowhere."),
    ]
    assert together(user=user, mistaken="(" * 1000) == [
        ("mistaken.c:1:200", "Brackets are nested more than 200 deep here."),
    ]


def test_a_mistake_in_one_place_hides_none_in_another() -> None:
    """After each statement that cannot be mended, the rest of the function and of the file is checked."""
    statements = "\n".join(f"    x = = {number}; x = unknown{number};" for number in range(1, 11))
    functions = "\n".join(f"int f{number}(int x)\n{{\n{statements}\n    return x;\n}}" for number in range(2))
    with pytest.raises(CompileError) as raised:
        compile_unit(functions, "x.c")
    assert [(problem.id, problem.place.line, problem.place.column) for problem in raised.value.problems] == [
        (id, line + first, column)
        for first in (2, 16)
        for line in range(1, 11)
        for id, column in (("no-expression", 9), ("undeclared", 17 + len(str(line))))
    ]


@pytest.mark.parametrize(
    ("lost", "use"),
    [
        ("typedef struct _S { int a; } S, *PS, ?;", "int f(PS p) { S s; return p->a + s.a; }"),
        ("struct S { int a b c; int d; };", "int f(struct S *p) { return p->a + p->b + p->c + p->d; }"),
        ("enum E { A = = 1, B };", "int f(void) { return A + B; }"),
        ("int g(int a = 1) { return a; }", "int f(void) { return g(2); }"),
        ("int g = = 1, h;", "int f(void) { return g + h; }"),
        ('#include "own.h"', "int f(OWN *own) { return own->count + OwnFunction(OWN_VALUE); }"),
        ("#ifdef NEVER\nint g;\n", "int f(void) { return g; }"),
        ("/* int g;\n", "int f(void) { return g; }"),
    ],
)
def test_nothing_is_said_about_what_was_left_out(lost: str, use: str) -> None:
    with pytest.raises(CompileError) as raised:
        compile_unit(f"{lost}\n{use}\n", "x.c")
    assert {problem.place.line for problem in raised.value.problems} == {1}
