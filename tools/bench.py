"""The figures, each measured next to its baseline in the same run: ``python3 kit.py bench``.

Nothing here passes or fails; the numbers are printed beside the target that the project set itself.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsklab import Lab
from wsklab.c.headers import INCLUDE, headers, read_headers
from wsklab.driverlife import start, unload

ROOT = Path(__file__).parents[1]

SEND_DATA = (ROOT / "tests" / "programs" / "send_data.c").read_text("utf-8")

REQUEST_STACK = (ROOT / "tests" / "programs" / "request_stack.c").read_text("utf-8")

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


CALLS = """
static int Add(int left, int right) { return left + right; }

int Calls(int rounds)
{
    int i, total = 0;
    for (i = 0; i < rounds; i++) total = Add(total, i & 7);
    return total;
}

int Walk(int rounds)
{
    char text[256], *p;
    int i, total = 0;
    for (i = 0; i < 255; i++) text[i] = 'a' + (i & 15);
    text[255] = 0;
    for (i = 0; i < rounds; i++) {
        p = text;
        while (*p) total += *p++;
    }
    return total;
}
"""


def python_add(left: int, right: int) -> int:
    """The function of CALLS, written by hand."""
    return left + right


def python_calls(rounds: int) -> int:
    """The first loop of CALLS, written by hand."""
    total = i = 0
    while i < rounds:
        total = python_add(total, i & 7)
        i += 1
    return total


def python_walk(rounds: int) -> int:
    """The second loop of CALLS, written by hand."""
    text = bytes(97 + (i & 15) for i in range(255)) + b"\0"
    total = 0
    for _ in range(rounds):
        i = 0
        while text[i]:
            total += text[i]
            i += 1
    return total


FUNCTION = """
static NTSTATUS Function{number}(PIRP Irp, ULONG Count, int *Values)
{{
    ULONG i, total = 0;
    NTSTATUS status = STATUS_SUCCESS;

    if (Irp == NULL || Count > 100) {{
        return STATUS_INVALID_PARAMETER;
    }}
    for (i = 0; i < Count; i++) {{
        if (Values[i] < 0) {{
            status = STATUS_UNSUCCESSFUL;
            break;
        }}
        total += Values[i] * 2;
    }}
    Irp->IoStatus.Status = status;
    Irp->IoStatus.Information = total;
    return status;
}}
"""
"""Twenty lines of C."""
PYTHON_FUNCTION = """
def function{number}(irp, count, values):
    status, total = 0, 0
    if irp is None or count > 100:
        return 0xC000000D
    for value in values[:count]:
        if value < 0:
            status = 0xC0000001
            break
        total += value * 2
    irp.status, irp.information = status, total
    return status


