"""A sensor under the driver of outstanding_reads.c: whatever it delivers, somebody is waiting for it.

python examples/outstanding_reads.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    sensor = lab.lower_device("sensor", answers=["at once", "never"], data=b"first")
    driver = lab.load(Path(__file__).with_suffix(".c"))
    loaded = lab.start_driver(driver, lower=sensor)
    print("reads under way after the start:", len(sensor.pending))

    sensor.data = b"more"
    print("delivered:", sensor.complete_all(), "under way again:", len(sensor.pending))
    counts = driver.GetReaderContext(loaded.devices[0])
    print(f"reads that brought data {counts.Arrived}, bytes {counts.Bytes}, last byte {chr(counts.LastByte)}")
    lab.unload_driver(loaded)
    cancelled = [str(seen.status) for seen in sensor.received if seen.status and seen.status < 0]
    print("cancelled at the end:", len(cancelled), set(cancelled))
    return lab


if __name__ == "__main__":
    journey = main().journey()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(journey.svg, "utf-8")
    else:
        print(journey.text)
