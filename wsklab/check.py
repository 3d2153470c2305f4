"""``python -m wsklab check``: do the listings of a page compile, and are the names in its prose names of the WDK?

Names are checked against what our headers declare. Reported are names whose capitals are wrong (``Wdfrequestsend``) and names
that a translation has damaged (``Wdfrequestset補完ルーチン``); the right one is found from the page's own link where there is
one. A name that the headers do not know is left alone unless it is close to one they do.
"""

from __future__ import annotations

import difflib
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsklab.c.headers import headers
from wsklab.c.source import LEFT_OUT, CompileError, Problem, surely
from wsklab.c.types import Function, Pointer, Record
from wsklab.c.unit import Unit, compile_unit
from wsklab.listings import Listing, Page, read_pages, unreadable
from wsklab.rules.report import compile_problems
from wsklab.words import translate

if TYPE_CHECKING:
    from wsklab.tryout import Trial

_PREFIX = re.compile(r"(Wdf|Wsk|Io|Ke|Ex|Mm|Rtl|Ps|Ob|Zw|Nmr|Evt|DriverEntry|WDF|WSK|PFN|STATUS|SIO|EVT|IRP|PWSK|PWDF)")
_NON_ASCII = r"\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f"
_NAME = re.compile(
    rf"[A-Za-z_][A-Za-z0-9_]{{5,}}+(?:[{_NON_ASCII}]+(?=\W|$|[A-Za-z<*]))?(?!\.h\b|[*_\\]*(?:</?\w+>)*[*_\\]*[Xx]xx)"
)
_URL = re.compile(r"(https?://[^\s\")>\]]+|\]\([^)]*\)|data-raw-source=\"[^\"]*\"|(?:href|name)=\"[^\"]*\")")
_SHOWN = ("line", "verdict", "gaps", "supplies", "problems", "warnings")
_CONTEXT = re.compile(r"_WDF_(\w+)_TYPE_INFO")  # what the macros of wdfobject.h make of the type of a context
_SLUG = re.compile(r"n[fcse]-[a-z0-9]+-_?([a-z0-9_]+)")


@dataclass(frozen=True)
class DamagedName:
    """A name in the prose that is not quite a name of the WDK, with what was probably meant."""

    line: int
    column: int
    name: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What was found about one listing: ``compiles``, ``compiles with gaps`` or ``does not compile``.

    `gaps` are the lines of its ``...``, `supplies` the names that the page uses and leaves to its reader.
    """

    line: int
    verdict: str
    gaps: tuple[int, ...] = ()
    supplies: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    found: tuple[Problem, ...] = field(default=(), compare=False, repr=False)
    unit: Unit | None = field(default=None, compare=False, repr=False)


def check_listing(listing: Listing, page: Page) -> Verdict:
    """Compile one listing of a page; problems carry the page's own line numbers.

    A listing that is not `whole` may leave names to its reader, and be statements without a function around them.
    """
    try:
        left_out = () if listing.whole else LEFT_OUT
        unit = compile_unit(listing.placed, page.name, left_out=left_out, includes=page.folders, defines=page.defines)
    except CompileError as error:
        found = tuple(error.problems)
        wrong, warnings = (tuple(_said(p) for p in found if p.severity == kind) for kind in ("error", "warning"))
        return Verdict(listing.line, "does not compile", problems=wrong, warnings=warnings, found=found)
    gaps = tuple(place.line for place in unit.gaps)
    supplies = tuple(dict.fromkeys(_CONTEXT.sub(r"\1", name) for name in unit.problems.assumed))
    found = tuple(sorted(unit.warnings, key=lambda problem: problem.place.line))
    verdict = "compiles with gaps" if gaps else "compiles"
    return Verdict(listing.line, verdict, gaps, supplies, (), tuple(map(_said, found)), found, unit)


def _said(problem: Problem) -> str:
    return f"{problem.place}: {problem.message}"


def check_names(page: Page) -> Iterator[DamagedName]:
    """The damaged and miscased names in a page's prose."""
    marks = [number for number, line in enumerate(page.prose, 1) if line.strip() == "---"]
    front = range(1, marks[1]) if marks[:1] == [1] and len(marks) > 1 else range(0)  # what stands before a page in Markdown
    for number, line in enumerate(page.prose, 1):
        slugs = [by_case()[slug] for slug in _SLUG.findall(line.lower()) if slug in by_case()]
        visible = _URL.sub(lambda found: " " * len(found[0]), line)
        for found in () if number in front else _NAME.finditer(visible):
            if right := _suggestions(found[0], slugs):
                yield DamagedName(number, found.start() + 1, found[0], right)


def _suggestions(name: str, slugs: Iterable[str]) -> tuple[str, ...]:
    ascii_part = re.match(r"\w+", name, re.ASCII)
    plain = ascii_part[0] if ascii_part else name
    if plain in known_names() or (plain[-1] == "s" and plain[:-1] in known_names()):
        return ()
    if (same := by_case().get(plain.lower())) and not plain.islower():
        return (same,)
    if len(plain) < len(name):
        longer = [known for low, known in by_case().items() if low.startswith(plain.lower()) and len(plain) > 7]
        return tuple([known for known in slugs if known in longer][:1] or sorted(longer, key=len)[:5])
    return _close(plain)


