"""The loopback network: real sockets on 127.0.0.1 and ::1, so that nc, curl, a browser or a Python program talk to a driver.

Rules: no other address is ever opened or reached, a wildcard means these two; there are no threads. The machine sleeps in an
asyncio event loop and virtual time follows the clock. What comes in while it sleeps is queued with the scheduler, so C never
runs inside the event loop. A transfer is over when the system has taken its bytes, not when the other program has read them.
"""

from __future__ import annotations

import errno
import random
import socket
import sys
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from itertools import cycle
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from wsklab.net.network import CONNECTED, FREE_PORTS, IN_USE, NOT_ALLOWED, REFUSED, TIMED_OUT, UNREACHABLE, Network
from wsklab.net.peers import Host, Peer
from wsklab.net.realtime import RealTime
from wsklab.net.stream import PIECE, SocketEnd
from wsklab.net.tcp import AF_INET, Address, End

if TYPE_CHECKING:
    from wsklab.machine import Machine

BACKLOG = 256
ADDRESSES = {Address.parse(text).ip for text in ("127.0.0.1", "::1")}  # the only ones that a real socket ever gets to see

OUTCOMES = {0: CONNECTED, errno.ECONNREFUSED: REFUSED, errno.ETIMEDOUT: TIMED_OUT}
"""How a connection request ends, by error number; everything else means that the way there is closed."""


