"""The language switcher: each page links to the same page in the other languages.

The theme takes one list of links for the whole site, so it gets marks, and each finished page gets its own links instead. They
are relative, so they hold under any prefix. Every language has every page: what is not translated is there in English.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parents[1]
LANGUAGES = tomllib.loads((DOCS / "languages.toml").read_text("utf-8"))
ROOT_LANGUAGE = next(iter(LANGUAGES))  # it is built into the root of the site, the others into folders of their own
MARK = "wsklab-language:"


def _link(own: str, code: str, url: str) -> str:
    """The link from a page to the same page in another language, relative to the root of the page's own language.

    Args:
        own: code of the page's language.
        code: code of the other language.
        url: the page's address, relative to the root of its language.
    """
    up = "" if own == ROOT_LANGUAGE else "../"
    folder = "" if code == ROOT_LANGUAGE else f"{code}/"
    return up + folder + url


def on_config(config: MkDocsConfig) -> None:
    """Fill the switcher with marks; the theme would otherwise bend relative links that lead out of one language's folder."""
    config.extra["alternate"] = [{"lang": code, "name": LANGUAGES[code]["name"], "link": MARK + code} for code in LANGUAGES]


def _fill(output: str, own: str, base: str, url: str, site: str = "", alternates: bool = True) -> str:
    """Replace the marks; `base` leads from the page to the root of its language, `site` is the address of that root if known.

    The theme's script takes a ``<link rel=alternate>`` in the head for the home page of a language and asks for a sitemap beside
    it. Ours lead to the same page in each language, so the script must not see them: the space behind the word hides them from
    it, and means nothing to anybody else. A search engine wants whole addresses.
    """
    links = {code: (base + _link(own, code, url)) or "./" for code in LANGUAGES}
    marked = [*((code, code) for code in LANGUAGES), ("x-default", ROOT_LANGUAGE)] if alternates else []
    head = "".join(
        f'<link rel="alternate " hreflang="{shown}" href="{urljoin(site + url, links[code]) if site else links[code]}">'
        for shown, code in marked
    )
    output = re.sub(rf'(?:\s*<link rel="alternate" href="{MARK}[^>]*>)+', "\n" + head, output)
    return re.sub(f"{MARK}([a-z]+)", lambda mark: links[mark.group(1)], output)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Set the links of a page."""
    url = "" if page.url in {"", ".", "./"} else page.url
    return _fill(output, str(config.theme["language"]), "../" * url.count("/"), url, config.site_url or "")


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Set the links of the page that answers a wrong address: they lead home, and hold at any depth."""
    base = urlsplit(config.site_url or "").path or "/"
    return _fill(output_content, str(config.theme["language"]), base, "", alternates=False)
