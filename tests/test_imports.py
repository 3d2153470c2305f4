"""Imports run one way: from the doors down to the C front end. A layer knows itself and those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYERS = (
    ("words", "listings"),
    ("c",),  # knows nothing of kernels
    ("rules", "machine"),  # a stop is worded from the rules' tables
    ("io", "net"),
    ("wsk", "kmdf"),
    ("show",),
    ("scenes",),
    ("lab",),
    ("learn", "driverlife"),
    ("check", "magics", "tryout"),
    ("cli",),
    ("__init__", "__main__"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted((Path(__file__).parents[1] / "wsklab").rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    """The parts of wsklab that a module imports, also inside functions; imports for type checkers do not count."""
    tree = ast.parse(file.read_text("utf-8"))
    skipped = {id(inner) for node in ast.walk(tree) if _is_type_checking(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "wsklab":
            parts = (node.module or "").split(".")[1:]
            yield from parts[:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("wsklab."))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("file", MODULES, ids=["/".join(file.parts[file.parts.index("wsklab") + 1 :]) for file in MODULES])
def test_a_module_knows_only_what_lies_below(file: Path) -> None:
    """No module imports from a layer above its own."""
    place = file.parts[len(file.parts) - 1 - file.parts[::-1].index("wsklab") + 1]
    own = LEVEL[place.removesuffix(".py")]
    above = {name for name in imported(file) if name in LEVEL and LEVEL[name] > own}
    assert above == set() or file.name == "__init__.py" and place == "__init__.py"
