"""Literals and constant expressions: value and type of each."""

from __future__ import annotations

import pytest

from tests.c.small import small_headers
from wsklab.c.constant import character_literal, evaluate, integer_literal, string_literal, usual
from wsklab.c.declare import Declarations
from wsklab.c.parse import Parser
from wsklab.c.source import Problems
from wsklab.c.tokens import Reader, tokenize
from wsklab.c.types import CHAR, DOUBLE, INT, LLONG, LONG, UINT, ULLONG, ULONG, USHORT, CType


@pytest.mark.parametrize(
    ("text", "value", "ctype"),
    [
        ("0", 0, "int"),
        ("2147483647", 0x7FFFFFFF, "int"),
        ("2147483648", 0x80000000, "long long"),
        ("0x7FFFFFFF", 0x7FFFFFFF, "int"),
        ("0xC0000001", 0xC0000001, "unsigned int"),
        ("0x00000103L", 0x103, "long"),
        ("0xC0000001L", 0xC0000001, "unsigned long"),
        ("017", 15, "int"),
        ("0b101", 5, "int"),
        ("1u", 1, "unsigned int"),
        ("1UL", 1, "unsigned long"),
        ("1LL", 1, "long long"),
        ("0x8000000000000000", 1 << 63, "unsigned long long"),
        ("1ui64", 1, "unsigned long long"),
        ("10000i64", 10000, "long long"),
        ("200i8", -56, "char"),
    ],
)
def test_integers(text: str, value: int, ctype: str) -> None:
    assert (integer_literal(text)[0], str(integer_literal(text)[1])) == (value, ctype)


@pytest.mark.parametrize("text", ["0x1FFFFFFFFFFFFFFFF", "x1"])
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        integer_literal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a'", (97, INT)),
        ("'\\n'", (10, INT)),
        ("'\\xff'", (-1, INT)),
        ("'\\0'", (0, INT)),
        ("'tpcs'", (0x74706373, INT)),
        ("'ab'", (0x6162, INT)),
        ("L'é'", (0xE9, USHORT)),
        ("U'😀'", (0x1F600, UINT)),
    ],
)
def test_characters(text: str, expected: tuple[int, CType]) -> None:
    assert character_literal(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"ab"', (b"ab\0", CHAR)),
        ('"\\x41\\102\\n" "c"', (b"AB\nc\0", CHAR)),
        ('"\\1" "23"', (b"\x0123\0", CHAR)),
        ('"é\\xe9"', (b"\xc3\xa9\xe9\0", CHAR)),
        ('L"aé"', (b"a\0\xe9\0\0\0", USHORT)),
        ('L"😀"', (b"\x3d\xd8\x00\xde\0\0", USHORT)),
        ('u8"é"', (b"\xc3\xa9\0", CHAR)),
        ('""', (b"\0", CHAR)),
    ],
)
def test_strings(text: str, expected: tuple[bytes, CType]) -> None:
    assert string_literal(text) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(CHAR, CHAR, INT), (INT, UINT, UINT), (LONG, UINT, ULONG), (LONG, ULONG, ULONG), (LLONG, ULONG, LLONG),
     (LLONG, ULLONG, ULLONG), (USHORT, INT, INT), (DOUBLE, ULLONG, DOUBLE)],
)  # fmt: skip
def test_usual_conversions(left: CType, right: CType, expected: CType) -> None:
    assert usual(left, right) == usual(right, left) == expected


@pytest.mark.parametrize(
    ("text", "value", "ctype"),
    [
        ("1 + 2 * 3", 7, "int"),
        ("-7 / 2", -3, "int"),
        ("-7 % 3", -1, "int"),
        ("-1 < 0u", 0, "int"),
        ("(UCHAR)300", 44, "UCHAR"),
        ("(NTSTATUS)0xC0000001L", -0x3FFFFFFF, "NTSTATUS"),
        ("1 << 31", -0x80000000, "int"),
        ("1ULL << 40", 1 << 40, "unsigned long long"),
        ("~0u", 0xFFFFFFFF, "unsigned int"),
        ("1 ? 2 : 3u", 2, "unsigned int"),
        ("0 && 1 / 0", 0, "int"),
        ("!5", 0, "int"),
        ("'tset' == 0x74736574", 1, "int"),
        ("DispatchLevel + 1", 3, "int"),
        ("sizeof(IRP)", 48, "unsigned long long"),
        ("sizeof(((PIRP)0)->IoStatus)", 16, "unsigned long long"),
        ('sizeof("abc")', 4, "unsigned long long"),
        ("_Alignof(IRP)", 8, "unsigned long long"),
        ("offsetof(IRP, IoStatus.Information)", 24, "unsigned long long"),
        ("offsetof(IRP, ThreadListEntry.Blink)", 40, "unsigned long long"),
        ("(LONG)(LONG_PTR)&(((IRP *)0)->Associated.Count)", 8, "LONG"),
        ("(int)2.9", 2, "int"),
        ("(ULONG)-1", 0xFFFFFFFF, "ULONG"),
        ("(PVOID)-1", 0xFFFFFFFFFFFFFFFF, "PVOID"),
    ],
)
def test_constant_expressions(text: str, value: int, ctype: str) -> None:
    headers = small_headers()
    problems = Problems()
    tokens = Reader([t for t in tokenize(text) if t.type != "CPP_WS"], problems).read()
    node = Parser(problems, headers.typedef_names).expression(tokens)
    found, its_type = evaluate(Declarations(problems, headers.declarations), node)
    assert (found, str(its_type)) == (value, ctype)


@pytest.mark.parametrize("text", ["1 / 0", "unknown", "IoFreeIrp(0)", "1 << 32", "1.5", '"abc"', "sizeof(unknown)"])
def test_what_is_not_constant(text: str) -> None:
    headers = small_headers()
    problems = Problems()
    tokens = Reader([t for t in tokenize(text) if t.type != "CPP_WS"], problems).read()
    node = Parser(problems, headers.typedef_names).expression(tokens)
    assert Declarations(problems, headers.declarations).constant(node) is None
