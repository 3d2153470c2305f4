"""The lessons in JupyterLab, as ``kit.py lab`` opens it: each runs from top to bottom, and nothing else is asked for anything."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

from .conftest import FOLDERS, LESSONS, ROOT

_RAN = re.compile(r"\[\d+\]:")
pytestmark = pytest.mark.slow
OPENED = [(language, lesson) for lesson in LESSONS for language in FOLDERS]


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    """The address of a JupyterLab, token and all."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "kit.py", "lab", "--no-browser", "--lang", "ja", "--port", str(port)]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert child.stdout is not None
    heard = []
    for line in child.stdout:
        heard.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=(\w+)", line)
        if found:
            break
    else:
        raise AssertionError("".join(heard))
    yield f"http://127.0.0.1:{port}/lab/tree/{{}}?reset&token={found.group(1)}"
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=120)


@pytest.mark.skipif(os.name == "nt", reason="processes are ended by group here")
@pytest.mark.parametrize(("language", "lesson"), OPENED)
def test_lesson_runs_in_jupyterlab(browser: Browser, lab: str, language: str, lesson: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    elsewhere: list[str] = []

    def gate(route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    context.route(lambda url: not url.startswith(("data:", "blob:")), gate)
    page.goto(lab.format(f"{language}/{lesson}.ipynb"))
    idle = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(idle).to_be_attached(timeout=120_000)
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")
    for _ in range(3):  # on a busy machine JupyterLab can lose a "run all" that comes while the kernel restarts
        page.locator('[data-command="notebook:restart-run-all"]').first.click()
        page.locator(".jp-Dialog .jp-mod-accept").click()
        with suppress(AssertionError):
            expect(prompts.first).to_have_text(_RAN, timeout=60_000)
            break
    with suppress(AssertionError):
        expect(prompts.last).to_have_text(_RAN, timeout=120_000)
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts() == []
    expect(prompts.last).to_have_text(_RAN)
    assert elsewhere == []
    assert "実行" in page.locator(".lm-MenuBar").inner_text()  # the menus speak the language that was asked for
    context.close()
