"""Indexes beyond arrays, on the machine itself: what is seen, what is left alone, and where no check is needed."""

from __future__ import annotations

import pytest

from wsklab import Lab, Stop

TEXT = """STOP index-beyond-array: An index went past its array
  driver.c:1:{column}
    {line}
    {caret}

Element {index} was used of an array that has {count} elements; what lies there belongs to something else.
Compare the index with the number of elements. Windows would have read or changed the neighbour.

Windows would show no bug check for this: the fault would stay hidden."""


def stopped(text: str, argument: int) -> str:
    """What is said when the function ``f`` of a C text stops."""
    driver = Lab().load(text, "driver.c")
    with pytest.raises(Stop) as caught:
        driver.f(argument)
    return str(caught.value)


SEEN = {
    "for": ("void f(int k) { int i, a[4], b[99]; b[0] = 1; for (i = 0; i < 3; i++) a[^i + k] = i; }", 30, 30, 4),
    "read": (
        "int f(int k) { int s = 0, a[4] = {0}, b[99] = {0}; for (int i = 0; i < 3; i++) s += a[^i + k];"
        " return s + b[0]; }", 40, 40, 4),
    "while": ("void f(int k) { int i = 0, a[4], b[99]; b[0] = 1; while (i < 3) { a[^k * i] = 1; i++; } }", 40, 40, 4),
    "do": ("void f(int k) { char i = 0, a[4], b[99] = {0}; do a[^i] = b[i]; while ((i += k) < 90); }", 40, 40, 4),
    "goto": ("void f(int k) { int i = 0, a[4], b[99] = {0}; again: a[^i] = b[0]; i += k; goto again; }", 20, 20, 4),
    "nested": (
        "int f(int k) { int a[4] = {0}, s = 0; for (int i = 0; i < 4; i++) for (int j = 0; j < k;"
        " j += 8) s += a[^i * j]; return s; }", 9, 8, 4),
    "calling": (
        "void g(void) {} void f(int k) { int a[4], b[99]; for (int i = 0; i < 99; i += k) { g(); a[^i] = b[0] = 1;"
        " } }", 30, 30, 4),
    "wrong-bound": ("void f(int k) { int a[8], b[99]; for (int i = 0; i <= 8; i++) a[^i + i / 8 * k] = b[i] = 1; }", 7, 15, 8),
    "wrong-bound-of-member": (
        "void f(int k) { struct { char a[8]; int b; } s; for (int i = 0; i <= 8; i++) s.a[^i] = k; }", 1, 8, 8),
    "negative": ("int f(int k) { int b[100] = {0}, a[4]; for (int i = -k; i < 0; i++) a[^i] = i; return b[0]; }", 50, -50, 4),
    "backwards": ("void f(int k) { int b[99], a[4]; for (int i = 3; i > -k; i--) a[^i * 9 - 24] = b[3 - i] = 1; }", 9, -6, 4),
    "row": ("int f(int k) { int a[2][3] = {0}, s = 0; for (int i = 0; i < 2; i++) s += a[^i * k][0]; return s; }", 5, 5, 2),
    "column": (
        "int f(int k) { int a[2][3] = {0}; for (int i = 0; i < 2; i++) for (int j = 0; j < k; j++) a[i][^j]++;"
        " return 0; }", 4, 3, 3),
    "global": ("int a[4], b[100]; void f(int k) { for (int i = 0; i < 3; i++) a[^i + k] = 1; }", 40, 40, 4),
    "static": ("int f(int k) { static int a[4], b[100]; for (int i = 0; i < 3; i++) a[^i + k] = 1; return b[0]; }", 40, 40, 4),
    "without-a-loop": ("int a[4], b[100]; void f(int k) { a[^k] = 1; }", 40, 40, 4),
    "member": (
        "struct S { int a[4], b[9]; }; void f(int k) { struct S s = {0}, *p = &s; for (int i = 0; i < k;"
        " i++) p->a[^i]++; }", 5, 4, 4),
    "structure": ("struct S { int x, y; } a[3], b[9]; void f(int k) { for (int i = 0; i < k; i += 9) a[^i].y = 1; }", 10, 9, 3),
    "copied": ("struct S { int x, y; } a[3], b[9]; void f(int k) { for (int i = 0; i < k; i += 9) a[^i] = b[0]; }", 10, 9, 3),
    "double": ("double a[3], b[9]; void f(int k) { for (int i = 0; i < k; i += 9) a[^i] += 1; }", 10, 9, 3),
    "changed": ("int a[3], b[99]; void f(int k) { for (int i = 0; i < k; i += 20) a[^i]++; }", 21, 20, 3),
    "added": (
        "int a[3], b[99]; int f(int k) { int s = 0; for (int i = 0; i < k; i += 20) s = *(a + (^i)); return s; }", 21, 20, 3),
    "pointer": ("int f(int k) { int a[4], b[99], *p = a; b[0] = 1; p[^k] = 1; return b[0]; }", 30, 30, 4),
    "pointer-in-loop": (
        "void f(int k) { int a[4], b[99], *p; p = a; for (int i = 0; i < k; i += 9) p[^i] = b[0] = 1; }", 10, 9, 4),
    "only-element": ("void f(int k) { int a[1], b[99]; for (int i = 0; i < k; i += 9) a[^i] = b[i] = 1; }", 10, 9, 1),
    "counter-changed": ("void f(int k) { int a[3], b[99]; for (int i = 0; i < 3; i++) { i = k; a[^i] = b[0] = 1; } }", 20, 20, 3),
    "counter-as-unsigned": ("void f(int k) { int a[9], b[99]; for (int i = -k; i > 8u; i++) a[^i] = b[0] = 1; }", 40, -40, 9),
    "counter-entered": ("void f(int k) { int i = k, a[3]; goto in; for (i = 0; i < 3; i++) { in: a[^i] = 1; } }", 20, 20, 3),
}  # fmt: skip
"""A text with ``^`` before the index, the argument, the index that is wrong and how many elements there are. What lies there is
another variable, so that no byte of it tells that it belongs to somebody else."""


