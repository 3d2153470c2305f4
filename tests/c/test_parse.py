"""Reading Microsoft's words, and what is said about mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycparser import c_generator

from tests.c.small import small_headers
from wsklab.c.source import CompileError
from wsklab.c.tokens import Reader, tokenize
from wsklab.c.unit import compile_unit

LISTING = """// Function to send
NTSTATUS
  Send(
    PIRP Irp,
    PVOID Context
    )
{
  ULONG Count;

  // Check
  if (!Irp)
  {
    return STATUS_UNSUCCESSFUL;
  }
  UNREFERENCED_PARAMETER(Context);

  PIRP Other = IoAllocateIrp(1, FALSE);
  for (Count = 0; Count < 3; Count++)
    DbgPrint("%u\\n", Count);
  ...
  IoFreeIrp(Other);
  return Irp->IoStatus.Status;
}
"""


def problems_of(text: str) -> list[tuple[str, int, int, str, str | None]]:
    with pytest.raises(CompileError) as raised:
        compile_unit(text, "x.c", small_headers())
    return [(p.id, p.place.line, p.place.column, p.message, p.hint and p.hint.format(**p.values)) for p in raised.value.problems]


def written(text: str) -> str:
    """The text as the compiler understood it: written again from the tree."""
    from wsklab.c.parse import Parser
    from wsklab.c.preprocess import Preprocessor
    from wsklab.c.source import Problems, Source

    problems = Problems()
    tokens = Reader(Preprocessor(problems).run(Source("x.c", text)), problems).read()
    externals = Parser(problems, small_headers().typedef_names).unit(tokens)
    assert problems.errors == []
    return " ".join("".join(c_generator.CGenerator().visit(node) + ";\n" for e in externals for node in e.nodes).split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__int64 a; unsigned __int64 b; __int32 c; __int8 d;", "long long a; unsigned long long b; int c; char d;"),
        ("NTSTATUS __stdcall f(PIRP __unaligned p);", "NTSTATUS f(PIRP p);"),
        ("__forceinline int f(void) { return 1; }", "inline int f(void) { return 1; } ;"),
        (
            "_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ int f(_In_reads_bytes_(n + (1)) PVOID p, __in ULONG n);",
            "int f(PVOID p, ULONG n);",
        ),
        ("__declspec(dllimport) int f(void); __attribute__((packed)) int x;", "int f(void); int x;"),
        ("__declspec(align(8)) int x;", "_Alignas(8) int x;"),
        ("int x __pragma(warning(suppress: 4996)) = 'tpcs';", "int x = 'tpcs';"),
        ("#pragma warning(disable: 4100)\nint x;", "int x;"),
        ('PVOID p = (PVOID)L"a" "b";', 'PVOID p = (PVOID) L"ab";'),
    ],
)
def test_words_beyond_standard_c(text: str, expected: str) -> None:
    assert written(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int a = 1\nint b;", [("missing-semicolon", 1, 10, "A semicolon is missing after 1.", None)]),
        (
            "int f(void)\n{\n  int a = 1\n  return a:\n}\nint g(void) { return 2 }",
            [
                ("missing-semicolon", 3, 12, "A semicolon is missing after 1.", None),
                ("colon-for-semicolon", 4, 11, "A statement ends with a semicolon, not with a colon.", "Write ; here."),
                ("missing-semicolon", 6, 23, "A semicolon is missing after 2.", None),
            ],
        ),
        ("NTSTATU f(void);", [("unknown-type", 1, 1, "NTSTATU is not the name of a type.", "Did you mean NTSTATUS?")]),
        (
            "struct X { int a; }\nint f(void) { return 1; }",
            [("missing-semicolon", 1, 20, "A semicolon is missing after }.", None)],
        ),
        (
            "int f(PIRP Irp);\n{ return 1; }",
            [("semicolon-before-body", 1, 16, "The body of a function follows its parameters without a semicolon.",
              "Take this semicolon away.")],
        ),
        ("int f(void) { return 1; } }", [("closed-twice", 1, 27, "This } closes nothing.", None)]),
        ("void f(int a, int b) { f(TRUE TRUE); }", [("missing-comma", 1, 30, "A comma is missing after TRUE.", None)]),
        (
            "void f(PIRP Irp,);",
            [("trailing-comma", 1, 16, "A comma separates, and nothing follows this one.", "Take this comma away.")],
        ),
        (
            "void f(\n  ULONG Flags;\n  PIRP Irp;\n  )\n{ }",
            [
                ("semicolon-in-list", 2, 14, "A semicolon cannot stand between these parentheses.", "Write , here."),
                ("semicolon-in-list", 3, 11, "A semicolon cannot stand between these parentheses.", "Take this semicolon away."),
            ],
        ),
        ("void f(ULONG a PIRP b);", [("missing-comma", 1, 15, "A comma is missing after a.", None)]),
        ("void f(int *a, int *b) { f(a NULL); f(a, NULL); }", [("missing-comma", 1, 29, "A comma is missing after a.", None)]),
        ("void f(void) { return }", [("missing-semicolon", 1, 22, "A semicolon is missing after return.", None)]),
        ("ULONG count\nint f(void) { return 1; }", [("missing-semicolon", 1, 12, "A semicolon is missing after count.", None)]),
        ("void f(PVOID a) { ULONG *b = (WHATEVER *)a; }", [("unknown-type", 1, 31, "WHATEVER is not the name of a type.", None)]),
        ("void f(PVOID a) { a = (WHATEVER)a; }", [("unknown-type", 1, 24, "WHATEVER is not the name of a type.", None)]),
        ("const WHATEVER a = { 1 };", [("unknown-type", 1, 7, "WHATEVER is not the name of a type.", None)]),
        ("void f(void) { WHATEVER *a; }", [("unknown-type", 1, 16, "WHATEVER is not the name of a type.", None)]),
        ("/\nint a;", [("syntax", 1, 1, "/ cannot stand here.", None)]),
        ("void f(PIRP a) { a->; }", [("syntax", 1, 21, "The name of a member was expected here, not ;.", None)]),
        ("int int = 3;", [("syntax", 1, 1, "This is not a declaration.", None)]),
        ("Pirp f(void);", [("unknown-type", 1, 1, "Pirp is not the name of a type.", "Did you mean PIRP?")]),
        ("int f(PIPR Irp);", [("unknown-type", 1, 7, "PIPR is not the name of a type.", "Did you mean PIRP?")]),
        ("void f(void) { WHATEVER x; }", [("unknown-type", 1, 16, "WHATEVER is not the name of a type.", None)]),
        (
            "void f(void)\n{\n  if (1) {\n}\nvoid g(void) { }",
            [("never-closed", 3, 10, "This { is never closed.", None)],
        ),
        (
            "void f(void) {\nvoid g(void) { }",
            [("function-inside", 2, 6, "g begins inside another function.", "A } is missing at the end of the function above.")],
        ),
        (
            "int f(int x)\n{\n  int g(int y) { return y; }\n  return g(x);\n}",
            [("function-inside", 3, 7, "g begins inside another function.",
              "C has no functions inside functions: write it before this one.")],
        ),
        ("void f(void)\n{ if (1) { }", [("never-closed", 2, 1, "This { is never closed.", None)]),
        (
            "void f(int a) { if a == 1 return; }",
            [("missing-parenthesis", 1, 20, "After if comes a condition in parentheses.", None)],
        ),
        (
            "void f(int a) { if (a) a = 1; a = 2; else a = 3; }",
            [("else-alone", 1, 38, "This else has no if before it.",
              "If several statements belong to the if, put them between { and }.")],
        ),
        ("void f(int a) { if (a) a = 1 else a = 3; }", [("missing-semicolon", 1, 29, "A semicolon is missing after 1.", None)]),
        (
            "void f(int a)\n{\n  f(1,\n    2;\n}",
            [
                ("expected", 4, 6, "Here a comma or ) was expected, not ;.", "It would close the one opened in line 3."),
                ("too-many-arguments", 3, 3, "f takes 1 arguments, not 2.", "f(int a)"),
            ],
        ),
        ("void f(int a) { f(a)); }", [("closed-twice", 1, 21, "This ) closes nothing.", None)]),
        ("void f(int a) { a = ; }", [("no-expression", 1, 21, "A value was expected here, not ;.", None)]),
        ("void f(int a) { a = ULONG; }", [("type-as-value", 1, 21, "ULONG is a type: it cannot stand for a value.", None)]),
        ("void f(void) { DbgPrint(\"a); }", [("open-string", 1, 25, "This string is not closed on its line.", None)]),
        ("PVOID a = “1”;", [("odd-character", 1, 11, "“ is not a character of C.", 'Write " instead.')]),
        ("int a = 99999999999999999999;", [("bad-number", 1, 9, "99999999999999999999 does not fit into 64 bits.", None)]),
        ("int a = 08, b = 1x, c = '';", [
            ("bad-number", 1, 9, "08 begins with 0 and is octal: it cannot hold 8 or 9.", None),
            ("bad-number", 1, 17, "1x is not a number.", None),
            ("empty-character", 1, 25, "A character constant cannot be empty.", "Write '\\0' for the character zero."),
        ]),
        ("void f(void) { __asm { } }", [("not-supported", 1, 16, "__asm is not supported yet.", None)]),
        ("void f(void) { __try { } f(); }", [("expected", 1, 26, "Here __except was expected, not f.", None)]),
        ("if (1) return;", [("statement-outside", 1, 1, "A statement cannot stand outside a function.",
                              "Perhaps the function above is closed by a } too early.")]),
        ("int f(a, b) int a; { return a; }", [("parameter-without-type", 1, 10, "b is not the name of a type.", None)]),
        ("int x; int x(void);", [("declared-twice", 1, 12, "x is already declared in line 1 of x.c.", None)]),
    ],
)  # fmt: skip
def test_mistakes_are_explained(text: str, expected: list[tuple[str, int, int, str, str | None]]) -> None:
    assert sorted(problems_of(text)) == sorted(expected)


def test_an_error_prints_as_a_compiler_prints_it() -> None:
    with pytest.raises(CompileError) as raised:
        compile_unit("int f(void)\n{\n\treturn 1:\n}\n", "send.c", small_headers())
    assert str(raised.value) == (
        "send.c:3:10: error: A statement ends with a semicolon, not with a colon.\n  \treturn 1:\n  \t        ^\n  Write ; here."
    )


@pytest.mark.parametrize("text", ["int f(void) { return " + "(" * 5000, "{" * 5000, "int x = " + "+".join("1" * 9000) + ";"])
def test_nesting_has_a_bound(text: str) -> None:
    assert {id for id, *_ in problems_of(text)} == {"nested-too-deeply"}


WORDS = [token.value for token in tokenize(LISTING)]
PIECES = st.sampled_from(
    sorted({*WORDS, *"{}()[];:,?*&=\"'\\#@", "#if", "...", "typedef", "struct", "0x", "/*", "__declspec", "enum"})
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(WORDS) - 1), st.sampled_from(["drop", "put", "swap"]), PIECES), min_size=1, max_size=4)
)
def test_whatever_is_damaged_the_answer_is_a_unit_or_a_compile_error(damages: list[tuple[int, str, str]]) -> None:
    words = list(WORDS)
    for index, kind, piece in damages:
        index = min(index, len(words) - 1)
        words[index : index + (kind != "put")] = [] if kind == "drop" else [piece]
    try:
        compile_unit("".join(words), "x.c", small_headers())
    except CompileError as error:
        assert all(p.place.line and p.message for p in error.problems)
        assert str(error)
