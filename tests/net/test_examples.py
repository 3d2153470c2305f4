"""The example drivers with clients and servers: scripted peers on the simulated network, real programs on the loopback one.

A driver is loaded, used and unloaded; a leak or a socket that is left stops the machine. Every example gets a free port.
"""

from __future__ import annotations

import asyncio
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from wsklab import Lab
from wsklab.driverlife import start, unload
from wsklab.net import Address, Peer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def free_port() -> int:
    """A port that nobody has on either loopback address, for TCP and UDP."""
    for _ in range(100):
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
            port: int = probe.getsockname()[1]
        try:
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(family, kind) as probe:
                        probe.bind((host, port))
        except OSError:
            continue
        return port
    raise AssertionError("no port is free")


def text_of(name: str, port: int) -> str:
    """An example with another port."""
    text = (EXAMPLES / name).read_text("utf-8")
    return re.sub(r"_PORT 4000\d", f"_PORT {port}", text)


@contextmanager
def running(name: str, network: str, choices: Any = None) -> Iterator[tuple[Lab, int, Any]]:
    """The lab with the example loaded, and its port; afterwards the example is unloaded and has left nothing."""
    port = free_port()
    with Lab(network=network, choices=choices) as lab:
        driver = lab.load(text_of(name, port), name)
        started = start(lab, driver, name)
        assert started.status == 0
        yield lab, port, driver
        assert unload(lab, started)


def simulated_client(lab: Lab, port: int, number: int = 0, host: str = "10.0.0.2") -> Peer:
    """A scripted client that is connected to the driver."""
    lab.host(host)
    client = Peer(lab.network, Address.parse(host).at(6000 + number), "reads")
    client.connect(Address.parse("10.0.0.1").at(port))
    lab.run()
    return client


WAYS: list[dict[str, str] | None] = [
    None,
    {"WskSend": "inline"},
    {"WskSend": "early"},
    {"data indication": "a list of chains"},
    {"callback IRQL": "PASSIVE_LEVEL"},
    {"TCP segments": "many"},
    {"completion IRQL": "PASSIVE_LEVEL"},
    {"WskDisconnect": "inline", "WskCloseSocket": "pending"},
]


@pytest.mark.parametrize("choices", WAYS, ids=str)
def test_tcp_echo_for_a_scripted_client(choices: dict[str, str] | None) -> None:
    with running("tcp_echo.c", "simulated", choices) as (lab, port, _):
        one, other = simulated_client(lab, port, 1), simulated_client(lab, port, 2)
        one.send(b"hello, ")
        other.send(bytes(5_000))
        lab.run()
        one.send(b"kernel")
        one.close()
        lab.run()
        assert (one.received, one.finished, other.received, other.finished) == (b"hello, kernel", True, bytes(5_000), False)


@pytest.mark.parametrize("behaviour", ["silent", "resets"])
def test_tcp_echo_and_a_client_that_does_not_read_or_resets(behaviour: str) -> None:
    with running("tcp_echo.c", "simulated") as (lab, port, _):
        client = simulated_client(lab, port)
        client.behaviour = behaviour
        client.end.acknowledges = False
        client.send(b"are you there?")
        lab.run()


async def talk(host: str, port: int, content: bytes) -> bytes:
    """Send everything, finish, and read until the other side finishes."""
    reader, writer = await asyncio.open_connection(host, port)
    got, _ = await asyncio.gather(reader.read(-1), _send(writer, content))
    writer.close()
    return got


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()
    writer.write_eof()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("size", [1, 5_000, 1_000_000])
def test_tcp_echo_for_a_real_client(host: str, size: int) -> None:
    content = (bytes(range(256)) * 4_000)[:size]
    with running("tcp_echo.c", "loopback") as (lab, port, _):
        assert lab.network.client(asyncio.wait_for(talk(host, port, content), 60)) == content
        lab.run()


def test_tcp_echo_for_many_clients_at_once() -> None:
    contents = [bytes([number]) * 3_000 for number in range(60)]

    async def all_of_them(port: int) -> list[bytes]:
        return await asyncio.gather(*(talk("127.0.0.1", port, content) for content in contents))

    with running("tcp_echo.c", "loopback") as (lab, port, _):
        assert lab.network.client(asyncio.wait_for(all_of_them(port), 60)) == contents


def test_tcp_echo_is_unloaded_while_a_real_client_is_connected() -> None:
    with socket.socket() as client:
        client.settimeout(10)
        with running("tcp_echo.c", "loopback") as (lab, port, _):
            client.connect(("127.0.0.1", port))
            client.sendall(b"hello")
            for _ in range(100):
                lab.run()
                if select.select([client], [], [], 0)[0]:
                    break
            assert client.recv(10) == b"hello"
        with pytest.raises(ConnectionResetError):
            client.recv(10)


