"""Capture files, read back with scapy: addresses, flags, sequence numbers, acknowledgements, checksums, times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import rdpcap

from wsklab import Lab
from wsklab.cli import main
from wsklab.net import Address
from wsklab.wsk import scene
from wsklab.wsk.subsystem import subsystem

SEND_DATA = (Path(__file__).parents[1] / "programs" / "send_data.c").read_text("utf-8")


def packets(path: Path) -> list[Any]:
    """The packets of a file. Each one's checksums are computed anew by scapy and must be what stands there."""
    found = list(rdpcap(str(path)))
    for packet in found:
        again = type(packet)(bytes(packet))
        for layer, field in ((IP, "chksum"), (TCP, "chksum"), (UDP, "chksum")):
            if layer in again:
                delattr(again[layer], field)
        assert bytes(type(packet)(bytes(again))) == bytes(packet)
    return found


def told(packet: Any) -> tuple[str, int, int, int]:
    """Flags, sequence number, acknowledgement and number of bytes of a TCP packet."""
    layer = packet[TCP]
    return str(layer.flags), layer.seq, layer.ack, len(bytes(layer.payload))


HANDSHAKE = [("S", 1000, 0, 0), ("SA", 1000, 1001, 0), ("A", 1001, 1001, 0)]


@pytest.mark.parametrize("network", ["simulated", "loopback"])
def test_a_connection(network: str, tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    with Lab(network=network) as lab:
        lab.capture(path)
        driver = lab.load(SEND_DATA)
        socket = lab.connected_socket("reads")
        driver.SendData(socket, lab.buffer(b"hello"))
        lab.run()
        socket.peer.send(b"good day")
        lab.run()
        socket.peer.close()
        lab.run()
        driver.SendData(socket, lab.buffer(b"bye"))
        lab.run()
    expected = [
        *HANDSHAKE,
        ("PA", 1001, 1001, 5), ("A", 1001, 1006, 0),
        ("PA", 1001, 1006, 8), ("A", 1006, 1009, 0),
        ("FA", 1009, 1006, 0), ("A", 1006, 1010, 0),
        ("PA", 1006, 1010, 3), ("A", 1010, 1009, 0),
    ]  # fmt: skip
    found = packets(path)
    assert [told(packet) for packet in found] == expected
    server = "10.0.0.2" if network == "simulated" else "127.0.0.1"
    assert (found[0][IP].dst, found[0][TCP].dport) == (server, socket.peer.address.port)
    times = [float(packet.time) for packet in found]
    assert times == sorted(times)


def test_many_bytes_are_several_packets_and_numbers_go_on(tmp_path: Path) -> None:
    with Lab() as lab:
        lab.capture(tmp_path / "run.pcapng")
        socket = lab.connected_socket("reads")
        lab.load(SEND_DATA).SendData(socket, lab.buffer(bytes(4_000)))
        lab.run()
    found = [told(packet) for packet in packets(tmp_path / "run.pcapng")[3:]]
    assert found == [("PA", 1001, 1001, 1460), ("PA", 2461, 1001, 1460), ("PA", 3921, 1001, 1080), ("A", 1001, 5001, 0)]


def test_an_acknowledgement_covers_what_had_arrived_when_it_left(tmp_path: Path) -> None:
    """Both sides send at once: neither acknowledges what it cannot have seen."""
    with Lab() as lab:
        socket = lab.connected_socket("reads")
        lab.capture(tmp_path / "run.pcapng")
        lab.load(SEND_DATA).SendData(socket, lab.buffer(b"12345"))
        socket.peer.send(b"abc")
        lab.run()
    found = [(packet[IP].src, *told(packet)) for packet in packets(tmp_path / "run.pcapng")]
    assert found == [
        ("10.0.0.1", "PA", 0, 0, 5),
        ("10.0.0.2", "PA", 0, 0, 3),
        ("10.0.0.1", "A", 5, 3, 0),
        ("10.0.0.2", "A", 3, 5, 0),
    ]


def test_a_lost_segment_is_captured_each_time_it_leaves(tmp_path: Path) -> None:
    with Lab(choices={"path": "lossy"}) as lab:
        lab.capture(tmp_path / "run.pcapng")
        socket = lab.connected_socket("reads")
        lab.load(SEND_DATA).SendData(socket, lab.buffer(b"12345"))
        lab.run()
    found = packets(tmp_path / "run.pcapng")[3:]
    assert [told(packet) for packet in found] == [("PA", 1001, 1001, 5), ("PA", 1001, 1001, 5), ("A", 1001, 1006, 0)]
    assert round(float(found[1].time - found[0].time), 6) == 0.3


@pytest.mark.parametrize("network", ["simulated", "loopback"])
def test_refused(network: str, tmp_path: Path) -> None:
    with Lab(network=network) as lab:
        lab.capture(tmp_path / "run.pcapng")
        with pytest.raises(ValueError, match="cannot be connected to"):
            lab.connected_socket("refuses")
    assert [told(packet) for packet in packets(tmp_path / "run.pcapng")] == [("S", 1000, 0, 0), ("RA", 0, 1001, 0)]


@pytest.mark.parametrize("local", ["127.0.0.1", "[::1]"])
def test_datagrams_of_both_families(local: str, tmp_path: Path) -> None:
    with Lab(network="loopback") as lab:
        lab.capture(tmp_path / "run.pcapng")
        host = lab.host(f"{local}:0")
        host.echoes = True
        source = Address.parse(f"{local}:0").at(50_123)
        while lab.network.open("receivers", source, host):
            source = source.at(source.port + 1)
        lab.network.receivers[source] = object.__new__(_Receiver)
        lab.network.send_datagram(source, host.address, b"odd")
        lab.run()
    found = packets(tmp_path / "run.pcapng")
    layer = IP if local == "127.0.0.1" else IPv6
    assert [(packet[layer].src, packet[UDP].sport, packet[UDP].dport, bytes(packet[UDP].payload)) for packet in found] == [
        (local.strip("[]"), source.port, host.address.port, b"odd"),
        (local.strip("[]"), host.address.port, source.port, b"odd"),
    ]


class _Receiver:
    """A socket that listens to nobody."""

    def datagram_arrived(self, *datagram: object) -> None:
        pass


def test_datagrams_on_the_simulated_network(tmp_path: Path) -> None:
    with Lab() as lab:
        lab.capture(tmp_path / "run.pcapng")
        lab.host("fd00::2").echoes = True
        lab.network.send_datagram(Address.parse("[fd00::1]:5000"), Address.parse("[fd00::2]:7"), bytes(3_000))
        lab.network.send_datagram(Address.parse("10.0.0.1:5000"), Address.parse("10.0.0.9:7"), b"nobody")
        lab.run()
    found = [(packet.summary().split(" / ")[0], len(packet[UDP].payload)) for packet in packets(tmp_path / "run.pcapng")]
    assert [size for _, size in found] == [3_000, 6, 3_000]


def test_what_two_sockets_of_the_driver_say_is_captured_once(tmp_path: Path) -> None:
    with Lab(network="loopback") as lab:
        lab.capture(tmp_path / "run.pcapng")
        sockets = subsystem(lab.machine).sockets
        listening = sockets[scene.listener(lab.machine)]
        with scene._scene(lab.machine) as wsk:
            connection = scene._socket(wsk, "connection", wsk.network.here)
            connection.connect(listening.local, True, lambda status: None)
        lab.run()
        one, other = (sockets[scene.datagram(lab.machine)].local for _ in range(2))
        lab.network.send_datagram(one, other, b"hello")
        lab.run()
    found = packets(tmp_path / "run.pcapng")
    assert [told(packet) for packet in found[:3]] == HANDSHAKE
    assert [(packet[UDP].sport, packet[UDP].dport) for packet in found[3:]] == [(one.port, other.port)]


def test_the_command_line_captures_the_simulated_network(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "tcp_send.c"
    assert main(["run", "--capture", str(tmp_path / "run.pcapng"), str(example)]) == 0
    found = packets(tmp_path / "run.pcapng")
    assert [told(packet) for packet in found] == [
        *HANDSHAKE,
        ("PA", 1001, 1001, 21), ("A", 1001, 1022, 0),
        ("RA", 1022, 1001, 0),
    ]  # fmt: skip
    assert main(["run", "--capture", str(tmp_path), str(example)]) == 64
