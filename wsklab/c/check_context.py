"""What the checks of one function body share: its declarations, its problems, its variables and what it refers to.

The names a body refers to are collected here because the linker must know them: functions it calls, functions whose
address it takes, variables of static storage, and the types of calls through pointers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from wsklab.c.declare import Declarations
from wsklab.c.source import Place, Problems, closest, place_of
from wsklab.c.tree import At, Local
from wsklab.c.types import CType, Function


def at(node: Any) -> At:
    """Line and column of a parser node."""
    place = place_of(node)
    return At(place.line, place.column)


@dataclass
class StaticLocal:
    """A variable of static storage declared in a body; `symbol` is its name in the image."""

    symbol: str
    type: CType
    place: Place
    node: Any


@dataclass
class Body:
    """The state of one body's check."""

    name: str
    declarations: Declarations
    problems: Problems
    returns: CType
    is_static: bool = False
    """Whether this is the initialiser of a variable of static storage: then there is no call whose frame could be used."""
    locals: list[Local] = field(default_factory=list)
    statics: list[StaticLocal] = field(default_factory=list)
    calls: dict[str, At] = field(default_factory=dict)
    addresses: dict[str, At] = field(default_factory=dict)
    symbols: dict[str, At] = field(default_factory=dict)
    indirect: list[Function] = field(default_factory=list)
    has_gap: bool = False

    def add_local(self, name: str, ctype: CType, where: At, *, in_frame: bool = False) -> Local:
        """A new variable of automatic storage."""
        variable = Local(name, ctype, where, in_frame=in_frame)
        self.locals.append(variable)
        return variable

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """While in here, references do not count: the expression is not evaluated."""
        before = dict(self.calls), dict(self.addresses), dict(self.symbols), list(self.indirect), self.has_gap
        yield
        self.calls, self.addresses, self.symbols, self.indirect, self.has_gap = before

    def suggestion(self, name: str) -> str | None:
        """A hint that names what was probably meant by an unknown name."""
        from wsklab.c.headers import headers

        return self.closest(name, [*self.declarations.names(), *headers().macros])

    @staticmethod
    def closest(name: str, known: Iterable[str]) -> str | None:
        """A hint with the closest of the known names: another letter case first, then a similar spelling."""
        return closest(name, known)
