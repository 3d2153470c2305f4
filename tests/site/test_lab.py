"""The lab in the browser, opened as a reader opens it: from the button on a lesson's page.

A browser context is a reader: what was fetched and changed stays with it. Where a test needs no fresh reader, it takes the one
of its language, so that the runtime is fetched once.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from .conftest import FOLDERS, LESSONS, ROOT, serve

sys.path.insert(0, str(ROOT / "tools"))

import bench_site  # noqa: E402

pytestmark = pytest.mark.slow
OPENED = [(language, lesson) for language in FOLDERS for lesson in LESSONS]
RUN = {"en": "Run", "ja": "実行", "fr": "Exécution"}
_RAN = re.compile(r"\[\d+\]:")
STARTS = 60_000  # milliseconds that Python may take to start on a busy machine

# What a notebook has printed, in order, outputs that are not pictures. Where one output ends and the next begins is chance.
PRINTED = """() => [...jupyterapp.shell.currentWidget.content.model.cells].flatMap((cell) =>
  cell.type !== "code" ? [] : Array.from({ length: cell.outputs.length }, (_, place) => cell.outputs.get(place).toJSON())
    .map(({ output_type, text, data = {} }) => output_type === "stream" ? text
      : data["text/html"] || data["image/svg+xml"] ? "" : data["text/plain"] ?? "")
    .map((text) => [text].flat().join("").trim()).filter((text) => text))"""

# Set the source of a cell, by the cell's id.
WRITE = """([id, source]) => [...jupyterapp.shell.currentWidget.content.model.cells]
  .find((cell) => cell.sharedModel.id === id).sharedModel.setSource(source)"""

SOURCE = """(id) => [...jupyterapp.shell.currentWidget.content.model.cells]
  .find((cell) => cell.sharedModel.id === id).sharedModel.getSource()"""


@pytest.fixture(scope="module")
def readers(browser: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """The reader of a language, always the same one."""
    known: dict[str, BrowserContext] = {}

    def reader(language: str) -> BrowserContext:
        if language not in known:
            known[language] = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
        return known[language]

    yield reader
    for context in known.values():
        context.close()


def from_its_page(context: BrowserContext, address: str, language: str, lesson: str) -> tuple[Page, list[str]]:
    """Open a lesson's page and press the button; returns the tab, with Python started, and what the page says was printed."""
    page = context.new_page()
    page.goto(f"{address}{FOLDERS[language]}lessons/{lesson}/")
    printed = [text.strip() for text in page.locator(".wsk-printed").all_inner_texts()]
    page.locator(".wsk-buttons .md-button--primary").click()
    ready(page)
    return page, [text for text in printed if text]


def ready(page: Page) -> None:
    """Wait until Python has started."""
    page.locator("body[data-wsk-ready]").wait_for(state="attached", timeout=STARTS)


def press(page: Page, button: str) -> None:
    """Press a button that loads the page again, and wait until Python has started in the new one."""
    page.evaluate("window.before = true")
    page.locator("#wsk-bar button", has_text=button).click()
    page.wait_for_function("() => !window.before && 'wskReady' in (document.body?.dataset ?? {})", timeout=STARTS)


def run_all(page: Page) -> None:
    """Run every cell, and wait for the last."""
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt").last).to_have_text(_RAN, timeout=120_000)
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts() == []


def kept(page: Page, path: str) -> Any:
    """The notebook as this reader's browser holds it."""
    return page.evaluate("(path) => jupyterapp.serviceManager.contents.get(path, { content: true })", path)["content"]


def same_as_on_its_page(page: Page, printed: list[str]) -> None:
    """See that the notebook has printed what its page shows; what the last cell printed may come after its number."""

    def words(texts: list[str]) -> list[str]:
        return "\n".join(texts).split()

    for _ in range(50):
        if words(page.evaluate(PRINTED)) == words(printed):
            break
        page.wait_for_timeout(200)
    assert words(page.evaluate(PRINTED)) == words(printed)


