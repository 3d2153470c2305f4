"""How events are put into words: names for objects, arguments, results.

The one place of the pictures that knows what an event's data means. Pointers are shown by what they are (``IRP 1``, a function's
name, else the name of the parameter), never as sixteen digits. Types and constants come from the headers.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wsklab.c.headers import headers
from wsklab.c.types import CType, Function, Int, Pointer, Void
from wsklab.machine.status import name_of
from wsklab.machine.trace import Event

Prototypes = Callable[[str], Function | None]
"""Finds the prototype of a function by its name."""

LANES = {
    "driver": "your driver",
    "wsk": "WSK",
    "framework": "framework",
    "io": "I/O manager",
    "transport": "transport",
    "device": "lower device",
    "peer": "peer",
}
"""Whoever does something in a run, as English keys."""

_LOWEST_ADDRESS = 1 << 40
_CODES = ("SIO_", "IOCTL_", "FSCTL_", "WSK_TRANSPORT_", "WSK_SET_", "WSK_CACHE_", "WSK_RELEASE_", "SO_")


def irql_name(irql: int) -> str:
    """The short name of an IRQL, ``"DIRQL 5"`` for a device level."""
    return {0: "PASSIVE", 1: "APC", 2: "DISPATCH", 15: "HIGH"}.get(irql, f"DIRQL {irql}")


def short_address(address: int) -> str:
    """The last digits of an address, enough to tell objects of one run apart."""
    return f"…{address & 0xFFFFF:05x}"


def microseconds(time: int) -> str:
    """A virtual time (100-ns units) as text in the unit that fits."""
    for units, name in ((10_000_000, "s"), (10_000, "ms")):
        if time >= units:
            return f"{time / units:.5g} {name}"
    return f"{time / 10:g} µs"


def status_name(value: Any) -> str:
    """The name of a status value."""
    return value if isinstance(value, str) else name_of(int(value))


@functools.cache
def _code_names() -> dict[int, str]:
    return {value: name for name, value in reversed(headers().constants.items()) if name.startswith(_CODES) and value > 255}


class Reading:
    """Names for everything in one stream of events; `symbols` are the names of C functions and other addresses."""

    def __init__(self, events: Iterable[Event], prototypes: Prototypes, symbols: Mapping[int, str]) -> None:
        self.events, self.prototypes, self.symbols = list(events), prototypes, symbols
        self.irps: dict[int, int] = {}  # address → number, in order of appearance
        for irp in filter(None, map(irp_of, self.events)):
            self.irps.setdefault(irp, len(self.irps) + 1)

    def irp_name(self, address: int) -> str:
        """``IRP 1``, ``IRP 2`` … in order of appearance."""
        return f"IRP {self.irps[address]}"

    def call(self, event: Event) -> str:
        """``WskSend(Socket, DataBuffer, 0, IRP 1)`` for a call or callback."""
        prototype = self.prototypes(event.name)
        given = event.data.get("arguments", ())
        pairs = itertools.zip_longest(given, prototype.parameters[: len(given)] if prototype else ())
        words = (self.value(value, known.type if known else None, known.name if known else "") for value, known in pairs)
        return f"{event.name}({', '.join(words)})"

    def result(self, event: Event) -> str:
        """What a return gave back, "" for a function that returns nothing."""
        value = event.data.get("value")
        prototype = self.prototypes(event.name)
        if value is None or (prototype and isinstance(prototype.returns, Void)):
            return ""
        return self.value(value, prototype.returns if prototype else None)

    def value(self, value: Any, ctype: CType | None, name: str = "") -> str:
        """One value as text. `name` stands for a pointer that has no better name."""
        if not isinstance(value, int):
            return str(value)
        number = int(value)
        if number in self.irps:
            return self.irp_name(number)
        if number in self.symbols:
            return self.symbols[number]
        if isinstance(ctype, Pointer) or number >= _LOWEST_ADDRESS:
            return "NULL" if not number else name or short_address(number)
        kinds = {ctype.alias if isinstance(ctype, Int) else None, type(value).__name__}
        if "NTSTATUS" in kinds:
            return status_name(number)
        if kinds & {"BOOLEAN", "bool"}:
            return "TRUE" if number else "FALSE"
        if name.endswith("ControlCode") and number in _code_names():
            return _code_names()[number]
        return str(number) if -65536 < number < 65536 else f"0x{number & 0xFFFF_FFFF:X}"


def irp_of(event: Event) -> int:
    """The IRP an event is about, 0 when it is about none."""
    made = event.objects[0] if event.kind == "allocate" and event.name.upper() == "IRP" and event.objects else 0
    return int(event.data.get("irp") or made)


def byte_count(event: Event) -> int | None:
    """The number of bytes of a message, None when it carries none (an acknowledgement, a reset)."""
    return len(event.data["bytes"]) if "bytes" in event.data else event.data.get("length")


def excerpt(event: Event, longest: int = 16) -> str:
    """The readable beginning of a message's bytes, in quotes; "" when it is not text."""
    carried = event.data.get("bytes", b"").decode("ascii", "replace").rstrip("\0")
    if not carried or not carried.isprintable() or "\ufffd" in carried:
        return ""
    return f"“{carried if len(carried) <= longest else carried[: longest - 1] + '…'}”"
