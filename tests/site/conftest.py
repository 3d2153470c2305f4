"""The built site, served on 127.0.0.1, and a browser that may talk to nothing else.

The browser is a Chromium of this machine, driven by Playwright. Without one the tests are skipped and say so; under CI that is
a failure, because then nobody would notice.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import kit  # noqa: E402

NOTEBOOKS = Path(os.environ.get("WSKLAB_NOTEBOOKS") or ROOT / "notebooks")
LESSONS = sorted(path.stem for path in (NOTEBOOKS / "en").glob("*.ipynb"))
FOLDERS = {code: f"{code}/" if number else "" for number, code in enumerate(kit.LANGUAGES)}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a file here share a browser and what it has loaded, so one worker runs them."""
    for item in items:
        if Path(str(item.fspath)).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group(Path(str(item.fspath)).stem))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the site, built strictly in every language, each notebook run; the workers share it."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder, mine = shared / "site", shared / "site-is-being-built"
    try:
        mine.mkdir()
    except FileExistsError:
        for _ in range(3000):
            if folder.is_dir() or (mine / "failed").exists():
                break
            time.sleep(0.1)
        assert folder.is_dir(), "another worker could not build the site"
        return folder
    try:
        kit.build_site(folder)
    except BaseException:
        (mine / "failed").touch()
        raise
    return folder


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Serve a folder: its address, with the slash at the end, and how to cut the network."""
    with kit.bind(0, folder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()

        def cut() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        yield "http://{}:{}/".format(*server.server_address[:2]), cut
        if thread.is_alive():
            cut()


@pytest.fixture(scope="session")
def address(built: Path) -> Iterator[str]:
    """Where the built site is served, with the slash at the end."""
    with serve(built) as (address, _):
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        what = f"there is no browser on this machine (looked for {', '.join(BROWSERS)}): the site was not opened"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)
    with sync_playwright() as play:
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"  # for service workers too, which no route sees
        started = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", nowhere])
        yield started
        started.close()


@dataclass
class Watched:
    """An open tab and what went wrong in it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def clean(self) -> None:
        """Nothing was asked of another host, and the page complained about nothing."""
        assert (self.elsewhere, self.errors) == ([], [])


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Watched]:
    """A fresh tab; requests to any other host are refused and remembered, and so is what the console reports."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    watched = Watched(context.new_page())
    host = urlsplit(address).netloc

    def gate(route: Route) -> None:
        if urlsplit(route.request.url).netloc == host:
            route.continue_()
        else:
            watched.elsewhere.append(route.request.url)
            route.abort()

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            watched.errors.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    context.route(lambda url: not url.startswith(("data:", "blob:")), gate)
    watched.page.on("console", heard)
    watched.page.on("pageerror", lambda error: watched.errors.append(f"exception: {error}"))
    yield watched
    context.close()


@pytest.fixture
def keep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: a temporary folder, or the one that ``WSKLAB_SCREENSHOTS`` names."""
    folder = Path(os.environ.get("WSKLAB_SCREENSHOTS") or tmp_path_factory.getbasetemp() / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
