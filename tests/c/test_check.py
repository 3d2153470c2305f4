"""What the typed check says: for each mistake the whole list of problems, as place, severity, id, sentence and hint."""

from __future__ import annotations

import pytest

from wsklab.c.source import CompileError
from wsklab.c.unit import compile_unit

BEFORE = """typedef struct PLACE { int x, y; } PLACE, *PPLACE;
int helper(int a, int b);
void nothing(void);
static int twice(int n) { return n * 2; }
struct UNKNOWN;
"""


def problems(text: str) -> list[str]:
    """Errors and warnings of one line of C behind `BEFORE`, as ``column id: sentence [hint]``; warnings in brackets."""
    try:
        found = compile_unit(BEFORE + text, "t.c").warnings
    except CompileError as error:
        found = error.problems
    result = []
    for problem in found:
        assert problem.place.file == "t.c"
        assert problem.place.line == 6
        assert problem.line_text == text
        hint = f" [{problem.hint.format(**problem.values)}]" if problem.hint else ""
        line = f"{problem.place.column} {problem.id}: {problem.message}{hint}"
        result.append(line if problem.severity == "error" else f"({line})")
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # names
        ("int f(void) { return Helper(1, 2); }",
         ["22 undeclared-function: The function Helper is not declared. [Did you mean helper?]"]),
        ("int f(void) { return hepler(1, 2); }",
         ["22 undeclared-function: The function hepler is not declared. [Did you mean helper?]"]),
        ("int f(void) { return qqq + zzz; }", ["22 undeclared: qqq is not declared.", "28 undeclared: zzz is not declared."]),
        ("void f(PIRP Irp) { IoFreeIRP(Irp); }",
         ["20 undeclared-function: The function IoFreeIRP is not declared. [Did you mean IoFreeIrp?]"]),
        ("NTSTATUS f(void) { return STATUS_SUCESS; }",
         ["27 undeclared: STATUS_SUCESS is not declared. [Did you mean STATUS_SUCCESS?]"]),
        ("int f(PIRP Irp) { return Irp->IoStatus.status; }",
         ["40 no-such-member: IO_STATUS_BLOCK has no member status. [Did you mean Status?]"]),
        # calls
        ("int f(void) { return helper(1); }", ["22 too-few-arguments: helper takes 2 arguments, not 1. [helper(int a, int b)]"]),
        ("int f(void) { return helper(1, 2, 3); }",
         ["22 too-many-arguments: helper takes 2 arguments, not 3. [helper(int a, int b)]"]),
        ("void f(void) { int x = 1; x(); }", ["27 not-a-function: int cannot be called."]),
        ("int f(void) { return 1 + nothing(); }", ["22 bad-operands: + does not work on int and void."]),
        # members
        ("int f(PPLACE p) { return p.x; }",
         ["26 not-a-structure: PPLACE has no members. [It is a pointer: write -> instead of .]"]),
        ("int f(PLACE p) { return p->x; }",
         ["25 not-a-structure: PLACE has no members. [It is not a pointer: write . instead of -> here.]"]),
        ("int f(PPLACE p) { return p->z; }", ["29 no-such-member: PLACE has no member z."]),
        ("int f(struct UNKNOWN *p) { return p->x; }", ["35 incomplete-type: The members of struct UNKNOWN are not known."]),
        # returns
        ("void f(void) { return 1; }", ["16 value-returned-from-void: f returns void: a value cannot be returned."]),
        ("int f(void) { return; }", ["15 missing-return-value: f must return a value of type int."]),
        # assignment
        ("void f(int x) { 5 = x; x++ = 2; }",
         ["17 not-assignable: The left side of = cannot be assigned to.",
          "24 not-assignable: The left side of = cannot be assigned to."]),
        ("void f(int n) { PPLACE p = n; }",
         ["(28 pointer-from-int: initialiser: the number of type int becomes the pointer PPLACE without a cast.)"]),
        ("void f(PPLACE p) { int n = p; }",
         ["(28 pointer-to-int: initialiser: the pointer PPLACE becomes the number int without a cast.)"]),
        ("void f(PPLACE p, int n) { p = &n; }", ["(27 pointer-types: assignment: int * and PPLACE point to different things.)"]),
        ("void f(PLACE p, int n) { p = n; }", ["26 incompatible-types: assignment: int cannot become PLACE."]),
        ("void f(void **p, PPLACE q, const PLACE *c, void (*r)(void)) { p = &q; p = &c; p = &r; }", [
            "(71 pointer-types: assignment: PLACE ** and void ** point to different things.)",
            "(79 pointer-types: assignment: void (*)(void)* and void ** point to different things.)",
        ]),
        ("void f(void *p, PPLACE q) { q = p; p = q; q = 0; q = NULL; p = f; }", []),
        ("void f(ULONG *u, LONG *i) { u = i; i = u; }", []),
        # operators
        ("double f(double d) { return ~d + d % 2; }",
         ["30 bad-operand: ~ does not work on double.", "34 bad-operands: % does not work on double and int."]),
        ("int f(void *p) { return p[1]; }",
         ["25 unknown-size: The size of void is not known. [Cast it to PUCHAR to count in bytes.]"]),
        ("int f(int *p) { return p == 3; }", ["(24 pointer-comparison: == compares int * with int.)"]),
        ("int f(int n) { return &5 && *n; }",
         ["24 no-address: This value has no address.", "30 not-a-pointer: int is not a pointer."]),
        ("int f(PLACE p) { if (p) return 1; return (PLACE)3; }",
         ["22 not-scalar: A number or pointer is needed here; this is PLACE.", "42 bad-cast: int cannot be cast to PLACE."]),
        # statements
        ("int f(void) { goto out; return 0; }", ["15 undeclared-label: There is no label out."]),
        ("void f(void) { __leave; }", ["16 misplaced-leave: __leave stands in no __try."]),
        ("int f(void) { return GetExceptionCode(); }",
         ["22 misplaced-intrinsic: GetExceptionCode has a meaning only in the filter and the block of an __except."]),
        ("void f(void) { __try { } __except (nothing()) { AbnormalTermination(); } }", [
            "36 bad-filter: The filter of __except must be an integer, not void.",
            "49 misplaced-intrinsic: AbnormalTermination has a meaning only in the block of a __finally.",
        ]),
        ("void f(void) { case 1: ; }", ["16 misplaced-case: This label stands in no switch."]),
        ("void f(const int *p, int n) { n = p[0]; *p = n; }",
         ["42 const-assigned: The left side of = is const: it cannot be changed."]),
        ("void f(const PLACE *p) { p->x++; }", ["26 const-assigned: The left side of p++ is const: it cannot be changed."]),
        ("void f(int n) { va_list a; va_start(a, n); }",
         ["28 no-varargs: f has no ... whose arguments va_start could find."]),
        ("int f(float x) { return _Generic(x, int: 1, char: 2); }", ["25 no-generic-type: _Generic names nothing for float."]),
        ("void f(void) { break; }", ["16 misplaced-break: break stands in no loop or switch."]),
        ("void f(void) { continue; }", ["16 misplaced-continue: continue stands in no loop."]),
        ("int f(int n) { switch (n) { case 1: case 1: return 0; } return 1; }", ["37 duplicate-case: The case 1 appears twice."]),
        ("int f(int n) { switch (n) { default: n = 1; default: return 0; } return 1; }",
         ["45 duplicate-case: The case default appears twice."]),
        # initialisers
        ('char s[2] = "abc";', ["13 string-too-long: The string is longer than the array (2 bytes)."]),
        (
            'char s[3000000000] = "a";',
            ["22 array-too-large: An array of 3000000000 bytes is larger than any block of the machine."],
        ),
        ("int a[2] = {1, 2, 3};", ["19 too-many-initialisers: There are more values than members."]),
        ("PLACE p = {.z = 1};", ["13 no-such-member: PLACE has no member z."]),
        ("int n = twice(3);", ["9 initialiser-not-constant: The initial value of n is not constant."]),
        ("int f(int n) { int a[n]; return 0; }",
         ["22 not-constant: The value of the size of an array must be known when compiling. [Microsoft's compiler has "
          "no arrays of variable length: take the memory from ExAllocatePool2.]"]),
        ("int n = 1; int m = n + 1;", ["20 initialiser-not-constant: The initial value of m is not constant."]),
        # extensions of GCC
        ("int f(int n) { return ({ n; }); }", ["24 gcc-extension: A block with a value, ({ … }), is an extension of GCC."]),
        ("int f(int n) { return __builtin_expect(n, 1); }", ["23 gcc-extension: __builtin_expect is an extension of GCC."]),
        ("int a[9] = { [1 ... 3] = 2 };", ["17 gcc-extension: A range of elements, [a ... b], is an extension of GCC."]),
        ("int n; int *p = &n + 1; PLACE *q = &(PLACE){1, 2};", []),
    ],
)  # fmt: skip
def test_problems(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_numbers_definitions_and_pointers_that_cannot_be() -> None:
    assert problems("unsigned long long n = 99999999999999999999;") == [
        "24 bad-number: 99999999999999999999 does not fit into 64 bits."
    ]
    assert problems("int n; int n = 1; int n = 2;") == ["23 declared-twice: n is already declared in line 6 of t.c."]
    assert problems("int f(void *p) { return *p; }") == ["26 unknown-size: The size of void is not known."]
    assert problems("unsigned long long n = 0xFFFFFFFFFFFFFFFF + 01777777777777777777777;") == []


def test_a_long_file_is_not_taken_for_a_macro_that_grows() -> None:
    assert len(compile_unit("int n;" * 40_000, "t.c").variables) == 1


def test_a_program_may_declare_functions_of_the_library_for_itself() -> None:
    """As before C89, which C leaves open where the types differ; the library knows better. A driver may not."""
    text = "int strlen(char *s);\nchar *malloc();\nC_ASSERT(sizeof strlen(0) == 8);\n"
    found = compile_unit(text + "int main(void) { return 0; }", "t.c")
    assert [(each.place.line, each.id) for each in found.warnings] == [(1, "conflicting-types"), (2, "conflicting-types")]
    for wrong in (text, "int strlen(char *s) { return 0; } int main(void) { return 0; }"):
        with pytest.raises(CompileError, match="strlen is declared as int"):
            compile_unit(wrong, "t.c")


LENGTHS = """
static int s[n];
int f(int n) { static int a[n]; extern int b[n]; return 0; }
int f(int n) { int a[n] = {1}; return 0; }
int f(int n) { return *(int[n]){1}; }
int f(int n) { int a[][n]; return 0; }
int f(int n) { struct { int a[n]; } s; return 0; }
int f(int n) { switch (n) { case sizeof(int[n]): return 1; } return 0; }
int f(int n, int a[m]) { return a[0]; }
int f(double n) { int a[n]; return 0; }
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    list(zip(LENGTHS.strip().split("\n"), [
        ["14 undeclared"], ["27 variable-array", "44 variable-array"], ["28 variable-array"], ["24 variable-array"],
        ["20 array-without-size"], ["29 member-without-size"], ["34 not-constant"], ["20 undeclared"], ["25 bad-operand"],
    ], strict=True)),
)  # fmt: skip
def test_where_an_array_of_variable_length_cannot_stand(line: str, expected: list[str]) -> None:
    with pytest.raises(CompileError) as caught:
        compile_unit(line + " int main(void) { return 0; }", "t.c")
    assert [f"{problem.place.column} {problem.id}" for problem in caught.value.problems] == expected
