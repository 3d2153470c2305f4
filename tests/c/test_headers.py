"""The prelude: what it holds, and that the cache gives back the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.c.small import ALL, MORE, small_headers
from wsklab.c.headers import INCLUDE, headers, load_cache, read_headers, save_cache
from wsklab.c.source import CompileError
from wsklab.c.types import Record


def test_constants_are_enumerators_and_macros_with_integer_values() -> None:
    predefined = {"_WIN32", "_WIN64", "_M_AMD64", "_M_X64", "_AMD64_", "_MSC_VER", "_MSC_FULL_VER", "_INTEGRAL_MAX_BITS",
                  "_KERNEL_MODE", "__WSKLAB__", "__PCPP__"}  # fmt: skip
    assert {name: value for name, value in small_headers().constants.items() if name not in predefined} == {
        "FALSE": 0, "TRUE": 1, "NULL": 0, "STATUS_SUCCESS": 0, "STATUS_PENDING": 0x103, "STATUS_UNSUCCESSFUL": -0x3FFFFFFF,
        "MAXULONG": 0xFFFFFFFF, "TAG": 0x74736574, "TWICE": 42, "DOUBLED": 21,
        "PassiveLevel": 0, "ApcLevel": 1, "DispatchLevel": 2,
    }  # fmt: skip


def test_types_records_and_prototypes_are_found_by_name() -> None:
    small = small_headers()
    assert {name: str(ctype) for name, ctype in small.prototypes.items()} == {
        "IoAllocateIrp": "PIRP (CHAR, BOOLEAN)",
        "IoFreeIrp": "void (PIRP)",
        "DbgPrint": "ULONG (CHAR *, ...)",
    }
    assert small.record("IRP") == small.record("_IRP") == small.record("struct _IRP") == small.tags["struct _IRP"]
    assert [str(small.type(text)) for text in ("PIRP", "struct _IRP *", "ULONG[4]", "void (*)(int)")] == [
        "PIRP", "struct _IRP *", "ULONG[4]", "void (*)(int)",
    ]  # fmt: skip
    with pytest.raises(KeyError, match="NOTHING"):
        small.record("NOTHING")
    with pytest.raises(ValueError, match="NOTHING is not the name of a type"):
        small.type("NOTHING *")


def test_inline_functions_are_parsed_when_used() -> None:
    definition = small_headers().unit.functions["IsListEmpty"]
    node = definition.node
    assert (str(definition.type), node.coord.file, node.coord.line) == (
        "BOOLEAN (LIST_ENTRY *)",
        "more.h",
        3,
    )


def test_a_mistake_in_the_body_of_a_function_is_told_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "all.h").write_text("inline int wrong(void) { return 1 +; }\ninline int right(void) { return 2; }\n")
    read = read_headers(tmp_path)
    assert read.unit.functions["right"].node.body.block_items[0].expr.value == "2"
    with pytest.raises(CompileError, match=r"all.h:1:36: error: A value was expected here, not ;"):
        assert read.unit.functions["wrong"].node


def test_the_cache_gives_back_what_was_written(tmp_path: Path) -> None:
    small = small_headers()
    save_cache(tmp_path, "k" * 64, small)
    again = load_cache(tmp_path, "k" * 64)
    assert again is not None
    assert load_cache(tmp_path, "other".ljust(64)) is None
    for name in ("constants", "macros", "files", "typedef_names"):
        assert getattr(again, name) == getattr(small, name)
    assert {n: str(t) for n, t in again.prototypes.items()} == {n: str(t) for n, t in small.prototypes.items()}
    assert list(again.typedefs) == list(small.typedefs)
    irp, entry = again.record("IRP"), again.record("LIST_ENTRY")
    assert [(m.name, m.offset, str(m.type)) for m in irp.fields] == [
        (m.name, m.offset, str(m.type)) for m in small.record("IRP").fields
    ]
    assert (irp.size, irp.align, irp.members["ThreadListEntry"].type) == (48, 8, entry)
    assert entry.members["Flink"].type.to == entry  # type: ignore[attr-defined]
    assert again.unit.functions["IsListEmpty"].node.decl.name == "IsListEmpty"


def test_a_damaged_or_old_cache_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "all.h").write_text(ALL)
    (tmp_path / "more.h").write_text(MORE)
    monkeypatch.setattr("wsklab.c.headers.INCLUDE", tmp_path)
    build = headers.__wrapped__
    first = build()
    (path,) = (tmp_path / "__pycache__").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert build().constants == first.constants
    assert path.read_bytes() == whole
    (tmp_path / "more.h").write_text(MORE + "#define NEW 7\n")
    assert build().constants == first.constants | {"NEW": 7}


def test_without_a_place_to_write_there_is_no_cache_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    save_cache(tmp_path / "file", "k" * 64, small_headers())
    assert load_cache(tmp_path / "file", "k" * 64) is None


def test_the_lab_has_one_set_of_headers() -> None:
    lab = headers()
    assert lab is headers()
    assert (lab.constants["STATUS_PENDING"], lab.constants["STATUS_INSUFFICIENT_RESOURCES"]) == (0x103, -0x3FFFFF66)
    irp = lab.record("IRP")
    assert isinstance(irp, Record) and irp.complete
    source = lab.source("all.h")
    assert source is not None and source.text == (INCLUDE / "all.h").read_text("utf-8")


def test_a_directory_of_headers_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "all.h").write_text("#define A 1\nenum { B = A + 1 };\n")
    read = read_headers(tmp_path)
    assert (read.constants["A"], read.constants["B"], read.files) == (1, 2, frozenset({"all.h"}))
