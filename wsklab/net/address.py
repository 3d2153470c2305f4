"""Transport addresses: an IPv4 or IPv6 address and a port. Facts WSK-AF-01, WSK-AF-08.

An `Address` is a value: two are equal when family, address, port and scope are. Its text form is the usual one,
``10.0.0.1:5000`` or ``[fd00::1]:5000``.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

AF_INET, AF_INET6 = 2, 23
_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Address:
    """A transport address: 4 or 16 bytes in network order, port (0 for "any"), IPv6 scope id (0 for none)."""

    ip: bytes
    port: int
    scope: int = 0

    @staticmethod
    def parse(text: str) -> Address:
        """The address written as ``10.0.0.1:5000``, ``[fd00::1]:5000`` or without a port. Raises ValueError."""
        ip, port = text, "0"
        if text.startswith("["):
            ip, _, port = text[1:].partition("]")
            port = port.removeprefix(":") or "0"
        elif text.count(":") == 1:
            ip, port = text.split(":")
        ip, _, scope = ip.partition("%")
        if not 0 <= int(port) <= 65535:
            raise ValueError(f"a port is a number from 0 to 65535, not {port}")
        return Address(ip_address(ip).packed, int(port), int(scope or 0))

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return AF_INET if len(self.ip) == 4 else AF_INET6

    @property
    def is_wildcard(self) -> bool:
        """Whether the address is the unspecified one."""
        return not any(self.ip)

    @property
    def is_broadcast(self) -> bool:
        """Whether this is the limited IPv4 broadcast address."""
        return self.ip == b"\xff\xff\xff\xff"

    def at(self, port: int) -> Address:
        """The same address with another port."""
        return Address(self.ip, port, self.scope)

    def mapped(self) -> Address:
        """An IPv4 address as an IPv6 socket sees it: ``::ffff:10.0.0.1``."""
        return Address(_MAPPED + self.ip, self.port) if len(self.ip) == 4 else self

    def unmapped(self) -> Address:
        """The IPv4 address behind ``::ffff:…``, or the address itself."""
        return Address(self.ip[12:], self.port) if len(self.ip) == 16 and self.ip.startswith(_MAPPED) else self

    def __str__(self) -> str:
        if len(self.ip) == 4:
            return f"{ip_address(self.ip)}:{self.port}"
        behind = self.unmapped()
        host = ip_address(self.ip) if behind is self else f"::ffff:{ip_address(behind.ip)}"
        return f"[{host}%{self.scope}]:{self.port}" if self.scope else f"[{host}]:{self.port}"