@pytest.mark.parametrize(("text", "argument", "index", "count"), SEEN.values(), ids=SEEN)
def test_an_index_beyond_the_array_is_seen(text: str, argument: int, index: int, count: int) -> None:
    at, line = text.index("^"), text.replace("^", "")
    assert stopped(line, argument) == TEXT.format(column=at + 1, line=line, caret=" " * at + "^", index=index, count=count)


ALLOWED = {
    "the end has an address": (
        "int f(int k) { int a[4], *end = &a[k], n = 0; for (int *p = a; p < end; p++) n++; return n; }", 4, 4),
    "so has that of the rows": (
        "int f(int k) { int a[4][2], *end = a[k], n = 0; for (int *p = a[0]; p != end; p++) n++; return n; }", 4, 8),
    "and of what is in them": (
        "int f(int k) { int a[4][2], n = 0; for (int i = 0; i < k; i++) n = &a[4][0] - &a[i][2]; return n; }", 4, 0),
    "one element at the end stands for more": (
        "typedef struct { int n; USHORT v[ANYSIZE_ARRAY]; } S; int f(int k) { S *s = ExAllocatePool2(POOL_FLAG_NON_PAGED, 99, 1);"
        " int t = 0; for (s->n = 0; s->n < k; s->n++) t += (s->v[s->n] = s->n); ExFreePool(s); return t; }", 9, 36),
    "so does none": (
        "typedef struct { int n; char v[]; } S; int f(int k) { S *s = ExAllocatePool2(POOL_FLAG_NON_PAGED, 99, 1);"
        " int t = 0; for (int i = 0; i < k; i++) t += (s->v[i] = i); ExFreePool(s); return t; }", 9, 36),
    "a pointer moves": ("int f(int k) { int a[4] = {1, 2, 3, 4}, b[9] = {7}, *p = a; if (k) p = b; return p[k]; }", 8, 0),
    "a pointer that was given": ("int g(int *p, int k) { int a[2] = {1}; if (k < 0) p = a; return p[k]; } int f(int k)"
                                 " { int b[9] = {[5] = 6}; return g(b, k); }", 5, 6),
    "an array inside of another": (
        "int f(int k) { int a[2] = {1}, *p = a; { int a[9] = {[7] = 4}; a[7]++; k = a[k] + p[0]; } return k; }", 7, 6),
    "flattened": (
        "int f(int k) { int a[3][3] = {[2] = {7}}, *p = a[0]; for (int i = 0; i < 9; i++) p[i]++; return p[k]; }", 6, 8),
    "bytes of it": ("int f(int k) { int a[2] = {0, 5}; char *p = (char *)a; return p[k]; }", 4, 5),
    "its size": ("int f(int k) { int a[2] = {0}; return sizeof a[k] + a[0]; }", 40, 4),
}  # fmt: skip


@pytest.mark.parametrize(("text", "argument", "result"), ALLOWED.values(), ids=ALLOWED)
def test_what_c_allows_goes_on(text: str, argument: int, result: int) -> None:
    assert Lab().load(text, "driver.c").f(argument) == result


