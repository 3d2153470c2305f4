"""Gaps: which ``...`` are gaps, of which kind, and where."""

from __future__ import annotations

import ast

import pytest

from tests.c.small import small_headers
from wsklab.c.source import Place
from wsklab.c.types import Function
from wsklab.c.unit import Unit, compile_unit


def unit(text: str) -> Unit:
    return compile_unit(text, "x.c", small_headers())


def gaps_in(node: ast.AST) -> list[tuple[str, int, int]]:
    """Kind, line and column of the calls that say that a gap was reached."""
    found = []
    for part in ast.walk(node):
        match part:
            case ast.Call(ast.Name("gap·"), [ast.Name(place), ast.Constant(kind)]):
                _, line, column = place.rsplit(":", 2)
                found.append((kind, int(line), int(column)))
    return sorted(found, key=lambda gap: gap[1:])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("...", [("statement", 2, 1)]),
        ("...;", [("statement", 2, 1)]),
        (".\n.\n.", [("statement", 2, 1)]),
        ("if (a) ... else ...", [("statement", 2, 8), ("statement", 2, 17)]),
        ("switch (a) { case 1: ... default: ... }", [("statement", 2, 22), ("statement", 2, 35)]),
        ("again: ...\n goto again;", [("statement", 2, 8)]),
        ("if (...) a = 1;", [("condition", 2, 5)]),
        ("while (a && !...) a = 1;", [("condition", 2, 14)]),
        ("do a = 1; while (...);", [("condition", 2, 18)]),
        ("for (...) a = 1;", [("condition", 2, 6)]),
        ("for (a = 0; ...; a++) a = 1;", [("condition", 2, 13)]),
        ("switch (...) { default: a = 1; }", [("condition", 2, 9)]),
        ("DbgPrint(...);", [("argument", 2, 10)]),
        ('DbgPrint("%d", ...);', [("argument", 2, 16)]),
        ("int b = ...;", [("initialiser", 2, 9)]),
        ("a = ...;", [("initialiser", 2, 5)]),
        ("return ...;", [("initialiser", 2, 8)]),
        ("NTSTATUS (*f)(PVOID p, ...) = 0;", []),
    ],
)
def test_a_gap_stands_where_c_wants_a_statement_or_a_value(body: str, expected: list[tuple[str, int, int]]) -> None:
    compiled = unit(f"int f(int a) {{\n{body}\nreturn a; }}")
    assert gaps_in(compiled.checked["f"].node) == expected
    assert compiled.gaps == [Place("x.c", line, column) for _, line, column in expected]


def test_a_gap_in_a_list_leaves_the_rest_zero() -> None:
    compiled = unit("int a[] = { 1, ... };\nint f(void) { int b[3] = { 1, ... }; return b[1]; }")
    assert (str(compiled.variables["a"].type), compiled.gaps) == ("int[2]", [Place("x.c", 1, 16), Place("x.c", 2, 31)])


def test_prototypes_keep_their_dots() -> None:
    compiled = unit("ULONG Print(int level, ...);\nint f(int a, ...) { return a; }")
    printed = compiled.declarations.scopes[0].names["Print"].type
    assert isinstance(printed, Function)
    assert (printed.varargs, compiled.functions["f"].type.varargs, compiled.gaps) == (True, True, [])


def test_gaps_among_declarations_leave_only_their_place() -> None:
    compiled = unit("...\ntypedef struct _CONTEXT {\n  int a;\n  ...\n} CONTEXT;\nenum { A, ... };\nCONTEXT context;\n")
    assert compiled.gaps == [Place("x.c", 1, 1), Place("x.c", 4, 3), Place("x.c", 6, 11)]
    assert compiled.variables["context"].type.size == 4


def test_a_listing_keeps_its_lines() -> None:
    compiled = unit("int f(int a)\n{\n  // Re-use or free the data buffer\n  ...\n  return a;\n}\n")
    first, second = compiled.functions["f"].node.body.block_items
    assert (first.coord.line, second.coord.line, second.coord.column) == (4, 5, 3)
