"""The tables of the provider, read from ``tables.toml`` when somebody first asks: there stand their columns and sources.

The provider asks them whether a call is legal and what it leads to, and the pictures are drawn from them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from types import SimpleNamespace
from typing import NamedTuple

from wsklab.machine import Machine, status

DEAD, CLOSING = "dead", "closing"
"""States common to all categories: the transport went away, and every call but the close is refused; WskCloseSocket has been
called, and every call is a broken rule."""

DEFAULT, REUSE, EXCLUSIVE = "default", "reuse", "exclusive"
SUCCESS, IN_USE, DENIED, CHECK = "SUCCESS", "ADDRESS_ALREADY_EXISTS", "ACCESS_DENIED", "CHECK"


class Tables(NamedTuple):
    """All tables by row; states as category → state → step → next state."""

    categories: dict[str, SimpleNamespace]
    states: dict[str, dict[str, dict[str, str]]]
    options: dict[str, SimpleNamespace]
    controls: dict[str, SimpleNamespace]
    events: dict[str, SimpleNamespace]
    sharing: dict[str, list[str]]
    services: dict[str, int]
    chosen: dict[str, SimpleNamespace]


@cache
def tables() -> Tables:
    """The tables of the provider."""
    read = tomllib.loads(resources.files(__package__).joinpath("tables.toml").read_text("utf-8"))
    for rows in read["states"].values():
        for state, row in rows.items():
            row |= dict.fromkeys(row.pop("stay", ()), state)
    connection, stream = read["states"]["connection"], read["states"]["stream"]
    read["states"]["stream"] = connection | {state: connection.get(state, {}) | row for state, row in stream.items()}
    defaults = {table: read[table].pop("default", {}) for table in ("controls", "options", "chosen")}
    read["options"] = {name: defaults["controls"] | defaults["options"] | row for name, row in read["options"].items()}
    read["controls"] = read["options"] | {name: defaults["controls"] | row for name, row in read["controls"].items()}
    read["chosen"] = {what: defaults["chosen"] | row for what, row in read["chosen"].items()}
    for table in ("categories", "options", "controls", "events", "chosen"):
        read[table] = {name: SimpleNamespace(**row) for name, row in read[table].items()}
    return Tables(**read)


CHOSEN = ("the usual one", "another one")
"""Which status comes where no page names one; a driver may rely on neither (WSK-GAP-13, WSK-GAP-14)."""


def chosen(m: Machine, what: str) -> int:
    """The status for `what`, as a signed NTSTATUS."""
    row = tables().chosen[what]
    usual = not row.other or m.choose("status that no page names", CHOSEN) == CHOSEN[0]
    value: int = getattr(status, (row.status if usual else row.other).removeprefix("STATUS_"))
    return value


def second_bind(second: tuple[str, bool], first: tuple[str, bool]) -> str:
    """What a bind gets that overlaps an earlier one; both are an option and whether it is the wildcard (WSK-SHR-01)."""
    row, column = (f"{option} {'wildcard' if wild else 'specific'}" for option, wild in (second, first))
    return tables().sharing[row][list(tables().sharing).index(column)]
