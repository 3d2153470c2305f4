"""Who has an IRP, for tests."""

from __future__ import annotations

from wsklab.io.irp import SENT, Irps
from wsklab.machine import Machine


def is_free(m: Machine, irp: int) -> bool:
    """Whether nobody below has the IRP: it was never sent, is back, or no longer exists."""
    packet = m.model(Irps).packets.get(irp)
    return packet is None or packet.state != SENT


def holder(m: Machine, irp: int) -> str | None:
    """Who has the IRP now (driver, wsk, framework, device …), None when it no longer exists."""
    packet = m.model(Irps).packets.get(irp)
    return packet.holder if packet else None
