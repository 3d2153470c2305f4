"""The figures of the site and of the lab in the browser; tools/bench.py prints them with the others.

What a reader fetches is counted where it leaves: at a server that sends gzip, as any host of files does. The lab is timed against
a bare JupyterLite of the same versions, in turn, each time with a reader who has never been there.
"""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import lite  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, sync_playwright  # noqa: E402

import kit  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
STARTS = 90_000
RAN = """() => /\\[1\\]/.test(document.querySelector(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")?.textContent)"""
OPEN = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


@cache
def _packed(path: Path, changed: float) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


class Counting(kit._Handler):
    """Sends what can be packed as gzip, counts the bytes of all bodies, and remembers of which file there was one."""

    sent = 0
    asked: list[str]

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
        """Answer, packed if that is smaller; a file that the browser has already is answered without it."""
        path = Path(self.translate_path(self.path.partition("?")[0]))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file() or "gzip" not in self.headers.get("Accept-Encoding", ""):
            super().do_GET()
            return
        mark = f'"{path.stat().st_mtime_ns:x}"'
        same = self.headers.get("If-None-Match") == mark
        body, packed = (b"" if same else path.read_bytes()), b"" if same else _packed(path, path.stat().st_mtime)
        self.send_response(304 if same else 200)
        self.send_header("ETag", mark)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if len(packed) < len(body):
            self.send_header("Content-Encoding", "gzip")
            body = packed
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        type(self).sent += len(body)
        if not same:
            self.asked.append(self.path)


@dataclass
class Served:
    """A folder that is served, and how much of it was fetched so far."""

    address: str
    handler: type[Counting]
    cut: Callable[[], None]

    def fetched(self) -> int:
        """The bytes sent since this was asked last."""
        sent, self.handler.sent = self.handler.sent, 0
        return sent


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve a folder on 127.0.0.1, counted, until it is cut or the block ends."""
    handler = type("CountingOne", (Counting,), {"sent": 0, "asked": []})
    server = kit._Server(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def cut() -> None:
        if thread.is_alive():
            server.shutdown()
            server.server_close()
            thread.join()

    yield Served("http://{}:{}/".format(*server.server_address[:2]), handler, cut)
    cut()


def bare_jupyterlite(folder: Path) -> None:
    """Write JupyterLite as it comes, with one notebook, and with every package that its kernel wants beside the runtime."""
    shutil.copytree(lite.bare(), folder)
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": ["1 + 1"], "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}}
    lite.write(folder / "files" / "one.ipynb", {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]})
    lite.write(folder / "api" / "contents" / "all.json", lite.listing(folder / "files"))
    settings = json.loads((folder / lite.SETTINGS).read_text("utf-8"))
    settings["jupyter-config-data"]["contentsAllJsonFile"] = "all.json"
    settings["jupyter-config-data"]["litePluginSettings"][lite.KERNEL]["disablePyPIFallback"] = True
    lite.write(folder / lite.SETTINGS, settings)
    lite.write_lock(folder / "static" / "pyodide" / "pyodide-lock.json", lite.packages().values())


def first_cell(context: BrowserContext, url: str) -> float:
    """Seconds from opening `url`, a notebook, until its first code cell has run."""
    page = context.new_page()
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function(OPEN, timeout=STARTS)
    page.evaluate(
        """() => {
        const { content } = jupyterapp.shell.currentWidget;
        content.activeCellIndex = [...content.model.cells].findIndex((cell) => cell.type === "code");
        jupyterapp.commands.execute("notebook:run-cell");
    }"""
    )
    page.wait_for_function(RAN, timeout=STARTS)
    seconds = time.perf_counter() - start
    if page.locator("body[data-wsk-ready]").count():
        page.locator("body[data-wsk-kept]").wait_for(state="attached", timeout=STARTS)
    page.close()
    return seconds


def lab_figures(browser: Browser, site: Path, row: Callable[[str, str, str, str], None], runs: int = 3) -> None:
    """Time and weigh the lab of a built site."""
    with tempfile.TemporaryDirectory() as scratch:
        bare_jupyterlite(Path(scratch) / "bare")
        ours, theirs, weights, again = [], [], [], []
        with serve(site) as lab, serve(Path(scratch) / "bare") as bare:
            for _ in range(runs):
                for served, path, times in (
                    (bare, "notebooks/index.html?path=one.ipynb", theirs),
                    (lab, "lab/en/notebooks/index.html?path=00_welcome.ipynb", ours),
                ):
                    context = browser.new_context()
                    served.fetched()
                    times.append(first_cell(context, served.address + path))
                    weights.append((served is lab, served.fetched()))
                    if served is lab:
                        first_cell(context, served.address + path)
                        again.append(served.fetched())
                    context.close()
    mine, bare_time = statistics.median(ours), statistics.median(theirs)
    cold = max(weight for is_lab, weight in weights if is_lab) / 1e6
    bare_weight = max(weight for is_lab, weight in weights if not is_lab) / 1e6
    against = f"bare JupyterLite {bare_time:.1f} s: {mine / bare_time:.2f} times"
    row("lab: cold load to the first executed cell", f"{mine:.1f} s", against, "at most 1.15 times")
    row("lab: transferred with gzip", f"{cold:.1f} MB", f"bare JupyterLite {bare_weight:.1f} MB", "at most 15 MB")
    row("lab: second visit", f"{max(again) / 1e6:.2f} MB", f"first visit {cold:.1f} MB", "at most half")


def site_figures(row: Callable[[str, str, str, str], None]) -> None:
    """Time the builds: one language against three, and a rebuild after one page has changed."""
    with tempfile.TemporaryDirectory() as scratch:

        def build(*words: str) -> float:
            start = time.perf_counter()
            command = [sys.executable, str(ROOT / "tools" / "build_site.py"), str(Path(scratch) / "site"), *words]
            subprocess.run(command, check=True, capture_output=True)
            return time.perf_counter() - start

        build()
        pairs = [(build("--without-lab", "--anew", "--languages", "en"), build("--without-lab", "--anew")) for _ in range(3)]
        one, three = (statistics.median(times) for times in zip(*pairs, strict=True))
        row(
            "site: three languages, without the lab",
            f"{three:.1f} s",
            f"one language {one:.1f} s: {three / one:.2f} times",
            "at most 1.5 times",
        )
        page = ROOT / "docs" / "en" / "start.md"
        before = page.read_bytes()
        try:
            page.write_bytes(before + b"\nOne more sentence.\n")
            row("site: rebuilt after one page has changed", f"{build():.1f} s", "with the lab", "at most 5 s")
        finally:
            page.write_bytes(before)


def figures(row: Callable[[str, str, str, str], None]) -> None:
    """Print all of them; without a browser on this machine, those of the lab are left out and that is said."""
    site_figures(row)
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        print("the lab in the browser: not measured, there is no Chromium on this machine")
        return
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as play:
        kit.build_site(Path(scratch) / "site")
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        lab_figures(browser, Path(scratch) / "site", row)
        browser.close()
