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


def memory() -> None:
    """What one Lab adds to a bare interpreter."""
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
