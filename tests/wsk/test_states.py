"""The state table of the connection-oriented socket against the calls: what is not in a row is refused and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab.wsk import scene
from wsklab.wsk.client import make
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import tables

CHOSEN, STATES = tables().chosen, tables().states


def in_state(driver: Any, state: str) -> int:
    """A connection-oriented socket in `state`."""
    m = driver.m
    if state in ("created", "bound", "connecting"):
        socket = make(subsystem(m), None, "connection", 2, 1, 6).address
        if state != "created":
            driver.call("WskBind", socket, scene.sockaddr(m, "0.0.0.0:0"), 0)
        if state == "connecting":
            driver.call("WskConnect", socket, scene.sockaddr(m, "10.0.0.9:80"), 0)
        return socket
    socket = scene.connected(m)
    if state in ("sending closed", "disconnected"):
        driver.call("WskDisconnect", socket, 0, 0)
    if state in ("receiving closed", "disconnected"):
        scene.peer_of(m, socket).close()
    if state == "silent":
        driver.call("WskControlSocket", socket, 2, m.constant("SIO_WSK_SET_TCP_SILENT_MODE"), 0, 0, 0, 0, 0, 0)
    if state == "broken":
        scene.peer_of(m, socket).reset()
    driver.run()
    return socket


def act(driver: Any, socket: int, step: str) -> Any:
    """Make the call a step stands for."""
    m = driver.m
    there = scene.sockaddr(m, "10.0.0.2:80" if step == "WskConnect" else "0.0.0.0:0")
    calls = {
        "WskBind": (there, 0),
        "WskConnect": (there, 0),
        "WskSend": (scene.wsk_buf(m, b"x"), 0),
        "WskReceive": (scene.wsk_buf(m, b"x"), 0),
        "WskDisconnect": (0, 0),
        "WskDisconnect abortive": (0, 1),
        "WskGetLocalAddress": (m.allocate(16),),
        "WskGetRemoteAddress": (m.allocate(16),),
    }
    return driver.call(step.split()[0], socket, *calls[step])


STEPS = ["WskBind", "WskConnect", "WskSend", "WskReceive", "WskDisconnect", "WskDisconnect abortive", "WskGetLocalAddress",
         "WskGetRemoteAddress"]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", STATES["connection"])
def test_each_call_in_each_state(driver: Any, state: str, step: str) -> None:
    """WSK-CONN-05, WSK-SEND-02, WSK-SEND-14, WSK-RECV-07, WSK-DISC-08, WSK-GLA-04, WSK-GLA-06, WSK-GLA-07, WSK-GAP-13."""
    scene.network(driver.m).peer("10.0.0.2:80")
    address = in_state(driver, state)
    socket = subsystem(driver.m).sockets[address]
    assert socket.state == state
    pending = dict(socket.group)
    driver.m.choices["WskSend"] = driver.m.choices["WskDisconnect"] = "inline"
    call = act(driver, address, step)
    after = STATES["connection"][state].get(step)
    if after is None:
        what = "after a break" if state == "broken" else "second bind" if step == "WskBind" else "wrong state"
        assert (call.result, socket.state, socket.group) == ((CHOSEN[what].status, 0), state, pending)
    else:
        assert call.returned in ("STATUS_SUCCESS", "STATUS_PENDING")
        assert socket.state == ("connected" if after == "connecting" and step == "WskConnect" else after)


@pytest.mark.parametrize("state", STATES["connection"])
def test_every_state_can_be_closed(driver: Any, state: str) -> None:
    """WSK-CLOSE-02, WSK-CLOSE-03, WSK-CLOSE-15, WSK-GAP-04."""
    assert driver.close(in_state(driver, state)).result == ("STATUS_SUCCESS", 0)
