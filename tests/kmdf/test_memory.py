"""WDFMEMORY."""

from __future__ import annotations

from typing import Any

from wsklab.machine.status import name_of


def create(kit: Any, size: int) -> tuple[str, int]:
    out, buffer = kit.out(), kit.out()
    kit.memory(1)
    answer = kit.wdk.WdfMemoryCreate(0, 512, 0x74736554, size, out, buffer)
    return name_of(answer), kit.m.u64(out)


def test_create(kit: Any) -> None:
    """KMDF-MEM-01, 02, 08: a buffer of its own, not set; the parent is the driver."""
    answer, memory = create(kit, 24)
    size = kit.out()
    buffer = int(kit.wdk.WdfMemoryGetBuffer(memory, size))
    block = kit.m.block_at(buffer)
    assert (answer, kit.m.u64(size), block.size, block.kind) == ("STATUS_SUCCESS", 24, 24, "pool")
    assert kit.fw.live[memory].parent is kit.fw.default_parent()
    with kit.stops("uninitialised-read"):
        kit.m.read(buffer, 1)
    kit.wdk.WdfObjectDelete(memory)
    assert not block.live


def test_create_refuses(make_kit: Any) -> None:
    """KMDF-MEM-01."""
    kit = make_kit(choices={"WdfMemoryCreate": "fails"})
    assert create(kit, 0) == ("STATUS_INVALID_PARAMETER", 0)
    assert create(kit, 8) == ("STATUS_INSUFFICIENT_RESOURCES", 0)


def test_preallocated(kit: Any) -> None:
    """KMDF-MEM-03: the buffer is the driver's and is never freed."""
    kit.memory(1)
    out, first = kit.out(), kit.m.allocate(8)
    assert name_of(kit.wdk.WdfMemoryCreatePreallocated(0, first, 0, out)) == "STATUS_INVALID_PARAMETER"
    assert name_of(kit.wdk.WdfMemoryCreatePreallocated(0, first, 8, out)) == "STATUS_SUCCESS"
    memory = kit.m.u64(out)
    assert int(kit.wdk.WdfMemoryGetBuffer(memory, 0)) == first
    kit.wdk.WdfObjectDelete(memory)
    assert kit.m.block_at(first).live


def test_copy(kit: Any) -> None:
    """KMDF-MEM-06."""
    memory, buffer = kit.memory(b"12345678"), kit.m.allocate(8, zero=True)
    assert name_of(kit.wdk.WdfMemoryCopyToBuffer(memory, 2, buffer, 4)) == "STATUS_SUCCESS"
    assert kit.m.read(buffer, 8) == b"3456\0\0\0\0"
    assert name_of(kit.wdk.WdfMemoryCopyFromBuffer(memory, 6, buffer, 2)) == "STATUS_SUCCESS"
    assert kit.content(memory) == b"12345634"
    assert name_of(kit.wdk.WdfMemoryCopyToBuffer(memory, 0, buffer, 0)) == "STATUS_INVALID_PARAMETER"
    assert name_of(kit.wdk.WdfMemoryCopyToBuffer(memory, 5, buffer, 4)) == "STATUS_BUFFER_TOO_SMALL"
    assert name_of(kit.wdk.WdfMemoryCopyFromBuffer(memory, 5, buffer, 4)) == "STATUS_INVALID_BUFFER_SIZE"
