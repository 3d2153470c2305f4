"""What compiled C does when it runs: places, waiting, gaps, and what C leaves undefined."""

from __future__ import annotations

import dis
import inspect
import traceback
from collections.abc import Callable, Generator
from typing import Any

import pytest

from tests.c.standin import BASE, StandIn, Undefined, finish
from wsklab import Lab, Stop
from wsklab.c.link import Image, link
from wsklab.c.source import LEFT_OUT, CompileError
from wsklab.c.support import to_single
from wsklab.c.types import INT, Function, Pointer
from wsklab.c.unit import compile_unit


def build(text: str, runtime: StandIn | None = None, name: str = "program.c") -> Image:
    return link([compile_unit(text, name)], runtime or StandIn())


def call(text: str, *arguments: Any, **modelled: Callable[..., Any]) -> Any:
    """The value of the function ``f`` of a C text."""
    return finish(build(text, StandIn(modelled)).functions["f"].call(*arguments))


def stopped(text: str, *arguments: Any) -> tuple[str, dict[str, Any]]:
    """Why the function ``f`` of a C text stops."""
    with pytest.raises(Undefined) as caught:
        call(text, *arguments)
    what, values = caught.value.args
    return what, values


LENGTH = "int main(void) {{ return 0; }} int f(int n) {{ {} }}"
"""Arrays of variable length are known where there is a main."""


@pytest.mark.parametrize("count", [0, -3])
def test_an_array_has_an_element_at_least(count: int) -> None:
    assert stopped(LENGTH.format("int a[n]; return sizeof a;"), count) == ("array-length", {"count": count})


def test_an_array_larger_than_a_stack_is_refused_before_it_is_made() -> None:
    assert stopped(LENGTH.format("char a[n]; return sizeof a;"), 1 << 30) == ("stack-overflow", {"function": "f"})


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("local-overrun", "int a[n]; for (int i = 0; i <= n; i++) a[i] = 1; return 0;"),
        ("local-overrun", "int a[n]; a[-1] = 1; return 0;"),
        ("uninitialised-read", "int a[n]; a[0] = 1; return a[1];"),
        ("uninitialised-read", "int t = 0; for (int i = 0; i < 3; i++) { int a[n]; if (!i) a[2] = 1; t += a[2]; } return t;"),
        ("use-after-block", "int *p; { int a[n]; a[0] = 1; p = a; } return *p;"),
        ("use-after-block", "int *p; for (int i = 0; i < n; i++) { int a[n]; a[i] = i; p = a; if (i) break; } return *p;"),
        ("use-after-block", "int *p; for (;;) { int a = n; p = &a; break; } return *p;"),
        ("use-after-block", "int *p; for (int i = 0; i < n; i++) p = &i; return *p;"),
        ("use-after-block", "int *p; switch (n) { default:; int a = 1; p = &a; } return *p;"),
        ("wrong-prototype", "return ((int (*)(int, ...))main)(1, 2);"),
        ("wrong-prototype-type", "return ((int (*)(char))(void *)f)('a');"),
        ("use-after-block", "int *p, k = 0; do { { int a[2] = { n }; p = a; if (!k++) continue; } } while (*p); return 0;"),
        ("use-after-block", "int *p; { int a = n; { int b[n]; p = b; *p = a; goto out; } } out: return *p;"),
        ("use-after-block", "int *p; switch (n) { default: for (;;) { int a = n; p = &a; goto out; } } out: return *p;"),
    ],
)
def test_what_only_the_machine_can_tell(rule: str, text: str) -> None:
    driver = Lab().load(LENGTH.format(text))
    with pytest.raises(Stop) as caught:
        driver.f(5)
    assert caught.value.rule.id == rule


# Places


def test_a_traceback_shows_c() -> None:
    text = "int inner(int a)\n{\n    int unset;\n    return a +\n        unset;\n}\nint f(void) { return 1 + inner(2); }\n"
    with pytest.raises(UnboundLocalError) as caught:
        build(text).functions["f"].call()
    frames = traceback.extract_tb(caught.value.__traceback__)[1:]
    assert [(f.filename, f.lineno, f.name, f.colno) for f in frames] == [("program.c", 7, "f", 25), ("program.c", 5, "inner", 8)]


def test_only_what_may_be_read_too_early_loses_its_value_in_each_round() -> None:
    text = """int f(int n)
{
    int once, i, total = 0;
    if (n > 1) once = n;
    for (i = 0; i < n; i++) {
        int set, maybe, counter, initialised = 1;
        set = i;
        if (set) maybe = set;
        for (counter = 0; counter < 2; counter++) total += initialised;
        total += maybe;
    }
    return total + once;
}
"""
    code = build(text).functions["f"].call.__code__  # type: ignore[attr-defined]
    assert [each.argval for each in dis.get_instructions(code) if each.opname == "DELETE_FAST"] == ["maybe"]


