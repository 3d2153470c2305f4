"""Declarations: types, layouts, scopes, and what is refused."""

from __future__ import annotations

import pytest

from tests.c.small import small_headers
from wsklab.c.declare import Declarations, Symbol
from wsklab.c.source import NOWHERE, CompileError, Problems
from wsklab.c.types import INT, LONG, Function, Record
from wsklab.c.unit import Unit, compile_unit


def unit(text: str) -> Unit:
    return compile_unit(text, "x.c", small_headers())


def layout(record: object) -> dict[str, tuple[int, ...]]:
    assert isinstance(record, Record)
    members: dict[str, tuple[int, ...]] = {
        name: (f.offset, f.type.size) if f.bit_width is None else (f.offset, f.type.size, f.bit_offset, f.bit_width)
        for name, f in record.members.items()
    }
    return members | {"": (record.size, record.align)}


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("unsigned char a;", "unsigned char"),
        ("long unsigned int a;", "unsigned long"),
        ("long long int a;", "long long"),
        ("signed a;", "int"),
        ("PIRP a;", "PIRP"),
        ("IRP *a;", "IRP *"),
        ("struct _IRP *a;", "struct _IRP *"),
        ("const PVOID a;", "PVOID"),
        ("int *a[3];", "int *[3]"),
        ("int (*a)[3];", "int[3] *"),
        ("NTSTATUS (*a)(PIRP, PVOID);", "NTSTATUS (*)(PIRP, PVOID)"),
        ("PDRIVER_ROUTINE a;", "PDRIVER_ROUTINE"),
        ("enum _LEVEL a;", "enum _LEVEL"),
        ("int a[] = {1, 2, 3};", "int[3]"),
        ("int a[] = {[4] = 1};", "int[5]"),
        ('char a[] = "abc";', "char[4]"),
        ('WCHAR a[] = L"abc";', "WCHAR[4]"),
        ("LIST_ENTRY a[] = {{0, 0}, {0, 0}};", "LIST_ENTRY[2]"),
        ("LIST_ENTRY a[] = {0, 0, 0};", "LIST_ENTRY[2]"),
        ("UCHAR a[sizeof(IRP) / 8];", "UCHAR[6]"),
        ("long double a;", "double"),
    ],
)
def test_types(declaration: str, expected: str) -> None:
    assert str(unit(declaration).variables["a"].type) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("char a; int b; char c; long long d;", {"a": (0, 1), "b": (4, 4), "c": (8, 1), "d": (16, 8), "": (24, 8)}),
        ("int a : 3; int b : 30; int : 0; int c : 1;", {"a": (0, 4, 0, 3), "b": (4, 4, 0, 30), "c": (8, 4, 0, 1), "": (12, 4)}),
        (
            "int a; union { int b; char c; }; struct { int d; } e;",
            {"a": (0, 4), "b": (4, 4), "c": (4, 1), "e": (8, 4), "": (12, 4)},
        ),
        ("int a; DECLSPEC_ALIGN(16) int b;", {"a": (0, 4), "b": (16, 4), "": (32, 16)}),
        ("short a; char b[];", {"a": (0, 2), "b": (2, 0), "": (2, 2)}),
        ("LIST_ENTRY; int a;", {"Flink": (0, 8), "Blink": (8, 8), "a": (16, 4), "": (24, 8)}),
    ],
)
def test_layouts(body: str, expected: dict[str, tuple[int, ...]]) -> None:
    assert layout(unit(f"struct S {{ {body} }} s;").variables["s"].type) == expected


def test_packing_and_alignment_of_whole_records() -> None:
    compiled = unit(
        "#pragma pack(push, 1)\nstruct P { char a; int b; } p;\n#pragma pack(pop)\n"
        "struct Q { char a; int b; } q;\nstruct DECLSPEC_ALIGN(32) R { int a; } r;\n"
    )
    sizes = {name: (v.type.size, v.type.align) for name, v in compiled.variables.items()}
    assert sizes == {"p": (5, 1), "q": (8, 4), "r": (32, 32)}


def test_packing_by_the_headers_of_the_wdk() -> None:
    text = "#include <pshpack1.h>\nstruct P { char a; int b; } p;\n#include <PopPack.h>\nstruct Q { char a; int b; } q;\n"
    assert {name: v.type.size for name, v in unit(text).variables.items()} == {"p": 5, "q": 8}


