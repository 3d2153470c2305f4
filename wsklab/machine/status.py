"""NTSTATUS values by name, read from the headers: ``status.PENDING`` is STATUS_PENDING.

Values are signed 32-bit numbers, as C's NTSTATUS is: failures are negative.
"""

from __future__ import annotations

from functools import cache

from wsklab.c.headers import headers


def __getattr__(name: str) -> int:
    if name.startswith("_"):
        raise AttributeError(name)
    constants = headers().constants
    for known in (f"STATUS_{name}", name):
        if known in constants:
            value = constants[known] & 0xFFFF_FFFF
            return value - (1 << 32) if value >> 31 else value
    raise AttributeError(f"the headers know no STATUS_{name}")


@cache
def _names() -> dict[int, str]:
    found: dict[int, str] = {}
    for name, value in headers().constants.items():
        if name.startswith("STATUS_") and not name.startswith("STATUS_SEVERITY"):
            found.setdefault(value & 0xFFFF_FFFF, name)
    return found


def name_of(value: int) -> str:
    """The name of a status, or its number in hexadecimal when it has none."""
    return _names().get(value & 0xFFFF_FFFF, f"0x{value & 0xFFFF_FFFF:08X}")


def is_success(value: int) -> bool:
    """NT_SUCCESS: success and informational codes (WSK-NUM-02)."""
    return (value & 0xFFFF_FFFF) < 0x8000_0000


class NTSTATUS(int):
    """A status that prints its name. Compares and computes like the number it is."""

    def __repr__(self) -> str:
        return name_of(self)

    __str__ = __repr__
