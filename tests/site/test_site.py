"""The built site as a reader meets it: every page opened in a browser that can reach nothing but the site."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .conftest import FOLDERS, LESSONS, ROOT, Watched

PAGES = [
    *("", "start/", "python/", "examples/", "examples/chat/", "how-it-works/", "design/", "rules/"),
    *(f"lessons/{name}/" for name in LESSONS),
]
LANGUAGES = tomllib.loads((ROOT / "docs" / "languages.toml").read_text("utf-8"))


def _html(built: Path) -> list[Path]:
    return sorted(built.rglob("*.html"))


def test_every_page_is_at_most_100_kB(built: Path) -> None:
    heavy = {str(path.relative_to(built)): path.stat().st_size for path in _html(built) if path.stat().st_size > 100_000}
    assert heavy == {}


def test_picture_of_the_readme_is_what_the_engine_draws() -> None:
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    import picture

    # Pictures are numbered in the order they are drawn, so that a page can hold several.
    kept, drawn = (
        re.sub(r"\bwl\d+", "wl", svg)
        for svg in (picture.README_PICTURE.read_text(encoding="utf-8"), picture.timeline("en") + "\n")
    )
    assert kept == drawn, "write it anew: .venv/bin/python docs/hooks/picture.py"


def test_no_page_names_another_host_to_load_from(built: Path) -> None:
    loading = re.compile(
        r"<(?:script|img|iframe|source|video|audio|object|embed|use)\b[^>]*?\b(?:src|href|data)=[\"'](https?:)?//[^>]*>"
    )
    sheet = re.compile(
        r"<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|icon|modulepreload))[^>]*\bhref=[\"']?(https?:)?//[^>]*>"
    )
    found = {
        str(path.relative_to(built)): hit.group(0)
        for path in _html(built)
        for pattern in (loading, sheet)
        for hit in [pattern.search(path.read_text(encoding="utf-8"))]
        if hit
    }
    assert found == {}


def test_every_link_inside_the_site_leads_somewhere(built: Path) -> None:
    dead = set()
    anchors: dict[Path, set[str]] = {}

    def ids(path: Path) -> set[str]:
        if path not in anchors:
            anchors[path] = set(re.findall(r"\bid=\"([^\"]+)\"", path.read_text(encoding="utf-8")))
        return anchors[path]

    for path in _html(built):
        text = re.sub(r"<script\b.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in set(re.findall(r"<a\b[^>]*?\bhref=\"([^\"]*)\"", text)):
            parts = urlsplit(link.replace("&amp;", "&"))
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            missing = not target.is_file() or not target.is_relative_to(built.resolve())
            if missing or (
                parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in ids(target) | {"__skip"}
            ):
                dead.add((str(path.relative_to(built)), link))
    assert dead == set()


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("page", PAGES)
def test_page_names_its_translations(built: Path, language: str, page: str) -> None:
    path = built / FOLDERS[language] / page / "index.html"
    head = path.read_text(encoding="utf-8").partition("</head>")[0]
    named = re.findall(r'<link rel="alternate " hreflang="([^"]+)" href="([^"]+)">', head)
    assert [code for code, _ in named] == [*FOLDERS, "x-default"]
    folders = {**FOLDERS, "x-default": ""}
    assert {code: (path.parent / link).resolve() for code, link in named} == {
        code: (built / folder / page).resolve() for code, folder in folders.items()
    }


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_without_a_complaint_wide_and_narrow(address: str, tab: Watched, keep: Path, language: str, page: str) -> None:
    answer = tab.page.goto(address + FOLDERS[language] + page, wait_until="networkidle")
    assert answer is not None and answer.status == 200
    assert tab.page.locator("html").get_attribute("lang") == language
    assert tab.page.locator("h1").count() == 1
    name = page.strip("/").replace("/", "-") or "home"
    tab.page.screenshot(path=keep / f"{language}-{name}.png", full_page=True)
    tab.page.set_viewport_size({"width": 360, "height": 740})
    tab.page.evaluate("document.body.setAttribute('data-md-color-scheme', 'slate')")
    tab.page.screenshot(path=keep / f"{language}-{name}-narrow-dark.png", full_page=True)
    assert tab.page.evaluate("document.scrollingElement.scrollWidth") <= 360
    tab.clean()


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_shows_its_pictures_and_no_bare_widget(address: str, tab: Watched, language: str, lesson: str) -> None:
    tab.page.goto(f"{address}{FOLDERS[language]}lessons/{lesson}/", wait_until="networkidle")
    pictures = tab.page.locator(".wsk-shown svg")
    sizes = [box for box in (pictures.nth(number).bounding_box() for number in range(pictures.count())) if box]
    if lesson != LESSONS[0]:  # the welcome may do without
        assert sizes
    assert all(box["width"] > 100 and box["height"] > 50 for box in sizes)
    pending = tab.page.locator("[data-picture]:not(:has(svg))")
    assert pending.count() == 0
    came_out = "\n".join(tab.page.locator(".wsk-shown, .wsk-printed").all_inner_texts())
    assert not re.search(r"\b[HV]?Box\(children=|Dropdown\(|Output\(\)|Traceback \(most recent", came_out)
    tab.clean()


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("lesson", LESSONS[1:])
def test_panel_switches_to_every_outcome(address: str, tab: Watched, language: str, lesson: str) -> None:
    tab.page.goto(f"{address}{FOLDERS[language]}lessons/{lesson}/", wait_until="networkidle")
    panels = tab.page.locator("fieldset.wlp")
    assert panels.count() > 0
    for panel in panels.all():
        for label in panel.locator("label").all():
            label.click()
            shown = panel.locator(":scope > div").filter(visible=True)
            assert shown.count() == 1
            assert shown.locator("svg").is_visible() or shown.inner_text().strip()
    tab.clean()


@pytest.mark.parametrize("page", PAGES)
def test_switcher_stays_on_the_page(address: str, tab: Watched, page: str) -> None:
    tab.page.goto(address + page)
    for language in [*list(LANGUAGES)[1:], "en"]:
        tab.page.locator(".md-header .md-select button").hover()
        tab.page.locator(".md-select__link", has_text=LANGUAGES[language]["name"]).click()
        tab.page.wait_for_url(address + FOLDERS[language] + page)
        assert tab.page.locator("html").get_attribute("lang") == language
    tab.clean()


@pytest.mark.parametrize(
    ("language", "words", "found"),
    [
        ("en", "completion routine", "completion"),
        ("en", "WskSend", "WskSend"),
        ("ja", "完了ルーチン", "完了ルーチン"),
        ("ja", "ドライバーの", "ドライバー"),
        ("ja", "WskSend", "WskSend"),
        ("fr", "exécution", "exécution"),
        ("fr", "d’achèvement", "achèvement"),
        ("fr", "l'achèvement", "achèvement"),
    ],
)
def test_search_finds_words_of_its_language(address: str, tab: Watched, language: str, words: str, found: str) -> None:
    tab.page.goto(address + FOLDERS[language], wait_until="networkidle")
    field = tab.page.locator("input.md-search__input")
    field.click()
    field.fill(words)
    field.press("End")  # the theme listens to keys
    first = tab.page.locator("a.md-search-result__link").first
    first.wait_for(timeout=10_000)
    target = first.get_attribute("href") or ""
    assert target.startswith(address + FOLDERS[language])
    tab.page.goto(target, wait_until="networkidle")
    assert found in tab.page.locator("article").inner_text()
    tab.clean()


def test_dark_and_light_are_switched_with_one_key(address: str, tab: Watched) -> None:
    tab.page.emulate_media(color_scheme="light")
    tab.page.goto(address, wait_until="networkidle")
    body = tab.page.locator("body")
    assert body.get_attribute("data-md-color-scheme") == "default"
    tab.page.locator("label.md-header__button[for^=__palette]:visible").click()
    assert body.get_attribute("data-md-color-scheme") == "slate"
    tab.clean()


def test_a_picture_that_is_too_wide_is_scrolled_with_the_keys(address: str, tab: Watched) -> None:
    tab.page.set_viewport_size({"width": 375, "height": 740})
    tab.page.goto(address + "examples/chat/", wait_until="networkidle")
    picture = tab.page.locator(".wsk-shown")
    picture.focus()
    tab.page.keyboard.press("ArrowRight")
    tab.page.wait_for_function("document.querySelector('.wsk-shown').scrollLeft > 0")
    tab.page.set_viewport_size({"width": 1600, "height": 740})
    tab.page.wait_for_function("!document.querySelector('.wsk-shown').hasAttribute('tabindex')")
    tab.clean()


def test_the_keyboard_reaches_the_content(address: str, tab: Watched) -> None:
    tab.page.goto(address, wait_until="networkidle")
    tab.page.keyboard.press("Tab")
    assert "md-skip" in (tab.page.evaluate("document.activeElement.className") or "")
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("location.hash") != ""
    tab.clean()


def test_a_wrong_address_is_answered_by_the_sites_own_page(address: str, tab: Watched) -> None:
    answer = tab.page.goto(address + "ja/no/such/page/", wait_until="networkidle")
    assert answer is not None and answer.status == 404
    assert tab.page.locator(".md-header").is_visible()
    assert [error for error in tab.errors if "404" not in error] == []
    assert tab.elsewhere == []
