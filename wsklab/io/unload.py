"""What a driver leaves behind when it is unloaded: the checks, in the order in which Windows would suffer from each.

First what would run in an image that is gone, then what is only lost. Facts: BUG-16, BUG-26, KRN-27, KRN-45, MIS-54, MIS-59.
"""

from __future__ import annotations

from wsklab.io.device import check_work_items
from wsklab.io.irp import SENT, Irps, code_name, layout, refuse
from wsklab.io.mdl import Mdls
from wsklab.machine import Machine
from wsklab.machine.functions_pool import check_lent, check_pool
from wsklab.machine.functions_thread import check_due, check_threads


def check_unload(m: Machine, driver: str = "driver") -> None:
    """Stop when something of the driver is left after its DriverUnload routine has returned."""
    check_threads(m)
    check_due(m)
    check_work_items(m)
    check_irps(m)
    check_mdls(m)
    check_lent(m)
    check_pool(m, driver)


def check_irps(m: Machine) -> None:
    """Stop when an IRP of the driver's own making is still in use, or was never freed."""
    own = [packet for packet in m.model(Irps).packets.values() if packet.maker == "driver" and packet.returns and not packet.raw]
    for packet in own:
        if packet.state == SENT:
            routine = code_name(m, m.u64(m.u64(packet.address + layout().current) + layout().routine))
            refuse(m, "irp-in-flight-at-unload", packet, "", routine=routine)
    if own:
        objects = tuple(packet.address for packet in own)
        m.stop("irp-leaked", objects=objects, irp=f"{objects[0]:#018x}", count=len(objects))


def check_mdls(m: Machine) -> None:
    """Stop when an MDL of the driver was never freed."""
    left = sorted(m.model(Mdls).live)
    if left:
        m.stop("mdl-leaked", objects=tuple(left), mdl=f"{left[0]:#018x}", count=len(left))
