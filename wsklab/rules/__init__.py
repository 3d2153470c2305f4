"""Every rule that can be broken, read from the tables of this package (``*.toml``).

``RULES["irp-freed-twice"]`` is a :class:`~wsklab.rules.rule.Rule`. The tables are read when the first rule is needed: a run that
breaks none does not pay for them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from wsklab.rules.rule import BUGCHECKS, Rule

__all__ = ["BUGCHECKS", "RULES", "Rule", "rules"]
RULES: dict[str, Rule]


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the tables. Raises ValueError when two have one id."""
    found: dict[str, Rule] = {}
    tables = (file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml"))
    for table in sorted(tables, key=lambda file: file.name):
        for name, values in tomllib.loads(table.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"two rules are called {name}")
            values |= {key: tuple(values.get(key, ())) for key in ("parameters", "facts", "static")}
            found[name] = Rule(name, **values)
    return found


def __getattr__(name: str) -> Any:
    if name == "RULES":
        return rules()
    raise AttributeError(name)