def test_every_instruction_has_a_place_in_the_text() -> None:
    text = """int f(int n)
{
    int i, a[3] = {1, 2};
    for (i = 0; i < n; i++) {
        a[i] += n;
    }
    return a[0];
}
"""
    code = build(text).functions["f"].call.__code__  # type: ignore[attr-defined]
    lines = {line for line, *_ in code.co_positions()}
    assert lines - {None} == {1, 3, 4, 5, 7}
    assert code.co_name == "f"
    assert code.co_filename == "program.c"


def test_locals_keep_their_names() -> None:
    text = "int f(int Irp) { int Status = Irp; { int Status = 2; Irp += Status; } return Status + Irp; }"
    code = build(text).functions["f"].call
    assert inspect.getfullargspec(code).args == ["Irp"]
    assert code.__code__.co_varnames == ("Irp", "Status", "Status·2", "t·")  # type: ignore[attr-defined]


# Undefined behaviour


@pytest.mark.parametrize(
    ("text", "arguments", "what", "values"),
    [
        ("int f(int a, int b) { return a / b; }", (1, 0), "division-by-zero", {}),
        ("int f(int a, int b) { return a % b; }", (1, 0), "division-by-zero", {}),
        ("ULONG f(ULONG a, ULONG b) { return a / b; }", (1, 0), "division-by-zero", {}),
        ("int f(int a, int b) { return a / b; }", (-(1 << 31), -1), "division-overflow", {"left": -(1 << 31)}),
        ("int f(int a, int b) { a %= b; return a; }", (-(1 << 31), -1), "division-overflow", {"left": -(1 << 31)}),
        ("LONGLONG f(LONGLONG a, int b) { return a / b; }", (-(1 << 63), -1), "division-overflow", {"left": -(1 << 63)}),
        ("int f(int i) { int a[2][3] = {0}; return a[1][i] + a[0][i]; }", (3,), "index-beyond-array", {"index": 3, "count": 3}),
        ("int f(int i) { struct { int a[2], b; } s[2] = {0}; for (;; i--) s[1].a[i]++; }", (1,), "index-beyond-array",
         {"index": -1, "count": 2}),
        ("int f(int i) { int a[3] = {0}, b[9] = {0}; return a[i]; }", (10,), "index-beyond-array", {"index": 10, "count": 3}),
        ("ULONG f(ULONG a, ULONG b) { a %= b; return a; }", (1, 0), "division-by-zero", {}),
        ("int f(int a, int b) { return a << b; }", (1, 32), "shift-too-far", {"count": 32, "bits": 32}),
        ("int f(int a, int b) { return a >> b; }", (1, -1), "shift-too-far", {"count": -1, "bits": 32}),
        ("int f(double a) { return (int)(1.0 / a); }", (0.0,), "float-to-integer", {"value": float("inf")}),
        ("ULONG f(float a) { return (ULONG)(a * a); }", (1e20,), "float-to-integer", {"value": to_single(1e20 * 1e20)}),
        ("void f(void) { for (;;) ; }", (), "step-budget", {}),
        ("void f(void) { again: goto again; }", (), "step-budget", {}),
        ("int g(int n) { if (n) return 1; } int f(void) { return g(0) + 1; }", (), "no-return-value", {"function": "g"}),
        ("int g(int n) { if (n) return 1; } int f(void) { int x = g(0); if (x) return 1; return 0; }", (), "no-return-value",
         {"function": "g"}),
    ],
)  # fmt: skip
def test_undefined(text: str, arguments: tuple[int, ...], what: str, values: dict[str, Any]) -> None:
    assert stopped(text, *arguments) == (what, values)


def test_one_behind_an_inner_array_has_an_address_and_an_array_of_one_stands_for_more() -> None:
    text = "struct S { int n[3]; char rest[1]; }; "
    text += "int f(struct S *s, int i) { return &s->n[i] - s->n + sizeof s->n[9] + (&s->rest[i] == 0); }"
    assert call(text, BASE, 3) == 7


def test_a_missing_return_value_that_nobody_uses_is_no_mistake() -> None:
    assert call("int g(int n) { if (n) return 1; } int f(void) { g(0); return 5; }") == 5


def test_a_local_that_was_never_set() -> None:
    with pytest.raises(UnboundLocalError, match="'x'"):
        call("int f(int n) { int x; if (n) x = 1; return x; }", 0)
    with pytest.raises(UnboundLocalError, match="'p'"):
        call("int f(int n) { int *p, s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }", 1)
    assert call("int f(int n) { int *p, s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }", 0) == 0


