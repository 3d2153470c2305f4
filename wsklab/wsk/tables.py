"""The tables of the provider, read from ``tables.toml`` when somebody first asks: there stand also their meaning and sources.

The provider asks them whether a call is legal and what it leads to, and the pictures are drawn from them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from wsklab.machine import status

DEAD: Final = "dead"
"""The state, common to all categories, of a socket whose transport went away: every call but the close is refused."""
CLOSING: Final = "closing"
"""The state, common to all categories, from the call of WskCloseSocket on: every call is a broken rule."""

DEFAULT, REUSE, EXCLUSIVE = "default", "reuse", "exclusive"
SUCCESS, IN_USE, DENIED = "SUCCESS", "ADDRESS_ALREADY_EXISTS", "ACCESS_DENIED"


@dataclass(frozen=True)
class Category:
    """A category of sockets; `slots` maps each member of its dispatch table to the modelled function."""

    flag: str
    table: str
    kinds: list[tuple[str, str]]
    slots: dict[str, str]


@dataclass(frozen=True)
class Option:
    """An option whose value is a ULONG."""

    level: str
    categories: list[str]
    before_bind: bool = False
    default: int = 0


@dataclass(frozen=True)
class Chosen:
    """A status that the model chose."""

    status: str
    reason: str
    facts: list[str]


class Tables(NamedTuple):
    """All tables; states as category → state → step → next state."""

    categories: dict[str, Category]
    states: dict[str, dict[str, dict[str, str]]]
    options: dict[str, Option]
    sharing: dict[str, list[str]]
    chosen: dict[str, Chosen]


@cache
def tables() -> Tables:
    """The tables of the provider."""
    read = tomllib.loads(resources.files(__package__).joinpath("tables.toml").read_text("utf-8"))
    for row in read["categories"].values():
        names = ["WskControlSocket", "WskCloseSocket", *row.get("slots", ())]
        row["slots"] = {name: name for name in names} | ({"WskRelease": row.pop("release")} if "release" in row else {})
    for rows in read["states"].values():
        for state, row in rows.items():
            row |= dict.fromkeys(row.pop("stay", ()), state)
    return Tables(
        {name: Category(**row) for name, row in read["categories"].items()},
        read["states"],
        {name: Option(**row) for name, row in read["options"].items()},
        read["sharing"],
        {name: Chosen(**row) for name, row in read["chosen"].items()},
    )


@cache
def chosen(what: str) -> int:
    """The chosen status for `what`, as a signed NTSTATUS."""
    value: int = getattr(status, tables().chosen[what].status.removeprefix("STATUS_"))
    return value


def second_bind(second: tuple[str, bool], first: tuple[str, bool]) -> str:
    """SUCCESS, IN_USE or DENIED for a bind that overlaps an earlier one.

    Both sides are an option and whether the address is the wildcard. Without a descriptor the default forbids sharing
    (WSK-SHR-02); descriptors are not modelled, so a CHECK always ends in DENIED.
    """
    row, column = (f"{option} {'wildcard' if wild else 'specific'}" for option, wild in (second, first))
    result = tables().sharing[row][list(tables().sharing).index(column)]
    return DENIED if result == "CHECK" else result
