"""Contracts that stop the machine, and that the tables fit together. Facts BUG-36, WSK-CAT, WSK-CLOSE."""

from __future__ import annotations

from inspect import signature
from typing import Any

import pytest

from tests.wsk.conftest import rule_of
from wsklab.machine import NotModelled, Stop
from wsklab.machine.api import MODELLED
from wsklab.rules import RULES
from wsklab.wsk import scene
from wsklab.wsk.client import UNMODELLED
from wsklab.wsk.events import release
from wsklab.wsk.tables import tables

CATEGORIES, STATES = tables().categories, tables().states


def test_a_call_after_the_close(driver: Any) -> None:
    """WSK-CLOSE-09: also while the close is pending."""
    for way in ("inline", "pending"):
        socket = scene.connected(driver.m, remote=f"10.0.0.2:{len(way)}")
        driver.m.choices["WskCloseSocket"] = way
        driver.close(socket)
        assert rule_of(lambda socket=socket: driver.send(socket, b"x")) == "wsk-call-after-close"
        assert rule_of(lambda socket=socket: driver.close(socket)) == "wsk-second-close"


def test_a_close_while_a_call_runs(driver: Any) -> None:
    """WSK-CLOSE-04: a completion routine that runs inline closes the socket under the call."""
    socket = scene.connected(driver.m)
    driver.m.choices["WskSend"] = "inline"
    driver.then = lambda call: driver.close(socket)
    with pytest.raises(Stop) as stop:
        driver.send(socket, b"x")
    assert (stop.value.rule.id, stop.value.values["running"]) == ("wsk-close-while-call-runs", "WskSend")


def test_no_irp(driver: Any) -> None:
    """WSK-USE-01, WSK-CLOSE-01, WSK-SOCK-02, WSK-SOE-03."""
    socket, m = scene.connected(driver.m), driver.m
    assert rule_of(lambda: m.api("WskSend")(socket, scene.wsk_buf(m, b"x"), 0, 0)) == "wsk-no-irp"
    assert rule_of(lambda: m.api("WskCloseSocket")(socket, 0)) == "wsk-no-irp"
    fix = m.constant("SIO_WSK_SET_REMOTE_ADDRESS")
    assert rule_of(lambda: m.api("WskControlSocket")(scene.datagram(m), 2, fix, 0, 0, 0, 0, 0, 0, 0)) == "wsk-no-irp"
    assert rule_of(lambda: driver.switch(socket, m.constant("WSK_EVENT_RECEIVE"), irp=True)) == "wsk-irp-forbidden"


@pytest.mark.parametrize("address", [0, 0x1234])
def test_something_else_than_a_socket(driver: Any, address: int) -> None:
    """WSK-SOCK-09, WSK-SOCK-11, WSK-OBJ-01."""
    assert rule_of(lambda: driver.close(address)) == "wsk-not-a-socket"


def test_a_function_of_another_category(driver: Any) -> None:
    """WSK-CAT-10, MIS-33."""
    assert rule_of(lambda: driver.send(scene.datagram(driver.m), b"x")) == "wsk-wrong-dispatch"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("WskBind", ("socket", "address", 1)),
        ("WskConnect", ("socket", "address", 1)),
        ("WskAccept", ("socket", 1, 0, 0, 0, 0)),
        ("WskSendTo", ("socket", "buffer", 1, "address", 0, 0)),
        ("WskReceiveFrom", ("socket", "buffer", 1, 0, 0, 0, 0)),
        ("WskSocketConnect", (0, 1, 6, "address", "address", 1, 0, 0, 0, 0, 0)),
    ],
)
def test_flags_that_must_be_zero(driver: Any, function: str, arguments: tuple[Any, ...]) -> None:
    m = driver.m
    things = {"socket": scene.datagram(m), "address": scene.sockaddr(m, "10.0.0.1:1"), "buffer": scene.wsk_buf(m, b"x")}
    assert rule_of(lambda: driver.call(function, *(things.get(a, a) for a in arguments))) == "wsk-flags-not-zero"


def test_an_irp_without_a_routine_or_used_again(driver: Any) -> None:
    """WSK-USE-08, WSK-USE-10: checked by the I/O manager's side."""
    from wsklab.io import irp as irps

    m, socket = driver.m, scene.connected(driver.m)
    irp = irps.allocate(m, 1)
    assert rule_of(lambda: m.api("WskSend")(socket, scene.wsk_buf(m, b"x"), 0, irp)) == "irp-without-routine"
    call = driver.send(socket, b"x")
    assert rule_of(lambda: m.api("WskSend")(socket, scene.wsk_buf(m, b"x"), 0, call.irp)) == "irp-sent-while-in-use"


def test_slots_that_are_reserved_say_their_names(driver: Any) -> None:
    """WSK-CAT-01."""
    m, socket = driver.m, scene.connected(driver.m)
    for slot in ("WskSendEx", "WskReceiveEx"):
        with pytest.raises(NotModelled, match=slot):
            m.call(m.u64(m.u64(socket) + m.offset("WSK_PROVIDER_CONNECTION_DISPATCH", slot)), socket, 0)


def test_a_dispatch_table_and_a_socket_cannot_be_written(driver: Any) -> None:
    """WSK-OBJ-03, WSK-OBJ-04."""
    socket = scene.connected(driver.m)
    assert rule_of(lambda: driver.m.set_u64(socket, 0)) == "read-only-write"
    assert rule_of(lambda: driver.m.set_u64(driver.m.u64(socket), 0)) == "read-only-write"


def test_every_slot_is_declared() -> None:
    assert {f for row in CATEGORIES.values() for f in row.slots.values()} <= set(MODELLED)


def test_parameters_are_those_of_the_headers(driver: Any) -> None:
    from wsklab.c.types import Function, Pointer

    for modelled in (row for row in MODELLED.values() if row.lane == "wsk" and row.name not in UNMODELLED):
        known = driver.m.headers.type(modelled.prototype) if modelled.prototype else driver.m.headers.prototypes[modelled.name]
        function = known.to if isinstance(known, Pointer) else known
        assert isinstance(function, Function)
        named = list(signature(modelled.function).parameters)
        if modelled.function is release:  # of two slots
            continue
        asked = named[2:] if named[0] == "call" else named[1:]  # an operation names what it needs
        known_names = [p.name for p in function.parameters]
        assert [name for name in known_names if name in asked] == asked, modelled.name


def test_states_lead_to_states() -> None:
    for category, rows in STATES.items():
        assert {after for steps in rows.values() for after in steps.values()} <= set(rows), category


def test_every_wsk_rule_names_its_facts() -> None:
    ours = [rule for rule in RULES.values() if rule.id.startswith("wsk-")]
    assert len(ours) == 36 and all(rule.facts and rule.page and rule.advice for rule in ours)
