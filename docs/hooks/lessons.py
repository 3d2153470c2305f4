"""The lessons on the site: finds the notebooks, puts them into the navigation, has them run, and writes their pages.

mkdocs-jupyter executes a notebook and renders it as JupyterLab would: 600 kB of styles and scripts in every page, addresses of
other hosts, no working anchors for Japanese headings. Only the cells and their outputs are taken from that, and set the way
the theme sets text and code. A lesson is notebooks/<language>/NN_name.ipynb, outside the folder of pages, so that it can be
opened as it is; its page is lessons/NN_name/.

Rule: a broken cell or a link that leads nowhere fails the build, and the message names the notebook and the cell.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import CLexer
from pymdownx.slugs import slugify

ROOT = Path(__file__).resolve().parents[2]
log = logging.getLogger("mkdocs.hooks.lessons")
_slug = slugify(case="lower")
# A code cell is rendered as two boxes of this name, one in the other.
_C = CLexer(stripnl=False)
# Names, spaces and signs have the colour of plain code anyway: marking each doubles the weight of a listing.
_PLAIN = re.compile(r'<span class="(?:n|w|p)">([^<]*)</span>')
_LONG_STYLE = 500
# An empty element of a picture needs no closing tag of its own.
_CLOSED = re.compile(r"></(?:path|rect|circle|line|polygon|polyline|use)>")
_CELL = ".jp-Notebook > .jp-Cell"


def notebooks(language: str) -> list[Path]:
    """The lessons of a language, in order. ``WSKLAB_NOTEBOOKS`` names another folder of notebooks (the tests use it)."""
    folder = Path(os.environ.get("WSKLAB_NOTEBOOKS") or ROOT / "notebooks") / language
    return sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))


def _cells(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook, the source of each as one string."""
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    return cells


def _title(path: Path) -> str:
    """The notebook's first heading, as plain words."""
    for cell in _cells(path):
        found = re.search(r"^# +(.+)$", cell["source"], re.MULTILINE) if cell["cell_type"] == "markdown" else None
        if found:
            return found.group(1).replace("`", "").replace("*", "").strip()
    raise PluginError(f"{path.relative_to(path.parents[2])}: no cell starts with a title (# …)")


def on_config(config: MkDocsConfig) -> None:
    """Give the navigation its lessons, and set up where and how the notebooks are run."""
    language = str(config.theme["language"])
    os.environ["JUPYTER_CONFIG_DIR"] = str(Path(__file__).parent / "jupyter")
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["WSKLAB_LANG"] = language
    lessons = [{_title(path): f"lessons/{path.name}"} for path in notebooks(language)]
    nav = [{name: lessons if target == "lessons" else target for name, target in entry.items()} for entry in config.nav or []]
    config.nav = [entry for entry in nav if [] not in entry.values()]
    # mkdocs-jupyter looks only at the notebook to see whether a kept result is still right; ours depend on the engine as well.
    config.plugins["mkdocs-jupyter"].config["cache_dir"] = str(ROOT / ".cache" / "lessons" / f"{language}-{engine_hash()}")


def engine_hash() -> str:
    """A short hash of all that a kept result depends on beside the notebook or program: the whole engine, and these hooks."""
    digest = hashlib.sha256()
    sources = [*(ROOT / "wsklab").rglob("*"), *(ROOT / "docs" / "hooks").rglob("*.py"), ROOT / "requirements.txt"]
    for path in sorted(path for path in sources if path.is_file() and "__pycache__" not in path.parts):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@event_priority(100)  # before mkdocs-jupyter, which then takes these files over
def _add_notebooks(files: Files, config: MkDocsConfig) -> Files:
    """Add the notebooks, which lie outside the folder of pages."""
    for path in notebooks(str(config.theme["language"])):
        files.append(File(f"lessons/{path.name}", str(path.parent), config.site_dir, config.use_directory_urls))
    return files


@event_priority(-100)  # after mkdocs-jupyter, which has wrapped them and worked out their paths from the folder of pages
def _tell_paths(files: Files, config: MkDocsConfig) -> Files:
    """Say where the notebooks really are; mkdocs-jupyter reads them from there."""
    for path in notebooks(str(config.theme["language"])):
        file = files.get_file_from_path(f"lessons/{path.name}")
        assert file is not None
        file.abs_src_path = str(path)
    return files


