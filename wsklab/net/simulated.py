"""The simulated network: hosts, segments and datagrams on virtual time.

Rules: nothing overtakes within one direction of a connection; a crossing takes `delay`, and longer for more bytes where there is
a `bandwidth`. Whatever is undecided is asked of the machine's choice point: the path a connection takes, how its bytes are cut,
and what becomes of a datagram.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, cast

from wsklab.net.capture import SEGMENT
from wsklab.net.network import CONNECTED, REFUSED, TIMED_OUT, Network
from wsklab.net.peers import TABLES, Peer
from wsklab.net.tcp import ABORTED, GONE, SENT, Address, End, Transfer

if TYPE_CHECKING:
    from wsklab.machine import Machine

DELAY = 10_000  # how long one crossing takes unless told otherwise: 1 ms in 100-ns units
SECOND = 10_000_000
CONNECT_TIMEOUT = 21 * SECOND  # how long a connection request that nobody answers is tried
RESEND = 3_000_000  # when a lost segment is sent again: 300 ms
RESEND_TIMEOUT = 21 * SECOND  # how long data that nobody acknowledges is sent again
KEEP_ALIVE_TIME, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_PROBES = 7200 * SECOND, SECOND, 10
"""When an idle connection is probed and how often an unanswered probe is repeated: what Windows does unless told otherwise."""
LATE = 100 * DELAY  # how much later a datagram comes that others overtake


@dataclass(frozen=True)
class Path:
    """What a connection's way to the other host is like."""

    delay: int = 0  # of a crossing, in addition to the network's
    bandwidth: int = 0  # bytes per second, 0 for no limit
    loses: bool = False  # every segment with data is lost once and sent again