@cache
def _close(name: str) -> tuple[str, ...]:
    """The known name that is meant by a misspelt one."""
    close = difflib.get_close_matches(name, [known for known in by_case().values() if known[:3] == name[:3]], 1, 0.88)
    return tuple(known for known in close if surely(name, known))


@cache
def known_names() -> frozenset[str]:
    """Every name that the headers declare, also members and parameters."""
    symbols = headers().declarations.scopes[0].names
    types = [symbol.type.to if isinstance(symbol.type, Pointer) else symbol.type for symbol in symbols.values()]
    members = {name for ctype in types if isinstance(ctype, Record) for name in ctype.members}
    parameters = {parameter.name for ctype in types if isinstance(ctype, Function) for parameter in ctype.parameters}
    return frozenset({*symbols, *headers().macros, *members, *parameters, "DriverEntry"})


@cache
def by_case() -> dict[str, str]:
    """Names that can be meant by a wrong one, by their lower-case form; functions and types before constants."""
    known = {*headers().declarations.scopes[0].names, *headers().macros}
    names = [name for name in known_names() if (name in known and _PREFIX.match(name)) or name[:3] in ("Wsk", "Wdf")]
    return {name.lower(): name for name in sorted(names, key=lambda name: (name.isupper(), name), reverse=True)}


def check_page(page: Page) -> list[Verdict]:
    """The verdicts on a page's listings; what one of them declares, the others need not have from the reader."""
    verdicts = [check_listing(listing, page) for listing in page.listings]
    declared = {name for verdict in verdicts if verdict.unit for name in verdict.unit.declarations.scopes[0].names}
    return [replace(verdict, supplies=tuple(name for name in verdict.supplies if name not in declared)) for verdict in verdicts]


def run_check(
    paths: list[Path], language: str, as_json: bool, folders: tuple[Path, ...] = (), run: bool = False,
    defines: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """Check files and folders, `run` what compiles if asked to, and print what was found; 1 when anything is wrong."""
    if run:
        from wsklab import tryout  # the whole engine, which a check without a run needs nothing of
    wrong = 0
    trials: list[Trial] = []
    told: list[dict[str, Any]] = []
    for path in _files(paths):
        try:
            pages = [replace(page, folders=page.folders + folders, defines=defines or {}) for page in read_pages(path)]
        except (OSError, ValueError) as error:
            print(unreadable(path, error, language), file=sys.stderr)
            told.append({"file": str(path), "error": str(error), "listings": [], "names": []})
            wrong += 1
            continue
        for page in pages:
            verdicts, names = check_page(page), list(check_names(page))
            tried = tryout.try_page(page, [verdict.unit for verdict in verdicts]) if run else []
            trials += tried
            wrong += sum(bool(verdict.problems) for verdict in verdicts) + len(names)
            wrong += sum(trial.verdict == "stops" for trial in tried)
            listings = [{key: value for key, value in vars(verdict).items() if key in _SHOWN} for verdict in verdicts]
            for listing, trial in zip(listings, tried, strict=False):
                listing["run"] = tryout.as_json(trial, language)
            told.append({"file": str(path.with_name(page.name)), "listings": listings, "names": [asdict(name) for name in names]})
            for line in () if as_json else _told(page.name, verdicts, tried, names, language):
                print(line)
    if as_json:
        print(json.dumps({"pages": told, "wrong": wrong}, ensure_ascii=False, indent=2))
    else:
        count = sum(len(page["listings"]) for page in told)
        summary = "Pages: {pages}, listings: {listings}, mistakes: {wrong}."
        print(translate(summary, language, pages=len(told), listings=count, wrong=wrong))
        if run:
            able = [trial for trial in trials if trial.verdict != "does not compile" and trial.reason != "only declares"]
            runs = sum(trial.verdict == "runs" for trial in able)
            summary = "Of {count} listings that compile and have something to run, {runs} run."
            print(translate(summary, language, count=len(able), runs=runs))
    return 1 if wrong else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in (".c", ".md", ".txt", ".ipynb"))
        else:
            yield path


def _told(page: str, verdicts: list[Verdict], trials: list[Trial], names: list[DamagedName], language: str) -> Iterator[str]:
    for verdict, trial in itertools.zip_longest(verdicts, trials):
        where, text = f"{page}:{verdict.line}", translate(verdict.verdict, language)
        gaps = f" (... {', '.join(map(str, verdict.gaps))})" if verdict.gaps else ""
        yield translate("{where}: listing {verdict}", language, where=where, verdict=text) + gaps
        if verdict.supplies:
            yield "  " + translate("to be supplied by the reader: {names}", language, names=", ".join(verdict.supplies))
        if verdict.found:
            yield compile_problems(verdict.found, language)
        if trial:
            from wsklab.tryout import told

            yield from told(trial, verdict.gaps, language)
    for name in names:
        right = ", ".join(name.suggestions)
        where = f"{page}:{name.line}:{name.column}"
        yield translate("{where}: {name} is not a WDK name; probably {right}", language, where=where, name=name.name, right=right)
