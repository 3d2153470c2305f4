"""No C text, however mangled, makes the front end crash or hang: 20,000 of them, each ends in a unit or in compile errors.

The corpus is ours: functions and declarations of the examples, of the programs that must run and of those that must be stopped.
Seeds are fixed, so that a failure comes again; twenty parts of a thousand texts share the processors.
"""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest

from wsklab.c.source import LEFT_OUT, CompileError
from wsklab.c.tokens import tokenize
from wsklab.c.unit import compile_unit

ROOT = Path(__file__).resolve().parents[2]
SIGNS = r"""... .. . # ## \ " ' /* */ // { } ( ) [ ] ; : ? @ $ ` 0x 1e 08 'abcde' L' u8" #if #endif #else #define_X_X
#define_F(x)_F(x)_F(x) #include_"a.h" #pragma_pack( __declspec( _Static_assert( sizeof struct union enum typedef goto case
default: while for do switch if else return static extern const volatile inline int char void float double long unsigned -> &&
|| << >>= ++ -- ~ ! None True lambda class def import print exec __import__ self 0xFFFFFFFFFFFFFFFF -1 1.0f '\x' _Generic(
_Alignas( ({ ={ [0] [-1] [1<<62] x:3 :0 offsetof( ; ; { } ( ) , = * &"""
ODD = [word.replace("_", " ") if word[0] == "#" else word for word in SIGNS.split()] + ["\0", "\ufeff", "é", "…", "“", "\n"]


@functools.cache
def corpus() -> tuple[list[str], list[str]]:
    """Pieces of C texts that stand on their own, and all words that occur in them."""
    files = [file for folder in ("examples", "tests/programs", "tests/stops") for file in sorted((ROOT / folder).glob("*.c"))]
    pieces, words = [], set()
    for text in (file.read_text("utf-8") for file in files):
        words.update(token.value for token in tokenize(text) if token.value.strip())
        piece = ""
        for line in text.split("\n"):
            piece += line + "\n"
            if line.startswith("}") or (line.endswith(";") and line[:1].strip()):
                pieces += [piece] if len(piece) < 1500 else []
                piece = ""
    return pieces, sorted(words)


def mutated(chance: random.Random) -> str:
    """A piece with up to eight changes."""
    pieces, words = corpus()
    tokens = [token.value for token in tokenize(chance.choice(pieces))]
    for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 5, 8])):
        tokens = tokens or [chance.choice(words)]
        at, length = chance.randrange(len(tokens)), chance.randrange(1, 20)
        match chance.randrange(10):
            case 0:
                del tokens[at : at + chance.choice([1, 1, length])]
            case 1:
                tokens.insert(at, chance.choice(ODD))
            case 2:
                tokens[at] = chance.choice(words)
            case 3:
                tokens[at] = chance.choice(ODD)
            case 4:
                other = chance.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 5:
                tokens[at:at] = tokens[at : at + length] * chance.choice([1, 1, 2, 30])
            case 6:
                tokens[at:at] = [token.value for token in tokenize(chance.choice(pieces))][at : at + length]
            case 7:
                tokens.insert(at, f" {chance.choice(words)} ")
            case 8:
                tokens = tokens[:at] if chance.random() < 0.5 else tokens[at:]
            case _:
                letters = list("".join(tokens))
                letters[chance.randrange(len(letters) or 1) :][:1] = [chr(chance.randrange(0x3000))]
                tokens = ["".join(letters)]
    return "".join(tokens)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_a_thousand_mangled_texts(part: int) -> None:
    chance = random.Random(part)
    for number in range(1000):
        text = mutated(chance)
        try:
            compile_unit(text, "x.c", left_out=LEFT_OUT if number % 2 else ())
        except CompileError as error:
            assert all(problem.message for problem in error.problems)
        except Exception as error:
            raise AssertionError(f"part {part}, text {number}: {error!r} for\n{text}") from error


DEEP = {
    "!": f"int f(int x) {{ return {'!' * 5000}x; }}",
    "casts": f"int f(int x) {{ return {'(int)' * 5000}x; }}",
    "? :": f"int f(int x) {{ return {'x ? 1 : ' * 5000}2; }}",
    "else if": f"int f(int x) {{ {'if (x) return 1; else ' * 5000} return 2; }}",
    "arrays": f"int x{'[1]' * 5000};",
    "pointers": f"int {'*' * 5000}x;",
    "structures": f"{'struct { ' * 300}int x;{'} y;' * 300}",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_nests_too_deeply_is_said(text: str) -> None:
    with pytest.raises(CompileError) as raised:
        compile_unit(text, "x.c")
    assert {problem.id for problem in raised.value.problems} == {"nested-too-deeply"}


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("int f(void) { char a[0x10000000000]; a[0] = 1; return a[0]; }", "too-many-locals"),
        ("int f(void) { int a[] = { [2000000000] = 1 }; return a[0]; }", "too-many-locals"),
        ("int f(void) { " + "".join(f"unknown{number} = 1; " for number in range(5000)) + "return 1; }", "undeclared"),
        ("int f(void) { " + "".join(f"Unknown{number} a{number}; " for number in range(5000)) + "return 1; }", "unknown-type"),
        ("struct s { " + "".join(f"Unknown{number} a{number}; " for number in range(5000)) + "};", "unknown-type"),
        ("#define A B B\n#define B A A\n" + "".join(f"#define C{n} C{n + 1} C{n + 1}\n" for n in range(20)) + "int a = C0;",
         "macros-too-large"),
        ("EVT_WDF_TIMER Routine { }", "no-parameters"),
        ("int f(void) { for", "never-closed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("left_out", [(), LEFT_OUT], ids=["file", "page"])
def test_what_is_too_large_is_said(text: str, id: str, left_out: frozenset[str]) -> None:
    with pytest.raises(CompileError) as raised:
        compile_unit(text, "x.c", left_out=left_out)
    assert {problem.id for problem in raised.value.problems} - {"more"} == {id}


def test_names_that_mean_something_in_python_are_names_like_others() -> None:
    from wsklab.lab import Lab

    text = """
    int print = 1, len, __builtins__;
    int None(int True, int self) { int lambda = True, class = self, __import__ = 2; return lambda + class + __import__ + print; }
    int exec(int eval) { int def = 0; for (int in = 0; in < eval; in++) def += None(in, len); return def; }
    """
    assert Lab().load(text).calls["exec"](3) == 12
