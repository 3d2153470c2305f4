"""Pool functions. Facts: KRN-11 to KRN-17, KRN-46, BUG-08, BUG-26."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import wsklab.io  # noqa: F401
from wsklab import Lab
from wsklab.machine import Machine, Stop
from wsklab.machine.functions_pool import check_pool, tag_text

TAG, NON_PAGED, PAGED = 0x64657246, 0x40, 0x100
WITH_TAG = ("ExAllocatePoolWithTag", "ExAllocatePoolZero", "ExAllocatePoolUninitialized")


@contextmanager
def stops(rule: str, bugcheck: int | None = None, first: str | None = None) -> Iterator[None]:
    with pytest.raises(Stop) as caught:
        yield
    assert (caught.value.rule.id, caught.value.bugcheck) == (rule, bugcheck)
    assert "{" not in caught.value.report("en"), "a value of the rule's texts is missing"
    assert "?" not in caught.value.parameters, "a value of the bug check's parameters is missing"
    assert first is None or caught.value.parameters[0] == first


@pytest.fixture
def m() -> Machine:
    return Machine()


def test_what_is_zeroed(m: Machine) -> None:
    """KRN-12, KRN-14."""
    assert m.read(m.api("ExAllocatePool2")(NON_PAGED, 10, TAG), 10) == bytes(10)
    assert m.read(m.api("ExAllocatePoolZero")(512, 10, TAG), 10) == bytes(10)
    for address in (
        m.api("ExAllocatePool2")(NON_PAGED | 2, 10, TAG),
        m.api("ExAllocatePoolWithTag")(512, 10, TAG),
        m.api("ExAllocatePoolUninitialized")(512, 10, TAG),
    ):
        with stops("uninitialised-read"):
            m.read(address, 1)


def test_alignment(m: Machine) -> None:
    """KRN-15."""
    assert m.api("ExAllocatePool2")(NON_PAGED, 3, TAG) % 16 == 0
    assert m.api("ExAllocatePool2")(NON_PAGED, 4096, TAG) % 4096 == 0


def test_tag_0(m: Machine) -> None:
    """KRN-14: NULL from ExAllocatePool2; BUG-08: a stop in the others."""
    assert m.api("ExAllocatePool2")(NON_PAGED, 10, 0) == 0
    with stops("pool-zero-tag", 0xC2, "0x9B"):
        m.api("ExAllocatePoolWithTag")(512, 10, 0)


@pytest.mark.parametrize("name", ["ExAllocatePool2", *WITH_TAG])
def test_each_can_fail(m: Machine, name: str) -> None:
    """KRN-46."""
    m.choices[name] = "fails"
    assert m.api(name)(NON_PAGED if name == "ExAllocatePool2" else 512, 10, TAG) == 0
    check_pool(m)


def test_a_failure_that_raises_and_is_not_handled(m: Machine) -> None:
    m.choices["ExAllocatePool2"] = "fails"
    with stops("exception-not-handled", 0x7E, "0xFFFFFFFFC000009A"):
        m.api("ExAllocatePool2")(0x60, 8, TAG)


def test_bad_requests(m: Machine) -> None:
    """BUG-26, KRN-14."""
    with stops("pool-zero-size", 0xC4, "0x0"):
        m.api("ExAllocatePool2")(NON_PAGED, 0, TAG)
    for flags in (0, NON_PAGED | PAGED):
        with stops("pool-bad-flags"):
            m.api("ExAllocatePool2")(flags, 10, TAG)


def test_paged_pool_at_dispatch_level(m: Machine) -> None:
    """KRN-11, KRN-16, KRN-33."""
    paged, nonpaged = m.api("ExAllocatePool2")(PAGED, 10, TAG), m.api("ExAllocatePool2")(NON_PAGED, 10, TAG)
    m.irql = 2
    with stops("pool-at-wrong-irql", 0xC4, "0x1"):
        m.api("ExAllocatePool2")(PAGED, 10, TAG)
    with stops("pool-at-wrong-irql", 0xC4, "0x1"):
        m.api("ExAllocatePoolWithTag")(1, 10, TAG)
    with stops("pool-at-wrong-irql", 0xC4, "0x11"):
        m.api("ExFreePool")(paged)
    m.api("ExFreePool")(nonpaged)
    m.irql = 3
    with stops("irql-too-high", 0xC4):
        m.api("ExAllocatePool2")(NON_PAGED, 10, TAG)


def test_freeing(m: Machine) -> None:
    """KRN-16, BUG-08."""
    address = m.api("ExAllocatePool2")(NON_PAGED, 10, TAG)
    with stops("pool-wrong-tag", 0xC2, "0xA"):
        m.api("ExFreePoolWithTag")(address, 0x41414141)
    m.api("ExFreePoolWithTag")(address, TAG)
    with stops("pool-freed-twice", 0xC2, "0x7"):
        m.api("ExFreePoolWithTag")(address, TAG)
    for tag in (0, TAG):
        m.api("ExFreePoolWithTag")(m.api("ExAllocatePool2")(NON_PAGED, 10, TAG), tag)
    m.api("ExFreePool")(m.api("ExAllocatePool2")(NON_PAGED, 10, TAG))


def test_what_is_not_pool_of_the_driver(m: Machine) -> None:
    """BUG-08: NULL, the middle of a block, memory that the system handed out."""
    address = m.api("ExAllocatePool2")(NON_PAGED, 10, TAG)
    for other in (0, address + 4, m.allocate(10, "pool", label="ADDRINFOEXW"), m.allocate(8, "stack")):
        with stops("pool-not-allocated", 0xC2, "0x99"):
            m.api("ExFreePool")(other)


def test_leaks(m: Machine) -> None:
    """BUG-26, BUG-35."""
    for size in (10, 20):
        m.api("ExAllocatePool2")(NON_PAGED, size, TAG)
    with pytest.raises(Stop) as caught:
        check_pool(m, "send")
    values = caught.value.values
    assert (values["count"], values["size"], values["tag"]) == (2, 30, "Fred")
    assert caught.value.parameters == ("0x62", "send", "0", "2")


def test_tags_are_shown_in_memory_order() -> None:
    """KRN-17: 'Fred' in C is stored as derF."""
    assert tag_text(int.from_bytes(b"Fred", "big")) == "derF"


def test_a_failed_allocation_raises_when_asked_to() -> None:
    """KRN-14, KRN-46: POOL_FLAG_RAISE_ON_FAILURE raises STATUS_INSUFFICIENT_RESOURCES instead of returning NULL."""
    text = """NTSTATUS f(ULONG flags)
    {
        __try { if (ExAllocatePool2(flags, 8, 'tseT') == NULL) return STATUS_SUCCESS; }
        __except (EXCEPTION_EXECUTE_HANDLER) { return GetExceptionCode(); }
        return STATUS_UNSUCCESSFUL;
    }"""
    driver = Lab(choices={"ExAllocatePool2": "fails"}).load(text)
    assert [str(driver.f(flags)) for flags in (0x40, 0x60)] == ["STATUS_SUCCESS", "STATUS_INSUFFICIENT_RESOURCES"]
