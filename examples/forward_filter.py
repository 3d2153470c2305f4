"""An application over the filter of forward_filter.c: a read, a write that the device refuses, a write that is cancelled.

python examples/forward_filter.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    disk = lab.lower_device("disk", answers=["later", "error", "never"], data=b"hello")
    driver = lab.load(Path(__file__).with_suffix(".c"))
    loaded = lab.start_driver(driver, lower=disk)

    read = loaded.read(16)
    lab.run()
    print("read:", read.data, read.status)
    print("write:", loaded.write(b"refused").status)
    write = loaded.write(b"cancelled")
    write.cancel()
    print("write, cancelled:", write.status)
    counts = driver.GetFilterContext(loaded.devices[0])
    print(f"forwarded {counts.Forwarded}, failed {counts.Failed}, not sent {counts.NotSent}, bytes read {counts.BytesRead}")
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    journey = main().journey()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(journey.svg, "utf-8")
    else:
        print(journey.text)
