"""Sharing a local address: what the second bind gets. Facts WSK-SHR-01 to 05, WSK-BIND-04."""

from __future__ import annotations

from typing import Final

SUCCESS, IN_USE, DENIED, CHECK = "SUCCESS", "ADDRESS_ALREADY_EXISTS", "ACCESS_DENIED", "CHECK"

DEFAULT, REUSE, EXCLUSIVE = "default", "reuse", "exclusive"

Holder = tuple[str, bool]
"""An option (DEFAULT, REUSE, EXCLUSIVE) and whether the address is the wildcard."""

_COLUMNS: Final[tuple[Holder, ...]] = tuple((option, wild) for option in (DEFAULT, REUSE, EXCLUSIVE) for wild in (True, False))

_ROWS: Final[dict[Holder, tuple[str, ...]]] = {
    (DEFAULT, True): (IN_USE, SUCCESS, IN_USE, SUCCESS, IN_USE, SUCCESS),
    (DEFAULT, False): (CHECK, IN_USE, CHECK, DENIED, DENIED, IN_USE),
    (REUSE, True): (DENIED, SUCCESS, SUCCESS, SUCCESS, DENIED, SUCCESS),
    (REUSE, False): (CHECK, DENIED, SUCCESS, SUCCESS, DENIED, DENIED),
    (EXCLUSIVE, True): (IN_USE,) * 6,
    (EXCLUSIVE, False): (CHECK, IN_USE, CHECK, IN_USE, DENIED, IN_USE),
}
"""Row: the second socket. Column, in the order of `_COLUMNS`: the first."""


def second_bind(second: Holder, first: Holder) -> str:
    """SUCCESS, IN_USE or DENIED for a bind that overlaps an earlier one.

    The access check is between the second socket's security context and the first one's descriptor; without a descriptor the
    default forbids sharing (WSK-SHR-02). Descriptors are not modelled, so CHECK is always DENIED.
    """
    result = _ROWS[second][_COLUMNS.index(first)]
    return DENIED if result == CHECK else result