def test_functions_know_their_parameters_as_pointers() -> None:
    compiled = unit("int f(int a[3], DRIVER_ROUTINE g) { return a[0]; }")
    definition = compiled.functions["f"]
    assert str(definition.type) == "int (int *, NTSTATUS (*)(PIRP, PVOID))"
    assert [p.name for p in definition.type.parameters] == ["a", "g"]


def test_a_function_typedef_declares_a_prototype() -> None:
    compiled = unit("DRIVER_ROUTINE Mine;\nNTSTATUS Mine(PIRP i, PVOID c) { return STATUS_PENDING; }\nDRIVER_ROUTINE Other;")
    names = compiled.declarations.scopes[0].names
    assert (list(compiled.functions), {name: str(symbol.type) for name, symbol in names.items()}) == (
        ["Mine"], {"Mine": "NTSTATUS (PIRP, PVOID)", "Other": "DRIVER_ROUTINE"},
    )  # fmt: skip


def test_variables_are_merged_and_described() -> None:
    compiled = unit("extern int a[];\nint a[2];\nstatic const int b = 1;\nextern int c;\nconst char *d;\nint e; int e = 5;")
    found = {n: (str(v.type), v.storage, v.only_declared) for n, v in compiled.variables.items()}
    assert found == {
        "a": ("int[2]", "", False),
        "b": ("int", "static", False),
        "c": ("int", "extern", True),
        "d": ("char *", "", False),
        "e": ("int", "", False),
    }
    assert compiled.variables["e"].node.init is not None


def test_scopes_shadow_and_end() -> None:
    declarations = Declarations(Problems(), small_headers().declarations)
    declarations.enter(Symbol("a", "object", INT, NOWHERE))
    with declarations.scope():
        declarations.enter(Symbol("a", "object", LONG, NOWHERE, "static"))
        inside = declarations.lookup("a")
    outside = declarations.lookup("a")
    assert inside is not None and outside is not None
    assert (inside.storage, outside.storage) == ("static", "")
    free = declarations.lookup("IoFreeIrp")
    assert free is not None and isinstance(free.type, Function)
    assert (free.kind, str(free.type), declarations.lookup("nothing")) == ("function", "void (PIRP)", None)


@pytest.mark.parametrize(
    ("text", "id", "column", "sentence"),
    [
        ("int a[-1];", "negative-array", 5, "An array cannot have -1 elements."),
        ("int n; int a[n];", "not-constant", 14, "The value of the size of an array must be known when compiling."),
        ("int a[SIZE];", "undeclared", 7, "SIZE is not declared."),
        ("struct X x;", "no-size", 10, "x cannot be struct X: it has no size."),
        ("void x;", "no-size", 6, "x cannot be void: it has no size."),
        ("struct S { struct T t; };", "member-without-size", 21, "The member t cannot be struct T: it has no size."),
        ("struct S { int a; int a; };", "member-twice", 23, "There are two members named a."),
        ("struct S { int a : 33; };", "bit-field", 16, "int has no bit-field of 33 bits."),
        ("struct S { int a; }; struct S { int b; };", "record-twice", 29, "struct S is defined twice."),
        ('_Static_assert(sizeof(int) == 8, "no");', "static-assertion", 1, "This static assertion does not hold."),
        ("typedef int A; typedef long long A;", "conflicting-types", 34, "A is declared as A here, but as A in line 1 of x.c."),
        (
            "int IoFreeIrp(PIRP Irp) { return 1; }",
            "conflicting-types",
            5,
            "IoFreeIrp is declared as int (PIRP) here, but as void (PIRP) in line 36 of all.h.",
        ),
        ("int f(void) { return 1; } int f(void) { return 2; }", "defined-twice", 31, "f is already defined in line 1 of x.c."),
        ("int f(int) { return 1; }", "parameter-without-name", 7, "A parameter of f has no name."),
        ("int f(struct X x) { return 1; }", "no-size", 16, "x cannot be struct X: it has no size."),
    ],
)
def test_what_is_refused(text: str, id: str, column: int, sentence: str) -> None:
    with pytest.raises(CompileError) as raised:
        unit(text)
    assert [(p.id, p.place.column, p.message) for p in raised.value.problems] == [(id, column, sentence)]
