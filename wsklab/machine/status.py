"""NTSTATUS values by name, read from the headers: ``status.PENDING`` is STATUS_PENDING.

Values are signed 32-bit numbers, as C's NTSTATUS is: failures are negative.
"""

from __future__ import annotations

from functools import cache

from wsklab.c.headers import headers


def __getattr__(name: str) -> int:
    constants = headers().constants if not name.startswith("_") else {}
    value = constants.get(f"STATUS_{name}", constants.get(name))
    if value is None:
        raise AttributeError(f"the headers know no STATUS_{name}")
    return (value & 0xFFFF_FFFF ^ 0x8000_0000) - 0x8000_0000


@cache
def _names() -> dict[int, str]:
    constants = reversed(headers().constants.items())  # of several names of a number the first one counts
    return {value & 0xFFFF_FFFF: name for name, value in constants if name.startswith("STATUS_") and "SEVERITY" not in name}


def name_of(value: int) -> str:
    """The name of a status, or its number in hexadecimal when it has none."""
    return _names().get(value & 0xFFFF_FFFF, f"0x{value & 0xFFFF_FFFF:08X}")


def is_success(value: int) -> bool:
    """NT_SUCCESS: success and informational codes, so also time-outs and what is pending (WSK-NUM-02, MIS-14, MIS-15)."""
    return (value & 0xFFFF_FFFF) < 0x8000_0000


class NTSTATUS(int):
    """A status that prints its name. Compares and computes like the number it is."""

    def __repr__(self) -> str:
        return name_of(self)

    __str__ = __repr__
