"""A driver's life: DriverEntry, running until idle, Unload, and what it left behind.

Both kinds of driver go through here: those that only set DriverUnload, and framework drivers, whose life ``wsklab.kmdf.scene``
knows. Facts: KRN-44 (Unload), WSK-DER-10 (no Unload when DriverEntry failed), BUG-26 (leaks at unload).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from wsklab import wsk
from wsklab.io.device import make_driver
from wsklab.io.unload import check_unload
from wsklab.kmdf import scene as kmdf
from wsklab.lab import Driver, Lab
from wsklab.machine import PASSIVE_LEVEL, Machine, Wait
from wsklab.machine.code import Code
from wsklab.machine.status import is_success


@dataclass
class Started:
    """A driver whose DriverEntry has run."""

    name: str
    object: int
    status: int
    framework: Any = None


def start(lab: Lab, driver: Driver, name: str, seconds: float | None = None) -> Started:
    """Run DriverEntry (and, for a framework driver, what follows it) and let the machine become idle, or run so many seconds."""
    machine = lab.machine
    with lab.guarded():
        if kmdf.is_kmdf(driver.image):
            loaded = kmdf.load_driver(machine, driver.image, name=name)
            started = Started(name, 0, loaded.status, loaded)
        else:
            driver_object, path = make_driver(machine, name), kmdf.registry_path(machine, name)
            entry = driver.image.functions["DriverEntry"].address
            started = Started(name, driver_object, _run(machine, "DriverEntry", entry, driver_object, path))
    lab.run(seconds)
    return started


def unload(lab: Lab, started: Started) -> bool:
    """Run Unload when DriverEntry succeeded, then look for what the driver left behind (WSK-DER-10, BUG-26).

    Returns:
        False when the driver has no DriverUnload routine and therefore stays loaded (KRN-44).
    """
    machine = lab.machine
    with lab.guarded():
        if started.framework is not None:
            kmdf.unload_driver(machine, started.framework)
        elif is_success(started.status):
            routine = machine.u64(started.object + machine.offset("DRIVER_OBJECT", "DriverUnload"))
            if not routine:
                return False
            _run(machine, "DriverUnload", routine, started.object)
        machine.run()
        wsk.check_unload(machine)
        check_unload(machine, started.name)
    return True


def run_program(lab: Lab, driver: Driver, name: str) -> int:
    """Run a program with a main instead of a driver; returns its exit status."""
    machine, main = lab.machine, driver.image.functions["main"]
    with lab.guarded():
        text = machine.allocate(len(name) + 1, "global", label="argv[0]", zero=True)
        machine.write(text, name.encode("ascii", "replace"))
        arguments = machine.allocate(16, "global", label="argv", zero=True)
        machine.set_u64(arguments, text)
        code = Code("main", main.call, main.waits, main.type, True)
        value = machine.run_function(code, *(1, arguments)[: len(main.type.parameters)])
    return int(value or 0)


def _run(machine: Machine, thread_name: str, address: int, *arguments: int) -> Any:
    """Call a routine of the driver at PASSIVE_LEVEL on a thread of its own, until it returns."""

    def body() -> Generator[Wait, Any, Any]:
        with machine.at_irql(PASSIVE_LEVEL):
            return (yield from machine.call_waiting(address, *arguments))

    thread = machine.start_thread(body(), thread_name)
    if not machine.scheduler.run(until=thread):
        machine.hang()
    return thread.result
