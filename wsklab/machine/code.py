"""What the machine runs: functions at code addresses, the step budget of their loops, and where members of structures lie."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from wsklab.c.headers import headers
from wsklab.c.types import CType, Function, Record
from wsklab.machine.trace import Where

STEPS = 10_000_000
"""Loop iterations a run may take before it counts as endless."""
KERNEL_STACK = 3 * 4096
"""Bytes of a kernel stack (KRN-43)."""


@dataclass(frozen=True, slots=True)
class Code:
    """What stands at a code address: a compiled C function or a modelled one."""

    name: str
    call: Callable[..., Any]
    waits: bool
    prototype: Function | None = None
    is_driver: bool = False
    place: Where | None = None


class Exited(Exception):
    """A program with a main called exit; its exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Steps:
    """The step budget: every loop of compiled code takes its iterations from here."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.refill()

    def refill(self) -> None:
        """Start counting anew; done at every entry from Python."""
        self._left = itertools.repeat(None, self.budget)

    def __iter__(self) -> Iterator[None]:
        return self._left


@cache
def offset_of(record: str, path: str) -> int:
    """Offset in bytes of a member, dotted for nested ones: ``offset_of("IRP", "IoStatus.Status")``."""
    ctype: CType = headers().record(record)
    total = 0
    for name in path.split("."):
        if not isinstance(ctype, Record) or name not in ctype.members:
            raise KeyError(f"{record} has no member {path}")
        member = ctype.members[name]
        total += member.offset
        ctype = member.type
    return total
