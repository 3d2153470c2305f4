"""The language switcher: each page links to the same page in the other languages.

The theme takes one list of links for the whole site, so it gets marks, and each finished page gets its own links instead. They
are relative, so they hold under any prefix. A page that another language does not have leads to that language's home page.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from lessons import notebooks
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

LANGUAGES = {"en": "English", "ja": "日本語", "fr": "Français"}
ROOT_LANGUAGE = "en"  # it is built into the root of the site, the others into folders of their own
DOCS = Path(__file__).resolve().parents[1]
MARK = "wsklab-language:"
GENERATED = ("rules/", "facts/")  # written in every language


def _exists(language: str, source: str) -> bool:
    """Whether that language has this page."""
    if source.endswith(".ipynb"):
        return Path(source).name in {path.name for path in notebooks(language)}
    return source.startswith(GENERATED) or bool(source) and (DOCS / language / source).is_file()


def _link(own: str, code: str, source: str, url: str) -> str:
    """The link from a page to the same page in another language, relative to the root of the page's own language.

    Args:
        own: code of the page's language.
        code: code of the other language.
        source: the page's source file, as MkDocs names it.
        url: its address, relative to the root of its language.
    """
    up = "" if own == ROOT_LANGUAGE else "../"
    folder = "" if code == ROOT_LANGUAGE else f"{code}/"
    return up + folder + (url if _exists(code, source) else "")


def on_config(config: MkDocsConfig) -> None:
    """Fill the switcher with marks; the theme would otherwise bend relative links that lead out of one language's folder."""
    config.extra["alternate"] = [{"lang": code, "name": name, "link": f"{MARK}{code}"} for code, name in LANGUAGES.items()]


def _fill(output: str, own: str, base: str, source: str, url: str) -> str:
    """Replace the marks; `base` leads from the page to the root of its language.

    The theme's script takes a ``<link rel=alternate>`` in the head for the home page of a language and asks for a sitemap beside
    it. These lead to the same page in each language, so the script must not see them.
    """
    output = re.sub(rf'\s*<link rel="alternate" href="{MARK}[^>]*>', "", output)
    return re.sub(f"{MARK}([a-z]+)", lambda mark: (base + _link(own, mark.group(1), source, url)) or "./", output)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Set the links of a page."""
    url = "" if page.url in {"", ".", "./"} else page.url
    return _fill(output, str(config.theme["language"]), "../" * url.count("/"), page.file.src_uri, url)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Set the links of the page that answers a wrong address: they lead home, and hold at any depth."""
    base = urlsplit(config.site_url or "").path or "/"
    return _fill(output_content, str(config.theme["language"]), base, "", "")