def execute(page: Page, code: str) -> str:
    """Run some code in the kernel; returns all that it printed or raised."""
    script = """async (code) => {
      const heard = [];
      const future = jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code });
      future.onIOPub = ({ content }) => heard.push(content.text ?? content.traceback?.join("\\n") ?? "");
      await future.done;
      return heard.join("");
    }"""
    return re.sub(r"\x1b\[[0-9;]*m", "", page.evaluate(script, code))


@pytest.mark.parametrize(("language", "lesson"), OPENED)
def test_lesson_runs_as_on_its_page(
    readers: Callable[[str], BrowserContext], address: str, keep: Path, language: str, lesson: str
) -> None:
    context = readers(language)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page, printed = from_its_page(context, address, language, lesson)
    assert RUN[language] in page.locator(".lm-MenuBar").inner_text()
    run_all(page)
    same_as_on_its_page(page, printed)
    page.screenshot(path=keep / f"{language}-lab-{lesson}.png")
    own = urlsplit(address).netloc
    assert [url for url in asked if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != own] == []
    page.close()


def test_a_first_visit_is_told_that_the_lab_is_loading(browser: Browser, address: str, keep: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    held: list[Route] = []
    context.route("**/build/notebooks/bundle.js*", lambda route: held.append(route))
    page = context.new_page()
    page.goto(f"{address}ja/lessons/00_welcome/")
    page.locator(".wsk-buttons .md-button--primary").click()
    notice = page.locator("#wsk-loading")
    expect(notice).to_contain_text("ラボを読み込んでいます")
    page.screenshot(path=keep / "ja-lab-loading-narrow-dark.png")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    bar = page.locator("#wsk-bar [role=status]")
    expect(bar).to_contain_text("Python を起動しています", timeout=STARTS)
    expect(notice).to_have_count(0)
    page.screenshot(path=keep / "ja-lab-starting-narrow-dark.png")
    expect(bar).to_contain_text("準備ができました", timeout=STARTS)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
    context.close()


def test_widget_moves_exercise_is_solved_and_all_of_it_is_still_there_later(
    readers: Callable[[str], BrowserContext], address: str, keep: Path
) -> None:
    page, _ = from_its_page(readers("en"), address, "en", "01_connection_send")
    run_all(page)
    panel = page.locator(".widget-vbox", has=page.locator(".widget-toggle-buttons"))
    picture = panel.locator("svg").filter(visible=True)
    before = picture.inner_html()
    panel.locator("button", has_text="the peer resets").click()
    expect(panel.locator("button.mod-active")).to_have_text("the peer resets")
    expect(picture).to_have_count(1)
    assert picture.inner_html() != before
    page.screenshot(path=keep / "en-lab-widget.png")

    answer = page.locator(".jp-CodeCell", has_text="task.check(my_send)").locator(".jp-OutputArea-output")
    assert answer.inner_text().startswith("Not yet:")
    solution = "%%c my_send\n" + (ROOT / "wsklab" / "learn" / "exercise_01_solution.c").read_text("utf-8")
    page.evaluate(WRITE, ["exercise-start", solution])
    run_all(page)
    expect(answer).to_contain_text("Well done")
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty", timeout=10_000)

    page.reload()
    ready(page)
    expect(answer).to_contain_text("Well done")
    assert page.evaluate(SOURCE, "exercise-start") == solution
    # The panel was saved with its state: it answers before any cell has run.
    panel.locator("button", has_text="the peer has closed").click()
    expect(panel.locator("button.mod-active")).to_have_text("the peer has closed")

    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "Start afresh")
    published = json.loads((ROOT / "notebooks" / "en" / "01_connection_send.ipynb").read_text("utf-8"))
    start = next("".join(cell["source"]) for cell in published["cells"] if cell["id"] == "exercise-start")
    assert page.evaluate(SOURCE, "exercise-start") == start
    assert page.locator(".jp-OutputArea-output").count() == 0
    page.close()


