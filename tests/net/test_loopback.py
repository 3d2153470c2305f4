"""The loopback network from outside: what it imports, where it exists, the command line, and a Python client without threads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsklab import Lab, LabError
from wsklab.cli import main

ROOT = Path(__file__).parents[2]
SEND_DATA = (ROOT / "tests" / "programs" / "send_data.c").read_text("utf-8")


def test_asyncio_and_sockets_are_imported_only_for_the_loopback_network() -> None:
    program = (
        "import sys; from wsklab import Lab; Lab().connected_socket(); import wsklab.cli\n"
        "before = {'asyncio', 'socket'} & set(sys.modules)\n"
        "with Lab(network='loopback'): after = {'asyncio', 'socket'} & set(sys.modules)\n"
        "print(sorted(before), sorted(after))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    assert ended.stdout == "[] ['asyncio', 'socket']\n"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "a browser has none"), ("ja", "ブラウザーにはありません"), ("fr", "un navigateur n'en a pas")],
)
def test_a_browser_has_no_loopback_network(language: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(LabError, match=said):
        Lab(language, network="loopback")


def test_another_network_is_refused() -> None:
    with pytest.raises(LabError, match='"simulated" or "loopback", not \'loop\''):
        Lab(network="loop")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(network="loopback") as lab:
        yield lab


def test_virtual_time_follows_the_clock(lab: Lab) -> None:
    before, ticks = time.monotonic(), lab.machine.time
    lab.run(seconds=0.2)
    assert 0.2 <= time.monotonic() - before < 5
    assert 2_000_000 <= lab.machine.time - ticks < 50_000_000


def test_a_thread_that_waits_sleeps_as_long_as_it_asked_for(lab: Lab) -> None:
    driver = lab.load(
        "void Wait(void) { LARGE_INTEGER t; t.QuadPart = -2000000LL; KeDelayExecutionThread(KernelMode, FALSE, &t); }"
    )
    before = time.monotonic()
    driver.Wait()
    assert 0.2 <= time.monotonic() - before < 5


def test_a_client_in_python_without_threads(lab: Lab) -> None:
    """The client is a coroutine on the event loop in which the machine sleeps; also inside a loop that runs, as in a notebook."""
    socket = lab.accepted_socket("reads")
    peer = lab.network.peer("127.0.0.1:0", "echoes")

    async def client() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.address.port)
        writer.write(b"from outside")
        content = await reader.readexactly(12)
        writer.close()
        return content

    async def notebook() -> object:
        return lab.network.client(client())

    assert lab.network.client(client()) == b"from outside"
    assert asyncio.run(notebook()) == b"from outside"
    assert socket.received == b""


def test_a_client_that_fails_says_why(lab: Lab) -> None:
    async def client() -> None:
        raise ConnectionError("no")

    with pytest.raises(ConnectionError, match="no"):
        lab.network.client(client())


def test_the_trace_tells_what_crossed(lab: Lab) -> None:
    driver, connected = lab.load(SEND_DATA), lab.connected_socket("echoes")
    driver.SendData(connected, lab.buffer(b"hello"))
    lab.run()
    told = [(event.name, event.actor, event.data["bytes"]) for event in lab.events if "source" in event.data]
    assert told == [("data", "transport", b"hello"), ("data", "peer", b"hello")]


# The command line


def test_a_client_ends_by_itself_and_finds_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """10.0.0.2 is no loopback address; with nothing open there is nothing to serve."""
    assert main(["run", "--network", "loopback", str(ROOT / "examples" / "tcp_send.c")]) == 4
    assert capsys.readouterr().err == "DriverEntry returned STATUS_HOST_UNREACHABLE.\n"
