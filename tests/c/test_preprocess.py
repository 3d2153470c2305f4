"""Tokens, directives and macros."""

from __future__ import annotations

import pytest

from wsklab.c.preprocess import Preprocessor
from wsklab.c.source import Place, Problems, Source
from wsklab.c.tokens import Token


def run(text: str, includes: dict[str, str] | None = None, known: tuple[str, ...] = ()) -> tuple[list[Token], Problems]:
    problems = Problems()
    preprocessor = Preprocessor(problems, known=known, includes=(includes or {}).get)
    return preprocessor.run(Source("x.c", text)), problems


def words(text: str) -> str:
    tokens, problems = run(text)
    assert problems.errors == []
    return " ".join(token.value for token in tokens)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a /* comment\n over lines */ b // to the end\nc", "a b c"),
        ("a \\\n b // goes \\\n on\nc", "a b c"),
        ('"joined \\\nstring"', '"joined string"'),
        ("0x10ULL 1.5f 10i64 'tpcs' L'x' L\"w\" u8\"u\" ... -> <<=", "0x10ULL 1.5f 10i64 'tpcs' L'x' L\"w\" u8\"u\" ... -> <<="),
        ("a\u00a0b\u3000c\u200bd", "a b c d"),
        ("#define ONE 1\nONE", "1"),
        ("#define ADD(a, b) a + b\nADD(1, (2, 3))", "1 + ( 2 , 3 )"),
        ("#define CALL(f, ...) f(__VA_ARGS__)\nCALL(g, 1, 2)", "g ( 1 , 2 )"),
        ("#define CALL(f, ...) f(0, __VA_ARGS__)\nCALL(g, 1, 2)", "g ( 0 , 1 , 2 )"),
        ("#define CALL(f, ...) f(0 , __VA_ARGS__)\nCALL(g) CALL(g,)", "g ( 0 ) g ( 0 )"),
        ("#define CALL(f, ...) f(0, (__VA_ARGS__), __VA_ARGS__ + 1)\nCALL(g)", "g ( 0 , ( ) + 1 )"),
        ('#define S(x) #x\n#define C(a, b) a##b\nS(a "b") C(Wsk, Send)', '"a \\"b\\"" WskSend'),
        ("#define LOOP LOOP + 1\nLOOP", "LOOP + 1"),
        ("#define F(x) x\nF", "F"),
        ("#define X 1\n#undef X\nX", "X"),
        ("__LINE__\n__LINE__ __FILE__", '1 2 "x.c"'),
        ("_WIN64 _M_AMD64", "1 100"),
        ("#if 0\nit's not C \" at all\n#else\nyes\n#endif", "yes"),
        ("#if 0x100000000LL > 1 && defined(_WIN64) && !defined NOBODY\nyes\n#endif", "yes"),
        ("#if UNKNOWN\nno\n#elif -1 > 0u\nunsigned\n#else\nno\n#endif", "unsigned"),
        ("#ifdef A\nno\n#endif\n#ifndef A\nyes\n#endif", "yes"),
        ('???= "??!"', '? ? ? = "??!"'),
    ],
)
def test_text_becomes_tokens(text: str, expected: str) -> None:
    assert words(text) == expected


def test_every_token_keeps_its_place_and_an_expansion_has_the_place_of_the_name() -> None:
    tokens, _ = run("#define SET(x) x = 1;\n  SET(Irp)\n\tafter")
    assert [(t.value, t.position.place) for t in tokens] == [
        ("Irp", Place("x.c", 2, 7)),
        ("=", Place("x.c", 2, 3)),
        ("1", Place("x.c", 2, 3)),
        (";", Place("x.c", 2, 3)),
        ("after", Place("x.c", 3, 2)),
    ]


def test_includes_come_from_the_resolver_once_and_keep_their_own_places() -> None:
    tokens, problems = run('#include "a.h"\n#include "a.h"\nx', {"a.h": "#pragma once\ny"})
    assert problems.errors == []
    assert [(t.value, t.position.place) for t in tokens] == [("y", Place("a.h", 2, 1)), ("x", Place("x.c", 3, 1))]


def test_known_headers_and_trace_headers_add_nothing() -> None:
    tokens, problems = run('#include <NTDDK.H>\n#include "driver.tmh"\n#include <wdf\\wdf.h>\nx', known=("ntddk.h", "wdf.h"))
    assert problems.errors == []
    assert [t.value for t in tokens] == ["x"]


@pytest.mark.parametrize(
    ("text", "id", "column", "sentence"),
    [
        ('#include "nope.h"', "include-not-found", 10, "There is no file nope.h to include."),
        ("#include", "directive-incomplete", 2, "#include needs more than this."),
        ("#include nope", "include-malformed", 10, 'Write #include "name" or #include <name>.'),
        ("#error too old", "error-directive", 2, "#error too old"),
        ("#foo", "directive-unknown", 2, "There is no directive #foo."),
        ("#if 1 +\n#endif", "unexpected-end", 8, "The text ends too early."),
        ("#if 1 / 0\n#endif", "if-expression", 5, "This #if condition has no value: division by zero."),
        ("x /* never", "open-comment", 3, "This comment is never closed."),
        ("#if 1\nx", "if-open", 1, "This #if has no #endif."),
        ("#else", "directive-alone", 2, "This #else has no #if before it."),
        ("#define F(a, ) a", "macro-parameters", 9, "A parameter of the macro F has no name."),
        ("#define F(a) a\nF(1, 2)", "macro-arguments", 1, "F takes 1 arguments, not 2."),
        ("#define F(a, b, ...) a\nF(1)", "macro-arguments", 1, "The macro F takes at least 2 arguments."),
        ("#define F(a) a\nF(1;", "expected", 4, "Here a comma or ) was expected, not ;."),
    ],
)
def test_mistakes_have_a_place(text: str, id: str, column: int, sentence: str) -> None:
    _, problems = run(text)
    assert [(p.id, p.place.column, p.message) for p in problems.errors] == [(id, column, sentence)]


def test_macros_that_double_themselves_are_stopped() -> None:
    text = "#define A0 1\n" + "".join(f"#define A{i} A{i - 1} A{i - 1}\n" for i in range(1, 40)) + "A39"
    tokens, problems = run(text)
    assert (tokens, [p.id for p in problems.errors]) == ([], ["macros-too-large"])


def test_a_file_that_includes_itself_is_stopped() -> None:
    _, problems = run('#include "a.h"', {"a.h": '#include "a.h"\n'})
    assert [p.id for p in problems.errors] == ["include-too-deep"]


def test_the_comma_of_va_opt_has_another_spelling() -> None:
    problems = run("#define LOG(a, ...) f(a __VA_OPT__(,) __VA_ARGS__)")[1]
    assert [(p.id, p.place.column, p.message) for p in problems.errors] == [("va-opt", 9, "__VA_OPT__ is not supported.")]


def test_files_are_found_beside_the_file_that_includes_them() -> None:
    files = {"sub/one.h": '#include "../two.h"', "two.h": "two", "sub/two.h": "wrong"}
    tokens, problems = run('#include "sub/one.h"', files)
    assert ([token.value for token in tokens], problems.errors) == (["two"], [])