def test_kernel_survives_an_error_a_stop_a_mistake_and_an_endless_loop(
    readers: Callable[[str], BrowserContext], address: str
) -> None:
    page, _ = from_its_page(readers("en"), address, "en", "00_welcome")
    assert execute(page, "%load_ext wsklab\nfrom wsklab import Lab\nlab = Lab()") == ""
    told = execute(page, "def divide():\n    return 1 / 0\n\ndivide()")
    assert "ZeroDivisionError: division by zero" in told
    assert "----> 2     return 1 / 0" in told
    endless = "%%c endless\nVOID Forever(VOID)\n{\n    ULONG Count = 0;\n    while (TRUE) {\n        Count++;\n    }\n}"
    assert execute(page, endless) == "endless: compiled Forever\n"
    told = execute(page, "with lab.explain():\n    Forever()")
    assert told.startswith("STOP step-budget: ")
    assert "\n  endless.c:4:5\n" in told
    mistake = execute(page, "%%c wrong\nVOID Wrong(VOID)\n{\n    ULONG Count = Missing;\n}")
    assert "wrong.c:3:19" in mistake
    assert "Missing" in mistake
    assert execute(page, "lab = Lab()\nprint(lab.wdk.IoAllocateIrp(1, False) is None)") == "False\n"
    page.close()


def test_a_restarted_kernel_starts_afresh_and_captures(readers: Callable[[str], BrowserContext], address: str) -> None:
    page, _ = from_its_page(readers("en"), address, "en", "00_welcome")
    assert execute(page, "kept = 1") == ""
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    assert "NameError: name 'kept' is not defined" in execute(page, "kept")
    assert execute(page, "from wsklab import Lab\nprint(Lab().console)\nimport json, ipywidgets") == "\n"
    captured = (
        "from pathlib import Path\nwith Lab() as lab:\n    lab.capture('run.pcapng')\n    lab.connected_socket('reads')\n"
        "print(Path('run.pcapng').read_bytes()[:4].hex())"
    )
    assert execute(page, captured) == "0a0d0d0a\n"
    page.close()


def test_a_first_visit_fetches_no_file_twice(browser: Browser, built: Path) -> None:
    context = browser.new_context()
    with bench_site.serve(built) as served:
        page, _ = from_its_page(context, served.address, "en", "00_welcome")
        page.locator("body[data-wsk-kept]").wait_for(state="attached", timeout=STARTS)
        asked = Counter(unquote(address.partition("?")[0]) for address in served.handler.asked)
    context.close()
    lasting = ("/lab/build/", "/lab/extensions/", "/lab/static/")
    schemas = "/lab/build/schemas/"  # JupyterLite asks for these lists once per plugin, at times before the first answer is there
    several = {path: times for path, times in asked.items() if times > 1 and path.startswith(lasting)}
    assert {path: times for path, times in several.items() if not path.startswith(schemas)} == {}
    assert "/lab/static/pyodide/pyodide.asm.wasm" in asked


def test_site_works_under_a_prefix_and_without_a_network(
    browser: Browser, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "prefix").symlink_to(built)
    context = browser.new_context()
    with bench_site.serve(tmp_path) as served:
        site, weights, seconds = f"{served.address}a/prefix/", [], []
        for _ in range(2):
            start = time.perf_counter()
            page, _ = from_its_page(context, site, "fr", "00_welcome")
            seconds.append(time.perf_counter() - start)
            page.locator("body[data-wsk-kept]").wait_for(state="attached", timeout=STARTS)
            page.close()
            weights.append(served.fetched() / 1e6)
        served.cut()
        for lesson in LESSONS[:2]:
            page, printed = from_its_page(context, site, "fr", lesson)
            run_all(page)
            same_as_on_its_page(page, printed)
            page.close()
    context.close()
    with capsys.disabled():
        print("\nlab, from a lesson's page until Python is ready: first visit", end=" ")
        print(
            "{:.1f} MB with gzip, {:.1f} s; second visit {:.2f} MB, {:.1f} s".format(*sum(zip(weights, seconds, strict=True), ()))
        )
    assert weights[0] <= 15
    assert weights[1] <= weights[0] / 2


