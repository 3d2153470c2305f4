"""Structures and bytes as a debugger shows them."""

from __future__ import annotations

from wsklab.lab import Lab
from wsklab.show.dump import dump_bytes


def test_a_structure_shows_offsets_types_and_what_pointers_lead_to() -> None:
    lab = Lab()
    buffer = lab.buffer(b"Hello")
    address, mdl = int(buffer), int(buffer.Mdl)
    assert buffer.dump().split("\n") == [
        f"WSK_BUF at {address:#018x}, 24 bytes",
        f"  +0x000 Mdl     PMDL    {mdl:#018x} MDL",
        "  +0x008 Offset  ULONG   0",
        "  +0x010 Length  SIZE_T  5",
    ]


def test_bytes_never_written_and_freed_memory_are_told() -> None:
    lab = Lab()
    block = lab.machine.allocate(16, "pool", label="IO_STATUS_BLOCK")
    status = lab.view(block, "IO_STATUS_BLOCK")
    assert [line.split()[-1] for line in status.dump().split("\n")[1:]] == ["??", "??", "??"]
    status.Status, status.Information = lab.machine.constant("STATUS_PENDING"), 300
    assert [line.split()[3:] for line in status.dump().split("\n")[1:]] == [
        ["STATUS_PENDING"],
        ["??"],
        ["300", "(0x12c)"],
    ]
    lab.machine.free(block)
    assert status.dump().split("\n")[0] == f"IO_STATUS_BLOCK at {block:#018x}, 16 bytes (freed)"


def test_looking_changes_nothing() -> None:
    lab = Lab()
    before = lab.machine.memory.peek(int(lab.buffer(b"x")), 24)
    address = lab.machine.memory.blocks[-1].address
    lab.view(address, "WSK_BUF").dump()
    assert lab.machine.memory.peek(address, 24) == before


def test_bytes_show_as_hexadecimal_and_characters() -> None:
    states = bytes([2] * 17 + [1, 2])
    assert dump_bytes(b"Hello, kernel. Hi\0\1", 0x1000, states).split("\n") == [
        "0000000000001000  48 65 6c 6c 6f 2c 20 6b-65 72 6e 65 6c 2e 20 48  Hello, kernel. H",
        "0000000000001010  69 ?? 01                                         i?.",
    ]
