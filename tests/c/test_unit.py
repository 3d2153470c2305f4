"""Whole listings through all phases up to the check."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.c.small import small_headers
from tests.c.test_parse import LISTING
from wsklab.c.source import CompileError, Place
from wsklab.c.unit import compile_unit


def test_a_listing_becomes_a_unit() -> None:
    unit = compile_unit(LISTING, "send.c", small_headers())
    send = unit.functions["Send"]
    assert (send.name, str(send.type), send.place, send.static) == (
        "Send", "NTSTATUS (PIRP, PVOID)", Place("send.c", 3, 3), False,
    )  # fmt: skip
    assert (unit.gaps, unit.variables, unit.warnings) == ([Place("send.c", 20, 3)], {}, [])
    assert unit.headers_unit is small_headers().unit


def test_declarations_may_follow_statements() -> None:
    unit = compile_unit("int f(PVOID p) { UNREFERENCED_PARAMETER(p); ULONG n; n = 1; return n; }", "x.c", small_headers())
    assert [type(item).__name__ for item in unit.functions["f"].node.body.block_items] == ["ID", "Decl", "Assignment", "Return"]


def test_own_headers_come_from_a_mapping_or_a_directory(tmp_path: Path) -> None:
    (tmp_path / "own.h").write_text("#define SIZE 3\n")
    text = '#include <all.h>\n#include "own.h"\nint a[SIZE];\n'
    from_mapping = compile_unit(text, "x.c", small_headers(), {"own.h": "#define SIZE 3\n"})
    from_directory = compile_unit(text, "x.c", small_headers(), (tmp_path,))
    assert str(from_mapping.variables["a"].type) == str(from_directory.variables["a"].type) == "int[3]"


def test_a_directory_gives_nothing_from_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.h").write_text("int secret;\n")
    (tmp_path / "driver").mkdir()
    with pytest.raises(CompileError, match="There is no file ../secret.h to include"):
        compile_unit('#include "../secret.h"\n', "x.c", small_headers(), (tmp_path / "driver",))


def test_a_problem_in_an_included_file_shows_that_file() -> None:
    with pytest.raises(CompileError) as raised:
        compile_unit('#include "own.h"\n', "x.c", small_headers(), {"own.h": "int a = ;\n"})
    assert str(raised.value) == "own.h:1:9: error: A value was expected here, not ;.\n  int a = ;\n          ^"


def test_c_names_may_be_words_of_python() -> None:
    unit = compile_unit("int lambda(int None, int print) { int def = None; return def + print; }", "x.c", small_headers())
    assert [p.name for p in unit.functions["lambda"].type.parameters] == ["None", "print"]


def test_a_listing_of_many_megabytes_is_refused() -> None:
    with pytest.raises(CompileError, match="more than 2000000 characters"):
        compile_unit(" " * 2_000_001, "x.c", small_headers())