class Loopback(RealTime, Network):
    """Real sockets of one machine. Close it when done: ``network.close()``."""

    addresses = ("127.0.0.1", "::1")
    here = served = there = caller = "127.0.0.1:0"
    here6 = "[::1]:0"

    def __init__(self, machine: Machine) -> None:
        RealTime.__init__(self, machine)
        Network.__init__(self, machine)
        first = random.randrange(len(FREE_PORTS))  # machines in several processes keep out of each other's way
        self._ports = cycle([*FREE_PORTS[first:], *FREE_PORTS[:first]])
        self.announce: Callable[[str, Address], object] = lambda kind, address: None  # told what programs can reach
        self._open: dict[tuple[str, Address], list[socket.socket]] = {}  # by table and address
        self._bound: dict[tuple[str, Address], socket.socket] = {}  # by table and real address
        self._asking: WeakValueDictionary[tuple[Address, Address], SocketEnd] = WeakValueDictionary()  # by local and remote

    # Addresses

    def _real(self, address: Address, dual_mode: bool) -> list[Address]:
        if not address.is_wildcard:
            return [address]
        both = [Address(ip, address.port) for ip in reversed(self.local)]
        return [each for each in both if each.family == address.family or dual_mode]

    def open(self, table: str, address: Address, owner: Any, alone: bool = False) -> str:
        """Let `owner` have an address, with real sockets when nobody has it yet."""
        made: list[socket.socket] = []
        if (table, address) not in self._open:
            for real in self._real(address, getattr(owner, "dual_mode", False)):
                try:
                    made.append(self._make(table == "receivers", real, alone))
                except OSError as error:
                    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and address.is_wildcard:
                        continue  # this system has no such family; the other one is served
                    return self._cannot(made, error)
        return self._take(table, address, owner, made)

    def move(self, before: str, after: str, address: Address, owner: Any) -> str:
        """The real sockets stay the same, so that no other program can get the port in between."""
        if getattr(self, before).get(address) is not owner or (after, address) in self._open:
            return super().move(before, after, address, owner)
        del getattr(self, before)[address]
        made = self._open.pop((before, address))
        for each in made:
            self._bound.pop((before, _address(each.getsockname())), None)
        return self._take(after, address, owner, made)

    def _take(self, table: str, address: Address, owner: Any, made: list[socket.socket]) -> str:
        """Let `owner` have an address with the real sockets that were made for it."""
        if (table, address) not in self._open:
            if table == "listeners" and owner.answers() == CONNECTED:
                try:
                    for each in made:
                        if getattr(owner, "options", {}).get("TCP_FASTOPEN") and hasattr(socket, "TCP_FASTOPEN"):
                            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, BACKLOG)
                        each.listen(BACKLOG)
                except OSError as error:
                    return self._cannot(made, error)
            self._open[table, address] = made
            for each in made:
                self._watch(table, address, each)
        return super().open(table, address, owner)

    def _cannot(self, made: list[socket.socket], error: OSError) -> str:
        for each in made:
            self.shut(each)
        return NOT_ALLOWED if error.errno == errno.EACCES else IN_USE

    def _watch(self, table: str, address: Address, real: socket.socket) -> None:
        where = _address(real.getsockname())
        self._bound[table, where] = real
        if table == "listeners" and real.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            self.loop.add_reader(real, self._accept, address, real)
        elif table == "receivers":
            self.loop.add_reader(real, self._receive, address, real)
        if table != "callers" and not isinstance(getattr(self, table).get(address), (Peer, Host)):
            self.announce("UDP" if table == "receivers" else "TCP", where)

    def closed(self, table: str, address: Address) -> None:
        """Nobody has the address any more."""
        for real in self._open.pop((table, address), ()):
            if real.fileno() >= 0:
                self._bound.pop((table, _address(real.getsockname())), None)
                self.shut(real)

    def _make(self, datagram: bool, local: Address, alone: bool = False) -> socket.socket:
        """A real socket bound to one of the two addresses. Raises OSError."""
        if local.ip not in ADDRESSES:
            raise OSError(errno.EADDRNOTAVAIL, "not a loopback address")
        family = socket.AF_INET if local.family == AF_INET else socket.AF_INET6
        made = socket.socket(family, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
        self._sockets.add(made)
        made.setblocking(False)
        try:
            if not (datagram or alone or sys.platform == "win32"):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # also after a connection of a moment ago
            made.bind(_pair(local))
        except OSError:
            self.shut(made)
            raise
        return made

    def shut(self, real: socket.socket) -> None:
        """Close a socket."""
        if real.fileno() >= 0:
            self.loop.remove_reader(real)
            self.loop.remove_writer(real)
            real.close()
        self._sockets.discard(real)

    def close(self) -> None:
        """Close every socket, the event loop and the capture file."""
        super().close()
        for real in list(self._sockets):
            self.shut(real)
        self.loop.close()

    def resolve(self, name: str) -> list[Address]:
        """The addresses of a host: of the name table, else what the system's resolver says."""
        known = super().resolve(name)
        if not known:
            try:
                known = [_address((found[4][0], 0)) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
            except (OSError, UnicodeError):
                return []
        return known

    # Who is there

    def peer(self, text: str, behaviour: str | Callable[[bytes], bytes] = "reads") -> Peer:
        """A scripted program with a real socket; port 0 takes a free one, which `peer.address` tells."""
        peer = Peer(self, Address.parse(text), behaviour)
        if peer.answers() not in (CONNECTED, REFUSED):
            raise ValueError(f"a peer that {peer.conduct.text} exists on the simulated network only")
        self._place("listeners", peer)
        return peer

    def host(self, text: str) -> Host:
        """A program that gets the datagrams of one port: ``"127.0.0.1:0"`` takes a free one, which `host.address` tells."""
        address = Address.parse(text)
        if not isinstance(host := self.receivers.get(address), Host):
            self._place("receivers", host := Host(self, address))
        return host

    def _place(self, table: str, owner: Peer | Host) -> None:
        if not owner.address.port:
            made = self._make(table == "receivers", owner.address, alone=True)
            owner.address = _address(made.getsockname())
            problem = self._take(table, owner.address, owner, [made])
        else:
            known = getattr(self, table).get(owner.address)
            if isinstance(known, (Peer, Host)):
                self.hand_on(table, owner.address, known)
            problem = self.open(table, owner.address, owner)
        if problem:
            raise ValueError(f"{owner.address}: {problem}")

    def settle(self) -> None:
        """Let everything arrive that a scene has set going."""
        self.machine.run()

    # Connections

    def connect(
        self, local: Address, remote: Address, owner: Any, answer: Callable[[str, Any], object], first: bytes = b""
    ) -> End:  # fmt: skip
        """Ask for a connection, through the socket that was bound for it; nothing goes out with the request."""
        real = self._bound.pop(("callers", local), None)
        error = errno.EHOSTUNREACH
        try:
            real = real or self._make(False, local if local.ip in ADDRESSES else self.route(remote))
            if remote.ip in ADDRESSES:
                error = real.connect_ex(_pair(remote))
        except (OSError, StopIteration):
            real = real or socket.socket()
        end = SocketEnd(self, local, remote, owner, answer=answer, socket=real, hidden=isinstance(owner, Peer))
        if error not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            decided = partial(self._connected, end, error)
            decided() if self._instant else self.machine.after(0, decided)
        elif self._instant and _stands(real):
            self._connected(end)
        else:
            self.loop.add_writer(real, self._decided, end)
        return end

    def _decided(self, end: SocketEnd) -> None:
        self.loop.remove_writer(end.socket)
        self.came(partial(self._connected, end))

    def _connected(self, end: SocketEnd, error: int = 0) -> None:
        if end.socket.fileno() < 0:
            return  # given up meanwhile
        error = error or end.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        outcome = OUTCOMES.get(error, UNREACHABLE)
        if outcome == CONNECTED:
            end.local = _address(end.socket.getsockname())
            self._asking[end.local, end.remote] = end
        if outcome in (CONNECTED, REFUSED):
            self.crossed(end, "SYN")
            self.crossed(end, "SYN ACK" if outcome == CONNECTED else "RST", inward=True)
        if outcome == CONNECTED:
            self.crossed(end, "ACK")
        end.answered(outcome, stands=outcome == CONNECTED)

    def _accept(self, address: Address, listening: socket.socket) -> None:
        try:
            real, remote = listening.accept()
        except OSError:  # gone again
            return
        real.setblocking(False)
        self._sockets.add(real)
        end = SocketEnd(self, _address(real.getsockname()), _address(remote), socket=real)
        self.came(partial(self._arrived, address, end))

    def _arrived(self, address: Address, end: SocketEnd) -> None:
        listener, asking = self.listeners.get(address), self._asking.pop((end.remote, end.local), None)
        end.other = asking or End(self, end.remote, end.local)
        end.other.other = end
        end.hidden = isinstance(listener, Peer) or (asking is not None and not asking.hidden)
        for name, inward in (("SYN", True), ("SYN ACK", False), ("ACK", True)):
            self.crossed(end, name, inward=inward)
        end.stands()
        if listener and getattr(listener, "conditional", False):
            listener.inspect(end.other, partial(self._answer, end, listener))
        else:
            self._answer(end, listener, listener.answers() if listener else REFUSED)

    def _answer(self, end: SocketEnd, listener: Any, outcome: str) -> None:
        if outcome != CONNECTED:
            end.abort()
        elif not end.broken:
            listener.connection_arrived(end)

    def crossed(self, end: SocketEnd, name: str, content: bytes = b"", inward: bool = False) -> None:
        """Trace and capture something that crosses; of a connection within this machine, one side's view."""
        if end.hidden:
            return
        way = (end.remote, end.local) if inward else (end.local, end.remote)
        lanes = ("peer", "transport") if inward else ("transport", "peer")
        self.tell(name, *way, content, actor=lanes[0], target=lanes[1])
        if self.capture:
            self.capture.exchange(self.now(), *way, name, content)

    # Datagrams

    def _receive(self, address: Address, real: socket.socket) -> None:
        try:
            content, source = real.recvfrom(PIECE)
        except OSError:  # what an earlier datagram met; nobody is told
            return
        self.came(partial(self._deliver, address, content, _address(source), _address(real.getsockname())))

    def _deliver(self, address: Address, content: bytes, source: Address, destination: Address) -> None:
        receiver = self.receivers.get(address)
        if receiver:
            if not isinstance(receiver, Host) and not self._is_driver(source):
                self.tell("datagram", source, destination, content, actor="peer", target="transport")
                if self.capture:
                    self.capture.datagram(self.now(), source, destination, content)
            receiver.datagram_arrived(content, source, destination)

    def _is_driver(self, address: Address) -> bool:
        """Whether a socket of the driver has the address: what it sends has been told."""
        owner = self.find(self.receivers, address)
        return owner is not None and not isinstance(owner, Host)

    def send_datagram(self, source: Address, destination: Address, content: bytes) -> None:
        """Send one datagram through the socket that was bound for it; nothing leaves the machine."""
        real = self._bound.get(("receivers", source))
        if self._is_driver(source):
            self.tell("datagram", source, destination, content)
            if self.capture and destination.ip in ADDRESSES:
                self.capture.datagram(self.now(), source, destination, content)
        if real is None or destination.ip not in ADDRESSES:
            return self.drop(content, source, destination, "no host")
        try:
            real.sendto(content, _pair(destination))
        except OSError:  # the system's buffer is full
            self.drop(content, source, destination, "full")


def _address(pair: Any) -> Address:
    """The address that a real socket tells."""
    return Address(ip_address(pair[0].partition("%")[0]).packed, pair[1])


def _stands(real: socket.socket) -> bool:
    """Whether a socket is connected already."""
    try:
        return bool(real.getpeername())
    except OSError:
        return False


def _pair(address: Address) -> tuple[str, int]:
    """An address as real sockets take it."""
    return str(ip_address(address.ip)), address.port
