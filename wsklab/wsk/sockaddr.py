"""SOCKADDRs in memory ↔ addresses. Facts WSK-AF-01, WSK-AF-06, WSK-ACC-07, WSK-ACC-08.

Memory is read and written byte for byte at the size of the family's structure, so a buffer that is too small for IPv6 shows
itself as the overrun it is.
"""

from __future__ import annotations

from struct import Struct

from wsklab.machine import Machine
from wsklab.net.address import AF_INET, AF_INET6, Address

# sin_family, sin_port, sin_addr, sin_zero; sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id. The family is in the
# machine's byte order, the port in the network's, hence two structures each.
_FAMILY, _PORT, _SCOPE = Struct("<H"), Struct(">H"), Struct("<I")
SIZES = {AF_INET: 16, AF_INET6: 28}
"""Size in bytes of the SOCKADDR of a family."""


def encode(address: Address) -> bytes:
    """The SOCKADDR_IN or SOCKADDR_IN6 of an address."""
    head = _FAMILY.pack(address.family) + _PORT.pack(address.port)
    if address.family == AF_INET:
        return head + address.ip + bytes(8)
    return head + bytes(4) + address.ip + _SCOPE.pack(address.scope)


def decode(content: bytes) -> Address:
    """The address in the bytes of a SOCKADDR_IN or SOCKADDR_IN6."""
    port = _PORT.unpack_from(content, 2)[0]
    if len(content) == SIZES[AF_INET]:
        return Address(content[4:8], port)
    return Address(content[8:24], port, _SCOPE.unpack_from(content, 24)[0])


def read(m: Machine, pointer: int, family: int) -> Address | None:
    """The SOCKADDR at `pointer`, None when it is not of `family`."""
    if m.u16(pointer) != family:
        return None
    if family == AF_INET:
        return decode(m.read(pointer, 8) + bytes(8))  # sin_zero need not be set
    # sin6_flowinfo is often left unset; it says nothing here.
    return decode(m.read(pointer, 4) + bytes(4) + m.read(pointer + 8, 16) + m.read(pointer + 24, 4))


def write(m: Machine, pointer: int, address: Address, family: int) -> None:
    """Store an address for a socket of `family`; a NULL pointer asks for nothing."""
    if pointer:
        m.write(pointer, encode(address.mapped() if family == AF_INET6 else address))
