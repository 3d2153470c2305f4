"""The rule book: one page per table of wsklab/rules/, written from the data while building, in each language.

Rule: nothing about a rule is written here. What is wrong on these pages is mended in the table or in the catalogue.
"""

from __future__ import annotations

import html
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import wsklab.rules
from wsklab.rules import BUGCHECKS, Rule, rules
from wsklab.words import translate

_REFERENCE = "https://learn.microsoft.com/windows-hardware/drivers/"


def areas() -> dict[str, tuple[Rule, ...]]:
    """The rules by area; an area (``irp``, ``pool`` …) is one table file."""
    files = sorted(Path(wsklab.rules.__path__[0]).glob("*.toml"))
    return {file.stem: tuple(rules()[name] for name in tomllib.loads(file.read_text("utf-8"))) for file in files}


def on_config(config: MkDocsConfig) -> None:
    """Give the navigation a page per area where it says ``rules``."""
    titles = config.extra["words"]["areas"]
    pages: list[Any] = [{titles.get(area, area): f"rules/{area}.md"} for area in areas()]
    config.nav = [
        {name: ["rules/index.md", *pages] if target == "rules" else target for name, target in entry.items()}
        for entry in config.nav or []
    ]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Write the pages."""
    language = str(config.theme["language"])
    words = config.extra["words"]
    lines = [f"# {words['rulebook']}", "", words["rulebook_text"], ""]
    for area, table in areas().items():
        title = words["areas"].get(area, area)
        lines += [f"## [{title}]({area}.md)", ""]
        lines += [f"- [{_text(rule.title, language)}]({area}.md#{rule.id})" for rule in table] + [""]
        page = "\n\n".join([f"# {title}", *(_entry(rule, language, words) for rule in table)])
        files.append(File.generated(config, f"rules/{area}.md", content=page))
    files.append(File.generated(config, "rules/index.md", content="\n".join(lines)))
    return files


def _text(english: str, language: str) -> str:
    """A text of the table in that language, as Markdown; its ``{names}`` become variables."""
    said = html.escape(translate(english, language), quote=False).replace("_", r"\_").replace("*", r"\*")
    return re.sub(r"\{(\w+)\}", lambda name: f"<var>{name.group(1)}</var>", said.replace(r"\_", "_")).replace("_", r"\_")


def _entry(rule: Rule, language: str, words: dict[str, Any]) -> str:
    """One rule: what happened, what to do, and what Windows would show."""
    shown = words["no_bugcheck"]
    if rule.bugcheck is not None:
        name = BUGCHECKS.get(rule.bugcheck, "")
        values = ", ".join(_text(value, language) for value in rule.parameters)
        shown = f"`0x{rule.bugcheck:08X}` {_text(name, language)}" + (f" ({values})" if values else "")
    facts = [f"`{rule.id}`", words["source"].format(source=words["ours"] if rule.source == "ours" else rule.source), shown]
    if rule.page:
        facts.append(_page_link(rule.page))
    return (
        f"## {_text(rule.title, language)} {{#{rule.id}}}\n\n{_text(rule.text, language)}\n\n{_text(rule.advice, language)}\n\n"
        + ("<small markdown>" + " · ".join(facts) + "</small>")
    )


def _page_link(page: str) -> str:
    """Microsoft's page, linked where its address follows from its name."""
    reference = re.match(r"n[a-z]-([a-z0-9_]+)-", page)
    if reference:
        return f"[{page}]({_REFERENCE}ddi/{reference.group(1)}/{page})"
    if page.startswith("bug-check-"):
        return f"[{page}]({_REFERENCE}debugger/{page})"
    return f"`{page}`"