"""


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


def requests(count: int = 5_000) -> None:
    """Format, send, complete and reuse in C, over a lower driver in C; then the cost of one as the number outstanding grows."""

    def stack() -> tuple[Lab, Any, Any]:
        lab = Lab(trace=False)
        driver = lab.load(REQUEST_STACK, "request_stack.c")
        return lab, driver, lab.io_target(lab.start_driver(driver))

    _, driver, target = stack()
    request = driver.Make(target, 64)
    driver.Run(request, target, 100)
    taken = min(seconds(lambda: driver.Run(request, target, count), 1) for _ in range(3))
    row(f"{count:,} requests through a two-driver stack", f"{count / taken:,.0f} requests/s",
        f"{taken / count * 1e6:.0f} µs each", "at least 3,000/s")  # fmt: skip
    for outstanding in (10, 100, 1_000, 10_000):
        lab, driver, target = stack()
        made = [driver.Make(target, 64) for _ in range(outstanding)]
        lab.machine.set_u8(driver.image.globals["Keep"], 1)

        rounds = max(1, 2_000 // outstanding)

        def turns(driver: Any = driver, target: Any = target, made: list[Any] = made, rounds: int = rounds) -> None:
            for each in made * rounds:
                driver.Send(each, target)
                if each == made[-1]:
                    driver.Release()

        taken = min(seconds(turns, 1) for _ in range(3)) / rounds / outstanding
        row(f"  with {outstanding:,} outstanding at once", f"{taken * 1e6:.0f} µs each", "", "flat")


def array_loop(rounds: int = 1_000) -> None:
    """A C loop over an array against the same loop in Python."""
    driver = Lab(trace=False).load(SUM_LOOP, "sum.c")
    assert driver.Sum(3) == python_sum(3)
    # In turn and the best of each, because a busy machine slows down whichever happens to run.
    _beside("C loop over an array", "iterations", lambda: driver.Sum(rounds), lambda: python_sum(rounds), rounds * 256, 4)


def calls_and_pointers(rounds: int = 200_000) -> None:
    """Calls of a small C function, and a loop over ``*p++``, against the same in Python."""
    driver = Lab(trace=False).load(CALLS, "calls.c")
    assert (driver.Calls(9), driver.Walk(3)) == (python_calls(9), python_walk(3))
    _beside("calls of a small C function", "calls", lambda: driver.Calls(rounds), lambda: python_calls(rounds), rounds, 5)
    walks = rounds // 255
    _beside("C loop over *p++", "iterations", lambda: driver.Walk(walks), lambda: python_walk(walks), walks * 255, None)


def _beside(what: str, unit: str, c: Callable[[], object], python: Callable[[], object], count: int, target: int | None) -> None:
    # In turn and the best of each, because a busy machine slows down whichever happens to run.
    both = [(seconds(c, 1), seconds(python, 1)) for _ in range(7)]
    compiled, by_hand = (min(times) for times in zip(*both, strict=True))
    baseline = f"by hand {count / by_hand / 1e6:.1f} M/s: {compiled / by_hand:.1f} times"
    row(what, f"{count / compiled / 1e6:.1f} M {unit}/s", baseline, f"at most {target} times" if target else "none")


def compiling() -> None:
    """A thousand lines of C from text to functions, headers cached; then the headers alone, from their text."""
    text = "".join(FUNCTION.format(number=number) for number in range(50))
    python = "".join(PYTHON_FUNCTION.format(number=number) for number in range(1000 // 13))
    Lab(trace=False).load("int warm;")
    baseline = f"Python compiles 1,000 of its own in {seconds(lambda: compile(python, 'x', 'exec')):.3f} s"
    compiled = seconds(lambda: Lab(trace=False).load(text))
    row(f"compile {len(text.splitlines()):,} lines of C", f"{compiled:.2f} s", baseline, "at most 1.0 s")
    characters = sum(len(path.read_text("utf-8")) for path in INCLUDE.glob("*.h"))
    row("parse the headers, which is then cached", f"{seconds(lambda: read_headers(INCLUDE), 3):.2f} s",
        f"{characters / 1e3:,.0f} thousand characters; read in {seconds(lambda: headers.__wrapped__(), 3):.2f} s from the cache",
        "at most 2 s more")  # fmt: skip


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


def both_echoes() -> None:
    """Small and large messages through a C server on real sockets."""
    echo(1_024, 5_000, "at least 0.10")
    echo(65_536, 1_000, "at least 0.25")


def site() -> None:
    """Building the site, and loading the lab in a browser."""
    sys.path.insert(0, str(ROOT / "tools"))
    import bench_site

    bench_site.figures(row)


FIGURES = {
    "start": cold_start, "sends": sends, "requests": requests, "compile": compiling, "loop": array_loop,
    "calls": calls_and_pointers, "memory": memory, "echo": both_echoes, "site": site,
}  # fmt: skip

if __name__ == "__main__":
    wanted = argparse.ArgumentParser(prog="kit.py bench", description="Print figures beside their baselines.")
    wanted.add_argument("figures", nargs="*", metavar="FIGURE", help=f"one of {', '.join(FIGURES)}; all unless told")
    for name in (chosen := wanted.parse_args().figures):
        if name not in FIGURES:
            wanted.error(f"there is no figure {name}; there are {', '.join(FIGURES)}")
    for name in chosen or FIGURES:
        FIGURES[name]()
