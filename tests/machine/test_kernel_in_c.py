"""Kernel functions that the headers define in C: found, checked and traced like those modelled in Python."""

from __future__ import annotations

import pytest

from wsklab import Lab
from wsklab.c.check import check_function
from wsklab.c.headers import headers
from wsklab.machine import Stop
from wsklab.machine.api import MODELLED


def test_what_the_headers_define_without_static_has_a_comment_and_an_irql() -> None:
    defined = {name for name, function in headers().unit.functions.items() if not function.static}
    assert headers().exports.keys() == defined
    assert all(export.about for export in headers().exports.values())
    assert not defined & MODELLED.keys()


def test_the_headers_functions_keep_nothing_in_static_variables() -> None:
    """Every driver would have its own."""
    unit = headers().unit
    for function in unit.functions.values():
        check_function(unit, function)
    assert (list(unit.problems.errors), list(unit.statics)) == ([], [])


def test_a_call_is_traced_and_what_it_calls_itself_is_not() -> None:
    lab = Lab()
    driver = lab.load("KTIMER t; LARGE_INTEGER due; VOID F(VOID) { KeInitializeTimer(&t); KeSetTimer(&t, due, NULL); }")
    driver.F()
    assert [(event.kind, event.name) for event in lab.events] == [
        ("callback", "F"),
        ("call", "KeInitializeTimer"), ("return", "KeInitializeTimer"),
        ("call", "KeSetTimer"), ("return", "KeSetTimer"),
        ("callback-return", "F"),
    ]  # fmt: skip
    assert [str(event.where) for event in lab.events if event.kind == "call"] == ["listing.c:1:45", "listing.c:1:68"]


def test_its_irql_is_checked() -> None:
    lab = Lab()
    lab.machine.irql = 15
    with pytest.raises(Stop) as stopped:
        lab.wdk.KeReleaseSemaphore(lab.machine.new("KSEMAPHORE"), 0, 1, False)
    assert (stopped.value.rule.id, stopped.value.values["function"]) == ("irql-too-high", "KeReleaseSemaphore")


def test_two_drivers_of_a_machine_share_it() -> None:
    lab = Lab()
    text = "PVOID F(VOID) { return (PVOID)KeReleaseMutex; }"
    assert lab.load(text).F() == lab.load(text).F() == lab.machine.slot("KeReleaseMutex")


def test_after_one_has_raised_an_exception_that_the_driver_takes_calls_are_traced_again() -> None:
    lab = Lab()
    driver = lab.load(
        """VOID F(VOID)
        {
            WCHAR buffer[8];
            KEVENT event;
            UNICODE_STRING to, bad;
            RtlInitEmptyUnicodeString(&to, buffer, sizeof(buffer));
            bad.Length = bad.MaximumLength = 4;
            bad.Buffer = (PWCH)0x20000;
            __try { RtlAppendUnicodeStringToString(&to, &bad); }
            __except (EXCEPTION_EXECUTE_HANDLER) { DbgPrint("taken"); }
            KeInitializeEvent(&event, NotificationEvent, FALSE);
        }"""
    )
    driver.F()
    assert lab.console == "taken"
    assert [event.name for event in lab.events if event.kind == "call"] == ["RtlAppendUnicodeStringToString", "KeInitializeEvent"]
    assert not lab.machine.thread.inside
