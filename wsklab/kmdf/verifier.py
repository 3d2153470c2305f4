"""What switches the parts of the framework's verifier, and how it counts a driver's objects.

Facts: KMDF-VER-02, 03, RULE-44. Pages: using-kmdf-verifier.md, registry-values-for-debugging-kmdf-drivers.md.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    known, devices = fw.objects[driver], max(sum(device.driver is driver for device in fw.devices), 1)
    known.add(new)
    if len(known) == limit * devices and driver not in known:
        known.add(driver)  # which tells that nobody looks again
        fw.breakpoint("kmdf-too-many-objects", new, count=str(limit * devices), limit=str(limit), devices=str(devices))