@pytest.fixture
def releases(browser: Browser, built: Path, tmp_path: Path) -> Iterator[tuple[Page, Callable[[str], None]]]:
    """The welcome, opened by a fresh reader on a site of its own, and how to publish it with another title."""
    site = tmp_path / "site"
    shutil.copytree(built, site)
    lesson, entry = (site / "lab" / "en" / name for name in ("files/00_welcome.ipynb", "notebooks/index.html"))

    def publish(title: str) -> None:
        notebook = json.loads(lesson.read_text("utf-8"))
        before = notebook["metadata"]["wsklab"]["published"]
        notebook["cells"][0]["source"] = [f"# {title}"]
        cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
        text = json.dumps(cells, ensure_ascii=False, separators=(",", ":"))
        after = notebook["metadata"]["wsklab"]["published"] = hashlib.sha256(text.encode()).hexdigest()
        lesson.write_text(json.dumps(notebook), "utf-8")
        entry.write_text(entry.read_text("utf-8").replace(before, after), "utf-8")

    context = browser.new_context()
    with serve(site) as (address, _):
        page, _ = from_its_page(context, address, "en", "00_welcome")
        yield page, publish
    context.close()


def shows(page: Page, title: str) -> None:
    """Reload, and see that the notebook has this title."""
    page.reload()
    ready(page)
    expect(page.locator(".jp-Notebook h1").first).to_contain_text(title)


def change(page: Page, source: str) -> None:
    """Change a cell as a reader, and wait until that is kept."""
    page.evaluate(WRITE, ["what-if-code", source])
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty", timeout=10_000)


def test_reader_who_changed_nothing_gets_the_new_text(releases: tuple[Page, Callable[[str], None]]) -> None:
    page, publish = releases
    run_all(page)
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty", timeout=10_000)
    shows(page, "Welcome")
    assert page.locator(".jp-OutputArea-output").count() > 0
    publish("Revised")
    shows(page, "Revised")
    assert page.locator("#wsk-bar.wsk-asks").count() == 0


def test_reader_with_an_old_copy_is_told_and_chooses(releases: tuple[Page, Callable[[str], None]], keep: Path) -> None:
    page, publish = releases
    change(page, "mine = 1")
    publish("Revised once")
    shows(page, "Welcome")
    asked = page.locator("#wsk-bar.wsk-asks")
    expect(asked).to_contain_text("has been revised since you changed your copy")
    page.screenshot(path=keep / "en-lab-revised.png")
    page.locator("#wsk-bar button", has_text="Keep my copy").click()
    expect(asked).to_have_count(0)
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty", timeout=10_000)
    shows(page, "Welcome")
    assert page.evaluate(SOURCE, "what-if-code") == "mine = 1"
    assert asked.count() == 0

    publish("Revised twice")
    shows(page, "Welcome")
    press(page, "Open the new text")
    expect(page.locator(".jp-Notebook h1").first).to_contain_text("Revised twice")
    names = page.evaluate("async () => (await jupyterapp.serviceManager.contents.get('')).content.map((entry) => entry.name)")
    (copy,) = [name for name in names if "my copy" in name]
    assert any(cell["source"] == "mine = 1" for cell in kept(page, copy)["cells"])


def test_what_lies_on_the_site_is_what_its_lock_says(built: Path) -> None:
    folder = built / "lab" / "static" / "pyodide"
    (lock,) = folder.glob("pyodide-lock-*.json")
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    assert {name: hashlib.sha256((folder / entry["file_name"]).read_bytes()).hexdigest() for name, entry in packages.items()} == {
        name: entry["sha256"] for name, entry in packages.items()
    }
    missing = {(name, other) for name, entry in packages.items() for other in entry["depends"] if other not in packages}
    assert missing == set()
    assert "://" not in json.dumps(packages)
    assert [path.name for path in (built / "wheel").iterdir()] == ["wsklab-0.1.0-py3-none-any.whl"]