# Gaps


def test_gaps_say_that_they_were_reached() -> None:
    text = """int g(int a, int b, int c) { return a + b + c; }
int f(int n)
{
    ...
    if (...) { return 1; }
    n = ...;
    return g(7, ...);
}
"""
    runtime = StandIn()
    assert build(text, runtime).functions["f"].call(3) == 7
    assert [(line, kind) for line, _, kind in runtime.gaps] == [
        (4, "statement"),
        (5, "condition"),
        (6, "initialiser"),
        (7, "argument"),
    ]


def test_a_gap_behind_the_last_argument_fills_nothing() -> None:
    assert call("int g(int a, int b) { return a + b; }\nint f(void) { return g(1, 2, ...); }") == 3


def test_a_body_that_was_left_out_gives_zero() -> None:
    assert call("int f(void)\n{\n    ...\n}\n") == 0


# Waiting


def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    function.waits = True  # type: ignore[attr-defined]
    return function


@waiting
def pause(value: int) -> Generator[str, None, int]:
    yield f"pausing for {value}"
    return value * 10


WAITING = """
int pause(int n);
typedef int ACTION(int n);
typedef int OTHER(int n, int m);
int plain(int n) { return n + 1; }
int waits(int n) { return pause(n) + plain(n); }
int deeper(int n) { int i, t = 0; for (i = 0; i < n; i++) { t += waits(i); if (t > 1000) break; } return t; }
int through(ACTION *action, int n) { return action(n); }
int other(OTHER *action, int n) { return action(n, n); }
int choose(int n) { return through(n ? waits : plain, n) + (n && pause(2) == 20 ? 100 : 0); }
"""


def test_who_can_wait_is_inferred() -> None:
    image = build(WAITING, StandIn({"pause": pause}))
    assert {name: f.waits for name, f in image.functions.items()} == {
        "plain": False, "waits": True, "deeper": True, "through": True, "other": False, "choose": True,
    }  # fmt: skip
    assert all(inspect.isgeneratorfunction(f.call) == f.waits for f in image.functions.values())
    assert list(image.functions["deeper"].call(3)) == ["pausing for 0", "pausing for 1", "pausing for 2"]
    assert finish(image.functions["deeper"].call(3)) == 36
    assert finish(image.functions["choose"].call(1)) == 112
    assert finish(image.functions["choose"].call(0)) == 1


def test_the_runtime_can_say_that_a_pointer_waits() -> None:
    runtime = StandIn()
    text = "typedef int ACTION(int n); int f(ACTION *action, int n) { return action(n); }"
    unit = compile_unit(text)
    action = unit.functions["f"].type.parameters[0].type
    assert isinstance(action, Pointer)
    assert isinstance(action.to, Function)
    assert link([unit], runtime).functions["f"].waits is False
    runtime.waiting_types.append(action.to)
    image = link([unit], runtime)
    assert image.functions["f"].waits is True


def test_a_frame_is_given_back_when_a_wait_is_abandoned() -> None:
    runtime = StandIn({"pause": pause})
    image = build("int pause(int n); int f(void) { int x = 1, *p = &x; pause(*p); return x; }", runtime)
    running = image.functions["f"].call()
    next(running)
    assert len(runtime.frames) == 1
    running.close()
    assert runtime.frames == []


# Linking


def test_units_see_each_other_but_not_their_statics() -> None:
    one = compile_unit("static int own(void) { return 1; } int shared = 5; int one(void) { return own() + shared; }", "one.c")
    text = """int one(void); extern int shared; static int own(void) { return 20; }
        int two(void) { return own() + one() + shared++; }"""
    two = compile_unit(text, "two.c")
    runtime = StandIn()
    image = link([one, two], runtime)
    assert image.functions["two"].call() == 31
    assert image.functions["one"].call() == 7
    again = link([one, two], StandIn())
    assert again.functions["two"].call() == 31


def test_missing_and_double_symbols_are_reported_together() -> None:
    one = compile_unit("int missing(int n); extern int nowhere; int f(void) { return missing(1) + nowhere; }", "one.c")
    two = compile_unit("int f(void) { return 1; }", "two.c")
    with pytest.raises(CompileError) as caught:
        link([one, two], StandIn())
    assert [(p.place.file, p.place.column, p.id, p.message) for p in caught.value.problems] == [
        ("two.c", 5, "defined-twice", "f is defined twice; the first time at one.c:1:45."),
        ("one.c", 62, "undefined-function", "The function missing is declared but defined nowhere."),
        ("one.c", 75, "undefined-variable", "The variable nowhere is declared but defined nowhere."),
    ]