LOOPS = {
    "for (int i = 0; i < 8; i++) a[i] = i;": False,
    "for (int i = 0; i <= 7; i++) a[i] = i;": False,
    "for (int i = 0; i <= 8; i++) s.a[i] = i;": True,
    "for (int i = 1; i < 8; i += 2) a[i] += a[i - 1];": False,
    "int i; for (i = 7; i >= 0; i--) a[i] = i;": False,
    "unsigned i; for (i = 8; i > 0; i--) a[i - 1] = i;": False,
    "for (size_t i = 0; i < sizeof a / sizeof a[0]; i++) a[i] = 1;": False,
    "for (int i = 0; i < sizeof a / sizeof a[0]; i++) a[i] = 1;": False,
    "for (int i = 0, j = 0; i < 8 && j < k; i++, j++) a[i] = j;": True,
    "for (int i = 0; i < 8 && a[i]; i++) a[i] = 1;": True,  # in the condition it can be 8
    "for (int i = 0; i < k; i++) a[i % 8] = a[i & 7];": False,
    "for (int i = -k; i < k; i++) a[(unsigned)i % 8] = a[i & 7];": False,
    "for (int i = -k; i < k; i++) a[i % 8] = 1;": True,
    "for (int i = 0; i < k; i++) a[i] = 1;": True,
    "for (int i = 0; i < 8; i++) for (int j = 0; j < 3; j++) m[i][j] = a[i - i % 2];": False,
    "for (int i = 0; i < 8; i++) for (int j = 0; j < 3; j++) m[j][i] = 1;": True,
    "for (int i = 0; i < 8; i++) { int i = k; a[i] = 1; }": True,
    "for (int i = 0; i < 8; i++) { int *p = &i; *p = k; a[i] = 1; }": True,
}
"""A loop, and whether the address of an element in it has to be compared with the ends of its array."""


@pytest.mark.parametrize(("loop", "checked"), LOOPS.items())
def test_what_surely_stays_inside_is_not_compared(loop: str, checked: bool) -> None:
    text = f"int a[8], m[8][3]; struct {{ int a[8], b; }} s; void f(int k) {{ {loop} }}"
    driver = Lab().load(text, "driver.c")
    code = driver.image.functions["f"].call.__code__
    assert ("beyond·" in code.co_names) is checked


@pytest.mark.parametrize("array", ["int a[8] = {0};", "static int a[8];", "int b[8] = {0}, *a = b;", "const int a[8] = {0};"])
def test_arrays_in_loops_are_read_from_the_views(array: str) -> None:
    driver = Lab().load(f"int f(int k) {{ {array} int s = 0; for (int i = 0; i < k; i++) s += a[i]; return s; }}", "driver.c")
    assert "memory·" in driver.image.functions["f"].call.__code__.co_names
    assert driver.f(8) == 0


BESIDE = {
    "behind a local": (
        "void g(char *p, int k) { p[k] = 1; } void f(int k) { char a[64], b[500]; g(a, k); }", 127, "local-overrun"),
    "before a local": (
        "void g(char *p, int k) { p[-k] = 1; } void f(int k) { char b[500], a[64]; g(a, k); }", 64, "local-overrun"),
    "behind a small one": (
        "void g(char *p, int k) { p[k] = 1; } void f(int k) { char a[4], b[500]; g(a, k); }", 19, "local-overrun"),
    "behind a global": ("char a[4], b[500]; void g(char *p, int k) { p[k] = 1; } void f(int k) { g(a, k); }", 67, "overrun"),
    "before a static": (
        "void g(char *p, int k) { p[-k] = 1; } void f(int k) { static char b[4], a[64]; b[0] = 1; g(a, k); }", 16, "underrun"),
    "behind one of variable length": (
        "int main(void) { return 0; } void f(int k) { char a[k], b[500]; b[0] = 1; a[k + k] = 1; }", 63, "local-overrun"),
    "step by step": (
        "int f(int k) { int a[4] = {0}, b[99] = {0}, *p = a; while (k--) b[0] += *p++; return b[0]; }", 50, "local-overrun"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "argument", "rule"), BESIDE.values(), ids=BESIDE)
def test_the_bytes_around_a_variable_are_nobodys(text: str, argument: int, rule: str) -> None:
    driver = Lab().load(text, "driver.c")
    with pytest.raises(Stop) as caught:
        driver.f(argument)
    assert caught.value.rule.id == rule


def test_a_local_lies_where_its_type_wants_it() -> None:
    text = "typedef struct DECLSPEC_ALIGN(64) { int x; } A; int g(void) { A a; a.x = 1; return (ULONG_PTR)&a & 63; }"
    text += " int f(int k) { char c[16]; c[0] = 0; return k ? f(k - 1) + g() : c[0]; }"
    assert Lab().load(text, "driver.c").f(7) == 0


def test_tables_that_are_constant_are_read_in_every_kind_of_loop() -> None:
    text = """const short table[4] = {1, 2, 3, 4}; int same(int n) { return n; }
int f(int k)
{
    const short own[2] = {5, 6}, *both[2] = {table, own};
    int s = 0;
    for (int i = 0; i < k; i++) s += table[i] + own[i & 1];
    for (int i = 0; i < k; i++) s += same(table[i]) * same(own[i & 1]);
    for (int i = 0; i < k; i++) s += both[i & 1][i & 1];
    return s;
}
"""
    assert Lab().load(text, "driver.c").f(4) == 10 + 22 + (5 + 12 + 15 + 24) + 14
