"""Finds every text the engine can show, in its sources: what its catalogues must hold."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the engine of this clone is asked, whatever is installed
ENGINE = ROOT / "wsklab"
_SPEAKERS = {"translate", "_say", "say"}

# Texts that reach the translation through a table, as module:name.
_NAMED = {
    "error": "wsklab/c/source.py",
    "warning": "wsklab/c/source.py",
    "compiles": "wsklab/check.py",
    "compiles with gaps": "wsklab/check.py",
    "does not compile": "wsklab/check.py",
    "it is not a text file": "wsklab/listings.py",
    "it is not a notebook": "wsklab/listings.py",
    "answer": "wsklab/kmdf/lower.py",
    "send and forget": "wsklab/kmdf/send.py",
    "pool": "wsklab/machine/machine.py",
    "system buffer": "wsklab/io/mdl.py",
}
"""Texts that are values of their own, with the file that makes them."""

_TABLES = (
    "show.reading:LANES",
    "show.steps:_STATES",
    "show.life:STATIONS",
    "show.life:HEADS",
    "rules.report:_STEPS",
    "rules.report:_QUIET",
    "rules.phrases:PHRASES",
    "net.network:DROPPED",
)


@functools.cache
def engine_keys() -> dict[str, str]:
    """Every English key → the file that holds it (relative to the repository)."""
    found: dict[str, str] = {}
    for file in sorted(ENGINE.rglob("*.py")):
        where = file.relative_to(ROOT).as_posix()
        tree = ast.parse(file.read_text("utf-8"))
        keys = _sentences(tree) if "/c/" in where else _spoken(tree)
        for key in keys:
            found.setdefault(key, where)
    for key, where in [
        *_table_keys(),
        *_rule_keys(),
        *_mistake_keys(),
        *_exercise_keys(),
        *_panel_keys(),
        *_limits_keys(),
        *_facts_keys(),
        *_NAMED.items(),
    ]:
        found.setdefault(key, where)
    return {key: where for key, where in found.items() if any(char.isalpha() for char in key)}


def _spoken(tree: ast.AST) -> Iterator[str]:
    """First arguments of translate(), say() and the like: literals, and names that are set to literals in the same file."""
    constants: dict[str, dict[str, None]] = {}  # as ordered sets
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
            for target in node.targets:
                if isinstance(target, ast.Name):
                    constants.setdefault(target.id, {}).update((text, None) for value in values for text in _literals(value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in _SPEAKERS:
            first = node.args[0]
            if isinstance(first, ast.Call) and _name(first.func) == "get":  # TABLE.get(key, otherwise)
                assert isinstance(first.func, ast.Attribute)
                yield from constants.get(_name(first.func.value), ())
                yield from (text for argument in first.args[1:] for text in _literals(argument))
            yield from constants.get(first.id, ()) if isinstance(first, ast.Name) else _literals(first)


def _literals(node: ast.AST) -> Iterator[str]:
    """The string itself, or both sides of a conditional or an ``or``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _literals(value)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _sentences(tree: ast.AST) -> Iterator[str]:
    """The front end's messages: sentences that are no docstrings."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
            if " " in text and text[-1] in ".?" and "\n" not in text:
                yield text


def _table_keys() -> Iterator[tuple[str, str]]:
    for entry in _TABLES:
        module, name = entry.split(":")
        table = getattr(importlib.import_module(f"wsklab.{module}"), name)
        for key in table.values() if isinstance(table, dict) else sorted(table):
            yield key, f"wsklab/{module.replace('.', '/')}.py"


def _rule_keys() -> Iterator[tuple[str, str]]:
    from wsklab.rules import RULES

    for rule in RULES.values():
        for key in (rule.title, rule.text, rule.advice):
            yield key, "wsklab/rules"


def _mistake_keys() -> Iterator[tuple[str, str]]:
    from wsklab.c.source import MISTAKES

    keys = [*MISTAKES["said"].values(), *(row.get(key, "") for row in MISTAKES["known"] for key in ("text", "hint"))]
    keys += [row["text"] for row in MISTAKES["preprocessor"]]
    yield from ((key, "wsklab/c/mistakes.toml") for key in keys if key not in ("", "{message}."))


def _exercise_keys() -> Iterator[tuple[str, str]]:
    from wsklab.learn import EXERCISES

    for exercise in EXERCISES.values():
        keys = [exercise.goal, *exercise.hints]
        keys += [scene.label for scene in exercise.scenes] + [check.text for check in exercise.checks]
        for key in keys:
            yield key, "wsklab/learn"


def _panel_keys() -> Iterator[tuple[str, str]]:
    """Labels of the what-if panels: the code cells are the same in every language, so the engine translates them."""
    for file in sorted((ROOT / "notebooks" / "en").glob("*.ipynb")):
        for cell in json.loads(file.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or "what_if(" not in source or source.startswith("%%"):
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and _name(node.func) == "what_if" and isinstance(node.args[1], ast.Dict):
                    for key in node.args[1].keys:
                        yield from ((label, f"notebooks/en/{file.name}") for label in _literals(key) if key)


def _limits_keys() -> Iterator[tuple[str, str]]:
    """The tables of the page "How the lab works": the headings, which the hook says, and the words, which the engine holds."""
    hook = ROOT / "docs" / "hooks" / "limits.py"
    sys.path.insert(0, str(hook.parent))
    import limits

    yield from ((key, "docs/hooks/limits.py") for key in _spoken(ast.parse(hook.read_text("utf-8"))))
    yield from ((key, where) for where, key in limits.words())


def _facts_keys() -> Iterator[tuple[str, str]]:
    """What the groups of facts are about, where it is said in words, and the reasons for not modelling one."""
    data = tomllib.loads((ROOT / "docs" / "facts.toml").read_text("utf-8"))
    abouts = (row["about"] for groups in data["groups"].values() for row in groups.values())
    for key in (*data["reasons"].values(), *(about for about in abouts if about[0].islower())):
        yield key, "docs/facts.toml"