@pytest.mark.parametrize(
    "choices", [None, {"WskSendTo": "inline"}, {"WskSendTo": "early"}, {"callback IRQL": "PASSIVE_LEVEL"}], ids=str
)
def test_udp_echo_for_a_scripted_client(choices: dict[str, str] | None) -> None:
    with running("udp_echo.c", "simulated", choices) as (lab, port, _):
        hosts = [lab.host("10.0.0.2"), lab.host("10.0.0.3"), lab.host("fd00::2")]
        for host in hosts:
            here = "[fd00::1]" if host is hosts[2] else "10.0.0.1"
            host.send(b"one", f"{here}:{port}", 7000)
            host.send(b"two", f"{here}:{port}", 7001)
        lab.run()
        assert [[datagram.content for datagram in host.datagrams] for host in hosts] == [[b"one", b"two"]] * 3
        assert hosts[0].datagrams[0] == (b"one", f"10.0.0.1:{port}", "10.0.0.2:7000")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_udp_echo_for_a_real_client(host: str) -> None:
    class Client(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            transport.sendto(b"ping")

        def datagram_received(self, data: bytes, _address: Any) -> None:
            self.got.set_result(data)

    async def ping(port: int) -> bytes:
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_datagram_endpoint(Client, remote_addr=(host, port))
        try:
            return await asyncio.wait_for(client.got, 30)
        finally:
            transport.close()

    with running("udp_echo.c", "loopback") as (lab, port, _):
        assert lab.network.client(ping(port)) == b"ping"


def test_http_get_from_a_scripted_server() -> None:
    with running("http_get.c", "simulated") as (lab, _, _driver):
        pass
    assert lab.console.endswith("\r\n\r\nHello from a server.")


def wide(lab: Lab, text: str) -> int:
    """A string of the driver."""
    content = (text + "\0").encode("utf-16-le")
    place = lab.machine.allocate(len(content), "object")
    lab.machine.write(place, content)
    return place


class Page(BaseHTTPRequestHandler):
    """A real HTTP server with one page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"A real page." * 200)

    def log_message(self, *_: object) -> None:
        pass


def test_http_get_from_a_real_server() -> None:
    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Lab(network="loopback") as lab:
            lab.network.names["peer.lab.example"] = [Address.parse("::1"), Address.parse("127.0.0.1")]
            text = (EXAMPLES / "http_get.c").read_text("utf-8").replace('L"80"', f'L"{server.server_port}"')
            started = start(lab, driver := lab.load(text, "http_get.c"), "http_get")
            assert started.status == 0
            assert lab.console.endswith("\r\n\r\n" + "A real page." * 200)
            refused = driver.Get(wide(lab, "localhost"), wide(lab, str(free_port())))
            unknown = driver.Get(wide(lab, "nobody.invalid"), wide(lab, "80"))
            assert (str(refused), str(unknown)) == ("STATUS_CONNECTION_REFUSED", "STATUS_NO_MATCH")
            assert unload(lab, started)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("choices", WAYS, ids=str)
def test_chat_for_scripted_members(choices: dict[str, str] | None) -> None:
    with running("chat.c", "simulated", choices) as (lab, port, _):
        anna, ben, carl = (simulated_client(lab, port, number) for number in (1, 2, 3))
        anna.send(b"hello\n")
        lab.run()
        ben.close()
        lab.run()
        carl.send(b"bye\n")
        lab.run()
        assert (anna.received, ben.received, carl.received) == (b"bye\n", b"hello\n", b"hello\n")
        assert (ben.finished, anna.finished) == (True, False)


def test_chat_for_real_members() -> None:
    async def chat(port: int) -> list[bytes]:
        members = [await asyncio.open_connection(host, port) for host in ("127.0.0.1", "::1", "127.0.0.1")]
        members[0][1].write(b"hello\n")
        heard = [await member[0].readline() for member in members[1:]]
        members[2][1].write(b"good day\n")
        heard += [await member[0].readline() for member in members[:2]]
        for _, writer in members:
            writer.close()
        return heard

    with running("chat.c", "loopback") as (lab, port, _):
        heard = lab.network.client(asyncio.wait_for(chat(port), 60))
        assert heard == [b"hello\n", b"hello\n", b"good day\n", b"good day\n"]


@contextmanager
def served(tmp_path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``python -m wsklab run`` with the TCP echo example on the loopback network, as soon as it serves."""
    port, path = free_port(), tmp_path / "tcp_echo.c"
    path.write_text(text_of("tcp_echo.c", port), "utf-8")
    command = [sys.executable, "-m", "wsklab", "run", str(path), "--network", "loopback", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr
        lines = [process.stderr.readline() for _ in range(2)]
        assert lines == [f"Serving TCP on {host}:{port} (Ctrl-C ends it).\n" for host in ("[::1]", "127.0.0.1")]
        try:
            yield process, port
        finally:
            process.kill()


CLEAN = "Loaded, ran until idle and unloaded cleanly.\n"


def test_the_command_line_serves_until_ctrl_c(tmp_path: Path) -> None:
    with served(tmp_path) as (process, port):
        with socket.create_connection(("::1", port), timeout=30) as client:
            client.sendall(b"x" * 100_000)
            client.shutdown(socket.SHUT_WR)
            assert sum(map(len, iter(lambda: client.recv(65_536), b""))) == 100_000
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[1] == CLEAN
        assert process.returncode == 0


def test_the_command_line_serves_for_some_seconds_and_captures(tmp_path: Path) -> None:
    with served(tmp_path, "--seconds", "2", "--capture", str(tmp_path / "run.pcapng")) as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"
        assert process.communicate(timeout=60)[1] == CLEAN
        assert process.returncode == 0
    assert b"hello" in (tmp_path / "run.pcapng").read_bytes()
