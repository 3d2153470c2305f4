"""The tables of the page "How the lab works": what the lab chose itself, what can be chosen, what is modelled and what is not.

The page says ``<!-- chosen -->``, ``<!-- choices -->`` and ``<!-- modelled -->`` where it wants them. Rule: everything in them
comes from the tables and the sources of the engine; here stand only the words around, which the catalogues translate.
"""

from __future__ import annotations

import ast
import html
import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))  # for the hooks beside this one, also when a test asks

import choice_kinds
from lessons import notebooks

import wsklab.lab  # noqa: F401  importing it declares the modelled functions
from wsklab.c.headers import headers
from wsklab.machine.api import MODELLED
from wsklab.words import translate
from wsklab.wsk.client import UNMODELLED
from wsklab.wsk.tables import tables

LANES = {"wsk": "WSK", "framework": "framework", "io": "kernel and I/O manager"}
"""Lane of a modelled function → the heading of its list."""

kinds = choice_kinds.known


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the tables where the page asks for them."""
    language = str(config.theme["language"])
    for name, table in {"chosen": chosen, "choices": choices, "modelled": modelled}.items():
        mark = f"<!-- {name} -->"
        if mark in markdown:
            markdown = markdown.replace(mark, table(language))
    return markdown


def words() -> Iterator[tuple[str, str]]:
    """(where, words) for what the tables say beside the headings that `translate` is given here; the catalogues must hold it."""
    for case, row in tables().chosen.items():
        yield from (("wsklab/wsk/tables.toml", text) for text in (case, row.reason))
    for kind, options in kinds().items():
        yield from (("wsklab", text) for text in (kind, *options) if _is_words(text))
    yield from (("docs/hooks/limits.py", title) for title in LANES.values())


def chosen(language: str) -> str:
    """The statuses that no document names, as a table in Markdown."""
    say = partial(translate, language=language)
    rows = [
        (say(case), _code(row.status), row.other and _code(row.other), say(row.reason), "<br>".join(map(_code, row.facts)))
        for case, row in tables().chosen.items()
    ]
    return _table((say("what happens"), say("status"), say("by choice"), say("why this one"), say("facts")), rows)


def choices(language: str) -> str:
    """What a lesson can choose, as a table in Markdown: one row for all the kinds that have the same answers."""
    say = partial(translate, language=language)
    rows = []
    for options in sorted(set(kinds().values()), key=lambda options: (-len(_asking(options)), options)):
        asking = _asking(options)
        answers = " · ".join(_spelled(option, language) for option in options)
        rows.append((", ".join(_spelled(kind, language) for kind in asking), answers, "<br>".join(_fixed(asking, language))))
    return _table((say("kind"), say("answers, the usual one first"), say("fixed in a lesson")), rows)


def modelled(language: str) -> str:
    """The modelled functions by lane and, named as not modelled, what the headers declare beside them."""
    say = partial(translate, language=language)
    exports = headers().exports
    known = {name: function.lane for name, function in {**MODELLED, **exports}.items() if name not in UNMODELLED}
    lists = {say(title): {name for name, of in known.items() if of == lane} for lane, title in LANES.items()}
    lists[say("written in C in the headers")] = headers().unit.functions.keys() - exports.keys()
    text = "".join(_folded(title, names) for title, names in lists.items()) + "\n\n**" + say("Not modelled yet") + "**\n\n"
    codes = {name for name in headers().constants if name.startswith("SIO_")} - tables().controls.keys()
    missing = {
        say("functions of the WSK dispatch tables"): UNMODELLED,
        say("control codes of sockets"): codes,
        say("other functions that the headers declare"): headers().prototypes.keys() - MODELLED.keys() - exports.keys(),
    }
    return text + "".join(_folded(title, names) for title, names in missing.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _code(text: str) -> str:
    """A name in a table; the theme would break it anywhere."""
    return f'`{text}`{{style="white-space:nowrap"}}'


def _folded(title: str, names: Iterable[str]) -> str:
    """A list of names that opens on demand. The helpers of our headers are no functions of Windows."""
    shown = sorted(name for name in names if not name.startswith("wsklab_"))
    listed = html.escape(", ".join(shown))
    return f"<details><summary>{html.escape(title)} ({len(shown)})</summary><p><code>{listed}</code></p></details>\n"


def _asking(options: tuple[str, ...]) -> list[str]:
    return sorted(kind for kind, answers in kinds().items() if answers == options)


def _is_words(text: str) -> bool:
    """Whether a kind or an answer is said in words: not the name of a function or a constant of C."""
    return text not in headers().prototypes and text not in MODELLED and text not in headers().constants


def _spelled(text: str, language: str) -> str:
    """A kind or an answer as C or Python has it, and what it means where that is another language."""
    meaning = translate(text, language) if _is_words(text) else text
    return _code(text) if meaning == text else f"{_code(text)} ({meaning})"


def _fixed(asking: Iterable[str], language: str) -> Iterator[str]:
    """Where lessons answer one of these kinds, each lesson with what it fixes."""
    for path in notebooks(language):
        pairs = [_code(f'"{kind}": "{answer}"') for kind, answer in _answers(path) if kind in asking]
        if pairs:
            lesson = translate("lesson {number}", language, number=path.name[:2])
            yield f"[{lesson}](lessons/{path.name}): {', '.join(pairs)}"


@cache
def _answers(path: Path) -> dict[tuple[str, str], None]:
    """The (kind, answer) pairs in the Python cells of a notebook, in order: ``{kind: answer}`` and ``choices[kind] = answer``."""
    written: list[tuple[ast.expr | None, ast.expr]] = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.startswith("%%"):
            continue
        for node in ast.walk(ast.parse(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE))):
            if isinstance(node, ast.Dict):
                written += zip(node.keys, node.values, strict=True)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                written.append((node.targets[0].slice, node.value))
    pairs = [
        (key.value, value.value) for key, value in written if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    ]
    return dict.fromkeys((kind, answer) for kind, answer in pairs if answer in kinds().get(kind, ()))
