"""How events are put into words: names for objects, arguments, results.

The one place of the pictures that knows what an event's data means. Pointers are shown by what they are (``IRP 1``, a function's
name, else the name of the parameter), never as sixteen digits. Types and constants come from the headers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wsklab.c.types import CType, Function, Int, Parameter, Pointer, Void

if TYPE_CHECKING:
    from wsklab.machine.trace import Event

Prototypes = Callable[[str], Function | None]
"""Finds the prototype of a function by its name."""

IRQL_NAMES = {0: "PASSIVE", 1: "APC", 2: "DISPATCH", 15: "HIGH"}
"""Short names of the IRQLs; anything else is a device level."""

_LOWEST_ADDRESS = 1 << 40
_CODES = ("SIO_", "IOCTL_", "FSCTL_", "WSK_TRANSPORT_", "WSK_SET_", "WSK_CACHE_", "WSK_RELEASE_", "SO_")


def irql_name(irql: int) -> str:
    """The short name of an IRQL, ``"DIRQL 5"`` for a device level."""
    return IRQL_NAMES.get(irql, f"DIRQL {irql}")


def short_address(address: int) -> str:
    """The last digits of an address, enough to tell objects of one run apart."""
    return f"…{address & 0xFFFFF:05x}"


def microseconds(time: int, sign: str = "") -> str:
    """A virtual time (100-ns units) as text in the unit that fits."""
    if time >= 10_000_000:
        return f"{sign}{time / 10_000_000:.5g} s"
    if time >= 10_000:
        return f"{sign}{time / 10_000:.5g} ms"
    return f"{sign}{time / 10:g} µs"


def header_prototype(name: str) -> Function | None:
    """The prototype of a modelled function, from the headers; None when it is not known."""
    from wsklab.c.headers import headers
    from wsklab.machine.api import MODELLED

    modelled = MODELLED.get(name)
    if modelled is None or modelled.prototype is None:
        return headers().prototypes.get(name)
    try:
        ctype: CType = headers().type(modelled.prototype)
    except Exception:  # a slot type that the headers do not declare only costs the parameter names
        return None
    while isinstance(ctype, Pointer):
        ctype = ctype.to
    return ctype if isinstance(ctype, Function) else None


@functools.cache
def _code_names() -> dict[int, str]:
    from wsklab.c.headers import headers

    return {value: name for name, value in reversed(headers().constants.items()) if name.startswith(_CODES) and value > 255}


class Reading:
    """Names for everything in one stream of events.

    Args:
        events: the events, in order.
        prototypes: finds the prototype of a called function by name.
        symbols: names of C functions and other addresses.
    """

    def __init__(
        self, events: Iterable[Event], prototypes: Prototypes | None = None, symbols: Mapping[int, str] | None = None
    ) -> None:
        self.events = list(events)
        self.prototypes = prototypes or header_prototype
        self.symbols = dict(symbols or {})
        self.irps: dict[int, int] = {}
        for event in self.events:
            irp = irp_of(event)
            if irp and irp not in self.irps:
                self.irps[irp] = len(self.irps) + 1

    def irp_name(self, address: int) -> str:
        """``IRP 1``, ``IRP 2`` … in order of appearance."""
        return f"IRP {self.irps[address]}"

    def call(self, event: Event) -> str:
        """``WskSend(Socket, DataBuffer, 0, IRP 1)`` for a call or callback."""
        return f"{event.name}({', '.join(self.arguments(event))})"

    def arguments(self, event: Event) -> list[str]:
        """The arguments of a call, each as short text."""
        given = event.data.get("arguments", ())
        if isinstance(given, Mapping):
            return [self.value(value, None, name) for name, value in given.items()]
        prototype = self.prototype(event)
        parameters: tuple[Parameter, ...] = prototype.parameters if prototype else ()
        return [
            self.value(value, parameters[place].type, parameters[place].name)
            if place < len(parameters)
            else self.value(value, None, "")
            for place, value in enumerate(given)
        ]

    def prototype(self, event: Event) -> Function | None:
        """The prototype of the function an event is about."""
        carried = event.data.get("prototype")
        return carried if isinstance(carried, Function) else self.prototypes(event.name)

    def result(self, event: Event) -> str:
        """What a return gave back, "" for a function that returns nothing."""
        value = event.data.get("value")
        prototype = self.prototype(event)
        if value is None or (prototype and isinstance(prototype.returns, Void)):
            return ""
        return self.value(value, prototype.returns if prototype else None, "")

    def value(self, value: Any, ctype: CType | None, name: str) -> str:
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
        return self._plain(value, number, ctype, name)

    def _plain(self, value: Any, number: int, ctype: CType | None, name: str) -> str:
        alias = ctype.alias if isinstance(ctype, Int) else None
        if alias == "NTSTATUS" or type(value).__name__ == "NTSTATUS":
            return status_name(number)
        if alias == "BOOLEAN" or isinstance(value, bool):
            return "TRUE" if number else "FALSE"
        if name.endswith("ControlCode") and number in _code_names():
            return _code_names()[number]
        return str(number) if -65536 < number < 65536 else f"0x{number & 0xFFFF_FFFF:X}"


def status_name(value: Any) -> str:
    """The name of a status value."""
    from wsklab.machine.status import name_of

    return value if isinstance(value, str) else name_of(int(value))


def irp_of(event: Event) -> int:
    """The IRP an event is about, 0 when it is about none."""
    irp = event.data.get("irp")
    if isinstance(irp, int) and irp:
        return int(irp)
    if event.kind == "allocate" and event.name.upper() == "IRP" and event.objects:
        return event.objects[0]
    return 0


def byte_count(event: Event) -> int | None:
    """The number of bytes of a message, None when it carries none (an acknowledgement, a reset)."""
    carried = event.data.get("bytes")
    if isinstance(carried, (bytes, bytearray, memoryview)):
        return len(carried)
    length = event.data.get("length", carried)
    return int(length) if isinstance(length, int) else None


def excerpt(event: Event, longest: int = 16) -> str:
    """The readable beginning of a message's bytes, in quotes; "" when it is not text."""
    carried = event.data.get("text", event.data.get("bytes"))
    if not carried:
        return ""
    if isinstance(carried, (bytes, bytearray)):
        carried = carried.decode("ascii", "replace").rstrip("\0")
    if not isinstance(carried, str) or not carried or not carried.isprintable() or "\ufffd" in carried:
        return ""
    return f"“{carried if len(carried) <= longest else carried[: longest - 1] + '…'}”"