def test_what_files_declare_differently_is_reported() -> None:
    one = compile_unit("int f(int a, int b); extern char data; int g(void) { return f(1, 2) + data; }", "one.c")
    two = compile_unit("int data; int f(int a) { return a; }", "two.c")
    with pytest.raises(CompileError) as caught:
        link([one, two], StandIn())
    text = "{} is declared as {} here, but as {} in line 1 of two.c."
    assert [(p.place.file, p.place.column, p.id, p.message) for p in caught.value.problems] == [
        ("one.c", 5, "conflicting-types", text.format("f", "int (int, int)", "int (int)")),
        ("one.c", 34, "conflicting-types", text.format("data", "char", "int")),
    ]


def test_a_driver_has_only_what_the_kernel_has() -> None:
    text = """NTSTATUS DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path) { free(Path); return abs(-1) + atoi("2"); }"""
    with pytest.raises(CompileError) as caught:
        link([compile_unit(text, "one.c")], StandIn({"ExFreePool": print}))
    assert [(p.place.column, p.id, p.message) for p in caught.value.problems] == [
        (69, "not-in-kernel", "The kernel has no function free."),
    ]


def test_a_modelled_function_has_an_address() -> None:
    text = """int helper(int n); typedef int ACTION(int n); ACTION *table[] = {helper};
        int f(int n) { return table[0](n) + (helper == table[0]); }"""
    assert call(text, 4, helper=lambda n: n * 2) == 9


def test_a_record_is_returned_where_the_caller_says() -> None:
    text = """typedef struct { int low, high; } PAIR_; PAIR_ make(int n);
        int f(int n) { PAIR_ p = make(n); return p.low + make(n + 1).high; }"""
    runtime = StandIn()

    def make(result: int, n: int) -> int:
        runtime.memory[result - BASE : result - BASE + 8] = n.to_bytes(4, "little") + (n * 2).to_bytes(4, "little")
        return result

    runtime.modelled["make"] = make
    assert build(text, runtime).functions["f"].call(3) == 11


def test_inline_functions_of_the_headers_are_compiled_when_used() -> None:
    text = """int f(void) { SINGLE_LIST_ENTRY head, item; head.Next = NULL; PushEntryList(&head, &item);
        return PopEntryList(&head) == &item && PopEntryList(&head) == NULL; }"""
    image = build(text)
    assert image.functions["f"].call() == 1
    assert list(image.functions) == ["f"]


def test_variables_of_the_import_libraries_are_linked_when_named() -> None:
    text = "UCHAR f(void) { return ((const UCHAR *)&NPI_WSK_INTERFACE_ID)[0]; }"
    assert build(text).functions["f"].call() == 0x03
    assert list(build(text).functions) == ["f"]
    assert build("const NPIID NPI_WSK_INTERFACE_ID = {7}; " + text).functions["f"].call() == 7


def test_long_switches_and_chains_compile() -> None:
    cases = " ".join(f"case {n}: {'r = ' + str(n) + '; break;' if n % 3 else 'r += 1000;'}" for n in range(400))
    text = f"int f(int n) {{ int r = 0; switch (n) {{ {cases} default: return -1; }} return r; }}"
    image = build(text)
    assert [image.functions["f"].call(n) for n in (1, 3, 399, 400)] == [1, 4, -1, -1]
    assert call(f"int f(int n) {{ return {' + '.join(['n'] * 1000)}; }}", 2) == 2000


def test_loops_nested_too_deeply_for_python_are_refused() -> None:
    with pytest.raises(CompileError, match="nested too deeply"):
        build(f"int f(int n) {{ {'while (n) {' * 25} n--; {'}' * 25} return n; }}")


def test_a_function_may_have_nothing_but_variables() -> None:
    assert call("struct S { int a; }; void g(void) { struct S unused; } int f(void) { g(); return 1; }") == 1


@pytest.mark.parametrize(
    "fragment, text",
    [
        ("if (status) goto Exit; status = 2;", "a label of the page's"),
        ("if (status) break; status = 2;", "a loop of the page's"),
        ("if (status) continue; status = 2;", "a loop of the page's"),
        ("int two = g(); status = two;", "the first initial value is computed"),
    ],
)
def test_statements_without_a_function_end_where_the_page_goes_on(fragment: str, text: str) -> None:
    """What stands elsewhere is not run through: statements alone end at a jump to it, and begin with what has to be computed."""
    unit = compile_unit(f"int status = 1;\nint g(void) {{ return 1; }}\n{fragment}\n", "page.md", left_out=LEFT_OUT)
    runtime = StandIn()
    image = link([unit], runtime)
    (statements,) = [function for name, function in image.functions.items() if name.startswith("fragment")]
    finish(statements.call())
    assert runtime.load(INT)(image.globals["status"]) == 1, text
