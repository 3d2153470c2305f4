"""Memory, strings, interlocked operations, lists (those in C too), DbgPrint, time. Facts: KRN-39 to KRN-42, BUG-15."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import wsklab.io  # noqa: F401
from wsklab.machine import Machine, Stop


@contextmanager
def stops(rule: str) -> Iterator[None]:
    with pytest.raises(Stop) as caught:
        yield
    assert caught.value.rule.id == rule
    assert "{" not in caught.value.report("en"), "a value of the rule's texts is missing"


@pytest.fixture
def m() -> Machine:
    return Machine()


def text(m: Machine, content: str, wide: bool = False) -> int:
    encoded = (content + "\0").encode("utf-16-le" if wide else "utf-8")
    address = m.allocate(len(encoded))
    m.write(address, encoded)
    return address


def unicode(m: Machine, content: str, room: int | None = None) -> int:
    string, size = m.allocate(16, zero=True), len(content) * 2
    buffer = m.allocate(room or size + 2, zero=True)
    m.write(buffer, content.encode("utf-16-le"))
    m.set_u16(string, size)
    m.set_u16(string + 2, room or size)
    m.set_u64(string + 8, buffer)
    return string


def test_blocks_of_bytes(m: Machine, inline: Any) -> None:
    one, other = m.allocate(8), m.allocate(8)
    inline(m, "RtlFillMemory")(one, 8, 0x41)
    assert m.api("memcpy")(other, one, 8) == other
    assert m.read(other, 8) == b"A" * 8
    m.api("RtlZeroMemory")(other + 4, 4)
    assert m.read(other, 8) == b"AAAA\0\0\0\0"
    assert [m.api(name)(one, other, 8) for name in ("RtlCompareMemory", "memcmp")] == [4, 1]
    assert [inline(m, "RtlEqualMemory")(one, other, length) for length in (4, 8)] == [1, 0]
    m.api("memset")(one, 0x1FF, 2)
    assert m.read(one, 2) == b"\xff\xff"


@pytest.mark.parametrize(("access", "code"), [("read", "0"), ("write", "2")])
@pytest.mark.parametrize(
    ("address", "kind"), [(0xFFFF_8888_0000_0000, "0x2"), (0x1234_5678_0000_0000, "0x4"), (0x7FF0_0000, "0xF")]
)
def test_a_wild_pointer_is_0x50(m: Machine, access: str, code: str, address: int, kind: str) -> None:
    """BUG-03: a write is 2 there, and 1 in the bug checks of special pool (BUG-10); the last parameter tells the address."""
    with pytest.raises(Stop) as caught:
        m.read(address, 1) if access == "read" else m.write(address, b"x")
    assert (caught.value.rule.bugcheck, caught.value.parameters) == (0x50, (f"{address:#018x}", code, "0", kind))


def test_a_wild_pointer_at_dispatch_level_is_0xd1(m: Machine) -> None:
    """BUG-02: at that IRQL no page fault can be served, as for NULL."""
    m.irql = 2
    with pytest.raises(Stop) as caught:
        m.write(0xFFFF_8888_0000_0000, b"x")
    assert (caught.value.rule.id, caught.value.rule.bugcheck) == ("wild-pointer-at-dispatch", 0xD1)
    assert caught.value.parameters == ("0xffff888800000000", "2", "1", "0")


def test_overlap(m: Machine) -> None:
    block = m.allocate(8)
    m.write(block, b"abcdefgh")
    with stops("memory-areas-overlap"):
        m.api("RtlCopyMemory")(block + 2, block, 6)
    m.api("RtlMoveMemory")(block + 2, block, 6)
    assert m.read(block, 8) == b"ababcdef"


def test_copies_carry_what_was_never_written(m: Machine) -> None:
    """Padding may be copied; reading it is what is wrong."""
    one, other = m.allocate(8), m.allocate(8)
    m.write(one, b"abcd")
    m.api("RtlCopyMemory")(other, one, 8)
    assert m.read(other, 4) == b"abcd"
    with stops("uninitialised-read"):
        m.read(other, 8)
    with stops("overrun"):
        m.api("memcpy")(other, one, 9)
    m.api("memcpy")(0, 0, 0)


def test_strings(m: Machine, inline: Any) -> None:
    hello, room = text(m, "hello"), m.allocate(20, zero=True)
    assert [inline(m, "strlen")(hello), inline(m, "wcslen")(text(m, "hé", wide=True)), inline(m, "strnlen")(hello, 3)] == [
        5,
        2,
        3,
    ]
    inline(m, "strcpy")(room, hello)
    inline(m, "strcat")(room, text(m, "!"))
    assert m.read(room, 7) == b"hello!\0"
    assert [inline(m, "strcmp")(hello, room), inline(m, "strncmp")(hello, room, 5)] == [-1, 0]
    assert inline(m, "_stricmp")(text(m, "HELLO"), hello) == 0
    found = inline(m, "strchr")(hello, ord("l")), inline(m, "strstr")(hello, text(m, "lo")), inline(m, "strchr")(hello, 0x7A)
    assert found == (hello + 2, hello + 3, 0)


def test_counted_strings(m: Machine, inline: Any) -> None:
    string = m.allocate(16)
    source = text(m, "abc", wide=True)
    inline(m, "RtlInitUnicodeString")(string, source)
    assert (m.u16(string), m.u16(string + 2), m.u64(string + 8)) == (6, 8, source)
    inline(m, "RtlInitAnsiString")(string, 0)
    assert (m.u16(string), m.u16(string + 2), m.u64(string + 8)) == (0, 0, 0)
    target = unicode(m, "", 4)
    inline(m, "RtlCopyUnicodeString")(target, unicode(m, "abc"))
    assert (m.u16(target), m.read(m.u64(target + 8), 4)) == (4, b"a\0b\0")
    assert inline(m, "RtlEqualUnicodeString")(unicode(m, "Disk"), unicode(m, "dISK"), 1) == 1
    assert inline(m, "RtlEqualUnicodeString")(unicode(m, "Disk"), unicode(m, "dISK"), 0) == 0
    assert inline(m, "RtlAppendUnicodeToString")(target, source) == 0xC000_0023 - (1 << 32)


@pytest.mark.parametrize(
    ("name", "start", "arguments", "returned", "left"),
    [
        ("InterlockedIncrement", 5, (), 6, 6),
        ("InterlockedIncrement", 0x7FFF_FFFF, (), -0x8000_0000, -0x8000_0000),
        ("InterlockedDecrement", 0, (), -1, -1),
        ("InterlockedExchange", 5, (9,), 5, 9),
        ("InterlockedExchangeAdd", 5, (9,), 5, 14),
        ("InterlockedAdd", 5, (9,), 14, 14),
        ("InterlockedOr", 5, (2,), 5, 7),
        ("InterlockedAnd", 5, (4,), 5, 4),
        ("InterlockedXor", 5, (1,), 5, 4),
        ("InterlockedCompareExchange", 5, (9, 5), 5, 9),
        ("InterlockedCompareExchange", 5, (9, 4), 5, 5),
        ("InterlockedBitTestAndSet", 5, (1,), 0, 7),
        ("InterlockedBitTestAndReset", 5, (0,), 1, 4),
    ],
)
def test_interlocked(
    m: Machine, inline: Any, name: str, start: int, arguments: tuple[int, ...], returned: int, left: int
) -> None:
    place = m.allocate(4)
    m.set_i32(place, start)
    assert (inline(m, name)(place, *arguments), m.i32(place)) == (returned, left)


def test_interlocked_lists(m: Machine, inline: Any) -> None:
    """KRN-41, KRN-42: last in first out; push returns what was first, flush all of it."""
    head, entries = m.allocate(16), [m.allocate(16) for _ in range(3)]
    inline(m, "InitializeSListHead")(head)
    assert [inline(m, "InterlockedPushEntrySList")(head, entry) for entry in entries] == [0, *entries[:2]]
    assert inline(m, "QueryDepthSList")(head) == 3
    assert inline(m, "InterlockedPopEntrySList")(head) == entries[2]
    assert (inline(m, "InterlockedFlushSList")(head), m.u64(entries[1]), inline(m, "InterlockedPopEntrySList")(head)) == (
        entries[1], entries[0], 0,
    )  # fmt: skip


def test_locked_lists(m: Machine, inline: Any) -> None:
    """KRN-39: an empty head points to itself; a damaged list is seen (BUG-11)."""
    head, entries = m.allocate(16), [m.allocate(16) for _ in range(3)]
    m.set_u64(head, head)
    m.set_u64(head + 8, head)
    tail, front, remove = (inline(m, f"ExInterlocked{what}List") for what in ("InsertTail", "InsertHead", "RemoveHead"))
    assert [tail(head, entries[0], 0), tail(head, entries[1], 0), front(head, entries[2], 0)] == [0, entries[0], entries[0]]
    assert [remove(head, 0) for _ in range(4)] == [entries[2], entries[0], entries[1], 0]
    m.set_u64(head + 8, entries[0])
    with stops("list-corrupted"):
        tail(head, entries[1], 0)


def test_a_damaged_list_is_seen(m: Machine, inline: Any) -> None:
    """BUG-11, KRN-39: an entry removed twice, and neighbours that do not point back."""
    names = ("InsertTailList", "InsertHeadList", "RemoveEntryList", "RemoveHeadList")
    insert, head, remove, entry = (inline(m, name) for name in names)
    root, one, other = (m.allocate(16) for _ in range(3))
    inline(m, "InitializeListHead")(root)
    insert(root, one)
    assert remove(one) == 1
    with pytest.raises(Stop, match="RemoveEntryList found") as caught:
        remove(one)
    assert (caught.value.rule.id, caught.value.rule.bugcheck) == ("list-corrupted", 0x139)
    insert(root, one)
    m.set_u64(one + 8, other)
    for call in (lambda: entry(root), lambda: head(root, other)):
        with stops("list-corrupted"):
            call()


# DbgPrint


@pytest.mark.parametrize(
    ("template", "arguments", "expected"),
    [
        ("plain %% text\n", (), "plain % text\n"),
        ("%d %i %u %x %X", (-1, 7, 0xFFFF_FFFF, 0xBEEF, 0xBEEF), "-1 7 4294967295 beef BEEF"),
        ("[%5d|%-5d|%05d|%+d|% d]", (42, 42, -42, 42, 42), "[   42|42   |-0042|+42| 42]"),
        ("%08x %#x %.3d %5.2d|", (0x1F, 0x1F, 7, 7), "0000001f 0x1f 007    07|"),
        ("%I64d %lld %I64x %Iu %zu", (-(1 << 40), -1, 1 << 40, 3, 4), "-1099511627776 -1 10000000000 3 4"),
        ("%hd %hhx %lu", (0x1_FFFF, 0x1FF, -1), "-1 ff 4294967295"),
        ("%p", (0xFFFF_9A80_0000_1000,), "FFFF9A8000001000"),
        ("%c%c %*d", (0x48, 0x69, 4, 5), "Hi    5"),
        ("NTSTATUS 0x%08X", (0xC000_0016 - (1 << 32),), "NTSTATUS 0xC0000016"),
        ("%s", (0,), "(null)"),
    ],
)
def test_formats(m: Machine, template: str, arguments: tuple[int, ...], expected: str) -> None:
    assert m.api("DbgPrint")(text(m, template), *arguments) == 0
    assert m.console == [expected]
    event = [event for event in m.trace if event.kind == "print"][0]
    assert event.data["text"] == expected


def test_formats_of_strings(m: Machine) -> None:
    narrow, wide, counted = text(m, "narrow"), text(m, "wïde", wide=True), unicode(m, "counted")
    m.api("DbgPrintEx")(77, 0, text(m, "%s|%10s|%-8.3s|%ws|%S|%wZ"), narrow, narrow, narrow, wide, wide, counted)
    assert m.console == ["narrow|    narrow|nar     |wïde|wïde|counted"]
    m.irql = 2
    m.api("DbgPrint")(text(m, "%s"), narrow)
    with stops("print-at-raised-irql"):
        m.api("DbgPrint")(text(m, "%wZ"), counted)


@pytest.mark.parametrize("template", ["%d", "%f", "100%"])
def test_formats_that_do_not_fit(m: Machine, template: str) -> None:
    with stops("print-bad-format"):
        m.api("DbgPrint")(text(m, template), *([1.5] if template == "%f" else []))


def test_printing_into_a_buffer(m: Machine, inline: Any) -> None:
    room = m.allocate(6)
    assert inline(m, "sprintf")(room, text(m, "%d-%d"), 12, 34) == 5
    assert m.read(room, 6) == b"12-34\0"
    with stops("overrun"):
        inline(m, "sprintf")(room, text(m, "%d-%d"), 123, 456)
    assert inline(m, "_snprintf")(room, 6, text(m, "%d-%d"), 123, 456) == -1
    assert m.read(room, 6) == b"123-45"


# Time and the end


def test_time(m: Machine, inline: Any) -> None:
    place = m.allocate(8)
    inline(m, "KeQuerySystemTime")(place)
    start = m.i64(place)
    m.api("KeStallExecutionProcessor")(50)
    inline(m, "KeQuerySystemTime")(place)
    assert (m.i64(place) - start, m.api("KeQueryInterruptTime")()) == (500, 500)


def test_the_end(m: Machine) -> None:
    """BUG-15."""
    with pytest.raises(Stop) as caught:
        m.api("RtlAssert")(text(m, "Irp != NULL"), text(m, "send.c"), 12, text(m, "no IRP"))
    assert (caught.value.rule.id, caught.value.values["condition"]) == ("assertion-failed", "Irp != NULL (no IRP)")
    with pytest.raises(Stop) as stopped:
        m.api("KeBugCheckEx")(0xE2, 1, 2, 3, 4)
    values: dict[str, Any] = stopped.value.values
    assert (stopped.value.rule.id, values["code"], values["values"]) == ("bug-check", "0xe2", "0x1, 0x2, 0x3, 0x4")
