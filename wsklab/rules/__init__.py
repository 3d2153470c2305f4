"""Every rule that can be broken, merged from the tables of this package.

``RULES["irp-freed-twice"]`` is a :class:`~wsklab.rules.rule.Rule`. Ids are unique; a test holds that.
"""

from __future__ import annotations

import importlib
import pkgutil

from wsklab.rules.rule import BUGCHECKS, Rule

RULES: dict[str, Rule] = {}
"""All rules by id."""

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    for _rule in getattr(importlib.import_module(f"{__name__}.{_module}"), "RULES", ()):
        if _rule.id in RULES:
            raise ValueError(f"two rules are called {_rule.id}")
        RULES[_rule.id] = _rule

__all__ = ["BUGCHECKS", "RULES", "Rule"]