on_files = CombinedEvent(_add_notebooks, _tell_paths)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the list of lessons where a page says ``<!-- lessons -->``."""
    lessons = notebooks(str(config.theme["language"]))
    return markdown.replace("<!-- lessons -->", "\n".join(f"- [{_title(path)}](lessons/{path.name})" for path in lessons))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Take out the indentation and empty lines that the templates leave, a tenth of a page; code and scripts stay as they are."""
    parts = re.split(r"(?s)(<(?:pre|script|textarea|style)\b.*?</(?:pre|script|textarea|style)>)", output)
    return "".join(part if number % 2 else re.sub(r"\s*\n\s*", "\n", part) for number, part in enumerate(parts))


def _is_lesson(page: Page) -> bool:
    return page.file.src_uri.endswith(".ipynb")


@event_priority(-100)  # after mkdocs-jupyter, which has put its own render method on the page
def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    """Turn what a failing cell raises into one line that says where to look."""
    if not _is_lesson(page):
        return page
    path = Path(str(page.file.abs_src_path))
    render = page.render

    def render_or_tell(config: MkDocsConfig, files: Files) -> None:
        try:
            render(config, files)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise PluginError(_blame(path, error)) from None

    page.render = render_or_tell  # type: ignore[method-assign]
    return page


def _blame(path: Path, error: Exception) -> str:
    """Which notebook and which cell failed (cells counted from 1, text cells too), and how, on one line."""
    name = path.relative_to(path.parents[2]).as_posix()
    if not isinstance(error, CellExecutionError):
        return f"{name}: {' '.join(str(error).split())}"
    told = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    for number, cell in enumerate(_cells(path), 1):
        source = cell["source"].strip()
        if cell["cell_type"] == "code" and source and f"------------------\n{source}\n------------------" in told:
            first = source.splitlines()[0]
            return f"{name}: cell {number} ({first}): {error.ename}: {' '.join(str(error.evalue).split())}"
    return f"{name}: {error.ename}: {' '.join(str(error.evalue).split())}"


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write the page of a lesson from what mkdocs-jupyter made of the notebook."""
    if not _is_lesson(page):
        return html
    soup = BeautifulSoup(html, "html.parser")
    body = "\n".join(part for cell in soup.select(_CELL) for part in _parts(cell))
    lesson = BeautifulSoup(body, "html.parser")
    page.toc = get_toc(_anchor_headings(lesson))
    _mend_links(lesson, page, files)
    for table in lesson.select(".wsk-text > table"):
        table.wrap(lesson.new_tag("div", attrs={"class": "md-typeset__table"})).wrap(
            lesson.new_tag("div", attrs={"class": "md-typeset__scrollwrap"})
        )
    _add_buttons(lesson, page, config)
    _move_pictures(lesson, page, config)
    _move_styles(lesson, page, config)
    return _CLOSED.sub("/>", lesson.decode(formatter="minimal"))


def _parts(cell: Tag) -> Iterator[str]:
    """The pieces of a page that one rendered cell gives: its text, or its code and each of its outputs."""
    text = cell.select_one(".jp-RenderedMarkdown")
    if text is not None:
        for block in text.select("div.highlight"):
            code = block.select_one("pre")
            if code is not None:
                block.replace_with(BeautifulSoup(_code(code), "html.parser"))
        yield f'<div class="wsk-text">{text.decode_contents()}</div>'
        return
    code = cell.select_one(".highlight-ipynb pre")
    if code is not None:
        yield f'<div class="wsk-code">{_code(code)}</div>'
    for output in cell.select(".jp-OutputArea-output"):
        kind = str(output.get("data-mime-type", ""))
        content = _inline_pictures(output).decode_contents().strip()
        if kind.startswith("text/html") or "svg" in kind or "image/" in kind or "markdown" in kind:
            yield f'<div class="wsk-shown">{content}</div>'
        elif content:
            stderr = " wsk-stderr" if kind.endswith("stderr") else ""
            yield f'<div class="wsk-printed{stderr}">{content}</div>'


def _code(pre: Tag) -> str:
    """Highlighted code the way the theme expects it: it then gets the theme's colours and its copy button."""
    shown = pre.decode_contents().strip()
    magic = re.match(r"(%%c\b.*)\n", pre.get_text().lstrip())
    if magic:  # a C cell: nbconvert has taken it for Python
        body = pre.get_text().lstrip()[magic.end() :].rstrip()
        shown = (
            f'<span class="cp">{html.escape(magic.group(1))}</span>\n' + highlight(body, _C, HtmlFormatter(nowrap=True)).rstrip()
        )
    shown = _PLAIN.sub(r"\1", shown)
    return f'<div class="highlight"><pre><span></span><code>{shown}\n</code></pre></div>'


