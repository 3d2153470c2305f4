"""What a rule is.

A rule is one thing that driver code must not do. It is data: the engine refers to ids only, and the rule book on the site,
the tests' list and the diagnostics are made from the tables in this package (design, decision 7).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: short name, for example ``irp-freed-twice``.
        title: what happened, in a few words.
        text: what happened, a sentence; ``{names}`` are filled from the values given at the stop.
        advice: what to do about it, a sentence.
        bugcheck: the bug check code Windows would show, None when it would show nothing.
        parameters: the bug check's parameters, as text; ``{names}`` are filled.
        page: the documentation page, file name without extension.
        facts: ids of the facts it follows.
        static: names of the rules of Static Driver Verifier that it stands for.
        source: who would report it: Windows, Driver Verifier, KMDF verifier, Static Driver Verifier, the
            documentation (strict mode), or ours.
        at_birth: whether the place to show, when no C is running, is where the object was born.
    """

    id: str
    title: str
    text: str
    advice: str
    bugcheck: int | None = None
    parameters: tuple[str, ...] = ()
    page: str = ""
    facts: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    source: str = "Windows"
    at_birth: bool = False


_NAMES = tomllib.loads(resources.files("wsklab").joinpath("machine/bugchecks.toml").read_text("utf-8"))
BUGCHECKS: dict[int, str] = {int(code, 16): name for code, name in _NAMES.items()}
"""Names of the bug checks that rules mention."""
