"""Capture files: what crosses the network, as packets that Wireshark and tshark open.

The file is pcapng (draft-ietf-opsawg-pcapng), written by python-pcapng. Neither network has packets: IP, TCP and UDP headers
are made up around the bytes, with sequence numbers, acknowledgements and checksums as the other side would see them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from struct import pack
from typing import NamedTuple

from wsklab.net.tcp import Address

RAW_IP = 101  # LINKTYPE_RAW: a packet starts with its IP header
TCP, UDP = 6, 17
SEGMENT = {4: 1460, 16: 1440}  # the most bytes of a TCP segment over Ethernet, by length of the address
FIRST = 1000  # the sequence number every direction starts with
FLAGS = {"SYN": 0x02, "SYN ACK": 0x12, "ACK": 0x10, "data": 0x18, "FIN": 0x11, "RST": 0x14, "keep-alive": 0x10}

Way = tuple[Address, Address]


class Segment(NamedTuple):
    """A segment under way: its packets, and the sequence number after it."""

    way: Way
    packets: list[bytes]
    end: int


class Capture:
    """A capture file that is complete after every packet."""

    def __init__(self, path: str | Path) -> None:
        from pcapng import FileWriter, blocks  # only a capture needs it

        self._file = Path(path).open("wb")  # noqa: SIM115 - open as long as the run lasts
        self._sent: dict[Way, int] = {}  # the next sequence number of each direction
        self._arrived: dict[Way, int] = {}  # how far each direction has come
        section = blocks.SectionHeader(options={"shb_userappl": "wsklab"})
        ticks = {"if_name": "wsklab", "if_tsresol": b"\x07"}  # times are in 10^-7 s, as virtual time is
        section.new_member(blocks.InterfaceDescription, link_type=RAW_IP, options=ticks)
        self._packet = partial(section.new_member, blocks.EnhancedPacket)
        self._writer = FileWriter(self._file, section)
        self._file.flush()

    def close(self) -> None:
        """Write nothing more."""
        self._file.close()

    def write(self, time: int, packets: list[bytes]) -> None:
        """Write packets that cross at a time in 100-ns units."""
        high, low = divmod(time, 1 << 32)
        for packet in packets:
            self._writer.write_block(self._packet(timestamp_high=high, timestamp_low=low, packet_data=packet))
        self._file.flush()

    def datagram(self, time: int, source: Address, destination: Address, content: bytes) -> None:
        """Write a UDP datagram."""
        header = pack("!HHHH", source.port, destination.port, 8 + len(content), 0)
        self.write(time, [_packet(UDP, source, destination, header, content)])

    def segment(self, source: Address, destination: Address, name: str, content: bytes = b"") -> Segment:
        """A segment that leaves `source` now; `name` is a key of FLAGS. Many bytes become several packets."""
        way, back = (source, destination), (destination, source)
        if name in ("SYN", "SYN ACK"):
            self._sent[way] = FIRST
        number = self._sent.setdefault(way, 0)  # a refusal answers with the number 0
        number -= name == "keep-alive"  # it repeats the last number, so that the other side acknowledges it again
        acknowledged = self._arrived.get(back, 0) if FLAGS[name] & 0x10 else 0
        size, packets = SEGMENT[len(source.ip)], []
        for start in range(0, len(content) or 1, size):
            part = content[start : start + size]
            ports = source.port, destination.port
            header = pack("!HHIIBBHHH", *ports, number % (1 << 32), acknowledged, 0x50, FLAGS[name], 0xFFFF, 0, 0)
            packets.append(_packet(TCP, source, destination, header, part))
            number = (number + len(part)) % (1 << 32)
        self._sent[way] = number = (number + (name in ("SYN", "SYN ACK", "FIN", "keep-alive"))) % (1 << 32)
        return Segment(way, packets, number)

    def arrived(self, segment: Segment) -> None:
        """A segment has arrived and is acknowledged by whatever leaves there from now on."""
        self._arrived[segment.way] = segment.end

    def exchange(self, time: int, source: Address, destination: Address, name: str, content: bytes = b"") -> None:
        """Write a segment that arrives at once, and the acknowledgement of its bytes."""
        for way in (source, destination), (destination, source):
            self.write(time, (segment := self.segment(*way, name, content)).packets)
            self.arrived(segment)
            if name not in ("data", "FIN"):
                break
            name, content = "ACK", b""


def _packet(protocol: int, source: Address, destination: Address, header: bytes, content: bytes) -> bytes:
    """An IP packet; the last but one field of a TCP or UDP header becomes its checksum."""
    size, place = len(header) + len(content), 16 if protocol == TCP else 6
    addresses = source.ip + destination.ip
    checksum = _checksum(addresses + pack("!IHBB", size, 0, 0, protocol) + header + content)
    if protocol == UDP:
        checksum = checksum or 0xFFFF  # 0 would say that there is none
    header = header[:place] + pack("!H", checksum) + header[place + 2 :]
    if len(source.ip) == 16:
        return pack("!IHBB", 6 << 28, size, protocol, 64) + addresses + header + content
    ip = pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, protocol, 0)
    return ip[:10] + pack("!H", _checksum(ip + addresses)) + addresses + header + content


def _checksum(content: bytes) -> int:
    """The Internet checksum (RFC 1071); summing 16-bit words with end-around carry is the remainder modulo 0xFFFF."""
    return -int.from_bytes(content + bytes(len(content) % 2), "big") % 0xFFFF