def _inline_pictures(output: Tag) -> Tag:
    """Put SVG pictures into the page itself: only there do they follow its colours, dark or light."""
    for image in output.select('img[src^="data:image/svg+xml;base64,"]'):
        text = base64.b64decode(str(image["src"]).partition(",")[2]).decode("utf-8")
        image.replace_with(BeautifulSoup(text[text.index("<svg") :], "html.parser"))
    return output


def _move_pictures(lesson: BeautifulSoup, page: Page, config: MkDocsConfig) -> None:
    """Move the pictures that a panel does not show at first into files; assets/wsklab.js brings them back."""
    for panel in lesson.select("fieldset.wlp"):
        style = panel.find("style")
        for picture in panel.select("div ~ div svg"):
            if style is not None and picture.find("style") is None:
                picture.append(copy.copy(style))  # so that it also stands alone, where no script runs
            title = picture.find("title")
            link = _asset(str(picture), "svg", page, config)
            image = lesson.new_tag("img", attrs={"src": link, "alt": title.get_text() if title else ""})
            place = lesson.new_tag("div", attrs={"data-picture": link})
            place.append(lesson.new_tag("noscript"))
            place.contents[0].append(image)  # type: ignore[union-attr]
            picture.replace_with(place)


def _move_styles(lesson: BeautifulSoup, page: Page, config: MkDocsConfig) -> None:
    """Move what pictures and panels bring as styles into files that the pages share: an own style per picture weighs too much."""
    moved: set[str] = set()
    for style in lesson.select("style"):
        text = style.string or ""
        if len(text) < _LONG_STYLE:
            continue
        link = _asset(text, "css", page, config)
        if link in moved:
            style.decompose()
        else:
            style.replace_with(lesson.new_tag("link", attrs={"rel": "stylesheet", "href": link}))
        moved.add(link)


def _asset(text: str, kind: str, page: Page, config: MkDocsConfig) -> str:
    """Write `text` to a file of the site, named after its content; returns the link to it from `page`."""
    name = f"assets/{hashlib.sha256(text.encode()).hexdigest()[:12]}.{kind}"
    target = Path(config.site_dir) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return get_relative_url(name, page.url)


def _anchor_headings(lesson: BeautifulSoup) -> list[dict[str, Any]]:
    """Give every heading an id that keeps its letters, whatever the script, and a permalink.

    Returns:
        The table of contents as nested tokens.
    """
    seen: set[str] = set()
    root: list[dict[str, Any]] = []
    path: list[dict[str, Any]] = []
    for heading in lesson.find_all(re.compile(r"^h[1-6]$")):
        for link in heading.select("a.anchor-link"):
            link.decompose()
        name = heading.get_text().strip()
        base = anchor = _slug(name, "-") or "section"
        number = 1
        while anchor in seen:
            number += 1
            anchor = f"{base}-{number}"
        seen.add(anchor)
        heading["id"] = anchor
        heading.append(BeautifulSoup(f'<a class="headerlink" href="#{html.escape(anchor)}">¶</a>', "html.parser"))
        token = {"level": int(heading.name[1]), "id": anchor, "name": html.escape(name), "children": []}
        while path and path[-1]["level"] >= token["level"]:
            path.pop()
        (path[-1]["children"] if path else root).append(token)
        path.append(token)
    return root


def _mend_links(lesson: BeautifulSoup, page: Page, files: Files) -> None:
    """Links that are right between notebooks and to docs/<language>/*.md become links between pages."""
    for link in lesson.select("a[href]"):
        target, mark, anchor = str(link["href"]).partition("#")
        if not target or re.match(r"[a-z]+:", target):
            continue
        name = re.sub(r"^(\.\./)+docs/[a-z]+/", "", target)
        file = files.get_file_from_path(name if name != target else f"lessons/{target}")
        if file is None:
            log.warning("%s: the link to %s leads nowhere", page.file.src_uri, link["href"])
            continue
        link["href"] = file.url_relative_to(page.file) + mark + anchor


def _add_buttons(lesson: BeautifulSoup, page: Page, config: MkDocsConfig) -> None:
    """Under the title: open the lesson in the lab, and get the notebook itself."""
    title = lesson.find("h1")
    if title is None:
        return
    name, code, words = Path(page.file.src_uri).name, str(config.theme["language"]), config.extra["words"]
    up = "../" * (page.url.count("/") + (code != "en"))  # English is built into the root, the others into folders of their own
    buttons = (
        f'<p class="wsk-buttons"><a class="md-button md-button--primary" href="{up}lab/{code}/notebooks/index.html?path={name}">'
        f'{html.escape(words["run"])}</a> <a class="md-button" href="{name}" download>{html.escape(words["download"])}</a></p>'
    )
    title.insert_after(BeautifulSoup(buttons, "html.parser"))
