"""Ready-made scenes: one line each, because a lesson is about one call and not about setting it up.

A scene object stands for its address wherever C wants a pointer or a handle, so it is passed to a driver's function as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wsklab.kmdf import scene as kmdf
from wsklab.kmdf.application import Event, File, find
from wsklab.kmdf.device import Device
from wsklab.kmdf.lower import LowerDevice
from wsklab.machine import Machine, View
from wsklab.machine.status import NTSTATUS
from wsklab.net.tcp import AF_INET
from wsklab.wsk import scene as wsk


@dataclass
class Handle:
    """Something of the machine that C knows by its `address`: a socket or a framework handle, printed with its kind."""

    machine: Machine = field(repr=False)
    address: int
    kind: str

    def __repr__(self) -> str:
        return f"<{self.kind} {self.address:#018x}>"


@dataclass(repr=False)
class SocketScene(Handle):
    """A WSK socket."""

    kind: str = "socket"
    peer: Any = None  # the other end of its connection, None for a datagram socket

    @property
    def socket(self) -> View:
        """The WSK_SOCKET structure."""
        return self.machine.view(self.address, "WSK_SOCKET")

    @property
    def received(self) -> bytes:
        """What the peer has received so far."""
        return bytes(self.peer.received)


class Scenes:
    """The scenes of a lab. Each call adds to the lab's one machine."""

    machine: Machine

    # Winsock Kernel

    def connected_socket(self, peer: str = "reads") -> SocketScene:
        """A connection-oriented socket that the driver connected to 10.0.0.2:80.

        Args:
            peer: what the other end does: ``"reads"``, ``"echoes"``, ``"silent"``, ``"slow"``, ``"resets"``, ``"closed"``.
        """
        return self._stream(wsk.connected(self.machine, peer=peer))

    def accepted_socket(self, peer: str = "reads") -> SocketScene:
        """A connection-oriented socket that a listening socket accepted; `peer` as for :meth:`connected_socket`."""
        return self._stream(wsk.accepted(self.machine, peer=peer))

    def _stream(self, address: int) -> SocketScene:
        return SocketScene(self.machine, address, peer=wsk.peer_of(self.machine, address))

    def datagram_socket(self, bound: bool = True) -> SocketScene:
        """A datagram socket, bound to 10.0.0.1:5000 unless `bound` is False."""
        return SocketScene(self.machine, wsk.datagram(self.machine, bound=bound))

    def host(self, address: str) -> Any:
        """Another machine on the network: ``lab.host("10.0.0.2")`` keeps the datagrams it gets and can send some."""
        return wsk.network(self.machine).host(address)

    def receive_datagrams(self, socket: SocketScene, count: int = 8) -> list[bytes]:
        """Keep `count` WskReceiveFrom requests queued; the list fills with the datagrams that the socket lets through."""
        arrived: list[bytes] = []
        with self.machine.trace.paused():
            for _ in range(count):
                _receive_one(self.machine, socket.address, arrived)
        return arrived

    def sockaddr(self, address: str) -> View:
        """A SOCKADDR in non-paged memory: ``lab.sockaddr("10.0.0.2:7")``."""
        made = wsk.sockaddr(self.machine, address)
        return self.machine.view(made, "SOCKADDR_IN" if self.machine.u16(made) == AF_INET else "SOCKADDR_IN6")

    def buffer(self, content: bytes, chain: int = 1) -> View:
        """A WSK_BUF over non-paged memory that holds `content`, spread over `chain` MDLs."""
        return self.machine.view(wsk.wsk_buf(self.machine, content, chain=chain), "WSK_BUF")

    def set_remote_address(self, socket: SocketScene, address: str | None) -> int:
        """SIO_WSK_SET_REMOTE_ADDRESS: fix the remote address of a datagram socket, None clears it. Returns the status."""
        return self._fix(socket, "SIO_WSK_SET_REMOTE_ADDRESS", address)

    def set_sendto_address(self, socket: SocketScene, address: str | None) -> int:
        """SIO_WSK_SET_SENDTO_ADDRESS: fix the destination address of a datagram socket, None clears it."""
        return self._fix(socket, "SIO_WSK_SET_SENDTO_ADDRESS", address)

    def _fix(self, socket: SocketScene, code: str, address: str | None) -> int:
        pointer = wsk.sockaddr(self.machine, address) if address else None
        return NTSTATUS(wsk.control(self.machine, socket.address, code, pointer))

    # Drivers and applications

    def start_driver(
        self, driver: Any, lower: LowerDevice | kmdf.LoadedDriver | Device | None = None, name: str = ""
    ) -> kmdf.LoadedDriver:
        """Load a framework driver and start a device of it: ``lab.start_driver(lab.load(source), lower=…)``.

        Args:
            driver: what :meth:`load` returned.
            lower: what the device stands on: a lower device, another started driver (a filter over a function driver), or one
                of a bus driver's `children`. Without it a lower device, which is a USB device if the driver asks for one.
            name: its name in messages, by default that of its file.
        """
        if not hasattr(driver, "image"):
            raise TypeError(f"start_driver takes what lab.load(…) returned, not {type(driver).__name__}")
        return kmdf.load_driver(self.machine, driver.image, lower=lower, name=name or driver.units[0].name.removesuffix(".c"))

    def unload_driver(self, loaded: kmdf.LoadedDriver, *, surprise: bool = False) -> None:
        """Remove a started driver's devices and unload it; with `surprise` they are unplugged, else they may refuse."""
        kmdf.unload_driver(self.machine, loaded, surprise)

    def open(self, name: str | kmdf.LoadedDriver) -> File:
        r"""An application opens a device.

        Args:
            name: a symbolic link (``r"\\.\Echo"``), a device name (``r"\Device\Echo"``), the class GUID of a device interface, or
                a started driver.
        """
        return (
            File(self.machine, name.object)
            if isinstance(name, kmdf.LoadedDriver)
            else File(self.machine, *find(self.machine, name))
        )

    def event(self, resets: bool = False) -> Event:
        """An application makes an event, which a request can carry to a driver; `resets` makes it a synchronization event."""
        return Event(self.machine, resets)

    def shut_down(self) -> None:
        """The system shuts down: every device whose driver asked for it gets IRP_MJ_SHUTDOWN."""
        kmdf.shut_down(self.machine)

    # Kernel-Mode Driver Framework

    def lower_device(self, name: str = "lower", answers: str | list[str] = "at once", **options: Any) -> LowerDevice:
        """A device below the driver that can be told what to answer.

        Args:
            name: its name in pictures.
            answers: ``"at once"``, ``"later"``, ``"error"`` or ``"never"``; a list gives one answer per request.
            **options: as for :func:`wsklab.kmdf.scene.lower_device` (status, information, data, stack_size, io_type, delay, usb).
        """
        return kmdf.lower_device(self.machine, name, answers=answers, **options)

    def io_target(self, device: LowerDevice, opened: bool = True) -> Handle:
        """A WDFIOTARGET over a lower device."""
        return Handle(self.machine, kmdf.io_target(self.machine, device, opened=opened), "WDFIOTARGET")

    def pnp(self, device: LowerDevice, event: str) -> bool:
        """What the PnP manager does to a device: ``"query remove"``, ``"cancel remove"`` or ``"remove"``.

        Every target that is open to it by name or with a file hears of it. False when a query remove is refused.
        """
        return kmdf.pnp(self.machine, device, event)

    def request(self, target: Handle | None = None) -> Handle:
        """A WDFREQUEST that the driver created for a target."""
        return Handle(self.machine, kmdf.request(self.machine, target.address if target else 0), "WDFREQUEST")

    def memory(self, content: bytes | int) -> Handle:
        """A WDFMEMORY that holds `content`, or so many zero bytes."""
        return Handle(self.machine, kmdf.memory(self.machine, content), "WDFMEMORY")


def _receive_one(machine: Machine, socket: int, arrived: list[bytes]) -> None:
    """Queue one WskReceiveFrom whose datagram goes to `arrived`."""
    buffer = wsk.wsk_buf(machine, bytes(2048))

    def completed(_device: int, irp: int, _context: int) -> int:
        view = machine.view(irp, "IRP")
        if view.IoStatus.Status == 0:
            arrived.append(wsk.content_of(machine, buffer, view.IoStatus.Information))
        machine.api("IoFreeIrp")(irp)
        return machine.constant("STATUS_MORE_PROCESSING_REQUIRED")

    irp = machine.api("IoAllocateIrp")(1, 0)
    machine.api("IoSetCompletionRoutine")(irp, machine.python_code(completed, "received"), 0, 1, 1, 1)
    dispatch = machine.view(machine.u64(socket), "WSK_PROVIDER_DATAGRAM_DISPATCH")
    machine.code_at(int(dispatch.WskReceiveFrom)).call(socket, buffer, 0, 0, 0, 0, 0, irp)
