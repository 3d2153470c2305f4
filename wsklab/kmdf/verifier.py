"""What switches the parts of the framework's verifier, which callbacks it watches, and how it counts a driver's objects.

Facts: KMDF-VER-02, 03, 05, RULE-44. Pages: using-kmdf-verifier.md, registry-values-for-debugging-kmdf-drivers.md.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsklab.machine import PASSIVE_LEVEL, Machine

if TYPE_CHECKING:
    from wsklab.kmdf.objects import Object

TABLE = tomllib.loads((Path(__file__).parent / "registry.toml").read_text("utf-8"))
NO_LIMIT = 0xFFFF_FFFF


class Parameters(dict[str, Any]):
    """The values of the registry key Parameters\\Wdf by name, for every driver of a machine. Others raise ValueError."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self:
            raise ValueError(f"{name}: {TABLE['elsewhere'].get(name, 'no value of this name is known')}")
        super().__setitem__(name, value)


def count(new: Object) -> None:
    """One object more, if leak detection counts its type (devices always); the limit holds for each device. Facts: RULE-44."""
    fw, driver = new.fw, new
    limit = fw.parameters["ObjectLeakDetectionLimit"] if fw.checking else NO_LIMIT
    if limit == NO_LIMIT or new.KIND not in ("WDFDEVICE", *fw.parameters["ObjectsForLeakDetection"].split()):
        return
    while driver.parent:
        driver = driver.parent
    new.counted_in = known = fw.objects[driver]
    known.add(new)
    if len(known) < limit or driver in known:
        return
    devices = sum(each.KIND == "WDFDEVICE" for each in known)
    allowed = limit * max(devices, 1)
    if len(known) == allowed:
        known.add(driver)  # which tells that nobody looks again
        fw.breakpoint("kmdf-too-many-objects", new, count=str(allowed), limit=str(limit), devices=str(devices))


def in_region(m: Machine) -> bool:
    """Whether the thread is in a critical or guarded region, at an IRQL at which the verifier looks. Facts: KMDF-VER-05."""
    if not m.thread.object or m.irql > PASSIVE_LEVEL:  # without an object it has entered none; above, APCs are disabled anyway
        return False
    regions = m.view(m.thread.object, "WSKLAB_THREAD")
    return bool(regions.Critical or regions.Guarded)