PATHS = {"usual": Path(), "long": Path(delay=SECOND // 2), "narrow": Path(bandwidth=10_000), "lossy": Path(loses=True)}
"""The answers to the choice "path", asked once per connection."""

SEGMENTS = {"one": 1, "two": 2, "many": 8}
"""The answers to the choice "TCP segments": in how many pieces bytes reach the driver (WSK-RECV-14)."""

DATAGRAM = {"arrives": (0,), "is lost": (), "arrives twice": (0, DELAY), "arrives late": (LATE,)}
"""The answers to the choice "datagram": how much later each copy arrives."""

WAYS, PIECES, FATES = tuple(PATHS), tuple(SEGMENTS), tuple(DATAGRAM)


@dataclass(eq=False)
class SimulatedEnd(End):
    """One end of a simulated connection. A direction is: asked for → on the wire → acknowledged."""

    network: Simulated
    path: Path = PATHS["usual"]
    clear: int = 0  # when the last segment of this direction arrives: nothing overtakes it
    heard: int = 0  # when something last came from the other side
    unanswered: int = 0  # keep-alive probes since then
    _held: list[Transfer] = field(default_factory=list)
    _delayed: bool = False  # what is asked for waits for an acknowledgement
    _probe: Callable[[], object] = bool  # takes the next probe back

    def abandon(self) -> None:
        """Give a connection request up: `answer` is never called."""
        super().abandon()
        if self.dropped:
            self.network.carry(self, self.dropped, "RST")

    def acknowledge(self) -> None:
        """Acknowledge what was held back so far."""
        held, self._held = self._held, []
        if held:
            self.network.carry(self, partial(self.other._acknowledged, held), "ACK")

    def abort(self) -> None:
        """Break the connection from this side: nothing more is sent, the other side is reset."""
        if not self.broken:
            self.fail(ABORTED)
            self.network.carry(self, self.other.was_reset, "RST")

    def transmit(self) -> None:
        """Let go out what is asked for, as Nagle's algorithm allows (RFC 1122, 4.2.3.4): while something is not acknowledged,
        what does not fill a segment waits and then goes out together. What waits also goes before the end of the direction and
        with what is pushed; nothing waits where TCP_NODELAY is set. A long transfer is not cut: its tail never waits.
        """
        while self._asked and not self.broken:
            ready, first = [self._asked[0]], self._asked[0]
            if (self._on_wire or self._delayed) and not (first.final or (self.owner and self.owner.option("TCP_NODELAY"))):
                ready = list(takewhile(lambda each: not each.final, self._asked))
                fills = sum(each.length for each in ready) >= SEGMENT[len(self.local.ip)]
                pushed = len(ready) < len(self._asked) or any(each.push for each in ready)
                self._delayed = bool(self._on_wire) and not fills and not pushed
                if self._delayed:
                    return
            for transfer in ready:
                transfer.content = transfer.read()
                self._on_wire.append(self._asked.popleft())
            name = "FIN" if ready[0].final else "data"
            self.network.carry(self, partial(self.other._arrived, ready), name, b"".join(each.content for each in ready))

    def _arrived(self, transfers: list[Transfer]) -> None:
        if self.broken == GONE:
            self.network.machine.after(RESEND_TIMEOUT, partial(self.other.was_reset, GONE))
        if self.broken or self.other.broken:
            return
        self._held += transfers
        if self.acknowledges:
            self.acknowledge()
        if transfers[0].final:
            self.peer_closed = True
            if self.owner:
                self.owner.peer_finished(self)
        content, pieces = b"".join(transfer.content for transfer in transfers), 1
        if len(content) > 1 and self.network.is_local(self.local):
            pieces = SEGMENTS[self.network.choose("TCP segments", PIECES)]
        size = -(-len(content) // pieces) or 1
        for start in range(0, len(content), size):
            self.received += content[start : start + size]
            if self.owner and not self.broken:
                self.owner.data_arrived(self)

    def _acknowledged(self, transfers: list[Transfer]) -> None:
        for transfer in transfers:
            if not self.broken and self._on_wire and self._on_wire[0] is transfer:
                self._on_wire.popleft()
                transfer.done(SENT)
        self.transmit()

    # Keep-alive

    def options_changed(self) -> None:
        """Watch the connection from now on, or no longer (SO_KEEPALIVE)."""
        self._probe()
        self.unanswered = 0
        if self.owner.option("SO_KEEPALIVE") and not self.broken:
            self._watch(self.heard + KEEP_ALIVE_TIME)

    def _watch(self, due: int) -> None:
        """Look at a time whether the other side has been heard; no run goes on for that alone, unless the other side is gone."""
        machine = self.network.machine
        self._probe = machine.after(due - machine.time, self._look, background=self.other.broken != GONE)

    def _look(self) -> None:
        if self.broken or self.peer_closed and self.closed:
            return
        now = self.network.machine.time
        if now < self.heard + KEEP_ALIVE_TIME:
            return self.options_changed()
        if self.unanswered == KEEP_ALIVE_PROBES:
            return self.was_reset(GONE)
        self.unanswered += 1
        self.network.carry(self, self.other._probed, "keep-alive")
        self._watch(now + KEEP_ALIVE_INTERVAL)

    def _probed(self) -> None:
        if not self.broken:
            self.network.carry(self, bool, "ACK")

    def vanish(self) -> None:
        """This side is gone without a word: it sends nothing and takes nothing any more."""
        self.broken = GONE
        if self.other.owner:
            self.other.options_changed()


class Simulated(Network):
    """Hosts on virtual time. `delay` (100-ns units) and `bandwidth` (bytes per second, 0 for no limit) may be changed."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.delay, self.bandwidth = DELAY, 0
        for text, behaviour in TABLES["services"].items():
            self.peer(text, behaviour)

    def peer(self, text: str, behaviour: str | Callable[[bytes], bytes] = "reads") -> Peer:
        """A scripted program that waits for connections."""
        self.host(text)
        address = Address.parse(text)
        peer = self.listeners[address] = Peer(self, address, behaviour)
        return peer

    def crossing(self, address: Address, size: int, path: Path = PATHS["usual"]) -> tuple[int, int]:
        """How long the first and the remaining of `size` bytes take between the machine and an address."""
        host = self.hosts.get(address.ip)
        delay = host.delay if host and host.delay is not None else self.delay
        limits = [limit for limit in (self.bandwidth, path.bandwidth, host.bandwidth if host else 0) if limit]
        return delay + path.delay, size * SECOND // min(limits) if limits else 0

    def carry(self, way: SimulatedEnd, callback: Callable[[], object], name: str, content: bytes = b"") -> None:
        """Let one segment cross: `callback` runs when it arrives. `way` is the direction, which keeps its order."""
        now = arrives = self.machine.time
        callback = partial(self._heard, way, callback)
        outward = self.is_local(way.local)
        if not self._instant:
            delay, rest = self.crossing(way.remote if outward else way.local, len(content), way.path)
            resend = RESEND if content and way.path.loses else 0
            way.clear = arrives = max(way.clear, now + delay) + rest + resend
        self.tell(name, way.local, way.remote, content, arrives=arrives)
        if self.capture:
            callback = self._captured(way, callback, name, content)
        if self._instant:
            callback()
        else:
            self.machine.after(arrives - now, cast(Callable[[], None], callback))

    def _heard(self, way: SimulatedEnd, callback: Callable[[], object]) -> None:
        if isinstance(way.other, SimulatedEnd):
            way.other.heard, way.other.unanswered = self.machine.time, 0
        callback()

    def _captured(self, way: SimulatedEnd, callback: Callable[[], object], name: str, content: bytes) -> Callable[[], object]:
        """Write a segment as the driver's machine sees it: when it leaves there, or when it arrives there."""
        capture, machine = self.capture, self.machine
        assert capture
        segment = capture.segment(way.local, way.remote, name, content)
        outward = self.is_local(way.local)
        if outward:
            capture.write(machine.time, segment.packets)
            if content and way.path.loses and not self._instant:
                machine.after(RESEND, lambda: capture.write(machine.time, segment.packets))

        def arrived() -> None:
            if not outward:
                capture.write(machine.time, segment.packets)
            capture.arrived(segment)
            callback()

        return arrived

    def connect(
        self, local: Address, remote: Address, owner: Any, answer: Callable[[str, Any], object], first: bytes = b""
    ) -> End:  # fmt: skip
        """Ask for a connection; what fits into its segment goes with it, as if the other side had given a cookie before."""
        path = PATHS[self.choose("path", WAYS)]
        front = SimulatedEnd(self, local, remote, owner, answer=answer, path=path, early=first[: SEGMENT[len(local.ip)]])
        if not self.is_local(remote) and remote.ip not in self.hosts:
            self._expire(front)
        else:
            self.carry(front, lambda: self._asked(front), "SYN", front.early)
        return front

    def _expire(self, front: SimulatedEnd) -> None:
        front.forget = self.machine.after(CONNECT_TIMEOUT, lambda: front.answered(TIMED_OUT))

    def _asked(self, front: SimulatedEnd) -> None:
        listener = self.find(self.listeners, front.remote)
        if getattr(listener, "conditional", False):
            if not front.answer:
                return  # given up on the way
            self._expire(front)
            listener.inspect(front, partial(self._answer, front, listener))
        else:
            self._answer(front, listener, listener.answers() if listener else REFUSED)

    def _answer(self, front: SimulatedEnd, listener: Any, outcome: str) -> None:
        if listener and front.dropped and not front.answer:
            return  # given up while it was inspected
        back = SimulatedEnd(self, front.remote, front.local, path=front.path, received=bytearray(front.early))
        if outcome == TIMED_OUT:
            self._expire(front)
        elif outcome != CONNECTED:
            self.carry(back, lambda: front.answered(outcome), "RST")
        else:
            front.other, back.other = back, front
            self.carry(back, lambda: self._established(front, listener), "SYN ACK")

    def _established(self, front: SimulatedEnd, listener: Any) -> None:
        self.carry(front, lambda: listener.connection_arrived(front.other), "ACK")
        front.answered(CONNECTED, stands=True)

    def send_datagram(self, source: Address, destination: Address, content: bytes) -> None:
        """Let one datagram cross. Broadcasts reach every other host of the family."""
        outward, machine = self.is_local(source), self.machine
        delay = sum(self.crossing(destination if outward else source, len(content)))
        self.tell("datagram", source, destination, content, arrives=machine.time + delay)
        if self.capture and outward:
            self.capture.datagram(machine.time, source, destination, content)
        copies = DATAGRAM[self.choose("datagram", FATES)]
        for later in copies:
            machine.after(delay + later, lambda: self._deliver(source, destination, content))
        if not copies:
            self.drop(content, source, destination, "lost")

    def _deliver(self, source: Address, destination: Address, content: bytes) -> None:
        found: list[Any] = [self.hosts.get(destination.ip)]
        if destination.is_broadcast:  # whoever sent it does not get it
            mine = () if self.is_local(source) else (each for at, each in self.receivers.items() if at.port == destination.port)
            found = [*(host for ip, host in self.hosts.items() if ip != source.ip), *mine]
        elif self.is_local(destination):
            found = [self.find(self.receivers, destination)]
            if self.capture and not self.is_local(source):
                self.capture.datagram(self.machine.time, source, destination, content)
        for receiver in found:
            if receiver is None:
                self.drop(content, source, destination, "no socket" if self.is_local(destination) else "no host")
            else:
                receiver.datagram_arrived(content, source, destination)
