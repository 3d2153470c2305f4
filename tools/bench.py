"""The figures, each measured next to its baseline in the same run: ``python3 kit.py bench``.

Nothing here passes or fails; the numbers are printed beside the target that the project set itself.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from wsklab import Lab
from wsklab.driverlife import start, unload

ROOT = Path(__file__).parents[1]

SEND_DATA = (ROOT / "tests" / "programs" / "send_data.c").read_text("utf-8")

SUM_LOOP = """
int Sum(int rounds)
{
    int values[256];
    int i, round, total = 0;
    for (i = 0; i < 256; i++) values[i] = i & 15;
    for (round = 0; round < rounds; round++)
        for (i = 0; i < 256; i++)
            total += values[i];
    return total;
}
"""


def python_sum(rounds: int) -> int:
    """The loop of SUM_LOOP, written by hand."""
    values = [index & 15 for index in range(256)]
    total = 0
    for _ in range(rounds):
        i = 0
        while i < 256:
            total += values[i]
            i += 1
    return total


def seconds(work: Callable[[], object], runs: int = 5) -> float:
    """The median wall time of `work` in seconds over some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def row(what: str, measured: str, baseline: str, target: str) -> None:
    """Print one figure."""
    print(f"{what:<44} {measured:>22}   {baseline:<42} target {target}", flush=True)


def connections() -> None:
    """Simulated connections, all open at once in one machine: opened, used for an echo, closed."""
    for count in (100, 1_000, 10_000):
        lab = Lab(trace=False)
        client = lab.load((ROOT / "tests" / "programs" / "connections.c").read_text("utf-8"), "connections.c")
        assert client.Start() == client.Open(0) == client.Use(0) == client.Close(0) == 0
        before, memory_before = time.perf_counter(), resident()
        for step in (client.Open, client.Use, client.Close):
            assert all(step(number) == 0 for number in range(count))
        took, grown = time.perf_counter() - before, resident() - memory_before
        row(f"{count:,} simulated connections", f"{took / count * 1e3:.2f} ms each", f"{grown / count:.0f} kB each",
            "both stay the same")  # fmt: skip


def resident() -> float:
    """The memory this process has now, in kB; 0 where Linux does not tell."""
    status = Path("/proc/self/status")
    return int(status.read_text().split("VmRSS:")[1].split()[0]) if status.exists() else 0


def cold_start() -> None:
    """``python -m wsklab run`` on a small driver, headers cached, against a bare interpreter."""
    driver = [sys.executable, "-m", "wsklab", "run", str(ROOT / "examples" / "tcp_send.c")]
    bare = [sys.executable, "-c", "pass"]

    def run(command: list[str]) -> None:
        subprocess.run(command, check=True, capture_output=True)

    run(driver)
    row("run a driver from a cold start", f"{seconds(lambda: run(driver)):.2f} s",
        f"bare interpreter {seconds(lambda: run(bare)):.2f} s", "at most 1.0 s")  # fmt: skip


def sends(count: int = 10_000) -> None:
    """Completed sends per second through SendData with the trace off, against a queue written in plain Python."""
    lab = Lab(trace=False)
    driver = lab.load(SEND_DATA, "send_data.c")
    socket = lab.connected_socket()
    buffer = lab.buffer(b"x" * 100)

    def work() -> None:
        for _ in range(count):
            driver.SendData(socket, buffer)
            lab.run()

    def baseline() -> None:
        queue: deque[dict[str, object]] = deque()
        for number in range(count):
            queue.append({"irp": number, "status": 0x103, "data": bytes(100)})
            queue.popleft()["status"] = 0

    rate = count / seconds(work, 1)
    row(f"{count:,} sends through SendData", f"{rate:,.0f} sends/s",
        f"plain Python queue {count / seconds(baseline, 1):,.0f}/s", "at least 5,000/s")  # fmt: skip


def array_loop(rounds: int = 1_000) -> None:
    """A C loop over an array against the same loop in Python."""
    driver = Lab(trace=False).load(SUM_LOOP, "sum.c")
    assert driver.Sum(3) == python_sum(3)
    # In turn and the best of each, because a busy machine slows down whichever happens to run.
    both = [(seconds(lambda: driver.Sum(rounds), 1), seconds(lambda: python_sum(rounds), 1)) for _ in range(7)]
    compiled, by_hand = (min(times) for times in zip(*both, strict=True))
    row("C loop over an array", f"{rounds * 256 / compiled / 1e6:.1f} M iterations/s",
        f"by hand {rounds * 256 / by_hand / 1e6:.1f} M/s: {compiled / by_hand:.1f} times", "at most 5 times")  # fmt: skip


CLIENT = """
import socket, sys, time
port, size, count = map(int, sys.argv[1:])
message, received = bytes(size), bytearray(size)
with socket.create_connection(("127.0.0.1", port)) as client:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    start = time.perf_counter()
    for _ in range(count):
        client.sendall(message)
        place = memoryview(received)
        while place:
            place = place[client.recv_into(place):]
    print(count / (time.perf_counter() - start))
"""

ASYNCIO_SERVER = """
import asyncio
async def echo(reader, writer):
    while content := await reader.read(65_536):
        writer.write(content)
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def echo(size: int, count: int, target: str) -> None:
    """Round trips per second of a blocking client through a C server on loopback, against an asyncio echo server."""
    with Lab(network="loopback", trace=False) as lab:
        # Several programs may run at a time, so the example gets a free port.
        port = lab.network.peer("127.0.0.1:0", "refuses").address.port + 1
        text = (ROOT / "examples" / "tcp_echo.c").read_text("utf-8").replace("40007", str(port))
        started = start(lab, lab.load(text, "tcp_echo.c"), "tcp_echo")

        def ask(port: int | str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", CLIENT, str(port), str(size), str(count)]
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        client = ask(port)
        while client.poll() is None:
            lab.run(seconds=0.1)
        rate = float(client.communicate()[0])
        unload(lab, started)
    with subprocess.Popen([sys.executable, "-c", ASYNCIO_SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        baseline = float(ask(server.stdout.readline().strip()).communicate()[0])
        server.kill()
    row(f"echo of {size:,} bytes through a C server", f"{rate:,.0f} round trips/s",
        f"asyncio {baseline:,.0f}/s: {rate / baseline:.2f} of it", target)  # fmt: skip


def memory() -> None:
    """What connections add to a machine, and one Lab to a bare interpreter."""
    connections()
    if not Path("/proc/self/status").exists():
        print("memory of one Lab: measured on Linux only, from /proc/self/status")
        return
    peak = "import re; print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"

    def size(before: str) -> float:
        command = [sys.executable, "-c", f"{before}; {peak}"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024

    bare, lab = size("pass"), size("from wsklab import Lab; lab = Lab()")
    row("memory of one Lab", f"{lab - bare:.1f} MB more", f"bare interpreter {bare:.1f} MB", "at most 40 MB more")


if __name__ == "__main__":
    for figure in (cold_start, sends, array_loop, memory):
        figure()
    echo(1_024, 5_000, "at least 0.10")
    echo(65_536, 1_000, "at least 0.25")
