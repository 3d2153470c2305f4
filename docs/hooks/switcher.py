"""The language switcher: each page links to the same page in the other languages.

The theme takes one list of links for the whole site; here that list is set anew for each page before it is rendered. The links
are relative, so they hold under any prefix. A page that another language does not have leads to that language's home page.
"""

from __future__ import annotations

from pathlib import Path

from jinja2.runtime import Context
from lessons import notebooks
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

LANGUAGES = {"en": "English", "ja": "日本語", "fr": "Français"}
ROOT_LANGUAGE = "en"  # it is built into the root of the site, the others into folders of their own
DOCS = Path(__file__).resolve().parents[1]
GENERATED = "rules/"  # written in every language


def _exists(language: str, source: str) -> bool:
    """Whether that language has this page."""
    if source.endswith(".ipynb"):
        return Path(source).name in {path.name for path in notebooks(language)}
    return source.startswith(GENERATED) or (DOCS / language / source).is_file()


def alternates(own: str, source: str, url: str) -> list[dict[str, str]]:
    """Links from a page of the language `own` to the same page in every language, relative to the root of `own`.

    Args:
        own: code of the page's language.
        source: its source file, as MkDocs names it.
        url: its address, relative to the root of its language.
    """
    up = "" if own == ROOT_LANGUAGE else "../"
    links = []
    for code, name in LANGUAGES.items():
        folder = up + ("" if code == ROOT_LANGUAGE else f"{code}/")
        page = url if _exists(code, source) else ""
        links.append({"lang": code, "name": name, "link": (folder + page).removesuffix("./") or "./"})
    return links


def on_page_context(context: Context, page: Page, config: MkDocsConfig, nav: Navigation) -> Context:
    """Set the switcher's links for this page."""
    config.extra["alternate"] = alternates(str(config.theme["language"]), page.file.src_uri, page.url)
    return context


def on_env(env: object, config: MkDocsConfig, files: object) -> None:
    """Set the switcher's links for the page that answers a wrong address: it leads home."""
    config.extra["alternate"] = alternates(str(config.theme["language"]), "", "")
