"""The fact tables: for each numbered fact where it is modelled, which rule refuses it, which tests hold it, or why neither.

Everything is read from the sources while building: ids cited in the engine, in its headers and rules, and in the tests. Rule:
what stands nowhere is an error that a test shows, never a gap in the table.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import wsklab.rules
from wsklab.words import translate

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "facts.toml"
_CITED = re.compile(r"\b([A-Z][A-Z0-9]*(?:-[A-Z][A-Z0-9]*)*)-(\d\d)\b((?:(?: to (?:[A-Z][A-Z0-9-]*-)?|, )\d\d\b)*)")


@dataclass
class Fact:
    """One fact: the files and tests that cite it, the rules that refuse what it forbids, the reason if it is not modelled."""

    id: str
    modelled: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)
    reason: str = ""

    @property
    def accounted_for(self) -> bool:
        """Whether it stands anywhere."""
        return bool(self.modelled or self.rules or self.reason)


def table() -> dict[str, dict[str, tuple[str, list[Fact]]]]:
    """The facts by area and group: ``table()["wsk"]["WSK-SEND"]`` is what the group is about and its facts in order.

    Raises:
        ValueError: a reason or a cited fact that does not exist.
    """
    data = tomllib.loads(TABLE.read_text("utf-8"))
    facts: dict[str, Fact] = {}
    areas: dict[str, dict[str, tuple[str, list[Fact]]]] = {}
    for area, groups in data["groups"].items():
        areas[area] = {}
        for group, row in groups.items():
            own = [Fact(f"{group}-{number:02}") for number in range(1, row["facts"] + 1)]
            facts.update({fact.id: fact for fact in own})
            areas[area][group] = (row["about"], own)
    for file, text in _sources():
        tests = file.startswith("tests/")
        for id in cited(text):
            if id in facts:
                (facts[id].tests if tests else facts[id].modelled).add(file)
    for rule in wsklab.rules.rules().values():
        for id in rule.facts:
            if id not in facts:
                raise ValueError(f"rule {rule.id} cites {id}, which is no fact")
            facts[id].rules.add(rule.id)
    for id, reason in data["not_modelled"].items():
        if id not in facts or reason not in data["reasons"]:
            raise ValueError(f"facts.toml: {id} = {reason!r}: no such fact or no such reason")
        facts[id].reason = data["reasons"][reason]
    return areas


def cited(text: str) -> Iterator[str]:
    """The ids that a text cites; ``KRN-18 to KRN-26`` is all of them, ``KMDF-CRT-02, 07`` is two."""
    for group, first, rest in _CITED.findall(text):
        last = int(first)
        yield f"{group}-{first}"
        for joint, number in re.findall(r"( to |, )(?:[A-Z0-9-]+-)?(\d\d)", rest):
            yield from (f"{group}-{each:02}" for each in range(last + 1 if joint == " to " else int(number), int(number) + 1))
            last = int(number)


@cache
def _sources() -> tuple[tuple[str, str], ...]:
    files = [*ROOT.glob("wsklab/**/*.py"), *ROOT.glob("wsklab/include/*.[ch]"), *ROOT.glob("wsklab/*/*.toml")]
    files += [*ROOT.glob("tests/**/*.py"), *ROOT.glob("tests/**/*.c")]
    return tuple(
        (file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in sorted(files) if "rules/" not in file.as_posix()
    )


def on_config(config: MkDocsConfig) -> None:
    """Give the navigation a page per area where it says ``facts``."""
    titles = config.extra["words"]["fact_areas"]
    pages = [{titles[area]: f"facts/{area}.md"} for area in table()]
    config.nav = [{name: pages if target == "facts" else target for name, target in entry.items()} for entry in config.nav or []]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Write the pages."""
    language = str(config.theme["language"])
    words = config.extra["words"]
    for area, groups in table().items():
        lines = [f"# {words['fact_areas'][area]}", "", words["facts_text"], ""]
        for group, (about, facts) in groups.items():
            lines += [f"## {group}", "", _about(about, language), "", *_rows(facts, language, words["fact_columns"]), ""]
        files.append(File.generated(config, f"facts/{area}.md", content="\n".join(lines)))
    return files


def _about(about: str, language: str) -> str:
    return translate(about, language) if about[0].islower() else f"`{about}`"


def _rows(facts: list[Fact], language: str, columns: list[str]) -> Iterator[str]:
    say = partial(translate, language=language)
    yield f"| {' | '.join(columns)} |"
    yield "|" + " --- |" * len(columns)
    for fact in facts:
        cells = [
            "<br>".join(f"`{file.removeprefix('wsklab/')}`" for file in sorted(fact.modelled)),
            "<br>".join(f"[`{id}`](../rules/{_area_of(id)}.md#{id})" for id in sorted(fact.rules)),
            "<br>".join(f"`{file.removeprefix('tests/')}`" for file in sorted(fact.tests)),
            say(fact.reason) if fact.reason else "",
        ]
        yield f"| {fact.id} | {' | '.join(cells)} |"


@cache
def _areas() -> dict[str, str]:
    files = Path(wsklab.rules.__path__[0]).glob("*.toml")
    return {id: file.stem for file in files for id in tomllib.loads(file.read_text("utf-8"))}


def _area_of(rule: str) -> str:
    return _areas()[rule]
